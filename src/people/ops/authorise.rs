//! Recording and ending authorisations: by the principal in the app, or at the desk where both have come.

use chrono::{Months, NaiveDate};
use entity::{
    Instant,
    authorisation::{self, EvidenceKind},
    authorisation_use, case,
    file::FileThing,
    id::{AuthorisationId, CaseId, FileId, PersonId},
    person, service_item, wechat_account,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde_json::json;

use super::agents::ScopeWord;
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, Villager, duty::ManagePeople},
    clock::local_day,
    db::{Tx, padded},
    files::{self, Hanging, Named, Owner},
    notices::{self, About, Telling},
    people::place,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
};

/// The longest an authorisation lasts.
const MONTHS: Months = Months::new(12);
/// Uses that are shown with an authorisation.
const USES_SHOWN: u64 = 100;
/// Authorisations that are shown of a person.
const MOST: u64 = 200;

/// What is to be recorded; texts are checked.
pub struct Wanted {
    /// A person who is registered.
    pub agent: Option<PersonId>,
    /// Or somebody by phone.
    pub agent_phone: Option<PhoneNumber>,
    /// As the principal calls them.
    pub agent_name: Option<PersonName>,
    /// Scope words.
    pub scope: Vec<String>,
    /// The last day.
    pub until: NaiveDate,
    /// What it rests on.
    pub evidence: EvidenceKind,
    /// In words.
    pub text: Option<String>,
    /// A photo or recording.
    pub file: Option<FileId>,
    /// Who heard it.
    pub witness: Option<PersonName>,
}

/// An authorisation with the names of both and what was done by it.
pub struct Shown {
    /// The row.
    pub row: authorisation::Model,
    /// The principal.
    pub principal: Option<person::Model>,
    /// The agent, once they are registered.
    pub agent: Option<person::Model>,
    /// Latest first, with the number of the case.
    pub uses: Vec<(authorisation_use::Model, Option<String>)>,
}

/// By the principal, for themselves.
pub async fn by_principal(
    tx: &Tx,
    app: &App,
    me: &Villager,
    wanted: Wanted,
    now: Instant,
) -> Result<authorisation::Model, Problem> {
    let row = insert(tx, app, me.person(), wanted, None, now).await?;
    let entry = Entry::done("make_authorisation", "authorisation", row.id);
    audit::record(tx, &app.field_keys, &Actor::villager(me), entry, now).await?;
    Ok(row)
}

