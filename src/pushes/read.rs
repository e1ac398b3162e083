//! What a pushed message says: whose it is, what makes it this one and no other, what it tells.
//!
//! Numbers may be texts, a list of one the thing itself, and XML nests under the event's name what JSON has on top
//! (消息.md): nothing here trusts a type. Next: [`super::process`].

use chrono::DateTime;
use entity::Instant;
use serde_json::Value;

/// The most things of a list that are looked at.
const ITEMS: usize = 50;
/// The longest name of a kind that is kept.
const KIND: usize = 64;

/// An answer to a template, as the popup or the settings of a phone told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) template_id: String,
    pub(super) accepted: bool,
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// The template.
    pub template_id: String,
    /// WeChat's number of the message.
    pub message_id: String,
    /// 0 where it arrived.
    pub error_code: i64,
}

/// What was found in a picture or a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaVerdict {
    /// Of the question.
    pub trace_id: String,
    /// 0 where there is a verdict; -1008 where WeChat could not fetch the file.
    pub error_code: i64,
    /// `pass`, `review` or `risky`.
    pub suggest: String,
    /// 100 where there is nothing.
    pub label: i64,
}

/// What a message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Somebody answered when they were asked.
    Popup(Vec<Answered>),
    /// Somebody switched templates off, or on again.
    Changed(Vec<Answered>),
    /// Messages arrived, or did not.
    Sent(Vec<SentMessage>),
    /// A check of a file is done.
    Checked(MediaVerdict),
    /// Nothing that anybody here knows.
    Else,
}

fn text(of: &Value, name: &str) -> String {
    match of.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn number(of: &Value, name: &str) -> Option<i64> {
    text(of, name).parse().ok()
}

/// The things of `List`, wherever it stands.
fn items<'a>(message: &'a Value, wrapper: &str) -> Vec<&'a Value> {
    let nested = || message.get(wrapper).and_then(|inner| inner.get("List"));
    match message.get("List").or_else(nested) {
        Some(Value::Array(items)) => items.iter().take(ITEMS).collect(),
        Some(item @ Value::Object(_)) => vec![item],
        _ => vec![],
    }
}

const WRAPPERS: [(&str, &str); 3] = [
    ("subscribe_msg_popup_event", "SubscribeMsgPopupEvent"),
    ("subscribe_msg_change_event", "SubscribeMsgChangeEvent"),
    ("subscribe_msg_sent_event", "SubscribeMsgSentEvent"),
];

fn wrapper(event: &str) -> &'static str {
    WRAPPERS.iter().find(|(known, _)| *known == event).map_or("", |(_, wrapper)| wrapper)
}

/// The event, or the kind of message.
pub(super) fn kind(message: &Value) -> String {
    let event = text(message, "Event");
    let kind = if event.is_empty() { text(message, "MsgType") } else { event };
    kind.chars().filter(|letter| !letter.is_control()).take(KIND).collect()
}

/// The openid of who it is about.
pub(super) fn sender(message: &Value) -> String {
    text(message, "FromUserName")
}

/// When it happened.
pub(super) fn happened_at(message: &Value) -> Option<Instant> {
    DateTime::from_timestamp(number(message, "CreateTime")?, 0)
}

/// What makes the verdict on a file this one.
pub(super) fn of_trace(trace: &str) -> String {
    format!("trace {trace}")
}

/// What makes it this message and no other. Messages have an id; a check of a file its trace; of other events the sender,
/// the second and what the list is about, since one second may hold several.
pub(super) fn identity(message: &Value, whole: &str) -> String {
    let (sender, event) = (sender(message), kind(message));
    let (id, trace) = (text(message, "MsgId"), text(message, "trace_id"));
    if !trace.is_empty() {
        return of_trace(&trace);
    }
    if !id.is_empty() {
        return format!("message {sender} {id}");
    }
    let at = text(message, "CreateTime");
    if at.is_empty() || text(message, "Event").is_empty() {
        return format!("text {whole}");
    }
    let about = |item: &&Value| ["TemplateId", "MsgID", "SubscribeStatusString"].map(|name| text(item, name)).join(",");
    let about: Vec<String> = items(message, wrapper(&event)).iter().map(about).collect();
    format!("event {sender} {at} {event} {}", about.join(" "))
}

