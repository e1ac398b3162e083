//! From events of cases to what receivers are to be told: a sweep that reads behind the writers.
//!
//! Filing and every other step write their event and nothing for us, so that they cost what they cost without receivers.
//! Each look begins some time before the newest event of the last one ([`cases::log`]), and a unique key on receiver and
//! event makes that nothing is taken twice.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{
    Instant, case, case_event,
    division::{self, DivisionLevel},
    id::{CaseEventId, WebhookDeliveryId},
    webhook::{self, WebhookState},
    webhook_delivery::{self, WebhookDeliveryState},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, OnConflict, SelectStatement},
};

use super::{deliver::Attempt, events};
use crate::{app::App, cases, db::Tx, divisions, jobs, problem::Problem};

/// Events taken in one go, and how many goes a receiver has in one run.
const BATCH: u64 = 200;
const GOES: u32 = 20;
/// How long what was taken is kept, and what nobody took.
const KEEP: TimeDelta = TimeDelta::days(30);
const KEEP_DEAD: TimeDelta = TimeDelta::days(90);

/// Whether anybody is to be told anything: the one thing that is asked where nobody is.
pub async fn has_receivers(app: &App) -> Result<bool, Problem> {
    Ok(active().limit(1).one(app.db.read()).await?.is_some())
}

fn active() -> sea_orm::Select<webhook::Entity> {
    webhook::Entity::find().filter(webhook::COLUMN.state.eq(WebhookState::Active))
}

/// Writes, for each receiver, what it is to be told of what happened since the last look, and the jobs that tell it.
pub async fn fan_out(app: &Arc<App>) -> Result<(), Problem> {
    let mut outcome = Ok(());
    for receiver in active().order_by_asc(webhook::Column::Id).all(app.db.read()).await? {
        // What goes wrong with one is not the others' fault.
        outcome = outcome.and(tell(app, receiver).await);
    }
    outcome
}

async fn tell(app: &Arc<App>, receiver: webhook::Model) -> Result<(), Problem> {
    let now = app.clock.now();
    let place = divisions::find(app.db.read(), receiver.division_id).await?;
    let Some(newest) = cases::log::newest(app.db.read()).await? else { return Ok(()) };
    for _ in 0..GOES {
        let found = untold(app.db.read(), &receiver, &place).await?;
        let whole = (found.len() as u64) < BATCH;
        if !found.is_empty() {
            let receiver = receiver.clone();
            app.db.transact(async move |tx| write(tx, &receiver, &found, now).await).await?;
        }
        if whole {
            return seen(app, &receiver, newest).await;
        }
    }
    // The rest is found from the same place next time.
    Ok(())
}

/// Events that the receiver is to be told and was not, the oldest first.
async fn untold(
    db: &DatabaseConnection,
    receiver: &webhook::Model,
    place: &division::Model,
) -> Result<Vec<case_event::Model>, Problem> {
    let kinds: Vec<String> = serde_json::from_value(receiver.kinds.clone()).map_err(Problem::unexpected)?;
    let actions = kinds.iter().filter_map(|word| events::action_of(word));
    let told = webhook_delivery::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(webhook_delivery::COLUMN.webhook_id.eq(receiver.id))
        .filter(
            Expr::col((webhook_delivery::Entity, webhook_delivery::Column::EventId))
                .equals((case_event::Entity, case_event::Column::Id)),
        );
    let mut events = case_event::Entity::find();
    if let Some(mark) = receiver.mark {
        events = events.filter(case_event::COLUMN.id.gt(cases::log::some_time_before(mark)));
    }
    Ok(events
        .filter(case_event::COLUMN.action.is_in(actions))
        .filter(case_event::COLUMN.at.gte(receiver.from_at))
        .filter(Expr::exists(cases_of(place)))
        .filter(Expr::not_exists(told.into_query()))
        .order_by_asc(case_event::Column::Id)
        .limit(BATCH)
        .all(db)
        .await?)
}

