//! Lists of staff, the first due first.
//!
//! A list is made of branches. Each begins with one value of one column (my unit, my place, myself) for which there is
//! an index in the order of the list, so that a page reads a page, however many cases there are; the pages of the
//! branches are then merged. One condition with `OR` would leave it to the planner to read and sort all open work.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    case::{self, CaseState},
    id::{CaseId, UnitId},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::ExprTrait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find::{Narrow, narrow};
use crate::{
    app::App,
    auth::{Duty, Staff, duty::WorkOnCases},
    cases::{co_handlers, scope, sla::Alarm, workflow},
    clock::local_day,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// A staff list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffView {
    /// What waits for me or my desk.
    #[default]
    Inbox,
    /// Assigned to me.
    Mine,
    /// In my units.
    Unit,
    /// Taken in by my units, now elsewhere.
    Sent,
    /// Past the promised day, in my places.
    Overdue,
    /// Overdue in my places, so that somebody above was to look at it: `alarm_step` says who.
    Supervised,
    /// Something was asked for that my units decide.
    Requests,
    /// Into which I or my units were called.
    CalledIn,
    /// Closed in my places or units, the last closed first.
    Closed,
}

/// Open cases of a list, at most `size + 1`.
pub async fn list(
    app: &App,
    staff: &Staff<WorkOnCases>,
    view: StaffView,
    by: &Narrow,
    page: &PageQuery,
) -> Result<Vec<case::Model>, Problem> {
    let after = Cursor::read::<(NaiveDate, CaseId)>(page.cursor.as_deref())?;
    let mut merged = BTreeMap::new();
    for branch in branches(app, staff, view) {
        let mut open = narrow(scope::of_staff(staff), by);
        // An objection to a rejection waits in a case that is closed.
        if view != StaffView::Requests {
            open = open.filter(case::COLUMN.closed_at.is_null());
        }
        let rows = in_order(open.filter(branch), after).limit(page.size() + 1).all(app.db.read()).await?;
        merged.extend(rows.into_iter().map(|row| ((row.due_on, row.id), row)));
    }
    let most = usize::try_from(page.size() + 1).unwrap_or(usize::MAX);
    Ok(merged.into_values().take(most).collect())
}

fn in_order(mut query: Select<case::Entity>, after: Option<(NaiveDate, CaseId)>) -> Select<case::Entity> {
    if let Some((due_on, id)) = after {
        let later = case::COLUMN.due_on.gt(due_on);
        query = query.filter(later.or(case::COLUMN.due_on.eq(due_on).and(case::COLUMN.id.gt(id))));
    }
    query.order_by_asc(case::Column::DueOn).order_by_asc(case::Column::Id)
}

/// What a list is made of. A case may lie in several branches.
fn branches(app: &App, staff: &Staff<WorkOnCases>, view: StaffView) -> Vec<Condition> {
    const DESK: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::HandleDiscipline];
    let mine = || Condition::all().add(case::COLUMN.assignee_id.eq(staff.id()));
    let of_unit = |unit: UnitId| Condition::all().add(case::COLUMN.unit_id.eq(unit));
    let work = || case::COLUMN.state.is_in([CaseState::Assigned, CaseState::InProgress]);
    let mut units: BTreeMap<UnitId, bool> = BTreeMap::new();
    for posting in staff.postings() {
        *units.entry(posting.unit).or_default() |= posting.any(DESK);
    }
    match view {
        StaffView::Inbox => {
            let of_units = units.iter().map(|(unit, is_desk)| {
                let unassigned = Condition::all().add(case::COLUMN.assignee_id.is_null()).add(work());
                let waiting = case::COLUMN.state.is_in([CaseState::Submitted, CaseState::Accepted]);
                let waiting = Condition::any().add(unassigned).add_option(is_desk.then_some(waiting));
                of_unit(*unit).add(waiting)
            });
            of_units.chain([mine().add(work())]).collect()
        }
        StaffView::Mine => vec![mine()],
        StaffView::Unit => units.keys().map(|unit| of_unit(*unit)).collect(),
        StaffView::Sent => {
            let elsewhere = || case::COLUMN.unit_id.is_not_in(units.keys().copied());
            let taken_in = |unit: &UnitId| Condition::all().add(case::COLUMN.first_unit_id.eq(*unit)).add(elsewhere());
            units.keys().map(taken_in).collect()
        }
        StaffView::Requests => {
            let asked = |unit: &UnitId| Condition::all().add(case::COLUMN.pending_unit_id.eq(*unit));
            units.keys().map(asked).collect()
        }
        StaffView::CalledIn => {
            let called = |unit: &UnitId| {
                Condition::all().add(case::Column::Id.in_subquery(co_handlers::cases_of(staff.id(), *unit)))
            };
            units.keys().map(called).collect()
        }
        StaffView::Supervised => {
            let supervised = || case::COLUMN.alarm_step.gte(Alarm::Overdue as i32);
            let seen = staff.postings().filter(|posting| scope::sees_the_place(posting));
            seen.map(|posting| Condition::all().add(scope::in_place(posting)).add(supervised())).collect()
        }
        // In another order: `closed_list`.
        StaffView::Closed => vec![],
        StaffView::Overdue => {
            let running = || case::COLUMN.state.is_in(workflow::RUNNING);
            let overdue = || case::COLUMN.due_on.lt(local_day(app.clock.now())).and(running());
            let of_posting = |posting| {
                if scope::sees_the_place(posting) {
                    vec![Condition::all().add(scope::in_place(posting))]
                } else {
                    vec![of_unit(posting.unit), mine()]
                }
            };
            staff.postings().flat_map(of_posting).map(|branch| branch.add(overdue())).collect()
        }
    }
}
