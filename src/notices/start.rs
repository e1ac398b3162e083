//! Beginning an attempt: whether it is time, what goes with it, and the mark that it has begun.
//!
//! The mark is committed before anything leaves the house. Whoever finds it and no end of it knows that somebody died on
//! the way, and waits for WeChat's word instead of sending again. A person's row is held meanwhile, so that what waits
//! for them is gathered by one. Next: [`super::attempt`].

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{NoticeDeliveryId, PersonId},
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State, NoticeUrgency},
    person,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::LockType};

use super::{
    channels,
    delivery::{self, BEHIND, hand_on, over, send_by},
    facts::{self, Known, known_of},
    gather::{flood_ends_at, gather},
    hours, outcome,
    words::Told,
};
use crate::{
    app::App,
    db::{self, Tx},
    problem::Problem,
    pushes,
};

/// After so long without an end the attempt's maker is dead: longer than an exchange with all its repetitions.
pub(super) const DEAD_AFTER: TimeDelta = TimeDelta::seconds(60);
/// How long a push that came in time and has had no effect yet is waited for.
const PUSH_MAY_WAIT: TimeDelta = TimeDelta::minutes(3);
/// How long one waits while another message to the same person is on its way.
const NOT_NOW_MS: i64 = 1_000;

/// What is to be done.
pub(super) enum Start {
    /// Nothing, now or later.
    Over,
    /// Not now.
    Later(TimeDelta),
    /// It has begun.
    Begun(Box<Begun>),
}

/// An attempt that has begun.
pub(super) struct Begun {
    pub(super) row: notice_delivery::Model,
    pub(super) known: Known,
    pub(super) told: Told,
}

/// Begins the attempt of a delivery, if there is one to be made.
pub(super) async fn start(tx: &Tx, app: &App, id: NoticeDeliveryId, now: Instant) -> Result<Start, Problem> {
    let Some(person) = person_of(tx, id).await? else { return Ok(Start::Over) };
    let person = person::Entity::find_by_id(person).lock(LockType::NoKeyUpdate).one(tx).await?;
    // Whoever reads it in the app meanwhile, or a report, waits for us or we for them.
    let row = notice_delivery::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let (Some(person), Some(row)) = (person, row) else { return Ok(Start::Over) };
    let wait = row.due_at - now;
    match row.state {
        State::Waiting | State::Unknown if wait > TimeDelta::zero() => Ok(Start::Later(wait)),
        State::Waiting => {
            let own_phone = facts::takes_texts(&app.field_keys, person.phone.as_ref());
            begin(tx, app, row, own_phone, now).await
        }
        State::Sending => {
            let alive = row.tried_at.map_or(TimeDelta::zero(), |at| at + DEAD_AFTER - now);
            if alive > TimeDelta::zero() {
                return Ok(Start::Later(alive));
            }
            Ok(again(&outcome::unanswered(tx, app, row, "died", now).await?, now))
        }
        // What came in time and lies in our own queue is a report, too.
        State::Unknown if reports_wait(tx, app, &row, now).await? => {
            Ok(Start::Later(TimeDelta::milliseconds(NOT_NOW_MS)))
        }
        // There was time enough to report: WeChat has not taken it.
        State::Unknown => Ok(again(&hand_on(tx, app, row, "no_report", now).await?, now)),
        _ => Ok(Start::Over),
    }
}

fn again(row: &notice_delivery::Model, now: Instant) -> Start {
    delivery::wait_of(row, now).map_or(Start::Over, Start::Later)
}

async fn person_of(tx: &Tx, id: NoticeDeliveryId) -> Result<Option<PersonId>, Problem> {
    let person = notice_delivery::Entity::find_by_id(id).select_only().column(notice_delivery::Column::PersonId);
    Ok(person.into_tuple().one(tx).await?)
}

