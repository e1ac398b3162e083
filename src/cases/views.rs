//! What a case looks like from outside, by who looks.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    case::{self, CaseChannel, CaseConcern, CaseKind, CaseResult, CaseState, CaseUrgency},
    id::{BookingId, CaseId, DivisionId, PersonId, ReviewId, StaffId, UnitId},
    review,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    advance::By,
    emergency::{self, EmergencyCall},
    ops::{find::Names, track::TrackedStep},
    scope,
    sla::{self, DueLight},
    workflow::{self, Action},
};
use crate::{
    app::App,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
};

/// The item a case was filed under.
#[derive(Serialize, ToSchema)]
pub struct CaseItem {
    code: String,
    name: String,
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
    /// Null once the case is closed.
    light: Option<DueLight>,
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
}

/// Characters of a text that a list shows: a page of twenty stays under 20 KB on the wire.
const SHOWN_IN_A_LIST: usize = 100;

impl CaseView {
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
    fn with_masked_form(self) -> Self {
        Self { form: self.form.map(masked), ..self }
    }
}

impl StaffCaseView {
    /// As one of many.
    #[must_use]
    pub fn in_a_list(self) -> Self {
        Self { case: self.case.in_a_list(), ..self }
    }
}

/// The case as its villager sees it.
pub fn for_villager(app: &App, case: case::Model, names: &Names) -> Result<CaseView, Problem> {
    let by = By::villager(case.person_id);
    let mut actions = scope::actions(&by, case.state);
    if case.reopens > 0 {
        actions.retain(|action| *action != Action::Reopen);
    }
    view(app, case, names, actions)
}

/// The case as these staff see it.
pub fn for_staff(app: &App, case: case::Model, names: &Names, by: &By) -> Result<StaffCaseView, Problem> {
    let contact_name = app.field_keys.open_if(case.contact_name.as_ref())?;
    let contact_phone = app.field_keys.open_if(case.contact_phone.as_ref())?;
    let actions = scope::actions(by, case.state);
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
    let item = case.item_id.and_then(|id| names.items.get(&id)).cloned().map(|(code, name)| CaseItem { code, name });
    let open = !workflow::is_closed(case.state);
    let form = app.field_keys.open_if::<PrivateText>(case.form.as_ref())?;
    let form = form.map(|form| serde_json::from_str(form.in_the_clear()).map_err(Problem::unexpected)).transpose()?;
    Ok(CaseView {
        emergency: if open { emergency::calls([&case.title, &case.text]) } else { vec![] },
        id: case.id,
        light: light(app, case.state, case.accepted_on, case.due_on, case.promised_days),
        number: (case.state != CaseState::Draft).then_some(case.number),
        kind: case.kind,
        state: case.state,
        version: case.version,
        round: case.round,
        title: case.title,
        text: case.text,
        form,
        item,
        concern: case.concern,
        topic: case.topic,
        urgency: case.urgency,
        channel: case.channel,
        confidential: case.confidential,
        private: case.private,
        booking: case.booking_id,
        filed_by_agent: case.agent_id.is_some(),
        division: case.village_id,
        accepted_on: case.accepted_on,
        promised_due_on: case.promised_due_on,
        statutory_due_on: case.statutory_due_on,
        provisional: case.provisional,
        result: case.result,
        answered_at: case.answered_at,
        confirmed: case.confirmed,
        actions,
        created_at: case.created_at,
        updated_at: case.updated_at,
        closed_at: case.closed_at,
    })
}

/// Burns from acceptance until the case is closed.
fn light(
    app: &App,
    state: CaseState,
    accepted_on: Option<NaiveDate>,
    due_on: NaiveDate,
    promised_days: Option<i32>,
) -> Option<DueLight> {
    let limit = promised_days.and_then(|days| u32::try_from(days).ok());
    let running = !workflow::is_closed(state) && accepted_on.is_some();
    running.then(|| sla::light(&app.calendar.load(), app.clock.now(), due_on, limit))
}

/// A review as its author sees it.
#[derive(Serialize, ToSchema)]
pub struct ReviewView {
    id: ReviewId,
    case: CaseId,
    round: i32,
    stars: i32,
    tags: Value,
    text: Option<String>,
    at: DateTime<Utc>,
}

impl From<review::Model> for ReviewView {
    fn from(row: review::Model) -> Self {
        Self {
            id: row.id,
            case: row.case_id,
            round: row.round,
            stars: row.stars,
            tags: row.tags,
            text: row.text,
            at: row.created_at,
        }
    }
}

/// What anybody with the number and the phone tail may see: where it stands, no name, no text.
#[derive(Serialize, ToSchema)]
pub struct TrackedCase {
    number: String,
    kind: CaseKind,
    /// The item's name; other titles may be private and are left out.
    item: Option<String>,
    state: CaseState,
    submitted_at: DateTime<Utc>,
    promised_due_on: Option<NaiveDate>,
    statutory_due_on: Option<NaiveDate>,
    light: Option<DueLight>,
    /// Masked, e.g. 张*三.
    name: Option<PersonName>,
    milestones: Vec<TrackedMilestone>,
}

/// A step that was taken.
#[derive(Serialize, ToSchema)]
pub struct TrackedMilestone {
    at: DateTime<Utc>,
    action: String,
    to: CaseState,
    auto: bool,
}

/// The tracked view.
pub async fn tracked(app: &App, steps: Vec<TrackedStep>) -> Result<TrackedCase, Problem> {
    let step = |step: &TrackedStep| TrackedMilestone {
        at: step.at,
        action: step.action.clone(),
        to: step.to_state,
        auto: step.auto,
    };
    // Whose hands it is in is nobody's business who is not signed in.
    let milestones = steps.iter().filter(|step| workflow::Handover::of(&step.action).is_none()).map(step).collect();
    let case = steps.into_iter().next().ok_or_else(Problem::not_found)?;
    let names = app.item_names.of(app.db.read(), case.item_id.into_iter()).await?;
    Ok(TrackedCase {
        light: light(app, case.state, case.accepted_on, case.due_on, case.promised_days),
        item: case.item_id.and_then(|id| names.get(&id)).map(|(_, name)| name.clone()),
        number: case.number,
        kind: case.kind,
        state: case.state,
        submitted_at: case.at,
        promised_due_on: case.promised_due_on,
        statutory_due_on: case.statutory_due_on,
        name: app.field_keys.open_if(case.contact_name.as_ref())?,
        milestones,
    })
}
