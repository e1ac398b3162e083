//! Making units and staff accounts: one way for the shell, the demonstration village and the administrator's calls.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    Instant,
    division::{self, DivisionLevel},
    id::{DivisionId, PostingId, SessionId, StaffId, UnitId},
    posting, refresh_token, session, staff,
    unit::{self, UnitKind},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::json;

use super::Duty;
use crate::{
    db::{self, Tx},
    problem::{Code, OnUnique, Problem},
};

/// The fewest characters of a password (NIST SP 800-63B, 3.1.1.2, lets eight do beside a second factor).
pub const LEAST_PASSWORD: usize = 10;
/// The most; a hash of more tells nothing more.
pub const MOST_PASSWORD: usize = 256;

/// Whether a password is long enough to be kept.
#[must_use]
pub fn password_fits(password: &str) -> bool {
    (LEAST_PASSWORD..=MOST_PASSWORD).contains(&password.chars().count())
}

/// A user name as it is kept: lower case, 1 to 64 letters, digits, dots, hyphens and underscores.
#[must_use]
pub fn username(text: &str) -> Option<String> {
    let name = text.trim().to_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (!name.is_empty() && name.len() <= 64 && name.bytes().all(plain)).then_some(name)
}

/// A `WeCom` user id as it is kept and compared: `WeCom` does not tell capitals from small letters.
#[must_use]
pub fn wecom_userid(text: &str) -> Option<String> {
    let id = text.trim().to_lowercase();
    (1..=64).contains(&id.chars().count()).then_some(id)
}

/// The kind of unit that people of a place usually sit in.
#[must_use]
pub fn usual_unit(level: DivisionLevel) -> UnitKind {
    match level {
        DivisionLevel::Village => UnitKind::VillageDesk,
        DivisionLevel::Township => UnitKind::TownshipCentre,
        DivisionLevel::County | DivisionLevel::City => UnitKind::County,
    }
}

/// What a unit is called when nobody gives it a name.
#[must_use]
pub fn unit_name(kind: UnitKind, place: &str) -> String {
    let what = match kind {
        UnitKind::VillageDesk => "便民服务室",
        UnitKind::TownshipCentre => "便民服务中心",
        UnitKind::DisciplineDesk => "纪检监察办公室",
        UnitKind::Department | UnitKind::Grid | UnitKind::County => "",
    };
    format!("{place}{what}")
}

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
    // Two who make it at once: the second try finds it.
    row.insert(tx).await.map_err(db::again_on_unique)?;
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

/// A posting with its unit and place.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The posting.
    pub posting: posting::Model,
    /// Where the work is.
    pub unit: Option<unit::Model>,
    /// The place whose subtree it covers.
    pub place: Option<division::Model>,
}

/// All postings of somebody, past and to come, in the order they were made.
pub async fn postings_of(db: &impl ConnectionTrait, staff: StaffId) -> Result<Vec<posting::Model>, Problem> {
    let theirs = posting::Entity::find().filter(posting::COLUMN.staff_id.eq(staff));
    Ok(theirs.order_by_asc(posting::Column::Id).limit(500).all(db).await?)
}

/// Postings with their units and places.
pub async fn seats(db: &impl ConnectionTrait, postings: Vec<posting::Model>) -> Result<Vec<Seat>, Problem> {
    let of_units = unit::COLUMN.id.is_in(db::padded(postings.iter().map(|posting| posting.unit_id)));
    let units = unit::Entity::find().filter(of_units).all(db).await?;
    let units: HashMap<UnitId, unit::Model> = units.into_iter().map(|unit| (unit.id, unit)).collect();
    let of_places = division::COLUMN.id.is_in(db::padded(postings.iter().map(|posting| posting.division_id)));
    let places = division::Entity::find().filter(of_places).all(db).await?;
    let places: HashMap<DivisionId, division::Model> = places.into_iter().map(|place| (place.id, place)).collect();
    let seat = |posting: posting::Model| Seat {
        unit: units.get(&posting.unit_id).cloned(),
        place: places.get(&posting.division_id).cloned(),
        posting,
    };
    Ok(postings.into_iter().map(seat).collect())
}

/// Ends the sessions of somebody, all but one: their tokens stop working at once.
pub async fn end_sessions(tx: &Tx, staff: StaffId, but: Option<SessionId>, now: Instant) -> Result<(), Problem> {
    let mut open = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::COLUMN.staff_id.eq(staff))
        .filter(session::COLUMN.ended_at.is_null());
    if let Some(kept) = but {
        open = open.filter(session::COLUMN.id.ne(kept));
    }
    let open: Vec<SessionId> = open.into_tuple().all(tx).await?;
    let tokens = refresh_token::Entity::delete_many();
    tokens.filter(refresh_token::COLUMN.session_id.is_in(open.iter().copied())).exec(tx).await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, now.into())
        .filter(session::COLUMN.id.is_in(open))
        .filter(session::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Posts somebody to a unit of this place, from a day on, until the end of another or without an end.
pub async fn post(
    tx: &Tx,
    staff: StaffId,
    unit: UnitId,
    division: &division::Model,
    duties: &[Duty],
    starts_on: NaiveDate,
    ends_on: Option<NaiveDate>,
) -> Result<(), Problem> {
    let row = posting::ActiveModel {
        id: Set(PostingId::fresh()),
        staff_id: Set(staff),
        unit_id: Set(unit),
        division_id: Set(division.id),
        level: Set(division.level),
        duties: Set(json!(duties)),
        starts_on: Set(starts_on),
        ends_on: Set(ends_on),
    };
    row.insert(tx).await?;
    Ok(())
}
