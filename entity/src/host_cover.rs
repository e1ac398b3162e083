//! What became of a talk day of somebody who is away: their stand-in hosts it, or may not.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{AbsenceId, HostCoverId, TalkDayId},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CoverState {
    /// The stand-in hosts it.
    #[sea_orm(string_value = "covered")]
    Covered,
    /// The stand-in may not host it; it stays as it was.
    #[sea_orm(string_value = "left")]
    Left,
    /// The absence is over, and with it the cover.
    #[sea_orm(string_value = "over")]
    Over,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "host_cover")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HostCoverId,
    pub absence_id: AbsenceId,
    pub talk_day_id: TalkDayId,
    pub state: CoverState,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
