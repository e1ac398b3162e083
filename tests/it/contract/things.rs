//! Things of 石笋村 to call an operation on: fresh, in the state that it needs, with somebody who may.

mod cases;
mod connections;
mod of_files;
mod public;
mod talks;

use std::cell::Cell;

use reqwest::Method;
use serde_json::{Value, json};
use shuoshi::auth::totp;

use super::{
    Operation,
    bodies::{account, bodies, parameters},
};
use crate::{
    cases::filed,
    files, people, publications,
    rosters::{Resident, citizen_no},
    support::{Actor, Answer, TestApp},
    talks::{hearing, lets_act, one_slot, single_day},
};

/// What the unit above the village's works on.
const OF_THE_TOWNSHIP: [&str; 3] = ["/follow-ups/", "/review-appeals/", "/call-backs/"];

/// A call that only who asks can make fail.
pub(super) struct Ask {
    /// Somebody who may.
    pub who_may: Actor,
    method: Method,
    /// Where, for whoever looks at it again.
    pub path: String,
    body: Value,
}

impl Ask {
    /// Which action the body says.
    pub(super) fn action(&self) -> Option<&str> {
        self.body["action"].as_str()
    }

    pub(super) async fn by(&self, actor: &Actor) -> Answer {
        let call = actor.call(self.method.clone(), &self.path);
        match &self.body {
            _ if self.method == Method::GET => call.send().await,
            Value::String(_) if self.path.ends_with("/files") => {
                call.body(&files::form_type(), files::form("photo.jpg", &files::jpeg(16, 16))).send().await
            }
            Value::String(file) => call.body("text/csv", file.clone()).send().await,
            body => call.json(body.clone()).send().await,
        }
    }
}

/// The village and those who work there.
pub(super) struct Village {
    app: TestApp,
    id: String,
    desk: Actor,
    cadre: Actor,
    admin: Actor,
    villagers: Cell<u32>,
}

impl Village {
    pub(super) async fn of(app: &TestApp) -> Self {
        let (desk, cadre, admin) = (app.staff("desk").await, app.staff("cadre").await, app.staff("admin").await);
        Self { app: app.clone(), id: app.village().await.to_string(), desk, cadre, admin, villagers: Cell::new(0) }
    }

    /// The operation with each of its bodies, on things of its own.
    pub(super) async fn asks(&self, operation: &Operation) -> Vec<Ask> {
        let mut bodies = bodies(&self.id, self.cadre.id());
        bodies.retain(|(id, _)| *id == operation.id);
        if bodies.is_empty() {
            bodies.push(("", json!({})));
        }
        let mut asks = Vec::new();
        for (_, body) in bodies {
            asks.push(self.ask(operation, body).await);
        }
        asks
    }

