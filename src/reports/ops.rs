//! Drawing, signing, discarding and finding reports.
//!
//! A report is reckoned before the transaction, on a connection that only reads: its period is over, nothing in it moves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entity::{
    division,
    id::{CaseId, DivisionId, ReportId, StaffId, UnitId},
    report::{self, ReportKind, ReportState},
    report_line, unit,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set, sea_query::Expr,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    canonical,
    content::{self, About, Names, ReportPlace},
    measure::{Measures, ReportMeasure, Rulers},
    periods::{self, Named, Span},
    tally::{Population, Sums},
    views::{DrawReport, ListReports, ReportSummary},
    walk::{self, Walk},
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Staff,
        duty::{DrawReports, SignReports},
    },
    calendar::Period,
    clock::local_day,
    db::{Tx, insert_all, padded},
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, OnUnique, Problem},
    settings,
};

/// Everything that is written of a report that was drawn.
pub(super) struct Drawn {
    division: DivisionId,
    kind: ReportKind,
    period: Named,
    content: String,
    lines: Vec<String>,
    digest: String,
    population: String,
}

/// Whether a kind lists its cases.
pub(super) fn lists(kind: ReportKind) -> bool {
    kind == ReportKind::MonthlyList
}

/// Reckons a report of a place that the staff reach.
///
/// # Errors
/// 422 at `/period`, see [`periods::read`]; at `/kind` `too_many` cases.
pub(super) async fn reckon(
    app: &App,
    staff: &Staff<DrawReports>,
    division: DivisionId,
    body: &DrawReport,
) -> Result<Drawn, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, division).await?;
    let period = periods::read(body.kind, &body.period, local_day(app.clock.now()))?;
    let before = periods::before(body.kind, period.days);
    let from = before.as_ref().map_or(period.days.from, |before| before.days.from);
    let measures = measures(app, &place, Period { from, to: period.days.to }).await?;
    let walk = Walk {
        db,
        span: Span::of(period.days),
        before: before.as_ref().map(|before| Span::of(before.days)),
        rulers: Rulers::of(&measures),
        lists: lists(body.kind),
    };
    let sums = walk.of_place(&place).await?;
    let names = names(db, &place, body.kind, &sums).await?;
    let about = About {
        division: place.id,
        level: place.level,
        place: ReportPlace::from(&place),
        kind: body.kind,
        period: &period,
        before: before.as_ref(),
        measures: &measures,
    };
    let (content, lines) = content::write(about, &sums, names);
    let (content, lines) = (canonical::text(&content)?, written(&lines)?);
    Ok(Drawn {
        division: place.id,
        kind: body.kind,
        digest: canonical::digest(&content, lines.iter().map(String::as_str)),
        content,
        lines,
        population: write_population(&sums.population)?,
        period,
    })
}

/// By what the place reckons now, and villages below it that go by other numbers.
async fn measures(app: &App, place: &division::Model, days: Period) -> Result<Measures, Problem> {
    let settings = app.settings.load();
    let of = |place: &division::Model| ReportMeasure::of(&settings.of(&settings::lineage(place)), days);
    let whole = of(place);
    let villages = walk::places(app.db.read(), place, []).await?;
    // Villages that share their settings share the clocks: each is measured once.
    let mut known: Vec<(Arc<settings::Clocks>, ReportMeasure)> = Vec::new();
    let mut own = BTreeMap::new();
    for (id, village) in villages {
        let clocks = settings.of(&settings::lineage(&village));
        let measure = if let Some((_, measure)) = known.iter().find(|(of, _)| Arc::ptr_eq(of, &clocks)) {
            measure.clone()
        } else {
            let measure = ReportMeasure::of(&clocks, days);
            known.push((clocks, measure.clone()));
            measure
        };
        if measure != whole {
            own.insert(id.to_string(), measure);
        }
    }
    Ok(Measures { place: whole, own })
}

/// Of a review all villages, of the others those that had something to do with it; of a list the units.
async fn names(
    db: &DatabaseConnection,
    place: &division::Model,
    kind: ReportKind,
    sums: &Sums,
) -> Result<Names, Problem> {
    let all = walk::places(db, place, sums.villages.keys().copied()).await?;
    let needed = |id: &DivisionId| kind == ReportKind::BimonthlyReview || sums.villages.contains_key(id);
    let places = all.iter().filter(|(id, _)| needed(id)).map(|(id, row)| (id.to_string(), ReportPlace::from(row)));
    let ids: BTreeSet<UnitId> = sums.listed.iter().map(|listed| listed.end.unit).collect();
    let mut units = BTreeMap::new();
    for ids in ids.into_iter().collect::<Vec<_>>().chunks(256) {
        let rows = unit::Entity::find().filter(unit::COLUMN.id.is_in(padded(ids.iter().copied()))).all(db).await?;
        units.extend(rows.into_iter().map(|row| (row.id.to_string(), row.name)));
    }
    Ok(Names { places: places.collect(), units })
}

