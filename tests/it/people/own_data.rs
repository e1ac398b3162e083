use chrono::TimeDelta;
use serde_json::json;

use super::{ANOTHER, claim, resident};
use crate::{cases::answered, support::a_booking};

both_engines! {
    async fn a_copy_of_everything_is_made_for_its_person_and_no_other(app: TestApp) {
        let villager = resident(&app, "样例甲", ANOTHER).await;
        villager.post(&app.bookings_of_a_slot().await, a_booking()).await.expect(201);
        let case = json!({"kind": "voice", "concern": "question", "text": "路灯<b>何时修</b>", "form": {"account": "6222"}});
        villager.post("/cases", case).await.expect(201);
        let asked = villager.post("/me/export", json!({})).await.expect(202);
        let path = format!("/me/export/{}", asked["id"].as_str().unwrap());
        assert_eq!(villager.get(&path).await.expect(200)["state"], "preparing");
        villager.get(&format!("{path}/json")).await.problem("export_not_ready");
        app.drain_jobs().await;
        assert_eq!(villager.get(&path).await.expect(200)["formats"], json!(["json", "html"]));
        let copy = villager.get(&format!("{path}/json")).await.expect(200);
        assert_eq!(copy["person"]["name"], "样例甲");
        assert_eq!(copy["person"]["citizen_no"], ANOTHER);
        assert_eq!(copy["cases"][0]["form"]["account"], "6222");
        assert_eq!(copy["bookings"].as_array().unwrap().len(), 1);
        assert_eq!(copy["who_read_my_data"][0]["action"], "ask_own_data");
        let page = villager.get(&format!("{path}/html")).await;
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.text().contains("路灯&lt;b&gt;何时修&lt;/b&gt;"), "{}", page.text());
        villager.get(&format!("{path}/pdf")).await.problem("not_found");
        for other in [app.villager("乙").await, app.villager("丙").await] {
            other.get(&path).await.problem("not_found");
            other.get(&format!("{path}/json")).await.problem("not_found");
        }
        app.staff("desk").await.get(&path).await.problem("not_your_duty");
        // After a week it is gone.
        app.advance(TimeDelta::days(8));
        app.drain_jobs().await;
        app.villager("样例甲").await.get(&path).await.problem("not_found");
        assert_eq!(app.number("SELECT count(*) FROM data_export").await, 0);
    }

    async fn three_copies_a_day(app: TestApp) {
        let villager = app.villager("甲").await;
        for _ in 0..3 {
            villager.post("/me/export", json!({})).await.expect(202);
        }
        villager.post("/me/export", json!({})).await.problem("too_many_requests");
        app.drain_jobs().await;
    }

    async fn the_account_goes_at_once_and_what_must_stay_is_said(app: TestApp) {
        let villager = resident(&app, "样例甲", ANOTHER).await;
        let slot = app.bookings_of_a_slot().await;
        villager.post(&slot, a_booking()).await.expect(201);
        let free = app.free_slots().await[0]["free"].clone();
        let case = crate::cases::filed(&app, &villager).await;
        answered(&app, &case).await;
        let path = format!("/cases/{}/actions", case["id"].as_str().unwrap());
        villager.post(&path, json!({"action": "confirm"})).await.expect(200);
        let open = json!({"kind": "voice", "concern": "question", "text": "还有一件事"});
        villager.post("/cases", open).await.expect(201);

        let said = villager.delete("/me").await.expect(200);
        let kept = |what: &str| said["kept"].as_array().unwrap().iter().find(|kept| kept["what"] == what).unwrap().clone();
        assert_eq!(kept("cases")["count"], 1);
        assert_eq!(kept("cases")["until"], "2036-11-23");
        assert_eq!(kept("open_cases")["count"], 1);
        assert!(kept("audit")["why"].as_str().unwrap().contains("六个月"));
        villager.get("/me").await.problem("session_ended");
        assert_eq!(app.free_slots().await[0]["free"].as_i64(), free.as_i64().map(|free| free + 1), "the place is free again");
        let empty = "SELECT count(*) FROM person WHERE closed_at IS NOT NULL AND name IS NULL AND phone IS NULL
                     AND citizen_no IS NULL AND citizen_no_hash IS NULL AND village_id IS NULL";
        assert_eq!(app.number(empty).await, 1);
        assert_eq!(app.number("SELECT count(*) FROM notice").await, 0);
        // The same WeChat is a new person to us; the same card may be claimed again.
        let again = app.villager("样例甲").await;
        assert_ne!(again.id(), villager.id());
        assert_eq!(again.get("/cases").await.expect(200)["items"], json!([]));
        let claim = claim(&app, "样例甲", ANOTHER).await;
        assert_eq!(again.post("/me/residence", claim).await.expect(200)["state"], "verified");
        app.drain_jobs().await;
    }

    async fn an_archive_that_was_kept_long_enough_loses_every_name(app: TestApp) {
        let villager = resident(&app, "样例甲", ANOTHER).await;
        let case = crate::cases::filed(&app, &villager).await;
        answered(&app, &case).await;
        let path = format!("/cases/{}/actions", case["id"].as_str().unwrap());
        villager.post(&path, json!({"action": "confirm"})).await.expect(200);
        app.advance(TimeDelta::days(10 * 366 + 40));
        app.drain_jobs().await;
        let named = "SELECT count(*) FROM cases WHERE contact_name IS NOT NULL OR contact_phone IS NOT NULL
                     OR form IS NOT NULL OR text <> '（已匿名）'";
        assert_eq!(app.number(named).await, 0);
        assert_eq!(app.number("SELECT count(*) FROM case_event WHERE by_person IS NOT NULL OR text IS NOT NULL").await, 0);
        let theirs = app.villager("样例甲").await;
        assert_eq!(theirs.get("/cases").await.expect(200)["items"], json!([]));
        let counted = "SELECT count(*) FROM cases WHERE result = 'done' AND number IS NOT NULL";
        assert_eq!(app.number(counted).await, 1, "what is counted stays");
    }
}
