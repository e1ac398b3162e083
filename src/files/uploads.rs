//! What arrived of a file so far: a row, and sealed blocks in the store, so that any server can take the next part.
//!
//! A part of a broken line is kept block by block. Whoever comes last writes: a phone that calls again over a new line is
//! not held up by the old one, whose next block then finds that it has no say any more.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{FileId, UploadId},
    upload,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Owner,
    incoming::{Announced, Part},
    reader::BLOCK,
    sealing::{self, FileKey},
    store::Store,
};
use crate::{
    app::App,
    config,
    crypto::FieldKeys,
    db::{self, Tx},
    problem::{Code, Problem},
};

/// How long an upload is remembered, finished or not.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// An upload that nothing came of for so long does not count against its owner.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::minutes(30);
/// With so many blocks small neighbours become one: a line that brings crumbs must not make a file that never ends.
const MERGED_AT: usize = 200;

/// A run of bytes: the object it lies in, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block(pub(super) Uuid, pub(super) u32);

/// An upload as one call sees it.
pub(super) struct Open {
    pub(super) id: UploadId,
    key: FileKey,
    /// This call.
    writer: Uuid,
    pub(super) received: u64,
    pub(super) total: Option<u64>,
    pub(super) extension: Option<String>,
    blocks: Vec<Block>,
}

/// What a call finds.
pub(super) enum Begun {
    /// It may add bytes.
    Go(Open),
    /// It brings nothing that is not here already, and more is to come.
    Behind { received: u64, total: Option<u64> },
    /// It is finished.
    Finished(FileId),
}

/// Begins an upload or goes on with one.
pub(super) async fn begin(
    app: &App,
    owner: Owner,
    announced: &Announced,
    extension: Option<&str>,
) -> Result<Begun, Problem> {
    let (now, keys) = (app.clock.now(), app.field_keys.clone());
    let limits = app.config.files.clone();
    let (announced, extension) = (announced.clone(), extension.map(str::to_owned));
    let begun = app.db.transact(async move |tx| {
        let writer = Uuid::now_v7();
        let found = match &announced.name {
            Some(name) => find(owner, name).lock_exclusive().one(tx).await?,
            None => None,
        };
        if let Some(row) = found {
            return go_on(tx, &keys, row, announced.part, writer, now).await;
        }
        if announced.part.is_some_and(|part| part.from > 0) {
            return Err(Problem::new(Code::UploadOffset).at_offset(0));
        }
        check_limits(tx, owner, announced.part, &limits, now).await?;
        let (id, key) = (UploadId::fresh(), FileKey::fresh());
        // A colon stands in no name that a caller gives.
        let name = announced.name.clone().unwrap_or_else(|| format!("once:{id}"));
        let total = announced.part.map(|part| part.total);
        let row = upload::ActiveModel {
            id: Set(id),
            owner: Set(owner.id()),
            name: Set(name),
            total: Set(total.map(signed)),
            received: Set(0),
            blocks: Set(serde_json::Value::Array(vec![])),
            key: Set(key.close(&keys)?),
            extension: Set(extension.clone()),
            writer: Set(Some(writer)),
            file_id: Set(None),
            created_at: Set(now),
            touched_at: Set(now),
            expires_at: Set(now + REMEMBERED),
        };
        // Of two first parts at once one finds the other's row when it is run again.
        upload::Entity::insert(row).exec_without_returning(tx).await.map_err(db::again_on_unique)?;
        let extension = extension.clone();
        Ok(Begun::Go(Open { id, key, writer, received: 0, total, extension, blocks: vec![] }))
    });
    begun.await
}

/// The upload of this name.
pub(super) fn find(owner: Owner, name: &str) -> sea_orm::Select<upload::Entity> {
    upload::Entity::find().filter(upload::COLUMN.owner.eq(owner.id())).filter(upload::COLUMN.name.eq(name))
}

async fn go_on(
    tx: &Tx,
    keys: &FieldKeys,
    row: upload::Model,
    part: Option<Part>,
    writer: Uuid,
    now: Instant,
) -> Result<Begun, Problem> {
    let received = unsigned(row.received);
    if let Some(file) = row.file_id {
        // Another file under a name that is used up.
        let another = part.is_some_and(|part| part.total != received);
        return if another { Err(Code::IdempotencyKeyReused.into()) } else { Ok(Begun::Finished(file)) };
    }
    let known = row.total.map(unsigned);
    let behind = || Problem::new(Code::UploadOffset).at_offset(received);
    let (from, total) = part.map_or((0, known), |part| (part.from, Some(part.total)));
    if from > received || (known.is_some() && total != known) || total.is_some_and(|total| total < received) {
        return Err(behind());
    }
    let whole = total == Some(received);
    if part.is_some_and(|part| part.end <= received) && !whole {
        return Ok(Begun::Behind { received, total });
    }
    let blocks: Vec<Block> = serde_json::from_value(row.blocks.clone()).map_err(Problem::unexpected)?;
    let (id, extension, key) = (row.id, row.extension.clone(), FileKey::open(keys, &row.key)?);
    let mut row: upload::ActiveModel = row.into();
    row.writer = Set(Some(writer));
    row.touched_at = Set(now);
    row.total = Set(total.map(signed));
    row.update(tx).await?;
    Ok(Begun::Go(Open { id, key, writer, received, total, extension, blocks }))
}

