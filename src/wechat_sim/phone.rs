//! `POST /wxa/business/getuserphonenumber`: the number behind a code of the phone-number button.
//!
//! It follows 用户信息, 手机号. Next: [`super::people`], whose numbers they are.

use actix_web::{
    HttpRequest,
    web::{self, Bytes, Data, ServiceConfig},
};
use serde_json::json;

use super::{World, answers::Answer, call::Call, lock};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/business/getuserphonenumber", web::to(phone_number));
}

async fn phone_number(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let openid = Some(ask.text("openid")).filter(|openid| !openid.is_empty());
    let phone = lock(&world.people).redeem_phone(ask.text("code"), openid, call.at).ok_or_else(|| call.no(40029))?;
    let (country, pure) = split(&phone);
    let shown = if country == "86" { pure.to_owned() } else { format!("+{country}{pure}") };
    Ok(call.answer(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": shown,
            "purePhoneNumber": pure,
            "countryCode": country,
            "watermark": { "timestamp": call.at.timestamp(), "appid": world.settings.app_id },
        },
    })))
}

/// Country code and the rest; a number without `+` is a Chinese one.
fn split(phone: &str) -> (&str, &str) {
    let Some(digits) = phone.strip_prefix('+') else { return ("86", phone) };
    let length = match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        // Three digits: most of Africa, the small states of Europe and the Pacific, 852, 853, 886.
        Some(
            "21" | "22" | "23" | "24" | "25" | "26" | "29" | "35" | "37" | "38" | "42" | "50" | "59" | "67" | "68"
            | "69" | "80" | "85" | "87" | "88" | "96" | "97" | "99",
        ) => 3,
        _ => 2,
    };
    digits.split_at_checked(length).unwrap_or(("86", digits))
}

#[cfg(test)]
mod tests {
    #[test]
    fn country_codes_are_split_off() {
        for (phone, expected) in [
            ("13800000000", ("86", "13800000000")),
            ("+8613800000000", ("86", "13800000000")),
            ("+85212345678", ("852", "12345678")),
            ("+12025550123", ("1", "2025550123")),
            ("+", ("86", "")),
        ] {
            assert_eq!(super::split(phone), expected);
        }
    }
}
