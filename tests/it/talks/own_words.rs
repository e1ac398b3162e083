//! What was said on talk days in one's own copy, when one goes, and when it was kept long enough.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::hearing::{answered, concluded, hosted, id, matter};
use crate::support::{Actor, TestApp};

/// Heard, signed and rated; the villager signs in anew.
async fn heard(app: &TestApp) -> Actor {
    let villager = app.villager("张大勇").await;
    villager.put("/me", json!({"name": "张大勇"})).await.expect(200);
    let day = hosted(app, &[], 5).await;
    let booking = matter(&villager, &day, "public", "路灯").await;
    concluded(app, &app.staff("desk").await, &booking, answered()).await;
    app.advance(TimeDelta::hours(30));
    let (villager, desk) = (app.villager("张大勇").await, app.staff("desk").await);
    villager.post(&format!("/talk-days/{}/ratings", id(&day)), json!({"stars": 4, "text": "还行"})).await.expect(201);
    let minutes = format!("/staff/talk-days/{}/minutes", id(&day));
    let digest = desk.post(&minutes, json!({})).await.expect(200)["digest"].clone();
    let body = json!({"person": villager.id(), "mark": "handwritten", "digest": digest});
    app.staff("cadre").await.post(&format!("{minutes}/signatures"), body).await.expect(201);
    villager
}

both_engines! {
    async fn they_are_in_the_copy_of_ones_data(app: TestApp) {
        let villager = heard(&app).await;
        let asked = villager.post("/me/export", json!({})).await.expect(202);
        app.drain_jobs().await;
        let copy = villager.get(&format!("/me/export/{}/json", id(&asked))).await.expect(200);
        assert_eq!(copy["bookings"][0]["record"]["text"], "当面说清了，月底前修好");
        assert_eq!((&copy["talk_ratings"][0]["stars"], &copy["talk_ratings"][0]["text"]), (&json!(4), &json!("还行")));
        assert_eq!((&copy["signatures"][0]["name"], &copy["waits"]), (&json!("张大勇"), &json!([])));
    }

    async fn who_goes_is_told_what_stays(app: TestApp) {
        let villager = heard(&app).await;
        let said = villager.delete("/me").await.expect(200);
        let kept: Vec<&Value> = said["kept"].as_array().unwrap().iter().collect();
        let of = |what: &str| kept.iter().find(|kept| kept["what"] == what).unwrap();
        assert_eq!((&of("talk_records")["count"], &of("talk_records")["until"]), (&json!(1), &json!("2036-11-23")));
        assert_eq!(of("signatures")["count"], 1);
        assert!(of("talk_records")["why"].as_str().unwrap().contains("说事记录"));
        assert_eq!(app.number("SELECT count(*) FROM talk_rating WHERE text IS NULL AND stars = 4").await, 1);
        app.drain_jobs().await;
    }

    async fn words_go_after_their_time_and_counts_stay(app: TestApp) {
        heard(&app).await;
        app.advance(TimeDelta::days(10 * 366 + 40));
        app.drain_jobs().await;
        for nothing in ["talk_record", "minutes_signature", "booking WHERE summary <> ''", "talk_rating WHERE text IS NOT NULL"] {
            assert_eq!(app.number(&format!("SELECT count(*) FROM {nothing}")).await, 0, "{nothing}");
        }
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE outcome = 'answered'").await, 1);
        assert_eq!(app.number("SELECT count(*) FROM talk_minutes WHERE digest = ''").await, 1);
    }
}
