//! Somebody says where they live: a roster confirms it at once, else the desk does.
//!
//! What a roster confirms is name, citizen number and village together. Whose citizen number is held already is never
//! told to the person who claims it: the desk looks at the card and decides.

use chrono::TimeDelta;
use entity::{
    Instant, division,
    id::{DivisionId, PersonId, ResidenceClaimId},
    person,
    publication::PublicationEnd,
    residence_claim::{self, ClaimKind, ClaimState},
    roster_entry,
    sealed::Sealed,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};

use super::{household, merge, phone};
use crate::{
    app::App,
    auth::{Villager, count_try},
    clock::local_day,
    crypto::FieldKeys,
    db::{self, Tx},
    divisions,
    notices::{self, About, Telling},
    personal::{CitizenNumber, PersonName},
    problem::{Code, OnUnique, Problem},
    publications,
};

/// Claims a day: who guesses at other people's numbers is stopped.
const CLAIMS_A_DAY: u32 = 5;

/// What is said.
pub struct Said {
    /// The village, still standing.
    pub village: DivisionId,
    /// As on the identity card.
    pub name: PersonName,
    /// Valid.
    pub citizen_no: CitizenNumber,
}

/// What came of it.
pub enum Outcome {
    /// The roster agrees.
    Verified,
    /// The desk will look.
    Pending(ResidenceClaimId),
}

/// The village as it stands today: one that was merged stands for the one that took it in.
pub async fn village(tx: &Tx, id: DivisionId) -> Result<division::Model, Problem> {
    let unknown = || Problem::field("/village", "unknown");
    let place = divisions::standing(tx, id).await.map_err(|_| unknown())?;
    if place.level == division::DivisionLevel::Village { Ok(place) } else { Err(unknown()) }
}

/// Counts a try, whatever becomes of it: a transaction of its own.
///
/// # Errors
/// `too_many_requests`.
pub async fn count_claim(tx: &Tx, me: &Villager, now: Instant) -> Result<(), Problem> {
    count_try(tx, &format!("residence:{}", me.person()), CLAIMS_A_DAY, TimeDelta::days(1), now).await
}

/// Claims to live somewhere.
///
/// # Errors
/// `already_verified` under another number, `already_pending`.
pub async fn claim(tx: &Tx, app: &App, me: &Villager, said: &Said, now: Instant) -> Result<Outcome, Problem> {
    let keys = &app.field_keys;
    let own = person::Entity::find_by_id(me.person()).filter(person::COLUMN.closed_at.is_null()).one(tx).await?;
    let own = own.ok_or(Problem::new(Code::SessionEnded))?;
    let hash = keys.hash_of(&said.citizen_no)?;
    if own.citizen_no_hash.as_ref().is_some_and(|known| *known != hash) {
        return Err(Code::AlreadyVerified.into());
    }
    let entry = on_roster(tx, keys, said).await?;
    let holder = person::Entity::find()
        .filter(person::COLUMN.citizen_no_hash.eq(hash.as_str()))
        .filter(person::COLUMN.id.ne(own.id))
        .one(tx)
        .await?;
    // The same phone, proven by whoever asks, is as good as the card: the desk entered them before they had WeChat.
    let same_phone = |holder: &person::Model| own.phone_hash.is_some() && holder.phone_hash == own.phone_hash;
    let settled = match (&entry, &holder) {
        (Some(_), None) => true,
        (Some(_), Some(holder)) => same_phone(holder) && !merge::has_wechat(tx, holder.id).await?,
        _ => false,
    };
    if !settled {
        return pending(tx, keys, said, &hash, own.id, holder.map(|holder| holder.id), now)
            .await
            .map(|claim| Outcome::Pending(claim.id));
    }
    if let Some(holder) = holder {
        merge::merge(tx, holder.id, own.id, now).await?;
    }
    let facts = Facts::of(keys, said, entry.as_ref())?;
    withdraw_pending(tx, own.id, now).await?;
    verify(tx, keys, own.id, facts, now).await.map(|_| Outcome::Verified)
}

