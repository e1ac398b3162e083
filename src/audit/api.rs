//! `/staff/audit`

use actix_web::{HttpResponse, get, web::Data};
use chrono::{DateTime, NaiveDate, Utc};
use entity::division::DivisionLevel;
use entity::id::UnitId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{
    Actor, Entry, note,
    ops::{self, Narrow, Shown},
};
use crate::{
    app::App,
    auth::{Staff, duty::ReadAudit},
    http::{ListQuery, Page, PageQuery, json},
    problem::{Code, Problem},
};

/// `?object=&actor=&action=&from=&to=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAudit {
    /// The id of what it was about. What is confidential or private is not found by it.
    object: Option<Uuid>,
    /// The id of who did it.
    actor: Option<Uuid>,
    /// As entries name it: `reveal_person`.
    #[validate(length(min = 1, max = 64), custom(function = "is_action"))]
    #[param(min_length = 1, max_length = 64, pattern = "^[a-z_]+$")]
    action: Option<String>,
    /// The first day, in China.
    from: Option<NaiveDate>,
    /// The last day, itself included.
    to: Option<NaiveDate>,
}

fn is_action(text: &str) -> Result<(), ValidationError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain { Ok(()) } else { Err(ValidationError::new("format")) }
}

/// Who did it.
#[derive(Serialize, ToSchema)]
pub struct AuditActor {
    /// `villager`, `staff`, `operator`, `clock`.
    kind: String,
    /// Person or staff id.
    #[schema(required)]
    id: Option<Uuid>,
    /// The unit staff acted for.
    #[schema(required)]
    unit: Option<UnitId>,
}

/// What it was about.
#[derive(Serialize, ToSchema)]
pub struct AuditObject {
    /// `person`, `case`, `staff`, `session`, `field_key` ...
    kind: String,
    #[schema(required)]
    id: Option<String>,
}

/// An entry of the audit.
#[derive(Serialize, ToSchema)]
pub struct AuditEntryView {
    /// Its place in the chain.
    seq: i64,
    at: DateTime<Utc>,
    actor: AuditActor,
    /// A verb and its noun.
    action: String,
    /// Null where it is confidential or private.
    #[schema(required)]
    object: Option<AuditObject>,
    /// Which fields, joined by commas.
    #[schema(required)]
    fields: Option<String>,
    /// In the words of who did it.
    #[schema(required)]
    reason: Option<String>,
    /// The id of the call.
    #[schema(required)]
    request_id: Option<String>,
    /// `done`, `refused`, or what came of it in a word.
    result: String,
}

impl From<Shown> for AuditEntryView {
    fn from(Shown { row, hidden }: Shown) -> Self {
        let open = |text: Option<String>| text.filter(|_| !hidden);
        let object = AuditObject { kind: row.object_kind, id: row.object_id };
        Self {
            seq: row.seq,
            at: row.at,
            actor: AuditActor { kind: row.actor_kind, id: row.actor_id, unit: row.unit_id },
            action: row.action,
            object: Some(object).filter(|_| !hidden),
            fields: open(row.fields),
            reason: open(row.reason),
            request_id: open(row.request_id),
            result: row.result,
        }
    }
}

/// The audit, the newest entry first. Reading it is entered too.
#[utoipa::path(tag = "staff", params(ListAudit, PageQuery), responses((status = 200, body = Page<AuditEntryView>)))]
#[get("/staff/audit")]
pub async fn list_audit(
    app: Data<App>,
    staff: Staff<ReadAudit>,
    query: ListQuery<ListAudit>,
) -> Result<HttpResponse, Problem> {
    // The chain is of the whole deployment: a township's share of it cannot be told apart.
    if !staff.postings().any(|posting| matches!(posting.level, DivisionLevel::County | DivisionLevel::City)) {
        return Err(Code::NotYourDuty.into());
    }
    let ListQuery { by, page } = query;
    let narrow = Narrow { object: by.object, actor: by.actor, action: by.action, from: by.from, to: by.to };
    let rows = ops::list(&app, &narrow, &page).await?;
    note(&app, &Actor::staff(&staff), Entry::plain("read_audit", "audit").of_fields(narrow.in_words())).await?;
    json(&Page::cut(rows, page.size(), |shown| shown.row.seq, AuditEntryView::from)?)
}
