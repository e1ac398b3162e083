//! What is sent and shown of receivers.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DivisionId, WebhookDeliveryId, WebhookId},
    webhook::{self, WebhookOffReason, WebhookState},
    webhook_delivery::{self, WebhookDeliveryState},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::events;
use crate::{crypto::FieldKeys, personal::Personal, personal::PrivateText, problem::Problem};

/// Personal data that a receiver may be entitled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookField {
    /// Name of whom the case is about.
    ContactName,
    /// Their phone.
    ContactPhone,
}

impl WebhookField {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::ContactName => "contact_name",
            Self::ContactPhone => "contact_phone",
        }
    }
}

/// Which personal data a receiver may have. Only the county or above records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entitled {
    #[validate(length(min = 1, max = 2))]
    #[schema(min_items = 1, max_items = 2)]
    pub(super) fields: Vec<WebhookField>,
    /// The law or agreement that says so.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) legal_ground: String,
    /// The last day on which it holds, at most a year ahead.
    pub(super) until: NaiveDate,
}

fn known_kinds(kinds: &[String]) -> Result<(), ValidationError> {
    let known = |kind: &String| events::action_of(kind).is_some();
    if kinds.iter().all(known) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

/// A receiver to be.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeWebhook {
    /// Where it is told: `https://`, at a host that the configuration names.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) url: String,
    /// Codes of the list `webhook_events`; left out: all.
    #[validate(length(min = 1, max = 64), custom(function = known_kinds))]
    #[schema(min_items = 1, max_items = 64)]
    pub(super) kinds: Option<Vec<String>>,
    /// Left out: no personal data.
    #[validate(nested)]
    pub(super) entitled: Option<Entitled>,
}

/// What a receiver is to be from now on; it takes the place of what was set before.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWebhook {
    /// As in making one.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) url: String,
    /// Codes of the list `webhook_events`; left out: all.
    #[validate(length(min = 1, max = 64), custom(function = known_kinds))]
    #[schema(min_items = 1, max_items = 64)]
    pub(super) kinds: Option<Vec<String>>,
    /// Left out: no personal data.
    #[validate(nested)]
    pub(super) entitled: Option<Entitled>,
    /// Left out: `active`. One that was off is told from now on; what happened meanwhile can be replayed.
    pub(super) state: Option<WebhookState>,
    /// When it is no longer this one: `stale`.
    pub(super) version: Option<i32>,
}

/// How a secret is replaced.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Hours for which the old secret signs too; left out: 24.
    #[validate(range(min = 0, max = 168))]
    #[schema(minimum = 0, maximum = 168)]
    pub(super) overlap_hours: Option<i64>,
}

/// From when on everything that was not taken is told again.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaySince {
    /// At most 14 days ago.
    pub(super) since: DateTime<Utc>,
}

/// Nothing to say.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayOne {}

/// A receiver. Its secret is shown when it is made and when it is replaced, and never again.
#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    id: WebhookId,
    /// It is told of this place and everything below it.
    division: DivisionId,
    url: String,
    state: WebhookState,
    /// Null while it is told.
    off_reason: Option<WebhookOffReason>,
    kinds: Vec<String>,
    entitled: Option<Entitled>,
    /// Until when the secret before signs too.
    former_secret_until: Option<DateTime<Utc>>,
    /// It took nothing since; after five days it is switched off.
    failing_since: Option<DateTime<Utc>>,
    version: i32,
    created_at: DateTime<Utc>,
}

impl WebhookView {
    pub(super) fn of(row: &webhook::Model) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            division: row.division_id,
            url: row.url.clone(),
            state: row.state,
            off_reason: row.off_reason,
            kinds: serde_json::from_value(row.kinds.clone()).map_err(Problem::unexpected)?,
            entitled: entitled(row)?,
            former_secret_until: row.former_until,
            failing_since: row.failing_since,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

/// What a receiver is entitled to.
pub(super) fn entitled(row: &webhook::Model) -> Result<Option<Entitled>, Problem> {
    row.entitled.clone().map(serde_json::from_value).transpose().map_err(Problem::unexpected)
}

/// A receiver and its new secret.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    webhook: WebhookView,
    /// `whsec_` and base64: what the receiver checks signatures with. Write it down now.
    secret: String,
}

impl WebhookWithSecret {
    pub(super) fn of(row: &webhook::Model, secret: String) -> Result<Self, Problem> {
        Ok(Self { webhook: WebhookView::of(row)?, secret })
    }
}

/// An event that is told to a receiver, and what became of it.
#[derive(Serialize, ToSchema)]
pub struct WebhookDeliveryView {
    id: WebhookDeliveryId,
    webhook: WebhookId,
    /// `webhook-id` and the `id` of the message.
    event: Uuid,
    /// A code of the list `webhook_events`, or `test`.
    kind: String,
    state: WebhookDeliveryState,
    /// 1, and one more with each replay.
    round: i32,
    /// Attempts of this round.
    attempts: i32,
    /// When the next attempt comes.
    next_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    /// The HTTP status of the last attempt.
    status: Option<i32>,
    /// `status`, `redirect`, `timeout`, `connect`, `address_refused`, `host_not_allowed`, `receiver_off`.
    error: Option<String>,
    /// The beginning of what the receiver answered to the last attempt that failed, at most 1 KB.
    answer: Option<String>,
    created_at: DateTime<Utc>,
}

impl WebhookDeliveryView {
    pub(super) fn of(keys: &FieldKeys, row: webhook_delivery::Model) -> Result<Self, Problem> {
        let answer = keys.open_if::<PrivateText>(row.answer.as_ref())?;
        Ok(Self {
            id: row.id,
            webhook: row.webhook_id,
            event: row.event_id,
            kind: row.kind,
            state: row.state,
            round: row.round,
            attempts: row.attempts,
            next_at: row.next_at,
            tried_at: row.tried_at,
            delivered_at: row.delivered_at,
            status: row.status,
            error: row.error,
            // A receiver's words; of a receiver that is entitled they may repeat what it was told, and are left out.
            answer: answer.map(|answer| answer.in_the_clear().to_owned()),
            created_at: row.created_at,
        })
    }
}

/// What is told again.
#[derive(Serialize, ToSchema)]
pub struct WebhookReplayed {
    /// Dead letters that are tried again; what was never told follows by itself.
    replayed: u64,
    /// There are more: ask again.
    more: bool,
}

impl WebhookReplayed {
    pub(super) fn of(replayed: u64, more: bool) -> Self {
        Self { replayed, more }
    }
}
