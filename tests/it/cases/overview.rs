//! What cases of a place come to: open work, and rates that say of how many.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{actions, answer, answered, filed, in_progress, own};
use crate::support::{Actor, TestApp};

async fn overview(actor: &Actor, division: &str, period: &str) -> Value {
    actor.get(&format!("/staff/divisions/{division}/overview?period={period}")).await.expect(200)
}

async fn question(app: &TestApp, who: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
        "contact_phone": "13800001234",
    });
    app.villager(who).await.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn rates_are_of_what_the_villagers_said_and_silence_is_in_no_numerator(app: TestApp) {
        let village = app.village().await.to_string();
        let (good, silent, objected) = (question(&app, "甲").await, question(&app, "乙").await, question(&app, "丙").await);
        in_progress(&app, &good).await;
        let spoken = json!({"action": "contact", "how": "phone", "text": "打过电话"});
        app.staff("cadre").await.post(&actions(&good), spoken).await.expect(200);
        app.staff("cadre").await.post(&actions(&good), answer()).await.expect(200);
        app.villager("甲").await.post(&format!("{}/actions", own(&good)), json!({"action": "confirm"})).await.expect(200);
        app.villager("甲").await.post(&format!("{}/reviews", own(&good)), json!({"stars": 5})).await.expect(201);
        answered(&app, &silent).await;
        answered(&app, &objected).await;
        let again = json!({"action": "reopen", "reason": "not_done"});
        app.villager("丙").await.post(&format!("{}/actions", own(&objected)), again).await.expect(200);
        app.advance(TimeDelta::days(9));
        app.drain_jobs().await;
        let seen = overview(&app.staff("desk").await, &village, "2026-11..2026-12").await;
        let rates = &seen["rates"];
        assert_eq!(rates["solved"], json!({"share": 0.5, "n": 2}), "one confirmed, one objected: {seen}");
        assert_eq!(rates["closed_by_silence"], 1);
        assert_eq!(rates["first_contact"], json!({"share": 0.33, "n": 3}));
        assert_eq!(rates["on_time"], json!({"share": 1.0, "n": 3}));
        assert_eq!(rates["reopened"], json!({"share": 0.33, "n": 3}));
        assert_eq!(rates["satisfied"], json!({"share": null, "n": null}), "one rating is not told");
        assert_eq!(seen["filed"], 3);
        assert_eq!(seen["open"]["by_state"], json!([{"state": "in_progress", "n": 1}]));
        assert_eq!(seen["open"]["red"], 1, "three working days more were over on 2026-11-26");
    }

    async fn what_is_confidential_is_in_no_number(app: TestApp) {
        let village = app.village().await.to_string();
        let town = app.staff("town").await;
        let before = overview(&town, &village, "2026").await;
        let body = json!({"kind": "voice", "concern": "report", "division": village, "text": "有事反映"});
        let case = app.villager("甲").await.post("/cases", body).await.expect(201);
        let discipline = app.staff("discipline").await;
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        assert_eq!(overview(&town, &village, "2026").await, before);
        app.drain_jobs().await;
    }

    async fn a_draft_counts_in_the_month_in_which_it_is_filed(app: TestApp) {
        let village = app.village().await.to_string();
        let body = json!({"kind": "voice", "concern": "help", "division": village, "text": "修路", "draft": true});
        let draft = app.villager("甲").await.post("/cases", body).await.expect(201);
        app.advance(TimeDelta::days(9));
        let villager = app.villager("甲").await;
        let filed = villager.post(&format!("{}/actions", own(&draft)), json!({"action": "submit"})).await.expect(200);
        assert_eq!(filed["created_at"].as_str().unwrap().get(..10), Some("2026-12-02"));
        let town = app.staff("town").await;
        let of = async |month| overview(&town, &village, month).await["filed"].clone();
        assert_eq!((of("2026-11").await, of("2026-12").await), (json!(0), json!(1)));
        app.drain_jobs().await;
    }

    async fn numbers_are_for_the_place_and_those_above(app: TestApp) {
        let village = app.village().await.to_string();
        filed(&app, &app.villager("甲").await).await;
        assert_eq!(overview(&app.staff("county").await, &village, "2026-11").await["filed"], 1);
        assert_eq!(overview(&app.staff("county").await, &village, "2026-10").await["filed"], 0);
        let path = format!("/staff/divisions/{village}/overview");
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        app.staff("cadre").await.get(&path).await.problem("not_your_duty");
        app.staff("town").await.get(&format!("{path}?period=yesterday")).await.invalid("?period", "format");
        app.drain_jobs().await;
    }
}
