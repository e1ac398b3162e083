//! A phone becomes somebody's: by WeChat's word or by a code that was sent to it.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::{Instant, id::PersonId, person, phone_code, wechat_account};
use rand::RngExt;
use rust_i18n::t;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use subtle::ConstantTimeEq;

use super::{agents, merge};
use crate::{
    app::App,
    auth::{Villager, count_try},
    db::Tx,
    jobs::{self, Text},
    personal::PhoneNumber,
    problem::{Code, Problem},
    wechat::WechatError,
};

/// How long a code is good.
pub const CODE_LIVES: TimeDelta = TimeDelta::minutes(5);
/// How soon another may be asked for.
pub const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// Wrong tries that a code survives.
const TRIES: i32 = 5;
/// Codes a day to one phone and for one person: whoever owns the phone must be left in peace.
const CODES_A_DAY: u32 = 5;
/// Codes an hour for one client address.
const CODES_AN_HOUR: u32 = 20;

/// Sends a code to a mobile number.
///
/// # Errors
/// `too_many_requests`, `sms_unavailable`.
pub async fn send_code(
    tx: &Tx,
    app: &App,
    me: &Villager,
    phone: &PhoneNumber,
    address: Option<IpAddr>,
    now: Instant,
) -> Result<(), Problem> {
    if !app.sms.is_on() {
        return Err(Code::SmsUnavailable.into());
    }
    let day = TimeDelta::days(1);
    count_try(tx, &format!("sms-again:{}", me.person()), 1, ASK_AGAIN_AFTER, now).await?;
    count_try(tx, &format!("sms-person:{}", me.person()), CODES_A_DAY, day, now).await?;
    count_try(tx, &format!("sms-phone:{}", app.field_keys.hash_of(phone)?), CODES_A_DAY, day, now).await?;
    if let Some(address) = address {
        count_try(tx, &format!("sms-address:{address}"), CODES_AN_HOUR, TimeDelta::hours(1), now).await?;
    }
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
    let row = phone_code::ActiveModel {
        person_id: Set(me.person()),
        phone: Set(app.field_keys.close(phone)?),
        code_hash: Set(code_hash(app, me.person(), &code)?),
        tries: Set(0),
        expires_at: Set(now + CODE_LIVES),
    };
    let replaced = OnConflict::column(phone_code::Column::PersonId)
        .update_columns([
            phone_code::Column::Phone,
            phone_code::Column::CodeHash,
            phone_code::Column::Tries,
            phone_code::Column::ExpiresAt,
        ])
        .to_owned();
    phone_code::Entity::insert(row).on_conflict(replaced).exec_without_returning(tx).await?;
    let words = t!("sms.code", locale = "zh-CN", code = code, minutes = CODE_LIVES.num_minutes()).into_owned();
    let text = Text { to: phone, words, at: now, until: Some(now + CODE_LIVES), sort: None };
    jobs::enqueue_sms(tx, app, text).await
}

fn code_hash(app: &App, person: PersonId, code: &str) -> Result<String, Problem> {
    app.field_keys.blind_index("phone.code", &format!("{person}:{code}"))
}

/// Whether this is the code that was sent to this phone. Each try is counted, in a transaction of its own; a right code is
/// used up by [`confirm`], so that an answer lost between the two costs nothing but a try.
pub async fn is_right(
    tx: &Tx,
    app: &App,
    me: &Villager,
    phone: &PhoneNumber,
    code: &str,
    now: Instant,
) -> Result<bool, Problem> {
    // Counted before it is judged, in one statement, so that many tries at once are still five.
    let counted = phone_code::Entity::update_many()
        .col_expr(phone_code::Column::Tries, Expr::col(phone_code::Column::Tries).add(1))
        .filter(phone_code::COLUMN.person_id.eq(me.person()))
        .filter(phone_code::COLUMN.tries.lt(TRIES))
        .filter(phone_code::COLUMN.expires_at.gt(now))
        .exec_with_returning(tx)
        .await?;
    let Some(sent) = counted.into_iter().next() else { return Ok(false) };
    let hash = code_hash(app, me.person(), code.trim())?;
    let same_phone = app.field_keys.open::<PhoneNumber>(&sent.phone)? == *phone;
    Ok(same_phone && bool::from(sent.code_hash.as_bytes().ct_eq(hash.as_bytes())))
}

