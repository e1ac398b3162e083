//! The languages texts exist in, and which of them a caller reads.

/// The languages texts exist in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 简体中文, the default.
    ZhCn,
    /// English.
    En,
}

impl Language {
    /// The name of the locale file's column.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// The first language of an `Accept-Language` header that we speak, by its weights (RFC 9110, 12.5.4).
    #[must_use]
    pub fn preferred(header: Option<&str>) -> Self {
        let weight = |language: &str| {
            header.unwrap_or("").split(',').find_map(|part| {
                let mut pieces = part.split(';');
                let tag = pieces.next()?.trim().to_ascii_lowercase();
                let matches = tag == language || tag.starts_with(&format!("{language}-"));
                let q = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
                matches.then_some(q)
            })
        };
        match (weight("zh"), weight("en")) {
            (zh, Some(en)) if en > zh.unwrap_or(0.0) => Self::En,
            _ => Self::ZhCn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_header_and_falls_back_to_chinese() {
        for (header, language) in [
            (None, Language::ZhCn),
            (Some("en"), Language::En),
            (Some("en-GB,zh;q=0.5"), Language::En),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Language::ZhCn),
            (Some("fr"), Language::ZhCn),
            (Some(";;q=x,"), Language::ZhCn),
        ] {
            assert_eq!(Language::preferred(header), language, "{header:?}");
        }
    }
}
