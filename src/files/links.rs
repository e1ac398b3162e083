//! Links for players, which cannot send a token: signed, for one file in one size, for ten minutes.

use actix_web::{HttpRequest, http::header::HOST};
use chrono::{DateTime, TimeDelta};
use entity::{Instant, id::FileId};
use subtle::ConstantTimeEq;

use super::{serve::Size, views::FileLink};
use crate::{app::App, http::came_sealed, problem::Problem};

/// How long a link is good.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// For whom a link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Somebody who may see the file.
    Caller,
    /// Everybody, as long as the file is shown to everybody: looked up when it is fetched.
    Public,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Public => "public",
        }
    }
}

/// What is signed: a link for one purpose, one size or until one moment is none for another.
fn signature(app: &App, id: FileId, size: Size, until: i64, purpose: Purpose) -> Result<String, Problem> {
    app.field_keys.blind_index("file.link", &format!("{id}|{}|{until}|{}", size.word(), purpose.word()))
}

/// The part of a link behind the address of the server.
fn path(app: &App, id: FileId, size: Size, until: Instant, purpose: Purpose) -> Result<String, Problem> {
    let until = until.timestamp();
    let signature = signature(app, id, size, until, purpose)?;
    let size = if size == Size::Small { "&size=thumbnail" } else { "" };
    Ok(format!("/media/{id}?until={until}&signature={signature}{size}"))
}

/// A link that the outside can open (`files.public_url`), good until `until`; none where the configuration does not say
/// how the outside reaches this server. Whoever asks has looked whether the file may be shown.
pub fn public_link(app: &App, id: FileId, until: Instant) -> Result<Option<String>, Problem> {
    let base = app.config.files.public_url.trim_end_matches('/');
    if base.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("{base}{}", path(app, id, Size::Whole, until, Purpose::Public)?)))
}

/// A link for who called.
pub(super) fn for_caller(app: &App, req: &HttpRequest, id: FileId, size: Size) -> Result<FileLink, Problem> {
    let configured = app.config.files.public_url.trim_end_matches('/');
    // Without a configured address clients come back by the one they came by; how that begins, only a proxy that is
    // trusted can tell. Else the link has no beginning and is read by the address of this call.
    let host = req.headers().get(HOST).and_then(|host| host.to_str().ok());
    let sealed =
        req.peer_addr().is_some_and(|peer| came_sealed(peer.ip(), req.headers(), &app.config.http.trusted_proxies));
    let base = match host {
        _ if !configured.is_empty() => configured.to_owned(),
        Some(host) if sealed => format!("https://{host}"),
        _ => String::new(),
    };
    let until = app.clock.now() + GOOD_FOR;
    let until = DateTime::from_timestamp(until.timestamp(), 0).unwrap_or(until);
    Ok(FileLink { url: format!("{base}{}", path(app, id, size, until, Purpose::Caller)?), expires_at: until })
}

/// For whom a link was made; none where it is not one of ours or has ended.
pub(super) fn purpose_of(
    app: &App,
    id: FileId,
    size: Size,
    until: i64,
    signed: &str,
) -> Result<Option<Purpose>, Problem> {
    if until < app.clock.now().timestamp() {
        return Ok(None);
    }
    for purpose in [Purpose::Caller, Purpose::Public] {
        let right = signature(app, id, size, until, purpose)?;
        if bool::from(right.as_bytes().ct_eq(signed.as_bytes())) {
            return Ok(Some(purpose));
        }
    }
    Ok(None)
}
