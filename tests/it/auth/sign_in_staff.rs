//! POST /auth/staff

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shuoshi::demo::PASSWORD;

use crate::support::{Answer, TestApp};

async fn try_in(app: &TestApp, username: &str, password: &str) -> Answer {
    app.nobody().post("/auth/staff", json!({"username": username, "password": password})).await
}

/// What an answer says, without what is of this one call.
fn said(answer: Answer) -> Value {
    let mut body = answer.problem("bad_credentials");
    body.as_object_mut().unwrap().remove("request_id");
    body
}

both_engines! {
    async fn the_right_password_signs_in_with_postings(app: TestApp) {
        let desk = app.staff("desk").await;
        let postings = desk.session["staff"]["postings"].as_array().unwrap();
        assert_eq!(postings.len(), 1);
        assert_eq!(postings[0]["division"], json!(app.village().await));
        assert!(postings[0]["duties"].as_array().unwrap().contains(&json!("accept_cases")));
        assert!(desk.session.get("person").is_none());
        try_in(&app, " DESK ", PASSWORD).await.expect(200);
    }

    async fn an_unknown_name_and_a_wrong_password_look_the_same(app: TestApp) {
        let wrong = said(try_in(&app, "desk", "wrong").await);
        let unknown = said(try_in(&app, "nobody-of-this-name", "wrong").await);
        assert_eq!(wrong, unknown);
    }

    async fn five_failures_shut_the_account_for_a_quarter_of_an_hour(app: TestApp) {
        for _ in 0..5 {
            try_in(&app, "desk", "wrong").await.problem("bad_credentials");
        }
        let shut = try_in(&app, "desk", PASSWORD).await;
        let wait: i64 = shut.header("retry-after").parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        shut.problem("too_many_requests");
        try_in(&app, "cadre", PASSWORD).await.expect(200);
        app.advance(TimeDelta::seconds(wait - 1));
        try_in(&app, "desk", PASSWORD).await.problem("too_many_requests");
        app.advance(TimeDelta::seconds(1));
        try_in(&app, "desk", PASSWORD).await.expect(200);
    }

    async fn success_forgets_earlier_failures(app: TestApp) {
        for _ in 0..4 {
            try_in(&app, "desk", "wrong").await.problem("bad_credentials");
        }
        try_in(&app, "desk", PASSWORD).await.expect(200);
        for _ in 0..4 {
            try_in(&app, "desk", "wrong").await.problem("bad_credentials");
        }
        try_in(&app, "desk", PASSWORD).await.expect(200);
    }

    async fn twenty_guesses_at_once_are_still_five(app: TestApp) {
        let answers = join_all((0..20).map(|_| try_in(&app, "desk", "wrong"))).await;
        let judged = answers.iter().filter(|answer| answer.status == 401).count();
        let shut = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!((judged, shut), (5, 15));
    }

    async fn guesses_through_two_servers_are_counted_together(app: TestApp) {
        let other = app.second_server().await;
        for server in [&app, &other, &app, &other, &app] {
            try_in(server, "desk", "wrong").await.problem("bad_credentials");
        }
        try_in(&other, "desk", PASSWORD).await.problem("too_many_requests");
    }
}
