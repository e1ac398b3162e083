//! Every operation, called by everybody who must not, then by somebody who may.
//!
//! The thing is in the right state and the body is right ([`super::bodies`]), so a stranger can be refused for nothing
//! but who they are; and what they did to it, had it done anything, would be in the way of who may.

use reqwest::Method;
use serde_json::{Value, json};
use shuoshi::demo::PASSWORD;

use super::{Operation, bodies::bodies, operations, things::Village};
use crate::{
    cases::actions,
    support::{Actor, Answer, TestApp},
};

/// Open to whoever is signed in, villager or staff.
const ANYBODY: [&str; 1] = ["sign_out"];

fn needing_somebody() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| !operation.public)
}

#[track_caller]
fn gets_in(answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{} {}: {}", answer.call, answer.status, answer.text());
}

/// Whoever hosts talk days in the village may lend a hand at the door.
const AT_THE_DOOR: [&str; 12] = [
    "register_walk_in",
    "find_in_line",
    "call_next",
    "undo_last_step",
    "replay_line",
    "order_route",
    "check_in_booking",
    "call_booking",
    "recall_booking",
    "park_booking",
    "miss_booking",
    "undo_booking_step",
];
/// What every host of the village may do on a day that names no hosts.
const OF_HOSTS: [&str; 6] =
    ["conclude_booking", "correct_record", "screen_booking", "compile_minutes", "sign_minutes", "publish_minutes"];

/// What whoever oversees a case may do with it.
const OF_THE_COUNTY: [&str; 5] = ["supervise", "note", "reopen_by_order", "approve", "refuse"];

/// Staff who have no part in it, and why not. What is out of scope is not there; where it is in sight, the duty lacks.
fn strangers(operation: &Operation, action: Option<&str>) -> Vec<(&'static str, &'static str)> {
    let id = operation.id.as_str();
    // Of reviews: for whom they are about, and for the unit above.
    let of_reviews =
        ["appeal_review", "note_follow_up_contact", "settle_follow_up", "decide_review_appeal", "record_call_back"];
    if of_reviews.contains(&id) {
        return ["neighbour", "cadre2", "discipline", "county"].map(|name| (name, "not_found")).to_vec();
    }
    // What holds in a place, and who works on what there, is for all who are posted there or above.
    if ["get_settings", "list_duties"].contains(&id) {
        return vec![("neighbour", "not_found")];
    }
    if ["add_duty", "remove_duty"].contains(&id) {
        let below = ["discipline", "cadre2", "county"].map(|name| (name, "not_your_duty"));
        return [("neighbour", "not_found")].into_iter().chain(below).collect();
    }
    // The county draws and signs what lies below it.
    if operation.path.contains("/reports") {
        let here = ["admin", "discipline", "cadre2"].map(|name| (name, "not_your_duty"));
        // Nobody of the other village signs anything.
        let next_door = if id == "sign_report" { "not_your_duty" } else { "not_found" };
        return [("neighbour", next_door)].into_iter().chain(here).collect();
    }
    // Whoever works somewhere may bring a file; one that hangs on a case is for who may read the case.
    if operation.path.starts_with("/api/v1/staff/files") {
        let others = ["admin", "neighbour", "discipline", "cadre2"].map(|name| (name, "not_found")).to_vec();
        return if operation.method == Method::GET { others } else { vec![] };
    }
    if operation.path.starts_with("/api/v1/staff/inbox/") {
        return ["neighbour", "county", "cadre2", "discipline", "admin"].map(|name| (name, "not_found")).to_vec();
    }
    if operation.path == "/api/v1/staff/inbox" {
        return vec![];
    }
    if operation.is_one_s_own() || ["list_units", "list_absences", "list_calendars"].contains(&id) {
        return vec![];
    }
    if id == "end_absence" {
        return ["neighbour", "discipline", "county", "cadre2"].map(|name| (name, "not_found")).to_vec();
    }
    if operation.of_the_catalogue() {
        return ["neighbour", "county", "cadre2", "discipline"].map(|name| (name, "not_your_duty")).to_vec();
    }
    if operation.of_administrators() {
        return ["neighbour", "county", "cadre2"].map(|name| (name, "not_your_duty")).to_vec();
    }
    let (of_a_case, of_a_place) = (operation.path.contains("/cases/{"), operation.path.contains('{'));
    let elsewhere = if of_a_case { "not_found" } else { "not_your_duty" };
    if operation.id == "list_audit" {
        return vec![("county", "not_your_duty"), ("neighbour", "not_your_duty"), ("discipline", "not_your_duty")];
    }
    let mut all = vec![("admin", "not_your_duty")];
    if of_a_place {
        all.extend([("neighbour", "not_found"), ("discipline", elsewhere)]);
    }
    if operation.method != Method::GET {
        all.extend((!AT_THE_DOOR.contains(&id) && !OF_HOSTS.contains(&id)).then_some(("cadre2", elsewhere)));
        // Who oversees a case may call the villager.
        let overseen = action.is_some_and(|action| OF_THE_COUNTY.contains(&action)) || operation.id == "reveal_case";
        all.extend((!overseen).then_some(("county", "not_your_duty")));
    }
    all
}

