//! Live views of a line, as server-sent events: the big screen for everybody, the desk's for staff.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, Responder, get, web::Data, web::Path};
use actix_web_lab::sse::{self, Sse};
use entity::{id::TalkDayId, talk_day};
use futures_util::stream;
use sea_orm::EntityTrait;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, address_of, duty::SeeTalkLine},
    problem::Problem,
    talks::ops::{
        board::{Board, LiveLine, Seen},
        line,
        watch::{Seat, Watcher},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(watch_screen).service(watch_line);
}

/// A proxy that hears nothing for a minute hangs up; and that who watched has gone is seen when the second sign of life
/// cannot be sent, so this is also how long their place stays taken.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How often it is asked whether staff who watch may still.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// The big screen: events `board` with numbers only, the first at once, then whenever the line moves.
///
/// A recall sends the same numbers once more. 409 `day_not_running` unless it is today; 503 when too many watch, 429 when
/// too many do from one address. It ends now and then: who watches comes back, as an `EventSource` does by itself.
#[utoipa::path(
    tag = "talks", security(()), params(("id" = TalkDayId, Path)),
    responses((status = 200, description = "Events `board`", body = Board, content_type = "text/event-stream"))
)]
#[get("/talk-days/{id}/screen")]
pub async fn watch_screen(req: HttpRequest, app: Data<App>, id: Path<TalkDayId>) -> Result<impl Responder, Problem> {
    let app = app.into_inner();
    let watcher = app.watches.join(&app, *id, Seat::Public(address_of(&req, &app))).await?;
    Ok(events(Following::new(app, watcher, None, |seen| event("board", &seen.board))))
}

/// The desk's view: events `line` with bookings and states, neither names nor matters.
///
/// It ends when the session ends or the duty goes, and now and then all the same, as the big screen does.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)),
    responses((status = 200, description = "Events `line`", body = LiveLine, content_type = "text/event-stream"))
)]
#[get("/staff/talk-days/{id}/line/live")]
pub async fn watch_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
) -> Result<impl Responder, Problem> {
    let app = app.into_inner();
    check(&app, &staff, *id).await?;
    let watcher = app.watches.join(&app, *id, Seat::Staff).await?;
    let mut ticks = interval(ASK_AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asked = Some(Asked { staff, day: *id, ticks });
    Ok(events(Following::new(app, watcher, asked, |seen| event("line", &seen.line))))
}

/// Whether these staff have a part in the day.
async fn check(app: &App, staff: &Staff<SeeTalkLine>, id: TalkDayId) -> Result<(), Problem> {
    let day = talk_day::Entity::find_by_id(id).one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    line::hosting(app.db.read(), staff, &day).await.map(drop)
}

fn event(name: &'static str, shown: &impl Serialize) -> sse::Event {
    match sse::Data::new_json(shown) {
        Ok(data) => data.event(name).into(),
        Err(_) => sse::Event::Comment("unreadable".into()),
    }
}

fn events(following: Following) -> impl Responder {
    let events = stream::unfold(following, Following::next);
    // Proxies that gather an answer before they hand it on would gather for ever.
    Sse::from_infallible_stream(events)
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(Duration::from_secs(3))
        .customize()
        .insert_header(("X-Accel-Buffering", "no"))
}

/// One who watches.
struct Following {
    app: Arc<App>,
    watcher: Watcher,
    begun: bool,
    /// Until when: seats are not kept for ever.
    until: Instant,
    /// Whose right to watch is asked for again.
    asked: Option<Asked>,
    show: fn(&Seen) -> sse::Event,
}

struct Asked {
    staff: Staff<SeeTalkLine>,
    day: TalkDayId,
    ticks: Interval,
}

impl Following {
    fn new(app: Arc<App>, watcher: Watcher, asked: Option<Asked>, show: fn(&Seen) -> sse::Event) -> Self {
        let until = Instant::now() + Duration::from_secs(app.config.http.stream_for_s);
        Self { app, watcher, begun: false, until, asked, show }
    }

    async fn next(mut self) -> Option<(sse::Event, Self)> {
        while self.begun {
            tokio::select! {
                () = self.app.stopping.cancelled() => return None,
                () = sleep_until(self.until) => return None,
                changed = self.watcher.seen.changed() => {
                    changed.ok()?;
                    break;
                }
                () = tick(self.asked.as_mut()) => {
                    if !self.may_still().await {
                        return None;
                    }
                }
            }
        }
        self.begun = true;
        let event = (self.show)(&self.watcher.seen.borrow_and_update());
        Some((event, self))
    }

    /// Only a refusal ends it: while the database is away there is nothing new to see either.
    async fn may_still(&self) -> bool {
        let Some(Asked { staff, day, .. }) = &self.asked else { return true };
        let again = async { check(&self.app, &staff.again(&self.app).await?, *day).await };
        again.await.err().is_none_or(|problem| !problem.is_refusal())
    }
}

async fn tick(asked: Option<&mut Asked>) {
    match asked {
        Some(asked) => drop(asked.ticks.tick().await),
        None => std::future::pending().await,
    }
}
