//! Every state, every action, every role: what the table allows succeeds with its effects, everything else is refused
//! with its code and changes nothing. Afterwards the events of every case, played again, make its row.

use entity::{
    case::{self, CaseState},
    case_event,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use shuoshi::cases::{
    replay::replay,
    workflow::{self, Action, Party, To},
};

use super::{
    actions, answer, own,
    stage::{ROLES, Stage},
};
use crate::support::TestApp;

/// A state, and what waits in it.
const PLACES: [&str; 18] = [
    "draft",
    "submitted",
    "supplement",
    "rejected",
    "accepted",
    "assigned",
    "in_progress",
    "paused",
    "answered",
    "completed",
    "archived",
    "withdrawn",
    "lapsed",
    "merged",
    "submitted+supplement",
    "rejected+objection",
    "in_progress+pause",
    "in_progress+extension",
];

fn state_of(place: &str) -> CaseState {
    let name = place.split('+').next().unwrap();
    serde_json::from_value(json!(name)).unwrap()
}

/// What somebody is to a case of the demonstration village that its cadre has, if they know of it at all.
fn parties(role: &str, place: &str) -> Option<Vec<Party>> {
    let state = state_of(place);
    let asked = place.split('+').nth(1);
    let with_the_cadre = matches!(
        state,
        CaseState::Assigned
            | CaseState::InProgress
            | CaseState::Paused
            | CaseState::Answered
            | CaseState::Completed
            | CaseState::Archived
    );
    let of_staff = state != CaseState::Draft;
    Some(match role {
        "villager" => vec![Party::Villager],
        // Of the desk: it takes in and assigns, and works on what nobody was given.
        "desk" if of_staff => {
            let mut all = vec![Party::Desk, Party::Dispatcher];
            all.extend((!with_the_cadre).then_some(Party::Assignee));
            // Another person of the unit decides on a pause.
            all.extend((asked == Some("pause")).then_some(Party::Approver));
            all
        }
        "cadre" if with_the_cadre => vec![Party::Assignee],
        "town" if of_staff => {
            let mut all = vec![Party::Desk, Party::Dispatcher, Party::Supervisor];
            all.extend(asked.map(|_| Party::Approver));
            all
        }
        "county" if of_staff => {
            let mut all = vec![Party::Supervisor];
            all.extend((asked == Some("pause")).then_some(Party::Approver));
            all
        }
        _ => return None,
    })
}

/// A right body for every action.
fn bodies(into: &str, cadre: &str, cadre2: &str, town: &str) -> Vec<(bool, Value)> {
    let villager = [
        json!({"action": "submit"}),
        json!({"action": "supplement", "text": "补上了"}),
        json!({"action": "confirm"}),
        json!({"action": "reopen", "reason": "not_done"}),
        json!({"action": "withdraw"}),
        json!({"action": "object", "text": "我不同意"}),
        json!({"action": "nudge"}),
        json!({"action": "revive"}),
    ];
    let staff = [
        json!({"action": "accept"}),
        json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补户口簿"}),
        json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请向法院起诉"}),
        json!({"action": "settle_objection", "upheld": true, "text": "应当受理"}),
        json!({"action": "merge", "into": into}),
        json!({"action": "unmerge", "text": "不是一件事"}),
        json!({"action": "assign", "assignee": cadre}),
        json!({"action": "sign"}),
        json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"}),
        json!({"action": "transfer", "assignee": cadre2, "reason": "better_placed", "text": "请丙来办"}),
        json!({"action": "escalate", "reason": "beyond_authority", "text": "村里办不了"}),
        json!({"action": "pause", "reason": "site_check", "until": "2026-12-10", "text": "要勘验"}),
        json!({"action": "resume"}),
        json!({"action": "extend", "working_days": 3, "reason": "complex", "text": "情况复杂"}),
        json!({"action": "approve"}),
        json!({"action": "refuse", "text": "不必"}),
        json!({"action": "call_in", "unit": town, "answer_on": "2026-12-10", "text": "请来会商"}),
        json!({"action": "report", "text": "已看过"}),
        json!({"action": "milestone", "milestone": "received_papers"}),
        json!({"action": "note", "text": "记一笔"}),
        json!({"action": "summarise", "text": "路灯不亮"}),
        json!({"action": "contact", "how": "phone", "text": "打过电话"}),
        answer(),
        json!({"action": "supervise", "text": "请抓紧"}),
        json!({"action": "reopen_by_order", "reason": "not_done", "text": "请重办"}),
    ];
    villager.into_iter().map(|body| (false, body)).chain(staff.into_iter().map(|body| (true, body))).collect()
}

impl Stage {
    async fn row(&self, case: &Value) -> case::Model {
        let id = serde_json::from_value(case["id"].clone()).unwrap();
        case::Entity::find_by_id::<entity::id::CaseId>(id).one(self.app.db().read()).await.unwrap().unwrap()
    }

    async fn events(&self, row: &case::Model) -> Vec<case_event::Model> {
        let events = case_event::Entity::find().filter(case_event::COLUMN.case_id.eq(row.id));
        events.order_by_asc(case_event::Column::Seq).all(self.app.db().read()).await.unwrap()
    }

    async fn call(&self, role: &str, case: &Value, of_staff: bool, body: &Value) -> crate::support::Answer {
        let path = if of_staff { actions(case) } else { format!("{}/actions", own(case)) };
        self.actors[role].post(&path, body.clone()).await
    }

    /// Tries one action of one role; `case` is a case in the place that nothing has changed yet, and is given back so.
    async fn try_it(&self, place: &str, role: &str, of_staff: bool, body: &Value, case: Value) -> Value {
        let action: Action = serde_json::from_value(body["action"].clone()).unwrap();
        let said = format!("{role}: {} in {place}", action.slug());
        let before = self.row(&case).await;
        let expected = expected(role, place, of_staff, action);
        let answer = self.call(role, &case, of_staff, body).await;
        let after = self.row(&case).await;
        match expected {
            Err(codes) => {
                assert!(answer.status >= 400, "{said}: {} {}", answer.status, answer.text());
                let problem = &answer.body;
                assert!(codes.contains(&problem["code"].as_str().unwrap()), "{said}: {codes:?}, not {problem}");
                assert_eq!(after, before, "{said} changed something");
                case
            }
            Ok(states) => {
                assert_eq!(answer.status, 200, "{said}: {}", answer.text());
                assert!(states.contains(&after.state), "{said}: {:?}", after.state);
                let event =
                    self.events(&after).await.into_iter().find(|event| event.seq == before.version + 1).unwrap();
                assert_eq!((event.action.as_str(), event.from_state), (action.slug(), Some(before.state)), "{said}");
                assert!(!event.auto && event.at == self.app.now(), "{said}");
                self.case(place).await
            }
        }
    }
}

/// To which states it may lead, or with which codes it may be refused.
fn expected(role: &str, place: &str, of_staff: bool, action: Action) -> Result<Vec<CaseState>, Vec<&'static str>> {
    let is_villager = ["villager", "stranger"].contains(&role);
    if is_villager == of_staff {
        return Err(vec!["not_your_duty"]);
    }
    let Some(parties) = parties(role, place) else { return Err(vec!["not_found"]) };
    let (state, asked) = (state_of(place), place.split('+').nth(1));
    let Some(step) = workflow::STEPS.iter().find(|step| step.action == action && step.from.contains(&state)) else {
        return Err(vec!["transition_not_allowed"]);
    };
    let may = step.by.iter().any(|party| parties.contains(party));
    let waits = asked.is_some();
    let refused: Option<&'static str> = match action {
        Action::Approve | Action::Refuse if !waits || asked == Some("objection") => Some("transition_not_allowed"),
        Action::SettleObjection if asked != Some("objection") => Some("transition_not_allowed"),
        // What was written needs no summary; what was spoken is tried with the files.
        Action::Summarise => Some("transition_not_allowed"),
        Action::Object if waits => Some("transition_not_allowed"),
        Action::RequestSupplement | Action::Pause | Action::Extend if waits => Some("already_asked"),
        _ => None,
    };
    match (may, refused) {
        (true, None) => Ok(if step.to == To::Asked { step.to.states(state) } else { lead(step.to, state, action) }),
        (true, Some(code)) => Err(vec![code]),
        // Which of the two is found first is nobody's concern.
        (false, code) => Err([Some("not_your_duty"), code].into_iter().flatten().collect()),
    }
}

