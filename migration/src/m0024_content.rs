//! What others are to see is looked at first.

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
        create(manager, vec![checks()], indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["content_check"]).await
    }
}

fn checks() -> TableCreateStatement {
    table("content_check")
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("subject_id").uuid().not_null())
        .col(ColumnDef::new("part").text().not_null())
        .col(ColumnDef::new("division_id").uuid().not_null())
        .col(ColumnDef::new("person_id").uuid())
        .col(ColumnDef::new("written_by").uuid())
        .col(ColumnDef::new("file_id").uuid())
        .col(ColumnDef::new("text").text())
        .col(ColumnDef::new("digest").text().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("version").integer().not_null())
        .col(ColumnDef::new("tries").integer().not_null())
        .col(ColumnDef::new("reason").text())
        .col(ColumnDef::new("suggest").text())
        .col(ColumnDef::new("label").integer())
        .col(ColumnDef::new("detail").json_binary())
        .col(ColumnDef::new("trace_id").text())
        .col(ColumnDef::new("asked_at").timestamp_with_time_zone())
        .col(ColumnDef::new("decided_at").timestamp_with_time_zone())
        .col(ColumnDef::new("decided_by").uuid())
        .col(ColumnDef::new("decision_text").text())
        .col(ColumnDef::new("rewordings").integer().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("since_at").timestamp_with_time_zone().not_null())
        .foreign_key(&mut reference("division_id", "division", "id"))
        .foreign_key(&mut reference("person_id", "person", "id"))
        .foreign_key(&mut reference("written_by", "staff", "id"))
        .foreign_key(&mut reference("decided_by", "staff", "id"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let open = Expr::col("state").is_in(["waiting", "asked"]);
    let stuck = index("content_check", &["since_at"]).and_where(open).to_owned();
    let traced = index("content_check", &["trace_id"]).and_where(Expr::col("trace_id").is_not_null()).to_owned();
    vec![
        unique("content_check", &["subject", "subject_id", "part"]),
        index("content_check", &["division_id", "state", "id"]),
        index("content_check", &["person_id", "id"]),
        stuck,
        traced,
    ]
}
