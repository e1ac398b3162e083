//! For villagers: `/slots/{slot}/waits`, `/waits`

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{PersonId, SlotId, TalkDayId, TalkWaitId},
    talk_wait::WaitState,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
    talks::{
        holds::{self, WaitReason},
        ops::{
            joining::{self, JoinWaits},
            waits::{self, Waiting},
        },
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(join_waits).service(list_waits).service(leave_waits);
}

/// An entry of a waiting list.
#[derive(Serialize, ToSchema)]
pub struct WaitView {
    id: TalkWaitId,
    slot: SlotId,
    talk_day: TalkDayId,
    starts_at: DateTime<Utc>,
    state: WaitState,
    /// How many would be booked together.
    places: i32,
    /// From 1; 0 when it does not wait any more.
    position: u64,
    /// Until when a place is held: it is taken by the ordinary booking call.
    held_until: Option<DateTime<Utc>>,
    /// Why it stands where it stands.
    reason: WaitReason,
    created_at: DateTime<Utc>,
}

impl From<Waiting> for WaitView {
    fn from(Waiting { wait, slot, day, position, passed_over }: Waiting) -> Self {
        Self {
            reason: holds::reason(&wait, &slot, passed_over),
            id: wait.id,
            slot: slot.id,
            talk_day: day.id,
            starts_at: slot.starts_at,
            places: wait.places,
            position,
            held_until: wait.held_until.filter(|_| wait.state == WaitState::Held),
            state: wait.state,
            created_at: wait.created_at,
        }
    }
}

/// Joins the waiting list of a slot. Where there is a free place, it is held at once.
#[utoipa::path(
    tag = "talks", params(("slot" = SlotId, Path)), request_body = Option<JoinWaits>,
    responses((status = 201, body = WaitView))
)]
#[post("/slots/{slot}/waits")]
pub async fn join_waits(
    app: Data<App>,
    me: Villager,
    slot: Path<SlotId>,
    command: Command<JoinWaits>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let shared = app.clone().into_inner();
    let join = async move |tx: &Tx, body: &JoinWaits| {
        Ok(WaitView::from(joining::join(tx, &shared, &me, *slot, body, now).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, join).await
}

/// `?for_person=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListWaits {
    /// Of somebody who let the caller act.
    for_person: Option<PersonId>,
}

/// Entries of waiting lists that one joined or was joined to, newest first.
#[utoipa::path(tag = "talks", params(ListWaits, PageQuery), responses((status = 200, body = Page<WaitView>)))]
#[get("/waits")]
pub async fn list_waits(app: Data<App>, me: Villager, query: ListQuery<ListWaits>) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = waits::list(&app, &me, by.for_person, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.wait.id, WaitView::from)?)
}

/// Leaves a waiting list with the whole party; a place that was held goes to the next.
#[utoipa::path(tag = "talks", params(("id" = TalkWaitId, Path)), responses((status = 204, description = "Left")))]
#[delete("/waits/{id}")]
pub async fn leave_waits(app: Data<App>, me: Villager, id: Path<TalkWaitId>) -> Result<HttpResponse, Problem> {
    let (now, shared) = (app.clock.now(), app.clone().into_inner());
    app.db.transact(async move |tx| waits::leave(tx, &shared, &me, *id, now).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
