//! Who stands at the door: found by their code, the end of their phone number, or their name.

use entity::{
    booking,
    id::{PersonId, TalkDayId},
    person,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    line::{InLine, Viewed},
    places, trail,
};
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    db::padded,
    personal::{PersonName, Personal, PhoneNumber},
    problem::Problem,
};

/// The most that are shown; a tail that so many share finds nobody in particular.
const MOST: u64 = 20;
/// Digits of a phone that people say at the door.
const TAIL: usize = 4;

/// One of the three.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindInLine {
    /// The code of the booking; large or small letters.
    #[validate(length(min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20, example = "K7M4XA")]
    code: Option<String>,
    /// The last four digits of their phone.
    #[validate(length(equal = 4))]
    #[schema(min_length = 4, max_length = 4, pattern = "^[0-9]{4}$")]
    phone_tail: Option<String>,
    /// Their whole name.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    name: Option<String>,
}

/// Bookings of the day that fit, by their number; at most twenty.
///
/// # Errors
/// `not_found`; `invalid` when not exactly one thing is said.
pub async fn find(
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    body: &FindInLine,
) -> Result<Vec<InLine>, Problem> {
    let db = app.db.read();
    let viewed = Viewed::open(db, staff, id, app.clock.now()).await?;
    let of_day = || {
        let live = booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(id));
        live.filter(places::live()).order_by_asc(booking::Column::NumberInLine)
    };
    let query = match (&body.code, &body.phone_tail, &body.name) {
        (Some(code), None, None) => of_day().filter(booking::COLUMN.code.eq(code.trim().to_ascii_uppercase())),
        (None, Some(tail), None) => {
            let here = of_day().select_only().column(booking::Column::PersonId);
            let here: Vec<PersonId> = here.into_tuple().all(db).await?;
            of_day().filter(booking::COLUMN.person_id.is_in(padded(with_tail(app, here, tail).await?)))
        }
        (None, None, Some(name)) => {
            let name = PersonName::read(name).ok_or_else(|| Problem::field("/name", "format"))?;
            let here = of_day().select_only().column(booking::Column::PersonId);
            let here: Vec<PersonId> = here.into_tuple().all(db).await?;
            of_day().filter(booking::COLUMN.person_id.is_in(padded(called(app, here, &name).await?)))
        }
        (None, None, None) => return Err(Problem::field("/code", "required")),
        _ => return Err(Problem::field("/code", "one_of")),
    };
    let rows = query.limit(MOST).all(db).await?;
    let entries = viewed.entries(db, &app.field_keys, rows).await?;
    trail::listed(app, staff, id, &entries, "find").await?;
    Ok(entries)
}

/// Those of these people whose phone ends so. Sealed numbers cannot be searched by their end: each is opened.
async fn with_tail(app: &App, people: Vec<PersonId>, tail: &str) -> Result<Vec<PersonId>, Problem> {
    if !tail.bytes().all(|byte| byte.is_ascii_digit()) || tail.len() != TAIL {
        return Err(Problem::field("/phone_tail", "format"));
    }
    let mut found = Vec::new();
    for person in load(app, people, None).await? {
        let phone = app.field_keys.open_if::<PhoneNumber>(person.phone.as_ref())?;
        if phone.is_some_and(|phone| phone.in_the_clear().ends_with(tail)) {
            found.push(person.id);
        }
    }
    Ok(found)
}

async fn called(app: &App, people: Vec<PersonId>, name: &PersonName) -> Result<Vec<PersonId>, Problem> {
    let hash = app.field_keys.hash_of(name)?;
    Ok(load(app, people, Some(hash)).await?.into_iter().map(|person| person.id).collect())
}

async fn load(app: &App, people: Vec<PersonId>, name_hash: Option<String>) -> Result<Vec<person::Model>, Problem> {
    if people.is_empty() {
        return Ok(vec![]);
    }
    let mut query = person::Entity::find().filter(person::COLUMN.id.is_in(padded(people)));
    if let Some(hash) = name_hash {
        query = query.filter(person::COLUMN.name_hash.eq(hash));
    }
    Ok(query.all(app.db.read()).await?)
}
