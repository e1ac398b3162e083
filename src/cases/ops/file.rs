//! Filing: by the villager, or at the desk for somebody who came, called or wrote.

use entity::{
    Instant,
    case::{self, CaseChannel, CaseConcern, CaseKind, CaseState, CaseUrgency},
    case_against,
    division::DivisionLevel,
    id::{CaseId, DivisionId, StaffId, UnitId},
    person, service_item, staff, unit,
    unit::UnitKind,
};
use rust_i18n::t;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::json;

use crate::{
    app::App,
    auth::{Staff, Villager, duty::EnterCases},
    cases::{
        advance::{self, Act, By},
        commands::{EnterCase, FileCase, Matter, Principal},
        number::CaseNumber,
        scope, sla,
        workflow::Action,
    },
    catalogue,
    clock::local_day,
    db::{self, Tx},
    divisions::{self, Lineage},
    notices::{self, About},
    people::{self, phone},
    problem::{Code, FieldFault, Problem},
};

/// What both ways of filing come down to.
struct Filing {
    matter: Matter,
    division: DivisionId,
    against: Vec<StaffId>,
    confidential: bool,
    person: person::Model,
    channel: CaseChannel,
    entered_by: Option<StaffId>,
    draft: bool,
    client_time: Option<Instant>,
}

/// Files a case for the villager who is signed in.
///
/// # Errors
/// `invalid` with a pointer: item, concern, division, text, against.
pub async fn file(
    tx: &Tx,
    app: &App,
    me: &Villager,
    body: &FileCase,
    client_time: Option<Instant>,
) -> Result<case::Model, Problem> {
    let matter = body.matter();
    if matter.kind == CaseKind::Talk {
        return Err(Problem::field("/kind", "not_allowed_here"));
    }
    let person = person::Entity::find_by_id(me.person()).one(tx).await?.ok_or_else(Problem::not_found)?;
    let filing = Filing {
        matter,
        division: body.division.or(person.village_id).ok_or_else(|| Problem::field("/division", "required"))?,
        against: body.against.clone().unwrap_or_default(),
        confidential: body.confidential.unwrap_or(false),
        person,
        channel: CaseChannel::App,
        entered_by: None,
        draft: body.draft.unwrap_or(false),
        client_time,
    };
    let by = By::villager(me.person());
    insert(tx, app, filing, &by).await
}

/// Enters a case at the desk.
///
/// # Errors
/// `invalid` with a pointer; a village outside the desk's scope is `not_in_scope`.
pub async fn enter(
    tx: &Tx,
    app: &App,
    staff: &Staff<EnterCases>,
    body: &EnterCase,
    client_time: Option<Instant>,
) -> Result<case::Model, Problem> {
    if body.channel == CaseChannel::App {
        return Err(Problem::field("/channel", "not_allowed_here"));
    }
    let own_village = staff.postings().find(|posting| posting.level == DivisionLevel::Village).map(|own| own.division);
    let division = body.division.or(own_village).ok_or_else(|| Problem::field("/division", "required"))?;
    let place = divisions::lineage(tx, division, "/division").await?;
    let above = [place.village, place.township, place.county];
    let Some(posting) = staff.postings().find(|posting| above.contains(&posting.division)) else {
        return Err(Problem::field("/division", "not_in_scope"));
    };
    let (unit, now) = (posting.unit, app.clock.now());
    let (person, phone) = match &body.for_person {
        Principal::Known { id } => {
            let known = person::Entity::find_by_id(*id).one(tx).await?;
            (known.ok_or_else(|| Problem::field("/for_person/id", "unknown"))?, None)
        }
        Principal::Named { name, phone } => {
            if !(1..=40).contains(&name.trim().chars().count()) {
                return Err(Problem::field("/for_person/name", "length"));
            }
            let digits = phone::normalise(phone).ok_or_else(|| Problem::field("/for_person/phone", "format"))?;
            (people::find_or_register(tx, app, name.trim(), &digits, now).await?, Some(digits))
        }
    };
    let mut matter = body.matter();
    matter.contact_phone = matter.contact_phone.or(phone);
    let filing = Filing {
        matter,
        division,
        against: vec![],
        confidential: false,
        person,
        channel: body.channel,
        entered_by: Some(staff.id()),
        draft: false,
        client_time,
    };
    let by = By { parties: vec![], person: None, staff: Some(staff.id()), unit: Some(unit) };
    insert(tx, app, filing, &by).await
}

