//! The staff's list as a file: masked, audited, without formulas and without what is confidential.

use serde_json::{Value, json};

use super::{
    export_report::{table_of_csv, table_of_xlsx},
    question,
};
use crate::{
    cases::{actions, becomes_private},
    rosters::texts,
    support::TestApp,
};

async fn titled(app: &TestApp, who: &str, title: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "topic": "roads", "title": title,
        "text": "样例", "contact_phone": "13800001234",
    });
    app.villager(who).await.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn no_cell_is_a_formula_in_either_format(app: TestApp) {
        let wicked = ["=1+1", "+1", "-1", "@x", "＝1", "plain \"x\",y"];
        for title in wicked {
            titled(&app, title, title).await;
        }
        let desk = app.staff("desk").await;
        let answer = desk.get("/staff/cases/export?view=unit&format=csv").await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        let table = table_of_csv(&answer);
        assert_eq!(table[0][5], "标题");
        let titles: std::collections::BTreeSet<String> = table[1..].iter().map(|line| line[5].clone()).collect();
        assert_eq!(titles, ["'=1+1", "'+1", "'-1", "'@x", "'＝1", "plain \"x\",y"].map(str::to_owned).into());
        assert!(table[1..].iter().all(|line| line[10] == "138****1234"), "{table:?}");
        let same = table_of_xlsx(desk.get("/staff/cases/export?view=unit&format=xlsx").await);
        assert_eq!(same, table);
        let said = texts(&app, "SELECT fields FROM audit_entry WHERE action = 'export_cases' ORDER BY seq").await;
        assert_eq!(said, ["unit csv masked", "unit xlsx masked"]);
        app.drain_jobs().await;
    }

    async fn it_is_the_list_with_its_filters_to_its_end(app: TestApp) {
        for who in 0..130 {
            question(&app, &format!("村民{who}"), if who % 13 == 0 { "water" } else { "roads" }).await;
        }
        let desk = app.staff("desk").await;
        let all = table_of_csv(&desk.get("/staff/cases/export").await);
        let mut numbers: Vec<&String> = all[1..].iter().map(|line| &line[0]).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!((all.len(), numbers.len()), (131, 130));
        assert_eq!(table_of_csv(&desk.get("/staff/cases/export?topic=water").await).len(), 11);
        assert_eq!(table_of_csv(&desk.get("/staff/cases/export?kind=proxy").await).len(), 1);
        let one = all[1][0].clone();
        assert_eq!(table_of_csv(&desk.get(&format!("/staff/cases/export?q={one}")).await)[1][0], one);
        desk.get("/staff/cases/export?sort=name").await.problem("invalid");
        desk.get("/staff/cases/export?format=pdf").await.problem("invalid");
        assert_eq!(table_of_csv(&app.staff("neighbour").await.get("/staff/cases/export?view=unit").await).len(), 1);
        app.drain_jobs().await;
    }

    async fn what_is_confidential_or_private_leaves_in_no_file(app: TestApp) {
        let body = json!({"kind": "voice", "concern": "report", "division": app.village().await, "text": "有事反映"});
        let secret = app.villager("甲").await.post("/cases", body).await.expect(201);
        let discipline = app.staff("discipline").await;
        discipline.post(&actions(&secret), json!({"action": "accept"})).await.expect(200);
        let private = question(&app, "乙", "family").await;
        becomes_private(&app, &private).await;
        for name in ["discipline", "desk", "cadre", "town", "county"] {
            for view in ["inbox", "mine", "unit", "sent", "overdue"] {
                let path = format!("/staff/cases/export?view={view}");
                assert_eq!(table_of_csv(&app.staff(name).await.get(&path).await).len(), 1, "{name} {view}");
            }
            for case in [&secret, &private] {
                let path = format!("/staff/cases/export?q={}", case["number"].as_str().unwrap());
                assert_eq!(table_of_csv(&app.staff(name).await.get(&path).await).len(), 1, "{name}");
            }
        }
        app.drain_jobs().await;
    }
}