/// What is known of somebody once their residence is.
pub struct Facts {
    pub name: Sealed,
    pub name_hash: String,
    pub citizen_no: Sealed,
    pub citizen_no_hash: String,
    pub village: DivisionId,
    pub household_no: Option<String>,
    pub group_name: Option<String>,
    /// For the age.
    pub number: CitizenNumber,
}

impl Facts {
    fn of(keys: &FieldKeys, said: &Said, entry: Option<&roster_entry::Model>) -> Result<Self, Problem> {
        Ok(Self {
            name: keys.close(&said.name)?,
            name_hash: keys.hash_of(&said.name)?,
            citizen_no: keys.close(&said.citizen_no)?,
            citizen_no_hash: keys.hash_of(&said.citizen_no)?,
            village: said.village,
            household_no: entry.and_then(|entry| entry.household_no.clone()),
            group_name: entry.and_then(|entry| entry.group_name.clone()),
            number: said.citizen_no.clone(),
        })
    }
}

/// Writes down that somebody lives there.
///
/// # Errors
/// `already_exists` when another person has this number meanwhile.
pub async fn verify(
    tx: &Tx,
    keys: &FieldKeys,
    id: PersonId,
    facts: Facts,
    now: Instant,
) -> Result<person::Model, Problem> {
    let household = match &facts.household_no {
        Some(number) => Some(household::find_or_make(tx, facts.village, number).await?),
        None => None,
    };
    let row = person::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let mut row = row.into_active_model();
    row.name = Set(Some(facts.name));
    row.name_hash = Set(Some(facts.name_hash));
    row.citizen_no = Set(Some(facts.citizen_no));
    row.citizen_no_hash = Set(Some(facts.citizen_no_hash));
    row.village_id = Set(Some(facts.village));
    row.verified = Set(true);
    row.household_id = Set(household);
    row.group_name = Set(facts.group_name);
    row.minor = Set(facts.number.is_of_a_child(local_day(now)));
    row.priority_from = Set(facts.number.turns_65_on());
    let row = row.update(tx).await.on_unique(Code::AlreadyExists)?;
    phone::join_desk_entries(tx, &row, now).await?;
    if row.minor {
        // Of children nothing is published (未成年人网络保护条例 36).
        publications::person_ended(tx, keys, row.id, PublicationEnd::OfAChild, now).await?;
    }
    Ok(row)
}

async fn pending(
    tx: &Tx,
    keys: &FieldKeys,
    said: &Said,
    hash: &str,
    person: PersonId,
    holder: Option<PersonId>,
    now: Instant,
) -> Result<residence_claim::Model, Problem> {
    let row = residence_claim::ActiveModel {
        id: Set(ResidenceClaimId::fresh()),
        person_id: Set(person),
        village_id: Set(said.village),
        name: Set(keys.close(&said.name)?),
        citizen_no: Set(keys.close(&said.citizen_no)?),
        citizen_no_hash: Set(hash.to_owned()),
        kind: Set(if holder.is_some() { ClaimKind::Recovery } else { ClaimKind::Residence }),
        state: Set(ClaimState::Pending),
        holder_id: Set(holder),
        reason: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
        created_at: Set(now),
    };
    row.insert(tx).await.on_unique(Code::AlreadyPending)
}

/// A better proof makes an open claim needless.
pub async fn withdraw_pending(tx: &Tx, person: PersonId, now: Instant) -> Result<(), Problem> {
    residence_claim::Entity::update_many()
        .col_expr(residence_claim::Column::State, Expr::val(ClaimState::Withdrawn))
        .col_expr(residence_claim::Column::DecidedAt, Expr::val(now))
        .filter(residence_claim::COLUMN.person_id.eq(person))
        .filter(residence_claim::COLUMN.state.eq(ClaimState::Pending))
        .exec(tx)
        .await?;
    Ok(())
}

