//! Cuts the time band of a talk day into slots and keeps back the places for walk-ins.
//!
//! The places kept for people without a phone are part of the rule, not of the goodwill at the door, so they are taken
//! out before anything can be booked. Pure: times in, slots out. Next: [`super::recurrence`] for the days.

use chrono::{NaiveTime, TimeDelta};

/// The most slots one talk day may have: a band of a day in pieces of minutes is a slip of the hand.
pub const MOST_SLOTS: usize = 200;
/// The largest share of a day's places that may be kept for walk-ins: booking must stay possible.
pub const LARGEST_WALK_IN_SHARE: f64 = 0.9;

/// The time of a talk day and how it is shared out. Local times of one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// When the first slot starts.
    pub starts: NaiveTime,
    /// When the last slot ends at the latest; a rest shorter than a slot stays free.
    pub ends: NaiveTime,
    /// Length of a slot.
    pub slot_minutes: u32,
    /// Places in each slot.
    pub capacity: u32,
    /// Share of the whole day's places kept for walk-ins and the phone, 0 to 0.9.
    pub walk_in_share: f64,
}

/// One slot of a talk day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutSlot {
    /// When it starts, local time.
    pub starts: NaiveTime,
    /// When it ends, local time.
    pub ends: NaiveTime,
    /// All places.
    pub capacity: u32,
    /// Places that can be booked; the rest is for walk-ins.
    pub public: u32,
}

/// Why a band cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutFault {
    /// It ends before or when it starts.
    EndsBeforeStart,
    /// A slot of no minutes.
    NoLength,
    /// A slot of no places.
    NoCapacity,
    /// The share for walk-ins is not between 0 and [`LARGEST_WALK_IN_SHARE`].
    Share,
    /// Not even one slot fits.
    ShorterThanOneSlot,
    /// More than [`MOST_SLOTS`] slots.
    TooManySlots,
}

impl CutFault {
    /// The stable slug of this fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::EndsBeforeStart => "ends_before_start",
            Self::NoLength | Self::NoCapacity | Self::Share => "out_of_range",
            Self::ShorterThanOneSlot => "shorter_than_one_slot",
            Self::TooManySlots => "too_many_slots",
        }
    }

    /// The field that is wrong, for pointing at it.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::EndsBeforeStart => "ends",
            Self::NoCapacity => "capacity",
            Self::Share => "walk_in_share",
            Self::NoLength | Self::ShorterThanOneSlot | Self::TooManySlots => "slot_minutes",
        }
    }
}

/// The slots of a band, in order.
///
/// Of all places of the day, `walk_in_share` (rounded down) is kept for walk-ins, from the last slot backwards: who
/// books comes early, who walks in is served between and after.
pub fn cut(band: &Band) -> Result<Vec<CutSlot>, CutFault> {
    let count = count(band)?;
    let mut starts = band.starts;
    let mut slots = Vec::new();
    for _ in 0..count {
        // Cannot run past midnight: the last slot ends within the band.
        let ends = starts + TimeDelta::minutes(i64::from(band.slot_minutes));
        slots.push(CutSlot { starts, ends, capacity: band.capacity, public: band.capacity });
        starts = ends;
    }
    let mut kept = kept_places(u64::from(count) * u64::from(band.capacity), band.walk_in_share);
    for slot in slots.iter_mut().rev() {
        let here = u32::try_from(kept).unwrap_or(u32::MAX).min(slot.capacity);
        slot.public -= here;
        kept -= u64::from(here);
    }
    Ok(slots)
}

/// How many whole slots fit.
fn count(band: &Band) -> Result<u32, CutFault> {
    if band.ends <= band.starts {
        return Err(CutFault::EndsBeforeStart);
    }
    if band.slot_minutes == 0 {
        return Err(CutFault::NoLength);
    }
    if band.capacity == 0 {
        return Err(CutFault::NoCapacity);
    }
    if !(0.0..=LARGEST_WALK_IN_SHARE).contains(&band.walk_in_share) {
        return Err(CutFault::Share);
    }
    let count = (band.ends - band.starts).num_minutes() / i64::from(band.slot_minutes);
    match u32::try_from(count) {
        Ok(0) => Err(CutFault::ShorterThanOneSlot),
        Ok(count) if usize::try_from(count).is_ok_and(|count| count <= MOST_SLOTS) => Ok(count),
        _ => Err(CutFault::TooManySlots),
    }
}

