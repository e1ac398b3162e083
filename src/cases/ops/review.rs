//! Reviews: one a round, by the person whose case it is, within thirty days of the answer (好差评).

use entity::{
    Instant, case,
    case::CaseState,
    id::{CaseId, ReviewId},
    review,
};
use sea_orm::{ActiveModelTrait, Set};

use crate::{
    auth::Villager,
    cases::{commands::ReviewCase, scope, sla},
    db::Tx,
    lists,
    problem::{Code, FieldFault, OnUnique, Problem},
};

/// Gives a review. Nothing of the case changes by it.
///
/// # Errors
/// `review_not_open`, `review_window_closed`, `already_reviewed`, `invalid`.
pub async fn review(
    tx: &Tx,
    me: &Villager,
    id: CaseId,
    body: &ReviewCase,
    now: Instant,
) -> Result<review::Model, Problem> {
    let tags = body.tags.clone().unwrap_or_default();
    check(body, &tags)?;
    let case = scope::one(scope::of_villager(me), id, tx).await?;
    open(&case, now)?;
    let row = review::ActiveModel {
        id: Set(ReviewId::fresh()),
        case_id: Set(id),
        round: Set(case.round),
        person_id: Set(me.person()),
        stars: Set(body.stars),
        tags: Set(serde_json::json!(tags)),
        text: Set(body.text.clone()),
        created_at: Set(now),
    };
    row.insert(tx).await.on_unique(Code::AlreadyReviewed)
}

fn open(case: &case::Model, now: Instant) -> Result<(), Problem> {
    let answered = matches!(case.state, CaseState::Answered | CaseState::Completed | CaseState::Archived);
    match case.answered_at {
        Some(at) if answered && now <= at + sla::REVIEW_WITHIN => Ok(()),
        Some(_) if answered => Err(Code::ReviewWindowClosed.into()),
        _ => Err(Code::ReviewNotOpen.into()),
    }
}

fn check(body: &ReviewCase, tags: &[String]) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        if !lists::knows("review_tags", tag) {
            faults.push(FieldFault::new(format!("/tags/{at}"), "unknown"));
        } else if tags.iter().take(at).any(|other| other == tag) {
            faults.push(FieldFault::new(format!("/tags/{at}"), "duplicate"));
        }
    }
    if body.stars <= 2 && tags.is_empty() && body.text.is_none() {
        faults.push(FieldFault::new("/tags", "required"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}
