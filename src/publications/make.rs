//! How something comes onto the page.

use chrono::{Days, NaiveDate};
use entity::{
    Instant,
    case::{self, CaseState},
    case_event,
    content_check::{ContentState, ContentSubject},
    id::{CaseId, DivisionId, PersonId, PublicationId, StaffId},
    person,
    publication::{self, PublicationEnd, PublicationKind},
};
use rust_i18n::t;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Duty, Staff, duty::WorkOnCases},
    cases::{self, scope},
    clock::local_day,
    content::{self, Words},
    crypto::hex,
    db::Tx,
    divisions,
    notices::{self, About, Telling},
    people,
    problem::{Code, OnUnique, Problem},
    settings::Term,
    talks::words,
};

/// A public matter and its answer, for everybody to read.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishAnswer {
    /// What it is about, without names and numbers.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    title: String,
    /// What was asked, in the desk's words; left out: the villager's own as everybody may read them.
    #[validate(length(min = 1, max = 2000))]
    #[schema(min_length = 1, max_length = 2000)]
    question: Option<String>,
    /// What was answered, in the desk's words; left out: the answer as it was given, without names and numbers.
    #[validate(length(min = 1, max = 2000))]
    #[schema(min_length = 1, max_length = 2000)]
    answer: Option<String>,
    /// Whether somebody of the village could tell from it whose matter it is: then their consent is needed.
    may_identify: bool,
    /// When it is no longer this one: `stale`.
    version: Option<i32>,
}

/// A piece of what is published.
pub struct Part {
    /// Its name.
    pub name: String,
    /// Whose matter it tells of.
    pub person: Option<PersonId>,
    /// Its words.
    pub text: String,
}

/// What the words of a matter of minutes are called.
#[must_use]
pub fn minutes_part(number: u64) -> String {
    format!("matter {number}")
}

/// Minutes that two villagers signed.
pub struct Minutes {
    /// Which.
    pub id: Uuid,
    /// Of which place.
    pub place: DivisionId,
    /// Of which day.
    pub on: NaiveDate,
    /// What everybody may read of them.
    pub document: Value,
    /// Its words.
    pub parts: Vec<Part>,
    /// Who publishes them.
    pub by: StaffId,
}

/// Puts minutes on the page; they are shown once their words were looked at.
///
/// # Errors
/// `personal` where a number is left in them; `already_exists` where they stand there.
pub async fn of_minutes(tx: &Tx, app: &App, minutes: Minutes, now: Instant) -> Result<(), Problem> {
    if minutes.parts.iter().any(|part| words::holds_number(&part.text)) {
        return Err(Problem::field("/document", "personal"));
    }
    let draft = Draft {
        kind: PublicationKind::Minutes,
        subject_id: minutes.id,
        place: minutes.place,
        title: t!("talk.minutes_title", locale = "zh-CN", day = minutes.on.format("%-Y年%-m月%-d日")).into_owned(),
        body: nameless(minutes.document),
        quotes: false,
        by: minutes.by,
    };
    let row = draft.row(tx, app, now).await?;
    write(tx, app, row, minutes.parts, now).await.map(drop)
}

/// Minutes without anybody's name, not even 张某.
fn nameless(mut document: Value) -> Value {
    if let Some(members) = document.as_object_mut() {
        members.remove("hosts");
        let matters = members.get_mut("matters").and_then(Value::as_array_mut).into_iter().flatten();
        for matter in matters.filter_map(Value::as_object_mut) {
            matter.remove("name");
        }
    }
    document
}

/// What tells one wording of a page from another.
pub(super) fn digest(title: &str, body: &Value) -> String {
    hex(&Sha256::digest(json!([title, body]).to_string().as_bytes()))
}

/// Something that is to stand on the page.
struct Draft {
    kind: PublicationKind,
    /// The minutes or the case.
    subject_id: Uuid,
    place: DivisionId,
    title: String,
    body: Value,
    quotes: bool,
    by: StaffId,
}

