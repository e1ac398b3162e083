//! `/cases`, `/track`: the villager's side.

use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    case::{self, CaseKind, CaseState},
    file::FileThing,
    id::{CaseId, PersonId},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    agency,
    commands::{FileCase, VillagerAction},
    explain::{self, DueDateExplained},
    ops::{
        act,
        file::{self, Wish},
        find, merging, track,
    },
    scope,
    timeline::{self, CaseEventView},
    tracked::{self, TrackedCase},
    views::{self, CaseView},
};
use crate::{
    app::App,
    auth::{Villager, address_of},
    clock::local_day,
    db::{Db, Tx},
    files,
    http::{Command, Lane, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
};

/// `?state=&kind=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCases {
    state: Option<CaseState>,
    kind: Option<CaseKind>,
    /// Of somebody who let the caller act: the cases the authorisations open.
    for_person: Option<PersonId>,
}

/// The number on the receipt and the last four digits of the phone.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackCase {
    /// As typed or read out: spaces, hyphens, full-width and Chinese digits are understood.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    number: String,
    /// Four digits.
    #[validate(length(equal = 4))]
    #[schema(min_length = 4, max_length = 4)]
    phone_tail: String,
}

/// Files a case, or keeps a draft of one.
#[utoipa::path(tag = "cases", request_body = FileCase, responses((status = 201, body = CaseView)))]
#[post("/cases")]
pub async fn file_case(app: Data<App>, me: Villager, command: Command<FileCase>) -> Result<HttpResponse, Problem> {
    let (shared, caller, client_time) = (app.clone().into_inner(), me.caller(), command.client_time);
    let wish = |body| Wish { app: shared, me, body, client_time };
    command.once_in(&app, &app.filings, caller, StatusCode::CREATED, wish).await
}

/// The lane of [`file_case`]: cases that are filed at the same moment are written together.
#[must_use]
pub fn lane(db: &Db) -> Lane<Wish> {
    Lane::open(db, async |tx: &Tx, wishes: &[&Wish]| {
        let Some(app) = wishes.first().map(|wish| &wish.app) else { return Ok(vec![]) };
        let cases = file::file(tx, app, wishes).await?;
        let known: Vec<&case::Model> = cases.iter().flatten().collect();
        let names = find::Names::of_items(app, tx, known).await?;
        let mut views = Vec::with_capacity(wishes.len());
        for (wish, case) in wishes.iter().zip(cases) {
            views.push(match case {
                Ok(case) => Ok(filed_view(tx, app, wish, case, &names).await?),
                Err(problem) => Err(problem),
            });
        }
        Ok(views)
    })
}

/// One's own cases, newest first.
#[utoipa::path(tag = "cases", params(ListCases, PageQuery), responses((status = 200, body = Page<CaseView>)))]
#[get("/cases")]
pub async fn list_cases(app: Data<App>, me: Villager, query: ListQuery<ListCases>) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let narrow = find::Narrow { state: by.state, kind: by.kind, ..find::Narrow::default() };
    let scope = match by.for_person.filter(|person| *person != me.person()) {
        Some(person) => agency::of_principal(app.db.read(), &me, person, local_day(app.clock.now())).await?,
        None => scope::of_villager(&me),
    };
    let rows = find::newest(&app, scope, &narrow, &page).await?;
    let names = find::Names::of_items(&app, app.db.read(), &rows).await?;
    let view = |row| views::for_villager(&app, row, &names).map(CaseView::in_a_list);
    json(&Page::cut(rows, page.size(), |row| row.id, view)?.sound()?)
}

/// One of one's own cases.
#[utoipa::path(
    tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseView), (status = 304, description = "Not changed"))
)]
#[get("/cases/{id}")]
pub async fn get_case(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<impl Responder, Problem> {
    let case = agency::reach(app.db.read(), &me, *id, local_day(app.clock.now())).await?.case;
    let names = find::Names::of_items(&app, app.db.read(), std::slice::from_ref(&case)).await?;
    let main = match merging::main_of(app.db.read(), &case).await? {
        Some(main) => Some(views::MainCase::of(&main, merging::answer_of(app.db.read(), &main).await?)),
        None => None,
    };
    let files = files::views_of(app.db.read(), FileThing::Case, id.0).await?;
    Ok(Single(views::for_villager(&app, case, &names)?.with_main(main).with_files(files)))
}

/// Throws a draft away.
#[utoipa::path(tag = "cases", params(("id" = CaseId, Path)), responses((status = 204)))]
#[delete("/cases/{id}")]
pub async fn delete_case(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<HttpResponse, Problem> {
    app.db.transact(async move |tx| file::delete_draft(tx, &me, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What became of it, oldest first.
#[utoipa::path(tag = "cases", params(("id" = CaseId, Path)), responses((status = 200, body = Page<CaseEventView>)))]
#[get("/cases/{id}/events")]
pub async fn list_case_events(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<HttpResponse, Problem> {
    let case = agency::reach(app.db.read(), &me, *id, local_day(app.clock.now())).await?.case;
    json(&Page::whole(timeline::timeline(&app, &case, false).await?))
}

/// Submits, confirms, reopens or withdraws.
#[utoipa::path(tag = "cases", params(("id" = CaseId, Path)), request_body = VillagerAction, responses((status = 200, body = CaseView)))]
#[post("/cases/{id}/actions")]
pub async fn act_on_case(
    app: Data<App>,
    me: Villager,
    id: Path<CaseId>,
    command: Command<VillagerAction>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), me.caller());
    let operation = async move |tx: &Tx, action: &VillagerAction| {
        let case = Box::pin(act::by_villager(tx, &shared, &me, *id, action.clone())).await?;
        villager_view(&shared, tx, case).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// "Why this day?": every day from acceptance to the due day, counted or not, and why.
#[utoipa::path(
    tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = DueDateExplained), (status = 304, description = "Not changed"))
)]
#[get("/cases/{id}/due-date")]
pub async fn explain_case(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<impl Responder, Problem> {
    let reach = agency::reach(app.db.read(), &me, *id, local_day(app.clock.now())).await?;
    Ok(Single(explain::explain(&app, &reach.case).await?))
}

/// Looks a case up by the number on the receipt, without signing in.
#[utoipa::path(tag = "cases", security(()), request_body = TrackCase, responses((status = 200, body = TrackedCase)))]
#[post("/track")]
pub async fn track_case(
    app: Data<App>,
    req: HttpRequest,
    command: Command<TrackCase>,
) -> Result<HttpResponse, Problem> {
    let TrackCase { number, phone_tail } = &command.body;
    let steps = track::track(&app, number, phone_tail, address_of(&req, &app)).await?;
    json(&tracked::tracked(&app, steps).await?)
}

/// A case that has just been filed; where it came without files, nobody looks for them.
async fn filed_view(
    tx: &Tx,
    app: &App,
    wish: &Wish,
    case: case::Model,
    names: &find::Names,
) -> Result<CaseView, Problem> {
    let id = case.id.0;
    let files =
        if wish.body.matter().files.is_empty() { vec![] } else { files::views_of(tx, FileThing::Case, id).await? };
    Ok(views::for_villager(app, case, names)?.with_files(files))
}

async fn villager_view(app: &App, tx: &Tx, case: entity::case::Model) -> Result<CaseView, Problem> {
    let names = find::Names::of_items(app, tx, std::slice::from_ref(&case)).await?;
    views::for_villager(app, case, &names)
}
