//! The queue that is also the outbox, and the clockwork of the sweeps.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, keyed_table, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["sweep", "job"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("job")
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("payload").json_binary().not_null())
            .col(ColumnDef::new("key").text())
            .col(ColumnDef::new("run_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("attempts").integer().not_null())
            .col(ColumnDef::new("leased_until").timestamp_with_time_zone())
            .col(ColumnDef::new("done_at").timestamp_with_time_zone())
            .col(ColumnDef::new("dead_at").timestamp_with_time_zone())
            .col(ColumnDef::new("last_error").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .to_owned(),
        keyed_table("sweep", "name")
            .col(ColumnDef::new("due_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("leased_until").timestamp_with_time_zone())
            .col(ColumnDef::new("last_run_at").timestamp_with_time_zone())
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("job", &["run_at"])
            .and_where(Expr::col("done_at").is_null().and(Expr::col("dead_at").is_null()))
            .to_owned(),
        unique("job", &["key"]),
        index("job", &["done_at"]),
    ]
}