async fn check_limits(
    tx: &Tx,
    owner: Owner,
    part: Option<Part>,
    limits: &config::Files,
    now: Instant,
) -> Result<(), Problem> {
    let of_today: Vec<(i64, Option<i64>, Option<FileId>, Instant)> = upload::Entity::find()
        .select_only()
        .columns([upload::Column::Received, upload::Column::Total, upload::Column::FileId, upload::Column::TouchedAt])
        .filter(upload::COLUMN.owner.eq(owner.id()))
        .filter(upload::COLUMN.created_at.gt(now - TimeDelta::days(1)))
        .into_tuple()
        .all(tx)
        .await?;
    let living = |file: &Option<FileId>, touched: &Instant| file.is_none() && *touched > now - GIVEN_UP_AFTER;
    let on_their_way = of_today.iter().filter(|(_, _, file, touched)| living(file, touched)).count();
    // Of those on their way what they have announced, too.
    let counted = of_today.iter().map(|(received, total, file, touched)| {
        let announced = total.filter(|_| living(file, touched)).unwrap_or_default();
        unsigned(announced.max(*received))
    });
    let bytes = counted.sum::<u64>();
    let asked = part.map_or(0, |part| part.total);
    let open = usize::try_from(limits.open_uploads).unwrap_or(usize::MAX);
    if on_their_way >= open || bytes + asked > u64::from(limits.daily_mb) * 1024 * 1024 {
        return Err(Problem::new(Code::TooManyUploads).retry_after(3600));
    }
    Ok(())
}

impl Open {
    fn object(&self, block: Block) -> String {
        format!("upload/{}/{}", self.id, block.0)
    }

    /// Keeps these bytes behind what arrived.
    pub(super) async fn add(&mut self, app: &App, bytes: &[u8]) -> Result<(), Problem> {
        if self.blocks.len() >= MERGED_AT {
            self.merge(app).await?;
        }
        let block = Block(Uuid::now_v7(), u32::try_from(bytes.len()).map_err(Problem::unexpected)?);
        let name = self.object(block);
        app.files.store.put(&name, sealing::seal(&self.key, &name, bytes)?).await?;
        self.blocks.push(block);
        let after = self.received + bytes.len() as u64;
        match self.written(app, &self.blocks, after).await {
            Ok(None) => {
                self.received = after;
                Ok(())
            }
            Ok(Some(offset)) => {
                self.blocks.pop();
                app.files.store.remove(&name).await?;
                Err(Problem::new(Code::UploadOffset).at_offset(offset))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Writes small neighbours anew as one.
    async fn merge(&mut self, app: &App) -> Result<(), Problem> {
        let (mut merged, mut fresh, mut old) = (Vec::<Block>::new(), Vec::new(), Vec::new());
        for group in neighbours(&self.blocks) {
            let [_, _, ..] = group else {
                merged.extend(group);
                continue;
            };
            let mut bytes = Vec::new();
            for block in group {
                let name = self.object(*block);
                let sealed = app.files.store.get(&name).await?;
                // Lost: the sender hears of it once all has come.
                let Some(sealed) = sealed else { return Ok(()) };
                bytes.extend(sealing::open(&self.key, &name, &sealed)?);
            }
            let block = Block(Uuid::now_v7(), u32::try_from(bytes.len()).map_err(Problem::unexpected)?);
            let name = self.object(block);
            app.files.store.put(&name, sealing::seal(&self.key, &name, &bytes)?).await?;
            merged.push(block);
            fresh.push(block);
            old.extend_from_slice(group);
        }
        if let Some(offset) = self.written(app, &merged, self.received).await? {
            remove_blocks(&app.files.store, self.id, &fresh).await?;
            return Err(Problem::new(Code::UploadOffset).at_offset(offset));
        }
        self.blocks = merged;
        // What stays of them is swept once the upload is over.
        remove_blocks(&app.files.store, self.id, &old).await.or(Ok(()))
    }

    /// Writes down where the bytes lie; the offset of another call that has taken over.
    async fn written(&self, app: &App, blocks: &[Block], after: u64) -> Result<Option<u64>, Problem> {
        let blocks = serde_json::to_value(blocks).map_err(Problem::unexpected)?;
        let (id, writer, before, now) = (self.id, self.writer, signed(self.received), app.clock.now());
        let written = app.db.transact(async move |tx| {
            let update = upload::Entity::update_many()
                .col_expr(upload::Column::Received, Expr::val(signed(after)))
                .col_expr(upload::Column::Blocks, Expr::val(blocks.clone()))
                .col_expr(upload::Column::TouchedAt, Expr::val(now))
                .filter(upload::COLUMN.id.eq(id))
                .filter(upload::COLUMN.writer.eq(writer))
                .filter(upload::COLUMN.received.eq(before))
                .filter(upload::COLUMN.file_id.is_null())
                .exec(tx)
                .await?;
            if update.rows_affected == 1 {
                return Ok(None);
            }
            Ok(Some(upload::Entity::find_by_id(id).one(tx).await?.map_or(0, |row| unsigned(row.received))))
        });
        written.await
    }

    /// All that arrived; none when some of it is lost.
    pub(super) async fn whole(&self, store: &Store) -> Result<Option<Vec<u8>>, Problem> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.received).unwrap_or_default());
        for block in &self.blocks {
            let name = self.object(*block);
            let Some(sealed) = store.get(&name).await? else { return Ok(None) };
            bytes.extend(sealing::open(&self.key, &name, &sealed)?);
        }
        Ok((bytes.len() as u64 == self.received).then_some(bytes))
    }

