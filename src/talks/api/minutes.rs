//! Minutes of a day: compiled, signed, published, and which of them are late.

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DivisionId, PersonId, TalkDayId, TalkMinutesId},
    minutes_signature::SignatureMark,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{
        Staff,
        duty::{SeeTalkLine, SeeTalkNumbers},
    },
    clock::local_day,
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, Single, json},
    personal::PersonName,
    problem::Problem,
    talks::ops::{
        minutes::{self, CompileMinutes, Minutes, PublicMinutes, Published},
        minutes_due::{self, MinutesDue, OfDay},
        minutes_signing::{self, SignMinutes},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config
        .service(compile_minutes)
        .service(sign_minutes)
        .service(publish_minutes)
        .service(get_staff_minutes)
        .service(get_minutes)
        .service(list_minutes);
}

/// A signature.
#[derive(Serialize, ToSchema)]
pub struct SignatureView {
    person: PersonId,
    /// Masked.
    name: PersonName,
    mark: SignatureMark,
    /// Where the signed sheet is kept.
    reference: Option<String>,
    at: DateTime<Utc>,
}

/// Minutes as hosts and those who manage talk days see them.
#[derive(Serialize, ToSchema)]
pub struct StaffMinutesView {
    id: TalkMinutesId,
    talk_day: TalkDayId,
    /// What is signed: public matters with their records, private ones as a number.
    #[schema(value_type = Object)]
    document: Value,
    /// SHA-256 of the document, in hex; a signature repeats it.
    digest: String,
    /// What everybody will read.
    #[schema(value_type = Object)]
    public_document: Value,
    signatures: Vec<SignatureView>,
    compiled_at: DateTime<Utc>,
    /// When the second villager signed.
    signed_at: Option<DateTime<Utc>>,
    /// The third working day after the talk day.
    due_on: NaiveDate,
    /// Not published, and it should be.
    late: bool,
    published_at: Option<DateTime<Utc>>,
    version: i32,
}

impl StaffMinutesView {
    fn of(app: &App, Minutes { row, signatures }: Minutes) -> Result<Self, Problem> {
        let document = minutes::document(&app.field_keys, &row)?;
        let signature = |one: entity::minutes_signature::Model| {
            Ok(SignatureView {
                person: one.person_id,
                name: app.field_keys.open(&one.name)?,
                mark: one.mark,
                reference: one.reference,
                at: one.at,
            })
        };
        Ok(Self {
            id: row.id,
            talk_day: row.talk_day_id,
            document,
            digest: row.digest,
            public_document: row.public_document,
            signatures: signatures.into_iter().map(signature).collect::<Result<_, Problem>>()?,
            compiled_at: row.compiled_at,
            signed_at: row.signed_at,
            due_on: row.due_on,
            late: row.published_at.is_none() && row.due_on < local_day(app.clock.now()),
            published_at: row.published_at,
            version: row.version,
        })
    }
}

/// Minutes as everybody may read them.
#[derive(Serialize, ToSchema)]
pub struct MinutesView {
    talk_day: TalkDayId,
    /// What the page of the village shows: counts, and the public matters: `{number, topic, title, outcome, text}`, nobody's
    /// name.
    #[schema(value_type = Object)]
    document: Value,
    published_at: Option<DateTime<Utc>>,
}

/// A day and how far its minutes are.
#[derive(Serialize, ToSchema)]
pub struct MinutesDueView {
    talk_day: TalkDayId,
    division: DivisionId,
    date: NaiveDate,
    place: String,
    state: MinutesDue,
    due_on: NaiveDate,
    /// The red flag.
    late: bool,
    compiled_at: Option<DateTime<Utc>>,
    signed_at: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
}

