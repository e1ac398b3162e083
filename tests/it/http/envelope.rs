//! Failures and headers.

use reqwest::Method;

use crate::support::Answer;

both_engines! {
    async fn a_failure_speaks_chinese_and_english_on_demand(app: TestApp) {
        let chinese = app.nobody().get("/inbox").await.problem("sign_in_required");
        let english = app.nobody().with_language("en-GB,zh;q=0.3").get("/inbox").await.problem("sign_in_required");
        assert_eq!(chinese["instance"], "/api/v1/inbox");
        for member in ["title", "detail"] {
            assert!(!chinese[member].as_str().unwrap().is_ascii(), "{}", chinese[member]);
            assert!(english[member].as_str().unwrap().is_ascii(), "{}", english[member]);
        }
    }

    async fn an_unknown_address_is_not_found(app: TestApp) {
        for path in ["/no-such-thing", "/divisions/not-an-id", "/divisions/01890000-0000-7000-8000-000000000000"] {
            app.nobody().get(path).await.problem("not_found");
        }
        app.nobody().call(Method::GET, "/").send().await.problem("not_found");
    }

    async fn a_method_an_address_does_not_take_names_those_it_does(app: TestApp) {
        let answer = app.nobody().delete("/divisions").await;
        assert_eq!(answer.header("allow"), "GET");
        answer.problem("method_not_allowed");
        let answer = app.nobody().get("/auth/staff").await;
        assert_eq!(answer.header("allow"), "POST");
        answer.problem("method_not_allowed");
    }

    async fn a_request_keeps_its_name_or_gets_one(app: TestApp) {
        let named = |name: &'static str| {
            let call = app.nobody().call(Method::GET, "/healthz").header("X-Request-Id", name);
            async move { call.send().await.header("x-request-id").to_owned() }
        };
        assert_eq!(named("a-name-of-my-own.1").await, "a-name-of-my-own.1");
        for unfit in ["short", "with spaces in it", "a\tb-c-d-e-f"] {
            assert_ne!(named(unfit).await, unfit);
        }
        assert_ne!(named("short").await, named("short").await);
    }

    async fn every_answer_carries_the_headers_that_protect_a_browser(app: TestApp) {
        let nobody = app.nobody();
        let good = nobody.get("/divisions?limit=1").await;
        let bad = nobody.get("/no-such-thing").await;
        let outside = nobody.call(Method::GET, "/openapi.json").send().await;
        for answer in [good, bad, outside] {
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", answer.call);
            assert_eq!(answer.header("x-frame-options"), "DENY", "{}", answer.call);
            assert!(answer.header("content-security-policy").contains("default-src 'self'"), "{}", answer.call);
            assert!(answer.header("strict-transport-security").starts_with("max-age="), "{}", answer.call);
            assert_ne!(answer.header("cache-control"), "", "{}", answer.call);
        }
    }

    async fn what_did_not_change_is_not_sent_again(app: TestApp) {
        let path = format!("/api/v1/divisions/{}", app.village().await);
        let ask = |tag: String| {
            let call = app.nobody().call(Method::GET, &path).header("If-None-Match", &tag);
            async move { call.send().await }
        };
        let first = app.nobody().call(Method::GET, &path).send().await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        let again = ask(tag.clone()).await;
        assert_eq!((again.status, again.bytes.len(), again.header("etag")), (304, 0, tag.as_str()));
        assert_eq!(ask(format!("\"other\", {tag}")).await.status, 304);
        assert_eq!(ask("\"other\"".to_owned()).await.status, 200);
    }

    async fn large_answers_are_compressed_when_asked_and_small_ones_never(app: TestApp) {
        let nobody = app.nobody();
        let ask = |path: &str, how: &str| nobody.call(Method::GET, path).header("Accept-Encoding", how).send();
        let large = "/api/v1/divisions?limit=50";
        let plain: Answer = nobody.call(Method::GET, large).send().await;
        assert_eq!(plain.header("content-encoding"), "");
        assert!(plain.bytes.len() > 1024);
        let gzip = ask(large, "gzip").await;
        assert_eq!((gzip.header("content-encoding"), &gzip.bytes[..2]), ("gzip", &[0x1f, 0x8b][..]));
        assert!(gzip.bytes.len() * 2 < plain.bytes.len());
        let brotli = ask(large, "br, gzip;q=0.5").await;
        assert_eq!(brotli.header("content-encoding"), "br");
        assert!(brotli.header("vary").to_lowercase().contains("accept-encoding"), "{}", brotli.header("vary"));
        let small = ask("/api/v1/divisions?limit=1", "gzip, br").await;
        assert_eq!(small.header("content-encoding"), "");
        small.expect(200);
    }
}
