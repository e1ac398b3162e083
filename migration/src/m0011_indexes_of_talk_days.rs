//! Talk days: indexes that were missing, order that does not rest on any clock, and everybody of a waiting party.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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
        drop_index(manager, "booking_event", "ux_booking_event_talk_day_id_key").await?;
        create(manager, vec![waiters()], indexes()).await?;
        fill(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("booking", "ix_booking_talk_day_id_state"),
            ("booking", "ix_booking_slot_id"),
            ("talk_day", "ix_talk_day_on_date"),
            ("talk_wait", "ix_talk_wait_slot_id_state_turn"),
            ("talk_wait", "ix_talk_wait_talk_day_id_state"),
            ("booking_event", "ux_booking_event_talk_day_id_staff_id_key"),
        ] {
            drop_index(manager, table, name).await?;
        }
        drop(manager, &["talk_waiter"]).await?;
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
    vec![
        ("slot", vec![count("joined")]),
        ("talk_wait", vec![count("turn")]),
        (
            "booking_event",
            vec![count("booking_version"), count("line_version"), ColumnDef::new("fingerprint").text().take()],
        ),
    ]
}

/// Who is of a party that waits: whom an entry concerns is asked by person.
fn waiters() -> TableCreateStatement {
    table("talk_waiter")
        .col(ColumnDef::new("wait_id").uuid().not_null())
        .col(ColumnDef::new("person_id").uuid().not_null())
        // No more than an index of the entry: it goes with it.
        .foreign_key(reference("wait_id", "talk_wait", "id").on_delete(ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("person_id", "person", "id"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("booking", &["talk_day_id", "state"]),
        index("booking", &["slot_id"]),
        index("talk_day", &["on_date"]),
        index("talk_wait", &["slot_id", "state", "turn"]),
        // Not only of those who wait: a day is asked for everybody who ever waited, too.
        index("talk_wait", &["talk_day_id", "state"]),
        unique("booking_event", &["talk_day_id", "staff_id", "key"])
            .and_where(Expr::col("key").is_not_null())
            .to_owned(),
        unique("talk_waiter", &["wait_id", "person_id"]),
        index("talk_waiter", &["person_id", "wait_id"]),
    ]
}

async fn drop_index(manager: &SchemaManager<'_>, table: &'static str, name: &'static str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
}

/// Rows that are there keep the order they had.
async fn fill(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let members = match manager.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT randomblob(16) AS id, w.id AS wait_id, unhex(replace(m.value, '-', '')) AS person_id FROM talk_wait w, json_each(w.party) m"
        }
        _ => {
            "SELECT gen_random_uuid() AS id, w.id AS wait_id, m.value::uuid AS person_id FROM talk_wait w, jsonb_array_elements_text(w.party) m"
        }
    };
    let before = |of: &str, to: &str| {
        format!(
            "(SELECT count(*) FROM booking_event o WHERE o.{of} = booking_event.{of} AND o.id <= booking_event.id){to}"
        )
    };
    for statement in [
        format!(
            "INSERT INTO talk_waiter (id, wait_id, person_id) SELECT * FROM ({members}) AS every \
             WHERE EXISTS (SELECT 1 FROM person p WHERE p.id = every.person_id) ON CONFLICT DO NOTHING"
        ),
        "UPDATE talk_wait SET turn = (SELECT count(*) FROM talk_wait o WHERE o.slot_id = talk_wait.slot_id AND o.id <= \
         talk_wait.id)"
            .to_owned(),
        "UPDATE slot SET joined = (SELECT count(*) FROM talk_wait w WHERE w.slot_id = slot.id)".to_owned(),
        format!(
            "UPDATE booking_event SET booking_version = {} line_version = {}",
            before("booking_id", ","),
            before("talk_day_id", "")
        ),
    ] {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}
