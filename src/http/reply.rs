//! Answers: JSON with an entity tag where a client may ask again, marked so that small ones are not compressed.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, ContentEncoding},
    },
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    crypto::hex,
    problem::{Language, Problem},
};

/// Below this many bytes compressing costs more than it saves.
const COMPRESS_FROM: usize = 1024;

/// An answer of one thing, with `ETag`; a client that already has it gets 304 (RFC 9110, 13.1.2).
pub struct Single<T>(pub T);

impl<T: Serialize> Responder for Single<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let text = match serde_json::to_string(&self.0) {
            Ok(text) => text,
            Err(fault) => return Problem::unexpected(fault).respond(Language::ZhCn, req.path(), ""),
        };
        tagged(req, text, "application/json")
    }
}

/// Likewise, of one text that is no JSON.
pub struct SingleText {
    /// The text.
    pub text: String,
    /// What it is.
    pub content_type: &'static str,
}

impl Responder for SingleText {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        tagged(req, self.text, self.content_type)
    }
}

fn tagged(req: &HttpRequest, text: String, content_type: &'static str) -> HttpResponse {
    let digest = hex(&Sha256::digest(text.as_bytes()));
    // Weak: compression may change the bytes on the wire, not the meaning.
    let tag = format!("W/\"{}\"", digest.get(..20).unwrap_or(&digest));
    let known = req.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let same = |have: &str| have.trim() == "*" || have.trim().trim_start_matches("W/") == tag.trim_start_matches("W/");
    if known.split(',').any(same) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    let mut answer = answer(StatusCode::OK, text, false);
    for (name, value) in [(header::ETAG, tag.as_str()), (header::CONTENT_TYPE, content_type)] {
        if let Ok(value) = header::HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// 200 with a JSON body.
pub fn json<T: Serialize>(value: &T) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, serde_json::to_string(value).map_err(Problem::unexpected)?, false))
}

pub(super) fn answer(status: StatusCode, text: String, replayed: bool) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.content_type("application/json");
    if text.len() < COMPRESS_FROM {
        answer.insert_header(ContentEncoding::Identity);
    }
    if replayed {
        answer.insert_header(("Idempotency-Replayed", "true"));
    }
    answer.body(text)
}
