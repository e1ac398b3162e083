//! The database goes away under a running server and comes back: callers are told to come back, and then may.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{join, join_all},
};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use shuoshi::demo;
use tokio::time::Instant;

use super::{a_connection, url};
use crate::support::{Actor, Answer, Engine, TestApp, a_booking, engine, line::Line};

/// Within which every call must be answered. A connection is waited for five seconds: once, not twice.
const PATIENCE: Duration = Duration::from_secs(8);

/// A second server, over a line to the database that can be cut.
async fn over_a_line(app: &TestApp) -> (Line, TestApp) {
    let (line, url) = Line::to(&url(app));
    (line, app.second_server_with(|config| config.database.url = url.into()).await)
}

async fn in_time(call: impl Future<Output = Answer>) -> Answer {
    let began = Instant::now();
    let answer = call.await;
    assert!(began.elapsed() < PATIENCE, "{} took {:?}", answer.call, began.elapsed());
    answer
}

fn told_to_come_back(answer: Answer) {
    assert_ne!(answer.header("retry-after"), "", "{}", answer.call);
    answer.problem("busy");
}

/// The retry with the same key is told to come back until it is let in, and makes one booking.
async fn booked_once_in_the_end(app: &TestApp, me: &Actor, bookings: &str) {
    let mut answer = me.post_keyed(bookings, "the-same-key", a_booking()).await;
    while answer.status == 503 {
        told_to_come_back(answer);
        answer = me.post_keyed(bookings, "the-same-key", a_booking()).await;
    }
    answer.expect(201);
    assert_eq!(app.number("SELECT count(*) FROM booking").await, 1);
}

/// Reads and writes at once, of nobody, of a villager, of staff.
async fn everything(server: &TestApp, me: &Actor, bookings: &str) -> Vec<Answer> {
    let nobody = server.nobody();
    let calls = [
        nobody.get("/divisions?limit=1").boxed_local(),
        nobody.post("/auth/staff", json!({"username": "desk", "password": demo::PASSWORD})).boxed_local(),
        nobody.get("/catalogue/DZ-MZ-01").boxed_local(),
        me.get("/cases").boxed_local(),
        me.post(bookings, a_booking()).boxed_local(),
        me.post_keyed(bookings, "the-same-key", a_booking()).boxed_local(),
        me.put("/me", json!({"name": "样例"})).boxed_local(),
    ];
    join_all(calls.into_iter().map(in_time)).await
}

async fn up_but_not_ready(server: &TestApp) {
    let nobody = server.nobody();
    let ready = async {
        let answer = in_time(nobody.call(Method::GET, "/readyz").send()).await;
        assert_ne!(answer.header("retry-after"), "");
        let body = answer.expect(503);
        assert_eq!((&body["status"], &body["database"]), (&json!("not_ready"), &json!(false)));
    };
    let healthy = async {
        let began = Instant::now();
        nobody.call(Method::GET, "/healthz").send().await.expect(200);
        assert!(began.elapsed() < Duration::from_secs(2), "being up took {:?}", began.elapsed());
    };
    join(ready, healthy).await;
}

#[test]
fn postgres_goes_away_and_comes_back() {
    engine::run(Engine::Postgres, async |app| {
        let (line, server) = over_a_line(&app).await;
        let me = app.villager("甲").await.at(&server);
        let bookings = app.bookings_of_a_slot().await;
        me.get("/bookings").await.expect(200);

        line.cut().await;
        // The first of them have a connection that was idle when it was cut, the others none.
        let (answers, ()) = join(everything(&server, &me, &bookings), up_but_not_ready(&server)).await;
        answers.into_iter().for_each(told_to_come_back);

        line.mend();
        server.nobody().call(Method::GET, "/readyz").send().await.expect(200);
        me.post_keyed(&bookings, "the-same-key", a_booking()).await.expect(201);
        assert_eq!(me.get("/bookings").await.expect(200)["items"].as_array().unwrap().len(), 1);
        app.drain_jobs().await;
    });
}

