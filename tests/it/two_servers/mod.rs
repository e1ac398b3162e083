//! Several servers over one database: every sweep, lock and count must allow it.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use shuoshi::jobs::sweeps::{self, Sweep};

use serde_json::{Value, json};
use shuoshi::demo;

use crate::support::{Engine, TestDatabase, a_booking, app::http_client, process::Server};

/// Public places left in the slot of the rush.
const PLACES: usize = 5;

both_engines! {
    async fn two_servers_materialise_at_once_and_make_nothing_twice(app: TestApp) {
        let other = app.second_server().await;
        let before = app.number("SELECT COUNT(*) FROM talk_day").await;
        for _ in 0..4 {
            app.advance(TimeDelta::days(11));
            let (one, two) = join(
                sweeps::run(app.app(), Sweep::MaterialiseTalkDays),
                sweeps::run(other.app(), Sweep::MaterialiseTalkDays),
            )
            .await;
            one.unwrap();
            two.unwrap();
        }
        assert!(app.number("SELECT COUNT(*) FROM talk_day").await > before);
        let twice = "SELECT COUNT(*) FROM (SELECT 1 FROM talk_day GROUP BY rule_id, on_date HAVING COUNT(*) > 1) d";
        assert_eq!(app.number(twice).await, 0);
        let slots = "SELECT COUNT(*) FROM (SELECT 1 FROM slot GROUP BY talk_day_id, starts_at HAVING COUNT(*) > 1) s";
        assert_eq!(app.number(slots).await, 0);
        app.drain_jobs().await;
    }

    async fn two_servers_never_give_a_place_away_twice(app: TestApp) {
        let other = app.second_server().await;
        let path = app.bookings_of_a_slot().await;
        for early in 0..7 - PLACES {
            app.villager(&format!("early {early}")).await.post(&path, a_booking()).await.expect(201);
        }
        let mut crowd = Vec::new();
        for number in 0..64 {
            let villager = app.villager(&format!("{number}")).await;
            crowd.push(if number % 2 == 0 { villager } else { villager.at(&other) });
        }
        let answers = join_all(crowd.iter().map(|villager| villager.post(&path, a_booking()))).await;
        let (booked, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(booked.len(), PLACES, "{refused:?}");
        for answer in refused {
            let told = answer.problem("slot_full");
            assert!(!told["alternatives"].as_array().unwrap().is_empty(), "{told}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM booking WHERE live").await, 7);
        assert_eq!(app.number("SELECT CAST(SUM(taken) AS BIGINT) FROM slot").await, 7);
        app.drain_jobs().await;
    }
}

/// A slot of the demonstration village tomorrow with so many public places, made at one of the servers.
async fn a_slot(server: &Server, client: &reqwest::Client, places: usize) -> String {
    let api = format!("{}/api/v1", server.address);
    let read =
        async |request: reqwest::RequestBuilder| -> Value { request.send().await.unwrap().json().await.unwrap() };
    let desk = json!({"username": "desk", "password": demo::PASSWORD});
    let desk = read(client.post(format!("{api}/auth/staff")).json(&desk)).await;
    let village = read(client.get(format!("{api}/divisions?code={}", demo::VILLAGE))).await;
    let village = village["items"][0]["id"].as_str().unwrap().to_owned();
    #[allow(clippy::disallowed_methods, reason = "the process under test runs on the machine's clock")]
    let tomorrow = shuoshi::clock::local_day(chrono::Utc::now()) + TimeDelta::days(1);
    let day = json!({
        "date": tomorrow, "starts": "23:00", "ends": "23:30", "slot_minutes": 30, "capacity": places,
        "walk_in_share": 0.0, "place": "村委会",
    });
    let token = desk["access_token"].as_str().unwrap();
    let made = client.post(format!("{api}/staff/divisions/{village}/talk-days")).bearer_auth(token).json(&day);
    let made = read(made).await;
    let day = read(client.get(format!("{api}/talk-days/{}", made["id"].as_str().unwrap()))).await;
    day["slots"][0]["id"].as_str().unwrap().to_owned()
}

/// 64 villagers at once through two processes on one `PostgreSQL`, each asking twice with one key.
async fn two_processes_share_five_places() {
    let database = TestDatabase::filled(Engine::Postgres).await;
    let client = http_client();
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let slot = a_slot(&one, &client, PLACES).await;
    let mut crowd = Vec::new();
    for number in 0..64 {
        let server = if number % 2 == 0 { &one } else { &two };
        crowd.push((server.villager(&client).await, format!("place-{number:04}")));
    }
    let ask = async |server: &Server, (session, key): &(Value, String)| -> (u16, Value) {
        let call = client.post(format!("{}/api/v1/slots/{slot}/bookings", server.address));
        let call = call.bearer_auth(session["access_token"].as_str().unwrap()).header("Idempotency-Key", key);
        let answer = call.json(&a_booking()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let first = join_all(crowd.iter().map(|who| ask(&one, who))).await;
    // The retry goes to the other process: the answer is kept where both see it.
    let again = join_all(crowd.iter().map(|who| ask(&two, who))).await;
    let booked = first.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(booked, PLACES);
    for ((status, body), repeat) in first.iter().zip(&again) {
        if *status == 201 {
            assert_eq!(repeat, &(201, body.clone()), "a retry is the same booking");
        } else {
            assert_eq!((*status, &body["code"]), (409, &json!("slot_full")));
            assert!(body["alternatives"].is_array(), "{body}");
            assert_eq!(repeat.0, 409, "{}", repeat.1);
        }
    }
    drop((one, two));
    database.remove().await;
}

#[test]
fn two_servers_as_processes_share_five_places() {
    actix_web::rt::System::new().block_on(two_processes_share_five_places());
}
