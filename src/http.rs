//! What every handler shares: reading a request that may be wrong, answering in one shape.
//!
//! [`Command`] is a validated body that may be repeated over a bad line, [`Upload`] that of a file, [`Lane`] the way for
//! commands that come in crowds, [`Query`] validated parameters, [`ListQuery`] those of a list with its page, [`Single`] an answer with an
//! entity tag, [`Page`] a keyset page; [`envelope`] writes failures in the caller's language. Handlers in `*/api.rs` are
//! made of these. Next: [`crate::auth`] for who is calling.

mod body;
mod command;
mod envelope;
mod lane;
mod paging;
mod reply;
mod upload;

pub use body::{Checked, MAX_TEXT, faults_of, plain_text};
pub use command::Command;
pub use envelope::{RequestId, envelope, fallback};
pub use lane::Lane;
pub use paging::{Cursor, Page, PageQuery};
pub use reply::{Single, json};
pub use upload::{MAX_UPLOAD, Upload};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::ACCEPT_LANGUAGE};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use validator::Validate;

use crate::problem::{FieldFault, Language, Problem};

/// Validated parameters of the address.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_query(req.query_string()).map(Self))
    }
}

/// Validated parameters of a list: what narrows it, and which page of it.
///
/// Two structs, each of which refuses what it does not know: `flatten` would accept unknown parameters.
pub struct ListQuery<T> {
    /// What narrows it.
    pub by: T,
    /// Which page.
    pub page: PageQuery,
}

impl<T: DeserializeOwned + Validate> FromRequest for ListQuery<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let of_page = |pair: &&str| matches!(pair.split('=').next(), Some("limit" | "cursor"));
        let (page, by): (Vec<&str>, Vec<&str>) = req.query_string().split('&').partition(of_page);
        ready(read_query(&page.join("&")).and_then(|page| Ok(Self { by: read_query(&by.join("&"))?, page })))
    }
}

/// The caller's language, for answers that hold sentences.
impl FromRequest for Language {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::preferred(req.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))))
    }
}

fn read_query<T: DeserializeOwned + Validate>(query: &str) -> Result<T, Problem> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| Problem::field("?", "format"))?
        .into_inner();
    for (name, value) in &pairs {
        if !plain_text(value) || !plain_text(name) {
            return Err(Problem::field("?", "control_characters"));
        }
    }
    let value: T = actix_web::web::Query::<T>::from_query(query)
        .map_err(|fault| {
            let text = fault.to_string();
            let mut field = FieldFault::new("?", body::fault_code(&text));
            field.hint = Some(text);
            Problem::invalid(vec![field])
        })?
        .into_inner();
    value.validate().map_err(|faults| {
        let mut named = faults_of(&faults);
        for fault in &mut named {
            fault.pointer = fault.pointer.replacen('/', "?", 1);
        }
        Problem::invalid(named)
    })?;
    Ok(value)
}
