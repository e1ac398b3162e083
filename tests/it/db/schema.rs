//! Migrations go up and down, and what they make is what the entities expect.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityName, EntityTrait, Iden, Iterable, Statement};
use shuoshi::db::Db;

use crate::support::database::config_on;

/// Calls `$each!(module)` for the entity of every table.
macro_rules! every_entity {
    ($each:ident) => {
        $each!(
            absence api_key audit_entry audit_head authorisation authorisation_use booking booking_event calendar_day
            calendar_version call_back case case_against case_event case_search co_handler conflict consent
            content_check council_matter data_export division division_change division_setting duty_entry file
            follow_up host_cover household idempotent_answer job minutes_signature notice notice_delivery
            open311_request person phone_code posting publication refresh_token report report_line residence_claim
            review review_appeal roster_entry service_item session slot staff staff_notice subscription sweep
            talk_day talk_minutes talk_rating talk_record talk_rule talk_wait talk_waiter throttle unit upload
            webhook webhook_delivery wechat_account wechat_push
        )
    };
}

/// Tables and their columns, as the database has them; not its own and not the list of migrations.
async fn tables(db: &DatabaseConnection) -> BTreeMap<String, BTreeSet<String>> {
    let engine = db.get_database_backend();
    let sql = match engine {
        DbBackend::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
        }
        _ => "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'",
    };
    let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
    for row in db.query_all_raw(Statement::from_string(engine, sql)).await.unwrap() {
        let table: String = row.try_get_by_index(0).unwrap();
        // How words are kept is each engine's own affair.
        if table != "seaql_migrations" && !table.starts_with("case_words") {
            tables.entry(table).or_default().insert(row.try_get_by_index(1).unwrap());
        }
    }
    tables
}

fn expected() -> BTreeMap<String, BTreeSet<String>> {
    let mut expected = BTreeMap::new();
    macro_rules! note {
        ($($table:ident)*) => {$(
            let columns = ::entity::$table::Column::iter().map(|column| column.unquoted().to_owned()).collect();
            expected.insert(::entity::$table::Entity.table_name().to_owned(), columns);
        )*};
    }
    every_entity!(note);
    expected
}

both_engines! {
    async fn every_column_of_every_table_is_known_and_no_other(app: TestApp) {
        assert_eq!(tables(app.db().read()).await, expected());
    }

    async fn every_row_of_the_demonstration_reads_as_its_entity(app: TestApp) {
        macro_rules! read {
            ($($table:ident)*) => {$(
                let rows = ::entity::$table::Entity::find().all(app.db().read()).await;
                assert!(rows.is_ok(), "{}: {:?}", stringify!($table), rows.err());
            )*};
        }
        every_entity!(read);
    }

    async fn migrations_go_up_and_down_and_up_again(url: EmptyDatabase) {
        let db = Db::connect(&config_on(&url).database).await.unwrap();
        assert!(tables(db.read()).await.is_empty());
        db.migrate().await.unwrap();
        let made = tables(db.read()).await;
        assert_eq!(made, expected());
        assert!(db.migrations().await.unwrap().iter().all(|(_, applied)| *applied));
        db.migrate().await.unwrap();
        db.migrate_down().await.unwrap();
        assert!(tables(db.read()).await.is_empty());
        assert!(db.migrations().await.unwrap().iter().all(|(_, applied)| !*applied));
        db.migrate().await.unwrap();
        assert_eq!(tables(db.read()).await, made);
        db.close().await;
    }
}
