//! Divisions, villagers, staff, units, postings, sessions.

use sea_orm_migration::prelude::*;

use crate::shape::{create, drop, index, keyed_table, reference, table, unique};

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
        drop(
            manager,
            &[
                "throttle",
                "refresh_token",
                "session",
                "posting",
                "unit",
                "staff",
                "wechat_account",
                "person",
                "division",
            ],
        )
        .await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("division")
            .col(ColumnDef::new("parent_id").uuid())
            .col(ColumnDef::new("level").text().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("code").text().not_null().unique_key())
            .col(ColumnDef::new("mca_code").text())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("display_name").text().not_null())
            .col(ColumnDef::new("city_id").uuid())
            .col(ColumnDef::new("county_id").uuid())
            .col(ColumnDef::new("township_id").uuid())
            .foreign_key(&mut reference("parent_id", "division", "id"))
            .to_owned(),
        table("person")
            .col(ColumnDef::new("name").text())
            .col(ColumnDef::new("phone").text())
            .col(ColumnDef::new("phone_hash").text())
            .col(ColumnDef::new("village_id").uuid())
            .col(ColumnDef::new("verified").boolean().not_null())
            .col(ColumnDef::new("preferences").json_binary().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("village_id", "division", "id"))
            .to_owned(),
        keyed_table("wechat_account", "openid")
            .col(ColumnDef::new("unionid").text())
            .col(ColumnDef::new("person_id").uuid().not_null().unique_key())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .to_owned(),
        table("staff")
            .col(ColumnDef::new("username").text().not_null().unique_key())
            .col(ColumnDef::new("password_hash").text().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("demonstration").boolean().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("dismissed_at").timestamp_with_time_zone())
            .to_owned(),
        table("unit")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .to_owned(),
        table("posting")
            .col(ColumnDef::new("staff_id").uuid().not_null())
            .col(ColumnDef::new("unit_id").uuid().not_null())
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("level").text().not_null())
            .col(ColumnDef::new("duties").json_binary().not_null())
            .col(ColumnDef::new("starts_on").date().not_null())
            .col(ColumnDef::new("ends_on").date())
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .foreign_key(&mut reference("unit_id", "unit", "id"))
            .foreign_key(&mut reference("division_id", "division", "id"))
            .to_owned(),
        table("session")
            .col(ColumnDef::new("person_id").uuid())
            .col(ColumnDef::new("staff_id").uuid())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .check(Expr::cust("(person_id IS NULL) <> (staff_id IS NULL)"))
            .to_owned(),
        keyed_table("refresh_token", "hash")
            .col(ColumnDef::new("session_id").uuid().not_null())
            .col(ColumnDef::new("issued_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("used_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("session_id", "session", "id"))
            .to_owned(),
        keyed_table("throttle", "key")
            .col(ColumnDef::new("window_starts_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("count").integer().not_null())
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("division", &["parent_id", "code"]),
        index("division", &["mca_code"]),
        index("division", &["display_name"]),
        index("person", &["phone_hash"]),
        index("person", &["village_id"]),
        unique("unit", &["division_id", "kind"]).and_where(Expr::col("kind").ne("department")).to_owned(),
        index("posting", &["staff_id"]),
        index("posting", &["unit_id"]),
        index("session", &["person_id"]),
        index("session", &["staff_id"]),
        index("refresh_token", &["session_id"]),
        index("refresh_token", &["expires_at"]),
    ]
}
