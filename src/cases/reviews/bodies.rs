//! What is sent about reviews, and how they look.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    call_back, case, follow_up,
    id::{CallBackId, CaseId, FileId, FollowUpId, ReviewAppealId, ReviewId, UnitId},
    review, review_appeal,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    files::FileView,
    lists,
    personal::{PersonName, PhoneNumber},
};

fn way(code: &str) -> Result<(), ValidationError> {
    if lists::knows("contact_ways", code) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

fn outcome(code: &str) -> Result<(), ValidationError> {
    if lists::knows("follow_up_outcomes", code) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

fn result(code: &str) -> Result<(), ValidationError> {
    if lists::knows("call_back_results", code) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

/// Words added to a review, once.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToReview {
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
    /// Files that the caller brought.
    #[validate(length(max = 9))]
    #[schema(max_items = 9)]
    pub(super) files: Option<Vec<FileId>>,
}

/// Stars given again after a bad review was followed up, once. Both stay.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RerateCase {
    #[validate(range(min = 1, max = 5))]
    #[schema(minimum = 1, maximum = 5)]
    pub(super) stars: i32,
}

/// The villager was spoken to.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteFollowUpContact {
    /// A code of `contact_ways`.
    #[validate(length(max = 40), custom(function = way))]
    #[schema(max_length = 40)]
    pub(super) how: String,
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
    /// Whether it takes more than a simple fix: fifteen working days instead of five.
    pub(super) complex: bool,
}

/// What became of it.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleFollowUp {
    /// A code of `follow_up_outcomes`.
    #[validate(length(max = 40), custom(function = outcome))]
    #[schema(max_length = 40)]
    pub(super) outcome: String,
    /// For the villager.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
}

/// Why a review is held to be malicious.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealReview {
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
}

/// What the township decides.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideAppeal {
    /// Upheld: the review counts no more.
    pub(super) upheld: bool,
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
}

/// What the villager said when called back.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCallBack {
    /// A code of `call_back_results`.
    #[validate(length(max = 40), custom(function = result))]
    #[schema(max_length = 40)]
    pub(super) result: String,
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub(super) text: String,
}

/// A review as its author sees it.
#[derive(Serialize, ToSchema)]
pub struct ReviewView {
    id: ReviewId,
    case: CaseId,
    round: i32,
    stars: i32,
    tags: Value,
    text: Option<String>,
    at: DateTime<Utc>,
    addition: Option<String>,
    /// That came with it or were added; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    files: Vec<FileView>,
    /// Given again after it was followed up.
    second_stars: Option<i32>,
    /// What follows a bad review.
    follow_up: Option<FollowUpProgress>,
}

/// What follows a bad review, for who gave it.
#[derive(Serialize, ToSchema)]
pub struct FollowUpProgress {
    contact_due_at: DateTime<Utc>,
    contacted_at: Option<DateTime<Utc>>,
    fix_due_on: Option<NaiveDate>,
    settled_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    text: Option<String>,
}

impl ReviewView {
    pub(super) fn of(row: review::Model, follow_up: Option<follow_up::Model>, files: Vec<FileView>) -> Self {
        Self {
            id: row.id,
            case: row.case_id,
            round: row.round,
            stars: row.stars,
            tags: row.tags,
            text: row.text,
            at: row.created_at,
            addition: row.addition,
            files,
            second_stars: row.second_stars,
            follow_up: follow_up.map(|row| FollowUpProgress {
                contact_due_at: row.contact_due_at,
                contacted_at: row.contacted_at,
                fix_due_on: row.fix_due_on,
                settled_at: row.settled_at,
                outcome: row.outcome,
                text: row.outcome_note,
            }),
        }
    }
}

