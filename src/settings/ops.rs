//! Settings in the database: reading all of them, setting those of one place.

use std::{collections::HashMap, sync::Arc};

use entity::{
    division::{self, DivisionLevel},
    division_setting,
    id::DivisionId,
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use super::{Own, Settings, bodies::ChangeSettings, clocks::Stamp};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::ManageAccounts},
    calendar::{self, Calendar},
    db::Tx,
    problem::Problem,
};

/// What a place sets is one row of this key.
const KEY: &str = "cases";

/// Everything that places set, over this calendar.
pub async fn load(db: &DatabaseConnection, calendar: Arc<Calendar>) -> Result<Settings, Problem> {
    let rows = division_setting::Entity::find()
        .filter(division_setting::COLUMN.key.eq(KEY))
        .order_by_asc(division_setting::Column::DivisionId)
        .all(db)
        .await?;
    let stamp = stamp(&rows);
    let mut own: HashMap<DivisionId, Own> = HashMap::new();
    for row in rows {
        let read = serde_json::from_value::<ChangeSettings>(row.value).map_err(Problem::unexpected)?.read();
        match read {
            Ok(read) => {
                own.insert(row.division_id, read);
            }
            // Bounds may have narrowed since it was set: then what is above holds.
            Err(problem) => {
                tracing::warn!(division.id = %row.division_id, "settings of a place are passed over: {problem}");
            }
        }
    }
    let counties: Vec<(DivisionId, Option<DivisionId>)> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::CityId)
        .filter(division::COLUMN.level.eq(DivisionLevel::County))
        .into_tuple()
        .all(db)
        .await?;
    let above = counties.into_iter().filter_map(|(county, city)| Some((county, city?))).collect();
    Ok(Settings::new(calendar, own, above, stamp))
}

/// Takes over what was set, or a calendar that was published, since.
pub async fn refresh(app: &App) -> Result<(), Problem> {
    calendar::refresh(app).await?;
    let (calendar, known) = (app.calendar.load_full(), app.settings.load());
    let rows = division_setting::Entity::find()
        .filter(division_setting::COLUMN.key.eq(KEY))
        .order_by_asc(division_setting::Column::DivisionId)
        .all(app.db.read())
        .await?;
    if stamp(&rows) != *known.stamp() || !Arc::ptr_eq(&calendar, known.calendar()) {
        app.settings.store(Arc::new(load(app.db.read(), calendar).await?));
    }
    Ok(())
}

fn stamp(rows: &[division_setting::Model]) -> Stamp {
    rows.iter().map(|row| (row.division_id, row.value.clone())).collect()
}

/// Sets what a place sets.
///
/// # Errors
/// `invalid` with a pointer.
pub async fn change(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageAccounts>,
    place: &division::Model,
    body: &ChangeSettings,
) -> Result<Own, Problem> {
    let own = body.read()?;
    // Another change of the same place waits: the later one rules.
    division::Entity::find_by_id(place.id).lock_exclusive().one(tx).await?;
    let now = app.clock.now();
    division_setting::Entity::delete_by_id((place.id, KEY.to_owned())).exec(tx).await?;
    let row = division_setting::ActiveModel {
        division_id: Set(place.id),
        key: Set(KEY.to_owned()),
        value: Set(serde_json::to_value(body).map_err(Problem::unexpected)?),
        changed_at: Set(now),
        changed_by: Set(staff.id()),
    };
    division_setting::Entity::insert(row).exec_without_returning(tx).await?;
    let entry = Entry::done("change_settings", "division", place.id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(own)
}

/// The places whose settings hold in this one, itself first.
#[must_use]
pub fn lineage(place: &division::Model) -> Vec<DivisionId> {
    let mut places: Vec<DivisionId> =
        [Some(place.id), place.township_id, place.county_id, place.city_id].into_iter().flatten().collect();
    places.dedup();
    places
}
