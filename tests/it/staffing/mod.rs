//! Staffing: accounts and their places, second factors, cover, conflicts of interest, dismissal.

mod absences;
mod accounts;
mod conflicts;
mod dismissal;
mod own_account;
mod second_factor;
mod sign_in_wecom;
mod units;

use entity::id::DivisionId;
use serde_json::{Value, json};
use shuoshi::{auth::totp, demo::PASSWORD};

use crate::support::{Actor, TestApp};

/// Statistical codes of the township and the county of the demonstration village, and of the village beside it.
pub(super) const TOWNSHIP: &str = "511702108000";
pub(super) const COUNTY: &str = "511702000000";
pub(super) const NEIGHBOUR: &str = "511702108213";

/// A posting as a body names it.
pub(super) fn posting(division: DivisionId, duties: &[&str]) -> Value {
    json!({"division": division, "duties": duties})
}

/// An account to be, whose password is that of the demonstration.
pub(super) fn to_be(username: &str, postings: &[Value]) -> Value {
    json!({"username": username, "password": PASSWORD, "name": format!("样例 {username}"), "postings": postings})
}

/// Makes an account and answers it.
pub(super) async fn made(by: &Actor, username: &str, postings: &[Value]) -> Value {
    by.post("/staff/accounts", to_be(username, postings)).await.expect(201)
}

/// Somebody new who works in the demonstration village, signed in.
pub(super) async fn clerk(app: &TestApp, username: &str) -> Actor {
    let postings = [posting(app.village().await, &["handle_cases", "assign_cases"])];
    made(&app.staff("admin").await, username, &postings).await;
    app.staff(username).await
}

/// Enrols an authenticator and confirms it; answers its secret.
pub(super) async fn enrolled(app: &TestApp, who: &Actor) -> String {
    let enrolment = who.post("/staff/me/totp", json!({})).await.expect(200);
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let code = totp::code_at(&secret, app.now()).unwrap();
    who.post("/staff/me/totp/confirm", json!({"code": code})).await.expect(204);
    secret
}

/// Somebody new in a place above a village, signed in with two factors.
pub(super) async fn officer(app: &TestApp, username: &str, division: &str, duties: &[&str]) -> Actor {
    made(&app.staff("admin").await, username, &[posting(app.division(division).await, duties)]).await;
    let officer = app.staff(username).await;
    enrolled(app, &officer).await;
    officer
}

/// The address of an account.
pub(super) fn account(id: &Value) -> String {
    format!("/staff/accounts/{}", id.as_str().unwrap())
}
