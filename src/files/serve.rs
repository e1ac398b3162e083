//! Giving bytes out: opened segment by segment as they are sent, whole or in the range a player asks for.

use std::ops::RangeInclusive;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        StatusCode,
        header::{self, ContentEncoding},
    },
    web::{Bytes, Data},
};
use entity::file::{self, FileKind};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    sealing::{self, FileKey, SEGMENT},
    take_in::objects,
};
use crate::{app::App, problem::Problem};

/// Segments that are read at a time.
const AT_ONCE: u64 = 8;

/// Which of a photo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Size {
    /// As it is kept.
    #[default]
    #[serde(rename = "whole")]
    Whole,
    /// At most 320 pixels, JPEG.
    #[serde(rename = "thumbnail")]
    Small,
}

impl Size {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Small => "thumbnail",
        }
    }
}

/// Answers with a file. What is asked for small and has no small one is not there.
pub(super) async fn serve(
    app: &Data<App>,
    req: &HttpRequest,
    row: &file::Model,
    size: Size,
) -> Result<HttpResponse, Problem> {
    let tag = match size {
        Size::Whole => format!("\"{}\"", row.sha256),
        Size::Small => format!("\"{}-small\"", row.sha256),
    };
    let asked = |name: header::HeaderName| req.headers().get(name).and_then(|value| value.to_str().ok());
    let known = asked(header::IF_NONE_MATCH).unwrap_or("");
    if known.split(',').any(|have| have.trim() == "*" || have.trim().trim_start_matches("W/") == tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, "private, no-cache"))
            .finish());
    }
    let key = FileKey::open(&app.field_keys, &row.key)?;
    if size == Size::Small {
        let (_, name) = objects(row.id);
        let sealed = if row.small { app.files.store.get(&name).await? } else { None };
        let bytes = sealing::open(&key, &name, &sealed.ok_or_else(Problem::not_found)?)?;
        let mut answer = headed(StatusCode::OK, row, "image/jpeg", &tag);
        return Ok(answer.body(bytes));
    }
    let length = u64::try_from(row.bytes).unwrap_or_default();
    // A range of another version than the one the player has is the whole (RFC 9110, 13.1.5).
    let same = asked(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = match asked(header::RANGE).filter(|_| same).map(|text| range_of(text, length)) {
        None | Some(Asked::Whole) => None,
        Some(Asked::Part(range)) => Some(range),
        Some(Asked::Nothing) => {
            let mut answer = headed(StatusCode::RANGE_NOT_SATISFIABLE, row, "text/plain", &tag);
            return Ok(answer.insert_header((header::CONTENT_RANGE, format!("bytes */{length}"))).finish());
        }
    };
    let mut answer = match &range {
        None => headed(StatusCode::OK, row, &row.media, &tag),
        Some(range) => {
            let mut answer = headed(StatusCode::PARTIAL_CONTENT, row, &row.media, &tag);
            let said = format!("bytes {}-{}/{length}", range.start(), range.end());
            answer.insert_header((header::CONTENT_RANGE, said));
            answer
        }
    };
    let range = range.unwrap_or(0..=length.saturating_sub(1));
    let sent = range.end() - range.start() + 1;
    // The first bytes are read before the answer begins: that they are not there must not look like an answer.
    let mut pieces = pieces(app.clone(), objects(row.id).0, key, range, length).boxed_local();
    let first = pieces.next().await.ok_or_else(Problem::not_found)??;
    let body = stream::once(async { Ok::<_, Problem>(first) }).chain(pieces).map_err(actix_web::Error::from);
    Ok(answer.body(SizedStream::new(sent, body)))
}

/// What every answer with bytes of strangers says: this is no page, do not guess, do not run, do not pass on.
fn headed(status: StatusCode, row: &file::Model, media: &str, tag: &str) -> HttpResponseBuilder {
    let shown = if row.kind == FileKind::Document { "attachment" } else { "inline" };
    let extension = match media {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "application/pdf" => "pdf",
        "audio/mpeg" => "mp3",
        "audio/aac" => "aac",
        "audio/mp4" => "m4a",
        "audio/amr" | "audio/amr-wb" => "amr",
        "audio/ogg" => "ogg",
        "audio/webm" => "webm",
        "audio/wav" => "wav",
        _ => "bin",
    };
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CONTENT_TYPE, media.to_owned()))
        .insert_header((header::CONTENT_DISPOSITION, format!("{shown}; filename=\"{}.{extension}\"", row.id)))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, tag.to_owned()))
        .insert_header(ContentEncoding::Identity);
    answer
}

enum Asked {
    /// What is no range, several, or of other units is answered with the whole (RFC 9110, 14.2).
    Whole,
    Part(RangeInclusive<u64>),
    Nothing,
}

fn range_of(text: &str, length: u64) -> Asked {
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..=last.min(length.saturating_sub(1)),
        (Some(first), None) if last.trim().is_empty() => first..=length.saturating_sub(1),
        (None, Some(0)) if first.trim().is_empty() => return Asked::Nothing,
        (None, Some(many)) if first.trim().is_empty() => length.saturating_sub(many)..=length.saturating_sub(1),
        _ => return Asked::Whole,
    };
    if range.is_empty() || *range.start() >= length { Asked::Nothing } else { Asked::Part(range) }
}

/// The bytes of a range, opened a few segments at a time.
fn pieces(
    app: Data<App>,
    name: String,
    key: FileKey,
    range: RangeInclusive<u64>,
    length: u64,
) -> impl stream::Stream<Item = Result<Bytes, Problem>> {
    let each = SEGMENT as u64;
    let (all, behind) = (sealing::segments_of(length), range.end() / each + 1);
    stream::try_unfold(range.start() / each, move |at| {
        let (app, name, key, range) = (app.clone(), name.clone(), key.clone(), range.clone());
        async move {
            if at >= behind {
                return Ok(None);
            }
            let segments = at..behind.min(at + AT_ONCE);
            let place = sealing::place_of(segments.clone(), length);
            let sealed = app.files.store.get_range(&name, place).await?.ok_or_else(Problem::not_found)?;
            let plain = Bytes::from(sealing::open_segments(&key, &name, segments.clone(), all, &sealed)?);
            let begins = segments.start * each;
            let cut = |place: u64| usize::try_from(place.saturating_sub(begins)).unwrap_or(usize::MAX).min(plain.len());
            let piece = plain.slice(cut(*range.start())..cut(range.end() + 1));
            Ok(Some((piece, segments.end)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let part = |text: &str| match range_of(text, 100) {
            Asked::Whole => "whole".to_owned(),
            Asked::Nothing => "nothing".to_owned(),
            Asked::Part(range) => format!("{}-{}", range.start(), range.end()),
        };
        for (asked, given) in [
            ("bytes=0-1", "0-1"),
            ("bytes=0-", "0-99"),
            ("bytes=90-200", "90-99"),
            ("bytes=-10", "90-99"),
            ("bytes=-1000", "0-99"),
            ("bytes=100-", "nothing"),
            ("bytes=-0", "nothing"),
            ("bytes=5-1", "whole"),
            ("bytes=0-1,5-6", "whole"),
            ("items=0-1", "whole"),
            ("bytes=", "whole"),
        ] {
            assert_eq!(part(asked), given, "{asked}");
        }
    }
}
