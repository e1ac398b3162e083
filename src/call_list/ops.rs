//! Who is on the list, and what becomes of them there.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use entity::{
    case,
    division::{self, DivisionLevel},
    id::{CaseId, DivisionId, NoticeDeliveryId, NoticeId, PersonId},
    notice,
    notice_delivery::{self, NoticeDeliveryState},
    person,
    sealed::Sealed,
};
use rust_i18n::t;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use super::bodies::{CallState, CallView, FailCall, FinishCall};
use crate::{
    app::App,
    auth::{
        Duty, Staff,
        duty::{KeepCallList, WorkOnCases},
    },
    cases,
    clock::local_day,
    db::{Tx, padded},
    divisions,
    http::{Cursor, PageQuery},
    notices::{self, Call, kinds},
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::{Code, Language, Problem},
};

/// People on one sheet.
const ON_A_SHEET: u64 = 200;

/// Who asks: the duties by which one calls, and those by which one may know of cases.
pub(super) struct Caller {
    pub(super) staff: Staff<KeepCallList>,
    pub(super) worker: Staff<WorkOnCases>,
}

impl Caller {
    fn holds(&self, duty: Duty, place: &division::Model) -> bool {
        self.staff.postings().any(|posted| posted.any(&[duty]) && divisions::covers(posted, place))
    }

    /// What they may know of: nothing about a case that is not in their scope; of private matters only that there is
    /// something, which is all that is said of them.
    fn may_know(&self) -> Condition {
        let scope = cases::scope::of_staff(&self.worker).select_only().column(case::Column::Id);
        let private = Condition::all()
            .add(notice_delivery::COLUMN.discreet.eq(true))
            .add(notice_delivery::COLUMN.confidential.eq(false));
        Condition::any()
            .add(notice_delivery::COLUMN.case_id.is_null())
            .add(notice_delivery::Column::CaseId.in_subquery(scope.into_query()))
            .add(private)
    }

    /// The rows of a place: of its desk, or of the discipline desk where they have that duty.
    fn rows(&self, place: &division::Model) -> Result<Select<notice_delivery::Entity>, Problem> {
        let mut any = Condition::any();
        let (desk, discipline) = (self.holds(Duty::AcceptCases, place), self.holds(Duty::HandleDiscipline, place));
        let discipline = discipline && matches!(place.level, DivisionLevel::Township | DivisionLevel::County);
        if !desk && !discipline {
            return Err(Code::NotYourDuty.into());
        }
        if desk {
            any = any.add(Condition::all().add(within(place)).add(notice_delivery::COLUMN.confidential.eq(false)));
        }
        if discipline {
            any = any.add(Condition::all().add(of_townships(place)).add(notice_delivery::COLUMN.confidential.eq(true)));
        }
        Ok(notice_delivery::Entity::find().filter(any).filter(self.may_know()))
    }
}

fn within(place: &division::Model) -> Condition {
    let above = match place.level {
        DivisionLevel::Village => return Condition::all().add(notice_delivery::COLUMN.village_id.eq(place.id)),
        DivisionLevel::Township => return Condition::all().add(notice_delivery::COLUMN.township_id.eq(place.id)),
        DivisionLevel::County => division::Column::CountyId,
        DivisionLevel::City => division::Column::CityId,
    };
    // Its own talk days, too.
    let places = above.eq(place.id).or(division::Column::Id.eq(place.id));
    let places = division::Entity::find().select_only().column(division::Column::Id).filter(places);
    Condition::all().add(notice_delivery::Column::VillageId.in_subquery(places.into_query()))
}

/// What lies with the discipline desks of a township, or of all in a county.
fn of_townships(place: &division::Model) -> Condition {
    if place.level == DivisionLevel::Township {
        return Condition::all().add(notice_delivery::COLUMN.township_id.eq(place.id));
    }
    let townships = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .filter(division::COLUMN.county_id.eq(place.id))
        .filter(division::COLUMN.level.eq(DivisionLevel::Township));
    Condition::all().add(notice_delivery::Column::TownshipId.in_subquery(townships.into_query()))
}

