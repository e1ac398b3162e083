//! Open311: cases that may be seen without a name, keys of those who file through it, what they filed lately.

use sea_orm_migration::prelude::*;

use crate::shape::{add, create, drop, drop_columns, index, keyed_table, reference, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let public = ColumnDef::new("public").boolean().not_null().default(false).take();
        add(manager, "cases", vec![public, ColumnDef::new("public_id").text().take()]).await?;
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for made in of_cases() {
            let name = made.get_index_spec().get_name().unwrap_or_default().to_owned();
            manager.drop_index(Index::drop().name(name).table("cases").to_owned()).await?;
        }
        drop(manager, &["open311_request", "api_key"]).await?;
        drop_columns(manager, "cases", &["public_id", "public"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("api_key")
            .col(ColumnDef::new("division_id").uuid().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("beginning").text().not_null())
            .col(ColumnDef::new("digest").text().not_null().unique_key())
            .col(ColumnDef::new("created_by").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("used_at").timestamp_with_time_zone())
            .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
            .foreign_key(&mut reference("division_id", "division", "id"))
            .foreign_key(&mut reference("created_by", "staff", "id"))
            .to_owned(),
        keyed_table("open311_request", "key")
            .col(ColumnDef::new("case_id").uuid().not_null())
            .col(ColumnDef::new("fingerprint").text().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut reference("case_id", "cases", "id"))
            .to_owned(),
    ]
}

/// Public cases are few: the others cost these nothing.
fn of_cases() -> Vec<IndexCreateStatement> {
    let public = |mut made: IndexCreateStatement| made.and_where(Expr::col("public").eq(true)).to_owned();
    let named = unique("cases", &["public_id"]).and_where(Expr::col("public_id").is_not_null()).to_owned();
    let newest =
        |place| public(index("cases", &[place, "created_at"]).name(format!("ix_cases_public_{place}")).to_owned());
    vec![named, newest("village_id"), newest("township_id"), newest("county_id")]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let mut all = of_cases();
    all.extend([index("api_key", &["division_id", "id"]), index("open311_request", &["created_at"])]);
    all
}
