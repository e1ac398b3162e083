//! Bookings and waiting lists when a person is joined with another, or forgotten.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant, booking,
    booking::BookingState,
    id::{PersonId, TalkDayId},
    talk_wait::{self, WaitState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set, sea_query::Expr,
};
use serde_json::json;

use super::{
    bookings::{give_back, lose},
    places, round, waits,
};
use crate::{db::Tx, problem::Problem, talks::terms::stored};

async fn live(tx: &Tx, person: PersonId) -> Result<Vec<booking::Model>, Problem> {
    let rows = booking::Entity::find()
        .filter(booking::COLUMN.person_id.eq(person))
        .filter(places::live())
        .order_by_asc(booking::Column::TalkDayId);
    Ok(rows.all(tx).await?)
}

/// Entries of waiting lists that somebody joined and that still wait or hold.
async fn waiting(tx: &Tx, person: PersonId) -> Result<Vec<talk_wait::Model>, Problem> {
    let rows = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.person_id.eq(person))
        .filter(talk_wait::COLUMN.state.is_in([WaitState::Waiting, WaitState::Held]))
        .order_by_asc(talk_wait::Column::TalkDayId);
    Ok(rows.all(tx).await?)
}

/// Gives every place of somebody back and takes their words out. That they were heard stays counted.
pub async fn cancel_all(tx: &Tx, person: PersonId, now: Instant) -> Result<(), Problem> {
    for row in live(tx, person).await? {
        if matches!(row.state, BookingState::Booked | BookingState::ToConfirm) {
            give_up(tx, row, "person_left", now).await?;
        }
    }
    for wait in waiting(tx, person).await? {
        let day = round::lock_day(tx, wait.talk_day_id).await?;
        waits::end(tx, &day, &wait, WaitState::Left, now).await?;
    }
    booking::Entity::update_many()
        .col_expr(booking::Column::Summary, Expr::val(""))
        .col_expr(booking::Column::AgendaTitle, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::Address, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::ObjectionText, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::CancelReason, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::AgentId, Expr::value(Option::<PersonId>::None))
        .filter(booking::COLUMN.person_id.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// The bookings of one become those of the other. Where both have a place on a day, the one by which they were heard
/// stays, else the other's own.
pub async fn move_bookings(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    let mut own: BTreeMap<TalkDayId, booking::Model> =
        live(tx, into).await?.into_iter().map(|row| (row.talk_day_id, row)).collect();
    let heard = |row: &booking::Model| row.state == BookingState::Concluded;
    for row in live(tx, from).await? {
        let Some(theirs) = own.remove(&row.talk_day_id) else { continue };
        let lost = if heard(&row) && !heard(&theirs) { theirs } else { row };
        give_up(tx, lost, "same_person", now).await?;
    }
    for column in [booking::Column::PersonId, booking::Column::AgentId] {
        booking::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    move_waits(tx, from, into, now).await
}

async fn move_waits(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    let theirs: BTreeSet<_> = waiting(tx, into).await?.into_iter().map(|wait| wait.slot_id).collect();
    for wait in waiting(tx, from).await? {
        if theirs.contains(&wait.slot_id) {
            let day = round::lock_day(tx, wait.talk_day_id).await?;
            waits::end(tx, &day, &wait, WaitState::Left, now).await?;
            continue;
        }
        let party: Vec<PersonId> = stored(&wait.party)?;
        let party: Vec<PersonId> = party.into_iter().map(|one| if one == from { into } else { one }).collect();
        let mut row = wait.into_active_model();
        row.party = Set(json!(party));
        row.update(tx).await?;
    }
    for column in [talk_wait::Column::PersonId, talk_wait::Column::AgentId] {
        talk_wait::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    Ok(())
}

async fn give_up(tx: &Tx, row: booking::Model, reason: &str, now: Instant) -> Result<(), Problem> {
    let day = round::lock_day(tx, row.talk_day_id).await?;
    places::lock_one(tx, row.slot_id).await?;
    let row = lose(tx, row, Some(reason.to_owned()), now).await?;
    give_back(tx, &day, &row, now).await?;
    Ok(())
}
