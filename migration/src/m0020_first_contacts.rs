//! First contacts are counted by the day on which they fell due.

use sea_orm_migration::prelude::*;

use crate::shape::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const PLACES: &[&str] = &["village_id", "township_id", "county_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let due = PLACES.iter().map(|place| {
            let made = index("cases", &[place, "contact_due_at"]);
            made.clone().and_where(Expr::col("contact_due_at").is_not_null()).to_owned()
        });
        create(manager, vec![], due.collect()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for place in PLACES {
            let name = format!("ix_cases_{place}_contact_due_at");
            manager.drop_index(Index::drop().name(name).table("cases").to_owned()).await?;
        }
        Ok(())
    }
}
