//! 08:00: booking opens in forty villages at once, everybody wants a place of their own village, and the line is bad.
//!
//! Of the answers a share is lost: half of those by dropping the connection as soon as the call is sent, half after the
//! answer came. Whoever has no answer asks again under the same key; whoever hears "full" tries one of the slots that
//! came with it, until there is none. Afterwards the table is compared with what everybody was told.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures_util::future::join_all;
use rand::RngExt;
use sea_orm::sqlx::Error;
use serde::Serialize;
use serde_json::Value;
use shuoshi::clock::Clock;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{
    http::{Call, Connection, Tally},
    options::Options,
    scenarios::Site,
    seed::{self, OPENING_DAYS, OPENING_PLACES, OPENING_SLOTS},
    store::Store,
};

/// Until the opening: for all connections to be there.
const UNTIL: TimeDelta = TimeDelta::seconds(4);
/// Longer a villager does not wait for an answer before asking again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often one call is repeated.
const MOST_REPEATS: u32 = 40;

/// When booking opens, if it is played now.
pub fn soon(clock: &Clock) -> DateTime<Utc> {
    (clock.now() + UNTIL).trunc_subsecs(3)
}

/// What a villager knows in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Yes,
    No,
    Nothing,
}

/// What everybody was told.
pub struct Said {
    /// From the opening to the last answer.
    pub took: Duration,
    /// By the villager's number: their village, and what they know.
    ends: BTreeMap<u64, (u64, End)>,
    counts: Counts,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    sent: u64,
    repeats: u64,
    lost: u64,
    told_to_come_back: u64,
    other: u64,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Opening {
    pub villagers: usize,
    pub places: u64,
    pub yes: usize,
    pub no: usize,
    /// Gave up without an answer. Must be 0.
    pub nothing: usize,
    /// Calls that were sent.
    pub sent: u64,
    /// Of these under a key that was sent before.
    pub repeats: u64,
    /// Answers that never arrived.
    pub lost: u64,
    /// 503 or an answer under way: come back.
    pub told_to_come_back: u64,
    /// 5xx other than 503, and whatever else is no answer to a booking. Must be 0.
    pub other: u64,
    /// Live bookings in the table.
    pub taken: usize,
    /// Heard yes and has no place. Must be 0.
    pub yes_without_place: usize,
    /// Has a place and did not hear yes. Must be 0.
    pub place_without_yes: usize,
    /// Heard no while a place of their village is free. Must be 0.
    pub no_with_places_free: usize,
    /// From the opening to the last answer.
    pub seconds: f64,
}

/// Plays it: opens all connections, waits, and lets everybody ask.
pub async fn open(site: &Site<'_>, options: &Options, opens_at: DateTime<Utc>) -> (Tally, Said) {
    let mut tally = Tally::default();
    let mut all = Vec::new();
    for n in 0..options.opening {
        let Some((villager, token)) = site.next_villager() else { break };
        let mut connection = Connection::to(site.port);
        // Who cannot connect now connects with the first call.
        let _ = connection.connect().await;
        all.push((villager, n % OPENING_DAYS, n / OPENING_DAYS % OPENING_SLOTS, token, connection));
    }
    let wait = opens_at - site.clock.now() + TimeDelta::milliseconds(2);
    if let Ok(wait) = wait.to_std() {
        sleep(wait).await;
    } else {
        println!("  the connections were not there in time; what follows begins late");
    }
    let (began, counts) = (Instant::now(), RefCell::new(Counts::default()));
    let ends = join_all(all.into_iter().map(async |(villager, village, slot, token, mut connection)| {
        let one = Villager { site, token, number: villager, village, lost: options.lost, counts: &counts };
        let end = one.ask(&mut connection, slot).await;
        connection.tally.rounds.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        (villager, village, end, connection.tally)
    }))
    .await;
    let took = began.elapsed();
    let mut told = BTreeMap::new();
    for (villager, village, end, other) in ends {
        told.insert(villager, (village, end));
        tally.add(other);
    }
    (tally, Said { took, ends: told, counts: counts.into_inner() })
}

/// What one call came to, as the villager sees it.
enum Heard {
    Yes,
    /// Full, with these slots instead.
    Full(Vec<Uuid>),
    /// Nothing: ask again after this time.
    Again(Duration),
    /// What no booking answers.
    Other,
}

struct Villager<'a> {
    site: &'a Site<'a>,
    token: String,
    number: u64,
    village: u64,
    lost: f64,
    counts: &'a RefCell<Counts>,
}

