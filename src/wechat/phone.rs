//! The telephone number a villager agreed to give.
//!
//! The page is 用户信息, 手机号 (`getPhoneNumber`): the button gives a code that lives five minutes and is good for one
//! use; it is not the code of `wx.login`. Next: [`super::login`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Client, WechatError};

const PATH: &str = "/wxa/business/getuserphonenumber";

/// A telephone number WeChat vouches for. Its `Debug` does not show it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// As people write it; foreign numbers have their country code in front.
    pub phone_number: String,
    /// Without the country code.
    pub pure_phone_number: String,
    /// Such as `86`.
    #[serde(deserialize_with = "text_or_number")]
    pub country_code: String,
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneNumber").finish_non_exhaustive()
    }
}

/// The page says text; older samples and some answers have a number.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u32),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

#[derive(Serialize)]
struct Ask<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Told {
    pub(super) phone_info: PhoneNumber,
}

impl Client {
    /// Exchanges the code of the phone-number button for the number. With `openid`, WeChat also checks that the code is
    /// that villager's. A code that is unknown, used or over is [`WechatError::BadCode`].
    pub async fn phone_number(&self, code: &str, openid: Option<&str>) -> Result<PhoneNumber, WechatError> {
        Ok(self.post_with_token::<Told>(PATH, &Ask { code, openid }).await?.phone_info)
    }
}
