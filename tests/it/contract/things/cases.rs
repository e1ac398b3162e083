//! Cases in the state that a call needs, and what follows their reviews.

use entity::{
    case::{self, CaseState},
    id::CaseId,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};

use super::Village;
use crate::{
    cases::{actions, answered, filed, own},
    files,
    notices::to_be_called,
    support::Actor,
};

impl Village {
    /// What the township's list shows last.
    pub(super) async fn last(&self, path: &str) -> Value {
        let page = self.app.staff("town").await.get(&format!("{path}?limit=100")).await.expect(200);
        page["items"].as_array().unwrap().last().unwrap().clone()
    }

    /// Something that somebody is told: a villager, a cadre, or the desk that has to call.
    pub(super) async fn told(&self, kind: &str, villager: &Actor) -> Value {
        if kind == "call-list" {
            return json!(to_be_called(&self.app, villager).await);
        }
        let (who, path) = if kind == "inbox" { (villager, "/inbox") } else { (&self.cadre, "/staff/inbox") };
        self.case(if kind == "inbox" { "submitted" } else { "assigned" }, villager).await;
        who.get(path).await.expect(200)["items"][0]["id"].clone()
    }

    pub(super) async fn bad_review(&self, villager: &Actor) -> Value {
        let case = self.case("answered", villager).await;
        let body = json!({"stars": 1, "tags": ["slow"]});
        villager.post(&format!("{}/reviews", own(&case)), body).await.expect(201)
    }

    /// A review of the cadre that nobody appealed against yet, as the cadre is shown it.
    pub(super) async fn handle(&self) -> String {
        for _ in 0..5 {
            self.villagers.set(self.villagers.get() + 1);
            let villager = self.app.villager(&format!("reviewer {}", self.villagers.get())).await;
            let case = self.case("answered", &villager).await;
            let body = json!({"stars": 5, "text": format!("样例 {}", self.villagers.get())});
            villager.post(&format!("{}/reviews", own(&case)), body).await.expect(201);
        }
        let bundles = self.cadre.get("/staff/me/reviews").await.expect(200);
        let reviews = bundles["items"][0]["reviews"].as_array().unwrap().clone();
        let newest =
            |review: &Value| review["text"].as_str().and_then(|text| text.split(' ').nth(1)?.parse::<u32>().ok());
        let last =
            reviews.iter().filter(|review| newest(review).is_some()).max_by_key(|review| newest(review)).unwrap();
        last["handle"].as_str().unwrap().to_owned()
    }

    /// A path with a review of the case in it, followed up where it is to be rated again.
    pub(super) async fn of_a_review(&self, path: &str, case: &str, state: &str, villager: &Actor) -> String {
        let body = if state == "followed_up" { json!({"stars": 1, "tags": ["slow"]}) } else { json!({"stars": 5}) };
        let review = villager.post(&format!("/cases/{case}/reviews"), body).await.expect(201);
        if state == "followed_up" {
            let follow_up = self.last("/staff/follow-ups").await["id"].as_str().unwrap().to_owned();
            let settled = json!({"outcome": "put_right", "text": "已整改"});
            let town = self.app.staff("town").await;
            town.post(&format!("/staff/follow-ups/{follow_up}/settle"), settled).await.expect(200);
        }
        path.replace("{review}", review["id"].as_str().unwrap())
    }

    pub(super) async fn case(&self, state: &str, villager: &Actor) -> Value {
        if state == "spoken" {
            let files = [files::a_voice(villager).await];
            let body = json!({"kind": "voice", "concern": "help", "division": self.id, "files": files});
            return villager.post("/cases", body).await.expect(201);
        }
        if state == "draft" {
            let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": self.id, "draft": true});
            return villager.post("/cases", body).await.expect(201);
        }
        let case = filed(&self.app, villager).await;
        let path = actions(&case);
        if ["answered", "completed", "followed_up"].contains(&state) {
            answered(&self.app, &case).await;
        }
        self.out_of_the_way(state, &case, villager).await;
        if ["accepted", "assigned", "in_progress", "paused", "asked", "called_in"].contains(&state) {
            self.desk.post(&path, json!({"action": "accept"})).await.expect(200);
        }
        if ["assigned", "in_progress", "paused", "asked", "called_in"].contains(&state) {
            self.desk.post(&path, json!({"action": "assign", "assignee": self.cadre.id()})).await.expect(200);
        }
        if ["in_progress", "paused", "asked", "called_in"].contains(&state) {
            self.cadre.post(&path, json!({"action": "sign"})).await.expect(200);
        }
        if ["paused", "asked"].contains(&state) {
            let pause = json!({"action": "pause", "reason": "hearing", "until": "2026-12-15", "text": "要听证"});
            self.cadre.post(&path, pause).await.expect(200);
        }
        if state == "paused" {
            self.desk.post(&path, json!({"action": "approve"})).await.expect(200);
        }
        if state == "called_in" {
            let call =
                json!({"action": "call_in", "assignee": self.desk.id(), "answer_on": "2026-12-10", "text": "请会商"});
            self.cadre.post(&path, call).await.expect(200);
        }
        case
    }

    /// Off the main path: rejected, merged, waiting for papers, lapsed, closed.
    pub(super) async fn out_of_the_way(&self, state: &str, case: &Value, villager: &Actor) {
        let (path, own) = (actions(case), format!("{}/actions", own(case)));
        match state {
            "rejected" | "objected_to" => {
                let reject =
                    json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请起诉"});
                self.desk.post(&path, reject).await.expect(200);
                if state == "objected_to" {
                    villager.post(&own, json!({"action": "object", "text": "不同意"})).await.expect(200);
                }
            }
            "supplement" | "lapsed" => {
                let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
                self.desk.post(&path, ask).await.expect(200);
            }
            "merged" => {
                let other = self.app.villager(&format!("{} 的邻居", villager.name)).await;
                let main = filed(&self.app, &other).await;
                self.desk.post(&path, json!({"action": "merge", "into": main["id"]})).await.expect(200);
            }
            "completed" => {
                villager.post(&own, json!({"action": "confirm"})).await.expect(200);
            }
            _ => {}
        }
        if state == "lapsed" {
            // Ten working days cannot pass in the middle of a walk: the row is made to look as the clock leaves it.
            let id: CaseId = serde_json::from_value(case["id"].clone()).unwrap();
            let lapsed = case::ActiveModel {
                state: Set(CaseState::Lapsed),
                closed_at: Set(Some(self.app.now())),
                ..Default::default()
            };
            let this = case::Entity::update_many().set(lapsed).filter(case::COLUMN.id.eq(id));
            self.app.db().transact(async move |tx| Ok(this.clone().exec(tx).await?)).await.unwrap();
        }
    }
}
