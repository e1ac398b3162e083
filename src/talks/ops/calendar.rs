//! What becomes an event of a calendar: one's own booking, and the talk days of a place.
//!
//! A calendar is seen by others and copied to other houses: no word of what somebody comes to say is in it, and the
//! calendar of a place holds days, never bookings.

use chrono::TimeDelta;
use entity::{
    Instant,
    booking::BookingState,
    division,
    id::{BookingId, DivisionId},
    talk_day,
    talk_day::{TalkDayState, TalkPurpose},
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::bookings::{self, Booked};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    divisions,
    problem::{Language, Problem},
    talks::{
        bodies::TalkMode,
        ical::{self, Event, Method, Organiser, Status},
        rules::spoken,
    },
};

/// How far back the calendar of a place goes.
const BACK: TimeDelta = TimeDelta::weeks(4);
/// How far ahead.
const AHEAD: TimeDelta = TimeDelta::weeks(12);
/// The most days of one calendar.
const MOST_DAYS: u64 = 500;

/// The calendar of one booking within reach, or 404; of one that was cancelled, the word to take it out.
pub async fn of_booking(app: &App, me: &Villager, id: BookingId, language: Language) -> Result<String, Problem> {
    let booked = bookings::find(app, me, id).await?;
    let place = divisions::find(app.db.read(), booked.day.division_id).await?;
    let gone = booked.booking.state == BookingState::Cancelled;
    let method = if gone { Method::Cancel } else { Method::Publish };
    Ok(ical::calendar(method, None, &[event_of_booking(&booked, &place, language)]))
}

/// The calendar of a place: days of the last four weeks and the coming twelve, those called off among them; 404 when
/// there is no such place. Of a village that was merged, those of the one that took it in.
pub async fn of_division(app: &App, id: DivisionId, language: Language) -> Result<String, Problem> {
    let (db, today) = (app.db.read(), local_day(app.clock.now()));
    let place = divisions::standing(db, id).await?;
    let days = talk_day::Entity::find()
        .filter(talk_day::COLUMN.division_id.eq(place.id))
        .filter(talk_day::COLUMN.on_date.between(today - BACK, today + AHEAD))
        .order_by_asc(talk_day::Column::StartsAt)
        .order_by_asc(talk_day::Column::Id)
        .limit(MOST_DAYS)
        .all(db)
        .await?;
    let events: Vec<Event> = days.iter().map(|day| event_of_day(day, &place, language)).collect();
    let name = t!("calendar.name", locale = language.tag(), place = short(&place.name));
    Ok(ical::calendar(Method::Publish, Some(&name), &events))
}

fn event_of_booking(booked: &Booked, place: &division::Model, language: Language) -> Event {
    let Booked { booking, slot, day } = booked;
    let summary = t!(
        "calendar.booking",
        locale = language.tag(),
        purpose = purpose(day.purpose, language),
        place = short(&place.name),
        number = booking.number_in_line
    );
    let reminder = t!("calendar.reminder", locale = language.tag(), when = spoken(slot.starts_at), place = day.place);
    Event {
        id: booking.id.to_string(),
        starts_at: slot.starts_at,
        ends_at: slot.ends_at,
        summary: summary.into_owned(),
        description: None,
        location: Some(location(&booking.mode, day, language)),
        organiser: organiser(place),
        status: match booking.state {
            BookingState::Cancelled => Status::Cancelled,
            BookingState::ToConfirm => Status::Tentative,
            _ => Status::Confirmed,
        },
        // Alone it grows with every change of the booking: also when its day is shifted or it moves to another day,
        // whose own version may be smaller.
        sequence: booking.version,
        created_at: booking.created_at,
        changed_at: changed(booking.changed_at, booking.created_at),
        own: Some(reminder.into_owned()),
    }
}

fn event_of_day(day: &talk_day::Model, place: &division::Model, language: Language) -> Event {
    let summary = t!(
        "calendar.day",
        locale = language.tag(),
        purpose = purpose(day.purpose, language),
        place = short(&place.name)
    );
    Event {
        id: day.id.to_string(),
        starts_at: day.starts_at,
        ends_at: day.ends_at,
        summary: summary.into_owned(),
        description: notes(day, language),
        location: Some(day.place.clone()),
        organiser: organiser(place),
        status: match day.state {
            TalkDayState::Planned => Status::Confirmed,
            TalkDayState::Cancelled => Status::Cancelled,
        },
        sequence: day.version,
        created_at: day.created_at,
        changed_at: changed(day.changed_at, day.created_at),
        own: None,
    }
}

fn changed(changed_at: Option<Instant>, created_at: Instant) -> Instant {
    changed_at.map_or(created_at, |at| at.max(created_at))
}

/// Why it is not what it was.
fn notes(day: &talk_day::Model, language: Language) -> Option<String> {
    match (&day.cancel_reason, day.shifted_from) {
        (Some(reason), _) => Some(t!("calendar.cancelled", locale = language.tag(), reason = reason).into_owned()),
        (None, Some(first)) => {
            Some(t!("calendar.shifted", locale = language.tag(), date = first.to_string()).into_owned())
        }
        (None, None) => None,
    }
}

/// A place as people call it: the statistical name of a village or a neighbourhood is that of its committee.
fn short(name: &str) -> &str {
    name.strip_suffix("居民委员会").or(name.strip_suffix("民委员会")).unwrap_or(name)
}

fn purpose(purpose: TalkPurpose, language: Language) -> String {
    let key = match purpose {
        TalkPurpose::Talk => "calendar.purpose.talk",
        TalkPurpose::Liaison => "calendar.purpose.liaison",
        TalkPurpose::LegalAdvice => "calendar.purpose.legal_advice",
        TalkPurpose::ExpertVisit => "calendar.purpose.expert_visit",
        TalkPurpose::Counter => "calendar.purpose.counter",
    };
    t!(key, locale = language.tag()).into_owned()
}

/// Where one is heard; a villager's own address is not for a calendar.
fn location(mode: &str, day: &talk_day::Model, language: Language) -> String {
    if mode == TalkMode::InPerson.slug() {
        return day.place.clone();
    }
    t!(format!("calendar.mode.{mode}"), locale = language.tag()).into_owned()
}

fn organiser(place: &division::Model) -> Organiser {
    Organiser { id: place.id.to_string(), name: short(&place.name).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_called_what_people_call_them() {
        for (name, said) in [
            ("石笋村民委员会", "石笋村"),
            ("朝阳社区居民委员会", "朝阳社区"),
            ("碑庙镇", "碑庙镇"),
            ("石笋村", "石笋村"),
        ] {
            assert_eq!(short(name), said);
        }
    }
}
