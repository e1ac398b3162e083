//! Finding people and lines of rosters: in a place, by phone, citizen number or name.
//!
//! What is sealed cannot be searched, so what is looked for is hashed and must be whole: a part of a name finds nobody.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    division, household,
    id::{DivisionId, HouseholdId, PersonId, RosterEntryId},
    person, roster_entry,
    sealed::Sealed,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::place;
use crate::{
    app::App,
    crypto::FieldKeys,
    db::padded,
    personal::{CitizenNumber, PersonName, PhoneNumber},
    problem::Problem,
};

/// What people are called, of those who said.
pub async fn names(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    people: BTreeSet<PersonId>,
) -> Result<HashMap<PersonId, PersonName>, Problem> {
    let mut names = HashMap::new();
    if people.is_empty() {
        return Ok(names);
    }
    let sealed: Vec<(PersonId, Option<Sealed>)> = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::Name])
        .filter(person::COLUMN.id.is_in(padded(people)))
        .filter(person::COLUMN.name.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    for (person, name) in sealed {
        names.extend(keys.open_if(name.as_ref())?.map(|name| (person, name)));
    }
    Ok(names)
}

/// Whom to look for.
pub(super) enum Sought {
    Phone(String),
    CitizenNo(String),
    Name(String),
}

impl Sought {
    /// Reads what was typed: a whole phone, a whole citizen number, or a whole name; 422 when it is none of them.
    pub(super) fn read(keys: &FieldKeys, typed: &str, today: NaiveDate) -> Result<Self, Problem> {
        if let Ok(number) = CitizenNumber::read(typed, today) {
            return Ok(Self::CitizenNo(keys.hash_of(&number)?));
        }
        if let Some(phone) = PhoneNumber::read(typed) {
            return Ok(Self::Phone(keys.hash_of(&phone)?));
        }
        let name = PersonName::read(typed).ok_or_else(|| Problem::field("?q", "format"))?;
        Ok(Self::Name(keys.hash_of(&name)?))
    }
}

/// People of a place, by id, at most `most`.
pub(super) async fn people(
    db: &DatabaseConnection,
    place: &division::Model,
    sought: Option<Sought>,
    after: Option<PersonId>,
    most: u64,
) -> Result<Vec<person::Model>, Problem> {
    let mut query = place::open().filter(place::within(person::Column::VillageId, place));
    query = match sought {
        Some(Sought::Phone(hash)) => query.filter(person::COLUMN.phone_hash.eq(hash)),
        Some(Sought::CitizenNo(hash)) => query.filter(person::COLUMN.citizen_no_hash.eq(hash)),
        Some(Sought::Name(hash)) => query.filter(person::COLUMN.name_hash.eq(hash)),
        None => query,
    };
    if let Some(after) = after {
        query = query.filter(person::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(person::Column::Id).limit(most).all(db).await?)
}

/// Lines of the rosters of a place, by id, at most `most`.
pub(super) async fn entries(
    db: &DatabaseConnection,
    place: &division::Model,
    sought: Option<Sought>,
    after: Option<RosterEntryId>,
    most: u64,
) -> Result<Vec<roster_entry::Model>, Problem> {
    let mut query = roster_entry::Entity::find().filter(place::within(roster_entry::Column::VillageId, place));
    query = match sought {
        Some(Sought::Phone(hash)) => query.filter(roster_entry::COLUMN.phone_hash.eq(hash)),
        Some(Sought::CitizenNo(hash)) => query.filter(roster_entry::COLUMN.citizen_no_hash.eq(hash)),
        Some(Sought::Name(hash)) => query.filter(roster_entry::COLUMN.name_hash.eq(hash)),
        None => query,
    };
    if let Some(after) = after {
        query = query.filter(roster_entry::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(roster_entry::Column::Id).limit(most).all(db).await?)
}

/// Whether a roster of the place knows somebody of this name and phone.
pub async fn is_on_roster(
    db: &impl ConnectionTrait,
    app: &App,
    place: &division::Model,
    name: &PersonName,
    phone: &PhoneNumber,
) -> Result<bool, Problem> {
    let entry = roster_entry::Entity::find()
        .filter(place::within(roster_entry::Column::VillageId, place))
        .filter(roster_entry::COLUMN.name_hash.eq(app.field_keys.hash_of(name)?))
        .filter(roster_entry::COLUMN.phone_hash.eq(app.field_keys.hash_of(phone)?));
    Ok(entry.one(db).await?.is_some())
}

/// Numbers of the households that these people belong to.
pub(super) async fn household_numbers(
    db: &impl ConnectionTrait,
    people: &[person::Model],
) -> Result<HashMap<HouseholdId, String>, Problem> {
    let ids: HashSet<HouseholdId> = people.iter().filter_map(|person| person.household_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = household::Entity::find().filter(household::COLUMN.id.is_in(padded(ids))).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.number)).collect())
}

/// Village and citizen number (hashed) of those of these lines whose people have registered themselves.
pub(super) async fn claimed(
    db: &impl ConnectionTrait,
    entries: &[roster_entry::Model],
) -> Result<HashSet<(DivisionId, String)>, Problem> {
    if entries.is_empty() {
        return Ok(HashSet::new());
    }
    let hashes = padded(entries.iter().map(|entry| entry.citizen_no_hash.as_str()));
    let rows: Vec<(Option<DivisionId>, String)> = place::open()
        .select_only()
        .column(person::Column::VillageId)
        .column(person::Column::CitizenNoHash)
        .filter(person::COLUMN.citizen_no_hash.is_in(hashes))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(village, hash)| Some((village?, hash))).collect())
}

/// How these villages are called.
pub(super) async fn village_names(
    db: &impl ConnectionTrait,
    villages: HashSet<DivisionId>,
) -> Result<HashMap<DivisionId, String>, Problem> {
    if villages.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(DivisionId, String)> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::DisplayName)
        .filter(division::COLUMN.id.is_in(padded(villages)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
