//! Absences and cover.

use std::collections::HashMap;

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    absence,
    id::{AbsenceId, DivisionId, StaffId},
};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{Staff, duty::Anything},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
    staffing::{
        bodies::{ArrangeAbsence, EndAbsence},
        ops::absences::{self, Narrow},
    },
};

pub(in crate::staffing) fn routes(config: &mut ServiceConfig) {
    config.service(list_absences).service(arrange_absence).service(end_absence);
}

/// Somebody is away and somebody stands in.
#[derive(Serialize, ToSchema)]
pub struct AbsenceView {
    id: AbsenceId,
    staff: StaffId,
    staff_name: Option<String>,
    stand_in: StaffId,
    stand_in_name: Option<String>,
    /// The first day.
    from: NaiveDate,
    /// The last day.
    until: NaiveDate,
    /// When open work was moved.
    begun_at: Option<DateTime<Utc>>,
    /// When it came back.
    ended_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl AbsenceView {
    fn of(row: &absence::Model, names: &HashMap<StaffId, String>) -> Self {
        Self {
            id: row.id,
            staff: row.staff_id,
            staff_name: names.get(&row.staff_id).cloned(),
            stand_in: row.stand_in_id,
            stand_in_name: names.get(&row.stand_in_id).cloned(),
            from: row.from_on,
            until: row.until_on,
            begun_at: row.begun_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
        }
    }
}

async fn named(db: &impl ConnectionTrait, row: absence::Model) -> Result<AbsenceView, Problem> {
    let names = absences::names(db, std::slice::from_ref(&row)).await?;
    Ok(AbsenceView::of(&row, &names))
}

/// `?staff=&division=&ended=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAbsences {
    /// Of one person.
    staff: Option<StaffId>,
    /// Of people posted to a place or below it.
    division: Option<DivisionId>,
    /// Only those that are over, or only those that are not.
    ended: Option<bool>,
}

/// One's own absences, those one stands in for, and those of the people one arranges for; newest first.
#[utoipa::path(tag = "staff", params(ListAbsences, PageQuery), responses((status = 200, body = Page<AbsenceView>)))]
#[get("/staff/absences")]
pub async fn list_absences(
    app: Data<App>,
    staff: Staff<Anything>,
    query: ListQuery<ListAbsences>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let narrow = Narrow { staff: by.staff, division: by.division, ended: by.ended };
    let rows = absences::list(&app, &staff, narrow, &page).await?;
    let names = absences::names(app.db.read(), &rows).await?;
    json(&Page::cut(rows, page.size(), |row| row.id, |row| AbsenceView::of(&row, &names))?)
}

/// Arranges an absence, of oneself or of somebody whose work one assigns. From its first day open work is with the
/// stand-in, due when it was due.
#[utoipa::path(tag = "staff", request_body = ArrangeAbsence, responses((status = 201, body = AbsenceView)))]
#[post("/staff/absences")]
pub async fn arrange_absence(
    app: Data<App>,
    staff: Staff<Anything>,
    command: Command<ArrangeAbsence>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let arrange = async move |tx: &Tx, body: &ArrangeAbsence| {
        named(tx, absences::arrange(tx, &shared, &staff, body).await?).await
    };
    command.once(&app, caller, StatusCode::CREATED, arrange).await
}

/// Back early, or not going at all: work that moved comes back.
#[utoipa::path(
    tag = "staff", params(("id" = AbsenceId, Path)), request_body = EndAbsence,
    responses((status = 200, body = AbsenceView))
)]
#[post("/staff/absences/{id}/end")]
pub async fn end_absence(
    app: Data<App>,
    staff: Staff<Anything>,
    id: Path<AbsenceId>,
    command: Command<EndAbsence>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let end =
        async move |tx: &Tx, _: &EndAbsence| named(tx, absences::end_early(tx, &shared, &staff, *id).await?).await;
    command.once(&app, caller, StatusCode::OK, end).await
}
