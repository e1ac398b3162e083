//! Reviews: when, how often, by whom.

use chrono::TimeDelta;
use serde_json::json;

use super::{actions, answer, answered, filed, own};

both_engines! {
    async fn one_review_a_round_after_the_answer(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let path = format!("{}/reviews", own(&case));
        villager.post(&path, json!({"stars": 5})).await.problem("review_not_open");
        answered(&app, &case).await;
        villager.post(&path, json!({"stars": 0})).await.invalid("/stars", "range");
        villager.post(&path, json!({"stars": 6})).await.invalid("/stars", "range");
        villager.post(&path, json!({"stars": 1})).await.invalid("/tags", "required");
        villager.post(&path, json!({"stars": 1, "tags": ["rude"]})).await.invalid("/tags/0", "unknown");
        let review = villager.post(&path, json!({"stars": 1, "tags": ["slow"]})).await.expect(201);
        assert_eq!((&review["stars"], &review["round"]), (&json!(1), &json!(1)));
        villager.post(&path, json!({"stars": 5})).await.problem("already_reviewed");
        app.villager("乙").await.post(&path, json!({"stars": 5})).await.problem("not_found");

        let reason = app.nobody().get("/lists/reopen_reasons").await.expect(200)["items"][0]["code"].clone();
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "reopen", "reason": reason})).await.expect(200);
        villager.post(&path, json!({"stars": 5})).await.problem("review_not_open");
        app.staff("cadre").await.post(&actions(&case), answer()).await.expect(200);
        assert_eq!(villager.post(&path, json!({"stars": 4})).await.expect(201)["round"], 2);
        app.drain_jobs().await;
    }

    async fn the_window_closes_after_thirty_days(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        app.advance(TimeDelta::days(31));
        // The session's access token is old by now; the villager signs in again.
        let villager = app.villager("甲").await;
        villager.post(&format!("{}/reviews", own(&case)), json!({"stars": 5})).await.problem("review_window_closed");
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM review").await, 0, "silence creates no review");
    }
}
