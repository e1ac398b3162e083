//! Webhooks: servers of others that are told of cases, and what was told to them.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["webhook_delivery", "webhook"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, TABLES).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("webhook")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("url").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("off_reason").text())
            .col(ColumnDef::new("kinds").json_binary().not_null())
            .col(ColumnDef::new("secret").text().not_null())
            .col(ColumnDef::new("former_secret").text())
            .col(ColumnDef::new("former_until").timestamp_with_time_zone())
            .col(ColumnDef::new("entitled").json_binary())
            .col(ColumnDef::new("from_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("entitled_at").timestamp_with_time_zone())
            .col(ColumnDef::new("mark").uuid())
            .col(ColumnDef::new("failing_since").timestamp_with_time_zone())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("created_by").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("created_by", "staff", "id"))
            .to_owned(),
        table("webhook_delivery")
            .col(ColumnDef::new("webhook_id").uuid().not_null())
            .col(ColumnDef::new("event_id").uuid().not_null())
            .col(ColumnDef::new("case_id").uuid())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("round").integer().not_null())
            .col(ColumnDef::new("attempts").integer().not_null())
            .col(ColumnDef::new("next_at").timestamp_with_time_zone())
            .col(ColumnDef::new("tried_at").timestamp_with_time_zone())
            .col(ColumnDef::new("delivered_at").timestamp_with_time_zone())
            .col(ColumnDef::new("status").integer())
            .col(ColumnDef::new("error").text())
            .col(ColumnDef::new("answer").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("webhook_id", "webhook", "id"))
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("webhook", &["division_id", "id"]),
        index("webhook", &["state"]).and_where(Expr::col("state").eq("active")).to_owned(),
        // What was told is told no second time.
        unique("webhook_delivery", &["webhook_id", "event_id"]),
        index("webhook_delivery", &["webhook_id", "id"]),
        index("webhook_delivery", &["webhook_id", "state", "id"]),
        index("webhook_delivery", &["created_at"]),
    ]
}
