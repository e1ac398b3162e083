//! How something goes from the page: at once, and its words with it.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use entity::{
    Instant,
    content_check::ContentSubject,
    id::{CaseId, PersonId, PublicationId, StaffId},
    publication::{self, PublicationEnd, PublicationKind},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::make::{self, minutes_part};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, Villager, duty::KeepPublications},
    clock::local_day,
    content,
    crypto::FieldKeys,
    db::Tx,
    divisions,
    notices::{self, About, Telling},
    problem::{Code, Problem},
    talks,
};

/// Ended by one statement.
const AT_ONCE: u64 = 100;

/// Why it is taken down.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeDown {
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) reason: String,
}

/// Who ends it and why.
struct Ending {
    because: PublicationEnd,
    by: Option<StaffId>,
    reason: Option<String>,
}

impl Ending {
    fn of(because: PublicationEnd) -> Self {
        Self { because, by: None, reason: None }
    }
}

/// Ends one that stands; what was there is told by its digest alone from now on.
async fn end(tx: &Tx, row: publication::Model, ending: Ending, now: Instant) -> Result<publication::Model, Problem> {
    content::drop_subject(tx, ContentSubject::Publication, row.id.0).await?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.title = Set(None);
    row.body = Set(None);
    row.ended_at = Set(Some(now));
    row.ended_because = Set(Some(ending.because));
    row.ended_by = Set(ending.by);
    row.end_reason = Set(ending.reason);
    row.version = Set(version);
    Ok(row.update(tx).await?)
}

/// Staff take something down.
///
/// # Errors
/// `not_found`, `transition_not_allowed` where it has ended.
pub(super) async fn by_staff(
    tx: &Tx,
    app: &App,
    staff: &Staff<KeepPublications>,
    id: PublicationId,
    body: &TakeDown,
    now: Instant,
) -> Result<publication::Model, Problem> {
    let row = publication::Entity::find_by_id(id).lock(LockType::Update).one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    if row.ended_at.is_some() {
        return Err(Code::TransitionNotAllowed.into());
    }
    let reason = body.reason.trim().to_owned();
    let ending = Ending { because: PublicationEnd::TakenDown, by: Some(staff.id()), reason: Some(reason.clone()) };
    let row = end(tx, row, ending, now).await?;
    if let (Some(person), PublicationKind::Answer) = (row.person_id, row.kind) {
        let about = About::Case(CaseId(row.subject_id));
        let telling = Telling { person, kind: "answer_taken_down", about, params: json!({"reason": reason}) };
        notices::tell(tx, vec![telling], now).await?;
    }
    let entry = Entry::done("take_down_publication", "publication", id).because(reason);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}

/// Whose matter it is takes it down.
///
/// # Errors
/// `not_found`, `transition_not_allowed` where it has ended.
pub(super) async fn by_villager(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: PublicationId,
    now: Instant,
) -> Result<publication::Model, Problem> {
    let row = publication::Entity::find_by_id(id)
        .filter(publication::COLUMN.person_id.eq(me.person()))
        .lock(LockType::Update)
        .one(tx)
        .await?;
    let row = row.ok_or_else(Problem::not_found)?;
    if row.ended_at.is_some() {
        return Err(Code::TransitionNotAllowed.into());
    }
    let row = end(tx, row, Ending::of(PublicationEnd::TakenBack), now).await?;
    let entry = Entry::done("take_back_publication", "publication", id);
    audit::record(tx, &app.field_keys, &Actor::villager(me), entry, now).await?;
    Ok(row)
}

async fn end_all(tx: &Tx, which: Condition, because: PublicationEnd, now: Instant) -> Result<(), Problem> {
    let rows = publication::Entity::find()
        .filter(which)
        .filter(publication::COLUMN.ended_at.is_null())
        .order_by_asc(publication::Column::Id)
        .lock(LockType::Update)
        .all(tx)
        .await?;
    for row in rows {
        end(tx, row, Ending::of(because), now).await?;
    }
    Ok(())
}

/// Somebody agrees no more to publication, or is a child: what tells of their matters goes in the same transaction, from
/// minutes too.
///
/// # Errors
/// Those of the database.
pub async fn person_ended(
    tx: &Tx,
    keys: &FieldKeys,
    person: PersonId,
    because: PublicationEnd,
    now: Instant,
) -> Result<(), Problem> {
    end_all(tx, Condition::all().add(publication::COLUMN.person_id.eq(person)), because, now).await?;
    talks::leave_out(tx, keys, person, now).await
}

