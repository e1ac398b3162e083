use serde_json::{Map, Value, json};

use super::{WITH_FORM, WITHOUT_FORM, errand, with};
use crate::{
    cases::{actions, own},
    talks::hearing::{concluded, hosted, matter},
};

fn right() -> Value {
    json!({"why": "work", "where": "广东省东莞市", "since": "2026-03-01", "phone": "13800001234"})
}

/// What is told of each field.
fn told(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

both_engines! {
    async fn what_is_filed_is_held_to_the_items_form(app: TestApp) {
        let (villager, body) = (app.villager("甲").await, errand(&app, WITH_FORM).await);
        let nothing = villager.post("/cases", body.clone()).await.problem("invalid");
        assert_eq!(told(&nothing), [("/form/where", "required"), ("/form/why", "required")]);
        let wrong = json!({"why": "fun", "where": "", "since": "2026-02-30", "phone": "110", "colour": "red"});
        let refused = villager.post("/cases", with(body.clone(), "form", wrong.clone())).await.problem("invalid");
        assert_eq!(told(&refused), [
            ("/form/colour", "not_allowed"), ("/form/phone", "format"), ("/form/since", "format"),
            ("/form/where", "too_short"), ("/form/why", "not_a_choice"),
        ]);
        assert_eq!(refused["errors"][0]["detail"], "表里没有这一栏");
        let english = villager.clone().with_language("en").post("/cases", with(body.clone(), "form", wrong)).await;
        assert_eq!(english.problem("invalid")["errors"][4]["detail"], "is none of the choices");
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 0);
        let case = villager.post("/cases", with(body, "form", right())).await.expect(201);
        assert_eq!((&case["form"], &case["item"]["version"]), (&right(), &json!(1)));
        // Kept as other personal data is.
        assert_eq!(app.number("SELECT count(*) FROM cases WHERE form LIKE '%东莞%'").await, 0);
        app.drain_jobs().await;
    }

    async fn the_desk_is_held_to_it_too(app: TestApp) {
        let desk = app.staff("desk").await;
        let who = json!({"name": "样例 来访人", "phone": "13800005678"});
        let body = with(with(errand(&app, WITH_FORM).await, "channel", json!("walk_in")), "for_person", who);
        desk.post("/staff/cases", body.clone()).await.invalid("/form/why", "required");
        let case = desk.post("/staff/cases", with(body, "form", right())).await.expect(201);
        assert_eq!(case["form"]["where"], "****");
        app.drain_jobs().await;
    }

    async fn where_nothing_is_asked_nothing_is_answered(app: TestApp) {
        let (villager, body) = (app.villager("甲").await, errand(&app, WITHOUT_FORM).await);
        let answers = with(body.clone(), "form", json!({"x": 1}));
        villager.post("/cases", answers).await.invalid("/form", "not_allowed_here");
        villager.post("/cases", with(body, "form", json!({}))).await.expect(201);
        // Without an item anything may be said, but not without end.
        let voice = json!({"kind": "voice", "concern": "help", "division": app.village().await, "text": "帮忙"});
        let mut deep = json!(1);
        for _ in 0..17 {
            deep = json!([deep]);
        }
        villager.post("/cases", with(voice.clone(), "form", json!({"a": deep}))).await.invalid("/form", "too_deep");
        let long = json!({"a": "很".repeat(12_000)});
        villager.post("/cases", with(voice.clone(), "form", long)).await.invalid("/form", "too_long");
        villager.post("/cases", with(voice, "form", json!({"a": {"b": [1, null]}}))).await.expect(201);
        app.drain_jobs().await;
    }

    async fn of_many_faults_twenty_are_told(app: TestApp) {
        let many: Map<String, Value> = (0..60).map(|nth| (format!("f{nth:02}"), json!("x"))).collect();
        let body = with(errand(&app, WITH_FORM).await, "form", Value::Object(many));
        let refused = app.villager("甲").await.post("/cases", body).await.problem("invalid");
        assert_eq!(refused["errors"].as_array().unwrap().len(), 20);
    }

    async fn a_draft_may_lack_what_is_filled_in_when_it_is_submitted(app: TestApp) {
        let (villager, body) = (app.villager("甲").await, errand(&app, WITH_FORM).await);
        let draft = with(with(body, "draft", json!(true)), "form", json!({"why": "work"}));
        let draft = villager.post("/cases", draft).await.expect(201);
        let path = format!("{}/actions", own(&draft));
        villager.post(&path, json!({"action": "submit"})).await.invalid("/form/where", "required");
        villager.post(&path, json!({"action": "submit", "form": {"where": "东莞"}})).await.invalid("/form/why", "required");
        assert_eq!(villager.get(&own(&draft)).await.expect(200)["state"], "draft");
        let case = villager.post(&path, json!({"action": "submit", "form": right()})).await.expect(200);
        assert_eq!((&case["state"], &case["form"]), (&json!("submitted"), &right()));
        app.drain_jobs().await;
    }

    async fn what_is_added_is_held_to_it_too(app: TestApp) {
        let (villager, body) = (app.villager("甲").await, errand(&app, WITH_FORM).await);
        let case = villager.post("/cases", with(body, "form", right())).await.expect(201);
        let ask = json!({"action": "request_supplement", "materials": ["居住证明"], "text": "请补"});
        app.staff("desk").await.post(&actions(&case), ask).await.expect(200);
        let path = format!("{}/actions", own(&case));
        let added = |form: Value| json!({"action": "supplement", "form": form});
        villager.post(&path, added(json!({"why": 7, "where": "东莞"}))).await.invalid("/form/why", "not_a_choice");
        let back = villager.post(&path, added(json!({"why": "other", "where": "东莞"}))).await.expect(200);
        assert_eq!((&back["state"], &back["form"]["why"]), (&json!("submitted"), &json!("other")));
        app.drain_jobs().await;
    }

    async fn what_was_said_on_a_talk_day_comes_without_its_form(app: TestApp) {
        let (villager, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let day = hosted(&app, &[&cadre], 2).await;
        let booking = matter(&villager, &day, "public", "想办异地备案").await;
        let body = json!({"record": "代办", "outcome": "case", "case": {"kind": "proxy", "item": WITH_FORM}});
        let done = concluded(&app, &cadre, &booking, body).await;
        let case = villager.get(&format!("/cases/{}", done["case"].as_str().unwrap())).await.expect(200);
        assert_eq!((&case["item"]["code"], &case["form"]), (&json!(WITH_FORM), &Value::Null));
        app.drain_jobs().await;
    }

    async fn the_form_is_published_with_its_item(app: TestApp) {
        let item = app.nobody().get(&format!("/catalogue/{WITH_FORM}")).await.expect(200);
        assert_eq!(item["form"]["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(item["form"]["required"], json!(["why", "where"]));
        assert_eq!(app.nobody().get(&format!("/catalogue/{WITHOUT_FORM}")).await.expect(200)["form"], Value::Null);
    }
}