/// Lets an agent act in an item of which nobody in the walk has a case.
fn of_another_item(agent: &Actor) -> Value {
    json!({
        "agent": agent.id(), "scope": ["proxy:DZ-MZ-02"], "until": "2027-01-01", "evidence": {"kind": "paper"},
    })
}

/// A cadre of the village with every duty that one may have there, who was sent away this morning.
async fn dismissed(app: &TestApp, admin: &Actor) -> Actor {
    let duties = ["accept_cases", "assign_cases", "handle_cases", "manage_talks", "host_talks", "manage_people"];
    let posting = json!({"division": app.village().await, "duties": duties});
    let body = json!({"username": "sent-away", "password": PASSWORD, "name": "样例", "postings": [posting]});
    let made = admin.post("/staff/accounts", body).await.expect(201);
    let cadre = app.staff("sent-away").await;
    cadre.get("/staff/cases").await.expect(200);
    admin.delete(&format!("/staff/accounts/{}", made["id"].as_str().unwrap())).await.expect(204);
    cadre
}

both_engines! {
    async fn villagers_reach_their_own_and_nothing_else(app: TestApp) {
        let village = Village::of(&app).await;
        let (other, desk) = (app.villager("乙").await, app.staff("desk").await);
        let agent = app.villager("侄").await;
        for operation in needing_somebody().filter(|operation| !operation.of_staff()) {
            for ask in village.asks(&operation).await {
                ask.by(&app.nobody()).await.problem("sign_in_required");
                if !ANYBODY.contains(&operation.id.as_str()) {
                    ask.by(&desk).await.problem("not_your_duty");
                }
                if operation.path.contains("{id}") {
                    ask.by(&other).await.problem("not_found");
                    // Somebody who may act for this very person, but not in this.
                    ask.who_may.post("/me/authorisations", of_another_item(&agent)).await.expect(201);
                    ask.by(&agent).await.problem("not_found");
                }
                gets_in(&ask.by(&ask.who_may).await);
            }
        }
        for list in ["/bookings", "/cases", "/inbox", "/me/principals", "/me/authorisations"] {
            assert_eq!(other.get(list).await.expect(200)["items"], json!([]), "{list}");
        }
        app.drain_jobs().await;
    }

    async fn staff_reach_what_their_place_and_duty_give_and_nothing_else(app: TestApp) {
        let village = Village::of(&app).await;
        let villager = app.villager("乙").await;
        let mut staff = std::collections::BTreeMap::<&str, Actor>::new();
        for name in ["admin", "neighbour", "discipline", "county", "cadre2"] {
            staff.insert(name, app.staff(name).await);
        }
        let dismissed = dismissed(&app, &staff["admin"]).await;
        for operation in needing_somebody().filter(Operation::of_staff) {
            for ask in village.asks(&operation).await {
                ask.by(&app.nobody()).await.problem("sign_in_required");
                ask.by(&dismissed).await.problem("session_ended");
                ask.by(&villager).await.problem("not_your_duty");
                for (name, why) in strangers(&operation, ask.action()) {
                    ask.by(&staff[name]).await.problem(why);
                }
                gets_in(&ask.by(&ask.who_may).await);
            }
        }
        for view in ["inbox", "mine", "unit", "sent", "overdue"] {
            let page = staff["neighbour"].get(&format!("/staff/cases?view={view}")).await.expect(200);
            assert_eq!(page["items"], json!([]), "{view}");
        }
        app.drain_jobs().await;
    }

    async fn a_case_is_entered_only_where_the_desk_is(app: TestApp) {
        let village = Village::of(&app).await;
        let enter = needing_somebody().find(|operation| operation.id == "enter_case").unwrap();
        // Places are public and the body names one: what is wrong is the field, and nothing else is told.
        village.asks(&enter).await[0].by(&app.staff("neighbour").await).await.invalid("/division", "not_in_scope");
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 0);
    }

    async fn what_is_confidential_is_moved_by_no_desk_it_passes(app: TestApp) {
        let village = app.village().await.to_string();
        let body = json!({"kind": "voice", "concern": "report", "division": village, "text": "有事反映", "confidential": true});
        let path = actions(&app.villager("甲").await.post("/cases", body).await.expect(201));
        let cadre = app.staff("cadre").await;
        for stranger in [app.staff("desk").await, cadre.clone(), app.staff("town").await, app.staff("county").await] {
            for (_, action) in bodies(&village, cadre.id()).into_iter().filter(|(id, _)| *id == "act_on_staff_case") {
                stranger.post(&path, action).await.problem("not_found");
            }
        }
        app.drain_jobs().await;
    }
}
