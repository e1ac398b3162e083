//! What every interface with an access token looks at before its own business: token, quota, method, body.
//!
//! The order is that of the real server as far as it is known, the token first. Next: [`super::quota`] for the limits,
//! [`super::answers`] for a refusal.

use actix_web::{HttpRequest, HttpResponse, web::Bytes};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    World,
    answers::{Family, Refusal},
    lock,
    login::{query_of, value},
};
use crate::clock::Instant;

/// A request that came with a good token.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    pub(super) at: Instant,
    family: Family,
    method_is_post: bool,
    query: std::collections::HashMap<String, String>,
}

impl<'a> Call<'a> {
    /// Checks token and quota.
    pub(super) fn of(request: &HttpRequest, world: &'a World) -> Result<Self, Refusal> {
        let (family, at) = (Family::of(request.path()), world.clock.now());
        let query = query_of(request);
        let token = value(&query, "access_token");
        let checked = match family {
            Family::Work => lock(&world.organisation).check_token(token, at),
            Family::Sns | Family::Cgi => lock(&world.tokens).check(token, at),
        };
        checked
            .and_then(|()| lock(&world.quotas).take(request.path(), at))
            .map_err(|errcode| family.no(errcode, at))?;
        Ok(Self { world, at, family, method_is_post: request.method() == "POST", query })
    }

    /// Checks that the body is a JSON object, sent by POST.
    pub(super) fn posted(&self, body: &Bytes) -> Result<Ask, Refusal> {
        if !self.method_is_post {
            return Err(self.no(43002));
        }
        if body.is_empty() {
            return Err(self.no(44002));
        }
        serde_json::from_slice(body).map(Ask).map_err(|_| self.no(47001))
    }

    /// Checks that nothing was posted.
    pub(super) fn got(&self) -> Result<(), Refusal> {
        if self.method_is_post { Err(self.no(43001)) } else { Ok(()) }
    }

    /// A parameter of the query, empty when it is missing.
    pub(super) fn query(&self, name: &str) -> &str {
        value(&self.query, name)
    }

    pub(super) fn no(&self, errcode: i64) -> Refusal {
        self.family.no(errcode, self.at)
    }

    pub(super) fn no_because(&self, errcode: i64, words: String) -> Refusal {
        self.family.no_because(errcode, words, self.at)
    }

    pub(super) fn answer(&self, body: &impl Serialize) -> HttpResponse {
        self.family.answer(body)
    }
}

/// The body of a request.
pub(super) struct Ask(pub(super) Map<String, Value>);

impl Ask {
    /// A text, empty when it is missing or none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }
}
