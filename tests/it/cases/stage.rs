//! A case in any state, and everybody who might do something with it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{actions, answer, filed, own};
use crate::support::{Actor, TestApp};

/// Who is tried: villagers, the village, the township, the county, another village.
pub(crate) const ROLES: [&str; 9] =
    ["villager", "stranger", "desk", "cadre", "cadre2", "town", "county", "discipline", "neighbour"];

/// Everybody, signed in.
pub(crate) struct Stage {
    pub(crate) app: TestApp,
    pub(crate) actors: BTreeMap<&'static str, Actor>,
    /// Somebody else's case, to merge others into.
    pub(crate) main: String,
    /// The township's centre.
    pub(crate) town_unit: String,
}

impl Stage {
    pub(crate) async fn set(app: &TestApp) -> Self {
        let actors = signed_in(app).await;
        let main = filed(app, &actors["stranger"]).await;
        let main = main["id"].as_str().unwrap().to_owned();
        let units = actors["town"].get("/staff/units?limit=100").await.expect(200);
        let town = units["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "township_centre").unwrap();
        let town_unit = town["id"].as_str().unwrap().to_owned();
        Self { app: app.clone(), actors, main, town_unit }
    }

    pub(crate) async fn staff(&self, role: &str, case: &Value, body: Value) -> Value {
        self.actors[role].post(&actions(case), body).await.expect(200)
    }

    pub(crate) async fn own(&self, case: &Value, body: Value) -> Value {
        self.actors["villager"].post(&format!("{}/actions", own(case)), body).await.expect(200)
    }

    /// Lets the clock run for some days; it does not run back. Everybody signs in again.
    pub(crate) async fn wait(&mut self, days: i64) {
        self.app.advance(TimeDelta::days(days));
        self.app.drain_jobs().await;
        self.actors = signed_in(&self.app).await;
    }

    /// A case in this place.
    pub(crate) async fn case(&self, place: &str) -> Value {
        let villager = &self.actors["villager"];
        let state = place.split('+').next().unwrap();
        if state == "draft" {
            let village = self.app.village().await;
            let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": village, "draft": true});
            return villager.post("/cases", body).await.expect(201);
        }
        let case = filed(&self.app, villager).await;
        let supplement = || json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        match place {
            "supplement" | "lapsed" => {
                self.staff("desk", &case, supplement()).await;
            }
            "submitted+supplement" => {
                self.staff("desk", &case, supplement()).await;
                self.own(&case, json!({"action": "supplement", "text": "补了"})).await;
                self.staff("desk", &case, supplement()).await;
            }
            "rejected" | "rejected+objection" => {
                let body =
                    json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请起诉"});
                self.staff("desk", &case, body).await;
                if place != "rejected" {
                    self.own(&case, json!({"action": "object", "text": "不同意"})).await;
                }
            }
            "withdrawn" => {
                self.own(&case, json!({"action": "withdraw"})).await;
            }
            "merged" => {
                self.staff("desk", &case, json!({"action": "merge", "into": self.main})).await;
            }
            _ => {}
        }
        let worked_on = ["assigned", "in_progress", "paused", "answered", "completed", "archived"].contains(&state);
        if state == "accepted" || worked_on {
            self.staff("desk", &case, json!({"action": "accept"})).await;
        }
        if worked_on {
            let cadre = self.actors["cadre"].id();
            self.staff("desk", &case, json!({"action": "assign", "assignee": cadre})).await;
        }
        if worked_on && state != "assigned" {
            self.staff("cadre", &case, json!({"action": "sign"})).await;
        }
        match place {
            "paused" | "in_progress+pause" => {
                let body = json!({"action": "pause", "reason": "hearing", "until": "2026-12-15", "text": "要听证"});
                self.staff("cadre", &case, body).await;
                if place == "paused" {
                    self.staff("desk", &case, json!({"action": "approve"})).await;
                }
            }
            "in_progress+extension" => {
                let body = json!({"action": "extend", "working_days": 2, "reason": "complex", "text": "复杂"});
                self.staff("cadre", &case, body).await;
            }
            "answered" | "completed" | "archived" => {
                self.staff("cadre", &case, answer()).await;
                if place != "answered" {
                    self.own(&case, json!({"action": "confirm"})).await;
                }
            }
            _ => {}
        }
        case
    }
}

async fn signed_in(app: &TestApp) -> BTreeMap<&'static str, Actor> {
    let mut actors = BTreeMap::new();
    for role in ROLES {
        let actor = match role {
            "villager" => app.villager("甲").await,
            "stranger" => app.villager("乙").await,
            staff => app.staff(staff).await,
        };
        actors.insert(role, actor);
    }
    actors
}
