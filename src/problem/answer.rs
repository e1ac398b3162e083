//! What a caller reads: a problem written out in their language, and its shape for the contract.

use actix_web::{HttpResponse, http::StatusCode};
use rust_i18n::t;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{FieldFault, Language, Problem};

impl Problem {
    /// The answer in the caller's language.
    #[must_use]
    pub fn respond(&self, language: Language, instance: &str, request_id: &str) -> HttpResponse {
        let code = self.0.code;
        let errors: Vec<Value> = self
            .0
            .faults
            .iter()
            .map(|fault| json!({"pointer": fault.pointer, "code": fault.code, "detail": fault.in_words(language)}))
            .collect();
        let mut body = json!({
            "type": format!("/problems/{}", code.slug()),
            "title": code.title(language),
            "status": code.status().as_u16(),
            "detail": code.detail(language),
            "instance": instance,
            "code": code.slug(),
            "request_id": request_id,
            "errors": errors,
        });
        if let Value::Object(members) = &mut body {
            members.extend(self.0.extra.clone());
        }
        let mut answer = HttpResponse::build(code.status());
        answer.content_type("application/problem+json");
        if let Some(seconds) = self.0.retry_after_s {
            answer.insert_header(("Retry-After", seconds.to_string()));
        }
        if let Some(offset) = self.0.offset {
            answer.insert_header(("Upload-Offset", offset.to_string()));
        }
        if !self.0.allow.is_empty() {
            answer.insert_header(("Allow", self.0.allow.join(", ")));
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        answer.body(body.to_string())
    }
}

impl FieldFault {
    /// The sentence for people.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let key = format!("field.{}", self.code);
        let mut text = t!(&key, locale = language.tag());
        if text.ends_with(&key) {
            text = t!("field.other", locale = language.tag());
        }
        match &self.hint {
            Some(hint) => format!("{text} ({hint})"),
            None => text.into_owned(),
        }
    }
}

impl actix_web::ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    // Without a request there is no language; `http::envelope` writes the real answer.
    fn error_response(&self) -> HttpResponse {
        self.respond(Language::ZhCn, "", "")
    }
}

/// The shape of every failure, for the `OpenAPI` document.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "describes what respond() writes")]
pub struct ProblemSchema {
    /// Where the code is explained.
    #[schema(example = "/problems/slot_full")]
    r#type: String,
    /// One line in the caller's language.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// A spoken sentence: what happened, what to do.
    detail: String,
    /// The path that was called.
    instance: String,
    /// Stable slug, what clients compare.
    #[schema(example = "slot_full")]
    code: String,
    /// To be quoted to the operator; also in the header X-Request-Id.
    request_id: String,
    /// What is wrong with which field.
    errors: Vec<FieldFaultSchema>,
}

/// One field's fault.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldFault)]
#[allow(dead_code, reason = "describes what respond() writes")]
pub struct FieldFaultSchema {
    /// JSON pointer into the body, `?name` for a query parameter, `path` for the address.
    pointer: String,
    /// Stable slug.
    code: String,
    /// In words.
    detail: String,
}
