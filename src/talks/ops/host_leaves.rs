//! A host who cannot come: somebody stands in and all bookings stay, or the others hear fewer people.
//!
//! Without a stand-in every slot to come shrinks in proportion. Places that were held for the waiting list go first, then
//! the bookings that were made last; whoever has checked in keeps theirs.

use entity::{
    Instant, booking,
    booking::{BookingPlace, BookingState},
    id::{BookingId, StaffId, TalkDayId, TalkWaitId},
    slot, talk_day,
    talk_day::TalkDayState,
    talk_wait,
    talk_wait::WaitState,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType},
};
use serde_json::json;

use super::{
    hosts,
    lost_places::{self, Why},
    places, talk_days,
    talk_days::SlottedDay,
};
use crate::{
    app::App,
    audit::{Actor, Entry},
    auth::{Staff, duty::ManageTalks},
    db::{Tx, padded},
    divisions,
    notices::{self, About, Telling, staff::StaffTelling},
    problem::{Code, Problem},
    talks::{bodies::WithdrawHost, rules::spoken, terms::stored},
};

/// Takes a host off a day that is not over.
///
/// # Errors
/// `not_found`; `transition_not_allowed` when the day is over or called off; 422 `/host` for somebody who does not host
/// it, `/stand_in` for somebody who cannot or may not host; `last_host` when nobody would be left.
pub async fn withdraw(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageTalks>,
    id: TalkDayId,
    body: &WithdrawHost,
    now: Instant,
) -> Result<SlottedDay, Problem> {
    let reason = talk_days::reason(&body.reason)?;
    let day = talk_days::lock(tx, staff, id).await?;
    if day.state == TalkDayState::Cancelled || day.ends_at <= now {
        return Err(Code::TransitionNotAllowed.into());
    }
    let named: Vec<StaffId> = stored(&day.hosts)?;
    if !named.contains(&body.host) {
        return Err(Problem::field("/host", "unknown"));
    }
    let left = match body.stand_in {
        Some(stand_in) => {
            check_stand_in(tx, &day, &named, stand_in).await?;
            hand_over(tx, day, body.host, stand_in, now).await?
        }
        None if named.len() == 1 => return Err(Code::LastHost.into()),
        None => {
            let left: Vec<StaffId> = named.iter().copied().filter(|host| *host != body.host).collect();
            let day = set_hosts(tx, day, &left, now).await?;
            shrink(tx, &day, named.len(), &reason, now).await?;
            left
        }
    };
    let entry = Entry::done("withdraw_host", "talk_day", id).because(reason);
    hosts::entered(tx, app, &Actor::staff(staff), entry, &left, now).await?;
    talk_days::find(tx, id).await
}

async fn check_stand_in(tx: &Tx, day: &talk_day::Model, named: &[StaffId], stand_in: StaffId) -> Result<(), Problem> {
    if named.contains(&stand_in) {
        return Err(Problem::field("/stand_in", "duplicate"));
    }
    let place = divisions::find(tx, day.division_id).await?;
    if !hosts::may_host(tx, &place, &[stand_in], day.on_date).await?.contains(&stand_in) {
        return Err(Problem::field("/stand_in", "unknown"));
    }
    if hosts::is_away(tx, stand_in, day.on_date).await? {
        return Err(Problem::field("/stand_in", "away"));
    }
    Ok(())
}

async fn set_hosts(tx: &Tx, day: talk_day::Model, hosts: &[StaffId], now: Instant) -> Result<talk_day::Model, Problem> {
    let (version, line_version) = (day.version + 1, day.line_version + 1);
    let mut row = day.into_active_model();
    row.hosts = Set(json!(hosts));
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    row.line_version = Set(line_version);
    Ok(row.update(tx).await?)
}

