//! What staff send to make talk days: a rule, its change, a question about either, a single day.
//!
//! Defaults are those of a village that thinks of nothing: quarters of an hour, one person each, three in ten places
//! for walk-ins. Next: [`super::terms`], which a body becomes when it passes its checks.

use chrono::{NaiveDate, NaiveTime};
use entity::{
    id::StaffId,
    talk_day::{TalkFormat, TalkPurpose},
    talk_rule::HolidayPolicy,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    recurrence::{Exception, Recurrence},
    slots::Band,
    terms::Terms,
};
use crate::problem::Problem;

/// How one can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TalkMode {
    /// At the place of the talk day.
    InPerson,
    /// The host calls.
    Phone,
    /// By video.
    Video,
    /// The host comes.
    HomeVisit,
}

impl TalkMode {
    /// Its stable name.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::InPerson => "in_person",
            Self::Phone => "phone",
            Self::Video => "video",
            Self::HomeVisit => "home_visit",
        }
    }
}

/// A local time of day, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
pub struct TimeOfDay(pub NaiveTime);

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let time = NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| "not HH:MM")?;
        // chrono also reads 9:5; one way of writing is enough.
        if text.len() == 5 { Ok(Self(time)) } else { Err("not HH:MM") }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.0.format("%H:%M").to_string()
    }
}

fn talk() -> TalkPurpose {
    TalkPurpose::Talk
}
fn private_slots() -> TalkFormat {
    TalkFormat::PrivateSlots
}
fn keep() -> HolidayPolicy {
    HolidayPolicy::Keep
}
fn quarter() -> u32 {
    15
}
fn one() -> u32 {
    1
}
fn thirty_percent() -> f64 {
    0.3
}
fn in_person() -> Vec<TalkMode> {
    vec![TalkMode::InPerson]
}
fn a_week() -> u32 {
    7
}
fn two_hours() -> u32 {
    2
}
fn a_dozen() -> usize {
    12
}

/// A body with the fields of [`Terms`] beside its own. Written out by a macro: `flatten` would accept unknown fields.
macro_rules! body_with_terms {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of])* pub(super) $field: $kind,)*
            /// Local time the first slot starts.
            starts: TimeOfDay,
            /// Local time the last slot ends at the latest.
            ends: TimeOfDay,
            /// Length of a slot.
            #[serde(default = "quarter")]
            #[validate(range(min = 5, max = 240))]
            #[schema(minimum = 5, maximum = 240, default = 15)]
            slot_minutes: u32,
            /// Places in a slot.
            #[serde(default = "one")]
            #[validate(range(min = 1, max = 200))]
            #[schema(minimum = 1, maximum = 200, default = 1)]
            capacity: u32,
            /// Share of the day's places kept for walk-ins and the phone.
            #[serde(default = "thirty_percent")]
            #[validate(range(min = 0.0, max = 0.9))]
            #[schema(minimum = 0.0, maximum = 0.9, default = 0.3)]
            walk_in_share: f64,
            /// Who listens.
            #[serde(default)]
            #[validate(length(max = 20))]
            #[schema(max_items = 20)]
            hosts: Vec<StaffId>,
            /// Where.
            #[validate(length(min = 1, max = 100))]
            #[schema(min_length = 1, max_length = 100)]
            place: String,
            /// How one can be heard; the first is the usual one.
            #[serde(default = "in_person")]
            #[validate(length(min = 1, max = 4))]
            #[schema(min_items = 1, max_items = 4)]
            modes: Vec<TalkMode>,
            /// What people come for.
            #[serde(default = "talk")]
            purpose: TalkPurpose,
            /// An open meeting with an agenda, or slots for one at a time.
            #[serde(default = "private_slots")]
            format: TalkFormat,
            /// Where those who are heard by video meet; needed when `video` is among the modes.
            #[validate(length(max = 500))]
            #[schema(max_length = 500, pattern = "^https://")]
            video_url: Option<String>,
            /// Booking opens at 00:00 so many days before.
            #[serde(default = "a_week")]
            #[validate(range(max = 60))]
            #[schema(maximum = 60, default = 7)]
            opens_days_before: u32,
            /// Booking closes so many hours before the start.
            #[serde(default = "two_hours")]
            #[validate(range(max = 72))]
            #[schema(maximum = 72, default = 2)]
            closes_hours_before: u32,
        }

        impl $name {
            /// Its terms, checked: 422 with a pointer otherwise.
            pub fn terms(&self) -> Result<Terms, Problem> {
                Terms {
                    band: Band {
                        starts: self.starts.0,
                        ends: self.ends.0,
                        slot_minutes: self.slot_minutes,
                        capacity: self.capacity,
                        walk_in_share: self.walk_in_share,
                    },
                    hosts: self.hosts.clone(),
                    place: self.place.clone(),
                    modes: self.modes.clone(),
                    purpose: self.purpose,
                    format: self.format,
                    video_url: self.video_url.clone(),
                    opens_days_before: self.opens_days_before,
                    closes_hours_before: self.closes_hours_before,
                }
                .checked()
            }
        }
    };
}

body_with_terms! {
    /// A rule that makes talk days.
    TalkRuleBody {
        /// On which days.
        recurrence: Recurrence,
        /// Days on which it is otherwise.
        #[serde(default)]
        #[schema(max_items = 200)]
        exceptions: Vec<Exception>,
        /// What becomes of its days that are public holidays.
        #[serde(default = "keep")]
        holiday_policy: HolidayPolicy,
    }
}

body_with_terms! {
    /// A rule as it is to be from now on.
    TalkRuleChange {
        /// On which days.
        recurrence: Recurrence,
        /// Days on which it is otherwise.
        #[serde(default)]
        #[schema(max_items = 200)]
        exceptions: Vec<Exception>,
        /// What becomes of its days that are public holidays.
        #[serde(default = "keep")]
        holiday_policy: HolidayPolicy,
        /// The version that was looked at; 409 `stale` when it is another by now.
        version: Option<i32>,
    }
}

/// Where a talk day is shifted to, and why; everybody who is booked is told.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftTalkDay {
    /// The new day; the old one when only the time changes.
    pub(super) date: NaiveDate,
    /// Local time the first slot starts; the old one when it is not said.
    pub(super) starts: Option<TimeOfDay>,
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) reason: String,
}

/// A host who cannot come, and who comes instead.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawHost {
    /// One of the day's hosts.
    pub(super) host: StaffId,
    /// Who takes over: has the duty to host here or above and does not host the day yet. Without one the day has fewer
    /// places.
    pub(super) stand_in: Option<StaffId>,
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) reason: String,
}

body_with_terms! {
    /// A rule of which the next dates are wanted before it is made.
    PreviewTalkRule {
        /// On which days.
        recurrence: Recurrence,
        /// Days on which it is otherwise.
        #[serde(default)]
        #[schema(max_items = 200)]
        exceptions: Vec<Exception>,
        /// What becomes of its days that are public holidays.
        #[serde(default = "keep")]
        holiday_policy: HolidayPolicy,
        /// How many dates.
        #[serde(default = "a_dozen")]
        #[validate(range(min = 1, max = 60))]
        #[schema(minimum = 1, maximum = 60, default = 12)]
        count: usize,
    }
}

body_with_terms! {
    /// A single talk day.
    SingleDayBody {
        /// Its day.
        date: NaiveDate,
    }
}
