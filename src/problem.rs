//! Every way a call can fail, in one table: a stable code, a status, texts in zh-CN and en.
//!
//! A failure is an answer (RFC 9457, `application/problem+json`): it says what went wrong, which field, and what can be
//! done instead. Texts live in `locales/problems.yml`; [`crate::http`] writes the answer in the caller's language.

mod language;

pub use language::Language;

use actix_web::{HttpResponse, http::StatusCode};
use rust_i18n::t;
use sea_orm::{DbErr, RuntimeErr, SqlErr};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

macro_rules! codes {
    ($($variant:ident $slug:literal $status:ident),* $(,)?) => {
        /// Stable codes of failures; the slug is what clients compare.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $slug, "`: see `locales/problems.yml`.")] $variant),*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What clients compare.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    Malformed "malformed" BAD_REQUEST,
    SignInRequired "sign_in_required" UNAUTHORIZED,
    WechatCodeInvalid "wechat_code_invalid" UNAUTHORIZED,
    BadCredentials "bad_credentials" UNAUTHORIZED,
    SessionEnded "session_ended" UNAUTHORIZED,
    NotYourDuty "not_your_duty" FORBIDDEN,
    NotFound "not_found" NOT_FOUND,
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED,
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE,
    Timeout "timeout" REQUEST_TIMEOUT,
    SlotFull "slot_full" CONFLICT,
    AlreadyBooked "already_booked" CONFLICT,
    BookingClosed "booking_closed" CONFLICT,
    BookingNotOpen "booking_not_open" CONFLICT,
    LimitReached "limit_reached" CONFLICT,
    TooLate "too_late" CONFLICT,
    DayCancelled "day_cancelled" CONFLICT,
    TransitionNotAllowed "transition_not_allowed" CONFLICT,
    Stale "stale" CONFLICT,
    ConflictOfInterest "conflict_of_interest" CONFLICT,
    ReturnUsedUp "return_used_up" CONFLICT,
    ReviewNotOpen "review_not_open" CONFLICT,
    AlreadyReviewed "already_reviewed" CONFLICT,
    ReviewWindowClosed "review_window_closed" CONFLICT,
    UsernameTaken "username_taken" CONFLICT,
    IdempotencyInProgress "idempotency_in_progress" CONFLICT,
    TooLarge "too_large" PAYLOAD_TOO_LARGE,
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE,
    Invalid "invalid" UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY,
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS,
    Unexpected "unexpected" INTERNAL_SERVER_ERROR,
    WechatUnavailable "wechat_unavailable" SERVICE_UNAVAILABLE,
    Busy "busy" SERVICE_UNAVAILABLE,
}

impl Code {
    /// One line: what happened.
    #[must_use]
    pub fn title(self, language: Language) -> String {
        t!(format!("problem.{}.title", self.slug()), locale = language.tag()).into_owned()
    }

    /// A spoken sentence: what happened and what to do now.
    #[must_use]
    pub fn detail(self, language: Language) -> String {
        t!(format!("problem.{}.detail", self.slug()), locale = language.tag()).into_owned()
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldFault {
    /// JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// A stable slug: `required`, `length`, `range`, `unknown_field`, `type`, ...
    pub code: String,
    /// What the technical side said of it; the sentence for people comes from the message file.
    #[serde(skip)]
    pub hint: Option<String>,
}

impl FieldFault {
    /// A fault of the field at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), hint: None }
    }

    fn in_words(&self, language: Language) -> String {
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

/// A failed call. Small on the stack: it travels in every `Result`.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    faults: Vec<FieldFault>,
    extra: Map<String, Value>,
    retry_after_s: Option<u64>,
    allow: Vec<String>,
    source: Option<String>,
    retry: Option<Retry>,
}

/// Why the same transaction may succeed when it is simply run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    Conflict,
}

impl Problem {
    /// A failure with nothing more to say than its code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let retry_after_s = match code {
            Code::Busy | Code::WechatUnavailable | Code::IdempotencyInProgress => Some(1),
            _ => None,
        };
        Self(Box::new(Inner {
            code,
            faults: vec![],
            extra: Map::new(),
            retry_after_s,
            allow: vec![],
            source: None,
            retry: None,
        }))
    }

    /// A rule broken by fields of the request: 422 `invalid`.
    #[must_use]
    pub fn invalid(faults: Vec<FieldFault>) -> Self {
        let mut problem = Self::new(Code::Invalid);
        problem.0.faults = faults;
        problem
    }

    /// 422 for one field.
    #[must_use]
    pub fn field(pointer: &str, code: &str) -> Self {
        Self::invalid(vec![FieldFault::new(pointer, code)])
    }

    /// 404, also for what the caller may not know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// Something that should not happen; `source` goes to the log, never to the caller.
    #[must_use]
    pub fn unexpected(source: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(Code::Unexpected);
        problem.0.source = Some(source.to_string());
        problem
    }

    /// The same transaction, run again, may succeed.
    #[must_use]
    pub fn try_again(source: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(Code::Busy);
        problem.0.source = Some(source.to_string());
        problem.0.retry = Some(Retry::Conflict);
        problem
    }

    /// Adds a member of its own, e.g. `alternatives` (RFC 9457, 3.2).
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        self.0.extra.insert(member.to_owned(), json!(value));
        self
    }

    /// When to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// The methods an address takes, for a 405 (RFC 9110, 15.5.6).
    #[must_use]
    pub fn allow(mut self, methods: Vec<String>) -> Self {
        self.0.allow = methods;
        self
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// For the log: what lies behind an unexpected failure.
    #[must_use]
    pub fn source_text(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// Whether running the transaction again may help (deadlock, serialisation failure).
    #[must_use]
    pub(crate) fn may_retry(&self) -> bool {
        self.0.retry.is_some()
    }

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
        if !self.0.allow.is_empty() {
            answer.insert_header(("Allow", self.0.allow.join(", ")));
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        answer.body(body.to_string())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code.slug())
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

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<DbErr> for Problem {
    fn from(fault: DbErr) -> Self {
        match sql_state(&fault).as_deref() {
            // serialization_failure, deadlock_detected
            Some("40001" | "40P01") => return Self::try_again(fault),
            // lock_not_available, query_canceled, too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now
            Some("55P03" | "57014" | "53300" | "57P01" | "57P02" | "57P03") => return Self::busy(&fault),
            _ => {}
        }
        match fault {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::busy(&fault),
            _ if is_transport(&fault) => Self::busy(&fault),
            _ => Self::unexpected(fault),
        }
    }
}

impl Problem {
    /// The database cannot answer now: 503, come back.
    pub(crate) fn busy(source: &impl std::fmt::Display) -> Self {
        let mut problem = Self::new(Code::Busy);
        problem.0.source = Some(source.to_string());
        problem
    }
}

fn runtime(fault: &DbErr) -> Option<&sea_orm::sqlx::Error> {
    match fault {
        DbErr::Exec(RuntimeErr::SqlxError(fault)) | DbErr::Query(RuntimeErr::SqlxError(fault)) => Some(fault),
        _ => None,
    }
}

fn sql_state(fault: &DbErr) -> Option<String> {
    Some(runtime(fault)?.as_database_error()?.code()?.into_owned())
}

fn is_transport(fault: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    matches!(runtime(fault), Some(Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed))
        // SQLITE_BUSY and SQLITE_LOCKED: another process holds the file.
        || sql_state(fault).is_some_and(|code| code == "5" || code == "6")
}

/// Turns *this statement's* unique violation into a code: constraint names differ between engines.
pub trait OnUnique<T> {
    /// `code` when a unique index refused the row.
    fn on_unique(self, code: Code) -> Result<T, Problem>;
}

impl<T> OnUnique<T> for Result<T, DbErr> {
    fn on_unique(self, code: Code) -> Result<T, Problem> {
        self.map_err(|fault| match fault.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Problem::new(code),
            _ => Problem::from(fault),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_texts_in_both_languages() {
        for code in Code::ALL {
            for language in [Language::ZhCn, Language::En] {
                assert!(!code.title(language).starts_with("problem."), "title of {}", code.slug());
                assert!(!code.detail(language).starts_with("problem."), "detail of {}", code.slug());
            }
            assert!(code.detail(Language::ZhCn).chars().count() <= 40, "{} is too long to be read aloud", code.slug());
        }
    }
}
