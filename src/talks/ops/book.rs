//! Taking places: one decision for all who wait at the same moment, one transaction, a handful of statements.
//!
//! Each wish is decided by a [`Round`] in the order of arrival, counters move by conditional updates and rows go in under
//! partial unique indexes. All of it or nothing.

use std::{collections::BTreeMap, sync::Arc};

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, BookingState},
    file::FileThing,
    id::{FileId, PersonId, SlotId},
};
use sea_orm::IntoActiveModel;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{Booked, note_use, telling},
    round::{self, Round},
};
use crate::{
    app::App,
    auth::Villager,
    db::{self, Answers, Tx},
    files::{self, Hanging, Named, Owner},
    notices,
    problem::Problem,
    talks::bodies::TalkMode,
};

/// A place that is wanted.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookSlot {
    /// A code of the list `topics`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(super) topic: String,
    /// What it is about, in the villager's words.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) summary: String,
    /// A private matter is shown to nobody but the person and the host.
    pub(super) privacy: BookingPrivacy,
    /// How; the usual one of the day when it is not said.
    pub(super) mode: Option<TalkMode>,
    /// Person id of somebody who let the caller act (`GET /me/principals`).
    pub(super) for_person: Option<PersonId>,
    /// Where the host is to come: for a home visit, and only then.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) address: Option<String>,
    /// Files that the caller brought, for who may read the matter.
    #[validate(length(max = 9))]
    #[schema(max_items = 9)]
    pub(super) files: Option<Vec<FileId>>,
}

/// Who wants which place.
pub struct Wish {
    /// Keys and text messages.
    pub app: Arc<App>,
    /// Who asks.
    pub me: Villager,
    /// Where.
    pub slot: SlotId,
    /// What for.
    pub body: BookSlot,
    /// By the client's clock.
    pub client_time: Option<Instant>,
    /// By ours.
    pub now: Instant,
}

impl Wish {
    /// For whom.
    pub(super) fn principal(&self) -> PersonId {
        self.body.for_person.unwrap_or(self.me.person())
    }

    /// What comes with it.
    #[must_use]
    pub fn files(&self) -> Vec<Named> {
        Named::list(self.body.files.as_ref())
    }
}

/// Takes a place for each wish, or says why not.
///
/// # Errors
/// Of each: `not_found`, `invalid`, `already_booked`, `day_cancelled`, `booking_not_open`, `booking_closed`,
/// `limit_reached`, `slot_full` with `alternatives`.
pub async fn book(tx: &Tx, wishes: &[&Wish]) -> Answers<Booked> {
    let mut round = Round::open(tx, wishes).await?;
    let mut decisions = Vec::with_capacity(wishes.len());
    let mut grants = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let principal = wish.principal();
        let (decision, grant) = match round::allowed(tx, &wish.me, principal, round.is_minor(principal), wish.now).await
        {
            Ok(grant) => match files::claim(tx, Owner::Person(wish.me.person()), &wish.files(), None).await {
                Ok(claimed) => {
                    let decision = round.decide(wish, grant.as_ref());
                    if let Ok(Some(booked)) = &decision {
                        // At once: whoever names the same file behind them is refused.
                        let on = Hanging::on(FileThing::Booking, booked.booking.id.0);
                        files::hang(tx, claimed, on, wish.now).await?;
                    }
                    (decision, grant)
                }
                Err(problem) if problem.is_refusal() => (Err(problem), None),
                Err(problem) => return Err(problem),
            },
            Err(problem) if problem.is_refusal() => (Err(problem), None),
            Err(problem) => return Err(problem),
        };
        decisions.push(decision);
        grants.push(grant);
    }
    let booked: Vec<&Booked> = decisions.iter().filter_map(|decision| decision.as_ref().ok()?.as_ref()).collect();
    write(tx, &mut round, &booked).await?;
    for ((wish, grant), decision) in wishes.iter().zip(&grants).zip(&decisions) {
        if let Ok(Some(booked)) = decision {
            note_use(tx, &wish.app, grant.as_ref(), "book_slot", Some(booked.booking.id), wish.now).await?;
        }
    }
    let mut answers = Vec::with_capacity(wishes.len());
    for (wish, decision) in wishes.iter().zip(decisions) {
        answers.push(match decision {
            Ok(Some(booked)) => Ok(booked),
            Ok(None) => Err(round.full(tx, wish, 1).await?),
            Err(problem) => Err(problem),
        });
    }
    Ok(answers)
}

pub(super) async fn write(tx: &Tx, round: &mut Round, all: &[&Booked]) -> Result<(), Problem> {
    let mut taken = BTreeMap::<SlotId, i32>::new();
    for booked in all {
        *taken.entry(booked.slot.id).or_default() += 1;
    }
    round.take(tx, taken).await?;
    let rows = all.iter().map(|booked| booked.booking.clone().into_active_model()).collect();
    // Only the code can clash: everything else was settled under the locks.
    db::insert_all::<booking::ActiveModel>(tx, rows).await.map_err(db::again_on_unique)?;
    round.serve(tx).await?;
    let kind = |booked: &Booked| match booked.booking.state {
        BookingState::ToConfirm => "booked_to_confirm",
        _ => "booked",
    };
    let tellings = all.iter().map(|booked| telling(&booked.booking, &booked.slot, kind(booked))).collect();
    notices::tell(tx, tellings, round.now).await
}
