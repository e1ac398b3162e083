//! Bookings when a person is joined with another, or forgotten.

use std::collections::BTreeSet;

use entity::{
    booking,
    booking::BookingState,
    id::{PersonId, TalkDayId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType},
};

use super::places;
use crate::{db::Tx, problem::Problem};

async fn live(tx: &Tx, person: PersonId) -> Result<Vec<booking::Model>, Problem> {
    let rows = booking::Entity::find()
        .filter(booking::COLUMN.person_id.eq(person))
        .filter(booking::COLUMN.live.eq(true))
        .order_by_asc(booking::Column::Id);
    Ok(rows.lock(LockType::NoKeyUpdate).all(tx).await?)
}

/// Gives every place of somebody back and takes their words out.
pub async fn cancel_all(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    for row in live(tx, person).await? {
        give_up(tx, row, "person_left").await?;
    }
    // What they came to say goes with them; that a place was taken stays counted.
    booking::Entity::update_many()
        .col_expr(booking::Column::Summary, Expr::val(""))
        .col_expr(booking::Column::CancelReason, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::AgentId, Expr::value(Option::<PersonId>::None))
        .filter(booking::COLUMN.person_id.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// The bookings of one become those of the other, who keeps their own place where both have one on a day.
pub async fn move_bookings(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    let taken: BTreeSet<TalkDayId> = live(tx, into).await?.into_iter().map(|row| row.talk_day_id).collect();
    for row in live(tx, from).await?.into_iter().filter(|row| taken.contains(&row.talk_day_id)) {
        give_up(tx, row, "same_person").await?;
    }
    for column in [booking::Column::PersonId, booking::Column::AgentId] {
        booking::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    Ok(())
}

async fn give_up(tx: &Tx, row: booking::Model, reason: &str) -> Result<(), Problem> {
    let (slot, version) = (row.slot_id, row.version + 1);
    let ahead = row.state == BookingState::Booked || row.state == BookingState::ToConfirm;
    let mut row = row.into_active_model();
    row.state = Set(BookingState::Cancelled);
    row.live = Set(false);
    row.cancel_reason = Set(Some(reason.to_owned()));
    row.version = Set(version);
    row.update(tx).await?;
    if ahead {
        places::give_back(tx, slot, 1).await?;
    }
    Ok(())
}
