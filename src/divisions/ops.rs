//! Finding divisions.

use std::collections::{BTreeSet, HashMap};

use entity::{
    division::{self, DivisionLevel},
    division_change,
    id::DivisionId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

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
    if wanted.code.is_none() {
        query = query.filter(division::COLUMN.merged_into.is_null());
    }
    if let Some(parent) = wanted.parent {
        query = query.filter(division::COLUMN.parent_id.eq(parent));
    }
    if let Some(code) = wanted.code {
        // A paper may carry the number a place had before.
        let renumbered = division_change::Entity::find()
            .select_only()
            .column(division_change::Column::DivisionId)
            .filter(division_change::COLUMN.old_code.eq(code));
        let by_code = Condition::any()
            .add(division::COLUMN.code.eq(code))
            .add(division::COLUMN.mca_code.eq(code))
            .add(division::Column::Id.in_subquery(renumbered.into_query()));
        query = query.filter(by_code);
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

/// The division as it stands today: of one that was merged, the one that took it in.
pub async fn standing(db: &impl ConnectionTrait, id: DivisionId) -> Result<division::Model, Problem> {
    let mut place = find(db, id).await?;
    // A chain of mergers is short, and a ring of them must not hold anybody.
    for _ in 0..8 {
        match place.merged_into {
            Some(into) => place = find(db, into).await?,
            None => break,
        }
    }
    Ok(place)
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
    // Itself, what it was merged into, township, county.
    type Row = (DivisionId, Option<DivisionId>, Option<DivisionId>, Option<DivisionId>);
    let rows: Vec<Row> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::MergedInto)
        .column(division::Column::TownshipId)
        .column(division::Column::CountyId)
        .filter(division::COLUMN.id.is_in(db::padded(ids)))
        .filter(division::COLUMN.level.eq(DivisionLevel::Village))
        .into_tuple()
        .all(db)
        .await?;
    let whole = |(id, village, township, county)| Some((id, Lineage { village, township: township?, county: county? }));
    let (merged, standing): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, into, ..)| into.is_some());
    let standing = standing.into_iter().map(|(id, _, township, county)| (id, id, township, county));
    let mut lineages: HashMap<DivisionId, Lineage> = standing.filter_map(whole).collect();
    // An old app may still name a village that was merged: what it sends belongs to the one that took it in.
    for (id, ..) in merged {
        let now = self::standing(db, id).await?;
        lineages.extend(whole((id, now.id, now.township_id, now.county_id)));
    }
    Ok(lineages)
}
