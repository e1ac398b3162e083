//! The desk decides on claims: who lives here, and who has come back with another phone.

use entity::{
    Instant, division,
    id::{DivisionId, PersonId, ResidenceClaimId},
    person,
    residence_claim::{self, ClaimKind, ClaimState},
    roster_entry, session, wechat_account,
};
use rust_i18n::t;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Set, sea_query::Expr,
};

use super::{
    merge,
    residence::{self, Facts},
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::ManagePeople},
    db::{Tx, padded},
    divisions,
    http::{Cursor, PageQuery},
    jobs::{self, Text},
    notices::{self, About, Telling},
    personal::{CitizenNumber, PersonName, PhoneNumber},
    problem::{Code, Problem},
};

/// A claim and what helps to decide on it.
pub struct Shown {
    /// The claim.
    pub claim: residence_claim::Model,
    /// The roster line with this number, if the village has one.
    pub on_roster: Option<roster_entry::Model>,
}

/// Villages whose people these staff keep.
pub fn villages(staff: &Staff<ManagePeople>) -> Select<division::Entity> {
    // Nobody posted covers nothing: an empty OR would be everything.
    let nowhere = Condition::any().add(division::COLUMN.id.is_null());
    let any = staff.postings().fold(nowhere, |any, posting| any.add(divisions::subtree(posting.division)));
    division::Entity::find().select_only().column(division::Column::Id).filter(any)
}

/// Claims of the villages these staff keep, oldest first.
pub async fn list(
    app: &App,
    staff: &Staff<ManagePeople>,
    state: ClaimState,
    page: &PageQuery,
) -> Result<Vec<Shown>, Problem> {
    let db = app.db.read();
    let mut query = residence_claim::Entity::find()
        .filter(residence_claim::Column::VillageId.in_subquery(villages(staff).into_query()))
        .filter(residence_claim::COLUMN.state.eq(state));
    if let Some(after) = Cursor::read::<ResidenceClaimId>(page.cursor.as_deref())? {
        query = query.filter(residence_claim::COLUMN.id.gt(after));
    }
    let claims = query.order_by_asc(residence_claim::Column::Id).limit(page.size() + 1).all(db).await?;
    complete(db, claims).await
}

async fn complete(db: &DatabaseConnection, claims: Vec<residence_claim::Model>) -> Result<Vec<Shown>, Problem> {
    let hashes = claims.iter().map(|claim| claim.citizen_no_hash.as_str());
    let entries = roster_entry::Entity::find().filter(roster_entry::COLUMN.citizen_no_hash.is_in(padded(hashes)));
    let entries = if claims.is_empty() { vec![] } else { entries.all(db).await? };
    let of = |claim: &residence_claim::Model| {
        let same = |entry: &&roster_entry::Model| {
            entry.village_id == claim.village_id && entry.citizen_no_hash == claim.citizen_no_hash
        };
        entries.iter().find(same).cloned()
    };
    Ok(claims.into_iter().map(|claim| Shown { on_roster: of(&claim), claim }).collect())
}

