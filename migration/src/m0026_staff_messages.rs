//! A message to staff stays what it was when it was made.

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
        let id = ColumnDef::new("message_id").uuid().take();
        let text = ColumnDef::new("message_text").text().take();
        let at = ColumnDef::new("message_at").timestamp_with_time_zone().take();
        add(manager, "staff_notice", vec![id, text, at]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "staff_notice", &["message_id", "message_text", "message_at"]).await
    }
}
