//! What people send: bodies of cases and of their actions.

use entity::{
    case::{CaseChannel, CaseConcern, CaseKind, CaseResult, CaseUrgency},
    id::{DivisionId, PersonId, StaffId, UnitId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use super::advance::Act;
use super::workflow::Action;
use crate::{lists, personal::PhoneNumber};

fn listed(list: &'static str) -> impl Fn(&str) -> Result<(), ValidationError> {
    move |code| if lists::knows(list, code) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

pub(super) fn known_topic(code: &str) -> Result<(), ValidationError> {
    listed("topics")(code)
}

fn phone_number(text: &str) -> Result<(), ValidationError> {
    if PhoneNumber::read(text).is_some() { Ok(()) } else { Err(ValidationError::new("format")) }
}

/// What a case is about, however it comes in.
#[derive(Clone, Debug)]
pub struct Matter {
    pub kind: CaseKind,
    pub item: Option<String>,
    pub concern: Option<CaseConcern>,
    pub title: Option<String>,
    pub text: Option<String>,
    pub form: Option<serde_json::Map<String, Value>>,
    pub topic: Option<String>,
    pub urgency: Option<CaseUrgency>,
    pub contact_phone: Option<String>,
}

/// A body with the fields of [`Matter`] beside its own. Written out by a macro: `flatten` would accept unknown fields.
macro_rules! body_with_matter {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of])* pub $field: $kind,)*
            /// `proxy` (民事代办), `voice` (民情代理), at the desk also `talk`.
            kind: CaseKind,
            /// Code of a service item; needed for `proxy`.
            #[validate(length(min = 1, max = 40))]
            #[schema(min_length = 1, max_length = 40)]
            item: Option<String>,
            /// Needed for `voice`.
            concern: Option<CaseConcern>,
            /// The village; left out: the person's own, or the desk's.
            pub division: Option<DivisionId>,
            /// Left out: the item's name or the concern.
            #[validate(length(min = 1, max = 80))]
            #[schema(min_length = 1, max_length = 80)]
            title: Option<String>,
            /// In the villager's words; needed for `voice` and `talk`.
            #[validate(length(min = 1, max = 4000))]
            #[schema(min_length = 1, max_length = 4000)]
            text: Option<String>,
            /// Answers to the item's form.
            #[schema(value_type = Option<Object>)]
            form: Option<serde_json::Map<String, Value>>,
            /// A code of the list `topics`.
            #[validate(length(max = 40), custom(function = known_topic))]
            #[schema(max_length = 40)]
            topic: Option<String>,
            /// Left out: `normal`.
            urgency: Option<CaseUrgency>,
            /// What tracking asks for; left out: the person's own.
            #[validate(length(max = 20), custom(function = phone_number))]
            #[schema(max_length = 20)]
            contact_phone: Option<String>,
        }

        impl $name {
            /// What it is about.
            #[must_use]
            pub fn matter(&self) -> Matter {
                Matter {
                    kind: self.kind,
                    item: self.item.clone(),
                    concern: self.concern,
                    title: self.title.clone(),
                    text: self.text.clone(),
                    form: self.form.clone(),
                    topic: self.topic.clone(),
                    urgency: self.urgency,
                    contact_phone: self.contact_phone.clone(),
                }
            }
        }
    };
}

body_with_matter! {
    /// A case as a villager files it.
    FileCase {
        /// Staff it complains about: the case is then for the township's discipline desk only.
        #[validate(length(max = 10))]
        #[schema(max_items = 10)]
        against: Option<Vec<StaffId>>,
        /// Asks for the discipline desk without naming anybody.
        confidential: Option<bool>,
        /// Keeps it a draft until `submit`.
        draft: Option<bool>,
        /// Person id of somebody who let the caller act (`GET /me/principals`).
        for_person: Option<PersonId>,
    }
}

body_with_matter! {
    /// A case entered at the desk for somebody who came, called or wrote.
    EnterCase {
        /// How it came in.
        channel: CaseChannel,
        /// For whom.
        for_person: Principal,
        /// Why the desk acts for them: cannot read, has no phone. Kept with the first event, for staff.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200)]
        reason: Option<String>,
    }
}

/// Somebody known by id, or by name and phone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, untagged)]
pub enum Principal {
    /// Somebody who is registered.
    Known {
        /// Person id.
        id: PersonId,
    },
    /// Somebody who is here or on the phone.
    Named {
        /// Full name, 1 to 40 characters.
        #[schema(min_length = 1, max_length = 40)]
        name: String,
        /// Their phone.
        #[schema(max_length = 20)]
        phone: String,
    },
}

/// What an answer rests on.
#[derive(Clone, Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// `paper` or `record`.
    pub kind: EvidenceKind,
    /// Number or place of the paper or record.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub reference: String,
}

/// Kinds of evidence that need no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A paper.
    Paper,
    /// An entry in a register.
    Record,
}