async fn open(tx: &Tx, staff: &Staff<ManagePeople>, id: ResidenceClaimId) -> Result<residence_claim::Model, Problem> {
    let claim = residence_claim::Entity::find_by_id(id)
        .filter(residence_claim::Column::VillageId.in_subquery(villages(staff).into_query()))
        .one(tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if claim.state == ClaimState::Pending { Ok(claim) } else { Err(Code::AlreadyDecided.into()) }
}

/// The desk has seen the card. Of a recovery: the claimant's WeChat account becomes that of the person who is known.
///
/// # Errors
/// `not_found` elsewhere, `already_decided`, `already_exists` when the number has a holder by now.
pub async fn approve(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    id: ResidenceClaimId,
    now: Instant,
) -> Result<residence_claim::Model, Problem> {
    let claim = open(tx, staff, id).await?;
    let entry = roster_entry::Entity::find()
        .filter(roster_entry::COLUMN.village_id.eq(claim.village_id))
        .filter(roster_entry::COLUMN.citizen_no_hash.eq(claim.citizen_no_hash.as_str()))
        .one(tx)
        .await?;
    let claim = settle(tx, claim, ClaimState::Approved, None, staff, now).await?;
    // Looked up again: the holder may have left, or another may hold the number by now.
    let holder = person::Entity::find()
        .filter(person::COLUMN.citizen_no_hash.eq(claim.citizen_no_hash.as_str()))
        .filter(person::COLUMN.id.ne(claim.person_id))
        .filter(person::COLUMN.closed_at.is_null())
        .one(tx)
        .await?;
    let person = match holder {
        Some(holder) if claim.kind == ClaimKind::Recovery => {
            // Where the account is, not only where the claimant says to live.
            if !keeps(tx, staff, holder.village_id).await? {
                return Err(Code::NotYourDuty.into());
            }
            warn(tx, app, &holder, now).await?;
            take_over(tx, holder.id, claim.person_id, now).await?;
            holder.id
        }
        _ => claim.person_id,
    };
    let facts = Facts {
        name_hash: app.field_keys.hash_of(&app.field_keys.open::<PersonName>(&claim.name)?)?,
        name: claim.name.clone(),
        number: app.field_keys.open::<CitizenNumber>(&claim.citizen_no)?,
        citizen_no: claim.citizen_no.clone(),
        citizen_no_hash: claim.citizen_no_hash.clone(),
        village: claim.village_id,
        household_no: entry.as_ref().and_then(|entry| entry.household_no.clone()),
        group_name: entry.and_then(|entry| entry.group_name),
    };
    residence::verify(tx, &app.field_keys, person, facts, now).await?;
    tell(tx, person, "residence_verified", now).await?;
    let action = if claim.kind == ClaimKind::Recovery { "approve_recovery" } else { "approve_residence" };
    audit::record(tx, &app.field_keys, &Actor::staff(staff), Entry::done(action, "person", person), now).await?;
    Ok(residence_claim::Model { person_id: person, ..claim })
}

/// The desk says no, with a reason that the claimant reads.
pub async fn refuse(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    id: ResidenceClaimId,
    reason: &str,
    now: Instant,
) -> Result<residence_claim::Model, Problem> {
    let claim = open(tx, staff, id).await?;
    let claim = settle(tx, claim, ClaimState::Refused, Some(reason.to_owned()), staff, now).await?;
    tell(tx, claim.person_id, "residence_refused", now).await?;
    let entry = Entry::done("refuse_residence", "person", claim.person_id).because(reason);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(claim)
}

async fn settle(
    tx: &Tx,
    claim: residence_claim::Model,
    state: ClaimState,
    reason: Option<String>,
    staff: &Staff<ManagePeople>,
    now: Instant,
) -> Result<residence_claim::Model, Problem> {
    let settled = residence_claim::ActiveModel {
        state: Set(state),
        reason: Set(reason),
        decided_by: Set(Some(staff.id())),
        decided_at: Set(Some(now)),
        ..Default::default()
    };
    // Two clerks at once: one decides.
    let written = residence_claim::Entity::update_many()
        .set(settled)
        .filter(residence_claim::COLUMN.id.eq(claim.id))
        .filter(residence_claim::COLUMN.state.eq(ClaimState::Pending))
        .exec_with_returning(tx)
        .await?;
    written.into_iter().next().ok_or_else(|| Code::AlreadyDecided.into())
}

/// Tells the phone that was known so far, and the family contact, that somebody takes the account over.
async fn warn(tx: &Tx, app: &App, holder: &person::Model, now: Instant) -> Result<(), Problem> {
    for phone in [&holder.phone, &holder.family_phone] {
        let phone = app.field_keys.open_if::<PhoneNumber>(phone.as_ref())?;
        if let Some(phone) = phone.filter(|phone| phone.is_mobile() && app.sms.is_on()) {
            // At any hour: whoever did not come to the desk has to hear of it at once.
            let words = t!("sms.account_recovered", locale = "zh-CN").into_owned();
            jobs::enqueue_sms(tx, app, Text { to: &phone, words, at: now, until: None, sort: None }).await?;
        }
    }
    Ok(())
}

/// The holder's old WeChat account and devices are cut off; the claimant's row and account become theirs.
async fn take_over(tx: &Tx, holder: PersonId, claimant: PersonId, now: Instant) -> Result<(), Problem> {
    wechat_account::Entity::delete_many().filter(wechat_account::COLUMN.person_id.eq(holder)).exec(tx).await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::val(now))
        .filter(session::COLUMN.person_id.eq(holder))
        .filter(session::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    let new = person::Entity::find_by_id(claimant).one(tx).await?.ok_or_else(Problem::not_found)?;
    merge::merge(tx, claimant, holder, now).await?;
    if new.phone.is_some() {
        let row = person::Entity::find_by_id(holder).one(tx).await?.ok_or_else(Problem::not_found)?;
        let mut row = row.into_active_model();
        (row.phone, row.phone_hash) = (Set(new.phone), Set(new.phone_hash));
        row.update(tx).await?;
    }
    Ok(())
}

async fn tell(tx: &Tx, person: PersonId, kind: &'static str, now: Instant) -> Result<(), Problem> {
    let telling = Telling { person, kind, about: About::Oneself, params: serde_json::json!({}) };
    notices::tell(tx, vec![telling], now).await
}

/// Whether these staff keep the people of this village.
pub async fn keeps(
    tx: &impl ConnectionTrait,
    staff: &Staff<ManagePeople>,
    village: Option<DivisionId>,
) -> Result<bool, Problem> {
    let Some(village) = village else { return Ok(false) };
    let found: Option<DivisionId> =
        villages(staff).filter(division::COLUMN.id.eq(village)).into_tuple().one(tx).await?;
    Ok(found.is_some())
}
