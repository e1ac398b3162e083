//! Conflicts of interest: what is about somebody near does not exist, what is of somebody near is for others to decide.

use serde_json::{Value, json};

use super::{TOWNSHIP, officer};
use crate::{
    cases::{actions, answer, filed, in_progress},
    support::{Actor, TestApp},
};

fn of(staff: &Actor) -> String {
    format!("/staff/accounts/{}/conflicts", staff.id())
}

async fn complaint(app: &TestApp, villager: &Actor, about: &Actor) -> Value {
    let body = json!({
        "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "有事反映", "against": [about.id()],
    });
    villager.post("/cases", body).await.expect(201)
}

/// Every way staff could come upon a case: each must show what it shows of a case that never was.
async fn shows_nothing(staff: &Actor, case: &Value) {
    let id = case["id"].as_str().unwrap();
    for view in ["inbox", "mine", "unit", "sent", "overdue"] {
        let page = staff.get(&format!("/staff/cases?view={view}")).await.expect(200);
        assert!(!page.to_string().contains(id), "{} {view}: {page}", staff.name);
    }
    let by_number = format!("/staff/cases?q={}", case["number"].as_str().unwrap());
    assert_eq!(staff.get(&by_number).await.expect(200)["items"], json!([]), "{}", staff.name);
    let none = uuid::Uuid::now_v7().to_string();
    let mut told = Vec::new();
    for id in [id, &none] {
        let path = format!("/staff/cases/{id}");
        let mut bodies = vec![staff.get(&path).await, staff.get(&format!("{path}/events")).await];
        for action in [
            json!({"action": "accept"}),
            json!({"action": "assign", "assignee": staff.id()}),
            json!({"action": "sign"}),
            answer(),
        ] {
            bodies.push(staff.post(&format!("{path}/actions"), action).await);
        }
        told.push(
            bodies
                .into_iter()
                .map(|answer| {
                    let mut body = answer.problem("not_found");
                    (body["request_id"], body["instance"]) = (Value::Null, Value::Null);
                    body
                })
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(told[0], told[1], "{} could tell it from nothing", staff.name);
}

both_engines! {
    async fn a_complaint_does_not_exist_for_who_is_near_to_whom_it_is_about(app: TestApp) {
        let (villager, cadre, discipline) = (app.villager("甲").await, app.staff("cadre").await, app.staff("discipline").await);
        let sister = officer(&app, "sister", TOWNSHIP, &["handle_discipline"]).await;
        let friend = officer(&app, "friend", TOWNSHIP, &["handle_discipline", "supervise"]).await;
        // Recorded under either of the two.
        discipline.post(&of(&sister), json!({"with_staff": cadre.id(), "kind": "relative"})).await.expect(201);
        discipline.post(&of(&cadre), json!({"with_staff": friend.id(), "kind": "other"})).await.expect(201);
        let case = complaint(&app, &villager, &cadre).await;
        app.advance(chrono::TimeDelta::days(60));
        for near in [&sister, &friend, &cadre] {
            shows_nothing(near, &case).await;
        }
        assert_eq!(discipline.get("/staff/cases").await.expect(200)["items"][0]["id"], case["id"]);
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        for near in [&sister, &friend] {
            let to = json!({"action": "assign", "assignee": near.id()});
            discipline.post(&actions(&case), to).await.problem("conflict_of_interest");
        }
        // It lies in their unit, taken by nobody: still nothing.
        let unit = discipline.get("/staff/cases?view=unit").await.expect(200)["items"][0]["unit"].clone();
        discipline.post(&actions(&case), json!({"action": "assign", "unit": unit})).await.expect(200);
        shows_nothing(&sister, &case).await;
        // Another complaint is theirs as ever.
        let other = complaint(&app, &villager, &app.staff("cadre2").await).await;
        sister.get(&format!("/staff/cases/{}", other["id"].as_str().unwrap())).await.expect(200);
        app.drain_jobs().await;
    }

    async fn who_is_given_the_duty_later_sees_nothing_of_themselves_or_those_near(app: TestApp) {
        let (villager, cadre, admin) = (app.villager("甲").await, app.staff("cadre").await, app.staff("admin").await);
        let case = complaint(&app, &villager, &cadre).await;
        let promoted = [
            json!({"division": app.village().await, "duties": ["handle_cases", "host_talks"]}),
            json!({"division": app.division(TOWNSHIP).await, "duties": ["handle_discipline"]}),
        ];
        admin.put(&format!("/staff/accounts/{}", cadre.id()), json!({"postings": promoted})).await.expect(200);
        shows_nothing(&cadre, &case).await;
        let other = complaint(&app, &villager, &app.staff("cadre2").await).await;
        cadre.get(&format!("/staff/cases/{}", other["id"].as_str().unwrap())).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_case_of_somebody_near_is_seen_and_left_to_others(app: TestApp) {
        let (villager, desk, admin) = (app.villager("甲").await, app.staff("desk").await, app.staff("admin").await);
        admin.post(&of(&desk), json!({"with_person": villager.id(), "kind": "same_person"})).await.expect(201);
        let case = filed(&app, &villager).await;
        let seen = desk.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(seen["actions"], json!([]), "what is offered is what may be done");
        assert_eq!(desk.get("/staff/cases").await.expect(200)["items"][0]["actions"], json!([]));
        desk.post(&actions(&case), json!({"action": "accept"})).await.problem("conflict_of_interest");
        let reject = json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请向法院起诉"});
        desk.post(&actions(&case), reject).await.problem("conflict_of_interest");
        let (town, cadre) = (app.staff("town").await, app.staff("cadre").await);
        town.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        town.post(&actions(&case), json!({"action": "assign", "assignee": desk.id()})).await.problem("conflict_of_interest");
        desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.problem("conflict_of_interest");
        // To the unit: another of it takes it, not the one who is near.
        town.post(&actions(&case), json!({"action": "assign", "unit": seen["unit"]})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "sign"})).await.problem("conflict_of_interest");
        cadre.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        desk.post(&actions(&case), answer()).await.problem("not_your_duty");
        cadre.post(&actions(&case), answer()).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_relation_found_late_stops_who_has_the_case(app: TestApp) {
        let (villager, cadre, admin) = (app.villager("甲").await, app.staff("cadre").await, app.staff("admin").await);
        let case = filed(&app, &villager).await;
        in_progress(&app, &case).await;
        admin.post(&of(&cadre), json!({"with_person": villager.id(), "kind": "relative"})).await.expect(201);
        cadre.post(&actions(&case), answer()).await.problem("conflict_of_interest");
        app.drain_jobs().await;
    }

    async fn records_are_kept_listed_and_taken_back_but_not_by_oneself(app: TestApp) {
        let (villager, cadre, desk) = (app.villager("甲").await, app.staff("cadre").await, app.staff("desk").await);
        let (admin, discipline) = (app.staff("admin").await, app.staff("discipline").await);
        let record = async |body: Value| admin.post(&of(&cadre), body).await;
        let made = record(json!({"with_staff": desk.id(), "kind": "relative"})).await.expect(201);
        record(json!({"with_staff": desk.id(), "kind": "other"})).await.problem("already_exists");
        record(json!({"with_person": villager.id(), "kind": "same_person"})).await.expect(201);
        record(json!({"kind": "other"})).await.invalid("/with_staff", "required");
        record(json!({"with_staff": cadre.id(), "kind": "other"})).await.invalid("/with_staff", "unknown");
        record(json!({"with_person": uuid::Uuid::now_v7(), "kind": "other"})).await.invalid("/with_person", "unknown");
        let both = json!({"with_staff": desk.id(), "with_person": villager.id(), "kind": "other"});
        record(both).await.invalid("/with_person", "not_allowed_here");
        assert_eq!(discipline.get(&of(&cadre)).await.expect(200)["items"].as_array().unwrap().len(), 2);
        desk.get(&of(&cadre)).await.problem("not_your_duty");
        discipline.get(&of(&admin)).await.problem("not_found");
        let path = format!("{}/{}", of(&cadre), made["id"].as_str().unwrap());
        admin.delete(&format!("{}/{}", of(&desk), made["id"].as_str().unwrap())).await.problem("not_found");
        admin.delete(&path).await.expect(204);
        admin.delete(&path).await.problem("not_found");
        // Who is kept away by a record does not take it back, whichever of the two it stands under.
        for (of_whom, with) in [(&discipline, &cadre), (&cadre, &discipline)] {
            let made = admin.post(&of(of_whom), json!({"with_staff": with.id(), "kind": "relative"})).await.expect(201);
            let path = format!("{}/{}", of(of_whom), made["id"].as_str().unwrap());
            discipline.delete(&path).await.problem("conflict_of_interest");
            admin.delete(&path).await.expect(204);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_entry WHERE action LIKE '%_conflict'").await, 7);
    }
}