/// An action of staff on a case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum StaffAction {
    /// 受理: sets both due dates.
    Accept { version: Option<i32> },
    /// 不予受理: with a reason and the right channel.
    Reject {
        version: Option<i32>,
        /// A code of `reject_reasons`.
        reason: String,
        /// A code of `right_channels`: where the villager should go.
        channel: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 派单: to a person or to a unit, one of the two.
    Assign {
        version: Option<i32>,
        assignee: Option<StaffId>,
        unit: Option<UnitId>,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 签收.
    Sign { version: Option<i32> },
    /// 退回: once per unit.
    Return {
        version: Option<i32>,
        /// A code of `return_reasons`.
        reason: String,
        suggested_unit: Option<UnitId>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 答复: `done` needs evidence.
    Answer {
        version: Option<i32>,
        result: CaseResult,
        #[schema(min_length = 1, max_length = 4000)]
        text: String,
        #[schema(max_items = 10)]
        evidence: Option<Vec<Evidence>>,
    },
}

/// An action of the villager on their case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum VillagerAction {
    /// 提交 a draft.
    Submit { version: Option<i32> },
    /// 确认办结.
    Confirm { version: Option<i32> },
    /// 没办好.
    Reopen {
        version: Option<i32>,
        /// A code of `reopen_reasons`.
        reason: String,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 撤回.
    Withdraw {
        version: Option<i32>,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
}

/// Collects faults of a tagged body, whose variants `validator` cannot derive.
#[derive(Default)]
struct Faults(ValidationErrors);

impl Faults {
    fn check(&mut self, field: &'static str, code: &'static str, holds: bool) -> &mut Self {
        if !holds {
            self.0.add(field, ValidationError::new(code));
        }
        self
    }

    fn text(&mut self, text: &str, most: usize) -> &mut Self {
        self.check("text", "length", (1..=most).contains(&text.chars().count()))
    }

    fn listed(&mut self, field: &'static str, list: &str, code: &str) -> &mut Self {
        self.check(field, "unknown", lists::knows(list, code))
    }

    fn done(&mut self) -> Result<(), ValidationErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.0)) }
    }
}

impl Validate for StaffAction {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut faults = Faults::default();
        match self {
            Self::Accept { .. } | Self::Sign { .. } => faults.done(),
            Self::Reject { reason, channel, text, .. } => faults
                .listed("reason", "reject_reasons", reason)
                .listed("channel", "right_channels", channel)
                .text(text, 1000)
                .done(),
            Self::Assign { assignee, unit, text, .. } => faults
                .check("assignee", "required", assignee.is_some() || unit.is_some())
                .check("unit", "not_allowed_here", assignee.is_none() || unit.is_none())
                .text(text.as_deref().unwrap_or("-"), 1000)
                .done(),
            Self::Return { reason, text, .. } => {
                faults.listed("reason", "return_reasons", reason).text(text, 1000).done()
            }
            Self::Answer { result, text, evidence, .. } => {
                let evidence = evidence.as_deref().unwrap_or_default();
                faults
                    .text(text, 4000)
                    .check("evidence", "length", evidence.len() <= 10)
                    .check("evidence", "length", evidence.iter().all(|one| one.validate().is_ok()))
                    .check("evidence", "evidence", *result != CaseResult::Done || !evidence.is_empty())
                    .done()
            }
        }
    }
}

impl Validate for VillagerAction {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut faults = Faults::default();
        match self {
            Self::Submit { .. } | Self::Confirm { .. } => faults.done(),
            Self::Reopen { reason, text, .. } => {
                faults.listed("reason", "reopen_reasons", reason).text(text.as_deref().unwrap_or("-"), 1000).done()
            }
            Self::Withdraw { text, .. } => faults.text(text.as_deref().unwrap_or("-"), 1000).done(),
        }
    }
}

impl VillagerAction {
    /// The version the villager saw, and what is to be done.
    #[must_use]
    pub fn split(self) -> (Option<i32>, Act) {
        match self {
            Self::Submit { version } => (version, Act::plain(Action::Submit)),
            Self::Confirm { version } => (version, Act::plain(Action::Confirm)),
            Self::Reopen { version, reason, text } => {
                (version, Act { reason: Some(reason), text, ..Act::plain(Action::Reopen) })
            }
            Self::Withdraw { version, text } => (version, Act { text, ..Act::plain(Action::Withdraw) }),
        }
    }
}

/// A review of a round.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewCase {
    /// 1 (very bad) to 5 (very good); nothing is preselected.
    #[validate(range(min = 1, max = 5))]
    #[schema(minimum = 1, maximum = 5)]
    pub stars: i32,
    /// Codes of `review_tags`; one or two stars need one, or a text.
    #[validate(length(max = 10))]
    #[schema(max_items = 10)]
    pub tags: Option<Vec<String>>,
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub text: Option<String>,
}
