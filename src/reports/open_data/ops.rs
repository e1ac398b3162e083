//! Which months everybody may read of: those whose list was signed and not corrected since.

use chrono::{DateTime, Utc};
use entity::{
    id::DivisionId,
    report::{self, ReportKind, ReportState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{package, table};
use crate::{
    app::App,
    divisions,
    problem::Problem,
    reports::content::{ReportContent, ReportPlace},
};

/// Months of one package, the newest.
const MOST: u64 = 60;

/// The package of a place.
pub(super) struct OpenData {
    pub(super) descriptor: String,
    pub(super) cases: String,
    pub(super) rates: String,
}

/// What is open of a place; of one that signed nothing, empty tables.
///
/// # Errors
/// `not_found`.
pub(super) async fn of(app: &App, division: DivisionId) -> Result<OpenData, Problem> {
    let db = app.db.read();
    let place = divisions::find(db, division).await?;
    let mut rows: Vec<(String, Option<DateTime<Utc>>)> = report::Entity::find()
        .filter(report::COLUMN.division_id.eq(place.id))
        .filter(report::COLUMN.kind.eq(ReportKind::MonthlyList))
        .filter(report::COLUMN.state.eq(ReportState::Signed))
        .filter(report::COLUMN.replaced_by.is_null())
        .select_only()
        .column(report::Column::Content)
        .column(report::Column::SettledAt)
        .order_by_desc(report::Column::Period)
        .limit(MOST)
        .into_tuple()
        .all(db)
        .await?;
    rows.reverse();
    let signed_at = rows.iter().filter_map(|(_, at)| *at).max();
    let read = |(text, _): &(String, _)| serde_json::from_str::<ReportContent>(text).map_err(Problem::unexpected);
    let months: Vec<ReportContent> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let (cases, rates) = (table::cases(&months)?, table::rates(&months)?);
    let text = |bytes| String::from_utf8(bytes).map_err(Problem::unexpected);
    Ok(OpenData {
        descriptor: package::write(&ReportPlace::from(&place), signed_at, &cases, &rates)?,
        cases: text(cases)?,
        rates: text(rates)?,
    })
}
