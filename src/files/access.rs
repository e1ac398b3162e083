//! Who may see a file: who may see what it hangs on. Until it hangs on something, who brought it.
//!
//! Each feature says for its things who that is; out of sight is the same as never there. What staff read of confidential
//! cases, private matters and children is entered in the audit by the same function that lets them.

use entity::{
    file::{self, FileState, FileThing},
    id::{AuthorisationId, BookingId, CaseId, FileId, ReviewId, TalkRecordId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    app::App,
    auth::{
        Staff, Villager,
        duty::{Anything, ManagePeople, SeeTalkLine, WorkOnCases},
    },
    cases, people,
    problem::Problem,
    talks,
};

/// Staff, by each of the duties that show things with files.
pub(super) struct Readers {
    pub(super) any: Staff<Anything>,
    pub(super) cases: Option<Staff<WorkOnCases>>,
    pub(super) line: Option<Staff<SeeTalkLine>>,
    pub(super) people: Option<Staff<ManagePeople>>,
}

async fn kept(app: &App, id: FileId) -> Result<file::Model, Problem> {
    let row = file::Entity::find_by_id(id).filter(file::COLUMN.state.eq(FileState::Kept)).one(app.db.read()).await?;
    row.ok_or_else(Problem::not_found)
}

/// The file, for a villager who may see it.
pub(super) async fn of_villager(app: &App, me: &Villager, id: FileId) -> Result<file::Model, Problem> {
    let row = kept(app, id).await?;
    let (Some(thing), Some(of)) = (row.thing, row.thing_id) else {
        // Whoever brought it; later the thing alone decides, since what lets a helper act ends.
        return if row.person_id == Some(me.person()) { Ok(row) } else { Err(Problem::not_found()) };
    };
    match thing {
        FileThing::Case => cases::files::shown_to_villager(app, me, CaseId(of)).await?,
        FileThing::Review => cases::files::review_shown_to_villager(app, me, ReviewId(of)).await?,
        FileThing::Booking => talks::files::booking_shown_to_villager(app, me, BookingId(of)).await?,
        FileThing::TalkRecord => talks::files::record_shown_to_villager(app, me, TalkRecordId(of)).await?,
        FileThing::Authorisation => people::evidence_shown_to_villager(app, me, AuthorisationId(of)).await?,
    }
    Ok(row)
}

/// The file, for staff who may see it.
pub(super) async fn of_staff(app: &App, staff: &Readers, id: FileId) -> Result<file::Model, Problem> {
    let row = kept(app, id).await?;
    let (Some(thing), Some(of)) = (row.thing, row.thing_id) else {
        // Whoever brought it; later the thing alone decides, since postings end.
        return if row.staff_id == Some(staff.any.id()) { Ok(row) } else { Err(Problem::not_found()) };
    };
    let no = Problem::not_found;
    match thing {
        FileThing::Case => {
            let staff = staff.cases.as_ref().ok_or_else(no)?;
            cases::files::shown_to_staff(app, staff, CaseId(of)).await?;
        }
        FileThing::Review => {
            let staff = staff.cases.as_ref().ok_or_else(no)?;
            cases::files::review_shown_to_staff(app, staff, ReviewId(of)).await?;
        }
        FileThing::Booking => {
            let staff = staff.line.as_ref().ok_or_else(no)?;
            talks::files::booking_shown_to_staff(app, staff, BookingId(of)).await?;
        }
        FileThing::TalkRecord => {
            let staff = staff.line.as_ref().ok_or_else(no)?;
            talks::files::record_shown_to_staff(app, staff, TalkRecordId(of)).await?;
        }
        FileThing::Authorisation => {
            let staff = staff.people.as_ref().ok_or_else(no)?;
            people::evidence_shown_to_staff(app, staff, AuthorisationId(of)).await?;
        }
    }
    Ok(row)
}

/// Nothing, where anybody may see the file at this moment: it came with a case that is shown publicly; else 404.
pub(super) async fn of_everybody(app: &App, row: &file::Model) -> Result<(), Problem> {
    match (row.thing, row.thing_id) {
        (Some(FileThing::Case), Some(of)) if row.event_id.is_none() => {
            cases::files::shown_to_all(app, CaseId(of), row.id).await
        }
        _ => Err(Problem::not_found()),
    }
}
