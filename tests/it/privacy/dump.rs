//! A village at work, then a search: nobody's name, phone, number or account lies open in a table, in the files of the
//! database or in the log, however talkative it was told to be.

use std::fs::{self, File};

use reqwest::{Client, Method, RequestBuilder};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use shuoshi::{db::Db, demo};

use crate::support::{Engine, TOPIC, TestDatabase, app::http_client, database::config_on, process::Server};

const VILLAGER: &str = "欧阳霁月";
const VISITOR: &str = "慕容拂晓";
const PHONE: &str = "13987651234";
const OTHER_PHONE: &str = "13876540987";
const DESK_PHONE: &str = "13765439876";
const CITIZEN_NO: &str = "511702196203108767";
const ACCOUNT: &str = "6217997654321098765";

/// What is looked for, in every way it may be written down.
fn secrets() -> Vec<String> {
    let mut all: Vec<String> = [PHONE, OTHER_PHONE, DESK_PHONE, CITIZEN_NO, ACCOUNT].map(str::to_owned).to_vec();
    for name in [VILLAGER, VISITOR] {
        all.push(name.to_owned());
        let escaped: Vec<String> = name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let in_a_query: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        all.extend([escaped.concat(), in_a_query.concat()]);
    }
    all
}

#[track_caller]
fn tells_nothing(what: &str, text: &str) {
    for secret in secrets() {
        if let Some(at) = text.find(&secret) {
            let from = text[..at].char_indices().rev().nth(120).map_or(0, |(at, _)| at);
            panic!("{what} tells {secret}: ...{}", &text[from..at + secret.len()]);
        }
    }
}

/// Calls of the real server.
struct Caller<'a> {
    client: &'a Client,
    address: &'a str,
    token: Option<String>,
}

impl Caller<'_> {
    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let call = self.client.request(method, format!("{}/api/v1{path}", self.address));
        match &self.token {
            Some(token) => call.bearer_auth(token),
            None => call,
        }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.keyed(path, "", body).await
    }

    async fn keyed(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        let call = self.call(Method::POST, path).json(&body);
        let call = if key.is_empty() { call } else { call.header("Idempotency-Key", key) };
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path).send().await.unwrap().json().await.unwrap_or_default()
    }
}

fn token(session: &Value) -> String {
    session["access_token"].as_str().unwrap_or_else(|| panic!("no session: {session}")).to_owned()
}

/// Everything people do with their data, right and wrong.
async fn live(server: &Server) {
    let client = http_client();
    let (client, address) = (&client, server.address.as_str());
    let nobody = Caller { client, address, token: None };
    let me = Caller { token: Some(token(&server.villager(client).await)), ..nobody };
    let (_, session) = nobody.post("/auth/staff", json!({"username": "desk", "password": demo::PASSWORD})).await;
    let desk = Caller { client, address, token: Some(token(&session)) };
    let (_, session) = nobody.post("/auth/staff", json!({"username": "discipline", "password": demo::PASSWORD})).await;
    let discipline = Caller { client, address, token: Some(token(&session)) };
    let found = nobody.get(&format!("/divisions?code={}", demo::VILLAGE)).await;
    let village = found["items"][0]["id"].as_str().unwrap();

    me.call(Method::PUT, "/me").json(&json!({"name": VILLAGER})).send().await.unwrap();
    book(&me, village).await;
    let form = json!({"citizen_no": CITIZEN_NO, "account": ACCOUNT, "name": VISITOR, "phone": OTHER_PHONE});
    let filing = json!({
        "kind": "proxy", "item": "DZ-MZ-01", "division": village, "text": "请帮忙", "contact_phone": PHONE, "form": form,
    });
    for replayed in [false, true] {
        let (status, case) = me.keyed("/cases", "filing-0001", filing.clone()).await;
        assert_eq!((status, &case["form"]["account"]), (201, &json!(ACCOUNT)), "replayed: {replayed}");
    }
    let (_, case) = me.keyed("/cases", "filing-0002", filing).await;
    at_the_desk(&desk, village, case["id"].as_str().unwrap()).await;
    confidential(&me, &discipline, village).await;
    let tracked = json!({"number": case["number"], "phone_tail": &PHONE[7..]});
    assert_eq!(nobody.post("/track", tracked).await.0, 200);
    go_wrong(&me, &desk, &nobody).await;
}

