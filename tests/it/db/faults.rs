//! What becomes of a fault of the database: what passes by itself is busy, what does not is unexpected.

use sea_orm::ConnectionTrait;
use shuoshi::problem::{Code, Problem};

use super::a_connection;
use crate::support::{Engine, engine};

#[test]
fn states_that_pass_by_themselves_are_busy_and_others_are_not() {
    engine::run(Engine::Postgres, async |app| {
        for (state, code) in [
            ("08006", Code::Busy),
            ("08P01", Code::Busy),
            ("25006", Code::Busy),
            ("55P03", Code::Busy),
            ("57P03", Code::Busy),
            ("42501", Code::Unexpected),
            ("23514", Code::Unexpected),
        ] {
            let raise = format!("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '{state}'; END $$");
            let problem = Problem::from(app.db().read().execute_unprepared(&raise).await.unwrap_err());
            assert_eq!(problem.code(), code, "{state}: {:?}", problem.source_text());
        }
    });
}

#[test]
fn a_snapshot_that_another_has_overtaken_is_busy() {
    engine::run(Engine::Sqlite, async |app| {
        let other = a_connection(&app).await;
        other.execute_unprepared("BEGIN; SELECT count(*) FROM throttle").await.unwrap();
        app.villager("甲").await;
        let late = other.execute_unprepared("DELETE FROM throttle").await.unwrap_err();
        assert!(late.to_string().contains("517"), "SQLITE_BUSY_SNAPSHOT was expected: {late}");
        assert_eq!(Problem::from(late).code(), Code::Busy);
        other.close().await.unwrap();
    });
}
