//! What is in the database before a measurement: villagers with sessions, bookable slots, many cases.
//!
//! Written straight into the tables, for signing in ten thousand villagers over HTTP would be a benchmark of its own.

use chrono::{DateTime, Days, NaiveDate, SecondsFormat, TimeDelta, Utc};
use sea_orm::sqlx::Error;
use shuoshi::{auth::Keyring, clock};
use uuid::Uuid;

use crate::store::{Kind, Store, id, series};

/// Slots that bookings are spread over.
pub const SPREAD_SLOTS: u64 = 1_000;
/// Talk days, and villages, that those slots are in.
pub const SPREAD_DAYS: u64 = 100;
/// The spread slots are there twice: for the server and for the engine alone.
const BLOCKS: u64 = 2;
/// Hot slots, each on a talk day of its own.
pub const HOT_SLOTS: u64 = 500;
/// Villages, and talk days, whose booking opens at the same moment.
pub const OPENING_DAYS: u64 = 40;
/// Slots of each of these days.
pub const OPENING_SLOTS: u64 = 8;
/// Public places of each of these slots.
pub const OPENING_PLACES: u64 = 3;
/// Cases of the demonstration village beside its share, so that its first page is full at every size.
pub const OWN_CASES: u64 = 400;
/// Rows of one statement.
const CHUNK: u64 = 100_000;
const TEXT: &str =
    "家里的水渠上个月被山上冲下来的石头堵了，浇不了田，想请村里派人来看看，最好在下个月插秧以前清理出来。";

/// The names of things that the seed found or made.
pub struct World {
    /// The demonstration village, then others: where villager `n` lives is entry `n` modulo their number.
    pub villages: Vec<Uuid>,
    pub cadre: Uuid,
    pub desk_unit: Uuid,
    /// The township of the demonstration village.
    pub township: Uuid,
    pub villagers: u64,
    pub today: NaiveDate,
    /// Codes of errands.
    pub items: Vec<String>,
}

/// Staff that the scenarios act as.
pub const STAFF: [&str; 3] = ["desk", "cadre", "town"];

/// A slot and its talk day.
pub type Place = (Uuid, Uuid);

/// One of the spread slots of a block; villager `n` lives where slot `n` is.
pub fn spread(block: u64, n: u64) -> Place {
    let slot = n % SPREAD_SLOTS;
    (id(Kind::Slot, block * SPREAD_SLOTS + slot), id(Kind::TalkDay, block * SPREAD_DAYS + slot % SPREAD_DAYS))
}

/// One of the hot slots.
pub fn hot(n: u64) -> Place {
    (id(Kind::Slot, BLOCKS * SPREAD_SLOTS + n), id(Kind::TalkDay, BLOCKS * SPREAD_DAYS + n))
}

/// A slot of one of the days that open together.
pub fn opening(village: u64, slot: u64) -> Place {
    let first = BLOCKS * SPREAD_SLOTS + HOT_SLOTS;
    (id(Kind::Slot, first + slot * OPENING_DAYS + village), id(Kind::TalkDay, OPENING_FROM + village))
}

/// Number of the first day of those.
const OPENING_FROM: u64 = BLOCKS * SPREAD_DAYS + HOT_SLOTS;

/// SQL of those days, by their column of this name.
pub fn opening_days(store: &Store, column: &str) -> String {
    let (first, last) = (OPENING_FROM.to_string(), (OPENING_FROM + OPENING_DAYS - 1).to_string());
    format!("{column} BETWEEN {} AND {}", store.id(Kind::TalkDay, &first), store.id(Kind::TalkDay, &last))
}

/// Sets when booking for those days opens.
pub async fn open_at(store: &mut Store, at: DateTime<Utc>) -> Result<(), Error> {
    let days = opening_days(store, "id");
    store.run(format!("UPDATE talk_day SET opens_at = '{}' WHERE {days}", instant(at))).await
}

/// The id of a seeded case.
pub fn case(n: u64) -> Uuid {
    id(Kind::Case, n)
}

/// The id of a villager.
pub fn person(n: u64) -> Uuid {
    id(Kind::Person, n)
}

/// A fresh access token of a villager.
pub fn villager_token(keyring: &Keyring, n: u64, now: DateTime<Utc>) -> String {
    keyring.sign(entity::id::SessionId(id(Kind::Session, n)), now).unwrap_or_default()
}

/// A fresh access token of one of [`STAFF`].
pub fn staff_token(keyring: &Keyring, username: &str, now: DateTime<Utc>) -> String {
    let place = STAFF.iter().position(|name| *name == username).unwrap_or_default();
    keyring.sign(entity::id::SessionId(id(Kind::StaffSession, place as u64)), now).unwrap_or_default()
}

