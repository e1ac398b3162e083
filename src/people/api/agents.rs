//! `/me/authorisations`, `/me/principals`, `/staff/people/{id}/authorisations`

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    authorisation::EvidenceKind,
    id::{AuthorisationId, BookingId, CaseId, FileId, PersonId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use crate::{
    app::App,
    auth::{Staff, Villager, duty::ManagePeople},
    clock::local_day,
    db::Tx,
    http::{Command, Page, json},
    people::{
        ops::{
            agents::ScopeWord,
            authorise::{self, Shown, Wanted},
        },
        place,
    },
    personal::{PersonName, PhoneNumber},
    problem::Problem,
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_authorisations)
        .service(authorise_agent)
        .service(end_authorisation)
        .service(list_principals)
        .service(list_authorisations_of_person)
        .service(record_authorisation)
        .service(end_authorisation_at_desk);
}

/// Who may act, for what, until when, and what that rests on.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoriseAgent {
    /// Person id of the agent; or their phone.
    agent: Option<PersonId>,
    #[validate(length(min = 1, max = 24))]
    #[schema(min_length = 1, max_length = 24)]
    agent_phone: Option<String>,
    /// As the principal calls them.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    agent_name: Option<String>,
    /// `talk`, `voice`, `proxy:*`, `proxy:{item code}`.
    #[validate(length(min = 1, max = 20), custom(function = words))]
    #[schema(min_items = 1, max_items = 20)]
    scope: Vec<String>,
    /// The last day, at most twelve months ahead.
    until: NaiveDate,
    #[validate(nested)]
    evidence: AuthorisationEvidence,
}

/// What an authorisation rests on.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationEvidence {
    kind: EvidenceKind,
    /// In words.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    text: Option<String>,
    /// File id of a photo or recording.
    file: Option<FileId>,
    /// Who heard it; needed for `voice`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    witness: Option<String>,
}

fn words(scope: &[String]) -> Result<(), ValidationError> {
    let known = scope.iter().all(|word| word.len() <= 64 && ScopeWord::read(word).is_some());
    if known { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

impl AuthoriseAgent {
    fn wanted(&self) -> Result<Wanted, Problem> {
        let name = |text: &Option<String>, pointer: &'static str| {
            let read = |text: &String| PersonName::read(text).ok_or_else(|| Problem::field(pointer, "format"));
            text.as_ref().map(read).transpose()
        };
        let phone = self
            .agent_phone
            .as_ref()
            .map(|text| PhoneNumber::read(text).ok_or_else(|| Problem::field("/agent_phone", "format")));
        Ok(Wanted {
            agent: self.agent,
            agent_phone: phone.transpose()?,
            agent_name: name(&self.agent_name, "/agent_name")?,
            scope: self.scope.clone(),
            until: self.until,
            evidence: self.evidence.kind,
            text: self.evidence.text.clone(),
            file: self.evidence.file,
            witness: name(&self.evidence.witness, "/evidence/witness")?,
        })
    }
}

/// Whether an authorisation counts.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorisationState {
    /// It does.
    Active,
    /// Its last day is over.
    Expired,
    /// It was ended.
    Revoked,
}

/// An authorisation and everything done by it.
#[derive(Serialize, ToSchema)]
pub struct AuthorisationView {
    id: AuthorisationId,
    state: AuthorisationState,
    principal: PersonId,
    /// Masked.
    principal_name: Option<PersonName>,
    /// Person id, once the agent is registered.
    agent: Option<PersonId>,
    /// Masked.
    agent_name: Option<PersonName>,
    /// Masked.
    agent_phone: Option<PhoneNumber>,
    scope: serde_json::Value,
    until: NaiveDate,
    evidence: EvidenceKind,
    /// Recorded at the desk.
    at_desk: bool,
    created_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    /// The latest first, at most a hundred.
    uses: Vec<AuthorisationUseView>,
}

/// Something the agent did.
#[derive(Serialize, ToSchema)]
pub struct AuthorisationUseView {
    at: DateTime<Utc>,
    #[schema(example = "file_case")]
    action: String,
    case: Option<CaseId>,
    number: Option<String>,
    booking: Option<BookingId>,
}

