//! Whom and where an administrator may act on: the subtrees of the places they are posted to. Elsewhere reads as 404.

use chrono::NaiveDate;
use entity::{division, id::StaffId, posting, staff};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{ExprTrait, SelectStatement},
};

use super::rules;
use crate::{
    auth::{
        Posted, Staff,
        accounts::{self, Seat},
        duty::Need,
    },
    db::Tx,
    divisions,
    problem::{Code, Problem},
};

/// Divisions in the subtrees of these postings.
pub fn within<'a>(postings: impl Iterator<Item = &'a Posted>) -> Condition {
    // Nobody posted covers nothing: an empty OR would be everything.
    postings.fold(Condition::any().add(division::COLUMN.id.is_null()), |any, posted| {
        any.add(divisions::subtree(posted.division))
    })
}

fn ids(places: Condition) -> SelectStatement {
    division::Entity::find().select_only().column(division::Column::Id).filter(places).into_query()
}

fn posted() -> Select<posting::Entity> {
    posting::Entity::find().select_only().column(posting::Column::StaffId)
}

fn current(today: NaiveDate) -> sea_orm::sea_query::Expr {
    posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(today))
}

/// Staff posted in these places today or later.
pub fn posted_in(places: Condition, today: NaiveDate) -> SelectStatement {
    posted().filter(posting::Column::DivisionId.in_subquery(ids(places))).filter(current(today)).into_query()
}

/// Accounts an administrator may see, all whose current postings lie inside: of who has none, all that there ever were.
pub fn accounts<N: Need>(staff: &Staff<N>, today: NaiveDate) -> Select<staff::Entity> {
    let inside = || ids(within(staff.postings()));
    let ever_inside = posted().filter(posting::Column::DivisionId.in_subquery(inside())).into_query();
    // Not the condition denied: a county has no township above it, and what is compared with nothing is neither.
    let outside = || posted().filter(posting::Column::DivisionId.not_in_subquery(inside()));
    let now_outside = outside().filter(current(today)).into_query();
    let somewhere = posted().filter(current(today)).into_query();
    let in_query = |query| staff::Column::Id.in_subquery(query);
    staff::Entity::find()
        .filter(in_query(ever_inside))
        .filter(in_query(now_outside).not())
        .filter(in_query(somewhere).or(in_query(outside().into_query()).not()))
}

/// One account in scope with all its postings, or 404.
pub async fn account<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    id: StaffId,
    today: NaiveDate,
) -> Result<(staff::Model, Vec<Seat>), Problem> {
    let row = staff::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let seats = accounts::seats(db, accounts::postings_of(db, id).await?).await?;
    let is_current = |seat: &Seat| rules::is_current(&seat.posting, today);
    let some = seats.iter().any(is_current);
    let inside = |seat: &Seat| {
        let place = seat.place.as_ref();
        place.is_some_and(|place| staff.postings().any(|posted| divisions::covers(posted, place)))
    };
    let mut counting = seats.iter().filter(|seat| !some || is_current(seat)).peekable();
    let sees = counting.peek().is_some() && counting.all(inside);
    if sees { Ok((row, seats)) } else { Err(Problem::not_found()) }
}

/// One account to be changed: locked, in scope and not dismissed. Who holds a duty that only the county gives is for the
/// county to change: whoever sets a password can be that person. One's own name is one's own to change.
pub async fn account_to_change<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: StaffId,
    today: NaiveDate,
) -> Result<(staff::Model, Vec<Seat>), Problem> {
    staff::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    let (row, seats) = account(tx, staff, id, today).await?;
    if row.dismissed_at.is_some() {
        return Err(Problem::not_found());
    }
    for seat in seats.iter().filter(|seat| rules::is_current(&seat.posting, today)) {
        let Some(place) = &seat.place else { continue };
        let by_county = || {
            staff.postings().any(|posted| rules::is_county_or_above(posted.level) && divisions::covers(posted, place))
        };
        if id != staff.id() && rules::reserved(&rules::duties(&seat.posting)?) && !by_county() {
            return Err(Code::NotYourDuty.into());
        }
    }
    Ok((row, seats))
}