/// A bad review that is followed up, for who follows it up.
#[derive(Serialize, ToSchema)]
pub struct FollowUpView {
    id: FollowUpId,
    case: CaseId,
    number: String,
    title: String,
    /// Masked; `reveal` of the case shows it, with a reason.
    contact_name: Option<PersonName>,
    /// Masked.
    contact_phone: Option<PhoneNumber>,
    unit: UnitId,
    stars: i32,
    tags: Value,
    text: Option<String>,
    addition: Option<String>,
    /// That came with the review or were added; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    files: Vec<FileView>,
    opened_at: DateTime<Utc>,
    contact_due_at: DateTime<Utc>,
    contacted_at: Option<DateTime<Utc>>,
    fix_due_on: Option<NaiveDate>,
    settled_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
}

impl FollowUpView {
    pub(super) fn id(&self) -> FollowUpId {
        self.id
    }

    pub(super) fn of(
        row: follow_up::Model,
        review: review::Model,
        case: case::Model,
        (contact_name, contact_phone): (Option<PersonName>, Option<PhoneNumber>),
        files: Vec<FileView>,
    ) -> Self {
        Self {
            id: row.id,
            case: row.case_id,
            number: case.number,
            title: if case.private { String::new() } else { case.title },
            contact_name,
            contact_phone,
            unit: row.unit_id,
            stars: review.stars,
            tags: review.tags,
            text: review.text,
            addition: review.addition,
            files,
            opened_at: row.opened_at,
            contact_due_at: row.contact_due_at,
            contacted_at: row.contacted_at,
            fix_due_on: row.fix_due_on,
            settled_at: row.settled_at,
            outcome: row.outcome,
        }
    }
}

/// Reviews of oneself that are shown together.
#[derive(Serialize, ToSchema)]
pub struct ReviewBundle {
    /// The first day of their month.
    pub(super) month: NaiveDate,
    pub(super) reviews: Vec<BundledReview>,
}

/// A review of oneself: of which case, when and by whom is not told.
#[derive(Serialize, ToSchema)]
pub struct BundledReview {
    /// For an appeal.
    pub(super) handle: String,
    pub(super) stars: i32,
    pub(super) tags: Value,
    pub(super) text: Option<String>,
    pub(super) addition: Option<String>,
    pub(super) second_stars: Option<i32>,
}

/// An appeal against a review.
#[derive(Serialize, ToSchema)]
pub struct ReviewAppealView {
    id: ReviewAppealId,
    stars: i32,
    tags: Value,
    review_text: Option<String>,
    text: String,
    made_at: DateTime<Utc>,
    due_on: NaiveDate,
    decided_at: Option<DateTime<Utc>>,
    upheld: Option<bool>,
    decision: Option<String>,
}

impl ReviewAppealView {
    pub(super) fn of(row: review_appeal::Model, review: review::Model) -> Self {
        Self {
            id: row.id,
            stars: review.stars,
            tags: review.tags,
            review_text: review.text,
            text: row.text,
            made_at: row.made_at,
            due_on: row.due_on,
            decided_at: row.decided_at,
            upheld: row.upheld,
            decision: row.decision,
        }
    }
}

/// A closed case that was drawn to be called back.
#[derive(Serialize, ToSchema)]
pub struct CallBackView {
    id: CallBackId,
    case: CaseId,
    number: String,
    title: String,
    round: i32,
    /// Masked.
    contact_name: Option<PersonName>,
    /// Masked.
    contact_phone: Option<PhoneNumber>,
    unit: UnitId,
    drawn_at: DateTime<Utc>,
    due_on: NaiveDate,
    called_at: Option<DateTime<Utc>>,
    result: Option<String>,
}

impl CallBackView {
    pub(super) fn of(
        row: call_back::Model,
        case: case::Model,
        (contact_name, contact_phone): (Option<PersonName>, Option<PhoneNumber>),
    ) -> Self {
        Self {
            id: row.id,
            case: row.case_id,
            number: case.number,
            title: case.title,
            round: row.round,
            contact_name,
            contact_phone,
            unit: row.unit_id,
            drawn_at: row.drawn_at,
            due_on: row.due_on,
            called_at: row.called_at,
            result: row.result,
        }
    }
}
