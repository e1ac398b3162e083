//! For staff: rules, single days, calling a day off, the line.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::{BookingPrivacy, BookingState},
    id::{BookingId, DivisionId, SlotId, StaffId, TalkDayId, TalkRuleId},
    talk_rule,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::days::TalkDayView;
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{ManageTalks, SeeTalkLine},
    },
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    personal::PersonName,
    problem::Problem,
    talks::{
        bodies::{SingleDayBody, TalkMode, TalkRuleBody, TalkRuleChange, TimeOfDay},
        ops::{
            line::{self, InLine},
            talk_days, talk_rules,
        },
        recurrence::{Exception, Recurrence},
        terms::{Sittings, Terms},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_talk_rules)
        .service(make_talk_rule)
        .service(change_talk_rule)
        .service(end_talk_rule)
        .service(make_talk_day)
        .service(cancel_talk_day)
        .service(list_talk_line);
}

/// A rule that makes talk days.
#[derive(Serialize, ToSchema)]
pub struct TalkRuleView {
    id: TalkRuleId,
    division: DivisionId,
    recurrence: Recurrence,
    exceptions: Vec<Exception>,
    starts: TimeOfDay,
    ends: TimeOfDay,
    slot_minutes: u32,
    capacity: u32,
    walk_in_share: f64,
    hosts: Vec<StaffId>,
    place: String,
    modes: Vec<TalkMode>,
    opens_days_before: u32,
    closes_hours_before: u32,
    version: i32,
    created_at: DateTime<Utc>,
}

impl TalkRuleView {
    fn of(row: &talk_rule::Model) -> Result<Self, Problem> {
        let (terms, sittings) = (Terms::try_from(row)?, Sittings::try_from(row)?);
        Ok(Self {
            id: row.id,
            division: row.division_id,
            recurrence: sittings.recurrence,
            exceptions: sittings.exceptions,
            starts: TimeOfDay(terms.band.starts),
            ends: TimeOfDay(terms.band.ends),
            slot_minutes: terms.band.slot_minutes,
            capacity: terms.band.capacity,
            walk_in_share: terms.band.walk_in_share,
            hosts: terms.hosts,
            place: terms.place,
            modes: terms.modes,
            opens_days_before: terms.opens_days_before,
            closes_hours_before: terms.closes_hours_before,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

/// Why a day is called off; everybody may read it.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTalkDay {
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A place of the line.
#[derive(Serialize, ToSchema)]
pub struct TalkLineView {
    booking: BookingId,
    code: String,
    state: BookingState,
    number_in_line: i32,
    slot: SlotId,
    starts_at: DateTime<Utc>,
    /// Masked; null when the person has not said it.
    name: Option<PersonName>,
    privacy: BookingPrivacy,
    /// Null when the matter is private and the viewer does not host the day.
    topic: Option<String>,
    /// Likewise.
    summary: Option<String>,
    #[schema(example = "in_person")]
    mode: String,
    version: i32,
}

impl From<InLine> for TalkLineView {
    fn from(InLine { booking, slot, name, readable }: InLine) -> Self {
        Self {
            booking: booking.id,
            code: booking.code,
            state: booking.state,
            number_in_line: booking.number_in_line,
            slot: slot.id,
            starts_at: slot.starts_at,
            name,
            privacy: booking.privacy,
            topic: readable.then_some(booking.topic),
            summary: readable.then_some(booking.summary),
            mode: booking.mode,
            version: booking.version,
        }
    }
}

/// Rules of a place that stand.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), PageQuery),
    responses((status = 200, body = Page<TalkRuleView>))
)]
#[get("/staff/divisions/{division}/talk-rules")]
pub async fn list_talk_rules(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = talk_rules::list(&app, &staff, *division, &page.0).await?;
    let Page { items, next_cursor } = Page::cut(rows, page.0.size(), |row| row.id, |row| TalkRuleView::of(&row))?;
    json(&Page { items: items.into_iter().collect::<Result<Vec<_>, _>>()?, next_cursor })
}

/// Makes a rule and its days of the coming eight weeks.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = TalkRuleBody,
    responses((status = 201, body = TalkRuleView))
)]
#[post("/staff/divisions/{division}/talk-rules")]
pub async fn make_talk_rule(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    command: Command<TalkRuleBody>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let make = async move |tx: &Tx, body: &TalkRuleBody| {
        TalkRuleView::of(&talk_rules::make(tx, &staff, *division, body, now).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Changes a rule. Days with a booking stay as they are; days without any are made anew.
#[utoipa::path(
    tag = "staff", params(("id" = TalkRuleId, Path)), request_body = TalkRuleChange,
    responses((status = 200, body = TalkRuleView))
)]
#[put("/staff/talk-rules/{id}")]
pub async fn change_talk_rule(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkRuleId>,
    command: Command<TalkRuleChange>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let change = async move |tx: &Tx, body: &TalkRuleChange| {
        TalkRuleView::of(&talk_rules::change(tx, &staff, *id, body, now).await?)
    };
    command.once(&app, caller, StatusCode::OK, change).await
}

/// Ends a rule. Its days to come go, but not those with a booking.
#[utoipa::path(
    tag = "staff", params(("id" = TalkRuleId, Path)), responses((status = 204, description = "Ended"))
)]
#[delete("/staff/talk-rules/{id}")]
pub async fn end_talk_rule(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkRuleId>,
) -> Result<HttpResponse, Problem> {
    let now = app.clock.now();
    app.db.transact(async move |tx| talk_rules::end(tx, &staff, *id, now).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a single talk day beside the rules.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = SingleDayBody,
    responses((status = 201, body = TalkDayView))
)]
#[post("/staff/divisions/{division}/talk-days")]
pub async fn make_talk_day(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    command: Command<SingleDayBody>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let make = async move |tx: &Tx, body: &SingleDayBody| {
        Ok(TalkDayView::from(talk_days::make_single(tx, &staff, *division, body, now).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Calls a day off; everybody who has a place loses it and is told.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = CancelTalkDay,
    responses((status = 200, body = TalkDayView))
)]
#[post("/staff/talk-days/{id}/cancel")]
pub async fn cancel_talk_day(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkDayId>,
    command: Command<CancelTalkDay>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let cancel = async move |tx: &Tx, body: &CancelTalkDay| {
        Ok(TalkDayView::from(talk_days::cancel(tx, &staff, *id, &body.reason, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, cancel).await
}

/// Who has a place on a day, in line order.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path), PageQuery),
    responses((status = 200, body = Page<TalkLineView>))
)]
#[get("/staff/talk-days/{id}/line")]
pub async fn list_talk_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = line::list(&app, &staff, *id, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.booking.number_in_line, TalkLineView::from)?)
}
