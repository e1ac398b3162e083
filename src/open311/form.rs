//! What a program sends to file a matter, read and checked: every failure says which field.

use entity::case::CaseConcern;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    api::CONCERNS,
    format::Fault,
    place::{self, Asked},
};
use crate::{
    http::MAX_TEXT,
    lists,
    personal::{PersonName, PhoneNumber},
};

/// A matter to be filed (`application/x-www-form-urlencoded`).
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes what is read by name")]
pub struct Open311Form {
    /// Given out by the county.
    api_key: String,
    /// Statistical code of a county, a township or a village; left out: the configured one.
    jurisdiction_id: Option<String>,
    /// A code of the list `topics`.
    service_code: String,
    /// `question`, `help` or `suggestion`.
    #[serde(rename = "attribute[concern]")]
    concern: String,
    /// Statistical code of the village.
    address_id: Option<String>,
    /// An address that names the village; one of the two, unless the jurisdiction is a village.
    address_string: Option<String>,
    /// In the villager's words, at most 4,000 characters.
    #[schema(max_length = 4000)]
    description: String,
    /// Of whose matter it is: one of the two names.
    first_name: Option<String>,
    last_name: Option<String>,
    /// Theirs: somebody must be there to be answered.
    phone: String,
}

/// The matter, without its place.
pub(super) struct Said {
    pub(super) asked: Asked,
    pub(super) topic: String,
    pub(super) concern: CaseConcern,
    pub(super) name: PersonName,
    pub(super) phone: PhoneNumber,
    pub(super) text: String,
}

fn needed<'a>(asked: &'a Asked, name: &str) -> Result<&'a str, Fault> {
    asked.get(name).map(String::as_str).ok_or_else(|| Fault::new(400, format!("{name} was not provided")))
}

impl Said {
    pub(super) fn of(asked: Asked) -> Result<Self, Fault> {
        let topic = needed(&asked, "service_code")?.to_owned();
        if !lists::knows("topics", &topic) {
            return Err(Fault::new(404, "service_code provided was not found"));
        }
        let concern = asked.get("attribute[concern]").or(asked.get("attribute[concern][]"));
        let concern = concern.ok_or_else(|| Fault::new(400, "attribute[concern] was not provided"))?;
        let concern = match CONCERNS.iter().position(|known| known == concern) {
            Some(0) => CaseConcern::Question,
            Some(1) => CaseConcern::Help,
            Some(_) => CaseConcern::Suggestion,
            None => return Err(Fault::new(400, "attribute[concern] is question, help or suggestion")),
        };
        let text = needed(&asked, "description")?.to_owned();
        if text.chars().count() as u64 > MAX_TEXT {
            return Err(Fault::new(400, format!("description has more than {MAX_TEXT} characters")));
        }
        let phone = asked
            .get("phone")
            .ok_or_else(|| Fault::new(400, "phone was not provided: somebody must be there to be answered"))?;
        let phone = PhoneNumber::read(phone).ok_or_else(|| Fault::new(400, "phone is not a phone number of China"))?;
        // Family name first, as it is written here.
        let name: String = ["last_name", "first_name"].iter().filter_map(|part| asked.get(*part)).cloned().collect();
        if name.is_empty() {
            return Err(Fault::new(
                400,
                "last_name or first_name was not provided: somebody must be there to be answered",
            ));
        }
        let name = PersonName::read(&name).ok_or_else(|| Fault::new(400, "last_name and first_name are not a name"))?;
        Ok(Self { asked, topic, concern, name, phone, text })
    }

    /// Reads a form. Files do not come this way.
    pub(super) fn read(kind: &str, bytes: &[u8]) -> Result<Asked, Fault> {
        let is_form = kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Fault::new(415, "Content-Type must be application/x-www-form-urlencoded; files are not taken"));
        }
        place::read(std::str::from_utf8(bytes).map_err(|_| Fault::new(400, "the form is not UTF-8"))?)
    }
}
