//! Who may see a file: who may see what it hangs on. Until it hangs on something, who brought it.
//!
//! Each feature says for its things who that is; out of sight is the same as never there. What staff read of what hangs on
//! something is entered in the audit before it is shown: a photo or a voice cannot be masked. What the thing calls for
//! (`read_confidential_case`) stands for `read_file`.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::RANGE};
use chrono::TimeDelta;
use entity::{
    audit_entry,
    file::{self, FileState, FileThing},
    id::{AuthorisationId, BookingId, CaseId, FileId, ReviewId, TalkRecordId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Staff, Villager,
        duty::{Anything, ManagePeople, SeeTalkLine, WorkOnCases},
    },
    cases, content, people,
    problem::Problem,
    talks,
};

use super::links::Purpose;

/// What goes on with a read so long after it was entered is the same read.
const SAME_READ: TimeDelta = TimeDelta::hours(1);

/// Staff, by each of the duties that show things with files.
pub struct Readers {
    any: Staff<Anything>,
    cases: Option<Staff<WorkOnCases>>,
    line: Option<Staff<SeeTalkLine>>,
    people: Option<Staff<ManagePeople>>,
    /// Whether the call asks for the beginning, and does not go on with a read, as players do.
    begins: bool,
}

impl FromRequest for Readers {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let any = Staff::from_request(req, payload).into_inner();
        ready(any.map(|any| Self {
            any,
            cases: Staff::from_request(req, payload).into_inner().ok(),
            line: Staff::from_request(req, payload).into_inner().ok(),
            people: Staff::from_request(req, payload).into_inner().ok(),
            begins: begins(req),
        }))
    }
}

fn begins(req: &HttpRequest) -> bool {
    let range = req.headers().get(RANGE).and_then(|range| range.to_str().ok());
    range.is_none_or(|range| range.trim().starts_with("bytes=0-"))
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

/// The file, for staff who may see it; the read is entered in the audit before.
pub(super) async fn of_staff(app: &App, staff: &Readers, id: FileId) -> Result<file::Model, Problem> {
    let row = kept(app, id).await?;
    let (Some(thing), Some(of)) = (row.thing, row.thing_id) else {
        // Whoever brought it; later the thing alone decides, since postings end.
        return if row.staff_id == Some(staff.any.id()) { Ok(row) } else { Err(Problem::not_found()) };
    };
    let (actor, entries) = reading(app, staff, thing, of).await?;
    for entry in entries {
        let which = format!("{}={id}", entry.fields.as_deref().unwrap_or("file"));
        let entry = entry.of_fields(which);
        // Whoever never asks for the beginning is entered all the same.
        if staff.begins || !entered_lately(app, staff, &entry).await? {
            audit::note(app, &actor, entry).await?;
        }
    }
    Ok(row)
}

/// As whom and as what it is to be entered that staff see what hangs on a thing, where they may; else 404.
async fn reading(app: &App, staff: &Readers, thing: FileThing, of: Uuid) -> Result<(Actor, Vec<Entry>), Problem> {
    let no = Problem::not_found;
    Ok(match thing {
        FileThing::Case => {
            let staff = staff.cases.as_ref().ok_or_else(no)?;
            (Actor::staff(staff), cases::files::shown_to_staff(app, staff, CaseId(of)).await?)
        }
        FileThing::Review => {
            let staff = staff.cases.as_ref().ok_or_else(no)?;
            (Actor::staff(staff), cases::files::review_shown_to_staff(app, staff, ReviewId(of)).await?)
        }
        FileThing::Booking => {
            let staff = staff.line.as_ref().ok_or_else(no)?;
            (Actor::staff(staff), talks::files::booking_shown_to_staff(app, staff, BookingId(of)).await?)
        }
        FileThing::TalkRecord => {
            let staff = staff.line.as_ref().ok_or_else(no)?;
            (Actor::staff(staff), talks::files::record_shown_to_staff(app, staff, TalkRecordId(of)).await?)
        }
        FileThing::Authorisation => {
            let staff = staff.people.as_ref().ok_or_else(no)?;
            (Actor::staff(staff), people::evidence_shown_to_staff(app, staff, AuthorisationId(of)).await?)
        }
    })
}

/// Whether the same read of the same person stands in the audit already: a player asks for one range after the other.
async fn entered_lately(app: &App, staff: &Readers, entry: &Entry) -> Result<bool, Problem> {
    let same = audit_entry::Entity::find()
        .filter(audit_entry::COLUMN.object_id.eq(entry.object_id.clone()))
        .filter(audit_entry::COLUMN.actor_id.eq(staff.any.id().0))
        .filter(audit_entry::COLUMN.action.eq(entry.action))
        .filter(audit_entry::COLUMN.fields.eq(entry.fields.clone()))
        .filter(audit_entry::COLUMN.at.gt(app.clock.now() - SAME_READ));
    Ok(same.one(app.db.read()).await?.is_some())
}

/// The file that a link of ours leads to. One for everybody is good only while everybody may see that photo.
pub(super) async fn of_link(app: &App, id: FileId, purpose: Purpose) -> Result<file::Model, Problem> {
    let row = kept(app, id).await?;
    match purpose {
        Purpose::Caller => Ok(row),
        Purpose::Public if content::photo_is_public(app.db.read(), &row).await? => Ok(row),
        Purpose::Public => Err(Problem::not_found()),
    }
}
