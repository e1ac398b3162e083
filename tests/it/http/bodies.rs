//! Bodies that are not what they should be.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestApp};

const PATH: &str = "/api/v1/auth/staff";

async fn send(app: &TestApp, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    app.nobody().call(Method::POST, PATH).body(kind, body).send().await
}

both_engines! {
    async fn what_is_no_json_is_malformed(app: TestApp) {
        for body in ["{", "{\"username\":}", "nonsense", "\u{feff}{}", "{\"username\":\"a\"} trailing"] {
            send(&app, "application/json", body).await.problem("malformed");
        }
        send(&app, "application/json", vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}']).await.problem("malformed");
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        send(&app, "application/json", deep).await.problem("malformed");
    }

    async fn another_kind_of_body_is_not_taken(app: TestApp) {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"] {
            send(&app, kind, "{}").await.problem("unsupported_media_type");
        }
        send(&app, "Application/JSON; charset=utf-8", "{}").await.invalid("/username", "required");
    }

    async fn a_body_over_the_limit_is_too_large(app: TestApp) {
        let limit = app.app().config.http.body_limit;
        let of = |bytes: usize| {
            let frame = json!({"username": "", "password": "x"}).to_string().len();
            json!({"username": "a".repeat(bytes - frame), "password": "x"}).to_string()
        };
        send(&app, "application/json", of(limit)).await.invalid("/username", "length");
        send(&app, "application/json", of(limit + 1)).await.problem("too_large");
    }

    async fn a_wrong_field_is_pointed_at(app: TestApp) {
        let nobody = app.nobody();
        nobody.post("/auth/staff", json!({"username": "a"})).await.invalid("/password", "required");
        let unknown = json!({"username": "a", "password": "b", "passwort": "c"});
        nobody.post("/auth/staff", unknown).await.invalid("/passwort", "unknown_field");
        nobody.post("/auth/staff", json!({"username": 1, "password": "b"})).await.invalid("/username", "type");
        nobody.post("/auth/staff", json!([])).await.problem("invalid");
        nobody.post("/auth/staff", json!(null)).await.problem("invalid");
    }

    async fn characters_that_cannot_be_seen_are_refused(app: TestApp) {
        for hidden in ["a\u{0}b", "a\u{202e}b", "a\u{1b}[31m", "a\u{7f}b", "\u{85}"] {
            let body = json!({"username": hidden, "password": "x"});
            app.nobody().post("/auth/staff", body).await.invalid("/username", "control_characters");
        }
        app.nobody().get("/divisions?q=%00").await.invalid("?", "control_characters");
        app.nobody().get("/divisions?q=%E2%80%AE").await.invalid("?", "control_characters");
    }
}
