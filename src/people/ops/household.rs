//! Households of a village, as rosters number them.

use entity::{household, id::DivisionId, id::HouseholdId, person};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::OnConflict,
};

use crate::{db::Tx, problem::Problem};

/// The most people of a household that are shown.
const MOST_MEMBERS: u64 = 50;

/// The household of this number, made when it is not there.
pub async fn find_or_make(tx: &Tx, village: DivisionId, number: &str) -> Result<HouseholdId, Problem> {
    let row = household::ActiveModel {
        id: Set(HouseholdId::fresh()),
        village_id: Set(village),
        number: Set(number.to_owned()),
    };
    let known = OnConflict::columns([household::Column::VillageId, household::Column::Number]).do_nothing().to_owned();
    household::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    let found = household::Entity::find()
        .filter(household::COLUMN.village_id.eq(village))
        .filter(household::COLUMN.number.eq(number));
    found.one(tx).await?.map(|row| row.id).ok_or_else(|| Problem::unexpected("a household that was made is not there"))
}

/// A household and the verified people of it.
pub async fn members(
    db: &DatabaseConnection,
    id: HouseholdId,
) -> Result<Option<(household::Model, Vec<person::Model>)>, Problem> {
    let Some(household) = household::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    let people = person::Entity::find()
        .filter(person::COLUMN.household_id.eq(id))
        .filter(person::COLUMN.verified.eq(true))
        .filter(person::COLUMN.closed_at.is_null())
        .order_by_asc(person::Column::Id)
        .limit(MOST_MEMBERS);
    Ok(Some((household, people.all(db).await?)))
}
