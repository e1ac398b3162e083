//! What is asked for: which register, as what, and whether in the clear.

use chrono::NaiveDate;
use entity::division;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    auth::{Duty, Staff, duty::Anything},
    lists,
    people::place,
    personal::CitizenNumber,
    problem::{Language, Problem},
    sheets::ExportFormat,
};

/// `?register=&format=&unmasked=&reason=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// A code of the list `registers`; `people`, `roster` and `authorisations` are offered.
    #[validate(length(min = 1, max = 40))]
    #[param(min_length = 1, max_length = 40, example = "people")]
    register: String,
    #[serde(default)]
    #[param(required = false, inline)]
    format: ExportFormat,
    /// In the clear; needs a reason.
    #[serde(default)]
    #[param(required = false, default = false)]
    unmasked: bool,
    /// What it is needed for; kept in the audit.
    #[validate(length(min = 4, max = 200))]
    #[param(min_length = 4, max_length = 200)]
    reason: Option<String>,
}

/// A register that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    People,
    Roster,
    Authorisations,
}

impl Register {
    fn read(code: &str) -> Result<Self, Problem> {
        match code {
            "people" => Ok(Self::People),
            "roster" => Ok(Self::Roster),
            "authorisations" => Ok(Self::Authorisations),
            code if lists::knows("registers", code) => Err(Problem::field("?register", "not_offered")),
            _ => Err(Problem::field("?register", "unknown")),
        }
    }

    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Roster => "roster",
            Self::Authorisations => "authorisations",
        }
    }
}

/// Something that may be exported.
#[derive(Clone, Debug)]
pub(in crate::people) struct Wish {
    pub(super) place: division::Model,
    pub(super) register: Register,
    pub(super) format: ExportFormat,
    /// Not masked.
    pub(super) clear: bool,
    /// Nor are people under 14.
    pub(super) minors_clear: bool,
    pub(super) reason: Option<String>,
    pub(super) language: Language,
}

impl ExportQuery {
    /// What may be done of it by whom has these duties.
    pub(in crate::people) fn check(
        self,
        place: division::Model,
        staff: &Staff<Anything>,
        language: Language,
    ) -> Result<Wish, Problem> {
        let register = Register::read(&self.register)?;
        let reason = self.reason.map(|reason| reason.trim().to_owned());
        if self.unmasked && reason.is_none() {
            return Err(Problem::field("?reason", "required"));
        }
        if reason.as_ref().is_some_and(|reason| reason.chars().count() < 4) {
            return Err(Problem::field("?reason", "length"));
        }
        let minors_clear = self.unmasked && place::has_duty(staff, &place, Duty::ReadMinors);
        Ok(Wish { place, register, format: self.format, clear: self.unmasked, minors_clear, reason, language })
    }
}

impl Wish {
    /// For the audit.
    pub(super) fn said(&self) -> String {
        let how = match (self.clear, self.minors_clear) {
            (false, _) => "masked",
            (true, false) => "in the clear but for people under 14",
            (true, true) => "in the clear",
        };
        format!("{} {} {how}", self.register.slug(), self.format.ending())
    }

    /// Plain letters: what a browser makes of others is a lottery.
    pub(super) fn file_name(&self) -> String {
        format!("{}-{}.{}", self.register.slug(), self.place.code, self.format.ending())
    }

    /// Whether what tells who somebody is stands there in the clear.
    pub(super) fn shows(&self, number: Option<&CitizenNumber>, today: NaiveDate) -> bool {
        self.clear && (self.minors_clear || number.is_none_or(|number| !number.is_of_a_child(today)))
    }
}