fn lead(to: To, state: CaseState, action: Action) -> Vec<CaseState> {
    match action {
        Action::Reopen => vec![CaseState::InProgress],
        _ => to.states(state),
    }
}

async fn walk(app: &TestApp, places: &[&str]) {
    let mut stage = Stage::set(app).await;
    let (cadre, cadre2) = (stage.actors["cadre"].id().to_owned(), stage.actors["cadre2"].id().to_owned());
    for place in places {
        let mut case = stage.case(place).await;
        match *place {
            "lapsed" => stage.wait(20).await,
            "archived" => stage.wait(40).await,
            _ => {}
        }
        let late = ["lapsed", "archived"].contains(place);
        for (of_staff, body) in bodies(&stage.main, &cadre, &cadre2, &stage.town_unit) {
            for role in ROLES {
                // Time does not go back: of what took days there is one case, tried on what is refused and last on the rest.
                let action: Action = serde_json::from_value(body["action"].clone()).unwrap();
                if late && expected(role, place, of_staff, action).is_ok() {
                    continue;
                }
                case = stage.try_it(place, role, of_staff, &body, case).await;
            }
        }
    }
    let clocks = app.app().settings.load().of(&[]);
    for row in case::Entity::find().all(app.db().read()).await.unwrap() {
        let events = stage.events(&row).await;
        if !events.is_empty() {
            let again =
                replay(&row, &events, &clocks).unwrap_or_else(|| panic!("no step of {}: {events:?}", row.number));
            assert_eq!(again, row, "the events of {}", row.number);
        }
    }
    app.drain_jobs().await;
}

