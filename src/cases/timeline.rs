//! The timeline of a case: one from the booking of a talk day, where it grew out of one, to its end.
//!
//! Steps of the booking come first and say nothing of the matter; then the events of the case. Staff are named,
//! villagers masked, notes are for staff. Next: [`super::views`] for the case itself.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    booking,
    booking::BookingState,
    booking_event,
    case::{self, CaseResult, CaseState},
    case_event::{self, EventBy},
    file::FileThing,
    id::{PersonId, StaffId},
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ops::find::{self, Names},
    workflow::{self, Action},
};
use crate::{
    app::App,
    files::{self, FileView},
    personal::{PersonName, Personal},
    problem::Problem,
};

/// The most steps of a booking that are shown.
const MOST_STEPS: u64 = 200;

/// Steps whose details the villager sees.
const SHOWN_WITH: &[Action] =
    &[Action::RequestSupplement, Action::Reject, Action::Pause, Action::Extend, Action::Milestone, Action::Answer];

/// Who did it.
#[derive(Serialize, ToSchema)]
pub struct CaseEventBy {
    kind: EventBy,
    /// Staff by name, villagers and agents masked.
    name: Option<String>,
    /// Of an agent: for whom, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_name: Option<PersonName>,
    /// Name of the unit staff acted for.
    unit: Option<String>,
}

/// Whose state it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimelineOf {
    /// The booking out of which the case grew.
    Booking,
    /// The case.
    Case,
}

/// Where the matter stood: as a booking first, later as a case.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum TimelineState {
    /// As a booking.
    Booking(BookingState),
    /// As a case.
    Case(CaseState),
}

/// An event of the timeline.
#[derive(Serialize, ToSchema)]
pub struct CaseEventView {
    id: Uuid,
    /// Of which of the two it is an event.
    of: TimelineOf,
    at: DateTime<Utc>,
    /// Of a booking `booked`, `moved` or a step of its day; of a case a step of its workflow.
    action: String,
    from: Option<TimelineState>,
    to: TimelineState,
    by: CaseEventBy,
    /// Done by the clock because somebody stayed silent.
    auto: bool,
    reason: Option<String>,
    text: Option<String>,
    /// Only on the staff side.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What belongs to the step: materials asked for, evidence of an answer, the milestone, the last day of a pause.
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
    /// Files that came with the step; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    files: Vec<FileView>,
    result: Option<CaseResult>,
    promised_due_on: Option<NaiveDate>,
    statutory_due_on: Option<NaiveDate>,
}

/// Who somebody of the timeline is, looked up once for all of it.
struct People {
    names: Names,
    others: HashMap<PersonId, PersonName>,
    person: Option<PersonName>,
}

impl People {
    fn by(&self, kind: EventBy, staff: Option<StaffId>, person: Option<PersonId>, unit: Option<String>) -> CaseEventBy {
        let name = match (staff, kind) {
            (Some(id), _) => self.names.staff.get(&id).cloned(),
            (None, EventBy::Agent) => person.and_then(|id| self.others.get(&id)).map(Personal::masked),
            (None, _) => person.and(self.person.as_ref()).map(Personal::masked),
        };
        CaseEventBy { kind, name, for_name: self.person.clone().filter(|_| kind == EventBy::Agent), unit }
    }
}

/// The timeline, with names; notes only `for_staff`.
pub async fn timeline(app: &App, case: &case::Model, for_staff: bool) -> Result<Vec<CaseEventView>, Problem> {
    let db = app.db.read();
    let events = find::events(db, case.id).await?;
    let steps = steps_before(db, case).await?;
    let mut staff: Vec<StaffId> = events.iter().filter_map(|event| event.by_staff).collect();
    staff.extend(steps.iter().filter_map(|step| step.staff));
    let units = events.iter().filter_map(|event| event.by_unit).collect();
    let agents = events.iter().filter(|event| event.by_kind == EventBy::Agent).filter_map(|event| event.by_person);
    let agents = agents.chain(steps.iter().filter(|step| step.kind == EventBy::Agent).filter_map(|step| step.person));
    let people = People {
        others: find::names_of_people(app, agents.collect()).await?,
        names: Names::default().and_people(db, staff, units).await?,
        person: app.field_keys.open_if(case.contact_name.as_ref())?,
    };
    let mut files = HashMap::<Uuid, Vec<FileView>>::new();
    for row in files::attached_to(db, FileThing::Case, [case.id.0]).await?.into_values().flatten() {
        if let Some(event) = row.event_id {
            files.entry(event).or_default().push(FileView::of(&row));
        }
    }
    let before = steps.into_iter().map(|step| of_booking(&people, step));
    // A note that the villager may read is shown to them; what else is the staff's own business is not.
    let shown =
        events.into_iter().filter(|event| for_staff || event.text.is_some() || !workflow::is_inner(&event.action));
    let since = shown.map(|event| {
        let files = files.remove(&event.id.0).unwrap_or_default();
        of_case(&people, event, files, for_staff)
    });
    Ok(before.chain(since).collect())
}

