//! `keys rotate`, `keys status`

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use entity::{id::PersonId, person};
use futures_util::future::join_all;
use sea_orm::{EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};
use shuoshi::{
    keys::{Rotated, rotate, status},
    personal::{PersonName, Personal},
};

use super::{FRESH, fresh_key_only, two_keys};
use crate::support::{Engine, TestApp, TestDatabase, process};

/// Villagers who write while keys are rotated, and how much each of them.
const WRITERS: usize = 6;
const WRITES: usize = 8;

fn left(tables: &[Rotated]) -> u64 {
    tables.iter().map(|table| table.left).sum()
}

/// What a villager wrote last.
struct Written {
    name: String,
    case: Value,
    form: Value,
    phone: String,
}

async fn write(server: &TestApp, village: &str, writer: usize) -> (String, Written) {
    let who = format!("villager {writer}");
    let me = server.villager(&who).await;
    let mut last = None;
    for turn in 0..WRITES {
        let letter = char::from_u32(0x4e00 + u32::try_from(writer * WRITES + turn).unwrap()).unwrap();
        let name = format!("样例{letter}");
        me.put("/me", json!({"name": name})).await.expect(200);
        let (form, phone) = (json!({"answer": format!("{writer} {turn}")}), format!("1380000{writer:02}{turn:02}"));
        let body = json!({
            "kind": "proxy", "item": "DZ-MZ-01", "division": village, "form": form, "contact_phone": phone,
        });
        let case = me.post_keyed("/cases", &format!("filing-{writer}-{turn}"), body).await.expect(201);
        last = Some(Written { name, case, form, phone });
    }
    (who, last.unwrap())
}

/// Many people whose names are sealed with the first key.
async fn crowd(app: &TestApp, count: usize) {
    let keys = &app.app().field_keys;
    let name = PersonName::read("样例甲").unwrap();
    let person = |_| person::ActiveModel {
        name: Set(Some(keys.close(&name).unwrap())),
        name_hash: Set(Some(keys.hash_of(&name).unwrap())),
        ..person::ActiveModel::of_nobody_yet(app.now())
    };
    let rows: Vec<_> = (0..count).map(person).collect();
    let insert = async move |tx: &shuoshi::db::Tx| {
        person::Entity::insert_many(rows.clone()).exec_without_returning(tx).await?;
        Ok(())
    };
    app.db().transact(insert).await.unwrap();
}