async fn begin(
    tx: &Tx,
    app: &App,
    mut row: notice_delivery::Model,
    own_phone: bool,
    now: Instant,
) -> Result<Start, Problem> {
    let settings = &app.config.notices;
    if let Some(until) = hours::held_until(settings, row.urgency, row.person_id, now) {
        return put_off(tx, row, until, now).await;
    }
    if let Some(until) = flood_ends_at(tx, app, &row, now).await? {
        return put_off(tx, row, until, now).await;
    }
    // Before anything is looked up: of many that wait for their turn each would look everything up each time.
    if !app.pace.turn() {
        return Ok(Start::Later(TimeDelta::milliseconds(NOT_NOW_MS + rand::random_range(0..2 * NOT_NOW_MS))));
    }
    gather(tx, app, &mut row, own_phone, now).await?;
    let Some((known, told)) = known_of(tx, app, &row, now).await? else {
        over(tx, row, State::Inbox).await?;
        return Ok(Start::Over);
    };
    if told.notices.is_empty() {
        over(tx, row, State::Read).await?;
        return Ok(Start::Over);
    }
    let failed = (row.channel == NoticeChannel::Sms).then_some(NoticeChannel::Wechat);
    let way = channels::way(known.standing, failed);
    if way != row.channel {
        // Meanwhile they took their consent back, or nothing is left of what they agreed to.
        let row = send_by(tx, row, way, now).await?;
        return Ok(again(&row, now));
    }
    let openid = known.openid.clone().filter(|_| way == NoticeChannel::Wechat);
    if let Some(openid) = &openid
        && let Some(before) = in_flight(tx, openid).await?
    {
        return behind(tx, app, row, &before, now).await;
    }
    let template = known.template.as_ref().filter(|_| openid.is_some()).map(|template| template.id.clone());
    let begun = notice_delivery::Model {
        state: State::Sending,
        error: row.error.clone().filter(|error| error != BEHIND),
        tried_at: Some(now),
        tries: row.tries + 1,
        openid: openid.clone(),
        in_flight: openid,
        template_id: template,
        ..row
    };
    begun.clone().into_active_model().reset_all().update(tx).await.map_err(db::again_on_unique)?;
    Ok(Start::Begun(Box::new(Begun { row: begun, known, told })))
}

/// Waits for a message to the same person that is on its way. Of one without an answer the report may take a quarter of
/// an hour, and must be told apart from that on this one: what does not keep goes another way at once.
async fn behind(
    tx: &Tx,
    app: &App,
    row: notice_delivery::Model,
    before: &notice_delivery::Model,
    now: Instant,
) -> Result<Start, Problem> {
    let soon = TimeDelta::milliseconds(NOT_NOW_MS + rand::random_range(0..NOT_NOW_MS));
    if before.state != State::Unknown {
        return Ok(Start::Later(soon));
    }
    if row.urgency >= NoticeUrgency::Urgent {
        return Ok(again(&hand_on(tx, app, row, "one_before", now).await?, now));
    }
    let due_at = before.due_at.max(now + soon);
    let later = notice_delivery::Model { due_at, error: Some(BEHIND.to_owned()), ..row };
    later.into_active_model().reset_all().update(tx).await?;
    Ok(Start::Later(due_at - now))
}

async fn put_off(tx: &Tx, row: notice_delivery::Model, until: Instant, now: Instant) -> Result<Start, Problem> {
    let later = notice_delivery::Model { due_at: until, put_off: true, ..row };
    later.into_active_model().reset_all().update(tx).await?;
    Ok(Start::Later(until - now))
}

/// Whether pushes of this person that came in time have had no effect yet; they are not waited for without end.
async fn reports_wait(tx: &Tx, app: &App, row: &notice_delivery::Model, now: Instant) -> Result<bool, Problem> {
    match &row.openid {
        Some(openid) if now < row.due_at + PUSH_MAY_WAIT => pushes::has_waiting(tx, app, openid, row.due_at).await,
        _ => Ok(false),
    }
}

async fn in_flight(tx: &Tx, openid: &str) -> Result<Option<notice_delivery::Model>, Problem> {
    let other = notice_delivery::Entity::find().filter(notice_delivery::COLUMN.in_flight.eq(openid));
    Ok(other.one(tx).await?)
}