/// Puts somebody in the place of a host and says who the hosts are then. Every booking stays; who comes is told that it
/// is another.
pub(super) async fn hand_over(
    tx: &Tx,
    day: talk_day::Model,
    from: StaffId,
    to: StaffId,
    now: Instant,
) -> Result<Vec<StaffId>, Problem> {
    let named: Vec<StaffId> = stored(&day.hosts)?;
    let hosts: Vec<StaffId> = named.into_iter().map(|host| if host == from { to } else { host }).collect();
    let day = set_hosts(tx, day, &hosts, now).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(day.id)).all(tx).await?;
    let to_come = [BookingState::ToConfirm, BookingState::Booked, BookingState::CheckedIn, BookingState::Parked];
    let booked = booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(day.id))
        .filter(places::live())
        .filter(booking::COLUMN.state.is_in(to_come))
        .order_by_asc(booking::Column::Id)
        .all(tx)
        .await?;
    let mut tellings = Vec::with_capacity(booked.len());
    for row in booked {
        let Some(slot) = slots.iter().find(|slot| slot.id == row.slot_id) else { continue };
        let (about, params) = (About::Booking(row.id), json!({"when": spoken(slot.starts_at)}));
        tellings.push(Telling { person: row.person_id, kind: "booking_host_changed", about, params });
    }
    notices::tell(tx, tellings, now).await?;
    let telling = StaffTelling {
        staff: vec![to],
        kind: "hosts_changed",
        case: None,
        division: Some(day.division_id),
        confidential: false,
        urgency: None,
        params: json!({"when": spoken(day.starts_at)}),
    };
    notices::staff::tell(tx, vec![telling], now).await?;
    Ok(hosts)
}

/// Places of those that are left when one of so many hosts goes, rounded up.
fn left_of(places: i32, hosts: usize) -> i32 {
    let hosts = i32::try_from(hosts).unwrap_or(i32::MAX).max(1);
    places - places / hosts
}

/// Takes the host's share of places out of the slots to come, and who has no place any more with it.
async fn shrink(tx: &Tx, day: &talk_day::Model, hosts: usize, reason: &str, now: Instant) -> Result<(), Problem> {
    let before = places::lock_all(tx, day.id).await?;
    let booked = booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(day.id))
        .filter(places::live())
        .filter(booking::COLUMN.state.is_in([BookingState::ToConfirm, BookingState::Booked]))
        // By the order of their making, the last first.
        .order_by_desc(booking::Column::CreatedAt)
        .order_by_desc(booking::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    let held = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.talk_day_id.eq(day.id))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Held))
        .order_by_desc(talk_wait::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    let mut slots = before.clone();
    let (mut lost, mut let_go) = (Vec::new(), Vec::new());
    for slot in slots.iter_mut().filter(|slot| slot.starts_at > now) {
        let goes = cut(slot, hosts, &booked, &held);
        lost.extend(goes.bookings);
        let_go.extend(goes.holds);
    }
    let theirs = Condition::all().add(booking::COLUMN.id.is_in(padded(lost)));
    let lost = lost_places::cancel(tx, theirs, "host_left", now).await?;
    let waits = wait_again(tx, let_go).await?;
    lost_places::write(tx, &before, &slots).await?;
    let why = Why { with_place: "booking_host_left", without: "booking_host_left_no_place", reason };
    lost_places::tell(tx, day, &slots, &lost, why, now).await?;
    lost_places::tell_waiting(tx, &slots, &waits, "wait_hold_withdrawn", &json!({}), now).await?;
    // A party whose hold went may have left more free than had to go.
    for slot in slots.iter().filter(|slot| !before.contains(slot)) {
        super::waits::serve(tx, places::lock_one(tx, slot.id).await?, day, now).await?;
    }
    Ok(())
}

/// What a slot that shrinks takes from people.
struct Goes {
    bookings: Vec<BookingId>,
    holds: Vec<TalkWaitId>,
}

/// Makes the slot smaller, counters included. A kind of place that people who checked in are on shrinks less.
fn cut(slot: &mut slot::Model, hosts: usize, booked: &[booking::Model], held: &[talk_wait::Model]) -> Goes {
    let (public, reserved) = (left_of(slot.public_places, hosts), left_of(slot.places - slot.public_places, hosts));
    let mut goes = Goes { bookings: vec![], holds: vec![] };
    for wait in held.iter().filter(|wait| wait.slot_id == slot.id) {
        if slot.taken + slot.held > public {
            slot.held -= wait.places;
            slot.waiting += 1;
            goes.holds.push(wait.id);
        }
    }
    for row in booked.iter().filter(|row| row.slot_id == slot.id) {
        let taken = match row.place {
            BookingPlace::Public if slot.taken + slot.held > public => &mut slot.taken,
            BookingPlace::Reserve if slot.reserve_taken > reserved => &mut slot.reserve_taken,
            _ => continue,
        };
        *taken -= 1;
        slot.released += 1;
        goes.bookings.push(row.id);
    }
    slot.public_places = public.max(slot.taken + slot.held);
    slot.places = slot.public_places + reserved.max(slot.reserve_taken);
    goes
}

