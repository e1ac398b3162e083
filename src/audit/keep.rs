//! Letting old entries go: from the front, and so that what is left can still be proved.
//!
//! The hash of the last entry that goes is written into a new entry at the end (`cut_audit`), where it is part of the
//! chain like everything else; [`super::verify`] begins with it.

use chrono::Months;
use entity::audit_entry;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::chain::{Actor, Entry, record};
use crate::{app::App, problem::Problem};

/// The action of the entry that tells of a cut. Its object is the number of the last entry that went.
pub const CUT: &str = "cut_audit";
/// Entries that go in one transaction.
const BATCH: u64 = 1000;

/// The hash that an entry of a cut carries.
#[must_use]
pub fn hash_of_cut(row: &audit_entry::Model) -> Option<String> {
    row.fields.as_deref()?.strip_prefix("hash=").map(str::to_owned)
}

/// Lets go what is older than `audit.keep_months`.
pub async fn cut_old(app: &App) -> Result<(), Problem> {
    while cut_some(app).await? == BATCH {}
    Ok(())
}

async fn cut_some(app: &App) -> Result<u64, Problem> {
    let (keys, now) = (app.field_keys.clone(), app.clock.now());
    let Some(oldest) = now.checked_sub_months(Months::new(app.config.audit.keep_months)) else { return Ok(0) };
    app.db
        .transact(async move |tx| {
            let front = audit_entry::Entity::find().order_by_asc(audit_entry::Column::Seq).limit(BATCH).all(tx).await?;
            // Only what lies in front of everything younger: clocks of servers differ a little.
            let old: Vec<_> = front.into_iter().take_while(|row| row.at < oldest).collect();
            let Some(last) = old.last() else { return Ok(0) };
            let gone =
                audit_entry::Entity::delete_many().filter(audit_entry::COLUMN.seq.lte(last.seq)).exec(tx).await?;
            if usize::try_from(gone.rows_affected).ok() != Some(old.len()) {
                return Err(Problem::try_again("another server cuts the audit"));
            }
            let entry = Entry::done(CUT, "audit", last.seq).of_fields(format!("hash={}", last.hash));
            record(tx, &keys, &Actor::clock(), entry, now).await?;
            Ok(gone.rows_affected)
        })
        .await
}
