//! Reviews whole: additions, second ratings, follow-ups of bad ones, appeals against malicious ones, call-backs.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["call_back", "review_appeal", "follow_up"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "review", added()).await?;
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("review", "ix_review_handler_id_id"),
            ("review", "ix_review_created_at"),
            ("case_event", "ix_case_event_action_at"),
        ] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        drop(manager, TABLES).await?;
        let names: Vec<String> = added().iter().rev().map(ColumnDef::get_column_name).collect();
        drop_columns(manager, "review", &names.iter().map(String::as_str).collect::<Vec<_>>()).await
    }
}

fn added() -> Vec<ColumnDef> {
    let instant = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().take();
    vec![
        ColumnDef::new("handler_id").uuid().take(),
        ColumnDef::new("addition").text().take(),
        instant("added_at"),
        ColumnDef::new("second_stars").integer().check(Expr::cust("second_stars BETWEEN 1 AND 5")).take(),
        instant("rerated_at"),
        instant("excluded_at"),
    ]
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("follow_up")
            .col(ColumnDef::new("review_id").uuid().not_null().unique_key())
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("handler_id").uuid())
            .col(ColumnDef::new("opened_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("contact_due_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("contacted_at").timestamp_with_time_zone())
            .col(ColumnDef::new("contacted_by").uuid())
            .col(ColumnDef::new("contact_note").text())
            .col(ColumnDef::new("fix_due_on").date())
            .col(ColumnDef::new("settled_at").timestamp_with_time_zone())
            .col(ColumnDef::new("settled_by").uuid())
            .col(ColumnDef::new("outcome").text())
            .col(ColumnDef::new("outcome_note").text())
            .foreign_key(&mut reference("review_id", "review", "id"))
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .to_owned(),
        table("review_appeal")
            .col(ColumnDef::new("review_id").uuid().not_null().unique_key())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("by_staff").uuid().not_null())
            .col(ColumnDef::new("text").text().not_null())
            .col(ColumnDef::new("made_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("due_on").date().not_null())
            .col(ColumnDef::new("decided_at").timestamp_with_time_zone())
            .col(ColumnDef::new("decided_by").uuid())
            .col(ColumnDef::new("upheld").boolean())
            .col(ColumnDef::new("decision").text())
            .foreign_key(&mut reference("review_id", "review", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .foreign_key(&mut reference("by_staff", "staff", "id"))
            .to_owned(),
        table("call_back")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("round").integer().not_null())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("handler_id").uuid())
            .col(ColumnDef::new("drawn_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("due_on").date().not_null())
            .col(ColumnDef::new("called_at").timestamp_with_time_zone())
            .col(ColumnDef::new("called_by").uuid())
            .col(ColumnDef::new("result").text())
            .col(ColumnDef::new("note").text())
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let open = |table: &'static str, done: &'static str| {
        index(table, &["unit_id", "id"]).and_where(Expr::col(done).is_null()).to_owned()
    };
    vec![
        index("review", &["handler_id", "id"]),
        // What happened in a period.
        index("review", &["created_at"]),
        index("case_event", &["action", "at"]),
        open("follow_up", "settled_at"),
        index("follow_up", &["case_id"]),
        open("review_appeal", "decided_at"),
        open("call_back", "called_at"),
        unique("call_back", &["case_id", "round"]),
    ]
}
