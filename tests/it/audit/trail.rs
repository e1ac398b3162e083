//! What is entered without anybody asking for it.

use serde_json::{Value, json};

use super::{CHILD, confidential, entries, entries_of, lives_in_the_village, of_staff, tamper};
use crate::cases::{actions, filed};

both_engines! {
    async fn staff_signing_in_and_out_is_entered_and_unknown_names_are_not_kept(app: TestApp) {
        let desk = app.staff("desk").await;
        let try_in = async |username: &str| {
            app.nobody().post("/auth/staff", json!({"username": username, "password": "wrong"})).await.problem("bad_credentials");
        };
        try_in("desk").await;
        try_in("zhang.san.1987").await;
        desk.post("/auth/logout", json!({})).await;
        app.villager("甲").await.post("/auth/logout", json!({})).await;
        let all = entries(&app).await;
        let said: Vec<_> = all.iter().map(|entry| (entry.action.as_str(), entry.result.as_str(), entry.object_id.as_deref())).collect();
        let (id, session) = (Some(desk.id()), all[3].object_id.as_deref());
        assert_eq!(said, [
            ("sign_in", "done", id),
            ("sign_in", "refused", id),
            ("sign_in", "refused", None),
            ("sign_out", "done", session),
        ]);
        assert_eq!(all[1].actor_kind, "nobody");
        assert!(all.iter().all(|entry| entry.request_id.is_some()));
        let kept = app.number("SELECT count(*) FROM throttle WHERE key LIKE '%zhang%'").await;
        assert_eq!(kept, 0, "what was typed for a name may be anything");
    }

    async fn a_copied_refresh_token_is_entered(app: TestApp) {
        let me = app.villager("甲").await;
        let old = json!({"refresh_token": me.session["refresh_token"]});
        app.nobody().post("/auth/refresh", old.clone()).await.expect(200);
        app.nobody().post("/auth/refresh", old).await.problem("session_ended");
        let found = entries_of(&app, "detect_token_reuse").await;
        assert_eq!((found.len(), found[0].actor_kind.as_str()), (1, "villager"));
    }

    async fn every_look_at_a_confidential_case_is_entered(app: TestApp) {
        let (villager, discipline) = (app.villager("甲").await, app.staff("discipline").await);
        let case = confidential(&app, &villager).await;
        let path = of_staff(&case);
        discipline.get("/staff/cases").await.expect(200);
        discipline.get(&format!("/staff/cases?q={}", case["number"].as_str().unwrap())).await.expect(200);
        let first = discipline.get(&path).await;
        let tag = first.header("etag").to_owned();
        discipline.call(reqwest::Method::GET, &format!("/api/v1{path}")).header("If-None-Match", &tag).send().await;
        discipline.get(&format!("{path}/events")).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "accept"})).await.problem("transition_not_allowed");
        let count = async |action: &str| entries_of(&app, action).await.len();
        assert_eq!(count("list_confidential_cases").await, 2, "once a call");
        assert_eq!(count("read_confidential_case").await, 3, "known already is looked at all the same");
        let acted = entries_of(&app, "act_on_confidential_case").await;
        assert_eq!((acted.len(), acted[0].fields.as_deref()), (1, Some("accept")));
        assert_eq!(acted[0].object_id.as_deref(), case["id"].as_str());
        app.drain_jobs().await;
    }

    async fn an_ordinary_case_leaves_nothing(app: TestApp) {
        let desk = app.staff("desk").await;
        let case = filed(&app, &app.villager("甲").await).await;
        desk.get("/staff/cases").await.expect(200);
        desk.get(&of_staff(&case)).await.expect(200);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        assert_eq!(entries(&app).await.len(), 1, "the desk signed in");
        app.drain_jobs().await;
    }

    async fn every_look_at_a_childs_case_is_entered(app: TestApp) {
        let (desk, child) = (app.staff("desk").await, app.villager("甲").await);
        lives_in_the_village(&app, &child, Some(CHILD)).await;
        let case = filed(&app, &child).await;
        desk.get(&of_staff(&case)).await.expect(200);
        desk.get(&format!("{}/events", of_staff(&case))).await.expect(200);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        let fields: Vec<Option<String>> = entries_of(&app, "read_minor_case").await.into_iter().map(|entry| entry.fields).collect();
        assert_eq!(fields, [Some("case".to_owned()), Some("events".to_owned())]);
        assert_eq!(entries_of(&app, "act_on_minor_case").await.len(), 1);
        child.get(&format!("/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(entries(&app).await.len(), 4, "one's own data is one's own");
        app.drain_jobs().await;
    }

    async fn what_cannot_be_entered_is_not_shown(app: TestApp) {
        let (villager, discipline) = (app.villager("甲").await, app.staff("discipline").await);
        let (desk, case) = (app.staff("desk").await, confidential(&app, &villager).await);
        let open = filed(&app, &villager).await;
        tamper(&app, "DELETE FROM audit_head").await;
        for path in [of_staff(&case), format!("{}/events", of_staff(&case)), "/staff/cases".to_owned()] {
            let refused = discipline.get(&path).await;
            assert_ne!(refused.header("retry-after"), "", "{path}");
            assert!(!refused.problem("busy").to_string().contains("有事反映"));
        }
        desk.get(&of_staff(&open)).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_form_is_masked_for_staff_and_whole_for_the_villager(app: TestApp) {
        let me = app.villager("甲").await;
        let form = json!({"account": "6217001234567890123", "beds": 2, "people": [{"name": "样例甲"}], "none": null});
        let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "form": form});
        let case = me.post("/cases", body).await.expect(201);
        assert_eq!(case["form"], form);
        let seen = app.staff("desk").await.get(&of_staff(&case)).await.expect(200);
        assert_eq!(seen["form"], json!({"account": "****", "beds": "****", "people": [{"name": "****"}], "none": Value::Null}));
        app.drain_jobs().await;
    }
}
