//! `/auth/*`

use actix_web::{HttpMessage, HttpRequest, HttpResponse, post, web::Data};
use entity::{
    id::{DivisionId, PersonId, StaffId},
    person,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    actor::{AnySession, Posted},
    address_of,
    duty::Duty,
    ops::{self, SignedIn, Who},
    throttle::check_sign_in,
};
use crate::{
    app::App,
    http::{Command, RequestId, json},
    personal::{PersonName, Personal},
    problem::{Code, Problem},
    wechat::WechatError,
    wecom::WecomError,
};

/// The code of `wx.login`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInWechat {
    /// Five minutes, one use.
    #[validate(length(min = 1, max = 128))]
    #[schema(min_length = 1, max_length = 128)]
    code: String,
}

/// A staff password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInStaff {
    /// Not case-sensitive.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    username: String,
    #[schema(value_type = String, max_length = 256)]
    password: SecretString,
    /// Six digits (RFC 6238); asked for where the account has an authenticator.
    #[validate(length(max = 16))]
    #[schema(max_length = 16)]
    totp: Option<String>,
}

/// The code that WeCom gave the app for whoever opened it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInWecom {
    /// Five minutes, one use.
    #[validate(length(min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512)]
    code: String,
    /// Where the app was opened.
    kind: WecomCode,
}

/// Where a code of WeCom comes from.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WecomCode {
    /// A web page inside WeCom, by OAuth.
    Oauth,
    /// The mini-program inside WeCom, by `wx.qy.login`.
    MiniProgram,
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshSession {
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    refresh_token: String,
}

/// Tokens, and who they are for: `person` or `staff`.
#[derive(Serialize, ToSchema)]
pub struct Session {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    refresh_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<StaffView>,
}

/// A villager, as they see themselves.
#[derive(Serialize, ToSchema)]
pub struct PersonView {
    /// Person id.
    id: PersonId,
    name: Option<String>,
    /// Whether residence was verified.
    verified: bool,
    village: Option<DivisionId>,
}

impl PersonView {
    fn of(app: &App, row: &person::Model) -> Result<Self, Problem> {
        let name = app.field_keys.open_if::<PersonName>(row.name.as_ref())?;
        // Their own name, to themselves.
        let name = name.map(|name| name.in_the_clear().to_owned());
        Ok(Self { id: row.id, name, verified: row.verified, village: row.village_id })
    }
}

/// Staff, as they see themselves.
#[derive(Serialize, ToSchema)]
pub struct StaffView {
    id: StaffId,
    name: String,
    postings: Vec<PostingView>,
}

/// A posting that stands.
#[derive(Serialize, ToSchema)]
pub struct PostingView {
    division: DivisionId,
    duties: Vec<Duty>,
}

impl From<Posted> for PostingView {
    fn from(posted: Posted) -> Self {
        Self { division: posted.division, duties: posted.duties }
    }
}

/// Signs a villager in with WeChat.
#[utoipa::path(tag = "auth", security(()), request_body = SignInWechat, responses((status = 200, body = Session)))]
#[post("/auth/wechat")]
pub async fn sign_in_wechat(
    app: Data<App>,
    req: HttpRequest,
    command: Command<SignInWechat>,
) -> Result<HttpResponse, Problem> {
    let signed = ops::sign_in_wechat(&app, &command.body.code, address_of(&req, &app)).await?;
    let who = Who::Person(signed.who);
    session(&app, SignedIn { access_token: signed.access_token, refresh_token: signed.refresh_token, who })
}

/// Signs staff in with a password.
#[utoipa::path(tag = "auth", security(()), request_body = SignInStaff, responses((status = 200, body = Session)))]
#[post("/auth/staff")]
pub async fn sign_in_staff(
    app: Data<App>,
    req: HttpRequest,
    command: Command<SignInStaff>,
) -> Result<HttpResponse, Problem> {
    let SignInStaff { username, password, totp } = command.body;
    let password = password.expose_secret().chars().take(256).collect();
    let (address, request) = (address_of(&req, &app), request_of(&req));
    let signed = ops::sign_in_staff(&app, &username, password, totp.as_deref(), address, &request).await?;
    let who = Who::Staff(signed.who.0, signed.who.1);
    session(&app, SignedIn { access_token: signed.access_token, refresh_token: signed.refresh_token, who })
}

/// Signs staff in with WeCom, whose own sign-in is the second factor. The account is bound by an administrator.
#[utoipa::path(tag = "auth", security(()), request_body = SignInWecom, responses((status = 200, body = Session)))]
#[post("/auth/wecom")]
pub async fn sign_in_wecom(
    app: Data<App>,
    req: HttpRequest,
    command: Command<SignInWecom>,
) -> Result<HttpResponse, Problem> {
    check_sign_in(&app, address_of(&req, &app))?;
    let SignInWecom { code, kind } = &command.body;
    let member = match kind {
        _ if app.config.wecom.corp_id.is_empty() => return Err(Code::WecomUnavailable.into()),
        WecomCode::Oauth => app.wecom.member_of_code(code).await,
        WecomCode::MiniProgram => app.wecom.member_of_mini_program_code(code).await,
    };
    let member = member.map_err(in_our_words)?;
    let signed = ops::sign_in_wecom(&app, &member.userid, &request_of(&req)).await?;
    let who = Who::Staff(signed.who.0, signed.who.1);
    session(&app, SignedIn { access_token: signed.access_token, refresh_token: signed.refresh_token, who })
}

fn in_our_words(fault: WecomError) -> Problem {
    match fault {
        WecomError::NotAMember => Code::WecomNotBound.into(),
        WecomError::Api(WechatError::BadCode(_)) => Code::WecomCodeInvalid.into(),
        WecomError::Api(other) => {
            tracing::warn!(error = %other, "WeCom did not sign somebody in");
            Code::WecomUnavailable.into()
        }
    }
}

/// Trades a refresh token for new tokens; each works once.
#[utoipa::path(tag = "auth", security(()), request_body = RefreshSession, responses((status = 200, body = Session)))]
#[post("/auth/refresh")]
pub async fn refresh_session(
    app: Data<App>,
    req: HttpRequest,
    command: Command<RefreshSession>,
) -> Result<HttpResponse, Problem> {
    session(&app, ops::refresh(&app, &command.body.refresh_token, &request_of(&req)).await?)
}

/// Ends this session.
#[utoipa::path(tag = "auth", responses((status = 204)))]
#[post("/auth/logout")]
pub async fn sign_out(
    app: Data<App>,
    req: HttpRequest,
    AnySession(session): AnySession,
) -> Result<HttpResponse, Problem> {
    ops::sign_out(&app, session, &request_of(&req)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The id of the call, for the audit.
fn request_of(req: &HttpRequest) -> String {
    req.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone())
}

fn session(app: &App, signed: SignedIn<Who>) -> Result<HttpResponse, Problem> {
    let (person, staff) = match signed.who {
        Who::Person(row) => (Some(PersonView::of(app, &row)?), None),
        Who::Staff(row, postings) => {
            let postings = postings.into_iter().map(PostingView::from).collect();
            (None, Some(StaffView { id: row.id, name: row.name, postings }))
        }
    };
    json(&Session {
        access_token: signed.access_token,
        token_type: "Bearer",
        expires_in: app.keyring.life_s(),
        refresh_token: signed.refresh_token,
        person,
        staff,
    })
}
