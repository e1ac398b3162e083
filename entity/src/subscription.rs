//! How many messages of a template somebody would still take, as far as we know: WeChat's refusal is the truth.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Instant;

/// What a user said to a template (`wx.requestSubscribeMessage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SubscriptionAnswer {
    #[sea_orm(string_value = "accept")]
    Accept,
    #[sea_orm(string_value = "reject")]
    Reject,
    /// WeChat has banned the template.
    #[sea_orm(string_value = "ban")]
    Ban,
    /// Not asked, since another template has the same title.
    #[sea_orm(string_value = "filter")]
    Filter,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub openid: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub template_id: String,
    /// Messages; of a long-term template 1 stands for as many as there are.
    pub remaining: i32,
    /// One accept is good for many messages.
    pub long_term: bool,
    /// The last thing that was said.
    pub answer: Option<SubscriptionAnswer>,
    /// Accepts and messages, all in all.
    pub accepted: i32,
    pub spent: i32,
    /// Accepts that only the page or only the event has reported so far.
    #[sea_orm(column_type = "JsonBinary")]
    pub unpaired: Json,
    /// When nothing was left for sure: what was accepted before counts for nothing.
    pub emptied_at: Option<Instant>,
    pub changed_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
