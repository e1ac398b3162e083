//! Dismissal: out at once at every server, and nothing stays behind with who is gone.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::{
    demo::PASSWORD,
    jobs::sweeps::{self, Sweep},
};

use super::{NEIGHBOUR, account, made, posting};
use crate::{
    cases::{actions, answered, filed, in_progress, own},
    support::{Actor, TestApp},
};

async fn seen(by: &Actor, case: &Value) -> Value {
    by.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200)
}

async fn dismissed(app: &TestApp, who: &Actor) {
    app.staff("admin").await.delete(&account(&json!(who.id()))).await.expect(204);
}

both_engines! {
    async fn tokens_of_somebody_dismissed_are_dead_at_every_server(app: TestApp) {
        let other = app.second_server().await;
        let (phone, desktop) = (app.staff("cadre").await, app.staff("cadre").await.at(&other));
        phone.get("/staff/cases").await.expect(200);
        desktop.get("/staff/cases").await.expect(200);
        dismissed(&app, &phone).await;
        for session in [&phone, &desktop] {
            session.get("/staff/cases").await.problem("session_ended");
            session.get("/staff/me").await.problem("session_ended");
            let body = json!({"refresh_token": session.session["refresh_token"]});
            app.nobody().at(&other).post("/auth/refresh", body).await.problem("session_ended");
        }
        let sign_in = json!({"username": "cadre", "password": PASSWORD});
        app.nobody().post("/auth/staff", sign_in).await.problem("bad_credentials");
        let admin = app.staff("admin").await;
        let gone = admin.get(&account(&json!(phone.id()))).await.expect(200);
        assert!(gone["dismissed_at"].is_string());
        assert_eq!(gone["postings"][0]["ends_on"], "2026-11-23");
        admin.delete(&account(&json!(phone.id()))).await.problem("not_found");
        admin.put(&account(&json!(phone.id())), json!({"name": "乙"})).await.problem("not_found");
        let list = admin.get("/staff/accounts?q=cadre").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    }

    async fn what_is_reopened_does_not_go_to_who_left_or_is_away(app: TestApp) {
        let villager = app.villager("甲").await;
        let (case, other) = (filed(&app, &villager).await, filed(&app, &villager).await);
        for case in [&case, &other] {
            answered(&app, case).await;
            villager.post(&format!("{}/actions", own(case)), json!({"action": "confirm"})).await.expect(200);
        }
        let (town, cadre) = (app.staff("town").await, app.staff("cadre").await);
        let reason = app.nobody().get("/lists/reopen_reasons").await.expect(200)["items"][0]["code"].clone();
        let order = json!({"action": "reopen_by_order", "reason": reason, "text": "回访未办好"});
        let stand_in = app.staff("cadre2").await;
        let absence = json!({"stand_in": stand_in.id(), "from": "2026-11-23", "until": "2026-11-27"});
        cadre.post("/staff/absences", absence).await.expect(201);
        let again = town.post(&actions(&case), order.clone()).await.expect(200);
        assert_eq!((&again["state"], &again["assignee"]), (&json!("in_progress"), &json!(stand_in.id())));
        dismissed(&app, &cadre).await;
        let again = town.post(&actions(&other), order).await.expect(200);
        assert_eq!((&again["state"], &again["assignee"]), (&json!("in_progress"), &json!(null)));
        let desk = app.staff("desk").await;
        let events = desk.get(&format!("/staff/cases/{}/events", other["id"].as_str().unwrap())).await.expect(200);
        let actions: Vec<&Value> = events["items"].as_array().unwrap().iter().rev().take(2).map(|it| &it["action"]).collect();
        assert_eq!(actions, ["release", "reopen_by_order"]);
        app.drain_jobs().await;
    }

    async fn open_work_goes_back_to_its_unit_due_when_it_was(app: TestApp) {
        let villager = app.villager("甲").await;
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let (working, waiting) = (filed(&app, &villager).await, filed(&app, &villager).await);
        in_progress(&app, &working).await;
        answered(&app, &waiting).await;
        let before = seen(&desk, &working).await;
        dismissed(&app, &cadre).await;
        let after = seen(&desk, &working).await;
        assert_eq!(after["assignee"], json!(null));
        for same in ["state", "unit", "promised_due_on", "statutory_due_on", "due_on", "step_due_at"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        assert_eq!(seen(&desk, &waiting).await["assignee"], json!(null), "somebody must be there if it is reopened");
        let events = desk.get(&format!("/staff/cases/{}/events", working["id"].as_str().unwrap())).await.expect(200);
        let last = events["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["action"], &last["by"]["kind"]), (&json!("release"), &json!("staff")));
        // Colleagues of the unit find it and go on; to who is gone nothing is given.
        assert_eq!(cadre2.get("/staff/cases").await.expect(200)["items"][0]["id"], working["id"]);
        let fresh = filed(&app, &villager).await;
        desk.post(&actions(&fresh), json!({"action": "accept"})).await.expect(200);
        let to = json!({"action": "assign", "assignee": cadre.id()});
        desk.post(&actions(&fresh), to).await.invalid("/assignee", "unknown");
        app.drain_jobs().await;
    }

    async fn a_stand_in_who_is_dismissed_leaves_nothing_in_between(app: TestApp) {
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let absence = json!({"from": "2026-11-23", "until": "2026-11-27", "stand_in": cadre2.id()});
        cadre.post("/staff/absences", absence).await.expect(201);
        dismissed(&app, &cadre2).await;
        assert_eq!(seen(&desk, &case).await["assignee"], json!(null));
        assert_eq!(cadre.get("/staff/absences?ended=false").await.expect(200)["items"], json!([]));
        app.advance(TimeDelta::days(9));
        sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        assert_eq!(seen(&desk, &case).await["assignee"], json!(null));
        app.drain_jobs().await;
    }

    async fn who_is_posted_elsewhere_leaves_the_work_of_the_old_place(app: TestApp) {
        let (desk, admin) = (app.staff("desk").await, app.staff("admin").await);
        let cadre = app.staff("cadre").await;
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let elsewhere = json!({"postings": [posting(app.division(NEIGHBOUR).await, &["handle_cases"])]});
        admin.put(&account(&json!(cadre.id())), elsewhere).await.expect(200);
        assert_eq!(seen(&desk, &case).await["assignee"], json!(null));
        cadre.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn work_of_a_posting_that_runs_out_goes_back_by_the_clock(app: TestApp) {
        let (desk, admin) = (app.staff("desk").await, app.staff("admin").await);
        let mut until = posting(app.village().await, &["handle_cases"]);
        until["ends_on"] = json!("2026-11-24");
        let brief = made(&admin, "brief", &[until]).await;
        let case = filed(&app, &app.villager("甲").await).await;
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": brief["id"]})).await.expect(200);
        app.advance(TimeDelta::days(1));
        sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        assert_eq!(seen(&desk, &case).await["assignee"], brief["id"], "the last day is a whole day");
        app.advance(TimeDelta::days(1));
        sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        assert_eq!(seen(&desk, &case).await["assignee"], json!(null));
        app.drain_jobs().await;
    }
}
