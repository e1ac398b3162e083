//! `/files`, `/staff/files`, `/media`: bringing files and fetching them.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::StatusCode,
    post,
    web::{Data, Path, Payload},
};
use entity::{file, file::FileState, id::FileId};
use sea_orm::EntityTrait;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    Owner,
    access::{self, Readers},
    incoming,
    links::{self, Purpose},
    serve::{self, Size},
    take_in::{self, said},
    uploads,
    views::{FileLink, FileView, UploadView},
};
use crate::{
    app::App,
    auth::{
        Staff, Villager, check_open_read,
        duty::{Anything, ManagePeople, SeeTalkLine, WorkOnCases},
    },
    http::{Query, json},
    problem::Problem,
};

/// One file.
#[derive(ToSchema)]
#[allow(dead_code, clippy::doc_markdown, reason = "describes the form, to people")]
pub struct FileForm {
    /// A photo (JPEG, PNG, WebP, GIF, BMP; 10 MB), a voice note (MP3, AAC, M4A, AMR, WebM or Ogg with Opus, WAV; 10 minutes,
    /// 10 MB) or a PDF (20 MB). What it is, its bytes say; an extension must fit them.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

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
    tag = "files",
    params(
        ("X-Upload-Id" = Option<String>, Header, description = "8 to 64 letters, digits, -, _ and .: names the upload"),
        ("Content-Range" = Option<String>, Header, description = "bytes a-b/total; needs X-Upload-Id")
    ),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = FileView),
        (status = 202, body = UploadView, headers(("Upload-Offset" = u64, description = "Bytes that arrived")))
    )
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
    tag = "files",
    params(
        ("X-Upload-Id" = Option<String>, Header, description = "8 to 64 letters, digits, -, _ and .: names the upload"),
        ("Content-Range" = Option<String>, Header, description = "bytes a-b/total; needs X-Upload-Id")
    ),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = FileView),
        (status = 202, body = UploadView, headers(("Upload-Offset" = u64, description = "Bytes that arrived")))
    )
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
    tag = "files", params(("upload_id" = String, Path, description = "As in X-Upload-Id")),
    responses((status = 200, body = UploadView, headers(("Upload-Offset" = u64, description = "Bytes that arrived"))))
)]
#[get("/files/uploads/{upload_id}")]
pub async fn get_upload(app: Data<App>, me: Villager, upload_id: Path<String>) -> Result<HttpResponse, Problem> {
    offset(&app, Owner::Person(me.person()), &upload_id).await
}

/// How far a file has come that its line lost.
#[utoipa::path(
    tag = "files", params(("upload_id" = String, Path, description = "As in X-Upload-Id")),
    responses((status = 200, body = UploadView, headers(("Upload-Offset" = u64, description = "Bytes that arrived"))))
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
    if !incoming::fits(name) {
        return Err(Problem::not_found());
    }
    let row = uploads::find(owner, name).one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    let received = uploads::unsigned(row.received);
    Ok(said(StatusCode::OK, &UploadView::of(received, row.total.map(uploads::unsigned), row.file_id), received))
}

/// A file, for who may see what it hangs on; ranges are answered.
#[utoipa::path(
    tag = "files", params(("id" = FileId, Path), GetFile),
    responses(
        (status = 200, description = "Its bytes", content_type = "*/*"),
        (status = 206, description = "Some of its bytes", content_type = "*/*"),
        (status = 304, description = "Not changed"), (status = 416, description = "No such bytes")
    )
)]
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
#[utoipa::path(
    tag = "files", params(("id" = FileId, Path), GetFile),
    responses(
        (status = 200, description = "Its bytes", content_type = "*/*"),
        (status = 206, description = "Some of its bytes", content_type = "*/*"),
        (status = 304, description = "Not changed"), (status = 416, description = "No such bytes")
    )
)]
#[get("/staff/files/{id}")]
#[allow(clippy::too_many_arguments, reason = "each extractor proves one duty")]
pub async fn get_staff_file(
    app: Data<App>,
    any: Staff<Anything>,
    cases: Option<Staff<WorkOnCases>>,
    line: Option<Staff<SeeTalkLine>>,
    people: Option<Staff<ManagePeople>>,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_staff(&app, &Readers { any, cases, line, people }, *id).await?;
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
#[allow(clippy::too_many_arguments, reason = "each extractor proves one duty")]
pub async fn link_staff_file(
    app: Data<App>,
    any: Staff<Anything>,
    cases: Option<Staff<WorkOnCases>>,
    line: Option<Staff<SeeTalkLine>>,
    people: Option<Staff<ManagePeople>>,
    id: Path<FileId>,
    query: Query<GetFile>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = access::of_staff(&app, &Readers { any, cases, line, people }, *id).await?;
    json(&links::for_caller(&app, &req, row.id, query.0.size.unwrap_or_default())?)
}

/// What a link leads to. Anything wrong with it is 404.
#[utoipa::path(
    tag = "files", security(()), params(("id" = FileId, Path), GetMedia),
    responses(
        (status = 200, description = "Its bytes", content_type = "*/*"),
        (status = 206, description = "Some of its bytes", content_type = "*/*"),
        (status = 304, description = "Not changed"), (status = 416, description = "No such bytes")
    )
)]
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
    let Some(purpose) = links::purpose_of(&app, *id, size, until, &signature)? else {
        return Err(Problem::not_found());
    };
    let row = file::Entity::find_by_id(*id).one(app.db.read()).await?;
    let row = row.filter(|row| row.state == FileState::Kept).ok_or_else(Problem::not_found)?;
    if purpose == Purpose::Public {
        access::of_everybody(&app, &row).await?;
    }
    serve::serve(&app, &req, &row, size).await
}
