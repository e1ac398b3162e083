//! Commands: POST bodies that may arrive twice and act once.
//!
//! The first answer to a call with an `Idempotency-Key` is stored in the transaction of the write it answers, so a
//! repeat over a bad line gets the same answer and no second thing is made.

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, http::header::CONTENT_TYPE, web::Bytes,
};
use chrono::{DateTime, TimeDelta};
use entity::{Instant, idempotent_answer, sealed::Sealed};
use futures_util::future::LocalBoxFuture;
use sea_orm::EntityTrait;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    body,
    lane::{Asked, Key, Lane},
    reply,
};
use crate::{
    app::App,
    crypto::hex,
    db::Tx,
    problem::{Code, OnUnique, Problem},
};

/// What kept answers are sealed for: they show people what they may see, and a copy of the database must not.
pub const ANSWER_PURPOSE: &str = "idempotent_answer.body";

/// A validated body and what makes it repeatable.
pub struct Command<T> {
    /// The body.
    pub body: T,
    /// When the villager acted by the client's own clock; kept beside the server's time, never instead of it.
    pub client_time: Option<Instant>,
    key: Option<String>,
    fingerprint: String,
}

impl<T: body::Checked + 'static> FromRequest for Command<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(req, payload);
        let req = req.clone();
        Box::pin(async move {
            let bytes = bytes.await.map_err(|fault| match fault.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge),
                _ => Problem::new(Code::Malformed),
            })?;
            if !bytes.is_empty() && !is_json(&req) {
                return Err(Problem::new(Code::UnsupportedMediaType));
            }
            let key = idempotency_key(&req)?;
            let body = body::read(&bytes)?;
            let fingerprint = fingerprint(&req, req.path(), &bytes);
            Ok(Self { body, client_time: client_time(&req), key, fingerprint })
        })
    }
}

impl<T> Command<T> {
    /// A command whose body was not read as JSON; `asked` and `bytes` are what a repeat must have in common.
    pub(crate) fn new(req: &HttpRequest, asked: &str, bytes: &[u8], body: T) -> Result<Self, Problem> {
        let (key, fingerprint) = (idempotency_key(req)?, fingerprint(req, asked, bytes));
        Ok(Self { body, client_time: client_time(req), key, fingerprint })
    }

    /// Its body apart from what makes it repeatable: for what is worked out before the transaction begins.
    pub fn apart(self) -> (T, Command<()>) {
        let Self { body, client_time, key, fingerprint } = self;
        (body, Command { body: (), client_time, key, fingerprint })
    }

    /// Runs the operation once for all repeats of this call, and answers with `status` and what it returned.
    pub async fn once<R, F>(
        self,
        app: &App,
        caller: Uuid,
        status: StatusCode,
        operation: F,
    ) -> Result<HttpResponse, Problem>
    where
        T: Send + 'static,
        R: Serialize,
        F: AsyncFn(&Tx, &T) -> Result<R, Problem> + Send + 'static,
    {
        let (now, key) = (app.clock.now(), self.key_of(app, caller)?);
        let body = self.body;
        let Some(key) = key else {
            let made = app.db.transact(async move |tx| to_text(&operation(tx, &body).await?)).await?;
            return Ok(reply::answer(status, made, false));
        };
        // The answer goes in last, under the key: of two at once the second waits for the first, fails, is taken back
        // whole, and gets the first one's answer. Looking before would cost every call what only a repeat needs.
        let kept = key.clone();
        let outcome = app.db.transact(async move |tx| {
            let made = to_text(&operation(tx, &body).await?)?;
            let row = kept.row(status, &made, now)?;
            let inserted = idempotent_answer::Entity::insert(row).exec_without_returning(tx).await;
            inserted.on_unique(Code::IdempotencyInProgress)?;
            Ok(made)
        });
        match outcome.await {
            Ok(made) => Ok(reply::answer(status, made, false)),
            Err(problem) => replay(app, &key, problem).await,
        }
    }

    /// As [`Self::once`], carried out together with what else waits in the lane.
    pub async fn once_in<W>(
        self,
        app: &App,
        lane: &Lane<W>,
        caller: Uuid,
        status: StatusCode,
        wish: impl FnOnce(T) -> W,
    ) -> Result<HttpResponse, Problem>
    where
        W: Send + Sync + 'static,
    {
        let (now, key) = (app.clock.now(), self.key_of(app, caller)?);
        let asked = Asked { wish: wish(self.body), status, key: key.clone(), now };
        match (lane.submit(asked).await, key) {
            (Ok(made), _) => Ok(reply::answer(status, made, false)),
            (Err(problem), Some(key)) => replay(app, &key, problem).await,
            (Err(problem), None) => Err(problem),
        }
    }

    /// The answer of an earlier call under the same key: for operations that first ask somebody outside.
    pub async fn answered_before(&self, app: &App, caller: Uuid) -> Result<Option<HttpResponse>, Problem> {
        match self.key_of(app, caller)? {
            Some(key) => first_answer(app, &key).await,
            None => Ok(None),
        }
    }

    fn key_of(&self, app: &App, caller: Uuid) -> Result<Option<Key>, Problem> {
        let Some(word) = self.key.clone() else { return Ok(None) };
        // Keyed: of a short body, say a phone number, a plain hash could be guessed.
        let fingerprint = app.field_keys.blind_index("fingerprint", &self.fingerprint)?;
        Ok(Some(Key { caller, word, fingerprint, keys: app.field_keys.clone() }))
    }
}

/// The answer that the first call under this key got, if there was one, else the problem.
async fn replay(app: &App, key: &Key, problem: Problem) -> Result<HttpResponse, Problem> {
    if problem.is_away() {
        // To ask the database again would only keep the caller waiting.
        return Err(problem);
    }
    first_answer(app, key).await?.ok_or(problem)
}

async fn first_answer(app: &App, key: &Key) -> Result<Option<HttpResponse>, Problem> {
    let first = idempotent_answer::Entity::find_by_id((key.caller, key.word.clone())).one(app.db.read()).await?;
    match first {
        None => Ok(None),
        Some(first) if first.fingerprint != key.fingerprint => Err(Code::IdempotencyKeyReused.into()),
        Some(first) => {
            let body = app.field_keys.unseal(ANSWER_PURPOSE, &Sealed(first.body))?;
            Ok(Some(reply::answer(stored_status(first.status), body, true)))
        }
    }
}

/// An answer's text.
pub(super) fn to_text<R: Serialize>(value: &R) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::unexpected)
}

fn stored_status(status: i32) -> StatusCode {
    u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK)
}

fn is_json(req: &HttpRequest) -> bool {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn idempotency_key(req: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = req.headers().get("Idempotency-Key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (8..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Problem::field("header/Idempotency-Key", "format")),
    }
}

/// The client's clock; what is more than thirty days off is not worth keeping.
fn client_time(req: &HttpRequest) -> Option<Instant> {
    let text = req.headers().get("X-Client-Time")?.to_str().ok()?;
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    let now = req.app_data::<actix_web::web::Data<App>>()?.clock.now();
    ((at - now).abs() < TimeDelta::days(30)).then_some(at)
}

/// What tells one body from another.
fn fingerprint(req: &HttpRequest, asked: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(req.method().as_str());
    hash.update([0]);
    hash.update(asked);
    hash.update([0]);
    hash.update(body);
    hex(&hash.finalize())
}
