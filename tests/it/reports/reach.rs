//! Who may draw, read and sign; and that confidential cases are in nothing.

use serde_json::json;

use super::{at, busy_month, draw, drawn, lines, next_month, question, reports_of, sign};
use crate::{
    cases::{actions, becomes_private},
    staffing::officer,
};

both_engines! {
    async fn reports_are_for_the_place_and_those_above(app: TestApp) {
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let of_village = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let township = app.division("511702108000").await;
        let town = app.staff("town").await;
        let path = format!("/staff/divisions/{township}/reports");
        let of_township = town.post(&path, json!({"kind": "monthly_list", "period": "2026-11"})).await.expect(201);
        for rest in ["", "/lines", "/check", "/export"] {
            for name in ["desk", "town", "county"] {
                assert_eq!(app.staff(name).await.get(&at(&of_village, rest)).await.status, 200, "{name} {rest}");
            }
            app.staff("neighbour").await.get(&at(&of_village, rest)).await.problem("not_found");
            app.staff("cadre").await.get(&at(&of_village, rest)).await.problem("not_your_duty");
            app.nobody().get(&at(&of_village, rest)).await.problem("sign_in_required");
            // The village does not read what the township says of all its villages.
            desk.get(&at(&of_township, rest)).await.problem("not_found");
        }
        desk.get(&path).await.problem("not_found");
        desk.post(&path, json!({"kind": "monthly_list", "period": "2026-10"})).await.problem("not_found");
        app.staff("neighbour").await.get(&reports_of(&app).await).await.problem("not_found");
        draw(&app, &app.staff("discipline").await, "monthly_list", "2026-10").await.problem("not_your_duty");
    }

    async fn a_village_head_signs_by_the_duty_of_signing(app: TestApp) {
        next_month(&app).await;
        let head = officer(&app, "head", "511702108212", &["sign_reports"]).await;
        let report = drawn(&app, &app.staff("desk").await, "monthly_list", "2026-11").await;
        sign(&head, &report).await.expect(200);
        // Of another village it is not there.
        let elsewhere = officer(&app, "head2", "511702108213", &["sign_reports"]).await;
        sign(&elsewhere, &report).await.problem("not_found");
    }

    async fn confidential_and_private_cases_are_in_no_report(app: TestApp) {
        let village = app.village().await;
        busy_month(&app).await;
        let report = json!({"kind": "voice", "concern": "report", "division": village, "topic": "conduct", "text": "有事反映"});
        let secret = app.villager("辛").await.post("/cases", report).await.expect(201);
        app.staff("discipline").await.post(&actions(&secret), json!({"action": "accept"})).await.expect(200);
        let private = question(&app, "壬", "family").await;
        becomes_private(&app, &private).await;
        next_month(&app).await;
        for (name, division) in [("desk", "511702108212"), ("town", "511702108000"), ("county", "511702000000")] {
            let actor = app.staff(name).await;
            let path = format!("/staff/divisions/{}/reports", app.division(division).await);
            let report = actor.post(&path, json!({"kind": "monthly_list", "period": "2026-11"})).await.expect(201);
            let content = actor.get(&at(&report, "")).await.expect(200);
            assert_eq!(content["content"]["counts"]["filed"], 7, "{name}");
            assert_eq!(lines(&actor, &report).await.len(), 7, "{name}");
            for format in ["csv", "jsonl"] {
                let text = actor.get(&at(&report, &format!("/export?format={format}"))).await.text();
                for case in [&secret, &private] {
                    assert!(!text.contains(case["number"].as_str().unwrap()), "{name} {format}");
                }
                assert!(!text.contains("conduct") && !text.contains("family"), "{name} {format}");
            }
            let check = actor.get(&at(&report, "/check")).await.expect(200);
            assert_eq!(check["same"], true, "{check}");
        }
    }
}
