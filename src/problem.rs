//! Every way a call can fail, and what is said of it.
//!
//! A failure is an answer (RFC 9457, `application/problem+json`): it says what went wrong, which field, and what can be
//! done instead. `codes` is the table of codes, `answer` the answer, `database` what becomes of a fault of the database.
//! Texts live in `locales/problems.yml`; [`crate::http`] writes the answer in the caller's language.

mod answer;
mod codes;
mod database;
mod language;

pub use answer::{FieldFaultSchema, ProblemSchema};
pub use codes::Code;
pub use database::OnUnique;
pub(crate) use database::not_begun;
pub use language::Language;

use serde::Serialize;
use serde_json::{Map, Value, json};

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
    offset: Option<u64>,
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
            Code::Busy
            | Code::WechatUnavailable
            | Code::WecomUnavailable
            | Code::SmsUnavailable
            | Code::IdempotencyInProgress => Some(1),
            _ => None,
        };
        Self(Box::new(Inner {
            code,
            faults: vec![],
            extra: Map::new(),
            retry_after_s,
            allow: vec![],
            offset: None,
            source: None,
            retry: None,
        }))
    }

    /// Whether it says no to the caller, and not that something of ours failed.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.code().status().is_client_error()
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

    /// The same, of a part of the request: faults of fields are then those of fields below `pointer`.
    #[must_use]
    pub fn below(mut self, pointer: &str) -> Self {
        for fault in self.0.faults.iter_mut().filter(|fault| fault.pointer.is_empty() || fault.pointer.starts_with('/'))
        {
            fault.pointer.insert_str(0, pointer);
        }
        self
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

    /// The database cannot answer now: 503, come back.
    pub(crate) fn busy(source: &impl std::fmt::Display) -> Self {
        let mut problem = Self::new(Code::Busy);
        problem.0.source = Some(source.to_string());
        problem
    }

    /// Whether the database could not answer at all, now or after another try.
    #[must_use]
    pub(crate) fn is_away(&self) -> bool {
        self.0.code == Code::Busy && self.0.retry.is_none()
    }

    /// Adds a member of its own, e.g. `alternatives` (RFC 9457, 3.2).
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        self.0.extra.insert(member.to_owned(), json!(value));
        self
    }

    /// Says which field is meant, of a refusal that is not about its own form.
    #[must_use]
    pub fn pointing(mut self, pointer: &str) -> Self {
        if self.0.faults.is_empty() {
            self.0.faults.push(FieldFault::new(pointer, self.0.code.slug()));
        }
        self
    }

    /// When to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Where the next part of an upload begins: header `Upload-Offset` and member `offset`.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.offset = Some(offset);
        self.with("offset", offset)
    }

    /// The methods an address takes, for a 405 (RFC 9110, 15.5.6).
    #[must_use]
    pub fn allow(mut self, methods: Vec<String>) -> Self {
        self.0.allow = methods;
        self
    }

    /// What is wrong with which field.
    #[must_use]
    pub fn faults(&self) -> &[FieldFault] {
        &self.0.faults
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
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code.slug())
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
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
}
