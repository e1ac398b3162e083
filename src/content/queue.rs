//! The queue of the desk: what a person has to look at, and what they decide.

use entity::{
    Instant, booking,
    booking::BookingPrivacy,
    case,
    content_check::{self, ContentState, ContentSubject},
    division,
    id::{ContentCheckId, DivisionId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::LockType,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::settle;
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::LookAtContent},
    cases,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
};

/// Whether others may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentDecision {
    /// It is shown.
    Show,
    /// It is not.
    Hold,
}

/// What somebody of the desk decides.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideContent {
    pub(super) decision: ContentDecision,
    /// Why; needed to hold it.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) reason: Option<String>,
    /// When it is no longer this one: `stale`.
    pub(super) version: Option<i32>,
}

/// What is public still: confidential and private matters are in no queue, whatever they once were.
fn public() -> Condition {
    let cases = case::Entity::find().select_only().column(case::Column::Id).filter(cases::publication::shown());
    let bookings = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(booking::COLUMN.privacy.eq(BookingPrivacy::Public));
    let of = |subject| Condition::all().add(content_check::COLUMN.subject.eq(subject));
    Condition::any()
        .add(of(ContentSubject::Case).add(content_check::Column::SubjectId.in_subquery(cases.into_query())))
        .add(of(ContentSubject::Booking).add(content_check::Column::SubjectId.in_subquery(bookings.into_query())))
        .add(of(ContentSubject::Publication))
}

/// What is in a state in a place and all below it, the oldest first; at most a page and one.
///
/// # Errors
/// `not_found` out of reach.
pub(super) async fn list(
    app: &App,
    staff: &Staff<LookAtContent>,
    place: DivisionId,
    state: ContentState,
    page: &PageQuery,
) -> Result<Vec<content_check::Model>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, place).await?;
    let places =
        division::Entity::find().select_only().column(division::Column::Id).filter(divisions::subtree(place.id));
    let mut rows = content_check::Entity::find()
        .filter(content_check::Column::DivisionId.in_subquery(places.into_query()))
        .filter(content_check::COLUMN.state.eq(state))
        .filter(public());
    if let Some(after) = Cursor::read::<ContentCheckId>(page.cursor.as_deref())? {
        rows = rows.filter(content_check::COLUMN.id.gt(after));
    }
    Ok(rows.order_by_asc(content_check::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// One thing within reach, locked.
async fn held(tx: &Tx, staff: &Staff<LookAtContent>, id: ContentCheckId) -> Result<content_check::Model, Problem> {
    let row = content_check::Entity::find_by_id(id).filter(public()).lock(LockType::Update).one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    Ok(row)
}

/// Whether somebody must leave it to others: it is theirs, or of somebody near to them; nor does who wrote it show it.
async fn barred(
    db: &impl ConnectionTrait,
    staff: &Staff<LookAtContent>,
    row: &content_check::Model,
    decision: ContentDecision,
) -> Result<bool, Problem> {
    if decision == ContentDecision::Show && row.written_by == Some(staff.id()) {
        return Ok(true);
    }
    match row.person_id {
        Some(person) => cases::near_to(db, staff.id(), person).await,
        None => Ok(false),
    }
}

/// Shows something or holds it.
///
/// # Errors
/// `not_found`, `conflict_of_interest`, `stale`, `transition_not_allowed` where it is so already, `/reason required`.
pub(super) async fn decide(
    tx: &Tx,
    app: &App,
    staff: &Staff<LookAtContent>,
    id: ContentCheckId,
    body: &DecideContent,
    now: Instant,
) -> Result<content_check::Model, Problem> {
    let mut row = held(tx, staff, id).await?;
    if barred(tx, staff, &row, body.decision).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    if body.version.is_some_and(|version| version != row.version) {
        return Err(Code::Stale.into());
    }
    let (next, action) = match body.decision {
        ContentDecision::Show => (ContentState::Passed, "show_content"),
        ContentDecision::Hold => (ContentState::Held, "hold_content"),
    };
    if row.state == next {
        return Err(Code::TransitionNotAllowed.into());
    }
    if body.decision == ContentDecision::Hold && body.reason.is_none() {
        return Err(Problem::field("/reason", "required"));
    }
    row.state = next;
    (row.decided_at, row.decided_by) = (Some(now), Some(staff.id()));
    row.decision_text = body.reason.as_ref().map(|reason| reason.trim().to_owned());
    let reason = row.decision_text.clone().unwrap_or_default();
    let row = settle::write(tx, row, now).await?;
    let entry = Entry::done(action, "content", id).because(reason);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}
