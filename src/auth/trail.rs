//! What signing in and out leaves in the audit.

use entity::{Instant, id::StaffId, session};

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    crypto::FieldKeys,
    db::Tx,
    problem::Problem,
};

/// Staff signed in.
pub(super) async fn signed_in(
    tx: &Tx,
    keys: &FieldKeys,
    staff: StaffId,
    request: &str,
    now: Instant,
) -> Result<(), Problem> {
    audit::record(tx, keys, &Actor::staff_by_id(staff, request), Entry::done("sign_in", "staff", staff), now).await
}

/// Somebody was not let in. The account is named when there is one; what was typed for a name is nowhere kept.
pub(super) async fn refused(app: &App, staff: Option<StaffId>, request: &str) -> Result<(), Problem> {
    let entry = match staff {
        Some(staff) => Entry::done("sign_in", "staff", staff),
        None => Entry::plain("sign_in", "staff"),
    };
    let (keys, now, by) = (app.field_keys.clone(), app.clock.now(), Actor::nobody(request));
    let entry = entry.ended("refused");
    app.db.transact(async move |tx| audit::record(tx, &keys, &by, entry.clone(), now).await).await
}

/// A session ended; `action` says how. Villagers' own signing out is theirs, a copied token is everybody's matter.
pub(super) async fn ended(
    tx: &Tx,
    keys: &FieldKeys,
    session: &session::Model,
    action: &'static str,
    request: &str,
    now: Instant,
) -> Result<(), Problem> {
    let by = match (session.staff_id, session.person_id) {
        (Some(staff), _) => Actor::staff_by_id(staff, request),
        (None, Some(person)) => Actor::person(person, request),
        (None, None) => Actor::nobody(request),
    };
    audit::record(tx, keys, &by, Entry::done(action, "session", session.id), now).await
}