async fn book(me: &Caller<'_>, village: &str) {
    let days = me.get(&format!("/divisions/{village}/talk-days")).await;
    let slots = days["items"].as_array().unwrap().iter().flat_map(|day| day["slots"].as_array().unwrap());
    for slot in slots {
        let body = json!({"topic": TOPIC, "summary": "路灯不亮", "privacy": "private"});
        let path = format!("/slots/{}/bookings", slot["id"].as_str().unwrap());
        if me.keyed(&path, "booking-0001", body).await.0 == 201 {
            return;
        }
    }
    panic!("no slot was open");
}

async fn at_the_desk(desk: &Caller<'_>, village: &str, case: &str) {
    let entry = json!({
        "kind": "voice", "concern": "help", "division": village, "text": "来电求助", "channel": "phone",
        "for_person": {"name": VISITOR, "phone": DESK_PHONE}, "form": {"citizen_no": CITIZEN_NO},
    });
    for _ in 0..2 {
        assert_eq!(desk.keyed("/staff/cases", "entering-0001", entry.clone()).await.0, 201);
    }
    let path = format!("/staff/cases/{case}");
    let seen = desk.get(&path).await;
    assert_eq!(seen["contact_phone"], "139****1234");
    desk.get(&format!("{path}/events")).await;
    desk.get("/staff/cases").await;
    let ask = json!({"fields": ["contact_name", "contact_phone", "form"], "reason": "联系当事人"});
    let (_, shown) = desk.keyed(&format!("{path}/reveal"), "revealing-0001", ask).await;
    assert_eq!(shown["fields"]["contact_phone"], PHONE);
    let person = format!("/staff/people/{}/reveal", seen["person"].as_str().unwrap());
    desk.keyed(&person, "revealing-0002", json!({"fields": ["name", "phone"], "reason": "联系当事人"})).await;
    assert_eq!(desk.keyed(&format!("{path}/actions"), "acting-0001", json!({"action": "accept"})).await.0, 200);
}

async fn confidential(me: &Caller<'_>, discipline: &Caller<'_>, village: &str) {
    let report = json!({
        "kind": "voice", "concern": "report", "division": village, "text": "反映问题", "confidential": true,
        "contact_phone": OTHER_PHONE,
    });
    let (status, case) = me.keyed("/cases", "filing-0003", report).await;
    assert_eq!(status, 201);
    discipline.get("/staff/cases").await;
    discipline.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await;
}

/// Mistakes hold the same data: in fields that do not exist, of the wrong type, in queries, where a name belongs.
async fn go_wrong(me: &Caller<'_>, desk: &Caller<'_>, nobody: &Caller<'_>) {
    let odd = json!({"kind": "proxy", "citizen_no": CITIZEN_NO, "phone": PHONE, "name": VILLAGER});
    assert_eq!(me.keyed("/cases", "wrong-0001", odd).await.0, 422);
    assert_eq!(me.post("/cases", json!({"kind": CITIZEN_NO})).await.0, 422);
    assert_eq!(me.post("/cases", json!({"kind": "proxy", "contact_phone": [PHONE]})).await.0, 422);
    assert_eq!(me.post("/cases", json!([VILLAGER, PHONE])).await.0, 422);
    for (name, password) in [(PHONE, VILLAGER), (VILLAGER, PHONE), ("desk", CITIZEN_NO)] {
        let refused = nobody.post("/auth/staff", json!({"username": name, "password": password})).await;
        assert_eq!(refused.1["code"], "bad_credentials");
    }
    nobody.post("/auth/wechat", json!({"code": PHONE})).await;
    nobody.post("/auth/refresh", json!({"refresh_token": CITIZEN_NO})).await;
    nobody.post("/track", json!({"number": PHONE, "phone_tail": "1234"})).await;
    for path in ["/divisions", "/catalogue", "/no-such-thing"] {
        for text in [VILLAGER, PHONE, CITIZEN_NO] {
            let call = nobody.call(Method::GET, path).query(&[("q", text), ("limit", text)]);
            call.send().await.unwrap();
            nobody.call(Method::GET, path).query(&[("q", text)]).send().await.unwrap();
        }
    }
    desk.call(Method::GET, "/staff/cases").query(&[("q", PHONE)]).send().await.unwrap();
    desk.call(Method::GET, "/staff/cases").query(&[("name", VISITOR)]).send().await.unwrap();
    desk.call(Method::GET, "/staff/audit").query(&[("object", PHONE)]).send().await.unwrap();
    let broken = format!("{{\"name\": \"{VILLAGER}\", \"phone\": \"{PHONE}\"");
    let call = me.call(Method::PUT, "/me").header("Content-Type", "application/json").body(broken);
    assert_eq!(call.send().await.unwrap().status().as_u16(), 400);
    let call = me.call(Method::PUT, "/me").header("Content-Type", format!("text/{PHONE}")).body(VILLAGER);
    assert_eq!(call.send().await.unwrap().status().as_u16(), 415);
}