/// A page of the list of a place, who waits longest first, and one.
pub(super) async fn list(
    app: &App,
    who: &Caller,
    place: DivisionId,
    state: CallState,
    page: &PageQuery,
) -> Result<Vec<notice_delivery::Model>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, &who.staff, place).await?;
    let mut query = who.rows(&place)?.filter(notice_delivery::COLUMN.state.eq(state.stored()));
    if let Some(after) = Cursor::read::<NoticeDeliveryId>(page.cursor.as_deref())? {
        query = query.filter(notice_delivery::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(notice_delivery::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// One of them, held until the commit.
async fn held(tx: &Tx, who: &Caller, id: NoticeDeliveryId) -> Result<notice_delivery::Model, Problem> {
    let row = notice_delivery::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let place = divisions::reach(tx, &who.staff, row.desk().ok_or_else(Problem::not_found)?).await?;
    let mine = who.rows(&place)?.filter(notice_delivery::COLUMN.id.eq(id));
    mine.lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)
}

/// Writes down that somebody was told. A second time nothing changes.
///
/// # Errors
/// `not_found` out of scope, `transition_not_allowed` of who is told another way.
pub(super) async fn finish(
    tx: &Tx,
    app: &App,
    who: &Caller,
    id: NoticeDeliveryId,
    body: &FinishCall,
) -> Result<notice_delivery::Model, Problem> {
    let row = held(tx, who, id).await?;
    match row.state {
        NoticeDeliveryState::Called => return Ok(row),
        NoticeDeliveryState::ToCall => {}
        _ => return Err(Code::TransitionNotAllowed.into()),
    }
    let call = call(app, who, body.text.as_deref())?;
    notices::called(tx, row, body.how.slug(), call, app.clock.now()).await
}

/// Writes down that somebody could not be told; they stay on the list.
///
/// # Errors
/// As [`finish`].
pub(super) async fn fail(
    tx: &Tx,
    app: &App,
    who: &Caller,
    id: NoticeDeliveryId,
    body: &FailCall,
) -> Result<notice_delivery::Model, Problem> {
    let row = held(tx, who, id).await?;
    if row.state != NoticeDeliveryState::ToCall {
        return Err(Code::TransitionNotAllowed.into());
    }
    let call = call(app, who, body.text.as_deref())?;
    notices::not_reached(tx, row, call, app.clock.now()).await
}

fn call(app: &App, who: &Caller, text: Option<&str>) -> Result<Call, Problem> {
    let text = text.map(|text| app.field_keys.close(&PrivateText::of_stored(text.to_owned()))).transpose()?;
    Ok(Call { by: who.staff.id(), text })
}

/// What is shown of these rows.
pub(super) async fn views(
    app: &App,
    db: &impl ConnectionTrait,
    who: &Caller,
    rows: Vec<notice_delivery::Model>,
    language: Language,
) -> Result<Vec<CallView>, Problem> {
    let people: HashSet<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(people))).all(db).await?;
    let people: HashMap<PersonId, person::Model> = people.into_iter().map(|person| (person.id, person)).collect();
    let told = told_together(db, who, &rows).await?;
    let phones = contact_phones(db, &rows).await?;
    let view = |row: notice_delivery::Model| {
        let person = people.get(&row.person_id);
        let none = Vec::new();
        let together = told.get(&row.id).unwrap_or(&none);
        let said: Vec<String> =
            together.iter().map(|notice| notices::sentence(&notice.kind, &notice.params, language)).collect();
        let of_case = || {
            let given = phones.get(&row.case_id?)?;
            // To a phone that was given for one case nothing of others is said.
            let of_this = together.iter().all(|notice| notice.case_id == row.case_id);
            let mut kinds = together.iter().map(|notice| notice.kind.as_str()).chain([row.kind.as_str()]);
            let may_hear = kinds.all(|kind| kinds::of(kind).may_go_to_phone_of_case(given.by_agent));
            (of_this && may_hear).then_some(&given.phone)
        };
        let phone = person.and_then(|person| person.phone.as_ref()).or_else(of_case);
        let spoken = |key: &str| -> Vec<String> {
            if row.discreet {
                return vec![t!(format!("told.{key}_discreet"), locale = language.tag()).into_owned()];
            }
            let one = |text: &String| t!(format!("told.{key}"), locale = language.tag(), text = text).into_owned();
            said.iter().map(one).collect()
        };
        Ok(CallView {
            id: row.id,
            person: row.person_id,
            name: app.field_keys.open_if::<PersonName>(person.and_then(|person| person.name.as_ref()))?,
            phone: app.field_keys.open_if::<PhoneNumber>(phone)?,
            group: person.and_then(|person| person.group_name.clone()),
            case: row.case_id.filter(|_| !row.discreet || row.confidential),
            urgency: row.urgency,
            state: if row.state == NoticeDeliveryState::Called { CallState::Called } else { CallState::ToCall },
            say: spoken("call"),
            paper: spoken("paper"),
            tries: row.tries,
            since: row.created_at,
            told_at: row.told_at,
            how: row.done_how,
        })
    };
    rows.into_iter().map(view).collect()
}

