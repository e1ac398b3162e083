//! The catalogue of service items and the working calendar, both versioned.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, keyed_table, reference, table, unique};

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
        drop(manager, &["calendar_day", "calendar_version", "service_item"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("service_item")
            .col(ColumnDef::new("code").text().not_null())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("current").boolean().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("handled_at").text().not_null())
            .col(ColumnDef::new("decided_at").text().not_null())
            .col(ColumnDef::new("department").text().not_null())
            .col(ColumnDef::new("materials").json_binary().not_null())
            .col(ColumnDef::new("statutory_days").integer())
            .col(ColumnDef::new("promised_days").integer())
            .col(ColumnDef::new("fee").text().not_null())
            .col(ColumnDef::new("audience").text().not_null())
            .col(ColumnDef::new("sichuan_item_code").text())
            .col(ColumnDef::new("source").text().not_null())
            .col(ColumnDef::new("provenance").json_binary().not_null())
            .col(ColumnDef::new("estimated").json_binary().not_null())
            .col(ColumnDef::new("note").text().not_null())
            .col(ColumnDef::new("published_at").timestamp_with_time_zone().not_null())
            .to_owned(),
        keyed_table("calendar_version", "version")
            .col(ColumnDef::new("published_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("source").text().not_null())
            .to_owned(),
        Table::create()
            .table("calendar_day")
            .col(ColumnDef::new("version").text().not_null())
            .col(ColumnDef::new("on_date").date().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .primary_key(Index::create().col("version").col("on_date"))
            .foreign_key(&mut reference("version", "calendar_version", "version"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("service_item", &["code", "version"]),
        index("service_item", &["code"])
            .name("ux_service_item_current")
            .unique()
            .and_where(Expr::col("current"))
            .to_owned(),
    ]
}