both_engines! {
    async fn until_it_is_assigned(app: TestApp) {
        walk(&app, &["draft", "submitted", "supplement", "rejected", "accepted", "assigned"]).await;
    }

    async fn while_it_is_worked_on(app: TestApp) {
        walk(&app, &["in_progress", "paused", "in_progress+pause", "in_progress+extension"]).await;
    }

    async fn once_it_is_answered(app: TestApp) {
        walk(&app, &["answered", "completed", "withdrawn", "merged", "submitted+supplement", "rejected+objection"]).await;
    }

    async fn when_time_has_passed(app: TestApp) {
        walk(&app, &["lapsed"]).await;
    }

    async fn when_it_is_put_away(app: TestApp) {
        walk(&app, &["archived"]).await;
    }

    async fn what_lapsed_is_revived_and_what_was_closed_is_ordered_again(app: TestApp) {
        let mut stage = Stage::set(&app).await;
        let (lapsed, closed) = (stage.case("lapsed").await, stage.case("completed").await);
        stage.wait(20).await;
        assert_eq!(stage.own(&lapsed, json!({"action": "revive"})).await["state"], "submitted");
        let order = json!({"action": "reopen_by_order", "reason": "not_done", "text": "请重办"});
        let again = stage.staff("town", &closed, order).await;
        assert_eq!((&again["state"], &again["round"], &again["confirmed"]), (&json!("in_progress"), &json!(2), &json!(null)));
        app.drain_jobs().await;
    }
}

#[test]
fn every_state_is_walked() {
    use sea_orm::Iterable;
    for state in CaseState::iter() {
        assert!(PLACES.iter().any(|place| state_of(place) == state), "{state:?}");
    }
}
