//! Taking a file in: bytes of a call into blocks, blocks into a file, the file into the store.
//!
//! A call runs in a task of its own, so that what a broken line brought is kept even when nobody waits for the answer any
//! more. Objects are written before the row that names them and removed after it: what a crash leaves between the two, the
//! sweep finds. Next: [`super::reader`] for the bytes,
//! [`super::uploads`] for the parts, [`super::clean`] for what is made of them.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web::Data};
use entity::{
    file::{self, FileState},
    id::FileId,
};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    Owner,
    clean::{self, Cleaned},
    incoming::{Announced, Incoming},
    reader::{Reader, Stopped},
    sealing::{self, FileKey},
    uploads::{self, Begun, Open},
    views::{FileView, UploadView},
};
use crate::{
    app::App,
    crypto::hex,
    db::Tx,
    http::Command,
    problem::{Code, Problem},
};

/// Answers a call that brings a file or a part of one.
pub(super) async fn take_in(
    app: Data<App>,
    owner: Owner,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let announced = Announced::read(&req)?;
    let task = actix_web::rt::spawn(async move { receive(&app, owner, &req, payload, &announced).await });
    task.await.map_err(Problem::unexpected)?
}

async fn receive(
    app: &Data<App>,
    owner: Owner,
    req: &HttpRequest,
    payload: Payload,
    announced: &Announced,
) -> Result<HttpResponse, Problem> {
    if let Some(name) = &announced.name
        && let Some(first) = command(req, name.as_bytes())?.answered_before(app, owner.id()).await?
    {
        return Ok(first);
    }
    // Also where the headers are all that ever comes.
    let patience = Duration::from_secs(app.config.files.silent_for_s);
    let Ok(incoming) = timeout(patience, Incoming::open(req, payload)).await else { return Err(Code::Timeout.into()) };
    let mut incoming = incoming?;
    let begun = uploads::begin(app, owner, announced, incoming.extension.as_deref()).await;
    let mut open = match begun {
        Ok(Begun::Go(open)) => open,
        Ok(Begun::Behind { received, total }) => {
            incoming.drain().await;
            return Ok(part_taken(received, total));
        }
        Ok(Begun::Finished(id)) => {
            incoming.drain().await;
            return finished_before(app, req, owner, announced, id).await;
        }
        Err(problem) => {
            incoming.drain().await;
            return Err(problem);
        }
    };
    let mut reader = Reader::new(app, announced, &open);
    match reader.read(&mut incoming, &mut open).await {
        Ok(()) => {}
        Err(Stopped::Refused(problem)) => {
            refuse(app, &open).await;
            incoming.drain().await;
            return Err(problem);
        }
        Err(Stopped::Broken(problem)) => {
            // Without a name nobody can go on with it.
            if announced.name.is_none() {
                discard(app, &open).await;
            }
            return Err(problem);
        }
    }
    // Without a range the whole came, unless it is shorter than what was announced or has arrived before.
    let whole = reader.is_past_what_was_here() && open.total.is_none_or(|total| total == open.received);
    if announced.part.is_none() && !whole {
        return Err(Problem::new(Code::UploadOffset).at_offset(open.received));
    }
    if open.total.is_none_or(|total| total != open.received) && announced.part.is_some() {
        return Ok(part_taken(open.received, open.total));
    }
    let sent = announced.name.as_ref().map_or_else(|| reader.digest(), |name| name.as_bytes().to_vec());
    finish(app, owner, req, &sent, announced.name.is_none(), open).await
}

/// What makes a call repeatable; the name of an upload stands for its bytes.
fn command(req: &HttpRequest, sent: &[u8]) -> Result<Command<()>, Problem> {
    Command::new(req, req.path(), sent, ())
}

/// Makes a file of all that arrived; what came `once` cannot be gone on with.
async fn finish(
    app: &Data<App>,
    owner: Owner,
    req: &HttpRequest,
    sent: &[u8],
    once: bool,
    open: Open,
) -> Result<HttpResponse, Problem> {
    let cleaned = match cleaned(app, &open).await {
        Ok(Some(cleaned)) => cleaned,
        Ok(None) => {
            // What was kept is lost: the sender begins anew.
            discard(app, &open).await;
            return Err(Problem::new(Code::UploadOffset).at_offset(0));
        }
        Err(problem) => {
            if problem.is_refusal() {
                refuse(app, &open).await;
            } else if once {
                discard(app, &open).await;
            }
            return Err(problem);
        }
    };
    let id = FileId::fresh();
    let row = match keep(app, owner, id, &cleaned).await {
        Ok(row) => row,
        Err(problem) => {
            if once {
                discard(app, &open).await;
            }
            return Err(problem);
        }
    };
    let upload = open.id;
    let operation = async move |tx: &Tx, (): &()| {
        let inserted = row.clone().insert(tx).await?;
        match uploads::finish(tx, upload, inserted.id).await? {
            Some(made) if made != inserted.id => {
                // Another call was faster: its file is the answer.
                file::Entity::delete_by_id(inserted.id).exec(tx).await?;
                let first = file::Entity::find_by_id(made).one(tx).await?.ok_or_else(Problem::not_found)?;
                Ok(FileView::of(&first))
            }
            Some(_) => Ok(FileView::of(&inserted)),
            None => Err(Problem::new(Code::UploadOffset).at_offset(0)),
        }
    };
    let answer = command(req, sent)?.once(app, owner.id(), StatusCode::CREATED, operation).await;
    match file::Entity::find_by_id(id).one(app.db.read()).await {
        Ok(Some(_)) => {
            logged(open.remove_blocks(&app.files.store).await);
            return answer;
        }
        Ok(None) => {}
        // Whether it is made nobody knows now.
        Err(_) => return answer,
    }
    // The answer is an earlier one's, or a refusal: what was made for this one goes again. After any other fault it may
    // have been made all the same; what was not, the sweep finds.
    let known = answer.as_ref().map_or_else(Problem::is_refusal, |_| true);
    if known {
        logged(remove_objects(app, id).await);
    }
    if known || once {
        discard(app, &open).await;
    }
    answer
}

