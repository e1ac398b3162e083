//! Keys of those who file through Open311: given out, counted, taken back; and what each filed lately.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::{
    Instant, api_key,
    id::{ApiKeyId, DivisionId},
    open311_request,
};
use rand::distr::{Alphanumeric, SampleString};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use sha2::{Digest, Sha256};

use super::format::Fault;
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{self, Staff, duty::ManageReceivers},
    crypto::hex,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
};

/// The most keys of one place.
const MOST: u64 = 100;
/// Letters of a key after its beginning.
const LETTERS: usize = 40;
/// Letters that are shown afterwards.
const SHOWN: usize = 8;
/// Wrong keys from one address in ten minutes.
const WRONG_KEYS: u32 = 20;
/// How long what was filed is remembered for repeats.
const REMEMBER: TimeDelta = TimeDelta::hours(48);

/// Under what a key is kept. It is long and random: nobody guesses it from a plain digest, and it needs no key of ours.
fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// The key that a call brings.
///
/// # Errors
/// 403 for a wrong, unknown or revoked one; 429 where too many were wrong.
pub(super) async fn known(app: &App, key: Option<&String>, address: Option<IpAddr>) -> Result<api_key::Model, Fault> {
    if let Some(key) = key {
        let live = api_key::Entity::find()
            .filter(api_key::COLUMN.digest.eq(digest(key)))
            .filter(api_key::COLUMN.revoked_at.is_null());
        if let Some(known) = live.one(app.db.read()).await? {
            return Ok(known);
        }
        if let Some(address) = address {
            let (counter, now) = (format!("open311:{address}"), app.clock.now());
            let window = TimeDelta::minutes(10);
            app.db.transact(async move |tx| auth::count_try(tx, &counter, WRONG_KEYS, window, now).await).await?;
        }
    }
    Err(Fault::new(403, "api_key was not provided or is not valid"))
}

/// The keys of a place that are not revoked, the first made first, at most `size + 1`.
pub(super) async fn list(
    db: &DatabaseConnection,
    division: DivisionId,
    page: &PageQuery,
) -> Result<Vec<api_key::Model>, Problem> {
    let mut rows = api_key::Entity::find()
        .filter(api_key::COLUMN.division_id.eq(division))
        .filter(api_key::COLUMN.revoked_at.is_null());
    if let Some(after) = Cursor::read::<ApiKeyId>(page.cursor.as_deref())? {
        rows = rows.filter(api_key::COLUMN.id.gt(after));
    }
    Ok(rows.order_by_asc(api_key::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// Makes a key; answers it too, for the only time.
///
/// # Errors
/// `limit_reached`.
pub(super) async fn make(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    division: DivisionId,
    name: &str,
) -> Result<(api_key::Model, String), Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    let now = app.clock.now();
    let live = api_key::Entity::find()
        .filter(api_key::COLUMN.division_id.eq(place.id))
        .filter(api_key::COLUMN.revoked_at.is_null());
    if live.count(tx).await? >= MOST {
        return Err(Code::LimitReached.into());
    }
    let key = format!("o311_{}", Alphanumeric.sample_string(&mut rand::rng(), LETTERS));
    let row = api_key::ActiveModel {
        id: Set(ApiKeyId::fresh()),
        division_id: Set(place.id),
        name: Set(name.to_owned()),
        beginning: Set(key.chars().take(SHOWN).collect()),
        digest: Set(digest(&key)),
        created_by: Set(staff.id()),
        created_at: Set(now),
        used_at: Set(None),
        revoked_at: Set(None),
    };
    let row = row.insert(tx).await?;
    let entry = Entry::done("make_api_key", "api_key", row.id).because(name);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok((row, key))
}

/// Takes a key back; whoever has it files nothing more.
pub(super) async fn revoke(tx: &Tx, app: &App, staff: &Staff<ManageReceivers>, id: ApiKeyId) -> Result<(), Problem> {
    let row = api_key::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    if row.revoked_at.is_some() {
        return Err(Problem::not_found());
    }
    let now = app.clock.now();
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(now));
    row.update(tx).await?;
    let entry = Entry::done("revoke_api_key", "api_key", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await
}

/// Forgets what was filed long enough ago that nobody repeats it.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let old = open311_request::COLUMN.created_at.lt(now - REMEMBER);
    open311_request::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(())
}
