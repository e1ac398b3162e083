//! What both ways of filing come down to: rules are checked, a number is drawn, the first event is written.
//!
//! Many filings are looked up, checked and written together: what they refer to is read once for all of them
//! ([`Surroundings`]), each is decided for itself, and the rows of all go in by one statement a table.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    Instant,
    case::{self, CaseChannel, CaseConcern, CaseKind, CaseState, CaseUrgency},
    case_against,
    file::FileThing,
    id::{AuthorisationId, BookingId, CaseId, DivisionId, PersonId, StaffId, UnitId},
    person,
    sealed::Sealed,
    staff, unit,
    unit::UnitKind,
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set};
use serde_json::{Value, json};

use crate::{
    app::App,
    cases::{
        advance::{self, Act, By, Reckoning},
        commands::Matter,
        fresh,
        number::CaseNumber,
        papers, publication, sla, staff_tellings,
        workflow::Action,
    },
    catalogue::{self, ItemTerms},
    clock::local_day,
    db::{self, Answers, Tx, padded},
    divisions::{self, Lineage},
    files::{self, Claimed, Hanging},
    notices, people,
    personal::{Personal, PhoneNumber, PrivateText},
    problem::{FieldFault, Problem},
};

/// A case to be.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(in crate::cases) struct Filing {
    pub(in crate::cases) matter: Matter,
    pub(in crate::cases) division: DivisionId,
    pub(in crate::cases) against: Vec<StaffId>,
    pub(in crate::cases) confidential: bool,
    pub(in crate::cases) person: person::Model,
    pub(in crate::cases) channel: CaseChannel,
    pub(in crate::cases) entered_by: Option<StaffId>,
    /// Who files for the person, and by which authorisation.
    pub(in crate::cases) agent: Option<(PersonId, AuthorisationId)>,
    /// The booking whose matter it takes up.
    pub(in crate::cases) booking: Option<BookingId>,
    /// The next talk day of the place, of what was said on one.
    pub(in crate::cases) next_talk_on: Option<NaiveDate>,
    /// That booking's matter is private.
    pub(in crate::cases) private: bool,
    /// Anybody may see it, without whose it is.
    pub(in crate::cases) public: bool,
    /// Why somebody else than the person files.
    pub(in crate::cases) reason: Option<String>,
    pub(in crate::cases) draft: bool,
    /// Codes of papers that were handed in with it.
    pub(in crate::cases) papers: Vec<String>,
    /// What the event says of earlier papers that are to serve.
    pub(in crate::cases) evidence: Option<Value>,
    pub(in crate::cases) client_time: Option<Instant>,
}

/// Makes cases of the filings that keep the rules; refuses the others and those that were refused before.
pub(in crate::cases) async fn insert(
    tx: &Tx,
    app: &App,
    filings: Vec<Result<(Filing, By), Problem>>,
) -> Answers<case::Model> {
    let now = app.clock.now();
    let around = Surroundings::of(tx, app, filings.iter().filter_map(|filing| Some(&filing.as_ref().ok()?.0))).await?;
    let (mut rows, mut against, mut events, mut tellings) = (vec![], vec![], vec![], vec![]);
    let mut cases = Vec::with_capacity(filings.len());
    for filing in filings {
        let made = match with_files(tx, app, &around, filing, now).await {
            Err(problem) if !problem.is_refusal() => return Err(problem),
            made => made,
        };
        cases.push(made.map(|(case, handed_in, filing, by)| {
            rows.push(case.clone().into_active_model());
            let about = |staff| case_against::ActiveModel { case_id: Set(case.id), staff_id: Set(staff) };
            against.extend(filing.against.into_iter().map(about));
            if case.state != CaseState::Draft {
                let evidence = filing.evidence.or(handed_in);
                let act = Act { note: filing.reason, evidence, ..Act::plain(Action::Submit) };
                events.push(advance::event(&case, None, &by, &act, now));
                tellings.push(advance::telling(&case, "case_submitted"));
            }
            case
        }));
    }
    // A number is random: in the rare case that it is taken, the whole transaction draws others.
    db::insert_all::<case::ActiveModel>(tx, rows).await.map_err(db::again_on_unique)?;
    db::insert_all(tx, against).await?;
    db::insert_all(tx, events).await?;
    notices::tell(tx, tellings, now).await?;
    // Few are public; the others cost nothing here.
    let public = |case: &&case::Model| case.public && case.state != CaseState::Draft;
    for case in cases.iter().filter_map(|case| case.as_ref().ok()).filter(public) {
        publication::look_at(tx, app, case).await?;
    }
    for case in cases.iter().flatten().filter(|case| case.state != CaseState::Draft) {
        staff_tellings::filed(tx, case, now).await?;
    }
    Ok(cases)
}

