//! Watching the lines of days: one look a second per process at all days that somebody watches.
//!
//! A day's `line_version` moves with every step, on whichever server it was taken; only then is its line read. Time
//! alone moves it too (a slot begins), so it is read every quarter of a minute all the same. Nobody watches: nobody
//! looks. The big screen is for everybody, so that its seats are few and counted by address; those of staff are apart,
//! and nobody takes them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::NaiveDate;
use entity::{id::TalkDayId, talk_day};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::watch;

use super::board::{self, Seen};
use crate::{
    app::App,
    clock::local_day,
    db::padded,
    problem::{Code, Problem},
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// After so many looks a line is read even when nobody took a step.
const READ_AGAIN: u32 = 15;
/// Of the public who watch one day by this process.
const MOST_OF_A_DAY: usize = 300;
/// Of the public who watch any day by this process.
const MOST: usize = 2000;
/// Of the public by one address; a village hall, or phones behind one address of their carrier, are several.
const MOST_OF_AN_ADDRESS: usize = 20;
/// Of staff by this process.
const MOST_STAFF: usize = 500;
/// When somebody who found it full may try again, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// Who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// Anybody, on the day itself, from this address; no address where it is spared.
    Public(Option<IpAddr>),
    /// Staff who have a part in the day, whichever day it is.
    Staff,
}

/// All days that somebody watches. Clones are the same.
#[derive(Clone, Default)]
pub struct Watches(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    days: HashMap<TalkDayId, Day>,
    addresses: HashMap<IpAddr, usize>,
    /// Whether somebody looks.
    looking: bool,
}

struct Day {
    public: usize,
    staff: usize,
    seen: watch::Sender<Arc<Seen>>,
    version: i32,
    on_date: NaiveDate,
    looks_since_read: u32,
}

/// What of a day tells whether its line is to be read.
#[derive(Clone, Copy)]
struct Marks {
    version: i32,
    on_date: NaiveDate,
}

/// One who watches; the seat is given back when it goes out of scope.
pub struct Watcher {
    day: TalkDayId,
    seat: Seat,
    watches: Watches,
    /// The latest of the line.
    pub seen: watch::Receiver<Arc<Seen>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watches.lock().leave(self.day, self.seat);
    }
}

impl Watched {
    /// Whether there is a seat.
    fn check(&self, id: TalkDayId, seat: Seat) -> Result<(), Problem> {
        let full = |code: Code| Err(Problem::new(code).retry_after(RETRY_AFTER_S));
        let all = |seats: fn(&Day) -> usize| self.days.values().map(seats).sum::<usize>();
        match seat {
            Seat::Staff if all(|day| day.staff) >= MOST_STAFF => full(Code::Busy),
            Seat::Staff => Ok(()),
            Seat::Public(Some(address))
                if self.addresses.get(&address).is_some_and(|seats| *seats >= MOST_OF_AN_ADDRESS) =>
            {
                full(Code::TooManyRequests)
            }
            Seat::Public(_) => {
                let here = self.days.get(&id).map_or(0, |day| day.public);
                if here >= MOST_OF_A_DAY || all(|day| day.public) >= MOST { full(Code::Busy) } else { Ok(()) }
            }
        }
    }

    fn sit(&mut self, id: TalkDayId, seat: Seat) -> Option<watch::Receiver<Arc<Seen>>> {
        let day = self.days.get_mut(&id)?;
        match seat {
            Seat::Staff => day.staff += 1,
            Seat::Public(address) => {
                day.public += 1;
                if let Some(address) = address {
                    *self.addresses.entry(address).or_default() += 1;
                }
            }
        }
        Some(day.seen.subscribe())
    }