/// The share of the places, rounded down. In millionths, because as binary fractions 0.29 of 100 would be 28.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the share was checked to lie between 0 and 0.9"
)]
fn kept_places(places: u64, share: f64) -> u64 {
    let millionths = (share * 1e6).round() as u64;
    places * millionths / 1_000_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> NaiveTime {
        text.parse().unwrap()
    }

    fn band(starts: &str, ends: &str, slot_minutes: u32, capacity: u32, walk_in_share: f64) -> Band {
        Band { starts: time(starts), ends: time(ends), slot_minutes, capacity, walk_in_share }
    }

    fn public(band: &Band) -> Vec<u32> {
        cut(band).unwrap().iter().map(|slot| slot.public).collect()
    }

    #[test]
    fn a_morning_in_quarters() {
        let slots = cut(&band("09:00:00", "11:00:00", 15, 1, 0.3)).unwrap();
        assert_eq!(slots.len(), 8);
        let first = CutSlot { starts: time("09:00:00"), ends: time("09:15:00"), capacity: 1, public: 1 };
        let last = CutSlot { starts: time("10:45:00"), ends: time("11:00:00"), capacity: 1, public: 0 };
        assert_eq!((slots[0], slots[7]), (first, last));
        // 30 % of 8 places is 2.4: two are kept.
        assert_eq!(slots.iter().map(|slot| slot.public).sum::<u32>(), 6);
    }

    #[test]
    fn kept_places_come_from_the_last_slots_first() {
        assert_eq!(public(&band("19:00:00", "20:00:00", 15, 3, 0.3)), [3, 3, 3, 0]);
        assert_eq!(public(&band("19:00:00", "20:00:00", 15, 3, 0.5)), [3, 3, 0, 0]);
        assert_eq!(public(&band("19:00:00", "20:00:00", 15, 2, 0.4)), [2, 2, 1, 0]);
        assert_eq!(public(&band("19:00:00", "20:00:00", 15, 2, 0.0)), [2, 2, 2, 2]);
        assert_eq!(public(&band("19:00:00", "20:00:00", 30, 5, 0.9)), [1, 0]);
        assert_eq!(public(&band("19:00:00", "19:20:00", 20, 1, 0.9)), [1]);
    }

    #[test]
    fn shares_round_down_without_losing_a_place_to_binary_fractions() {
        assert_eq!(kept_places(100, 0.29), 29);
        assert_eq!(kept_places(10, 0.3), 3);
        assert_eq!(kept_places(9, 0.3), 2);
        assert_eq!(kept_places(10, 0.7), 7);
    }

    #[test]
    fn a_rest_shorter_than_a_slot_stays_free() {
        let slots = cut(&band("09:00:00", "10:10:00", 20, 1, 0.0)).unwrap();
        assert_eq!(slots.last().unwrap().ends, time("10:00:00"));
    }

    #[test]
    fn a_band_may_run_to_the_last_minute_of_the_day() {
        assert_eq!(cut(&band("23:00:00", "23:59:00", 59, 1, 0.0)).unwrap().len(), 1);
        assert_eq!(cut(&band("00:00:00", "23:59:59", 480, 1, 0.0)).unwrap().len(), 2);
    }

    #[test]
    fn bands_that_cannot_be_cut_are_refused() {
        let fault = |band| cut(&band).unwrap_err();
        assert_eq!(fault(band("11:00:00", "09:00:00", 15, 1, 0.3)), CutFault::EndsBeforeStart);
        assert_eq!(fault(band("09:00:00", "09:00:00", 15, 1, 0.3)), CutFault::EndsBeforeStart);
        assert_eq!(fault(band("09:00:00", "09:14:59", 15, 1, 0.3)), CutFault::ShorterThanOneSlot);
        assert_eq!(fault(band("09:00:00", "10:00:00", u32::MAX, 1, 0.3)), CutFault::ShorterThanOneSlot);
        assert_eq!(fault(band("09:00:00", "10:00:00", 0, 1, 0.3)), CutFault::NoLength);
        assert_eq!(fault(band("09:00:00", "10:00:00", 15, 0, 0.3)), CutFault::NoCapacity);
        assert_eq!(fault(band("09:00:00", "12:21:00", 1, 1, 0.3)), CutFault::TooManySlots);
        assert_eq!(cut(&band("09:00:00", "12:20:00", 1, 1, 0.3)).unwrap().len(), 200);
        for share in [-0.1, 0.91, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(fault(band("09:00:00", "10:00:00", 15, 1, share)), CutFault::Share);
        }
    }

    proptest! {
        #[test]
        fn slots_fill_the_band_and_places_add_up(
            starts in 0_u32..1_439, length in 1_u32..1_440, slot_minutes in 1_u32..300,
            capacity in 1_u32..50, percent in 0_u32..=90,
        ) {
            let at = |minute: u32| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
            let ends = (starts + length).min(1_439);
            let share = f64::from(percent) / 100.0;
            let band = Band { starts: at(starts), ends: at(ends), slot_minutes, capacity, walk_in_share: share };
            let count = (ends - starts) / slot_minutes;
            match cut(&band) {
                Ok(slots) => {
                    prop_assert_eq!(slots.len(), count as usize);
                    prop_assert_eq!(slots[0].starts, band.starts);
                    prop_assert!(slots.windows(2).all(|two| two[0].ends == two[1].starts));
                    prop_assert!(slots.iter().all(|slot| slot.starts < slot.ends && slot.ends <= band.ends));
                    prop_assert!(slots.windows(2).all(|two| two[0].public >= two[1].public));
                    let kept: u32 = slots.iter().map(|slot| slot.capacity - slot.public).sum();
                    prop_assert_eq!(kept, count * capacity * percent / 100);
                }
                Err(fault) => prop_assert!(matches!(
                    (count, fault),
                    (0, CutFault::ShorterThanOneSlot) | (201.., CutFault::TooManySlots)
                )),
            }
        }
    }
}