/// At the desk, for a person of its villages.
///
/// # Errors
/// `not_found` for people of elsewhere.
pub async fn at_the_desk(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    principal: PersonId,
    wanted: Wanted,
    now: Instant,
) -> Result<authorisation::Model, Problem> {
    place::person(tx, staff, principal).await?;
    let row = insert(tx, app, principal, wanted, Some(staff.id()), now).await?;
    let entry = Entry::done("make_authorisation", "authorisation", row.id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}

async fn insert(
    tx: &Tx,
    app: &App,
    principal: PersonId,
    wanted: Wanted,
    recorded_by: Option<entity::id::StaffId>,
    now: Instant,
) -> Result<authorisation::Model, Problem> {
    check(tx, &wanted, principal, local_day(now)).await?;
    let keys = &app.field_keys;
    let phone_hash = wanted.agent_phone.as_ref().map(|phone| keys.hash_of(phone)).transpose()?;
    let agent = match (wanted.agent, &phone_hash) {
        (Some(agent), _) => Some(agent),
        (None, Some(hash)) => by_phone(tx, hash, principal).await?,
        (None, None) => return Err(Problem::field("/agent", "required")),
    };
    let row = authorisation::ActiveModel {
        id: Set(AuthorisationId::fresh()),
        principal_id: Set(principal),
        agent_id: Set(agent),
        agent_name: Set(wanted.agent_name.as_ref().map(|name| keys.close(name)).transpose()?),
        agent_phone: Set(wanted.agent_phone.as_ref().map(|phone| keys.close(phone)).transpose()?),
        agent_phone_hash: Set(phone_hash),
        scope: Set(json!(wanted.scope)),
        until: Set(wanted.until),
        evidence_kind: Set(wanted.evidence),
        evidence_text: Set(wanted.text.map(|text| keys.close(&PrivateText::of_stored(text))).transpose()?),
        evidence_file: Set(wanted.file.map(|id| id.0)),
        witness: Set(wanted.witness.as_ref().map(|name| keys.close(name)).transpose()?),
        recorded_by: Set(recorded_by),
        created_at: Set(now),
        revoked_at: Set(None),
    };
    let row = row.insert(tx).await?;
    let by = recorded_by.map_or(Owner::Person(principal), Owner::Staff);
    let file: Vec<Named> = wanted.file.into_iter().map(|id| Named::one(id, "/evidence/file", &[])).collect();
    files::attach(tx, by, &file, Hanging::on(FileThing::Authorisation, row.id.0), now).await?;
    tell(tx, principal, "authorisation_made", now).await?;
    Ok(row)
}

/// The one person who has proven this phone; a phone of a family of several names nobody.
async fn by_phone(tx: &Tx, hash: &str, principal: PersonId) -> Result<Option<PersonId>, Problem> {
    let signs_in = person::Entity::belongs_to(wechat_account::Entity).from(person::Column::Id);
    let signs_in = signs_in.to(wechat_account::Column::PersonId);
    let people: Vec<PersonId> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .join(JoinType::InnerJoin, signs_in.into())
        .filter(person::COLUMN.phone_hash.eq(hash))
        .filter(person::COLUMN.closed_at.is_null())
        .filter(person::COLUMN.id.ne(principal))
        .limit(2)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(match people.as_slice() {
        [one] => Some(*one),
        _ => None,
    })
}

async fn check(tx: &Tx, wanted: &Wanted, principal: PersonId, today: NaiveDate) -> Result<(), Problem> {
    if wanted.until < today || Some(wanted.until) > today.checked_add_months(MONTHS) {
        return Err(Problem::field("/until", "range"));
    }
    if wanted.agent == Some(principal) {
        return Err(Problem::field("/agent", "not_allowed_here"));
    }
    if let Some(agent) = wanted.agent {
        let known = person::Entity::find_by_id(agent).filter(person::COLUMN.closed_at.is_null()).one(tx).await?;
        known.ok_or_else(|| Problem::field("/agent", "unknown"))?;
    }
    if wanted.evidence == EvidenceKind::Voice && wanted.witness.is_none() {
        return Err(Problem::field("/evidence/witness", "required"));
    }
    for (at, word) in wanted.scope.iter().enumerate() {
        let unknown = || Problem::field(&format!("/scope/{at}"), "unknown");
        if let ScopeWord::Proxy(code) = ScopeWord::read(word).ok_or_else(unknown)? {
            let item = service_item::Entity::find().filter(service_item::COLUMN.code.eq(code)).one(tx).await?;
            item.ok_or_else(unknown)?;
        }
    }
    Ok(())
}

/// Ends an authorisation at once: the principal's right, and the agent's.
pub async fn end(tx: &Tx, app: &App, me: &Villager, id: AuthorisationId, now: Instant) -> Result<(), Problem> {
    let mine = Condition::any()
        .add(authorisation::COLUMN.principal_id.eq(me.person()))
        .add(authorisation::COLUMN.agent_id.eq(me.person()));
    let row = authorisation::Entity::find_by_id(id).filter(mine).one(tx).await?.ok_or_else(Problem::not_found)?;
    revoke(tx, app, row, &Actor::villager(me), None, now).await
}

/// Likewise at the desk.
pub async fn end_at_the_desk(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    id: AuthorisationId,
    now: Instant,
) -> Result<(), Problem> {
    let row = authorisation::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    place::person(tx, staff, row.principal_id).await?;
    revoke(tx, app, row, &Actor::staff(staff), None, now).await
}

async fn revoke(
    tx: &Tx,
    app: &App,
    row: authorisation::Model,
    by: &Actor,
    reason: Option<String>,
    now: Instant,
) -> Result<(), Problem> {
    if row.revoked_at.is_some() {
        return Ok(());
    }
    let (id, principal) = (row.id, row.principal_id);
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(now));
    row.update(tx).await?;
    tell(tx, principal, "authorisation_ended", now).await?;
    let entry = Entry { reason, ..Entry::done("end_authorisation", "authorisation", id) };
    audit::record(tx, &app.field_keys, by, entry, now).await
}

