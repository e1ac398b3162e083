//! Lights and supervision by time (督办): soon due, overdue for the head of the unit, then the township, then the county.
//!
//! Every step is one event and comes once a round: whichever process is first writes the next version of the row, and the
//! other finds it written. A server that was away catches up step by step, in their order.

use entity::{case, id::CaseId};
use sea_orm::EntityTrait;

use crate::{
    app::App,
    calendar::desk,
    cases::{
        advance::{self, Act, By, Reckoning},
        effects::{self, Detail},
        sla::Alarm,
        staff_tellings,
        workflow::{self, Action, Aside},
    },
    db::Tx,
    problem::{Code, Problem},
    settings,
};

/// Takes every step of supervision whose time has come; says whether there was one. Outside desk hours none comes.
pub async fn next(tx: &Tx, app: &App, id: CaseId) -> Result<bool, Problem> {
    let now = app.clock.now();
    let Some(mut case) = case::Entity::find_by_id(id).one(tx).await? else { return Ok(false) };
    let clocks = settings::of_case(app, &case);
    if !desk::is_open(&clocks.calendar, clocks.terms.hours, now) {
        return Ok(false);
    }
    let reckoning = Reckoning { now, clocks: &clocks };
    let mut any = false;
    while let Some((alarm, at)) = Alarm::next(&case, &clocks) {
        if at > now {
            break;
        }
        let next = effects::alarmed(&case, alarm, reckoning);
        let detail = Some(Detail::Alarm { step: alarm as i32 });
        let act = Act { detail, ..Act::plain(Action::Supervise) };
        if !written(advance::write_aside(tx, &case, &next, &By::clock(), Aside::Alarm, act).await)? {
            return Ok(any);
        }
        staff_tellings::alarmed(tx, &next, alarm, now).await?;
        (case, any) = (next, true);
    }
    Ok(any)
}

/// Reckons the due dates of a case by the calendar that holds now; says whether it had to.
pub async fn recalculate(tx: &Tx, app: &App, id: CaseId) -> Result<bool, Problem> {
    let now = app.clock.now();
    let Some(case) = case::Entity::find_by_id(id).one(tx).await? else { return Ok(false) };
    let clocks = settings::of_case(app, &case);
    if workflow::is_closed(case.state) || case.calendar_version == clocks.calendar.version() {
        return Ok(false);
    }
    let next = effects::recalculated(&case, Reckoning { now, clocks: &clocks });
    let act = Act::plain(Action::Accept);
    written(advance::write_aside(tx, &case, &next, &By::clock(), Aside::Recalculate, act).await)
}

/// Whether it was this process that wrote.
fn written(outcome: Result<(), Problem>) -> Result<bool, Problem> {
    match outcome {
        Ok(()) => Ok(true),
        Err(problem) if problem.code() == Code::Stale => Ok(false),
        Err(problem) => Err(problem),
    }
}
