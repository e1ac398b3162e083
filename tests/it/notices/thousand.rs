//! A thousand events, a WeChat that fails in every way it can, two workers, one of them killed in the middle: each event
//! reaches its person exactly once.

use std::{collections::HashMap, net::TcpListener, time::Duration};

use actix_web::rt;
use entity::{
    id::PersonId,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState},
    person, subscription, wechat_account,
};
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};
use shuoshi::{
    clock::Clock,
    crypto::FieldKeys,
    db::{Db, insert_all},
    demo,
    notices::{self, About, Telling},
    personal::PhoneNumber,
    wechat_sim,
};

use super::{SEND, TALK_DAY};
use crate::support::{
    Engine, TestDatabase,
    app::http_client,
    database::config_on,
    process::{Server, Worker},
};

/// With WeChat, every second of them with a phone; with a phone alone; with neither.
const WECHAT: usize = 350;
const PHONE: usize = 100;
const NEITHER: usize = 50;
const EACH: usize = 2;
/// Messages after which a worker is killed.
const KILL_AFTER: usize = 150;

struct Somebody {
    id: PersonId,
    openid: Option<String>,
    phone: Option<String>,
}

struct Stage {
    database: TestDatabase,
    db: Db,
    client: reqwest::Client,
    simulator: String,
    push_to: String,
}

impl Stage {
    async fn set(engine: Engine) -> (Self, actix_web::dev::ServerHandle) {
        let database = TestDatabase::filled(engine).await;
        let config = config_on(&database.url);
        let push_to = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut settings = wechat_sim::Settings::of(&config);
        settings.push_url = format!("http://{push_to}/wechat/push");
        let (at, simulator) = wechat_sim::bind("127.0.0.1:0", settings, Clock::system()).unwrap();
        let handle = simulator.handle();
        rt::spawn(simulator);
        let db = Db::connect(&config.database).await.unwrap();
        let simulator = format!("http://{at}");
        (Self { database, db, client: http_client(), simulator, push_to }, handle)
    }

