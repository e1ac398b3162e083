//! Talk days whole: kinds and formats, waiting lists, the line of the day, records, minutes, ratings.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &[
    "talk_rating",
    "minutes_signature",
    "talk_minutes",
    "council_matter",
    "talk_record",
    "talk_wait",
    "booking_event",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in added() {
            add(manager, table, columns).await?;
        }
        let tables = of_the_line().into_iter().chain(of_what_was_said()).collect();
        create(manager, tables, indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [("cases", "ix_cases_booking_id"), ("booking", "ix_booking_party_id")] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        // The last made first: what refers to others goes before them.
        drop(manager, TABLES).await?;
        for (table, columns) in added().into_iter().rev() {
            // Backwards: a check of a later column may speak of an earlier one.
            let names: Vec<String> = columns.iter().rev().map(ColumnDef::get_column_name).collect();
            drop_columns(manager, table, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn added() -> Vec<(&'static str, Vec<ColumnDef>)> {
    let instant = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().take();
    let text = |name: &'static str| ColumnDef::new(name).text().take();
    let usual = |name: &'static str, value: &'static str| ColumnDef::new(name).text().not_null().default(value).take();
    let count = |name: &'static str| ColumnDef::new(name).integer().not_null().default(0).take();
    let counted = |name: &'static str, check: &'static str| count(name).check(Expr::cust(check)).take();
    vec![
        (
            "talk_rule",
            vec![
                usual("purpose", "talk"),
                usual("format", "private_slots"),
                usual("holiday_policy", "keep"),
                text("video_url"),
            ],
        ),
        (
            "talk_day",
            vec![
                usual("purpose", "talk"),
                usual("format", "private_slots"),
                text("video_url"),
                ColumnDef::new("shifted_from").date().take(),
                instant("shifted_at"),
                instant("changed_at"),
                count("line_version"),
                count("walk_ins"),
            ],
        ),
        (
            "slot",
            vec![
                counted("held", "held >= 0 AND taken + held <= public_places"),
                counted("reserve_taken", "reserve_taken >= 0 AND reserve_taken <= places - public_places"),
                counted("waiting", "waiting >= 0"),
            ],
        ),
        (
            "booking",
            vec![
                usual("place", "public"),
                usual("channel", "app"),
                ColumnDef::new("entered_by").uuid().take(),
                ColumnDef::new("party_id").uuid().take(),
                text("address"),
                ColumnDef::new("route_order").integer().take(),
                instant("arrived_at"),
                instant("called_at"),
                instant("ended_at"),
                text("objection"),
                text("objection_text"),
                text("screened"),
                text("agenda_title"),
                text("outcome"),
                ColumnDef::new("case_id").uuid().take(),
                instant("changed_at"),
            ],
        ),
        ("person", vec![ColumnDef::new("priority_from").date().take(), ColumnDef::new("priority_until").date().take()]),
        (
            "cases",
            vec![
                ColumnDef::new("booking_id").uuid().take(),
                ColumnDef::new("private").boolean().not_null().default(false).take(),
            ],
        ),
    ]
}

/// Steps on the day and waiting lists.
fn of_the_line() -> Vec<TableCreateStatement> {
    let instant = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().not_null().take();
    let uuid = |name: &'static str| ColumnDef::new(name).uuid().not_null().take();
    let text = |name: &'static str| ColumnDef::new(name).text().not_null().take();
    vec![
        table("booking_event")
            .col(uuid("booking_id"))
            .col(uuid("talk_day_id"))
            .col(text("action"))
            .col(text("from_state"))
            .col(text("to_state"))
            .col(text("by_kind"))
            .col(ColumnDef::new("staff_id").uuid())
            .col(ColumnDef::new("person_id").uuid())
            .col(instant("at"))
            .col(instant("acted_at"))
            .col(ColumnDef::new("key").text())
            .col(ColumnDef::new("before").json_binary())
            .col(ColumnDef::new("undone_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("booking_id", "booking", "id"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
        table("talk_wait")
            .col(uuid("slot_id"))
            .col(uuid("talk_day_id"))
            .col(uuid("person_id"))
            .col(ColumnDef::new("agent_id").uuid())
            .col(ColumnDef::new("authorisation_id").uuid())
            .col(ColumnDef::new("party").json_binary().not_null())
            .col(ColumnDef::new("places").integer().not_null().check(Expr::cust("places > 0")))
            .col(text("state"))
            .col(ColumnDef::new("held_at").timestamp_with_time_zone())
            .col(ColumnDef::new("held_until").timestamp_with_time_zone())
            .col(instant("created_at"))
            .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("slot_id", "slot", "id"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("agent_id", "person", "id"))
            .foreign_key(&mut reference("authorisation_id", "authorisation", "id"))
            .to_owned(),
    ]
}

/// What was said: records, the council's list, minutes, ratings.
fn of_what_was_said() -> Vec<TableCreateStatement> {
    let instant = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().not_null().take();
    let uuid = |name: &'static str| ColumnDef::new(name).uuid().not_null().take();
    let text = |name: &'static str| ColumnDef::new(name).text().not_null().take();
    vec![
        table("talk_record")
            .col(uuid("booking_id"))
            .col(uuid("talk_day_id"))
            .col(ColumnDef::new("revision").integer().not_null())
            .col(text("text"))
            .col(ColumnDef::new("public_text").text())
            .col(ColumnDef::new("reason").text())
            .col(uuid("staff_id"))
            .col(instant("at"))
            .foreign_key(&mut reference("booking_id", "booking", "id"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
        table("council_matter")
            .col(uuid("division_id"))
            .col(uuid("booking_id"))
            .col(text("title"))
            .col(uuid("listed_by"))
            .col(instant("listed_at"))
            .col(ColumnDef::new("taken_up_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("booking_id", "booking", "id"))
            .foreign_key(&mut reference("listed_by", "staff", "id"))
            .to_owned(),
        table("talk_minutes")
            .col(uuid("talk_day_id"))
            .col(text("document"))
            .col(text("digest"))
            .col(ColumnDef::new("public_document").json_binary().not_null())
            .col(uuid("compiled_by"))
            .col(instant("compiled_at"))
            .col(ColumnDef::new("due_on").date().not_null())
            .col(ColumnDef::new("signed_at").timestamp_with_time_zone())
            .col(ColumnDef::new("published_at").timestamp_with_time_zone())
            .col(ColumnDef::new("published_by").uuid())
            .col(ColumnDef::new("version").integer().not_null())
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("compiled_by", "staff", "id"))
            .foreign_key(&mut reference("published_by", "staff", "id"))
            .to_owned(),
        table("minutes_signature")
            .col(uuid("minutes_id"))
            .col(uuid("person_id"))
            .col(text("name"))
            .col(text("mark"))
            .col(ColumnDef::new("reference").text())
            .col(text("digest"))
            .col(uuid("witnessed_by"))
            .col(instant("at"))
            .foreign_key(&mut reference("minutes_id", "talk_minutes", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("witnessed_by", "staff", "id"))
            .to_owned(),
        table("talk_rating")
            .col(uuid("talk_day_id"))
            .col(uuid("person_id"))
            .col(ColumnDef::new("stars").integer().not_null().check(Expr::cust("stars BETWEEN 1 AND 5")))
            .col(ColumnDef::new("text").text())
            .col(instant("at"))
            .foreign_key(&mut reference("talk_day_id", "talk_day", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let waiting = || Expr::cust("state IN ('waiting', 'held')");
    vec![
        index("booking_event", &["booking_id", "id"]),
        index("booking_event", &["talk_day_id", "id"]),
        unique("booking_event", &["talk_day_id", "key"]).and_where(Expr::col("key").is_not_null()).to_owned(),
        unique("talk_wait", &["slot_id", "person_id"]).and_where(waiting()).to_owned(),
        index("talk_wait", &["slot_id", "id"]).and_where(waiting()).to_owned(),
        index("talk_wait", &["talk_day_id"]).and_where(waiting()).to_owned(),
        index("talk_wait", &["person_id", "id"]),
        index("talk_wait", &["held_until"]).and_where(Expr::col("state").eq("held")).to_owned(),
        unique("talk_record", &["booking_id", "revision"]),
        index("talk_record", &["talk_day_id"]),
        unique("council_matter", &["booking_id"]),
        index("council_matter", &["division_id", "id"]),
        unique("talk_minutes", &["talk_day_id"]),
        unique("minutes_signature", &["minutes_id", "person_id"]),
        unique("talk_rating", &["talk_day_id", "person_id"]),
        index("booking", &["party_id"]).and_where(Expr::col("party_id").is_not_null()).to_owned(),
        index("cases", &["booking_id"]).and_where(Expr::col("booking_id").is_not_null()).to_owned(),
    ]
}
