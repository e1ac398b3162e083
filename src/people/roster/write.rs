//! The statements of an import: a few hundred lines by each, whatever the engine.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use entity::{
    division, household,
    id::{DivisionId, HouseholdId},
    person, roster_entry,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, Func, LockType, OnConflict, SelectStatement},
};

use super::{
    import::Prepared,
    rules::{Column, Entry},
};
use crate::{
    crypto::FieldKeys,
    db::{self, Tx, again_on_unique, padded, upsert_all},
    personal::{PersonName, PrivateText},
    problem::Problem,
};

/// Lines that are looked up and written together: a power of two, so that the statements stay few and prepared.
const PART: usize = 512;

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Create,
    Update,
    Leave,
}

impl Prepared {
    /// The entries in parts, as places in their list.
    pub(super) fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        let all = self.sealed.len();
        (0..all).step_by(PART).map(move |from| from..all.min(from + PART))
    }

    fn hashes(&self, part: &Range<usize>) -> impl Iterator<Item = &str> {
        self.sealed.get(part.clone()).unwrap_or_default().iter().map(|sealed| sealed.citizen_no_hash.as_str())
    }
}

/// Waits until nobody else imports into the village, and keeps others out until the commit. What only refers to the
/// village goes on.
pub(super) async fn one_at_a_time(tx: &Tx, village: DivisionId) -> Result<(), Problem> {
    let row = division::Entity::find_by_id(village).lock(LockType::NoKeyUpdate).one(tx).await?;
    row.map(|_| ()).ok_or_else(Problem::not_found)
}

/// What is to be done with each line of a part.
pub(super) async fn compare(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    prepared: &Prepared,
    part: &Range<usize>,
) -> Result<Vec<Way>, Problem> {
    let known = roster_entry::Entity::find()
        .filter(roster_entry::COLUMN.village_id.eq(prepared.village))
        .filter(roster_entry::COLUMN.citizen_no_hash.is_in(padded(prepared.hashes(part))))
        .all(db)
        .await?;
    let known: HashMap<&str, &roster_entry::Model> =
        known.iter().map(|row| (row.citizen_no_hash.as_str(), row)).collect();
    let mut ways = Vec::with_capacity(part.len());
    for (entry, sealed) in prepared.checked.entries.iter().zip(&prepared.sealed).take(part.end).skip(part.start) {
        ways.push(match known.get(sealed.citizen_no_hash.as_str()) {
            None => Way::Create,
            Some(row) if says_else(keys, prepared, row, entry, sealed.phone_hash.as_ref())? => Way::Update,
            Some(_) => Way::Leave,
        });
    }
    Ok(ways)
}

/// Whether the file says something else of somebody than the roster. Columns that it lacks say nothing.
fn says_else(
    keys: &FieldKeys,
    prepared: &Prepared,
    row: &roster_entry::Model,
    entry: &Entry,
    phone_hash: Option<&String>,
) -> Result<bool, Problem> {
    let has = |column| prepared.has(column);
    Ok(keys.open::<PersonName>(&row.name)? != entry.name
        || (has(Column::Phone) && row.phone_hash.as_ref() != phone_hash)
        || (has(Column::HouseholdNo) && row.household_no != entry.household_no)
        || (has(Column::Group) && row.group_name != entry.group)
        || (has(Column::Note) && keys.open_if::<PrivateText>(row.note.as_ref())? != entry.note))
}

/// Writes the lines of a part that are new or say something else.
pub(super) async fn upsert(tx: &Tx, prepared: &Prepared, part: &Range<usize>, ways: &[Way]) -> Result<(), Problem> {
    use roster_entry::Column as Stored;
    let mut follows = vec![Stored::Name, Stored::NameHash, Stored::UpdatedAt];
    for (column, stored) in [
        (Column::Phone, &[Stored::Phone, Stored::PhoneHash][..]),
        (Column::HouseholdNo, &[Stored::HouseholdNo]),
        (Column::Group, &[Stored::GroupName]),
        (Column::Note, &[Stored::Note]),
    ] {
        if prepared.has(column) {
            follows.extend(stored);
        }
    }
    let otherwise = OnConflict::columns([Stored::VillageId, Stored::CitizenNoHash]).update_columns(follows).to_owned();
    let lines = prepared.sealed.get(part.clone()).unwrap_or_default().iter().zip(ways);
    let rows = lines.filter(|(_, way)| **way != Way::Leave).map(|(sealed, _)| sealed.row.clone()).collect();
    Ok(upsert_all(tx, rows, &otherwise).await?)
}

