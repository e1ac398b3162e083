//! Entries and their hashes.

use entity::{
    Instant, audit_entry, audit_head,
    id::{PersonId, StaffId, UnitId},
};
use sea_orm::{EntityTrait, QuerySelect, Set};
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::{Staff, Villager, duty::Need},
    crypto::FieldKeys,
    db::Tx,
    problem::Problem,
};

/// Who did it.
#[derive(Clone, Debug)]
pub struct Actor {
    kind: &'static str,
    id: Option<Uuid>,
    unit: Option<UnitId>,
    request: Option<String>,
}

impl Actor {
    /// A villager who is signed in.
    #[must_use]
    pub fn villager(me: &Villager) -> Self {
        Self { kind: "villager", id: Some(me.person().0), unit: None, request: Some(me.request().to_owned()) }
    }

    /// Staff who are signed in, acting for the first unit that gives them the duty.
    #[must_use]
    pub fn staff<N: Need>(staff: &Staff<N>) -> Self {
        let unit = staff.postings().next().map(|posting| posting.unit);
        Self { kind: "staff", id: Some(staff.id().0), unit, request: Some(staff.request().to_owned()) }
    }

    /// Somebody who is not signed in yet, or a person acting by a call of no session.
    #[must_use]
    pub fn person(id: PersonId, request: &str) -> Self {
        Self { kind: "villager", id: Some(id.0), unit: None, request: Some(request.to_owned()) }
    }

    /// Staff by id, where no proof is at hand: signing in.
    #[must_use]
    pub fn staff_by_id(id: StaffId, request: &str) -> Self {
        Self { kind: "staff", id: Some(id.0), unit: None, request: Some(request.to_owned()) }
    }

    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn nobody(request: &str) -> Self {
        Self { kind: "nobody", id: None, unit: None, request: Some(request.to_owned()) }
    }

    /// The operator at the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self { kind: "operator", id: None, unit: None, request: None }
    }

    /// Time itself.
    #[must_use]
    pub fn clock() -> Self {
        Self { kind: "clock", id: None, unit: None, request: None }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// A verb and its noun: `reveal_person`, `read_confidential_case`.
    pub action: &'static str,
    /// `person`, `case`, `staff`, `roster` ...
    pub object_kind: &'static str,
    /// Its id.
    pub object_id: Option<String>,
    /// Which fields, joined by commas.
    pub fields: Option<String>,
    /// In the words of who did it.
    pub reason: Option<String>,
    /// `done`, `refused`, or what came of it in a word.
    pub result: &'static str,
}

impl Entry {
    /// Something that was done.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "ids are small; a reference at every call would be noise")]
    pub fn done(action: &'static str, object_kind: &'static str, object_id: impl std::fmt::Display) -> Self {
        Self { action, object_kind, object_id: Some(object_id.to_string()), fields: None, reason: None, result: "done" }
    }

    /// Something that was done to no one thing in particular: a list, a file.
    #[must_use]
    pub fn plain(action: &'static str, object_kind: &'static str) -> Self {
        Self { action, object_kind, object_id: None, fields: None, reason: None, result: "done" }
    }

    /// With what came of it when that is not `done`.
    #[must_use]
    pub fn ended(self, result: &'static str) -> Self {
        Self { result, ..self }
    }

    /// With the reason that was given.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// With the fields it was about.
    #[must_use]
    pub fn of_fields(self, fields: impl Into<String>) -> Self {
        Self { fields: Some(fields.into()), ..self }
    }
}

/// Adds an entry at the end of the chain. Call it last in a transaction: whoever adds holds the end until the commit.
pub async fn record(tx: &Tx, keys: &FieldKeys, by: &Actor, entry: Entry, now: Instant) -> Result<(), Problem> {
    let head = audit_head::Entity::find_by_id(1).lock_exclusive().one(tx).await?;
    let head = head.ok_or_else(|| Problem::unexpected("the audit has no head"))?;
    let mut row = audit_entry::Model {
        seq: head.seq + 1,
        at: now,
        actor_kind: by.kind.to_owned(),
        actor_id: by.id,
        unit_id: by.unit,
        action: entry.action.to_owned(),
        object_kind: entry.object_kind.to_owned(),
        object_id: entry.object_id,
        fields: entry.fields,
        reason: entry.reason,
        request_id: by.request.clone(),
        result: entry.result.to_owned(),
        hash: String::new(),
    };
    row.hash = hash(keys, &head.hash, &row)?;
    let next = audit_head::ActiveModel { id: Set(1), seq: Set(row.seq), hash: Set(row.hash.clone()) };
    audit_head::Entity::update(next).exec(tx).await?;
    audit_entry::Entity::insert(audit_entry::ActiveModel::from(row)).exec_without_returning(tx).await?;
    Ok(())
}

/// The hash of an entry after the one whose hash is `before`. Keyed, so that who can write rows cannot forge the chain.
pub(super) fn hash(keys: &FieldKeys, before: &str, row: &audit_entry::Model) -> Result<String, Problem> {
    let text = json!([
        before,
        row.seq,
        row.at.timestamp_millis(),
        row.actor_kind,
        row.actor_id,
        row.unit_id,
        row.action,
        row.object_kind,
        row.object_id,
        row.fields,
        row.reason,
        row.request_id,
        row.result,
    ]);
    keys.audit_hash(&text.to_string())
}
