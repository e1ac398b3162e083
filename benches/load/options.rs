//! What the command line asks for, and the sizes that follow from it.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Drives the real server over HTTP on a fresh database and compares it with the engine's own rate.
///
/// Every scenario is bounded and the run stops by itself. Only the loopback address is used.
#[derive(Parser, Debug)]
#[command(name = "load")]
pub struct Options {
    /// Engines to measure; both when not given.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub engine: Vec<Engine>,
    /// Scenarios to run; all when not given.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub scenario: Vec<Scenario>,
    /// An empty PostgreSQL database to use, postgres://...; a throw-away server is started when not given.
    #[arg(long)]
    pub postgres: Option<String>,
    /// Seconds of each scenario.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Seconds of each measurement of the engine alone.
    #[arg(long, default_value_t = 3)]
    pub direct_seconds: u64,
    /// Connections that send, each one call at a time.
    #[arg(long, default_value_t = 32)]
    pub clients: usize,
    /// Connections of the burst: all send at the same moment.
    #[arg(long, default_value_t = 1500)]
    pub burst: usize,
    /// Villagers who want a place at the moment of opening, in 40 villages.
    #[arg(long, default_value_t = 2000)]
    pub opening: u64,
    /// Share of the answers that are lost at the opening.
    #[arg(long, default_value_t = 0.2)]
    pub lost: f64,
    /// Cases in the table while the inbox and the lifecycle are measured, ascending.
    #[arg(long, value_delimiter = ',', default_value = "10k,100k,1m", value_parser = count)]
    pub sizes: Vec<u64>,
    /// Public places of a hot slot.
    #[arg(long, default_value_t = 200)]
    pub places: i32,
    /// Villagers with a session of their own.
    #[arg(long, default_value = "200k", value_parser = count)]
    pub villagers: u64,
    /// Folder of the databases; put it on the disk that is to be measured.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Prints what PostgreSQL executed in each scenario (pg_stat_statements; costs a little).
    #[arg(long)]
    pub statements: bool,
    /// Records where the server spends its time in each scenario: `perf record -g` into this folder.
    #[arg(long)]
    pub perf: Option<PathBuf>,
    /// Writes the figures to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Cargo passes it to every benchmark.
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A pattern of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// One slot after the other, each asked for by twice as many villagers as it has places.
    BookHot,
    /// 1,000 slots at once.
    BookSpread,
    /// Villagers file errands.
    File,
    /// Progress by number and phone tail, without a sign-in.
    Track,
    /// A village morning: 60 % reads, 25 % bookings, 15 % filings.
    Morning,
    /// Far more connections than the server takes, all at once; then whether normal speed returns.
    Burst,
    /// 08:00 in 40 villages over a bad line: everybody wants a place at the moment booking opens, and asks again.
    Opening,
    /// First pages of the staff inbox at each of the sizes.
    Inbox,
    /// File, accept, assign, sign, answer, confirm, read; empty and at the largest size.
    Lifecycle,
}

impl Options {
    /// The engines of this run.
    pub fn engines(&self) -> Vec<Engine> {
        if self.engine.is_empty() { vec![Engine::Sqlite, Engine::Postgres] } else { self.engine.clone() }
    }

    /// Whether a scenario belongs to this run.
    pub fn wants(&self, scenario: Scenario) -> bool {
        self.scenario.is_empty() || self.scenario.contains(&scenario)
    }
}

/// The name a value has on the command line.
pub fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// `10k` is 10,000, `1m` is 1,000,000.
fn count(text: &str) -> Result<u64, String> {
    let text = text.to_ascii_lowercase();
    let (digits, times) = match text.strip_suffix(['k', 'm']) {
        Some(digits) if text.ends_with('k') => (digits, 1_000),
        Some(digits) => (digits, 1_000_000),
        None => (text.as_str(), 1),
    };
    digits.parse::<u64>().map(|value| value * times).map_err(|fault| fault.to_string())
}
