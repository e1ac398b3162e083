//! Filing: by the villager, or at the desk for somebody who came, called or wrote.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use entity::{
    Instant,
    case::{self, CaseChannel, CaseKind, CaseState},
    case_against,
    division::DivisionLevel,
    file::FileThing,
    id::{CaseId, PersonId},
    person,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::Value;

use super::filing::{self, Filing};
use crate::{
    app::App,
    auth::{Staff, Villager, duty::EnterCases},
    cases::{
        advance::By,
        commands::{EnterCase, FileCase, Principal},
        papers::{self, PapersOf},
        scope,
    },
    catalogue,
    clock::local_day,
    db::{Answers, Tx, padded},
    divisions, files,
    people::{self, Grant, ScopeWord, Use},
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Code, Problem},
};

/// A case that a villager wants to file.
pub struct Wish {
    /// Keys and the working calendar.
    pub app: Arc<App>,
    /// Who.
    pub me: Villager,
    /// What.
    pub body: FileCase,
    /// By the client's clock.
    pub client_time: Option<Instant>,
}

impl Wish {
    /// Whose case it is to be.
    fn principal(&self) -> PersonId {
        self.body.for_person.unwrap_or(self.me.person())
    }
}

/// Files the cases of villagers who are signed in.
///
/// # Errors
/// Of each: `invalid` with a pointer: kind, item, concern, division, text, against; `no_authorisation` for another
/// person, `guardian_consent_required` of a child.
pub async fn file(tx: &Tx, app: &App, wishes: &[&Wish]) -> Answers<case::Model> {
    let people: BTreeSet<PersonId> = wishes.iter().map(|wish| wish.principal()).collect();
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(people))).all(tx).await?;
    let people: HashMap<PersonId, person::Model> = people.into_iter().map(|person| (person.id, person)).collect();
    let (mut filings, mut grants) = (Vec::with_capacity(wishes.len()), Vec::with_capacity(wishes.len()));
    for wish in wishes {
        let allowed = match people.get(&wish.principal()) {
            Some(person) => allowed(tx, app, wish, person.clone()).await,
            None => Err(Code::NoAuthorisation.into()),
        };
        let (filing, grant) = match allowed {
            Ok((filing, grant)) => (Ok(filing), grant),
            Err(problem) if problem.is_refusal() => (Err(problem), None),
            Err(problem) => return Err(problem),
        };
        filings.push(filing);
        grants.push(grant);
    }
    let cases = filing::insert(tx, app, filings).await?;
    for (case, grant) in cases.iter().zip(&grants) {
        if let (Ok(case), Some(grant)) = (case, grant) {
            let what = Use { action: "file_case", case: Some(case.id), booking: None };
            people::used(tx, app, grant, what, app.clock.now()).await?;
        }
    }
    Ok(cases)
}

type Allowed = ((Filing, By), Option<Grant>);

/// The filing, once it is clear that whoever files may: themselves, or with an authorisation; children with a guardian.
async fn allowed(tx: &Tx, app: &App, wish: &Wish, person: person::Model) -> Result<Allowed, Problem> {
    let me = wish.me.person();
    if person.id == me {
        if person.minor {
            people::check_guardian(tx, person.id).await?;
        }
        let evidence = reused(tx, app, wish, &PapersOf::own(&wish.me)).await?;
        let filing = Filing { evidence, ..filing_of(wish, person)? };
        return Ok(((filing, By::villager(me)), None));
    }
    let matter = wish.body.matter();
    let need = ScopeWord::of_case(matter.kind, matter.item.as_deref());
    let grant = people::authority(tx, &wish.me, person.id, &need, local_day(app.clock.now())).await?;
    if person.minor {
        people::check_guardian(tx, person.id).await?;
    }
    let evidence = reused(tx, app, wish, &PapersOf::granted(&wish.me, &grant)).await?;
    let filing = Filing { agent: Some((me, grant.id)), evidence, ..filing_of(wish, person)? };
    Ok(((filing, By::agent(me)), Some(grant)))
}

