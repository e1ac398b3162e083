//! Staff whole: second factor, WeCom, absence, conflicts of interest; the audit chain; what became of merged places.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in added() {
            add(manager, table, columns).await?;
        }
        drop_index(manager, "unit", "ux_unit_division_id_kind").await?;
        create(manager, tables(), indexes()).await?;
        // The head of the chain is one row that every entry of the audit takes hold of.
        let head = Query::insert()
            .into_table("audit_head")
            .columns(["id", "seq", "hash"])
            .values_panic([1.into(), 0_i64.into(), "".into()])
            .to_owned();
        manager.execute(head).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, "unit", "ux_unit_division_id_kind").await?;
        drop_index(manager, "staff", "ux_staff_wecom_userid").await?;
        let mut one_of_a_kind = unique("unit", &["division_id", "kind"]);
        manager.create_index(one_of_a_kind.and_where(Expr::col("kind").ne("department")).to_owned()).await?;
        drop(manager, &["division_change", "audit_head", "audit_entry", "conflict", "absence"]).await?;
        for (table, columns) in added().into_iter().rev() {
            let names: Vec<String> = columns.iter().map(ColumnDef::get_column_name).collect();
            drop_columns(manager, table, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

async fn drop_index(manager: &SchemaManager<'_>, table: &'static str, name: &'static str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
}

fn added() -> Vec<(&'static str, Vec<ColumnDef>)> {
    vec![
        ("session", vec![ColumnDef::new("second_factor").boolean().not_null().default(false).take()]),
        (
            "staff",
            vec![
                ColumnDef::new("totp_secret").text().take(),
                ColumnDef::new("totp_confirmed_at").timestamp_with_time_zone().take(),
                ColumnDef::new("totp_last_step").big_integer().take(),
                ColumnDef::new("wecom_userid").text().take(),
            ],
        ),
        ("unit", vec![ColumnDef::new("parent_id").uuid().take()]),
        ("division", vec![ColumnDef::new("merged_into").uuid().take(), ColumnDef::new("ended_on").date().take()]),
    ]
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("absence")
            .col(ColumnDef::new("staff_id").uuid().not_null())
            .col(ColumnDef::new("stand_in_id").uuid().not_null())
            .col(ColumnDef::new("from_on").date().not_null())
            .col(ColumnDef::new("until_on").date().not_null())
            .col(ColumnDef::new("created_by").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("begun_at").timestamp_with_time_zone())
            .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .foreign_key(&mut reference("stand_in_id", "staff", "id"))
            .to_owned(),
        table("conflict")
            .col(ColumnDef::new("staff_id").uuid().not_null())
            .col(ColumnDef::new("with_staff_id").uuid())
            .col(ColumnDef::new("with_person_id").uuid())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("created_by").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .foreign_key(&mut reference("with_staff_id", "staff", "id"))
            .foreign_key(&mut reference("with_person_id", "person", "id"))
            .check(Expr::cust("(with_staff_id IS NULL) <> (with_person_id IS NULL)"))
            .to_owned(),
        Table::create()
            .table("audit_entry")
            .col(ColumnDef::new("seq").big_integer().not_null().primary_key())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("actor_kind").text().not_null())
            .col(ColumnDef::new("actor_id").uuid())
            .col(ColumnDef::new("unit_id").uuid())
            .col(ColumnDef::new("action").text().not_null())
            .col(ColumnDef::new("object_kind").text().not_null())
            .col(ColumnDef::new("object_id").text())
            .col(ColumnDef::new("fields").text())
            .col(ColumnDef::new("reason").text())
            .col(ColumnDef::new("request_id").text())
            .col(ColumnDef::new("result").text().not_null())
            .col(ColumnDef::new("hash").text().not_null())
            .to_owned(),
        Table::create()
            .table("audit_head")
            .col(ColumnDef::new("id").integer().not_null().primary_key())
            .col(ColumnDef::new("seq").big_integer().not_null())
            .col(ColumnDef::new("hash").text().not_null())
            .check(Expr::cust("id = 1"))
            .to_owned(),
        table("division_change")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("old_code").text().not_null())
            .col(ColumnDef::new("new_code").text().not_null())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        // Of departments and grids a place has many.
        unique("unit", &["division_id", "kind"])
            .and_where(Expr::col("kind").is_not_in(["department", "grid"]))
            .to_owned(),
        unique("staff", &["wecom_userid"]),
        index("absence", &["staff_id"]),
        index("absence", &["stand_in_id"]),
        unique("conflict", &["staff_id", "with_staff_id"]),
        unique("conflict", &["staff_id", "with_person_id"]),
        index("conflict", &["with_staff_id"]),
        index("audit_entry", &["object_id", "seq"]),
        index("audit_entry", &["actor_id", "seq"]),
        index("division_change", &["old_code"]),
    ]
}
