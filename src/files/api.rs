//! `/files`, `/staff/files`, `/media`: bringing files and fetching them.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::StatusCode,
    post,
    web::{Data, Path, Payload},
};
use entity::id::FileId;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    Owner,
    access::{self, Readers},
    document::{FileForm, Offset, Served, Taken, UploadHeaders},
    incoming, links,
    serve::{self, Size},
    take_in::{self, with_offset},
    uploads,
    views::{FileLink, UploadView},
};
use crate::{
    app::App,
    auth::{Staff, Villager, check_open_read, duty::Anything},
    http::{Query, json},
    problem::Problem,
};

/// `?size=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetFile {
    /// `thumbnail`: of a photo a small one, at most 320 pixels, JPEG. Left out: the whole.
    #[param(inline)]
    size: Option<Size>,
}

/// `?until=&signature=&size=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetMedia {
    /// When the link ends, in seconds since 1970.
    until: i64,
    /// What makes it ours.
    #[validate(length(max = 128))]
    signature: String,
    /// As it was signed.
    #[param(inline)]
    size: Option<Size>,
}

/// Takes a file in, or a part of one.
///
/// With `X-Upload-Id` a file may come in parts: each call brings the bytes that `Content-Range` names and is answered 202 with
/// `Upload-Offset` until the last one is answered 201. What arrived of a part whose line broke is kept; `GET
/// /files/uploads/{upload_id}` says how far it came. 409 `upload_offset` says the same where a part does not follow.
#[utoipa::path(
    tag = "files", params(UploadHeaders),
    request_body(content = FileForm, content_type = "multipart/form-data"), responses(Taken)
)]
#[post("/files")]
pub async fn upload_file(
    app: Data<App>,
    me: Villager,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take_in::take_in(app, Owner::Person(me.person()), req, payload.into_inner()).await
}

/// Takes a file in, or a part of one; as `POST /files`.
#[utoipa::path(
    tag = "files", params(UploadHeaders),
    request_body(content = FileForm, content_type = "multipart/form-data"), responses(Taken)
)]
#[post("/staff/files")]
pub async fn upload_staff_file(
    app: Data<App>,
    staff: Staff<Anything>,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take_in::take_in(app, Owner::Staff(staff.id()), req, payload.into_inner()).await
}

/// How far a file has come that its line lost.
#[utoipa::path(
    tag = "files", params(("upload_id" = String, Path, description = "As in X-Upload-Id")), responses(Offset)
)]
#[get("/files/uploads/{upload_id}")]
pub async fn get_upload(app: Data<App>, me: Villager, upload_id: Path<String>) -> Result<HttpResponse, Problem> {
    offset(&app, Owner::Person(me.person()), &upload_id).await
}

/// How far a file has come that its line lost.
#[utoipa::path(
    tag = "files", params(("upload_id" = String, Path, description = "As in X-Upload-Id")), responses(Offset)
)]
#[get("/staff/files/uploads/{upload_id}")]
pub async fn get_staff_upload(
    app: Data<App>,
    staff: Staff<Anything>,
    upload_id: Path<String>,
) -> Result<HttpResponse, Problem> {
    offset(&app, Owner::Staff(staff.id()), &upload_id).await
}

async fn offset(app: &App, owner: Owner, name: &str) -> Result<HttpResponse, Problem> {
    if !incoming::is_upload_name(name) {
        return Err(Problem::not_found());
    }
    let row = uploads::find(owner, name).one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    let received = uploads::unsigned(row.received);
    let view = UploadView::of(received, row.total.map(uploads::unsigned), row.file_id);
    Ok(with_offset(StatusCode::OK, &view, received))
}

/// A file, for who may see what it hangs on; ranges are answered.
#[utoipa::path(tag = "files", params(("id" = FileId, Path), GetFile), responses(Served))]
#[get("/files/{id}")]
pub async fn get_file(
    app: Data<App>,
    me: Villager,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_villager(&app, &me, *id).await?;
    serve::serve(&app, &req, &row, query.0.size.unwrap_or_default()).await
}

/// A file, for staff who may see what it hangs on; ranges are answered.
#[utoipa::path(tag = "files", params(("id" = FileId, Path), GetFile), responses(Served))]
#[get("/staff/files/{id}")]
pub async fn get_staff_file(
    app: Data<App>,
    staff: Readers,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_staff(&app, &staff, *id).await?;
    serve::serve(&app, &req, &row, query.0.size.unwrap_or_default()).await
}

/// An address for a player or an image tag, which cannot send a token; good for ten minutes.
#[utoipa::path(tag = "files", params(("id" = FileId, Path), GetFile), responses((status = 200, body = FileLink)))]
#[get("/files/{id}/link")]
pub async fn link_file(
    app: Data<App>,
    me: Villager,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_villager(&app, &me, *id).await?;
    json(&links::for_caller(&app, &req, row.id, query.0.size.unwrap_or_default())?)
}

/// An address for a player or an image tag, which cannot send a token; good for ten minutes.
#[utoipa::path(tag = "files", params(("id" = FileId, Path), GetFile), responses((status = 200, body = FileLink)))]
#[get("/staff/files/{id}/link")]
pub async fn link_staff_file(
    app: Data<App>,
    staff: Readers,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_staff(&app, &staff, *id).await?;
    json(&links::for_caller(&app, &req, row.id, query.0.size.unwrap_or_default())?)
}

/// What a link leads to. Anything wrong with it is 404.
#[utoipa::path(tag = "files", security(()), params(("id" = FileId, Path), GetMedia), responses(Served))]
#[get("/media/{id}")]
pub async fn get_media(
    app: Data<App>,
    id: Path<FileId>,
    query: Query<GetMedia>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check_open_read(&app, &req)?;
    let GetMedia { until, signature, size } = query.0;
    let size = size.unwrap_or_default();
    let purpose = links::purpose_of(&app, *id, size, until, &signature)?.ok_or_else(Problem::not_found)?;
    let row = access::of_link(&app, *id, purpose).await?;
    serve::serve(&app, &req, &row, size).await
}