    async fn ask(&self, operation: &Operation, mut body: Value) -> Ask {
        self.villagers.set(self.villagers.get() + 1);
        let villager = self.app.villager(&format!("villager {}", self.villagers.get())).await;
        let state = state_for(&operation.id, &body);
        let path = match operation.path.split_once('{') {
            None => operation.path.clone(),
            Some(("/open311/discovery." | "/open311/v2/discovery.", _)) => operation.path.replace("{format}", "json"),
            Some((before, _)) if before.starts_with("/open311/") => self.of_open311(&operation.path, &villager).await,
            Some((before, rest)) => {
                let kind = before.rsplit('/').nth(1).unwrap();
                let kind = match before {
                    "/api/v1/staff/authorisations/" => "authorisations of residents",
                    "/api/v1/staff/inbox/" => "inbox of staff",
                    "/api/v1/staff/files/" => "files of a case",
                    "/api/v1/staff/files/uploads/" => "uploads of the desk",
                    _ => kind,
                };
                let id = self.thing(kind, state, &villager).await;
                let path = format!("{before}{id}{}", rest.split_once('}').unwrap().1);
                let path = path.replace("{format}", "json").replace("{purpose}", "publication");
                let path =
                    if path.contains("{review}") { self.of_a_review(&path, &id, state, &villager).await } else { path };
                if path.contains("{conflict}") { path.replace("{conflict}", &self.conflict(&id).await) } else { path }
            }
        };
        let path = path + parameters(&operation.id);
        let who_may = match state {
            _ if !operation.of_staff() => villager,
            _ if operation.id == "list_audit" => self.app.staff("admin").await,
            _ if operation.id == "appeal_review" => self.cadre.clone(),
            // Another than who drew it.
            _ if operation.id == "sign_report" => self.app.staff("town").await,
            _ if operation.path.contains("{id}")
                && OF_THE_TOWNSHIP.iter().any(|kind| operation.path.contains(kind)) =>
            {
                self.app.staff("town").await
            }
            _ if operation.path.starts_with("/api/v1/staff/inbox") => self.cadre.clone(),
            _ if operation.is_one_s_own() => self.clerk().await,
            _ if operation.of_administrators() || operation.of_the_catalogue() => self.admin.clone(),
            "assigned" | "in_progress" | "paused" => self.cadre.clone(),
            "objected_to" | "completed" => self.app.staff("town").await,
            _ if body["action"] == "supervise" => self.app.staff("town").await,
            _ => self.desk.clone(),
        };
        self.prepare(operation, &who_may, &path, &mut body).await;
        Ask { who_may, method: operation.method.clone(), path, body }
    }

    /// What an operation needs to have happened, and what a body says of it.
    async fn prepare(&self, operation: &Operation, who_may: &Actor, path: &str, body: &mut Value) {
        match operation.id.as_str() {
            "confirm_totp" => {
                let enrolled = who_may.post("/staff/me/totp", json!({})).await.expect(200);
                body["code"] = json!(totp::code_at(enrolled["secret"].as_str().unwrap(), self.app.now()));
            }
            "sign_minutes" => {
                let minutes = path.trim_start_matches("/api/v1").trim_end_matches("/signatures");
                body["digest"] = self.desk.get(minutes).await.expect(200)["digest"].clone();
                let (name, phone) = (body["name"].as_str().unwrap(), body["phone"].as_str().unwrap());
                hearing::lives_here(&self.app, name, phone).await;
            }
            "take_wechat_phone" => body["code"] = json!(self.app.wechat_phone_code(&who_may.name).await),
            "confirm_phone" => {
                let phone = body["phone"].as_str().unwrap().to_owned();
                who_may.post("/me/phone/sms", json!({"phone": phone})).await.expect(202);
                body["code"] = json!(self.app.code_sent_to(&phone).await);
            }
            "book_household" => {
                let other = self.app.villager(&format!("{} 的家人", who_may.name)).await;
                lets_act(&other, who_may).await;
                body["persons"] = json!([who_may.id(), other.id()]);
            }
            "act_on_staff_case" if body["action"] == "merge" => {
                let other = self.app.villager(&format!("{} 的邻居", who_may.name)).await;
                body["into"] = filed(&self.app, &other).await["id"].clone();
            }
            "act_on_staff_case" if ["transfer", "call_in"].contains(&body["action"].as_str().unwrap()) => {
                body["assignee"] = json!(self.desk.id());
            }
            "draw_report" => body["period"] = json!(self.past_month()),
            "add_duty" => body["unit"] = self.unit().await,
            "move_booking" | "move_for_caller" => body["slot"] = one_slot(&self.app, 1).await["slots"][0]["id"].clone(),
            "get_household" => {
                let number = citizen_no(self.villagers.get());
                people::on_roster(&self.app, "样例", &number, "1").await;
                let said = people::claim(&self.app, "样例", &number).await;
                who_may.post("/me/residence", said).await.expect(200);
            }
            _ => {}
        }
    }

    /// A month that is over and that nobody asked for yet.
    fn past_month(&self) -> String {
        self.villagers.set(self.villagers.get() + 1);
        let months = self.villagers.get();
        format!("{}-{:02}", 2025 - months / 12 % 25, 12 - months % 12)
    }

