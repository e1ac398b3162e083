//! Who should have a case: by the duty list, with the reason in words, never who must not.

use serde_json::{Value, json};

use super::filed;
use crate::support::TestApp;

async fn desk_of_the_village(app: &TestApp) -> Value {
    let units = app.staff("desk").await.get("/staff/units").await.expect(200);
    units["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "village_desk").unwrap()["id"].clone()
}

async fn list(app: &TestApp) -> String {
    format!("/staff/divisions/{}/duty-list", app.village().await)
}

async fn suggested(app: &TestApp, case: &Value) -> Value {
    let path = format!("/staff/cases/{}/suggestion", case["id"].as_str().unwrap());
    app.staff("desk").await.get(&path).await.expect(200)
}

both_engines! {
    async fn the_list_names_who_by_item_before_topic_and_says_why(app: TestApp) {
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let case = filed(&app, &app.villager("甲").await).await;
        assert_eq!(suggested(&app, &case).await["reason"], "no_list");
        let (unit, path) = (desk_of_the_village(&app).await, list(&app).await);
        desk.post(&path, json!({"unit": unit, "staff": cadre2.id()})).await.expect(201);
        let everything = suggested(&app, &case).await;
        assert_eq!((&everything["reason"], &everything["assignee"]), (&json!("everything"), &json!(cadre2.id())));
        let entry = json!({"item": "DZ-MZ-01", "unit": unit, "staff": cadre.id()});
        let made = desk.post(&path, entry.clone()).await.expect(201);
        desk.post(&path, entry).await.problem("already_exists");
        let by_item = suggested(&app, &case).await;
        assert_eq!((&by_item["reason"], &by_item["assignee"]), (&json!("item"), &json!(cadre.id())));
        assert!(by_item["sentence"].as_str().unwrap().contains("DZ-MZ-01"));
        desk.delete(&format!("/staff/duty-list/{}", made["id"].as_str().unwrap())).await.expect(204);
        assert_eq!(suggested(&app, &case).await["reason"], "everything");
        assert_eq!(desk.get(&path).await.expect(200)["items"].as_array().unwrap().len(), 1);
        app.drain_jobs().await;
    }

    async fn what_is_not_on_the_villages_list_is_the_townships(app: TestApp) {
        let desk = app.staff("desk").await;
        let case = filed(&app, &app.villager("甲").await).await;
        let entry = json!({"item": "DZ-MZ-02", "unit": desk_of_the_village(&app).await});
        desk.post(&list(&app).await, entry).await.expect(201);
        let found = suggested(&app, &case).await;
        assert_eq!((&found["reason"], found["unit"].is_null()), (&json!("not_on_the_list"), false));
        app.drain_jobs().await;
    }

    async fn entries_name_units_and_people_of_the_place(app: TestApp) {
        let desk = app.staff("desk").await;
        let path = list(&app).await;
        let elsewhere = app.staff("neighbour").await.get("/staff/units").await.expect(200)["items"][0]["id"].clone();
        desk.post(&path, json!({"unit": elsewhere})).await.invalid("/unit", "unknown");
        let unit = desk_of_the_village(&app).await;
        let stranger = app.staff("neighbour").await;
        desk.post(&path, json!({"unit": unit, "staff": stranger.id()})).await.invalid("/staff", "unknown");
        desk.post(&path, json!({"unit": unit, "item": "NO-SUCH"})).await.invalid("/item", "unknown");
        stranger.get(&path).await.problem("not_found");
        stranger.post(&path, json!({"unit": elsewhere})).await.problem("not_found");
    }
}
