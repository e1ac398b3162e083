//! Showing who somebody is, to staff who keep the residents of their village; and whether somebody is a child.

use std::collections::{BTreeSet, HashSet};

use actix_web::{HttpResponse, post, web::Data, web::Path};
use chrono::NaiveDate;
use entity::{id::PersonId, person, sealed::Sealed};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    app::App,
    audit::{
        Entry,
        reveal::{self, Revealed, check_reason},
    },
    auth::{Staff, duty::ManagePeople},
    clock::local_day,
    crypto::FieldKeys,
    db::{Tx, padded},
    divisions,
    http::{Command, json as answer},
    people::place,
    personal::{CitizenNumber, PersonName, Personal, PhoneNumber},
    problem::Problem,
};

/// What of a person may be shown in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonField {
    /// 姓名
    Name,
    /// 电话
    Phone,
    /// 身份证号
    CitizenNo,
}

/// Which fields, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealPerson {
    #[validate(length(min = 1, max = 3))]
    #[schema(min_items = 1, max_items = 3)]
    fields: Vec<PersonField>,
    /// For the audit; 4 to 200 characters.
    #[validate(custom(function = "check_reason"))]
    #[schema(min_length = 4, max_length = 200)]
    reason: String,
}

/// Shows a person's data in the clear. Entered in the audit, never kept as the answer of an `Idempotency-Key`.
#[utoipa::path(tag = "staff", params(("id" = PersonId, Path)), request_body = RevealPerson, responses((status = 200, body = Revealed)))]
#[post("/staff/people/{id}/reveal")]
pub async fn reveal_person(
    app: Data<App>,
    staff: Staff<ManagePeople>,
    id: Path<PersonId>,
    command: Command<RevealPerson>,
) -> Result<HttpResponse, Problem> {
    let (shared, body) = (app.clone(), command.body);
    answer(&app.db.transact(async move |tx| show(tx, &shared, &staff, *id, &body).await).await?)
}

/// The fields of somebody who lives where these staff keep the residents; a person of no village is of nobody's.
///
/// # Errors
/// `not_found` out of scope, `not_your_duty` for a child's data, `too_many_requests`.
async fn show(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManagePeople>,
    id: PersonId,
    body: &RevealPerson,
) -> Result<Revealed, Problem> {
    let person = place::person(tx, staff, id).await?;
    let home = divisions::find(tx, person.village_id.ok_or_else(Problem::not_found)?).await?;
    let places: Vec<_> = divisions::line_up(&home).into_iter().flatten().collect();
    let keys = &app.field_keys;
    let minor = is_child(keys, person.citizen_no.as_ref(), local_day(app.clock.now()))?;
    reveal::check_minor(staff, minor, &places)?;
    let mut wanted = body.fields.clone();
    wanted.sort();
    wanted.dedup();
    let mut values = Vec::new();
    for field in wanted {
        values.push(match field {
            PersonField::Name => ("name", clear::<PersonName>(keys, person.name.as_ref())?),
            PersonField::Phone => ("phone", clear::<PhoneNumber>(keys, person.phone.as_ref())?),
            PersonField::CitizenNo => ("citizen_no", clear::<CitizenNumber>(keys, person.citizen_no.as_ref())?),
        });
    }
    let entry = Entry::done("reveal_person", "person", id).because(body.reason.trim());
    reveal::reveal(tx, app, staff, entry, values).await
}

fn clear<T: Personal>(keys: &FieldKeys, sealed: Option<&Sealed>) -> Result<Value, Problem> {
    Ok(keys.open_if::<T>(sealed)?.map_or(Value::Null, |value| json!(value.in_the_clear())))
}

/// Whether a person is known to be under 14 on this day: every reading of a child's data is entered.
pub async fn is_minor(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    person: PersonId,
    day: NaiveDate,
) -> Result<bool, Problem> {
    let number: Option<Option<Sealed>> = person::Entity::find()
        .select_only()
        .column(person::Column::CitizenNo)
        .filter(person::COLUMN.id.eq(person))
        .into_tuple()
        .one(db)
        .await?;
    is_child(keys, number.flatten().as_ref(), day)
}

/// Those of these people who are known to be under 14 on this day.
pub async fn minors(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    people: BTreeSet<PersonId>,
    day: NaiveDate,
) -> Result<HashSet<PersonId>, Problem> {
    let mut minors = HashSet::new();
    if people.is_empty() {
        return Ok(minors);
    }
    let numbers: Vec<(PersonId, Option<Sealed>)> = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::CitizenNo])
        .filter(person::COLUMN.id.is_in(padded(people)))
        .filter(person::COLUMN.citizen_no.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    for (person, number) in numbers {
        if is_child(keys, number.as_ref(), day)? {
            minors.insert(person);
        }
    }
    Ok(minors)
}

/// Whether a citizen number, where there is one, is that of a child under 14 on this day.
pub fn is_child(keys: &FieldKeys, number: Option<&Sealed>, day: NaiveDate) -> Result<bool, Problem> {
    Ok(keys.open_if::<CitizenNumber>(number)?.is_some_and(|number| number.is_of_a_child(day)))
}
