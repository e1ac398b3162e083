//! What comes in from outside: origins, claims, proxies.

use actix_web::{
    HttpRequest, HttpResponse,
    middleware::from_fn,
    test::{TestRequest, call_and_read_body, init_service},
    web::{self, Data},
};
use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

/// The names of the headers that a handler sees behind the envelope.
async fn seen_by_a_handler(app: &TestApp) -> String {
    let names = async |req: HttpRequest| {
        let names: Vec<&str> = req.headers().keys().map(actix_web::http::header::HeaderName::as_str).collect();
        HttpResponse::Ok().body(names.join(" "))
    };
    let service = actix_web::App::new()
        .app_data(Data::from(app.app().clone()))
        .default_service(web::to(names))
        .wrap(from_fn(shuoshi::http::envelope));
    let service = init_service(service).await;
    let call = TestRequest::get()
        .uri("/")
        .insert_header(("X-WX-OPENID", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"))
        .insert_header(("x-wx-source", "wx_client"))
        .insert_header(("X-Other", "kept"));
    String::from_utf8(call_and_read_body(&service, call.to_request()).await.to_vec()).unwrap()
}

both_engines! {
    async fn nobody_is_let_in_from_another_origin(app: TestApp) {
        let nobody = app.nobody();
        let from_elsewhere = |method: Method, path: &str| {
            nobody
                .call(method, path)
                .header("Origin", "https://example.com")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization")
        };
        for (method, path) in [
            (Method::OPTIONS, "/api/v1/cases"),
            (Method::GET, "/api/v1/divisions?limit=1"),
            (Method::GET, "/api/v1/me"),
            (Method::GET, "/no-such-thing"),
            (Method::GET, "/openapi.json"),
            (Method::OPTIONS, "/healthz"),
        ] {
            let answer = from_elsewhere(method, path).send().await;
            let allowed: Vec<_> = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
            assert!(allowed.is_empty(), "{}: {allowed:?}", answer.call);
        }
    }

    async fn claims_of_cloud_run_are_dropped_where_it_does_not_stand(app: TestApp) {
        let seen = seen_by_a_handler(&app).await;
        assert!(seen.contains("x-other") && !seen.contains("x-wx"), "{seen}");
        let behind = app.second_server_with(|config| config.http.cloud_run = true).await;
        let seen = seen_by_a_handler(&behind).await;
        assert!(seen.contains("x-wx-openid") && seen.contains("x-wx-source"), "{seen}");
    }

    async fn a_trusted_proxy_says_whose_failures_are_counted_and_nobody_else_does(app: TestApp) {
        let track = async |server: &TestApp, through: &str| {
            let call = server.nobody().call(Method::POST, "/api/v1/track").header("X-Forwarded-For", through);
            call.json(json!({"number": "0000000000", "phone_tail": "0000"})).send().await.status
        };
        let behind = app
            .second_server_with(|config| {
                config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
                config.auth.throttle.track_failures_per_address = 2;
                config.auth.throttle.spare_loopback = false;
            })
            .await;
        for (through, status) in [
            ("192.0.2.1", 404),
            ("192.0.2.1:4711, 10.0.0.7", 404),
            ("6.6.6.6, 192.0.2.1, 10.0.0.7, 10.0.0.8:80", 429),
            ("192.0.2.2", 404),
            ("2001:db8::1", 404),
            ("[2001:db8::2]:443", 404),
            ("2001:db8::3", 429),
            ("2001:db8:0:1::1", 404),
        ] {
            assert_eq!(track(&behind, through).await, status, "{through}");
        }
        let open = app
            .second_server_with(|config| {
                config.auth.throttle.track_failures_per_address = 2;
                config.auth.throttle.spare_loopback = false;
            })
            .await;
        assert_eq!(track(&open, "192.0.2.77").await, 404);
        assert_eq!(track(&open, "192.0.2.78").await, 404);
        assert_eq!(track(&open, "192.0.2.79").await, 429, "who is not trusted is not believed");
    }

    async fn what_looks_the_same_is_found_and_kept_the_same(app: TestApp) {
        let me = app.villager("甲").await;
        me.put("/me", json!({"name": "Lu\u{308}"})).await.expect(200);
        assert_eq!(me.get("/me").await.expect(200)["name"], "L\u{fc}");
        // 碑 written as the compatibility ideograph U+FA4B.
        let found = app.nobody().get("/divisions?q=%EF%A9%8B%E5%BA%99").await.expect(200);
        assert_eq!(found["items"], app.nobody().get("/divisions?q=%E7%A2%91%E5%BA%99").await.expect(200)["items"]);
        assert!(!found["items"].as_array().unwrap().is_empty());
    }
}
