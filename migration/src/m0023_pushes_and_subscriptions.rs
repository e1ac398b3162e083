//! What WeChat pushes, and how many messages of each template people would take.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, table};

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
        drop(manager, &["subscription", "wechat_push"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("wechat_push")
            .col(ColumnDef::new("key").text().not_null().unique_key())
            .col(ColumnDef::new("sender").text().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("body").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("received_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("processed_at").timestamp_with_time_zone())
            .to_owned(),
        Table::create()
            .table("subscription")
            .col(ColumnDef::new("openid").text().not_null())
            .col(ColumnDef::new("template_id").text().not_null())
            .col(ColumnDef::new("remaining").integer().not_null().check(Expr::col("remaining").gte(0)))
            .col(ColumnDef::new("long_term").boolean().not_null())
            .col(ColumnDef::new("answer").text())
            .col(ColumnDef::new("accepted").integer().not_null())
            .col(ColumnDef::new("spent").integer().not_null())
            .col(ColumnDef::new("unpaired").json_binary().not_null())
            .col(ColumnDef::new("emptied_at").timestamp_with_time_zone())
            .col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
            .primary_key(Index::create().col("openid").col("template_id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let waiting = index("wechat_push", &["sender", "id"]).and_where(Expr::col("state").eq("waiting")).to_owned();
    vec![waiting, index("wechat_push", &["received_at"])]
}
