//! Looking for what anybody may see.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use entity::{
    case::{self, CaseState},
    case_event,
    content_check::ContentSubject,
    division::{self, DivisionLevel},
    id::{CaseId, DivisionId, FileId, PersonId, UnitId},
    unit,
};
use rust_i18n::t;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::{
    format::Fault,
    place::{self, Asked},
    views::Open311Request,
};
use crate::{
    app::App, calendar::desk, cases::publication, clock::china, content, db::padded, files, lists, people,
    personal::PersonName, problem::Language, settings, talks::words,
};

/// The most requests of one answer, and the most ids of one question: the specification's.
const MOST: u64 = 1000;
const MOST_IDS: usize = 50;
/// The longest span of a question.
const LONGEST: TimeDelta = TimeDelta::days(90);
/// How long the link to a photo is good.
const LINK_FOR: TimeDelta = TimeDelta::hours(1);
/// Rows looked up by one statement.
const AT_ONCE: usize = 256;

/// States in which a request is closed.
const CLOSED: [CaseState; 5] =
    [CaseState::Completed, CaseState::Archived, CaseState::Rejected, CaseState::Lapsed, CaseState::Merged];

fn of_place(place: &division::Model) -> Condition {
    let here = match place.level {
        DivisionLevel::Village => case::COLUMN.village_id.eq(place.id),
        DivisionLevel::Township => case::COLUMN.township_id.eq(place.id),
        DivisionLevel::County => case::COLUMN.county_id.eq(place.id),
        DivisionLevel::City => {
            let counties = division::Entity::find().select_only().column(division::Column::Id);
            let counties = counties.filter(division::COLUMN.city_id.eq(place.id));
            case::Column::CountyId.in_subquery(counties.into_query())
        }
    };
    Condition::all().add(here).add(publication::shown())
}

/// One request.
pub(super) async fn one(
    app: &App,
    place: &division::Model,
    id: &str,
    what: &'static str,
) -> Result<case::Model, Fault> {
    let not_found = || Fault::new(404, format!("{what} provided was not found"));
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(not_found());
    }
    let found = case::Entity::find().filter(of_place(place)).filter(case::COLUMN.public_id.eq(id));
    found.one(app.db.read()).await?.ok_or_else(not_found)
}

/// The requests that a call asks for, the newest first.
pub(super) async fn many(app: &App, place: &division::Model, asked: &Asked) -> Result<Vec<case::Model>, Fault> {
    let mut query = case::Entity::find().filter(of_place(place));
    if let Some(ids) = asked.get("service_request_id") {
        let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if ids.len() > MOST_IDS {
            return Err(Fault::new(400, format!("service_request_id takes at most {MOST_IDS} ids")));
        }
        // It overrides everything else.
        query = query.filter(case::COLUMN.public_id.is_in(ids));
    } else {
        query = narrowed(query, app.clock.now(), asked)?;
    }
    let newest = query.order_by_desc(case::Column::CreatedAt).order_by_desc(case::Column::Id).limit(MOST);
    Ok(newest.all(app.db.read()).await?)
}

fn narrowed(query: Select<case::Entity>, now: DateTime<Utc>, asked: &Asked) -> Result<Select<case::Entity>, Fault> {
    let mut query = query;
    if let Some(codes) = asked.get("service_code") {
        let codes: Vec<&str> = codes.split(',').map(str::trim).filter(|code| !code.is_empty()).collect();
        if codes.iter().any(|code| !lists::knows("topics", code)) {
            return Err(Fault::new(404, "service_code provided was not found"));
        }
        query = query.filter(case::COLUMN.topic.is_in(codes));
    }
    let (from, to) = span(now, read_date(asked, "start_date")?, read_date(asked, "end_date")?)?;
    query = query.filter(case::COLUMN.created_at.gte(from)).filter(case::COLUMN.created_at.lte(to));
    if let Some(status) = asked.get("status") {
        let mut wanted = (false, false);
        for word in status.split(',').map(str::trim) {
            match word {
                "open" => wanted.0 = true,
                "closed" => wanted.1 = true,
                _ => return Err(Fault::new(400, "status is open or closed")),
            }
        }
        query = match wanted {
            (true, false) => query.filter(case::COLUMN.state.is_not_in(CLOSED)),
            (false, true) => query.filter(case::COLUMN.state.is_in(CLOSED)),
            _ => query,
        };
    }
    Ok(query)
}

