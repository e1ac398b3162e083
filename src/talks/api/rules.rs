//! For staff: `/staff/divisions/{division}/talk-rules`, `/staff/talk-rules/{id}`

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{DivisionId, StaffId, TalkRuleId},
    talk_day::{TalkFormat, TalkPurpose},
    talk_rule::{self, HolidayPolicy},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::Problem,
    talks::{
        bodies::{TalkMode, TalkRuleBody, TalkRuleChange, TimeOfDay},
        ops::talk_rules,
        recurrence::{Exception, Recurrence},
        sittings::Sittings,
        terms::Terms,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(list_talk_rules).service(make_talk_rule).service(change_talk_rule).service(end_talk_rule);
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
    purpose: TalkPurpose,
    format: TalkFormat,
    holiday_policy: HolidayPolicy,
    video_url: Option<String>,
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
            purpose: terms.purpose,
            format: terms.format,
            holiday_policy: sittings.holiday_policy,
            video_url: terms.video_url,
            opens_days_before: terms.opens_days_before,
            closes_hours_before: terms.closes_hours_before,
            version: row.version,
            created_at: row.created_at,
        })
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
    let (shared, caller) = (app.clone(), staff.caller());
    let make = async move |tx: &Tx, body: &TalkRuleBody| {
        TalkRuleView::of(&talk_rules::make(tx, &staff, *division, body, &shared).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Changes a rule. Days that somebody has or had a place on or waits for stay as they are, and so do days that were
/// changed by hand; the others follow it. `preview_talk_rule_change` tells beforehand.
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
    let (shared, caller) = (app.clone(), staff.caller());
    let change = async move |tx: &Tx, body: &TalkRuleChange| {
        TalkRuleView::of(&talk_rules::change(tx, &staff, *id, body, &shared).await?)
    };
    command.once(&app, caller, StatusCode::OK, change).await
}

/// Ends a rule. Its days to come go, but not those that people have to do with.
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
