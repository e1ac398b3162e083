//! One attempt to tell a receiver something.
//!
//! The job that makes it is leased to one worker for a minute, an attempt takes ten seconds at most, and what came of it is
//! noted only where the row still waits for this very attempt: two workers never make the same attempt at once, and one
//! that died makes it again. A receiver may so hear a thing twice, and knows it by its `webhook-id`.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{
    Instant, case, case_event, division,
    id::{CaseEventId, WebhookDeliveryId},
    unit,
    webhook::{self, WebhookOffReason, WebhookState},
    webhook_delivery::{self, WebhookDeliveryState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};

use super::{
    bodies::{self, WebhookField},
    events::{Beside, CaseCloudEvent, ToldContact},
    fan_out::{open, schedule},
    schedule,
    sender::{Message, Outcome},
    signature,
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    clock::local_day,
    db::Tx,
    people,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
};

/// Which attempt of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What is told.
    pub delivery: WebhookDeliveryId,
    /// In which round: a replay begins another.
    pub round: i32,
    /// The first is 1.
    pub number: i32,
}

/// How long an attempt is put off while enough are on their way to the same receiver.
const NOT_NOW_MS: i64 = 1_000;

/// Makes an attempt; says how long to wait when it is not this receiver's turn.
///
/// # Errors
/// Those of the database: then the job is tried again.
pub async fn deliver(app: &Arc<App>, attempt: Attempt) -> Result<Option<TimeDelta>, Problem> {
    let row = webhook_delivery::Entity::find_by_id(attempt.delivery).one(app.db.read()).await?;
    let waits = |row: &webhook_delivery::Model| {
        row.state == WebhookDeliveryState::Waiting && (row.round, row.attempts + 1) == (attempt.round, attempt.number)
    };
    let Some(row) = row.filter(waits) else { return Ok(None) };
    let Some(receiver) = webhook::Entity::find_by_id(row.webhook_id).one(app.db.read()).await? else {
        return Ok(None);
    };
    if receiver.state == WebhookState::Off {
        note(app, receiver, attempt, Outcome::failed("receiver_off"), false).await?;
        return Ok(None);
    }
    let Some(_turn) = app.webhooks.turn(receiver.id) else {
        return Ok(Some(TimeDelta::milliseconds(NOT_NOW_MS + rand::random_range(0..2 * NOT_NOW_MS))));
    };
    let Some((body, personal)) = body(app, &receiver, &row).await? else {
        // It may not be told any more: not even that there was something.
        let id = row.id;
        app.db
            .transact(async move |tx| Ok(webhook_delivery::Entity::delete_by_id(id).exec(tx).await.map(drop)?))
            .await?;
        return Ok(None);
    };
    let message = sign(app, &receiver, &row, body)?;
    let outcome = app.webhooks.send(message).await;
    note(app, receiver, attempt, outcome, personal).await?;
    Ok(None)
}

/// The message as text, and whether it holds personal data; none when it may not be told.
async fn body(
    app: &App,
    receiver: &webhook::Model,
    row: &webhook_delivery::Model,
) -> Result<Option<(String, bool)>, Problem> {
    let db = app.db.read();
    let Some(case) = row.case_id else {
        let message = CaseCloudEvent::test(row.event_id, receiver.division_id, row.created_at);
        return Ok(Some((serde_json::to_string(&message).map_err(Problem::unexpected)?, false)));
    };
    let case = case::Entity::find_by_id(case).filter(open()).one(db).await?;
    let event = case_event::Entity::find_by_id(CaseEventId(row.event_id)).one(db).await?;
    let (Some(case), Some(event)) = (case, event) else { return Ok(None) };
    let items = app.item_names.of(db, case.item_id.into_iter()).await?;
    let unit = unit::Entity::find_by_id(event.unit_id).one(db).await?;
    let place = division::Entity::find_by_id(case.village_id).one(db).await?;
    let contact = contact(app, receiver, &case, &event).await?;
    let personal = contact.is_some();
    let beside = Beside {
        item: case.item_id.and_then(|id| items.get(&id)).map(|item| item.code.clone()),
        unit: unit.map(|unit| unit.name),
        division_code: place.map(|place| place.code),
        contact,
    };
    let message = CaseCloudEvent::of(&case, &event, &row.kind, beside);
    Ok(Some((serde_json::to_string(&message).map_err(Problem::unexpected)?, personal)))
}

/// The personal data that the receiver is entitled to today. That it leaves is in the audit before it does.
async fn contact(
    app: &App,
    receiver: &webhook::Model,
    case: &case::Model,
    event: &case_event::Model,
) -> Result<Option<ToldContact>, Problem> {
    let now = app.clock.now();
    // A replay does not reach behind the day on which the receiver was entitled.
    if receiver.entitled_at.is_none_or(|from| event.at < from) {
        return Ok(None);
    }
    // Of children nothing leaves (个人信息保护法 31): no receiver is entitled to that.
    if people::is_minor(app.db.read(), &app.field_keys, case.person_id, local_day(now)).await? {
        return Ok(None);
    }
    let entitled = bodies::entitled(receiver)?.filter(|entitled| entitled.until >= local_day(now));
    let Some(entitled) = entitled else { return Ok(None) };
    let mut contact = ToldContact::default();
    for field in &entitled.fields {
        match field {
            WebhookField::ContactName => {
                let name = app.field_keys.open_if::<PersonName>(case.contact_name.as_ref())?;
                contact.name = name.map(|name| name.in_the_clear().to_owned());
            }
            WebhookField::ContactPhone => {
                let phone = app.field_keys.open_if::<PhoneNumber>(case.contact_phone.as_ref())?;
                contact.phone = phone.map(|phone| phone.in_the_clear().to_owned());
            }
        }
    }
    if contact == ToldContact::default() {
        return Ok(None);
    }
    let fields: Vec<&str> = entitled.fields.iter().map(|field| field.slug()).collect();
    let entry = Entry::done("tell_receiver", "case", case.id).of_fields(fields.join(","));
    let entry = entry.because(format!("webhook {}: {}", receiver.id, entitled.legal_ground));
    audit::note(app, &Actor::clock(), entry).await?;
    Ok(Some(contact))
}