both_engines! {
    async fn nothing_is_lost_while_servers_with_either_key_write(app: TestApp) {
        let (old, new) = (app.second_server_with(two_keys("demo")).await, app.second_server_with(two_keys("fresh")).await);
        crowd(&app, 150).await;
        let village = app.village().await.to_string();
        let writing = AtomicBool::new(true);
        let writers = async {
            let all = (0..WRITERS).map(|writer| write(if writer % 2 == 0 { &old } else { &new }, &village, writer));
            let written = join_all(all).await;
            writing.store(false, Ordering::Relaxed);
            written
        };
        let rotating = async {
            let mut resealed = 0;
            while writing.load(Ordering::Relaxed) {
                let tables = rotate(new.db(), &new.app().field_keys).await.unwrap();
                resealed += tables.iter().map(|table| table.resealed).sum::<u64>();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            resealed
        };
        let (written, resealed) = tokio::join!(writers, rotating);
        assert!(resealed >= 150, "{resealed}");
        let last = rotate(new.db(), &new.app().field_keys).await.unwrap();
        assert_eq!(left(&last), 0, "{last:?}");
        assert!(last.iter().all(|table| table.faults.is_empty()), "{last:?}");
        let used = status(app.db().read()).await.unwrap();
        assert_eq!(used.keys().collect::<Vec<_>>(), ["fresh"], "{used:?}");

        // A server that has forgotten the old key opens everything.
        let only = app.second_server_with(fresh_key_only).await;
        for (writer, (who, wrote)) in written.iter().enumerate() {
            let me = only.villager(who).await;
            assert_eq!(me.get("/me").await.expect(200)["name"], json!(wrote.name));
            let path = format!("/cases/{}", wrote.case["id"].as_str().unwrap());
            assert_eq!(me.get(&path).await.expect(200)["form"], wrote.form);
            let tail = json!({"number": wrote.case["number"], "phone_tail": wrote.phone[7..]});
            only.nobody().post("/track", tail).await.expect(200);
            let again = json!({
                "kind": "proxy", "item": "DZ-MZ-01", "division": village, "form": wrote.form, "contact_phone": wrote.phone,
            });
            let key = format!("filing-{writer}-{}", WRITES - 1);
            let replayed = me.post_keyed("/cases", &key, again).await;
            assert_eq!(replayed.header("idempotency-replayed"), "true");
            assert_eq!(replayed.expect(201)["id"], wrote.case["id"]);
        }
        assert_eq!(app.number("SELECT count(*) FROM cases").await, i64::try_from(WRITERS * WRITES).unwrap());
        app.drain_jobs().await;
    }

    async fn an_interrupted_rotation_is_run_again(app: TestApp) {
        let new = app.second_server_with(two_keys("fresh")).await;
        crowd(&app, 400).await;
        let keys = &new.app().field_keys;
        let cut = tokio::time::timeout(Duration::from_millis(15), rotate(new.db(), keys)).await;
        let before = status(app.db().read()).await.unwrap();
        assert!(cut.is_ok() || before.contains_key("demo"), "{before:?}");
        assert_eq!(left(&rotate(new.db(), keys).await.unwrap()), 0);
        let again = rotate(new.db(), keys).await.unwrap();
        assert_eq!(again.iter().map(|table| table.resealed).sum::<u64>(), 0);
        for row in person::Entity::find().all(app.db().read()).await.unwrap() {
            assert_eq!(keys.open::<PersonName>(&row.name.unwrap()).unwrap().in_the_clear(), "样例甲");
        }
    }

    async fn a_value_that_changed_meanwhile_is_left_to_who_changed_it(app: TestApp) {
        // The same row is written again and again by a server with the old key: the newest name always wins.
        let (old, new) = (app.second_server_with(two_keys("demo")).await, app.second_server_with(two_keys("fresh")).await);
        let me = old.villager("甲").await;
        let id = PersonId(me.id().parse().unwrap());
        for turn in 0..20 {
            let name = format!("样例{}", char::from_u32(0x4e00 + turn).unwrap());
            let change = me.put("/me", json!({"name": name}));
            let (changed, rotated) = tokio::join!(change, rotate(new.db(), &new.app().field_keys));
            changed.expect(200);
            rotated.unwrap();
            let row = person::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap();
            assert_eq!(new.app().field_keys.open::<PersonName>(&row.name.unwrap()).unwrap().in_the_clear(), name);
        }
    }

    async fn a_missing_key_is_named_and_the_value_is_not(app: TestApp) {
        let me = app.villager("甲").await;
        me.put("/me", json!({"name": "样例赵钱孙"})).await.expect(200);
        let without = app.second_server_with(fresh_key_only).await;
        let failed = me.clone().at(&without).get("/me").await.problem("unexpected");
        assert!(!failed.to_string().contains("赵钱孙") && !failed.to_string().contains("demo."), "{failed}");
        let tables = rotate(without.db(), &without.app().field_keys).await.unwrap();
        let people = tables.iter().find(|table| table.table == "person").unwrap();
        assert_eq!((people.resealed, people.left), (0, 1));
        assert!(people.faults[0].contains("the key 'demo', which crypto.field_keys lacks"), "{:?}", people.faults);
        me.get("/me").await.expect(200);
    }

    async fn key_ids_that_differ_only_in_case_are_different_keys(app: TestApp) {
        let lower = app.app().field_keys.close(&PersonName::read("样例甲").unwrap()).unwrap();
        let mut row = person::ActiveModel::of_nobody_yet(app.now());
        row.name = Set(Some(entity::sealed::Sealed(lower.0.replacen("demo.", "DEMO.", 1))));
        let row = row.into_active_model();
        let insert = async move |tx: &shuoshi::db::Tx| {
            person::Entity::insert(row.clone()).exec_without_returning(tx).await?;
            Ok(())
        };
        app.db().transact(insert).await.unwrap();
        let used = status(app.db().read()).await.unwrap();
        assert_eq!(used.keys().collect::<Vec<_>>(), ["DEMO"]);
        assert_eq!(left(&rotate(app.db(), &app.app().field_keys).await.unwrap()), 1);
    }
}

async fn by_command(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let add =
        ["staff", "add", "--username", "x", "--name", "y", "--division", "511702108212", "--duty", "accept_cases"];
    assert_eq!(process::run(&database, &add, &[]).0, 1, "no password was given");
    let both = [("SHUOSHI__CRYPTO__FIELD_KEYS__FRESH", FRESH)];
    let active = [both[0], ("SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY", "fresh")];
    let row = "INSERT INTO phone_code (person_id, phone, code_hash, tries, expires_at) SELECT id, 'demo.AAAA', '', 0, \
               created_at FROM person LIMIT 1";
    let (code, said) = process::run(&database, &["keys", "status"], &both);
    assert_eq!((code, said.as_str()), (0, "demo: nothing\nfresh: nothing\n"));
    let (code, said) = process::run(&database, &["keys", "rotate"], &active);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("person: 0 sealed anew, 0 left\n"), "{said}");
    assert!(said.contains("may be taken out of crypto.field_keys: demo.\n"), "{said}");
    let person = "INSERT INTO person (id, verified, preferences, created_at) SELECT id, true, '{}', created_at FROM staff LIMIT 1";
    process::execute(&database, person).await;
    process::execute(&database, row).await;
    let (code, said) = process::run(&database, &["keys", "rotate"], &active);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("phone_code: 0 sealed anew, 1 left\n  phone_code.phone: a sealed person.phone does not open\n"),
        "{said}"
    );
    assert!(said.contains("remove no key yet"), "{said}");
    let (code, said) = process::run(&database, &["keys", "status"], &active);
    assert_eq!((code, said.as_str()), (0, "demo: 1 values (phone_code 1)\nfresh: nothing\n"));
    let (code, said) = process::run(&database, &["audit", "verify"], &[]);
    assert_eq!((code, said.as_str()), (0, "the audit is whole: entries 1 to 2 are as they were written\n"));
    database.remove().await;
}

#[test]
fn the_command_says_what_is_left_sqlite() {
    actix_web::rt::System::new().block_on(by_command(Engine::Sqlite));
}

#[test]
fn the_command_says_what_is_left_postgres() {
    actix_web::rt::System::new().block_on(by_command(Engine::Postgres));
}

#[test]
fn a_new_key_is_new_and_good() {
    actix_web::rt::System::new().block_on(async {
        let database = TestDatabase::empty(Engine::Sqlite).await;
        let (code, first) = process::run(&database, &["keys", "new"], &[]);
        let (_, second) = process::run(&database, &["keys", "new"], &[]);
        assert_eq!(code, 0);
        let key = |said: &str| said.lines().next().unwrap().to_owned();
        assert_ne!(key(&first), key(&second));
        assert!(first.contains(&format!("SHUOSHI__CRYPTO__AUDIT_KEY={}", key(&first))), "{first}");
        let good =
            [("SHUOSHI__CRYPTO__FIELD_KEYS__F2", key(&first)), ("SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY", "f2".to_owned())];
        let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (code, said) = process::run(&database, &["keys", "status"], &good);
        assert_eq!(code, 0, "{said}");
    });
}
