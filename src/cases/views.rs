//! What a case looks like from outside, by who looks.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    case::{self, CaseChannel, CaseConcern, CaseKind, CaseRequest, CaseResult, CaseState, CaseUrgency},
    co_handler,
    id::{BookingId, CaseId, DivisionId, PersonId, StaffId, UnitId},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    advance::By,
    emergency::{self, EmergencyCall},
    ops::find::Names,
    scope,
    sla::{self, DueLight, Reckoning},
    workflow::{self, Action},
};
use crate::{
    app::App,
    catalogue::ItemName,
    clock::local_day,
    files::FileView,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
    settings,
};

/// The item a case was filed under.
#[derive(Serialize, ToSchema)]
pub struct CaseItem {
    code: String,
    name: String,
    /// The version it is under, whatever was published since.
    version: i32,
}

/// A case as its villager sees it.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own that clients read")]
pub struct CaseView {
    /// Before anything else: whom to call where the text sounds like danger and the case is open. Usually empty.
    emergency: Vec<EmergencyCall>,
    id: CaseId,
    /// Ten digits, the last a check digit; null while a draft.
    number: Option<String>,
    kind: CaseKind,
    state: CaseState,
    /// Send it with an action to be told when somebody else was faster.
    version: i32,
    /// 1, and one more with each reopening.
    round: i32,
    title: String,
    /// In a list, of a long text the beginning and `…`.
    text: String,
    /// What the desk wrote down of a case that was spoken.
    summary: Option<String>,
    /// Files it was filed with; those of a step stand with its event. Left out in a list and in the answer to an action.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileView>>,
    /// Null in a list. Staff see the questions; the answers are masked.
    #[schema(value_type = Option<Object>)]
    form: Option<Value>,
    item: Option<CaseItem>,
    concern: Option<CaseConcern>,
    topic: Option<String>,
    urgency: CaseUrgency,
    channel: CaseChannel,
    confidential: bool,
    /// It took up a private matter of a talk day: nobody knows of it but who has it.
    private: bool,
    /// Anybody may see it, without whose it is.
    public: bool,
    /// The booking of a talk day whose matter it took up.
    booking: Option<BookingId>,
    /// Somebody whom the person let act filed it.
    filed_by_agent: bool,
    /// The village.
    division: DivisionId,
    accepted_on: Option<NaiveDate>,
    /// 承诺时限; null before acceptance.
    promised_due_on: Option<NaiveDate>,
    /// 法定时限; null before acceptance and where there is none.
    statutory_due_on: Option<NaiveDate>,
    /// A year without a published calendar was counted.
    provisional: bool,
    /// Null while the clock stands still and once the case is closed.
    light: Option<DueLight>,
    /// Of a pause its last day, of a supplement the last day to bring it.
    until_on: Option<NaiveDate>,
    /// What waits to be decided by somebody else.
    waiting_for: Option<CaseRequest>,
    /// Of one that was merged: where the case stands into which it was. Null in a list.
    main: Option<MainCase>,
    /// How often it was asked after (催办).
    nudges: i32,
    /// The thing it is about.
    object: Option<String>,
    result: Option<CaseResult>,
    answered_at: Option<DateTime<Utc>>,
    /// False: closed by silence.
    confirmed: Option<bool>,
    /// What the viewer may do now.
    actions: Vec<Action>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

/// A case as staff see it: the same, and who has it. Personal data is masked.
#[derive(Serialize, ToSchema)]
pub struct StaffCaseView {
    #[serde(flatten)]
    case: CaseView,
    /// Person id of the villager.
    person: PersonId,
    /// Masked, e.g. 张*三.
    contact_name: Option<PersonName>,
    /// Masked, e.g. 138****8000.
    contact_phone: Option<PhoneNumber>,
    township: DivisionId,
    /// The unit that has the work.
    unit: UnitId,
    /// The unit that took it in and answers the villager.
    first_unit: UnitId,
    assignee: Option<StaffId>,
    entered_by: Option<StaffId>,
    /// What lists are ordered by.
    due_on: NaiveDate,
    /// When silence acts.
    step_due_at: Option<DateTime<Utc>>,
    returns: i32,
    /// The township named this unit: no other may be given the work.
    locked_unit: Option<UnitId>,
    /// What was asked for and is not decided.
    pending: Option<PendingRequest>,
    /// By when the villager is to be spoken to.
    contact_due_at: Option<DateTime<Utc>>,
    contacted_at: Option<DateTime<Utc>>,
    /// By when papers are to be handed up or delivered.
    papers_due_at: Option<DateTime<Utc>>,
    /// The main case.
    merged_into: Option<CaseId>,
    /// Cases merged into this one: work counts once, weight so often more.
    gathered: i32,
    /// Steps of supervision by time: 0 none, 1 soon due, 2 overdue, 3 the township's leader, 4 the county's list.
    alarm_step: i32,
    /// The villagers' group (组).
    group: Option<String>,
}

/// Somebody who was called in.
#[derive(Serialize, ToSchema)]
pub struct CoHandlerView {
    unit: UnitId,
    /// None: whoever handles cases in the unit.
    assignee: Option<StaffId>,
    asked_by: StaffId,
    asked_at: DateTime<Utc>,
    /// By which day they are to answer.
    answer_on: NaiveDate,
    reported_at: Option<DateTime<Utc>>,
}

impl From<co_handler::Model> for CoHandlerView {
    fn from(row: co_handler::Model) -> Self {
        Self {
            unit: row.unit_id,
            assignee: row.staff_id,
            asked_by: row.asked_by,
            asked_at: row.asked_at,
            answer_on: row.answer_on,
            reported_at: row.reported_at,
        }
    }
}

/// What was asked of somebody else.
#[derive(Serialize, ToSchema)]
pub struct PendingRequest {
    request: CaseRequest,
    /// The unit that decides.
    unit: Option<UnitId>,
    /// Who asked; null: the villager.
    by: Option<StaffId>,
}

/// Where the case stands into which one was merged: nothing of whose it is.
#[derive(Serialize, ToSchema)]
pub struct MainCase {
    state: CaseState,
    promised_due_on: Option<NaiveDate>,
    result: Option<CaseResult>,
    answered_at: Option<DateTime<Utc>>,
    /// What was answered.
    answer: Option<String>,
    /// Cases worked on together, with the main one.
    together: i32,
}

impl MainCase {
    /// Of the main case and the text of its answer.
    #[must_use]
    pub fn of(case: &case::Model, answer: Option<String>) -> Self {
        Self {
            state: case.state,
            promised_due_on: case.promised_due_on,
            result: case.result,
            answered_at: case.answered_at,
            answer,
            together: case.gathered + 1,
        }
    }
}

/// Characters of a text that a list shows: a page of twenty stays under 20 KB on the wire.
const SHOWN_IN_A_LIST: usize = 100;

impl CaseView {
    /// With where its main case stands.
    #[must_use]
    pub fn with_main(self, main: Option<MainCase>) -> Self {
        Self { main, ..self }
    }

