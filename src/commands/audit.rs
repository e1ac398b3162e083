//! `audit verify`

use std::process::ExitCode;

use clap::Subcommand;

use super::{open, say};
use crate::{
    app::StartFault,
    audit::verify::{self, Proved},
    config::Config,
    crypto::FieldKeys,
    telemetry,
};

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Makes every hash of the chain again, and names the first entry that was changed or is missing.
    Verify {
        /// The entry to begin with; what lies before it is taken as it is.
        #[arg(long, value_name = "SEQ")]
        from: Option<i64>,
    },
}

pub(super) async fn run(Audit::Verify { from }: Audit) -> Result<ExitCode, StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let outcome = verify::verify(db.read(), &keys, from).await;
    db.close().await;
    match outcome? {
        Ok(Proved { from: 0, .. }) => say("the audit is empty, and nothing was taken from it"),
        Ok(Proved { from, to }) => say(&format!("the audit is whole: entries {from} to {to} are as they were written")),
        Err(broken) => {
            say(&broken.to_string());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