/// Makes villagers, units, talk days, slots on a database that holds the demonstration village.
pub async fn people_and_slots(
    store: &mut Store,
    villagers: u64,
    places: i32,
    now: DateTime<Utc>,
) -> Result<World, Error> {
    let at = instant(now);
    let today = clock::local_day(now);
    store
        .run(
            "CREATE TABLE bench_village AS
             SELECT row_number() OVER (ORDER BY CASE WHEN code = '511702108212' THEN 0 ELSE 1 END, code) - 1 AS n,
                    id, township_id, county_id
             FROM division WHERE level = 'village'; CREATE UNIQUE INDEX bench_village_n ON bench_village (n)",
        )
        .await?;
    for (level, kind, base) in [("village", "village_desk", 0), ("township", "township_centre", 100_000)] {
        let unit = store.id(Kind::Unit, &format!("{base} + row_number() OVER (ORDER BY d.id)"));
        store
            .run(format!(
                "INSERT INTO unit (id, division_id, kind, name)
                 SELECT {unit}, d.id, '{kind}', '便民服务' FROM division d WHERE d.level = '{level}'
                 AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.division_id = d.id AND u.kind = '{kind}')"
            ))
            .await?;
    }
    let villages = store.ids(format!("SELECT id FROM bench_village WHERE n < {SPREAD_DAYS} ORDER BY n")).await?;
    let (person, session) = (store.id(Kind::Person, "s.n"), store.id(Kind::Session, "s.n"));
    let from = series(0, villagers);
    store
        .run(format!(
            "{from} INSERT INTO person (id, village_id, verified, preferences, created_at)
             SELECT {person}, v.id, true, '{{}}', '{at}' FROM s JOIN bench_village v ON v.n = s.n % {SPREAD_DAYS};
             {from} INSERT INTO session (id, person_id, created_at) SELECT {session}, {person}, '{at}' FROM s;"
        ))
        .await?;
    for (n, username) in STAFF.iter().enumerate() {
        let session = store.id(Kind::StaffSession, &n.to_string());
        store
            .run(format!(
                "INSERT INTO session (id, staff_id, created_at)
                 SELECT {session}, id, '{at}' FROM staff WHERE username = '{username}'"
            ))
            .await?;
    }
    talk_days(store, places, now).await?;
    let unit = |username: &str| {
        format!("SELECT p.unit_id FROM posting p JOIN staff s ON s.id = p.staff_id WHERE s.username = '{username}'")
    };
    let items = "SELECT code FROM service_item WHERE current AND kind = 'proxy' AND form IS NULL ORDER BY code";
    let world = World {
        villages,
        cadre: only(store.ids("SELECT id FROM staff WHERE username = 'cadre'").await?),
        desk_unit: only(store.ids(unit("desk")).await?),
        township: only(store.ids("SELECT township_id FROM bench_village WHERE n = 0").await?),
        villagers,
        today,
        items: store.texts(items).await?,
    };
    cases_of_the_demonstration_village(store, &world, now).await?;
    store.settle().await?;
    Ok(world)
}

fn only(ids: Vec<Uuid>) -> Uuid {
    ids.into_iter().next().unwrap_or_default()
}

/// An instant as both engines hold it.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

async fn talk_days(store: &mut Store, places: i32, now: DateTime<Utc>) -> Result<(), Error> {
    let on = clock::local_day(now) + Days::new(3);
    let begins = now + TimeDelta::days(3);
    let (starts, ends) = (instant(begins), instant(begins + TimeDelta::hours(3)));
    let (opens, closes) = (instant(now - TimeDelta::days(3)), instant(now + TimeDelta::days(2)));
    let at = instant(now);
    let (spread_days, spread_slots) = (BLOCKS * SPREAD_DAYS, BLOCKS * SPREAD_SLOTS);
    let (day, slot) = (store.id(Kind::TalkDay, "s.n"), store.id(Kind::Slot, "s.n"));
    // Hot days, and those that open together, are in villages that nobody else reads.
    let village = format!("CASE WHEN s.n < {spread_days} THEN s.n % {SPREAD_DAYS} ELSE s.n END");
    let from_days = series(0, spread_days + HOT_SLOTS + OPENING_DAYS);
    store
        .run(format!(
            "{from_days} INSERT INTO talk_day (id, division_id, on_date, state, starts_at, ends_at, opens_at, closes_at,
                 place, hosts, modes, version, created_at)
             SELECT {day}, v.id, '{on}', 'planned', '{starts}', '{ends}', '{opens}', '{closes}',
                 '村委会', '[]', '[\"in_person\"]', 1, '{at}' FROM s JOIN bench_village v ON v.n = {village};"
        ))
        .await?;
    let mut groups: Vec<(u64, u64, String, u64, i32)> = Vec::new();
    for group in 0..spread_slots / SPREAD_DAYS {
        let first = group * SPREAD_DAYS;
        let day = format!("s.n % {SPREAD_DAYS} + {}", first / SPREAD_SLOTS * SPREAD_DAYS);
        groups.push((first, first + SPREAD_DAYS, day, first % SPREAD_SLOTS / SPREAD_DAYS, 10_000));
    }
    let hot_day = format!("s.n - {spread_slots} + {spread_days}");
    groups.push((spread_slots, spread_slots + HOT_SLOTS, hot_day, 0, places));
    for order in 0..OPENING_SLOTS {
        let first = spread_slots + HOT_SLOTS + order * OPENING_DAYS;
        let day = format!("s.n - {first} + {OPENING_FROM}");
        groups.push((first, first + OPENING_DAYS, day, order, i32::try_from(OPENING_PLACES).unwrap_or(1)));
    }
    for (first, end, its_day, order, capacity) in groups {
        let starts = begins + TimeDelta::minutes(15 * i64::try_from(order).unwrap_or(0));
        let (starts, ends) = (instant(starts), instant(starts + TimeDelta::minutes(15)));
        let (from, its_day) = (series(first, end), store.id(Kind::TalkDay, &its_day));
        store
            .run(format!(
                "{from} INSERT INTO slot (id, talk_day_id, starts_at, ends_at, places, public_places, taken, released,
                     first_number)
                 SELECT {slot}, {its_day}, '{starts}', '{ends}', {capacity}, {capacity}, 0, 0, {} FROM s",
                1 + order * 10_000
            ))
            .await?;
    }
    Ok(())
}

