//! `/staff/divisions/{division}/duty-list`, `/staff/duty-list/{id}`, `/staff/cases/{id}/suggestion`

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    duty_entry,
    id::{CaseId, DivisionId, DutyEntryId, StaffId, UnitId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::ops;
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{Anything, KeepDutyList, WorkOnCases},
    },
    cases::{commands::known_topic, scope, trail},
    db::Tx,
    divisions,
    http::{Command, Page, json},
    problem::Problem,
};

/// An entry of the duty list: the more it says, the earlier it is asked.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddDuty {
    /// Code of a service item; left out: any.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(super) item: Option<String>,
    /// A code of the list `topics`; left out: any.
    #[validate(length(max = 40), custom(function = known_topic))]
    #[schema(max_length = 40)]
    pub(super) topic: Option<String>,
    /// The villagers' group (组, the grid) as the roster has it; left out: any.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(super) group: Option<String>,
    /// The unit that works on it: of the place, its township or its county.
    pub(super) unit: UnitId,
    /// Somebody of that unit; left out: whoever handles cases there.
    pub(super) staff: Option<StaffId>,
}

/// An entry of the duty list.
#[derive(Serialize, ToSchema)]
pub struct DutyEntryView {
    id: DutyEntryId,
    division: DivisionId,
    item: Option<String>,
    topic: Option<String>,
    group: Option<String>,
    unit: UnitId,
    staff: Option<StaffId>,
}

impl From<duty_entry::Model> for DutyEntryView {
    fn from(row: duty_entry::Model) -> Self {
        Self {
            id: row.id,
            division: row.division_id,
            item: row.item_code,
            topic: row.topic,
            group: row.group_name,
            unit: row.unit_id,
            staff: row.staff_id,
        }
    }
}

/// Why somebody is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DispatchReason {
    /// The duty list names the service item.
    Item,
    /// It names the villagers' group.
    Group,
    /// It names the topic.
    Topic,
    /// It names nothing: whatever else there is.
    Everything,
    /// Not on the village's list: the township's.
    NotOnTheList,
    /// The village has no list: somebody has to know.
    NoList,
}

impl DispatchReason {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Group => "group",
            Self::Topic => "topic",
            Self::Everything => "everything",
            Self::NotOnTheList => "not_on_the_list",
            Self::NoList => "no_list",
        }
    }
}

/// Who should have a case.
#[derive(Serialize, ToSchema)]
pub struct DispatchSuggestion {
    unit: Option<UnitId>,
    assignee: Option<StaffId>,
    reason: DispatchReason,
    /// Why, in one sentence.
    sentence: String,
}

/// The duty list of a place, the first written first; at most 500.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), responses((status = 200, body = Page<DutyEntryView>))
)]
#[get("/staff/divisions/{division}/duty-list")]
pub async fn list_duties(
    app: Data<App>,
    staff: Staff<Anything>,
    division: Path<DivisionId>,
) -> Result<HttpResponse, Problem> {
    let place = divisions::reach(app.db.read(), &staff, *division).await?;
    let rows = ops::list(&app, place.id).await?;
    json(&Page::whole(rows.into_iter().map(DutyEntryView::from).collect()))
}

/// Adds an entry to the duty list of a place.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = AddDuty,
    responses((status = 201, body = DutyEntryView))
)]
#[post("/staff/divisions/{division}/duty-list")]
pub async fn add_duty(
    app: Data<App>,
    staff: Staff<KeepDutyList>,
    division: Path<DivisionId>,
    command: Command<AddDuty>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &AddDuty| {
        Ok(DutyEntryView::from(ops::add(tx, &shared, &staff, *division, body).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Takes an entry out of a duty list. Work that was given by it stays where it is.
#[utoipa::path(
    tag = "staff", params(("id" = DutyEntryId, Path)), responses((status = 204, description = "It is gone"))
)]
#[delete("/staff/duty-list/{id}")]
pub async fn remove_duty(
    app: Data<App>,
    staff: Staff<KeepDutyList>,
    id: Path<DutyEntryId>,
) -> Result<HttpResponse, Problem> {
    app.db.transact(async move |tx| ops::remove(tx, &staff, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who should have a case by the duty lists of its village and township, and why.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)), responses((status = 200, body = DispatchSuggestion))
)]
#[get("/staff/cases/{id}/suggestion")]
pub async fn suggest_receiver(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    let case = scope::one(scope::of_staff(&staff), *id, app.db.read()).await?;
    trail::read(&app, &staff, &case, "suggestion").await?;
    let shared = app.clone();
    let found = app.db.transact(async move |tx| ops::suggest(tx, &shared, &case).await).await?;
    json(&DispatchSuggestion {
        unit: found.unit,
        assignee: found.assignee,
        reason: found.reason,
        sentence: found.sentence,
    })
}
