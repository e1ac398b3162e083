//! Units.

use actix_web::{HttpResponse, get, http::StatusCode, post, put, web::Data, web::Path};
use entity::{
    id::{DivisionId, UnitId},
    unit::{self, UnitKind},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{
        Staff,
        duty::{Anything, ManageAccounts},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
    staffing::{
        bodies::{ChangeUnit, MakeUnit},
        ops::units,
    },
};

pub(in crate::staffing) fn routes(config: &mut ServiceConfig) {
    config.service(list_units).service(make_unit).service(change_unit);
}

/// Something that can be given work.
#[derive(Serialize, ToSchema)]
pub struct UnitView {
    id: UnitId,
    division: DivisionId,
    kind: UnitKind,
    name: String,
    /// The unit above it.
    parent: Option<UnitId>,
}

impl From<unit::Model> for UnitView {
    fn from(row: unit::Model) -> Self {
        Self { id: row.id, division: row.division_id, kind: row.kind, name: row.name, parent: row.parent_id }
    }
}

/// `?division=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUnits {
    /// A place and below it; left out: all places one is posted to.
    division: Option<DivisionId>,
}

/// Units of the places one is posted to, and below.
#[utoipa::path(tag = "staff", params(ListUnits, PageQuery), responses((status = 200, body = Page<UnitView>)))]
#[get("/staff/units")]
pub async fn list_units(
    app: Data<App>,
    staff: Staff<Anything>,
    query: ListQuery<ListUnits>,
) -> Result<HttpResponse, Problem> {
    let rows = units::list(&app, &staff, query.by.division, &query.page).await?;
    json(&Page::cut(rows, query.page.size(), |row| row.id, UnitView::from)?)
}

/// Makes a unit. A place has one of each kind, but many departments and grids.
#[utoipa::path(tag = "staff", request_body = MakeUnit, responses((status = 201, body = UnitView)))]
#[post("/staff/units")]
pub async fn make_unit(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    command: Command<MakeUnit>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let make = async move |tx: &Tx, body: &MakeUnit| Ok(UnitView::from(units::make(tx, &shared, &staff, body).await?));
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Renames a unit or hangs it elsewhere.
#[utoipa::path(
    tag = "staff", params(("id" = UnitId, Path)), request_body = ChangeUnit, responses((status = 200, body = UnitView))
)]
#[put("/staff/units/{id}")]
pub async fn change_unit(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    id: Path<UnitId>,
    command: Command<ChangeUnit>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let change = async move |tx: &Tx, body: &ChangeUnit| {
        Ok(UnitView::from(units::change(tx, &shared, &staff, *id, body).await?))
    };
    command.once(&app, caller, StatusCode::OK, change).await
}
