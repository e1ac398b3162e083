//! Keys: shown once, kept as a hash, taken back.

use reqwest::Method;
use serde_json::json;

use super::failure;

both_engines! {
    async fn a_key_is_shown_once_and_ends_when_it_is_taken_back(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        let path = format!("/staff/divisions/{village}/api-keys");
        let made = admin.post(&path, json!({"name": "样例 平台"})).await.expect(201);
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("o311_") && key.len() == 45, "{key}");
        assert_eq!(made["api_key"]["beginning"], key[..8]);
        let listed = admin.get(&path).await.expect(200);
        assert_eq!(listed["items"], json!([made["api_key"]]));
        assert!(!listed.to_string().contains(&key));
        assert_eq!(app.number(&format!("SELECT count(*) FROM api_key WHERE digest LIKE '%{}%'", &key[5..])).await, 0);
        let file = async || {
            let form = format!(
                "api_key={key}&service_code=roads&attribute%5Bconcern%5D=question&address_id=511702108212\
                 &description=x&last_name=Sample&phone=13800001234",
            );
            app.nobody().call(Method::POST, "/open311/v2/requests.json").body("application/x-www-form-urlencoded", form).send().await
        };
        assert_eq!(file().await.status, 200);
        assert_eq!(admin.get(&path).await.expect(200)["items"][0]["used_at"], "2026-11-23T02:00:00Z");
        let own = format!("/staff/api-keys/{}", made["api_key"]["id"].as_str().unwrap());
        app.staff("desk").await.delete(&own).await.problem("not_your_duty");
        admin.delete(&own).await.expect(204);
        failure(file().await, 403);
        admin.delete(&own).await.problem("not_found");
        assert_eq!(admin.get(&path).await.expect(200)["items"], json!([]));
        for action in ["make_api_key", "revoke_api_key"] {
            let entries = admin.get(&format!("/staff/audit?action={action}")).await.expect(200);
            assert_eq!(entries["items"].as_array().unwrap().len(), 1, "{action}");
        }
        app.drain_jobs().await;
    }
}
