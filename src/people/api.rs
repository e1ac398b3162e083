//! `/me`

use actix_web::{HttpResponse, Responder, get, put, web::Data};
use entity::{
    id::{DivisionId, PersonId},
    person,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::ops;
use crate::{
    app::App,
    auth::Villager,
    crypto::FieldKeys,
    http::{Command, Single, json},
    personal::{PersonName, Personal, PhoneNumber},
    problem::Problem,
};

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
pub enum PreferredLanguage {
    /// 简体中文
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English
    #[serde(rename = "en")]
    En,
}

/// How somebody likes the interface.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct PreferencesView {
    pub(super) language: PreferredLanguage,
    /// Larger letters and fewer things on a page.
    pub(super) large_text: bool,
    /// Speaking comes before typing.
    pub(super) voice_first: bool,
}

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
    preferences: PreferencesView,
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
            preferences: ops::preferences_of(&row.preferences),
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
    pub(super) name: Option<String>,
    #[validate(nested)]
    pub(super) preferences: Option<UpdatePreferences>,
}

/// Preferences that are to change; what is not named stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePreferences {
    pub(super) language: Option<PreferredLanguage>,
    pub(super) large_text: Option<bool>,
    pub(super) voice_first: Option<bool>,
}

fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(ValidationError::new("length")) } else { Ok(()) }
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
