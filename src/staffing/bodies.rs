//! What administrators and staff send.

use chrono::NaiveDate;
use entity::{
    conflict::ConflictKind,
    id::{DivisionId, PersonId, StaffId, UnitId},
    unit::UnitKind,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::auth::{
    Duty,
    own_api::{Password, long_enough},
};

/// A field that may be left out, or null, or hold something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    LeftOut,
    /// It goes.
    Null,
    /// It becomes this.
    To(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Null, Self::To))
    }
}

fn each_once(duties: &[Duty]) -> Result<(), ValidationError> {
    let twice = duties.iter().enumerate().any(|(at, duty)| duties.iter().take(at).any(|other| other == duty));
    if twice { Err(ValidationError::new("duplicate")) } else { Ok(()) }
}

fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(ValidationError::new("empty")) } else { Ok(()) }
}

/// A posting to be.
#[derive(Clone, Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingBody {
    /// The place whose subtree it covers.
    pub division: DivisionId,
    /// A unit of that place; left out: its desk, centre or county unit, made when it is not there yet.
    pub unit: Option<UnitId>,
    /// What may be done there. `read_audit`, `handle_discipline`, `manage_accounts` and `manage_receivers` are for the county to give.
    #[validate(length(min = 1, max = 12), custom(function = each_once))]
    #[schema(min_items = 1, max_items = 12)]
    pub duties: Vec<Duty>,
    /// The first day; left out: today.
    pub starts_on: Option<NaiveDate>,
    /// The last day; left out: until further notice.
    pub ends_on: Option<NaiveDate>,
}

/// An account to be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeAccount {
    /// Letters, digits, dots, hyphens and underscores; kept in small letters.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// The first one: who gets it changes it.
    #[validate(custom(function = long_enough))]
    #[schema(value_type = String, min_length = 10, max_length = 256)]
    pub password: Password,
    /// As people call them.
    #[validate(length(min = 1, max = 40), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 40)]
    pub name: String,
    /// Where they work.
    #[validate(length(min = 1, max = 20), nested)]
    #[schema(min_items = 1, max_items = 20)]
    pub postings: Vec<PostingBody>,
}

/// What is to be another; what is left out stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    #[validate(length(min = 1, max = 40), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 40)]
    pub name: Option<String>,
    /// A new password; every session of the account ends.
    #[validate(custom(function = long_enough))]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 256)]
    pub password: Option<Password>,
    /// Who they are in `WeCom`, capitals and small letters alike; null unbinds.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    pub wecom_userid: Change<String>,
    /// Forgets the authenticator; every session of the account ends.
    pub reset_totp: Option<bool>,
    /// All postings from now on: those no longer named end, new ones begin, the others go on.
    #[validate(length(max = 20), nested)]
    #[schema(max_items = 20)]
    pub postings: Option<Vec<PostingBody>>,
}

/// A unit to be.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeUnit {
    pub division: DivisionId,
    pub kind: UnitKind,
    #[validate(length(min = 1, max = 60), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// The unit above it, of the same place or one above.
    pub parent: Option<UnitId>,
}

/// What is to be another; what is left out stays.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUnit {
    #[validate(length(min = 1, max = 60), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 60)]
    pub name: Option<String>,
    /// The unit above it; null: none.
    #[serde(default)]
    #[schema(value_type = Option<UnitId>)]
    pub parent: Change<UnitId>,
}

/// Somebody goes away and somebody stands in.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrangeAbsence {
    /// Who is away; left out: oneself.
    pub staff: Option<StaffId>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, at most a year after the first.
    pub until: NaiveDate,
    /// Who gets the work meanwhile.
    pub stand_in: StaffId,
}

/// No field.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAbsence {}

/// A near relation; one of `with_staff` and `with_person`.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConflict {
    /// Other staff.
    pub with_staff: Option<StaffId>,
    /// A villager.
    pub with_person: Option<PersonId>,
    pub kind: ConflictKind,
}