/// Claims that a new roster confirms: nobody need wait for the desk any longer.
pub async fn settle_by_roster(tx: &Tx, keys: &FieldKeys, village: DivisionId, now: Instant) -> Result<(), Problem> {
    let waiting = residence_claim::Entity::find()
        .filter(residence_claim::COLUMN.village_id.eq(village))
        .filter(residence_claim::COLUMN.state.eq(ClaimState::Pending))
        .filter(residence_claim::COLUMN.kind.eq(ClaimKind::Residence))
        .all(tx)
        .await?;
    for claim in waiting {
        let said = Said { village, name: keys.open(&claim.name)?, citizen_no: keys.open(&claim.citizen_no)? };
        let entry = on_roster(tx, keys, &said).await?;
        let held = person::Entity::find()
            .filter(person::COLUMN.citizen_no_hash.eq(claim.citizen_no_hash.as_str()))
            .filter(person::COLUMN.id.ne(claim.person_id));
        if entry.is_none() || held.one(tx).await?.is_some() {
            continue;
        }
        let facts = Facts::of(keys, &said, entry.as_ref())?;
        let mut row = claim.into_active_model();
        row.state = Set(ClaimState::Approved);
        row.decided_at = Set(Some(now));
        let claim = row.update(tx).await?;
        verify(tx, keys, claim.person_id, facts, now).await?;
        let (person, kind, params) = (claim.person_id, "residence_verified", serde_json::json!({}));
        notices::tell(tx, vec![Telling { person, kind, about: About::Oneself, params }], now).await?;
    }
    Ok(())
}

/// The roster's line for name, number and village together.
async fn on_roster(tx: &Tx, keys: &FieldKeys, said: &Said) -> Result<Option<roster_entry::Model>, Problem> {
    let line = roster_entry::Entity::find()
        .filter(roster_entry::COLUMN.village_id.eq(said.village))
        .filter(roster_entry::COLUMN.citizen_no_hash.eq(keys.hash_of(&said.citizen_no)?))
        .filter(roster_entry::COLUMN.name_hash.eq(keys.hash_of(&said.name)?));
    Ok(line.one(tx).await?)
}

/// Children who turned 14 agree for themselves from then on.
pub async fn review_minors(app: &App) -> Result<(), Problem> {
    let today = local_day(app.clock.now());
    let children = person::Entity::find().filter(person::COLUMN.minor.eq(true)).all(app.db.read()).await?;
    for child in children {
        let Some(number) = app.field_keys.open_if::<CitizenNumber>(child.citizen_no.as_ref())? else { continue };
        if number.is_of_a_child(today) {
            continue;
        }
        let grown = person::Entity::update_many()
            .col_expr(person::Column::Minor, Expr::val(false))
            .filter(person::COLUMN.id.eq(child.id));
        app.db.transact(async move |tx| Ok(grown.clone().exec(tx).await.map_err(db::again_on_unique)?)).await?;
    }
    Ok(())
}

/// People looked at in one reading.
const BATCH: u64 = 200;

/// Sets the day from which the limits of booking do not bind, for people who were confirmed before it was kept.
pub async fn review_priority(app: &App) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let unknown = person::Entity::find()
            .filter(person::COLUMN.citizen_no.is_not_null())
            .filter(person::COLUMN.priority_from.is_null());
        let unknown = match after {
            Some(after) => unknown.filter(person::COLUMN.id.gt(after)),
            None => unknown,
        };
        let rows = unknown.order_by_asc(person::Column::Id).limit(BATCH).all(app.db.read()).await?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok(()) };
        after = Some(last);
        for row in rows {
            let number = app.field_keys.open_if::<CitizenNumber>(row.citizen_no.as_ref())?;
            let Some(from) = number.and_then(|number| number.turns_65_on()) else { continue };
            let set = person::Entity::update_many()
                .col_expr(person::Column::PriorityFrom, Expr::val(from))
                .filter(person::COLUMN.id.eq(row.id));
            app.db.transact(async move |tx| Ok(set.clone().exec(tx).await.map(drop)?)).await?;
        }
    }
}
