//! Several cases about one thing: found with reasons, merged by a person, followed together, parted again.

use serde_json::{Value, json};

use super::{actions, answer, in_progress, own};
use crate::support::TestApp;

/// A dark lamp post, as one household says it.
async fn lamp(app: &TestApp, who: &str, text: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "help", "division": app.village().await, "topic": "power_network", "text": text,
        "contact_phone": "13800001234", "object": "路灯 12 号",
    });
    app.villager(who).await.post("/cases", body).await.expect(201)
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

both_engines! {
    async fn candidates_come_with_their_reasons_the_likeliest_first(app: TestApp) {
        let case = lamp(&app, "甲", "村口第三盏路灯坏了，晚上看不见").await;
        let alike = lamp(&app, "乙", "村口第三盏路灯坏了，老人晚上看不见路").await;
        let village = app.village().await;
        let other = |topic: &str, text: &str| json!({
            "kind": "voice", "concern": "help", "division": village, "topic": topic, "text": text,
            "contact_phone": "13800001234",
        });
        let words = app.villager("丙").await.post("/cases", other("power_network", "村口路灯坏了，晚上看不见")).await.expect(201);
        app.villager("丁").await.post("/cases", other("power_network", "祠堂门前要装一盏新灯，方便开会")).await.expect(201);
        app.villager("戊").await.post("/cases", other("roads", "村口第三盏路灯坏了，晚上看不见")).await.expect(201);
        let found = app.staff("desk").await.get(&format!("/staff/cases/{}/duplicates", id(&case))).await.expect(200);
        let items = found["items"].as_array().unwrap();
        let ids: Vec<&Value> = items.iter().map(|item| &item["case"]["id"]).collect();
        assert_eq!(ids, [&alike["id"], &words["id"]], "{found}");
        assert_eq!(items[0]["reasons"], json!(["same_object", "same_group_and_topic", "similar_text"]));
        assert_eq!(items[1]["reasons"], json!(["same_group_and_topic", "similar_text"]));
        assert_eq!((&found["weight"], &found["for_all"]), (&json!(1), &json!(false)));
        app.drain_jobs().await;
    }

    async fn a_merged_villager_keeps_number_notices_and_review(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let desk = app.staff("desk").await;
        let merged = desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        assert_eq!((&merged["state"], &merged["merged_into"]), (&json!("merged"), &main["id"]));
        let seen = app.villager("乙").await.get(&own(&child)).await.expect(200);
        assert_eq!((&seen["number"], &seen["main"]["state"]), (&child["number"], &json!("submitted")));
        assert_eq!(seen["main"]["together"], 2);
        in_progress(&app, &main).await;
        app.staff("cadre").await.post(&actions(&main), answer()).await.expect(200);
        app.drain_jobs().await;
        let told = app.villager("乙").await.get("/inbox").await.expect(200)["items"].to_string();
        for kind in ["case_merged", "case_accepted", "case_in_progress", "case_answered"] {
            assert_eq!(told.matches(kind).count(), 1, "{kind}: {told}");
        }
        assert!(told.contains(child["number"].as_str().unwrap()), "by their own number");
        let seen = app.villager("乙").await.get(&own(&child)).await.expect(200);
        assert_eq!((&seen["main"]["answer"], &seen["main"]["result"]), (&json!("已经办好"), &json!("done")));
        let review = app.villager("乙").await.post(&format!("{}/reviews", own(&child)), json!({"stars": 4})).await;
        assert_eq!(review.expect(201)["stars"], 4);
        assert_eq!(desk.get(&format!("/staff/cases/{}", id(&main))).await.expect(200)["gathered"], 1);
    }

    async fn a_merged_villager_is_told_the_days_of_the_main_case(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        in_progress(&app, &main).await;
        let pause = json!({"action": "pause", "reason": "site_check", "until": "2026-12-01", "text": "要等勘验"});
        cadre.post(&actions(&main), pause).await.expect(200);
        desk.post(&actions(&main), json!({"action": "approve"})).await.expect(200);
        let resumed = cadre.post(&actions(&main), json!({"action": "resume"})).await.expect(200);
        app.drain_jobs().await;
        let inbox = app.villager("乙").await.get("/inbox").await.expect(200);
        let said = |kind: &str| {
            let told = inbox["items"].as_array().unwrap().iter().find(|told| told["kind"] == kind);
            told.unwrap_or_else(|| panic!("{kind}: {inbox}"))["text"].as_str().unwrap().to_owned()
        };
        let due = resumed["promised_due_on"].as_str().unwrap();
        for (kind, day) in [("case_paused", "2026-12-01"), ("case_resumed", due)] {
            let text = said(kind);
            assert!(text.contains(child["number"].as_str().unwrap()) && text.contains(day), "{text}");
        }
    }

    async fn papers_are_asked_of_whose_case_it_is(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let desk = app.staff("desk").await;
        desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        let ask = json!({"action": "request_supplement", "materials": ["照片"], "text": "请补"});
        desk.post(&actions(&main), ask).await.expect(200);
        app.drain_jobs().await;
        let told = async |who| app.villager(who).await.get("/inbox").await.expect(200)["items"].to_string();
        assert!(told("甲").await.contains("case_supplement"));
        assert!(!told("乙").await.contains("case_supplement"));
    }

    async fn what_was_merged_by_mistake_is_parted_and_its_clock_never_stopped(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "水管漏了").await);
        let desk = app.staff("desk").await;
        let accepted = desk.post(&actions(&child), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        let parted = desk.post(&actions(&child), json!({"action": "unmerge", "text": "不是一件事"})).await.expect(200);
        assert_eq!((&parted["state"], &parted["promised_due_on"]), (&json!("accepted"), &accepted["promised_due_on"]));
        assert_eq!((&parted["merged_into"], &parted["closed_at"]), (&json!(null), &json!(null)));
        assert_eq!(desk.get(&format!("/staff/cases/{}", id(&main))).await.expect(200)["gathered"], 0);
        app.drain_jobs().await;
    }

    async fn whoever_was_merged_into_what_comes_to_nothing_goes_on_alone(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let desk = app.staff("desk").await;
        desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        app.villager("甲").await.post(&format!("{}/actions", own(&main)), json!({"action": "withdraw"})).await.expect(200);
        let alone = app.villager("乙").await.get(&own(&child)).await.expect(200);
        assert_eq!((&alone["state"], &alone["main"]), (&json!("submitted"), &json!(null)));
        app.drain_jobs().await;
    }

    async fn what_was_merged_into_a_case_moves_on_with_it(app: TestApp) {
        let first = lamp(&app, "甲", "路灯坏了").await;
        let second = lamp(&app, "乙", "路灯不亮").await;
        let third = lamp(&app, "丙", "灯坏了").await;
        let desk = app.staff("desk").await;
        desk.post(&actions(&third), json!({"action": "merge", "into": second["id"]})).await.expect(200);
        desk.post(&actions(&second), json!({"action": "merge", "into": first["id"]})).await.expect(200);
        let main = desk.get(&format!("/staff/cases/{}", id(&first))).await.expect(200);
        assert_eq!(main["gathered"], 2);
        let moved = desk.get(&format!("/staff/cases/{}", id(&third))).await.expect(200);
        assert_eq!(moved["merged_into"], first["id"]);
        app.drain_jobs().await;
    }

    async fn only_open_cases_that_are_alike_take_others_in(app: TestApp) {
        let (case, gone) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let desk = app.staff("desk").await;
        let merge = |into: &Value| json!({"action": "merge", "into": into});
        app.villager("乙").await.post(&format!("{}/actions", own(&gone)), json!({"action": "withdraw"})).await.expect(200);
        desk.post(&actions(&case), merge(&gone["id"])).await.invalid("/into", "not_allowed_here");
        desk.post(&actions(&case), merge(&case["id"])).await.invalid("/into", "not_allowed_here");
        let body = json!({"kind": "voice", "concern": "report", "division": app.village().await, "text": "路灯的钱"});
        let hidden = app.villager("丙").await.post("/cases", body).await.expect(201);
        desk.post(&actions(&case), merge(&hidden["id"])).await.invalid("/into", "unknown");
        app.drain_jobs().await;
    }

    async fn nothing_is_merged_into_the_work_of_who_must_keep_away_from_it(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        in_progress(&app, &main).await;
        let (admin, desk, cadre) = (app.staff("admin").await, app.staff("desk").await, app.staff("cadre").await);
        let near = json!({"with_person": app.villager("乙").await.id(), "kind": "relative"});
        admin.post(&format!("/staff/accounts/{}/conflicts", cadre.id()), near).await.expect(201);
        let merge = json!({"action": "merge", "into": main["id"]});
        desk.post(&actions(&child), merge).await.problem("conflict_of_interest");
        app.drain_jobs().await;
    }

    async fn who_must_keep_away_from_a_merged_case_is_not_given_the_main_one(app: TestApp) {
        let (main, child) = (lamp(&app, "甲", "路灯坏了").await, lamp(&app, "乙", "路灯不亮").await);
        let (admin, desk, cadre) = (app.staff("admin").await, app.staff("desk").await, app.staff("cadre").await);
        desk.post(&actions(&child), json!({"action": "merge", "into": main["id"]})).await.expect(200);
        let near = json!({"with_person": app.villager("乙").await.id(), "kind": "relative"});
        admin.post(&format!("/staff/accounts/{}/conflicts", cadre.id()), near).await.expect(201);
        desk.post(&actions(&main), json!({"action": "accept"})).await.expect(200);
        let assign = json!({"action": "assign", "assignee": cadre.id()});
        desk.post(&actions(&main), assign).await.problem("conflict_of_interest");
        app.drain_jobs().await;
    }
}
