//! Who may see the photo or recording an authorisation rests on: the two it is about, and the desk of the principal.

use entity::{authorisation, id::AuthorisationId};
use sea_orm::EntityTrait;

use super::place;
use crate::{
    app::App,
    audit::Entry,
    auth::{Staff, Villager, duty::ManagePeople},
    clock::local_day,
    problem::Problem,
};

async fn row(app: &App, id: AuthorisationId) -> Result<authorisation::Model, Problem> {
    authorisation::Entity::find_by_id(id).one(app.db.read()).await?.ok_or_else(Problem::not_found)
}

/// Nothing, where the villager gave the authorisation or holds it as long as it lives; else 404.
pub async fn evidence_shown_to_villager(app: &App, me: &Villager, id: AuthorisationId) -> Result<(), Problem> {
    let row = row(app, id).await?;
    let living = row.revoked_at.is_none() && row.until >= local_day(app.clock.now());
    let holds = row.agent_id == Some(me.person()) && living;
    if row.principal_id == me.person() || holds { Ok(()) } else { Err(Problem::not_found()) }
}

/// The desk of the place where the principal lives. What is to be entered in the audit before it is shown.
pub async fn evidence_shown_to_staff(
    app: &App,
    staff: &Staff<ManagePeople>,
    id: AuthorisationId,
) -> Result<Vec<Entry>, Problem> {
    let row = row(app, id).await?;
    place::person(app.db.read(), staff, row.principal_id).await?;
    Ok(vec![Entry::done("read_evidence", "authorisation", id).of_fields("file")])
}
