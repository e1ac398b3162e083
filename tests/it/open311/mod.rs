//! Open311: what anybody may read, in both formats, what a key may file, and what is never there.

mod filing;
mod keeping_keys;
mod publication;
mod reading;

use entity::{case, id::CaseId};
use quick_xml::{Reader, events::Event};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TOPIC, TestApp};

/// The township of the demonstration village: the jurisdiction of the test configuration.
const TOWNSHIP: &str = "511702108000";

/// A public matter of this villager, and the number by which anybody may see it.
pub(super) async fn public_case(app: &TestApp, villager: &Actor, more: Value) -> (Value, String) {
    let mut body = json!({
        "kind": "voice", "concern": "help", "division": app.village().await, "topic": TOPIC, "text": "村口的路灯不亮",
        "public": true, "contact_phone": "13800001234",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let case = villager.post("/cases", body).await.expect(201);
    let id = CaseId(case["id"].as_str().unwrap().parse().unwrap());
    let row = case::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap();
    (case, row.public_id.unwrap_or_default())
}

/// GET of an address of Open311, as nobody.
async fn get(app: &TestApp, path: &str) -> Answer {
    app.nobody().call(Method::GET, &format!("/open311/{path}")).send().await
}

/// The requests that an address answers, in JSON.
async fn requests(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = get(app, &format!("v2/requests.json{query}")).await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    answer.expect(200).as_array().unwrap().clone()
}

/// A failure, in Open311's shape.
#[track_caller]
fn failure(answer: Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}: {}", answer.call, answer.text());
    let body = answer.body.as_array().unwrap_or_else(|| panic!("{}", answer.text()));
    assert_eq!((body.len(), &body[0]["code"]), (1, &json!(status)), "{}", answer.text());
    body[0]["description"].as_str().unwrap().to_owned()
}

/// Elements inside of one.
type Parts = Vec<(String, Value)>;

/// XML as the JSON that it stands for (the Spark convention): what has children of one kind only is an array of them.
fn spark(text: &str) -> (String, Value) {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Parts, String)> = Vec::new();
    let containers = ["services", "service_requests", "attributes", "values", "endpoints", "formats", "errors"];
    let close = |name: String, parts: Parts, text: String| {
        let value = if containers.contains(&name.as_str()) {
            Value::Array(parts.into_iter().map(|(_, value)| value).collect())
        } else if !parts.is_empty() {
            Value::Object(parts.into_iter().collect())
        } else {
            match text.as_str() {
                "" => Value::Null,
                "true" | "false" => json!(text == "true"),
                _ => Value::String(text),
            }
        };
        (name, value)
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Decl(declaration) => {
                assert!(declaration.encoding().unwrap().unwrap().eq_ignore_ascii_case("utf-8"));
            }
            Event::Start(tag) => open.push((tag.name().as_ref().to_owned(), vec![], String::new())),
            Event::Empty(tag) => {
                let closed = close(tag.name().as_ref().to_owned(), vec![], String::new());
                open.last_mut().unwrap().1.push(closed);
            }
            Event::Text(part) => open.last_mut().unwrap().2.push_str(&part),
            Event::GeneralRef(name) => {
                let letter = quick_xml::escape::resolve_xml_entity(&name).unwrap();
                open.last_mut().unwrap().2.push_str(letter);
            }
            Event::End(_) => {
                let (name, parts, text) = open.pop().unwrap();
                let closed = close(name, parts, text);
                match open.last_mut() {
                    Some(parent) => parent.1.push(closed),
                    None => return closed,
                }
            }
            Event::Eof => panic!("no end: {text}"),
            _ => {}
        }
    }
}

/// The same address in both formats says the same; answers the JSON.
async fn in_both(app: &TestApp, path: &str, query: &str, root: &str) -> Value {
    let json = get(app, &format!("{path}.json{query}")).await;
    assert_eq!(json.header("content-type"), "application/json; charset=utf-8");
    let xml = get(app, &format!("{path}.xml{query}")).await;
    assert_eq!(xml.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(xml.status, json.status);
    let (name, value) = spark(&xml.text());
    assert_eq!(name, root);
    // Numbers are text in XML.
    let told = |value: &Value| value.to_string().replace("\"order\":1,", "\"order\":\"1\",");
    assert_eq!(value.to_string(), told(&json.body), "{path}");
    json.expect(200)
}
