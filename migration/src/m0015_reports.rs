//! Periodic lists and reports; cases of a place in the order in which they came.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["report_line", "report"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["ix_cases_township_id_created_at", "ix_cases_county_id_created_at"] {
            manager.drop_index(Index::drop().name(name).table("cases").to_owned()).await?;
        }
        drop(manager, TABLES).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("report")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("period").text().not_null())
            .col(ColumnDef::new("period_from").date().not_null())
            .col(ColumnDef::new("period_to").date().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("content").text().not_null())
            .col(ColumnDef::new("digest").text().not_null())
            .col(ColumnDef::new("lines").integer().not_null())
            .col(ColumnDef::new("population").text().not_null())
            .col(ColumnDef::new("drawn_by").uuid().not_null())
            .col(ColumnDef::new("drawn_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("settled_by").uuid())
            .col(ColumnDef::new("settled_at").timestamp_with_time_zone())
            .col(ColumnDef::new("replaces").uuid())
            .col(ColumnDef::new("reason").text())
            .col(ColumnDef::new("replaced_by").uuid())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("drawn_by", "staff", "id"))
            .foreign_key(&mut reference("settled_by", "staff", "id"))
            .foreign_key(&mut reference("replaces", "report", "id"))
            .foreign_key(&mut reference("replaced_by", "report", "id"))
            // Nobody signs what they drew themselves.
            .check(Expr::cust("state <> 'signed' OR settled_by <> drawn_by"))
            .to_owned(),
        Table::create()
            .table("report_line")
            .col(ColumnDef::new("report_id").uuid().not_null())
            .col(ColumnDef::new("seq").integer().not_null())
            .col(ColumnDef::new("line").text().not_null())
            .primary_key(Index::create().col("report_id").col("seq"))
            .foreign_key(&mut reference("report_id", "report", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let of_a_period = ["division_id", "kind", "period"];
    vec![
        index("report", &["division_id", "id"]),
        // One that is looked at, and one that holds, for each place, kind and period.
        unique("report", &of_a_period).name("ux_report_drawn").and_where(Expr::col("state").eq("drawn")).to_owned(),
        unique("report", &of_a_period)
            .name("ux_report_signed")
            .and_where(Expr::col("state").eq("signed").and(Expr::col("replaced_by").is_null()))
            .to_owned(),
        index("cases", &["township_id", "created_at"]),
        index("cases", &["county_id", "created_at"]),
    ]
}
