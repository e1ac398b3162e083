//! A place with thousands of cases: more than one batch, drawn and reckoned again.

use entity::{
    case, case_event,
    id::{CaseEventId, CaseId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};
use shuoshi::db::insert_all;

use super::{at, busy_month, next_month};
use crate::support::TestApp;

/// The case and its events so many times more.
async fn multiply(app: &TestApp, one: &Value, times: u32) {
    let id = CaseId(one["id"].as_str().unwrap().parse().unwrap());
    let row = case::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap();
    let events = case_event::Entity::find().filter(case_event::COLUMN.case_id.eq(id));
    let events = events.all(app.db().read()).await.unwrap();
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for which in 0..times {
        let id = CaseId::fresh();
        let mut copy = row.clone().into_active_model().reset_all();
        (copy.id, copy.number) = (Set(id), Set(format!("copy{which:06}")));
        rows.push(copy);
        for event in &events {
            let mut copy = event.clone().into_active_model().reset_all();
            (copy.id, copy.case_id) = (Set(CaseEventId::fresh()), Set(id));
            all.push(copy);
        }
    }
    let made = app.db().transact(async move |tx| {
        insert_all(tx, rows.clone()).await?;
        Ok(insert_all(tx, all.clone()).await?)
    });
    made.await.unwrap();
}

both_engines! {
    async fn thousands_of_cases_are_drawn_in_batches(app: TestApp) {
        let cases = busy_month(&app).await;
        multiply(&app, &cases[0], 1500).await;
        next_month(&app).await;
        let town = app.staff("town").await;
        let path = format!("/staff/divisions/{}/reports", app.division("511702108000").await);
        let report = town.post(&path, json!({"kind": "monthly_list", "period": "2026-11"})).await.expect(201);
        assert_eq!(report["lines"], 1507);
        let content = town.get(&at(&report, "")).await.expect(200)["content"].clone();
        assert_eq!(content["counts"]["confirmed"], 1501);
        assert_eq!(content["rates"]["first_contact"]["part"], 1501);
        assert_eq!(town.get(&at(&report, "/check")).await.expect(200)["same"], true);
        let file = town.get(&at(&report, "/export?format=jsonl")).await.text();
        assert_eq!(file.lines().count(), 1508);
    }
}
