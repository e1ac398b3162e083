//! Rows of what staff are told, by their ids: read and changed so many at a time.

use std::collections::BTreeMap;

use entity::{
    Instant,
    id::{StaffId, StaffNoticeId},
    staff_notice::{self, StaffNoticeState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select, UpdateMany, sea_query::Expr};

use crate::{
    db::{Tx, padded},
    problem::Problem,
};

/// Rows of one statement; engines bound how many values it may hold.
const AT_ONCE: usize = 256;

/// Changes rows: `set` says what of them, and of which.
pub(super) async fn change(
    tx: &Tx,
    ids: &[StaffNoticeId],
    set: impl Fn(UpdateMany<staff_notice::Entity>) -> UpdateMany<staff_notice::Entity>,
) -> Result<(), Problem> {
    for some in ids.chunks(AT_ONCE) {
        let these = staff_notice::COLUMN.id.is_in(padded(some.iter().copied()));
        set(staff_notice::Entity::update_many().filter(these)).exec(tx).await?;
    }
    Ok(())
}

/// Gives rows a state and a time.
pub(super) async fn mark(
    tx: &Tx,
    ids: &[StaffNoticeId],
    state: StaffNoticeState,
    due_at: Instant,
) -> Result<(), Problem> {
    change(tx, ids, |rows| marked(rows, state, due_at)).await
}

/// State and time of rows; what went wrong before is forgotten.
pub(super) fn marked(
    rows: UpdateMany<staff_notice::Entity>,
    state: StaffNoticeState,
    due_at: Instant,
) -> UpdateMany<staff_notice::Entity> {
    rows.col_expr(staff_notice::Column::State, Expr::val(state))
        .col_expr(staff_notice::Column::DueAt, due_at.into())
        .col_expr(staff_notice::Column::Error, Expr::value(Option::<String>::None))
}

/// Those of these rows of which a message is being made, in several questions.
pub(super) fn sending(ids: &[StaffNoticeId]) -> Vec<Select<staff_notice::Entity>> {
    let of_some = |some: &[StaffNoticeId]| {
        staff_notice::Entity::find()
            .filter(staff_notice::COLUMN.id.is_in(padded(some.iter().copied())))
            .filter(staff_notice::COLUMN.state.eq(StaffNoticeState::Sending))
    };
    ids.chunks(AT_ONCE).map(of_some).collect()
}

/// Ids of rows, in their order.
pub(super) fn ids_of<'a>(rows: impl IntoIterator<Item = &'a staff_notice::Model>) -> Vec<StaffNoticeId> {
    rows.into_iter().map(|row| row.id).collect()
}

/// What each person has of them, the oldest first.
pub(super) fn by_person(rows: Vec<staff_notice::Model>) -> BTreeMap<StaffId, Vec<staff_notice::Model>> {
    let mut of_each: BTreeMap<StaffId, Vec<staff_notice::Model>> = BTreeMap::new();
    for row in rows {
        of_each.entry(row.staff_id).or_default().push(row);
    }
    for rows in of_each.values_mut() {
        rows.sort_by_key(|row| row.id);
    }
    of_each
}
