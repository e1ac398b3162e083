//! Figures: worked out, printed, written.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Serialize;

use crate::{direct::Rate, http::Tally, opening::Opening};

/// What one scenario came to.
#[derive(Serialize)]
pub struct Figures {
    pub engine: String,
    pub scenario: String,
    pub cases: u64,
    pub clients: usize,
    pub seconds: f64,
    pub requests: usize,
    pub per_second: f64,
    pub latency_ms: Latency,
    /// Whole lifecycles, where the scenario has them.
    pub rounds_per_second: Option<f64>,
    pub round_ms: Option<Latency>,
    /// By status and code.
    pub answers: BTreeMap<String, u64>,
    /// 503 with Retry-After.
    pub come_back: u64,
    /// What became of everybody, at the opening.
    pub opening: Option<Opening>,
    /// Slots with more live bookings than places, or that count them wrongly. Must be 0.
    pub overbooked: i64,
    pub start_ms: u128,
    pub idle_mb: f64,
    pub peak_mb: f64,
    /// Processor time a request.
    pub server_cpu_us: f64,
    pub database_cpu_us: f64,
    pub clients_cpu_us: f64,
    /// The engine alone.
    pub engine_alone: Vec<Rate>,
    /// Good answers a second (on hot slots: every answer) over the first rate of the engine alone.
    pub ratio: Option<f64>,
}

/// Milliseconds.
#[derive(Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latency {
    /// Of these microseconds.
    pub fn of(took: &mut [u32]) -> Self {
        took.sort_unstable();
        let at = |part: usize| {
            let place = (took.len() * part / 1000).min(took.len().saturating_sub(1));
            took.get(place).map_or(0.0, |us| f64::from(*us) / 1000.0)
        };
        Self { p50: at(500), p95: at(950), p99: at(990), max: at(1000) }
    }
}

/// Answers that did what was asked.
pub fn good(tally: &Tally) -> u64 {
    tally.answers.iter().filter(|(name, _)| name.starts_with('2')).map(|(_, times)| times).sum()
}

/// So many in this time, a second.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

impl Figures {
    /// For eyes.
    pub fn print(&self) {
        let Latency { p50, p95, p99, max } = self.latency_ms;
        println!(
            "\n{} {} ({} cases): {:.0} requests/s, ms p50 {p50:.1} p95 {p95:.1} p99 {p99:.1} max {max:.1}",
            self.engine, self.scenario, self.cases, self.per_second
        );
        if let (Some(rate), Some(round)) = (self.rounds_per_second, &self.round_ms) {
            println!("  rounds/s {rate:.1}, ms p50 {:.1} p99 {:.1} max {:.1}", round.p50, round.p99, round.max);
        }
        let answers: Vec<String> = self.answers.iter().map(|(name, times)| format!("{name}: {times}")).collect();
        println!(
            "  answers {}; 503 with Retry-After {}; overbooked {}",
            answers.join(", "),
            self.come_back,
            self.overbooked
        );
        println!(
            "  processor µs a request: server {:.0}, database {:.0}, clients {:.0}; memory MB idle {:.0} peak {:.0}; ready after {} ms",
            self.server_cpu_us, self.database_cpu_us, self.clients_cpu_us, self.idle_mb, self.peak_mb, self.start_ms
        );
        if let Some(opening) = &self.opening {
            opening.print();
        }
        for rate in &self.engine_alone {
            println!("  engine alone, {}: {:.0}/s", rate.name, rate.per_second);
        }
        if let Some(ratio) = self.ratio {
            println!("  server/engine {ratio:.2}");
        }
    }
}

/// Everything, as JSON.
pub fn write(path: &Path, figures: &[Figures]) -> std::io::Result<()> {
    let machine = BTreeMap::from([
        ("processor", first_of("/proc/cpuinfo", "model name")),
        ("cores", std::thread::available_parallelism().map_or(0, usize::from).to_string()),
        ("memory", first_of("/proc/meminfo", "MemTotal")),
        ("kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()),
        ("profile", if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned()),
    ]);
    let all = serde_json::json!({"machine": machine, "figures": figures});
    std::fs::write(path, serde_json::to_string_pretty(&all)?)
}

fn first_of(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
