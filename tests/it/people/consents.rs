use serde_json::json;

use super::{ANOTHER, resident};

both_engines! {
    async fn consent_is_given_by_purpose_and_version_and_taken_back_as_easily(app: TestApp) {
        let villager = app.villager("甲").await;
        let yes = |version: &str| json!({"granted": true, "text_version": version});
        villager.put("/me/consents/publication", yes("2026-01")).await.expect(200);
        villager.put("/me/consents/publication", yes("2026-11")).await.expect(200);
        let no = json!({"granted": false, "text_version": "2026-11"});
        villager.put("/me/consents/notifications", no.clone()).await.expect(200);
        let items = villager.get("/me/consents").await.expect(200)["items"].clone();
        let said: Vec<_> = items.as_array().unwrap().iter().map(|item| (&item["purpose"], &item["granted"])).collect();
        assert_eq!(said.len(), 2);
        assert!(said.contains(&(&json!("publication"), &json!(true))));
        assert!(said.contains(&(&json!("notifications"), &json!(false))));
        villager.put("/me/consents/publication", no).await.expect(200);
        let items = villager.get("/me/consents").await.expect(200)["items"].clone();
        assert!(items.as_array().unwrap().iter().all(|item| item["granted"] == false));
        villager.put("/me/consents/everything", yes("1")).await.problem("not_found");
        // What was agreed to before stays on record.
        assert_eq!(app.number("SELECT count(*) FROM consent").await, 4);
    }

    async fn the_desk_records_what_a_resident_agreed_to(app: TestApp) {
        let old = resident(&app, "样例老人", ANOTHER).await;
        let path = format!("/staff/people/{}/consents/sensitive_data", old.id());
        let yes = json!({"granted": true, "text_version": "2026-11"});
        app.staff("neighbour").await.put(&path, yes.clone()).await.problem("not_found");
        app.staff("desk").await.put(&path, yes).await.expect(200);
        assert_eq!(old.get("/me/consents").await.expect(200)["items"][0]["purpose"], "sensitive_data");
    }
}
