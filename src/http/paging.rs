//! Keyset pages: a page starts after the last thing of the one before, so page 1,000 costs what page 1 costs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::plain_text;
use crate::problem::Problem;

/// `?limit=&cursor=`
#[derive(Clone, Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Things a page, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 512))]
    #[param(max_length = 512)]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Things a page.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.limit.unwrap_or(20).clamp(1, 100)
    }
}

/// The place after which a page starts: the sort key of the last thing seen. Opaque to clients.
pub struct Cursor;

impl Cursor {
    /// Writes a sort key.
    pub fn write<K: Serialize>(key: &K) -> Result<String, Problem> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).map_err(Problem::unexpected)?))
    }

    /// Reads one back; 422 when it is not of this list.
    pub fn read<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Problem::field("?cursor", "cursor"))?;
        let read = || {
            let key: Value = serde_json::from_slice(&bytes).ok()?;
            is_sane(&key).then(|| serde_json::from_value(key).ok())?
        };
        read().map(Some).ok_or_else(|| Problem::field("?cursor", "cursor"))
    }
}

/// Whether its days lie in years that both engines store alike: a cursor comes from outside, whatever we wrote into it.
fn is_sane(key: &Value) -> bool {
    match key {
        Value::Array(parts) => parts.iter().all(is_sane),
        Value::String(text) => {
            let instant = text.parse::<DateTime<Utc>>().map(|at| at.date_naive());
            let date = instant.or_else(|_| text.parse::<NaiveDate>());
            plain_text(text) && date.map_or(true, |date| (1900..=2999).contains(&date.year()))
        }
        _ => true,
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    /// The things.
    pub items: Vec<T>,
    /// For the next page; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `size + 1` fetched rows to a page; `key` is the sort key of a row.
    pub fn cut<R, K: Serialize>(
        mut rows: Vec<R>,
        size: u64,
        key: impl Fn(&R) -> K,
        view: impl FnMut(R) -> T,
    ) -> Result<Self, Problem> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = match rows.last() {
            Some(last) if more => Some(Cursor::write(&key(last))?),
            _ => None,
        };
        Ok(Self { items: rows.into_iter().map(view).collect(), next_cursor })
    }

    /// A list that ends here.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

impl<T> Page<Result<T, Problem>> {
    /// The page, when every view of it could be made.
    pub fn sound(self) -> Result<Page<T>, Problem> {
        let items = self.items.into_iter().collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_days_of_years_that_both_engines_store_alike() {
        let read = |key: &str| Cursor::read::<Value>(Some(&URL_SAFE_NO_PAD.encode(key)));
        for key in
            [r#"["2026-11-25",1]"#, r#"["2026-11-25T01:00:00Z","x"]"#, "7", r#""511702108212""#, r#""1900-01-01""#]
        {
            assert!(read(key).is_ok(), "{key}");
        }
        for key in [
            r#""\u0000""#,
            r#"["+262142-01-01",1]"#,
            r#"["-0001-01-01T00:00:00Z","x"]"#,
            r#""3000-01-01""#,
            r#"[["9999-12-31"]]"#,
        ] {
            assert!(read(key).is_err(), "{key}");
        }
    }
}
