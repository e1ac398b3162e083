//! Missed days: objections of villagers, and what the desk says of them; confirming by phone.

use std::collections::HashSet;

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, BookingState, MissedObjection},
    division,
    id::{BookingId, DivisionId},
    person, slot, talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{self, Booked, Held, telling},
    closing, line,
    step::{self, Acting},
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, Villager, duty::ManageTalks},
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    notices,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::{Code, Problem},
    talks::{rules, steps::LineAction},
};

/// Why somebody says that they were not missing.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectToMissed {
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    text: String,
}

/// What the desk says of an objection.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleMissed {
    /// Upheld: the day does not count as missed.
    upheld: bool,
}

/// Objects to being counted as missed; until it is settled the day does not count.
///
/// # Errors
/// `transition_not_allowed` unless it was missed and not objected to before; `too_late` when it is forgotten anyway.
pub async fn object(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: BookingId,
    body: &ObjectToMissed,
    now: Instant,
) -> Result<Booked, Problem> {
    let Held { booking, day, grant } = bookings::hold(tx, me, id, now).await?;
    rules::may_object(&booking, &day, now)?;
    let version = booking.version + 1;
    let mut row = booking.into_active_model();
    row.objection = Set(Some(MissedObjection::Open));
    row.objection_text = Set(Some(app.field_keys.close(&PrivateText::of_stored(body.text.trim().to_owned()))?));
    row.version = Set(version);
    let booking = row.update(tx).await?;
    bookings::note_use(tx, app, grant.as_ref(), "object_to_missed", Some(booking.id), now).await?;
    let slot = slot::Entity::find_by_id(booking.slot_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    Ok(Booked { booking, slot, day })
}

/// Settles an objection; the person is told.
///
/// # Errors
/// `not_found`, `conflict_of_interest`, `transition_not_allowed` where nothing is to be settled.
pub async fn settle(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: BookingId,
    body: &SettleMissed,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    open.impartial(tx, staff.id()).await?;
    if open.booking.objection != Some(MissedObjection::Open) {
        return Err(Code::TransitionNotAllowed.into());
    }
    let (objection, kind) = if body.upheld {
        (MissedObjection::Upheld, "missed_upheld")
    } else {
        (MissedObjection::Refused, "missed_refused")
    };
    let version = open.booking.version + 1;
    let mut row = open.booking.into_active_model();
    row.objection = Set(Some(objection));
    row.version = Set(version);
    tell(tx, row.update(tx).await?, kind, now).await
}

/// Confirms that somebody who was missed twice will come this time.
pub async fn confirm(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: BookingId,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    let acting = Acting::call(staff.id(), None, now);
    let booking = step::take(tx, open, LineAction::Confirm, &acting, |_| {}).await?;
    tell(tx, booking, "booking_confirmed", now).await
}

async fn tell(tx: &Tx, row: booking::Model, kind: &'static str, now: Instant) -> Result<booking::Model, Problem> {
    let slot = slot::Entity::find_by_id(row.slot_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    notices::tell(tx, vec![telling(&row, &slot, kind)], now).await?;
    Ok(row)
}

/// What of bookings waits for the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingForDesk {
    /// To be confirmed by phone.
    Confirmation,
    /// An objection to being counted as missed.
    Objection,
    /// The day is over, and nobody said whether they came or what became of it.
    Unmarked,
}

/// A booking that waits for the desk.
pub struct ForDesk {
    pub booking: booking::Model,
    pub slot: slot::Model,
    pub name: Option<PersonName>,
    pub phone: Option<PhoneNumber>,
    /// What the person objects; of a private booking for hosts alone.
    pub text: Option<PrivateText>,
}

/// Bookings of a place that wait for the desk, the oldest first, at most a page and one. That words of private ones were
/// shown is entered in the audit.
pub async fn list(
    app: &App,
    staff: &Staff<ManageTalks>,
    division: DivisionId,
    wanted: WaitingForDesk,
    page: &PageQuery,
) -> Result<Vec<ForDesk>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, division).await?;
    let days = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    let days = days.filter(talk_day::COLUMN.division_id.eq(place.id)).into_query();
    let now = app.clock.now();
    let ahead = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    let ahead = ahead.filter(talk_day::COLUMN.ends_at.gt(now));
    let what = match wanted {
        WaitingForDesk::Confirmation => Condition::all()
            .add(booking::COLUMN.state.eq(BookingState::ToConfirm))
            .add(booking::Column::TalkDayId.in_subquery(ahead.into_query())),
        WaitingForDesk::Unmarked => {
            let over = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
            let over = over.filter(closing::is_over(now)).into_query();
            let open = [
                BookingState::ToConfirm,
                BookingState::Booked,
                BookingState::CheckedIn,
                BookingState::Called,
                BookingState::Parked,
            ];
            let open = Condition::all().add(booking::COLUMN.state.is_in(open));
            open.add(booking::Column::TalkDayId.in_subquery(over))
        }
        WaitingForDesk::Objection => Condition::all().add(booking::COLUMN.objection.eq(Some(MissedObjection::Open))),
    };
    let mut query = booking::Entity::find().filter(booking::Column::TalkDayId.in_subquery(days)).filter(what);
    if let Some(after) = Cursor::read::<BookingId>(page.cursor.as_deref())? {
        query = query.filter(booking::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(booking::Column::Id).limit(page.size() + 1).all(db).await?;
    let shown = with_people(app, staff, &place, rows).await?;
    let private = |row: &ForDesk| row.text.is_some() && row.booking.privacy == BookingPrivacy::Private;
    if shown.iter().any(private) {
        let entry = Entry::done("read_private_objections", "division", place.id);
        audit::note(app, &Actor::staff(staff), entry).await?;
    }
    Ok(shown)
}

async fn with_people(
    app: &App,
    staff: &Staff<ManageTalks>,
    place: &division::Model,
    rows: Vec<booking::Model>,
) -> Result<Vec<ForDesk>, Problem> {
    let db = app.db.read();
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(rows.iter().map(|row| row.talk_day_id)));
    let mut hosted = HashSet::new();
    for day in days.all(db).await? {
        if line::hosts(staff, place, &day)? {
            hosted.insert(day.id);
        }
    }
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(rows.iter().map(|row| row.person_id)));
    let people = people.all(db).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.id.is_in(rows.iter().map(|row| row.slot_id))).all(db).await?;
    rows.into_iter()
        .map(|booking| {
            let slot = slots.iter().find(|slot| slot.id == booking.slot_id).cloned();
            let person = people.iter().find(|person| person.id == booking.person_id);
            let readable = booking.privacy == BookingPrivacy::Public || hosted.contains(&booking.talk_day_id);
            Ok(ForDesk {
                slot: slot.ok_or_else(|| Problem::unexpected("a booking of no slot"))?,
                name: app.field_keys.open_if(person.and_then(|person| person.name.as_ref()))?,
                phone: app.field_keys.open_if(person.and_then(|person| person.phone.as_ref()))?,
                text: app.field_keys.open_if(booking.objection_text.as_ref().filter(|_| readable))?,
                booking,
            })
        })
        .collect()
}
