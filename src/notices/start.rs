//! Beginning an attempt: whether it is time, what goes with it, and the mark that it has begun.
//!
//! The mark is committed before anything leaves the house. Whoever finds it and no end of it knows that somebody died on
//! the way, and waits for WeChat's word instead of sending again. A person's row is held meanwhile, so that what waits
//! for them is gathered by one. Next: [`super::attempt`].

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{NoticeDeliveryId, NoticeId, PersonId},
    notice,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State, NoticeUrgency},
    person,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};

use super::{
    channels,
    facts::{Facts, Known},
    hours, kinds, outcome,
    words::Told,
};
use crate::{
    app::App,
    db::{self, Tx},
    problem::{Language, Problem},
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
        State::Waiting => begin(tx, app, row, person.phone.is_some(), now).await,
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
        State::Unknown => Ok(again(&outcome::no_word(tx, app, row, now).await?, now)),
        _ => Ok(Start::Over),
    }
}

fn again(row: &notice_delivery::Model, now: Instant) -> Start {
    outcome::wait_of(row, now).map_or(Start::Over, Start::Later)
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
    gather(tx, app, &mut row, own_phone, now).await?;
    let Some((known, told)) = known_of(tx, app, &row, now).await? else {
        outcome::over(tx, row, State::Inbox).await?;
        return Ok(Start::Over);
    };
    if told.notices.is_empty() {
        outcome::over(tx, row, State::Read).await?;
        return Ok(Start::Over);
    }
    let failed = (row.channel == NoticeChannel::Sms).then_some(NoticeChannel::Wechat);
    let way = channels::way(known.standing, failed);
    if way != row.channel {
        // Meanwhile they took their consent back, or nothing is left of what they agreed to.
        let row = outcome::take(tx, row, way, now).await?;
        return Ok(again(&row, now));
    }
    let openid = known.openid.clone().filter(|_| way == NoticeChannel::Wechat);
    if let Some(openid) = &openid
        && let Some(before) = in_flight(tx, openid).await?
    {
        return behind(tx, app, row, &before, now).await;
    }
    if !app.pace.turn() {
        return Ok(Start::Later(TimeDelta::milliseconds(NOT_NOW_MS + rand::random_range(0..2 * NOT_NOW_MS))));
    }
    let template = known.template.as_ref().filter(|_| openid.is_some()).map(|template| template.id.clone());
    let begun = notice_delivery::Model {
        state: State::Sending,
        error: row.error.clone().filter(|error| error != outcome::BEHIND),
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
        return Ok(again(&outcome::next(tx, app, row, "one_before", now).await?, now));
    }
    let due_at = before.due_at.max(now + soon);
    let later = notice_delivery::Model { due_at, error: Some(outcome::BEHIND.to_owned()), ..row };
    later.into_active_model().reset_all().update(tx).await?;
    Ok(Start::Later(due_at - now))
}

async fn put_off(tx: &Tx, row: notice_delivery::Model, until: Instant, now: Instant) -> Result<Start, Problem> {
    let later = notice_delivery::Model { due_at: until, put_off: true, ..row };
    later.into_active_model().reset_all().update(tx).await?;
    Ok(Start::Later(until - now))
}

/// When somebody who was told enough lately may be told more.
async fn flood_ends_at(
    tx: &Tx,
    app: &App,
    row: &notice_delivery::Model,
    now: Instant,
) -> Result<Option<Instant>, Problem> {
    if row.urgency == NoticeUrgency::Danger || row.put_off {
        return Ok(None);
    }
    let within = TimeDelta::seconds(app.config.notices.together_within_s.into());
    let lately: Vec<Option<Instant>> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::TriedAt)
        .filter(notice_delivery::COLUMN.person_id.eq(row.person_id))
        .filter(notice_delivery::COLUMN.tried_at.gt(now - within))
        .filter(notice_delivery::COLUMN.state.is_in([State::Sending, State::Unknown, State::Sent]))
        .order_by_asc(notice_delivery::Column::TriedAt)
        .limit(u64::from(app.config.notices.together_over))
        .into_tuple()
        .all(tx)
        .await?;
    let enough = lately.len() as u64 >= u64::from(app.config.notices.together_over);
    Ok(lately.first().copied().flatten().filter(|_| enough).map(|first| first + within))
}

