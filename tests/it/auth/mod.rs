//! Signing in, staying signed in, and every way not to.

mod sign_in_staff;
mod sign_in_wechat;
mod tokens;

use crate::support::{Actor, TestApp};

/// Asks the smallest thing only a signed-in villager gets.
async fn knock(me: &Actor) -> crate::support::Answer {
    me.get("/inbox").await
}

/// A server on which access tokens live as long as the product says.
async fn with_short_tokens(app: &TestApp) -> TestApp {
    app.second_server_with(|config| config.auth.access_minutes = 30).await
}
