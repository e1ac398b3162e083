//! Posting people: what a body names becomes rows, what it no longer names ends. Rows stay: they are the history.

use chrono::{Days, NaiveDate};
use entity::{Instant, division, id::StaffId, posting, unit};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};

use crate::{
    auth::{Staff, accounts, duty::ManageAccounts},
    clock::local_day,
    db::Tx,
    divisions,
    problem::{Code, Problem},
    staffing::{bodies::PostingBody, rules},
};

/// A posting that may be given.
struct Wanted<'a> {
    body: &'a PostingBody,
    place: division::Model,
    unit: entity::id::UnitId,
    pointer: String,
}

/// Begins these postings.
///
/// # Errors
/// 422 with a pointer, `not_your_duty` where a duty is for the county to give.
pub async fn begin(
    tx: &Tx,
    staff: &Staff<ManageAccounts>,
    who: StaffId,
    bodies: &[PostingBody],
    now: Instant,
) -> Result<(), Problem> {
    for wanted in check(tx, staff, bodies).await? {
        insert(tx, who, &wanted, local_day(now)).await?;
    }
    Ok(())
}

/// Replaces the current postings by these: one that is named again goes on, one that is not named any more ended
/// yesterday, so that nothing of it stands from this moment on.
pub async fn replace(
    tx: &Tx,
    staff: &Staff<ManageAccounts>,
    who: StaffId,
    bodies: &[PostingBody],
    now: Instant,
) -> Result<(), Problem> {
    let today = local_day(now);
    let mut current = accounts::postings_of(tx, who).await?;
    current.retain(|posting| rules::is_current(posting, today));
    for wanted in check(tx, staff, bodies).await? {
        match position(&current, &wanted)? {
            Some(at) => go_on(tx, current.swap_remove(at), &wanted, today).await?,
            None => insert(tx, who, &wanted, today).await?,
        }
    }
    let yesterday = today - Days::new(1);
    for row in current {
        let mut row = row.into_active_model();
        row.ends_on = Set(Some(yesterday));
        row.update(tx).await?;
    }
    Ok(())
}

/// Ends what stands or is to come, today.
pub async fn end(tx: &Tx, who: StaffId, today: NaiveDate) -> Result<(), Problem> {
    for row in accounts::postings_of(tx, who).await? {
        if row.ends_on.is_none_or(|end| end > today) {
            let mut row = row.into_active_model();
            row.ends_on = Set(Some(today));
            row.update(tx).await?;
        }
    }
    Ok(())
}

fn position(current: &[posting::Model], wanted: &Wanted<'_>) -> Result<Option<usize>, Problem> {
    for (at, row) in current.iter().enumerate() {
        let same_days = wanted.body.starts_on.is_none_or(|first| first == row.starts_on);
        let same_seat = row.division_id == wanted.place.id && row.unit_id == wanted.unit;
        if same_seat && same_days && rules::same_duties(&rules::duties(row)?, &wanted.body.duties) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

async fn go_on(tx: &Tx, row: posting::Model, wanted: &Wanted<'_>, today: NaiveDate) -> Result<(), Problem> {
    if row.ends_on == wanted.body.ends_on {
        return Ok(());
    }
    check_end(wanted, row.starts_on.max(today))?;
    let mut row = row.into_active_model();
    row.ends_on = Set(wanted.body.ends_on);
    row.update(tx).await?;
    Ok(())
}

async fn insert(tx: &Tx, who: StaffId, wanted: &Wanted<'_>, today: NaiveDate) -> Result<(), Problem> {
    let starts_on = wanted.body.starts_on.unwrap_or(today);
    if starts_on < today {
        return Err(Problem::field(&format!("{}/starts_on", wanted.pointer), "past"));
    }
    check_end(wanted, starts_on)?;
    accounts::post(tx, who, wanted.unit, &wanted.place, &wanted.body.duties, starts_on, wanted.body.ends_on).await
}

fn check_end(wanted: &Wanted<'_>, from: NaiveDate) -> Result<(), Problem> {
    match wanted.body.ends_on {
        Some(end) if end < from => Err(Problem::field(&format!("{}/ends_on", wanted.pointer), "ends_before_start")),
        _ => Ok(()),
    }
}

async fn check<'a>(
    tx: &Tx,
    staff: &Staff<ManageAccounts>,
    bodies: &'a [PostingBody],
) -> Result<Vec<Wanted<'a>>, Problem> {
    let mut all = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        let pointer = format!("/postings/{at}");
        let fault = |member: &str, code: &str| Problem::field(&format!("{pointer}/{member}"), code);
        let place = division::Entity::find_by_id(body.division).one(tx).await?;
        let place = place.ok_or_else(|| fault("division", "unknown"))?;
        let mut covering = staff.postings().filter(|posted| divisions::covers(posted, &place)).peekable();
        if covering.peek().is_none() {
            return Err(fault("division", "not_in_scope"));
        }
        if rules::reserved(&body.duties) && !covering.any(|posted| rules::is_county_or_above(posted.level)) {
            return Err(Code::NotYourDuty.into());
        }
        let unit = if let Some(id) = body.unit {
            unit_of(tx, &place, id).await?.ok_or_else(|| fault("unit", "unknown"))?
        } else {
            let kind = accounts::usual_unit(place.level);
            accounts::find_or_make_unit(tx, &place, kind, &accounts::unit_name(kind, &place.display_name)).await?
        };
        all.push(Wanted { body, place, unit, pointer });
    }
    Ok(all)
}

async fn unit_of(
    db: &impl ConnectionTrait,
    place: &division::Model,
    id: entity::id::UnitId,
) -> Result<Option<entity::id::UnitId>, Problem> {
    let found = unit::Entity::find_by_id(id).filter(unit::COLUMN.division_id.eq(place.id)).one(db).await?;
    Ok(found.map(|unit| unit.id))
}
