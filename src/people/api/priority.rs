//! `/staff/people/{id}/priority`

use actix_web::{HttpResponse, http::StatusCode, post, web::Data, web::Path};
use chrono::{Months, NaiveDate};
use entity::{Instant, id::PersonId, person};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    audit::{self, Actor, Entry, reveal::check_reason},
    auth::{Staff, duty::ManagePeople},
    clock::local_day,
    db::Tx,
    http::Command,
    people::place,
    problem::Problem,
};

/// The longest it is set for; then the desk looks again.
const LONGEST: Months = Months::new(24);

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(set_priority);
}

/// Sets the limits of booking aside for somebody (disabled, pregnant). Whoever is 65 needs no setting.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPriority {
    /// Until when, at most two years; null ends it.
    until: Option<NaiveDate>,
    /// For the audit; 4 to 200 characters. What somebody suffers from does not belong here.
    #[validate(custom(function = "check_reason"))]
    #[schema(min_length = 4, max_length = 200)]
    reason: String,
}

/// Whether the limits of booking bind somebody.
#[derive(Serialize, ToSchema)]
pub struct PriorityView {
    person: PersonId,
    /// Whether they are set aside today, by age or by the desk: never since when, which would tell the day of birth.
    priority: bool,
    /// As the desk set it.
    #[schema(required)]
    until: Option<NaiveDate>,
}

/// Sets the limits of booking aside for somebody of a village in scope. Entered in the audit.
#[utoipa::path(
    tag = "staff", params(("id" = PersonId, Path)), request_body = SetPriority,
    responses((status = 200, body = PriorityView))
)]
#[post("/staff/people/{id}/priority")]
pub async fn set_priority(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<PersonId>,
    command: Command<SetPriority>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let shared = app.clone().into_inner();
    let set = async move |tx: &Tx, body: &SetPriority| set(tx, &shared, &staff, *id, body, now).await;
    command.once(&app, caller, StatusCode::OK, set).await
}

async fn set(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    id: PersonId,
    body: &SetPriority,
    now: Instant,
) -> Result<PriorityView, Problem> {
    let row: person::Model = place::person(tx, staff, id).await?;
    let today = local_day(now);
    if body.until.is_some_and(|until| until < today || until > today + LONGEST) {
        return Err(Problem::field("/until", "range"));
    }
    let by_age = row.priority_from.is_some_and(|from| from <= today);
    let mut row = row.into_active_model();
    row.priority_until = Set(body.until);
    row.update(tx).await?;
    let entry = Entry::done("set_priority", "person", id).because(body.reason.as_str());
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(PriorityView { person: id, priority: by_age || body.until.is_some(), until: body.until })
}