    fn leave(&mut self, id: TalkDayId, seat: Seat) {
        let day = self.days.get_mut(&id);
        match (seat, day) {
            (Seat::Staff, Some(day)) => day.staff = day.staff.saturating_sub(1),
            (Seat::Public(_), Some(day)) => day.public = day.public.saturating_sub(1),
            (_, None) => {}
        }
        if let Seat::Public(Some(address)) = seat
            && let Some(seats) = self.addresses.get_mut(&address)
        {
            *seats = seats.saturating_sub(1);
            if *seats == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

impl Watches {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Whoever panicked held no half-done change: each is a count that is put right by the next.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more who watches a day that there is.
    ///
    /// # Errors
    /// `not_found`; for the public `day_not_running` unless it is today; `busy` when too many watch already,
    /// `too_many_requests` when too many do from this address.
    pub async fn join(&self, app: &Arc<App>, id: TalkDayId, seat: Seat) -> Result<Watcher, Problem> {
        let today = local_day(app.clock.now());
        let runs = |on_date| match seat {
            Seat::Public(_) if on_date != today => Err(Problem::from(Code::DayNotRunning)),
            _ => Ok(()),
        };
        let known = self.lock().days.get(&id).map(|day| day.on_date);
        if let Some(on_date) = known {
            runs(on_date)?;
            if let Some(watcher) = self.enter(id, seat, None)? {
                return Ok(watcher);
            }
        }
        self.lock().check(id, seat)?;
        let marks = marks(app, &[id]).await?.remove(&id).ok_or_else(Problem::not_found)?;
        runs(marks.on_date)?;
        let seen = board::read(app.db.read(), id, app.clock.now()).await?;
        let watcher = self.enter(id, seat, Some((app, marks, seen)))?;
        watcher.ok_or_else(|| Problem::unexpected("a day that nobody could watch"))
    }

    /// Joins those who watch, or has the day looked at from now on; of two who begin at once the second joins the first.
    fn enter(
        &self,
        id: TalkDayId,
        seat: Seat,
        begin: Option<(&Arc<App>, Marks, Seen)>,
    ) -> Result<Option<Watcher>, Problem> {
        let mut watched = self.lock();
        watched.check(id, seat)?;
        if let Some((app, Marks { version, on_date }, seen)) = begin {
            let seen = watch::Sender::new(Arc::new(seen));
            let day = Day { public: 0, staff: 0, seen, version, on_date, looks_since_read: 0 };
            watched.days.entry(id).or_insert(day);
            if !watched.looking {
                watched.looking = true;
                actix_web::rt::spawn(look(app.clone(), Looking { watches: self.clone(), ended: false }));
            }
        }
        let seated = |seen| Watcher { day: id, seat, watches: self.clone(), seen };
        Ok(watched.sit(id, seat).map(seated))
    }

    /// The days that somebody watches; the others are forgotten. With none left nobody looks any more.
    fn watched(&self) -> Vec<TalkDayId> {
        let mut watched = self.lock();
        watched.days.retain(|_, day| day.public + day.staff > 0);
        if watched.days.is_empty() {
            watched.looking = false;
        }
        watched.days.keys().copied().collect()
    }

    /// Notes the look at a day; `Some` when its line is to be read, and whether it is to be told whatever it shows.
    fn is_to_be_read(&self, id: TalkDayId, marks: Marks) -> Option<bool> {
        let mut watched = self.lock();
        let day = watched.days.get_mut(&id)?;
        day.on_date = marks.on_date;
        day.looks_since_read += 1;
        let moved = day.version != marks.version;
        (moved || day.looks_since_read >= READ_AGAIN).then_some(moved)
    }

    fn tell(&self, id: TalkDayId, marks: Marks, seen: Seen, always: bool) {
        if let Some(day) = self.lock().days.get_mut(&id) {
            (day.version, day.looks_since_read) = (marks.version, 0);
            day.seen.send_if_modified(|last| {
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
    pub fn count(&self, id: TalkDayId) -> usize {
        self.lock().days.get(&id).map_or(0, |day| day.public + day.staff)
    }

    /// How many days are looked at.
    #[must_use]
    pub fn days(&self) -> usize {
        self.lock().days.len()
    }
}

/// Whoever looks; that they are gone is known however they went.
struct Looking {
    watches: Watches,
    ended: bool,
}

impl Drop for Looking {
    fn drop(&mut self) {
        if !self.ended {
            self.watches.lock().looking = false;
        }
    }
}

/// Looks until nobody watches or the process stops.
async fn look(app: Arc<App>, mut looking: Looking) {
    let watches = looking.watches.clone();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first comes at once: who makes it look has not sat down yet.
    ticks.tick().await;
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let days = watches.watched();
        if days.is_empty() {
            // Another may look already.
            looking.ended = true;
            return;
        }
        if let Err(problem) = look_once(&app, &watches, &days).await {
            tracing::debug!(reason = problem.source_text(), "lines could not be looked at");
        }
    }
}

async fn look_once(app: &App, watches: &Watches, days: &[TalkDayId]) -> Result<(), Problem> {
    for (id, marks) in marks(app, days).await? {
        if let Some(moved) = watches.is_to_be_read(id, marks) {
            watches.tell(id, marks, board::read(app.db.read(), id, app.clock.now()).await?, moved);
        }
    }
    Ok(())
}

async fn marks(app: &App, days: &[TalkDayId]) -> Result<HashMap<TalkDayId, Marks>, Problem> {
    let rows: Vec<(TalkDayId, i32, NaiveDate)> = talk_day::Entity::find()
        .select_only()
        .columns([talk_day::Column::Id, talk_day::Column::LineVersion, talk_day::Column::OnDate])
        .filter(talk_day::COLUMN.id.is_in(padded(days.iter().copied())))
        .into_tuple()
        .all(app.db.read())
        .await?;
    Ok(rows.into_iter().map(|(id, version, on_date)| (id, Marks { version, on_date })).collect())
}