    async fn control(&self, control: &str, body: Value) -> Value {
        let answer = self.client.post(format!("{}/_sim/{control}", self.simulator)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{control} {body}");
        answer.json().await.unwrap()
    }

    async fn sent(&self) -> Vec<Value> {
        let shown: Value =
            self.client.get(format!("{}/_sim/sent", self.simulator)).send().await.unwrap().json().await.unwrap();
        shown["items"].as_array().unwrap().clone()
    }

    /// People, and what those with WeChat agreed to: as many messages as there will be, on both sides.
    async fn people(&self) -> Vec<Somebody> {
        let mut all = Vec::new();
        for number in 0..WECHAT + PHONE + NEITHER {
            let phone = (number % 2 == 0 && number < WECHAT) || (WECHAT..WECHAT + PHONE).contains(&number);
            let openid = if number < WECHAT {
                let openid = self.control("users", json!({})).await["openid"].as_str().unwrap().to_owned();
                for _ in 0..EACH {
                    let accept = json!({"openid": openid, "template_id": TALK_DAY, "answer": "accept"});
                    self.control("subscriptions", accept).await;
                }
                Some(openid)
            } else {
                None
            };
            all.push(Somebody { id: PersonId::fresh(), openid, phone: phone.then(|| format!("137{number:08}")) });
        }
        self.write_people(&all).await;
        all
    }

    async fn write_people(&self, all: &[Somebody]) {
        let now = Clock::system().now();
        let keys = FieldKeys::new(&config_on(&self.database.url).crypto).unwrap();
        let village = entity::division::Entity::find().all(self.db.read()).await.unwrap();
        let village = village.into_iter().find(|place| place.code == demo::VILLAGE).unwrap().id;
        let person = |one: &Somebody| {
            let mut row = person::ActiveModel::of_nobody_yet(now);
            row.id = Set(one.id);
            row.village_id = Set(Some(village));
            row.phone = Set(one.phone.as_ref().map(|phone| keys.close(&PhoneNumber::read(phone).unwrap()).unwrap()));
            row
        };
        let people: Vec<_> = all.iter().map(person).collect();
        let known = || all.iter().filter_map(|one| Some((one.id, one.openid.clone()?)));
        let accounts: Vec<_> = known()
            .map(|(person, openid)| wechat_account::ActiveModel {
                openid: Set(openid),
                unionid: Set(None),
                person_id: Set(person),
                created_at: Set(now),
            })
            .collect();
        let ledger: Vec<_> = known()
            .map(|(_, openid)| subscription::ActiveModel {
                openid: Set(openid),
                template_id: Set(TALK_DAY.to_owned()),
                remaining: Set(i32::try_from(EACH).unwrap()),
                long_term: Set(false),
                answer: Set(None),
                accepted: Set(i32::try_from(EACH).unwrap()),
                spent: Set(0),
                unpaired: Set(json!({})),
                emptied_at: Set(None),
                changed_at: Set(now),
            })
            .collect();
        self.db
            .transact(async move |tx| {
                insert_all::<person::ActiveModel>(tx, people.clone()).await?;
                insert_all::<wechat_account::ActiveModel>(tx, accounts.clone()).await?;
                Ok(insert_all::<subscription::ActiveModel>(tx, ledger.clone()).await?)
            })
            .await
            .unwrap();
    }

    /// Every class of failure, again and again.
    async fn faults(&self) {
        let order = async |mut fault: Value| {
            fault["path"] = json!(SEND);
            self.control("faults", fault).await;
        };
        for _ in 0..4 {
            order(json!({"errcode": 40001, "times": 1})).await;
            order(json!({"errcode": -1, "times": 12})).await;
            order(json!({"errcode": 43101, "times": 4})).await;
            order(json!({"errcode": 43108, "times": 6})).await;
            order(json!({"errcode": 45009, "times": 4})).await;
            order(json!({"cut": "after", "times": 5})).await;
            order(json!({"cut": "before", "times": 5})).await;
            order(json!({"delay_ms": 10_000, "times": 2})).await;
            order(json!({"http": 502, "times": 2})).await;
        }
    }

    async fn tell(&self, people: &[Somebody]) {
        let now = Clock::system().now();
        for _ in 0..EACH {
            let tellings: Vec<Telling> = people
                .iter()
                .map(|one| Telling {
                    person: one.id,
                    kind: "booking_day_shifted",
                    about: About::Oneself,
                    params: json!({"before": "11月25日 09:00", "when": "11月26日 09:00", "reason": "下雨"}),
                })
                .collect();
            for some in tellings.chunks(50) {
                let some = some.to_vec();
                self.db.transact(async move |tx| notices::tell(tx, some.clone(), now).await).await.unwrap();
            }
        }
    }

    async fn deliveries(&self) -> Vec<notice_delivery::Model> {
        notice_delivery::Entity::find().all(self.db.read()).await.unwrap()
    }

    fn texts(&self) -> Vec<Value> {
        let file = self.database.folder.path().join("data/sms.jsonl");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn is_open(row: &notice_delivery::Model) -> bool {
    use NoticeDeliveryState::{Sending, Unknown, Waiting};
    matches!(row.state, Waiting | Sending | Unknown)
}

async fn each_event_reaches_its_person_once(engine: Engine) {
    let (stage, simulator) = Stage::set(engine).await;
    let people = stage.people().await;
    stage.faults().await;
    let settings = [
        ("SHUOSHI__WECHAT__BASE_URL", stage.simulator.as_str()),
        ("SHUOSHI__WECHAT_SIM__ENABLED", "false"),
        // Whatever time it is where this runs.
        ("SHUOSHI__NOTICES__QUIET_FROM", "00:00"),
        ("SHUOSHI__NOTICES__QUIET_UNTIL", "00:00"),
        ("SHUOSHI__NOTICES__UNKNOWN_AFTER_S", "25"),
        ("SHUOSHI__NOTICES__PER_MINUTE", "100000"),
    ];
    stage.tell(&people).await;
    let one = Server::start_at(&stage.database, &stage.push_to, &settings).await;
    let mut two = Worker::start(&stage.database, &settings);
    let mut killed = false;
    let mut quiet = 0;
    for _ in 0..1200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !killed && stage.sent().await.len() >= KILL_AFTER {
            two.kill();
            killed = true;
        }
        let rows = stage.deliveries().await;
        let over = rows.len() == people.len() * EACH && !rows.iter().any(is_open);
        quiet = if over { quiet + 1 } else { 0 };
        // Some more looks: nothing comes after the end.
        if quiet > 15 {
            break;
        }
    }
    assert!(killed, "nobody was killed: {} messages", stage.sent().await.len());
    let rows = stage.deliveries().await;
    assert_eq!(rows.iter().filter(|row| is_open(row)).count(), 0, "not all was told in time");
    drop(one);
    check(&stage, &people, &rows).await;
    simulator.stop(false).await;
    stage.db.close().await;
    stage.database.remove().await;
}

/// What really went out, against the events.
async fn check(stage: &Stage, people: &[Somebody], rows: &[notice_delivery::Model]) {
    let mut by_wechat: HashMap<String, usize> = HashMap::new();
    for message in stage.sent().await {
        *by_wechat.entry(message["to"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let mut by_text: HashMap<String, usize> = HashMap::new();
    for text in stage.texts() {
        *by_text.entry(text["to"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let mut to_call: HashMap<PersonId, usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.state == NoticeDeliveryState::ToCall) {
        *to_call.entry(row.person_id).or_default() += 1;
    }
    let (mut wechat, mut text, mut call) = (0, 0, 0);
    for one in people {
        let of = |openid: &Option<String>, all: &HashMap<String, usize>| {
            openid.as_ref().and_then(|key| all.get(key)).copied().unwrap_or_default()
        };
        let (a, b) = (of(&one.openid, &by_wechat), of(&one.phone, &by_text));
        let c = to_call.get(&one.id).copied().unwrap_or_default();
        assert_eq!(a + b + c, EACH, "{a} by WeChat, {b} by text, {c} to call: {:?}", told(rows, one.id));
        (wechat, text, call) = (wechat + a, text + b, call + c);
        if let Some(openid) = &one.openid {
            let left = subscription::Entity::find_by_id((openid.clone(), TALK_DAY.to_owned()));
            let left = left.one(stage.db.read()).await.unwrap().unwrap();
            assert_eq!(usize::try_from(left.spent).unwrap(), a, "the ledger of {openid}: {:?}", told(rows, one.id));
            let emptied = left.emptied_at.is_some();
            assert!(emptied || usize::try_from(left.remaining).unwrap() == EACH - a);
        }
    }
    assert_eq!(wechat + text + call, people.len() * EACH);
    assert!(wechat > 500 && text > PHONE * EACH && call > NEITHER * EACH, "{wechat} {text} {call}");
}

fn told(
    rows: &[notice_delivery::Model],
    person: PersonId,
) -> Vec<(NoticeChannel, NoticeDeliveryState, Option<String>)> {
    let theirs = rows.iter().filter(|row| row.person_id == person);
    theirs.map(|row| (row.channel, row.state, row.error.clone())).collect()
}

#[test]
fn kill_while_a_thousand_are_told_sqlite() {
    rt::System::new().block_on(each_event_reaches_its_person_once(Engine::Sqlite));
}

#[test]
fn kill_while_a_thousand_are_told_postgres() {
    rt::System::new().block_on(each_event_reaches_its_person_once(Engine::Postgres));
}
