//! What stands in minutes: the whole, which is signed, and the part that everybody may read.
//!
//! Both show public matters only; private ones are a number. The public part holds what the host wrote for everybody,
//! never the record, and a net below takes numbers and names out of it ([`crate::talks::words`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{
    booking::{BookingOutcome, BookingState},
    id::{PersonId, StaffId},
    staff, talk_day,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::{
    matters::{self, Matter},
    minutes,
};
use crate::{
    app::App,
    clock::local_day,
    db::{Tx, padded},
    divisions, people,
    personal::{PersonName, Personal, PrivateText},
    problem::Problem,
    talks::{terms, words},
};

/// Both documents.
pub(super) struct Made {
    pub(super) document: Value,
    pub(super) public_document: Value,
    /// Whose the public matters are, by their numbers.
    pub(super) people: BTreeMap<u64, PersonId>,
}

/// Makes them of a day as it stands.
pub(super) async fn make(tx: &Tx, app: &App, day: &talk_day::Model, remarks: Option<&str>) -> Result<Made, Problem> {
    let all = matters::of_day(tx, day.id).await?;
    let known = all.iter().map(|matter| matter.booking.person_id).collect();
    let known = people::names(tx, &app.field_keys, known).await?;
    let names: Vec<PersonName> = known.values().cloned().collect();
    let head = json!({
        "village": divisions::find(tx, day.division_id).await?.display_name,
        "date": day.on_date,
        "place": day.place,
        "purpose": day.purpose,
        "format": day.format,
        "hosts": host_names(tx, day, &all).await?,
        "counts": counts(&all),
    });
    let is_told = |matter: &&Matter| matter.is_public() && matter.booking.state == BookingState::Concluded;
    let (mut whole, mut public, mut people_told) = (Vec::new(), Vec::new(), BTreeMap::new());
    let told: Vec<&Matter> = all.iter().filter(is_told).collect();
    let theirs: Vec<PersonId> = told.iter().map(|matter| matter.booking.person_id).collect();
    let today = local_day(app.clock.now());
    let unpublished = people::unpublished(tx, &app.field_keys, &theirs, today).await?;
    for (number, matter) in (1_u64..).zip(told) {
        let name = known.get(&matter.booking.person_id);
        let said = Said::of(app, matter)?;
        whole.push(json!({
            "number": number, "booking": matter.booking.id, "topic": matter.booking.topic,
            "title": matter.booking.agenda_title,
            "name": name.map(Personal::masked), "record": said.record, "public_text": said.public_text,
            "outcome": matter.booking.outcome,
        }));
        if unpublished.contains(&matter.booking.person_id) {
            continue;
        }
        let text = said.public_text.map(|text| words::published(&text, &names));
        let title = matter.booking.agenda_title.as_ref().map(|title| words::published(title, &names));
        people_told.insert(number, matter.booking.person_id);
        public.push(json!({
            "number": number, "topic": matter.booking.topic, "title": title, "name": name.map(words::somebody),
            "outcome": matter.booking.outcome, "text": text,
        }));
    }
    Ok(Made {
        document: with(&head, [("matters", json!(whole)), ("remarks", json!(remarks.map(str::trim)))]),
        public_document: with(&head, [("matters", json!(public))]),
        people: people_told,
    })
}

/// The public part without what is told no more: what stands under none of these numbers.
pub(super) fn as_far_as(mut public_document: Value, told: &BTreeMap<u64, PersonId>) -> Value {
    if let Some(matters) = public_document.get_mut("matters").and_then(Value::as_array_mut) {
        matters.retain(|matter| minutes::number(matter).is_some_and(|number| told.contains_key(&number)));
    }
    public_document
}

/// Whether something was heard, or is on record, that these minutes do not tell. What somebody is called is no matter.
pub(super) fn tells_otherwise(signed: &Value, now: &Value) -> bool {
    let told = |document: &Value| {
        let mut matters = document.get("matters").and_then(Value::as_array).cloned().unwrap_or_default();
        for matter in matters.iter_mut().filter_map(Value::as_object_mut) {
            matter.remove("name");
        }
        (document.get("counts").cloned(), matters)
    };
    told(signed) != told(now)
}

fn with<const N: usize>(head: &Value, members: [(&str, Value); N]) -> Value {
    let mut whole = head.clone();
    for (name, member) in members {
        if let Some(object) = whole.as_object_mut() {
            object.insert(name.to_owned(), member);
        }
    }
    whole
}

/// What was written of a matter, in the clear.
struct Said {
    record: Option<String>,
    public_text: Option<String>,
}

impl Said {
    fn of(app: &App, matter: &Matter) -> Result<Self, Problem> {
        let Some(row) = &matter.record else { return Ok(Self { record: None, public_text: None }) };
        let open = |text: PrivateText| text.in_the_clear().to_owned();
        Ok(Self {
            record: Some(open(app.field_keys.open(&row.text)?)),
            public_text: app.field_keys.open_if(row.public_text.as_ref())?.map(open),
        })
    }
}

/// How many; of private matters nothing but that they were heard.
fn counts(all: &[Matter]) -> Value {
    let heard = || all.iter().filter(|matter| matter.booking.state == BookingState::Concluded);
    let public = |outcome| heard().filter(|one| one.is_public() && one.booking.outcome == Some(outcome)).count();
    json!({
        "heard": heard().count(),
        "private": heard().filter(|matter| !matter.is_public()).count(),
        "answered": public(BookingOutcome::Answered),
        "cases": public(BookingOutcome::Case),
        "council": public(BookingOutcome::Council),
    })
}

/// Those the day names; where it names none, who wrote the records.
async fn host_names(tx: &Tx, day: &talk_day::Model, all: &[Matter]) -> Result<Vec<String>, Problem> {
    let ids = hosts(day, all)?;
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let rows = staff::Entity::find().filter(staff::COLUMN.id.is_in(padded(ids.iter().copied()))).all(tx).await?;
    let names: HashMap<StaffId, String> = rows.into_iter().map(|row| (row.id, row.name)).collect();
    Ok(ids.iter().filter_map(|id| names.get(id).cloned()).collect())
}

fn hosts(day: &talk_day::Model, all: &[Matter]) -> Result<Vec<StaffId>, Problem> {
    let named: Vec<StaffId> = terms::stored(&day.hosts)?;
    if !named.is_empty() {
        return Ok(named);
    }
    let wrote: BTreeSet<StaffId> = all.iter().filter_map(|matter| Some(matter.record.as_ref()?.staff_id)).collect();
    Ok(wrote.into_iter().collect())
}

/// Who hosted a day, for whoever must not be one of them.
pub(super) async fn hosts_of(tx: &Tx, day: &talk_day::Model) -> Result<Vec<staff::Model>, Problem> {
    let ids = hosts(day, &matters::of_day(tx, day.id).await?)?;
    if ids.is_empty() {
        return Ok(vec![]);
    }
    Ok(staff::Entity::find().filter(staff::COLUMN.id.is_in(padded(ids))).all(tx).await?)
}
