//! The catalogue whole: forms, questions before one comes, how it is said aloud, who published what, what was retired.

use sea_orm_migration::prelude::*;

use crate::shape::{add, drop_columns, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "service_item", added()).await?;
        manager.create_index(of_a_person()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_cases_person_id_item_id").table("cases").to_owned()).await?;
        let names: Vec<String> = added().iter().rev().map(ColumnDef::get_column_name).collect();
        drop_columns(manager, "service_item", &names.iter().map(String::as_str).collect::<Vec<_>>()).await
    }
}

fn added() -> Vec<ColumnDef> {
    let json = |name: &'static str| ColumnDef::new(name).json_binary().take();
    vec![
        json("form"),
        json("pre_check"),
        json("guide"),
        ColumnDef::new("easy_text").text().take(),
        ColumnDef::new("change_note").text().take(),
        ColumnDef::new("published_by").uuid().take(),
        ColumnDef::new("retired_at").timestamp_with_time_zone().take(),
    ]
}

/// Errands of a person: where the papers lie that may serve again.
fn of_a_person() -> IndexCreateStatement {
    index("cases", &["person_id", "item_id"]).and_where(Expr::col("item_id").is_not_null()).to_owned()
}