fn read_date(asked: &Asked, name: &str) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(text) = asked.get(name) else { return Ok(None) };
    // A plus sign that nobody escaped arrives as a space.
    let text = text.replace(' ', "+");
    let read: Option<DateTime<FixedOffset>> = DateTime::parse_from_rfc3339(&text).ok();
    let sane = read.filter(|at| (2000..=2999).contains(&chrono::Datelike::year(at)));
    let wrong = || Fault::new(400, format!("{name} must be a date and time such as 2026-01-01T00:00:00Z"));
    sane.map(|at| Some(at.to_utc())).ok_or_else(wrong)
}

/// At most ninety days: those asked for, else the latest.
fn span(
    now: DateTime<Utc>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    let (from, to) = match (from, to) {
        (None, None) => (now - LONGEST, now),
        (Some(from), None) => (from, from + LONGEST),
        (None, Some(to)) => (to - LONGEST, to),
        (Some(from), Some(to)) => (from, to),
    };
    if to < from || to - from > LONGEST {
        return Err(Fault::new(400, "start_date and end_date may span at most 90 days"));
    }
    Ok((from, to))
}

/// As they are shown.
pub(super) async fn views(
    app: &App,
    cases: Vec<case::Model>,
    language: Language,
) -> Result<Vec<Open311Request>, Fault> {
    let db = app.db.read();
    let ids: Vec<CaseId> = cases.iter().map(|case| case.id).collect();
    let accepted = accepted_by_somebody(db, &ids).await?;
    let keys: Vec<Uuid> = accepted.iter().map(|id| id.0).collect();
    let shown = content::shown_words(db, app, ContentSubject::Case, publication::TEXT, &keys).await?;
    let photos = content::shown_photos(db, &keys).await?;
    let places = places(db, cases.iter().map(|case| case.village_id).collect()).await?;
    let units = units(db, cases.iter().map(|case| case.unit_id).collect()).await?;
    let names = people::names(db, &app.field_keys, cases.iter().map(|case| case.person_id).collect()).await?;
    let around = Around { shown, photos, names, places, units };
    let view = |case: case::Model| view(app, &case, &around, language);
    cases.into_iter().map(view).collect()
}

/// Those that somebody of the desk accepted, not the clock: somebody read them.
async fn accepted_by_somebody(db: &DatabaseConnection, ids: &[CaseId]) -> Result<HashSet<CaseId>, Fault> {
    let mut accepted = HashSet::new();
    for some in ids.chunks(AT_ONCE) {
        let found: Vec<CaseId> = case_event::Entity::find()
            .select_only()
            .column(case_event::Column::CaseId)
            .filter(case_event::COLUMN.case_id.is_in(padded(some.iter().copied())))
            .filter(case_event::COLUMN.action.eq("accept"))
            .filter(case_event::COLUMN.auto.eq(false))
            .into_tuple()
            .all(db)
            .await?;
        accepted.extend(found);
    }
    Ok(accepted)
}

async fn places(
    db: &DatabaseConnection,
    ids: HashSet<DivisionId>,
) -> Result<HashMap<DivisionId, division::Model>, Fault> {
    let found = division::Entity::find().filter(division::COLUMN.id.is_in(padded(ids))).all(db).await?;
    Ok(found.into_iter().map(|place| (place.id, place)).collect())
}

async fn units(db: &DatabaseConnection, ids: HashSet<UnitId>) -> Result<HashMap<UnitId, String>, Fault> {
    let found = unit::Entity::find().filter(unit::COLUMN.id.is_in(padded(ids))).all(db).await?;
    Ok(found.into_iter().map(|unit| (unit.id, unit.name)).collect())
}

