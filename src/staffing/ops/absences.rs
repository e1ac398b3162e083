//! Absences: arranged by oneself or by who assigns, begun and ended by time or by people, each exactly once.
//!
//! What moves, moves in the transaction that says so: an absence that has begun has its work moved, one that has ended
//! has given it back. Next: [`crate::staffing::jobs`] for time, `cases/ops/hand_over.rs` for the work itself.

use chrono::{NaiveDate, TimeDelta};
use entity::{
    Instant, absence,
    id::{AbsenceId, DivisionId, StaffId},
    staff,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::{
    app::App,
    audit,
    auth::{Duty, Posted, Staff, accounts, duty::Anything},
    cases::{self, By},
    clock::local_day,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
    staffing::{
        bodies::ArrangeAbsence,
        rules::{self, Post},
        scope,
    },
    talks,
};

/// The longest absence.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// Duties by which somebody arranges for others.
const FOR_OTHERS: &[Duty] = &[Duty::ManageAccounts, Duty::AssignCases];

/// What narrows a list of absences.
#[derive(Clone, Copy, Debug, Default)]
pub struct Narrow {
    /// Of one person.
    pub staff: Option<StaffId>,
    /// Of people posted in a place or below it.
    pub division: Option<DivisionId>,
    /// Only those that are over, or only those that are not.
    pub ended: Option<bool>,
}

/// Absences one may know of, newest first, at most a page and one: one's own, those one stands in for, and those of the
/// people whose work one assigns.
pub async fn list(
    app: &App,
    staff: &Staff<Anything>,
    by: Narrow,
    page: &PageQuery,
) -> Result<Vec<absence::Model>, Problem> {
    let today = local_day(app.clock.now());
    let theirs = scope::posted_in(scope::within(arranging(staff)), today);
    let known = Condition::any()
        .add(absence::COLUMN.staff_id.eq(staff.id()))
        .add(absence::COLUMN.stand_in_id.eq(staff.id()))
        .add(absence::Column::StaffId.in_subquery(theirs));
    let mut query = absence::Entity::find().filter(known);
    if let Some(id) = by.staff {
        query = query.filter(absence::COLUMN.staff_id.eq(id));
    }
    if let Some(id) = by.division {
        let place = divisions::reach(app.db.read(), staff, id).await?;
        let there = scope::posted_in(divisions::subtree(place.id), today);
        query = query.filter(absence::Column::StaffId.in_subquery(there));
    }
    match by.ended {
        Some(true) => query = query.filter(absence::COLUMN.ended_at.is_not_null()),
        Some(false) => query = query.filter(absence::COLUMN.ended_at.is_null()),
        None => {}
    }
    if let Some(before) = Cursor::read::<AbsenceId>(page.cursor.as_deref())? {
        query = query.filter(absence::COLUMN.id.lt(before));
    }
    Ok(query.order_by_desc(absence::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

fn arranging(staff: &Staff<Anything>) -> impl Iterator<Item = &Posted> {
    staff.postings().filter(|posted| posted.any(FOR_OTHERS))
}

/// Arranges an absence; one that begins today or began before moves the work at once.
///
/// # Errors
/// `not_found` for people one does not arrange for, `already_exists` where they are away then already, 422 where the
/// days or the stand-in do not do.
pub async fn arrange(
    tx: &Tx,
    app: &App,
    staff: &Staff<Anything>,
    body: &ArrangeAbsence,
) -> Result<absence::Model, Problem> {
    let (now, today) = (app.clock.now(), local_day(app.clock.now()));
    let absent = body.staff.unwrap_or(staff.id());
    check_days(body, today)?;
    // Both held, in one order: neither can be promised away twice at once.
    let both = staff::Entity::find()
        .filter(staff::COLUMN.id.is_in([absent, body.stand_in]))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .order_by_asc(staff::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    let serves = |id| both.iter().any(|row| row.id == id);
    if !serves(absent) {
        return Err(Problem::not_found());
    }
    let theirs = reach(tx, staff, absent, today).await?;
    let other = posts(tx, body.stand_in, today).await?;
    if absent == body.stand_in || !serves(body.stand_in) || !rules::may_stand_in(&theirs, &other) {
        return Err(Problem::field("/stand_in", "unknown"));
    }
    if is_away(tx, absent, body).await? {
        return Err(Code::AlreadyExists.into());
    }
    if is_away(tx, body.stand_in, body).await? {
        return Err(Problem::field("/stand_in", "away"));
    }
    let made = insert(tx, absent, body, staff.id(), now).await?;
    if made.from_on <= today {
        begin(tx, &made, &acting(staff), now).await?;
    }
    record(tx, app, staff, "arrange_absence", absent).await?;
    again(tx, made.id).await
}

fn check_days(body: &ArrangeAbsence, today: NaiveDate) -> Result<(), Problem> {
    let fault = |code| Err(Problem::field("/until", code));
    if body.until < body.from {
        return fault("ends_before_start");
    }
    if body.until < today {
        return fault("past");
    }
    if body.until - body.from > LONGEST {
        return fault("out_of_range");
    }
    Ok(())
}

/// Somebody's postings of today, when one arranges for them or is they.
async fn reach(tx: &Tx, staff: &Staff<Anything>, absent: StaffId, today: NaiveDate) -> Result<Vec<Post>, Problem> {
    let posts = posts(tx, absent, today).await?;
    let under = |post: &Post| arranging(staff).any(|posted| post.line.contains(&posted.division));
    if absent == staff.id() || posts.iter().any(under) { Ok(posts) } else { Err(Problem::not_found()) }
}

async fn posts(db: &impl ConnectionTrait, who: StaffId, today: NaiveDate) -> Result<Vec<Post>, Problem> {
    let mut rows = accounts::postings_of(db, who).await?;
    rows.retain(|row| rules::stands(row, today));
    let seats = accounts::seats(db, rows).await?;
    let post = |seat: accounts::Seat| {
        let line = seat.place.as_ref().map(divisions::line_up).into_iter().flatten().flatten().collect();
        let duties = rules::duties(&seat.posting)?;
        Ok(Post { unit: seat.posting.unit_id, division: seat.posting.division_id, line, duties })
    };
    seats.into_iter().map(post).collect()
}

async fn is_away(tx: &Tx, who: StaffId, body: &ArrangeAbsence) -> Result<bool, Problem> {
    let overlapping = absence::Entity::find()
        .filter(absence::COLUMN.staff_id.eq(who))
        .filter(absence::COLUMN.ended_at.is_null())
        .filter(absence::COLUMN.from_on.lte(body.until))
        .filter(absence::COLUMN.until_on.gte(body.from));
    Ok(overlapping.one(tx).await?.is_some())
}

async fn insert(
    tx: &Tx,
    absent: StaffId,
    body: &ArrangeAbsence,
    created_by: StaffId,
    now: Instant,
) -> Result<absence::Model, Problem> {
    let row = absence::ActiveModel {
        id: Set(AbsenceId::fresh()),
        staff_id: Set(absent),
        stand_in_id: Set(body.stand_in),
        from_on: Set(body.from),
        until_on: Set(body.until),
        created_by: Set(created_by),
        created_at: Set(now),
        begun_at: Set(None),
        ended_at: Set(None),
    };
    Ok(row.insert(tx).await?)
}

/// Ends an absence, early or before it began: what it moved comes back. Ending one that is over changes nothing.
///
/// # Errors
/// `not_found` unless one is the absent person or arranges for them.
pub async fn end_early(tx: &Tx, app: &App, staff: &Staff<Anything>, id: AbsenceId) -> Result<absence::Model, Problem> {
    let now = app.clock.now();
    let row = absence::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    reach(tx, staff, row.staff_id, local_day(now)).await?;
    if end(tx, app, &row, (&acting(staff), &audit::Actor::staff(staff)), now).await? {
        record(tx, app, staff, "end_absence", row.staff_id).await?;
    }
    again(tx, id).await
}

/// Begins an absence, if nobody was faster, and moves the work.
pub async fn begin(tx: &Tx, row: &absence::Model, by: &By, now: Instant) -> Result<bool, Problem> {
    let begun = absence::Entity::update_many()
        .col_expr(absence::Column::BegunAt, now.into())
        .filter(absence::COLUMN.id.eq(row.id))
        .filter(absence::COLUMN.begun_at.is_null())
        .filter(absence::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    if begun.rows_affected == 1 {
        cases::cover(tx, row.staff_id, by, now).await?;
    }
    Ok(begun.rows_affected == 1)
}

/// Ends an absence, if nobody was faster, and gives work and talk days back.
pub async fn end(
    tx: &Tx,
    app: &App,
    row: &absence::Model,
    (by, actor): (&By, &audit::Actor),
    now: Instant,
) -> Result<bool, Problem> {
    let ended = absence::Entity::update_many()
        .col_expr(absence::Column::EndedAt, now.into())
        .filter(absence::COLUMN.id.eq(row.id))
        .filter(absence::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    if ended.rows_affected == 1 {
        cases::give_back(tx, row, by, now).await?;
        talks::give_back(tx, app, row, actor, now).await?;
    }
    Ok(ended.rows_affected == 1)
}

/// Names of the people of these absences.
pub async fn names(
    db: &impl ConnectionTrait,
    rows: &[absence::Model],
) -> Result<std::collections::HashMap<StaffId, String>, Problem> {
    let people = rows.iter().flat_map(|row| [row.staff_id, row.stand_in_id]);
    let people = staff::Entity::find().filter(staff::COLUMN.id.is_in(crate::db::padded(people))).all(db).await?;
    Ok(people.into_iter().map(|row| (row.id, row.name)).collect())
}

async fn again(tx: &Tx, id: AbsenceId) -> Result<absence::Model, Problem> {
    absence::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)
}

fn acting(staff: &Staff<Anything>) -> By {
    By::staff(staff.id(), staff.postings().next().map(|posted| posted.unit))
}

async fn record(
    tx: &Tx,
    app: &App,
    staff: &Staff<Anything>,
    action: &'static str,
    whose: StaffId,
) -> Result<(), Problem> {
    let entry = audit::Entry::done(action, "staff", whose);
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, app.clock.now()).await
}
