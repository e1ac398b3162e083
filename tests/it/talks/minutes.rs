//! Minutes: compiled, signed by two villagers, published without names, and flagged when they are late.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    hearing::{answered, called, conclude, concluded, hosted, id, lives_here, matter},
    last_told,
};
use crate::support::{Actor, TestApp};

fn at(day: &Value) -> String {
    format!("/staff/talk-days/{}/minutes", id(day))
}

fn signature(minutes: &Value, name: &str, phone: &str) -> Value {
    json!({"name": name, "phone": phone, "mark": "fingerprint", "reference": "纪要夹第3页", "digest": minutes["digest"]})
}

/// Two who live there, and whoever witnesses what they sign: another than the desk, which compiles.
async fn signers(app: &TestApp) -> Actor {
    for (name, phone) in [("样例甲", "13800000021"), ("样例乙", "13800000022")] {
        lives_here(app, name, phone).await;
    }
    app.staff("cadre").await
}

/// A day on which two public matters and a private one were heard.
async fn heard(app: &TestApp, desk: &Actor) -> Value {
    let day = hosted(app, &[], 5).await;
    for (name, privacy, body) in [
        ("张大勇", "public", answered()),
        ("李秀英", "public", json!({"record": "李秀英家门口塌方，电话13800000000", "outcome": "case"})),
        ("王建国", "private", json!({"record": "家里的事", "outcome": "answered"})),
    ] {
        let villager = app.villager(name).await;
        villager.put("/me", json!({"name": name})).await.expect(200);
        let booking = matter(&villager, &day, privacy, "来说一件事").await;
        concluded(app, desk, &booking, body).await;
    }
    day
}