/// Every column of every table, as text.
async fn everything(db: &DatabaseConnection) -> String {
    let backend = db.get_database_backend();
    let list = |sql: String| async move {
        let rows = db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        rows.into_iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap()).collect::<Vec<_>>()
    };
    let tables = match backend {
        DbBackend::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
        _ => "SELECT name FROM sqlite_master WHERE type = 'table'",
    };
    let mut all = String::new();
    for table in list(tables.to_owned()).await.into_iter().flatten() {
        if backend == DbBackend::Postgres {
            let rows = list(format!("SELECT t::text FROM \"{table}\" t")).await;
            all.extend(rows.into_iter().flatten().map(|row| format!("{table}: {row}\n")));
            continue;
        }
        for column in list(format!("SELECT name FROM pragma_table_info('{table}')")).await.into_iter().flatten() {
            let values = list(format!("SELECT CASE typeof(\"{column}\") WHEN 'blob' THEN hex(\"{column}\") ELSE CAST(\"{column}\" AS TEXT) END FROM \"{table}\"")).await;
            all.extend(values.into_iter().flatten().map(|value| format!("{table}.{column}: {value}\n")));
        }
    }
    all
}

async fn nothing_lies_open(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let log = database.folder.path().join("server.log");
    let mut server = Server::start_talkative(&database, &File::create(&log).unwrap()).await;
    live(&server).await;
    // Its jobs deliver notices.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;

    if engine == Engine::Sqlite {
        for file in ["test.db", "test.db-wal"] {
            let bytes = fs::read(database.folder.path().join(file)).unwrap();
            assert!(bytes.len() > 10_000, "{file} is all but empty");
            tells_nothing(file, &String::from_utf8_lossy(&bytes));
        }
    }
    server.kill();
    let db = Db::connect(&config_on(&database.url).database).await.unwrap();
    let all = everything(db.read()).await;
    db.close().await;
    for there in ["idempotent_answer", "cases", "booking", "notice", "audit_entry", "reveal_case", "请帮忙"] {
        assert!(all.contains(there), "the village did not do its work: no {there}");
    }
    tells_nothing("the database", &all);
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.contains("DEBUG shuoshi"), "the log says too little to prove anything: {lines}");
    tells_nothing("the log", &lines);
    let foreign =
        lines.lines().find(|line| (line.contains(" DEBUG ") || line.contains(" TRACE ")) && !line.contains("shuoshi"));
    assert_eq!(foreign, None, "libraries trace what no log may hold");
    database.remove().await;
}

#[test]
fn neither_tables_nor_files_nor_the_log_tell_who_people_are_sqlite() {
    actix_web::rt::System::new().block_on(nothing_lies_open(Engine::Sqlite));
}

#[test]
fn neither_tables_nor_the_log_tell_who_people_are_postgres() {
    actix_web::rt::System::new().block_on(nothing_lies_open(Engine::Postgres));
}
