//! Watching the line of a day: one look a second per process and day, shared by all who watch it.
//!
//! The day's `line_version` moves with every step, on whichever server it was taken; only then is the line read. Time
//! alone moves it too (a slot begins), so it is read every quarter of a minute all the same. Nobody watches: nobody
//! looks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use entity::{id::TalkDayId, talk_day};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::watch;

use super::board::{self, Seen};
use crate::{
    app::App,
    problem::{Code, Problem},
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// After so many looks the line is read even when nobody took a step.
const READ_AGAIN: u32 = 15;
/// Who watches one day by this process.
const MOST_OF_A_DAY: usize = 300;
/// Who watches any day by this process.
const MOST: usize = 2000;
/// When somebody who found it full may try again, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// All days that somebody watches. Clones are the same.
#[derive(Clone, Default)]
pub struct Watches(Arc<Mutex<HashMap<TalkDayId, Watched>>>);

struct Watched {
    watchers: usize,
    seen: watch::Sender<Arc<Seen>>,
}

/// One who watches; the place is given back when it goes out of scope.
pub struct Watcher {
    day: TalkDayId,
    watches: Watches,
    /// The latest of the line.
    pub seen: watch::Receiver<Arc<Seen>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(watched) = self.watches.lock().get_mut(&self.day) {
            watched.watchers = watched.watchers.saturating_sub(1);
        }
    }
}

impl Watches {
    fn lock(&self) -> MutexGuard<'_, HashMap<TalkDayId, Watched>> {
        // Whoever panicked held no half-done change: each is one statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more who watches a day that there is.
    ///
    /// # Errors
    /// `not_found`; `busy` when too many watch already.
    pub async fn join(&self, app: &Arc<App>, day: TalkDayId) -> Result<Watcher, Problem> {
        if let Some(watcher) = self.enter(day, None)? {
            return Ok(watcher);
        }
        let version = version(app, day).await?.ok_or_else(Problem::not_found)?;
        let seen = board::read(app.db.read(), day, app.clock.now()).await?;
        let begin = || {
            actix_web::rt::spawn(look(app.clone(), self.clone(), day, version));
        };
        self.enter(day, Some((seen, &begin)))?.ok_or_else(|| Problem::unexpected("a day that nobody could watch"))
    }

    /// Joins those who watch, or begins with what was seen; of two who begin at once the second joins the first.
    fn enter(&self, day: TalkDayId, begin: Option<(Seen, &dyn Fn())>) -> Result<Option<Watcher>, Problem> {
        let mut days = self.lock();
        let all: usize = days.values().map(|watched| watched.watchers).sum();
        let here = days.get(&day).map_or(0, |watched| watched.watchers);
        if here >= MOST_OF_A_DAY || all >= MOST {
            return Err(Problem::new(Code::Busy).retry_after(RETRY_AFTER_S));
        }
        if let (false, Some((seen, look))) = (days.contains_key(&day), begin) {
            days.insert(day, Watched { watchers: 0, seen: watch::Sender::new(Arc::new(seen)) });
            look();
        }
        let Some(watched) = days.get_mut(&day) else { return Ok(None) };
        watched.watchers += 1;
        Ok(Some(Watcher { day, watches: self.clone(), seen: watched.seen.subscribe() }))
    }

    /// Whether nobody watches any more; then the day is forgotten.
    fn forgotten(&self, day: TalkDayId) -> bool {
        let mut days = self.lock();
        let idle = days.get(&day).is_none_or(|watched| watched.watchers == 0);
        if idle {
            days.remove(&day);
        }
        idle
    }

    fn tell(&self, day: TalkDayId, seen: Seen, always: bool) {
        if let Some(watched) = self.lock().get(&day) {
            watched.seen.send_if_modified(|last| {
                let tell = always || !seen.same_as(last);
                if tell {
                    *last = Arc::new(seen);
                }
                tell
            });
        }
    }

    /// How many watch a day.
    #[must_use]
    pub fn count(&self, day: TalkDayId) -> usize {
        self.lock().get(&day).map_or(0, |watched| watched.watchers)
    }

    /// How many days are looked at.
    #[must_use]
    pub fn days(&self) -> usize {
        self.lock().len()
    }
}

/// Looks until nobody watches or the process stops.
async fn look(app: Arc<App>, watches: Watches, day: TalkDayId, mut known: i32) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut since_read = 0;
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if watches.forgotten(day) {
            return;
        }
        since_read += 1;
        let looked = async {
            let version = version(&app, day).await?.unwrap_or(known);
            if version == known && since_read < READ_AGAIN {
                return Ok(());
            }
            watches.tell(day, board::read(app.db.read(), day, app.clock.now()).await?, version != known);
            (known, since_read) = (version, 0);
            Ok::<(), Problem>(())
        };
        if let Err(problem) = looked.await {
            tracing::debug!(reason = problem.source_text(), "a line could not be looked at");
        }
    }
}

async fn version(app: &App, day: TalkDayId) -> Result<Option<i32>, Problem> {
    let version = talk_day::Entity::find().select_only().column(talk_day::Column::LineVersion);
    Ok(version.filter(talk_day::COLUMN.id.eq(day)).into_tuple().one(app.db.read()).await?)
}
