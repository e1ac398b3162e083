//! What follows a bad review: a second person speaks to the villager within a working day and sees that it is put right.

use entity::{
    Instant, case,
    file::FileThing,
    follow_up,
    id::{CaseId, FollowUpId, UnitId},
    review,
    unit::{self, UnitKind},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Set, sea_query::SelectStatement,
};
use serde_json::json;

use super::{above, check_second_person, contact, of_others, units};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Duty, Staff, duty::WorkOnCases},
    calendar::{Span, deadline},
    cases::{
        advance,
        reviews::{
            bodies::{FollowUpView, NoteFollowUpContact, SettleFollowUp},
            rules,
        },
    },
    clock::local_day,
    db::Tx,
    files,
    http::{Cursor, PageQuery},
    notices::{self, staff::StaffTelling},
    problem::{Code, Problem},
    settings::{self, Term},
};

/// Any of these in its unit follows a review up, as [`super::units`] has it.
const FOLLOWS_UP: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise, Duty::HandleDiscipline];

/// Opens the follow-up of a bad review, and tells who is to see to it; where money was asked, at the discipline desk of
/// the township, else of the county, and nowhere else. A private matter is followed up for that reason alone: nobody else may know of it.
pub(super) async fn open(
    tx: &Tx,
    app: &App,
    case: &case::Model,
    answered: &case::Model,
    review: &review::Model,
    now: Instant,
) -> Result<Option<follow_up::Model>, Problem> {
    let unit = if rules::says_money_was_asked(review) {
        discipline_desk(tx, case).await?
    } else if case.private {
        None
    } else {
        Some(above(tx, answered).await?)
    };
    let Some(unit) = unit else { return Ok(None) };
    let clocks = settings::of_case(app, case);
    let contact_within = Span::WorkingDays(clocks.terms.get(Term::FollowUpContactDays));
    let row = follow_up::ActiveModel {
        id: Set(FollowUpId::fresh()),
        review_id: Set(review.id),
        case_id: Set(case.id),
        unit_id: Set(unit),
        handler_id: Set(answered.assignee_id),
        opened_at: Set(now),
        contact_due_at: Set(deadline(&clocks.calendar, clocks.terms.hours, now, contact_within).0),
        contacted_at: Set(None),
        contacted_by: Set(None),
        contact_note: Set(None),
        fix_due_on: Set(None),
        settled_at: Set(None),
        settled_by: Set(None),
        outcome: Set(None),
        outcome_note: Set(None),
    };
    let row = row.insert(tx).await?;
    let discreet = case.confidential || case.private || rules::says_money_was_asked(review);
    tell_who_follows_up(tx, case, &row, discreet, now).await?;
    Ok(Some(row))
}

/// A follow-up waits for the unit: not for who did the work, nor for who must keep away, and without a word of the case.
async fn tell_who_follows_up(
    tx: &Tx,
    case: &case::Model,
    row: &follow_up::Model,
    discreet: bool,
    now: Instant,
) -> Result<(), Problem> {
    let mut staff = notices::staff::in_unit(tx, row.unit_id, FOLLOWS_UP, local_day(now)).await?;
    staff.retain(|staff| Some(*staff) != row.handler_id);
    let staff = notices::staff::free_of(tx, staff, Some(case.id)).await?;
    if staff.is_empty() {
        tracing::warn!(follow_up.id = %row.id, "nobody is there to follow up a review");
    }
    let telling = StaffTelling {
        staff,
        kind: "follow_up_opened",
        case: None,
        division: Some(case.village_id),
        confidential: discreet,
        urgency: None,
        params: json!({}),
    };
    notices::staff::tell(tx, vec![telling], now).await
}

/// The discipline desk of the township, else of the county.
async fn discipline_desk(tx: &Tx, case: &case::Model) -> Result<Option<UnitId>, Problem> {
    for place in [case.township_id, case.county_id] {
        let desk = unit::Entity::find()
            .filter(unit::COLUMN.division_id.eq(place))
            .filter(unit::COLUMN.kind.eq(UnitKind::DisciplineDesk))
            .one(tx)
            .await?;
        if let Some(desk) = desk {
            return Ok(Some(desk.id));
        }
    }
    Ok(None)
}

