//! Cases whole: pauses, extensions, requests, nudges, merging, supervision by time; settings and duty lists of a place.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["duty_entry", "division_setting", "co_handler"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in added() {
            add(manager, table, columns).await?;
        }
        let since = Query::update().table("cases").value("since_at", Expr::col("updated_at")).to_owned();
        manager.execute(since).await?;
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in
            ["ix_cases_pending_unit_id", "ix_cases_alarm_at", "ix_cases_merged_into", "ix_cases_village_id_created_at"]
        {
            manager.drop_index(Index::drop().name(name).table("cases").to_owned()).await?;
        }
        drop(manager, TABLES).await?;
        for (table, columns) in added().into_iter().rev() {
            let names: Vec<String> = columns.iter().rev().map(ColumnDef::get_column_name).collect();
            drop_columns(manager, table, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn added() -> Vec<(&'static str, Vec<ColumnDef>)> {
    let instant = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().take();
    let text = |name: &'static str| ColumnDef::new(name).text().take();
    let id = |name: &'static str| ColumnDef::new(name).uuid().take();
    let day = |name: &'static str| ColumnDef::new(name).date().take();
    let count = |name: &'static str| ColumnDef::new(name).integer().not_null().default(0).take();
    let since =
        ColumnDef::new("since_at").timestamp_with_time_zone().not_null().default("2000-01-01 00:00:00+00:00").take();
    vec![
        (
            "cases",
            vec![
                since,
                day("until_on"),
                day("paused_on"),
                count("paused_days"),
                count("extended_days"),
                day("reopened_on"),
                text("pending"),
                id("pending_unit_id"),
                id("pending_by"),
                count("supplements"),
                ColumnDef::new("objected").boolean().not_null().default(false).take(),
                id("locked_unit_id"),
                id("former_assignee_id"),
                count("nudges"),
                day("nudged_on"),
                instant("signed_at"),
                instant("contact_due_at"),
                instant("contacted_at"),
                instant("papers_due_at"),
                id("merged_into"),
                count("gathered"),
                count("alarm_step"),
                instant("alarm_at"),
                text("object"),
                text("group_name"),
            ],
        ),
        ("case_event", vec![ColumnDef::new("detail").json_binary().take()]),
    ]
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("co_handler")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("staff_id").uuid())
            .col(ColumnDef::new("asked_by").uuid().not_null())
            .col(ColumnDef::new("asked_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("answer_on").date().not_null())
            .col(ColumnDef::new("reported_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
        Table::create()
            .table("division_setting")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("key").text().not_null())
            .col(ColumnDef::new("value").json_binary().not_null())
            .col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("changed_by").uuid().not_null())
            .primary_key(Index::create().col("division_id").col("key"))
            .foreign_key(&mut reference("division_id", "division", "id"))
            .to_owned(),
        table("duty_entry")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("item_code").text())
            .col(ColumnDef::new("topic").text())
            .col(ColumnDef::new("group_name").text())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("staff_id").uuid())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let of_cases =
        |column: &'static str| index("cases", &[column]).and_where(Expr::col(column).is_not_null()).to_owned();
    vec![
        of_cases("pending_unit_id"),
        of_cases("alarm_at"),
        of_cases("merged_into"),
        index("cases", &["village_id", "created_at"]),
        unique("co_handler", &["case_id", "unit_id", "staff_id"]),
        index("co_handler", &["unit_id"]),
        index("co_handler", &["staff_id"]),
        index("duty_entry", &["division_id"]),
    ]
}
