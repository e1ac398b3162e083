//! What others are to see comes in, and goes again; what may be shown.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::{
    Instant, case,
    content_check::{self, ContentReason, ContentState, ContentSubject},
    file::{self, FileKind, FileState, FileThing},
    id::{CaseId, ContentCheckId, DivisionId, FileId, PersonId, StaffId},
    wechat_account,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

use super::check::Question;
use crate::{
    app::App,
    cases,
    crypto::FieldKeys,
    db::{self, Tx, padded},
    files,
    jobs::{self, Job},
    personal::{Personal, PrivateText},
    problem::Problem,
    wechat::Scene,
};

/// Rows looked up by one statement.
const AT_ONCE: usize = 256;

/// Words that others are to see.
pub struct Words {
    /// What they belong to.
    pub subject: ContentSubject,
    /// Which.
    pub subject_id: Uuid,
    /// Which part of it.
    pub part: String,
    /// The place whose desk looks at them.
    pub place: DivisionId,
    /// Whose words they are, or whose matter they tell of.
    pub person: Option<PersonId>,
    /// Who of the staff wrote them.
    pub written_by: Option<StaffId>,
    /// As others would see them.
    pub text: String,
}

pub(super) fn digest(keys: &FieldKeys, text: &str) -> Result<String, Problem> {
    keys.blind_index("content_check.digest", text)
}

/// Has words looked at, in the transaction that would show them; words that were looked at already stay as they are. Says
/// where they stand now.
pub async fn look_at(tx: &Tx, app: &App, words: Words, now: Instant) -> Result<ContentState, Problem> {
    let known = content_check::Entity::find()
        .filter(content_check::COLUMN.subject.eq(words.subject))
        .filter(content_check::COLUMN.subject_id.eq(words.subject_id))
        .filter(content_check::COLUMN.part.eq(words.part.as_str()))
        .lock(LockType::Update)
        .one(tx)
        .await?;
    let digest = digest(&app.field_keys, &words.text)?;
    // Other words that their villager gave stay in the place of the first.
    if let Some(known) = known.as_ref().filter(|known| known.digest == digest || known.rewordings > 0) {
        return Ok(known.state);
    }
    let mut row = fresh(&words, digest, now);
    row.text = Some(app.field_keys.close(&PrivateText::of_stored(words.text))?);
    if let Some(known) = &known {
        (row.id, row.version) = (known.id, known.version + 1);
        (row.rewordings, row.created_at) = (known.rewordings, known.created_at);
    }
    begin(tx, &mut row, now).await?;
    let (id, version, state) = (row.id, row.version, row.state);
    if known.is_some() {
        row.into_active_model().reset_all().update(tx).await?;
    } else {
        // Two who bring the same at once: the second try finds it.
        content_check::Entity::insert(row.into_active_model())
            .exec_without_returning(tx)
            .await
            .map_err(db::again_on_unique)?;
    }
    if state == ContentState::Waiting {
        enqueue(tx, id, version, now).await?;
    }
    Ok(state)
}

/// Has the photos looked at that came with a case; a second look at one of them is none.
pub async fn look_at_photos(tx: &Tx, case: &case::Model, now: Instant) -> Result<(), Problem> {
    let hung = files::attached_to(tx, FileThing::Case, [case.id.0]).await?.remove(&case.id.0).unwrap_or_default();
    let photos = hung.into_iter().filter(|file| file.kind == FileKind::Photo && file.event_id.is_none());
    for file in photos {
        let words = Words {
            subject: ContentSubject::Case,
            subject_id: case.id.0,
            part: format!("file {}", file.id),
            place: case.village_id,
            person: Some(case.person_id),
            written_by: None,
            text: String::new(),
        };
        let mut row = fresh(&words, file.sha256, now);
        row.file_id = Some(file.id.0);
        begin(tx, &mut row, now).await?;
        let (id, version, state) = (row.id, row.version, row.state);
        let part = [content_check::Column::Subject, content_check::Column::SubjectId, content_check::Column::Part];
        let once = OnConflict::columns(part).do_nothing().to_owned();
        let made = content_check::Entity::insert(row.into_active_model()).on_conflict(once);
        if made.exec_without_returning(tx).await? > 0 && state == ContentState::Waiting {
            enqueue(tx, id, version, now).await?;
        }
    }
    Ok(())
}

