//! Making, changing and dismissing accounts. What was ended bites at the next call, whichever server it reaches.

use std::collections::HashMap;

use entity::{
    absence,
    id::{DivisionId, StaffId},
    posting, staff,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::ExprTrait,
};

use super::postings;
use crate::{
    app::App,
    audit,
    auth::{
        Staff,
        accounts::{self, NewAccount, Seat},
        duty::ManageAccounts,
    },
    cases,
    clock::local_day,
    db::{self, Tx},
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, OnUnique, Problem},
    staffing::{
        bodies::{Change, ChangeAccount, MakeAccount},
        rules, scope,
    },
};

/// An account with its postings: those that stand and those to come where they are not all asked for.
pub type Account = (staff::Model, Vec<Seat>);

/// Accounts in scope that are not dismissed, in the order they were made, at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<ManageAccounts>,
    division: Option<DivisionId>,
    word: Option<&str>,
    page: &PageQuery,
) -> Result<Vec<Account>, Problem> {
    let (db, today) = (app.db.read(), local_day(app.clock.now()));
    let mut query = scope::accounts(staff, today).filter(staff::COLUMN.dismissed_at.is_null());
    if let Some(id) = division {
        let place = divisions::reach(db, staff, id).await?;
        let there = scope::posted_in(divisions::subtree(place.id), today);
        query = query.filter(staff::Column::Id.in_subquery(there));
    }
    if let Some(word) = word {
        let like = || db::containing(word);
        let names = Condition::any().add(staff::Column::Name.like(like()));
        query = query.filter(names.add(staff::Column::Username.like(like())));
    }
    if let Some(after) = Cursor::read::<StaffId>(page.cursor.as_deref())? {
        query = query.filter(staff::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(staff::Column::Id).limit(page.size() + 1).all(db).await?;
    let theirs = posting::COLUMN.staff_id.is_in(db::padded(rows.iter().map(|row| row.id)));
    let postings = posting::Entity::find().filter(theirs).order_by_asc(posting::Column::Id).all(db).await?;
    let current = postings.into_iter().filter(|row| rules::is_current(row, today)).collect();
    let mut seats: HashMap<StaffId, Vec<Seat>> = HashMap::new();
    for seat in accounts::seats(db, current).await? {
        seats.entry(seat.posting.staff_id).or_default().push(seat);
    }
    Ok(rows.into_iter().map(|row| (seats.remove(&row.id).unwrap_or_default(), row)).map(|(s, row)| (row, s)).collect())
}

/// One account in scope with all its postings, also those that are over.
pub async fn find(app: &App, staff: &Staff<ManageAccounts>, id: StaffId) -> Result<Account, Problem> {
    scope::account(app.db.read(), staff, id, local_day(app.clock.now())).await
}

/// Makes an account with its postings.
///
/// # Errors
/// `username_taken`, 422 with a pointer, `not_your_duty` where a duty is for the county to give.
pub async fn make(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageAccounts>,
    body: &MakeAccount,
    password_hash: &str,
) -> Result<Account, Problem> {
    let now = app.clock.now();
    let username = accounts::username(&body.username).ok_or_else(|| Problem::field("/username", "format"))?;
    let account = NewAccount {
        username,
        name: body.name.trim().to_owned(),
        password_hash: password_hash.to_owned(),
        demonstration: false,
    };
    let id = accounts::add(tx, account, now).await?;
    postings::begin(tx, staff, id, &body.postings, now).await?;
    let made = scope::account(tx, staff, id, local_day(now)).await?;
    let entry = audit::Entry::done("make_account", "staff", id).of_fields("postings");
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, now).await?;
    Ok(made)
}

/// Changes an account. What takes away a way to sign in ends every session; work that may no longer be done goes back.
///
/// # Errors
/// `conflict_of_interest` where somebody changes more than the name of themselves, `wecom_taken`, and those of [`make`].
pub async fn change(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageAccounts>,
    id: StaffId,
    body: &ChangeAccount,
    password_hash: Option<&str>,
) -> Result<Account, Problem> {
    let (now, today) = (app.clock.now(), local_day(app.clock.now()));
    let fields = named(body);
    if id == staff.id() && fields.iter().any(|field| *field != "name") {
        return Err(Code::ConflictOfInterest.into());
    }
    let (row, _) = scope::account_to_change(tx, staff, id, today).await?;
    let unbinds = row.wecom_userid.is_some() && body.wecom_userid != Change::LeftOut;
    let row = columns(row, body, password_hash)?;
    if row.is_changed() {
        row.update(tx).await.on_unique(Code::WecomTaken)?;
    }
    if password_hash.is_some() || body.reset_totp == Some(true) || unbinds {
        accounts::end_sessions(tx, id, None, now).await?;
    }
    if let Some(bodies) = &body.postings {
        postings::replace(tx, staff, id, bodies, now).await?;
        cases::release(tx, id, &acting(staff), now).await?;
    }
    // What was changed may lie outside now: who moved somebody on still gets to see that it was done.
    let row = staff::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let seats = accounts::seats(tx, accounts::postings_of(tx, id).await?).await?;
    let entry = audit::Entry::done("change_account", "staff", id).of_fields(fields.join(","));
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, now).await?;
    Ok((row, seats))
}