fn sign(app: &App, receiver: &webhook::Model, row: &webhook_delivery::Model, body: String) -> Result<Message, Problem> {
    let now = app.clock.now();
    let former = receiver.former_secret.as_ref().filter(|_| receiver.former_until.is_some_and(|until| now < until));
    let mut secrets: Vec<PrivateText> = vec![app.field_keys.open(&receiver.secret)?];
    secrets.extend(app.field_keys.open_if::<PrivateText>(former)?);
    let (id, timestamp) = (row.event_id.to_string(), now.timestamp());
    let signature = signature::sign(secrets.iter().map(Personal::in_the_clear), &id, timestamp, &body)?;
    Ok(Message { url: receiver.url.clone(), id, timestamp, signature, body })
}

/// Notes what came of an attempt, and what follows: the next one, a dead letter, a receiver that is switched off.
async fn note(
    app: &Arc<App>,
    receiver: webhook::Model,
    attempt: Attempt,
    outcome: Outcome,
    personal: bool,
) -> Result<(), Problem> {
    let (shared, now) = (Arc::clone(app), app.clock.now());
    let taken = outcome.error.is_none();
    metrics::counter!("shuoshi_webhook_attempts_total", "outcome" => outcome.error.unwrap_or("taken")).increment(1);
    // Words of a receiver that was told personal data may repeat it.
    let answer = outcome.answer.filter(|text| !personal && !text.is_empty()).map(PrivateText::of_stored);
    let answer = answer.map(|answer| app.field_keys.close(&answer)).transpose()?;
    let gone = outcome.status == Some(410);
    let last = gone || outcome.error == Some("receiver_off");
    let pause = schedule::pause(attempt.number, outcome.retry_after_s, rand::random());
    let next = pause.filter(|_| !taken && !last).map(|pause| now + pause);
    let row = webhook_delivery::ActiveModel {
        state: Set(match next {
            _ if taken => WebhookDeliveryState::Delivered,
            Some(_) => WebhookDeliveryState::Waiting,
            None => WebhookDeliveryState::Dead,
        }),
        attempts: Set(attempt.number),
        next_at: Set(next),
        tried_at: Set(Some(now)),
        delivered_at: Set(taken.then_some(now)),
        status: Set(outcome.status.map(i32::from)),
        error: Set(outcome.error.map(str::to_owned)),
        answer: Set(answer),
        ..Default::default()
    };
    app.db
        .transact(async move |tx| {
            let noted = webhook_delivery::Entity::update_many()
                .set(row.clone())
                .filter(webhook_delivery::COLUMN.id.eq(attempt.delivery))
                .filter(webhook_delivery::COLUMN.state.eq(WebhookDeliveryState::Waiting))
                .filter(webhook_delivery::COLUMN.round.eq(attempt.round))
                .filter(webhook_delivery::COLUMN.attempts.eq(attempt.number - 1))
                .exec(tx)
                .await?;
            if noted.rows_affected == 0 {
                return Ok(());
            }
            if let Some(at) = next {
                schedule(tx, Attempt { number: attempt.number + 1, ..attempt }, at).await?;
            }
            if receiver.state == WebhookState::Active {
                of_receiver(tx, &shared, &receiver, taken, gone, now).await?;
            }
            Ok(())
        })
        .await
}

/// What an attempt says of the receiver: since when it takes nothing, and when that is enough.
async fn of_receiver(
    tx: &Tx,
    app: &App,
    receiver: &webhook::Model,
    taken: bool,
    gone: bool,
    now: Instant,
) -> Result<(), Problem> {
    let this = || webhook::Entity::update_many().filter(webhook::COLUMN.id.eq(receiver.id));
    if taken {
        if receiver.failing_since.is_some() {
            let well = webhook::ActiveModel { failing_since: Set(None), ..Default::default() };
            this().set(well).exec(tx).await?;
        }
        return Ok(());
    }
    if receiver.failing_since.is_none() {
        let failing = webhook::ActiveModel { failing_since: Set(Some(now)), ..Default::default() };
        this().set(failing).filter(webhook::COLUMN.failing_since.is_null()).exec(tx).await?;
    }
    let too_long = receiver.failing_since.is_some_and(|since| now - since >= schedule::GIVE_UP_AFTER);
    let (reason, word) = match (gone, too_long) {
        (true, _) => (WebhookOffReason::Gone, "gone"),
        (_, true) => (WebhookOffReason::Failing, "failing"),
        _ => return Ok(()),
    };
    let off = webhook::ActiveModel {
        state: Set(WebhookState::Off),
        off_reason: Set(Some(reason)),
        version: Set(receiver.version + 1),
        ..Default::default()
    };
    let active = this().set(off).filter(webhook::COLUMN.state.eq(WebhookState::Active)).exec(tx).await?;
    if active.rows_affected == 1 {
        let entry = Entry::done("switch_webhook_off", "webhook", receiver.id).because(word);
        audit::record(tx, &app.field_keys, &Actor::clock(), entry, now).await?;
    }
    Ok(())
}
