//! Public matters and their answers.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{answered_matter, at, page, publish};
use crate::{
    cases::{actions, own},
    content::{decide, queue, verdict},
    open311::public_case,
    people::{CHILD, becomes_a_child, claim, on_roster},
    support::Actor,
};

async fn consents(who: &Actor, granted: bool) {
    let body = json!({"granted": granted, "text_version": "2026-11"});
    who.put("/me/consents/publication", body).await.expect(200);
}

both_engines! {
    async fn an_answer_is_read_by_everybody_without_whose_it_is(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        villager.put("/me", json!({"name": "样例王大山"})).await.expect(200);
        let case = answered_matter(&app, &villager).await;
        let made = publish(&desk, &case, json!({})).await.expect(201);
        assert_eq!((&made["state"], &made["kind"]), (&json!("waiting"), &json!("answer")));
        assert_eq!(page(&app).await, Vec::<Value>::new());
        app.nobody().get(&at(&made)).await.problem("not_found");
        app.drain_jobs().await;
        let entry = page(&app).await[0].clone();
        assert_eq!((&entry["title"], &entry["expires_on"]), (&json!("村口路灯"), &json!("2027-11-23")));
        let read = app.nobody().get(&at(&made)).await;
        let tag = read.header("etag").to_owned();
        let read = read.expect(200);
        assert_eq!(read["body"], json!({
            "topic": "roads", "question": "村口的路灯不亮", "answer": "已经办好", "result": "done", "answered_on": "2026-11-23",
        }));
        for secret in ["大山", case["number"].as_str().unwrap(), case["id"].as_str().unwrap(), villager.id()] {
            assert!(!read.to_string().contains(secret), "{secret}");
        }
        let again = app.nobody().call(Method::GET, &format!("/api/v1{}", at(&made))).header("If-None-Match", &tag);
        assert_eq!(again.send().await.status, 304);
        publish(&desk, &case, json!({})).await.problem("already_exists");
        let inbox = villager.get("/inbox").await.expect(200);
        assert!(inbox["items"].as_array().unwrap().iter().any(|item| item["kind"] == "answer_published"), "{inbox}");
        // One call takes it down, whatever tag somebody holds.
        let mine = villager.get("/me/publications").await.expect(200)["items"][0].clone();
        assert_eq!((&mine["state"], &mine["case"]), (&json!("shown"), &case["id"]));
        app.villager("乙").await.post(&format!("/me{}/take-down", at(&made)), json!({})).await.problem("not_found");
        villager.post(&format!("/me{}/take-down", at(&made)), json!({})).await.expect(200);
        let again = app.nobody().call(Method::GET, &format!("/api/v1{}", at(&made))).header("If-None-Match", &tag);
        again.send().await.problem("not_found");
        assert_eq!(page(&app).await, Vec::<Value>::new());
        villager.post(&format!("/me{}/take-down", at(&made)), json!({})).await.problem("transition_not_allowed");
        let kept = desk.get(&format!("/staff/divisions/{}/publications?state=ended", app.village().await)).await.expect(200);
        let tombstone = &kept["items"][0];
        assert_eq!((&tombstone["ended_because"], &tombstone["title"], &tombstone["body"]), (&json!("taken_back"), &Value::Null, &Value::Null));
        assert_eq!(tombstone["digest"], made["digest"]);
        app.drain_jobs().await;
    }

    async fn staff_take_down_with_a_reason(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = answered_matter(&app, &villager).await;
        let made = publish(&desk, &case, json!({})).await.expect(201);
        app.drain_jobs().await;
        let path = format!("/staff{}/take-down", at(&made));
        desk.post(&path, json!({})).await.invalid("/reason", "required");
        app.staff("neighbour").await.post(&path, json!({"reason": "x"})).await.problem("not_found");
        desk.post(&path, json!({"reason": "写错了"})).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'take_down_publication'").await, 1);
        // It may be published again, rightly.
        let again = publish(&desk, &case, json!({"answer": "下月初修好"})).await.expect(201);
        app.drain_jobs().await;
        assert_eq!(app.nobody().get(&at(&again)).await.expect(200)["body"]["answer"], "下月初修好");
    }

    async fn only_what_is_public_answered_and_looked_at(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (open, _) = public_case(&app, &villager, json!({})).await;
        app.drain_jobs().await;
        publish(&desk, &open, json!({})).await.problem("transition_not_allowed");
        let (hidden, _) = public_case(&app, &villager, json!({"public": false})).await;
        crate::cases::answered(&app, &hidden).await;
        publish(&desk, &hidden, json!({})).await.problem("transition_not_allowed");
        verdict(&app, "打牌", "review", 21000).await;
        let (unread, _) = public_case(&app, &villager, json!({"text": "打牌太吵"})).await;
        crate::cases::answered(&app, &unread).await;
        app.drain_jobs().await;
        publish(&desk, &unread, json!({})).await.problem("transition_not_allowed");
        // In the desk's own words it may.
        publish(&desk, &unread, json!({"question": "夜里太吵"})).await.expect(201);
        let case = answered_matter(&app, &villager).await;
        for (body, pointer) in [
            (json!({"title": "找13800000000"}), "/title"),
            (json!({"answer": "请打 138 0000 0000"}), "/answer"),
            (json!({"question": "身份证511725194611240009"}), "/question"),
        ] {
            publish(&desk, &case, body).await.invalid(pointer, "personal");
        }
        for (name, code) in [("county", "not_your_duty"), ("cadre2", "not_found"), ("neighbour", "not_found")] {
            publish(&app.staff(name).await, &case, json!({})).await.problem(code);
        }
        desk.post(&format!("/staff{}/publish", own(&case)), json!({"title": "x"})).await.invalid("/may_identify", "required");
        app.drain_jobs().await;
    }

    async fn what_could_make_somebody_known_stands_by_their_consent(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = answered_matter(&app, &villager).await;
        let known = json!({"may_identify": true});
        publish(&desk, &case, known.clone()).await.problem("consent_required");
        consents(&villager, true).await;
        let made = publish(&desk, &case, known).await.expect(201);
        assert_eq!(made["consent_version"], "2026-11");
        app.drain_jobs().await;
        app.nobody().get(&at(&made)).await.expect(200);
        // Withdrawing takes it down by itself, at once.
        consents(&villager, false).await;
        app.nobody().get(&at(&made)).await.problem("not_found");
        let kept = desk.get(&format!("/staff/divisions/{}/publications?state=ended", app.village().await)).await.expect(200);
        assert_eq!(kept["items"][0]["ended_because"], "consent_withdrawn");
        app.drain_jobs().await;
    }

    async fn a_no_is_not_asked_away_by_publishing_again(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = answered_matter(&app, &villager).await;
        let made = publish(&desk, &case, json!({})).await.expect(201);
        villager.post(&format!("/me{}/take-down", at(&made)), json!({})).await.expect(200);
        publish(&desk, &case, json!({})).await.problem("consent_required");
        // Unless they agree since.
        app.advance(TimeDelta::minutes(1));
        consents(&villager, true).await;
        let made = publish(&desk, &case, json!({})).await.expect(201);
        assert_eq!(made["consent_version"], Value::Null, "nobody could tell whose it is");
        app.advance(TimeDelta::minutes(1));
        consents(&villager, false).await;
        publish(&desk, &case, json!({})).await.problem("consent_required");
        app.drain_jobs().await;
        assert_eq!(page(&app).await, Vec::<Value>::new());
    }

    async fn what_is_held_of_the_case_goes_from_the_page_and_a_name_known_since_is_masked(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (case, id) = public_case(&app, &villager, json!({"text": "我是样例王大山，门口的灯不亮"})).await;
        crate::cases::answered(&app, &case).await;
        app.drain_jobs().await;
        villager.put("/me", json!({"name": "样例王大山"})).await.expect(200);
        let request = app.nobody().call(Method::GET, &format!("/open311/v2/requests/{id}.json")).send().await.expect(200);
        assert!(request[0]["description"].as_str().unwrap().ends_with("门口的灯不亮"), "{request}");
        assert!(!request.to_string().contains("大山"), "{request}");
        let made = publish(&desk, &case, json!({})).await.expect(201);
        app.drain_jobs().await;
        let read = app.nobody().get(&at(&made)).await.expect(200);
        assert!(!read.to_string().contains("大山"), "{read}");
        let shown = queue(&app, &desk, "passed").await;
        let words = shown.iter().find(|item| item["subject"] == "case").unwrap().clone();
        decide(&desk, &words, json!({"decision": "hold", "reason": "有人名"})).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        // In the desk's words it stands, whatever is held of the villager's.
        let made = publish(&desk, &case, json!({"question": "门口的灯不亮"})).await.expect(201);
        app.drain_jobs().await;
        decide(&desk, &words, json!({"decision": "show"})).await.expect(200);
        decide(&desk, &words, json!({"decision": "hold", "reason": "有人名"})).await.expect(200);
        app.nobody().get(&at(&made)).await.expect(200);
        app.drain_jobs().await;
    }

    async fn of_a_child_nothing_is_public(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (case, id) = public_case(&app, &villager, json!({})).await;
        crate::cases::answered(&app, &case).await;
        app.drain_jobs().await;
        let request = format!("/open311/v2/requests/{id}.json");
        app.nobody().call(Method::GET, &request).send().await.expect(200);
        becomes_a_child(&app, &villager).await;
        assert_eq!(app.nobody().call(Method::GET, &request).send().await.status, 404);
        publish(&desk, &case, json!({})).await.problem("transition_not_allowed");
        let show = format!("/staff{}/publication", own(&case));
        desk.post(&show, json!({"public": false})).await.expect(200);
        desk.post(&show, json!({"public": true})).await.invalid("/public", "not_allowed_here");
        app.drain_jobs().await;
    }

    async fn a_page_goes_when_whose_it_is_turns_out_to_be_a_child(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = answered_matter(&app, &villager).await;
        let made = publish(&desk, &case, json!({})).await.expect(201);
        app.drain_jobs().await;
        app.nobody().get(&at(&made)).await.expect(200);
        on_roster(&app, "样例童", CHILD, "9").await;
        villager.post("/me/residence", claim(&app, "样例童", CHILD).await).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        let kept = desk.get(&format!("/staff/divisions/{}/publications?state=ended", app.village().await)).await.expect(200);
        assert_eq!(kept["items"][0]["ended_because"], "of_a_child");
        app.drain_jobs().await;
    }

    async fn of_taking_consent_back_and_publishing_at_once_nothing_stays_on_the_page(app: TestApp) {
        let other = app.second_server().await;
        for name in ["甲", "乙", "丙", "丁"] {
            let (villager, desk) = (app.villager(name).await, app.staff("desk").await.at(&other));
            let case = answered_matter(&app, &villager).await;
            consents(&villager, true).await;
            let (published, ()) =
                tokio::join!(publish(&desk, &case, json!({"may_identify": true})), consents(&villager, false));
            match published.status {
                201 => {}
                _ => drop(published.problem("consent_required")),
            }
            app.drain_jobs().await;
            assert_eq!(page(&app).await, Vec::<Value>::new());
        }
    }

    async fn it_goes_with_what_it_tells_of(app: TestApp) {
        let desk = app.staff("desk").await;
        let shown = async |name: &str| {
            let villager = app.villager(name).await;
            let case = answered_matter(&app, &villager).await;
            let made = publish(&desk, &case, json!({})).await.expect(201);
            app.drain_jobs().await;
            app.nobody().get(&at(&made)).await.expect(200);
            (villager, case, made)
        };
        let (villager, case, made) = shown("甲").await;
        let reopen = json!({"action": "reopen", "reason": "not_done", "text": "灯还是不亮"});
        villager.post(&format!("{}/actions", own(&case)), reopen).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        let (villager, case, made) = shown("乙").await;
        villager.delete(&format!("{}/publication", own(&case))).await.expect(204);
        app.nobody().get(&at(&made)).await.problem("not_found");
        let (_, case, made) = shown("丙").await;
        desk.post(&format!("/staff{}/publication", own(&case)), json!({"public": false})).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        let (villager, _, made) = shown("丁").await;
        villager.delete("/me").await;
        app.nobody().get(&at(&made)).await.problem("not_found");
        assert_eq!(app.number("SELECT count(*) FROM publication WHERE title IS NOT NULL OR body IS NOT NULL").await, 0);
        app.drain_jobs().await;
    }

    async fn they_are_in_the_copy_of_ones_data(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = answered_matter(&app, &villager).await;
        publish(&app.staff("desk").await, &case, json!({})).await.expect(201);
        let answers = json!({"answers": {"shuoshi-demo-talk-day-template-000000000002": "accept"}});
        villager.post("/subscriptions", answers).await.expect(200);
        app.drain_jobs().await;
        let asked = villager.post("/me/export", json!({})).await.expect(202);
        app.drain_jobs().await;
        let copy = villager.get(&format!("/me/export/{}/json", asked["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&copy["subscriptions"][0]["left"], &copy["subscriptions"][0]["answer"]), (&json!(1), &json!("accept")));
        assert_eq!((&copy["content"][0]["text"], &copy["content"][0]["state"]), (&json!("村口的路灯不亮"), &json!("passed")));
        assert_eq!((&copy["publications"][0]["title"], &copy["publications"][0]["body"]["answer"]), (&json!("村口路灯"), &json!("已经办好")));
        app.drain_jobs().await;
    }

    async fn everything_has_its_last_day(app: TestApp) {
        let (villager, admin) = (app.villager("甲").await, app.staff("admin").await);
        let short = json!({"numbers": {"publication_days": 30}});
        admin.put(&format!("/staff/divisions/{}/settings", app.village().await), short).await.expect(200);
        let case = answered_matter(&app, &villager).await;
        let made = publish(&app.staff("desk").await, &case, json!({})).await.expect(201);
        app.drain_jobs().await;
        assert_eq!(made["expires_on"], "2026-12-23");
        app.advance(TimeDelta::days(30));
        app.nobody().get(&at(&made)).await.expect(200);
        app.advance(TimeDelta::days(1));
        app.nobody().get(&at(&made)).await.problem("not_found");
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM publication WHERE ended_because = 'expired' AND body IS NULL").await, 1);
    }

    async fn words_that_are_risky_do_not_reach_the_page_before_somebody_decides(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = answered_matter(&app, &villager).await;
        verdict(&app, "赌", "risky", 20006).await;
        let made = publish(&desk, &case, json!({"answer": "赌场已取缔"})).await.expect(201);
        app.drain_jobs().await;
        app.nobody().get(&at(&made)).await.problem("not_found");
        let item = queue(&app, &desk, "held").await[0].clone();
        assert_eq!((&item["subject"], &item["subject_id"]), (&json!("publication"), &made["id"]));
        decide(&desk, &item, json!({"decision": "show"})).await.problem("conflict_of_interest");
        decide(&app.staff("town").await, &item, json!({"decision": "show"})).await.expect(200);
        app.nobody().get(&at(&made)).await.expect(200);
        decide(&desk, &item, json!({"decision": "hold", "reason": "换个说法"})).await.expect(200);
        app.nobody().get(&at(&made)).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn whoever_is_near_leaves_it_to_somebody_else(app: TestApp) {
        let (villager, desk, admin) = (app.villager("甲").await, app.staff("desk").await, app.staff("admin").await);
        let case = answered_matter(&app, &villager).await;
        let near = json!({"with_person": villager.id(), "kind": "relative"});
        admin.post(&format!("/staff/accounts/{}/conflicts", desk.id()), near).await.expect(201);
        publish(&desk, &case, json!({})).await.problem("conflict_of_interest");
        app.staff("town").await.post(&actions(&case), json!({"action": "note", "text": "记一笔"})).await.expect(200);
        app.drain_jobs().await;
    }
}
