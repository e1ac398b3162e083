//! Talk days: indexes that were missing.

use sea_orm_migration::prelude::*;

use crate::shape::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("booking", "ix_booking_talk_day_id_state"),
            ("booking", "ix_booking_slot_id"),
            ("talk_wait", "ix_talk_wait_slot_id_state_id"),
            ("talk_wait", "ix_talk_wait_talk_day_id_state"),
        ] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("booking", &["talk_day_id", "state"]),
        index("booking", &["slot_id"]),
        index("talk_wait", &["slot_id", "state", "id"]),
        // Not only of those who wait: a day is asked for everybody who ever waited, too.
        index("talk_wait", &["talk_day_id", "state"]),
    ]
}
