//! (to be written)
use crate::{app::App, problem::Problem};

/// Turns rules into dated talk days.
pub async fn materialise(_: &App) -> Result<(), Problem> {
    Ok(())
}
