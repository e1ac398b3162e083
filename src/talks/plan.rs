//! What a rule has to do about the days that stand: which to make, to make anew, to take away, to leave alone.
//!
//! The one decision behind making days ahead, changing a rule and showing beforehand what a change would do, so that
//! the three cannot differ. A day that somebody has or had a place on, waits for, or that was changed by hand is kept,
//! whatever the rule says by now. Pure. Next: [`super::ops`], which carries it out.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{
    Instant,
    id::TalkDayId,
    slot,
    talk_day::{self, TalkDayState},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    sittings::Sitting,
    terms::{DatedTerms, Terms},
};
use crate::clock;

/// In what a day is otherwise than its rule would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// It starts or ends at another time.
    Time,
    /// Booking opens or closes at another time.
    Booking,
    /// Number, length or places of its slots.
    Slots,
    /// Where.
    Place,
    /// Who listens.
    Hosts,
    /// How one can be heard.
    Modes,
    /// Where those who are heard by video meet.
    VideoUrl,
    /// What people come for.
    Purpose,
    /// Open meeting or private slots.
    Format,
}

/// A day of a rule, today's or later, with what people have to do with it.
#[derive(Clone, Debug)]
pub struct StandingDay {
    /// Its row.
    pub day: talk_day::Model,
    /// Its slots, in order.
    pub slots: Vec<slot::Model>,
    /// Live bookings.
    pub bookings: u64,
    /// People who wait or for whom a place is held.
    pub waiting: u64,
    /// Somebody has or had a booking, or waits or waited.
    pub touched: bool,
}

/// A day that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeptDay {
    talk_day: TalkDayId,
    date: NaiveDate,
    /// Live bookings.
    bookings: u64,
    /// People on its waiting lists.
    waiting: u64,
    /// In what it is otherwise than the rule would make it.
    differs: Vec<Difference>,
    /// Whether the rule sits on this day.
    still_of_rule: bool,
}

/// What is to be done, in the order of the days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Days that are not there.
    pub made: Vec<NaiveDate>,
    /// Days nobody has to do with that are otherwise than the rule: they are replaced.
    pub remade: Vec<(TalkDayId, NaiveDate)>,
    /// Days nobody has to do with that the rule does not sit on.
    pub removed: Vec<(TalkDayId, NaiveDate)>,
    /// Days that people have to do with, whether or not the rule would make them like this.
    pub kept: Vec<KeptDay>,
}

impl Plan {
    /// Compares the sittings of a rule with all its days from today on.
    ///
    /// A day that has begun or was called off counts as made and is not spoken of. A sitting that was moved to another
    /// day is not made while the day it stands for takes place, or was shifted: it would be held twice.
    #[must_use]
    pub fn of(sittings: &[Sitting], terms: &Terms, days: &[StandingDay], now: Instant) -> Self {
        let mut plan = Self::default();
        let wanted: BTreeSet<NaiveDate> = sittings.iter().map(|sitting| sitting.date).collect();
        let (mut there, mut held) = (BTreeSet::new(), BTreeSet::new());
        for standing in days {
            let day = &standing.day;
            let stays = fixed(day, now) || standing.people_have_to_do_with_it();
            there.insert(day.on_date);
            there.extend(day.shifted_from);
            if stays && day.state == TalkDayState::Planned {
                held.insert(day.on_date);
                held.extend(day.shifted_from);
            }
            if !fixed(day, now) {
                let sat_on = day.shifted_from.unwrap_or(day.on_date);
                plan.decide(standing, terms, wanted.contains(&sat_on), stays);
            }
        }
        let missing = sittings.iter().filter(|sitting| {
            let twice = match sitting.moved_from {
                // By hand it stands for itself: the day to ask for is the one it was moved from.
                Some(from) if sitting.stands_for.contains(&sitting.date) => held.contains(&from),
                Some(_) => sitting.stands_for.is_subset(&held),
                None => false,
            };
            // What is over by the time it is made would be a day on which nobody listened.
            !there.contains(&sitting.date) && !twice && clock::instant(sitting.date, terms.band.ends) > now
        });
        plan.made = missing.map(|sitting| sitting.date).collect();
        plan
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.made.is_empty() && self.remade.is_empty() && self.removed.is_empty()
    }

    fn decide(&mut self, standing: &StandingDay, terms: &Terms, still_of_rule: bool, stays: bool) {
        let day = &standing.day;
        let differs = terms.on(day.on_date).map(|dated| standing.differences(terms, &dated)).unwrap_or_default();
        if stays {
            self.kept.push(KeptDay {
                talk_day: day.id,
                date: day.on_date,
                bookings: standing.bookings,
                waiting: standing.waiting,
                differs,
                still_of_rule,
            });
        } else if !still_of_rule {
            self.removed.push((day.id, day.on_date));
        } else if !differs.is_empty() {
            self.remade.push((day.id, day.on_date));
        }
    }
}

/// Whether no rule changes the day any more: it has begun, or people were told that it does not take place.
fn fixed(day: &talk_day::Model, now: Instant) -> bool {
    day.state != TalkDayState::Planned || day.starts_at <= now
}

impl StandingDay {
    /// A day is made with version 1: a later one was changed by hand, say by a stand-in for a host.
    fn people_have_to_do_with_it(&self) -> bool {
        self.touched || self.day.shifted_from.is_some() || self.day.version > 1
    }

    fn differences(&self, terms: &Terms, dated: &DatedTerms) -> Vec<Difference> {
        let day = &self.day;
        let found = [
            (Difference::Time, (day.starts_at, day.ends_at) != (dated.starts_at, dated.ends_at)),
            (Difference::Booking, (day.opens_at, day.closes_at) != (dated.opens_at, dated.closes_at)),
            (Difference::Slots, self.cut_otherwise(dated)),
            (Difference::Place, day.place != terms.place.trim()),
            (Difference::Hosts, day.hosts != json!(terms.hosts)),
            (Difference::Modes, day.modes != json!(terms.modes)),
            (Difference::VideoUrl, day.video_url != terms.video_url),
            (Difference::Purpose, day.purpose != terms.purpose),
            (Difference::Format, day.format != terms.format),
        ];
        found.into_iter().filter(|(_, differs)| *differs).map(|(difference, _)| difference).collect()
    }

    /// Whether a slot is missing, too many, or of other places. Their times of day belong to the time of the day.
    fn cut_otherwise(&self, dated: &DatedTerms) -> bool {
        let is = self.slots.iter().map(|slot| {
            let minutes = (slot.ends_at - slot.starts_at).num_minutes();
            (minutes, i64::from(slot.places), i64::from(slot.public_places))
        });
        let ought = dated
            .slots
            .iter()
            .map(|cut| ((cut.ends - cut.starts).num_minutes(), i64::from(cut.capacity), i64::from(cut.public)));
        !is.eq(ought)
    }
}
