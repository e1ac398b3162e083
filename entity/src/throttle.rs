//! Counters of failures in a window of time, shared by all servers.

use sea_orm::entity::prelude::*;

use crate::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle")]
pub struct Model {
    /// What is counted, e.g. `staff:desk`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub window_starts_at: Instant,
    pub count: i32,
}

impl ActiveModelBehavior for ActiveModel {}
