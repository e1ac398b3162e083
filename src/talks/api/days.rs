//! For everybody: `/divisions/{division}/talk-days`, `/talk-days/{id}`

use actix_web::{HttpResponse, Responder, get, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DivisionId, SlotId, TalkDayId},
    slot,
    talk_day::{TalkDayState, TalkFormat, TalkPurpose},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    clock,
    http::{Cursor, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
    talks::{
        bodies::TalkMode,
        ops::talk_days::{self, SlottedDay, Wanted},
        rules, terms,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(list_talk_days).service(get_talk_day);
}

/// `?from=&to=&purpose=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTalkDays {
    /// First day; today when it is not given.
    from: Option<NaiveDate>,
    /// Last day; eight weeks after the first when it is not given, at most 92 days after it.
    to: Option<NaiveDate>,
    /// Days for this only; a code of the list `talk_purposes`.
    purpose: Option<TalkPurpose>,
}

/// A slot as everybody sees it: public places only.
#[derive(Serialize, ToSchema)]
pub struct TalkSlotView {
    id: SlotId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Places that can be booked.
    capacity: i32,
    /// How many of them are free.
    free: i32,
    /// The usual way to be heard.
    mode: TalkMode,
}

/// A talk day.
#[derive(Serialize, ToSchema)]
pub struct TalkDayView {
    id: TalkDayId,
    division: DivisionId,
    date: NaiveDate,
    state: TalkDayState,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Booking opens.
    opens_at: DateTime<Utc>,
    /// Booking and cancelling close.
    closes_at: DateTime<Utc>,
    /// What people come for.
    purpose: TalkPurpose,
    format: TalkFormat,
    /// The day it was first set for, when it was shifted.
    shifted_from: Option<NaiveDate>,
    place: String,
    modes: Vec<TalkMode>,
    /// Why it does not take place.
    cancel_reason: Option<String>,
    slots: Vec<TalkSlotView>,
}

impl TalkSlotView {
    fn of(row: &slot::Model, mode: TalkMode) -> Self {
        Self {
            id: row.id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            capacity: row.public_places,
            free: row.public_places - row.taken - row.held,
            mode,
        }
    }
}

impl From<SlottedDay> for TalkDayView {
    fn from(SlottedDay { day, slots }: SlottedDay) -> Self {
        let modes = terms::modes_of(&day).unwrap_or_default();
        let usual = modes.first().copied().unwrap_or(TalkMode::InPerson);
        Self {
            id: day.id,
            division: day.division_id,
            date: day.on_date,
            state: day.state,
            starts_at: day.starts_at,
            ends_at: day.ends_at,
            opens_at: day.opens_at,
            closes_at: day.closes_at,
            purpose: day.purpose,
            format: day.format,
            shifted_from: day.shifted_from,
            place: day.place,
            modes,
            cancel_reason: day.cancel_reason,
            slots: slots.iter().map(|slot| TalkSlotView::of(slot, usual)).collect(),
        }
    }
}

/// Talk days of a place, by their start.
#[utoipa::path(
    tag = "talks", security(()), params(("division" = DivisionId, Path), ListTalkDays, PageQuery),
    responses((status = 200, body = Page<TalkDayView>))
)]
#[get("/divisions/{division}/talk-days")]
pub async fn list_talk_days(
    app: Data<App>,
    division: Path<DivisionId>,
    query: ListQuery<ListTalkDays>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let (from, to) = rules::window(by.from, by.to, clock::local_day(app.clock.now()))?;
    let after = Cursor::read(page.cursor.as_deref())?;
    let days =
        talk_days::list(&app, Wanted { division: *division, from, to, purpose: by.purpose, after, limit: page.size() })
            .await?;
    json(&Page::cut(days, page.size(), |of| (of.day.starts_at, of.day.id), TalkDayView::from)?)
}

/// One talk day.
#[utoipa::path(
    tag = "talks", security(()), params(("id" = TalkDayId, Path)),
    responses((status = 200, body = TalkDayView), (status = 304, description = "Not changed"))
)]
#[get("/talk-days/{id}")]
pub async fn get_talk_day(app: Data<App>, id: Path<TalkDayId>) -> Result<impl Responder, Problem> {
    Ok(Single(TalkDayView::from(talk_days::find(app.db.read(), *id).await?)))
}
