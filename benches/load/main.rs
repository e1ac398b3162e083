//! The load benchmark: the real server, over HTTP, against what its database can do alone.
//!
//! `cargo bench --bench load -- --help`. Each engine gets a fresh database; each scenario a fresh server process,
//! measured from outside, and directly afterwards the same statements run by hand, so that the ratio of the two is one
//! of the same minute on the same machine. Start reading at [`measure::Bench`].
#![allow(missing_docs, reason = "nobody but this program uses it")]
#![allow(clippy::similar_names, clippy::needless_pass_by_value, reason = "small programs read better so")]
#![allow(clippy::doc_markdown, reason = "the documentation is also the help text of the command line")]
#![allow(clippy::disallowed_types, clippy::print_stdout, reason = "it measures spans of time and prints them")]

mod direct;
mod http;
mod measure;
mod opening;
mod options;
mod postgres;
mod process;
mod report;
mod scenarios;
mod seed;
mod store;

use std::{error::Error, process::ExitCode};

use clap::Parser;

use crate::{
    measure::Bench,
    options::{Engine, Options},
    postgres::Postgres,
};

// One thread: the server needs the others.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let ended = tokio::select! {
        ended = run(&options) => ended,
        // Leaving by here drops, and with it ends, what was started.
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("load: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    println!(
        "{} connections, each one call at a time: a closed loop. In overload it sends less than an open world would, so its latencies are too small then.",
        options.clients
    );
    if cfg!(debug_assertions) {
        println!("This is the dev profile: its rates say nothing.");
    }
    let base = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let mut figures = Vec::new();
    for engine in options.engines() {
        let folder = tempfile::Builder::new().prefix("shuoshi-load-").tempdir_in(&base)?;
        let (url, own) = match (engine, &options.postgres) {
            (Engine::Sqlite, _) => (format!("sqlite://{}/shuoshi.db", folder.path().display()), None),
            (Engine::Postgres, Some(url)) => (url.clone(), None),
            (Engine::Postgres, None) => {
                let own = Postgres::start(&base, options.statements)?;
                (own.url.clone(), Some(own))
            }
        };
        let mut bench = Bench::open(options, engine, folder.path(), &url, own.as_ref()).await?;
        let ended = bench.run().await;
        figures.append(&mut bench.figures);
        if let Some(path) = &options.json {
            report::write(path, &figures)?;
        }
        ended?;
    }
    if let Some(opening) = figures.iter().filter_map(|figures| figures.opening.as_ref()).find(|one| !one.is_true()) {
        return Err(format!("somebody was told what is not so: {opening:?}").into());
    }
    match figures.iter().map(|figures| figures.overbooked).sum::<i64>() {
        0 => Ok(()),
        slots => Err(format!("{slots} slots are overbooked or counted wrongly").into()),
    }
}
