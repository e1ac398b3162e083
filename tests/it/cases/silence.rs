//! Where people stay silent, time acts: once, on working days, whoever runs the sweep.

use chrono::TimeDelta;
use serde_json::json;

use super::{actions, answer, answered, filed, own};
use crate::support::Engine;

both_engines! {
    async fn silence_accepts_after_one_working_day_and_says_so(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        app.advance(TimeDelta::hours(30));
        app.drain_jobs().await;
        let villager = app.villager("甲").await;
        assert_eq!(villager.get(&own(&case)).await.expect(200)["state"], "submitted", "16:00 on Tuesday");
        app.advance(TimeDelta::hours(2));
        app.drain_jobs().await;
        let villager = app.villager("甲").await;
        let accepted = villager.get(&own(&case)).await.expect(200);
        assert_eq!((&accepted["state"], &accepted["accepted_on"]), (&json!("accepted"), &json!("2026-11-24")));
        let event = villager.get(&format!("{}/events", own(&case))).await.expect(200)["items"][1].clone();
        assert_eq!((&event["auto"], &event["by"]["kind"]), (&json!(true), &json!("clock")));
    }

    async fn a_server_that_was_off_counts_from_the_day_it_should_have_been(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        app.advance(TimeDelta::days(9));
        app.drain_jobs().await;
        let accepted = app.villager("甲").await.get(&own(&case)).await.expect(200);
        assert_eq!(accepted["accepted_on"], "2026-11-24");
    }

    async fn silence_signs_then_closes_without_praise_then_archives(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
        app.advance(TimeDelta::hours(32));
        app.drain_jobs().await;
        let cadre = app.staff("cadre").await;
        let signed = cadre.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(signed["state"], "in_progress");
        cadre.post(&actions(&case), answer()).await.expect(200);
        app.advance(TimeDelta::days(8));
        app.drain_jobs().await;
        let closed = app.villager("甲").await.get(&own(&case)).await.expect(200);
        assert_eq!((&closed["state"], &closed["confirmed"]), (&json!("completed"), &json!(false)));
        assert_eq!(app.number("SELECT count(*) FROM review").await, 0);
        app.advance(TimeDelta::days(31));
        app.drain_jobs().await;
        assert_eq!(app.villager("甲").await.get(&own(&case)).await.expect(200)["state"], "archived");
    }

    async fn a_confirmation_stops_the_clock(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.expect(200);
        app.advance(TimeDelta::days(9));
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM case_event WHERE action = 'confirm'").await, 1);
        assert_eq!(app.villager("甲").await.get(&own(&case)).await.expect(200)["confirmed"], true);
    }

    async fn two_servers_move_each_case_once(app: TestApp) {
        let villager = app.villager("甲").await;
        for _ in 0..30 {
            filed(&app, &villager).await;
        }
        if app.engine() == Engine::Sqlite {
            // One file, one writer: a second server is for PostgreSQL.
            app.advance(TimeDelta::days(3));
            app.drain_jobs().await;
        } else {
            let other = app.second_server().await;
            app.advance(TimeDelta::days(3));
            let (one, two) = (app.app().clone(), other.app().clone());
            let sweep = shuoshi::jobs::sweeps::Sweep::CaseClocks;
            // Past the lease on purpose: even two that run at the same moment move nothing twice.
            let (first, second) =
                tokio::join!(shuoshi::jobs::sweeps::run(&one, sweep), shuoshi::jobs::sweeps::run(&two, sweep));
            assert!(first.is_ok() && second.is_ok());
            app.drain_jobs().await;
        }
        assert_eq!(app.number("SELECT count(*) FROM case_event WHERE action = 'accept' AND auto").await, 30);
        assert_eq!(app.number("SELECT count(*) FROM cases WHERE state = 'accepted' AND version = 2").await, 30);
        assert_eq!(app.number("SELECT count(*) FROM notice WHERE kind = 'case_accepted'").await, 30);
    }
}
