//! `divisions merge|renumber`: what becomes of places, people and their records kept.

use clap::Subcommand;

use super::{open, say};
use crate::{
    app::StartFault,
    audit::{self, Actor, Entry},
    clock::Clock,
    config::Config,
    crypto::FieldKeys,
    divisions::change,
    problem::{Code, Problem},
    telemetry,
};

#[derive(Debug, Subcommand)]
pub(super) enum Divisions {
    /// Merges a village into another: residents, rosters, staff, talk days and cases go with it.
    Merge {
        /// Statistical code of the village that ends.
        code: String,
        /// Statistical code of the village that takes it in.
        into: String,
    },
    /// Gives a place another statistical code; the old one still finds it.
    Renumber {
        /// The code it has.
        code: String,
        /// The code it gets, 12 digits.
        new_code: String,
    },
}

pub(super) async fn change(what: Divisions) -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let now = Clock::system().now();
    let done = db.transact(async move |tx| {
        let (action, said, place) = match &what {
            Divisions::Merge { code, into } => {
                ("merge_division", format!("{code} is part of {into} now"), change::merge(tx, code, into, now).await?)
            }
            Divisions::Renumber { code, new_code } => {
                if new_code.len() != 12 || !new_code.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(Problem::field("/new_code", "format"));
                }
                let place = change::renumber(tx, code, new_code, now).await?;
                ("renumber_division", format!("{code} is {new_code} now"), place)
            }
        };
        audit::record(tx, &keys, &Actor::operator(), Entry::done(action, "division", place.id), now).await?;
        Ok(said)
    });
    let said = done.await.map_err(|problem| match problem.code() {
        Code::Invalid => {
            StartFault::Other("both codes must be of places that stand, a new one of 12 digits".to_owned())
        }
        Code::AlreadyExists => StartFault::Other("another place has this code".to_owned()),
        _ => problem.into(),
    });
    db.close().await;
    say(&said?);
    Ok(())
}
