//! Files that a call brings: the whole body, or the one file of a form.
//!
//! What a file is, its bytes tell and not its headers, so whoever takes an [`Upload`] looks at them. An upload is a
//! [`Command`] too: with an `Idempotency-Key` it may be sent again over a bad line. Next: [`super::command`].

use actix_multipart::{Multipart, MultipartError};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::CONTENT_TYPE,
    web::{Bytes, BytesMut},
};
use futures_util::{StreamExt, future::LocalBoxFuture};

use super::command::Command;
use crate::problem::{Code, Problem};

/// Bytes of the largest file. It has its own limit: that of JSON bodies is far smaller.
pub const MAX_UPLOAD: usize = 10 * 1024 * 1024;

/// The bytes of a file.
#[derive(Clone, Debug)]
pub struct Upload {
    /// As they came.
    pub bytes: Bytes,
}

impl FromRequest for Command<Upload> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let bytes = if is_form(&req) { of_form(&req, payload).await? } else { whole(payload).await? };
            // The address with its parameters: they say what is done with the file. Of a form the file alone counts,
            // since the line that parts its fields is another one at each try.
            let asked = req.uri().path_and_query().map_or(req.path(), |asked| asked.as_str());
            Self::new(&req, asked, &bytes.clone(), Upload { bytes })
        })
    }
}

fn is_form(req: &HttpRequest) -> bool {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

async fn whole(mut payload: Payload) -> Result<Bytes, Problem> {
    let (mut bytes, mut seen) = (BytesMut::new(), 0);
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| Problem::new(Code::Malformed))?;
        seen += part.len();
        if seen <= MAX_UPLOAD {
            bytes.extend_from_slice(&part);
        } else if seen > 2 * MAX_UPLOAD {
            break;
        }
        // Between the two the rest is read and dropped, so that the sender hears why instead of a broken line.
    }
    if seen > MAX_UPLOAD { Err(Code::TooLarge.into()) } else { Ok(bytes.freeze()) }
}

async fn of_form(req: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let mut form = Multipart::new(req.headers(), payload);
    let mut file = None;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|fault| misshapen(&fault))?;
        if file.is_some() {
            return Err(Problem::field("/file", "too_many"));
        }
        let bytes = field.bytes(MAX_UPLOAD).await.map_err(|_| Problem::new(Code::TooLarge))?;
        file = Some(bytes.map_err(|fault| misshapen(&fault))?);
    }
    file.ok_or_else(|| Problem::field("/file", "required"))
}

/// What is said of a form that cannot be read.
#[must_use]
pub fn misshapen(fault: &MultipartError) -> Problem {
    match fault {
        MultipartError::BoundaryMissing | MultipartError::ContentTypeParse => Code::UnsupportedMediaType.into(),
        _ => Code::Malformed.into(),
    }
}
