use serde_json::json;
use shuoshi::{demo, divisions::change};

use super::{ANOTHER, GROWN_UP, on_roster, resident};
use crate::support::TestApp;

const NEIGHBOUR: &str = "511702108213";

async fn merge(app: &TestApp, code: &'static str, into: &'static str) {
    let now = app.now();
    app.db().transact(async move |tx| change::merge(tx, code, into, now).await).await.unwrap();
}

both_engines! {
    async fn a_merged_village_keeps_its_people_rosters_households_and_matters(app: TestApp) {
        let villager = resident(&app, "样例甲", GROWN_UP).await;
        let case = villager.post("/cases", json!({"kind": "voice", "concern": "question", "text": "路灯"})).await.expect(201);
        let old = app.village().await;
        let neighbour = app.staff("neighbour").await;
        neighbour.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.problem("not_found");
        on_roster(&app, "样例乙", ANOTHER, "13").await;

        merge(&app, demo::VILLAGE, NEIGHBOUR).await;
        let new = app.division(NEIGHBOUR).await;
        let me = villager.get("/me").await.expect(200);
        assert_eq!((&me["village"], &me["verified"]), (&json!(new), &json!(true)));
        assert_eq!(villager.get("/me/household").await.expect(200)["number"], "12");
        let place = app.nobody().get(&format!("/divisions/{old}")).await.expect(200);
        assert_eq!(place["merged_into"], json!(new));
        // Both desks see to it from now on.
        for desk in [&neighbour, &app.staff("desk").await] {
            desk.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        }
        // An old app still names the old village: its roster, its talk days and its cases are those of the new one.
        let late = app.villager("乙").await;
        let said = json!({"village": old, "name": "样例乙", "citizen_no": ANOTHER});
        let verified = late.post("/me/residence", said).await.expect(200);
        assert_eq!((&verified["state"], &verified["village"]), (&json!("verified"), &json!(new)));
        let days = app.nobody().get(&format!("/divisions/{old}/talk-days")).await.expect(200);
        assert!(!days["items"].as_array().unwrap().is_empty());
        let filed = json!({"kind": "voice", "concern": "question", "text": "水管", "division": old});
        assert_eq!(late.post("/cases", filed).await.expect(201)["division"], json!(new));
        app.drain_jobs().await;
    }

    async fn a_renumbered_place_is_found_by_both_codes(app: TestApp) {
        let villager = resident(&app, "样例甲", GROWN_UP).await;
        let now = app.now();
        let renumber = async move |tx: &_| change::renumber(tx, demo::VILLAGE, "511702108999", now).await;
        app.db().transact(renumber).await.unwrap();
        for code in [demo::VILLAGE, "511702108999"] {
            let found = app.nobody().get(&format!("/divisions?code={code}")).await.expect(200);
            assert_eq!(found["items"][0]["id"], villager.get("/me").await.expect(200)["village"], "{code}");
        }
        let village = app.division("511702108999").await;
        let said = json!({"village": village, "name": "样例甲", "citizen_no": GROWN_UP});
        assert_eq!(villager.post("/me/residence", said).await.expect(200)["state"], "verified");
    }

    async fn what_is_no_standing_village_is_not_merged(app: TestApp) {
        let now = app.now();
        for (code, into) in [("511702108000", NEIGHBOUR), (NEIGHBOUR, NEIGHBOUR), ("0", NEIGHBOUR)] {
            let merged = app.db().transact(async move |tx| change::merge(tx, code, into, now).await).await;
            assert!(merged.is_err(), "{code}");
        }
        merge(&app, demo::VILLAGE, NEIGHBOUR).await;
        let twice = app.db().transact(async move |tx| change::merge(tx, demo::VILLAGE, NEIGHBOUR, now).await).await;
        assert!(twice.is_err());
    }
}
