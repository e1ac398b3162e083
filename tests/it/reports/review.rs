//! The bimonthly review: village by village in the order of their codes, with their class and what stands out.

use serde_json::{Value, json};

use super::{at, question};
use crate::{
    cases::{actions, answered},
    support::TestApp,
};

async fn at_the_neighbours(app: &TestApp, who: &str) -> Value {
    let division = app.division("511702108213").await;
    let body = json!({"kind": "voice", "concern": "question", "division": division, "topic": "roads", "text": "样例"});
    app.villager(who).await.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn villages_stand_in_the_order_of_their_codes_with_what_stands_out(app: TestApp) {
        // Ten answered here at once; ten next door that nobody answers in time.
        for who in 0..10 {
            let case = question(&app, &format!("甲{who}"), "roads").await;
            answered(&app, &case).await;
        }
        let mut theirs = Vec::new();
        for who in 0..10 {
            theirs.push(at_the_neighbours(&app, &format!("乙{who}")).await);
        }
        app.advance(chrono::TimeDelta::days(14));
        app.drain_jobs().await;
        let neighbour = app.staff("neighbour").await;
        for case in &theirs {
            neighbour.post(&actions(case), json!({"action": "assign", "assignee": neighbour.id()})).await.expect(200);
            neighbour.post(&actions(case), json!({"action": "sign"})).await.expect(200);
            let late = json!({
                "action": "answer", "result": "explained", "text": "样例",
                "evidence": [{"kind": "paper", "reference": "1"}],
            });
            neighbour.post(&actions(case), late).await.expect(200);
        }
        app.advance(chrono::TimeDelta::days(30));
        app.drain_jobs().await;
        let township = app.division("511702108000").await;
        let town = app.staff("town").await;
        let path = format!("/staff/divisions/{township}/reports");
        let report = town.post(&path, json!({"kind": "bimonthly_review", "period": "2026-11..2026-12"})).await.expect(201);
        let content = town.get(&at(&report, "")).await.expect(200)["content"].clone();
        let villages = content["villages"].as_array().unwrap();
        let codes: Vec<&str> = villages.iter().map(|village| village["code"].as_str().unwrap()).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        assert_eq!(codes, sorted, "no league table");
        let all = app.number("SELECT count(*) FROM division WHERE township_id = (SELECT id FROM division WHERE code = '511702108000') AND level = 'village'").await;
        assert_eq!(i64::try_from(codes.len()).unwrap(), all, "those without cases too");
        let of = |code: &str| villages.iter().find(|village| village["code"] == code).unwrap();
        let (ours, next) = (of("511702108212"), of("511702108213"));
        assert_eq!(ours["class"], next["class"]);
        assert_eq!((&ours["counts"]["answered"], &next["counts"]["answered"]), (&json!(10), &json!(10)));
        assert_eq!((&ours["rates"]["on_time"], &next["rates"]["on_time"]), (&json!({"part": 10, "n": 10}), &json!({"part": 0, "n": 10})));
        let point = |village: &Value| village["points"].as_array().unwrap().iter().find(|point| point["rate"] == "on_time").cloned();
        assert_eq!(point(ours).unwrap()["better"], true, "{ours}");
        assert_eq!(point(next).unwrap()["better"], false, "{next}");
        assert_eq!(point(next).unwrap()["of_class"], json!({"part": 10, "n": 20}));
        assert_eq!(town.get(&at(&report, "/check")).await.expect(200)["same"], true);
        let text = town.get(&at(&report, "/export")).await.text();
        assert!(text.contains("陡坑村") && text.contains("按时办结率") && text.contains("较差"), "{text}");
    }
}
