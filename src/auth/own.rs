//! What staff do with their own account: look at it, change the password, enrol an authenticator.
//!
//! Secrets pass through here and are kept nowhere else: an authenticator's secret is sealed in its column and answered
//! once, a password is only ever a hash. Next: [`super::own_api`] for the calls, [`super::totp`] for the codes.

use std::sync::Arc;

use entity::{Instant, session, staff};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set};

use super::{
    accounts::{self, Seat},
    actor::AnyStaff,
    ops::count_try,
    throttle, totp,
};
use crate::{
    app::App,
    audit,
    clock::local_day,
    db::Tx,
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
};

/// The row of somebody signed in, and the postings that stand or are to come.
pub(super) async fn find(app: &App, me: &AnyStaff) -> Result<(staff::Model, Vec<Seat>), Problem> {
    let row = staff::Entity::find_by_id(me.id()).one(app.db.read()).await?;
    let row = row.ok_or(Problem::new(Code::SessionEnded))?;
    let today = local_day(app.clock.now());
    let mut postings = accounts::postings_of(app.db.read(), row.id).await?;
    postings.retain(|posting| posting.ends_on.is_none_or(|end| today <= end));
    let seats = accounts::seats(app.db.read(), postings).await?;
    Ok((row, seats))
}

/// Changes the password; every other session of the account ends.
///
/// # Errors
/// 422 at `/old_password`, `too_many_requests` after failures: who holds a session may not guess without end.
pub(super) async fn change_password(app: &App, me: &AnyStaff, old: String, new: String) -> Result<(), Problem> {
    let now = app.clock.now();
    let row = staff::Entity::find_by_id(me.id()).one(app.db.read()).await?.ok_or(Code::SessionEnded)?;
    // Counted apart from sign-ins: who succeeds here must not be forgiven guesses there.
    let key = format!("password:{}", row.id);
    count_try(app, key.clone(), None, now).await?;
    let wrong = || Problem::field("/old_password", "wrong");
    if !app.passwords.verify(old, Some(row.password_hash.clone())).await? {
        return Err(wrong());
    }
    let fresh = app.passwords.make(new).await?;
    let (keys, me) = (app.field_keys.clone(), me.clone());
    let change = async move |tx: &Tx| {
        let locked = lock(tx, &me).await?;
        if locked.password_hash != row.password_hash {
            return Err(Problem::field("/old_password", "wrong"));
        }
        let mut changed = locked.into_active_model();
        changed.password_hash = Set(fresh.clone());
        changed.update(tx).await?;
        throttle::forget(tx, &key).await?;
        accounts::end_sessions(tx, me.id(), Some(me.session()), now).await?;
        let entry = audit::Entry::done("change_password", "staff", me.id());
        audit::record(tx, &keys, &actor(&me), entry, now).await
    };
    app.db.transact(change).await
}

/// A secret for an authenticator, and its address for a QR code.
pub(super) struct Enrolment {
    pub(super) secret: String,
    pub(super) uri: String,
}

/// Makes a secret; it counts once a code of it was confirmed. An earlier one that was not confirmed is forgotten.
///
/// # Errors
/// `totp_already_set`.
pub(super) async fn enrol(app: &App, me: &AnyStaff) -> Result<Enrolment, Problem> {
    let now = app.clock.now();
    let secret = totp::fresh_secret();
    let sealed = app.field_keys.close(&PrivateText::of_stored(secret.clone()))?;
    let (keys, me) = (app.field_keys.clone(), me.clone());
    let enrol = async move |tx: &Tx| {
        let row = lock(tx, &me).await?;
        if row.totp_confirmed_at.is_some() {
            return Err(Code::TotpAlreadySet.into());
        }
        let mut changed = row.into_active_model();
        changed.totp_secret = Set(Some(sealed.clone()));
        let row = changed.update(tx).await?;
        let entry = audit::Entry::done("enrol_totp", "staff", me.id());
        audit::record(tx, &keys, &actor(&me), entry, now).await?;
        Ok(row.username)
    };
    let username = app.db.transact(enrol).await?;
    Ok(Enrolment { uri: totp::uri(&username, &secret), secret })
}

/// Confirms the authenticator by a code of it; this session counts as one of two factors from now on, the others end.
///
/// # Errors
/// `totp_invalid`, `totp_already_set`.
pub(super) async fn confirm(app: &Arc<App>, me: &AnyStaff, code: String) -> Result<(), Problem> {
    let now = app.clock.now();
    let (shared, me) = (app.clone(), me.clone());
    let confirm = async move |tx: &Tx| {
        let row = lock(tx, &me).await?;
        if row.totp_confirmed_at.is_some() {
            return Err(Code::TotpAlreadySet.into());
        }
        let step = step_of(&shared, &row, &code, now)?.ok_or(Code::TotpInvalid)?;
        let mut changed = row.into_active_model();
        changed.totp_confirmed_at = Set(Some(now));
        changed.totp_last_step = Set(Some(step));
        changed.update(tx).await?;
        // Whoever signed in elsewhere did so with a password alone.
        accounts::end_sessions(tx, me.id(), Some(me.session()), now).await?;
        session::Entity::update_many()
            .col_expr(session::Column::SecondFactor, true.into())
            .filter(session::COLUMN.id.eq(me.session()))
            .exec(tx)
            .await?;
        let entry = audit::Entry::done("confirm_totp", "staff", me.id());
        audit::record(tx, &shared.field_keys, &actor(&me), entry, now).await
    };
    app.db.transact(confirm).await
}

/// The step whose code this is, by the secret of the account.
pub(super) fn step_of(app: &App, row: &staff::Model, code: &str, now: Instant) -> Result<Option<i64>, Problem> {
    let secret = app.field_keys.open_if::<PrivateText>(row.totp_secret.as_ref())?;
    Ok(secret.and_then(|secret| totp::step_of(secret.in_the_clear(), code, now)))
}

async fn lock(tx: &Tx, me: &AnyStaff) -> Result<staff::Model, Problem> {
    let row = staff::Entity::find_by_id(me.id()).lock_exclusive().one(tx).await?;
    row.filter(|row| row.dismissed_at.is_none()).ok_or(Code::SessionEnded.into())
}

fn actor(me: &AnyStaff) -> audit::Actor {
    audit::Actor::staff_by_id(me.id(), me.request())
}
