//! `/staff/residence-claims`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{DivisionId, PersonId, ResidenceClaimId},
    residence_claim::{ClaimKind, ClaimState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{Staff, duty::ManagePeople},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    people::ops::claims::{self, Shown},
    personal::{CitizenNumber, PersonName},
    problem::Problem,
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(list_residence_claims).service(approve_residence_claim).service(refuse_residence_claim);
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListClaims {
    /// Left out: `pending`.
    state: Option<ClaimState>,
}

/// A claim as the desk sees it. Names and numbers are masked: the card in hand shows them.
#[derive(Serialize, ToSchema)]
pub struct ClaimView {
    id: ResidenceClaimId,
    kind: ClaimKind,
    state: ClaimState,
    person: PersonId,
    village: DivisionId,
    /// Masked, e.g. 张*三.
    name: PersonName,
    /// Masked, e.g. 5117**********0012.
    citizen_no: CitizenNumber,
    /// Of a recovery: who is registered under this number.
    holder: Option<PersonId>,
    /// The name that the village's roster has for this number, masked; null when it has none.
    roster_name: Option<PersonName>,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

impl ClaimView {
    fn of(app: &App, Shown { claim, on_roster }: Shown) -> Result<Self, Problem> {
        Ok(Self {
            id: claim.id,
            kind: claim.kind,
            state: claim.state,
            person: claim.person_id,
            village: claim.village_id,
            name: app.field_keys.open(&claim.name)?,
            citizen_no: app.field_keys.open(&claim.citizen_no)?,
            holder: claim.holder_id,
            roster_name: on_roster.map(|entry| app.field_keys.open(&entry.name)).transpose()?,
            reason: claim.reason,
            created_at: claim.created_at,
            decided_at: claim.decided_at,
        })
    }
}

/// Claims that wait for the desk, oldest first.
#[utoipa::path(tag = "staff", params(ListClaims, PageQuery), responses((status = 200, body = Page<ClaimView>)))]
#[get("/staff/residence-claims")]
pub async fn list_residence_claims(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    query: ListQuery<ListClaims>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = claims::list(&app, &staff, by.state.unwrap_or(ClaimState::Pending), &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.claim.id, |row| ClaimView::of(&app, row))?.sound()?)
}

/// The card was seen and agrees.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveClaim {}

/// The card does not agree, or something else is wrong.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseClaim {
    /// Read by whoever claimed.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Approves a claim; a recovery gives the account to the WeChat that claimed it and ends the old one.
#[utoipa::path(
    tag = "staff", params(("id" = ResidenceClaimId, Path)), request_body = Option<ApproveClaim>,
    responses((status = 200, body = ClaimView))
)]
#[post("/staff/residence-claims/{id}/approve")]
pub async fn approve_residence_claim(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<ResidenceClaimId>,
    command: Command<ApproveClaim>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone().into_inner(), staff.caller(), app.clock.now());
    let approve = async move |tx: &Tx, _: &ApproveClaim| {
        let claim = claims::approve(tx, &shared, &staff, *id, now).await?;
        ClaimView::of(&shared, Shown { claim, on_roster: None })
    };
    command.once(&app, caller, StatusCode::OK, approve).await
}

/// Refuses a claim.
#[utoipa::path(
    tag = "staff", params(("id" = ResidenceClaimId, Path)), request_body = RefuseClaim,
    responses((status = 200, body = ClaimView))
)]
#[post("/staff/residence-claims/{id}/refuse")]
pub async fn refuse_residence_claim(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<ResidenceClaimId>,
    command: Command<RefuseClaim>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone().into_inner(), staff.caller(), app.clock.now());
    let refuse = async move |tx: &Tx, body: &RefuseClaim| {
        let claim = claims::refuse(tx, &shared, &staff, *id, &body.reason, now).await?;
        ClaimView::of(&shared, Shown { claim, on_roster: None })
    };
    command.once(&app, caller, StatusCode::OK, refuse).await
}
