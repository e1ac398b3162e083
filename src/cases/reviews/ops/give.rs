//! Giving a review: one a round, by the person whose case it is or the helper who filed it, within thirty days of the answer; one addition later,
//! and after a bad one was followed up one second rating.

use chrono::TimeDelta;
use entity::{
    Instant,
    case::{self, CaseState},
    file::FileThing,
    follow_up,
    id::{CaseId, ReviewId},
    review,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
};

use super::follow_ups;
use crate::{
    app::App,
    auth::Villager,
    cases::{
        agency::{self, Reach},
        commands::ReviewCase,
        ops::merging,
        reviews::{
            bodies::{AddToReview, RerateCase, ReviewView},
            rules,
        },
    },
    clock::local_day,
    db::Tx,
    files::{self, FileView, Hanging, Named, Owner},
    lists,
    people::{self, Grant, Use},
    problem::{Code, FieldFault, OnUnique, Problem},
    settings::{self, Term},
};

/// Gives a review. Nothing of the case changes by it; one or two stars open a follow-up.
///
/// # Errors
/// `review_not_open`, `review_window_closed`, `already_reviewed`, `invalid`.
pub(in crate::cases::reviews) async fn give(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: CaseId,
    body: &ReviewCase,
) -> Result<ReviewView, Problem> {
    let now = app.clock.now();
    let tags = body.tags.clone().unwrap_or_default();
    let reach = reached(tx, me, id, now).await?;
    let claimed = files::claim(tx, Owner::Person(me.person()), &Named::list(body.files.as_ref()), None).await?;
    check(body, &tags, claimed.speaks())?;
    let case = reach.case;
    let answered = answered(tx, app, &case, now).await?;
    let row = review::ActiveModel {
        id: Set(ReviewId::fresh()),
        case_id: Set(id),
        round: Set(answered.round),
        person_id: Set(case.person_id),
        stars: Set(body.stars),
        tags: Set(serde_json::json!(tags)),
        text: Set(body.text.clone()),
        created_at: Set(now),
        handler_id: Set(answered.assignee_id),
        addition: Set(None),
        added_at: Set(None),
        second_stars: Set(None),
        rerated_at: Set(None),
        excluded_at: Set(None),
    };
    let review = row.insert(tx).await.on_unique(Code::AlreadyReviewed)?;
    let hung = files::hang(tx, claimed, Hanging::on(FileThing::Review, review.id.0), now).await?;
    let follow_up = if rules::is_bad(review.stars) {
        follow_ups::open(tx, app, &case, &answered, &review, now).await?
    } else {
        None
    };
    note_use(tx, app, reach.grant, "review", id, now).await?;
    Ok(ReviewView::of(review, follow_up, hung.iter().map(FileView::of).collect()))
}

/// The reviews of a case, the first round first.
pub(in crate::cases::reviews) async fn of_case(
    db: &impl ConnectionTrait,
    me: &Villager,
    id: CaseId,
    now: Instant,
) -> Result<Vec<ReviewView>, Problem> {
    reached(db, me, id, now).await?;
    let rows = review::Entity::find()
        .filter(review::COLUMN.case_id.eq(id))
        .order_by_asc(review::Column::Round)
        .all(db)
        .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let follow_up = follow_up::Entity::find().filter(follow_up::COLUMN.review_id.eq(row.id)).one(db).await?;
        let files = files::views_of(db, FileThing::Review, row.id.0).await?;
        views.push(ReviewView::of(row, follow_up, files));
    }
    Ok(views)
}

/// Adds words to a review, once and while reviews are open.
///
/// # Errors
/// `not_found`, `review_window_closed`, `already_reviewed` when something was added before.
pub(in crate::cases::reviews) async fn add(
    tx: &Tx,
    app: &App,
    me: &Villager,
    (case, id): (CaseId, ReviewId),
    body: &AddToReview,
) -> Result<ReviewView, Problem> {
    let now = app.clock.now();
    let (reach, review) = own(tx, me, case, id, now).await?;
    let case = reach.case;
    if review.addition.is_some() {
        return Err(Code::AlreadyReviewed.into());
    }
    answered(tx, app, &case, now).await?;
    let on = Hanging::on(FileThing::Review, id.0);
    files::attach(tx, Owner::Person(me.person()), &Named::list(body.files.as_ref()), on, now).await?;
    let mut row = review.into_active_model();
    row.addition = Set(Some(body.text.clone()));
    row.added_at = Set(Some(now));
    note_use(tx, app, reach.grant, "review", case.id, now).await?;
    with_follow_up(tx, row.update(tx).await?).await
}

