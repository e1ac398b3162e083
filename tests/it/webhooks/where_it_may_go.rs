//! Whoever may name an address reaches with it nothing that only this machine can reach.

use serde_json::json;

use super::{Receiver, deliveries, of_the_village, received_by, receiver::Reply, told};
use crate::cases::filed;

both_engines! {
    async fn a_name_that_leads_to_this_machine_is_found_out_when_it_is_told(app: TestApp) {
        let receiver = Receiver::start();
        let strict = app.second_server_with(|config| {
            config.webhooks.private_networks.clear();
            config.webhooks.allowed_hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        }).await;
        let admin = app.staff("admin").await.at(&strict);
        let path = of_the_village(&app).await;
        let by_name = json!({"url": format!("http://localhost:{}/hook", receiver.port), "kinds": ["submitted"]});
        let made = admin.post(&path, by_name).await.expect(201);
        admin.post(&path, json!({"url": receiver.url})).await.invalid("/url", "address_refused");
        filed(&app, &app.villager("甲").await).await;
        told(&strict).await;
        assert!(receiver.heard().is_empty());
        let failed = deliveries(&admin, &made["webhook"]).await;
        assert_eq!((&failed[0]["error"], &failed[0]["state"]), (&json!("address_refused"), &json!("waiting")));
        receiver.stop().await;
    }

    async fn only_sealed_and_only_where_the_configuration_says(app: TestApp) {
        let strict = app.second_server_with(|config| {
            config.webhooks.plain_http = false;
            config.webhooks.allowed_hosts = vec!["told.example".to_owned()];
        }).await;
        let admin = app.staff("admin").await.at(&strict);
        let path = of_the_village(&app).await;
        for (url, fault) in [
            ("http://told.example/", "https_required"),
            ("https://elsewhere.example/", "host_not_allowed"),
            ("https://127.0.0.1/", "host_not_allowed"),
            ("https://a:b@told.example/", "format"),
            ("told.example", "format"),
        ] {
            admin.post(&path, json!({"url": url})).await.invalid("/url", fault);
        }
        admin.post(&path, json!({"url": "https://told.example/hook"})).await.expect(201);
        // What configuration allowed once it may forbid later.
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        filed(&app, &app.villager("甲").await).await;
        told(&strict).await;
        assert!(receiver.heard().is_empty());
        assert_eq!(deliveries(&admin, &webhook).await[0]["error"], "host_not_allowed");
        receiver.stop().await;
    }

    async fn redirects_are_not_followed(app: TestApp) {
        let (receiver, other) = (Receiver::start(), Receiver::start());
        receiver.replies([Reply { header: Some(("location", other.url.clone())), ..Reply::of(307) }]);
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        filed(&app, &app.villager("甲").await).await;
        told(&app).await;
        assert!(other.heard().is_empty());
        let failed = deliveries(&app.staff("admin").await, &webhook).await;
        assert_eq!((&failed[0]["error"], &failed[0]["status"]), (&json!("redirect"), &json!(307)));
        for receiver in [receiver, other] {
            receiver.stop().await;
        }
    }
}
