//! The page of a village.

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
        create(manager, vec![publications()], indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["publication"]).await
    }
}

fn publications() -> TableCreateStatement {
    table("publication")
        .col(ColumnDef::new("division_id").uuid().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject_id").uuid().not_null())
        .col(ColumnDef::new("person_id").uuid())
        .col(ColumnDef::new("title").text())
        .col(ColumnDef::new("body").json_binary())
        .col(ColumnDef::new("digest").text().not_null())
        .col(ColumnDef::new("may_identify").boolean().not_null())
        .col(ColumnDef::new("consent_version").text())
        .col(ColumnDef::new("parts").integer().not_null())
        .col(ColumnDef::new("published_by").uuid().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("shown_at").timestamp_with_time_zone())
        .col(ColumnDef::new("expires_on").date().not_null())
        .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
        .col(ColumnDef::new("ended_because").text())
        .col(ColumnDef::new("ended_by").uuid())
        .col(ColumnDef::new("end_reason").text())
        .col(ColumnDef::new("version").integer().not_null())
        .foreign_key(&mut reference("division_id", "division", "id"))
        .foreign_key(&mut reference("person_id", "person", "id"))
        .foreign_key(&mut reference("published_by", "staff", "id"))
        .foreign_key(&mut reference("ended_by", "staff", "id"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let stands = || Expr::col("ended_at").is_null();
    let once = unique("publication", &["kind", "subject_id"]).and_where(stands()).to_owned();
    let shown = index("publication", &["division_id", "shown_at", "id"]).and_where(stands()).to_owned();
    let expiring = index("publication", &["expires_on"]).and_where(stands()).to_owned();
    vec![
        once,
        shown,
        expiring,
        index("publication", &["division_id", "id"]),
        index("publication", &["person_id", "id"]),
    ]
}
