//! `/me/phone`, `/me/phone/sms`, `/me/phone/confirm`

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post, web::Data};
use entity::person;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use crate::{
    app::App,
    auth::{Villager, address_of},
    db::Tx,
    http::Command,
    people::ops::phone::{self, ASK_AGAIN_AFTER, CODE_LIVES},
    personal::PhoneNumber,
    problem::{Code, Problem},
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(take_wechat_phone).service(send_phone_code).service(confirm_phone);
}

/// The code of a `getPhoneNumber` button.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeWechatPhone {
    /// Five minutes, one use; not the code of `wx.login`.
    #[validate(length(min = 1, max = 128))]
    #[schema(min_length = 1, max_length = 128)]
    code: String,
}

/// A mobile number that is to get a code.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendPhoneCode {
    /// A mainland mobile number.
    #[validate(length(min = 11, max = 24), custom(function = mobile))]
    #[schema(min_length = 11, max_length = 24, pattern = r"^1[3-9][0-9]{9}$")]
    phone: String,
}

/// The code that came.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPhone {
    /// The number it was sent to.
    #[validate(length(min = 11, max = 24), custom(function = mobile))]
    #[schema(min_length = 11, max_length = 24, pattern = r"^1[3-9][0-9]{9}$")]
    phone: String,
    /// Six digits.
    #[validate(length(min = 1, max = 16))]
    #[schema(min_length = 1, max_length = 16)]
    code: String,
}

fn mobile(text: &str) -> Result<(), ValidationError> {
    match PhoneNumber::read(text) {
        Some(phone) if phone.is_mobile() => Ok(()),
        _ => Err(ValidationError::new("format")),
    }
}

fn read(text: &str) -> Result<PhoneNumber, Problem> {
    PhoneNumber::read(text).ok_or_else(|| Problem::field("/phone", "format"))
}

/// A code is on its way.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// How long it is good.
    expires_in_s: i64,
    /// When another may be asked for.
    again_in_s: i64,
}

/// One's phone now.
#[derive(Serialize, ToSchema)]
pub struct PhoneView {
    /// Masked: `138****8000`.
    phone: Option<PhoneNumber>,
}

impl PhoneView {
    fn of(app: &App, row: &person::Model) -> Result<Self, Problem> {
        Ok(Self { phone: app.field_keys.open_if(row.phone.as_ref())? })
    }
}

/// Takes the phone that WeChat vouches for.
#[utoipa::path(tag = "me", request_body = TakeWechatPhone, responses((status = 200, body = PhoneView)))]
#[post("/me/phone")]
pub async fn take_wechat_phone(
    app: Data<App>,
    me: Villager,
    command: Command<TakeWechatPhone>,
) -> Result<HttpResponse, Problem> {
    // A code is good once: a repeat gets the first answer before WeChat is asked again.
    if let Some(answer) = command.answered_before(&app, me.caller()).await? {
        return Ok(answer);
    }
    let phone = phone::vouched(&app, &me, &command.body.code).await?;
    let (shared, caller, now) = (app.clone().into_inner(), me.caller(), app.clock.now());
    let take = async move |tx: &Tx, _: &TakeWechatPhone| {
        PhoneView::of(&shared, &phone::take(tx, &shared, me.person(), &phone, now).await?)
    };
    command.once(&app, caller, StatusCode::OK, take).await
}

/// Sends a code by text message, for those without a phone in WeChat.
#[utoipa::path(tag = "me", request_body = SendPhoneCode, responses((status = 202, body = CodeSent)))]
#[post("/me/phone/sms")]
pub async fn send_phone_code(
    app: Data<App>,
    me: Villager,
    req: HttpRequest,
    command: Command<SendPhoneCode>,
) -> Result<HttpResponse, Problem> {
    let phone = read(&command.body.phone)?;
    let (shared, address, caller, now) =
        (app.clone().into_inner(), address_of(&req, &app), me.caller(), app.clock.now());
    let send = async move |tx: &Tx, _: &SendPhoneCode| {
        phone::send_code(tx, &shared, &me, &phone, address, now).await?;
        Ok(CodeSent { expires_in_s: CODE_LIVES.num_seconds(), again_in_s: ASK_AGAIN_AFTER.num_seconds() })
    };
    command.once(&app, caller, StatusCode::ACCEPTED, send).await
}

/// Confirms the phone by the code that came.
#[utoipa::path(tag = "me", request_body = ConfirmPhone, responses((status = 200, body = PhoneView)))]
#[post("/me/phone/confirm")]
pub async fn confirm_phone(
    app: Data<App>,
    me: Villager,
    command: Command<ConfirmPhone>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = command.answered_before(&app, me.caller()).await? {
        return Ok(answer);
    }
    let (phone, code) = (read(&command.body.phone)?, command.body.code.clone());
    let (shared, now) = (app.clone().into_inner(), app.clock.now());
    let judge = {
        let (app, me, phone) = (shared.clone(), me.clone(), phone.clone());
        async move |tx: &Tx| phone::is_right(tx, &app, &me, &phone, &code, now).await
    };
    if !app.db.transact(judge).await? {
        return Err(Code::PhoneCodeInvalid.into());
    }
    let caller = me.caller();
    let take = async move |tx: &Tx, body: &ConfirmPhone| {
        PhoneView::of(&shared, &phone::confirm(tx, &shared, &me, &phone, &body.code, now).await?)
    };
    command.once(&app, caller, StatusCode::OK, take).await
}
