//! A running application: a real server on a port of its own, a standing clock, the `WeChat` simulator beside it.

use std::{cell::RefCell, collections::HashMap, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_web::dev::ServerHandle;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{division, id::DivisionId, job};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use shuoshi::{
    app::{self, App},
    clock::Clock,
    config::Config,
    db::Db,
    demo, jobs, wechat_sim,
};

use super::{
    Actor, Engine, TestDatabase,
    database::{config_on, number},
};

/// When every test begins: Monday 2026-11-23, ten o'clock in China, a working day.
pub fn monday_morning() -> DateTime<Utc> {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

/// The application under test. Clones are the same application.
#[derive(Clone)]
pub struct TestApp {
    shared: Rc<Shared>,
    app: Arc<App>,
    /// Where this server listens: `http://127.0.0.1:port`.
    pub address: String,
    /// The server, for those who stop it.
    pub server: ServerHandle,
}

/// What several servers of one test have in common.
struct Shared {
    engine: Engine,
    database: TestDatabase,
    clock: Clock,
    client: reqwest::Client,
    simulator: String,
    simulator_server: ServerHandle,
    servers: RefCell<Vec<(Arc<App>, ServerHandle)>>,
    /// Name -> openid.
    people: RefCell<HashMap<String, String>>,
}

impl TestApp {
    /// Starts one on a fresh copy of the demonstration village.
    pub async fn start(engine: Engine) -> Self {
        let database = TestDatabase::filled(engine).await;
        let clock = Clock::standing_at(monday_morning());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = wechat_sim::Settings::of(&config_on(&database.url));
        // What the simulator pushes goes to the first server.
        settings.push_url = format!("http://{}/wechat/push", listener.local_addr().unwrap());
        let (at, simulator) = wechat_sim::bind("127.0.0.1:0", settings, clock.clone()).unwrap();
        let simulator_server = simulator.handle();
        actix_web::rt::spawn(simulator);
        let shared = Rc::new(Shared {
            engine,
            database,
            clock,
            client: http_client(),
            simulator: format!("http://{at}"),
            simulator_server,
            servers: RefCell::default(),
            people: RefCell::default(),
        });
        Self::serve(shared, listener, |_| ()).await
    }

    async fn serve(shared: Rc<Shared>, listener: TcpListener, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config_on(&shared.database.url);
        config.wechat.base_url.clone_from(&shared.simulator);
        config.wecom.base_url.clone_from(&shared.simulator);
        config.data.dir = shared.database.folder.path().to_owned();
        config.sms.file = config.data.dir.join("sms.jsonl");
        change(&mut config);
        let db = Db::connect(&config.database).await.unwrap();
        let app = app::build(config, db, shared.clock.clone()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = app::serve(&app, listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        shared.servers.borrow_mut().push((app.clone(), handle.clone()));
        Self { shared, app, address, server: handle }
    }

    /// Another server on the same database, with the same clock and people.
    pub async fn second_server(&self) -> Self {
        self.second_server_with(|_| ()).await
    }

    /// Likewise, configured differently.
    pub async fn second_server_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        Self::serve(self.shared.clone(), TcpListener::bind("127.0.0.1:0").unwrap(), change).await
    }

    /// The application behind the server, for calling operations directly.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The database, for looking at what an answer does not show.
    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.shared.engine
    }

    /// What the clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// Moves the clock forward; nothing else happens until somebody calls or [`Self::drain_jobs`].
    pub fn advance(&self, span: TimeDelta) {
        self.shared.clock.advance(span);
    }

    /// Runs sweeps and jobs until nothing is due; says how many there were.
    pub async fn drain_jobs(&self) -> u32 {
        let mut all = 0;
        for _ in 0..100 {
            match jobs::run_due(&self.app).await {
                Ok(0) => return all,
                Ok(ran) => all += ran,
                Err(problem) => panic!("background work failed: {problem}: {:?}", problem.source_text()),
            }
        }
        panic!("background work makes more background work without end");
    }

    /// Somebody with `WeChat`, signed in. The same name is the same person.
    pub async fn villager(&self, name: &str) -> Actor {
        let code = self.wechat_code(name).await;
        let answer = self.nobody().post("/auth/wechat", json!({"code": code})).await;
        self.nobody().signed_in(name, answer.expect(200))
    }

    /// What `wx.login` gives this person now.
    pub async fn wechat_code(&self, name: &str) -> String {
        let known = self.shared.people.borrow().get(name).cloned();
        let openid = if let Some(openid) = known {
            openid
        } else {
            let phone = format!("139{:08}", self.shared.people.borrow().len());
            let made = self.simulator("users", json!({"nickname": name, "phone": phone})).await;
            made["openid"].as_str().unwrap().to_owned()
        };
        self.shared.people.borrow_mut().insert(name.to_owned(), openid.clone());
        let code = self.simulator("codes", json!({"openid": openid})).await;
        code["code"].as_str().unwrap().to_owned()
    }

    /// The openid of somebody who has signed in before.
    pub fn openid(&self, name: &str) -> String {
        self.shared.people.borrow().get(name).cloned().unwrap()
    }

    /// What the phone button of the app gives this person now; they have signed in before.
    pub async fn wechat_phone_code(&self, name: &str) -> String {
        let openid = self.shared.people.borrow().get(name).cloned().unwrap();
        let code = self.simulator("phone-codes", json!({"openid": openid})).await;
        code["code"].as_str().unwrap().to_owned()
    }

    /// The code of the latest text message to this number.
    pub async fn code_sent_to(&self, phone: &str) -> String {
        self.drain_jobs().await;
        let text = self.messages_to(phone).pop().unwrap();
        text.chars().filter(char::is_ascii_digit).take(6).collect()
    }

    /// A control of the simulator: `users`, `codes`, `faults`.
    pub async fn simulator(&self, control: &str, body: Value) -> Value {
        let url = format!("{}/_sim/{control}", self.shared.simulator);
        let answer = self.shared.client.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "the simulator refused {control} {body}");
        answer.json().await.unwrap()
    }

    /// What a control of the simulator shows: `sent?openid=`, `members/sent`, `robots/sent?key=`.
    pub async fn simulated(&self, control: &str) -> Vec<Value> {
        let url = format!("{}/_sim/{control}", self.shared.simulator);
        let shown: Value = self.shared.client.get(url).send().await.unwrap().json().await.unwrap();
        shown["items"].as_array().unwrap().clone()
    }

    /// Text messages that went to this number, the latest last.
    pub fn messages_to(&self, phone: &str) -> Vec<String> {
        let file = self.shared.database.folder.path().join("sms.jsonl");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let sent = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        sent.filter(|sent| sent["to"] == phone).map(|sent| sent["text"].as_str().unwrap().to_owned()).collect()
    }

    /// A villager who has proven this phone by the code sent to it.
    pub async fn villager_with_phone(&self, name: &str, phone: &str) -> Actor {
        let villager = self.villager(name).await;
        villager.post("/me/phone/sms", json!({"phone": phone})).await.expect(202);
        let code = self.code_sent_to(phone).await;
        villager.post("/me/phone/confirm", json!({"phone": phone, "code": code})).await.expect(200);
        villager
    }

    /// One of the demonstration staff, signed in: `desk`, `cadre`, `town`, `neighbour` ...
    pub async fn staff(&self, username: &str) -> Actor {
        let body = json!({"username": username, "password": demo::PASSWORD});
        let answer = self.nobody().post("/auth/staff", body).await;
        self.nobody().signed_in(username, answer.expect(200))
    }

    /// A caller without a token.
    pub fn nobody(&self) -> Actor {
        Actor::nobody(self.shared.client.clone(), &self.address)
    }

    /// The id of the division with this statistical code.
    pub async fn division(&self, code: &str) -> DivisionId {
        let row = division::Entity::find().filter(division::COLUMN.code.eq(code)).one(self.db().read()).await.unwrap();
        row.unwrap_or_else(|| panic!("no division has the code {code}")).id
    }

    /// The id of 石笋村.
    pub async fn village(&self) -> DivisionId {
        self.division(demo::VILLAGE).await
    }

    /// Slots of the village's next talk days that still have public places, as the villager sees them.
    pub async fn free_slots(&self) -> Vec<Value> {
        let path = format!("/divisions/{}/talk-days", self.village().await);
        let days = self.nobody().get(&path).await.expect(200);
        let slots = days["items"].as_array().unwrap().iter().flat_map(|day| day["slots"].as_array().unwrap().clone());
        slots.filter(|slot| slot["free"].as_i64().unwrap() > 0).collect()
    }

    /// The address of the bookings of the next slot with places.
    pub async fn bookings_of_a_slot(&self) -> String {
        format!("/slots/{}/bookings", self.free_slots().await[0]["id"].as_str().unwrap())
    }

    /// Runs a statement behind the application's back.
    pub async fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        self.db().transact(async move |tx| Ok(tx.execute_unprepared(&sql).await?)).await.unwrap();
    }

    /// The one number that a statement selects.
    pub async fn number(&self, sql: &str) -> i64 {
        number(self.db(), sql).await
    }

    /// Jobs that are due and not done, and those that were given up.
    pub async fn leftover_jobs(&self) -> Vec<String> {
        let open = job::Entity::find().filter(job::COLUMN.done_at.is_null());
        let rows = open.all(self.db().read()).await.unwrap();
        let left = rows.into_iter().filter(|row| row.run_at <= self.now() || row.dead_at.is_some());
        left.map(|row| format!("{} {:?} {}", row.kind, row.last_error, row.payload)).collect()
    }

    /// Ends servers and drops the database.
    pub async fn finish(&self) {
        let servers = self.shared.servers.take();
        for (app, server) in servers {
            app.stopping.cancel();
            server.stop(false).await;
            app.db.close().await;
        }
        self.shared.simulator_server.stop(false).await;
        self.shared.database.remove().await;
    }
}

/// One client a test, so that connections are kept and used again as a mini-program does.
pub fn http_client() -> reqwest::Client {
    // The second call finds one installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Servers close what was idle for five seconds: a connection is not used again that long after.
    let idle = Duration::from_secs(3);
    reqwest::Client::builder().timeout(Duration::from_secs(30)).pool_idle_timeout(idle).no_proxy().build().unwrap()
}

/// A booking as anybody might make it.
pub fn a_booking() -> Value {
    json!({"topic": super::TOPIC, "summary": "村口的路灯不亮", "privacy": "public"})
}