/// Lets what waits beside it go with it, when there is too much of it or it was held up. A text message that was tried
/// may have gone: neither does anything join it, nor does it join another. To a phone that was given for a case nothing
/// of other cases is said.
async fn gather(
    tx: &Tx,
    app: &App,
    row: &mut notice_delivery::Model,
    own_phone: bool,
    now: Instant,
) -> Result<(), Problem> {
    if row.channel == NoticeChannel::Sms && row.tries > 0 {
        return Ok(());
    }
    let fresh = Condition::any()
        .add(notice_delivery::COLUMN.channel.ne(NoticeChannel::Sms))
        .add(notice_delivery::COLUMN.tries.eq(0));
    let mut others = notice_delivery::Entity::find()
        .filter(notice_delivery::COLUMN.person_id.eq(row.person_id))
        .filter(notice_delivery::COLUMN.id.ne(row.id))
        // What is confidential may end at another desk.
        .filter(notice_delivery::COLUMN.confidential.eq(row.confidential))
        .filter(notice_delivery::COLUMN.state.eq(State::Waiting))
        .filter(notice_delivery::COLUMN.due_at.lte(now))
        .filter(fresh)
        .all(tx)
        .await?;
    if row.channel == NoticeChannel::Sms && !own_phone {
        others.retain(|other| other.case_id == row.case_id);
    }
    let held = row.put_off || others.iter().any(|other| other.put_off);
    let many = others.len() as u64 + 1 > u64::from(app.config.notices.together_over);
    if others.is_empty() || !(held || many) {
        return Ok(());
    }
    let ids: Vec<NoticeDeliveryId> = others.iter().map(|other| other.id).collect();
    notice_delivery::Entity::update_many()
        .col_expr(notice_delivery::Column::State, Expr::val(State::Merged))
        .col_expr(notice_delivery::Column::MergedInto, Expr::val(row.id))
        .filter(notice_delivery::Column::Id.is_in(db::padded(ids.iter().copied()).into_iter().map(|id| id.0)))
        .exec(tx)
        .await?;
    // Those that were told with one of them go on with this one.
    notice_delivery::Entity::update_many()
        .col_expr(notice_delivery::Column::MergedInto, Expr::val(row.id))
        .filter(notice_delivery::Column::MergedInto.is_in(ids.into_iter().map(|id| id.0)))
        .exec(tx)
        .await?;
    row.urgency = others.iter().map(|other| other.urgency).max().map_or(row.urgency, |most| most.max(row.urgency));
    row.discreet |= others.iter().any(|other| other.discreet);
    row.township_id = row.township_id.or_else(|| others.iter().find_map(|other| other.township_id));
    row.village_id = row.village_id.or_else(|| others.iter().find_map(|other| other.village_id));
    row.clone().into_active_model().reset_all().update(tx).await?;
    Ok(())
}

/// What is known of the person now, and all that is told at once, without what they have read; none when the notice is
/// not there any more.
pub(super) async fn known_of(
    tx: &Tx,
    app: &App,
    row: &notice_delivery::Model,
    now: Instant,
) -> Result<Option<(Known, Told)>, Problem> {
    let mut ids: Vec<NoticeId> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::NoticeId)
        .filter(notice_delivery::COLUMN.merged_into.eq(row.id))
        .into_tuple()
        .all(tx)
        .await?;
    ids.push(row.notice_id);
    let notices = notice::Entity::find()
        .filter(notice::COLUMN.id.is_in(db::padded(ids)))
        .order_by_asc(notice::Column::Id)
        .all(tx)
        .await?;
    let Some(head) = notices.iter().find(|notice| notice.id == row.notice_id) else { return Ok(None) };
    let facts = Facts::look(tx, app, &notices, now).await?;
    let Some(mut known) = facts.of(head) else { return Ok(None) };
    known.standing.urgency = row.urgency;
    let notices: Vec<notice::Model> = notices.into_iter().filter(|notice| notice.read_at.is_none()).collect();
    known.standing.must = notices.iter().any(|notice| kinds::of(&notice.kind).must);
    let language = if known.english { Language::En } else { Language::ZhCn };
    // What was gathered for WeChat may end as a text message to the phone of one case.
    let several = notices.iter().any(|notice| notice.case_id != row.case_id);
    let strange = row.channel == NoticeChannel::Sms && known.phone_of_a_case && several;
    Ok(Some((known, Told { notices, discreet: row.discreet || strange, language })))
}

/// Whether pushes of this person that came in time have had no effect yet; they are not waited for without end.
async fn reports_wait(tx: &Tx, app: &App, row: &notice_delivery::Model, now: Instant) -> Result<bool, Problem> {
    match &row.openid {
        Some(openid) if now < row.due_at + PUSH_MAY_WAIT => pushes::wait_of(tx, app, openid, row.due_at).await,
        _ => Ok(false),
    }
}

async fn in_flight(tx: &Tx, openid: &str) -> Result<Option<notice_delivery::Model>, Problem> {
    let other = notice_delivery::Entity::find().filter(notice_delivery::COLUMN.in_flight.eq(openid));
    Ok(other.one(tx).await?)
}
