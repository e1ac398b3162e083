//! Commands that come in crowds: those of one kind that wait at the same moment are carried out together.
//!
//! As [`super::Command::once`], the first answer under an `Idempotency-Key` is stored in the transaction of the write
//! it answers; here one statement looks for all the keys of a crowd and one stores all its answers.

use std::{collections::HashSet, sync::Arc};

use actix_web::http::StatusCode;
use entity::{Instant, idempotent_answer};
use sea_orm::{ActiveValue::Set, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use uuid::Uuid;

use super::command::{ANSWER_PURPOSE, to_text};
use crate::{
    crypto::FieldKeys,
    db::{self, Answers, Db, Tx},
    problem::{Code, Problem},
};

/// A lane for commands whose operation takes many wishes `W` at once.
pub struct Lane<W>(db::Lane<Asked<W>, String>);

/// A wish, and what makes it repeatable.
pub(super) struct Asked<W> {
    pub(super) wish: W,
    pub(super) status: StatusCode,
    pub(super) key: Option<Key>,
    pub(super) now: Instant,
}

/// Under what the first answer is kept.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) caller: Uuid,
    pub(super) word: String,
    pub(super) fingerprint: String,
    pub(super) keys: FieldKeys,
}

impl<W: Send + Sync + 'static> Lane<W> {
    /// Opens a lane for `work`, which answers each of the wishes in their order (see [`db::Lane::writing`]).
    #[must_use]
    pub fn open<R, F>(db: &Db, work: F) -> Self
    where
        R: Serialize,
        F: AsyncFn(&Tx, &[&W]) -> Answers<R> + Send + Sync + 'static,
    {
        Self(db::Lane::writing(db, async move |tx: &Tx, asked: &[Arc<Asked<W>>]| once_each(tx, asked, &work).await))
    }

    /// The answer's text; `idempotency_in_progress` when there is one already, or will be in a moment.
    pub(super) async fn submit(&self, asked: Asked<W>) -> Result<String, Problem> {
        self.0.submit(asked).await
    }
}

async fn once_each<W, R, F>(tx: &Tx, asked: &[Arc<Asked<W>>], work: &F) -> Answers<String>
where
    R: Serialize,
    F: AsyncFn(&Tx, &[&W]) -> Answers<R>,
{
    let mut answered = answered(tx, asked).await?;
    // Of two with one key in the same crowd the second waits for the first one's answer.
    let fresh: Vec<bool> = asked
        .iter()
        .map(|one| one.key.as_ref().is_none_or(|key| answered.insert((key.caller, key.word.clone()))))
        .collect();
    let wishes: Vec<&W> = asked.iter().zip(&fresh).filter(|(_, fresh)| **fresh).map(|(one, _)| &one.wish).collect();
    let mut made = if wishes.is_empty() { vec![] } else { work(tx, &wishes).await? }.into_iter();
    let mut answers = Vec::with_capacity(asked.len());
    let mut kept = Vec::new();
    for (one, fresh) in asked.iter().zip(fresh) {
        if !fresh {
            answers.push(Err(Code::IdempotencyInProgress.into()));
            continue;
        }
        let outcome = made.next().ok_or_else(|| Problem::unexpected("not every wish was answered"))?;
        let text = match outcome {
            Ok(value) => to_text(&value)?,
            Err(refusal) => {
                answers.push(Err(refusal));
                continue;
            }
        };
        if let Some(key) = &one.key {
            kept.push(key.row(one.status, &text, one.now)?);
        }
        answers.push(Ok(text));
    }
    db::insert_all(tx, kept).await.map_err(db::again_on_unique)?;
    Ok(answers)
}

/// Keys that have their answer already.
async fn answered<W>(tx: &Tx, asked: &[Arc<Asked<W>>]) -> Result<HashSet<(Uuid, String)>, Problem> {
    let mut any = Condition::any();
    for key in db::padded(asked.iter().filter_map(|one| one.key.as_ref())) {
        let same = idempotent_answer::COLUMN.caller.eq(key.caller).and(idempotent_answer::COLUMN.key.eq(&key.word));
        any = any.add(same);
    }
    if any.is_empty() {
        return Ok(HashSet::new());
    }
    let known = idempotent_answer::Entity::find()
        .select_only()
        .column(idempotent_answer::Column::Caller)
        .column(idempotent_answer::Column::Key)
        .filter(any);
    Ok(known.into_tuple::<(Uuid, String)>().all(tx).await?.into_iter().collect())
}

impl Key {
    /// The row that keeps the answer, sealed.
    pub(super) fn row(
        &self,
        status: StatusCode,
        body: &str,
        now: Instant,
    ) -> Result<idempotent_answer::ActiveModel, Problem> {
        Ok(idempotent_answer::ActiveModel {
            caller: Set(self.caller),
            key: Set(self.word.clone()),
            fingerprint: Set(self.fingerprint.clone()),
            status: Set(i32::from(status.as_u16())),
            body: Set(self.keys.seal(ANSWER_PURPOSE, body)?.0),
            created_at: Set(now),
        })
    }
}