impl Draft {
    /// Its row, with the last day that the place has set.
    async fn row(self, tx: &Tx, app: &App, now: Instant) -> Result<publication::Model, Problem> {
        let place = divisions::find(tx, self.place).await?;
        let line: Vec<DivisionId> = divisions::line_up(&place).into_iter().flatten().collect();
        let days = app.settings.load().of(&line).terms.get(Term::PublicationDays);
        let today = local_day(now);
        Ok(publication::Model {
            id: PublicationId::fresh(),
            division_id: place.id,
            kind: self.kind,
            subject_id: self.subject_id,
            person_id: None,
            digest: digest(&self.title, &self.body),
            title: Some(self.title),
            body: Some(self.body),
            may_identify: false,
            consent_version: None,
            quotes: self.quotes,
            parts: 0,
            published_by: self.by,
            created_at: now,
            shown_at: None,
            expires_on: today.checked_add_days(Days::new(days.into())).unwrap_or(today),
            ended_at: None,
            ended_because: None,
            ended_by: None,
            end_reason: None,
            version: 1,
        })
    }
}

async fn write(
    tx: &Tx,
    app: &App,
    mut row: publication::Model,
    mut parts: Vec<Part>,
    now: Instant,
) -> Result<publication::Model, Problem> {
    parts.retain(|part| !part.text.trim().is_empty());
    row.parts = i32::try_from(parts.len()).map_err(Problem::unexpected)?;
    let (id, place, by) = (row.id, row.division_id, row.published_by);
    publication::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await
        .on_unique(Code::AlreadyExists)?;
    let mut all_passed = true;
    for Part { name, person, text } in parts {
        let subject = ContentSubject::Publication;
        let words = Words { subject, subject_id: id.0, part: name, place, person, written_by: Some(by), text };
        all_passed &= content::look_at(tx, app, words, now).await? == ContentState::Passed;
    }
    if all_passed {
        show_if_passed(tx, id, now).await?;
    }
    publication::Entity::find_by_id(id).one(tx).await?.ok_or_else(|| Problem::unexpected("a publication is gone"))
}

/// Shows something on the page whose every part may be shown, and hides it when one is held.
///
/// # Errors
/// Those of the database.
pub async fn show_if_passed(tx: &Tx, id: PublicationId, now: Instant) -> Result<(), Problem> {
    let row = publication::Entity::find_by_id(id).lock(LockType::Update).one(tx).await?;
    let Some(row) = row.filter(|row| row.ended_at.is_none()) else { return Ok(()) };
    let passed = content::has_passed(tx, ContentSubject::Publication, id.0, row.parts).await?;
    if passed == row.shown_at.is_some() {
        return Ok(());
    }
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.shown_at = Set(passed.then_some(now));
    row.version = Set(version);
    row.update(tx).await?;
    Ok(())
}

/// Puts a public matter and its answer on the page.
///
/// # Errors
/// `not_found`, `not_your_duty`, `conflict_of_interest`, `stale`; `transition_not_allowed` where it is not answered, not
/// public or not looked at; `consent_required`; `personal` where a text names somebody or holds a number.
pub(super) async fn of_answer(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    body: &PublishAnswer,
    now: Instant,
) -> Result<publication::Model, Problem> {
    let case = scope::one_held(scope::of_staff(staff), id, tx).await?;
    if !staff.has(Duty::AcceptCases, &[case.village_id, case.township_id, case.county_id]) {
        return Err(Code::NotYourDuty.into());
    }
    if cases::near_to(tx, staff.id(), case.person_id).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    if body.version.is_some_and(|version| version != case.version) {
        return Err(Code::Stale.into());
    }
    may_be_published(tx, app, &case, now).await?;
    let consent = agreed(tx, &case, body).await?;
    let (question, answer) = texts(tx, app, &case, body).await?;
    let told = json!({
        "topic": case.topic, "question": &question, "answer": &answer.text, "result": answer.result,
        "answered_on": answer.at.map(local_day),
    });
    let draft = Draft {
        kind: PublicationKind::Answer,
        subject_id: case.id.0,
        place: case.village_id,
        title: body.title.trim().to_owned(),
        body: told,
        quotes: body.question.is_none(),
        by: staff.id(),
    };
    let mut made = draft.row(tx, app, now).await?;
    made.person_id = Some(case.person_id);
    made.may_identify = body.may_identify;
    made.consent_version = consent;
    let words = [body.title.as_str(), &question, &answer.text].join("\n");
    let part = Part { name: "text".to_owned(), person: Some(case.person_id), text: words };
    let row = write(tx, app, made, vec![part], now).await?;
    let telling = Telling {
        person: case.person_id,
        kind: "answer_published",
        about: About::Case(case.id),
        params: json!({"number": case.number, "title": body.title.trim()}),
    };
    notices::tell(tx, vec![telling], now).await?;
    let entry = Entry::done("publish_answer", "publication", row.id).of_fields(format!("case={}", case.id));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}

