//! Making a case public and taking it back; filing what comes through somebody else's program.

use entity::{
    Instant,
    case::{self, CaseChannel, CaseConcern, CaseKind, CaseState},
    content_check::ContentSubject,
    id::{CaseId, DivisionId},
    person,
    publication::PublicationEnd,
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::api::PublishCase;
use crate::{
    app::App,
    auth::{Duty, Staff, Villager, duty::WorkOnCases},
    cases::{
        advance::{self, Act, By},
        commands::Matter,
        emergency,
        ops::filing::{self, Filing},
        scope,
        workflow::{Action, Aside},
    },
    clock::local_day,
    content::{self, Words},
    db::Tx,
    people,
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Code, Problem},
    publications,
    talks::words,
};

/// The part of a case that anybody may read.
pub const TEXT: &str = "text";

/// The desk withholds a case, or shows it again.
///
/// # Errors
/// `not_your_duty`, `stale`; `not_allowed_here` at `/public` where the villager does not agree.
pub(super) async fn by_staff(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    body: &PublishCase,
) -> Result<case::Model, Problem> {
    let case = scope::one_held(scope::of_staff(staff), id, tx).await?;
    if !staff.has(Duty::AcceptCases, &[case.village_id, case.township_id, case.county_id]) {
        return Err(Code::NotYourDuty.into());
    }
    if body.version.is_some_and(|version| version != case.version) {
        return Err(Code::Stale.into());
    }
    if body.public == case.public {
        return Ok(case);
    }
    let minor = people::is_minor(tx, &app.field_keys, case.person_id, local_day(app.clock.now())).await?;
    if body.public && (case.public_id.is_none() || case.confidential || case.private || minor) {
        return Err(Problem::field("/public", "not_allowed_here"));
    }
    let next = case::Model { public: body.public, ..case.clone() };
    let unit = staff.postings().find(|posting| posting.any(&[Duty::AcceptCases])).map(|posting| posting.unit);
    let next = write(tx, &case, next, &By::staff(staff.id(), unit), app.clock.now()).await?;
    if next.public {
        look_at(tx, app, &next).await?;
    } else {
        publications::case_ended(tx, next.id, PublicationEnd::TakenDown, app.clock.now()).await?;
    }
    Ok(next)
}

/// The villager takes it back.
pub(super) async fn by_villager(tx: &Tx, app: &App, me: &Villager, id: CaseId) -> Result<(), Problem> {
    let case = scope::one_held(scope::of_villager(me), id, tx).await?;
    if case.public_id.is_none() {
        return Ok(());
    }
    if case.state == CaseState::Draft {
        // Nobody has seen it: there is no event before the first.
        case::Entity::update_many()
            .col_expr(case::Column::Public, false.into())
            .col_expr(case::Column::PublicId, Option::<String>::None.into())
            .filter(case::COLUMN.id.eq(case.id))
            .exec(tx)
            .await?;
        return Ok(());
    }
    let next = case::Model { public: false, public_id: None, ..case.clone() };
    write(tx, &case, next, &By::villager(me.person()), app.clock.now()).await?;
    content::drop_cases(tx, &[case.id]).await?;
    publications::case_ended(tx, case.id, PublicationEnd::ConsentWithdrawn, app.clock.now()).await
}

/// What the person is called, here and on the case: it stands in nothing that anybody may read.
pub async fn names(db: &impl ConnectionTrait, app: &App, case: &case::Model) -> Result<Vec<PersonName>, Problem> {
    let person = person::Entity::find_by_id(case.person_id).one(db).await?;
    let own: Option<PersonName> = app.field_keys.open_if(person.and_then(|row| row.name).as_ref())?;
    let contact: Option<PersonName> = app.field_keys.open_if(case.contact_name.as_ref())?;
    Ok(own.into_iter().chain(contact).collect())
}

/// What anybody may read of a case is looked at first.
pub(in crate::cases) async fn look_at(tx: &Tx, app: &App, case: &case::Model) -> Result<(), Problem> {
    if !case.public {
        return Ok(());
    }
    content::look_at_photos(tx, case, app.clock.now()).await?;
    if case.text.trim().is_empty() {
        return Ok(());
    }
    let names = names(tx, app, case).await?;
    let words = Words {
        subject: ContentSubject::Case,
        subject_id: case.id.0,
        part: TEXT.to_owned(),
        place: case.village_id,
        person: Some(case.person_id),
        written_by: None,
        text: words::published(&case.text, &names),
    };
    content::look_at(tx, app, words, app.clock.now()).await?;
    Ok(())
}

async fn write(tx: &Tx, case: &case::Model, next: case::Model, by: &By, now: Instant) -> Result<case::Model, Problem> {
    let next = case::Model { version: case.version + 1, updated_at: now, ..next };
    let said = if next.public { "open311.shown_again" } else { "open311.withheld" };
    let act = Act { text: Some(t!(said, locale = "zh-CN").into_owned()), ..Act::plain(Action::Note) };
    advance::write_aside(tx, case, &next, by, Aside::Publication, act).await?;
    Ok(next)
}

/// A public matter that comes through somebody else's program.
pub struct FromOutside {
    /// Whose it is.
    pub name: PersonName,
    /// Their phone: somebody must be there to be answered.
    pub phone: PhoneNumber,
    /// The village.
    pub village: DivisionId,
    /// A code of the list `topics`.
    pub topic: String,
    /// `question`, `help` or `suggestion`.
    pub concern: CaseConcern,
    /// In their words.
    pub text: String,
    /// Through which program, for staff.
    pub through: String,
}

/// Files it; answers the case, and whom to call first where it sounds like danger.
///
/// # Errors
/// `invalid` with a pointer as for a case of the desk.
pub async fn file_from_outside(
    tx: &Tx,
    app: &App,
    said: &FromOutside,
) -> Result<(case::Model, Vec<emergency::EmergencyCall>), Problem> {
    let person = people::find_or_register(tx, app, &said.name, &said.phone, app.clock.now()).await?;
    if person.minor {
        people::check_guardian(tx, person.id).await?;
    }
    let child = people::is_child(&app.field_keys, person.citizen_no.as_ref(), local_day(app.clock.now()))?;
    let by = By::villager(person.id);
    let filing = Filing {
        matter: Matter {
            kind: CaseKind::Voice,
            item: None,
            concern: Some(said.concern),
            title: None,
            text: Some(said.text.clone()),
            form: None,
            topic: Some(said.topic.clone()),
            urgency: None,
            object: None,
            contact_phone: Some(said.phone.in_the_clear().to_owned()),
            files: vec![],
        },
        division: said.village,
        against: vec![],
        confidential: false,
        person,
        channel: CaseChannel::Open311,
        entered_by: None,
        agent: None,
        booking: None,
        next_talk_on: None,
        private: false,
        public: !child,
        reason: Some(said.through.clone()),
        draft: false,
        papers: vec![],
        evidence: None,
        client_time: None,
    };
    let filed = filing::insert(tx, app, vec![Ok((filing, by))]).await?.pop();
    let case = filed.unwrap_or_else(|| Err(Problem::unexpected("no case")))?;
    let calls = emergency::calls([&case.title, &case.text]);
    Ok((case, calls))
}