/// Takes away what was refused.
async fn refuse(app: &App, open: &Open) {
    logged(open.refuse(app).await);
}

/// Takes an upload away; what the store or the database does not let go now, the sweeps do.
async fn discard(app: &App, open: &Open) {
    logged(open.discard(app).await);
}

fn logged(outcome: Result<(), Problem>) {
    if let Err(problem) = outcome {
        tracing::warn!(reason = problem.source_text(), "bytes that are not needed any more are still there");
    }
}

/// Decodes and encodes away from the threads that answer, a few at a time.
async fn cleaned(app: &App, open: &Open) -> Result<Option<Cleaned>, Problem> {
    let turn = app.files.cleaning.clone().acquire_owned().await.map_err(Problem::unexpected)?;
    let Some(bytes) = open.whole(&app.files.store).await? else { return Ok(None) };
    let extension = open.extension.clone();
    let work = tokio::task::spawn_blocking(move || {
        let outcome = clean::clean(bytes, extension.as_deref());
        drop(turn);
        outcome
    });
    work.await.map_err(Problem::unexpected)?.map(Some)
}

/// Seals and stores what is kept; the row says what it is.
async fn keep(app: &App, owner: Owner, id: FileId, cleaned: &Cleaned) -> Result<file::ActiveModel, Problem> {
    let key = FileKey::fresh();
    let (whole, small) = objects(id);
    app.files.store.put(&whole, sealing::seal(&key, &whole, &cleaned.bytes)?).await?;
    if let Some(bytes) = &cleaned.small {
        app.files.store.put(&small, sealing::seal(&key, &small, bytes)?).await?;
    }
    let (person, staff) = match owner {
        Owner::Person(person) => (Some(person), None),
        Owner::Staff(staff) => (None, Some(staff)),
    };
    Ok(file::ActiveModel {
        id: Set(id),
        kind: Set(cleaned.kind),
        media: Set(cleaned.media.to_owned()),
        bytes: Set(i64::try_from(cleaned.bytes.len()).map_err(Problem::unexpected)?),
        sha256: Set(hex(&Sha256::digest(&cleaned.bytes))),
        duration_ms: Set(cleaned.duration_ms),
        width: Set(cleaned.size.map(|(width, _)| width)),
        height: Set(cleaned.size.map(|(_, height)| height)),
        small: Set(cleaned.small.is_some()),
        person_id: Set(person),
        staff_id: Set(staff),
        key: Set(key.close(&app.field_keys)?),
        state: Set(FileState::Kept),
        gone_at: Set(None),
        thing: Set(None),
        thing_id: Set(None),
        event_id: Set(None),
        position: Set(0),
        attached_at: Set(None),
        created_at: Set(app.clock.now()),
    })
}

/// The names of a file's objects: the whole and the small one.
#[must_use]
pub fn objects(id: FileId) -> (String, String) {
    (format!("file/{id}"), format!("file/{id}.small"))
}

/// Takes the bytes of a file away.
pub(super) async fn remove_objects(app: &App, id: FileId) -> Result<(), Problem> {
    let (whole, small) = objects(id);
    app.files.store.remove(&whole).await?;
    app.files.store.remove(&small).await
}

/// The last part came again: the answer is the one it had.
async fn finished_before(
    app: &App,
    req: &HttpRequest,
    owner: Owner,
    announced: &Announced,
    id: FileId,
) -> Result<HttpResponse, Problem> {
    let name = announced.name.as_deref().unwrap_or_default();
    let operation = async move |tx: &Tx, (): &()| {
        let row = file::Entity::find_by_id(id).one(tx).await?;
        let row = row.filter(|row| row.state == FileState::Kept).ok_or_else(Problem::not_found)?;
        Ok(FileView::of(&row))
    };
    command(req, name.as_bytes())?.once(app, owner.id(), StatusCode::CREATED, operation).await
}

/// What the sender of a part is told.
fn part_taken(received: u64, total: Option<u64>) -> HttpResponse {
    said(StatusCode::ACCEPTED, &UploadView::of(received, total, None), received)
}

/// JSON, and the offset in a header.
pub(super) fn said<T: Serialize>(status: StatusCode, view: &T, received: u64) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("Upload-Offset", received.to_string()))
        .insert_header(actix_web::http::header::ContentEncoding::Identity)
        .json(view)
}
