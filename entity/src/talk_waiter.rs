//! One of a party that waits, so that an entry is found by everybody whom it concerns.

use sea_orm::entity::prelude::*;

use crate::id::{PersonId, TalkWaitId, TalkWaiterId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_waiter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkWaiterId,
    pub wait_id: TalkWaitId,
    pub person_id: PersonId,
}

impl ActiveModelBehavior for ActiveModel {}
