//! When each periodic sweep is due next, and who holds it.

use sea_orm::entity::prelude::*;

use crate::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sweep")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub due_at: Instant,
    pub leased_until: Option<Instant>,
    pub last_run_at: Option<Instant>,
    /// The last thing it has read, of a sweep that reads a log.
    pub mark: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
