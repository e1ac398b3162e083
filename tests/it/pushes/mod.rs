//! What WeChat pushes.

pub mod receive;
mod verify;

pub use receive::left;

use reqwest::Method;
use serde_json::{Value, json};
use shuoshi::{config::Config, wechat::push::Inbox};

use crate::support::{Answer, TestApp, database::config_on};

/// The template of talk days: one message for each accept.
pub const ONE_TIME: &str = "shuoshi-demo-talk-day-template-000000000002";
/// The template of progress: accepted once for many.
pub const LONG_TERM: &str = "shuoshi-demo-progress-template-000000000001";

/// Signs and seals as WeChat does.
pub fn wechat() -> Inbox {
    let Config { wechat, .. } = config_on("sqlite://none");
    Inbox::new(&wechat.push_token, &wechat.push_aes_key, &wechat.app_id).unwrap()
}

/// A push of the simulator; says how it went.
pub async fn pushed(app: &TestApp, mode: &str, format: &str, message: Value) -> Value {
    app.simulator("push", json!({"mode": mode, "format": format, "message": message})).await
}

/// Likewise safe and in JSON, taken at the first attempt; then it has its effect.
pub async fn event(app: &TestApp, message: Value) {
    let outcome = pushed(app, "safe", "json", message).await;
    assert_eq!((&outcome["delivered"], &outcome["attempts"]), (&json!(true), &json!(1)), "{outcome}");
    app.drain_jobs().await;
}

/// What somebody answered in the popup.
pub fn popup(openid: &str, template: &str, answer: &str, at: i64) -> Value {
    json!({
        "FromUserName": openid, "CreateTime": at.to_string(), "MsgType": "event", "Event": "subscribe_msg_popup_event",
        "List": {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": "0"},
    })
}

/// A raw call of the address.
pub async fn call(app: &TestApp, method: Method, query: &[(&str, &str)], body: &str) -> Answer {
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('%', "%25").replace('+', "%2B").replace('&', "%26")))
        .collect();
    let call = app.nobody().call(method, &format!("/wechat/push?{}", query.join("&")));
    call.body("text/xml", body.to_owned()).send().await
}
