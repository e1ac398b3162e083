//! What the operator asks.

use reqwest::Method;
use sea_orm::ConnectionTrait;

both_engines! {
    async fn the_process_says_that_it_is_up_and_ready(app: TestApp) {
        let nobody = app.nobody();
        assert_eq!(nobody.call(Method::GET, "/healthz").send().await.expect(200)["status"], "ok");
        let ready = nobody.call(Method::GET, "/readyz").send().await.expect(200);
        assert_eq!(ready["status"], "ok");
        assert_eq!(ready["engine"], app.db().engine());
    }

    async fn with_a_migration_missing_it_is_up_but_not_ready(app: TestApp) {
        let forget = "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)";
        app.db()
            .transact(async move |tx| {
                tx.execute_unprepared(forget).await?;
                Ok(())
            })
            .await
            .unwrap();
        let nobody = app.nobody();
        nobody.call(Method::GET, "/healthz").send().await.expect(200);
        let answer = nobody.call(Method::GET, "/readyz").send().await;
        assert_ne!(answer.header("retry-after"), "");
        let body = answer.expect(503);
        assert_eq!((&body["database"], &body["migrations"]), (&true.into(), &false.into()));
    }

    async fn calls_are_counted_by_route_not_by_address(app: TestApp) {
        let village = app.village().await;
        app.nobody().get(&format!("/divisions/{village}")).await.expect(200);
        let text = app.nobody().call(Method::GET, "/metrics").send().await.text();
        // Counters are of the process: where tests share one, there are lines of others too.
        let counted = text.lines().any(|line| {
            let wanted = ["shuoshi_http_requests_total", "route=\"/api/v1/divisions/{division}\"", "status=\"200\""];
            wanted.iter().all(|part| line.contains(part))
        });
        assert!(counted, "{text}");
        assert!(!text.contains(&village.to_string()), "an id became a label");
    }

    async fn the_contract_and_its_reader_need_no_network(app: TestApp) {
        let nobody = app.nobody();
        let document = nobody.call(Method::GET, "/openapi.json").send().await.expect(200);
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let docs = nobody.call(Method::GET, "/docs/").send().await;
        assert_eq!(docs.status, 200);
        assert!(docs.text().contains("swagger"), "{}", docs.text());
        assert!(!docs.text().contains("https://"), "{}", docs.text());
        nobody.call(Method::GET, "/docs").send().await.expect(200);
    }

    async fn a_code_is_explained(app: TestApp) {
        let explained = app.nobody().call(Method::GET, "/problems/slot_full").send().await.expect(200);
        assert_eq!((&explained["code"], &explained["status"]), (&"slot_full".into(), &409.into()));
        app.nobody().call(Method::GET, "/problems/no_such_code").send().await.problem("not_found");
    }

}
