//! Signed is frozen: cases move on, places change their numbers, what was signed stays and reckons the same.

use entity::{
    case, case_event,
    id::{CaseId, ReportId},
    report,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shuoshi::crypto::hex;

use super::{at, busy_month, draw, drawn, lines, next_month, reports_of, sign};
use crate::{
    cases::{actions, answer},
    rosters::texts,
    support::TestApp,
};

async fn check(app: &TestApp, report: &Value) -> Value {
    app.staff("town").await.get(&at(report, "/check")).await.expect(200)
}

async fn confide(app: &TestApp, case: &Value) {
    let row = case::ActiveModel {
        id: Set(CaseId(case["id"].as_str().unwrap().parse().unwrap())),
        confidential: Set(true),
        ..Default::default()
    };
    app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
}

both_engines! {
    async fn what_is_signed_stays_when_cases_move_on_and_places_change(app: TestApp) {
        let cases = busy_month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        sign(&town, &report).await.expect(200);
        let (before, list) = (desk.get(&at(&report, "")).await.expect(200), lines(&desk, &report).await);
        // Cases move on in December, and the place goes by other numbers and another calendar from now on.
        app.staff("cadre").await.post(&actions(&cases[2]), answer()).await.expect(200);
        let numbers = json!({
            "numbers": {"yellow_short": 3, "contact_days": 3, "question_days": 2},
            "days": [{"date": "2026-11-27", "kind": "holiday", "name": "样例"}],
        });
        let settings = format!("/staff/divisions/{}/settings", app.village().await);
        app.staff("admin").await.put(&settings, numbers).await.expect(200);
        app.advance(chrono::TimeDelta::days(20));
        app.drain_jobs().await;
        let desk = app.staff("desk").await;
        assert_eq!(desk.get(&at(&report, "")).await.expect(200), before);
        assert_eq!(lines(&desk, &report).await, list);
        let check = check(&app, &report).await;
        assert_eq!((&check["same"], &check["differences"], &check["cases_not_in_it"]), (&json!(true), &json!([]), &json!(0)), "{check}");
        assert_eq!((&check["sha256"], &check["recomputed_sha256"]), (&report["sha256"], &report["sha256"]));
    }

    async fn the_hash_is_that_of_the_file_anybody_may_take(app: TestApp) {
        busy_month(&app).await;
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let file = desk.get(&at(&report, "/export?format=jsonl")).await;
        assert_eq!(file.header("content-type"), "application/x-ndjson");
        assert_eq!(hex(&Sha256::digest(&file.bytes)), report["sha256"].as_str().unwrap());
        let text = file.text();
        let of_lines: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(of_lines, lines(&desk, &report).await);
        // Members in the order of their names, no spaces, no fractions.
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(value.to_string(), line);
            assert!(!line.contains(".0"), "{line}");
        }
    }

    async fn whoever_touches_the_events_or_the_report_is_found_out(app: TestApp) {
        let cases = busy_month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        sign(&town, &report).await.expect(200);
        // The answer that came late is made to have come in time, or the other way round: its due day is another.
        let id = CaseId(cases[1]["id"].as_str().unwrap().parse().unwrap());
        let earlier = case_event::Entity::update_many()
            .col_expr(case_event::Column::PromisedDueOn, Expr::val(chrono::NaiveDate::from_ymd_opt(2026, 11, 1)))
            .filter(case_event::COLUMN.case_id.eq(id))
            .filter(case_event::COLUMN.action.eq("answer"));
        app.db().transact(async move |tx| Ok(earlier.clone().exec(tx).await?)).await.unwrap();
        let said = check(&app, &report).await;
        assert_eq!(said["same"], false);
        let found: Vec<&str> =
            said["differences"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
        assert!(found.contains(&"/counts/late"), "{said}");
        let line = format!("/lines/{}/overdue_days", cases[1]["number"].as_str().unwrap());
        assert!(found.contains(&line.as_str()), "{said}");
        assert_eq!(said["stored_sha256"], said["sha256"], "the report itself is whole");
        // And the report itself.
        let id = ReportId(report["id"].as_str().unwrap().parse().unwrap());
        let row = report::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap();
        let touched = row.content.replace("\"filed\":7", "\"filed\":9");
        assert_ne!(touched, row.content);
        let change = report::ActiveModel { id: Set(id), content: Set(touched), ..Default::default() };
        app.db().transact(async move |tx| Ok(change.clone().update(tx).await.map(drop)?)).await.unwrap();
        let said = check(&app, &report).await;
        assert_ne!(said["stored_sha256"], said["sha256"]);
        assert_eq!(said["same"], false);
    }

    async fn another_person_signs_and_once(app: TestApp) {
        busy_month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let report = drawn(&app, &town, "monthly_list", "2026-11").await;
        assert_eq!((&report["state"], &report["version"]), (&json!("drawn"), &json!(1)));
        draw(&app, &desk, "monthly_list", "2026-11").await.problem("already_exists");
        sign(&town, &report).await.problem("another_signer_needed");
        sign(&desk, &report).await.problem("not_your_duty");
        let county = app.staff("county").await;
        county.post(&at(&report, "/sign"), json!({"version": 2})).await.problem("stale");
        let signed = sign(&county, &report).await.expect(200);
        assert_eq!((&signed["state"], &signed["version"]), (&json!("signed"), &json!(2)));
        assert_eq!((&signed["settled_by"], &signed["sha256"]), (&json!(county.id()), &report["sha256"]));
        county.post(&at(&report, "/sign"), json!({"version": 2})).await.problem("transition_not_allowed");
        county.post(&at(&report, "/discard"), json!({"version": 2})).await.problem("transition_not_allowed");
        draw(&app, &desk, "monthly_list", "2026-11").await.problem("already_exists");
        let said = texts(&app, "SELECT action FROM audit_entry WHERE object_kind = 'report' ORDER BY seq").await;
        assert_eq!(said, ["draw_report", "sign_report"]);
    }

    async fn what_nobody_signed_is_discarded_and_drawn_again(app: TestApp) {
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let first = drawn(&app, &desk, "monthly_list", "2026-11").await;
        desk.post(&at(&first, "/discard"), json!({"version": 1})).await.expect(200);
        let second = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let all = desk.get(&reports_of(&app).await).await.expect(200);
        let states: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|report| &report["state"]).collect();
        assert_eq!(states, ["drawn", "discarded"]);
        let held = desk.get(&format!("{}?state=drawn&kind=monthly_list&period=2026-11", reports_of(&app).await)).await;
        assert_eq!(held.expect(200)["items"], json!([second]));
        assert_eq!(first["sha256"], second["sha256"], "the same events, the same report");
    }

    async fn a_correction_is_another_report_and_both_stay(app: TestApp) {
        busy_month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let wrong = drawn(&app, &desk, "monthly_list", "2026-11").await;
        sign(&town, &wrong).await.expect(200);
        let path = reports_of(&app).await;
        let body = |replaces: &Value, reason: Value| {
            json!({"kind": "monthly_list", "period": "2026-11", "replaces": replaces, "reason": reason})
        };
        desk.post(&path, body(&wrong["id"], json!(null))).await.invalid("/reason", "required");
        let other = json!("01999999-0000-7000-8000-000000000000");
        desk.post(&path, body(&other, json!("漏了一件"))).await.invalid("/replaces", "unknown");
        let right = desk.post(&path, body(&wrong["id"], json!("漏了一件"))).await.expect(201);
        // Until it is signed the other holds.
        assert_eq!(desk.get(&at(&wrong, "")).await.expect(200)["replaced_by"], json!(null));
        sign(&town, &right).await.expect(200);
        let old = desk.get(&at(&wrong, "")).await.expect(200);
        assert_eq!((&old["state"], &old["replaced_by"]), (&json!("signed"), &right["id"]));
        let new = desk.get(&at(&right, "")).await.expect(200);
        assert_eq!((&new["replaces"], &new["reason"]), (&wrong["id"], &json!("漏了一件")));
        desk.post(&path, body(&wrong["id"], json!("再改"))).await.invalid("/replaces", "unknown");
        assert_eq!(app.number("SELECT count(*) FROM report WHERE state = 'signed'").await, 2);
    }

    async fn a_month_that_runs_has_no_list_yet(app: TestApp) {
        let desk = app.staff("desk").await;
        draw(&app, &desk, "monthly_list", "2026-11").await.invalid("/period", "not_over");
        draw(&app, &desk, "yearly_report", "2026").await.invalid("/period", "not_over");
        draw(&app, &desk, "bimonthly_review", "2026-08..2026-09").await.invalid("/period", "range");
        draw(&app, &desk, "monthly_list", "2026-Q3").await.invalid("/period", "range");
        draw(&app, &desk, "monthly_list", "now and then").await.invalid("/period", "format");
        drawn(&app, &desk, "monthly_list", "2026-10").await;
    }

    async fn what_became_confidential_since_is_told_by_no_difference(app: TestApp) {
        let cases = busy_month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        sign(&town, &report).await.expect(200);
        let (before, list) = (desk.get(&at(&report, "")).await.expect(200), lines(&desk, &report).await);
        let (checked, file) = (check(&app, &report).await, desk.get(&at(&report, "/export")).await.bytes);
        confide(&app, &cases[0]).await;
        assert_eq!(desk.get(&at(&report, "")).await.expect(200), before);
        assert_eq!(lines(&desk, &report).await, list);
        assert_eq!(check(&app, &report).await, checked);
        assert_eq!(desk.get(&at(&report, "/export")).await.bytes, file);
        // What is drawn from now on does not know of it.
        let body = json!({"kind": "monthly_list", "period": "2026-11", "replaces": report["id"], "reason": "样例"});
        let again = desk.post(&reports_of(&app).await, body).await.expect(201);
        assert_eq!(lines(&desk, &again).await.len(), list.len() - 1);
    }
}
