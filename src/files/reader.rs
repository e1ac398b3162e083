//! Reading the bytes of one call into blocks of its upload.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};

use super::{
    clean::{Early, Format, MAX_FILE},
    incoming::{Announced, Incoming, Next},
    uploads::Open,
};
use crate::{
    app::App,
    problem::{Code, Problem},
};

/// Bytes that are kept in memory before they are written.
pub(super) const BLOCK: usize = 512 * 1024;
/// After so long without a byte what is here is written: the line may be dead without knowing.
const WRITTEN_AFTER: Duration = Duration::from_secs(2);
/// So many bytes tell what a file is, unless it begins with a long tag.
const TELLS: usize = 64;

/// Why bytes were read no further.
pub(super) enum Stopped {
    /// It can come to nothing: it is thrown away.
    Refused(Problem),
    /// It may go on later.
    Broken(Problem),
}

/// Reads the bytes of one call.
pub(super) struct Reader<'a> {
    app: &'a App,
    /// Of what comes, so many bytes are here already.
    skip: u64,
    /// So many may come.
    most: u64,
    /// Whether the whole comes in this call and nobody said how long it is.
    endless: bool,
    buffer: BytesMut,
    hash: Sha256,
}

impl<'a> Reader<'a> {
    /// Of a call that adds to this upload.
    pub(super) fn new(app: &'a App, announced: &Announced, open: &Open) -> Self {
        let whole = open.total.unwrap_or(MAX_FILE as u64);
        let (from, most) = announced.part.map_or((0, whole), |part| (part.from, part.end - part.from));
        Self {
            app,
            skip: open.received - from,
            most,
            endless: announced.part.is_none() && open.total.is_none(),
            buffer: BytesMut::new(),
            hash: Sha256::new(),
        }
    }

    /// Of the bytes that came.
    pub(super) fn digest(&self) -> Vec<u8> {
        self.hash.clone().finalize().to_vec()
    }

    /// Whether all came that was here before.
    pub(super) fn is_past_what_was_here(&self) -> bool {
        self.skip == 0
    }

    /// Reads until the file ends, and keeps what came.
    pub(super) async fn read(&mut self, incoming: &mut Incoming, open: &mut Open) -> Result<(), Stopped> {
        let settings = &self.app.config.files;
        let until = Instant::now() + Duration::from_secs(settings.part_within_s);
        let patience = WRITTEN_AFTER.min(Duration::from_secs(settings.silent_for_s));
        let mut silent = Duration::ZERO;
        loop {
            let next = timeout_at(until, incoming.next(patience)).await;
            match next.unwrap_or(Next::Broken(Code::Timeout.into())) {
                Next::Bytes(bytes) => {
                    silent = Duration::ZERO;
                    self.take(bytes, open).await?;
                }
                Next::Silence => {
                    silent += patience;
                    self.write(open).await?;
                    if silent.as_secs() >= settings.silent_for_s {
                        return Err(Stopped::Broken(Code::Timeout.into()));
                    }
                }
                Next::Broken(problem) => {
                    self.write(open).await?;
                    return Err(Stopped::Broken(problem));
                }
                Next::End => break,
            }
        }
        self.write(open).await?;
        match timeout_at(until, incoming.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) if problem.code() == Code::Invalid => return Err(Stopped::Refused(problem)),
            Ok(Err(problem)) => return Err(Stopped::Broken(problem)),
            Err(_) => return Err(Stopped::Broken(Code::Timeout.into())),
        }
        if open.received == 0 { Err(Stopped::Refused(Code::FileEmpty.into())) } else { Ok(()) }
    }

    async fn take(&mut self, bytes: Bytes, open: &mut Open) -> Result<(), Stopped> {
        let many = bytes.len() as u64;
        if many > self.most {
            // More than was said, or than any file may have.
            let code = if self.endless { Code::FileTooLarge } else { Code::Malformed };
            return Err(Stopped::Refused(code.into()));
        }
        self.most -= many;
        self.hash.update(&bytes);
        let here = self.skip.min(many);
        self.skip -= here;
        self.buffer.extend_from_slice(bytes.get(usize::try_from(here).unwrap_or(usize::MAX)..).unwrap_or_default());
        self.look(open)?;
        while self.buffer.len() >= BLOCK {
            let block = self.buffer.split_to(BLOCK);
            add(self.app, open, &block).await?;
        }
        Ok(())
    }

    /// Refuses by the first bytes what would be refused in the end: a weak line is not kept busy in vain.
    fn look(&self, open: &Open) -> Result<(), Stopped> {
        if open.received > 0 || self.buffer.len() < TELLS {
            return Ok(());
        }
        let format = match Format::early(&self.buffer) {
            Early::Known(format) => format,
            Early::Nothing => return Err(Stopped::Refused(Code::FileKindUnsupported.into())),
            // What it is shows once all of it is here.
            Early::NotYet => return Ok(()),
        };
        let known = open.total.unwrap_or(self.buffer.len() as u64);
        if known > format.most() as u64 {
            return Err(Stopped::Refused(Code::FileTooLarge.into()));
        }
        if open.extension.as_deref().is_some_and(|extension| !format.fits(extension)) {
            return Err(Stopped::Refused(Code::FileNameDiffers.into()));
        }
        Ok(())
    }

    async fn write(&mut self, open: &mut Open) -> Result<(), Stopped> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let block = self.buffer.split();
        add(self.app, open, &block).await
    }
}

async fn add(app: &App, open: &mut Open, block: &[u8]) -> Result<(), Stopped> {
    open.add(app, block).await.map_err(Stopped::Broken)
}