/// Lines, each in its one form.
pub(super) fn written(lines: &[impl Serialize]) -> Result<Vec<String>, Problem> {
    lines.iter().map(canonical::text).collect()
}

fn write_population(population: &Population) -> Result<String, Problem> {
    let bytes = |ids: &Vec<CaseId>| ids.iter().flat_map(|id| id.0.into_bytes()).collect::<Vec<u8>>();
    let written: BTreeMap<String, String> =
        population.iter().map(|(village, ids)| (village.to_string(), STANDARD.encode(bytes(ids)))).collect();
    canonical::text(&written)
}

/// The cases a report reckons with.
pub(super) fn read_population(text: &str) -> Result<Population, Problem> {
    let written: BTreeMap<Uuid, String> = serde_json::from_str(text).map_err(Problem::unexpected)?;
    let mut population = Population::new();
    for (village, ids) in written {
        let bytes = STANDARD.decode(ids).map_err(Problem::unexpected)?;
        let ids = bytes.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).map(CaseId);
        population.insert(DivisionId(village), ids.collect());
    }
    Ok(population)
}

/// Keeps what was drawn, to be looked at and signed.
///
/// # Errors
/// `already_exists` where one of the period is drawn, or signed and not corrected by this one; 422 at `/replaces` where the
/// report to be corrected is not the one that holds, at `/reason` where none is given.
pub(super) async fn keep(
    tx: &Tx,
    app: &App,
    staff: &Staff<DrawReports>,
    body: &DrawReport,
    drawn: &Drawn,
) -> Result<report::Model, Problem> {
    let holds = report::Entity::find()
        .filter(report::COLUMN.division_id.eq(drawn.division))
        .filter(report::COLUMN.kind.eq(drawn.kind))
        .filter(report::COLUMN.period.eq(drawn.period.name.as_str()))
        .filter(report::COLUMN.state.eq(ReportState::Signed))
        .filter(report::COLUMN.replaced_by.is_null())
        .select_only()
        .column(report::Column::Id)
        .into_tuple::<ReportId>()
        .one(tx)
        .await?;
    match (holds, body.replaces) {
        (Some(_), None) => return Err(Code::AlreadyExists.into()),
        (holds, Some(replaced)) if holds != Some(replaced) => return Err(Problem::field("/replaces", "unknown")),
        (_, Some(_)) if body.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) => {
            return Err(Problem::field("/reason", "required"));
        }
        _ => {}
    }
    if body.replaces.is_none() && body.reason.is_some() {
        return Err(Problem::field("/reason", "not_allowed_here"));
    }
    let now = app.clock.now();
    let row = report::ActiveModel {
        id: Set(ReportId::fresh()),
        division_id: Set(drawn.division),
        kind: Set(drawn.kind),
        period: Set(drawn.period.name.clone()),
        period_from: Set(drawn.period.days.from),
        period_to: Set(drawn.period.days.to),
        state: Set(ReportState::Drawn),
        version: Set(1),
        content: Set(drawn.content.clone()),
        digest: Set(drawn.digest.clone()),
        lines: Set(i32::try_from(drawn.lines.len()).unwrap_or(i32::MAX)),
        population: Set(drawn.population.clone()),
        drawn_by: Set(staff.id()),
        drawn_at: Set(now),
        settled_by: Set(None),
        settled_at: Set(None),
        replaces: Set(body.replaces),
        reason: Set(body.reason.clone()),
        replaced_by: Set(None),
    };
    let row = row.insert(tx).await.on_unique(Code::AlreadyExists)?;
    let lines = (1..).zip(&drawn.lines).map(|(seq, line)| report_line::ActiveModel {
        report_id: Set(row.id),
        seq: Set(seq),
        line: Set(line.clone()),
    });
    insert_all(tx, lines.collect()).await?;
    let entry = Entry::done("draw_report", "report", row.id).of_fields(said(&row));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}

/// Kind and period, for the audit.
pub(super) fn said(row: &report::Model) -> String {
    let kind = serde_json::to_value(row.kind).ok();
    format!("{} {}", kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default(), row.period)
}

/// A report that is drawn and stands in this version, held until the commit.
async fn held(tx: &Tx, id: ReportId) -> Result<report::Model, Problem> {
    report::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)
}

fn still_drawn(row: &report::Model, version: i32) -> Result<(), Problem> {
    if row.state != ReportState::Drawn {
        return Err(Problem::new(Code::TransitionNotAllowed).with("state", row.state));
    }
    if row.version == version { Ok(()) } else { Err(Code::Stale.into()) }
}

fn settled(row: report::Model, state: ReportState, by: StaffId, app: &App) -> report::ActiveModel {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.state = Set(state);
    row.version = Set(version);
    row.settled_by = Set(Some(by));
    row.settled_at = Set(Some(app.clock.now()));
    row
}

