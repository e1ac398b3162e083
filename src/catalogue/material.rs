//! Papers that an item asks for, with what can be said of each.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::crypto::hex;

/// What kind of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaterialKind {
    /// 原件: shown and taken home again.
    #[default]
    Original,
    /// 复印件: stays.
    Copy,
    /// 表格: filled in at the desk.
    Form,
    /// 照片.
    Photo,
    /// 承诺、说明: in one's own words.
    Statement,
    /// Anything else.
    Other,
}

/// A paper that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Material {
    /// The same paper has the same code with every item: 1 to 40 of `a-z`, `0-9`, `_`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub code: String,
    /// As people call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// What kind of paper.
    pub kind: MaterialKind,
    /// How many.
    #[schema(minimum = 1, maximum = 20)]
    pub copies: u8,
    /// Who issues it.
    #[schema(max_length = 80)]
    pub source: Option<String>,
    /// When it is needed at all; null: always.
    #[schema(max_length = 100)]
    pub required_when: Option<String>,
    /// Whoever brought it once need not bring it again while it is valid, if they agree (purpose `reuse_papers`).
    pub reusable: bool,
    /// Months for which one that was received may serve again; null: as long as it lies there.
    #[schema(minimum = 1, maximum = 600)]
    pub valid_months: Option<u16>,
    /// 免提交: the office gets it from shared data itself.
    pub obtained_by_us: bool,
    /// For reading aloud: sentences of at most 40 characters.
    #[schema(max_length = 200)]
    pub easy_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    code: Option<String>,
    name: String,
    #[serde(default)]
    kind: MaterialKind,
    copies: Option<u8>,
    source: Option<String>,
    required_when: Option<String>,
    #[serde(default)]
    reusable: bool,
    valid_months: Option<u16>,
    #[serde(default)]
    obtained_by_us: bool,
    easy_text: Option<String>,
}

impl From<Written> for Material {
    fn from(written: Written) -> Self {
        Self {
            code: written.code.unwrap_or_else(|| code_of(&written.name)),
            name: written.name,
            kind: written.kind,
            copies: written.copies.unwrap_or(1),
            source: written.source,
            required_when: written.required_when,
            reusable: written.reusable,
            valid_months: written.valid_months,
            obtained_by_us: written.obtained_by_us,
            easy_text: written.easy_text,
        }
    }
}

/// Of a paper that was given none: the same for the same name.
fn code_of(name: &str) -> String {
    let digest: String = hex(&Sha256::digest(name.as_bytes())).chars().take(8).collect();
    format!("m_{digest}")
}

impl<'de> Deserialize<'de> for Material {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Material;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a paper or its name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Material, E> {
        let written = Written {
            code: None,
            name: name.to_owned(),
            kind: MaterialKind::default(),
            copies: None,
            source: None,
            required_when: None,
            reusable: false,
            valid_months: None,
            obtained_by_us: false,
            easy_text: None,
        };
        Ok(written.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Material, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(members)).map(Material::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bare_name_is_a_paper_and_keeps_its_code() {
        let read = |value| serde_json::from_value::<Material>(value).unwrap();
        let bare = read(json!("户口簿"));
        assert_eq!((bare.copies, bare.kind, bare.reusable), (1, MaterialKind::Original, false));
        assert_eq!(bare, read(json!({"name": "户口簿"})));
        assert_eq!(bare, read(serde_json::to_value(&bare).unwrap()));
        assert_ne!(bare.code, read(json!("居民身份证")).code);
        assert!(serde_json::from_value::<Material>(json!({"name": "x", "copy": 2})).is_err());
    }
}
