//! Every operation, called by everybody who must not.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Operation, operations};
use crate::support::{Actor, Answer, TestApp, a_booking};

/// Signed in as anybody, villager or staff.
const ANYBODY: [&str; 1] = ["sign_out"];

/// Things of 石笋村 that stand in the place of path parameters.
struct Things {
    division: String,
    day: String,
    slot: String,
    booking: String,
    case: String,
    rule: String,
}

impl Things {
    async fn make(app: &TestApp) -> Self {
        let owner = app.villager("owner").await;
        let slot = &app.free_slots().await[0]["id"];
        let slot = slot.as_str().unwrap().to_owned();
        let booking = owner.post(&format!("/slots/{slot}/bookings"), a_booking()).await.expect(201);
        let division = app.village().await.to_string();
        let body = json!({"kind": "voice", "concern": "question", "division": division, "text": "路灯何时修", "contact_phone": "13800000000"});
        let case = owner.post("/cases", body).await.expect(201);
        let rules = app.staff("desk").await.get(&format!("/staff/divisions/{division}/talk-rules")).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        app.drain_jobs().await;
        Self {
            day: text(&booking["talk_day"]),
            booking: text(&booking["id"]),
            case: text(&case["id"]),
            rule: text(&rules["items"][0]["id"]),
            division,
            slot,
        }
    }

    fn fill(&self, path: &str) -> String {
        let id = match path {
            path if path.contains("talk-days/") => &self.day,
            path if path.contains("bookings/") => &self.booking,
            path if path.contains("cases/") => &self.case,
            path if path.contains("talk-rules/") => &self.rule,
            _ => "01890000-0000-7000-8000-000000000000",
        };
        path.replace("{division}", &self.division).replace("{slot}", &self.slot).replace("{id}", id)
    }
}

async fn call(actor: &Actor, operation: &Operation, path: &str) -> Answer {
    let call = actor.call(operation.method.clone(), path);
    if operation.method == Method::GET { call.send().await } else { call.json(json!({})).send().await }
}

fn is_staff(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v1/staff/")
}

both_engines! {
    async fn nobody_gets_nothing_but_what_is_public(app: TestApp) {
        let things = Things::make(&app).await;
        for operation in operations().iter().filter(|operation| !operation.public) {
            call(&app.nobody(), operation, &things.fill(&operation.path)).await.problem("sign_in_required");
        }
    }

    async fn villagers_and_staff_stay_on_their_sides(app: TestApp) {
        let things = Things::make(&app).await;
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        for operation in operations().iter().filter(|operation| !operation.public) {
            if ANYBODY.contains(&operation.id.as_str()) {
                continue;
            }
            let stranger = if is_staff(operation) { &villager } else { &desk };
            call(stranger, operation, &things.fill(&operation.path)).await.problem("not_your_duty");
        }
    }

    async fn a_villager_does_not_see_what_is_anothers(app: TestApp) {
        let things = Things::make(&app).await;
        let stranger = app.villager("乙").await;
        for operation in operations() {
            let of_a_thing = operation.path.contains("/bookings/{") || operation.path.contains("/cases/{");
            if is_staff(&operation) || !of_a_thing {
                continue;
            }
            let answer = call(&stranger, &operation, &things.fill(&operation.path)).await;
            assert!([404, 422].contains(&answer.status), "{} {}: {}", answer.call, answer.status, answer.text());
            assert!(answer.status == 404 || operation.method == Method::POST, "{}", answer.call);
        }
    }

    async fn staff_of_another_village_or_duty_change_and_see_nothing(app: TestApp) {
        let things = Things::make(&app).await;
        for username in ["neighbour", "admin"] {
            let stranger = app.staff(username).await;
            for operation in operations().iter().filter(|operation| is_staff(operation)) {
                if !operation.path.contains('{') && username == "neighbour" {
                    continue;
                }
                let answer = call(&stranger, operation, &things.fill(&operation.path)).await;
                let kept_out = [403, 404].contains(&answer.status)
                    || (answer.status == 422 && operation.method != Method::GET);
                assert!(kept_out, "{} {}: {}", answer.call, answer.status, answer.text());
            }
        }
        let inbox = app.staff("neighbour").await.get("/staff/cases").await.expect(200);
        assert_eq!(inbox["items"], json!([]));
    }
}
