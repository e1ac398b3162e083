//! `/staff/divisions/{division}/people`, `roster` and `export`, `/staff/people/{id}`

use actix_web::{
    HttpResponse, Responder, get,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use entity::id::{DivisionId, PersonId, RosterEntryId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    audit::Actor,
    auth::{
        Staff,
        duty::{Anything, ManagePeople},
    },
    clock::local_day,
    db::Tx,
    divisions,
    http::{Command, Cursor, ListQuery, Page, PageQuery, Query, Single, Upload, json},
    people::{
        export::{self, ExportQuery},
        find::{self, Sought},
        place,
        roster::{
            import::{self, OnError},
            report::RosterReport,
        },
        views::{ResidentView, RosterEntryView},
    },
    problem::{Language, Problem},
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_people)
        .service(get_person)
        .service(list_roster)
        .service(import_roster)
        .service(export_register);
}

/// `?q=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindPeople {
    /// A whole phone number, citizen number or name.
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64)]
    q: Option<String>,
}

impl FindPeople {
    fn sought(&self, app: &App) -> Result<Option<Sought>, Problem> {
        let today = local_day(app.clock.now());
        self.q.as_deref().map(|typed| Sought::read(&app.field_keys, typed, today)).transpose()
    }
}

/// People of a village, or of all villages below a place, masked, in the order in which they registered.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), FindPeople, PageQuery),
    responses((status = 200, body = Page<ResidentView>))
)]
#[get("/staff/divisions/{division}/people")]
pub async fn list_people(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    division: Path<DivisionId>,
    query: ListQuery<FindPeople>,
) -> Result<HttpResponse, Problem> {
    let (db, keys, ListQuery { by, page }) = (app.db.read(), &app.field_keys, query);
    let place = divisions::reach(db, &staff, *division).await?;
    let after = Cursor::read::<PersonId>(page.cursor.as_deref())?;
    let rows = find::people(db, &place, by.sought(&app)?, after, page.size() + 1).await?;
    let households = find::household_numbers(db, &rows).await?;
    let view = |row| ResidentView::of(keys, row, &households);
    json(&Page::cut(rows, page.size(), |row| row.id, view)?.sound()?)
}

/// One person of a village in scope, masked.
#[utoipa::path(
    tag = "staff", params(("id" = PersonId, Path)),
    responses((status = 200, body = ResidentView), (status = 304, description = "Not changed"))
)]
#[get("/staff/people/{id}")]
pub async fn get_person(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<PersonId>,
) -> Result<impl Responder, Problem> {
    let person = place::person(app.db.read(), &staff, *id).await?;
    let households = find::household_numbers(app.db.read(), std::slice::from_ref(&person)).await?;
    Ok(Single(ResidentView::of(&app.field_keys, person, &households)?))
}

/// Lines of the roster of a village, or of all villages below a place, masked.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), FindPeople, PageQuery),
    responses((status = 200, body = Page<RosterEntryView>))
)]
#[get("/staff/divisions/{division}/roster")]
pub async fn list_roster(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    division: Path<DivisionId>,
    query: ListQuery<FindPeople>,
) -> Result<HttpResponse, Problem> {
    let (db, keys, ListQuery { by, page }) = (app.db.read(), &app.field_keys, query);
    let place = divisions::reach(db, &staff, *division).await?;
    let after = Cursor::read::<RosterEntryId>(page.cursor.as_deref())?;
    let rows = find::entries(db, &place, by.sought(&app)?, after, page.size() + 1).await?;
    let claimed = find::claimed(db, &rows).await?;
    let view = |row| RosterEntryView::of(keys, row, &claimed);
    json(&Page::cut(rows, page.size(), |row| row.id, view)?.sound()?)
}

/// `?dry_run=&on_error=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportRoster {
    /// Only says what would be done and what is wrong.
    #[serde(default)]
    #[param(required = false, default = false)]
    dry_run: bool,
    /// What to do about lines that are wrong.
    #[serde(default)]
    #[param(required = false, inline)]
    on_error: OnError,
}

/// The file as a form.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what http::Upload reads")]
pub struct RosterForm {
    /// CSV or XLSX.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes the roster of a village in: CSV (UTF-8 or GB18030) or XLSX, told by its bytes, at most 10 MB and 20,000 lines.
///
/// Columns by their headings, in any order: name, `citizen_no`, `household_no`, group, phone, note, or 姓名, 身份证号,
/// 户号, 组, 电话, 备注; the first two are needed, and of the others a file that lacks them says nothing. Whoever stands
/// there already is found by the citizen number and follows the file. With a wrong line nothing is taken (422, each
/// fault at `/lines/{line}/{column}`) unless `on_error=skip`; `dry_run=true` only reports.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ImportRoster),
    request_body(content(
        (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (RosterForm = "multipart/form-data"),
    )),
    responses((status = 200, body = RosterReport))
)]
#[post("/staff/divisions/{division}/roster")]
pub async fn import_roster(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    division: Path<DivisionId>,
    asked: Query<ImportRoster>,
    language: Language,
    command: Command<Upload>,
) -> Result<HttpResponse, Problem> {
    let (file, command) = command.apart();
    let (keys, by) = (app.field_keys.clone(), Actor::staff(&staff));
    let village = place::village(app.db.read(), &staff, *division).await?;
    let prepared = import::prepare(&keys, village.id, file.bytes, app.clock.now()).await?;
    if asked.0.dry_run {
        let counts = import::rehearse(app.db.read(), &keys, &prepared).await?;
        return json(&prepared.report(counts, true, language));
    }
    let prepared = prepared.acceptable(asked.0.on_error)?;
    let operation = async move |tx: &Tx, (): &()| {
        let counts = import::carry_out(tx, &keys, &by, &prepared).await?;
        Ok(prepared.report(counts, false, language))
    };
    command.once(&app, staff.caller(), StatusCode::OK, operation).await
}

/// A register of a place as a file, masked unless the clear text is asked for with a reason. Every export is audited.
///
/// People under 14 stay masked for whoever lacks the duty `read_minors`. A cell that a spreadsheet would take for a
/// formula begins with an apostrophe.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ExportQuery),
    responses((status = 200, description = "The register", content(
        (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )))
)]
#[get("/staff/divisions/{division}/export")]
pub async fn export_register(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    all_duties: Staff<Anything>,
    division: Path<DivisionId>,
    asked: Query<ExportQuery>,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let place = divisions::reach(app.db.read(), &staff, *division).await?;
    let wish = asked.0.check(place, &all_duties, language)?;
    export::export(app, &Actor::staff(&staff), wish).await
}
