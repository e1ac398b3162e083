//! Taking a roster in: read and seal it beside the running work, then write all of it or nothing.
//!
//! Reading, checking and sealing cost the most and need no database, so they are done on a thread of their own before
//! the transaction begins; the one transaction then holds a few large statements, because a village that was half
//! imported is worse than one that was not. The shell and the desk come by the same way. Next: [`super::write`].

use chrono::NaiveDate;
use entity::{
    Instant,
    id::{DivisionId, RosterEntryId},
    roster_entry,
};
use sea_orm::{ConnectionTrait, Set};

use super::{
    read::{self, Unreadable},
    report::{self, Counts, RosterReport},
    rules::{self, Checked, Column, Entry},
    write,
};
use crate::{
    audit::{self, Actor, Entry as Act},
    clock::local_day,
    crypto::FieldKeys,
    db::Tx,
    people::ops::residence,
    personal::Personal,
    problem::{Code, Language, Problem},
};

/// What to do about lines that are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Take nothing.
    #[default]
    Stop,
    /// Leave them out and take the others.
    Skip,
}

/// A file that waits to be written.
pub(crate) struct Prepared {
    pub(super) village: DivisionId,
    pub(super) now: Instant,
    pub(super) checked: Checked,
    /// One for each of the checked entries, in their order.
    pub(super) sealed: Vec<Sealed>,
}

/// An entry as it is stored, for comparing and for writing.
pub(super) struct Sealed {
    pub(super) citizen_no_hash: String,
    pub(super) phone_hash: Option<String>,
    pub(super) row: roster_entry::ActiveModel,
}

impl Prepared {
    pub(super) fn has(&self, column: Column) -> bool {
        self.checked.columns.contains(&column)
    }

    /// Whether no line of it is to be taken.
    pub(crate) fn is_refused(&self, on_error: OnError) -> bool {
        !self.checked.faults.is_empty() && (on_error == OnError::Stop || self.checked.hopeless)
    }

    /// Refuses a file of which no line is to be taken: 422 with the faults.
    pub(crate) fn acceptable(self, on_error: OnError) -> Result<Self, Problem> {
        if self.is_refused(on_error) { Err(report::refusal(&self.checked)) } else { Ok(self) }
    }

    /// The report of it.
    pub(crate) fn report(&self, counts: Counts, dry_run: bool, language: Language) -> RosterReport {
        RosterReport::of(&self.checked, counts, dry_run, language)
    }
}

/// Reads, checks and seals a file for a village.
///
/// # Errors
/// `unsupported_media_type` when it is neither CSV nor XLSX, `too_large` when it unpacks to too much.
pub(crate) async fn prepare(
    keys: &FieldKeys,
    village: DivisionId,
    file: impl AsRef<[u8]> + Send + 'static,
    now: Instant,
) -> Result<Prepared, Problem> {
    let keys = keys.clone();
    let work = move || {
        let checked = check(file.as_ref(), local_day(now))?;
        let sealed = checked.entries.iter().map(|entry| seal(&keys, village, entry, now)).collect::<Result<_, _>>()?;
        Ok(Prepared { village, now, checked, sealed })
    };
    // A file that upsets the reader of workbooks is none that anybody can open.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Code::UnsupportedMediaType.into()))
}

fn check(file: &[u8], today: NaiveDate) -> Result<Checked, Problem> {
    match read::lines(file) {
        Ok(lines) => Ok(rules::check(&lines, today)),
        Err(Unreadable::TooManyLines(first)) => Ok(Checked::too_long(first)),
        Err(Unreadable::NotATable) => Err(Code::UnsupportedMediaType.into()),
        Err(Unreadable::Bomb) => Err(Code::TooLarge.into()),
    }
}

fn seal(keys: &FieldKeys, village: DivisionId, entry: &Entry, now: Instant) -> Result<Sealed, Problem> {
    let citizen_no_hash = keys.hash_of(&entry.citizen_no)?;
    let phone_hash = entry.phone.as_ref().map(|phone| keys.hash_of(phone)).transpose()?;
    let row = roster_entry::ActiveModel {
        id: Set(RosterEntryId::fresh()),
        village_id: Set(village),
        name: Set(keys.close(&entry.name)?),
        name_hash: Set(keys.hash_of(&entry.name)?),
        citizen_no: Set(keys.close(&entry.citizen_no)?),
        citizen_no_hash: Set(citizen_no_hash.clone()),
        phone: Set(close_if(keys, entry.phone.as_ref())?),
        phone_hash: Set(phone_hash.clone()),
        household_no: Set(entry.household_no.clone()),
        group_name: Set(entry.group.clone()),
        note: Set(close_if(keys, entry.note.as_ref())?),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(Sealed { citizen_no_hash, phone_hash, row })
}

fn close_if<T: Personal>(keys: &FieldKeys, value: Option<&T>) -> Result<Option<entity::sealed::Sealed>, Problem> {
    value.map(|value| keys.close(value)).transpose()
}

/// What would be done.
pub(crate) async fn rehearse(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    prepared: &Prepared,
) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    for part in prepared.parts() {
        counts.add(&write::compare(db, keys, prepared, &part).await?);
    }
    Ok(counts)
}

/// Writes the good lines, and who brought them; all in the caller's transaction.
///
/// An import is an upsert by citizen number: to send the same file again changes nothing.
pub(crate) async fn carry_out(tx: &Tx, keys: &FieldKeys, by: &Actor, prepared: &Prepared) -> Result<Counts, Problem> {
    write::one_at_a_time(tx, prepared.village).await?;
    let households = write::households(tx, prepared).await?;
    let mut counts = Counts::default();
    for part in prepared.parts() {
        let ways = write::compare(tx, keys, prepared, &part).await?;
        write::upsert(tx, prepared, &part, &ways).await?;
        write::move_residents(tx, prepared, &part, &households).await?;
        counts.add(&ways);
    }
    residence::settle_by_roster(tx, keys, prepared.village, prepared.now).await?;
    let said = format!(
        "rows {} created {} updated {} unchanged {} skipped {}",
        prepared.checked.lines,
        counts.created,
        counts.updated,
        counts.unchanged,
        prepared.checked.lines - prepared.checked.entries.len()
    );
    let act = Act::done("import_roster", "division", prepared.village).of_fields(said);
    audit::record(tx, keys, by, act, prepared.now).await?;
    Ok(counts)
}

impl Counts {
    fn add(&mut self, ways: &[write::Way]) {
        for way in ways {
            *match way {
                write::Way::Create => &mut self.created,
                write::Way::Update => &mut self.updated,
                write::Way::Leave => &mut self.unchanged,
            } += 1;
        }
    }
}
