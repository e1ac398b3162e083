//! Finding divisions.

use std::collections::{BTreeSet, HashMap};

use entity::{
    division::{self, DivisionLevel},
    id::DivisionId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{app::App, db, http::Cursor, problem::Problem};

/// What to look for; parts that are not given do not narrow.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub parent: Option<DivisionId>,
    pub code: Option<&'a str>,
    pub name: Option<&'a str>,
    pub level: Option<DivisionLevel>,
    pub cursor: Option<&'a str>,
    pub limit: u64,
}

/// Divisions by statistical code, at most `limit + 1`.
pub async fn search(app: &App, wanted: Wanted<'_>) -> Result<Vec<division::Model>, Problem> {
    let mut query = division::Entity::find();
    if let Some(parent) = wanted.parent {
        query = query.filter(division::COLUMN.parent_id.eq(parent));
    }
    if let Some(code) = wanted.code {
        query =
            query.filter(Condition::any().add(division::COLUMN.code.eq(code)).add(division::COLUMN.mca_code.eq(code)));
    }
    if let Some(name) = wanted.name {
        let like = || db::containing(name);
        query = query.filter(
            Condition::any().add(division::Column::DisplayName.like(like())).add(division::Column::Name.like(like())),
        );
    }
    if let Some(level) = wanted.level {
        query = query.filter(division::COLUMN.level.eq(level));
    }
    if let Some(after) = Cursor::read::<String>(wanted.cursor)? {
        query = query.filter(division::COLUMN.code.gt(after));
    }
    Ok(query.order_by_asc(division::Column::Code).limit(wanted.limit + 1).all(app.db.read()).await?)
}

/// One division, or 404.
pub async fn find(db: &impl ConnectionTrait, id: DivisionId) -> Result<division::Model, Problem> {
    division::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)
}

/// A place and those above it, for places of every level.
#[must_use]
pub fn line_up(place: &division::Model) -> [Option<DivisionId>; 4] {
    [Some(place.id), place.township_id, place.county_id, place.city_id]
}

/// A place and all below it, as a condition on the table of divisions.
#[must_use]
pub fn subtree(of: DivisionId) -> Condition {
    Condition::any()
        .add(division::COLUMN.id.eq(of))
        .add(division::COLUMN.township_id.eq(of))
        .add(division::COLUMN.county_id.eq(of))
        .add(division::COLUMN.city_id.eq(of))
}

/// A village and what lies above it: what every row of a village carries, so that lists of a township never join.
#[derive(Clone, Copy, Debug)]
pub struct Lineage {
    /// The village.
    pub village: DivisionId,
    /// Its township.
    pub township: DivisionId,
    /// Its county.
    pub county: DivisionId,
}

/// The lineage of a village; 422 at `pointer` when the id names no village.
pub async fn lineage(db: &impl ConnectionTrait, id: DivisionId, pointer: &str) -> Result<Lineage, Problem> {
    let known = lineages(db, BTreeSet::from([id])).await?;
    known.get(&id).copied().ok_or_else(|| Problem::field(pointer, "unknown"))
}

/// The lineages of these villages; what is no village is left out.
pub async fn lineages(
    db: &impl ConnectionTrait,
    ids: BTreeSet<DivisionId>,
) -> Result<HashMap<DivisionId, Lineage>, Problem> {
    let rows: Vec<(DivisionId, Option<DivisionId>, Option<DivisionId>)> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::TownshipId)
        .column(division::Column::CountyId)
        .filter(division::COLUMN.id.is_in(db::padded(ids)))
        .filter(division::COLUMN.level.eq(DivisionLevel::Village))
        .into_tuple()
        .all(db)
        .await?;
    let whole =
        |(village, township, county)| Some((village, Lineage { village, township: township?, county: county? }));
    Ok(rows.into_iter().filter_map(whole).collect())
}
