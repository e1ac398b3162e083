//! `backup FILE`, `restore FILE`

use std::{path::Path, process::ExitCode};

use super::{open, record, say};
use crate::{
    app::StartFault,
    audit::Entry,
    backup::{self, BackupFault, Made},
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
    say("The keys of the configuration are not in it: keep them elsewhere, as long as the backup.");
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
        let entry = Entry::plain("restore_backup", "backup").of_fields(format!("made_at={}", manifest.made_at));
        let noted = record(&db, &keys, entry).await;
        db.close().await;
        noted?;
    }
    Ok(tell_missing(&restored.missing))
}

/// Says which files are not there; some are a failure.
fn tell_missing(missing: &[String]) -> ExitCode {
    for name in missing {
        say(&format!("MISSING  {name}: the database names it, and the store does not have it"));
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