/// Of these cases, the photos that may be shown, each case's in their order.
pub async fn shown_photos(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<FileId>>, Problem> {
    let mut shown = HashMap::<Uuid, Vec<FileId>>::new();
    for some in ids.chunks(AT_ONCE) {
        let rows = content_check::Entity::find()
            .filter(content_check::COLUMN.subject.eq(ContentSubject::Case))
            .filter(content_check::COLUMN.subject_id.is_in(padded(some.iter().copied())))
            .filter(content_check::COLUMN.file_id.is_not_null())
            .filter(content_check::COLUMN.state.eq(ContentState::Passed))
            .order_by_asc(content_check::Column::Id);
        for row in rows.all(db).await? {
            shown.entry(row.subject_id).or_default().extend(row.file_id.map(FileId));
        }
    }
    Ok(shown)
}

/// Whether a photo may be fetched by a link that anybody may follow: it came with a case that everybody may see, and it was
/// looked at, or is on its way to WeChat, which fetches it by such a link.
///
/// # Errors
/// Those of the database.
pub async fn photo_is_public(db: &impl ConnectionTrait, file: &file::Model) -> Result<bool, Problem> {
    let of_case = file.thing == Some(FileThing::Case) && file.event_id.is_none();
    let Some(case) = file.thing_id.filter(|_| of_case) else { return Ok(false) };
    if file.kind != FileKind::Photo || file.state != FileState::Kept {
        return Ok(false);
    }
    let open = [ContentState::Waiting, ContentState::Asked, ContentState::Passed];
    let looked_at = content_check::Entity::find()
        .filter(content_check::COLUMN.subject.eq(ContentSubject::Case))
        .filter(content_check::COLUMN.subject_id.eq(case))
        .filter(content_check::COLUMN.file_id.eq(file.id.0))
        .filter(content_check::COLUMN.state.is_in(open));
    if looked_at.one(db).await?.is_none() {
        return Ok(false);
    }
    let shown = case::Entity::find().filter(cases::publication::shown()).filter(case::COLUMN.id.eq(case));
    Ok(shown.one(db).await?.is_some())
}

/// Where something begins: it waits for WeChat, or for a person where WeChat cannot be asked.
pub(super) async fn begin(tx: &Tx, row: &mut content_check::Model, now: Instant) -> Result<(), Problem> {
    row.state = ContentState::Waiting;
    (row.tries, row.reason, row.since_at) = (0, None, now);
    (row.suggest, row.label, row.detail, row.trace_id, row.asked_at) = (None, None, None, None, None);
    (row.decided_at, row.decided_by, row.decision_text) = (None, None, None);
    if openid(tx, row.person_id).await?.is_none() {
        (row.state, row.reason) = (ContentState::ToReview, Some(ContentReason::NoAccount));
    }
    Ok(())
}

/// What names the job that asks about a wording.
pub(super) fn job_key(id: ContentCheckId, version: i32) -> String {
    format!("content {id} {version}")
}

pub(super) async fn enqueue(tx: &Tx, id: ContentCheckId, version: i32, now: Instant) -> Result<(), Problem> {
    let job = Job::CheckContent(Question { check: id, version });
    jobs::enqueue(tx, &job, now, Some(job_key(id, version))).await
}

fn fresh(words: &Words, digest: String, now: Instant) -> content_check::Model {
    content_check::Model {
        id: ContentCheckId::fresh(),
        subject: words.subject,
        subject_id: words.subject_id,
        part: words.part.clone(),
        division_id: words.place,
        person_id: words.person,
        written_by: words.written_by,
        file_id: None,
        text: None,
        digest,
        state: ContentState::Waiting,
        version: 1,
        tries: 0,
        reason: None,
        suggest: None,
        label: None,
        detail: None,
        trace_id: None,
        asked_at: None,
        decided_at: None,
        decided_by: None,
        decision_text: None,
        rewordings: 0,
        created_at: now,
        since_at: now,
    }
}

/// By whom WeChat knows somebody.
pub(super) async fn openid(db: &impl ConnectionTrait, person: Option<PersonId>) -> Result<Option<String>, Problem> {
    let Some(person) = person else { return Ok(None) };
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(person)).one(db).await?;
    Ok(account.map(|account| account.openid))
}

/// Where words will stand, as WeChat calls it: a page that the village reads together.
pub(super) const SCENE: Scene = Scene::Forum;

/// The words; none where there are none, or where they do not open: then nobody is shown them, and nothing else is missed.
pub(super) fn words_of(app: &App, row: &content_check::Model) -> Option<String> {
    let opened: Result<Option<PrivateText>, Problem> = app.field_keys.open_if(row.text.as_ref());
    let opened = opened.inspect_err(|problem| {
        tracing::error!(check.id = %row.id, reason = problem.source_text(), "words to be looked at do not open");
    });
    opened.ok().flatten().map(|text| text.in_the_clear().to_owned())
}