/// Rates again after a bad review was followed up, once.
///
/// # Errors
/// `not_found`, `review_not_open` before it was settled, `already_reviewed`.
pub(in crate::cases::reviews) async fn rerate(
    tx: &Tx,
    app: &App,
    me: &Villager,
    (case, id): (CaseId, ReviewId),
    body: &RerateCase,
) -> Result<ReviewView, Problem> {
    let now = app.clock.now();
    let (reach, review) = own(tx, me, case, id, now).await?;
    if review.second_stars.is_some() {
        return Err(Code::AlreadyReviewed.into());
    }
    let settled = follow_up::Entity::find()
        .filter(follow_up::COLUMN.review_id.eq(id))
        .filter(follow_up::COLUMN.settled_at.is_not_null())
        .one(tx)
        .await?;
    if settled.is_none() {
        return Err(Code::ReviewNotOpen.into());
    }
    let mut row = review.into_active_model();
    row.second_stars = Set(Some(body.stars));
    row.rerated_at = Set(Some(now));
    note_use(tx, app, reach.grant, "review", case, now).await?;
    with_follow_up(tx, row.update(tx).await?).await
}

async fn with_follow_up(tx: &Tx, review: review::Model) -> Result<ReviewView, Problem> {
    let follow_up = follow_up::Entity::find().filter(follow_up::COLUMN.review_id.eq(review.id)).one(tx).await?;
    let files = files::views_of(tx, FileThing::Review, review.id.0).await?;
    Ok(ReviewView::of(review, follow_up, files))
}

/// A case of one's own, or one that one filed as a helper and may still act on.
///
/// # Errors
/// `not_found`; `no_authorisation` for another helper than the one on record.
async fn reached(db: &impl ConnectionTrait, me: &Villager, id: CaseId, now: Instant) -> Result<Reach, Problem> {
    let reach = agency::reach(db, me, id, local_day(now)).await?;
    if reach.grant.is_some() && reach.case.agent_id != Some(me.person()) {
        return Err(Code::NoAuthorisation.into());
    }
    Ok(reach)
}

/// What a helper did is told to whom they did it for.
async fn note_use(
    tx: &Tx,
    app: &App,
    grant: Option<Grant>,
    action: &'static str,
    case: CaseId,
    now: Instant,
) -> Result<(), Problem> {
    let Some(grant) = grant else { return Ok(()) };
    people::used(tx, app, &grant, Use { action, case: Some(case), booking: None }, now).await
}

/// A review of such a case, held until the commit.
async fn own(
    tx: &Tx,
    me: &Villager,
    case: CaseId,
    id: ReviewId,
    now: Instant,
) -> Result<(Reach, review::Model), Problem> {
    let reach = reached(tx, me, case, now).await?;
    let row = review::Entity::find_by_id(id).filter(review::COLUMN.case_id.eq(case)).lock_exclusive().one(tx).await?;
    Ok((reach, row.ok_or_else(Problem::not_found)?))
}

/// The case whose answer is reviewed: itself, or the one into which it was merged.
async fn answered(tx: &Tx, app: &App, case: &case::Model, now: Instant) -> Result<case::Model, Problem> {
    let days = settings::of_case(app, case).terms.get(Term::ReviewDays);
    let main = merging::main_of(tx, case).await?;
    let answered = main.unwrap_or_else(|| case.clone());
    let is_answered = matches!(answered.state, CaseState::Answered | CaseState::Completed | CaseState::Archived);
    match answered.answered_at {
        Some(at) if is_answered && now <= at + TimeDelta::days(days.into()) => Ok(answered),
        Some(_) if is_answered => Err(Code::ReviewWindowClosed.into()),
        _ => Err(Code::ReviewNotOpen.into()),
    }
}

fn check(body: &ReviewCase, tags: &[String], spoken: bool) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        if !lists::knows("review_tags", tag) {
            faults.push(FieldFault::new(format!("/tags/{at}"), "unknown"));
        } else if tags.iter().take(at).any(|other| other == tag) {
            faults.push(FieldFault::new(format!("/tags/{at}"), "duplicate"));
        }
    }
    if rules::is_bad(body.stars) && tags.is_empty() && body.text.is_none() && !spoken {
        faults.push(FieldFault::new("/tags", "required"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}
