//! What staff's reading and moving of cases leaves in the audit: of confidential and private cases and of
//! children's all of it, of any case the reading of its files.

use entity::case;

use super::workflow::Action;
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Duty, Staff, duty::WorkOnCases},
    clock::local_day,
    db::Tx,
    people,
    problem::Problem,
};

/// What reading `what` of a case is entered as: as nothing where it is an ordinary one.
async fn reads(app: &App, case: &case::Model, what: &'static str) -> Result<Vec<Entry>, Problem> {
    let day = local_day(app.clock.now());
    let minor = people::is_minor(app.db.read(), &app.field_keys, case.person_id, day).await?;
    let actions = [
        case.confidential.then_some("read_confidential_case"),
        case.private.then_some("read_private_case"),
        minor.then_some("read_minor_case"),
    ];
    Ok(actions.into_iter().flatten().map(|action| Entry::done(action, "case", case.id).of_fields(what)).collect())
}

/// Before a case, or `what` of it, is shown. Of an ordinary case it costs one look at the person's row.
pub(super) async fn read(
    app: &App,
    staff: &Staff<WorkOnCases>,
    case: &case::Model,
    what: &'static str,
) -> Result<(), Problem> {
    for entry in reads(app, case, what).await? {
        audit::note(app, &Actor::staff(staff), entry).await?;
    }
    Ok(())
}

/// What is to be entered before a file is shown that hangs on a case, or on its review: never nothing. The case is named
/// either way, since the audit hides what it tells of a confidential one by the case.
pub(super) async fn file_read(app: &App, case: &case::Model, what: &'static str) -> Result<Vec<Entry>, Problem> {
    let mut entries = reads(app, case, what).await?;
    if entries.is_empty() {
        entries.push(Entry::done("read_file", "case", case.id).of_fields(what));
    }
    Ok(entries)
}

/// Before a list is shown that may hold confidential cases.
pub(super) async fn listed(app: &App, staff: &Staff<WorkOnCases>) -> Result<(), Problem> {
    if !staff.postings().any(|posting| posting.any(&[Duty::HandleDiscipline])) {
        return Ok(());
    }
    audit::note(app, &Actor::staff(staff), Entry::plain("list_confidential_cases", "case")).await
}

/// After a step of staff, in its transaction.
pub(super) async fn acted(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    case: &case::Model,
    action: Action,
) -> Result<(), Problem> {
    let now = app.clock.now();
    let minor = people::is_minor(tx, &app.field_keys, case.person_id, local_day(now)).await?;
    let actions = [
        case.confidential.then_some("act_on_confidential_case"),
        case.private.then_some("act_on_private_case"),
        minor.then_some("act_on_minor_case"),
    ];
    for name in actions.into_iter().flatten() {
        let entry = Entry::done(name, "case", case.id).of_fields(action.slug());
        audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    }
    Ok(())
}
