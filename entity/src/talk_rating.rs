//! What somebody who was heard says of the day; single ones are shown to nobody but themselves.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{PersonId, TalkDayId, TalkRatingId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_rating")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkRatingId,
    pub talk_day_id: TalkDayId,
    pub person_id: PersonId,
    /// 1 to 5.
    pub stars: i32,
    pub text: Option<Sealed>,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
