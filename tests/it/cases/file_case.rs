//! Filing: what is needed, what is refused, drafts, and the desk filing for others.

use serde_json::json;

use super::{actions, own};

both_engines! {
    async fn what_is_missing_is_named_field_by_field(app: TestApp) {
        let villager = app.villager("甲").await;
        let village = app.village().await;
        villager.post("/cases", json!({"kind": "proxy", "division": village})).await.invalid("/item", "required");
        villager.post("/cases", json!({"kind": "proxy", "item": "DZ-XX-99", "division": village})).await.invalid("/item", "unknown");
        let bare = villager.post("/cases", json!({"kind": "voice", "division": village})).await;
        assert_eq!(bare.invalid("/concern", "required")["errors"].as_array().unwrap().len(), 2, "all faults at once");
        villager.post("/cases", json!({"kind": "talk", "division": village, "text": "x"})).await.invalid("/kind", "not_allowed_here");
        villager.post("/cases", json!({"kind": "proxy", "item": "DZ-MZ-01"})).await.invalid("/division", "required");
        let township = app.division("511702108000").await;
        villager.post("/cases", json!({"kind": "proxy", "item": "DZ-MZ-01", "division": township})).await.invalid("/division", "unknown");
        let nowhere = app.division("511781102200").await;
        villager.post("/cases", json!({"kind": "proxy", "item": "DZ-MZ-01", "division": nowhere})).await.invalid("/division", "no_desk");
        let phone = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": village, "contact_phone": "12345"});
        villager.post("/cases", phone).await.invalid("/contact_phone", "format");
        villager.post("/cases", json!({"kind": "proxy", "colour": 1})).await.invalid("/colour", "unknown_field");
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 0);
    }

    async fn a_concern_sets_the_promised_days(app: TestApp) {
        let villager = app.villager("甲").await;
        let desk = app.staff("desk").await;
        for (concern, due) in [("question", "2026-11-26"), ("help", "2026-12-02"), ("complaint", "2026-12-14")] {
            let body = json!({"kind": "voice", "concern": concern, "division": app.village().await, "text": "说一件事"});
            let case = villager.post("/cases", body).await.expect(201);
            let accepted = desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
            assert_eq!((&accepted["promised_due_on"], &accepted["statutory_due_on"]), (&json!(due), &json!(null)), "{concern}");
        }
        app.drain_jobs().await;
    }

    async fn a_draft_is_the_villagers_until_it_is_submitted(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "draft": true});
        let draft = villager.post("/cases", body.clone()).await.expect(201);
        assert_eq!((&draft["state"], &draft["number"], &draft["actions"]), (&json!("draft"), &json!(null), &json!(["submit"])));
        assert_eq!(desk.get("/staff/cases").await.expect(200)["items"], json!([]));
        let id = draft["id"].as_str().unwrap();
        desk.get(&format!("/staff/cases/{id}")).await.problem("not_found");
        let case = villager.post(&format!("{}/actions", own(&draft)), json!({"action": "submit"})).await.expect(200);
        assert_eq!((&case["state"], case["number"].as_str().unwrap().len()), (&json!("submitted"), 10));
        villager.delete(&own(&draft)).await.problem("transition_not_allowed");
        let other = villager.post("/cases", body).await.expect(201);
        assert_eq!(villager.delete(&own(&other)).await.status, 204);
        villager.get(&own(&other)).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn danger_is_answered_with_whom_to_call_first(app: TestApp) {
        let villager = app.villager("甲").await;
        let body = json!({"kind": "voice", "concern": "help", "division": app.village().await, "text": "邻居家着火了"});
        let filed = villager.post("/cases", body).await.expect(201);
        assert_eq!((&filed["emergency"][0]["number"], &filed["state"]), (&json!("119"), &json!("submitted")));
        app.drain_jobs().await;
    }

    async fn a_retry_files_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await});
        let first = villager.post_keyed("/cases", "retry-0001", body.clone()).await.expect(201);
        let again = villager.post_keyed("/cases", "retry-0001", body.clone()).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        let other = json!({"kind": "proxy", "item": "DZ-MZ-02", "division": app.village().await});
        villager.post_keyed("/cases", "retry-0001", other).await.problem("idempotency_key_reused");
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 1);
        app.villager("乙").await.post_keyed("/cases", "retry-0001", body).await.expect(201);
        app.drain_jobs().await;
    }

    async fn the_desk_files_for_somebody_who_came(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({
            "channel": "walk_in", "for_person": {"name": "样例 来访人", "phone": "138 0000 5678"},
            "kind": "proxy", "item": "DZ-MZ-01", "text": "老人来窗口", "reason": "不识字，没有手机",
        });
        let case = desk.post("/staff/cases", body.clone()).await.expect(201);
        assert_eq!((&case["state"], &case["channel"], &case["entered_by"]), (&json!("submitted"), &json!("walk_in"), &json!(desk.id())));
        assert_eq!(case["contact_phone"], "138****5678");
        // Why the desk acted is on record, for staff.
        let events = desk.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(events["items"][0]["note"], "不识字，没有手机");
        // Of a person the desk never met it learns nothing.
        let stranger = json!({"channel": "phone", "for_person": {"id": app.villager("别村人").await.id()}, "kind": "proxy", "item": "DZ-MZ-01"});
        desk.post("/staff/cases", stranger).await.invalid("/for_person/id", "unknown");
        assert!(!case["contact_name"].as_str().unwrap().contains("来访"), "masked: {}", case["contact_name"]);
        let second = desk.post("/staff/cases", body).await.expect(201);
        assert_eq!(second["person"], case["person"], "the same name and phone are the same person");
        let phone = json!({"channel": "phone", "for_person": {"id": case["person"]}, "kind": "voice", "concern": "help", "text": "打电话来"});
        assert_eq!(desk.post("/staff/cases", phone).await.expect(201)["person"], case["person"]);
        let bad = json!({"channel": "walk_in", "for_person": {"name": "x", "phone": "1"}, "kind": "proxy", "item": "DZ-MZ-01"});
        desk.post("/staff/cases", bad).await.invalid("/for_person/phone", "format");
        let elsewhere = json!({
            "channel": "walk_in", "for_person": {"id": case["person"]}, "kind": "proxy", "item": "DZ-MZ-01",
            "division": app.division("511703115222").await,
        });
        desk.post("/staff/cases", elsewhere).await.invalid("/division", "not_in_scope");
        app.staff("cadre").await.post("/staff/cases", json!({})).await.problem("not_your_duty");
        app.drain_jobs().await;
    }

    async fn names_and_phones_are_sealed_in_the_database(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({
            "channel": "walk_in", "for_person": {"name": "样例 来访人", "phone": "13800005678"},
            "kind": "proxy", "item": "DZ-MZ-01",
        });
        desk.post("/staff/cases", body).await.expect(201);
        for column in ["name", "phone"] {
            let leaks = format!("SELECT count(*) FROM person WHERE {column} LIKE '%来访%' OR {column} LIKE '%5678%'");
            assert_eq!(app.number(&leaks).await, 0);
        }
        assert_eq!(app.number("SELECT count(*) FROM cases WHERE contact_phone LIKE '%5678%'").await, 0);
        app.drain_jobs().await;
    }
}