/// The case of an event, where it lies in the place and may be told.
fn cases_of(place: &division::Model) -> SelectStatement {
    let here = match place.level {
        DivisionLevel::Village => case::COLUMN.village_id.eq(place.id),
        DivisionLevel::Township => case::COLUMN.township_id.eq(place.id),
        DivisionLevel::County => case::COLUMN.county_id.eq(place.id),
        DivisionLevel::City => {
            let counties = division::Entity::find().select_only().column(division::Column::Id);
            let counties = counties.filter(division::COLUMN.city_id.eq(place.id));
            case::Column::CountyId.in_subquery(counties.into_query())
        }
    };
    let same = Expr::col((case::Entity, case::Column::Id)).equals((case_event::Entity, case_event::Column::CaseId));
    let may = Condition::all().add(same).add(here).add(open());
    case::Entity::find().select_only().expr(Expr::val(1)).filter(may).into_query()
}

/// Cases that may be told at all.
pub(super) fn open() -> Condition {
    Condition::all().add(case::COLUMN.confidential.eq(false)).add(case::COLUMN.private.eq(false))
}

async fn write(tx: &Tx, receiver: &webhook::Model, found: &[case_event::Model], now: Instant) -> Result<(), Problem> {
    let once = OnConflict::columns([webhook_delivery::Column::WebhookId, webhook_delivery::Column::EventId])
        .do_nothing()
        .to_owned();
    for event in found {
        let Some(word) = events::word_of(&event.action) else { continue };
        let row = webhook_delivery::ActiveModel {
            case_id: Set(Some(event.case_id)),
            ..fresh(receiver, event.id.0, word, now)
        };
        let delivery = row.id.clone().take().unwrap_or_else(WebhookDeliveryId::fresh);
        let written =
            webhook_delivery::Entity::insert(row).on_conflict(once.clone()).exec_without_returning(tx).await?;
        if written == 1 {
            schedule(tx, Attempt { delivery, round: 1, number: 1 }, now).await?;
        }
    }
    Ok(())
}

/// Something that is to be told now.
pub(super) fn fresh(
    receiver: &webhook::Model,
    event: uuid::Uuid,
    word: &str,
    now: Instant,
) -> webhook_delivery::ActiveModel {
    webhook_delivery::ActiveModel {
        id: Set(WebhookDeliveryId::fresh()),
        webhook_id: Set(receiver.id),
        event_id: Set(event),
        case_id: Set(None),
        kind: Set(word.to_owned()),
        state: Set(WebhookDeliveryState::Waiting),
        round: Set(1),
        attempts: Set(0),
        next_at: Set(Some(now)),
        tried_at: Set(None),
        delivered_at: Set(None),
        status: Set(None),
        error: Set(None),
        answer: Set(None),
        created_at: Set(now),
    }
}

/// Puts an attempt into the queue; a second one of the same number is none.
pub(super) async fn schedule(tx: &Tx, attempt: Attempt, at: Instant) -> Result<(), Problem> {
    let key = format!("webhook:{}:{}:{}", attempt.delivery, attempt.round, attempt.number);
    jobs::enqueue(tx, &jobs::Job::DeliverEvent(attempt), at, Some(key)).await
}

/// Notes how far was looked, unless somebody asked for more meanwhile.
async fn seen(app: &App, receiver: &webhook::Model, newest: CaseEventId) -> Result<(), Problem> {
    if receiver.mark == Some(newest) {
        return Ok(());
    }
    let (id, before, from_at) = (receiver.id, receiver.mark, receiver.from_at);
    app.db
        .transact(async move |tx| {
            let unchanged = match before {
                Some(before) => webhook::COLUMN.mark.eq(before),
                None => webhook::COLUMN.mark.is_null(),
            };
            webhook::Entity::update_many()
                .col_expr(webhook::Column::Mark, Some(newest).into())
                .filter(webhook::COLUMN.id.eq(id))
                .filter(unchanged)
                .filter(webhook::COLUMN.from_at.eq(from_at))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
}

/// Forgets what was taken long ago, and dead letters that nobody wanted.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let delivered = webhook_delivery::COLUMN.state.eq(WebhookDeliveryState::Delivered);
    let old = Condition::any()
        .add(delivered.and(webhook_delivery::COLUMN.created_at.lt(now - KEEP)))
        .add(webhook_delivery::COLUMN.created_at.lt(now - KEEP_DEAD));
    webhook_delivery::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(())
}