    /// Takes the blocks away; the row says that they are not needed.
    pub(super) async fn remove_blocks(&self, store: &Store) -> Result<(), Problem> {
        remove_blocks(store, self.id, &self.blocks).await
    }

    /// Takes away what was refused. How many bytes it brought is remembered for a day under a name that nobody gives: who
    /// sends what is refused keeps the server busy, too.
    pub(super) async fn refuse(&self, app: &App) -> Result<(), Problem> {
        if self.received == 0 {
            return self.discard(app).await;
        }
        let (id, writer) = (self.id, self.writer);
        let refused = app.db.transact(async move |tx| {
            let update = upload::Entity::update_many()
                .col_expr(upload::Column::Name, Expr::val(format!("refused:{id}")))
                .col_expr(upload::Column::Blocks, Expr::val(serde_json::Value::Array(vec![])))
                // Of no file: it is over, and nobody goes on with it.
                .col_expr(upload::Column::FileId, Expr::val(FileId::fresh()))
                .filter(upload::COLUMN.id.eq(id))
                .filter(upload::COLUMN.writer.eq(writer))
                .filter(upload::COLUMN.file_id.is_null())
                .exec(tx)
                .await?;
            Ok(update.rows_affected)
        });
        if refused.await? == 1 { self.remove_blocks(&app.files.store).await } else { Ok(()) }
    }

    /// Takes everything away: nothing of it is left.
    pub(super) async fn discard(&self, app: &App) -> Result<(), Problem> {
        let (id, writer) = (self.id, self.writer);
        let removed = app.db.transact(async move |tx| {
            let mine = Condition::all().add(upload::COLUMN.id.eq(id)).add(upload::COLUMN.writer.eq(writer));
            Ok(upload::Entity::delete_many()
                .filter(mine.add(upload::COLUMN.file_id.is_null()))
                .exec(tx)
                .await?
                .rows_affected)
        });
        // Where another call goes on with it, or has finished it, its blocks are that one's.
        if removed.await? == 1 { self.remove_blocks(&app.files.store).await } else { Ok(()) }
    }
}

/// Runs of blocks that fit into one: of two runs side by side the sum is larger, so that there are few.
fn neighbours(blocks: &[Block]) -> Vec<&[Block]> {
    let (mut runs, mut begins, mut sum) = (Vec::new(), 0, 0);
    for (at, block) in blocks.iter().enumerate() {
        let many = usize::try_from(block.1).unwrap_or(usize::MAX);
        if at > begins && many.saturating_add(sum) > BLOCK {
            runs.extend(blocks.get(begins..at));
            (begins, sum) = (at, 0);
        }
        sum = many.saturating_add(sum);
    }
    runs.extend(blocks.get(begins..).filter(|rest| !rest.is_empty()));
    runs
}

/// Takes the blocks of an upload away.
pub(super) async fn remove_blocks(store: &Store, id: UploadId, blocks: &[Block]) -> Result<(), Problem> {
    for block in blocks {
        store.remove(&format!("upload/{id}/{}", block.0)).await?;
    }
    Ok(())
}

/// Marks an upload as finished; says what it became, which another call may have made first.
pub(super) async fn finish(tx: &Tx, id: UploadId, file: FileId) -> Result<Option<FileId>, Problem> {
    let update = upload::Entity::update_many()
        .col_expr(upload::Column::FileId, Expr::val(file))
        .col_expr(upload::Column::Blocks, Expr::val(serde_json::Value::Array(vec![])))
        .filter(upload::COLUMN.id.eq(id))
        .filter(upload::COLUMN.file_id.is_null())
        .exec(tx)
        .await?;
    if update.rows_affected == 1 {
        return Ok(Some(file));
    }
    Ok(upload::Entity::find_by_id(id).one(tx).await?.and_then(|row| row.file_id))
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or_default()
}
