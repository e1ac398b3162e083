//! `/staff/me`: one's own account, open also to who has no second factor yet.

use actix_web::{HttpResponse, Responder, get, post, put, web::Data};
use chrono::NaiveDate;
use entity::{
    id::{DivisionId, PostingId, StaffId, UnitId},
    staff,
    unit::UnitKind,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    Duty,
    accounts::{self, Seat},
    actor::AnyStaff,
    own,
};
use crate::{
    app::App,
    http::{Command, Single, json},
    problem::Problem,
};

/// A password in a body: it prints and is written as `****`, also where a rule that it breaks is told.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Password(SecretString);

impl Password {
    /// The whole of it, to be hashed.
    #[must_use]
    pub fn in_the_clear(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Serialize for Password {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("****")
    }
}

/// Whether a password may be kept; for bodies.
///
/// # Errors
/// `length`.
pub fn long_enough(password: &Password) -> Result<(), ValidationError> {
    let fits = accounts::password_fits(password.in_the_clear());
    if fits { Ok(()) } else { Err(ValidationError::new("length")) }
}

/// What somebody signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// A password alone.
    None,
    /// And a code of an authenticator.
    Totp,
    /// By `WeCom`.
    Wecom,
}

/// One's own account.
#[derive(Serialize, ToSchema)]
pub struct OwnAccountView {
    id: StaffId,
    username: String,
    name: String,
    postings: Vec<SeatView>,
    /// Of this session. Where the account has both, an authenticator is named.
    second_factor: SecondFactor,
    /// Whether this session may do nothing but enrol an authenticator: sign in again by `WeCom`, or enrol and confirm.
    second_factor_missing: bool,
    /// An authenticator is confirmed.
    totp: bool,
    /// A `WeCom` account is bound.
    wecom: bool,
}

/// A posting with the names of its unit and place.
#[derive(Serialize, ToSchema)]
pub struct SeatView {
    id: PostingId,
    division: DivisionId,
    division_name: Option<String>,
    unit: UnitId,
    unit_name: Option<String>,
    unit_kind: Option<UnitKind>,
    duties: Vec<Duty>,
    starts_on: NaiveDate,
    /// The last day; null: until further notice.
    ends_on: Option<NaiveDate>,
}

impl SeatView {
    /// The view of a row.
    pub fn of(Seat { posting: row, unit, place }: Seat) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            division: row.division_id,
            division_name: place.map(|place| place.display_name),
            unit: row.unit_id,
            unit_kind: unit.as_ref().map(|unit| unit.kind),
            unit_name: unit.map(|unit| unit.name),
            duties: serde_json::from_value(row.duties).map_err(Problem::unexpected)?,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
        })
    }
}

/// The old password and the new one.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(value_type = String, max_length = 256)]
    old_password: Password,
    #[validate(custom(function = long_enough))]
    #[schema(value_type = String, min_length = 10, max_length = 256)]
    new_password: Password,
}

/// No field.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolTotp {}

/// What an authenticator needs; shown once.
#[derive(Serialize, ToSchema)]
pub struct TotpEnrolment {
    /// Base32, for typing.
    secret: String,
    /// For a QR code.
    #[schema(example = "otpauth://totp/Shuoshi:town?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shuoshi")]
    uri: String,
}

/// A code of the authenticator that was enrolled.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// Six digits.
    #[validate(length(min = 6, max = 16))]
    #[schema(min_length = 6, max_length = 16)]
    code: String,
}

/// One's own account.
#[utoipa::path(
    tag = "staff",
    responses((status = 200, body = OwnAccountView), (status = 304, description = "Not changed"))
)]
#[get("/staff/me")]
pub async fn get_own_account(app: Data<App>, me: AnyStaff) -> Result<impl Responder, Problem> {
    let (row, seats) = own::find(&app, &me).await?;
    Ok(Single(OwnAccountView {
        postings: seats.into_iter().map(SeatView::of).collect::<Result<_, _>>()?,
        second_factor: factor_of(&me, &row),
        second_factor_missing: me.needs_second_factor() && !me.second_factor(),
        totp: row.totp_confirmed_at.is_some(),
        wecom: row.wecom_userid.is_some(),
        id: row.id,
        username: row.username,
        name: row.name,
    }))
}

fn factor_of(me: &AnyStaff, row: &staff::Model) -> SecondFactor {
    match (me.second_factor(), row.totp_confirmed_at) {
        (false, _) => SecondFactor::None,
        (true, Some(_)) => SecondFactor::Totp,
        (true, None) => SecondFactor::Wecom,
    }
}

/// Changes one's own password; other sessions of the account end.
#[utoipa::path(
    tag = "staff", request_body = ChangePassword, responses((status = 204, description = "Changed"))
)]
#[put("/staff/me/password")]
pub async fn change_own_password(
    app: Data<App>,
    me: AnyStaff,
    command: Command<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let ChangePassword { old_password, new_password } = command.body;
    let old = old_password.in_the_clear().chars().take(accounts::MOST_PASSWORD).collect();
    own::change_password(&app, &me, old, new_password.in_the_clear().to_owned()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Begins with an authenticator: its secret, which counts once a code was confirmed. Never answered twice.
#[utoipa::path(tag = "staff", request_body = EnrolTotp, responses((status = 200, body = TotpEnrolment)))]
#[post("/staff/me/totp")]
pub async fn enrol_totp(app: Data<App>, me: AnyStaff, _: Command<EnrolTotp>) -> Result<HttpResponse, Problem> {
    // Not kept under an idempotency key: a secret stands in no table but its own, sealed.
    let own::Enrolment { secret, uri } = own::enrol(&app, &me).await?;
    json(&TotpEnrolment { secret, uri })
}

/// Confirms the authenticator by a code; this session then counts as one of two factors, and the others end.
#[utoipa::path(
    tag = "staff", request_body = ConfirmTotp, responses((status = 204, description = "Confirmed"))
)]
#[post("/staff/me/totp/confirm")]
pub async fn confirm_totp(
    app: Data<App>,
    me: AnyStaff,
    command: Command<ConfirmTotp>,
) -> Result<HttpResponse, Problem> {
    own::confirm(&app, &me, command.body.code).await?;
    Ok(HttpResponse::NoContent().finish())
}
