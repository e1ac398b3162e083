//! `import divisions|calendar|catalogue|roster FILE`

use std::{fmt::Display, fs::File, io::BufReader, path::Path};

use clap::{Args, ValueEnum};
use entity::division::DivisionLevel;

use super::{open, place_of_code, record, say};
use crate::{
    app::StartFault,
    audit::{Actor, Entry},
    calendar, catalogue,
    clock::Clock,
    config::Config,
    crypto::FieldKeys,
    db::{Db, Tx},
    divisions,
    http::MAX_UPLOAD,
    people::roster::{
        import::{self as rosters, OnError},
        report::RosterReport,
    },
    problem::{Code, Language, Problem},
    telemetry,
};

/// What a file holds.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// The administrative tree, as `config/divisions/*.csv`.
    Divisions,
    /// Holidays and make-up working days, as `config/calendar/*.csv`; a server takes them within a minute or so.
    Calendar,
    /// Service items, as `config/catalogue/*.json`.
    Catalogue,
    /// Who lives in a village, as CSV or XLSX; columns as for `POST /staff/divisions/{division}/roster`.
    Roster,
}

/// What only a roster needs.
#[derive(Debug, Args)]
pub(super) struct Roster {
    /// Statistical or civil-affairs code of the village, 12 digits.
    #[arg(long, required_if_eq("what", "roster"))]
    division: Option<String>,
    /// Only says what would be done and what is wrong.
    #[arg(long)]
    dry_run: bool,
    /// Leaves out lines that are wrong and takes the others.
    #[arg(long)]
    skip_bad: bool,
}

pub(super) async fn import(kind: Kind, path: &Path, roster: &Roster) -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let wrong = |fault: &dyn Display| StartFault::Other(format!("{}: {fault}", path.display()));
    let file = BufReader::new(File::open(path).map_err(|fault| wrong(&fault))?);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let action = match kind {
        Kind::Divisions => Some("import_divisions"),
        Kind::Calendar => Some("import_calendar"),
        Kind::Catalogue => Some("import_catalogue"),
        // Entered where it is written.
        Kind::Roster => None,
    };
    let done = match kind {
        Kind::Divisions => divisions::import::import(&db, file)
            .await
            .map(|count| format!("{count} divisions are in the table"))
            .map_err(|fault| wrong(&fault)),
        Kind::Calendar => publish(&db, file, path, &wrong).await,
        Kind::Catalogue => catalogue::import::import(&db, file, Clock::system())
            .await
            .map(|done| format!("{} items added, {} changed, {} as before", done.added, done.changed, done.unchanged))
            .map_err(|fault| wrong(&fault)),
        Kind::Roster => take_roster(&config, &db, path, roster).await.map_err(|fault| wrong(&fault)),
    };
    let entered = match (&done, action) {
        (Ok(said), Some(action)) => {
            record(&db, &keys, Entry::plain(action, "reference").of_fields(said.as_str())).await
        }
        _ => Ok(()),
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

/// Takes a roster in, and says line by line what is wrong with it.
async fn take_roster(config: &Config, db: &Db, path: &Path, asked: &Roster) -> Result<String, StartFault> {
    let place = place_of_code(db, asked.division.as_deref().unwrap_or_default()).await?;
    if place.level != DivisionLevel::Village {
        return Err(StartFault::Other(format!("{} is not a village", place.display_name)));
    }
    let file = std::fs::read(path).map_err(|fault| StartFault::Other(fault.to_string()))?;
    if file.len() > MAX_UPLOAD {
        return Err(in_words(&Code::TooLarge.into()));
    }
    let keys = FieldKeys::new(&config.crypto)?;
    let now = Clock::system().now();
    let prepared = rosters::prepare(&keys, place.id, file, now).await.map_err(|problem| in_words(&problem))?;
    let on_error = if asked.skip_bad { OnError::Skip } else { OnError::Stop };
    if asked.dry_run || prepared.is_refused(on_error) {
        let counts = rosters::rehearse(db.read(), &keys, &prepared).await?;
        let report = prepared.report(counts, true, Language::En);
        tell_faults(&report);
        let said = summary(&report);
        let refused = !asked.dry_run;
        return if refused { Err(StartFault::Other(format!("nothing was taken; {said}"))) } else { Ok(said) };
    }
    let operation = async move |tx: &Tx| {
        let counts = rosters::carry_out(tx, &keys, &Actor::operator(), &prepared).await?;
        Ok(prepared.report(counts, false, Language::En))
    };
    let report = db.transact(operation).await?;
    tell_faults(&report);
    Ok(summary(&report))
}

fn tell_faults(report: &RosterReport) {
    for fault in &report.faults {
        let place = if fault.column.is_empty() { String::new() } else { format!(", {}", fault.column) };
        say(&format!("line {}{place}: {} [{}]", fault.line, fault.detail, fault.code));
    }
    if report.more_faults > 0 {
        say(&format!("and {} faults more", report.more_faults));
    }
}

fn summary(report: &RosterReport) -> String {
    let RosterReport { rows, created, updated, unchanged, skipped, .. } = report;
    let how = if report.dry_run { "would be " } else { "" };
    format!("{rows} lines: {how}{created} created, {updated} updated, {unchanged} unchanged, {skipped} left out")
}

fn in_words(problem: &Problem) -> StartFault {
    let text = match problem.code() {
        Code::UnsupportedMediaType => "neither CSV nor XLSX".to_owned(),
        Code::TooLarge => "larger than 10 MB, or unpacks to too much".to_owned(),
        _ => problem.source_text().unwrap_or(problem.code().slug()).to_owned(),
    };
    StartFault::Other(text)
}
