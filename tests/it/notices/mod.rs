//! How people are told beside the inbox: by WeChat, by text message, by somebody who calls; and how staff are.

mod desk;
mod gateway;
mod hours;
mod staff;
mod stuck;
mod thousand;
mod wechat;

use std::time::Duration;

use chrono::TimeDelta;
use entity::{
    id::{CaseId, PersonId},
    person,
};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};
use shuoshi::notices::{self, About, Telling};

use crate::support::{Actor, TestApp};

const SEND: &str = "/cgi-bin/message/subscribe/send";
/// The template of progress: accepted once for many.
const PROGRESS: &str = "shuoshi-demo-progress-template-000000000001";
/// The template of talk days: one message for each accept.
const TALK_DAY: &str = "shuoshi-demo-talk-day-template-000000000002";
const PHONE: &str = "13900001111";

/// Waits until the simulator has pushed so many events in all, and lets them have their effect.
async fn pushed(app: &TestApp, count: i64) {
    for _ in 0..200 {
        if app.number("SELECT COUNT(*) FROM wechat_push").await >= count {
            app.drain_jobs().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} events were not pushed");
}

/// Somebody agrees to a template once more; the event of it has come.
async fn agrees(app: &TestApp, name: &str, template: &str) {
    let before = app.number("SELECT COUNT(*) FROM wechat_push").await;
    let answer = json!({"openid": app.openid(name), "template_id": template, "answer": "accept"});
    app.simulator("subscriptions", answer).await;
    pushed(app, before + 1).await;
}

fn person_of(actor: &Actor) -> PersonId {
    PersonId(actor.id().parse().unwrap())
}

/// Tells somebody something about themselves, or about a case, and lets it go its way.
async fn tell(app: &TestApp, whom: &Actor, kind: &'static str) {
    write(app, person_of(whom), kind, About::Oneself).await;
    app.drain_jobs().await;
}

async fn write(app: &TestApp, person: PersonId, kind: &'static str, about: About) {
    let params = json!({"number": "SS-7K4M-2Q", "when": "12月15日 09:00", "until": "2026-12-20", "reason": "下雨"});
    let now = app.now();
    app.db()
        .transact(async move |tx| {
            let telling = Telling { person, kind, about, params: params.clone() };
            notices::tell(tx, vec![telling], now).await
        })
        .await
        .unwrap();
}

fn about(case: &Value) -> About {
    About::Case(CaseId(case["id"].as_str().unwrap().parse().unwrap()))
}

/// Somebody of the village who has not opened the app for weeks.
async fn away(app: &TestApp, name: &str, phone: Option<&str>) -> Actor {
    let villager = match phone {
        Some(phone) => app.villager_with_phone(name, phone).await,
        None => app.villager(name).await,
    };
    lives_here(app, &villager).await;
    app.advance(TimeDelta::days(15));
    app.drain_jobs().await;
    villager
}

async fn lives_here(app: &TestApp, villager: &Actor) {
    let (id, village) = (person_of(villager), app.village().await);
    let row = person::ActiveModel { id: Set(id), village_id: Set(Some(village)), ..Default::default() };
    app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
}

/// Somebody who wants no messages and has to hear of something: the id of the line on the desk's list.
pub(crate) async fn to_be_called(app: &TestApp, villager: &Actor) -> String {
    lives_here(app, villager).await;
    let withdrawn = json!({"granted": false, "text_version": "2026-11"});
    villager.put("/me/consents/notifications", withdrawn).await.expect(200);
    tell(app, villager, "case_supplement").await;
    let path = format!("/staff/divisions/{}/call-list?limit=100", app.village().await);
    let waiting = app.staff("desk").await.get(&path).await.expect(200);
    let line = waiting["items"].as_array().unwrap().iter().find(|line| line["person"] == villager.id());
    line.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn order(app: &TestApp, fault: Value) {
    let mut fault = fault;
    fault["path"] = json!(SEND);
    app.simulator("faults", fault).await;
}

async fn sent(app: &TestApp, name: &str) -> Vec<Value> {
    app.simulated(&format!("sent?openid={}", app.openid(name))).await
}

/// Channel and state of every delivery, oldest first.
async fn deliveries(app: &TestApp) -> Vec<String> {
    use entity::notice_delivery;
    use sea_orm::{EntityTrait, QueryOrder};
    let rows = notice_delivery::Entity::find().order_by_asc(notice_delivery::Column::Id);
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let rows = rows.all(app.db().read()).await.unwrap();
    rows.into_iter().map(|row| format!("{} {}", word(json!(row.channel)), word(json!(row.state)))).collect()
}
