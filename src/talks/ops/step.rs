//! Taking a step with a booking on its day: checked by the table of [`crate::talks::steps`], written once, kept as an
//! event.
//!
//! The day is locked first, then the booking: steps of one day happen one after another, and nobody watches a line that
//! is half moved.

use entity::{
    Instant, booking,
    booking::BookingState,
    booking_event,
    id::{BookingEventId, BookingId, StaffId},
    talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde_json::json;

use super::line;
use crate::{
    auth::{Staff, duty::Need},
    cases,
    clock::local_day,
    db::Tx,
    problem::{Code, Problem},
    talks::steps::{LineAction, acted_at},
};

/// A booking of a day, both locked.
pub struct Open {
    pub day: talk_day::Model,
    pub booking: booking::Model,
    /// Whether whoever acts may read what a private matter is about.
    pub hosting: bool,
}

impl Open {
    /// 409 where whoever decides or answers is near to the villager, or is this very person.
    pub(super) async fn impartial(&self, tx: &Tx, staff: StaffId) -> Result<(), Problem> {
        if cases::near_to(tx, staff, self.booking.person_id).await? {
            return Err(Code::ConflictOfInterest.into());
        }
        Ok(())
    }
}

/// Who takes a step, and when.
#[derive(Clone, Debug)]
pub struct Acting {
    /// `None`: the clock.
    pub staff: Option<StaffId>,
    /// By the desk's clock, of a step that was taken without a line: it counts, within reason.
    pub said_at: Option<Instant>,
    /// By the desk's clock, of a call: kept and not believed, since we know when it came.
    pub client_time: Option<Instant>,
    /// Names the step once for a day and who took it.
    pub key: Option<String>,
    /// Of the step that bears the key.
    pub fingerprint: Option<String>,
    pub now: Instant,
}

impl Acting {
    /// A call that has just come in.
    #[must_use]
    pub fn call(staff: StaffId, client_time: Option<Instant>, now: Instant) -> Self {
        Self { staff: Some(staff), client_time, ..Self::clock(now) }
    }

    /// What happens by itself.
    #[must_use]
    pub fn clock(now: Instant) -> Self {
        Self { staff: None, said_at: None, client_time: None, key: None, fingerprint: None, now }
    }

    /// Its trace, with a booking as it is before, on a day that is locked.
    pub(super) fn trace(
        &self,
        day: &talk_day::Model,
        booking: &booking::Model,
        action: &str,
        to: BookingState,
    ) -> booking_event::Model {
        booking_event::Model {
            id: BookingEventId::fresh(),
            booking_id: booking.id,
            talk_day_id: day.id,
            action: action.to_owned(),
            from_state: booking.state,
            to_state: to,
            by_kind: if self.staff.is_some() { "staff" } else { "clock" }.to_owned(),
            staff_id: self.staff,
            person_id: None,
            at: self.now,
            acted_at: self.now,
            booking_version: booking.version + 1,
            line_version: day.line_version + 1,
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            before: None,
            undone_at: None,
        }
    }
}

/// Writes a trace down.
pub(super) async fn write(tx: &Tx, event: booking_event::Model) -> Result<(), Problem> {
    booking_event::Entity::insert(event.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Locks a day and a booking of it; 404 where the staff have no part in it.
pub async fn open<N: Need>(tx: &Tx, staff: &Staff<N>, id: BookingId) -> Result<Open, Problem> {
    let seen = booking::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let day = talk_day::Entity::find_by_id(seen.talk_day_id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let day = day.ok_or_else(Problem::not_found)?;
    let hosting = line::hosting(tx, staff, &day).await?;
    let booking = booking::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let booking = booking.filter(|row| row.talk_day_id == day.id).ok_or_else(Problem::not_found)?;
    Ok(Open { day, booking, hosting })
}

/// Takes the step, or 409 `transition_not_allowed`. `change` sets what else is known by it.
pub async fn take(
    tx: &Tx,
    open: Open,
    action: LineAction,
    acting: &Acting,
    change: impl FnOnce(&mut booking::ActiveModel) + Send,
) -> Result<booking::Model, Problem> {
    let Open { day, booking, .. } = open;
    let step = action.step().ok_or_else(|| Problem::unexpected("an action without a step"))?;
    if !step.from.contains(&booking.state) {
        return Err(Code::TransitionNotAllowed.into());
    }
    let last = last_event(tx, booking.id).await?;
    let at = acted_at(acting.said_at, last.map(|event| event.acted_at), acting.now);
    let before = json!({
        "arrived_at": booking.arrived_at, "called_at": booking.called_at, "ended_at": booking.ended_at,
        "outcome": booking.outcome, "case_id": booking.case_id,
    });
    let trace = acting.trace(&day, &booking, step.slug, step.to);
    let event = booking_event::Model { acted_at: at, before: Some(before), ..trace };
    let version = booking.version + 1;
    let mut row = booking.into_active_model();
    row.state = Set(step.to);
    row.version = Set(version);
    row.changed_at = Set(Some(acting.now));
    match step.to {
        BookingState::CheckedIn => {
            row.arrived_at = Set(Some(at));
            row.ended_at = Set(None);
        }
        // Who is called after the day only so that it can be concluded has not waited until now.
        BookingState::Called if action == LineAction::Call && local_day(at) == day.on_date => {
            row.called_at = Set(Some(at));
        }
        BookingState::Missed | BookingState::Concluded => row.ended_at = Set(Some(at)),
        _ => {}
    }
    change(&mut row);
    let booking = row.update(tx).await?;
    write(tx, event).await?;
    moved(tx, &day).await?;
    Ok(booking)
}

/// The last step that was not undone.
pub async fn last_event(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<booking_event::Model>, Problem> {
    let of_it = booking_event::Entity::find()
        .filter(booking_event::COLUMN.booking_id.eq(id))
        .filter(booking_event::COLUMN.undone_at.is_null());
    Ok(of_it
        .order_by_desc(booking_event::Column::BookingVersion)
        .order_by_desc(booking_event::Column::Id)
        .one(db)
        .await?)
}

/// Whoever watches the line of this day looks again.
pub async fn moved(tx: &Tx, day: &talk_day::Model) -> Result<(), Problem> {
    talk_day::Entity::update_many()
        .col_expr(talk_day::Column::LineVersion, Expr::col(talk_day::Column::LineVersion).add(1))
        .filter(talk_day::COLUMN.id.eq(day.id))
        .exec(tx)
        .await?;
    Ok(())
}
