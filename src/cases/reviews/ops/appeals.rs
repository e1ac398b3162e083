//! Appeals against reviews that a handler holds to be malicious: the unit above decides, and what it takes out is counted.

use entity::{
    Instant, case,
    id::{ReviewAppealId, StaffId},
    review, review_appeal,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Set,
};

use serde_json::json;

use super::{above, bundles, check_second_person, units};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Duty, Staff,
        duty::{Anything, WorkOnCases},
    },
    cases::{
        near,
        reviews::bodies::{AppealReview, DecideAppeal, ReviewAppealView},
    },
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    notices::{self, staff::StaffTelling},
    problem::{Code, OnUnique, Problem},
    settings::{self, Term},
};

/// Appeals against a review that one was shown, once.
///
/// # Errors
/// `not_found` of what is in no bundle, `already_exists`.
pub(in crate::cases::reviews) async fn appeal(
    tx: &Tx,
    app: &App,
    staff: &Staff<Anything>,
    handle: &str,
    body: &AppealReview,
) -> Result<ReviewAppealView, Problem> {
    let review = bundles::find(tx, app, staff.id(), handle).await?;
    let case = case_of(tx, &review).await?;
    let (now, clocks) = (app.clock.now(), settings::of_case(app, &case));
    let row = review_appeal::ActiveModel {
        id: Set(ReviewAppealId::fresh()),
        review_id: Set(review.id),
        unit_id: Set(above(tx, &case).await?),
        by_staff: Set(staff.id()),
        text: Set(body.text.clone()),
        made_at: Set(now),
        due_on: Set(clocks.calendar.add_working_days(local_day(now), clocks.terms.get(Term::AppealDays)).on),
        decided_at: Set(None),
        decided_by: Set(None),
        upheld: Set(None),
        decision: Set(None),
    };
    let made = row.insert(tx).await.on_unique(Code::AlreadyExists)?;
    tell_who_decides(tx, &made, now).await?;
    Ok(ReviewAppealView::of(made, review))
}

/// An appeal waits for the unit above: not the handler who made it, and no word of the case.
async fn tell_who_decides(tx: &Tx, appeal: &review_appeal::Model, now: Instant) -> Result<(), Problem> {
    const DECIDES: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise];
    let mut staff = notices::staff::in_unit(tx, appeal.unit_id, DECIDES, local_day(now)).await?;
    staff.retain(|staff| *staff != appeal.by_staff);
    let telling = StaffTelling {
        staff,
        kind: "appeal_to_decide",
        case: None,
        division: None,
        confidential: false,
        urgency: None,
        params: json!({}),
    };
    notices::staff::tell(tx, vec![telling], now).await
}

/// Appeals that one's units decide, or have decided; a page and one.
pub(in crate::cases::reviews) async fn list(
    app: &App,
    staff: &Staff<WorkOnCases>,
    decided: bool,
    page: &PageQuery,
) -> Result<Vec<(ReviewAppealId, ReviewAppealView)>, Problem> {
    let db = app.db.read();
    let mut query =
        review_appeal::Entity::find().filter(review_appeal::COLUMN.unit_id.is_in(units(staff))).filter(others(staff));
    query = if decided {
        query.filter(review_appeal::COLUMN.decided_at.is_not_null())
    } else {
        query.filter(review_appeal::COLUMN.decided_at.is_null())
    };
    if let Some(after) = Cursor::read::<ReviewAppealId>(page.cursor.as_deref())? {
        query = query.filter(review_appeal::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(review_appeal::Column::Id).limit(page.size() + 1).all(db).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let review = review_of(db, &row).await?;
        views.push((row.id, ReviewAppealView::of(row, review)));
    }
    Ok(views)
}

/// Decides: what is upheld counts no more and is counted as taken out.
///
/// # Errors
/// `not_found`, `already_decided`, `conflict_of_interest` for who made it.
pub(in crate::cases::reviews) async fn decide(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: ReviewAppealId,
    body: &DecideAppeal,
) -> Result<ReviewAppealView, Problem> {
    let row = review_appeal::Entity::find_by_id(id)
        .filter(review_appeal::COLUMN.unit_id.is_in(units(staff)))
        .filter(others(staff))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if row.decided_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let review = review_of(tx, &row).await?;
    let maker: Option<StaffId> = Some(row.by_staff);
    check_second_person(tx, staff, &case_of(tx, &review).await?, maker).await?;
    let now = app.clock.now();
    let mut row = row.into_active_model();
    row.decided_at = Set(Some(now));
    row.decided_by = Set(Some(staff.id()));
    row.upheld = Set(Some(body.upheld));
    row.decision = Set(Some(body.text.clone()));
    let row = row.update(tx).await?;
    let review = if body.upheld {
        let mut review = review.into_active_model();
        review.excluded_at = Set(Some(now));
        review.update(tx).await?
    } else {
        review
    };
    let entry = Entry::done("decide_review_appeal", "review_appeal", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(ReviewAppealView::of(row, review))
}

/// What others made, of cases that one may know of.
fn others(staff: &Staff<WorkOnCases>) -> Condition {
    let known = review::Entity::find()
        .select_only()
        .column(review::Column::Id)
        .filter(review::Column::CaseId.not_in_subquery(near::complaints(staff.id())))
        .into_query();
    Condition::all()
        .add(review_appeal::COLUMN.by_staff.ne(staff.id()))
        .add(review_appeal::Column::ReviewId.in_subquery(known))
}

async fn case_of(db: &impl ConnectionTrait, review: &review::Model) -> Result<case::Model, Problem> {
    let case = case::Entity::find_by_id(review.case_id).one(db).await?;
    case.ok_or_else(|| Problem::unexpected("a review of no case"))
}

async fn review_of(db: &impl ConnectionTrait, row: &review_appeal::Model) -> Result<review::Model, Problem> {
    let review = review::Entity::find_by_id(row.review_id).one(db).await?;
    review.ok_or_else(|| Problem::unexpected("an appeal against no review"))
}