/// Follow-ups of one's units, the oldest first; a page and one.
pub(in crate::cases::reviews) async fn list(
    app: &App,
    staff: &Staff<WorkOnCases>,
    settled: bool,
    page: &PageQuery,
) -> Result<Vec<FollowUpView>, Problem> {
    let db = app.db.read();
    let mut query =
        follow_up::Entity::find().filter(follow_up::COLUMN.unit_id.is_in(units(staff))).filter(others(staff));
    query = if settled {
        query.filter(follow_up::COLUMN.settled_at.is_not_null())
    } else {
        query.filter(follow_up::COLUMN.settled_at.is_null())
    };
    if let Some(after) = Cursor::read::<FollowUpId>(page.cursor.as_deref())? {
        query = query.filter(follow_up::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(follow_up::Column::Id).limit(page.size() + 1).all(db).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        views.push(view(db, app, row).await?);
    }
    Ok(views)
}

async fn view(db: &impl ConnectionTrait, app: &App, row: follow_up::Model) -> Result<FollowUpView, Problem> {
    let (case, review) = around(db, &row).await?;
    let whom = contact(app, &case)?;
    let files = files::views_of(db, FileThing::Review, review.id.0).await?;
    Ok(FollowUpView::of(row, review, case, whom, files))
}

async fn around(db: &impl ConnectionTrait, row: &follow_up::Model) -> Result<(case::Model, review::Model), Problem> {
    let case = case::Entity::find_by_id(row.case_id).one(db).await?;
    let review = review::Entity::find_by_id(row.review_id).one(db).await?;
    case.zip(review).ok_or_else(|| Problem::unexpected("a follow-up of nothing"))
}

/// The villager was spoken to: from here it is to be put right within five working days, or fifteen.
///
/// # Errors
/// `not_found`, `already_decided`, `conflict_of_interest`.
pub(in crate::cases::reviews) async fn contacted(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: FollowUpId,
    body: &NoteFollowUpContact,
) -> Result<FollowUpView, Problem> {
    let (row, case) = held(tx, staff, id).await?;
    if row.contacted_at.is_some() || row.settled_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let (now, clocks) = (app.clock.now(), settings::of_case(app, &case));
    let term = if body.complex { Term::FollowUpComplexDays } else { Term::FollowUpSimpleDays };
    let fix_due_on = clocks.calendar.add_working_days(local_day(now), clocks.terms.get(term)).on;
    let mut row = row.into_active_model();
    row.contacted_at = Set(Some(now));
    row.contacted_by = Set(Some(staff.id()));
    row.contact_note = Set(Some(format!("{}: {}", body.how, body.text)));
    row.fix_due_on = Set(Some(fix_due_on));
    let row = row.update(tx).await?;
    entered(tx, app, staff, "follow_up_contact", id).await?;
    view(tx, app, row).await
}

/// What became of it; the villager is told and may rate once more.
///
/// # Errors
/// `not_found`, `already_decided`, `conflict_of_interest`.
pub(in crate::cases::reviews) async fn settle(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: FollowUpId,
    body: &SettleFollowUp,
) -> Result<FollowUpView, Problem> {
    let (row, case) = held(tx, staff, id).await?;
    if row.settled_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let now = app.clock.now();
    let mut row = row.into_active_model();
    row.settled_at = Set(Some(now));
    row.settled_by = Set(Some(staff.id()));
    row.outcome = Set(Some(body.outcome.clone()));
    row.outcome_note = Set(Some(body.text.clone()));
    let row = row.update(tx).await?;
    notices::tell(tx, vec![advance::telling(&case, "review_followed_up")], now).await?;
    entered(tx, app, staff, "settle_follow_up", id).await?;
    view(tx, app, row).await
}

async fn entered(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    action: &'static str,
    id: FollowUpId,
) -> Result<(), Problem> {
    let entry = Entry::done(action, "follow_up", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, app.clock.now()).await
}

async fn held(tx: &Tx, staff: &Staff<WorkOnCases>, id: FollowUpId) -> Result<(follow_up::Model, case::Model), Problem> {
    let row = follow_up::Entity::find_by_id(id)
        .filter(follow_up::COLUMN.unit_id.is_in(units(staff)))
        .filter(others(staff))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (case, _) = around(tx, &row).await?;
    check_second_person(tx, staff, &case, row.handler_id).await?;
    Ok((row, case))
}

/// Follow-ups that are for these staff: of their units, and not of their own work.
pub(in crate::cases) fn followed_up_by(staff: &Staff<WorkOnCases>) -> Condition {
    Condition::all().add(follow_up::COLUMN.unit_id.is_in(units(staff))).add(others(staff))
}

/// Ids of the cases that a unit follows up: it reads them.
pub(in crate::cases) fn cases_of(unit: UnitId) -> SelectStatement {
    let of_unit = follow_up::Entity::find().filter(follow_up::COLUMN.unit_id.eq(unit));
    of_unit.select_only().column(follow_up::Column::CaseId).into_query()
}

/// Whether a bad review of a case is not settled: until it is, the case is not put away.
pub(in crate::cases) async fn is_open(db: &impl ConnectionTrait, case: CaseId) -> Result<bool, Problem> {
    let open = follow_up::Entity::find()
        .filter(follow_up::COLUMN.case_id.eq(case))
        .filter(follow_up::COLUMN.settled_at.is_null());
    Ok(open.one(db).await?.is_some())
}

fn others(staff: &Staff<WorkOnCases>) -> Condition {
    of_others(staff, follow_up::Column::HandlerId, follow_up::Column::CaseId)
}
