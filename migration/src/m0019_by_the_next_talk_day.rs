//! What was said on a talk day is answered by the next one.

use sea_orm_migration::prelude::*;

use crate::shape::{add, drop_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "cases", vec![ColumnDef::new("next_talk_on").date().take()]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "cases", &["next_talk_on"]).await
    }
}
