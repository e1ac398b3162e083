//! `/staff/catalogue`: who keeps the catalogue.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    import::{self, CatalogueFile, ImportReport, MAX_FILE},
    versions::{self, PublishItem, RetireItem},
    views::{ItemVersion, ItemView},
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::ManageCatalogue},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, Query, Upload, json},
    problem::{Code, Problem},
};

/// Nothing narrows the list.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ListVersions {}

/// `?dry_run=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportCatalogue {
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// The versions of an item, newest first: who published which, when and why.
#[utoipa::path(
    tag = "staff", params(("code" = String, Path, example = "DZ-MZ-01"), PageQuery),
    responses((status = 200, body = Page<ItemVersion>))
)]
#[get("/staff/catalogue/{code}/versions")]
pub async fn list_item_versions(
    app: Data<App>,
    _staff: Staff<ManageCatalogue>,
    code: Path<String>,
    query: ListQuery<ListVersions>,
) -> Result<HttpResponse, Problem> {
    let (rows, names) = versions::list(&app, &code, &query.page).await?;
    json(&Page::cut(rows, query.page.size(), |row| row.version, |row| ItemVersion::of(&row, &names))?)
}

/// Publishes a new version, which holds from now on for what is filed; running cases keep theirs. County and city only.
#[utoipa::path(
    tag = "staff", params(("code" = String, Path, example = "DZ-MZ-01")), request_body = PublishItem,
    responses((status = 201, body = ItemView))
)]
#[post("/staff/catalogue/{code}/versions")]
pub async fn publish_item(
    app: Data<App>,
    staff: Staff<ManageCatalogue>,
    code: Path<String>,
    command: Command<PublishItem>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &PublishItem| {
        ItemView::of(versions::publish(tx, &shared, &staff, &code, body).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Takes an item out of what is offered: no new cases, running ones go on. Another version offers it again.
#[utoipa::path(
    tag = "staff", params(("code" = String, Path, example = "DZ-MZ-01")), request_body = RetireItem,
    responses((status = 200, body = ItemView))
)]
#[post("/staff/catalogue/{code}/retire")]
pub async fn retire_item(
    app: Data<App>,
    staff: Staff<ManageCatalogue>,
    code: Path<String>,
    command: Command<RetireItem>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation =
        async move |tx: &Tx, body: &RetireItem| ItemView::of(versions::retire(tx, &shared, &staff, &code, body).await?);
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Everything that is offered, in the shape that the import takes.
#[utoipa::path(tag = "staff", responses((status = 200, body = CatalogueFile)))]
#[get("/staff/catalogue/export")]
pub async fn export_catalogue(app: Data<App>, _staff: Staff<ManageCatalogue>) -> Result<HttpResponse, Problem> {
    json(&CatalogueFile { items: versions::offered(app.db.read()).await? })
}

/// A whole catalogue as a file of at most 4 MB, the body itself or the one file of a form. County and city only.
///
/// What is new or changed becomes a new version, the same stays, what the file does not name stays too. With one bad item
/// nothing is taken (422, each fault at `/items/{number}/...`, the first is 0); `dry_run=true` only reports.
#[utoipa::path(
    tag = "staff", params(ImportCatalogue), request_body = CatalogueFile,
    responses((status = 200, body = ImportReport))
)]
#[post("/staff/catalogue/import")]
pub async fn import_catalogue(
    app: Data<App>,
    staff: Staff<ManageCatalogue>,
    asked: Query<ImportCatalogue>,
    command: Command<Upload>,
) -> Result<HttpResponse, Problem> {
    versions::check_level(&staff)?;
    let (file, command) = command.apart();
    if file.bytes.len() > MAX_FILE {
        return Err(Code::TooLarge.into());
    }
    let clock = app.clock.clone();
    // Sixty forms and more are compiled: not on a thread that answers others.
    let read = actix_web::web::block(move || import::read(&file.bytes, &clock)).await;
    let items = read.map_err(Problem::unexpected)??;
    if asked.0.dry_run {
        return json(&import::rehearse(app.db.read(), &items).await?);
    }
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let operation = async move |tx: &Tx, (): &()| {
        let report = import::write(tx, &items, Some(staff.id()), now).await?;
        let said = format!("added {} changed {} unchanged {}", report.added, report.changed, report.unchanged);
        let entry = Entry::plain("import_catalogue", "reference").of_fields(said);
        audit::record(tx, &shared.field_keys, &Actor::staff(&staff), entry, now).await?;
        Ok(report)
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}
