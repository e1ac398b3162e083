//! The agenda of a day: the matters that were screened as public, and what became of those of last time.
//!
//! It is made of public matters alone, down to which day counts as the last one: a private matter changes no byte of it.
//! What was answered last time is read from the minutes once two villagers have signed and they are published, word by
//! word; nothing is told of it sooner, and nothing is masked here by names that may be gone.
//! Next: [`super::screening`], which decides what stands on it.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, Timelike};
use entity::{
    Instant, booking,
    booking::{BookingOutcome, BookingPrivacy, BookingState, Screening},
    case::{self, CaseState},
    content_check::ContentSubject,
    division,
    id::{BookingId, CaseId, PersonId, TalkDayId},
    talk_day,
    talk_day::{TalkDayState, TalkPurpose},
};
use rust_i18n::t;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    matters::{self, Matter},
    minutes::{self, PublicMinutes, Published},
    screening::AGENDA_TITLE,
};
use crate::{
    app::App,
    clock::{china, local_day},
    content,
    db::padded,
    divisions, people,
    problem::Problem,
};

/// A matter that is to come.
pub struct AgendaItem {
    pub title: String,
    pub topic: String,
}

/// What became of a matter of last time.
pub struct WhatBecame {
    pub title: String,
    pub topic: String,
    pub outcome: Option<BookingOutcome>,
    pub case_state: Option<CaseState>,
    pub answered: Option<String>,
}

/// The agenda of a day.
pub struct Agenda {
    pub day: talk_day::Model,
    pub is_final: bool,
    pub opening: Vec<WhatBecame>,
    pub items: Vec<AgendaItem>,
    pub loudspeaker: String,
}

/// The agenda of a day, or 404.
pub async fn agenda(app: &App, id: TalkDayId, now: Instant) -> Result<Agenda, Problem> {
    let db = app.db.read();
    let day = talk_day::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let place = divisions::find(db, day.division_id).await?;
    let on_it = |matter: &Matter| matter.is_public() && matter.booking.screened == Some(Screening::Public);
    let listed = matters::of_day(db, id).await?.into_iter().filter(on_it).collect();
    let listed = for_everybody(app, db, listed, local_day(now)).await?;
    let titles = titles(app, db, &listed).await?;
    let item = |matter: Matter| Some(AgendaItem { title: titles.of(&matter)?, topic: matter.booking.topic });
    let items: Vec<AgendaItem> = listed.into_iter().filter_map(item).collect();
    let opening = match previous(db, &day).await? {
        Some(before) => what_became(app, db, before.id, local_day(now)).await?,
        None => vec![],
    };
    let is_final = day.on_date.checked_sub_days(Days::new(1)).is_none_or(|eve| local_day(now) >= eve);
    let loudspeaker = loudspeaker(&day, &place, &items);
    Ok(Agenda { day, is_final, opening, items, loudspeaker })
}

/// Without the matters of children, and of people who agree to no publication.
async fn for_everybody(
    app: &App,
    db: &impl ConnectionTrait,
    mut matters: Vec<Matter>,
    today: NaiveDate,
) -> Result<Vec<Matter>, Problem> {
    let people: Vec<PersonId> = matters.iter().map(|matter| matter.booking.person_id).collect();
    let unpublished = people::unpublished(db, &app.field_keys, &people, today).await?;
    matters.retain(|matter| !unpublished.contains(&matter.booking.person_id));
    Ok(matters)
}

/// What the agenda says of matters, as far as somebody looked at it.
struct Titles(HashMap<Uuid, String>);

impl Titles {
    fn of(&self, matter: &Matter) -> Option<String> {
        let title = matter.booking.agenda_title.as_ref()?;
        (self.0.get(&matter.booking.id.0) == Some(title)).then(|| title.clone())
    }
}

async fn titles(app: &App, db: &impl ConnectionTrait, matters: &[Matter]) -> Result<Titles, Problem> {
    let titled = matters.iter().filter(|matter| matter.booking.agenda_title.is_some());
    let ids: Vec<Uuid> = titled.map(|matter| matter.booking.id.0).collect();
    Ok(Titles(content::shown_words(db, app, ContentSubject::Booking, AGENDA_TITLE, &ids).await?))
}

/// The last day before this one, of the same place and purpose, on which a public matter was heard.
async fn previous(db: &impl ConnectionTrait, day: &talk_day::Model) -> Result<Option<talk_day::Model>, Problem> {
    let heard = booking::Entity::find()
        .select_only()
        .column(booking::Column::TalkDayId)
        .filter(booking::COLUMN.state.eq(BookingState::Concluded))
        .filter(booking::COLUMN.privacy.eq(BookingPrivacy::Public))
        // Day by day, the last first, and not over all that was ever heard anywhere.
        .filter(
            Expr::col((booking::Entity, booking::Column::TalkDayId)).equals((talk_day::Entity, talk_day::Column::Id)),
        )
        .into_query();
    let earlier = Condition::any().add(talk_day::COLUMN.on_date.lt(day.on_date)).add(
        Condition::all()
            .add(talk_day::COLUMN.on_date.eq(day.on_date))
            .add(talk_day::COLUMN.starts_at.lt(day.starts_at)),
    );
    Ok(talk_day::Entity::find()
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.purpose.eq(day.purpose))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(earlier)
        .filter(Expr::exists(heard))
        .order_by_desc(talk_day::Column::OnDate)
        .order_by_desc(talk_day::Column::StartsAt)
        .one(db)
        .await?)
}

