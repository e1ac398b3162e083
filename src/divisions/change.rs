//! What becomes of places: a third of Dazhou's townships and villages were merged within a year, and people's records
//! must survive it. A merged village keeps its row and its id; whatever lived in it lives in the other from then on.

use entity::{
    Instant, case, division, division_change, household,
    id::{DivisionChangeId, DivisionId, HouseholdId},
    person, posting, residence_claim, roster_entry, talk_day, talk_rule,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::Expr,
};

use crate::{
    clock::local_day,
    db::Tx,
    problem::{Code, OnUnique, Problem},
};

async fn by_code(tx: &Tx, code: &str) -> Result<division::Model, Problem> {
    let found = division::Entity::find().filter(division::COLUMN.code.eq(code)).one(tx).await?;
    found.ok_or_else(|| Problem::field("/code", "unknown"))
}

/// Gives a place another statistical code; whoever knows the old one still finds it.
///
/// # Errors
/// `invalid` for an unknown code, `already_exists` when the new one is taken.
pub async fn renumber(tx: &Tx, code: &str, new_code: &str, now: Instant) -> Result<division::Model, Problem> {
    let place = by_code(tx, code).await?;
    let mut row = place.into_active_model();
    row.code = Set(new_code.to_owned());
    let place = row.update(tx).await.on_unique(Code::AlreadyExists)?;
    note(tx, place.id, "renumbered", code, new_code, now).await?;
    Ok(place)
}

/// Merges a village into another: residents, rosters, households, staff, talk days and cases go with it.
///
/// # Errors
/// `invalid` when one of them is no standing village.
pub async fn merge(tx: &Tx, code: &str, into_code: &str, now: Instant) -> Result<division::Model, Problem> {
    let (from, into) = (by_code(tx, code).await?, by_code(tx, into_code).await?);
    for (place, pointer) in [(&from, "/code"), (&into, "/into")] {
        if place.level != division::DivisionLevel::Village || place.merged_into.is_some() {
            return Err(Problem::field(pointer, "not_allowed_here"));
        }
    }
    if from.id == into.id {
        return Err(Problem::field("/into", "not_allowed_here"));
    }
    move_households(tx, &from, into.id).await?;
    move_roster(tx, from.id, into.id).await?;
    macro_rules! moved {
        ($($table:ident: $column:ident $field:ident),*) => {$(
            $table::Entity::update_many()
                .col_expr($table::Column::$column, Expr::val(into.id))
                .filter($table::COLUMN.$field.eq(from.id))
                .exec(tx)
                .await?;
        )*};
    }
    moved!(
        person: VillageId village_id, residence_claim: VillageId village_id, posting: DivisionId division_id,
        talk_rule: DivisionId division_id, talk_day: DivisionId division_id
    );
    case::Entity::update_many()
        .col_expr(case::Column::VillageId, Expr::val(into.id))
        .col_expr(case::Column::TownshipId, Expr::val(into.township_id))
        .col_expr(case::Column::CountyId, Expr::val(into.county_id))
        .filter(case::COLUMN.village_id.eq(from.id))
        .exec(tx)
        .await?;
    let mut row = from.clone().into_active_model();
    row.merged_into = Set(Some(into.id));
    row.ended_on = Set(Some(local_day(now)));
    row.update(tx).await?;
    note(tx, into.id, "merged", code, into_code, now).await?;
    Ok(into)
}

async fn note(tx: &Tx, id: DivisionId, kind: &str, old: &str, new: &str, now: Instant) -> Result<(), Problem> {
    let row = division_change::ActiveModel {
        id: Set(DivisionChangeId::fresh()),
        division_id: Set(id),
        kind: Set(kind.to_owned()),
        old_code: Set(old.to_owned()),
        new_code: Set(new.to_owned()),
        at: Set(now),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Both villages number their households from 1: where numbers meet, the old village's name goes before.
async fn move_households(tx: &Tx, from: &division::Model, into: DivisionId) -> Result<(), Problem> {
    let there: Vec<String> = household::Entity::find()
        .select_only()
        .column(household::Column::Number)
        .filter(household::COLUMN.village_id.eq(into))
        .into_tuple()
        .all(tx)
        .await?;
    let meeting = household::Entity::find()
        .filter(household::COLUMN.village_id.eq(from.id))
        .filter(
            household::Column::Number.in_subquery(
                household::Entity::find()
                    .select_only()
                    .column(household::Column::Number)
                    .filter(household::COLUMN.village_id.eq(into))
                    .into_query(),
            ),
        )
        .all(tx)
        .await?;
    for row in meeting {
        let number = format!("{}-{}", from.display_name, row.number);
        let id: HouseholdId = row.id;
        let mut row = row.into_active_model();
        row.number = Set(if there.contains(&number) { format!("{number}-{id}") } else { number });
        row.update(tx).await?;
    }
    household::Entity::update_many()
        .col_expr(household::Column::VillageId, Expr::val(into))
        .filter(household::COLUMN.village_id.eq(from.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Somebody on both rosters stays on that of the village that stands.
async fn move_roster(tx: &Tx, from: DivisionId, into: DivisionId) -> Result<(), Problem> {
    let there = roster_entry::Entity::find()
        .select_only()
        .column(roster_entry::Column::CitizenNoHash)
        .filter(roster_entry::COLUMN.village_id.eq(into))
        .into_query();
    roster_entry::Entity::delete_many()
        .filter(roster_entry::COLUMN.village_id.eq(from))
        .filter(roster_entry::Column::CitizenNoHash.in_subquery(there))
        .exec(tx)
        .await?;
    roster_entry::Entity::update_many()
        .col_expr(roster_entry::Column::VillageId, Expr::val(into))
        .filter(roster_entry::COLUMN.village_id.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}