/// Of these things, the words of a part that may be shown.
pub async fn shown_words(
    db: &impl ConnectionTrait,
    app: &App,
    subject: ContentSubject,
    part: &str,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, Problem> {
    let mut shown = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let rows = content_check::Entity::find()
            .filter(content_check::COLUMN.subject.eq(subject))
            .filter(content_check::COLUMN.subject_id.is_in(padded(some.iter().copied())))
            .filter(content_check::COLUMN.part.eq(part))
            .filter(content_check::COLUMN.state.eq(ContentState::Passed));
        for row in rows.all(db).await? {
            shown.extend(words_of(app, &row).map(|text| (row.subject_id, text)));
        }
    }
    Ok(shown)
}

/// The words of a part that may be shown, held until the commit: nobody holds them back meanwhile.
pub async fn words_to_quote(
    tx: &Tx,
    app: &App,
    subject: ContentSubject,
    id: Uuid,
    part: &str,
) -> Result<Option<String>, Problem> {
    let row = content_check::Entity::find()
        .filter(content_check::COLUMN.subject.eq(subject))
        .filter(content_check::COLUMN.subject_id.eq(id))
        .filter(content_check::COLUMN.part.eq(part))
        .filter(content_check::COLUMN.state.eq(ContentState::Passed))
        .lock(LockType::Update)
        .one(tx)
        .await?;
    Ok(row.and_then(|row| words_of(app, &row)))
}

/// Whether every part of something may be shown: all so many of them, since a part of which nothing is known passed nothing.
pub async fn has_passed(
    db: &impl ConnectionTrait,
    subject: ContentSubject,
    id: Uuid,
    parts: i32,
) -> Result<bool, Problem> {
    let states: Vec<ContentState> = content_check::Entity::find()
        .select_only()
        .column(content_check::Column::State)
        .filter(content_check::COLUMN.subject.eq(subject))
        .filter(content_check::COLUMN.subject_id.eq(id))
        .into_tuple()
        .all(db)
        .await?;
    let passed = states.iter().filter(|state| **state == ContentState::Passed).count();
    Ok(passed == states.len() && i32::try_from(passed).is_ok_and(|passed| passed == parts))
}

/// Nobody is to see it any more: what was said of it goes.
pub async fn drop_subject(tx: &Tx, subject: ContentSubject, id: Uuid) -> Result<(), Problem> {
    content_check::Entity::delete_many()
        .filter(content_check::COLUMN.subject.eq(subject))
        .filter(content_check::COLUMN.subject_id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Nobody is to see these parts of it any more; says how many were known.
pub async fn drop_parts(tx: &Tx, subject: ContentSubject, id: Uuid, parts: Vec<String>) -> Result<u64, Problem> {
    let dropped = content_check::Entity::delete_many()
        .filter(content_check::COLUMN.subject.eq(subject))
        .filter(content_check::COLUMN.subject_id.eq(id))
        .filter(content_check::COLUMN.part.is_in(parts))
        .exec(tx)
        .await?;
    Ok(dropped.rows_affected)
}

/// Likewise of cases.
pub async fn drop_cases(tx: &Tx, ids: &[CaseId]) -> Result<(), Problem> {
    content_check::Entity::delete_many()
        .filter(content_check::COLUMN.subject.eq(ContentSubject::Case))
        .filter(content_check::COLUMN.subject_id.is_in(padded(ids.iter().map(|id| id.0))))
        .exec(tx)
        .await?;
    Ok(())
}

/// Likewise of all that tells of somebody. What still stands on a page stays looked at, and is nobody's from now on.
pub async fn forget_person(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    content_check::Entity::update_many()
        .col_expr(content_check::Column::PersonId, Expr::value(Option::<PersonId>::None))
        .filter(content_check::COLUMN.person_id.eq(person))
        .filter(content_check::COLUMN.subject.eq(ContentSubject::Publication))
        .exec(tx)
        .await?;
    content_check::Entity::delete_many().filter(content_check::COLUMN.person_id.eq(person)).exec(tx).await?;
    Ok(())
}

/// How long what was said of a matter of a talk day is kept.
const KEPT: TimeDelta = TimeDelta::days(2 * 365);

/// Forgets what was said of matters that nobody reads of any more.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    content_check::Entity::delete_many()
        .filter(content_check::COLUMN.subject.eq(ContentSubject::Booking))
        .filter(content_check::COLUMN.created_at.lt(now - KEPT))
        .exec(tx)
        .await?;
    Ok(())
}
