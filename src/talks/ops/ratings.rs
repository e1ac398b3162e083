//! Villagers rate the day on which they were heard: once, after it, for fifteen days.
//!
//! Nobody reads a single rating but its author; what a day or a place comes to is a number of [`super::numbers`].

use chrono::TimeDelta;
use entity::{
    Instant, booking,
    booking::BookingState,
    id::{TalkDayId, TalkRatingId},
    talk_day, talk_rating,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    personal::{Personal, PrivateText},
    problem::{Code, OnUnique, Problem},
};

/// How long after its day a rating may be given.
const OPEN_WITHIN: TimeDelta = TimeDelta::days(15);

/// What somebody says of a day.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateTalkDay {
    /// 1 (very bad) to 5 (very good); nothing is preselected.
    #[validate(range(min = 1, max = 5))]
    #[schema(minimum = 1, maximum = 5)]
    stars: i32,
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub text: Option<String>,
}

/// Takes a rating.
///
/// # Errors
/// `not_found` for who has no place on the day, `rating_not_open`, `already_rated`.
pub async fn rate(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: TalkDayId,
    body: &RateTalkDay,
    now: Instant,
) -> Result<talk_rating::Model, Problem> {
    let mine = booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(id))
        .filter(booking::COLUMN.person_id.eq(me.person()))
        .filter(booking::COLUMN.live.eq(true));
    let mine = mine.all(tx).await?;
    let day = talk_day::Entity::find_by_id(id).one(tx).await?.filter(|_| !mine.is_empty());
    let day = day.ok_or_else(Problem::not_found)?;
    let heard = mine.iter().any(|booking| booking.state == BookingState::Concluded);
    if !heard || now < day.ends_at || now >= day.ends_at + OPEN_WITHIN {
        return Err(Code::RatingNotOpen.into());
    }
    let text = body.text.as_ref().map(|text| PrivateText::of_stored(text.trim().to_owned()));
    let row = talk_rating::Model {
        id: TalkRatingId::fresh(),
        talk_day_id: id,
        person_id: me.person(),
        stars: body.stars,
        text: text.map(|text| app.field_keys.close(&text)).transpose()?,
        at: now,
    };
    let insert = talk_rating::Entity::insert(talk_rating::ActiveModel::from(row.clone()).reset_all());
    insert.exec_without_returning(tx).await.on_unique(Code::AlreadyRated)?;
    Ok(row)
}
