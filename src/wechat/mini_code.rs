//! Mini-program codes, which hang on the wall of the village hall and open a page with a scene.
//!
//! The page is 小程序码与小程序链接, 获取不限制的小程序码 (`getUnlimitedQRCode`): any number may be made, and 5000 a minute.
//! Next: [`super::link`], for text messages.

use serde::Serialize;

use super::{Client, Invalid, WechatError, exchange::json};

const PATH: &str = "/wxa/getwxacodeunlimit";
const SCENE_CHARS: usize = 32;
/// Our limit; the page gives none, and WeChat's own pages are far shorter.
const PAGE_CHARS: usize = 256;

/// Which version of the mini program opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// What villagers have.
    #[default]
    Release,
    /// For those who try it out.
    Trial,
    /// For developers.
    Develop,
}

/// The order for a code: checked when it is made, so that WeChat is not asked for what it must refuse.
#[derive(Clone, Debug, Serialize)]
pub struct UnlimitedCode {
    scene: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    check_path: bool,
    env_version: Version,
    width: u16,
    is_hyaline: bool,
}

/// A picture as WeChat drew it.
#[derive(Clone, PartialEq, Eq)]
pub enum Picture {
    /// JPEG, the usual kind.
    Jpeg(Vec<u8>),
    /// PNG, when the ground is transparent.
    Png(Vec<u8>),
}

impl Picture {
    /// Knows a picture by its first bytes: the Content-Type cannot be trusted.
    fn of(bytes: Vec<u8>) -> Result<Self, WechatError> {
        match bytes.as_slice() {
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg(bytes)),
            [0x89, b'P', b'N', b'G', ..] => Ok(Self::Png(bytes)),
            _ => Err(WechatError::Unreadable),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (Self::Jpeg(bytes) | Self::Png(bytes)) = self;
        bytes
    }

    /// What it is sent as.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Jpeg(_) => "image/jpeg",
            Self::Png(_) => "image/png",
        }
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.media_type(), self.bytes().len())
    }
}

impl UnlimitedCode {
    /// A code that opens the first page with `scene`: 1 to 32 visible characters out of digits, letters and
    /// ``!#$&'()*+,/:;=?@-._~`` (so no `%` and no Chinese).
    pub fn new(scene: &str) -> Result<Self, Invalid> {
        if !(1..=SCENE_CHARS).contains(&scene.len()) {
            return Err(Invalid("scene: 1 to 32 characters"));
        }
        if !scene.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~".contains(&byte)) {
            return Err(Invalid("scene: only digits, letters and !#$&'()*+,/:;=?@-._~"));
        }
        Ok(Self {
            scene: scene.to_owned(),
            page: None,
            check_path: true,
            env_version: Version::Release,
            width: 430,
            is_hyaline: false,
        })
    }

    /// Opens `page` instead: without a slash in front and without a query. When `published` is false, WeChat does not
    /// look whether the published version has the page (and allows 60,000 different ones).
    pub fn page(mut self, page: &str, published: bool) -> Result<Self, Invalid> {
        let is_path = (1..=PAGE_CHARS).contains(&page.len())
            && !page.starts_with('/')
            && page.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#%\"\\".contains(&byte));
        if !is_path {
            return Err(Invalid("page: a path like pages/home/home, without a slash in front and without a query"));
        }
        self.page = Some(page.to_owned());
        self.check_path = published;
        Ok(self)
    }

    /// 280 to 1280 pixels; 430 when nothing is said.
    pub fn width(mut self, pixels: u16) -> Result<Self, Invalid> {
        if !(280..=1280).contains(&pixels) {
            return Err(Invalid("width: 280 to 1280"));
        }
        self.width = pixels;
        Ok(self)
    }

    /// Another version than the published one.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.env_version = version;
        self
    }

    /// On a transparent ground, as PNG.
    #[must_use]
    pub fn transparent(mut self) -> Self {
        self.is_hyaline = true;
        self
    }
}

impl Client {
    /// Has WeChat draw a code.
    pub async fn unlimited_code(&self, order: &UnlimitedCode) -> Result<Picture, WechatError> {
        let body = json(order)?;
        let ask = async |token| self.exchange.ask_bytes(PATH, self.sealed_post(PATH, &body, &token)).await;
        Picture::of(self.call_with_token(ask).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_wechat_would_refuse_are_not_made() {
        for scene in ["", "v=%E4", "村", "a b", &"1".repeat(33)] {
            assert!(UnlimitedCode::new(scene).is_err(), "{scene}");
        }
        let order = UnlimitedCode::new("v=310000000001&k=!#$'()*+,/:;?@-").unwrap();
        for page in ["", "/pages/home", "pages/home?x=1", "pages home", "页", "pages/100%"] {
            assert!(order.clone().page(page, true).is_err(), "{page}");
        }
        assert!(order.clone().width(279).is_err());
        assert!(order.width(1281).is_err());
    }

    #[test]
    fn an_order_is_written_as_the_page_wants_it() {
        let order = UnlimitedCode::new("v=1").unwrap();
        let written = serde_json::to_string(&order.page("pages/home", false).unwrap().transparent()).unwrap();
        assert_eq!(
            written,
            r#"{"scene":"v=1","page":"pages/home","check_path":false,"env_version":"release","width":430,"is_hyaline":true}"#
        );
    }

    #[test]
    fn a_page_of_a_gateway_is_no_picture() {
        assert_eq!(Picture::of(b"<html>".to_vec()), Err(WechatError::Unreadable));
        assert_eq!(Picture::of(Vec::new()), Err(WechatError::Unreadable));
        let picture = Picture::of(vec![0x89, b'P', b'N', b'G']).unwrap();
        assert_eq!(format!("{picture:?}"), "Picture(image/png, 4 bytes)");
    }
}