both_engines! {
    async fn a_cursor_with_an_absurd_day_is_no_cursor(app: TestApp) {
        let (town, place) = (app.staff("town").await, app.village().await);
        // `["+262142-01-01", id]` and `["+262142-01-01T00:00:00Z", id]`.
        let on = "WyIrMjYyMTQyLTAxLTAxIiwiMDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl0";
        let at = "WyIrMjYyMTQyLTAxLTAxVDAwOjAwOjAwWiIsIjAwMDAwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd";
        town.get(&format!("/staff/divisions/{place}/talk-minutes?cursor={on}")).await.invalid("?cursor", "cursor");
        town.get(&format!("/divisions/{place}/talk-days?cursor={at}")).await.invalid("?cursor", "cursor");
    }

    async fn minutes_go_from_compiling_over_two_signatures_to_everybody(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = heard(&app, &desk).await;
        let minutes = desk.post(&at(&day), json!({"remarks": "天气好，来的人多"})).await.expect(200);
        assert_eq!((&minutes["due_on"], &minutes["version"], &minutes["late"]), (&json!("2026-11-27"), &json!(1), &json!(false)));
        let whole = &minutes["document"];
        assert_eq!(whole["counts"], json!({"heard": 3, "private": 1, "answered": 1, "cases": 1, "council": 0}));
        assert_eq!(whole["matters"].as_array().unwrap().len(), 2);
        assert_eq!((&whole["matters"][0]["name"], &whole["matters"][0]["record"]), (&json!("张*勇"), &json!("当面说清了，月底前修好")));
        assert!(!minutes.to_string().contains("家里的事") && !minutes.to_string().contains('王'), "{minutes}");
        let public = format!("/talk-days/{}/minutes", id(&day));
        app.nobody().get(&public).await.problem("not_found");
        desk.post(&format!("{}/publish", at(&day)), json!({})).await.problem("minutes_not_signed");
        let (sign, witness) = (format!("{}/signatures", at(&day)), signers(&app).await);
        let one = witness.post(&sign, signature(&minutes, "样例甲", "13800000021")).await.expect(201);
        assert_eq!((one["signatures"].as_array().unwrap().len(), &one["signed_at"]), (1, &Value::Null));
        desk.post(&format!("{}/publish", at(&day)), json!({})).await.problem("minutes_not_signed");
        let two = witness.post(&sign, signature(&minutes, "样例乙", "13800000022")).await.expect(201);
        assert!(!two["signed_at"].is_null());
        assert_eq!(two["signatures"][0]["name"], "样*甲");
        let published = desk.post(&format!("{}/publish", at(&day)), json!({})).await.expect(200);
        assert!(!published["published_at"].is_null());
        desk.post(&format!("{}/publish", at(&day)), json!({})).await.problem("transition_not_allowed");
        desk.post(&at(&day), json!({})).await.problem("transition_not_allowed");
        let steps = "SELECT count(*) FROM audit_entry WHERE action IN ('compile_talk_minutes', 'publish_talk_minutes')";
        assert_eq!(app.number(steps).await, 2);
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'sign_talk_minutes'").await, 2);
        app.drain_jobs().await;
        let read = app.nobody().get(&public).await.expect(200);
        let of = &read["document"]["matters"];
        assert_eq!((&of[0]["name"], &of[0]["text"], &of[0]["number"]), (&Value::Null, &json!("月底前修好路灯"), &json!(1)));
        assert_eq!((&of[1]["name"], &of[1]["text"], &of[1]["outcome"]), (&Value::Null, &Value::Null, &json!("case")));
        for secret in ["大勇", "秀英", "建国", "某", "塌方", "13800000000", "天气好", "家里的事"] {
            assert!(!read.to_string().contains(secret), "{secret}: {read}");
        }
        app.drain_jobs().await;
    }

    async fn names_and_numbers_that_slip_into_public_words_are_taken_out(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        for name in ["张大勇", "李秀英"] {
            let villager = app.villager(name).await;
            villager.put("/me", json!({"name": name})).await.expect(200);
            let booking = matter(&villager, &day, "public", "来说一件事").await;
            // Another's name: the host who writes knows whom they mean, the check knows whose matter it is.
            let other = if name == "张大勇" { "李秀英" } else { "张大勇" };
            let body = json!({"record": "x", "public_text": format!("请{other}月底前去修"), "outcome": "answered"});
            concluded(&app, &desk, &booking, body).await;
        }
        let minutes = desk.post(&at(&day), json!({})).await.expect(200);
        let public = &minutes["public_document"];
        assert_eq!(public["matters"][0]["text"], "请李某某月底前去修");
        assert!(!public.to_string().contains("秀英") && !public.to_string().contains("大勇"), "{public}");
        app.drain_jobs().await;
    }

    async fn they_are_compiled_when_all_were_heard_or_the_day_is_over(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        desk.post(&at(&day), json!({})).await.problem("transition_not_allowed");
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let first = matter(&one, &day, "public", "路灯").await;
        let second = matter(&two, &day, "public", "修桥").await;
        concluded(&app, &desk, &first, answered()).await;
        desk.post(&at(&day), json!({})).await.problem("transition_not_allowed");
        called(&app, &second).await;
        desk.post(&at(&day), json!({})).await.problem("transition_not_allowed");
        app.staff("neighbour").await.post(&at(&day), json!({})).await.problem("not_found");
        app.advance(TimeDelta::minutes(29 * 60 + 30));
        let desk = app.staff("desk").await;
        let minutes = desk.post(&at(&day), json!({})).await.expect(200);
        desk.post(&conclude(&second), answered()).await.expect(200);
        let again = desk.post(&at(&day), json!({})).await.expect(200);
        assert_eq!((&again["version"], &again["document"]["counts"]["heard"]), (&json!(2), &json!(2)));
        assert_ne!(again["digest"], minutes["digest"]);
        let (sign, witness) = (format!("{}/signatures", at(&day)), signers(&app).await);
        witness.post(&sign, signature(&minutes, "样例甲", "13800000021")).await.problem("stale");
        witness.post(&sign, signature(&again, "样例甲", "13800000021")).await.expect(201);
        app.drain_jobs().await;
    }

    async fn two_different_villagers_sign_and_no_host(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = heard(&app, &desk).await;
        let minutes = desk.post(&at(&day), json!({})).await.expect(200);
        let sign = format!("{}/signatures", at(&day));
        let witness = signers(&app).await;
        desk.post(&sign, signature(&minutes, "样例甲", "13800000021")).await.problem("witness_compiled");
        let who = desk.get("/staff/me").await.expect(200);
        assert_eq!(who["name"], "样例 经办员甲");
        let host = lives_here(&app, "样例 经办员甲", "13800000020").await;
        witness.post(&sign, signature(&minutes, "样例 经办员甲", "13800000020")).await.invalid("/name", "host");
        // Neither known here nor on a roster: whoever is made up.
        witness.post(&sign, signature(&minutes, "样例丙", "13800000024")).await.invalid("/name", "unknown");
        witness.post(&sign, signature(&minutes, "样例甲", "13800000022")).await.invalid("/name", "unknown");
        witness.post(&sign, signature(&minutes, "样例甲", "12345")).await.invalid("/phone", "format");
        let stranger = app.villager("外人").await;
        let by_id = |person: &str| json!({"person": person, "mark": "seal", "digest": minutes["digest"]});
        witness.post(&sign, by_id(stranger.id())).await.invalid("/person", "unknown");
        witness.post(&sign, by_id("01999999-0000-7000-8000-000000000000")).await.invalid("/person", "unknown");
        witness.post(&sign, json!({"mark": "seal", "digest": minutes["digest"]})).await.invalid("/name", "required");
        let came = app.villager("张大勇").await;
        witness.post(&sign, by_id(came.id())).await.expect(201);
        witness.post(&sign, by_id(came.id())).await.problem("already_exists");
        witness.post(&sign, by_id(&host.to_string())).await.invalid("/person", "host");
        assert_eq!(last_told(&app, &came).await.0, "talk_minutes_signed");
        lives_here(&app, "张大勇", "13800000023").await;
        witness.post(&sign, signature(&minutes, "张大勇", "13800000023")).await.problem("already_exists");
        witness.post(&sign, signature(&minutes, "样例乙", "13800000022")).await.expect(201);
        witness.post(&sign, signature(&minutes, "样例乙", "13800000022")).await.problem("already_exists");
        assert_eq!(app.number("SELECT count(*) FROM minutes_signature WHERE name LIKE '%样例%'").await, 0, "names are sealed");
        app.drain_jobs().await;
    }

    async fn who_stands_on_the_roster_signs_without_ever_having_come(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = heard(&app, &desk).await;
        let minutes = desk.post(&at(&day), json!({})).await.expect(200);
        let csv = "姓名,身份证号,电话\n样例丁,511725194611240009,13800000025\n";
        let path = format!("/api/v1/staff/divisions/{}/roster", app.village().await);
        desk.call(Method::POST, &path).body("text/csv", csv).send().await.expect(200);
        let body = signature(&minutes, "样例丁", "13800000025");
        app.staff("cadre").await.post(&format!("{}/signatures", at(&day)), body).await.expect(201);
        app.drain_jobs().await;
    }

    async fn minutes_are_corrected_until_they_are_published_and_signed_again(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        let villager = app.villager("张大勇").await;
        villager.put("/me", json!({"name": "张大勇"})).await.expect(200);
        let booking = matter(&villager, &day, "public", "来说一件事").await;
        concluded(&app, &desk, &booking, answered()).await;
        let first = desk.post(&at(&day), json!({})).await.expect(200);
        let (sign, publish) = (format!("{}/signatures", at(&day)), format!("{}/publish", at(&day)));
        let witness = signers(&app).await;
        let by_id = |minutes: &Value| json!({"person": villager.id(), "mark": "seal", "digest": minutes["digest"]});
        witness.post(&sign, by_id(&first)).await.expect(201);
        let signed = witness.post(&sign, signature(&first, "样例乙", "13800000022")).await.expect(201);
        // Nothing else is told: what was signed stands.
        let same = desk.post(&at(&day), json!({})).await.expect(200);
        assert_eq!((&same["signatures"], &same["signed_at"]), (&signed["signatures"], &signed["signed_at"]));
        let body = json!({"text": "下月初修好", "public_text": "下月初修好路灯", "reason": "施工队改期"});
        desk.post(&format!("/staff/bookings/{}/records", id(&booking)), body).await.expect(201);
        desk.post(&publish, json!({})).await.problem("stale");
        let again = desk.post(&at(&day), json!({})).await.expect(200);
        assert_eq!((&again["signatures"], &again["signed_at"]), (&json!([]), &Value::Null));
        assert_eq!(last_told(&app, &villager).await.0, "talk_minutes_changed");
        desk.post(&publish, json!({})).await.problem("minutes_not_signed");
        witness.post(&sign, by_id(&first)).await.problem("stale");
        witness.post(&sign, by_id(&again)).await.expect(201);
        witness.post(&sign, signature(&again, "样例乙", "13800000022")).await.expect(201);
        desk.post(&publish, json!({})).await.expect(200);
        app.drain_jobs().await;
        let read = app.nobody().get(&format!("/talk-days/{}/minutes", id(&day))).await.expect(200);
        assert_eq!(read["document"]["matters"][0]["text"], "下月初修好路灯");
        app.drain_jobs().await;
    }

    async fn minutes_are_for_hosts_and_those_who_manage_talk_days(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let day = hosted(&app, &[&cadre], 5).await;
        let booking = matter(&app.villager("甲").await, &day, "public", "路灯").await;
        concluded(&app, &cadre, &booking, answered()).await;
        cadre.post(&at(&day), json!({})).await.expect(200);
        for (who, problem) in [("cadre2", "not_your_duty"), ("neighbour", "not_found"), ("county", "not_your_duty")] {
            app.staff(who).await.get(&at(&day)).await.problem(problem);
        }
        for who in ["desk", "town"] {
            assert_eq!(app.staff(who).await.get(&at(&day)).await.expect(200)["document"]["matters"][0]["record"], "当面说清了，月底前修好");
        }
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'read_talk_minutes'").await, 2);
        assert_eq!(app.number("SELECT count(*) FROM talk_minutes WHERE document LIKE '%说清%'").await, 0, "the document is sealed");
        app.drain_jobs().await;
    }

    async fn a_day_without_published_minutes_gets_a_red_flag(app: TestApp) {
        let desk = app.staff("desk").await;
        let list = format!("/staff/divisions/{}/talk-minutes", app.village().await);
        assert_eq!(desk.get(&list).await.expect(200)["items"], json!([]), "nobody was heard yet");
        let day = heard(&app, &desk).await;
        let due = desk.get(&format!("{list}?state=due")).await.expect(200);
        assert_eq!((&due["items"][0]["talk_day"], &due["items"][0]["due_on"], &due["items"][0]["late"]), (&day["id"], &json!("2026-11-27"), &json!(false)));
        // Through Friday, the third working day after Tuesday.
        app.advance(TimeDelta::days(4));
        let desk = app.staff("desk").await;
        assert_eq!(desk.get(&format!("{list}?state=late")).await.expect(200)["items"], json!([]));
        app.advance(TimeDelta::hours(14));
        let desk = app.staff("desk").await;
        let late = desk.get(&format!("{list}?state=late")).await.expect(200);
        assert_eq!((&late["items"][0]["state"], &late["items"][0]["late"]), (&json!("late"), &json!(true)));
        assert_eq!(desk.get(&format!("{list}?state=due")).await.expect(200)["items"], json!([]));
        let minutes = desk.post(&at(&day), json!({})).await.expect(200);
        assert_eq!(minutes["late"], true);
        let county = format!("/staff/divisions/{}/talk-minutes?state=late", app.division("511702000000").await);
        assert_eq!(app.staff("county").await.get(&county).await.expect(200)["items"][0]["talk_day"], day["id"]);
        app.staff("neighbour").await.get(&list).await.problem("not_found");
        let (sign, witness) = (format!("{}/signatures", at(&day)), signers(&app).await);
        witness.post(&sign, signature(&minutes, "样例甲", "13800000021")).await.expect(201);
        witness.post(&sign, signature(&minutes, "样例乙", "13800000022")).await.expect(201);
        desk.post(&format!("{}/publish", at(&day)), json!({})).await.expect(200);
        assert_eq!(desk.get(&list).await.expect(200)["items"], json!([]));
        let published = desk.get(&format!("{list}?state=published")).await.expect(200);
        assert_eq!((&published["items"][0]["talk_day"], &published["items"][0]["late"]), (&day["id"], &json!(false)));
        app.drain_jobs().await;
    }
}