/// The notices of each row, its own and those that are told with it, as far as the caller may know of them.
async fn told_together(
    db: &impl ConnectionTrait,
    who: &Caller,
    rows: &[notice_delivery::Model],
) -> Result<HashMap<NoticeDeliveryId, Vec<notice::Model>>, Problem> {
    let heads = padded(rows.iter().map(|row| row.id));
    let gathered: Vec<(NoticeId, Option<NoticeDeliveryId>)> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::NoticeId)
        .column(notice_delivery::Column::MergedInto)
        .filter(notice_delivery::COLUMN.merged_into.is_in(heads))
        .filter(who.may_know())
        .into_tuple()
        .all(db)
        .await?;
    let mut heads: HashMap<NoticeId, NoticeDeliveryId> = rows.iter().map(|row| (row.notice_id, row.id)).collect();
    heads.extend(gathered.into_iter().filter_map(|(notice, head)| Some((notice, head?))));
    let notices = notice::Entity::find()
        .filter(notice::COLUMN.id.is_in(padded(heads.keys().copied())))
        .order_by_asc(notice::Column::Id)
        .all(db)
        .await?;
    let mut told: HashMap<NoticeDeliveryId, Vec<notice::Model>> = HashMap::new();
    for notice in notices {
        if let Some(head) = heads.get(&notice.id) {
            told.entry(*head).or_default().push(notice);
        }
    }
    Ok(told)
}

/// A phone that was given for a case; of one that an agent filed it is theirs.
struct Given {
    phone: Sealed,
    by_agent: bool,
}

async fn contact_phones(
    db: &impl ConnectionTrait,
    rows: &[notice_delivery::Model],
) -> Result<HashMap<CaseId, Given>, Problem> {
    let ids: HashSet<CaseId> = rows.iter().filter_map(|row| row.case_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = case::Entity::find().filter(case::COLUMN.id.is_in(padded(ids))).all(db).await?;
    let given = |case: case::Model| {
        let by_agent = case.agent_id.is_some();
        Some((case.id, Given { phone: case.contact_phone?, by_agent }))
    };
    Ok(rows.into_iter().filter_map(given).collect())
}

/// A page to print: who is to be told what today, masked, and what the loudspeaker may say, which names nobody.
pub(super) async fn sheet(app: &App, who: &Caller, place: DivisionId, language: Language) -> Result<String, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, &who.staff, place).await?;
    let rows = who
        .rows(&place)?
        .filter(notice_delivery::COLUMN.state.eq(NoticeDeliveryState::ToCall))
        .order_by_asc(notice_delivery::Column::Id)
        .limit(ON_A_SHEET);
    let views = views(app, db, who, rows.all(db).await?, language).await?;
    let day = local_day(app.clock.now()).to_string();
    let say = |key: &str| t!(format!("told.{key}"), locale = language.tag()).into_owned();
    let mut text = t!("told.sheet_title", locale = language.tag(), place = place.display_name, day = day).into_owned();
    text.push_str("\n\n");
    if views.is_empty() {
        text.push_str(&say("sheet_nobody"));
        text.push('\n');
    }
    for (at, view) in views.iter().enumerate() {
        let name = view.name.as_ref().map_or_else(|| "—".to_owned(), Personal::masked);
        let phone = view.phone.as_ref().map_or_else(|| "—".to_owned(), Personal::masked);
        let group = view.group.as_deref().unwrap_or("—");
        let _ = writeln!(text, "{}. {name}  {group}  {phone}", at + 1);
        for line in &view.paper {
            let _ = writeln!(text, "   {line}");
        }
    }
    let _ = writeln!(text, "\n{}", say("loudspeaker"));
    Ok(text)
}