/// Some matters of minutes are told no more; the others stay where they are.
///
/// # Errors
/// Those of the database.
pub async fn left_out(tx: &Tx, minutes: Uuid, numbers: &BTreeSet<u64>, now: Instant) -> Result<(), Problem> {
    let standing = publication::Entity::find()
        .filter(publication::COLUMN.kind.eq(PublicationKind::Minutes))
        .filter(publication::COLUMN.subject_id.eq(minutes))
        .filter(publication::COLUMN.ended_at.is_null());
    let Some(row) = standing.lock(LockType::Update).one(tx).await? else { return Ok(()) };
    let parts = numbers.iter().copied().map(minutes_part).collect();
    let dropped = content::drop_parts(tx, ContentSubject::Publication, row.id.0, parts).await?;
    let dropped = i32::try_from(dropped).map_err(Problem::unexpected)?;
    let (id, version, parts) = (row.id, row.version + 1, row.parts - dropped);
    let body = row.body.clone().map(|body| talks::without_matters(body, numbers));
    let digest = make::digest(row.title.as_deref().unwrap_or_default(), body.as_ref().unwrap_or(&Value::Null));
    let mut row = row.into_active_model();
    row.body = Set(body);
    row.digest = Set(digest);
    row.parts = Set(parts);
    row.version = Set(version);
    row.update(tx).await?;
    make::show_if_passed(tx, id, now).await
}

/// A case is public no more, or open again: what is published of it goes.
///
/// # Errors
/// Those of the database.
pub async fn case_ended(tx: &Tx, case: CaseId, because: PublicationEnd, now: Instant) -> Result<(), Problem> {
    let of_case = Condition::all()
        .add(publication::COLUMN.kind.eq(PublicationKind::Answer))
        .add(publication::COLUMN.subject_id.eq(case.0));
    end_all(tx, of_case, because, now).await
}

/// The villager's words in a case are held: what quotes them goes.
///
/// # Errors
/// Those of the database.
pub async fn words_held(tx: &Tx, case: CaseId, now: Instant) -> Result<(), Problem> {
    let quoting = Condition::all()
        .add(publication::COLUMN.kind.eq(PublicationKind::Answer))
        .add(publication::COLUMN.subject_id.eq(case.0))
        .add(publication::COLUMN.quotes.eq(true));
    end_all(tx, quoting, PublicationEnd::TakenDown, now).await
}

/// Somebody is forgotten: what tells of their matters goes, and whose it was.
///
/// # Errors
/// Those of the database.
pub async fn forget_person(tx: &Tx, keys: &FieldKeys, person: PersonId, now: Instant) -> Result<(), Problem> {
    person_ended(tx, keys, person, PublicationEnd::ConsentWithdrawn, now).await?;
    publication::Entity::update_many()
        .col_expr(publication::Column::PersonId, Expr::value(Option::<PersonId>::None))
        .filter(publication::COLUMN.person_id.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// The sweep: what has had its last day goes. It was shown to nobody since.
///
/// # Errors
/// Those of the database.
pub async fn expire(app: &Arc<App>) -> Result<(), Problem> {
    let now = app.clock.now();
    loop {
        let due: Vec<PublicationId> = publication::Entity::find()
            .select_only()
            .column(publication::Column::Id)
            .filter(publication::COLUMN.ended_at.is_null())
            .filter(publication::COLUMN.expires_on.lt(local_day(now)))
            .limit(AT_ONCE)
            .into_tuple()
            .all(app.db.read())
            .await?;
        if due.is_empty() {
            return Ok(());
        }
        let which = Condition::all().add(publication::COLUMN.id.is_in(due));
        app.db.transact(async move |tx| end_all(tx, which.clone(), PublicationEnd::Expired, now).await).await?;
    }
}

/// How long it is known whose matter was published.
const KEPT: TimeDelta = TimeDelta::days(365);

/// Forgets whose matter it was that stood on the page.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    publication::Entity::update_many()
        .col_expr(publication::Column::PersonId, Expr::value(Option::<PersonId>::None))
        .filter(publication::COLUMN.person_id.is_not_null())
        .filter(publication::COLUMN.ended_at.lt(now - KEPT))
        .exec(tx)
        .await?;
    Ok(())
}
