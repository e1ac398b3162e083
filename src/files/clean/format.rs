//! What bytes are, by what they begin with.

use entity::file::FileKind;

use super::{MAX_DOCUMENT, MAX_PHOTO, MAX_VOICE, number, take};

/// Bytes of the header of an ID3 tag, which say how long the rest is.
const TAG_HEADER: usize = 10;

/// What the first bytes of a file tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// Its format: those that follow do not change it.
    Known(Format),
    /// That it is none, whatever follows.
    Nothing,
    /// Nothing yet: a tag reaches beyond them, and only what stands behind it tells.
    NotYet,
}

/// A format that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Photos.
    Jpeg,
    /// Of a screen, mostly.
    Png,
    /// Its first frame is kept.
    Gif,
    /// Of newer phones.
    Webp,
    /// Of old scanners.
    Bmp,
    /// Documents.
    Pdf,
    /// What the recorder of a mini-program makes by itself.
    Mp3,
    /// AAC in ADTS frames.
    Aac,
    /// AAC in a container.
    Mp4,
    /// Telephones.
    Amr,
    /// Opus in Ogg.
    Ogg,
    /// Opus in `WebM`: browsers.
    Webm,
    /// Uncompressed sound.
    Wav,
}

impl Format {
    /// By the first bytes of a whole file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let starts = |start: &[u8]| bytes.starts_with(start);
        let at_eight = |word: &[u8; 4]| take(bytes, 8, 4) == Some(word);
        Some(match bytes {
            _ if starts(b"\xff\xd8\xff") => Self::Jpeg,
            _ if starts(b"\x89PNG\r\n\x1a\n") => Self::Png,
            _ if starts(b"GIF87a") || starts(b"GIF89a") => Self::Gif,
            _ if starts(b"RIFF") && at_eight(b"WEBP") => Self::Webp,
            _ if starts(b"RIFF") && at_eight(b"WAVE") => Self::Wav,
            // Two letters are soon there by chance: the header that follows must have a known length.
            _ if starts(b"BM") && matches!(bytes.get(14..18), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])) => {
                Self::Bmp
            }
            _ if starts(b"%PDF-") => Self::Pdf,
            _ if starts(b"#!AMR\n") || starts(b"#!AMR-WB\n") => Self::Amr,
            _ if starts(b"OggS") => Self::Ogg,
            _ if starts(b"\x1a\x45\xdf\xa3") => Self::Webm,
            _ if take(bytes, 4, 4) == Some(b"ftyp") => Self::Mp4,
            _ => return of_frames(bytes),
        })
    }

    /// By the first bytes of a file of which more may come; some dozens are enough but for tags.
    #[must_use]
    pub fn early(bytes: &[u8]) -> Early {
        match Self::of(bytes) {
            Some(format) => Early::Known(format),
            None if ends_in_tag(bytes) => Early::NotYet,
            None => Early::Nothing,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn kind(self) -> FileKind {
        match self {
            Self::Jpeg | Self::Png | Self::Gif | Self::Webp | Self::Bmp => FileKind::Photo,
            Self::Pdf => FileKind::Document,
            Self::Mp3 | Self::Aac | Self::Mp4 | Self::Amr | Self::Ogg | Self::Webm | Self::Wav => FileKind::Voice,
        }
    }

    /// Bytes it may have at most.
    #[must_use]
    pub fn most(self) -> usize {
        match self.kind() {
            FileKind::Photo => MAX_PHOTO,
            FileKind::Voice => MAX_VOICE,
            FileKind::Document => MAX_DOCUMENT,
        }
    }

    /// Whether a file of this format may be called so.
    #[must_use]
    pub fn fits(self, extension: &str) -> bool {
        let names: &[&str] = match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Bmp => &["bmp", "dib"],
            Self::Pdf => &["pdf"],
            Self::Mp3 => &["mp3"],
            // Recorders do not agree which of the two they write.
            Self::Aac | Self::Mp4 => &["aac", "m4a", "mp4"],
            Self::Amr => &["amr", "awb"],
            Self::Ogg => &["ogg", "oga", "opus"],
            Self::Webm => &["webm", "weba"],
            Self::Wav => &["wav", "wave"],
        };
        names.iter().any(|name| name.eq_ignore_ascii_case(extension))
    }
}

/// Sound that begins with a frame, or with a tag before it.
fn of_frames(bytes: &[u8]) -> Option<Format> {
    let at = after_tag(bytes);
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(0xff), Some(second)) if second & 0xf6 == 0xf0 => Some(Format::Aac),
        (Some(0xff), Some(second)) if second & 0xe6 == 0xe2 => Some(Format::Mp3),
        _ => None,
    }
}

/// Whether these bytes end within a tag, or so shortly behind it that what follows is not known: sound, or one more tag.
fn ends_in_tag(bytes: &[u8]) -> bool {
    let behind = bytes.get(after_tag(bytes)..).unwrap_or_default();
    let perhaps_a_tag = behind.starts_with(b"ID3") || b"ID3".starts_with(behind);
    behind.len() < TAG_HEADER && (perhaps_a_tag || behind == [0xff])
}

/// Where sound begins behind an ID3 tag, if there is one.
pub(super) fn after_tag(bytes: &[u8]) -> usize {
    let mut at = 0;
    while take(bytes, at, 3) == Some(b"ID3") {
        let Some(size) = number(bytes, at + 6, 4) else { break };
        // Seven bits a byte.
        let size = (size & 0x7f) | (size >> 1 & 0x3f80) | (size >> 2 & 0x1f_c000) | (size >> 3 & 0xfe0_0000);
        let footer = if bytes.get(at + 5).is_some_and(|flags| flags & 0x10 != 0) { TAG_HEADER } else { 0 };
        at += TAG_HEADER + usize::try_from(size).unwrap_or(usize::MAX / 4) + footer;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_nothing_of_the_sound_behind_it() {
        let tag = [&b"ID3\x04\0\0\0\0\0\x05"[..], b"Title"].concat();
        for (sound, format) in [(&b"\xff\xfb\x90\x64"[..], Format::Mp3), (&b"\xff\xf1\x50\x80"[..], Format::Aac)] {
            for tags in [tag.clone(), tag.repeat(2)] {
                let whole = [tags.as_slice(), sound].concat();
                for end in 0..whole.len() {
                    let known = end >= tags.len() + 2;
                    let told = if known { Early::Known(format) } else { Early::NotYet };
                    assert_eq!(Format::early(&whole[..end]), told, "{end} of {}", whole.len());
                }
                assert_eq!(Format::of(&whole), Some(format));
            }
        }
        for other in [&b"just words"[..], b"IDs of things", b"\xff\x00\x00"] {
            assert_eq!(Format::early(other), Early::Nothing);
            assert_eq!(Format::early(&[tag.as_slice(), other].concat()), Early::Nothing);
        }
        assert_eq!(Format::of(&tag), None, "a tag alone is no voice note");
    }
}
