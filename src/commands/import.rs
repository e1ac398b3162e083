//! `import divisions|calendar|catalogue FILE`

use std::{fmt::Display, fs::File, io::BufReader, path::Path};

use clap::ValueEnum;

use super::{open, record, say};
use crate::{
    app::StartFault, audit::Entry, calendar, catalogue, clock::Clock, config::Config, crypto::FieldKeys, db::Db,
    divisions, telemetry,
};

/// What a file holds.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// The administrative tree, as `config/divisions/*.csv`.
    Divisions,
    /// Holidays and make-up working days, as `config/calendar/*.csv`; a server that runs jobs takes them within a minute or so.
    Calendar,
    /// Service items, as `config/catalogue/*.json`.
    Catalogue,
}

pub(super) async fn import(kind: Kind, path: &Path) -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let wrong = |fault: &dyn Display| StartFault::Other(format!("{}: {fault}", path.display()));
    let file = BufReader::new(File::open(path).map_err(|fault| wrong(&fault))?);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let action = match kind {
        Kind::Divisions => "import_divisions",
        Kind::Calendar => "import_calendar",
        Kind::Catalogue => "import_catalogue",
    };
    let done = match kind {
        Kind::Divisions => divisions::import::import(&db, file)
            .await
            .map(|count| format!("{count} divisions are in the table"))
            .map_err(|fault| wrong(&fault)),
        Kind::Calendar => publish(&db, file, path, &wrong).await,
        Kind::Catalogue => catalogue::import::import(&db, file, Clock::system().now())
            .await
            .map(|done| format!("{} items added, {} changed, {} as before", done.added, done.changed, done.unchanged))
            .map_err(|fault| wrong(&fault)),
    };
    let entered = match &done {
        Ok(said) => record(&db, &keys, Entry::plain(action, "reference").of_fields(said.as_str())).await,
        Err(_) => Ok(()),
    };
    db.close().await;
    say(&done?);
    entered
}

/// Publishes a calendar; every bad row of the file is named.
async fn publish(
    db: &Db,
    file: BufReader<File>,
    path: &Path,
    wrong: &dyn Fn(&dyn Display) -> StartFault,
) -> Result<String, StartFault> {
    let rows = calendar::parse(file).map_err(|bad| {
        let lines: Vec<String> = bad.iter().map(ToString::to_string).collect();
        wrong(&lines.join("; "))
    })?;
    let count = rows.len();
    let source = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let version = calendar::publish(db, rows, &source, Clock::system().now()).await?;
    Ok(format!("calendar {version} is published, {count} days"))
}
