//! Making units and staff accounts: one way for the shell, the demonstration village and the administrator's calls.

use chrono::NaiveDate;
use entity::{
    Instant, division,
    id::{PostingId, StaffId, UnitId},
    posting, staff,
    unit::{self, UnitKind},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::json;

use super::Duty;
use crate::{
    db::Tx,
    problem::{Code, OnUnique, Problem},
};

/// Somebody who is to sign in with a password.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Lower case; what they sign in with.
    pub username: String,
    /// As people call them.
    pub name: String,
    /// Of [`super::hash_password`].
    pub password_hash: String,
    /// Made for demonstrations: production refuses to start beside it.
    pub demonstration: bool,
}

/// The unit of a kind at a place, made when it is not there. Of departments a place has many: they are told apart by name.
pub async fn find_or_make_unit(
    tx: &Tx,
    division: &division::Model,
    kind: UnitKind,
    name: &str,
) -> Result<UnitId, Problem> {
    let mut query =
        unit::Entity::find().filter(unit::COLUMN.division_id.eq(division.id)).filter(unit::COLUMN.kind.eq(kind));
    if matches!(kind, UnitKind::Department | UnitKind::Grid) {
        query = query.filter(unit::COLUMN.name.eq(name));
    }
    if let Some(known) = query.one(tx).await? {
        return Ok(known.id);
    }
    let id = UnitId::fresh();
    let row = unit::ActiveModel {
        id: Set(id),
        division_id: Set(division.id),
        parent_id: Set(None),
        kind: Set(kind),
        name: Set(name.to_owned()),
    };
    row.insert(tx).await?;
    Ok(id)
}

/// Makes an account.
///
/// # Errors
/// `username_taken`.
pub async fn add(tx: &Tx, account: NewAccount, now: Instant) -> Result<StaffId, Problem> {
    let id = StaffId::fresh();
    let row = staff::ActiveModel {
        id: Set(id),
        username: Set(account.username),
        password_hash: Set(account.password_hash),
        name: Set(account.name),
        totp_secret: Set(None),
        totp_confirmed_at: Set(None),
        totp_last_step: Set(None),
        wecom_userid: Set(None),
        demonstration: Set(account.demonstration),
        created_at: Set(now),
        dismissed_at: Set(None),
    };
    row.insert(tx).await.on_unique(Code::UsernameTaken)?;
    Ok(id)
}

/// Posts somebody to a unit of this place, from a day on.
pub async fn post(
    tx: &Tx,
    staff: StaffId,
    unit: UnitId,
    division: &division::Model,
    duties: &[Duty],
    starts_on: NaiveDate,
) -> Result<(), Problem> {
    let row = posting::ActiveModel {
        id: Set(PostingId::fresh()),
        staff_id: Set(staff),
        unit_id: Set(unit),
        division_id: Set(division.id),
        level: Set(division.level),
        duties: Set(json!(duties)),
        starts_on: Set(starts_on),
        ends_on: Set(None),
    };
    row.insert(tx).await?;
    Ok(())
}