/// What the event says of earlier papers that are to serve; of a draft they are named when it is submitted.
async fn reused(tx: &Tx, app: &App, wish: &Wish, whose: &PapersOf) -> Result<Option<Value>, Problem> {
    let codes = wish.body.reuse.as_deref().unwrap_or_default();
    if codes.is_empty() {
        return Ok(None);
    }
    if wish.body.draft == Some(true) {
        return Err(Problem::field("/reuse", "not_allowed_here"));
    }
    let item = wish.body.matter().item;
    let items = catalogue::current_terms(app, tx, item.as_deref().into_iter().collect()).await?;
    let requirements = item.as_ref().and_then(|code| items.get(code)).map(|item| &*item.requirements);
    if requirements.is_none() && item.is_some() {
        return Err(Problem::field("/item", "unknown"));
    }
    papers::reused(tx, whose, requirements, codes, local_day(app.clock.now())).await
}

fn filing_of(wish: &Wish, person: person::Model) -> Result<Filing, Problem> {
    let body = &wish.body;
    let matter = body.matter();
    if matter.kind == CaseKind::Talk {
        return Err(Problem::field("/kind", "not_allowed_here"));
    }
    Ok(Filing {
        matter,
        division: body.division.or(person.village_id).ok_or_else(|| Problem::field("/division", "required"))?,
        against: body.against.clone().unwrap_or_default(),
        confidential: body.confidential.unwrap_or(false),
        person,
        channel: CaseChannel::App,
        entered_by: None,
        agent: None,
        booking: None,
        next_talk_on: None,
        private: false,
        public: body.public.unwrap_or(false),
        reason: None,
        draft: body.draft.unwrap_or(false),
        papers: vec![],
        evidence: None,
        client_time: wish.client_time,
    })
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
    if matches!(body.channel, CaseChannel::App | CaseChannel::Open311) {
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
            let known = person::Entity::find_by_id(*id).filter(person::COLUMN.closed_at.is_null()).one(tx).await?;
            let known = known.ok_or_else(|| Problem::field("/for_person/id", "unknown"))?;
            if !is_met_here(tx, staff, &known).await? {
                return Err(Problem::field("/for_person/id", "unknown"));
            }
            (known, None)
        }
        Principal::Named { name, phone } => {
            let name = PersonName::read(name).ok_or_else(|| Problem::field("/for_person/name", "format"))?;
            let phone = PhoneNumber::read(phone).ok_or_else(|| Problem::field("/for_person/phone", "format"))?;
            (people::find_or_register(tx, app, &name, &phone, now).await?, Some(phone.in_the_clear().to_owned()))
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
        agent: None,
        booking: None,
        next_talk_on: None,
        private: false,
        public: false,
        reason: body.reason.clone(),
        draft: false,
        papers: body.materials.clone().unwrap_or_default(),
        evidence: None,
        client_time,
    };
    let by = By::staff(staff.id(), Some(unit));
    filing::insert(tx, app, vec![Ok((filing, by))]).await?.pop().unwrap_or_else(|| Err(Problem::unexpected("no case")))
}

/// Whether the desk may know of this person: they live in its place, or had an open matter there.
async fn is_met_here(tx: &Tx, staff: &Staff<EnterCases>, person: &person::Model) -> Result<bool, Problem> {
    if let Some(village) = person.village_id {
        let place = divisions::lineage(tx, village, "/for_person/id").await?;
        let above = [place.village, place.township, place.county];
        if staff.postings().any(|posting| above.contains(&posting.division)) {
            return Ok(true);
        }
    }
    let here = staff.postings().fold(Condition::any(), |any, posting| any.add(scope::in_place(posting)));
    let matter = case::Entity::find()
        .filter(case::COLUMN.person_id.eq(person.id))
        .filter(case::COLUMN.confidential.eq(false))
        .filter(case::COLUMN.private.eq(false))
        .filter(case::COLUMN.state.ne(CaseState::Draft))
        .filter(here);
    Ok(matter.one(tx).await?.is_some())
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
    files::drop_of(tx, FileThing::Case, [id.0]).await?;
    if gone.rows_affected == 1 { Ok(()) } else { Err(Code::Stale.into()) }
}
