//! The engine's own rate: the statements of a call prepared by hand and run in a loop by the same driver.
//!
//! Nothing but the driver stands between loop and engine: no HTTP, no token, no query builder, no idempotency key. On
//! SQLite one connection writes, 32 operations or one in a durable commit; on PostgreSQL as many connections as the
//! server has, a transaction an operation.

use std::{
    cell::Cell,
    str::FromStr,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::join_all;
use sea_orm::sqlx::{
    ConnectOptions as _, Connection as _, Error, PgConnection, Row, SqliteConnection,
    postgres::PgConnectOptions,
    query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{options::Engine, seed};

/// Connections of the server: `database.max_connections`, for SQLite its readers.
const POSTGRES_CONNECTIONS: usize = 16;
const SQLITE_READERS: usize = 8;

const TAKE: &str = "UPDATE slot SET taken = taken + 1 WHERE id = $1 AND taken < public_places RETURNING taken";
const BOOK: &str = "INSERT INTO booking (id, code, slot_id, talk_day_id, person_id, state, live, number_in_line, topic,
    summary, privacy, mode, version, created_at)
    VALUES ($1, $2, $3, $4, $5, 'booked', true, $6, 'land', '承包地边界', 'public', 'in_person', 1, $7)";
const TELL: &str = "INSERT INTO notice (id, person_id, kind, params, created_at) VALUES ($1, $2, 'load', '{}', $3)";
// Done already, so that the server's worker leaves it alone when it starts.
const ENQUEUE: &str = "INSERT INTO job (id, kind, payload, run_at, attempts, done_at, created_at)
    VALUES ($1, 'deliver_notice', '{}', $2, 0, $2, $2)";
const FILE: &str = "INSERT INTO cases (id, number, kind, state, version, round, title, text, urgency, channel,
    confidential, promised_days, village_id, township_id, county_id, unit_id, first_unit_id, person_id, provisional,
    calendar_version, due_on, returns, reopens, created_at, updated_at)
    SELECT $1, $2, 'voice', 'submitted', 1, 1, '水渠堵了', '家里的水渠上个月被石头堵了，浇不了田。', 'normal', 'app', false, 7,
    village_id, township_id, county_id, unit_id, unit_id, $3, false, calendar_version, due_on, 0, 0, $4, $4
    FROM cases WHERE id = $5";
const RECORD: &str =
    "INSERT INTO case_event (id, case_id, seq, at, action, to_state, by_kind, by_person, auto, unit_id,
    calendar_version) SELECT $1, $2, 1, $3, 'submit', 'submitted', 'villager', $4, false, unit_id, calendar_version
    FROM cases WHERE id = $2";
const TRACK: &str = "SELECT * FROM cases WHERE number = $1 AND confidential = false";
const TIMELINE: &str = "SELECT * FROM case_event WHERE case_id = $1 ORDER BY seq";
const PAGE_OF_UNIT: &str = "SELECT * FROM cases WHERE unit_id = $1 AND closed_at IS NULL ORDER BY due_on, id LIMIT 21";
const PAGE_OF_OVERDUE: &str = "SELECT * FROM cases WHERE township_id = $1 AND closed_at IS NULL AND due_on < $2
    ORDER BY due_on, id LIMIT 21";

/// What is done in a loop.
#[derive(Clone)]
pub enum Work {
    /// One hot slot after the other, each asked for twice as often as it has places.
    BookHot {
        first: u64,
        end: u64,
        places: u64,
    },
    BookSpread,
    File,
    Track {
        numbers: Vec<String>,
    },
    PageOfUnit(Uuid),
    PageOfOverdue(Uuid, NaiveDate),
}

/// A rate of the engine alone.
#[derive(Clone, Serialize)]
pub struct Rate {
    pub name: String,
    pub per_second: f64,
}

/// Loops over a database.
pub struct Direct<'a> {
    pub engine: Engine,
    pub url: &'a str,
    pub villagers: u64,
    pub now: DateTime<Utc>,
    /// Number of the next operation; never used twice.
    pub next: &'a Cell<u64>,
    pub span: Duration,
}

struct Turn<'a> {
    work: &'a Work,
    villagers: u64,
    now: DateTime<Utc>,
    next: &'a Cell<u64>,
    /// How often a hot slot was asked for.
    hot: Cell<u64>,
}

impl Turn<'_> {
    fn take(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }
}

