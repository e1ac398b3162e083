//! Absence cover: work moves to the stand-in and back, due when it was due, each time once.

use chrono::TimeDelta;
use futures_util::future::join;
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{TOWNSHIP, clerk, officer};
use crate::{
    cases::{actions, answer, filed, in_progress, own},
    support::{Actor, TestApp},
};

/// Days of an absence that begins on Monday 2026-11-23 plus these.
fn days(from: i64, until: i64, stand_in: &Actor) -> Value {
    let monday = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    let day = |days| monday + TimeDelta::days(days);
    json!({"from": day(from), "until": day(until), "stand_in": stand_in.id()})
}

async fn seen(by: &Actor, case: &Value) -> Value {
    by.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200)
}

async fn assigned(app: &TestApp, case: &Value, to: &Actor) -> Value {
    let desk = app.staff("desk").await;
    desk.post(&actions(case), json!({"action": "accept"})).await.expect(200);
    desk.post(&actions(case), json!({"action": "assign", "assignee": to.id()})).await.expect(200)
}

async fn sweep(app: &TestApp) {
    sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
}

async fn steps(by: &Actor, case: &Value) -> Vec<Value> {
    let events = by.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
    events["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect()
}

both_engines! {
    async fn open_work_moves_to_the_stand_in_and_back_and_is_due_when_it_was(app: TestApp) {
        let villager = app.villager("甲").await;
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let (working, fresh) = (filed(&app, &villager).await, filed(&app, &villager).await);
        in_progress(&app, &working).await;
        let before = (seen(&desk, &working).await, assigned(&app, &fresh, &cadre).await);
        app.drain_jobs().await;
        let told = villager.get("/inbox").await.expect(200)["items"].as_array().unwrap().len();

        let absence = cadre.post("/staff/absences", days(0, 2, &cadre2)).await.expect(201);
        assert!(absence["begun_at"].is_string(), "at once: {absence}");
        for (case, before) in [(&working, &before.0), (&fresh, &before.1)] {
            let moved = seen(&cadre2, case).await;
            assert_eq!(moved["assignee"], cadre2.id());
            for same in ["state", "promised_due_on", "statutory_due_on", "due_on", "step_due_at", "unit"] {
                assert_eq!(moved[same], before[same], "{same}");
            }
            cadre.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.problem("not_found");
        }
        assert_eq!(steps(&desk, &fresh).await, ["submit", "accept", "assign", "cover"]);
        // The stand-in finishes one.
        cadre2.post(&actions(&working), answer()).await.expect(200);
        app.drain_jobs().await;

        app.advance(TimeDelta::days(3));
        sweep(&app).await;
        sweep(&app).await;
        let back = seen(&cadre, &fresh).await;
        assert_eq!((&back["assignee"], &back["due_on"]), (&json!(cadre.id()), &before.1["due_on"]));
        assert_eq!(seen(&desk, &working).await["assignee"], cadre2.id(), "what was answered stays with who answered");
        let again = cadre.get("/staff/absences?ended=true").await.expect(200);
        assert_eq!((&again["items"][0]["id"], again["items"][0]["ended_at"].is_string()), (&absence["id"], true));
        app.drain_jobs().await;
        let inbox = villager.get("/inbox").await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!(inbox, told + 2, "an answer and a signature by silence; of the cover nothing");
        let internal = desk.get(&format!("/staff/cases/{}/events", fresh["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(internal["items"][3]["note"], "样例 村干部乙不在岗，由代班人接手");
        let public = villager.get(&format!("{}/events", own(&fresh))).await.expect(200).to_string();
        assert!(!public.contains("代班"), "{public}");
    }

    async fn an_absence_to_come_begins_on_its_day_once_whoever_looks(app: TestApp) {
        let other = app.second_server().await;
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let absence = cadre.post("/staff/absences", days(1, 1, &cadre2)).await.expect(201);
        assert_eq!(absence["begun_at"], json!(null));
        sweep(&app).await;
        assert_eq!(seen(&cadre, &case).await["assignee"], cadre.id(), "not before its day");
        for expected in ["cover", "give_back"] {
            app.advance(TimeDelta::days(1));
            let (one, two) = join(sweeps::run(app.app(), Sweep::CoverAbsences), sweeps::run(other.app(), Sweep::CoverAbsences)).await;
            one.unwrap();
            two.unwrap();
            sweep(&other).await;
            let said = format!("SELECT COUNT(*) FROM case_event WHERE action = '{expected}' AND by_kind = 'clock'");
            assert_eq!(app.number(&said).await, 1, "{expected}");
        }
        assert_eq!(seen(&cadre, &case).await["assignee"], cadre.id());
        app.drain_jobs().await;
    }

    async fn what_is_assigned_to_somebody_away_goes_to_the_stand_in(app: TestApp) {
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        cadre.post("/staff/absences", days(0, 4, &cadre2)).await.expect(201);
        let case = filed(&app, &app.villager("甲").await).await;
        assert_eq!(assigned(&app, &case, &cadre).await["assignee"], cadre2.id());
        let desk = app.staff("desk").await;
        let events = desk.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(events["items"][2]["note"], "样例 村干部乙不在岗，由代班人接手");
        let list = cadre.get("/staff/absences").await.expect(200);
        let end = format!("/staff/absences/{}/end", list["items"][0]["id"].as_str().unwrap());
        cadre2.post(&end, json!({})).await.problem("not_found");
        let ended = cadre.post(&end, json!({})).await.expect(200);
        assert!(ended["ended_at"].is_string());
        assert_eq!(cadre.post(&end, json!({})).await.expect(200), ended, "over is over");
        assert_eq!(seen(&desk, &case).await["assignee"], cadre.id(), "back early: it comes back");
        app.drain_jobs().await;
    }

    async fn a_stand_in_who_falls_ill_has_one_too_and_all_comes_back(app: TestApp) {
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let third = clerk(&app, "third").await;
        let case = filed(&app, &app.villager("甲").await).await;
        assigned(&app, &case, &cadre).await;
        let first = cadre.post("/staff/absences", days(0, 9, &cadre2)).await.expect(201);
        let second = cadre2.post("/staff/absences", days(0, 4, &third)).await.expect(201);
        assert_eq!(seen(&desk, &case).await["assignee"], third.id());
        let end = |absence: &Value| format!("/staff/absences/{}/end", absence["id"].as_str().unwrap());
        cadre2.post(&end(&second), json!({})).await.expect(200);
        assert_eq!(seen(&desk, &case).await["assignee"], cadre2.id());
        let second = cadre2.post("/staff/absences", days(0, 4, &third)).await.expect(201);
        cadre.post(&end(&first), json!({})).await.expect(200);
        assert_eq!(seen(&desk, &case).await["assignee"], cadre.id(), "from whoever has it now");
        cadre2.post(&end(&second), json!({})).await.expect(200);
        assert_eq!(seen(&desk, &case).await["assignee"], cadre.id());
        app.drain_jobs().await;
    }

    async fn a_case_that_is_reopened_meanwhile_moves_too(app: TestApp) {
        let villager = app.villager("甲").await;
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let case = filed(&app, &villager).await;
        in_progress(&app, &case).await;
        cadre.post(&actions(&case), answer()).await.expect(200);
        cadre.post("/staff/absences", days(0, 4, &cadre2)).await.expect(201);
        assert_eq!(seen(&desk, &case).await["assignee"], cadre.id(), "nothing to do on it");
        let path = format!("{}/actions", own(&case));
        villager.post(&path, json!({"action": "reopen", "reason": "not_done", "text": "没有"})).await.expect(200);
        sweep(&app).await;
        assert_eq!(seen(&desk, &case).await["assignee"], cadre2.id());
        app.drain_jobs().await;
    }

    async fn days_and_stand_ins_must_do(app: TestApp) {
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let arrange = async |body: Value| cadre.post("/staff/absences", body).await;
        arrange(days(2, 1, &cadre2)).await.invalid("/until", "ends_before_start");
        arrange(days(-9, -1, &cadre2)).await.invalid("/until", "past");
        arrange(days(0, 400, &cadre2)).await.invalid("/until", "out_of_range");
        arrange(days(0, 1, &cadre)).await.invalid("/stand_in", "unknown");
        arrange(days(0, 1, &app.staff("neighbour").await)).await.invalid("/stand_in", "unknown");
        arrange(days(0, 1, &app.staff("discipline").await)).await.invalid("/stand_in", "unknown");
        arrange(days(0, 1, &app.staff("town").await)).await.expect(201);
        arrange(days(1, 5, &cadre2)).await.problem("already_exists");
        // Who is away cannot stand in.
        let desk = app.staff("desk").await;
        desk.post("/staff/absences", days(1, 3, &cadre)).await.invalid("/stand_in", "away");
        desk.post("/staff/absences", days(2, 3, &cadre)).await.expect(201);
    }

    async fn others_are_arranged_for_by_who_assigns_their_work(app: TestApp) {
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let mut body = days(0, 1, &cadre2);
        body["staff"] = json!(cadre.id());
        cadre2.post("/staff/absences", body.clone()).await.problem("not_found");
        app.staff("neighbour").await.post("/staff/absences", body.clone()).await.problem("not_found");
        let desk = app.staff("desk").await;
        let made = desk.post("/staff/absences", body).await.expect(201);
        assert_eq!((&made["staff_name"], &made["stand_in_name"]), (&json!("样例 村干部乙"), &json!("样例 村干部丙")));
        for (who, sees) in [(&cadre, 1), (&cadre2, 1), (&desk, 1), (&app.staff("town").await, 1), (&app.staff("neighbour").await, 0)] {
            let list = who.get("/staff/absences").await.expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), sees, "{}", who.name);
        }
        let narrowed = desk.get(&format!("/staff/absences?staff={}", cadre2.id())).await.expect(200);
        assert_eq!(narrowed["items"], json!([]));
        desk.get(&format!("/staff/absences?division={}", app.division(TOWNSHIP).await)).await.problem("not_found");
    }

    async fn what_a_stand_in_may_not_have_goes_to_the_unit(app: TestApp) {
        let villager = app.villager("甲").await;
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let (near, plain) = (filed(&app, &villager).await, filed(&app, &app.villager("乙").await).await);
        assigned(&app, &near, &cadre).await;
        assigned(&app, &plain, &cadre).await;
        let record = json!({"with_person": villager.id(), "kind": "relative"});
        app.staff("admin").await.post(&format!("/staff/accounts/{}/conflicts", cadre2.id()), record).await.expect(201);
        cadre.post("/staff/absences", days(0, 1, &cadre2)).await.expect(201);
        let desk = app.staff("desk").await;
        assert_eq!(seen(&desk, &near).await["assignee"], json!(null));
        assert_eq!(seen(&desk, &plain).await["assignee"], cadre2.id());
        app.drain_jobs().await;
    }

    async fn a_complaint_is_covered_among_those_who_handle_complaints(app: TestApp) {
        let (villager, cadre, discipline) = (app.villager("甲").await, app.staff("cadre").await, app.staff("discipline").await);
        let second = officer(&app, "second", TOWNSHIP, &["handle_discipline"]).await;
        let third = officer(&app, "third", TOWNSHIP, &["handle_discipline"]).await;
        let complaint = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "有事反映", "against": [cadre.id()],
        });
        let case = villager.post("/cases", complaint).await.expect(201);
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "assign", "assignee": discipline.id()})).await.expect(200);
        // The stand-in is the accused one's sister: it goes to the desk, to nobody, and she sees nothing of it.
        let record = json!({"with_staff": cadre.id(), "kind": "relative"});
        third.post(&format!("/staff/accounts/{}/conflicts", second.id()), record).await.expect(201);
        discipline.post("/staff/absences", days(0, 1, &app.staff("town").await)).await.invalid("/stand_in", "unknown");
        discipline.post("/staff/absences", days(0, 1, &second)).await.expect(201);
        assert_eq!(seen(&third, &case).await["assignee"], json!(null));
        second.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.problem("not_found");
        app.drain_jobs().await;
    }
}