/// The row of a filing, its papers and who files; its files hang on it from here on, so that of two in a crowd that name
/// the same file the second is refused.
async fn with_files(
    tx: &Tx,
    app: &App,
    around: &Surroundings,
    filing: Result<(Filing, By), Problem>,
    now: Instant,
) -> Result<(case::Model, Option<Value>, Filing, By), Problem> {
    let (filing, by) = filing?;
    let claimed = match by.owner() {
        Some(owner) => files::claim(tx, owner, &filing.matter.files, None).await?,
        None => Claimed::none(),
    };
    let case = draw(app, around, &filing, claimed.speaks(), now)?;
    files::hang(tx, claimed, Hanging::on(FileThing::Case, case.id.0), now).await?;
    Ok((case, around.handed_in(&filing), filing, by))
}

/// What filings refer to.
struct Surroundings {
    items: HashMap<String, ItemTerms>,
    places: HashMap<DivisionId, Lineage>,
    units: HashMap<(DivisionId, UnitKind), UnitId>,
    staff: HashSet<StaffId>,
}

impl Surroundings {
    async fn of(tx: &Tx, app: &App, filings: impl Iterator<Item = &Filing> + Clone) -> Result<Self, Problem> {
        let codes = filings.clone().filter_map(|filing| filing.matter.item.as_deref()).collect();
        let items = catalogue::current_terms(app, tx, codes).await?;
        let places = divisions::lineages(tx, filings.clone().map(|filing| filing.division).collect()).await?;
        let near: BTreeSet<DivisionId> = places.values().flat_map(|place| [place.village, place.township]).collect();
        let mut units = HashMap::new();
        for unit in unit::Entity::find().filter(unit::COLUMN.division_id.is_in(padded(near))).all(tx).await? {
            units.entry((unit.division_id, unit.kind)).or_insert(unit.id);
        }
        let named: BTreeSet<StaffId> = filings.flat_map(|filing| filing.against.iter().copied()).collect();
        let staff = if named.is_empty() {
            HashSet::new()
        } else {
            let known = staff::Entity::find().select_only().column(staff::Column::Id);
            known.filter(staff::COLUMN.id.is_in(padded(named))).into_tuple().all(tx).await?.into_iter().collect()
        };
        Ok(Self { items, places, units, staff })
    }

    fn item(&self, filing: &Filing) -> Option<&ItemTerms> {
        filing.matter.item.as_ref().and_then(|code| self.items.get(code))
    }

    /// What the event says of papers that came with it.
    fn handed_in(&self, filing: &Filing) -> Option<Value> {
        let requirements = self.item(filing).map(|item| &*item.requirements);
        let papers = papers::received(requirements, &filing.papers).unwrap_or_default();
        (!papers.is_empty()).then(|| json!({"materials": papers}))
    }

    /// The desk of the village, else the township's centre; for what is confidential the discipline desk and no other.
    fn receiving_unit(&self, place: Lineage, confidential: bool) -> Result<UnitId, Problem> {
        let wanted: &[(DivisionId, UnitKind)] = if confidential {
            &[(place.township, UnitKind::DisciplineDesk)]
        } else {
            &[(place.village, UnitKind::VillageDesk), (place.township, UnitKind::TownshipCentre)]
        };
        let found = wanted.iter().find_map(|unit| self.units.get(unit));
        found.copied().ok_or_else(|| Problem::field("/division", "no_desk"))
    }
}

/// The row of a filing that keeps the rules.
#[allow(clippy::too_many_lines, reason = "a list of columns")]
fn draw(app: &App, around: &Surroundings, filing: &Filing, spoken: bool, now: Instant) -> Result<case::Model, Problem> {
    let minor = filing.public && people::is_child(&app.field_keys, filing.person.citizen_no.as_ref(), local_day(now))?;
    let item = check(around, filing, spoken, minor)?;
    // 举报 names somebody in its words: who reads it first must not be whom it names (信访工作条例 30).
    let report = filing.matter.concern == Some(CaseConcern::Report);
    let confidential = filing.confidential || report || !filing.against.is_empty();
    let place = around.places.get(&filing.division).copied().ok_or_else(|| Problem::field("/division", "unknown"))?;
    let unit = around.receiving_unit(place, confidential)?;
    let clocks = app.settings.load().of(&[place.village, place.township, place.county]);
    let state = if filing.draft { CaseState::Draft } else { CaseState::Submitted };
    let matter = filing.matter.clone();
    let of_concern = || {
        let days = sla::promised_days(&clocks.terms, matter.kind, matter.concern);
        days.and_then(|days| i32::try_from(days).ok())
    };
    let promised = item.and_then(|item| item.promised_days).or_else(of_concern);
    let mut row = case::Model {
        id: CaseId::fresh(),
        number: CaseNumber::random(&mut rand::rng()).to_string(),
        kind: matter.kind,
        state,
        version: i32::from(!filing.draft),
        title: matter.title.unwrap_or_else(|| title_of(item, matter.concern)),
        text: matter.text.unwrap_or_default(),
        form: sealed_form(app, matter.form)?,
        topic: matter.topic,
        concern: matter.concern,
        urgency: matter.urgency.unwrap_or(CaseUrgency::Normal),
        channel: filing.channel,
        confidential,
        item_id: item.map(|item| item.id),
        promised_days: promised,
        // The law sets days for errands; concerns and what is said on a talk day have their own.
        statutory_days: item.filter(|_| matter.kind == CaseKind::Proxy).and_then(|item| item.statutory_days),
        village_id: place.village,
        township_id: place.township,
        county_id: place.county,
        unit_id: unit,
        first_unit_id: unit,
        person_id: filing.person.id,
        booking_id: filing.booking,
        next_talk_on: filing.next_talk_on.filter(|_| matter.kind == CaseKind::Talk),
        private: filing.private,
        agent_id: filing.agent.map(|(agent, _)| agent),
        authorisation_id: filing.agent.map(|(_, authorisation)| authorisation),
        entered_by: filing.entered_by,
        contact_name: filing.person.name.clone(),
        contact_phone: contact(app, filing)?,
        calendar_version: clocks.calendar.version().to_owned(),
        client_time: filing.client_time,
        object: matter.object,
        group_name: filing.person.group_name.clone().filter(|_| filing.person.village_id == Some(place.village)),
        public: filing.public,
        public_id: filing.public.then(publication::fresh_id),
        ..fresh::untouched(now)
    };
    row.step_due_at = sla::step_due_at(&row, Reckoning { now, clocks: &clocks });
    row.due_on = row.step_due_at.map_or(row.due_on, local_day);
    Ok(row)
}