fn named(body: &ChangeAccount) -> Vec<&'static str> {
    let named = [
        (body.name.is_some(), "name"),
        (body.password.is_some(), "password"),
        (body.wecom_userid != Change::LeftOut, "wecom_userid"),
        (body.reset_totp == Some(true), "totp"),
        (body.postings.is_some(), "postings"),
    ];
    named.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
}

fn columns(
    row: staff::Model,
    body: &ChangeAccount,
    password_hash: Option<&str>,
) -> Result<staff::ActiveModel, Problem> {
    let mut row = row.into_active_model();
    if let Some(name) = &body.name {
        row.name = Set(name.trim().to_owned());
    }
    if let Some(hash) = password_hash {
        row.password_hash = Set(hash.to_owned());
    }
    match &body.wecom_userid {
        Change::LeftOut => {}
        Change::Null => row.wecom_userid = Set(None),
        Change::To(userid) => {
            let kept = accounts::wecom_userid(userid);
            row.wecom_userid = Set(Some(kept.ok_or_else(|| Problem::field("/wecom_userid", "length"))?));
        }
    }
    if body.reset_totp == Some(true) {
        (row.totp_secret, row.totp_confirmed_at, row.totp_last_step) = (Set(None), Set(None), Set(None));
    }
    Ok(row)
}

/// Dismisses somebody: no token of theirs works any more, their postings end, what they had goes back to its units.
///
/// # Errors
/// `conflict_of_interest`: nobody dismisses themselves.
pub async fn dismiss(tx: &Tx, app: &App, staff: &Staff<ManageAccounts>, id: StaffId) -> Result<(), Problem> {
    let (now, today) = (app.clock.now(), local_day(app.clock.now()));
    if id == staff.id() {
        return Err(Code::ConflictOfInterest.into());
    }
    let (row, _) = scope::account_to_change(tx, staff, id, today).await?;
    let mut row = row.into_active_model();
    row.dismissed_at = Set(Some(now));
    // Whoever comes after may be bound to the same member of WeCom.
    row.wecom_userid = Set(None);
    (row.totp_secret, row.totp_confirmed_at, row.totp_last_step) = (Set(None), Set(None), Set(None));
    row.update(tx).await?;
    accounts::end_sessions(tx, id, None, now).await?;
    postings::end(tx, id, today).await?;
    let theirs = absence::COLUMN.staff_id.eq(id).or(absence::COLUMN.stand_in_id.eq(id));
    absence::Entity::update_many()
        .col_expr(absence::Column::EndedAt, now.into())
        .filter(theirs)
        .filter(absence::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    cases::release(tx, id, &acting(staff), now).await?;
    let entry = audit::Entry::done("dismiss_account", "staff", id);
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, now).await
}

fn acting(staff: &Staff<ManageAccounts>) -> cases::By {
    cases::By::staff(staff.id(), staff.postings().next().map(|posted| posted.unit))
}
