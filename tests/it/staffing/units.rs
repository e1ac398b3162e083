//! Units: one of a kind a place, a tree without rings.

use serde_json::{Value, json};

use super::{COUNTY, NEIGHBOUR, TOWNSHIP, officer};
use crate::support::{Actor, TestApp};

async fn unit(by: &Actor, kind: &str, division: &impl serde::Serialize, name: &str) -> crate::support::Answer {
    by.post("/staff/units", json!({"division": division, "kind": kind, "name": name})).await
}

async fn names(by: &Actor, query: &str) -> Vec<Value> {
    let page = by.get(&format!("/staff/units{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect()
}

async fn departments(app: &TestApp, by: &Actor) -> [Value; 3] {
    let town = app.division(TOWNSHIP).await;
    let one = unit(by, "department", &town, "农业办").await.expect(201);
    let two = unit(by, "department", &town, "民政办").await.expect(201);
    [one, two, unit(by, "department", &town, "水利办").await.expect(201)]
}

both_engines! {
    async fn a_place_has_one_of_a_kind_and_many_departments(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        unit(&admin, "village_desk", &village, "又一个便民服务室").await.problem("already_exists");
        unit(&admin, "township_centre", &village, "中心").await.invalid("/kind", "not_allowed_here");
        unit(&admin, "grid", &village, "一网格").await.expect(201);
        unit(&admin, "grid", &village, "二网格").await.expect(201);
        unit(&admin, "grid", &village, "二网格").await.problem("already_exists");
        unit(&admin, "grid", &village, " ").await.invalid("/name", "empty");
        departments(&app, &admin).await;
    }

    async fn one_sees_the_units_of_one_s_places_and_below(app: TestApp) {
        let (village, town) = (app.village().await, app.division(TOWNSHIP).await);
        assert_eq!(names(&app.staff("cadre").await, "").await, ["石笋村便民服务室"]);
        assert_eq!(names(&app.staff("town").await, "").await.len(), 4);
        assert_eq!(names(&app.staff("county").await, &format!("?division={village}")).await.len(), 1);
        app.staff("cadre").await.get(&format!("/staff/units?division={town}")).await.problem("not_found");
        app.villager("甲").await.get("/staff/units").await.problem("not_your_duty");
    }

    async fn no_unit_hangs_under_itself(app: TestApp) {
        let admin = app.staff("admin").await;
        let [one, two, three] = departments(&app, &admin).await;
        let path = |unit: &Value| format!("/staff/units/{}", unit["id"].as_str().unwrap());
        admin.put(&path(&two), json!({"parent": one["id"]})).await.expect(200);
        admin.put(&path(&three), json!({"parent": two["id"]})).await.expect(200);
        admin.put(&path(&one), json!({"parent": three["id"]})).await.invalid("/parent", "cycle");
        admin.put(&path(&one), json!({"parent": one["id"]})).await.invalid("/parent", "cycle");
        let moved = admin.put(&path(&two), json!({"parent": null, "name": "民政和退役办"})).await.expect(200);
        assert_eq!((&moved["parent"], &moved["name"]), (&json!(null), &json!("民政和退役办")));
        // Two moves that would make a ring together.
        admin.put(&path(&three), json!({"parent": null})).await.expect(200);
        let paths = (path(&one), path(&two));
        let (a, b) = tokio::join!(
            admin.put(&paths.0, json!({"parent": two["id"]})),
            admin.put(&paths.1, json!({"parent": one["id"]})),
        );
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", a.text(), b.text());
        let village_desk = admin.get(&format!("/staff/units?division={}", app.village().await)).await.expect(200);
        admin.put(&path(&one), json!({"parent": village_desk["items"][0]["id"]})).await.invalid("/parent", "unknown");
    }

    async fn a_township_keeps_its_own_units_and_no_others(app: TestApp) {
        let keeper = officer(&app, "keeper", TOWNSHIP, &["manage_accounts"]).await;
        let county = app.division(COUNTY).await;
        unit(&keeper, "department", &county, "农业局").await.invalid("/division", "not_in_scope");
        let above = app.staff("admin").await.get(&format!("/staff/units?division={county}")).await.expect(200);
        let of_county = above["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "county").unwrap();
        let path = format!("/staff/units/{}", of_county["id"].as_str().unwrap());
        keeper.put(&path, json!({"name": "我们的"})).await.problem("not_found");
        let grid = unit(&keeper, "grid", &app.division(NEIGHBOUR).await, "网格").await.expect(201);
        let under = json!({"parent": of_county["id"]});
        keeper.put(&format!("/staff/units/{}", grid["id"].as_str().unwrap()), under).await.expect(200);
        app.staff("desk").await.put(&path, json!({"name": "我们的"})).await.problem("not_your_duty");
    }
}