/// Rules that need a look at what else there is; all faults at once.
fn check<'a>(
    around: &'a Surroundings,
    filing: &Filing,
    spoken: bool,
    minor: bool,
) -> Result<Option<&'a ItemTerms>, Problem> {
    let (matter, mut faults) = (&filing.matter, Vec::new());
    let item = around.item(filing);
    match item {
        None if matter.item.is_some() => faults.push(FieldFault::new("/item", "unknown")),
        Some(item) if item.retired => faults.push(FieldFault::new("/item", "retired")),
        _ => {}
    }
    faults.extend(form_faults(item, filing));
    faults.extend(papers::received(item.map(|item| &*item.requirements), &filing.papers).err().unwrap_or_default());
    if matter.kind == CaseKind::Proxy && matter.item.is_none() {
        faults.push(FieldFault::new("/item", "required"));
    }
    if matter.kind == CaseKind::Voice && matter.concern.is_none() {
        faults.push(FieldFault::new("/concern", "required"));
    }
    if matter.kind != CaseKind::Voice && matter.concern.is_some() {
        faults.push(FieldFault::new("/concern", "not_allowed_here"));
    }
    if matter.kind != CaseKind::Proxy && matter.text.is_none() && !spoken {
        faults.push(FieldFault::new("/text", "required"));
    }
    // Of children nothing is shown (未成年人网络保护条例 36).
    let shut = filing.confidential || filing.private || filing.agent.is_some() || !filing.against.is_empty() || minor;
    if filing.public && (shut || !publication::can_be_public(matter.kind, matter.concern)) {
        faults.push(FieldFault::new("/public", "not_allowed_here"));
    }
    for (at, id) in filing.against.iter().enumerate() {
        if !around.staff.contains(id) {
            faults.push(FieldFault::new(format!("/against/{at}"), "unknown"));
        } else if filing.against.iter().take(at).any(|other| other == id) {
            faults.push(FieldFault::new(format!("/against/{at}"), "duplicate"));
        }
    }
    if faults.is_empty() { Ok(item) } else { Err(Problem::invalid(faults)) }
}

/// What is wrong with the answers to the item's form. A draft may lack any; what was said on a talk day comes without, and
/// the desk asks for the rest.
fn form_faults(item: Option<&ItemTerms>, filing: &Filing) -> Vec<FieldFault> {
    let answers = filing.matter.form.as_ref();
    match item {
        Some(item) if !filing.draft && filing.booking.is_none() => item.requirements.form_faults(answers),
        _ => answers.and_then(catalogue::form_fault).into_iter().collect(),
    }
}

fn contact(app: &App, filing: &Filing) -> Result<Option<Sealed>, Problem> {
    match filing.matter.contact_phone.as_deref().and_then(PhoneNumber::read) {
        Some(given) => app.field_keys.close(&given).map(Some),
        // Sealed for the same purpose: it moves as it is.
        None => Ok(filing.person.phone.clone()),
    }
}

/// Answers to a form may hold any of what must not lie open: account, health, address.
pub(in crate::cases) fn sealed_form(
    app: &App,
    form: Option<serde_json::Map<String, serde_json::Value>>,
) -> Result<Option<Sealed>, Problem> {
    let text = form.map(|form| serde_json::Value::Object(form).to_string());
    text.map(|text| app.field_keys.close(&PrivateText::of_stored(text))).transpose()
}

fn title_of(item: Option<&ItemTerms>, concern: Option<CaseConcern>) -> String {
    match (item, concern) {
        (Some(item), _) => item.name.clone(),
        (None, Some(concern)) => {
            let slug = serde_json::to_value(concern).ok().and_then(|slug| slug.as_str().map(str::to_owned));
            t!(format!("case.concern.{}", slug.unwrap_or_default()), locale = "zh-CN").into_owned()
        }
        (None, None) => t!("case.talk", locale = "zh-CN").into_owned(),
    }
}