async fn insert(tx: &Tx, app: &App, filing: Filing, by: &By) -> Result<case::Model, Problem> {
    let now = app.clock.now();
    let item = check(tx, &filing).await?;
    let confidential = filing.confidential || !filing.against.is_empty();
    let place = divisions::lineage(tx, filing.division, "/division").await?;
    let unit = receiving_unit(tx, place, confidential).await?;
    let calendar = app.calendar.load();
    let state = if filing.draft { CaseState::Draft } else { CaseState::Submitted };
    let step_due_at = sla::silence_acts_at(&calendar, state, now);
    let promised = match &item {
        Some(item) => item.promised_days,
        None => sla::promised_days(filing.matter.kind, filing.matter.concern).and_then(|days| i32::try_from(days).ok()),
    };
    let contact = contact(app, &filing)?;
    let row = case::Model {
        id: CaseId::fresh(),
        number: CaseNumber::random(&mut rand::rng()).to_string(),
        kind: filing.matter.kind,
        state,
        version: i32::from(!filing.draft),
        round: 1,
        title: filing.matter.title.unwrap_or_else(|| title_of(item.as_ref(), filing.matter.concern)),
        text: filing.matter.text.unwrap_or_default(),
        form: filing.matter.form.map(serde_json::Value::Object),
        topic: filing.matter.topic,
        concern: filing.matter.concern,
        urgency: filing.matter.urgency.unwrap_or(CaseUrgency::Normal),
        channel: filing.channel,
        confidential,
        item_id: item.as_ref().map(|item| item.id),
        promised_days: promised,
        statutory_days: item.as_ref().and_then(|item| item.statutory_days),
        village_id: place.village,
        township_id: place.township,
        county_id: place.county,
        unit_id: unit,
        first_unit_id: unit,
        assignee_id: None,
        person_id: filing.person.id,
        entered_by: filing.entered_by,
        contact_name: filing.person.name.clone(),
        contact_phone: contact,
        accepted_on: None,
        promised_due_on: None,
        statutory_due_on: None,
        provisional: false,
        calendar_version: calendar.version().to_owned(),
        step_due_at,
        due_on: step_due_at.map_or(local_day(now), local_day),
        returns: 0,
        reopens: 0,
        result: None,
        answered_at: None,
        confirmed: None,
        closed_at: None,
        created_at: now,
        updated_at: now,
        client_time: filing.client_time,
    };
    // A number is random: in the rare case that it is taken, the whole transaction draws another.
    let all = row.clone().into_active_model().reset_all();
    case::Entity::insert(all).exec_without_returning(tx).await.map_err(db::again_on_unique)?;
    for staff_id in filing.against {
        case_against::ActiveModel { case_id: Set(row.id), staff_id: Set(staff_id) }.insert(tx).await?;
    }
    if !filing.draft {
        advance::record(tx, &row, None, by, &Act::plain(Action::Submit), now).await?;
        notices::tell(tx, row.person_id, "case_submitted", About::Case(row.id), json!({"number": row.number}), now)
            .await?;
    }
    Ok(row)
}

