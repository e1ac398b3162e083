//! How notices reach people beside the inbox, and what staff are told.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["staff_notice", "notice_delivery"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let undelivered = Index::drop().name("ix_notice_undelivered").table("notice").to_owned();
        manager.drop_index(undelivered).await?;
        drop(manager, TABLES).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("notice_delivery")
            .col(ColumnDef::new("notice_id").uuid().not_null())
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("urgency").text().not_null())
            .col(ColumnDef::new("case_id").uuid())
            .col(ColumnDef::new("village_id").uuid())
            .col(ColumnDef::new("township_id").uuid())
            .col(ColumnDef::new("confidential").boolean().not_null())
            .col(ColumnDef::new("discreet").boolean().not_null())
            .col(ColumnDef::new("channel").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("due_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("put_off").boolean().not_null())
            .col(ColumnDef::new("tries").integer().not_null())
            .col(ColumnDef::new("tried_at").timestamp_with_time_zone())
            .col(ColumnDef::new("in_flight").text())
            .col(ColumnDef::new("openid").text())
            .col(ColumnDef::new("template_id").text())
            .col(ColumnDef::new("msgid").text())
            .col(ColumnDef::new("error").text())
            .col(ColumnDef::new("merged_into").uuid())
            .col(ColumnDef::new("told_at").timestamp_with_time_zone())
            .col(ColumnDef::new("done_by").uuid())
            .col(ColumnDef::new("done_how").text())
            .col(ColumnDef::new("done_text").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("done_by", "staff", "id"))
            .to_owned(),
        table("staff_notice")
            .col(ColumnDef::new("staff_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("urgency").text().not_null())
            .col(ColumnDef::new("case_id").uuid())
            .col(ColumnDef::new("division_id").uuid())
            .col(ColumnDef::new("confidential").boolean().not_null())
            .col(ColumnDef::new("params").json_binary().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("due_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("robot").text())
            .col(ColumnDef::new("sent_at").timestamp_with_time_zone())
            .col(ColumnDef::new("error").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("read_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let open = || Expr::col("state").is_in(["waiting", "sending", "unknown", "to_call"]);
    let on_its_way = || Expr::col("state").is_in(["waiting", "sending", "unknown"]);
    let mut undelivered = index("notice", &["created_at"]).name("ix_notice_undelivered").to_owned();
    vec![
        // What the sweep looks for that brings on what is stuck.
        undelivered.and_where(Expr::col("delivered_at").is_null()).to_owned(),
        index("notice_delivery", &["due_at"]).and_where(on_its_way()).to_owned(),
        // One notice goes one way at a time.
        unique("notice_delivery", &["notice_id"]),
        // WeChat refuses two messages to one person at once (43108), however many servers send.
        unique("notice_delivery", &["in_flight"]),
        index("notice_delivery", &["person_id", "tried_at"]),
        index("notice_delivery", &["person_id", "due_at"]).and_where(open()).to_owned(),
        index("notice_delivery", &["village_id", "state", "id"]),
        index("notice_delivery", &["township_id", "state", "id"]),
        index("notice_delivery", &["merged_into"]),
        index("notice_delivery", &["msgid"]),
        // Reports on messages whose number nobody knows.
        index("notice_delivery", &["openid", "tried_at"]),
        index("notice_delivery", &["created_at"]),
        index("staff_notice", &["staff_id", "id"]),
        index("staff_notice", &["staff_id", "sent_at"]),
        index("staff_notice", &["robot", "sent_at"]).and_where(Expr::col("robot").is_not_null()).to_owned(),
        index("staff_notice", &["due_at"]).and_where(Expr::col("state").is_in(["waiting", "sending"])).to_owned(),
        index("staff_notice", &["created_at"]),
    ]
}
