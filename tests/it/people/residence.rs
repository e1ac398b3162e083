use chrono::TimeDelta;
use serde_json::json;

use super::{ANOTHER, CHILD, GROWN_UP, OLD_PREFIX, claim, on_roster, resident};
use crate::support::a_booking;

both_engines! {
    async fn a_roster_confirms_name_number_and_village_at_once(app: TestApp) {
        let villager = resident(&app, "样例甲", GROWN_UP).await;
        let me = villager.get("/me").await.expect(200);
        assert_eq!((&me["verified"], &me["name"]), (&json!(true), &json!("样例甲")));
        assert_eq!(me["village"], json!(app.village().await));
        let household = villager.get("/me/household").await.expect(200);
        assert_eq!(household["number"], "12");
        assert_eq!(household["members"], json!([{"name": "样*甲", "me": true}]));
        // Said again, it is as it was; another number for the same person is not taken.
        let again = claim(&app, "样例甲", GROWN_UP).await;
        assert_eq!(villager.post("/me/residence", again).await.expect(200)["state"], "verified");
        villager.post("/me/residence", claim(&app, "样例甲", ANOTHER).await).await.problem("already_verified");
        // The card has confirmed the name.
        villager.put("/me", json!({"name": "样例乙"})).await.problem("already_verified");
    }

    async fn old_prefixes_of_dazhou_and_numbers_as_people_read_them_out_are_understood(app: TestApp) {
        on_roster(&app, "样例甲", OLD_PREFIX, "1").await;
        let spoken = claim(&app, "样 例 甲", "５１３０２１ 19070319 9955").await;
        assert_eq!(app.villager("甲").await.post("/me/residence", spoken).await.expect(200)["state"], "verified");
    }

    async fn what_is_wrong_with_a_number_is_said(app: TestApp) {
        let villager = app.villager("甲").await;
        for (number, fault) in [
            ("511724196611230007", "bad_check_digit"),
            ("511702000511991", "legacy_15_digit"),
            ("511702********9928", "non_digit"),
            ("511725209912310006", "birth_in_future"),
        ] {
            villager.post("/me/residence", claim(&app, "样例甲", number).await).await.invalid("/citizen_no", fault);
        }
        villager.post("/me/residence", claim(&app, "陈1", GROWN_UP).await).await.invalid("/name", "format");
        let nowhere = json!({"village": villager.id(), "name": "样例甲", "citizen_no": GROWN_UP});
        villager.post("/me/residence", nowhere).await.invalid("/village", "unknown");
        let township = app.division("511702108000").await;
        let too_large = json!({"village": township, "name": "样例甲", "citizen_no": GROWN_UP});
        app.villager("乙").await.post("/me/residence", too_large).await.invalid("/village", "unknown");
    }

    async fn without_a_roster_line_the_desk_is_asked_and_nothing_is_told_of_others(app: TestApp) {
        let holder = resident(&app, "样例甲", GROWN_UP).await;
        let stranger = app.villager("乙").await;
        let unknown = stranger.post("/me/residence", claim(&app, "样例乙", ANOTHER).await).await.expect(200);
        assert_eq!(unknown["state"], "pending");
        stranger.post("/me/residence", claim(&app, "样例乙", ANOTHER).await).await.problem("already_pending");
        // A number that somebody holds answers as one that nobody holds.
        let thief = app.villager("丙").await;
        let held = thief.post("/me/residence", claim(&app, "样例甲", GROWN_UP).await).await.expect(200);
        assert_eq!(held["state"], "pending");
        let shape = |answer: &serde_json::Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(shape(&held), shape(&unknown));
        assert_eq!(holder.get("/me").await.expect(200)["verified"], true);
        assert_eq!(thief.get("/me").await.expect(200)["verified"], false);
    }

    async fn who_guesses_at_numbers_is_stopped(app: TestApp) {
        on_roster(&app, "样例甲", GROWN_UP, "1").await;
        let guesser = app.villager("乙").await;
        guesser.post("/me/residence", claim(&app, "样例丁", GROWN_UP).await).await.expect(200);
        for _ in 0..4 {
            guesser.post("/me/residence", claim(&app, "样例戊", ANOTHER).await).await.problem("already_pending");
        }
        app.advance(TimeDelta::minutes(20));
        let right = claim(&app, "样例甲", GROWN_UP).await;
        guesser.post("/me/residence", right).await.problem("too_many_requests");
        assert_eq!(guesser.get("/me").await.expect(200)["verified"], false);
    }

    async fn a_child_acts_only_with_its_guardians_consent(app: TestApp) {
        let child = resident(&app, "样例童", CHILD).await;
        let bookings = app.bookings_of_a_slot().await;
        child.post(&bookings, a_booking()).await.problem("guardian_consent_required");
        let case = json!({"kind": "voice", "concern": "question", "text": "何时开学"});
        child.post("/cases", case.clone()).await.problem("guardian_consent_required");
        // The child cannot agree for its guardian; who comes to the desk can.
        let agreed = json!({
            "granted": true, "text_version": "1", "guardian": {"name": "样例母", "phone": "13800000009"},
        });
        child.put("/me/consents/guardian", agreed.clone()).await.invalid("/granted", "not_allowed_here");
        let (desk, path) = (app.staff("desk").await, format!("/staff/people/{}/consents/guardian", child.id()));
        let alone = json!({"granted": true, "text_version": "1"});
        desk.put(&path, alone).await.invalid("/guardian", "required");
        desk.put(&path, agreed).await.expect(200);
        child.post(&bookings, a_booking()).await.expect(201);
        child.post("/cases", case.clone()).await.expect(201);
        // Taken back, it is needed again.
        child.put("/me/consents/guardian", json!({"granted": false, "text_version": "1"})).await.expect(200);
        child.post("/cases", case.clone()).await.problem("guardian_consent_required");
        // Twelve years on the child agrees for itself.
        app.advance(TimeDelta::days(12 * 366));
        app.drain_jobs().await;
        app.villager("样例童").await.post("/cases", case).await.expect(201);
        app.drain_jobs().await;
    }
}
