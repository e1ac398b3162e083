//! Keeping the duty list, and suggesting by it.

use entity::{
    case,
    division::{self, DivisionLevel},
    duty_entry,
    id::{DivisionId, DutyEntryId, StaffId, UnitId},
    unit,
};
use rust_i18n::t;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use super::{
    api::{AddDuty, DispatchReason},
    rules::{self, About},
};
use crate::{
    app::App,
    auth::{Staff, duty::KeepDutyList},
    cases::ops::{receiver, requests},
    catalogue,
    clock::local_day,
    db::Tx,
    divisions,
    problem::{Code, Problem},
};

/// The most entries of one place.
const MOST: u64 = 500;

/// The entries of a place, the first written first.
pub(super) async fn list(app: &App, division: DivisionId) -> Result<Vec<duty_entry::Model>, Problem> {
    let rows = duty_entry::Entity::find().filter(duty_entry::COLUMN.division_id.eq(division));
    Ok(rows.order_by_asc(duty_entry::Column::Id).limit(MOST).all(app.db.read()).await?)
}

/// Adds an entry.
///
/// # Errors
/// `already_exists`; 422 with a pointer: a unit that cannot have work of the place, somebody not posted there.
pub(super) async fn add(
    tx: &Tx,
    app: &App,
    staff: &Staff<KeepDutyList>,
    division: DivisionId,
    body: &AddDuty,
) -> Result<duty_entry::Model, Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    // Two who write the same list wait for each other.
    division::Entity::find_by_id(place.id).lock_exclusive().one(tx).await?;
    let unit = unit::Entity::find_by_id(body.unit).one(tx).await?;
    let above = [Some(place.id), place.township_id, place.county_id];
    if !unit.is_some_and(|unit| above.contains(&Some(unit.division_id))) {
        return Err(Problem::field("/unit", "unknown"));
    }
    let now = app.clock.now();
    if let Some(member) = body.staff {
        let postings = receiver::standing(tx, member, local_day(now)).await?;
        if !postings.iter().any(|posting| posting.unit_id == body.unit) {
            return Err(Problem::field("/staff", "unknown"));
        }
    }
    if let Some(code) = &body.item
        && !catalogue::is_offered(tx, code).await?
    {
        return Err(Problem::field("/item", "unknown"));
    }
    let entries = duty_entry::Entity::find().filter(duty_entry::COLUMN.division_id.eq(place.id)).all(tx).await?;
    let same = |entry: &duty_entry::Model| {
        (&entry.item_code, &entry.topic, &entry.group_name, entry.unit_id, entry.staff_id)
            == (&body.item, &body.topic, &body.group, body.unit, body.staff)
    };
    if entries.iter().any(same) {
        return Err(Code::AlreadyExists.into());
    }
    if entries.len() as u64 >= MOST {
        return Err(Code::LimitReached.into());
    }
    let row = duty_entry::ActiveModel {
        id: Set(DutyEntryId::fresh()),
        division_id: Set(place.id),
        item_code: Set(body.item.clone()),
        topic: Set(body.topic.clone()),
        group_name: Set(body.group.clone()),
        unit_id: Set(body.unit),
        staff_id: Set(body.staff),
        created_at: Set(now),
    };
    Ok(row.insert(tx).await?)
}

/// Takes an entry out.
pub(super) async fn remove(tx: &Tx, staff: &Staff<KeepDutyList>, id: DutyEntryId) -> Result<(), Problem> {
    let row = duty_entry::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    duty_entry::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Who should have a case, and why.
pub(super) struct Suggested {
    pub(super) unit: Option<UnitId>,
    pub(super) assignee: Option<StaffId>,
    pub(super) reason: DispatchReason,
    /// One sentence.
    pub(super) sentence: String,
}

/// Suggests who should have a case: the best entry of the village's list whose people may have it, else of the
/// township's; what is not on the village's list is the township's.
pub(super) async fn suggest(tx: &Tx, app: &App, case: &case::Model) -> Result<Suggested, Problem> {
    let today = local_day(app.clock.now());
    let names = app.item_names.of(tx, case.item_id.into_iter()).await?;
    let item = case.item_id.and_then(|id| names.get(&id)).map(|name| name.code.clone());
    let about = About { item: item.as_deref(), topic: case.topic.as_deref(), group: case.group_name.as_deref() };
    let places = [(case.village_id, DivisionLevel::Village), (case.township_id, DivisionLevel::Township)];
    let all = duty_entry::Entity::find()
        .filter(duty_entry::COLUMN.division_id.is_in(places.map(|(id, _)| id)))
        .order_by_asc(duty_entry::Column::Id)
        .limit(2 * MOST)
        .all(tx)
        .await?;
    let mut passed_over = false;
    for (place, _) in places {
        for entry in rules::in_order(all.iter().filter(|entry| entry.division_id == place), &about) {
            let unit = entry.staff_id.is_none().then_some(entry.unit_id);
            match receiver::find(tx, case, entry.staff_id, unit, today).await {
                Ok(found) => return Ok(said(entry, &about, found.to, passed_over)),
                // Not for them: complained about, near, no longer posted. Why is not told.
                Err(problem) if problem.is_refusal() => passed_over = true,
                Err(problem) => return Err(problem),
            }
        }
    }
    let on_a_list = all.iter().any(|entry| entry.division_id == case.village_id);
    if !on_a_list && !case.confidential {
        let sentence = t!("dispatch.no_list", locale = "zh-CN").into_owned();
        return Ok(Suggested { unit: None, assignee: None, reason: DispatchReason::NoList, sentence });
    }
    let unit = requests::township_of(tx, case).await?;
    let sentence = t!("dispatch.not_on_the_list", locale = "zh-CN").into_owned();
    Ok(Suggested { unit: Some(unit), assignee: None, reason: DispatchReason::NotOnTheList, sentence })
}

fn said(
    entry: &duty_entry::Model,
    about: &About<'_>,
    (unit, assignee): (UnitId, Option<StaffId>),
    passed_over: bool,
) -> Suggested {
    let reason = match rules::fit(entry, about) {
        Some((true, ..)) => DispatchReason::Item,
        Some((_, true, _)) => DispatchReason::Group,
        Some((_, _, true)) => DispatchReason::Topic,
        _ => DispatchReason::Everything,
    };
    let what = match reason {
        DispatchReason::Item => about.item,
        DispatchReason::Group => about.group,
        DispatchReason::Topic => about.topic,
        _ => None,
    };
    let name = format!("dispatch.{}", reason.slug());
    let mut sentence = t!(name, locale = "zh-CN", what = what.unwrap_or_default()).into_owned();
    if passed_over {
        sentence.push_str(&t!("dispatch.passed_over", locale = "zh-CN"));
    }
    Suggested { unit: Some(unit), assignee, reason, sentence }
}
