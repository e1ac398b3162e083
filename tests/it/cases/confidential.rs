//! A complaint about staff exists for the township's discipline desk and for who filed it, and for nobody else.

use serde_json::{Value, json};

use super::{actions, answer, filed, own};
use crate::support::{Actor, TestApp};

async fn complaint(app: &TestApp, villager: &Actor, about: &Actor) -> Value {
    let body = json!({
        "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "有事反映",
        "against": [about.id()], "contact_phone": "13800001234",
    });
    villager.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn nobody_but_the_discipline_desk_finds_it(app: TestApp) {
        let (villager, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let case = complaint(&app, &villager, &cadre).await;
        assert_eq!(case["confidential"], true);
        let id = case["id"].as_str().unwrap();
        for name in ["desk", "cadre", "cadre2", "town", "county", "neighbour"] {
            let staff = app.staff(name).await;
            for view in ["inbox", "mine", "unit", "sent", "overdue"] {
                let page = staff.get(&format!("/staff/cases?view={view}")).await.expect(200);
                assert_eq!(page["items"], json!([]), "{name} {view}");
            }
            let by_number = format!("/staff/cases?q={}", case["number"].as_str().unwrap());
            assert_eq!(staff.get(&by_number).await.expect(200)["items"], json!([]), "{name} by number");
            let mut real = staff.get(&format!("/staff/cases/{id}")).await.problem("not_found");
            let mut none = staff.get(&format!("/staff/cases/{}", uuid::Uuid::now_v7())).await.problem("not_found");
            for answer in [&mut real, &mut none] {
                answer["request_id"] = Value::Null;
                answer["instance"] = Value::Null;
            }
            assert_eq!(real, none, "{name} could tell it from nothing");
            staff.get(&format!("/staff/cases/{id}/events")).await.problem("not_found");
            staff.post(&actions(&case), json!({"action": "accept"})).await.problem("not_found");
        }
        let tracked = json!({"number": case["number"], "phone_tail": "1234"});
        app.nobody().post("/track", tracked).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn the_discipline_desk_works_on_it_and_never_gives_it_to_who_it_is_about(app: TestApp) {
        let (villager, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let case = complaint(&app, &villager, &cadre).await;
        let discipline = app.staff("discipline").await;
        assert_eq!(discipline.get("/staff/cases").await.expect(200)["items"][0]["id"], case["id"]);
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        let to = |staff: &Actor| json!({"action": "assign", "assignee": staff.id()});
        discipline.post(&actions(&case), to(&cadre)).await.problem("conflict_of_interest");
        discipline.post(&actions(&case), to(&app.staff("desk").await)).await.invalid("/assignee", "unknown");
        discipline.post(&actions(&case), to(&discipline)).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        discipline.post(&actions(&case), answer()).await.expect(200);
        assert_eq!(villager.get(&own(&case)).await.expect(200)["state"], "answered");
        app.drain_jobs().await;
    }

    async fn a_complaint_about_the_discipline_desk_is_not_for_its_own_officer(app: TestApp) {
        let (villager, discipline) = (app.villager("甲").await, app.staff("discipline").await);
        let case = complaint(&app, &villager, &discipline).await;
        assert_eq!(discipline.get("/staff/cases").await.expect(200)["items"], json!([]));
        discipline.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn an_ordinary_case_does_not_exist_for_the_discipline_desk_or_another_villager(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let id = case["id"].as_str().unwrap();
        app.staff("discipline").await.get(&format!("/staff/cases/{id}")).await.problem("not_found");
        app.villager("乙").await.get(&own(&case)).await.problem("not_found");
        app.villager("乙").await.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.problem("not_found");
        app.drain_jobs().await;
    }
}
