//! `backup FILE`, `restore FILE`

use std::{path::Path, process::ExitCode};

use super::{open, record, say};
use crate::{
    app::StartFault,
    audit::Entry,
    backup::{self, BackupFault, Made, Restored},
    config::Config,
    crypto::FieldKeys,
    db::Db,
    telemetry,
};

impl From<BackupFault> for StartFault {
    fn from(fault: BackupFault) -> Self {
        Self::Other(fault.to_string())
    }
}

/// Saves everything while servers serve.
pub(super) async fn backup(to: &Path) -> Result<ExitCode, StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = Db::connect(&config.database).await?;
    let made = Box::pin(backup::make(&config, &db, &keys, to)).await;
    let noted = match &made {
        Ok(Made { files, bytes, .. }) => {
            let entry = Entry::plain("make_backup", "backup").of_fields(format!("files={files},bytes={bytes}"));
            record(&db, &keys, entry).await
        }
        Err(_) => Ok(()),
    };
    db.close().await;
    let Made { files, missing, bytes } = made?;
    noted?;
    say(&format!("{}: the database and {files} objects of files, {bytes} bytes", to.display()));
    say("The keys of the configuration are not in it, and without crypto.field_keys neither database nor files can be");
    say("read: keep them elsewhere, as long as the backup.");
    Ok(tell_missing(&missing))
}

/// Brings everything back into an empty place.
pub(super) async fn restore(from: &Path) -> Result<ExitCode, StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let keys = FieldKeys::new(&config.crypto)?;
    let restored = Box::pin(backup::restore(&config, &keys, from)).await?;
    let manifest = &restored.manifest;
    say(&format!(
        "{}: the database and {} objects of files as of {}",
        from.display(),
        manifest.files,
        manifest.made_at
    ));
    say(&format!("checksums fit; the audit is whole: entries {} to {}", restored.audit.from, restored.audit.to));
    if restored.steps_to_go > 0 {
        say(&format!("the schema is {} steps behind: run `shuoshi migrate up`", restored.steps_to_go));
    } else {
        let db = open(&config).await?;
        let fields = format!("made_at={},sessions={}", manifest.made_at, restored.sessions);
        let entry = Entry::plain("restore_backup", "backup").of_fields(fields);
        let noted = record(&db, &keys, entry).await;
        db.close().await;
        noted?;
    }
    tell_of_since(&restored);
    Ok(tell_missing(&restored.missing))
}

/// What a backup cannot know of, and somebody has to do again.
const SINCE: [&str; 5] = [
    "- What was waiting to be sent is sent again, also what went out since: serve with jobs.enabled = false until the rest is done.",
    "- Accounts that were deleted (DELETE /me) are there again with all that was known: tell who it was to delete them once more.",
    "- Consents and authorisations that were withdrawn count again.",
    "- Staff who were dismissed and keys that were revoked are let in again; passwords and second factors are those of then.",
    "- What was taken from the pages of villages stands there again.",
];

/// Says what a restore undoes.
fn tell_of_since(restored: &Restored) {
    say(&format!("All sessions were ended ({}): everybody signs in again.", restored.sessions));
    say(&format!("What happened after {} is undone, and is to be done again:", restored.manifest.made_at));
    for line in SINCE {
        say(line);
    }
    if let Some(publications) = &restored.publications {
        say(&format!("  Publications that stand or wait to be shown: {}", publications.len()));
        for (id, title) in publications {
            say(&format!("  {id}  {title}"));
        }
    } else {
        say(
            "  Those that stand are listed by GET /staff/divisions/DIVISION/publications, once the schema is up to date.",
        );
    }
    say("How each is done, and how to find what it was: src/guide/backup.md, After a restore.");
}

/// Says which files are not there; some are a failure.
fn tell_missing(missing: &[String]) -> ExitCode {
    for name in missing {
        say(&format!("MISSING  {name}: the database names it, and the store does not have it"));
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