/// The households that the file names, by their numbers; those that were not there are made.
pub(super) async fn households(tx: &Tx, prepared: &Prepared) -> Result<HashMap<String, HouseholdId>, Problem> {
    let numbers: BTreeSet<&str> =
        prepared.checked.entries.iter().filter_map(|entry| entry.household_no.as_deref()).collect();
    let numbers: Vec<&str> = numbers.into_iter().collect();
    let mut known = HashMap::with_capacity(numbers.len());
    for part in numbers.chunks(PART) {
        let rows = household::Entity::find()
            .filter(household::COLUMN.village_id.eq(prepared.village))
            .filter(household::COLUMN.number.is_in(padded(part.iter().copied())))
            .all(tx)
            .await?;
        known.extend(rows.into_iter().map(|row| (row.number, row.id)));
    }
    let mut made = Vec::new();
    for number in numbers {
        if !known.contains_key(number) {
            let id = HouseholdId::fresh();
            known.insert(number.to_owned(), id);
            let (village_id, number) = (Set(prepared.village), Set(number.to_owned()));
            made.push(household::ActiveModel { id: Set(id), village_id, number });
        }
    }
    db::insert_all(tx, made).await.map_err(again_on_unique)?;
    Ok(known)
}

/// Residents of a part who are in another household or group than the file says go where it says. Nothing else of
/// theirs is touched: what a person told of themselves is theirs to change.
pub(super) async fn move_residents(
    tx: &Tx,
    prepared: &Prepared,
    part: &Range<usize>,
    households: &HashMap<String, HouseholdId>,
) -> Result<(), Problem> {
    let residents: Vec<(String, Option<HouseholdId>, Option<String>)> = person::Entity::find()
        .select_only()
        .column(person::Column::CitizenNoHash)
        .column(person::Column::HouseholdId)
        .column(person::Column::GroupName)
        .filter(person::COLUMN.village_id.eq(prepared.village))
        .filter(person::COLUMN.citizen_no_hash.is_in(padded(prepared.hashes(part))))
        .filter(person::COLUMN.closed_at.is_null())
        .into_tuple()
        .all(tx)
        .await?;
    let lines = prepared.sealed.iter().zip(&prepared.checked.entries).take(part.end).skip(part.start);
    let said: HashMap<&str, &Entry> = lines.map(|(sealed, entry)| (sealed.citizen_no_hash.as_str(), entry)).collect();
    let elsewhere = residents.iter().filter(|(hash, household, group)| {
        said.get(hash.as_str()).is_some_and(|entry| {
            let theirs = entry.household_no.as_ref().and_then(|number| households.get(number));
            (theirs.is_some() && theirs != household.as_ref()) || (entry.group.is_some() && entry.group != *group)
        })
    });
    let moved: Vec<&str> = elsewhere.map(|(hash, ..)| hash.as_str()).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let of_roster = |selected: SelectStatement, now| Expr::expr(Func::coalesce([selected.into(), Expr::col(now)]));
    person::Entity::update_many()
        .col_expr(person::Column::HouseholdId, of_roster(household_of_line(), person::Column::HouseholdId))
        .col_expr(person::Column::GroupName, of_roster(group_of_line(), person::Column::GroupName))
        .filter(person::COLUMN.village_id.eq(prepared.village))
        .filter(person::COLUMN.citizen_no_hash.is_in(padded(moved)))
        .exec(tx)
        .await?;
    Ok(())
}

/// The line of the roster about the person whose row is updated.
fn line_of_person() -> sea_orm::Select<roster_entry::Entity> {
    let same = |line, person| Expr::col((roster_entry::Entity, line)).equals((person::Entity, person));
    roster_entry::Entity::find()
        .select_only()
        .filter(same(roster_entry::Column::VillageId, person::Column::VillageId))
        .filter(same(roster_entry::Column::CitizenNoHash, person::Column::CitizenNoHash))
}

fn group_of_line() -> SelectStatement {
    line_of_person().column(roster_entry::Column::GroupName).into_query()
}

fn household_of_line() -> SelectStatement {
    let theirs = roster_entry::Entity::belongs_to(household::Entity)
        .from(roster_entry::Column::HouseholdNo)
        .to(household::Column::Number);
    line_of_person()
        .column_as(Expr::col((household::Entity, household::Column::Id)), "id")
        .join(JoinType::InnerJoin, theirs.into())
        .filter(
            Expr::col((household::Entity, household::Column::VillageId))
                .equals((person::Entity, person::Column::VillageId)),
        )
        .into_query()
}
