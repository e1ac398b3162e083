//! Words on an agenda.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{decide, queue, verdict};
use crate::{
    people::becomes_a_child,
    support::TestApp,
    talks::hearing::{hosted, id, matter},
};

async fn items(app: &TestApp, day: &Value) -> Value {
    app.nobody().get(&format!("/talk-days/{}/agenda", id(day))).await.expect(200)["items"].clone()
}

both_engines! {
    async fn a_title_is_read_by_nobody_before_it_was_looked_at(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        verdict(&app, "酒后", "risky", 20006).await;
        let day = hosted(&app, &[], 5).await;
        let booking = matter(&villager, &day, "public", "路灯").await;
        let screen = format!("/staff/bookings/{}/screen", id(&booking));
        desk.post(&screen, json!({"as": "public", "title": "酒后闹事"})).await.expect(200);
        assert_eq!(items(&app, &day).await, json!([]));
        app.drain_jobs().await;
        assert_eq!(items(&app, &day).await, json!([]));
        let item = queue(&app, &desk, "held").await[0].clone();
        assert_eq!((&item["subject"], &item["written_by"]), (&json!("booking"), &json!(desk.id())));
        // Other words: from the beginning.
        desk.post(&screen, json!({"as": "public", "title": "夜里太吵"})).await.expect(200);
        assert_eq!(items(&app, &day).await, json!([]));
        app.drain_jobs().await;
        assert_eq!(items(&app, &day).await[0]["title"], "夜里太吵");
        desk.post(&screen, json!({"as": "private"})).await.expect(200);
        assert_eq!(app.number("SELECT count(*) FROM content_check").await, 0);
        app.drain_jobs().await;
    }

    async fn a_matter_of_who_agrees_to_no_publication_stands_on_no_agenda(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = hosted(&app, &[], 5).await;
        let booking = matter(&villager, &day, "public", "路灯").await;
        desk.post(&format!("/staff/bookings/{}/screen", id(&booking)), json!({"as": "public", "title": "村口路灯"})).await.expect(200);
        app.drain_jobs().await;
        for (granted, shown) in [(false, 0), (true, 1)] {
            let said = json!({"granted": granted, "text_version": "2026-11"});
            villager.put("/me/consents/publication", said).await.expect(200);
            assert_eq!(items(&app, &day).await.as_array().unwrap().len(), shown);
        }
        becomes_a_child(&app, &villager).await;
        assert_eq!(items(&app, &day).await, json!([]));
        app.drain_jobs().await;
    }

    async fn what_wechat_cannot_judge_is_shown_by_another_than_who_wrote_it(app: TestApp) {
        let (villager, desk, town) = (app.villager("甲").await, app.staff("desk").await, app.staff("town").await);
        let day = hosted(&app, &[], 5).await;
        let booking = matter(&villager, &day, "public", "路灯").await;
        app.advance(TimeDelta::hours(3));
        desk.post(&format!("/staff/bookings/{}/screen", id(&booking)), json!({"as": "public", "title": "村口路灯"})).await.expect(200);
        app.drain_jobs().await;
        assert_eq!(items(&app, &day).await, json!([]));
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["reason"], &item["written_by"]), (&json!("not_seen_lately"), &json!(desk.id())));
        decide(&desk, &item, json!({"decision": "show"})).await.problem("conflict_of_interest");
        assert_eq!(items(&app, &day).await, json!([]));
        decide(&town, &item, json!({"decision": "show"})).await.expect(200);
        assert_eq!(items(&app, &day).await[0]["title"], "村口路灯");
        // Holding it back is everybody's.
        decide(&desk, &item, json!({"decision": "hold", "reason": "再想想"})).await.expect(200);
        assert_eq!(items(&app, &day).await, json!([]));
        app.drain_jobs().await;
    }
}
