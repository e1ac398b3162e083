//! Days that a stand-in hosts for somebody who is away, so that they can be given back.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let covers = table("host_cover")
            .col(ColumnDef::new("absence_id").uuid().not_null())
            .col(ColumnDef::new("talk_day_id").uuid().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("absence_id", "absence", "id"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .to_owned();
        let indexes = vec![unique("host_cover", &["absence_id", "talk_day_id"]), index("host_cover", &["talk_day_id"])];
        create(manager, vec![covers], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["host_cover"]).await
    }
}
