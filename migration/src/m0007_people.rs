//! Villagers whole: residence, households, rosters, those who act for others, consents, copies of one's own data.

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
        // Answers to a form hold what people must not read in a copy of the database: sealed text from now on.
        drop_columns(manager, "cases", &["form"]).await?;
        add(manager, "cases", vec![ColumnDef::new("form").text().take()]).await?;
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("person", "ux_person_citizen_no_hash"),
            ("person", "ix_person_name_hash"),
            ("person", "ix_person_household_id"),
            ("cases", "ix_cases_agent_id_id"),
        ] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        drop(
            manager,
            &[
                "data_export",
                "consent",
                "authorisation_use",
                "authorisation",
                "phone_code",
                "residence_claim",
                "roster_entry",
                "household",
            ],
        )
        .await?;
        drop_columns(manager, "cases", &["form"]).await?;
        add(manager, "cases", vec![ColumnDef::new("form").json_binary().take()]).await?;
        for (table, columns) in added().into_iter().rev() {
            let names: Vec<String> = columns.iter().map(ColumnDef::get_column_name).collect();
            drop_columns(manager, table, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn added() -> Vec<(&'static str, Vec<ColumnDef>)> {
    vec![
        (
            "person",
            vec![
                ColumnDef::new("name_hash").text().take(),
                ColumnDef::new("citizen_no").text().take(),
                ColumnDef::new("citizen_no_hash").text().take(),
                ColumnDef::new("household_id").uuid().take(),
                ColumnDef::new("group_name").text().take(),
                ColumnDef::new("minor").boolean().not_null().default(false).take(),
                ColumnDef::new("family_name").text().take(),
                ColumnDef::new("family_phone").text().take(),
                ColumnDef::new("closed_at").timestamp_with_time_zone().take(),
            ],
        ),
        ("booking", vec![ColumnDef::new("agent_id").uuid().take(), ColumnDef::new("authorisation_id").uuid().take()]),
        ("cases", vec![ColumnDef::new("agent_id").uuid().take(), ColumnDef::new("authorisation_id").uuid().take()]),
    ]
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("household")
            .col(ColumnDef::new("village_id").uuid().not_null())
            .col(ColumnDef::new("number").text().not_null())
            .foreign_key(&mut reference("village_id", "division", "id"))
            .to_owned(),
        table("roster_entry")
            .col(ColumnDef::new("village_id").uuid().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("name_hash").text().not_null())
            .col(ColumnDef::new("citizen_no").text().not_null())
            .col(ColumnDef::new("citizen_no_hash").text().not_null())
            .col(ColumnDef::new("phone").text())
            .col(ColumnDef::new("phone_hash").text())
            .col(ColumnDef::new("household_no").text())
            .col(ColumnDef::new("group_name").text())
            .col(ColumnDef::new("note").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("village_id", "division", "id"))
            .to_owned(),
        table("residence_claim")
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("village_id").uuid().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("citizen_no").text().not_null())
            .col(ColumnDef::new("citizen_no_hash").text().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("holder_id").uuid())
            .col(ColumnDef::new("reason").text())
            .col(ColumnDef::new("decided_by").uuid())
            .col(ColumnDef::new("decided_at").timestamp_with_time_zone())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("village_id", "division", "id"))
            .foreign_key(&mut reference("decided_by", "staff", "id"))
            .to_owned(),
        Table::create()
            .table("phone_code")
            .col(ColumnDef::new("person_id").uuid().not_null().primary_key())
            .col(ColumnDef::new("phone").text().not_null())
            .col(ColumnDef::new("code_hash").text().not_null())
            .col(ColumnDef::new("tries").integer().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
        table("authorisation")
            .col(ColumnDef::new("principal_id").uuid().not_null())
            .col(ColumnDef::new("agent_id").uuid())
            .col(ColumnDef::new("agent_name").text())
            .col(ColumnDef::new("agent_phone").text())
            .col(ColumnDef::new("agent_phone_hash").text())
            .col(ColumnDef::new("scope").json_binary().not_null())
            .col(ColumnDef::new("until").date().not_null())
            .col(ColumnDef::new("evidence_kind").text().not_null())
            .col(ColumnDef::new("evidence_text").text())
            .col(ColumnDef::new("evidence_file").uuid())
            .col(ColumnDef::new("witness").text())
            .col(ColumnDef::new("recorded_by").uuid())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("principal_id", "person", "id"))
            .foreign_key(&mut reference("agent_id", "person", "id"))
            .foreign_key(&mut reference("recorded_by", "staff", "id"))
            .to_owned(),
        table("authorisation_use")
            .col(ColumnDef::new("authorisation_id").uuid().not_null())
            .col(ColumnDef::new("action").text().not_null())
            .col(ColumnDef::new("case_id").uuid())
            .col(ColumnDef::new("booking_id").uuid())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("authorisation_id", "authorisation", "id"))
            .to_owned(),
        table("consent")
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("purpose").text().not_null())
            .col(ColumnDef::new("granted").boolean().not_null())
            .col(ColumnDef::new("text_version").text().not_null())
            .col(ColumnDef::new("guardian_name").text())
            .col(ColumnDef::new("guardian_phone").text())
            .col(ColumnDef::new("recorded_by").uuid())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("recorded_by", "staff", "id"))
            .to_owned(),
        table("data_export")
            .col(ColumnDef::new("person_id").uuid().not_null())
            .col(ColumnDef::new("content").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("ready_at").timestamp_with_time_zone())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("person", &["citizen_no_hash"]),
        index("person", &["name_hash"]),
        index("person", &["household_id"]),
        index("cases", &["agent_id", "id"]).and_where(Expr::col("agent_id").is_not_null()).to_owned(),
        unique("household", &["village_id", "number"]),
        unique("roster_entry", &["village_id", "citizen_no_hash"]),
        index("roster_entry", &["citizen_no_hash"]),
        index("roster_entry", &["village_id", "id"]),
        unique("residence_claim", &["person_id"]).and_where(Expr::col("state").eq("pending")).to_owned(),
        index("residence_claim", &["village_id", "state", "id"]),
        index("authorisation", &["principal_id"]),
        index("authorisation", &["agent_id"]),
        index("authorisation", &["agent_phone_hash"]),
        index("authorisation_use", &["authorisation_id", "id"]),
        index("consent", &["person_id", "id"]),
        index("data_export", &["person_id"]),
        index("data_export", &["expires_at"]),
    ]
}
