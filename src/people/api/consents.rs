//! `/me/consents`, `/staff/people/{id}/consents/{purpose}`

use actix_web::{HttpResponse, get, put, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{consent, id::PersonId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, Villager, duty::ManagePeople},
    db::Tx,
    http::{Command, Page, json},
    people::{
        ops::consents::{self, Decision},
        place,
    },
    personal::{PersonName, PhoneNumber},
    problem::Problem,
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(list_consents).service(decide_consent).service(record_consent);
}

/// Yes or no, and to which text.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideConsent {
    granted: bool,
    /// Version of the text that was shown.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    text_version: String,
    /// Who agrees for a child under 14; needed for the purpose `guardian`.
    #[validate(nested)]
    guardian: Option<Guardian>,
}

/// Who agrees for a child.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Guardian {
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    name: String,
    #[validate(length(min = 1, max = 24))]
    #[schema(min_length = 1, max_length = 24)]
    phone: String,
}

impl DecideConsent {
    fn decision(self, purpose: String) -> Result<Decision, Problem> {
        let guardian = self.guardian.map(|guardian| {
            let name = PersonName::read(&guardian.name).ok_or_else(|| Problem::field("/guardian/name", "format"))?;
            let phone =
                PhoneNumber::read(&guardian.phone).ok_or_else(|| Problem::field("/guardian/phone", "format"))?;
            Ok::<_, Problem>((name, phone))
        });
        let (granted, text_version, guardian) = (self.granted, self.text_version, guardian.transpose()?);
        Ok(Decision { purpose, granted, text_version, guardian })
    }
}

/// A decision that counts.
#[derive(Serialize, ToSchema)]
pub struct ConsentView {
    /// A code of the list `consent_purposes`.
    purpose: String,
    granted: bool,
    text_version: String,
    at: DateTime<Utc>,
}

impl From<consent::Model> for ConsentView {
    fn from(row: consent::Model) -> Self {
        Self { purpose: row.purpose, granted: row.granted, text_version: row.text_version, at: row.at }
    }
}

/// What one agreed to or refused, the last word on each purpose.
#[utoipa::path(tag = "me", responses((status = 200, body = Page<ConsentView>)))]
#[get("/me/consents")]
pub async fn list_consents(app: Data<App>, me: Villager) -> Result<HttpResponse, Problem> {
    let rows = consents::standing(app.db.read(), me.person()).await?;
    json(&Page::whole(rows.into_iter().map(ConsentView::from).collect()))
}

/// Agrees to a purpose or takes it back.
#[utoipa::path(
    tag = "me", params(("purpose" = String, Path)), request_body = DecideConsent,
    responses((status = 200, body = ConsentView))
)]
#[put("/me/consents/{purpose}")]
pub async fn decide_consent(
    app: Data<App>,
    me: Villager,
    purpose: Path<String>,
    command: Command<DecideConsent>,
) -> Result<HttpResponse, Problem> {
    let (shared, now, body, purpose) = (app.clone().into_inner(), app.clock.now(), command.body, purpose.into_inner());
    let decide = async move |tx: &Tx| {
        let decision = body.clone().decision(purpose.clone())?;
        consents::decide(tx, &shared, me.person(), decision, None, now).await
    };
    json(&ConsentView::from(app.db.transact(decide).await?))
}

/// Records at the desk what a resident, or a child's guardian, agreed to.
#[utoipa::path(
    tag = "staff", params(("id" = PersonId, Path), ("purpose" = String, Path)), request_body = DecideConsent,
    responses((status = 200, body = ConsentView))
)]
#[put("/staff/people/{id}/consents/{purpose}")]
pub async fn record_consent(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    path: Path<(PersonId, String)>,
    command: Command<DecideConsent>,
) -> Result<HttpResponse, Problem> {
    let (shared, now, body, (id, purpose)) =
        (app.clone().into_inner(), app.clock.now(), command.body, path.into_inner());
    let decide = async move |tx: &Tx| {
        place::person(tx, &staff, id).await?;
        let decision = body.clone().decision(purpose.clone())?;
        let row = consents::decide(tx, &shared, id, decision, Some(staff.id()), now).await?;
        let entry = Entry::done("record_consent", "person", id).of_fields(purpose.clone());
        audit::record(tx, &shared.field_keys, &Actor::staff(&staff), entry, now).await?;
        Ok(row)
    };
    json(&ConsentView::from(app.db.transact(decide).await?))
}
