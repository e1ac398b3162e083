//! kill -9 in the middle of the rush: what was answered is there, once, and a retry finds it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use shuoshi::{db::Db, demo};

use crate::support::{Engine, TestDatabase, app::http_client, database::config_on, process::Server};

/// Villagers in the rush; each books a place and files a case, at the same moment.
const PEOPLE: usize = 100;
/// Answers after which the process is killed.
const KILL_AFTER: usize = 40;

/// One call of the rush.
struct Call {
    session: Value,
    path: String,
    key: String,
    body: Value,
}

impl Call {
    /// The answer, or `None` when the line broke.
    async fn send(&self, client: &reqwest::Client, address: &str) -> Option<(u16, Value)> {
        let answer = client
            .post(format!("{address}/api/v1{}", self.path))
            .bearer_auth(self.session["access_token"].as_str().unwrap())
            .header("Idempotency-Key", &self.key)
            .json(&self.body)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }
}

async fn rush(server: &Server, client: &reqwest::Client) -> Vec<Call> {
    let get = async |path: String| -> Value {
        client.get(format!("{}/api/v1{path}", server.address)).send().await.unwrap().json().await.unwrap()
    };
    let village = get(format!("/divisions?code={}", demo::VILLAGE)).await["items"][0]["id"].clone();
    let village = village.as_str().unwrap();
    let days = get(format!("/divisions/{village}/talk-days")).await;
    let now = chrono_now();
    let open = days["items"].as_array().unwrap().iter().filter(|day| {
        let at = |name: &str| day[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        at("opens_at") <= now && now < at("closes_at")
    });
    let slots: Vec<String> = open
        .flat_map(|day| day["slots"].as_array().unwrap())
        .flat_map(|slot| {
            let places = usize::try_from(slot["free"].as_u64().unwrap()).unwrap();
            std::iter::repeat_n(slot["id"].as_str().unwrap().to_owned(), places)
        })
        .collect();
    let mut calls = Vec::new();
    for number in 0..PEOPLE {
        let session = server.villager(client).await;
        // Where the open days have fewer places than people, the rest is refused: also an answer.
        if let Some(slot) = slots.get(number % slots.len().max(1)) {
            calls.push(Call {
                session: session.clone(),
                path: format!("/slots/{slot}/bookings"),
                key: format!("booking-{number:04}"),
                body: json!({"topic": "roads", "summary": "路", "privacy": "public"}),
            });
        }
        calls.push(Call {
            session,
            path: "/cases".to_owned(),
            key: format!("filing-{number:04}"),
            body: json!({"kind": "proxy", "item": "DZ-MZ-01", "division": village}),
        });
    }
    calls
}

#[allow(clippy::disallowed_methods, reason = "the process under test runs on the machine's clock")]
fn chrono_now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

async fn number(db: &Db, sql: &str) -> i64 {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    db.read().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn killed_in_the_rush(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let client = http_client();
    let mut server = Server::start(&database).await;
    let calls = rush(&server, &client).await;
    let answered = AtomicUsize::new(0);
    let address = server.address.clone();
    let sent = join_all(calls.iter().map(|call| async {
        let answer = call.send(&client, &address).await;
        if answer.is_some() {
            answered.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }));
    let killing = async {
        while answered.load(Ordering::Relaxed) < KILL_AFTER {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
    };
    let (first, ()) = tokio::join!(sent, killing);
    let accepted = first.iter().flatten().filter(|(status, _)| *status == 201).count();
    assert!(accepted > 0, "nothing was accepted before the end");
    assert!(first.iter().any(Option::is_none), "the end came after everything was answered");

    let again = Server::start(&database).await;
    for (call, first) in calls.iter().zip(&first) {
        let (status, body) = call.send(&client, &again.address).await.expect("the second server answers");
        match first {
            Some((201, answer)) => assert_eq!((status, &body), (201, answer), "{} was accepted and is gone", call.key),
            _ => assert!(status == 201 || body["code"] == "slot_full", "{} {status} {body}", call.key),
        }
    }
    drop(again);
    let db = Db::connect(&config_on(&database.url).database).await.unwrap();
    let people = i64::try_from(PEOPLE).unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM cases").await, people, "each case once");
    assert_eq!(number(&db, "SELECT count(*) FROM case_event WHERE action = 'submit'").await, people);
    let kept = number(&db, "SELECT count(*) FROM idempotent_answer").await;
    let made = number(&db, "SELECT count(*) FROM cases").await + number(&db, "SELECT count(*) FROM booking").await;
    assert_eq!(kept, made, "an answer for each thing and a thing for each answer");
    let live = "(SELECT count(*) FROM booking b WHERE b.slot_id = slot.id AND b.live)";
    let wrong = format!("SELECT count(*) FROM slot WHERE taken <> {live} OR taken > public_places");
    assert_eq!(number(&db, &wrong).await, 0, "counts agree");
    db.close().await;
    database.remove().await;
}

#[test]
fn kill_in_the_rush_loses_nothing_sqlite() {
    actix_web::rt::System::new().block_on(killed_in_the_rush(Engine::Sqlite));
}

#[test]
fn kill_in_the_rush_loses_nothing_postgres() {
    actix_web::rt::System::new().block_on(killed_in_the_rush(Engine::Postgres));
}
