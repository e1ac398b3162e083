//! Keeping receivers.

use chrono::TimeDelta;
use entity::{
    Instant,
    division::{self, DivisionLevel},
    id::{DivisionId, WebhookId},
    webhook::{self, WebhookOffReason, WebhookState},
    webhook_delivery,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde_json::json;

use super::{
    bodies::{ChangeWebhook, Entitled, MakeWebhook, RotateSecret},
    events, signature,
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::ManageReceivers},
    cases,
    clock::local_day,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
};

/// The most receivers of one place.
const MOST: u64 = 50;
/// How long a secret that was replaced signs too, where nothing else is said.
const OVERLAP_HOURS: i64 = 24;

/// A receiver within reach, and its place.
pub(super) async fn find(
    db: &impl sea_orm::ConnectionTrait,
    staff: &Staff<ManageReceivers>,
    id: WebhookId,
) -> Result<(webhook::Model, division::Model), Problem> {
    let row = webhook::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let place = divisions::reach(db, staff, row.division_id).await?;
    Ok((row, place))
}

/// Likewise, held until the commit.
pub(super) async fn held(tx: &Tx, staff: &Staff<ManageReceivers>, id: WebhookId) -> Result<webhook::Model, Problem> {
    let row = webhook::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    Ok(row)
}

