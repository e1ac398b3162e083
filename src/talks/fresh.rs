//! A booking that has just come in. Pure.

use entity::{
    Instant,
    booking::{self, BookingChannel, BookingPlace, BookingPrivacy, BookingState},
    id::{BookingId, PersonId, SlotId, TalkDayId},
};

use super::{bodies::TalkMode, rules};

/// What every booking says of itself.
pub(super) struct Fresh {
    pub(super) day: TalkDayId,
    pub(super) slot: SlotId,
    pub(super) person: PersonId,
    pub(super) number_in_line: i32,
    pub(super) topic: String,
    pub(super) summary: String,
    pub(super) privacy: BookingPrivacy,
    pub(super) mode: TalkMode,
    pub(super) now: Instant,
}

impl Fresh {
    /// The row of somebody who booked a public place in the app for themselves; whoever knows more says more.
    pub(super) fn row(self) -> booking::Model {
        booking::Model {
            id: BookingId::fresh(),
            code: rules::fresh_code(),
            slot_id: self.slot,
            talk_day_id: self.day,
            person_id: self.person,
            agent_id: None,
            authorisation_id: None,
            state: BookingState::Booked,
            live: true,
            number_in_line: self.number_in_line,
            topic: self.topic,
            summary: self.summary.trim().to_owned(),
            privacy: self.privacy,
            mode: self.mode.slug().to_owned(),
            cancel_reason: None,
            place: BookingPlace::Public,
            channel: BookingChannel::App,
            entered_by: None,
            party_id: None,
            address: None,
            route_order: None,
            arrived_at: None,
            called_at: None,
            ended_at: None,
            objection: None,
            objection_text: None,
            screened: None,
            agenda_title: None,
            outcome: None,
            case_id: None,
            changed_at: None,
            version: 1,
            created_at: self.now,
            client_time: None,
        }
    }
}
