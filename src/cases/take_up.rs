//! What staff send to take a matter of a talk day up as a case. Next: [`super::commands`] for the other bodies.

use entity::{
    case::{CaseConcern, CaseKind, CaseUrgency},
    id::StaffId,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::commands::{Matter, known_topic};

fn talk() -> CaseKind {
    CaseKind::Talk
}

/// 举报 has a way of its own, past the village: it is not entered by those whom it may be about.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that validator calls")]
fn no_report(concern: &CaseConcern) -> Result<(), ValidationError> {
    if *concern == CaseConcern::Report { Err(ValidationError::new("not_allowed_here")) } else { Ok(()) }
}

/// A case that takes up what somebody said on a talk day; what is left out is as they said it when they booked.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeUpCase {
    /// `talk`, `proxy` or `voice`.
    #[serde(default = "talk")]
    kind: CaseKind,
    /// Code of a service item; needed for `proxy`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    item: Option<String>,
    /// Needed for `voice`; not `report`.
    #[validate(custom(function = no_report))]
    concern: Option<CaseConcern>,
    #[validate(length(min = 1, max = 80))]
    #[schema(min_length = 1, max_length = 80)]
    title: Option<String>,
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    text: Option<String>,
    /// A code of the list `topics`.
    #[validate(length(max = 40), custom(function = known_topic))]
    #[schema(max_length = 40)]
    topic: Option<String>,
    /// Left out: `normal`.
    urgency: Option<CaseUrgency>,
    /// Staff it complains about. It is confidential then: it goes to the discipline desk, and neither the desk nor the
    /// host sees it after that; the villager keeps the number.
    #[serde(default)]
    #[validate(length(max = 10))]
    #[schema(max_items = 10)]
    pub(super) against: Vec<StaffId>,
}

impl Default for TakeUpCase {
    fn default() -> Self {
        Self {
            kind: CaseKind::Talk,
            item: None,
            concern: None,
            title: None,
            text: None,
            topic: None,
            urgency: None,
            against: vec![],
        }
    }
}

impl TakeUpCase {
    /// What it is about, where `summary` and `topic` are what was said at booking.
    pub(super) fn matter(&self, summary: &str, topic: &str) -> Matter {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Matter {
            kind: self.kind,
            item: self.item.clone(),
            concern: self.concern,
            title: self.title.clone(),
            text: self.text.clone().or_else(|| said(summary)),
            form: None,
            topic: self.topic.clone().or_else(|| said(topic)),
            urgency: self.urgency,
            object: None,
            contact_phone: None,
            files: vec![],
        }
    }
}
