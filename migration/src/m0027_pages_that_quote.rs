//! A page says whether it quotes the villager: it goes when those words are held.

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
        // Of pages from before nobody knows: they may.
        add(manager, "publication", vec![ColumnDef::new("quotes").boolean().not_null().default(true).take()]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "publication", &["quotes"]).await
    }
}
