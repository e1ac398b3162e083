//! What staff's reading of the line leaves in the audit: of private matters and of children's all of it.
//!
//! As of cases ([`crate::cases`]): who reads is entered before it is answered.

use entity::{booking::BookingPrivacy, id::TalkDayId};
use sea_orm::ConnectionTrait;

use super::line::InLine;
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::Need},
    clock::local_day,
    db::Tx,
    people,
    problem::Problem,
};

/// Whether what is shown of these places holds a private matter, and whether it holds a child's.
async fn holds(db: &impl ConnectionTrait, app: &App, rows: &[InLine]) -> Result<(bool, bool), Problem> {
    let readable = || rows.iter().filter(|row| row.readable);
    let private = readable().any(|row| row.booking.privacy == BookingPrivacy::Private);
    let people = readable().map(|row| row.booking.person_id).collect();
    let minors = people::minors(db, &app.field_keys, people, local_day(app.clock.now())).await?;
    Ok((private, !minors.is_empty()))
}

/// Before a list of places of a day is shown.
pub(super) async fn listed<N: Need>(
    app: &App,
    staff: &Staff<N>,
    day: TalkDayId,
    rows: &[InLine],
    what: &'static str,
) -> Result<(), Problem> {
    let (private, minor) = holds(app.db.read(), app, rows).await?;
    for action in [private.then_some("read_private_matters"), minor.then_some("read_minor_matters")] {
        let Some(action) = action else { continue };
        audit::note(app, &Actor::staff(staff), Entry::done(action, "talk_day", day).of_fields(what)).await?;
    }
    Ok(())
}

/// After a step with one place, which is shown with the answer; last in its transaction.
pub(super) async fn answered<N: Need>(tx: &Tx, app: &App, staff: &Staff<N>, row: &InLine) -> Result<(), Problem> {
    let (private, minor) = holds(tx, app, std::slice::from_ref(row)).await?;
    for action in [private.then_some("read_private_matter"), minor.then_some("read_minor_matter")] {
        let Some(action) = action else { continue };
        let entry = Entry::done(action, "booking", row.booking.id);
        audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, app.clock.now()).await?;
    }
    Ok(())
}