    /// As one of many.
    #[must_use]
    pub fn in_a_list(mut self) -> Self {
        if let Some((end, _)) = self.text.char_indices().nth(SHOWN_IN_A_LIST) {
            self.text.truncate(end);
            self.text.push('…');
        }
        self.form = None;
        self
    }
}

impl CaseView {
    /// With the files it was filed with.
    #[must_use]
    pub fn with_files(self, files: Vec<FileView>) -> Self {
        Self { files: Some(files), ..self }
    }

    fn with_masked_form(self) -> Self {
        Self { form: self.form.map(masked), ..self }
    }
}

impl StaffCaseView {
    /// With the files it was filed with.
    #[must_use]
    pub fn with_files(self, files: Vec<FileView>) -> Self {
        Self { case: self.case.with_files(files), ..self }
    }

    /// As one of many.
    #[must_use]
    pub fn in_a_list(self) -> Self {
        Self { case: self.case.in_a_list(), ..self }
    }
}

/// The case as its villager sees it.
pub fn for_villager(app: &App, case: case::Model, names: &Names) -> Result<CaseView, Problem> {
    let by = By::villager(case.person_id);
    let clocks = settings::of_case(app, &case);
    let actions = scope::actions(&by, &case, Reckoning { now: app.clock.now(), clocks: &clocks });
    view(app, case, names, actions)
}

/// The case as these staff see it.
pub fn for_staff(app: &App, case: case::Model, names: &Names, by: &By) -> Result<StaffCaseView, Problem> {
    let contact_name = app.field_keys.open_if(case.contact_name.as_ref())?;
    let contact_phone = app.field_keys.open_if(case.contact_phone.as_ref())?;
    let clocks = settings::of_case(app, &case);
    let actions = scope::actions(by, &case, Reckoning { now: app.clock.now(), clocks: &clocks });
    Ok(StaffCaseView {
        person: case.person_id,
        contact_name,
        contact_phone,
        township: case.township_id,
        unit: case.unit_id,
        first_unit: case.first_unit_id,
        assignee: case.assignee_id,
        entered_by: case.entered_by,
        due_on: case.due_on,
        step_due_at: case.step_due_at,
        returns: case.returns,
        locked_unit: case.locked_unit_id,
        pending: case.pending.map(|request| PendingRequest {
            request,
            unit: case.pending_unit_id,
            by: case.pending_by,
        }),
        contact_due_at: case.contact_due_at,
        contacted_at: case.contacted_at,
        papers_due_at: case.papers_due_at,
        merged_into: case.merged_into,
        gathered: case.gathered,
        alarm_step: case.alarm_step,
        group: case.group_name.clone(),
        case: view(app, case, names, actions)?.with_masked_form(),
    })
}

/// The same questions, no answers: what was answered is shown by `reveal`, with a reason.
fn masked(answers: Value) -> Value {
    match answers {
        Value::Object(members) => members.into_iter().map(|(name, answer)| (name, masked(answer))).collect(),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::from("****"),
    }
}

fn view(app: &App, case: case::Model, names: &Names, actions: Vec<Action>) -> Result<CaseView, Problem> {
    let item = case.item_id.and_then(|id| names.items.get(&id)).cloned();
    let item = item.map(|ItemName { code, name, version }| CaseItem { code, name, version });
    let open = !workflow::is_closed(case.state);
    let form = app.field_keys.open_if::<PrivateText>(case.form.as_ref())?;
    let form = form.map(|form| serde_json::from_str(form.in_the_clear()).map_err(Problem::unexpected)).transpose()?;
    Ok(CaseView {
        emergency: if open { emergency::calls([&case.title, &case.text]) } else { vec![] },
        id: case.id,
        light: light_of(app, &case),
        number: (case.state != CaseState::Draft).then_some(case.number),
        kind: case.kind,
        state: case.state,
        version: case.version,
        round: case.round,
        title: case.title,
        text: case.text,
        summary: case.summary,
        files: None,
        form,
        item,
        concern: case.concern,
        topic: case.topic,
        urgency: case.urgency,
        channel: case.channel,
        confidential: case.confidential,
        private: case.private,
        public: case.public,
        booking: case.booking_id,
        filed_by_agent: case.agent_id.is_some(),
        division: case.village_id,
        accepted_on: case.accepted_on,
        promised_due_on: case.promised_due_on,
        statutory_due_on: case.statutory_due_on,
        provisional: case.provisional,
        until_on: case.until_on.filter(|_| matches!(case.state, CaseState::Paused | CaseState::Supplement)),
        waiting_for: case.pending,
        main: None,
        nudges: case.nudges,
        object: case.object,
        result: case.result,
        answered_at: case.answered_at,
        confirmed: case.confirmed,
        actions,
        created_at: case.created_at,
        updated_at: case.updated_at,
        closed_at: case.closed_at,
    })
}

/// Burns while the clock runs: not while it is paused, and not once it is answered.
fn light_of(app: &App, case: &case::Model) -> Option<DueLight> {
    let running = workflow::clock_runs(case.state) && case.accepted_on.is_some();
    let today = local_day(app.clock.now());
    running.then(|| sla::light(&settings::of_case(app, case), today, case.due_on, sla::limit(case)))
}