macro_rules! statements {
    ($module:ident, $connection:ty) => {
        mod $module {
            use super::*;

            /// Does it once; `false` when there is nothing left to do.
            pub async fn once(c: &mut $connection, turn: &Turn<'_>) -> Result<bool, Error> {
                let n = turn.take();
                // One person a talk day: every lap of the villagers begins with another slot.
                let person = n % turn.villagers;
                match turn.work {
                    Work::BookHot { first, end, places } => {
                        let hot = first + turn.hot.replace(turn.hot.get() + 1) / (places * 2);
                        if hot < *end {
                            book(c, seed::hot(hot), seed::person(person), turn).await?;
                        }
                        Ok(hot < *end)
                    }
                    Work::BookSpread => {
                        book(c, seed::spread(1, n + n / turn.villagers), seed::person(person), turn).await
                    }
                    Work::File => file(c, n, seed::person(person), turn).await,
                    Work::Track { numbers } => {
                        let place = usize::try_from(n).unwrap_or(0) % numbers.len().max(1);
                        let number = numbers.get(place).map_or("", String::as_str);
                        let row = query(TRACK).bind(number).fetch_optional(&mut *c).await?;
                        let Some(row) = row else { return Ok(false) };
                        let id: Uuid = row.try_get("id")?;
                        query(TIMELINE).bind(id).fetch_all(c).await?;
                        Ok(true)
                    }
                    Work::PageOfUnit(unit) => Ok(!query(PAGE_OF_UNIT).bind(*unit).fetch_all(c).await?.is_empty()),
                    Work::PageOfOverdue(place, day) => {
                        Ok(!query(PAGE_OF_OVERDUE).bind(*place).bind(*day).fetch_all(c).await?.is_empty())
                    }
                }
            }

            async fn book(
                c: &mut $connection,
                (slot, day): seed::Place,
                person: Uuid,
                turn: &Turn<'_>,
            ) -> Result<bool, Error> {
                let Some(row) = query(TAKE).bind(slot).fetch_optional(&mut *c).await? else { return Ok(false) };
                let number: i32 = row.try_get(0)?;
                let id = Uuid::now_v7();
                let booking = query(BOOK).bind(id).bind(id.simple().to_string()).bind(slot).bind(day);
                booking.bind(person).bind(number).bind(turn.now).execute(&mut *c).await?;
                tell(c, person, turn.now).await
            }

            async fn file(c: &mut $connection, n: u64, person: Uuid, turn: &Turn<'_>) -> Result<bool, Error> {
                let id = Uuid::now_v7();
                let case = query(FILE).bind(id).bind(format!("D{n:09}")).bind(person).bind(turn.now);
                case.bind(seed::case(n % seed::OWN_CASES)).execute(&mut *c).await?;
                let event = query(RECORD).bind(Uuid::now_v7()).bind(id).bind(turn.now).bind(person);
                event.execute(&mut *c).await?;
                tell(c, person, turn.now).await
            }

            async fn tell(c: &mut $connection, person: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
                query(TELL).bind(Uuid::now_v7()).bind(person).bind(now).execute(&mut *c).await?;
                query(ENQUEUE).bind(Uuid::now_v7()).bind(now).execute(c).await?;
                Ok(true)
            }
        }
    };
}

statements!(sqlite, SqliteConnection);
statements!(postgres, PgConnection);

impl Direct<'_> {
    /// The rates of this work, the one to compare with first.
    pub async fn rates(&self, work: &Work) -> Result<Vec<Rate>, Error> {
        let turn = Turn { work, villagers: self.villagers, now: self.now, next: self.next, hot: Cell::new(0) };
        let writes = matches!(work, Work::BookHot { .. } | Work::BookSpread | Work::File);
        Ok(match (self.engine, writes) {
            (Engine::Sqlite, true) => {
                let together = self.sqlite_writes(&turn, 32).await?;
                vec![together, self.sqlite_writes(&turn, 1).await?]
            }
            (Engine::Sqlite, false) => vec![self.sqlite_reads(&turn).await?],
            (Engine::Postgres, _) => vec![self.postgres(&turn, writes).await?],
        })
    }

    async fn sqlite(&self) -> Result<SqliteConnection, Error> {
        let options = SqliteConnectOptions::from_str(self.url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(256);
        options.connect().await
    }

    async fn sqlite_writes(&self, turn: &Turn<'_>, shared: u32) -> Result<Rate, Error> {
        let mut c = self.sqlite().await?;
        let (began, mut done, mut more) = (Instant::now(), 0_u32, true);
        while more && began.elapsed() < self.span {
            query("BEGIN IMMEDIATE").execute(&mut c).await?;
            for _ in 0..shared {
                more = sqlite::once(&mut c, turn).await?;
                done += u32::from(more);
            }
            query("COMMIT").execute(&mut c).await?;
        }
        let rate = rate(format!("{shared} a commit"), done, began.elapsed());
        c.close().await?;
        Ok(rate)
    }

    async fn sqlite_reads(&self, turn: &Turn<'_>) -> Result<Rate, Error> {
        let began = Instant::now();
        let done = join_all((0..SQLITE_READERS).map(async |_| {
            let mut c = self.sqlite().await?;
            let mut done = 0;
            while began.elapsed() < self.span && sqlite::once(&mut c, turn).await? {
                done += 1;
            }
            c.close().await?;
            Ok(done)
        }));
        summed(format!("{SQLITE_READERS} readers"), done.await, began.elapsed())
    }

    async fn postgres(&self, turn: &Turn<'_>, writes: bool) -> Result<Rate, Error> {
        let options = PgConnectOptions::from_str(self.url)?.options([("jit", "off")]);
        let began = Instant::now();
        let done = join_all((0..POSTGRES_CONNECTIONS).map(async |_| {
            let mut c = options.connect().await?;
            let mut done = 0;
            while began.elapsed() < self.span {
                if writes {
                    query("BEGIN").execute(&mut c).await?;
                }
                let more = postgres::once(&mut c, turn).await?;
                if writes {
                    query("COMMIT").execute(&mut c).await?;
                }
                if !more {
                    break;
                }
                done += 1;
            }
            c.close().await?;
            Ok(done)
        }));
        summed(format!("{POSTGRES_CONNECTIONS} connections"), done.await, began.elapsed())
    }
}

fn summed(name: String, done: Vec<Result<u32, Error>>, took: Duration) -> Result<Rate, Error> {
    Ok(rate(name, done.into_iter().sum::<Result<u32, Error>>()?, took))
}

fn rate(name: String, done: u32, took: Duration) -> Rate {
    Rate { name, per_second: f64::from(done) / took.as_secs_f64() }
}