async fn cases_of_the_demonstration_village(store: &mut Store, world: &World, now: DateTime<Utc>) -> Result<(), Error> {
    cases(store, world, 0, OWN_CASES, "v.n = 0", "0", now).await
}

/// Brings the number of seeded cases from `from` to `to`, one in ten of them open, spread over all villages.
pub async fn grow(store: &mut Store, world: &World, from: u64, to: u64, now: DateTime<Utc>) -> Result<(), Error> {
    let villages = store.number("SELECT count(*) FROM bench_village").await?;
    let mut next = from.max(OWN_CASES);
    while next < to {
        let end = to.min(next + CHUNK);
        let open = format!("(s.n / {villages}) % 10");
        cases(store, world, next, end, &format!("v.n = s.n % {villages}"), &open, now).await?;
        next = end;
    }
    store.settle().await
}

/// `open` is SQL that is 0 for the cases that are to be open.
async fn cases(
    store: &mut Store,
    world: &World,
    from: u64,
    to: u64,
    village: &str,
    open: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let at = instant(now - TimeDelta::days(2));
    let today = world.today.to_string();
    let (due, due_closed) = (store.day(&today, "s.n % 37 - 4"), store.day(&today, "-(s.n % 700) - 5"));
    let accepted = store.day(&today, "-2");
    let (case, event) = (store.id(Kind::Case, "s.n"), store.id(Kind::Event, "s.n"));
    let person = store.id(Kind::Person, &format!("s.n % {}", world.villagers));
    let number = store.nine_digits("s.n");
    let calendar = "coalesce((SELECT max(version) FROM calendar_version), 'none')";
    let series = series(from, to);
    store
        .run(format!(
            "{series} INSERT INTO cases (id, number, kind, state, version, round, title, text, topic, concern, urgency,
                 channel, confidential, promised_days, village_id, township_id, county_id, unit_id, first_unit_id,
                 person_id, accepted_on, promised_due_on, provisional, calendar_version, due_on, returns, reopens,
                 confirmed, closed_at, created_at, updated_at)
             SELECT {case}, 'S' || {number}, 'voice', CASE WHEN {open} = 0 THEN 'accepted' ELSE 'archived' END, 2, 1,
                 '水渠堵了', '{TEXT} n' || s.n, CASE s.n % 12 WHEN 0 THEN 'roads' END, 'help', 'normal', 'app', false, 7, v.id, v.township_id, v.county_id,
                 u.id, u.id, {person}, {accepted}, CASE WHEN {open} = 0 THEN {due} ELSE {due_closed} END, false,
                 {calendar}, CASE WHEN {open} = 0 THEN {due} ELSE {due_closed} END, 0, 0,
                 CASE WHEN {open} = 0 THEN NULL ELSE true END, CASE WHEN {open} = 0 THEN NULL ELSE {closed} END,
                 '{at}', '{at}'
             FROM s JOIN bench_village v ON {village}
             JOIN unit u ON u.division_id = v.id AND u.kind = 'village_desk';
             {series} INSERT INTO case_event (id, case_id, seq, at, action, to_state, by_kind, by_person, auto, unit_id,
                 calendar_version)
             SELECT {event}, c.id, 1, '{at}', 'submit', 'submitted', 'villager', c.person_id, false, c.unit_id,
                 c.calendar_version FROM s JOIN cases c ON c.id = {case};",
            closed = match store.engine() {
                crate::options::Engine::Sqlite => format!("'{at}'"),
                crate::options::Engine::Postgres => format!("'{at}'::timestamptz"),
            }
        ))
        .await
}
