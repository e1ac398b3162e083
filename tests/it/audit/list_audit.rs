//! GET /staff/audit

use serde_json::{Value, json};
use shuoshi::audit;

use super::{confidential, entries, entries_of, lives_in_the_village, of_staff};
use crate::{
    cases::{becomes_private, filed},
    support::Actor,
};

async fn list(admin: &Actor, query: &str) -> Vec<Value> {
    let page = admin.get(&format!("/staff/audit{query}")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

both_engines! {
    async fn entries_are_listed_the_newest_first_and_narrowed(app: TestApp) {
        let (desk, admin) = (app.staff("desk").await, app.staff("admin").await);
        let me = app.villager("甲").await;
        lives_in_the_village(&app, &me, None).await;
        let body = json!({"fields": ["phone"], "reason": "核对联系电话"});
        desk.post(&format!("/staff/people/{}/reveal", me.id()), body).await.expect(200);
        let all = list(&admin, "").await;
        assert_eq!(all.len(), 3);
        assert_eq!((&all[0]["action"], &all[0]["seq"]), (&json!("reveal_person"), &json!(3)));
        assert_eq!(all[0]["actor"]["kind"], "staff");
        assert_eq!(all[0]["actor"]["id"], desk.id());
        assert!(all[0]["actor"]["unit"].is_string());
        assert_eq!(all[0]["object"], json!({"kind": "person", "id": me.id()}));
        assert_eq!((&all[0]["fields"], &all[0]["reason"]), (&json!("phone"), &json!("核对联系电话")));
        assert_eq!(all[0]["result"], "done");
        for (query, count) in [
            (format!("?object={}", me.id()), 1),
            (format!("?actor={}", desk.id()), 2),
            ("?action=sign_in".to_owned(), 2),
            ("?from=2026-11-24".to_owned(), 0),
            ("?to=2026-11-22".to_owned(), 0),
            ("?from=2026-11-23&to=2026-11-23&action=reveal_person".to_owned(), 1),
        ] {
            assert_eq!(list(&admin, &query).await.len(), count, "{query}");
        }
        admin.get("/staff/audit?action=13800000000").await.invalid("?action", "format");
        admin.get("/staff/audit?object=13800000000").await.problem("invalid");
    }

    async fn reading_it_is_entered_once_a_call(app: TestApp) {
        let admin = app.staff("admin").await;
        list(&admin, "?action=sign_in").await;
        list(&admin, "?limit=1").await;
        let read = entries_of(&app, "read_audit").await;
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].fields.as_deref(), Some("action=sign_in"));
        assert_eq!(read[0].actor_id.unwrap().to_string(), admin.id());
    }

    async fn pages_follow_one_another(app: TestApp) {
        let admin = app.staff("admin").await;
        for _ in 0..4 {
            app.staff("desk").await;
        }
        let first = admin.get("/staff/audit?limit=2").await.expect(200);
        let after = format!("/staff/audit?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        let second = admin.get(&after).await.expect(200);
        let seqs = |page: &Value| page["items"].as_array().unwrap().iter().map(|row| row["seq"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!((seqs(&first), seqs(&second)), (vec![5, 4], vec![3, 2]));
        admin.get("/staff/audit?cursor=abc").await.invalid("?cursor", "cursor");
    }

    async fn nothing_is_learned_of_confidential_cases(app: TestApp) {
        let (admin, discipline) = (app.staff("admin").await, app.staff("discipline").await);
        let case = confidential(&app, &app.villager("甲").await).await;
        let id = case["id"].as_str().unwrap();
        discipline.get("/staff/cases").await.expect(200);
        discipline.get(&of_staff(&case)).await.expect(200);
        let body = json!({"fields": ["contact_phone"], "reason": "约举报人见面"});
        discipline.post(&format!("{}/reveal", of_staff(&case)), body).await.expect(200);
        let written = entries(&app).await;
        assert!(written.iter().any(|entry| entry.object_id.as_deref() == Some(id)));
        let shown = list(&admin, "").await;
        assert_eq!(shown.len(), written.len(), "the chain is whole to look at");
        let hidden: Vec<_> = shown.iter().filter(|row| row["object"].is_null()).collect();
        assert_eq!(hidden.len(), 3, "{shown:?}");
        for row in hidden {
            assert_eq!((&row["fields"], &row["reason"], &row["request_id"]), (&Value::Null, &Value::Null, &Value::Null));
        }
        let text = json!(shown).to_string();
        assert!(!text.contains(id) && !text.contains("举报人"), "{text}");
        assert!(list(&admin, &format!("?object={id}")).await.is_empty(), "nor by its id");
        assert!(!json!(list(&admin, "?action=read_confidential_case").await).to_string().contains(id));
        app.drain_jobs().await;
    }

    async fn what_cannot_be_entered_is_not_shown(app: TestApp) {
        let admin = app.staff("admin").await;
        crate::audit::tamper(&app, "DELETE FROM audit_head").await;
        admin.get("/staff/audit").await.problem("busy");
    }

    async fn nor_of_private_matters(app: TestApp) {
        let (admin, desk) = (app.staff("admin").await, app.staff("desk").await);
        let case = filed(&app, &app.villager("甲").await).await;
        becomes_private(&app, &case).await;
        desk.get("/staff/cases").await.expect(200);
        let id = case["id"].as_str().unwrap();
        let who = audit::Actor::staff_by_id(serde_json::from_value(json!(desk.id())).unwrap(), "r");
        for action in ["read_private_case", "act_on_private_case", "read_case"] {
            audit::note(app.app(), &who, audit::Entry::done(action, "case", id).of_fields("text")).await.unwrap();
        }
        let shown = list(&admin, "").await;
        assert_eq!(shown.iter().filter(|row| row["object"].is_null() && row["fields"].is_null()).count(), 3, "{shown:?}");
        assert!(!json!(shown).to_string().contains(id));
        assert!(list(&admin, &format!("?object={id}")).await.is_empty(), "nor by its id");
        app.drain_jobs().await;
    }
}
