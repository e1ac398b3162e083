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
    let intake = Intake { app, owner, req, announced };
    let task = actix_web::rt::spawn(async move { intake.receive(payload).await });
    task.await.map_err(Problem::unexpected)?
}

/// One call that brings a file or a part of one.
struct Intake {
    app: Data<App>,
    owner: Owner,
    req: HttpRequest,
    announced: Announced,
}

impl Intake {
    /// Whether a later call may go on with what this one brings: only an upload that has a name can be named again.
    fn is_resumable(&self) -> bool {
        self.announced.name.is_some()
    }

    /// What makes the call repeatable; the name of an upload stands for its bytes.
    fn command(&self, digest: &[u8]) -> Result<Command<()>, Problem> {
        let sent = self.announced.name.as_ref().map_or(digest, |name| name.as_bytes());
        Command::new(&self.req, self.req.path(), sent, ())
    }

    async fn receive(&self, payload: Payload) -> Result<HttpResponse, Problem> {
        if self.is_resumable()
            && let Some(first) = self.command(&[])?.answered_before(&self.app, self.owner.id()).await?
        {
            return Ok(first);
        }
        // Also where the headers are all that ever comes.
        let patience = Duration::from_secs(self.app.config.files.silent_for_s);
        let incoming = timeout(patience, Incoming::open(&self.req, payload)).await;
        let incoming = incoming.unwrap_or_else(|_| Err(Code::Timeout.into()))?;
        let begun = uploads::begin(&self.app, self.owner, &self.announced, incoming.extension.as_deref()).await;
        let mut open = match begun {
            Ok(Begun::Go(open)) => open,
            Ok(Begun::Behind { received, total }) => {
                incoming.drain().await;
                return Ok(part_taken(received, total));
            }
            Ok(Begun::Finished(id)) => {
                incoming.drain().await;
                return self.finished_before(id).await;
            }
            Err(problem) => {
                incoming.drain().await;
                return Err(problem);
            }
        };
        match self.read(incoming, &mut open).await? {
            Some(digest) => self.finish(&digest, open).await,
            None => Ok(part_taken(open.received, open.total)),
        }
    }

    /// Reads what the call brings: the digest of its bytes where the file is whole then, none where more is to come.
    async fn read(&self, mut incoming: Incoming, open: &mut Open) -> Result<Option<Vec<u8>>, Problem> {
        let mut reader = Reader::new(&self.app, &self.announced, open);
        match reader.read(&mut incoming, open).await {
            Ok(()) => {}
            Err(Stopped::Refused(problem)) => {
                logged(open.refuse(&self.app).await);
                incoming.drain().await;
                return Err(problem);
            }
            Err(Stopped::Broken(problem)) => {
                // Nobody can go on with it; that it kept the server busy is remembered.
                if !self.is_resumable() {
                    logged(open.refuse(&self.app).await);
                }
                return Err(problem);
            }
        }
        let all_is_here = open.total.is_none_or(|total| total == open.received);
        match self.announced.part {
            Some(_) => Ok(all_is_here.then(|| reader.digest())),
            None if all_is_here && reader.is_past_what_was_here() => Ok(Some(reader.digest())),
            // Without a range the whole comes; this was shorter than announced, or than what had arrived before.
            None => Err(Problem::new(Code::UploadOffset).at_offset(open.received)),
        }
    }

    /// Makes a file of all that arrived.
    async fn finish(&self, digest: &[u8], open: Open) -> Result<HttpResponse, Problem> {
        let id = FileId::fresh();
        let row = match self.make(id, &open).await {
            Ok(row) => row,
            Err(problem) => {
                self.let_go(&open).await;
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
        let answer = self.command(digest)?.once(&self.app, self.owner.id(), StatusCode::CREATED, operation).await;
        self.clean_up(id, &open, &answer).await;
        answer
    }

    /// Looks all that arrived over, writes it anew and stores it; the row says what it is.
    async fn make(&self, id: FileId, open: &Open) -> Result<file::ActiveModel, Problem> {
        match cleaned(&self.app, open).await {
            Ok(Some(cleaned)) => keep(&self.app, self.owner, id, &cleaned).await,
            // What was kept is lost: the sender begins anew.
            Ok(None) => {
                logged(open.discard(&self.app).await);
                Err(Problem::new(Code::UploadOffset).at_offset(0))
            }
            Err(problem) => {
                if problem.is_refusal() {
                    logged(open.refuse(&self.app).await);
                }
                Err(problem)
            }
        }
    }

    /// Takes away what is not needed any more once there is an answer, as far as that is known.
    async fn clean_up(&self, id: FileId, open: &Open, answer: &Result<HttpResponse, Problem>) {
        match file::Entity::find_by_id(id).one(self.app.db.read()).await {
            Ok(Some(_)) => logged(open.remove_blocks(&self.app.files.store).await),
            // The answer is an earlier one's, or a refusal: what was made for this one goes again.
            Ok(None) if answer.as_ref().map_or_else(Problem::is_refusal, |_| true) => {
                logged(remove_objects(&self.app, id).await);
                logged(open.discard(&self.app).await);
            }
            // After any other fault it may have been made all the same; what was not, the sweep finds.
            Ok(None) => self.let_go(open).await,
            Err(_) => {}
        }
    }

    /// The last part came again: the answer is the one it had.
    async fn finished_before(&self, id: FileId) -> Result<HttpResponse, Problem> {
        let operation = async move |tx: &Tx, (): &()| {
            let row = file::Entity::find_by_id(id).one(tx).await?;
            let row = row.filter(|row| row.state == FileState::Kept).ok_or_else(Problem::not_found)?;
            Ok(FileView::of(&row))
        };
        self.command(&[])?.once(&self.app, self.owner.id(), StatusCode::CREATED, operation).await
    }

    /// Takes an upload away that no later call can go on with.
    async fn let_go(&self, open: &Open) {
        if !self.is_resumable() {
            logged(open.discard(&self.app).await);
        }
    }
}

/// What store or database do not let go now, the sweeps do.
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

/// What the sender of a part is told.
fn part_taken(received: u64, total: Option<u64>) -> HttpResponse {
    with_offset(StatusCode::ACCEPTED, &UploadView::of(received, total, None), received)
}

/// JSON, and the offset in a header.
pub(super) fn with_offset<T: Serialize>(status: StatusCode, view: &T, received: u64) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("Upload-Offset", received.to_string()))
        .insert_header(actix_web::http::header::ContentEncoding::Identity)
        .json(view)
}