impl AuthorisationView {
    fn of(app: &App, shown: Shown) -> Result<Self, Problem> {
        let Shown { row, principal, agent, uses } = shown;
        let keys = &app.field_keys;
        let state = if row.revoked_at.is_some() {
            AuthorisationState::Revoked
        } else if row.until < local_day(app.clock.now()) {
            AuthorisationState::Expired
        } else {
            AuthorisationState::Active
        };
        let agent_name = row.agent_name.or_else(|| agent.and_then(|agent| agent.name));
        let one = |(used, number): (entity::authorisation_use::Model, Option<String>)| AuthorisationUseView {
            at: used.at,
            action: used.action,
            case: used.case_id,
            number,
            booking: used.booking_id,
        };
        Ok(Self {
            id: row.id,
            state,
            principal: row.principal_id,
            principal_name: keys.open_if(principal.and_then(|person| person.name).as_ref())?,
            agent: row.agent_id,
            agent_name: keys.open_if(agent_name.as_ref())?,
            agent_phone: keys.open_if(row.agent_phone.as_ref())?,
            scope: row.scope,
            until: row.until,
            evidence: row.evidence_kind,
            at_desk: row.recorded_by.is_some(),
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            uses: uses.into_iter().map(one).collect(),
        })
    }

    fn page(app: &App, rows: Vec<Shown>) -> Result<HttpResponse, Problem> {
        let views = rows.into_iter().map(|row| Self::of(app, row)).collect::<Result<_, Problem>>()?;
        json(&Page::whole(views))
    }
}

/// Authorisations one has given, with everything done by them.
#[utoipa::path(tag = "me", responses((status = 200, body = Page<AuthorisationView>)))]
#[get("/me/authorisations")]
pub async fn list_authorisations(app: Data<App>, me: Villager) -> Result<HttpResponse, Problem> {
    AuthorisationView::page(&app, authorise::given(app.db.read(), me.person()).await?)
}

/// Lets somebody act for oneself.
#[utoipa::path(tag = "me", request_body = AuthoriseAgent, responses((status = 201, body = AuthorisationView)))]
#[post("/me/authorisations")]
pub async fn authorise_agent(
    app: Data<App>,
    me: Villager,
    command: Command<AuthoriseAgent>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone().into_inner(), me.caller(), app.clock.now());
    let make = async move |tx: &Tx, body: &AuthoriseAgent| {
        let row = authorise::by_principal(tx, &shared, &me, body.wanted()?, now).await?;
        AuthorisationView::of(&shared, authorise::shown(tx, row).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Ends an authorisation at once: the principal's right, and the agent's.
#[utoipa::path(tag = "me", params(("id" = AuthorisationId, Path)), responses((status = 204)))]
#[delete("/me/authorisations/{id}")]
pub async fn end_authorisation(
    app: Data<App>,
    me: Villager,
    id: Path<AuthorisationId>,
) -> Result<HttpResponse, Problem> {
    let (shared, now) = (app.clone().into_inner(), app.clock.now());
    app.db.transact(async move |tx| authorise::end(tx, &shared, &me, *id, now).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Those one may act for.
#[utoipa::path(tag = "me", responses((status = 200, body = Page<AuthorisationView>)))]
#[get("/me/principals")]
pub async fn list_principals(app: Data<App>, me: Villager) -> Result<HttpResponse, Problem> {
    let today = local_day(app.clock.now());
    AuthorisationView::page(&app, authorise::held(app.db.read(), &me, today).await?)
}

/// Authorisations a resident has given.
#[utoipa::path(
    tag = "staff", params(("id" = PersonId, Path)), responses((status = 200, body = Page<AuthorisationView>))
)]
#[get("/staff/people/{id}/authorisations")]
pub async fn list_authorisations_of_person(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<PersonId>,
) -> Result<HttpResponse, Problem> {
    place::person(app.db.read(), &staff, *id).await?;
    AuthorisationView::page(&app, authorise::given_as_the_desk_sees_it(app.db.read(), *id).await?)
}

/// Records at the desk that a resident lets somebody act.
#[utoipa::path(
    tag = "staff", params(("id" = PersonId, Path)), request_body = AuthoriseAgent,
    responses((status = 201, body = AuthorisationView))
)]
#[post("/staff/people/{id}/authorisations")]
pub async fn record_authorisation(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<PersonId>,
    command: Command<AuthoriseAgent>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone().into_inner(), staff.caller(), app.clock.now());
    let make = async move |tx: &Tx, body: &AuthoriseAgent| {
        let row = authorise::at_the_desk(tx, &shared, &staff, *id, body.wanted()?, now).await?;
        AuthorisationView::of(&shared, authorise::shown(tx, row).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Ends an authorisation at the desk.
#[utoipa::path(tag = "staff", params(("id" = AuthorisationId, Path)), responses((status = 204)))]
#[delete("/staff/authorisations/{id}")]
pub async fn end_authorisation_at_desk(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<AuthorisationId>,
) -> Result<HttpResponse, Problem> {
    let (shared, now) = (app.clone().into_inner(), app.clock.now());
    app.db.transact(async move |tx| authorise::end_at_the_desk(tx, &shared, &staff, *id, now).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
