//! `/staff/divisions/{division}/settings`

use actix_web::{HttpResponse, Responder, get, http::StatusCode, put, web::Data, web::Path};
use entity::id::DivisionId;

use super::{
    bodies::{ChangeSettings, SettingsView},
    ops,
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{Anything, ManageAccounts},
    },
    db::Tx,
    divisions,
    http::{Command, Single},
    problem::Problem,
};

/// What holds in a place: how long what may take, when its desks work.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)),
    responses((status = 200, body = SettingsView), (status = 304, description = "Not changed"))
)]
#[get("/staff/divisions/{division}/settings")]
pub async fn get_settings(
    app: Data<App>,
    staff: Staff<Anything>,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    let place = divisions::reach(app.db.read(), &staff, *division).await?;
    let places = ops::lineage(&place);
    Ok(Single(SettingsView::of(&app.settings.load(), place.id, &places)))
}

/// Sets what a place sets for itself and everything below it, from now on: clocks that run already keep their numbers.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = ChangeSettings,
    responses((status = 200, body = SettingsView))
)]
#[put("/staff/divisions/{division}/settings")]
pub async fn change_settings(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    division: Path<DivisionId>,
    command: Command<ChangeSettings>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let change = async move |tx: &Tx, body: &ChangeSettings| {
        let place = divisions::reach(tx, &staff, *division).await?;
        let own = ops::change(tx, &shared, &staff, &place, body).await?;
        let places = ops::lineage(&place);
        Ok(SettingsView::of(&shared.settings.load().with(place.id, own), place.id, &places))
    };
    let answer = command.once(&app, caller, StatusCode::OK, change).await?;
    ops::refresh(&app).await?;
    Ok(answer)
}
