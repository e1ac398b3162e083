//! The WeChat identity of a person: one account, one person.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::PersonId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "wechat_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub openid: String,
    pub unionid: Option<String>,
    #[sea_orm(unique)]
    pub person_id: PersonId,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
