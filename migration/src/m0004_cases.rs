//! Cases, their timeline, reviews, notices, and the answers that may be repeated.

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
        drop(manager, &["idempotent_answer", "notice", "review", "case_event", "case_against", "cases"]).await
    }
}

#[allow(clippy::too_many_lines, reason = "a list of columns")]
fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("cases")
            .col(ColumnDef::new("number").text().not_null().unique_key())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("round").integer().not_null())
            .col(ColumnDef::new("title").text().not_null())
            .col(ColumnDef::new("text").text().not_null())
            .col(ColumnDef::new("form").json_binary())
            .col(ColumnDef::new("topic").text())
            .col(ColumnDef::new("concern").text())
            .col(ColumnDef::new("urgency").text().not_null())
            .col(ColumnDef::new("channel").text().not_null())
            .col(ColumnDef::new("confidential").boolean().not_null())
            .col(ColumnDef::new("item_id").uuid())
            .col(ColumnDef::new("promised_days").integer())
            .col(ColumnDef::new("statutory_days").integer())
            .col(ColumnDef::new("village_id").uuid().not_null())
            .col(ColumnDef::new("township_id").uuid().not_null())
            .col(ColumnDef::new("county_id").uuid().not_null())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("first_unit_id").uuid().not_null())
            .col(ColumnDef::new("assignee_id").uuid())
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("entered_by").uuid())
            .col(ColumnDef::new("contact_name").text())
            .col(ColumnDef::new("contact_phone").text())
            .col(ColumnDef::new("accepted_on").date())
            .col(ColumnDef::new("promised_due_on").date())
            .col(ColumnDef::new("statutory_due_on").date())
            .col(ColumnDef::new("provisional").boolean().not_null())
            .col(ColumnDef::new("calendar_version").text().not_null())
            .col(ColumnDef::new("step_due_at").timestamp_with_time_zone())
            .col(ColumnDef::new("due_on").date().not_null())
            .col(ColumnDef::new("returns").integer().not_null())
            .col(ColumnDef::new("reopens").integer().not_null())
            .col(ColumnDef::new("result").text())
            .col(ColumnDef::new("answered_at").timestamp_with_time_zone())
            .col(ColumnDef::new("confirmed").boolean())
            .col(ColumnDef::new("closed_at").timestamp_with_time_zone())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("client_time").timestamp_with_time_zone())
            .foreign_key(&mut reference("item_id", "service_item", "id"))
            .foreign_key(&mut reference("village_id", "division", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .foreign_key(&mut reference("first_unit_id", "unit", "id"))
            .foreign_key(&mut reference("assignee_id", "staff", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("entered_by", "staff", "id"))
            .to_owned(),
        Table::create()
            .table("case_against")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("staff_id").uuid().not_null())
            .primary_key(Index::create().col("case_id").col("staff_id"))
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
        table("case_event")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("seq").integer().not_null())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("action").text().not_null())
            .col(ColumnDef::new("from_state").text())
            .col(ColumnDef::new("to_state").text().not_null())
            .col(ColumnDef::new("by_kind").text().not_null())
            .col(ColumnDef::new("by_person").uuid())
            .col(ColumnDef::new("by_staff").uuid())
            .col(ColumnDef::new("by_unit").uuid())
            .col(ColumnDef::new("auto").boolean().not_null())
            .col(ColumnDef::new("reason").text())
            .col(ColumnDef::new("text").text())
            .col(ColumnDef::new("note").text())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("assignee_id").uuid())
            .col(ColumnDef::new("result").text())
            .col(ColumnDef::new("evidence").json_binary())
            .col(ColumnDef::new("promised_due_on").date())
            .col(ColumnDef::new("statutory_due_on").date())
            .col(ColumnDef::new("calendar_version").text().not_null())
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .to_owned(),
        table("review")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("round").integer().not_null())
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("stars").integer().not_null())
            .col(ColumnDef::new("tags").json_binary().not_null())
            .col(ColumnDef::new("text").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .foreign_key(&mut reference("person_id", "person", "id"))
            .check(Expr::cust("stars BETWEEN 1 AND 5"))
            .to_owned(),
        table("notice")
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("case_id").uuid())
            .col(ColumnDef::new("booking_id").uuid())
            .col(ColumnDef::new("params").json_binary().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("delivered_at").timestamp_with_time_zone())
            .col(ColumnDef::new("read_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
        Table::create()
            .table("idempotent_answer")
            .col(ColumnDef::new("caller").uuid().not_null())
            .col(ColumnDef::new("key").text().not_null())
            .col(ColumnDef::new("fingerprint").text().not_null())
            .col(ColumnDef::new("status").integer().not_null())
            .col(ColumnDef::new("body").text().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .primary_key(Index::create().col("caller").col("key"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("cases", &["unit_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["village_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["township_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["county_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["assignee_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["first_unit_id", "due_on", "id"]).and_where(Expr::col("closed_at").is_null()).to_owned(),
        index("cases", &["person_id", "id"]),
        index("cases", &["step_due_at"]).and_where(Expr::col("step_due_at").is_not_null()).to_owned(),
        index("case_against", &["staff_id"]),
        unique("case_event", &["case_id", "seq"]),
        unique("review", &["case_id", "round"]),
        index("notice", &["person_id", "id"]),
        index("idempotent_answer", &["created_at"]),
    ]
}
