//! `Db::transact`: all of it or nothing, whatever the neighbours do.

use std::panic::AssertUnwindSafe;

use chrono::TimeDelta;
use entity::throttle;
use futures_util::{FutureExt, future::join_all};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryOrder, Set};
use shuoshi::{
    db::{Db, Tx},
    problem::{Code, Problem},
};

use crate::support::{Engine, TestApp};

pub async fn write(tx: &Tx, key: &str, now: entity::Instant) -> Result<(), Problem> {
    let row = throttle::ActiveModel { key: Set(key.to_owned()), window_starts_at: Set(now), count: Set(1) };
    row.insert(tx).await?;
    Ok(())
}

pub async fn keys(db: &Db) -> Vec<String> {
    let rows = throttle::Entity::find().order_by_asc(throttle::Column::Key).all(db.read()).await.unwrap();
    rows.into_iter().map(|row| row.key).collect()
}

both_engines! {
    async fn a_failing_operation_harms_none_of_its_neighbours(app: TestApp) {
        let now = app.now();
        let operations = (0..50).map(|number| {
            app.db().transact(async move |tx| {
                write(tx, &format!("{number:02}"), now).await?;
                if number % 2 == 1 { Err(Code::SlotFull.into()) } else { Ok(number) }
            })
        });
        for (number, outcome) in join_all(operations).await.into_iter().enumerate() {
            match outcome {
                Ok(said) => assert_eq!((said % 2, said), (0, number)),
                Err(problem) => assert_eq!((number % 2, problem.code()), (1, Code::SlotFull)),
            }
        }
        let good: Vec<String> = (0..50).step_by(2).map(|number| format!("{number:02}")).collect();
        assert_eq!(keys(app.db()).await, good);
    }

    async fn a_broken_statement_harms_none_of_its_neighbours(app: TestApp) {
        let now = app.now();
        // All but the first break the primary key.
        let same = (0..10).map(|_| app.db().transact(async move |tx| write(tx, "same", now).await));
        let others = (0..10).map(|number| {
            app.db().transact(async move |tx| write(tx, &format!("other {number}"), now).await)
        });
        let (same, others) = futures_util::future::join(join_all(same), join_all(others)).await;
        assert_eq!(same.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{same:?}");
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        assert_eq!(keys(app.db()).await.len(), 11);
    }

    async fn an_operation_that_panics_is_an_error_and_writing_goes_on(app: TestApp) {
        let now = app.now();
        for _ in 0..3 {
            let broken = app.db().transact(async move |tx: &Tx| -> Result<(), Problem> {
                write(tx, "half done", now).await?;
                panic!("a mistake in an operation")
            });
            let outcome = AssertUnwindSafe(broken).catch_unwind().await;
            let problem = outcome.expect("the panic came through").expect_err("it did not fail");
            assert_eq!(problem.code(), Code::Unexpected);
        }
        app.db().transact(async move |tx| write(tx, "after", now).await).await.unwrap();
        assert_eq!(keys(app.db()).await, ["after"]);
    }

    async fn what_was_answered_is_there_for_everybody_at_once(app: TestApp) {
        let other = app.second_server().await;
        for number in 0..5 {
            let now = app.now() + TimeDelta::seconds(number);
            app.db().transact(async move |tx| write(tx, &format!("{number}"), now).await).await.unwrap();
            let row = throttle::Entity::find_by_id(format!("{number}")).one(other.db().read()).await.unwrap();
            assert_eq!(row.unwrap().window_starts_at, now, "instants are kept to the millisecond");
        }
    }

    async fn a_caller_who_hangs_up_leaves_a_whole_or_nothing(app: TestApp) {
        let now = app.now();
        for number in 0..20_u64 {
            let slow = app.db().transact(async move |tx| {
                write(tx, &format!("{number} first"), now).await?;
                write(tx, &format!("{number} second"), now).await
            });
            drop(tokio::time::timeout(std::time::Duration::from_micros(number * 100), slow).await);
        }
        app.db().transact(async move |tx| write(tx, "last", now).await).await.unwrap();
        let kept = keys(app.db()).await;
        for number in 0..20 {
            let halves = kept.iter().filter(|key| key.starts_with(&format!("{number} "))).count();
            assert_ne!(halves, 1, "{kept:?}");
        }
        assert!(kept.contains(&"last".to_owned()));
    }
}

#[test]
fn the_readers_of_sqlite_cannot_write() {
    crate::support::engine::run(Engine::Sqlite, async |app: TestApp| {
        for statement in ["DELETE FROM division", "CREATE TABLE x (y)", "UPDATE staff SET name = 'x'"] {
            let fault = app.db().read().execute_unprepared(statement).await.unwrap_err().to_string();
            assert!(fault.contains("readonly"), "{fault}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM division").await, 2491);
    });
}
