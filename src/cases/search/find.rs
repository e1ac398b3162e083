//! `?q=` of the staff's list: a case number, a phone, a name, or words; the last filed first, open or closed.

use std::collections::HashMap;

use entity::{
    case, case_search,
    id::{CaseId, PersonId},
    person,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{place, terms};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Duty, Posted, Staff, duty::WorkOnCases},
    cases::{
        number::CaseNumber,
        ops::find::{Narrow, narrow},
        scope,
    },
    db::{Wanted, padded},
    http::{Cursor, PageQuery},
    personal::{PersonName, PhoneNumber},
    problem::Problem,
};

/// Who may find cases by whose they are: the desk that is asked "how is my matter doing?".
const FINDS_BY_NAME: &[Duty] = &[Duty::AcceptCases, Duty::ManagePeople, Duty::HandleDiscipline];

/// People of one name that are looked for.
const MOST_OF_A_NAME: u64 = 2_000;

/// The most words found at once: at first a page, more while what is found is out of scope.
const MOST_AT_ONCE: u64 = 2_048;

/// A case and its place in the order.
pub type Found = (i64, case::Model);

/// At most `size + 1` cases in scope that `typed` finds.
pub async fn cases(
    app: &App,
    staff: &Staff<WorkOnCases>,
    by: &Narrow,
    typed: &str,
    page: &PageQuery,
) -> Result<Vec<Found>, Problem> {
    let before = Cursor::read::<i64>(page.cursor.as_deref())?;
    if let Ok(number) = CaseNumber::parse(typed) {
        let found = narrow(scope::of_staff(staff), by).filter(case::COLUMN.number.eq(number.to_string()));
        let found = if before.is_some() { None } else { found.one(app.db.read()).await? };
        return Ok(found.into_iter().map(|case| (0, case)).collect());
    }
    let most = page.size() + 1;
    let mut found: HashMap<CaseId, Found> = HashMap::new();
    for (seq, case) in of_people(app, staff, by, typed, before, most).await? {
        found.insert(case.id, (seq, case));
    }
    for (seq, case) in by_words(app, staff, by, typed, before, most).await? {
        found.insert(case.id, (seq, case));
    }
    let mut found: Vec<Found> = found.into_values().collect();
    found.sort_unstable_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

/// Cases of whoever has this name or phone, where one may find them so.
async fn of_people(
    app: &App,
    staff: &Staff<WorkOnCases>,
    by: &Narrow,
    typed: &str,
    before: Option<i64>,
    most: u64,
) -> Result<Vec<Found>, Problem> {
    let desks = staff.postings().filter(|posting| posting.any(FINDS_BY_NAME));
    let desks = desks.fold(Condition::any(), |any, posting| any.add(scope::in_place(posting)));
    if desks.is_empty() {
        return Ok(vec![]);
    }
    let (column, hash) = if let Some(phone) = PhoneNumber::read(typed) {
        (person::Column::PhoneHash, app.field_keys.hash_of(&phone)?)
    } else if let Some(name) = PersonName::read(typed) {
        (person::Column::NameHash, app.field_keys.hash_of(&name)?)
    } else {
        return Ok(vec![]);
    };
    let people: Vec<PersonId> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(column.eq(hash.as_str()))
        .limit(MOST_OF_A_NAME)
        .into_tuple()
        .all(app.db.read())
        .await?;
    // Most words are nobody's name.
    if people.is_empty() {
        return Ok(vec![]);
    }
    // Who asks for whom is kept, the name and the phone by their keyed hash.
    let entry = Entry::plain("find_cases_of_person", "person").of_fields(hash);
    audit::note(app, &Actor::staff(staff), entry).await?;
    let theirs = narrow(scope::of_staff(staff), by).filter(desks).filter(case::COLUMN.person_id.is_in(padded(people)));
    in_order(app, theirs, before, most).await
}

async fn in_order(
    app: &App,
    mut query: Select<case::Entity>,
    before: Option<i64>,
    most: u64,
) -> Result<Vec<Found>, Problem> {
    let seq = || Expr::SubQuery(None, Box::new(seq_of_the_case().into()));
    query = query.filter(seq().is_not_null());
    if let Some(before) = before {
        query = query.filter(seq().lt(before));
    }
    let rows = query.order_by_desc(seq()).limit(most).all(app.db.read()).await?;
    let ids: Vec<CaseId> = rows.iter().map(|row| row.id).collect();
    let seqs = case_search::Entity::find().filter(case_search::COLUMN.case_id.is_in(padded(ids)));
    let seqs: HashMap<CaseId, i64> =
        seqs.all(app.db.read()).await?.into_iter().map(|row| (row.case_id, row.seq)).collect();
    Ok(rows.into_iter().filter_map(|row| Some((*seqs.get(&row.id)?, row))).collect())
}

fn seq_of_the_case() -> SelectStatement {
    Query::select()
        .column(case_search::Column::Seq)
        .from(case_search::Entity)
        .and_where(
            Expr::col((case_search::Entity, case_search::Column::CaseId)).equals((case::Entity, case::Column::Id)),
        )
        .to_owned()
}

/// Cases with all these words. The engine finds by words and place; what else a scope asks is asked of what it found.
async fn by_words(
    app: &App,
    staff: &Staff<WorkOnCases>,
    by: &Narrow,
    typed: &str,
    mut before: Option<i64>,
    most: u64,
) -> Result<Vec<Found>, Problem> {
    let all = terms::wanted(typed);
    let wanted = Wanted { all, any: places(staff) };
    if wanted.all.is_empty() || wanted.any.is_empty() {
        return Ok(vec![]);
    }
    let mut at_once = most;
    let mut found: Vec<Found> = Vec::new();
    loop {
        let hits = app.db.find_words(&wanted, before, at_once).await?;
        let Some(last) = hits.last().copied() else { return Ok(found) };
        let whole = u64::try_from(hits.len()).unwrap_or(u64::MAX) == at_once;
        found.extend(in_scope(app, staff, by, hits).await?);
        if !whole || u64::try_from(found.len()).unwrap_or(u64::MAX) >= most {
            return Ok(found);
        }
        before = Some(last);
        at_once = Ord::min(at_once * 4, MOST_AT_ONCE);
    }
}

async fn in_scope(app: &App, staff: &Staff<WorkOnCases>, by: &Narrow, hits: Vec<i64>) -> Result<Vec<Found>, Problem> {
    let numbered = case_search::Entity::find().filter(case_search::COLUMN.seq.is_in(padded(hits)));
    let seqs: HashMap<CaseId, i64> =
        numbered.all(app.db.read()).await?.into_iter().map(|row| (row.case_id, row.seq)).collect();
    let ids = padded(seqs.keys().copied());
    let rows = narrow(scope::of_staff(staff), by).filter(case::COLUMN.id.is_in(ids)).all(app.db.read()).await?;
    Ok(rows.into_iter().filter_map(|row| Some((*seqs.get(&row.id)?, row))).collect())
}

/// The places of one's postings; of what is confidential those where one handles it.
fn places(staff: &Staff<WorkOnCases>) -> Vec<String> {
    const SEES_OPEN: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise, Duty::HandleCases];
    let of_posting = |posting: &Posted| {
        let term = |confidential| place(posting.division, confidential);
        let (open, discipline) = (posting.any(SEES_OPEN), posting.any(&[Duty::HandleDiscipline]));
        [open.then(|| term(false)), discipline.then(|| term(true))]
    };
    staff.postings().flat_map(of_posting).flatten().collect()
}
