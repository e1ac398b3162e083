//! Talk days: indexes that were missing, and an order of steps that does not rest on any clock.

use sea_orm_migration::prelude::*;

use crate::shape::{add, drop_columns, index, unique};

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
        drop_index(manager, "booking_event", "ux_booking_event_talk_day_id_key").await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        fill(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("booking", "ix_booking_talk_day_id_state"),
            ("booking", "ix_booking_slot_id"),
            ("talk_wait", "ix_talk_wait_slot_id_state_id"),
            ("talk_wait", "ix_talk_wait_talk_day_id_state"),
            ("booking_event", "ux_booking_event_talk_day_id_staff_id_key"),
        ] {
            drop_index(manager, table, name).await?;
        }
        for (table, columns) in added().into_iter().rev() {
            let names: Vec<String> = columns.iter().map(ColumnDef::get_column_name).collect();
            drop_columns(manager, table, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        // A key that two of the staff have used since would be there twice.
        manager.get_connection().execute_unprepared("UPDATE booking_event SET key = NULL").await?;
        let mut before = unique("booking_event", &["talk_day_id", "key"]);
        manager.create_index(before.and_where(Expr::col("key").is_not_null()).to_owned()).await
    }
}

fn added() -> Vec<(&'static str, Vec<ColumnDef>)> {
    let count = |name: &'static str| ColumnDef::new(name).integer().not_null().default(0).take();
    vec![(
        "booking_event",
        vec![count("booking_version"), count("line_version"), ColumnDef::new("fingerprint").text().take()],
    )]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("booking", &["talk_day_id", "state"]),
        index("booking", &["slot_id"]),
        index("talk_wait", &["slot_id", "state", "id"]),
        // Not only of those who wait: a day is asked for everybody who ever waited, too.
        index("talk_wait", &["talk_day_id", "state"]),
        unique("booking_event", &["talk_day_id", "staff_id", "key"])
            .and_where(Expr::col("key").is_not_null())
            .to_owned(),
    ]
}

async fn drop_index(manager: &SchemaManager<'_>, table: &'static str, name: &'static str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
}

/// Rows that are there keep the order they had.
async fn fill(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let before = |of: &str, to: &str| {
        format!(
            "(SELECT count(*) FROM booking_event o WHERE o.{of} = booking_event.{of} AND o.id <= booking_event.id){to}"
        )
    };
    let statement = format!(
        "UPDATE booking_event SET booking_version = {}, line_version = {}",
        before("booking_id", ""),
        before("talk_day_id", "")
    );
    manager.get_connection().execute_unprepared(&statement).await?;
    Ok(())
}