/// What is looked up once for all requests of an answer.
struct Around {
    /// The words of a case that may be shown.
    shown: HashMap<Uuid, String>,
    photos: HashMap<Uuid, Vec<FileId>>,
    names: HashMap<PersonId, PersonName>,
    places: HashMap<DivisionId, division::Model>,
    units: HashMap<UnitId, String>,
}

fn view(app: &App, case: &case::Model, around: &Around, language: Language) -> Result<Open311Request, Fault> {
    let Around { shown, photos, names, places, units } = around;
    let state = serde_json::to_value(case.state).ok().and_then(|state| state.as_str().map(str::to_owned));
    let state = format!("open311.state.{}", state.unwrap_or_default());
    let photo = photos.get(&case.id.0).and_then(|photos| photos.first());
    let link = |photo: &FileId| files::public_link(app, *photo, app.clock.now() + LINK_FOR);
    let media_url = photo.map(link).transpose()?.flatten();
    // What somebody of the desk accepted, and what was looked at. A name may be known since: it was masked as far as it was.
    let name = names.get(&case.person_id).map_or(&[][..], std::slice::from_ref);
    let description = shown.get(&case.id.0).map(|text| words::published(text, name));
    let description = description.unwrap_or_else(|| t!("open311.not_shown_yet", locale = language.tag()).into_owned());
    let at = |instant: DateTime<Utc>| instant.with_timezone(&china()).to_rfc3339_opts(SecondsFormat::Secs, false);
    let place = places.get(&case.village_id);
    Ok(Open311Request {
        service_request_id: case.public_id.clone().unwrap_or_default(),
        status: if CLOSED.contains(&case.state) { "closed" } else { "open" },
        status_notes: t!(&state, locale = language.tag()).into_owned(),
        service_name: case.topic.as_deref().and_then(|topic| service_name(topic, language)),
        service_code: case.topic.clone(),
        description,
        agency_responsible: units.get(&case.unit_id).cloned(),
        service_notice: None,
        requested_datetime: at(case.created_at),
        updated_datetime: at(case.updated_at),
        expected_datetime: expected(app, case).map(at),
        address: place.map(|place| place.display_name.clone()).unwrap_or_default(),
        address_id: place.map(|place| place.code.clone()).unwrap_or_default(),
        zipcode: None,
        lat: None,
        long: None,
        media_url,
    })
}

/// The name of a topic.
pub(super) fn service_name(topic: &str, language: Language) -> Option<&'static str> {
    let entry = lists::entries("topics")?.iter().find(|entry| entry.code == topic)?;
    Some(if language == Language::En { &entry.en } else { &entry.zh })
}

/// When the desk closes on the promised day, while the clock runs towards it.
fn expected(app: &App, case: &case::Model) -> Option<DateTime<Utc>> {
    let runs = [CaseState::Accepted, CaseState::Assigned, CaseState::InProgress].contains(&case.state);
    let due = case.promised_due_on.filter(|_| runs)?;
    Some(desk::closing_of(settings::of_case(app, case).terms.hours, due))
}

/// Reads the parameters and the place of a call that reads.
pub(super) async fn asked(app: &App, query: &str) -> Result<(Asked, division::Model), Fault> {
    let asked = place::read(query)?;
    let place = place::jurisdiction(app, &asked).await?;
    Ok((asked, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_spans_ninety_days_at_most() {
        let day = |text: &str| Some(format!("{text}T00:00:00Z").parse::<DateTime<Utc>>().unwrap());
        let now = day("2026-11-23").unwrap();
        assert_eq!(span(now, None, None).unwrap(), (now - LONGEST, now));
        assert_eq!(span(now, day("2026-01-01"), None).unwrap().1, day("2026-04-01").unwrap());
        assert_eq!(span(now, None, day("2026-04-01")).unwrap().0, day("2026-01-01").unwrap());
        assert!(span(now, day("2026-01-01"), day("2026-04-02")).is_err());
        assert!(span(now, day("2026-01-02"), day("2026-01-01")).is_err());
    }
}
