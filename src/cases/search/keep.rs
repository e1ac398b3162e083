//! Reads new events of cases for words, a little after they were written: filing waits for nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entity::{
    case, case_event, case_search,
    id::{CaseEventId, CaseId},
    sweep,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::terms;
use crate::{
    app::App,
    cases::{log, workflow::Action},
    db::{self, Tx, padded},
    jobs::sweeps::Sweep,
    problem::Problem,
};

/// Cases read in one go.
const BATCH: u64 = 200;

/// What brings words.
const SAYS_SOMETHING: [Action; 3] = [Action::Submit, Action::Supplement, Action::Summarise];

/// Reads what was filed or added since the last time.
pub async fn read_new(app: &Arc<App>) -> Result<(), Problem> {
    let Some(newest) = log::newest(app.db.read()).await? else { return Ok(()) };
    let mark = sweep::Entity::find_by_id(Sweep::KeepWords.name().to_owned()).one(app.db.read()).await?;
    let mut from = mark.and_then(|row| row.mark).map(|mark| log::some_time_before(CaseEventId(mark)));
    loop {
        let found = unread(app.db.read(), from).await?;
        let Some((_, last)) = found.last().copied() else { break };
        // Of several events of a case the last stands.
        let new: BTreeMap<CaseId, CaseEventId> = found.into_iter().collect();
        app.db.transact(async move |tx| read(tx, &new).await).await?;
        from = Some(last);
    }
    app.db
        .transact(async move |tx| {
            sweep::Entity::update_many()
                .col_expr(sweep::Column::Mark, Expr::val(newest.0))
                .filter(sweep::COLUMN.name.eq(Sweep::KeepWords.name()))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
}

/// Events with words that were not read, and their cases.
async fn unread(db: &impl ConnectionTrait, from: Option<CaseEventId>) -> Result<Vec<(CaseId, CaseEventId)>, Problem> {
    let behind = Condition::any().add(case_search::COLUMN.event_id.is_null()).add(
        Expr::col((case_search::Entity, case_search::Column::EventId))
            .lt(Expr::col((case_event::Entity, case_event::Column::Id))),
    );
    let mut query = case_event::Entity::find()
        .select_only()
        .column(case_event::Column::CaseId)
        .column(case_event::Column::Id)
        .join(
            JoinType::LeftJoin,
            case_event::Entity::belongs_to(case_search::Entity)
                .from(case_event::Column::CaseId)
                .to(case_search::Column::CaseId)
                .into(),
        )
        .filter(case_event::COLUMN.action.is_in(SAYS_SOMETHING.map(Action::slug)))
        .filter(behind);
    if let Some(from) = from {
        query = query.filter(case_event::COLUMN.id.gt(from));
    }
    Ok(query.order_by_asc(case_event::Column::Id).limit(BATCH).into_tuple().all(db).await?)
}

/// Reads these cases anew.
async fn read(tx: &Tx, new: &BTreeMap<CaseId, CaseEventId>) -> Result<(), Problem> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|(case, event)| case_search::ActiveModel {
        case_id: Set(*case),
        event_id: Set(*event),
        ..Default::default()
    });
    let again = OnConflict::column(case_search::Column::CaseId).update_column(case_search::Column::EventId).to_owned();
    db::upsert_all(tx, rows.collect(), &again).await?;
    keep(tx, new.keys().copied().collect()).await
}

/// Keeps the words of these cases as they stand now. Those that were never read are left to the sweep.
pub async fn keep(tx: &Tx, ids: BTreeSet<CaseId>) -> Result<(), Problem> {
    let of_these = || padded(ids.iter().copied());
    let seqs = case_search::Entity::find().filter(case_search::COLUMN.case_id.is_in(of_these())).all(tx).await?;
    let seqs: BTreeMap<CaseId, i64> = seqs.into_iter().map(|row| (row.case_id, row.seq)).collect();
    let added = case_event::Entity::find()
        .select_only()
        .column(case_event::Column::CaseId)
        .column(case_event::Column::Text)
        .filter(case_event::COLUMN.case_id.is_in(of_these()))
        .filter(case_event::COLUMN.action.eq(Action::Supplement.slug()))
        .filter(case_event::COLUMN.text.is_not_null())
        .into_tuple::<(CaseId, Option<String>)>()
        .all(tx)
        .await?;
    for row in case::Entity::find().filter(case::COLUMN.id.is_in(of_these())).all(tx).await? {
        if let Some(seq) = seqs.get(&row.id) {
            let added = added.iter().filter(|(case, _)| *case == row.id).filter_map(|(_, text)| text.as_deref());
            db::keep_words(tx, *seq, &words(&row, added)).await?;
        }
    }
    Ok(())
}

/// The words of a case and where it may be found by them. A private matter is found by number and name alone.
fn words<'a>(row: &'a case::Model, added: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    if row.private {
        return BTreeSet::new();
    }
    let told = [
        Some(row.title.as_str()),
        Some(row.text.as_str()),
        row.summary.as_deref(),
        row.object.as_deref(),
        row.group_name.as_deref(),
    ];
    let mut words = terms::of_texts(told.into_iter().flatten().chain(added));
    let places = [row.village_id, row.township_id, row.county_id];
    words.extend(places.map(|place| super::place(place, row.confidential)));
    words
}
