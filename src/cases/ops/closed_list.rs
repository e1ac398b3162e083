//! What is closed, the last closed first.

use std::collections::BTreeMap;

use entity::{Instant, case, id::CaseId};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};

use super::find::{Narrow, narrow};
use crate::{
    app::App,
    auth::{Staff, duty::WorkOnCases},
    cases::scope,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// What a page goes on from.
pub type Key = (Instant, CaseId);

/// Closed cases of the staff's places, or that they or their units had; at most `size + 1`.
pub async fn list(
    app: &App,
    staff: &Staff<WorkOnCases>,
    by: &Narrow,
    page: &PageQuery,
) -> Result<Vec<(Key, case::Model)>, Problem> {
    let before = Cursor::read::<Key>(page.cursor.as_deref())?;
    // Each branch begins with one value of one column, as in `staff_lists`.
    let branches = staff.postings().flat_map(|posting| {
        if scope::sees_the_place(posting) {
            vec![scope::in_place(posting)]
        } else {
            vec![case::COLUMN.unit_id.eq(posting.unit), case::COLUMN.assignee_id.eq(staff.id())]
        }
    });
    let mut merged = BTreeMap::new();
    for branch in branches {
        let mut closed = narrow(scope::of_staff(staff), by).filter(case::COLUMN.closed_at.is_not_null()).filter(branch);
        if let Some((at, id)) = before {
            let same = Condition::all().add(case::COLUMN.closed_at.eq(at)).add(case::COLUMN.id.lt(id));
            closed = closed.filter(Condition::any().add(case::COLUMN.closed_at.lt(at)).add(same));
        }
        let newest = closed.order_by_desc(case::Column::ClosedAt).order_by_desc(case::Column::Id);
        let rows = newest.limit(page.size() + 1).all(app.db.read()).await?;
        merged.extend(rows.into_iter().filter_map(|row| Some(((row.closed_at?, row.id), row))));
    }
    let most = usize::try_from(page.size() + 1).unwrap_or(usize::MAX);
    Ok(merged.into_iter().rev().take(most).collect())
}
