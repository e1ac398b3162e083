//! Photos of public cases: judged by an event, some time later.

use std::time::Duration;

use chrono::TimeDelta;
use entity::file;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::{own, queue, verdict};
use crate::{
    cases::actions,
    files::a_photo,
    open311::public_case,
    support::{Actor, TestApp},
};

/// A server that says how the outside reaches it.
async fn reachable(app: &TestApp) -> TestApp {
    let address = app.address.clone();
    app.second_server_with(|config| config.files.public_url = address).await
}

async fn with_photo(app: &TestApp, villager: &Actor) -> (Value, String) {
    let photo = a_photo(villager).await;
    let (case, id) = public_case(app, villager, json!({"files": [photo]})).await;
    app.staff("desk").await.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
    (case, id)
}

/// Asks, and waits until the event came and had its effect.
async fn asked(app: &TestApp, wanted: i64) {
    for _ in 0..200 {
        app.drain_jobs().await;
        if app.number("SELECT count(*) FROM wechat_push WHERE state = 'done'").await >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the event of the check did not come");
}

async fn shown(app: &TestApp, id: &str) -> Value {
    let path = format!("/open311/v2/requests/{id}.json");
    app.nobody().call(reqwest::Method::GET, &path).send().await.expect(200)[0]["media_url"].clone()
}

fn photo(items: &[Value]) -> &Value {
    items.iter().find(|item| item["part"].as_str().unwrap().starts_with("file ")).unwrap()
}

/// Whether anybody may follow a link to the first photo. The server must say how the outside reaches it.
async fn is_public(server: &TestApp) -> bool {
    let photo = file::Entity::find().order_by_asc(file::Column::Id).one(server.db().read()).await.unwrap().unwrap();
    let link =
        shuoshi::files::public_link(server.app(), photo.id, server.now() + TimeDelta::hours(1)).unwrap().unwrap();
    let path = link[link.find("/media/").unwrap()..].to_owned();
    let answer = server.nobody().call(reqwest::Method::GET, &path).send().await;
    assert!([200, 404].contains(&answer.status), "{}", answer.text());
    answer.status == 200
}

both_engines! {
    async fn a_photo_that_passes_is_shown_to_everybody(app: TestApp) {
        let server = reachable(&app).await;
        let villager = app.villager("甲").await;
        let (case, id) = with_photo(&app, &villager).await;
        assert!(is_public(&server).await, "WeChat fetches it");
        assert_eq!(shown(&server, &id).await, Value::Null);
        asked(&server, 1).await;
        assert_eq!(photo(&own(&villager).await)["state"], "passed");
        let link = shown(&server, &id).await;
        let link = link.as_str().unwrap().strip_prefix(&app.address).unwrap().to_owned();
        let photo = app.nobody().call(reqwest::Method::GET, &link).send().await;
        assert_eq!((photo.status, photo.header("content-type")), (200, "image/jpeg"));
        assert!(is_public(&server).await);
        villager.delete(&format!("/cases/{}/publication", case["id"].as_str().unwrap())).await.expect(204);
        assert!(!is_public(&server).await);
        app.drain_jobs().await;
    }

    async fn a_risky_photo_is_held_and_one_that_cannot_be_fetched_needs_a_person(app: TestApp) {
        let villager = app.villager("甲").await;
        let desk = app.staff("desk").await;
        // Nobody outside can reach this server.
        let (_, id) = with_photo(&app, &villager).await;
        app.drain_jobs().await;
        assert_eq!(photo(&queue(&app, &desk, "to_review").await)["reason"], "not_fetched");
        assert_eq!(shown(&app, &id).await, Value::Null);
        // WeChat tries and cannot.
        let lost = app.second_server_with(|config| config.files.public_url = "http://127.0.0.1:9".to_owned()).await;
        with_photo(&app, &villager).await;
        asked(&lost, 1).await;
        assert_eq!(app.number("SELECT count(*) FROM content_check WHERE reason = 'not_fetched'").await, 2);
        verdict(&app, "/media/", "risky", 20002).await;
        let server = reachable(&app).await;
        assert!(!is_public(&server).await, "what waits for a person is not for everybody");
        with_photo(&app, &villager).await;
        asked(&server, 2).await;
        let held = queue(&app, &desk, "held").await;
        assert_eq!((&photo(&held)["label"], &photo(&held)["suggest"]), (&json!(20002), &json!("risky")));
        app.drain_jobs().await;
    }

    async fn a_question_that_is_never_answered_comes_before_a_person(app: TestApp) {
        let villager = app.villager("甲").await;
        let (case, _) = public_case(&app, &villager, json!({})).await;
        app.drain_jobs().await;
        let id = case["id"].as_str().unwrap();
        // As if WeChat had taken the question.
        app.execute("UPDATE content_check SET state = 'asked', trace_id = 'lost'").await;
        app.advance(TimeDelta::minutes(29));
        app.drain_jobs().await;
        let desk = app.staff("desk").await;
        assert_eq!(queue(&app, &desk, "asked").await.len(), 1);
        app.advance(TimeDelta::minutes(2));
        app.drain_jobs().await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], item["subject_id"].as_str()), (&json!("no_result"), Some(id)));
    }
}
