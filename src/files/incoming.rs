//! A call that brings a file: what its headers announce, and the bytes of its one file as they come.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{
    HttpRequest,
    dev::Payload,
    http::header::{CONTENT_RANGE, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::clean::MAX_FILE;
use crate::{
    http::misshapen,
    problem::{Code, Problem},
};

/// Words that some clients send along with a file; they are passed over.
const MOST_WORDS: usize = 16;
/// Bytes of each.
const LONGEST_WORD: usize = 4096;
/// After a refusal so many bytes are still read and dropped, so that the sender hears why instead of a broken line.
const DRAINED: usize = 2 * MAX_FILE;
/// And for so long.
const DRAINED_WITHIN: Duration = Duration::from_secs(20);

/// What the headers say of a call that brings a file or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// `X-Upload-Id`: what the caller names it, so that it can go on where it broke off.
    pub(super) name: Option<String>,
    /// `Content-Range`.
    pub(super) part: Option<Part>,
}

/// Which bytes of the whole a call brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: u64,
    /// Behind the last byte.
    pub(super) end: u64,
    pub(super) total: u64,
}

impl Announced {
    /// Reads them.
    pub(super) fn read(req: &HttpRequest) -> Result<Self, Problem> {
        let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").trim_start();
        if !kind.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data")) {
            return Err(Code::UnsupportedMediaType.into());
        }
        let name = match req.headers().get("X-Upload-Id").map(|value| value.to_str()) {
            None => None,
            Some(Ok(name)) if is_upload_name(name) => Some(name.to_owned()),
            Some(_) => return Err(Problem::field("header/X-Upload-Id", "format")),
        };
        let part = match req.headers().get(CONTENT_RANGE).map(|value| value.to_str()) {
            None => None,
            Some(range) => {
                let part = range.ok().and_then(Part::read);
                Some(part.ok_or_else(|| Problem::field("header/Content-Range", "format"))?)
            }
        };
        if part.is_some() && name.is_none() {
            return Err(Problem::field("header/X-Upload-Id", "required"));
        }
        match part.map(|part| part.total) {
            Some(0) => Err(Code::FileEmpty.into()),
            Some(total) if total > MAX_FILE as u64 => Err(Code::FileTooLarge.into()),
            _ => Ok(Self { name, part }),
        }
    }
}

/// 8 to 64 letters, digits, `-`, `_` and `.`: it stands in an address.
pub(super) fn is_upload_name(name: &str) -> bool {
    (8..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl Part {
    /// `bytes 0-65535/1048576` (RFC 9110, 14.4).
    fn read(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (from, last) = range.trim().split_once('-')?;
        let number = |text: &str| {
            let text = text.trim();
            (text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u64>().ok())?
        };
        let part = Self { from: number(from)?, end: number(last)? + 1, total: number(total)? };
        ((part.from < part.end && part.end <= part.total) || part.total == 0).then_some(part)
    }
}

/// What the line brought.
pub(super) enum Next {
    /// Bytes of the file.
    Bytes(Bytes),
    /// Nothing for a while; it may go on.
    Silence,
    /// The file is whole, as far as this call goes.
    End,
    /// The line broke, or what came is no form.
    Broken(Problem),
}

/// The form of a call, and the file in it.
pub(super) struct Incoming {
    form: Multipart,
    file: Option<Field>,
    /// What stands behind the last dot of its name.
    pub(super) extension: Option<String>,
}

impl Incoming {
    /// Reads as far as the file.
    pub(super) async fn open(req: &HttpRequest, payload: Payload) -> Result<Self, Problem> {
        let mut form = Multipart::new(req.headers(), payload);
        match next_file(&mut form).await? {
            Some(field) => {
                let extension = extension_of(&field);
                Ok(Self { form, file: Some(field), extension })
            }
            None => Err(Problem::field("/file", "required")),
        }
    }

    /// The next bytes; silence after `patience`.
    pub(super) async fn next(&mut self, patience: Duration) -> Next {
        let Some(file) = &mut self.file else { return Next::End };
        match timeout(patience, file.next()).await {
            Err(_) => Next::Silence,
            Ok(Some(Ok(bytes))) => Next::Bytes(bytes),
            Ok(Some(Err(fault))) => Next::Broken(misshapen(&fault)),
            Ok(None) => Next::End,
        }
    }

    /// Reads what comes behind the file: no second one may.
    pub(super) async fn close(&mut self) -> Result<(), Problem> {
        self.file = None;
        match next_file(&mut self.form).await? {
            Some(field) => {
                self.file = Some(field);
                Err(Problem::field("/file", "too_many"))
            }
            None => Ok(()),
        }
    }

    /// Reads and drops the rest, within limits.
    pub(super) async fn drain(mut self) {
        let mut left = DRAINED;
        let rest = async {
            loop {
                while let Some(Ok(bytes)) = match &mut self.file {
                    Some(file) => file.next().await,
                    None => None,
                } {
                    left = left.saturating_sub(bytes.len());
                    if left == 0 {
                        return;
                    }
                }
                self.file = None;
                match self.form.next().await {
                    Some(Ok(field)) => self.file = Some(field),
                    _ => return,
                }
            }
        };
        let _ = timeout(DRAINED_WITHIN, rest).await;
    }
}

async fn next_file(form: &mut Multipart) -> Result<Option<Field>, Problem> {
    for _ in 0..=MOST_WORDS {
        let Some(field) = form.next().await else { return Ok(None) };
        let mut field = field.map_err(|fault| misshapen(&fault))?;
        let named = field.content_disposition().is_some_and(|said| said.get_filename().is_some());
        if named || field.name() == Some("file") {
            return Ok(Some(field));
        }
        let word = field.bytes(LONGEST_WORD).await.map_err(|_| Problem::field("/file", "too_many"))?;
        word.map_err(|fault| misshapen(&fault))?;
    }
    Err(Problem::field("/file", "too_many"))
}

/// The name itself is nobody's business and goes no further.
fn extension_of(field: &Field) -> Option<String> {
    let name = field.content_disposition()?.get_filename()?;
    let (before, extension) = name.rsplit_once('.')?;
    let known = !before.is_empty() && !extension.is_empty();
    // What is longer, or of other letters, fits no format and is refused as what it is.
    known.then(|| extension.chars().take(16).collect::<String>().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_writes_them() {
        let part = |from, end, total| Some(Part { from, end, total });
        assert_eq!(Part::read("bytes 0-9/10"), part(0, 10, 10));
        assert_eq!(Part::read("bytes 5-5/10"), part(5, 6, 10));
        for wrong in ["bytes 0-10/10", "bytes 5-4/10", "bytes */10", "bytes 0-9/*", "items 0-9/10", "bytes -1-9/10", ""]
        {
            assert_eq!(Part::read(wrong), None, "{wrong}");
        }
        assert_eq!(Part::read("bytes 0-18446744073709551615/99999999999999999999"), None);
    }

    #[test]
    fn a_name_of_an_upload_may_stand_in_an_address() {
        assert!(is_upload_name("a1b2c3d4") && is_upload_name("01890a5d-ac96-774b-bcce-b302099a8057"));
        for wrong in ["short", "with space", "a/b/c/d/e", "ein:zwei", &"x".repeat(65)] {
            assert!(!is_upload_name(wrong), "{wrong}");
        }
    }
}
