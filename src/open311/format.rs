//! Both formats from one value, and failures in either: Open311's own shape, whatever went wrong.
//!
//! JSON follows from XML by the Spark convention: what contains elements of one kind only is an array.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::{Code, Language, Problem};

/// What an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Format {
    /// By the ending of the address; XML is what every client understands.
    pub(super) fn of(ending: &str) -> Result<Self, Fault> {
        match ending {
            "json" => Ok(Self::Json),
            "xml" => Ok(Self::Xml),
            _ => Err(Fault::new(404, "formats are json and xml")),
        }
    }
}

/// A failure.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    status: StatusCode,
    description: String,
    retry_after_s: Option<u64>,
}

impl Fault {
    pub(super) fn new(status: u16, description: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, description: description.into(), retry_after_s: None }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        if let Some(reason) = problem.source_text() {
            tracing::warn!(reason, "an Open311 call could not be served");
        }
        // A rule that is broken is 400 here.
        let status = match problem.code() {
            Code::Invalid | Code::Malformed => StatusCode::BAD_REQUEST,
            code => code.status(),
        };
        let mut description = problem.code().detail(Language::En);
        for fault in problem.faults() {
            description = format!("{description} {} {}.", fault.pointer, fault.in_words(Language::En));
        }
        let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        Self { status, description, retry_after_s: busy.then_some(60) }
    }
}

impl From<sea_orm::DbErr> for Fault {
    fn from(fault: sea_orm::DbErr) -> Self {
        Problem::from(fault).into()
    }
}

/// A failure as it is shown.
#[derive(Serialize, ToSchema)]
pub struct Open311Error {
    /// The HTTP status again.
    code: u16,
    description: String,
}

/// What is answered: a value, and how its root and its items are called in XML.
pub(super) struct Answer {
    value: Value,
    root: &'static str,
    status: StatusCode,
}

impl Answer {
    pub(super) fn of<T: Serialize>(root: &'static str, value: &T) -> Result<Self, Fault> {
        let value = serde_json::to_value(value).map_err(|fault| Fault::from(Problem::unexpected(fault)))?;
        Ok(Self { value, root, status: StatusCode::OK })
    }
}

/// Writes what came of a call.
pub(super) fn respond(format: &str, outcome: Result<Answer, Fault>) -> HttpResponse {
    let asked = Format::of(format);
    let format = *asked.as_ref().unwrap_or(&Format::Xml);
    let (answer, retry_after_s) = match asked.and(outcome) {
        Ok(answer) => (answer, None),
        Err(fault) => {
            let error = Open311Error { code: fault.status.as_u16(), description: fault.description };
            let value = serde_json::to_value([error]).unwrap_or_default();
            (Answer { value, root: "errors", status: fault.status }, fault.retry_after_s)
        }
    };
    let mut response = HttpResponse::build(answer.status);
    if let Some(seconds) = retry_after_s {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    match format {
        Format::Json => response.content_type("application/json; charset=utf-8").body(answer.value.to_string()),
        Format::Xml => match xml(answer.root, &answer.value) {
            Ok(text) => response.content_type("text/xml; charset=utf-8").body(text),
            Err(_) => HttpResponse::InternalServerError().finish(),
        },
    }
}

/// How the items of a container are called.
fn item_of(container: &str) -> &'static str {
    match container {
        "services" => "service",
        "service_requests" => "request",
        "attributes" => "attribute",
        "values" => "value",
        "endpoints" => "endpoint",
        "formats" => "format",
        "errors" => "error",
        _ => "item",
    }
}

fn xml(root: &str, value: &Value) -> std::io::Result<String> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    element(&mut writer, root, value)?;
    String::from_utf8(writer.into_inner()).map_err(std::io::Error::other)
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value) -> std::io::Result<()> {
    if value.is_null() {
        return writer.write_event(Event::Empty(BytesStart::new(name)));
    }
    writer.write_event(Event::Start(BytesStart::new(name)))?;
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                element(writer, name, member)?;
            }
        }
        Value::Array(items) => {
            for item in items {
                element(writer, item_of(name), item)?;
            }
        }
        Value::String(text) => {
            // What XML has no way to say is left out.
            let text: String = text.chars().filter(|letter| sayable(*letter)).collect();
            writer.write_event(Event::Text(BytesText::new(&text)))?;
        }
        other => writer.write_event(Event::Text(BytesText::new(&other.to_string())))?,
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}

/// The characters of XML 1.0, 2.2.
fn sayable(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn containers_name_their_items_and_text_breaks_nothing() {
        let value = json!([{"service_code": "roads", "keywords": "a & <b>", "group": null, "metadata": true}]);
        let text = xml("services", &value).unwrap();
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><services><service><group/><keywords>a &amp; &lt;b&gt;</keywords>\
             <metadata>true</metadata><service_code>roads</service_code></service></services>"
        );
        assert_eq!(xml("errors", &json!([])).unwrap().rsplit("?>").next().unwrap(), "<errors></errors>");
        assert!(
            xml("description", &json!("𰝟渡\u{0}\u{FFFF}镇")).unwrap().ends_with("<description>𰝟渡镇</description>")
        );
    }

    #[test]
    fn every_failure_has_a_shape_in_the_format_that_was_asked_for() {
        let answered = |format: &str| {
            let response = respond(format, Err(Fault::new(403, "api_key is wrong")));
            let kind = response.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
            let status = response.status().as_u16();
            let bytes = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
            (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
        };
        let (status, kind, text) = answered("json");
        assert_eq!((status, kind.as_str()), (403, "application/json; charset=utf-8"));
        assert_eq!(text, r#"[{"code":403,"description":"api_key is wrong"}]"#);
        let (status, kind, text) = answered("xml");
        assert_eq!((status, kind.as_str()), (403, "text/xml; charset=utf-8"));
        assert!(
            text.ends_with(
                "<errors><error><code>403</code><description>api_key is wrong</description></error></errors>"
            )
        );
        assert_eq!(answered("yaml").0, 404);
    }
}