async fn what_became(
    app: &App,
    db: &impl ConnectionTrait,
    day: TalkDayId,
    today: NaiveDate,
) -> Result<Vec<WhatBecame>, Problem> {
    let heard = |matter: &Matter| matter.is_public() && matter.booking.state == BookingState::Concluded;
    let heard: Vec<Matter> = matters::of_day(db, day).await?.into_iter().filter(heard).collect();
    let states = states_of(db, heard.iter().filter_map(|matter| matter.booking.case_id).collect()).await?;
    let state_of = |row: &booking::Model| row.case_id.and_then(|id| states.get(&id).copied());
    match minutes::published(db, day, today).await? {
        Published::NotYet => {}
        // What the page of the village does not tell is not told here either.
        Published::NotShown => return Ok(vec![]),
        Published::Shown(page) => {
            let cases = heard.iter().filter_map(|matter| Some((matter.booking.id, state_of(&matter.booking)?)));
            return as_published(app, &page, &cases.collect());
        }
    }
    let heard = for_everybody(app, db, heard, today).await?;
    let titles = titles(app, db, &heard).await?;
    let before_that = |matter: Matter| WhatBecame {
        case_state: state_of(&matter.booking),
        title: titles.of(&matter).unwrap_or_else(|| matters::topic_label(&matter.booking.topic)),
        topic: matter.booking.topic,
        outcome: matter.booking.outcome,
        answered: None,
    };
    Ok(heard.into_iter().map(before_that).collect())
}

/// A matter as the public minutes tell it.
#[derive(Deserialize)]
struct Told {
    number: u64,
    topic: String,
    title: Option<String>,
    outcome: Option<BookingOutcome>,
    text: Option<String>,
}

/// The matters of published minutes, and where their cases stand today.
fn as_published(
    app: &App,
    published: &PublicMinutes,
    cases: &HashMap<BookingId, CaseState>,
) -> Result<Vec<WhatBecame>, Problem> {
    let matters = |document: &Value| document.get("matters").cloned().unwrap_or_else(|| json!([]));
    let told: Vec<Told> = serde_json::from_value(matters(&published.document)).map_err(Problem::unexpected)?;
    // Whose they are stands in what was signed alone, under the same numbers.
    let whole = matters(&minutes::document(&app.field_keys, &published.row)?);
    let booking = |number: u64| {
        let signed = whole.as_array()?.iter().find(|matter| minutes::number(matter) == Some(number))?;
        serde_json::from_value(signed.get("booking")?.clone()).ok()
    };
    let view = |matter: Told| WhatBecame {
        title: matter.title.unwrap_or_else(|| matters::topic_label(&matter.topic)),
        topic: matter.topic,
        outcome: matter.outcome,
        case_state: booking(matter.number).and_then(|id: BookingId| cases.get(&id).copied()),
        answered: matter.text,
    };
    Ok(told.into_iter().map(view).collect())
}

/// Where cases stand, as far as everybody may know.
async fn states_of(db: &impl ConnectionTrait, ids: Vec<CaseId>) -> Result<HashMap<CaseId, CaseState>, Problem> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CaseId, CaseState)> = case::Entity::find()
        .select_only()
        .columns([case::Column::Id, case::Column::State])
        .filter(case::COLUMN.id.is_in(padded(ids)))
        .filter(case::COLUMN.confidential.eq(false))
        .filter(case::COLUMN.private.eq(false))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// What is read out over the village loudspeaker, in Chinese whoever asks.
fn loudspeaker(day: &talk_day::Model, place: &division::Model, items: &[AgendaItem]) -> String {
    let local = day.starts_at.with_timezone(&china());
    let part = match local.hour() {
        0..12 => "morning",
        12..18 => "afternoon",
        _ => "evening",
    };
    let part = t!(format!("agenda.{part}"), locale = "zh-CN");
    let hour = if local.hour() > 12 { local.hour() - 12 } else { local.hour() };
    let minutes = if local.minute() == 0 { String::new() } else { local.format("%-M分").to_string() };
    let params = (local.format("%-m月%-d日").to_string(), format!("{part}{hour}点{minutes}"));
    let purpose = t!(format!("agenda.purpose.{}", slug(day.purpose)), locale = "zh-CN");
    let key = if day.state == TalkDayState::Cancelled { "agenda.cancelled" } else { "agenda.begins" };
    let mut text = t!(
        key,
        locale = "zh-CN",
        village = place.display_name,
        date = params.0,
        time = params.1,
        place = day.place,
        purpose = purpose
    )
    .into_owned();
    if day.state == TalkDayState::Cancelled {
        return text;
    }
    for (at, item) in items.iter().enumerate() {
        text.push_str(&t!("agenda.item", locale = "zh-CN", number = at + 1, title = item.title));
    }
    text.push_str(&t!(if items.is_empty() { "agenda.nothing" } else { "agenda.welcome" }, locale = "zh-CN"));
    text
}

fn slug(purpose: TalkPurpose) -> &'static str {
    match purpose {
        TalkPurpose::Talk => "talk",
        TalkPurpose::Liaison => "liaison",
        TalkPurpose::LegalAdvice => "legal_advice",
        TalkPurpose::ExpertVisit => "expert_visit",
        TalkPurpose::Counter => "counter",
    }
}