/// The receivers of a place, the first made first, at most `size + 1`.
pub(super) async fn list(
    db: &DatabaseConnection,
    division: DivisionId,
    page: &PageQuery,
) -> Result<Vec<webhook::Model>, Problem> {
    let mut rows = webhook::Entity::find().filter(webhook::COLUMN.division_id.eq(division));
    if let Some(after) = Cursor::read::<WebhookId>(page.cursor.as_deref())? {
        rows = rows.filter(webhook::COLUMN.id.gt(after));
    }
    Ok(rows.order_by_asc(webhook::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// Makes a receiver; answers it and its secret.
///
/// # Errors
/// `invalid` at `/url` and `/entitled/until`; `limit_reached`; `not_your_duty` for personal data below the county.
pub(super) async fn make(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    division: DivisionId,
    body: &MakeWebhook,
) -> Result<(webhook::Model, String), Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    let now = app.clock.now();
    let url = app.webhooks.check(&body.url)?;
    check_entitled(staff, &place, body.entitled.as_ref(), None, now)?;
    // Two who add to the same place wait for each other.
    division::Entity::find_by_id(place.id).lock_exclusive().one(tx).await?;
    if webhook::Entity::find().filter(webhook::COLUMN.division_id.eq(place.id)).count(tx).await? >= MOST {
        return Err(Code::LimitReached.into());
    }
    let secret = signature::fresh_secret();
    let row = webhook::ActiveModel {
        id: Set(WebhookId::fresh()),
        division_id: Set(place.id),
        url: Set(url.to_string()),
        state: Set(WebhookState::Active),
        off_reason: Set(None),
        kinds: Set(kinds(body.kinds.as_deref())),
        secret: Set(app.field_keys.close(&PrivateText::of_stored(secret.clone()))?),
        former_secret: Set(None),
        former_until: Set(None),
        entitled: Set(body.entitled.as_ref().map(|entitled| json!(entitled))),
        entitled_at: Set(body.entitled.as_ref().map(|_| now)),
        from_at: Set(now),
        mark: Set(cases::log::newest(tx).await?),
        failing_since: Set(None),
        version: Set(1),
        created_by: Set(staff.id()),
        created_at: Set(now),
    };
    let row = row.insert(tx).await?;
    record(tx, app, staff, &row, entry_of("make_webhook", row.id, body.entitled.as_ref())).await?;
    Ok((row, secret))
}

/// Changes a receiver.
///
/// # Errors
/// As [`make`], and `stale`.
pub(super) async fn change(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    id: WebhookId,
    body: &ChangeWebhook,
) -> Result<webhook::Model, Problem> {
    let row = held(tx, staff, id).await?;
    let place = divisions::reach(tx, staff, row.division_id).await?;
    if body.version.is_some_and(|version| version != row.version) {
        return Err(Code::Stale.into());
    }
    let now = app.clock.now();
    let url = app.webhooks.check(&body.url)?;
    // Who may not give personal data may not lead it elsewhere either.
    check_entitled(staff, &place, body.entitled.as_ref(), super::bodies::entitled(&row)?.as_ref(), now)?;
    let (was, version) = (row.state, row.version);
    let entitled_before = super::bodies::entitled(&row)?;
    let mut next = row.into_active_model();
    next.url = Set(url.to_string());
    next.kinds = Set(kinds(body.kinds.as_deref()));
    next.entitled = Set(body.entitled.as_ref().map(|entitled| json!(entitled)));
    if body.entitled != entitled_before {
        next.entitled_at = Set(body.entitled.as_ref().map(|_| now));
    }
    next.version = Set(version + 1);
    match body.state.unwrap_or(WebhookState::Active) {
        WebhookState::Off if was == WebhookState::Active => {
            next.state = Set(WebhookState::Off);
            next.off_reason = Set(Some(WebhookOffReason::ByHand));
        }
        WebhookState::Active if was == WebhookState::Off => {
            next.state = Set(WebhookState::Active);
            next.off_reason = Set(None);
            next.failing_since = Set(None);
            next.from_at = Set(now);
            next.mark = Set(cases::log::newest(tx).await?);
        }
        WebhookState::Active | WebhookState::Off => {}
    }
    let row = next.update(tx).await?;
    record(tx, app, staff, &row, entry_of("change_webhook", row.id, body.entitled.as_ref())).await?;
    Ok(row)
}

/// Takes a receiver away, and what was to be told to it.
pub(super) async fn remove(tx: &Tx, app: &App, staff: &Staff<ManageReceivers>, id: WebhookId) -> Result<(), Problem> {
    let row = held(tx, staff, id).await?;
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::COLUMN.webhook_id.eq(id)).exec(tx).await?;
    webhook::Entity::delete_by_id(id).exec(tx).await?;
    record(tx, app, staff, &row, Entry::done("remove_webhook", "webhook", id)).await
}

/// Replaces the secret; the one before signs too for some hours.
pub(super) async fn rotate(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    id: WebhookId,
    body: &RotateSecret,
) -> Result<(webhook::Model, String), Problem> {
    let row = held(tx, staff, id).await?;
    let (now, version, former) = (app.clock.now(), row.version, row.secret.clone());
    let hours = body.overlap_hours.unwrap_or(OVERLAP_HOURS);
    let secret = signature::fresh_secret();
    let mut next = row.into_active_model();
    next.secret = Set(app.field_keys.close(&PrivateText::of_stored(secret.clone()))?);
    next.former_secret = Set((hours > 0).then_some(former));
    next.former_until = Set((hours > 0).then(|| now + TimeDelta::hours(hours)));
    next.version = Set(version + 1);
    let row = next.update(tx).await?;
    record(tx, app, staff, &row, Entry::done("rotate_webhook_secret", "webhook", id)).await?;
    Ok((row, secret))
}

fn kinds(said: Option<&[String]>) -> serde_json::Value {
    let all = || events::EVENTS.iter().map(|(_, word)| (*word).to_owned()).collect();
    json!(said.map_or_else(all, <[String]>::to_vec))
}

/// Personal data leaves the house on the word of the county or above only, and for a year at most.
fn check_entitled(
    staff: &Staff<ManageReceivers>,
    place: &division::Model,
    asked: Option<&Entitled>,
    had: Option<&Entitled>,
    now: Instant,
) -> Result<(), Problem> {
    if asked.is_none() && had.is_none() {
        return Ok(());
    }
    let above = |level| matches!(level, DivisionLevel::County | DivisionLevel::City);
    if !staff.postings().any(|posting| above(posting.level) && divisions::covers(posting, place)) {
        return Err(Problem::new(Code::NotYourDuty).pointing("/entitled"));
    }
    let Some(asked) = asked else { return Ok(()) };
    let today = local_day(now);
    if asked.until < today || asked.until > today + TimeDelta::days(366) {
        return Err(Problem::field("/entitled/until", "range"));
    }
    if asked.fields.iter().enumerate().any(|(at, field)| asked.fields.iter().take(at).any(|other| other == field)) {
        return Err(Problem::field("/entitled/fields", "duplicate"));
    }
    Ok(())
}

fn entry_of(action: &'static str, id: WebhookId, entitled: Option<&Entitled>) -> Entry {
    let entry = Entry::done(action, "webhook", id);
    match entitled {
        Some(entitled) => {
            let fields: Vec<&str> = entitled.fields.iter().map(|field| field.slug()).collect();
            entry.of_fields(fields.join(",")).because(entitled.legal_ground.clone())
        }
        None => entry,
    }
}

pub(super) async fn record(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    row: &webhook::Model,
    entry: Entry,
) -> Result<(), Problem> {
    tracing::debug!(webhook.id = %row.id, "a receiver was changed");
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, app.clock.now()).await
}
