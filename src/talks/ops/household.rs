//! Several people of a household who come together: all of them get a place of the slot, or none.

use std::sync::Arc;

use entity::{
    Instant,
    booking::BookingPrivacy,
    id::{PartyId, PersonId, SlotId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    book::{self, BookSlot, Wish},
    bookings::{Booked, note_use},
    round::{self, Round},
};
use crate::{app::App, auth::Villager, db::Tx, problem::Problem, talks::bodies::TalkMode};

/// Places that are wanted for several people together.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookTogether {
    /// Who comes: the caller among them or not; of each other one the caller needs an authorisation for talk days.
    #[validate(length(min = 2, max = 8))]
    #[schema(min_items = 2, max_items = 8)]
    persons: Vec<PersonId>,
    /// A code of the list `topics`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    topic: String,
    /// What it is about, in the villager's words.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    summary: String,
    /// A private matter is shown to nobody but the person and the host.
    privacy: BookingPrivacy,
    /// How; the usual one of the day when it is not said.
    mode: Option<TalkMode>,
    /// Where the host is to come: for a home visit, and only then.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    address: Option<String>,
}

impl BookTogether {
    fn wish_of(&self, person: PersonId) -> BookSlot {
        BookSlot {
            topic: self.topic.clone(),
            summary: self.summary.clone(),
            privacy: self.privacy,
            mode: self.mode,
            for_person: Some(person),
            address: self.address.clone(),
            files: None,
        }
    }
}

/// Takes a place for each, or none at all.
///
/// # Errors
/// Those of a single booking; `errors` points at the person who is meant.
pub async fn book_together(
    tx: &Tx,
    app: &Arc<App>,
    me: &Villager,
    slot: SlotId,
    body: &BookTogether,
    client_time: Option<Instant>,
    now: Instant,
) -> Result<Vec<Booked>, Problem> {
    let persons = round::distinct(&body.persons)?;
    let wish = |person: &PersonId| Wish {
        app: app.clone(),
        me: me.clone(),
        slot,
        body: body.wish_of(*person),
        client_time,
        now,
    };
    let wishes: Vec<Wish> = persons.iter().map(wish).collect();
    let mut round = Round::open(tx, &wishes.iter().collect::<Vec<_>>()).await?;
    let party = PartyId::fresh();
    let (mut all, mut grants) = (Vec::with_capacity(wishes.len()), Vec::with_capacity(wishes.len()));
    for (at, wish) in wishes.iter().enumerate() {
        let point = |problem: Problem| problem.pointing(&format!("/persons/{at}"));
        let person = wish.principal();
        let grant = round::allowed(tx, me, person, round.is_minor(person), now).await.map_err(point)?;
        let Some(mut booked) = round.decide(wish, grant.as_ref()).map_err(point)? else {
            let places = i32::try_from(wishes.len()).map_err(Problem::unexpected)?;
            return Err(round.full(tx, wish, places).await?);
        };
        booked.booking.party_id = Some(party);
        all.push(booked);
        grants.push(grant);
    }
    book::write(tx, &mut round, &all.iter().collect::<Vec<_>>()).await?;
    for (booked, grant) in all.iter().zip(grants) {
        note_use(tx, app, grant.as_ref(), "book_slot", Some(booked.booking.id), now).await?;
    }
    Ok(all)
}
