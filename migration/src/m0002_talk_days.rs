//! Talk rules, talk days, slots, bookings.

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
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["booking", "slot", "talk_day", "talk_rule"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("talk_rule")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("recurrence").json_binary().not_null())
            .col(ColumnDef::new("exceptions").json_binary().not_null())
            .col(ColumnDef::new("starts").time().not_null())
            .col(ColumnDef::new("ends").time().not_null())
            .col(ColumnDef::new("slot_minutes").integer().not_null())
            .col(ColumnDef::new("capacity").integer().not_null())
            .col(ColumnDef::new("walk_in_share").double().not_null())
            .col(ColumnDef::new("hosts").json_binary().not_null())
            .col(ColumnDef::new("place").text().not_null())
            .col(ColumnDef::new("modes").json_binary().not_null())
            .col(ColumnDef::new("opens_days_before").integer().not_null())
            .col(ColumnDef::new("closes_hours_before").integer().not_null())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .to_owned(),
        table("talk_day")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("rule_id").uuid())
            .col(ColumnDef::new("on_date").date().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("starts_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("ends_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("opens_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("closes_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("place").text().not_null())
            .col(ColumnDef::new("hosts").json_binary().not_null())
            .col(ColumnDef::new("modes").json_binary().not_null())
            .col(ColumnDef::new("cancel_reason").text())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("rule_id", "talk_rule", "id"))
            .to_owned(),
        table("slot")
            .col(ColumnDef::new("talk_day_id").uuid().not_null())
            .col(ColumnDef::new("starts_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("ends_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("places").integer().not_null())
            .col(ColumnDef::new("public_places").integer().not_null())
            .col(ColumnDef::new("taken").integer().not_null())
            .col(ColumnDef::new("released").integer().not_null())
            .col(ColumnDef::new("first_number").integer().not_null())
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .check(Expr::cust("taken >= 0 AND taken <= public_places AND public_places <= places"))
            .to_owned(),
        table("booking")
            .col(ColumnDef::new("code").text().not_null().unique_key())
            .col(ColumnDef::new("slot_id").uuid().not_null())
            .col(ColumnDef::new("talk_day_id").uuid().not_null())
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("live").boolean().not_null())
            .col(ColumnDef::new("number_in_line").integer().not_null())
            .col(ColumnDef::new("topic").text().not_null())
            .col(ColumnDef::new("summary").text().not_null())
            .col(ColumnDef::new("privacy").text().not_null())
            .col(ColumnDef::new("mode").text().not_null())
            .col(ColumnDef::new("cancel_reason").text())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("client_time").timestamp_with_time_zone())
            .foreign_key(&mut reference("slot_id", "slot", "id"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("talk_rule", &["division_id"]),
        unique("talk_day", &["rule_id", "on_date"]),
        index("talk_day", &["division_id", "on_date"]),
        unique("slot", &["talk_day_id", "starts_at"]),
        unique("booking", &["talk_day_id", "person_id"]).and_where(Expr::col("live")).to_owned(),
        unique("booking", &["slot_id", "number_in_line"]).and_where(Expr::col("live")).to_owned(),
        index("booking", &["person_id", "id"]),
    ]
}
