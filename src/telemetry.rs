//! What the operator sees: log lines with fields, and counters for Prometheus.
//!
//! A line says what happened in words and in dotted fields, once, where it is handled; never a phone, a citizen number
//! or a name. How to write one: `src/guide/logging.md`.

use std::{io::IsTerminal, sync::OnceLock};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter,
    filter::{FilterExt, filter_fn},
    fmt,
    prelude::*,
};

use crate::config::{Log, LogFormat};

/// Starts logging; a second call changes nothing.
pub fn start_logs(settings: &Log) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.and(filter_fn(may_be_written));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => tracing_subscriber::registry().with(lines.with_filter(filter)).try_init(),
        LogFormat::Json => tracing_subscriber::registry().with(lines.json().with_filter(filter)).try_init(),
    };
    drop(started);
}

/// Below `info` only what this program writes itself: libraries trace requests, statements and bound values, which hold
/// what no log may. What `sqlx` says of a statement is never written, however slow it was.
fn may_be_written(line: &Metadata<'_>) -> bool {
    let own = line.target() == "shuoshi" || line.target().starts_with("shuoshi::");
    let statements = line.target().starts_with("sqlx::query");
    own || (*line.level() <= Level::INFO && !statements)
}

/// The counters of this process.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
    let group = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    let made = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .set_buckets_for_metric(Matcher::Full("shuoshi_commit_operations".to_owned()), &group)?
        .set_buckets_for_metric(Matcher::Full("shuoshi_lane_wishes".to_owned()), &group)?
        .install_recorder();
    match made {
        Ok(handle) => {
            describe();
            Ok(HANDLE.get_or_init(|| handle).clone())
        }
        // Another thread was first.
        Err(fault) => HANDLE.get().cloned().ok_or(fault),
    }
}

fn describe() {
    metrics::describe_counter!("shuoshi_http_requests_total", "Answered calls by route, method and status.");
    metrics::describe_histogram!("shuoshi_http_request_seconds", "Time to the answer's first byte.");
    metrics::describe_histogram!("shuoshi_commit_operations", "Operations that shared a commit (SQLite).");
    metrics::describe_histogram!("shuoshi_lane_wishes", "Calls of one kind that were done together.");
    metrics::describe_counter!("shuoshi_writes_refused_total", "Writes turned away because too many waited.");
    metrics::describe_counter!("shuoshi_jobs_total", "Jobs by kind and outcome.");
    metrics::describe_counter!("shuoshi_sweeps_total", "Runs of periodic sweeps by name and outcome.");
    metrics::describe_counter!("shuoshi_notices_total", "Attempts to tell villagers, by channel and outcome.");
    metrics::describe_counter!("shuoshi_staff_notices_total", "Notices of staff that were to be said, by outcome.");
    metrics::describe_counter!("shuoshi_wechat_pushes_total", "Pushes of WeChat that were stored or had been before.");
    metrics::describe_counter!("shuoshi_content_checks_total", "Texts and files that were judged, by outcome.");
    metrics::describe_counter!("shuoshi_webhook_attempts_total", "Attempts to tell servers of others, by outcome.");
}
