//! What came back, and what may be said of it.

use reqwest::header::HeaderMap;
use serde_json::Value;
use shuoshi::problem::Code;

/// An answer. `body` is null when it is no JSON; `bytes` are there always.
#[derive(Debug)]
pub struct Answer {
    /// The call, in messages.
    pub call: String,
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Read as JSON.
    pub body: Value,
    /// As it came.
    pub bytes: Vec<u8>,
}

/// A stream of events has no end: its beginning, up to the first event.
async fn first_event(mut answer: reqwest::Response) -> Vec<u8> {
    let whole = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.find("data:").is_some_and(|at| text[at..].contains("\n\n"))
    };
    let mut bytes = Vec::new();
    while !whole(&bytes) {
        let Some(chunk) = answer.chunk().await.unwrap() else { break };
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

impl Answer {
    pub(super) async fn of(call: String, answer: reqwest::Response) -> Self {
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let endless = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let bytes = if endless { first_event(answer).await } else { answer.bytes().await.unwrap().to_vec() };
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Self { call, status, headers, body, bytes }
    }

    /// A header's value, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body, when the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text());
        self.body
    }

    /// The body of a failure, when it is this one and complete (RFC 9457).
    #[track_caller]
    pub fn problem(self, code: &str) -> Value {
        assert_eq!(self.body["code"], code, "{} {}: {}", self.call, self.status, self.text());
        let known = Code::ALL.iter().find(|known| known.slug() == code);
        let known = known.unwrap_or_else(|| panic!("{code} is not in the table of codes"));
        assert_eq!(self.status, known.status().as_u16(), "{}: {}", self.call, self.text());
        assert_eq!(self.body["status"], self.status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.call);
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{}", self.text());
        assert_ne!(self.body["request_id"], "", "{}", self.text());
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        for member in ["title", "detail", "instance"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", self.text());
        }
        assert!(self.body["errors"].is_array(), "{}", self.text());
        self.body
    }

    /// Likewise 422 `invalid`, told for the field at `pointer` with `fault`.
    #[track_caller]
    pub fn invalid(self, pointer: &str, fault: &str) -> Value {
        let body = self.problem("invalid");
        let told = body["errors"].as_array().unwrap();
        let found = told.iter().any(|error| error["pointer"] == pointer && error["code"] == fault);
        assert!(found, "no {fault} at {pointer}: {body}");
        body
    }
}