impl From<OfDay> for MinutesDueView {
    fn from(OfDay { day, minutes, due_on, state }: OfDay) -> Self {
        let of = minutes.as_ref();
        Self {
            talk_day: day.id,
            division: day.division_id,
            date: day.on_date,
            place: day.place,
            state,
            due_on,
            late: state == MinutesDue::Late,
            compiled_at: of.map(|row| row.compiled_at),
            signed_at: of.and_then(|row| row.signed_at),
            published_at: of.and_then(|row| row.published_at),
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListMinutes {
    /// Left out: what is not published.
    state: Option<MinutesDue>,
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishMinutes {}

/// Compiles the minutes once the day is over or everybody was heard; anew as long as they are not published.
///
/// Where they tell something else then, signatures under what was told before are void, and who signed is told.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = Option<CompileMinutes>,
    responses((status = 200, body = StaffMinutesView))
)]
#[post("/staff/talk-days/{id}/minutes")]
pub async fn compile_minutes(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<CompileMinutes>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let compile = async move |tx: &Tx, body: &CompileMinutes| {
        StaffMinutesView::of(&shared, minutes::compile(tx, &shared, &staff, *id, body, now).await?)
    };
    command.once(&app, caller, StatusCode::OK, compile).await
}

/// A villager signs what they read; two make it enough. Whoever compiled the minutes cannot be the witness.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = SignMinutes,
    responses((status = 201, body = StaffMinutesView))
)]
#[post("/staff/talk-days/{id}/minutes/signatures")]
pub async fn sign_minutes(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<SignMinutes>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let sign = async move |tx: &Tx, body: &SignMinutes| {
        StaffMinutesView::of(&shared, minutes_signing::sign(tx, &shared, &staff, *id, body, now).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, sign).await
}

/// Publishes what everybody may read; 409 `minutes_not_signed` before two villagers have signed, `stale` where something
/// was put on record since.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = Option<PublishMinutes>,
    responses((status = 200, body = StaffMinutesView))
)]
#[post("/staff/talk-days/{id}/minutes/publish")]
pub async fn publish_minutes(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<PublishMinutes>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let publish = async move |tx: &Tx, _: &PublishMinutes| {
        StaffMinutesView::of(&shared, minutes::publish(tx, &shared, &staff, *id, now).await?)
    };
    command.once(&app, caller, StatusCode::OK, publish).await
}

/// The minutes of a day, with what everybody will read. Reading is entered in the audit.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)),
    responses((status = 200, body = StaffMinutesView), (status = 304, description = "Not changed"))
)]
#[get("/staff/talk-days/{id}/minutes")]
pub async fn get_staff_minutes(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
) -> Result<impl Responder, Problem> {
    Ok(Single(StaffMinutesView::of(&app, minutes::find(&app, &staff, *id).await?)?))
}

/// The published minutes of a day.
#[utoipa::path(
    tag = "talks", security(()), params(("id" = TalkDayId, Path)),
    responses((status = 200, body = MinutesView), (status = 304, description = "Not changed"))
)]
#[get("/talk-days/{id}/minutes")]
pub async fn get_minutes(app: Data<App>, id: Path<TalkDayId>) -> Result<impl Responder, Problem> {
    let published = minutes::published(app.db.read(), *id, local_day(app.clock.now())).await?;
    let Published::Shown(minutes) = published else { return Err(Problem::not_found()) };
    let PublicMinutes { row, document } = *minutes;
    Ok(Single(MinutesView { talk_day: row.talk_day_id, document, published_at: row.published_at }))
}

/// Days on which somebody was heard, by how far their minutes are: what is due, late (the red flag) or published.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListMinutes, PageQuery),
    responses((status = 200, body = Page<MinutesDueView>))
)]
#[get("/staff/divisions/{division}/talk-minutes")]
pub async fn list_minutes(
    app: Data<App>,
    staff: Staff<SeeTalkNumbers>,
    division: Path<DivisionId>,
    query: ListQuery<ListMinutes>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = minutes_due::list(&app, &staff, *division, by.state, &page).await?;
    json(&Page::cut(rows, page.size(), |row| (row.day.on_date, row.day.id), MinutesDueView::from)?)
}
