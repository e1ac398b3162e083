//! The quiet hours, and how fast messages leave.
//!
//! Nothing is sent between 21:00 and 07:00 local time, danger aside (rules of cases). What waited is spread over the
//! first half hour of the morning, all that one person waits for at the same moment. Next: [`super::start`].

use std::num::NonZeroU32;

use chrono::{NaiveTime, TimeDelta, Timelike};
use entity::{Instant, id::PersonId, notice_delivery::NoticeUrgency};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::{
    clock::{instant, local_day, local_time},
    config::Notices,
};

/// The end of the quiet hours that `now` lies in.
#[must_use]
pub fn quiet_until(settings: &Notices, now: Instant) -> Option<Instant> {
    let (from, until) = settings.quiet_hours()?;
    if from == until {
        return None;
    }
    let (day, time) = (local_day(now), local_time(now));
    if time >= from {
        Some(instant(day.succ_opt()?, until))
    } else if time < until {
        Some(instant(day, until))
    } else {
        None
    }
}

/// When what is held up by the night goes, if it is: each person at a moment of their own.
#[must_use]
pub fn held_until(settings: &Notices, urgency: NoticeUrgency, person: PersonId, now: Instant) -> Option<Instant> {
    let until = quiet_until(settings, now).filter(|_| urgency != NoticeUrgency::Danger)?;
    Some(until + spread(settings, person))
}

/// The next morning after `now`, for one person.
#[must_use]
pub fn next_morning(settings: &Notices, person: PersonId, now: Instant) -> Instant {
    let until = settings.quiet_hours().map_or(NaiveTime::MIN, |(_, until)| until);
    let today = instant(local_day(now), until);
    let morning = if today > now { today } else { today + TimeDelta::days(1) };
    morning + spread(settings, person)
}

/// The random end of a `UUIDv7` tells people apart.
fn spread(settings: &Notices, person: PersonId) -> TimeDelta {
    let width = u128::from(settings.spread_minutes.max(1)) * 60;
    TimeDelta::seconds(i64::try_from(person.0.as_u128() % width).unwrap_or_default())
}

/// Whether it is the minute at which WeCom wants no crowds (发送应用消息): the full and the half hour.
#[must_use]
pub fn is_rush_minute(now: Instant) -> bool {
    local_time(now).minute().is_multiple_of(30)
}

/// How many messages leave in a minute, of this process.
pub struct Pace(DefaultDirectRateLimiter);

impl Pace {
    /// So many a minute.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self(RateLimiter::direct(Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN))))
    }

    /// Takes a turn, if there is one.
    #[must_use]
    pub fn turn(&self) -> bool {
        self.0.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    #[test]
    fn nights_end_in_the_morning_and_danger_does_not_wait() {
        let settings = Config::of_files(Environment::Test).unwrap().notices;
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let morning = Some(at("2026-11-24T07:00:00+08:00"));
        for (now, until) in [
            ("2026-11-23T20:59:59.999+08:00", None),
            ("2026-11-23T21:00:00+08:00", morning),
            ("2026-11-24T00:30:00+08:00", morning),
            ("2026-11-24T06:59:59.999+08:00", morning),
            ("2026-11-24T07:00:00+08:00", None),
        ] {
            assert_eq!(quiet_until(&settings, at(now)), until, "{now}");
        }
        let person = PersonId::fresh();
        let night = at("2026-11-23T23:00:00+08:00");
        let held = held_until(&settings, NoticeUrgency::Urgent, person, night).unwrap();
        assert!((at("2026-11-24T07:00:00+08:00")..at("2026-11-24T07:30:00+08:00")).contains(&held));
        assert_eq!(held_until(&settings, NoticeUrgency::Danger, person, night), None);
        assert_eq!(next_morning(&settings, person, night), held);
        assert_eq!(next_morning(&settings, person, at("2026-11-23T07:00:00+08:00")), held);
    }

    #[test]
    fn a_minute_has_so_many_turns() {
        let pace = Pace::new(2);
        assert_eq!([pace.turn(), pace.turn(), pace.turn()], [true, true, false]);
    }
}