/// What a resident has given to others, as the desk may see it: nothing done on cases that are not the desk's to know.
pub async fn given_as_the_desk_sees_it(db: &impl ConnectionTrait, principal: PersonId) -> Result<Vec<Shown>, Problem> {
    let mut given = given(db, principal).await?;
    let used = given.iter().flat_map(|shown| shown.uses.iter().filter_map(|(used, _)| used.case_id));
    let open: Vec<CaseId> = case::Entity::find()
        .select_only()
        .column(case::Column::Id)
        .filter(case::COLUMN.id.is_in(padded(used)))
        .filter(case::COLUMN.confidential.eq(false))
        .filter(case::COLUMN.private.eq(false))
        .filter(case::COLUMN.state.ne(case::CaseState::Draft))
        .into_tuple()
        .all(db)
        .await?;
    for shown in &mut given {
        shown.uses.retain(|(used, _)| used.case_id.is_none_or(|case| open.contains(&case)));
    }
    Ok(given)
}

/// What somebody has given to others.
pub async fn given(db: &impl ConnectionTrait, principal: PersonId) -> Result<Vec<Shown>, Problem> {
    let rows = authorisation::Entity::find()
        .filter(authorisation::COLUMN.principal_id.eq(principal))
        .order_by_desc(authorisation::Column::Id)
        .limit(MOST);
    complete(db, rows.all(db).await?).await
}

/// What others have given to somebody and what still counts.
pub async fn held(db: &impl ConnectionTrait, agent: &Villager, today: NaiveDate) -> Result<Vec<Shown>, Problem> {
    let rows = authorisation::Entity::find()
        .filter(authorisation::COLUMN.agent_id.eq(agent.person()))
        .filter(authorisation::COLUMN.revoked_at.is_null())
        .filter(authorisation::COLUMN.until.gte(today))
        .order_by_desc(authorisation::Column::Id)
        .limit(MOST);
    complete(db, rows.all(db).await?).await
}

/// One, with everything that is shown of it.
pub async fn shown(db: &impl ConnectionTrait, row: authorisation::Model) -> Result<Shown, Problem> {
    complete(db, vec![row]).await?.pop().ok_or_else(Problem::not_found)
}

async fn complete(db: &impl ConnectionTrait, rows: Vec<authorisation::Model>) -> Result<Vec<Shown>, Problem> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let ids = rows.iter().map(|row| row.id);
    let uses = authorisation_use::Entity::find()
        .filter(authorisation_use::COLUMN.authorisation_id.is_in(padded(ids)))
        .order_by_desc(authorisation_use::Column::Id)
        .limit(USES_SHOWN)
        .all(db)
        .await?;
    let cases = uses.iter().filter_map(|used| used.case_id);
    let numbers: Vec<(CaseId, String)> = case::Entity::find()
        .select_only()
        .columns([case::Column::Id, case::Column::Number])
        .filter(case::COLUMN.id.is_in(padded(cases)))
        .into_tuple()
        .all(db)
        .await?;
    let people = rows.iter().flat_map(|row| [Some(row.principal_id), row.agent_id]).flatten();
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(people))).all(db).await?;
    let find = |id: Option<PersonId>| people.iter().find(|row| Some(row.id) == id).cloned();
    let number =
        |id: Option<CaseId>| numbers.iter().find(|(known, _)| Some(*known) == id).map(|(_, text)| text.clone());
    Ok(rows
        .into_iter()
        .map(|row| {
            let of_row = uses.iter().filter(|used| used.authorisation_id == row.id);
            Shown {
                principal: find(Some(row.principal_id)),
                agent: find(row.agent_id),
                uses: of_row.map(|used| (used.clone(), number(used.case_id))).collect(),
                row,
            }
        })
        .collect())
}

async fn tell(tx: &Tx, person: PersonId, kind: &'static str, now: Instant) -> Result<(), Problem> {
    notices::tell(tx, vec![Telling { person, kind, about: About::Oneself, params: json!({}) }], now).await
}
