//! `keys new|status|rotate|reindex`

use std::process::ExitCode;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Subcommand;

use super::{open, record, say};
use crate::{
    app::StartFault,
    audit::Entry,
    config::Config,
    crypto::FieldKeys,
    db::Db,
    keys::{self, Rotated},
    telemetry,
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Draws a key and says where it goes; nothing is changed.
    New,
    /// Says which key seals how much.
    Status,
    /// Seals anew what other keys sealed, with the active one, while servers run.
    Rotate,
    /// Makes the hashes anew by which people are found, after the key of hashes was changed; servers must be stopped.
    Reindex,
}

pub(super) async fn run(what: Keys) -> Result<ExitCode, StartFault> {
    if matches!(what, Keys::New) {
        return Ok(new());
    }
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let done = match what {
        Keys::Rotate => rotate(&db, &keys).await,
        Keys::Reindex => reindex(&db, &keys).await,
        Keys::Status | Keys::New => status(&db, &keys).await,
    };
    db.close().await;
    done
}

fn new() -> ExitCode {
    let key = STANDARD.encode(rand::random::<[u8; 32]>());
    say(&key);
    say("");
    say("Use it for one of these and draw another for each of the others; keep a copy in a safe place.");
    say("A field key, under an id that was not used before (here f2):");
    say(&format!("  SHUOSHI__CRYPTO__FIELD_KEYS__F2={key}"));
    say("  SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY=f2    once every server knows f2; then `shuoshi keys rotate`");
    say("A signing key, likewise under an id of its own:");
    say(&format!("  SHUOSHI__AUTH__JWT_KEYS__J2={key}"));
    say("  SHUOSHI__AUTH__ACTIVE_JWT_KEY=j2");
    say("The key of hashes (before the first person is stored, or followed by `shuoshi keys reindex`):");
    say(&format!("  SHUOSHI__CRYPTO__INDEX_KEY={key}"));
    say("The key of the audit (before the first entry; it is never changed):");
    say(&format!("  SHUOSHI__CRYPTO__AUDIT_KEY={key}"));
    ExitCode::SUCCESS
}

async fn rotate(db: &Db, keys: &FieldKeys) -> Result<ExitCode, StartFault> {
    let tables = keys::rotate(db, keys).await?;
    let resealed: u64 = tables.iter().map(|table| table.resealed).sum();
    for Rotated { table, resealed, left, faults } in &tables {
        say(&format!("{table}: {resealed} sealed anew, {left} left"));
        for fault in faults {
            say(&format!("  {fault}"));
        }
    }
    let entry = Entry::done("rotate_keys", "field_key", keys.active()).of_fields(format!("resealed={resealed}"));
    record(db, keys, entry).await?;
    if tables.iter().any(|table| table.left > 0) {
        say("Some values are still sealed by other keys: remove no key yet, and run this again.");
        return Ok(ExitCode::FAILURE);
    }
    let idle: Vec<&str> = keys.ids().filter(|id| *id != keys.active()).collect();
    if idle.is_empty() {
        say(&format!("Everything is sealed by {}.", keys.active()));
    } else {
        say(&format!("Everything is sealed by {}. Once every server seals with it and this was run", keys.active()));
        say(&format!("again since, these may be taken out of crypto.field_keys: {}.", idle.join(", ")));
        say("Backups made before still need them: keep the keys as long as the backups.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(db: &Db, keys: &FieldKeys) -> Result<ExitCode, StartFault> {
    let used = keys::status(db.read()).await?;
    let mut missing = false;
    for (key, tables) in &used {
        let all: u64 = tables.values().sum();
        let tables: Vec<String> = tables.iter().map(|(table, values)| format!("{table} {values}")).collect();
        let known = keys.ids().any(|id| id == key);
        missing |= !known;
        let what = match (key == keys.active(), known) {
            (true, _) => " (active)",
            (false, true) => "",
            (false, false) => " (NOT CONFIGURED: these values cannot be opened)",
        };
        say(&format!("{key}{what}: {all} values ({})", tables.join(", ")));
    }
    for idle in keys.ids().filter(|id| !used.contains_key(*id)) {
        say(&format!("{idle}: nothing"));
    }
    Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn reindex(db: &Db, keys: &FieldKeys) -> Result<ExitCode, StartFault> {
    let mut changed = 0;
    for column in keys::reindex(db, keys).await? {
        say(&format!("{}: {} changed, {} as before", column.column, column.changed, column.as_before));
        changed += column.changed;
    }
    record(db, keys, Entry::plain("reindex", "index_key").of_fields(format!("changed={changed}"))).await?;
    say("Everybody is found by the new hashes. Servers may start.");
    Ok(ExitCode::SUCCESS)
}
