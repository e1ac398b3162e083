//! The second factor: enrolled, asked for, good once, and without it nothing opens above the village.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shuoshi::{auth::totp, demo::PASSWORD};

use super::{TOWNSHIP, account, clerk, enrolled, made, posting};
use crate::support::{Answer, TestApp};

async fn sign_in(app: &TestApp, username: &str, password: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"username": username, "password": password});
    if let Some(code) = code {
        body["totp"] = json!(code);
    }
    app.nobody().post("/auth/staff", body).await
}

fn code(app: &TestApp, secret: &str) -> String {
    totp::code_at(secret, app.now()).unwrap()
}

fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect()
}

both_engines! {
    async fn above_the_village_nothing_opens_without_it(app: TestApp) {
        let town = app.division(TOWNSHIP).await;
        let admin = app.staff("admin").await;
        made(&admin, "officer", &[posting(town, &["accept_cases", "manage_talks", "manage_accounts"])]).await;
        let officer = app.staff("officer").await;
        for path in ["/staff/cases", "/staff/units", "/staff/accounts", "/staff/absences"] {
            officer.get(path).await.problem("second_factor_required");
        }
        officer.post("/staff/units", json!({"division": town, "kind": "department", "name": "办"})).await.problem("second_factor_required");
        assert_eq!(officer.get("/staff/me").await.expect(200)["second_factor_missing"], true);
        let secret = enrolled(&app, &officer).await;
        officer.get("/staff/cases").await.expect(200);
        let me = officer.get("/staff/me").await.expect(200);
        assert_eq!((&me["second_factor"], &me["second_factor_missing"]), (&json!("totp"), &json!(false)));
        // The next session shows it at the door.
        app.advance(TimeDelta::seconds(30));
        let session = sign_in(&app, "officer", PASSWORD, Some(&code(&app, &secret))).await.expect(200);
        let again = app.nobody().signed_in("officer", session);
        again.get("/staff/cases").await.expect(200);
        // And a refreshed one keeps it.
        let body = json!({"refresh_token": again.session["refresh_token"]});
        let fresh = app.nobody().post("/auth/refresh", body).await.expect(200);
        app.nobody().signed_in("officer", fresh).get("/staff/cases").await.expect(200);
        again.post("/auth/logout", json!({})).await.expect(204);
    }

    async fn one_posting_above_the_village_is_enough_to_need_it(app: TestApp) {
        let admin = app.staff("admin").await;
        let (village, town) = (app.village().await, app.division(TOWNSHIP).await);
        let clerk = clerk(&app, "clerk").await;
        clerk.get("/staff/cases").await.expect(200);
        let more = [posting(village, &["handle_cases", "assign_cases"]), posting(town, &["supervise"])];
        admin.put(&account(&json!(clerk.id())), json!({"postings": more})).await.expect(200);
        clerk.get("/staff/cases").await.problem("second_factor_required");
    }

    async fn the_code_is_asked_for_only_after_the_right_password(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let secret = enrolled(&app, &clerk).await;
        app.advance(TimeDelta::seconds(30));
        sign_in(&app, "clerk", "a wrong password", None).await.problem("bad_credentials");
        sign_in(&app, "clerk", "a wrong password", Some(&code(&app, &secret))).await.problem("bad_credentials");
        sign_in(&app, "clerk", PASSWORD, None).await.problem("totp_required");
        sign_in(&app, "clerk", PASSWORD, Some(&wrong(&code(&app, &secret)))).await.problem("bad_credentials");
        sign_in(&app, "clerk", PASSWORD, Some(&code(&app, &secret))).await.expect(200);
    }

    async fn a_code_is_good_once(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let secret = enrolled(&app, &clerk).await;
        sign_in(&app, "clerk", PASSWORD, Some(&code(&app, &secret))).await.problem("bad_credentials");
        app.advance(TimeDelta::seconds(30));
        let now = code(&app, &secret);
        sign_in(&app, "clerk", PASSWORD, Some(&now)).await.expect(200);
        sign_in(&app, "clerk", PASSWORD, Some(&now)).await.problem("bad_credentials");
        app.advance(TimeDelta::seconds(30));
        // Also an older one, once a younger was used.
        let other = app.second_server().await;
        let (old, young) = (totp::code_at(&secret, app.now()).unwrap(), totp::code_at(&secret, app.now() + TimeDelta::seconds(30)).unwrap());
        sign_in(&other, "clerk", PASSWORD, Some(&young)).await.expect(200);
        sign_in(&app, "clerk", PASSWORD, Some(&old)).await.problem("bad_credentials");
    }

    async fn of_two_sign_ins_with_one_code_one_passes(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let secret = enrolled(&app, &clerk).await;
        let other = app.second_server().await;
        app.advance(TimeDelta::seconds(30));
        let now = code(&app, &secret);
        let tries = [&app, &other, &app].map(|server| sign_in(server, "clerk", PASSWORD, Some(&now)));
        let answers = join_all(tries).await;
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(passed, 1, "{answers:?}");
    }

    async fn guesses_of_a_code_shut_the_account_and_asking_for_it_does_not_open_it(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let secret = enrolled(&app, &clerk).await;
        app.advance(TimeDelta::seconds(60));
        for _ in 0..8 {
            sign_in(&app, "clerk", PASSWORD, None).await.problem("totp_required");
        }
        for _ in 0..4 {
            sign_in(&app, "clerk", PASSWORD, Some(&wrong(&code(&app, &secret)))).await.problem("bad_credentials");
        }
        // The right password alone forgives no guess.
        sign_in(&app, "clerk", PASSWORD, None).await.problem("totp_required");
        sign_in(&app, "clerk", PASSWORD, Some(&wrong(&code(&app, &secret)))).await.problem("bad_credentials");
        sign_in(&app, "clerk", PASSWORD, Some(&code(&app, &secret))).await.problem("too_many_requests");
    }

    async fn a_secret_counts_once_it_was_confirmed_and_is_shown_once(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        clerk.post("/staff/me/totp/confirm", json!({"code": "123456"})).await.problem("totp_invalid");
        let first = clerk.post_keyed("/staff/me/totp", "key-of-totp", json!({})).await.expect(200);
        let uri = first["uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/Shuoshi:clerk?secret=") && uri.contains(first["secret"].as_str().unwrap()));
        sign_in(&app, "clerk", PASSWORD, None).await.expect(200);
        let second = clerk.post_keyed("/staff/me/totp", "key-of-totp", json!({})).await;
        assert_eq!(second.header("idempotency-replayed"), "");
        let second = second.expect(200);
        assert_ne!(first["secret"], second["secret"], "a repeat is another secret, never the same again");
        assert_eq!(app.number("SELECT COUNT(*) FROM idempotent_answer").await, 0);
        let confirm = |secret: &Value| json!({"code": code(&app, secret.as_str().unwrap())});
        clerk.post("/staff/me/totp/confirm", confirm(&first["secret"])).await.problem("totp_invalid");
        clerk.post("/staff/me/totp/confirm", confirm(&second["secret"])).await.expect(204);
        clerk.post("/staff/me/totp", json!({})).await.problem("totp_already_set");
        clerk.post("/staff/me/totp/confirm", confirm(&second["secret"])).await.problem("totp_already_set");
        let sealed = format!("SELECT COUNT(*) FROM staff WHERE totp_secret LIKE '%{}%'", second["secret"].as_str().unwrap());
        assert_eq!(app.number(&sealed).await, 0, "it is sealed");
    }

    async fn whoever_was_in_with_a_password_alone_is_out_once_there_is_a_second_factor(app: TestApp) {
        let (here, elsewhere) = (clerk(&app, "clerk").await, app.staff("clerk").await);
        enrolled(&app, &here).await;
        elsewhere.get("/staff/me").await.problem("session_ended");
        here.get("/staff/cases").await.expect(200);
    }

    async fn a_lost_authenticator_is_reset_by_the_administrator(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        enrolled(&app, &clerk).await;
        let path = account(&json!(clerk.id()));
        let admin = app.staff("admin").await;
        assert_eq!(admin.get(&path).await.expect(200)["totp"], true);
        assert_eq!(admin.put(&path, json!({"reset_totp": true})).await.expect(200)["totp"], false);
        clerk.get("/staff/me").await.problem("session_ended");
        let again = app.staff("clerk").await;
        assert_eq!(again.get("/staff/me").await.expect(200)["second_factor"], "none");
        enrolled(&app, &again).await;
    }
}