/// Who was offered a place that is no more waits again, where they stood.
async fn wait_again(tx: &Tx, holds: Vec<TalkWaitId>) -> Result<Vec<talk_wait::Model>, Problem> {
    if holds.is_empty() {
        return Ok(vec![]);
    }
    let none = || Expr::value(Option::<Instant>::None);
    let waits = talk_wait::Entity::update_many()
        .col_expr(talk_wait::Column::State, WaitState::Waiting.into())
        .col_expr(talk_wait::Column::HeldAt, none())
        .col_expr(talk_wait::Column::HeldUntil, none())
        .filter(talk_wait::COLUMN.id.is_in(holds))
        .exec_with_returning(tx)
        .await?;
    Ok(waits)
}

#[cfg(test)]
mod tests {
    use entity::id::{PersonId, SlotId};

    use super::*;
    use crate::talks::{bodies::TalkMode, fresh::Fresh};

    fn slot(public: i32, reserved: i32) -> slot::Model {
        slot::Model {
            id: SlotId::fresh(),
            talk_day_id: TalkDayId::fresh(),
            starts_at: "2026-11-25T01:00:00Z".parse().unwrap(),
            ends_at: "2026-11-25T01:15:00Z".parse().unwrap(),
            places: public + reserved,
            public_places: public,
            taken: 0,
            held: 0,
            reserve_taken: 0,
            waiting: 0,
            joined: 0,
            released: 0,
            first_number: 1,
        }
    }

    fn booked(slot: &mut slot::Model, place: BookingPlace) -> booking::Model {
        match place {
            BookingPlace::Public => slot.taken += 1,
            BookingPlace::Reserve => slot.reserve_taken += 1,
            BookingPlace::Line => {}
        }
        let fresh = Fresh {
            day: slot.talk_day_id,
            slot: slot.id,
            person: PersonId::fresh(),
            number_in_line: slot.taken,
            topic: "roads".into(),
            summary: "路".into(),
            privacy: booking::BookingPrivacy::Public,
            mode: TalkMode::InPerson,
            now: slot.starts_at,
        };
        booking::Model { place, ..fresh.row() }
    }

    #[test]
    fn the_share_of_one_host_goes_and_what_is_left_is_rounded_up() {
        assert_eq!([1, 2, 3, 4, 5].map(|places| left_of(places, 2)), [1, 1, 2, 2, 3]);
        assert_eq!([1, 2, 3, 4, 6].map(|places| left_of(places, 3)), [1, 2, 2, 3, 4]);
        assert_eq!(left_of(0, 2), 0);
    }

    #[test]
    fn who_booked_last_goes_first_and_each_kind_of_place_for_itself() {
        let mut slot = slot(4, 2);
        let all: Vec<booking::Model> = [BookingPlace::Public, BookingPlace::Public, BookingPlace::Reserve]
            .into_iter()
            .chain([BookingPlace::Public, BookingPlace::Line, BookingPlace::Reserve])
            .map(|place| booked(&mut slot, place))
            .collect();
        let latest_first: Vec<booking::Model> = all.iter().rev().cloned().collect();
        let goes = cut(&mut slot, 2, &latest_first, &[]);
        assert_eq!(goes.bookings, [all[5].id, all[3].id]);
        assert_eq!((slot.places, slot.public_places, slot.taken, slot.reserve_taken), (3, 2, 2, 1));
        assert_eq!(slot.released, 2);
    }

    #[test]
    fn held_places_go_before_anybody_who_is_in() {
        let mut slot = slot(4, 0);
        let all: Vec<booking::Model> = (0..2).map(|_| booked(&mut slot, BookingPlace::Public)).collect();
        let wait = talk_wait::Model {
            id: TalkWaitId::fresh(),
            slot_id: slot.id,
            talk_day_id: slot.talk_day_id,
            turn: 1,
            person_id: PersonId::fresh(),
            agent_id: None,
            authorisation_id: None,
            party: json!([]),
            places: 2,
            state: WaitState::Held,
            held_at: None,
            held_until: None,
            created_at: slot.starts_at,
            ended_at: None,
        };
        slot.held = 2;
        let goes = cut(&mut slot, 2, &all, std::slice::from_ref(&wait));
        assert_eq!((goes.bookings, goes.holds), (vec![], vec![wait.id]));
        assert_eq!((slot.public_places, slot.taken, slot.held, slot.waiting), (2, 2, 0, 1));
    }

    #[test]
    fn who_has_checked_in_keeps_the_place() {
        let mut slot = slot(2, 0);
        // Nobody among those who may go.
        let _ = (booked(&mut slot, BookingPlace::Public), booked(&mut slot, BookingPlace::Public));
        assert!(cut(&mut slot, 2, &[], &[]).bookings.is_empty());
        assert_eq!((slot.places, slot.public_places, slot.taken), (2, 2, 2));
    }
}