/// What it tells.
pub(super) fn told(message: &Value) -> Told {
    let event = kind(message);
    let items = items(message, wrapper(&event));
    let answers = || items.iter().filter_map(|item| answered(item)).collect();
    match event.as_str() {
        "subscribe_msg_popup_event" => Told::Popup(answers()),
        "subscribe_msg_change_event" => Told::Changed(answers()),
        "subscribe_msg_sent_event" => Told::Sent(items.iter().map(|item| sent(item)).collect()),
        "wxa_media_check" => verdict(message).map_or(Told::Else, Told::Checked),
        _ => Told::Else,
    }
}

fn answered(item: &Value) -> Option<Answered> {
    let accepted = match text(item, "SubscribeStatusString").as_str() {
        "accept" => true,
        "reject" => false,
        _ => return None,
    };
    Some(Answered { template_id: text(item, "TemplateId"), accepted })
}

fn sent(item: &Value) -> SentMessage {
    SentMessage {
        template_id: text(item, "TemplateId"),
        message_id: text(item, "MsgID"),
        error_code: number(item, "ErrorCode").unwrap_or(0),
    }
}

/// An `errcode` that is not there means that there is a verdict.
fn verdict(message: &Value) -> Option<MediaVerdict> {
    let trace_id = text(message, "trace_id");
    let result = message.get("result").unwrap_or(&Value::Null);
    (!trace_id.is_empty()).then(|| MediaVerdict {
        trace_id,
        error_code: number(message, "errcode").unwrap_or(0),
        suggest: text(result, "suggest"),
        label: number(result, "label").unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_found_in_json_and_xml_and_may_be_one_thing() {
        let answer = |accepted| Answered { template_id: "T".to_owned(), accepted };
        let item = json!({"TemplateId": "T", "SubscribeStatusString": "accept", "PopupScene": "0"});
        for list in [item.clone(), json!([item])] {
            let on_top = json!({"Event": "subscribe_msg_popup_event", "List": list});
            assert_eq!(told(&on_top), Told::Popup(vec![answer(true)]));
            let nested = json!({"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": list}});
            assert_eq!(told(&nested), Told::Popup(vec![answer(true)]));
        }
        let off = json!({"TemplateId": "T", "SubscribeStatusString": "reject"});
        let off = json!({"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": [off, 7, {}]}});
        assert_eq!(told(&off), Told::Changed(vec![answer(false)]));
    }

    #[test]
    fn labels_and_codes_are_read_as_numbers_or_texts() {
        let check = |label: Value, errcode: Value| {
            told(&json!({
                "Event": "wxa_media_check", "trace_id": "t", "errcode": errcode,
                "result": {"suggest": "risky", "label": label},
            }))
        };
        let verdict =
            MediaVerdict { trace_id: "t".to_owned(), error_code: 0, suggest: "risky".to_owned(), label: 20002 };
        assert_eq!(check(json!("20002"), Value::Null), Told::Checked(verdict.clone()));
        assert_eq!(check(json!(20002), json!(0)), Told::Checked(verdict.clone()));
        let failed = MediaVerdict { error_code: -1008, ..verdict };
        assert_eq!(check(json!(20002), json!("-1008")), Told::Checked(failed));
        assert_eq!(told(&json!({"Event": "wxa_media_check"})), Told::Else);
        assert_eq!(told(&json!([1])), Told::Else);
    }

    #[test]
    fn pushes_of_one_second_are_told_apart_by_what_they_are_about() {
        let of = |template: &str, status: &str| {
            json!({
                "FromUserName": "o", "CreateTime": "1", "Event": "subscribe_msg_popup_event",
                "List": {"TemplateId": template, "SubscribeStatusString": status},
            })
        };
        assert_eq!(identity(&of("A", "accept"), "x"), identity(&of("A", "accept"), "y"));
        assert_ne!(identity(&of("A", "accept"), "x"), identity(&of("B", "accept"), "x"));
        assert_ne!(identity(&of("A", "accept"), "x"), identity(&of("A", "reject"), "x"));
        let message = json!({"FromUserName": "o", "CreateTime": 1, "MsgType": "text", "MsgId": 7});
        assert_eq!(identity(&message, "x"), "message o 7");
        assert_eq!(identity(&json!({}), "x"), "text x");
    }
}
