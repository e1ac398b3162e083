//! `/me`

use actix_web::{HttpResponse, Responder, delete, get, put, web::Data};
use chrono::NaiveDate;
use entity::{
    id::{DivisionId, PersonId},
    person,
    preferences::{Preferences, PreferredLanguage},
};
use rust_i18n::t;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use crate::{
    app::App,
    auth::Villager,
    crypto::FieldKeys,
    http::{Command, Single, json},
    people::ops::{forget, me as ops},
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Language, Problem},
};

/// Oneself.
#[derive(Serialize, ToSchema)]
pub struct MeView {
    id: PersonId,
    /// Null until it was told.
    #[schema(required)]
    name: Option<String>,
    /// Masked: `138****8000`.
    #[schema(required)]
    phone: Option<PhoneNumber>,
    /// Whether residence was verified.
    verified: bool,
    #[schema(required)]
    village: Option<DivisionId>,
    /// The relative who is told of what agents do.
    family_contact: Option<FamilyContactView>,
    preferences: Preferences,
}

/// The relative who is told of what agents do.
#[derive(Serialize, ToSchema)]
pub struct FamilyContactView {
    name: String,
    /// Masked: `138****8000`.
    phone: Option<PhoneNumber>,
}

impl MeView {
    fn of(keys: &FieldKeys, row: &person::Model) -> Result<Self, Problem> {
        let name = keys.open_if::<PersonName>(row.name.as_ref())?;
        Ok(Self {
            id: row.id,
            // Their own name, to themselves.
            name: name.map(|name| name.in_the_clear().to_owned()),
            phone: keys.open_if(row.phone.as_ref())?,
            verified: row.verified,
            village: row.village_id,
            family_contact: keys
                .open_if::<PersonName>(row.family_name.as_ref())?
                .map(|name| {
                    Ok::<_, Problem>(FamilyContactView {
                        name: name.in_the_clear().to_owned(),
                        phone: keys.open_if(row.family_phone.as_ref())?,
                    })
                })
                .transpose()?,
            preferences: Preferences::of(&row.preferences),
        })
    }
}

/// What is to change; what is not named stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMe {
    /// As it stands in the identity card.
    #[validate(length(min = 1, max = 40), custom(function = "not_blank"))]
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub(crate) name: Option<String>,
    #[validate(nested)]
    pub(crate) preferences: Option<UpdatePreferences>,
    /// Told by text message of what agents do.
    #[validate(nested)]
    pub(crate) family_contact: Option<FamilyContactBody>,
}

/// A relative.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyContactBody {
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(crate) name: String,
    #[validate(length(min = 1, max = 24))]
    #[schema(min_length = 1, max_length = 24)]
    pub(crate) phone: String,
}

/// Preferences that are to change; what is not named stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePreferences {
    pub(crate) language: Option<PreferredLanguage>,
    pub(crate) large_text: Option<bool>,
    pub(crate) voice_first: Option<bool>,
    #[validate(nested)]
    pub(crate) channels: Option<UpdateChannels>,
}

/// Channels that are to change; what is not named stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannels {
    pub(crate) wechat: Option<bool>,
    pub(crate) sms: Option<bool>,
}

fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(ValidationError::new("length")) } else { Ok(()) }
}

/// What was taken away and what must stay, and until when.
#[derive(Serialize, ToSchema)]
pub struct ForgottenView {
    /// Taken away now: the account with name, phones, citizen number, bookings, notices and authorisations.
    #[schema(example = json!(["account"]))]
    deleted: Vec<&'static str>,
    kept: Vec<KeptView>,
}

/// Something the law wants kept.
#[derive(Serialize, ToSchema)]
pub struct KeptView {
    /// `cases`, `open_cases`, `audit`, `consents`.
    what: &'static str,
    /// In the caller's language.
    why: String,
    count: Option<u64>,
    /// The last day, when it is known already.
    until: Option<NaiveDate>,
}

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(get_me).service(update_me).service(forget_me);
}

/// Oneself.
#[utoipa::path(tag = "me", responses((status = 200, body = MeView), (status = 304, description = "Not changed")))]
#[get("/me")]
pub async fn get_me(app: Data<App>, me: Villager) -> Result<impl Responder, Problem> {
    Ok(Single(MeView::of(&app.field_keys, &ops::find(app.db.read(), &me).await?)?))
}

/// Changes one's name or preferences.
#[utoipa::path(tag = "me", request_body = UpdateMe, responses((status = 200, body = MeView)))]
#[put("/me")]
pub async fn update_me(app: Data<App>, me: Villager, command: Command<UpdateMe>) -> Result<HttpResponse, Problem> {
    let (keys, change) = (app.field_keys.clone(), command.body);
    let row = app.db.transact(async move |tx| ops::update(tx, &keys, &me, &change).await).await?;
    json(&MeView::of(&app.field_keys, &row)?)
}

/// Deletes the account and says what must be kept and until when (个人信息保护法 47).
#[utoipa::path(tag = "me", responses((status = 200, body = ForgottenView)))]
#[delete("/me")]
pub async fn forget_me(app: Data<App>, me: Villager, language: Language) -> Result<HttpResponse, Problem> {
    let (shared, now) = (app.clone().into_inner(), app.clock.now());
    let kept = app.db.transact(async move |tx| forget::forget(tx, &shared, &me, now).await).await?;
    let said = |kept: forget::Kept| KeptView {
        what: kept.what,
        why: t!(format!("kept.{}", kept.what), locale = language.tag()).into_owned(),
        count: kept.count,
        until: kept.until,
    };
    json(&ForgottenView {
        deleted: vec!["account", "bookings", "notices", "authorisations", "drafts"],
        kept: kept.into_iter().map(said).collect(),
    })
}