    /// The unit of the village's desk.
    async fn unit(&self) -> Value {
        let units = self.desk.get("/staff/units").await.expect(200);
        let desk = units["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "village_desk");
        desk.unwrap()["id"].clone()
    }

    /// Somebody new who works in the village.
    async fn clerk(&self) -> Actor {
        self.villagers.set(self.villagers.get() + 1);
        let username = format!("clerk-{}", self.villagers.get());
        self.admin.post("/staff/accounts", account(&username, &self.id)).await.expect(201);
        self.app.staff(&username).await
    }

    async fn conflict(&self, account: &str) -> String {
        let body = json!({"with_staff": self.desk.id(), "kind": "relative"});
        let made = self.admin.post(&format!("/staff/accounts/{account}/conflicts"), body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// The id of a thing that stands in a path after `kind`; the villager's where it is somebody's.
    #[allow(clippy::too_many_lines, reason = "a list")]
    async fn thing(&self, kind: &str, state: &str, villager: &Actor) -> String {
        let id = match kind {
            "divisions" | "open-data" => json!(self.id),
            "reports" => {
                let body = json!({"kind": "monthly_list", "period": self.past_month()});
                let path = format!("/staff/divisions/{}/reports", self.id);
                self.desk.post(&path, body).await.expect(201)["id"].clone()
            }
            "slots" => one_slot(&self.app, 2).await["slots"][0]["id"].clone(),
            "talk-days" if state == "hosted" => {
                let hosts = json!({"date": "2026-11-27", "hosts": [self.cadre.id(), self.desk.id()]});
                single_day(&self.app, hosts).await["id"].clone()
            }
            "talk-days" => self.talk_day(state, villager).await,
            "bookings" => self.matter(state, villager).await["id"].clone(),
            "waits" => {
                let slot = one_slot(&self.app, 1).await["slots"][0]["id"].clone();
                villager.post(&format!("/slots/{}/waits", slot.as_str().unwrap()), json!({})).await.expect(201)["id"]
                    .clone()
            }
            "council-matters" => {
                let body = json!({"record": "大家商量", "outcome": "council", "council_title": "修桥"});
                let booking = self.booking_that("", villager).await;
                hearing::concluded(&self.app, &self.desk, &booking, body).await["council_matter"].clone()
            }
            "talk-rules" => {
                let rules = format!("/staff/divisions/{}/talk-rules", self.id);
                let (_, rule) = bodies("", "").into_iter().find(|(id, _)| *id == "make_talk_rule").unwrap();
                self.desk.post(&rules, rule).await.expect(201)["id"].clone()
            }
            "people" => {
                let number = citizen_no(self.villagers.get());
                json!(Resident::new("张一", &number).of(self.app.village().await).register(&self.app).await)
            }
            "authorisations" => {
                let (_, body) = bodies("", "").into_iter().find(|(id, _)| *id == "authorise_agent").unwrap();
                villager.post("/me/authorisations", body).await.expect(201)["id"].clone()
            }
            "authorisations of residents" => {
                let (_, body) = bodies("", "").into_iter().find(|(id, _)| *id == "record_authorisation").unwrap();
                let number = citizen_no(self.villagers.get());
                let resident = Resident::new("张一", &number).of(self.app.village().await).register(&self.app).await;
                let path = format!("/staff/people/{resident}/authorisations");
                self.desk.post(&path, body).await.expect(201)["id"].clone()
            }
            "residence-claims" => {
                let said = people::claim(&self.app, "样例", &citizen_no(self.villagers.get())).await;
                villager.post("/me/residence", said).await.expect(200)["claim"].clone()
            }
            "duty-list" => {
                let body = json!({"group": format!("{}组", self.villagers.get()), "unit": self.unit().await});
                let path = format!("/staff/divisions/{}/duty-list", self.id);
                self.desk.post(&path, body).await.expect(201)["id"].clone()
            }
            "reviews" => json!(self.handle().await),
            "follow-ups" => {
                self.bad_review(villager).await;
                self.last("/staff/follow-ups").await["id"].clone()
            }
            "review-appeals" => {
                let path = format!("/staff/me/reviews/{}/appeal", self.handle().await);
                self.cadre.post(&path, json!({"text": "当天我不在村里"})).await.expect(201)["id"].clone()
            }
            "call-backs" => {
                let all = json!({"numbers": {"call_back_percent": 100}});
                self.admin.put(&format!("/staff/divisions/{}/settings", self.id), all).await.expect(200);
                self.case("completed", villager).await;
                self.last("/staff/call-backs").await["id"].clone()
            }
            "consents" => json!("publication"),
            "catalogue" => json!("DZ-CJ-01"),
            "export" => {
                let asked = villager.post("/me/export", json!({})).await.expect(202)["id"].clone();
                self.app.drain_jobs().await;
                asked
            }
            "units" => {
                let units = format!("/staff/units?division={}", self.id);
                self.desk.get(&units).await.expect(200)["items"][0]["id"].clone()
            }
            "accounts" => json!(self.clerk().await.id()),
            "absences" => {
                let body = json!({"from": "2026-11-24", "until": "2026-11-24", "stand_in": self.cadre.id()});
                self.clerk().await.post("/staff/absences", body).await.expect(201)["id"].clone()
            }
            "webhooks" | "deliveries" | "api-keys" => self.connection(kind).await,
            "content" => self.content(villager).await,
            "publications" => self.publication(villager).await,
            "cases" if state == "public" => publications::answered_matter(&self.app, villager).await["id"].clone(),
            "cases" => self.case(state, villager).await["id"].clone(),
            "files" => json!(files::a_photo(villager).await),
            "files of a case" => json!(self.photo_of_a_case(villager).await),
            "uploads" => json!(self.upload(villager).await),
            "uploads of the desk" => json!(self.upload(&self.desk).await),
            // Without its signature it leads nowhere.
            "media" => json!("01890a5d-ac96-774b-bcce-b302099a8057"),
            "call-list" | "inbox of staff" | "inbox" => self.told(kind, villager).await,
            _ => panic!("how does one of the {kind} come to be? Say it here"),
        };
        id.as_str().unwrap().to_owned()
    }
}

/// The state in which a case, a booking or a talk day takes the call.
fn state_for(operation: &str, body: &Value) -> &'static str {
    match operation {
        "conclude_booking" => return "called",
        "correct_record" | "list_records" | "get_record" | "compile_minutes" => return "concluded",
        "sign_minutes" | "get_staff_minutes" | "get_minutes" => return "compiled",
        "publish_minutes" => return "signed",
        "publish_answer" => return "public",
        "rate_talk_day" => return "over",
        _ => {}
    }
    match (operation, body["action"].as_str().unwrap_or_default()) {
        ("withdraw_host", _) => "hosted",
        ("check_in_booking" | "register_walk_in", _) => "booked",
        ("call_booking" | "call_next" | "park_booking" | "undo_booking_step" | "undo_last_step", _) => "checked_in",
        ("recall_booking" | "miss_booking", _) => "called",
        ("add_to_review", _) => "answered",
        ("rerate_case", _) => "followed_up",
        ("delete_case", _) | (_, "submit") => "draft",
        (_, "summarise") => "spoken",
        (_, "assign") => "accepted",
        (_, "sign" | "return") => "assigned",
        (_, "answer" | "transfer" | "escalate" | "pause" | "extend" | "call_in" | "milestone" | "contact") => {
            "in_progress"
        }
        (_, "supplement") => "supplement",
        (_, "object") => "rejected",
        (_, "revive") => "lapsed",
        (_, "settle_objection") => "objected_to",
        (_, "unmerge") => "merged",
        (_, "resume") => "paused",
        (_, "approve" | "refuse") => "asked",
        (_, "report") => "called_in",
        (_, "reopen_by_order") => "completed",
        ("rebook_booking", _) => "lost",
        ("object_to_missed", _) => "missed",
        ("settle_missed", _) => "objected",
        ("confirm_booking", _) => "to_confirm",
        ("review_case", _) | (_, "confirm" | "reopen") => "answered",
        _ => "submitted",
    }
}