/// Signs what another person drew: from now on it never changes.
///
/// # Errors
/// `transition_not_allowed`, `stale`, `another_signer_needed`.
pub(super) async fn sign(
    tx: &Tx,
    app: &App,
    staff: &Staff<SignReports>,
    id: ReportId,
    version: i32,
) -> Result<report::Model, Problem> {
    let row = held(tx, id).await?;
    divisions::reach(tx, staff, row.division_id).await?;
    still_drawn(&row, version)?;
    if row.drawn_by == staff.id() {
        return Err(Code::AnotherSignerNeeded.into());
    }
    let lines = lines_of(tx, row.id).await?;
    if canonical::digest(&row.content, lines.iter().map(String::as_str)) != row.digest {
        return Err(Problem::unexpected("what is to be signed is not what was drawn"));
    }
    if let Some(replaced) = row.replaces {
        let corrected = report::Entity::update_many()
            .col_expr(report::Column::ReplacedBy, Expr::val(row.id))
            .filter(report::COLUMN.id.eq(replaced))
            .filter(report::COLUMN.replaced_by.is_null())
            .exec(tx)
            .await?;
        if corrected.rows_affected != 1 {
            return Err(Code::Stale.into());
        }
    }
    let row = settled(row, ReportState::Signed, staff.id(), app).update(tx).await.on_unique(Code::AlreadyExists)?;
    let entry = Entry::done("sign_report", "report", row.id).of_fields(said(&row));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, app.clock.now()).await?;
    Ok(row)
}

/// Throws away what was drawn and nobody signed. That it was drawn stays on record.
///
/// # Errors
/// `transition_not_allowed`, `stale`.
pub(super) async fn discard(
    tx: &Tx,
    app: &App,
    staff: &Staff<DrawReports>,
    id: ReportId,
    version: i32,
) -> Result<report::Model, Problem> {
    let row = held(tx, id).await?;
    divisions::reach(tx, staff, row.division_id).await?;
    still_drawn(&row, version)?;
    let row = settled(row, ReportState::Discarded, staff.id(), app).update(tx).await?;
    let entry = Entry::done("discard_report", "report", row.id).of_fields(said(&row));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, app.clock.now()).await?;
    Ok(row)
}

/// Reports of a place, the newest first, at most `size + 1`.
pub(super) async fn list(
    app: &App,
    division: DivisionId,
    by: &ListReports,
    page: &PageQuery,
) -> Result<Vec<ReportSummary>, Problem> {
    use report::Column::{
        Digest, DivisionId, DrawnAt, DrawnBy, Id, Kind, Lines, Period as Name, PeriodFrom, PeriodTo, Reason,
        ReplacedBy, Replaces, SettledAt, SettledBy, State, Version,
    };
    let mut query = report::Entity::find().filter(report::COLUMN.division_id.eq(division));
    if let Some(kind) = by.kind {
        query = query.filter(report::COLUMN.kind.eq(kind));
    }
    if let Some(state) = by.state {
        query = query.filter(report::COLUMN.state.eq(state));
    }
    if let Some(period) = &by.period {
        let days = Period::read(period)?;
        query = query.filter(report::COLUMN.period_from.eq(days.from)).filter(report::COLUMN.period_to.eq(days.to));
    }
    if let Some(before) = Cursor::read::<ReportId>(page.cursor.as_deref())? {
        query = query.filter(report::COLUMN.id.lt(before));
    }
    let columns = [
        Id, DivisionId, Kind, Name, PeriodFrom, PeriodTo, State, Version, Digest, Lines, DrawnBy, DrawnAt, SettledBy,
        SettledAt, Replaces, Reason, ReplacedBy,
    ];
    let query = query.select_only().columns(columns).order_by_desc(Id).limit(page.size() + 1);
    Ok(query.into_model::<ReportSummary>().all(app.db.read()).await?)
}

/// A report of a place that the staff reach, or 404.
pub(super) async fn find(app: &App, staff: &Staff<DrawReports>, id: ReportId) -> Result<report::Model, Problem> {
    let db = app.db.read();
    let row = report::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(db, staff, row.division_id).await?;
    Ok(row)
}

/// The next lines of a list as they are stored, with their places in it.
pub(super) async fn lines(
    db: &impl ConnectionTrait,
    id: ReportId,
    after: i32,
    limit: u64,
) -> Result<Vec<report_line::Model>, Problem> {
    let query = report_line::Entity::find()
        .filter(report_line::COLUMN.report_id.eq(id))
        .filter(report_line::COLUMN.seq.gt(after))
        .order_by_asc(report_line::Column::Seq);
    Ok(query.limit(limit).all(db).await?)
}

/// All lines of a list; there are no more than one may have.
pub(super) async fn lines_of(db: &impl ConnectionTrait, id: ReportId) -> Result<Vec<String>, Problem> {
    let most = u64::try_from(walk::MOST_LINES).unwrap_or(u64::MAX);
    Ok(lines(db, id, 0, most).await?.into_iter().map(|row| row.line).collect())
}