fn of_case(people: &People, event: case_event::Model, files: Vec<FileView>, for_staff: bool) -> CaseEventView {
    let unit = event.by_unit.and_then(|id| people.names.units.get(&id).cloned());
    let shows_details = for_staff || SHOWN_WITH.iter().any(|action| action.slug() == event.action);
    CaseEventView {
        by: people.by(event.by_kind, event.by_staff, event.by_person, unit),
        id: event.id.0,
        of: TimelineOf::Case,
        at: event.at,
        action: event.action,
        from: event.from_state.map(TimelineState::Case),
        to: TimelineState::Case(event.to_state),
        auto: event.auto,
        reason: event.reason,
        text: event.text,
        note: event.note.filter(|_| for_staff),
        details: event.evidence.filter(|_| shows_details),
        files,
        result: event.result,
        promised_due_on: event.promised_due_on,
        statutory_due_on: event.statutory_due_on,
    }
}

/// A step of the booking.
struct Before {
    id: Uuid,
    at: DateTime<Utc>,
    action: String,
    from: Option<BookingState>,
    to: BookingState,
    kind: EventBy,
    staff: Option<StaffId>,
    person: Option<PersonId>,
}

fn of_booking(people: &People, step: Before) -> CaseEventView {
    CaseEventView {
        by: people.by(step.kind, step.staff, step.person, None),
        id: step.id,
        of: TimelineOf::Booking,
        at: step.at,
        action: step.action,
        from: step.from.map(TimelineState::Booking),
        to: TimelineState::Booking(step.to),
        auto: false,
        reason: None,
        text: None,
        note: None,
        details: None,
        files: vec![],
        result: None,
        promised_due_on: None,
        statutory_due_on: None,
    }
}

/// What happened to the booking whose matter the case took up, oldest first; nothing where there is none.
async fn steps_before(db: &DatabaseConnection, case: &case::Model) -> Result<Vec<Before>, Problem> {
    let Some(id) = case.booking_id else { return Ok(vec![]) };
    let Some(booking) = booking::Entity::find_by_id(id).one(db).await? else { return Ok(vec![]) };
    let kind = match (booking.agent_id, booking.entered_by) {
        (Some(_), _) => EventBy::Agent,
        (None, Some(_)) => EventBy::Staff,
        (None, None) => EventBy::Villager,
    };
    let first = Before {
        id: booking.id.0,
        at: booking.created_at,
        action: "booked".to_owned(),
        from: None,
        to: BookingState::Booked,
        kind,
        staff: booking.entered_by.filter(|_| kind == EventBy::Staff),
        person: Some(booking.agent_id.unwrap_or(booking.person_id)),
    };
    let rows = booking_event::Entity::find()
        .filter(booking_event::COLUMN.booking_id.eq(id))
        .filter(booking_event::COLUMN.undone_at.is_null())
        .order_by_asc(booking_event::Column::Id)
        .limit(MOST_STEPS);
    let later = rows.all(db).await?.into_iter().map(|row| Before {
        id: row.id.0,
        at: row.acted_at,
        action: row.action,
        from: Some(row.from_state),
        to: row.to_state,
        kind: kind_of(&row.by_kind),
        staff: row.staff_id,
        person: row.person_id,
    });
    Ok(std::iter::once(first).chain(later).collect())
}

fn kind_of(slug: &str) -> EventBy {
    match slug {
        "villager" => EventBy::Villager,
        "agent" => EventBy::Agent,
        "staff" => EventBy::Staff,
        _ => EventBy::Clock,
    }
}
