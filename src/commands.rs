//! The command line: serve, and what an operator does beside it.
//!
//! Each command reads the configuration, does one thing and says in one sentence what went wrong; 0 is done, 1 is
//! failed, 2 is a command line that could not be read. Next: [`serve`], which is what runs when nothing is said.

mod audit;
mod backup;
mod divisions;
mod doctor;
mod import;
mod keys;
mod serve;
mod staff;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use entity::division;
use sea_orm::{Condition, EntityTrait, QueryFilter};

use crate::{
    app::StartFault,
    audit::{Actor, Entry},
    clock::Clock,
    config::{Config, Environment},
    crypto::FieldKeys,
    db::Db,
    openapi, telemetry,
};

/// Shuoshi (说事): villagers reach their village. Without a command it serves.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the API; in development also the simulator and the demonstration village (the default).
    Serve,
    /// Runs jobs and sweeps only.
    Work,
    /// The database schema.
    Migrate {
        /// `up` brings it up to date, `status` lists the steps.
        #[arg(value_enum)]
        what: Migrate,
    },
    /// Takes reference data from a file.
    Import {
        /// What the file holds.
        #[arg(value_enum)]
        what: import::Kind,
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        roster: import::Roster,
    },
    /// Places that were merged or got another code.
    #[command(subcommand)]
    Divisions(divisions::Divisions),
    /// Staff accounts.
    #[command(subcommand)]
    Staff(staff::Staff),
    /// The audit.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Keys of personal data.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Saves the database and all files in one file, while servers serve.
    Backup {
        /// Where to; nothing may be there yet.
        file: PathBuf,
    },
    /// Brings a backup back into an empty database and an empty store of files, and proves it.
    Restore {
        /// What `backup` made.
        file: PathBuf,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Looks at everything a server needs, and says what to do.
    Doctor,
    /// Serves the simulator of the WeChat server API alone.
    WechatSim,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Migrate {
    Up,
    Status,
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or(Command::Serve);
    match actix_web::rt::System::new().block_on(run(command)) {
        Ok(code) => code,
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "shuoshi: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, StartFault> {
    match command {
        Command::Serve => serve::serve().await?,
        Command::Work => serve::work().await?,
        Command::WechatSim => serve::simulate().await?,
        Command::Migrate { what } => migrate(what).await?,
        Command::Import { what, file, roster } => import::import(what, &file, &roster).await?,
        Command::Staff(staff::Staff::Add(new)) => staff::add(new).await?,
        Command::Divisions(what) => divisions::change(what).await?,
        Command::Audit(what) => return audit::run(what).await,
        Command::Keys(what) => return keys::run(what).await,
        Command::Backup { file } => return backup::backup(&file).await,
        Command::Restore { file } => return backup::restore(&file).await,
        Command::Openapi => say(&serde_json::to_string_pretty(&openapi::document()).unwrap_or_default()),
        Command::Doctor => return doctor::doctor().await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn migrate(what: Migrate) -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let db = Db::connect(&config.database).await?;
    if matches!(what, Migrate::Up) {
        db.migrate().await?;
    }
    for (name, applied) in db.migrations().await? {
        say(&format!("{}  {name}", if applied { "applied" } else { "missing" }));
    }
    db.close().await;
    Ok(())
}

/// A database that is up to date: development and test bring it there, production wants it done on purpose.
async fn open(config: &Config) -> Result<Db, StartFault> {
    let db = Db::connect(&config.database).await?;
    if config.environment == Environment::Production {
        let missing = db.migrations().await?.iter().filter(|(_, applied)| !applied).count();
        if missing > 0 {
            let text =
                format!("the database lacks {missing} migration steps; run `shuoshi migrate up`, then start again");
            return Err(StartFault::Other(text));
        }
    } else {
        db.migrate().await?;
    }
    Ok(db)
}

/// The place with this code.
async fn place_of_code(db: &Db, code: &str) -> Result<division::Model, StartFault> {
    let by_code = Condition::any().add(division::COLUMN.code.eq(code)).add(division::COLUMN.mca_code.eq(code));
    let found = division::Entity::find().filter(by_code).all(db.read()).await?;
    // Both code systems know the number, for different places: the statistical one is what files and papers use.
    let exact = found.iter().find(|row| row.code == code).or_else(|| found.first()).cloned();
    exact.ok_or_else(|| StartFault::Other(format!("no division has the code {code}")))
}

/// Enters in the audit what the operator did.
async fn record(db: &Db, keys: &FieldKeys, entry: Entry) -> Result<(), StartFault> {
    let (keys, now) = (keys.clone(), Clock::system().now());
    let written =
        db.transact(async move |tx| crate::audit::record(tx, &keys, &Actor::operator(), entry.clone(), now).await);
    Ok(written.await?)
}

/// Tells the operator something on standard output; nobody listening is no reason to fall over.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
