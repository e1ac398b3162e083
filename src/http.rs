//! What every handler shares: reading a request that may be wrong, answering in one shape.
//!
//! [`Command`] is a validated body that may be repeated over a bad line, [`Upload`] that of a file, [`Lane`] the way for
//! commands that come in crowds, [`Query`] validated parameters, [`ListQuery`] those of a list with its page, [`Single`] an answer with an
//! entity tag ([`SingleText`] one that is no JSON), [`Page`] a keyset page; [`envelope`] writes failures in the caller's language. Handlers in `*/api.rs` are
//! made of these. Next: [`crate::auth`] for who is calling.

mod body;
mod command;
mod envelope;
mod forwarded;
mod lane;
mod paging;
mod reply;
mod upload;

pub use body::{Checked, MAX_TEXT, faults_of, part, plain_text, tidy};
pub use command::{ANSWER_PURPOSE, Command};
pub use envelope::{RequestId, envelope, fallback};
pub use forwarded::{came_sealed, client_address};
pub use lane::Lane;
pub use paging::{Cursor, Page, PageQuery};
pub use reply::{Single, SingleText, json};
pub use upload::{MAX_UPLOAD, Upload, misshapen};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::ACCEPT_LANGUAGE};
use serde::de::DeserializeOwned;
use std::{
    borrow::Cow,
    fmt::Write,
    future::{Ready, ready},
};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use validator::Validate;

use crate::problem::{FieldFault, Language, Problem};

/// Validated parameters of the address.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_query(req.query_string()).map(Self))
    }
}

/// Validated parameters of a list: what narrows it, and which page of it.
///
/// Two structs, each of which refuses what it does not know: `flatten` would accept unknown parameters.
pub struct ListQuery<T> {
    /// What narrows it.
    pub by: T,
    /// Which page.
    pub page: PageQuery,
}

impl<T: DeserializeOwned + Validate> FromRequest for ListQuery<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let of_page = |pair: &&str| matches!(pair.split('=').next(), Some("limit" | "cursor"));
        let (page, by): (Vec<&str>, Vec<&str>) = req.query_string().split('&').partition(of_page);
        ready(read_query(&page.join("&")).and_then(|page| Ok(Self { by: read_query(&by.join("&"))?, page })))
    }
}

/// The caller's language, for answers that hold sentences.
impl FromRequest for Language {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::preferred(req.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))))
    }
}

pub(crate) fn read_query<T: DeserializeOwned + Validate>(query: &str) -> Result<T, Problem> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| Problem::field("?", "format"))?
        .into_inner();
    for (name, value) in &pairs {
        if !plain_text(value) || !plain_text(name) {
            return Err(Problem::field("?", "control_characters"));
        }
    }
    let value: T = actix_web::web::Query::<T>::from_query(&composed(query, &pairs))
        .map_err(|fault| {
            let text = fault.to_string();
            let mut field = FieldFault::new("?", body::fault_code(&text));
            field.hint = Some(text);
            Problem::invalid(vec![field])
        })?
        .into_inner();
    value.validate().map_err(|faults| {
        let mut named = faults_of(&faults);
        for fault in &mut named {
            fault.pointer = fault.pointer.replacen('/', "?", 1);
        }
        Problem::invalid(named)
    })?;
    Ok(value)
}

/// One spelling of each text (Unicode NFC), as in bodies.
fn composed<'a>(query: &'a str, pairs: &[(String, String)]) -> Cow<'a, str> {
    if pairs.iter().all(|(name, value)| is_nfc(name) && is_nfc(value)) {
        return Cow::Borrowed(query);
    }
    let written = |text: &str| {
        text.nfc().collect::<String>().bytes().fold(String::new(), |mut written, byte| {
            let _ = write!(written, "%{byte:02X}");
            written
        })
    };
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", written(name), written(value))).collect();
    Cow::Owned(pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Sought {
        #[validate(length(min = 1, max = 4))]
        q: String,
        n: Option<u32>,
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        let read = |query: &str| read_query::<Sought>(query).unwrap();
        let (composed, decomposed) = (read("q=L%C3%BC&n=7"), read("q=Lu%CC%88&n=7"));
        assert_eq!((composed.q.as_str(), composed.n), ("L\u{fc}", Some(7)));
        assert_eq!((decomposed.q, decomposed.n), (composed.q, composed.n));
        // A compatibility ideograph is written as the character it stands for.
        assert_eq!(read("q=%EF%A8%9C").q, "\u{9756}");
        assert_eq!(read("q=%F0%B0%9D%9F%E6%B8%A1%E9%95%87").q, "\u{3075f}渡镇");
        assert!(read_query::<Sought>("q=%E2%80%AEx").is_err(), "text that turns its direction");
        assert!(read_query::<Sought>("q=Lu%CC%88&m=1").is_err());
    }
}
