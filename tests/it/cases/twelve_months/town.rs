//! What people do on a working day: drawn at random, the same every time.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeDelta};
use entity::{
    case::{self, CaseKind, CaseRequest, CaseState},
    id::{DivisionId, PersonId, StaffId},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use shuoshi::clock::local_day;

use super::people::People;
use crate::{
    cases::{actions, answer},
    support::{Actor, Answer, TestApp},
};

/// Villagers with an app; others come to the desk.
const VILLAGERS: usize = 24;

pub(super) struct Town {
    people: People,
    dice: StdRng,
    village: DivisionId,
    neighbour: DivisionId,
    staff: BTreeMap<StaffId, &'static str>,
    villagers: BTreeMap<PersonId, String>,
    /// How often what was done, and how often what was refused.
    done: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
}

impl Town {
    pub(super) async fn new(app: &TestApp, first: NaiveDate) -> Self {
        let mut people = People::default();
        let mut staff = BTreeMap::new();
        for name in ["desk", "cadre", "cadre2", "town", "discipline", "neighbour"] {
            let actor = people.get(app, name).await;
            staff.insert(serde_json::from_value(json!(actor.id())).unwrap(), name);
        }
        let neighbour = people.get(app, "neighbour").await.session["staff"]["postings"][0]["division"].clone();
        let mut villagers = BTreeMap::new();
        for at in 0..VILLAGERS {
            let name = format!("样例{at}");
            let actor = people.get(app, &name).await;
            villagers.insert(serde_json::from_value(json!(actor.id())).unwrap(), name);
        }
        let mut town = Self {
            people,
            dice: StdRng::seed_from_u64(2026),
            village: app.village().await,
            neighbour: serde_json::from_value(neighbour).unwrap(),
            staff,
            villagers,
            done: BTreeMap::new(),
            refused: BTreeMap::new(),
        };
        // Somebody is away before Christmas, in spring and in summer.
        for (who, stand_in, weeks, days) in [
            ("cadre", "cadre2", 2, 11),
            ("cadre2", "cadre", 16, 4),
            ("cadre", "cadre2", 27, 18),
            ("desk", "cadre2", 38, 6),
        ] {
            let from = first.checked_add_days(Days::new(weeks * 7)).unwrap();
            let until = from.checked_add_days(Days::new(days)).unwrap();
            let stand_in = town.people.get(app, stand_in).await;
            let body = json!({"from": from, "until": until, "stand_in": stand_in.id()});
            town.people.get(app, who).await.post("/staff/absences", body).await.expect(201);
        }
        town
    }

    pub(super) async fn who(&mut self, app: &TestApp, name: &str) -> Actor {
        self.people.get(app, name).await
    }

    pub(super) fn neighbour_village(&self) -> DivisionId {
        self.neighbour
    }

    pub(super) async fn publish_calendar(&mut self, app: &TestApp, year: i32, days: &[(NaiveDate, bool)]) {
        let days: Vec<Value> = days
            .iter()
            .map(|(date, works)| json!({"date": date, "kind": if *works { "workday" } else { "holiday" }, "name": "样例"}))
            .collect();
        let body = json!({"year": year, "source": "样例通知", "days": days});
        self.who(app, "admin").await.post("/staff/calendars", body).await.expect(201);
    }

    /// A working day: some come with something new, some of what is open moves.
    pub(super) async fn works(&mut self, app: &TestApp, today: NaiveDate, new: usize) {
        for _ in 0..new {
            self.somebody_files(app).await;
        }
        let open = case::Entity::find()
            .filter(
                Condition::any().add(case::COLUMN.closed_at.is_null()).add(case::COLUMN.state.eq(CaseState::Completed)),
            )
            .filter(case::COLUMN.state.ne(CaseState::Draft))
            .order_by_asc(case::Column::Id);
        for case in open.all(app.db().read()).await.unwrap() {
            app.advance(TimeDelta::milliseconds(100));
            self.somebody_moves(app, &case, today).await;
        }
        if today.format("%u").to_string() == "3" {
            self.calls_back(app).await;
        }
    }

    /// Things went on of every kind; hardly anything was refused.
    pub(super) fn says_that_enough_happened(&self) {
        for what in [
            "accept",
            "request_supplement",
            "supplement",
            "reject",
            "assign",
            "sign",
            "return",
            "transfer",
            "escalate",
            "pause",
            "extend",
            "approve",
            "refuse",
            "resume",
            "milestone",
            "contact",
            "answer",
            "confirm",
            "reopen",
            "withdraw",
            "nudge",
            "review",
            "call_back",
            "reopen_by_order",
            "note",
        ] {
            assert!(self.done.get(what).is_some_and(|times| *times >= 5), "{what}: {:?}", self.done);
        }
        let (done, refused): (usize, usize) = (self.done.values().sum(), self.refused.values().sum());
        assert!(refused * 20 < done, "{refused} of {done} refused: {:?}", self.refused);
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.dice.random_range(0..100) < percent
    }

    async fn somebody_files(&mut self, app: &TestApp) {
        app.advance(TimeDelta::seconds(20));
        let division = if self.chance(70) { self.village } else { self.neighbour };
        let n: u32 = self.dice.random_range(0..1_000_000);
        let concern = ["question", "help", "suggestion", "complaint"][self.dice.random_range(0..4)];
        let voice = json!({"kind": "voice", "concern": concern, "division": division, "text": format!("样例事项 {n}")});
        if self.chance(60) {
            let name = format!("样例{}", self.dice.random_range(0..VILLAGERS));
            let villager = self.who(app, &name).await;
            let mut body = voice;
            if self.chance(4) {
                body["concern"] = json!("report");
            }
            let answer = villager.post("/cases", body).await;
            self.note("file", answer);
        } else {
            let desk = self.who(app, if division == self.village { "desk" } else { "neighbour" }).await;
            let mut body = if self.chance(50) {
                json!({"kind": "proxy", "item": "DZ-MZ-01", "division": division, "text": "样例代办"})
            } else {
                voice
            };
            body["channel"] = json!("phone");
            body["for_person"] =
                json!({"name": "样例电话", "phone": format!("138{:08}", self.dice.random_range(0..40))});
            let answer = desk.post("/staff/cases", body).await;
            self.note("enter", answer);
        }
    }

    fn note(&mut self, what: &str, answer: Answer) {
        assert!(answer.status < 500, "{what}: {}", answer.text());
        let tally = if answer.status < 300 { &mut self.done } else { &mut self.refused };
        let key = if answer.status < 300 {
            what.to_owned()
        } else {
            let problem: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
            format!("{what} {} {}", problem["code"], problem["errors"])
        };
        *tally.entry(key).or_default() += 1;
    }

    async fn staff_do(&mut self, app: &TestApp, who: &str, case: &case::Model, body: Value) {
        let actor = self.who(app, who).await;
        let answer = actor.post(&actions(&json!({"id": case.id})), body.clone()).await;
        self.note(body["action"].as_str().unwrap(), answer);
    }

    async fn villager_does(&mut self, app: &TestApp, case: &case::Model, body: Value) {
        let Some(name) = self.villagers.get(&case.person_id).cloned() else { return };
        let actor = self.who(app, &name).await;
        let answer = actor.post(&format!("/cases/{}/actions", case.id), body.clone()).await;
        self.note(body["action"].as_str().unwrap(), answer);
    }

    fn desk_of(&self, case: &case::Model) -> &'static str {
        match case.village_id {
            _ if case.confidential => "discipline",
            place if place == self.village => "desk",
            _ => "neighbour",
        }
    }

    fn former(&self, case: &case::Model) -> Option<&'static str> {
        self.staff.get(&case.former_assignee_id?).copied()
    }

    fn handler(&self, case: &case::Model, at_the_township: bool) -> &'static str {
        match case.assignee_id.and_then(|assignee| self.staff.get(&assignee)) {
            Some(name) => name,
            None if at_the_township => "town",
            None => self.desk_of(case),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm a state")]
    async fn somebody_moves(&mut self, app: &TestApp, case: &case::Model, today: NaiveDate) {
        let desk = self.desk_of(case);
        let at_the_township = case.unit_id != case.first_unit_id && !case.confidential;
        let handler = self.handler(case, at_the_township);
        let dice = self.dice.random_range(0..1000);
        if self.dice.random_range(0..1000) < 4 && case.state != CaseState::Completed {
            self.villager_does(app, case, json!({"action": "withdraw"})).await;
            return;
        }
        match (case.state, dice) {
            (CaseState::Submitted, 0..650) => self.staff_do(app, desk, case, json!({"action": "accept"})).await,
            (CaseState::Submitted, 650..700) if case.supplements == 0 => {
                let body = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补户口簿"});
                self.staff_do(app, desk, case, body).await;
            }
            (CaseState::Submitted, 700..715) => {
                let body =
                    json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请起诉"});
                self.staff_do(app, desk, case, body).await;
            }
            (CaseState::Supplement, 0..250) => {
                self.villager_does(app, case, json!({"action": "supplement", "text": "补了"})).await;
            }
            (CaseState::Accepted, 0..700) => {
                let to = match (case.confidential, at_the_township, desk) {
                    (true, ..) => "discipline",
                    // Whoever worked on it before may not do so again.
                    (_, true, _) if self.former(case) == Some("town") => desk,
                    (_, true, _) => "town",
                    (_, _, "neighbour") => "neighbour",
                    _ => ["cadre", "cadre", "cadre2", "desk"][self.dice.random_range(0..4)],
                };
                let (by, to) = (if at_the_township { "town" } else { desk }, self.who(app, to).await);
                self.staff_do(app, by, case, json!({"action": "assign", "assignee": to.id()})).await;
            }
            (CaseState::Assigned, 0..550) => self.staff_do(app, handler, case, json!({"action": "sign"})).await,
            (CaseState::Assigned, 550..600) if case.returns == 0 && !case.confidential && !at_the_township => {
                let body = json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"});
                self.staff_do(app, handler, case, body).await;
            }
            (CaseState::InProgress, _) => self.somebody_works(app, case, handler, at_the_township, today, dice).await,
            (CaseState::Paused, 0..150) => self.staff_do(app, handler, case, json!({"action": "resume"})).await,
            (CaseState::Answered, 0..250) => self.villager_does(app, case, json!({"action": "confirm"})).await,
            (CaseState::Answered, 250..290) => {
                self.villager_does(app, case, json!({"action": "reopen", "reason": "not_done"})).await;
            }
            (CaseState::Answered | CaseState::Completed, 300..420) => self.somebody_reviews(app, case, dice).await,
            (CaseState::Completed, 990..993)
                if !case.confidential && today < local_day(case.since_at) + Days::new(25) =>
            {
                let body = json!({"action": "reopen_by_order", "reason": "not_done", "text": "请重办"});
                self.staff_do(app, "town", case, body).await;
            }
            _ => {}
        }
    }

    async fn somebody_works(
        &mut self,
        app: &TestApp,
        case: &case::Model,
        handler: &str,
        at_the_township: bool,
        today: NaiveDate,
        dice: u32,
    ) {
        if let Some(request) = case.pending {
            let asked_by_the_township = case.pending_by.and_then(|who| self.staff.get(&who)) == Some(&"town");
            let by = if asked_by_the_township { "county" } else { "town" };
            let body =
                if dice < 800 { json!({"action": "approve"}) } else { json!({"action": "refuse", "text": "不必"}) };
            if dice < 900 && !case.confidential && request != CaseRequest::Objection {
                self.staff_do(app, by, case, body).await;
            }
            return;
        }
        if case.contacted_at.is_none() && case.contact_due_at.is_some() && self.chance(50) {
            let body = json!({"action": "contact", "how": "phone", "text": "打过电话"});
            self.staff_do(app, handler, case, body).await;
        }
        let until = today.checked_add_days(Days::new(6)).unwrap();
        let colleague = if handler == "cadre" { "cadre2" } else { "cadre" };
        let here = case.village_id == self.village && !case.confidential && !at_the_township;
        let body = match dice {
            0..190 => answer(),
            190..205 if !case.confidential => {
                json!({"action": "pause", "reason": "site_check", "until": until, "text": "要勘验"})
            }
            205..220 if case.extended_days == 0 && case.due_on > today && !at_the_township => {
                json!({"action": "extend", "working_days": 2, "reason": "complex", "text": "情况复杂"})
            }
            220..230 if here => {
                let to = self.who(app, colleague).await;
                json!({"action": "transfer", "assignee": to.id(), "reason": "better_placed", "text": "他更熟悉"})
            }
            230..235 if here => json!({"action": "escalate", "reason": "beyond_authority", "text": "村里办不了"}),
            235..265 if case.kind == CaseKind::Proxy => json!({"action": "milestone", "milestone": "received_papers"}),
            265..300 => json!({"action": "note", "text": "还在办"}),
            300..320 => return self.villager_does(app, case, json!({"action": "nudge"})).await,
            _ => return,
        };
        self.staff_do(app, handler, case, body).await;
    }

    async fn somebody_reviews(&mut self, app: &TestApp, case: &case::Model, dice: u32) {
        let Some(name) = self.villagers.get(&case.person_id).cloned() else { return };
        let stars = 1 + dice % 5;
        let actor = self.who(app, &name).await;
        let path = format!("/cases/{}/reviews", case.id);
        if actor.get(&path).await.expect(200)["items"].as_array().unwrap().iter().any(|it| it["round"] == case.round) {
            return;
        }
        let answer =
            actor.post(&path, json!({"stars": stars, "tags": if stars < 3 { vec!["slow"] } else { vec![] }})).await;
        self.note("review", answer);
    }

    /// The township calls some of those who stayed silent.
    async fn calls_back(&mut self, app: &TestApp) {
        let town = self.who(app, "town").await;
        let waiting = town.get("/staff/call-backs?limit=100").await.expect(200);
        for item in waiting["items"].as_array().unwrap() {
            let result = ["solved", "partly", "not_solved", "unreachable"][self.dice.random_range(0..4)];
            let path = format!("/staff/call-backs/{}/record", item["id"].as_str().unwrap());
            let answer = town.post(&path, json!({"result": result, "text": "样例回访"})).await;
            self.note("call_back", answer);
        }
    }
}