/// Rules that need a look into other tables; all faults at once.
async fn check(tx: &Tx, filing: &Filing) -> Result<Option<service_item::Model>, Problem> {
    let mut faults = Vec::new();
    let item = match &filing.matter.item {
        Some(code) => {
            let item = catalogue::current_item(tx, code).await?;
            if item.is_none() {
                faults.push(FieldFault::new("/item", "unknown"));
            }
            item
        }
        None => None,
    };
    if filing.matter.kind == CaseKind::Proxy && filing.matter.item.is_none() {
        faults.push(FieldFault::new("/item", "required"));
    }
    if filing.matter.kind == CaseKind::Voice && filing.matter.concern.is_none() {
        faults.push(FieldFault::new("/concern", "required"));
    }
    if filing.matter.kind != CaseKind::Voice && filing.matter.concern.is_some() {
        faults.push(FieldFault::new("/concern", "not_allowed_here"));
    }
    if filing.matter.kind != CaseKind::Proxy && filing.matter.text.is_none() {
        faults.push(FieldFault::new("/text", "required"));
    }
    if !filing.against.is_empty() {
        let known = staff::Entity::find().filter(staff::COLUMN.id.is_in(filing.against.clone())).all(tx).await?;
        for (at, id) in filing.against.iter().enumerate() {
            if !known.iter().any(|row| row.id == *id) {
                faults.push(FieldFault::new(format!("/against/{at}"), "unknown"));
            } else if filing.against.iter().take(at).any(|other| other == id) {
                faults.push(FieldFault::new(format!("/against/{at}"), "duplicate"));
            }
        }
    }
    if faults.is_empty() { Ok(item) } else { Err(Problem::invalid(faults)) }
}

/// The desk of the village, else the township's centre; for what is confidential the discipline desk and no other.
async fn receiving_unit(tx: &Tx, place: Lineage, confidential: bool) -> Result<UnitId, Problem> {
    let wanted: &[(DivisionId, UnitKind)] = if confidential {
        &[(place.township, UnitKind::DisciplineDesk)]
    } else {
        &[(place.village, UnitKind::VillageDesk), (place.township, UnitKind::TownshipCentre)]
    };
    let near =
        unit::Entity::find().filter(unit::COLUMN.division_id.is_in([place.village, place.township])).all(tx).await?;
    let found =
        wanted.iter().find_map(|(at, kind)| near.iter().find(|unit| unit.division_id == *at && unit.kind == *kind));
    found.map(|unit| unit.id).ok_or_else(|| Problem::field("/division", "no_desk"))
}

fn contact(app: &App, filing: &Filing) -> Result<Option<entity::sealed::Sealed>, Problem> {
    let given = filing.matter.contact_phone.as_deref().and_then(phone::normalise);
    let own = match (&given, &filing.person.phone) {
        (None, Some(sealed)) => Some(app.field_keys.open("person.phone", sealed)?),
        _ => None,
    };
    given.or(own).map(|phone| app.field_keys.seal("case.contact_phone", &phone)).transpose()
}

fn title_of(item: Option<&service_item::Model>, concern: Option<CaseConcern>) -> String {
    match (item, concern) {
        (Some(item), _) => item.name.clone(),
        (None, Some(concern)) => {
            let slug = serde_json::to_value(concern).ok().and_then(|slug| slug.as_str().map(str::to_owned));
            t!(format!("case.concern.{}", slug.unwrap_or_default()), locale = "zh-CN").into_owned()
        }
        (None, None) => t!("case.talk", locale = "zh-CN").into_owned(),
    }
}

/// Deletes a draft of the villager; anything else is 409.
pub async fn delete_draft(tx: &Tx, me: &Villager, id: CaseId) -> Result<(), Problem> {
    let draft = scope::one(scope::of_villager(me), id, tx).await?;
    if draft.state != CaseState::Draft {
        return Err(Code::TransitionNotAllowed.into());
    }
    case_against::Entity::delete_many().filter(case_against::COLUMN.case_id.eq(id)).exec(tx).await?;
    let gone = case::Entity::delete_many()
        .filter(case::COLUMN.id.eq(id))
        .filter(case::COLUMN.state.eq(CaseState::Draft))
        .exec(tx)
        .await?;
    if gone.rows_affected == 1 { Ok(()) } else { Err(Code::Stale.into()) }
}
