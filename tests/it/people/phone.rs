use chrono::TimeDelta;
use serde_json::json;

use super::{GROWN_UP, claim, on_roster};

const PHONE: &str = "13800000001";

both_engines! {
    async fn a_code_sent_to_the_phone_proves_it_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let sent = villager.post("/me/phone/sms", json!({"phone": "+86 138-0000-0001"})).await.expect(202);
        assert_eq!((&sent["expires_in_s"], &sent["again_in_s"]), (&json!(300), &json!(60)));
        let code = app.code_sent_to(PHONE).await;
        let right = json!({"phone": PHONE, "code": code});
        // Another person cannot use it, nor another phone.
        app.villager("乙").await.post("/me/phone/confirm", right.clone()).await.problem("phone_code_invalid");
        let other = json!({"phone": "13800000002", "code": code});
        villager.post("/me/phone/confirm", other).await.problem("phone_code_invalid");
        let answer = villager.post_keyed("/me/phone/confirm", "confirm-1", right.clone()).await.expect(200);
        assert_eq!(answer["phone"], "138****0001");
        // A repeat over a bad line gets the same answer; a new try finds the code used up.
        assert_eq!(villager.post_keyed("/me/phone/confirm", "confirm-1", right.clone()).await.expect(200), answer);
        villager.post("/me/phone/confirm", right).await.problem("phone_code_invalid");
        assert_eq!(villager.get("/me").await.expect(200)["phone"], "138****0001");
    }

    async fn a_code_sent_twice_at_once_is_used_once(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.post("/me/phone/sms", json!({"phone": PHONE})).await.expect(202);
        let right = json!({"phone": PHONE, "code": app.code_sent_to(PHONE).await});
        let (one, two) = tokio::join!(
            villager.post("/me/phone/confirm", right.clone()),
            villager.post("/me/phone/confirm", right.clone()),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }

    async fn five_wrong_tries_are_the_end_of_a_code_and_time_is_too(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.post("/me/phone/sms", json!({"phone": PHONE})).await.expect(202);
        let code = app.code_sent_to(PHONE).await;
        for _ in 0..5 {
            let wrong = json!({"phone": PHONE, "code": "x"});
            villager.post("/me/phone/confirm", wrong).await.problem("phone_code_invalid");
        }
        let right = json!({"phone": PHONE, "code": code});
        villager.post("/me/phone/confirm", right).await.problem("phone_code_invalid");

        app.advance(TimeDelta::seconds(61));
        villager.post("/me/phone/sms", json!({"phone": PHONE})).await.expect(202);
        let code = app.code_sent_to(PHONE).await;
        app.advance(TimeDelta::seconds(301));
        let late = json!({"phone": PHONE, "code": code});
        villager.post("/me/phone/confirm", late).await.problem("phone_code_invalid");
    }

    async fn messages_are_counted_by_person_and_by_phone(app: TestApp) {
        let villager = app.villager("甲").await;
        let ask = json!({"phone": PHONE});
        villager.post("/me/phone/sms", ask.clone()).await.expect(202);
        let refused = villager.post("/me/phone/sms", ask.clone()).await;
        assert_eq!(refused.header("retry-after"), "60");
        refused.problem("too_many_requests");
        for _ in 0..4 {
            app.advance(TimeDelta::seconds(61));
            villager.post("/me/phone/sms", ask.clone()).await.expect(202);
        }
        app.drain_jobs().await;
        app.advance(TimeDelta::seconds(61));
        villager.post("/me/phone/sms", ask.clone()).await.problem("too_many_requests");
        // Nor may others fill this phone with messages.
        app.villager("乙").await.post("/me/phone/sms", ask).await.problem("too_many_requests");
        app.drain_jobs().await;
        assert_eq!(app.messages_to(PHONE).len(), 5);
    }

    async fn only_a_mobile_number_gets_a_message(app: TestApp) {
        let villager = app.villager("甲").await;
        for (phone, fault) in [("0818-2000000", "format"), ("12345", "length"), ("138****0001", "format")] {
            villager.post("/me/phone/sms", json!({"phone": phone})).await.invalid("/phone", fault);
        }
    }

    async fn what_the_desk_entered_before_becomes_theirs_once_phone_and_a_confirmed_name_agree(app: TestApp) {
        let desk = app.staff("desk").await;
        let entered = |name: &str| json!({
            "kind": "voice", "concern": "help", "text": "家里漏雨", "channel": "walk_in",
            "for_person": {"name": name, "phone": PHONE},
        });
        desk.post("/staff/cases", entered("样例甲")).await.expect(201);
        // The phone is shared in the family: another name is another person.
        desk.post("/staff/cases", entered("样例丙")).await.expect(201);
        let villager = app.villager_with_phone("甲", PHONE).await;
        villager.put("/me", json!({"name": "样例甲"})).await.expect(200);
        // What somebody calls themselves proves nothing: the name must be one that a roster or the desk has confirmed.
        assert_eq!(villager.get("/cases").await.expect(200)["items"], json!([]));
        on_roster(&app, "样例甲", GROWN_UP, "12").await;
        villager.post("/me/residence", claim(&app, "样例甲", GROWN_UP).await).await.expect(200);
        let cases = villager.get("/cases").await.expect(200);
        assert_eq!(cases["items"].as_array().unwrap().len(), 1);
        assert_eq!(cases["items"][0]["channel"], "walk_in");
        app.drain_jobs().await;
    }

    async fn the_phone_that_wechat_vouches_for_is_taken_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let code = json!({"code": app.wechat_phone_code("甲").await});
        let taken = villager.post_keyed("/me/phone", "phone-of-jia", code.clone()).await.expect(200);
        assert_eq!(taken["phone"], "139****0000");
        // The answer was lost and the call comes again: WeChat is not asked about a code that it has used up.
        assert_eq!(villager.post_keyed("/me/phone", "phone-of-jia", code.clone()).await.expect(200), taken);
        villager.post("/me/phone", code).await.problem("phone_code_invalid");
        // A code is its owner's.
        app.villager("乙").await;
        let theirs = json!({"code": app.wechat_phone_code("乙").await});
        villager.post("/me/phone", theirs).await.problem("phone_code_invalid");
        assert_eq!(villager.get("/me").await.expect(200)["phone"], "139****0000");
        let fault = json!({"path": "/wxa/business/getuserphonenumber", "http": 502, "times": 5, "delay_ms": 0});
        app.simulator("faults", fault).await;
        let code = json!({"code": app.wechat_phone_code("甲").await});
        villager.post("/me/phone", code).await.problem("wechat_unavailable");
    }
}
