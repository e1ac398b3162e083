//! Words of public cases.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{decide, described, own, queue, verdict};
use crate::{
    cases::{actions, becomes_private, own as own_case},
    open311::public_case,
    support::{Actor, TestApp},
};

const NOT_YET: &str = "内容待工作人员受理后公开";

/// A public case with these words that the desk accepted.
async fn accepted(app: &TestApp, villager: &Actor, text: &str) -> (Value, String) {
    let (case, id) = public_case(app, villager, json!({"text": text})).await;
    app.staff("desk").await.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
    (case, id)
}

async fn faults(app: &TestApp, times: u32, fault: Value) {
    let mut body = json!({"path": "/wxa/msg_sec_check", "times": times});
    body.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    app.simulator("faults", body).await;
}

both_engines! {
    async fn what_passes_is_shown_and_nothing_before(app: TestApp) {
        let villager = app.villager("甲").await;
        let (case, id) = accepted(&app, &villager, "村口的路灯不亮").await;
        assert_eq!(described(&app, &id).await, NOT_YET, "accepted and not looked at");
        // Whose it is and who works on it see it at once.
        assert_eq!(villager.get(&own_case(&case)).await.expect(200)["text"], "村口的路灯不亮");
        let seen = app.staff("desk").await.get(&format!("/staff{}", own_case(&case))).await.expect(200);
        assert_eq!(seen["text"], "村口的路灯不亮");
        app.drain_jobs().await;
        assert_eq!(described(&app, &id).await, "村口的路灯不亮");
        let mine = own(&villager).await;
        assert_eq!((&mine[0]["state"], &mine[0]["subject"], &mine[0]["subject_id"]), (&json!("passed"), &json!("case"), &case["id"]));
        let known = queue(&app, &app.staff("desk").await, "passed").await;
        assert_eq!((&known[0]["suggest"], &known[0]["label"]), (&json!("pass"), &json!(100)));
        assert_eq!(app.number("SELECT count(*) FROM content_check WHERE text LIKE '%路灯%'").await, 0, "sealed");
    }

    async fn what_is_risky_is_held_and_told_politely(app: TestApp) {
        let villager = app.villager("甲").await;
        verdict(&app, "赌博", "risky", 20006).await;
        let (case, id) = accepted(&app, &villager, "村口有人赌博").await;
        app.drain_jobs().await;
        assert_eq!(described(&app, &id).await, NOT_YET);
        let inbox = villager.get("/inbox").await.expect(200);
        let told = inbox["items"].as_array().unwrap().iter().find(|item| item["kind"] == "content_held").unwrap();
        assert_eq!(told["case"], case["id"]);
        // The case goes on.
        assert_eq!(villager.get(&own_case(&case)).await.expect(200)["state"], "accepted");
        let held = own(&villager).await[0].clone();
        assert_eq!((&held["state"], &held["may_ask"]), (&json!("held"), &json!(true)));
        let item = queue(&app, &app.staff("desk").await, "held").await[0].clone();
        assert_eq!((&item["label"], &item["suggest"]), (&json!(20006), &json!("risky")));
        // Other words are looked at anew, and the case keeps the first.
        let path = format!("/me/content/{}", held["id"].as_str().unwrap());
        app.villager("乙").await.post(&format!("{path}/reword"), json!({"text": "x"})).await.problem("not_found");
        let said = json!({"text": "村口有人聚众打牌，电话13800001234"});
        let reworded = villager.post(&format!("{path}/reword"), said).await.expect(200);
        assert_eq!((&reworded["state"], &reworded["text"]), (&json!("waiting"), &json!("村口有人聚众打牌，电话****")));
        app.drain_jobs().await;
        // The desk has read other words: WeChat's yes to these is not enough.
        assert_eq!(described(&app, &id).await, NOT_YET);
        villager.post(&format!("{path}/reword"), json!({"text": "x"})).await.problem("transition_not_allowed");
        let desk = app.staff("desk").await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], &item["text"]), (&json!("reworded"), &json!("村口有人聚众打牌，电话****")));
        decide(&desk, &item, json!({"decision": "show"})).await.expect(200);
        assert_eq!(described(&app, &id).await, "村口有人聚众打牌，电话****");
        assert_eq!(villager.get(&own_case(&case)).await.expect(200)["text"], "村口有人赌博");
        // What is shown stays as it was read; what a person holds may be said otherwise, and a person reads it.
        villager.post(&format!("{path}/reword"), json!({"text": "支书收钱"})).await.problem("transition_not_allowed");
        for _ in 0..4 {
            decide(&desk, &item, json!({"decision": "hold", "reason": "换个说法"})).await.expect(200);
            villager.post(&format!("{path}/reword"), json!({"text": "又换了个说法"})).await.expect(200);
            app.drain_jobs().await;
            assert_eq!(described(&app, &id).await, NOT_YET);
        }
        decide(&desk, &item, json!({"decision": "hold", "reason": "换个说法"})).await.expect(200);
        villager.post(&format!("{path}/reword"), json!({"text": "再换"})).await.problem("limit_reached");
        app.drain_jobs().await;
    }

    async fn a_person_is_asked_for_and_decides(app: TestApp) {
        let villager = app.villager("甲").await;
        verdict(&app, "打牌", "risky", 21000).await;
        let (_, id) = accepted(&app, &villager, "村口打牌太吵").await;
        app.drain_jobs().await;
        let path = format!("/me/content/{}/ask", own(&villager).await[0]["id"].as_str().unwrap());
        assert_eq!(villager.post(&path, json!({})).await.expect(200)["state"], "to_review");
        villager.post(&path, json!({})).await.problem("transition_not_allowed");
        let desk = app.staff("desk").await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], &item["text"]), (&json!("asked_for"), &json!("村口打牌太吵")));
        decide(&desk, &item, json!({"decision": "hold"})).await.invalid("/reason", "required");
        decide(&desk, &item, json!({"decision": "show", "version": 1})).await.problem("stale");
        for (name, code) in [("neighbour", "not_found"), ("cadre2", "not_your_duty"), ("discipline", "not_your_duty")] {
            decide(&app.staff(name).await, &item, json!({"decision": "show"})).await.problem(code);
        }
        let held = decide(&desk, &item, json!({"decision": "hold", "reason": "有人名"})).await.expect(200);
        assert_eq!((&held["state"], &held["decided_by"]), (&json!("held"), &json!(desk.id())));
        villager.post(&path, json!({})).await.problem("transition_not_allowed");
        decide(&desk, &item, json!({"decision": "show"})).await.expect(200);
        decide(&desk, &item, json!({"decision": "show"})).await.problem("transition_not_allowed");
        assert_eq!(described(&app, &id).await, "村口打牌太吵");
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action IN ('show_content', 'hold_content')").await, 2);
        app.drain_jobs().await;
    }

    async fn nobody_decides_about_somebody_near(app: TestApp) {
        let (villager, desk, admin) = (app.villager("甲").await, app.staff("desk").await, app.staff("admin").await);
        verdict(&app, "修桥", "review", 21000).await;
        let (_, id) = accepted(&app, &villager, "请修桥").await;
        app.drain_jobs().await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!(item["reason"], "review");
        let near = json!({"with_person": villager.id(), "kind": "relative"});
        admin.post(&format!("/staff/accounts/{}/conflicts", desk.id()), near).await.expect(201);
        decide(&desk, &item, json!({"decision": "show"})).await.problem("conflict_of_interest");
        assert_eq!(described(&app, &id).await, NOT_YET);
        decide(&app.staff("town").await, &item, json!({"decision": "show"})).await.expect(200);
        assert_eq!(described(&app, &id).await, "请修桥");
        app.drain_jobs().await;
    }

    async fn who_was_not_here_lately_needs_a_person(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        app.advance(TimeDelta::minutes(121));
        let (_, id) = accepted(&app, &villager, "路灯坏了").await;
        app.drain_jobs().await;
        let reasons: Vec<Value> = queue(&app, &desk, "to_review").await.iter().map(|item| item["reason"].clone()).collect();
        assert_eq!(reasons, ["not_seen_lately"]);
        assert_eq!(described(&app, &id).await, NOT_YET);
    }

    async fn an_outage_loses_nothing(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        faults(&app, 3, json!({"http": 502})).await;
        let (_, id) = accepted(&app, &villager, "渠道堵了").await;
        for _ in 0..12 {
            app.drain_jobs().await;
            app.advance(TimeDelta::seconds(5));
        }
        assert_eq!(described(&app, &id).await, "渠道堵了", "a short one is waited out");
        faults(&app, 1000, json!({"http": 502})).await;
        let (_, id) = accepted(&app, &villager, "渠道又堵了").await;
        for _ in 0..20 {
            app.drain_jobs().await;
            app.advance(TimeDelta::seconds(20));
        }
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], &item["text"]), (&json!("outage"), &json!("渠道又堵了")));
        assert_eq!(described(&app, &id).await, NOT_YET);
        decide(&desk, &item, json!({"decision": "show"})).await.expect(200);
        assert_eq!(described(&app, &id).await, "渠道又堵了");
        app.drain_jobs().await;
    }

    async fn words_that_do_not_open_need_a_person(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (_, id) = accepted(&app, &villager, "路灯坏了").await;
        app.execute("UPDATE content_check SET text = 'v1.broken'").await;
        app.drain_jobs().await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], &item["text"]), (&json!("outage"), &Value::Null));
        assert_eq!(described(&app, &id).await, NOT_YET);
    }

    async fn a_lost_job_is_found(app: TestApp) {
        let villager = app.villager("甲").await;
        accepted(&app, &villager, "路塌了").await;
        app.execute("DELETE FROM job WHERE kind = 'check_content'").await;
        app.advance(TimeDelta::minutes(59));
        app.drain_jobs().await;
        let desk = app.staff("desk").await;
        assert_eq!(queue(&app, &desk, "waiting").await.len(), 1);
        app.advance(TimeDelta::minutes(2));
        app.drain_jobs().await;
        assert_eq!(queue(&app, &desk, "to_review").await[0]["reason"], "outage");
    }

    async fn what_is_not_public_never_goes_out(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        verdict(&app, "修", "review", 21000).await;
        let (queued, _) = accepted(&app, &villager, "请修路").await;
        app.drain_jobs().await;
        let item = queue(&app, &desk, "to_review").await[0].clone();
        becomes_private(&app, &queued).await;
        assert_eq!(queue(&app, &desk, "to_review").await, Vec::<Value>::new());
        decide(&desk, &item, json!({"decision": "show"})).await.problem("not_found");
        let (waiting, _) = accepted(&app, &villager, "修渠").await;
        becomes_private(&app, &waiting).await;
        app.drain_jobs().await;
        let report = json!({"kind": "voice", "concern": "report", "division": app.village().await, "text": "反映干部修房"});
        villager.post("/cases", report).await.expect(201);
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM content_check").await, 1, "what was asked before");
        // Whoever takes it back takes it out of the queue.
        let (other, _) = accepted(&app, &villager, "修桥").await;
        app.drain_jobs().await;
        assert_eq!(queue(&app, &desk, "to_review").await.len(), 1);
        villager.delete(&format!("{}/publication", own_case(&other))).await.expect(204);
        assert_eq!(queue(&app, &desk, "to_review").await, Vec::<Value>::new());
        villager.delete("/me").await;
        assert_eq!(app.number("SELECT count(*) FROM content_check").await, 0);
        app.drain_jobs().await;
    }

    async fn a_draft_is_looked_at_once_it_is_submitted(app: TestApp) {
        let villager = app.villager("甲").await;
        let draft = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "修路", "public": true, "draft": true,
        });
        let draft = villager.post("/cases", draft).await.expect(201);
        app.drain_jobs().await;
        assert_eq!(own(&villager).await, Vec::<Value>::new());
        villager.post(&format!("{}/actions", own_case(&draft)), json!({"action": "submit"})).await.expect(200);
        app.drain_jobs().await;
        assert_eq!(own(&villager).await[0]["state"], "passed");
    }
}