/// Uses a code up that was found right, and takes the phone.
///
/// # Errors
/// `phone_code_invalid` when another call has used it meanwhile.
pub async fn confirm(
    tx: &Tx,
    app: &App,
    me: &Villager,
    phone: &PhoneNumber,
    code: &str,
    now: Instant,
) -> Result<person::Model, Problem> {
    let used = phone_code::Entity::delete_many()
        .filter(phone_code::COLUMN.person_id.eq(me.person()))
        .filter(phone_code::COLUMN.code_hash.eq(code_hash(app, me.person(), code.trim())?))
        .exec(tx)
        .await?;
    if used.rows_affected == 1 {
        take(tx, app, me.person(), phone, now).await
    } else {
        Err(Code::PhoneCodeInvalid.into())
    }
}

/// The number WeChat vouches for, of this very villager.
///
/// # Errors
/// `phone_code_invalid`, also for a foreign number; `wechat_unavailable`.
pub async fn vouched(app: &App, me: &Villager, code: &str) -> Result<PhoneNumber, Problem> {
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(me.person()));
    let openid = account.one(app.db.read()).await?.map(|account| account.openid);
    let number = app.wechat.phone_number(code, openid.as_deref()).await.map_err(|fault| match fault {
        WechatError::BadCode { .. } => Problem::new(Code::PhoneCodeInvalid),
        other => {
            tracing::warn!(error = %other, "WeChat gave no phone number");
            Code::WechatUnavailable.into()
        }
    })?;
    PhoneNumber::read(&number.phone_number).ok_or_else(|| Code::PhoneCodeInvalid.into())
}

/// The phone is theirs now: it finds them, those who named it as their agent's, and what the desk entered under it.
pub async fn take(
    tx: &Tx,
    app: &App,
    id: PersonId,
    phone: &PhoneNumber,
    now: Instant,
) -> Result<person::Model, Problem> {
    let open = person::Entity::find_by_id(id).filter(person::COLUMN.closed_at.is_null());
    let row = open.one(tx).await?.ok_or(Problem::new(Code::SessionEnded))?;
    let hash = app.field_keys.hash_of(phone)?;
    let mut row = row.into_active_model();
    row.phone = Set(Some(app.field_keys.close(phone)?));
    row.phone_hash = Set(Some(hash.clone()));
    let row = row.update(tx).await?;
    agents::bind_by_phone(tx, app, &row, &hash, now).await?;
    join_desk_entries(tx, &row, now).await?;
    Ok(row)
}

/// People the desk entered under this very name and phone, who have no WeChat of their own, are this person.
///
/// The phone is proven and the name is one that a roster or the card has confirmed: what somebody calls themselves is no
/// proof, since families share phones. Whoever the desk has verified by their card is joined by the card only.
pub async fn join_desk_entries(tx: &Tx, me: &person::Model, now: Instant) -> Result<(), Problem> {
    if !me.verified {
        return Ok(());
    }
    let (Some(name), Some(phone)) = (&me.name_hash, &me.phone_hash) else { return Ok(()) };
    let entered = person::Entity::find()
        .filter(person::COLUMN.phone_hash.eq(phone.as_str()))
        .filter(person::COLUMN.name_hash.eq(name.as_str()))
        .filter(person::COLUMN.id.ne(me.id))
        .filter(person::COLUMN.verified.eq(false))
        .filter(person::COLUMN.closed_at.is_null())
        .all(tx)
        .await?;
    for other in entered {
        if !merge::has_wechat(tx, other.id).await? {
            merge::merge(tx, other.id, me.id, now).await?;
        }
    }
    Ok(())
}