impl Villager<'_> {
    /// Asks until there is an answer.
    async fn ask(&self, c: &mut Connection, first: u64) -> End {
        let mut slot = seed::opening(self.village, first).0;
        let mut asked = BTreeSet::new();
        loop {
            asked.insert(slot);
            let near = match self.ask_for(c, slot).await {
                Heard::Yes => return End::Yes,
                Heard::Full(near) => near,
                Heard::Again(_) | Heard::Other => return End::Nothing,
            };
            // A slot that was full stays full: nobody gives a place up here.
            let near: Vec<Uuid> = near.into_iter().filter(|slot| !asked.contains(slot)).collect();
            if near.is_empty() {
                return End::No;
            }
            slot = near.get(rand::rng().random_range(0..near.len())).copied().unwrap_or(slot);
        }
    }

    /// One call under one key, repeated until an answer arrives.
    async fn ask_for(&self, c: &mut Connection, slot: Uuid) -> Heard {
        let path = format!("/slots/{slot}/bookings");
        let topic = &self.site.topic;
        let body = format!(r#"{{"topic":"{topic}","summary":"水渠堵了，想请村里来看看","privacy":"public"}}"#);
        let key = format!("opening-{}-{}", self.number, slot.simple());
        let call = Call::post(&path, Some(&self.token), &body, Some(&key));
        for repeat in 0..=MOST_REPEATS {
            self.count(|counts| {
                counts.sent += 1;
                counts.repeats += u64::from(repeat > 0);
            });
            match self.heard(c, &call).await {
                Heard::Again(pause) => sleep(pause).await,
                heard => return heard,
            }
        }
        Heard::Other
    }

    async fn heard(&self, c: &mut Connection, call: &Call<'_>) -> Heard {
        let (lost, at_once) = (rand::rng().random_bool(self.lost), rand::rng().random_bool(0.5));
        let a_while = || Duration::from_millis(rand::rng().random_range(100..500));
        if lost && at_once {
            let _ = c.abandon(call).await;
            self.count(|counts| counts.lost += 1);
            return Heard::Again(a_while());
        }
        let answer = match timeout(PATIENCE, c.call(call)).await {
            Ok(Ok(answer)) if !lost => (answer.status, answer.json()),
            _ => {
                c.hang_up();
                self.count(|counts| counts.lost += 1);
                return Heard::Again(a_while());
            }
        };
        let code = answer.1.get("code").and_then(Value::as_str).unwrap_or_default();
        match (answer.0, code) {
            (201, _) => Heard::Yes,
            (409, "slot_full") => Heard::Full(alternatives(&answer.1)),
            (503, _) | (409, "idempotency_in_progress" | "booking_not_open") => {
                self.count(|counts| counts.told_to_come_back += 1);
                // Retry-After is a second; not everybody comes back in the same moment.
                Heard::Again(Duration::from_secs(1) + a_while())
            }
            _ => {
                self.count(|counts| counts.other += 1);
                Heard::Other
            }
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.borrow_mut());
    }
}

fn alternatives(problem: &Value) -> Vec<Uuid> {
    let near = problem.get("alternatives").and_then(Value::as_array).into_iter().flatten();
    near.filter_map(|one| one.get("slot")?.as_str()?.parse().ok()).collect()
}

impl Said {
    /// Compares what everybody was told with the table.
    pub async fn compare(self, store: &mut Store) -> Result<Opening, Error> {
        let days = seed::opening_days(store, "talk_day_id");
        let taken = store.ids(format!("SELECT person_id FROM booking WHERE live AND {days}")).await?;
        let in_table: BTreeSet<Uuid> = taken.iter().copied().collect();
        let free = store.ids(format!("SELECT DISTINCT talk_day_id FROM slot WHERE taken < public_places AND {days}"));
        let free: BTreeSet<Uuid> = free.await?.into_iter().collect();
        let who = |wanted: End| self.ends.iter().filter(move |(_, (_, end))| *end == wanted);
        let yes: BTreeSet<Uuid> = who(End::Yes).map(|(villager, _)| seed::person(*villager)).collect();
        let untrue = who(End::No).filter(|(_, (village, _))| free.contains(&seed::opening(*village, 0).1));
        let Counts { sent, repeats, lost, told_to_come_back, other } = self.counts;
        Ok(Opening {
            villagers: self.ends.len(),
            places: OPENING_DAYS * OPENING_SLOTS * OPENING_PLACES,
            yes: yes.len(),
            no: who(End::No).count(),
            nothing: who(End::Nothing).count(),
            sent,
            repeats,
            lost,
            told_to_come_back,
            other,
            taken: taken.len(),
            yes_without_place: yes.difference(&in_table).count(),
            place_without_yes: taken.len() - in_table.intersection(&yes).count(),
            no_with_places_free: untrue.count(),
            seconds: self.took.as_secs_f64(),
        })
    }
}

impl Opening {
    /// Whether everybody was answered, and truly.
    pub fn is_true(&self) -> bool {
        let wrong = [self.nothing, self.yes_without_place, self.place_without_yes, self.no_with_places_free];
        wrong.iter().all(|count| *count == 0) && self.other == 0 && self.yes == self.taken
    }

    /// For eyes.
    pub fn print(&self) {
        println!(
            "  {} villagers for {} places: {} yes, {} no, {} without an answer; all answered after {:.1} s",
            self.villagers, self.places, self.yes, self.no, self.nothing, self.seconds
        );
        println!(
            "  {} calls, {} of them repeats, {} answers lost, {} told to come back, {} other",
            self.sent, self.repeats, self.lost, self.told_to_come_back, self.other
        );
        println!(
            "  table: {} taken; yes without a place {}, place without a yes {}, no while places are free {}",
            self.taken, self.yes_without_place, self.place_without_yes, self.no_with_places_free
        );
    }
}
