//! Minutes on the page.

use serde_json::{Value, json};

use super::{at, page};
use crate::{
    content::{decide, queue, verdict},
    support::{Actor, TestApp},
    talks::{
        days,
        hearing::{answered, concluded, hosted, id, lives_here, matter},
    },
};

/// The numbers under which the page, the day and the opening of the next day tell of matters.
async fn told(app: &TestApp, day: &Value) -> Vec<Value> {
    let entry = page(app).await[0].clone();
    let body = app.nobody().get(&at(&entry)).await.expect(200)["body"].clone();
    let read = app.nobody().get(&format!("/talk-days/{}/minutes", id(day))).await.expect(200);
    assert_eq!(read["document"], body, "one says what the other says");
    let next = days(app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
    let agenda = app.nobody().get(&format!("/talk-days/{}/agenda", id(&next))).await.expect(200);
    let texts: Vec<&Value> = body["matters"].as_array().unwrap().iter().map(|matter| &matter["text"]).collect();
    let opening: Vec<&Value> = agenda["opening"].as_array().unwrap().iter().map(|matter| &matter["answered"]).collect();
    assert_eq!(opening, texts);
    body["matters"].as_array().unwrap().iter().map(|matter| matter["number"].clone()).collect()
}

/// A day whose minutes two villagers signed and the desk published.
async fn published(app: &TestApp, desk: &Actor) -> Value {
    let day = hosted(app, &[], 5).await;
    let villager = app.villager("张大勇").await;
    villager.put("/me", json!({"name": "张大勇"})).await.expect(200);
    let booking = matter(&villager, &day, "public", "来说一件事").await;
    concluded(app, desk, &booking, answered()).await;
    let second = app.villager("李秀英").await;
    second.put("/me", json!({"name": "李秀英"})).await.expect(200);
    let booking = matter(&second, &day, "public", "来说另一件事").await;
    let bridge = json!({"record": "说清了", "public_text": "桥已经修好", "outcome": "answered"});
    concluded(app, desk, &booking, bridge).await;
    let private = matter(&app.villager("王建国").await, &day, "private", "家里的事").await;
    concluded(app, desk, &private, json!({"record": "劝和了", "outcome": "answered"})).await;
    let minutes = format!("/staff/talk-days/{}/minutes", id(&day));
    let compiled = desk.post(&minutes, json!({})).await.expect(200);
    let witness = app.staff("cadre").await;
    for (name, phone) in [("样例甲", "13800000021"), ("样例乙", "13800000022")] {
        lives_here(app, name, phone).await;
        let body = json!({"name": name, "phone": phone, "mark": "seal", "digest": compiled["digest"]});
        witness.post(&format!("{minutes}/signatures"), body).await.expect(201);
    }
    desk.post(&format!("{minutes}/publish"), json!({})).await.expect(200);
    day
}

both_engines! {
    async fn minutes_stand_on_the_page_without_anybody_s_name(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = published(&app, &desk).await;
        let path = format!("/talk-days/{}/minutes", id(&day));
        app.nobody().get(&path).await.problem("not_found");
        app.drain_jobs().await;
        app.nobody().get(&path).await.expect(200);
        let entry = page(&app).await[0].clone();
        assert_eq!((&entry["kind"], &entry["title"]), (&json!("minutes"), &json!("2026年11月24日说事日记录")));
        let read = app.nobody().get(&at(&entry)).await.expect(200);
        assert_eq!(read["body"]["matters"][0]["text"], "月底前修好路灯");
        assert_eq!(read["body"]["counts"]["private"], 1);
        for secret in ["张", "大勇", "某某", "李", "秀英", "经办员", "王", "家里的事", "劝和"] {
            assert!(!read["body"].to_string().contains(secret), "{secret}: {read}");
        }
        let only = format!("/divisions/{}/publications?kind=answer", app.village().await);
        assert_eq!(app.nobody().get(&only).await.expect(200)["items"], json!([]));
        // Taken down, they are nowhere.
        desk.post(&format!("/staff{}/take-down", at(&entry)), json!({"reason": "写错了"})).await.expect(200);
        app.nobody().get(&path).await.problem("not_found");
        app.nobody().get(&at(&entry)).await.problem("not_found");
        let next = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        let agenda = app.nobody().get(&format!("/talk-days/{}/agenda", id(&next))).await.expect(200);
        assert_eq!(agenda["opening"], json!([]), "nor does the next day open with them");
        app.drain_jobs().await;
    }

    async fn a_matter_goes_with_the_consent_of_whose_it_is(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = published(&app, &desk).await;
        app.drain_jobs().await;
        assert_eq!(told(&app, &day).await, [1, 2]);
        let no = json!({"granted": false, "text_version": "2026-11"});
        app.villager("张大勇").await.put("/me/consents/publication", no).await.expect(200);
        assert_eq!(told(&app, &day).await, [2]);
        app.villager("李秀英").await.delete("/me").await.expect(200);
        assert_eq!(told(&app, &day).await, Vec::<Value>::new());
        app.drain_jobs().await;
    }

    async fn who_does_not_agree_is_not_told_of(app: TestApp) {
        let desk = app.staff("desk").await;
        let no = json!({"granted": false, "text_version": "2026-11"});
        app.villager("李秀英").await.put("/me/consents/publication", no).await.expect(200);
        let day = published(&app, &desk).await;
        app.drain_jobs().await;
        assert_eq!(told(&app, &day).await, [1]);
    }

    async fn what_nobody_looked_at_is_not_shown_because_somebody_was_forgotten(app: TestApp) {
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        verdict(&app, "修好", "review", 21000).await;
        let day = published(&app, &desk).await;
        app.drain_jobs().await;
        assert_eq!(queue(&app, &town, "to_review").await.len(), 2);
        app.villager("张大勇").await.delete("/me").await.expect(200);
        assert_eq!(page(&app).await, Vec::<Value>::new());
        let left = queue(&app, &town, "to_review").await;
        assert_eq!((left.len(), &left[0]["part"]), (1, &json!("matter 2")));
        decide(&town, &left[0], json!({"decision": "show"})).await.expect(200);
        assert_eq!(told(&app, &day).await, [2]);
        app.drain_jobs().await;
    }

    async fn a_matter_that_needs_a_look_keeps_them_off_the_page(app: TestApp) {
        let desk = app.staff("desk").await;
        verdict(&app, "修好路灯", "review", 21000).await;
        let day = published(&app, &desk).await;
        app.drain_jobs().await;
        let path = format!("/talk-days/{}/minutes", id(&day));
        app.nobody().get(&path).await.problem("not_found");
        let item = queue(&app, &desk, "to_review").await[0].clone();
        assert_eq!((&item["subject"], &item["part"]), (&json!("publication"), &json!("matter 1")));
        decide(&desk, &item, json!({"decision": "show"})).await.problem("conflict_of_interest");
        decide(&app.staff("town").await, &item, json!({"decision": "show"})).await.expect(200);
        app.nobody().get(&path).await.expect(200);
        app.drain_jobs().await;
    }
}