/// Whoever meets a dead connection may be told to come back; after that nobody is.
async fn everybody_is_served_again(server: &TestApp, me: &Actor, bookings: &str) {
    for answer in everything(server, me, bookings).await {
        if answer.status >= 500 {
            told_to_come_back(answer);
        }
    }
    for answer in everything(server, me, bookings).await {
        assert!(answer.status < 500, "{} {}: {}", answer.call, answer.status, answer.text());
    }
}

#[test]
fn a_database_that_falls_silent_keeps_nobody_waiting() {
    engine::run(Engine::Postgres, async |app| {
        let (line, url) = Line::to(&url(&app));
        let server = app.second_server_with(|config| {
            config.database.url = url.into();
            config.http.answer_within_s = 2;
        });
        let server = server.await;
        let me = app.villager("甲").await.at(&server);
        let bookings = app.bookings_of_a_slot().await;
        me.get("/bookings").await.expect(200);

        line.fall_silent();
        everything(&server, &me, &bookings).await.into_iter().for_each(told_to_come_back);
        server.nobody().call(Method::GET, "/healthz").send().await.expect(200);

        // The system has given the connections up.
        line.interrupt();
        booked_once_in_the_end(&app, &me, &bookings).await;
        app.drain_jobs().await;
    });
}

#[test]
fn connections_that_ended_while_they_were_idle_are_replaced() {
    engine::run(Engine::Postgres, async |app| {
        let began = app.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").await;
        let (line, server) = over_a_line(&app).await;
        let me = app.villager("甲").await.at(&server);
        let bookings = app.bookings_of_a_slot().await;
        me.get("/bookings").await.expect(200);

        line.interrupt();
        everybody_is_served_again(&server, &me, &bookings).await;

        // As when the server is told to stop: it says so on every connection.
        let others = format!("datname = current_database() AND backend_start > to_timestamp({began} / 1000.0)");
        let end = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}");
        assert!(app.number(&end).await >= 5);
        everybody_is_served_again(&server, &me, &bookings).await;
        app.drain_jobs().await;
    });
}

#[test]
fn a_call_whose_connection_ends_under_it_is_told_to_come_back() {
    engine::run(Engine::Postgres, async |app| {
        let (line, server) = over_a_line(&app).await;
        let me = app.villager("甲").await.at(&server);
        let bookings = app.bookings_of_a_slot().await;
        let other = a_connection(&app).await;
        other.execute_unprepared("BEGIN; LOCK TABLE booking IN ACCESS EXCLUSIVE MODE").await.unwrap();

        let write = in_time(me.post_keyed(&bookings, "the-same-key", a_booking()));
        let cut = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            line.interrupt();
        };
        let (refused, ()) = join(write, cut).await;
        told_to_come_back(refused);

        other.execute_unprepared("ROLLBACK").await.unwrap();
        booked_once_in_the_end(&app, &me, &bookings).await;
        other.close().await.unwrap();
        app.drain_jobs().await;
    });
}

#[test]
fn while_another_holds_the_file_sqlite_reads_on_and_writes_again_after() {
    engine::run(Engine::Sqlite, async |app| {
        let me = app.villager("甲").await;
        let bookings = app.bookings_of_a_slot().await;
        let other = a_connection(&app).await;
        other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();

        let write = in_time(me.post_keyed(&bookings, "the-same-key", a_booking()));
        let read = async {
            for _ in 0..20 {
                me.get("/bookings").await.expect(200);
                app.nobody().get("/divisions?limit=1").await.expect(200);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let (refused, ()) = join(write, read).await;
        told_to_come_back(refused);

        other.execute_unprepared("ROLLBACK").await.unwrap();
        me.post_keyed(&bookings, "the-same-key", a_booking()).await.expect(201);
        other.close().await.unwrap();
        app.drain_jobs().await;
    });
}
