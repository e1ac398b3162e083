//! Files: what was taken in, what is on its way in, and the summary of a case that was spoken.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["upload", "file"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await?;
        add(manager, "cases", vec![ColumnDef::new("summary").text().to_owned()]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "cases", &["summary"]).await?;
        drop(manager, TABLES).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("file")
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("media").text().not_null())
            .col(ColumnDef::new("bytes").big_integer().not_null())
            .col(ColumnDef::new("sha256").text().not_null())
            .col(ColumnDef::new("duration_ms").integer())
            .col(ColumnDef::new("width").integer())
            .col(ColumnDef::new("height").integer())
            .col(ColumnDef::new("small").boolean().not_null())
            .col(ColumnDef::new("person_id").uuid())
            .col(ColumnDef::new("staff_id").uuid())
            .col(ColumnDef::new("key").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("gone_at").timestamp_with_time_zone())
            .col(ColumnDef::new("thing").text())
            .col(ColumnDef::new("thing_id").uuid())
            .col(ColumnDef::new("event_id").uuid())
            .col(ColumnDef::new("position").integer().not_null())
            .col(ColumnDef::new("attached_at").timestamp_with_time_zone())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("person_id", "person", "id"))
            .foreign_key(&mut reference("staff_id", "staff", "id"))
            .to_owned(),
        table("upload")
            .col(ColumnDef::new("owner").uuid().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("total").big_integer())
            .col(ColumnDef::new("received").big_integer().not_null())
            .col(ColumnDef::new("blocks").json_binary().not_null())
            .col(ColumnDef::new("key").text().not_null())
            .col(ColumnDef::new("extension").text())
            .col(ColumnDef::new("writer").uuid())
            .col(ColumnDef::new("file_id").uuid())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("touched_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("file", &["thing_id", "event_id", "position"]).and_where(Expr::col("thing_id").is_not_null()).to_owned(),
        // What hangs on nothing is swept.
        index("file", &["created_at"]).and_where(Expr::col("thing_id").is_null()).to_owned(),
        index("file", &["gone_at"]).and_where(Expr::col("state").eq("gone")).to_owned(),
        index("file", &["person_id", "id"]),
        index("file", &["staff_id", "id"]),
        unique("upload", &["owner", "name"]),
        index("upload", &["owner", "created_at"]),
        index("upload", &["expires_at"]),
    ]
}
