//! Call-backs (回访): a share of what was closed, drawn by lot, is asked after by somebody who did not work on it.

use entity::{call_back, case, id::CallBackId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::{above, check_second_person, contact, of_others, units};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::WorkOnCases},
    cases::reviews::{
        bodies::{CallBackView, RecordCallBack},
        rules,
    },
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
    settings::{self, Term},
};

/// Draws the lot of a case that was just closed, confirmed or not; says whether it is called back.
pub(in crate::cases) async fn draw(tx: &Tx, app: &App, case: &case::Model) -> Result<bool, Problem> {
    // Of a private matter nobody may know who could call.
    if case.private {
        return Ok(false);
    }
    let clocks = settings::of_case(app, case);
    let lot = app.field_keys.blind_index("call_back", &format!("{}:{}", case.number, case.round))?;
    if !rules::is_drawn(&lot, clocks.terms.get(Term::CallBackPercent)) {
        return Ok(false);
    }
    let now = app.clock.now();
    let within = clocks.terms.get(Term::FollowUpSimpleDays);
    let row = call_back::ActiveModel {
        id: Set(CallBackId::fresh()),
        case_id: Set(case.id),
        round: Set(case.round),
        unit_id: Set(above(tx, case).await?),
        handler_id: Set(case.assignee_id),
        drawn_at: Set(now),
        due_on: Set(clocks.calendar.add_working_days(local_day(now), within).on),
        called_at: Set(None),
        called_by: Set(None),
        result: Set(None),
        note: Set(None),
    };
    row.insert(tx).await?;
    Ok(true)
}

/// Call-backs of one's units, the oldest first; a page and one.
pub(in crate::cases::reviews) async fn list(
    app: &App,
    staff: &Staff<WorkOnCases>,
    called: bool,
    page: &PageQuery,
) -> Result<Vec<(CallBackId, CallBackView)>, Problem> {
    let db = app.db.read();
    let mut query =
        call_back::Entity::find().filter(call_back::COLUMN.unit_id.is_in(units(staff))).filter(others(staff));
    query = if called {
        query.filter(call_back::COLUMN.called_at.is_not_null())
    } else {
        query.filter(call_back::COLUMN.called_at.is_null())
    };
    if let Some(after) = Cursor::read::<CallBackId>(page.cursor.as_deref())? {
        query = query.filter(call_back::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(call_back::Column::Id).limit(page.size() + 1).all(db).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let case = case::Entity::find_by_id(row.case_id).one(db).await?;
        let case = case.ok_or_else(|| Problem::unexpected("a call-back of no case"))?;
        let whom = contact(app, &case)?;
        views.push((row.id, CallBackView::of(row, case, whom)));
    }
    Ok(views)
}

/// What the villager said.
///
/// # Errors
/// `not_found`, `already_decided`, `conflict_of_interest` for who worked on it.
pub(in crate::cases::reviews) async fn record(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CallBackId,
    body: &RecordCallBack,
) -> Result<CallBackView, Problem> {
    let row = call_back::Entity::find_by_id(id)
        .filter(call_back::COLUMN.unit_id.is_in(units(staff)))
        .filter(others(staff))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if row.called_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let case = case::Entity::find_by_id(row.case_id).one(tx).await?;
    let case = case.ok_or_else(|| Problem::unexpected("a call-back of no case"))?;
    check_second_person(tx, staff, &case, row.handler_id).await?;
    let now = app.clock.now();
    let mut row = row.into_active_model();
    row.called_at = Set(Some(now));
    row.called_by = Set(Some(staff.id()));
    row.result = Set(Some(body.result.clone()));
    row.note = Set(Some(body.text.clone()));
    let row = row.update(tx).await?;
    let entry = Entry::done("call_back", "case", case.id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    let whom = contact(app, &case)?;
    Ok(CallBackView::of(row, case, whom))
}

fn others(staff: &Staff<WorkOnCases>) -> Condition {
    of_others(staff, call_back::Column::HandlerId, call_back::Column::CaseId)
}