/// Whether the matter is one that everybody may read of.
async fn may_be_published(tx: &Tx, app: &App, case: &case::Model, now: Instant) -> Result<(), Problem> {
    let answered = [CaseState::Answered, CaseState::Completed, CaseState::Archived].contains(&case.state);
    let public = case.public && case.public_id.is_some() && !case.confidential && !case.private;
    if !answered || !public {
        return Err(Code::TransitionNotAllowed.into());
    }
    // Of children nothing is published (未成年人网络保护条例 36).
    if people::is_minor(tx, &app.field_keys, case.person_id, local_day(now)).await? {
        return Err(Code::TransitionNotAllowed.into());
    }
    Ok(())
}

/// The version of the text to which the person agreed, where what is published could make them known. Whoever said no, or
/// took this very matter off the page, has to agree in any case: a no is not asked away by publishing again.
async fn agreed(tx: &Tx, case: &case::Model, body: &PublishAnswer) -> Result<Option<String>, Problem> {
    // Who takes consent back at the same time waits, and then takes this down; or we wait, and read that it is gone.
    person::Entity::find_by_id(case.person_id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let last = people::last_word(tx, case.person_id, people::PUBLICATION).await?;
    let refused_at = taken_back_at(tx, case.id).await?;
    let refused = last.as_ref().is_some_and(|said| !said.granted);
    let agreed = last.filter(|said| said.granted && refused_at.is_none_or(|at| at < said.at));
    match agreed {
        Some(said) => Ok(body.may_identify.then_some(said.text_version)),
        None if body.may_identify || refused || refused_at.is_some() => {
            Err(Problem::new(Code::ConsentRequired).with("purpose", people::PUBLICATION))
        }
        None => Ok(None),
    }
}

/// When the person last took this matter off the page.
async fn taken_back_at(tx: &Tx, case: CaseId) -> Result<Option<Instant>, Problem> {
    let taken_back = publication::Entity::find()
        .filter(publication::COLUMN.kind.eq(PublicationKind::Answer))
        .filter(publication::COLUMN.subject_id.eq(case.0))
        .filter(publication::COLUMN.ended_because.is_in([PublicationEnd::TakenBack, PublicationEnd::ConsentWithdrawn]))
        .order_by_desc(publication::Column::EndedAt);
    Ok(taken_back.one(tx).await?.and_then(|row| row.ended_at))
}

/// What was answered.
struct Answered {
    text: String,
    result: Option<case::CaseResult>,
    at: Option<Instant>,
}

/// Question and answer as everybody may read them.
async fn texts(tx: &Tx, app: &App, case: &case::Model, body: &PublishAnswer) -> Result<(String, Answered), Problem> {
    let names = cases::publication::names(tx, app, case).await?;
    let given =
        [("/title", Some(&body.title)), ("/question", body.question.as_ref()), ("/answer", body.answer.as_ref())];
    for (pointer, text) in given {
        if text.is_some_and(|text| words::holds_number(text) || words::names_somebody(text, &names)) {
            return Err(Problem::field(pointer, "personal"));
        }
    }
    let question = if let Some(text) = &body.question {
        text.trim().to_owned()
    } else {
        let shown = content::words_to_quote(tx, app, ContentSubject::Case, case.id.0, cases::publication::TEXT).await?;
        // Their name may be known since: it was masked as far as it was then.
        words::published(&shown.ok_or(Code::TransitionNotAllowed)?, &names)
    };
    let event = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case.id))
        .filter(case_event::COLUMN.action.eq("answer"))
        .order_by_desc(case_event::Column::Seq)
        .one(tx)
        .await?;
    let said = event.as_ref().and_then(|event| event.text.clone()).unwrap_or_default();
    let text = body.answer.clone().unwrap_or_else(|| words::published(&said, &names)).trim().to_owned();
    if text.is_empty() {
        return Err(Problem::field("/answer", "required"));
    }
    if words::holds_number(&text) || words::holds_number(&question) {
        return Err(Problem::field("/answer", "personal"));
    }
    Ok((question, Answered { text, result: case.result, at: event.map(|event| event.at) }))
}
