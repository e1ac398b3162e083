//! Where staff may act: in the subtree of the places they are posted to. Elsewhere reads as 404.

use entity::{division, id::DivisionId};
use sea_orm::ConnectionTrait;

use super::ops;
use crate::{
    auth::{Posted, Staff, duty::Need},
    problem::Problem,
};

/// Whether a posting's place is this one or lies above it.
#[must_use]
pub fn covers(posted: &Posted, place: &division::Model) -> bool {
    ops::line_up(place).contains(&Some(posted.division))
}

/// The place, when one of the postings that satisfy the need covers it; else 404.
pub async fn reach<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    id: DivisionId,
) -> Result<division::Model, Problem> {
    let place = ops::find(db, id).await?;
    if staff.postings().any(|posted| covers(posted, &place)) { Ok(place) } else { Err(Problem::not_found()) }
}
