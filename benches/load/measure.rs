//! One engine: seeding, then every scenario of the run with its server, its checks and the engine alone.

use std::{
    cell::Cell,
    error::Error,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use shuoshi::{
    auth::Keyring,
    clock::Clock,
    config::{Config, Environment},
};

use crate::{
    direct::{Direct, Rate, Work},
    http::Tally,
    opening::{self, Opening},
    options::{self, Engine, Options, Scenario},
    postgres::Postgres,
    process::{Server, children_cpu_us, cpu_us},
    report::{Figures, Latency, good, per_second},
    scenarios::{LISTS, Site, repeat},
    seed::{self, HOT_SLOTS, World},
    store::Store,
};

/// Live bookings against places and against the counter of the slot.
const OVERBOOKED: &str = "SELECT count(*) FROM (SELECT s.taken, s.public_places,
    (SELECT count(*) FROM booking b WHERE b.slot_id = s.id AND b.live) AS booked FROM slot s) AS counted
    WHERE booked > public_places OR booked <> taken";

/// The scenarios that write little enough to share a database, in this order.
const FIRST: [Scenario; 7] = [
    Scenario::BookHot,
    Scenario::BookSpread,
    Scenario::File,
    Scenario::Track,
    Scenario::Morning,
    Scenario::Burst,
    Scenario::Opening,
];

/// A database and everything that is measured on it.
pub struct Bench<'a> {
    options: &'a Options,
    engine: Engine,
    folder: &'a Path,
    url: &'a str,
    own: Option<&'a Postgres>,
    store: Store,
    world: World,
    keyring: Keyring,
    clock: Clock,
    villager: Cell<u64>,
    operation: Cell<u64>,
    hot: u64,
    receipts: Vec<String>,
    cases: u64,
    pub figures: Vec<Figures>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl<'a> Bench<'a> {
    /// Lets the server make its tables and the demonstration village, then seeds the rest.
    pub async fn open(
        options: &'a Options,
        engine: Engine,
        folder: &'a Path,
        url: &'a str,
        own: Option<&'a Postgres>,
    ) -> Outcome<Self> {
        let began = Instant::now();
        Server::start(folder, url)?.stop();
        let clock = Clock::system();
        let mut store = Store::open(engine, url).await?;
        if options.statements && engine == Engine::Postgres {
            store.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await?;
        }
        let world = seed::people_and_slots(&mut store, options.villagers, options.places, clock.now()).await?;
        println!("\n{}: made and seeded in {:.1} s", options::name(engine), began.elapsed().as_secs_f64());
        let keyring = Keyring::new(&Config::of_files(Environment::Development)?.auth)?;
        let (villager, operation) = (Cell::new(0), Cell::new(0));
        let (receipts, figures) = (Vec::new(), Vec::new());
        let cases = seed::OWN_CASES;
        Ok(Self {
            options,
            engine,
            folder,
            url,
            own,
            store,
            world,
            keyring,
            clock,
            villager,
            operation,
            hot: 0,
            receipts,
            cases,
            figures,
        })
    }

    /// Every scenario of the run.
    pub async fn run(&mut self) -> Outcome<()> {
        for scenario in FIRST {
            if self.options.wants(scenario) {
                self.measure(scenario, &options::name(scenario)).await?;
            }
        }
        let lifecycle = self.options.wants(Scenario::Lifecycle);
        if lifecycle {
            self.measure(Scenario::Lifecycle, "lifecycle").await?;
        }
        if !lifecycle && !self.options.wants(Scenario::Inbox) {
            return Ok(());
        }
        for size in self.options.sizes.clone() {
            let began = Instant::now();
            seed::grow(&mut self.store, &self.world, self.cases, size, self.clock.now()).await?;
            self.cases = size;
            println!("\n{size} cases after {:.1} s", began.elapsed().as_secs_f64());
            if self.options.wants(Scenario::Inbox) {
                self.words_are_kept().await?;
                for list in &LISTS {
                    self.measure(Scenario::Inbox, list.name).await?;
                }
            }
        }
        if lifecycle {
            self.measure(Scenario::Lifecycle, "lifecycle").await?;
        }
        Ok(())
    }

    /// Waits until a server has read all cases for their words, so that it does nothing else while it is measured.
    async fn words_are_kept(&mut self) -> Outcome<()> {
        const UNREAD: &str = "SELECT (SELECT count(*) FROM cases WHERE state <> 'draft')
                                   - (SELECT count(*) FROM case_search)";
        // Seeded events are older by their keys than what was read before.
        self.store.run("UPDATE sweep SET mark = NULL WHERE name = 'keep_words'").await?;
        let (began, server) = (Instant::now(), Server::start(self.folder, self.url)?);
        while self.store.number(UNREAD).await? > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        server.stop();
        println!("their words are read after {:.1} s", began.elapsed().as_secs_f64());
        Ok(())
    }

    async fn measure(&mut self, scenario: Scenario, name: &str) -> Outcome<()> {
        let server = Server::start(self.folder, self.url)?;
        let mut site = Site {
            port: server.port,
            world: &self.world,
            keyring: &self.keyring,
            clock: &self.clock,
            villager: &self.villager,
            receipts: std::mem::take(&mut self.receipts),
            topic: "other".to_owned(),
        };
        if let Err(fault) = site.prepare().await {
            println!("\n{name}: could not be prepared: {fault}");
        }
        if self.options.statements && self.engine == Engine::Postgres {
            self.store.run("SELECT pg_stat_statements_reset()").await?;
        }
        let opens_at = opening::soon(&self.clock);
        if scenario == Scenario::Opening {
            seed::open_at(&mut self.store, opens_at).await?;
        }
        let profiler = self.profiler(&server, name)?;
        let used = |server: &Server| {
            [cpu_us(server.pid()), self.own.map_or(0, |own| children_cpu_us(own.pid)), cpu_us(std::process::id())]
        };
        let (before, began) = (used(&server), Instant::now());
        let mut asked = None;
        let mut tally = if scenario == Scenario::Opening {
            let (tally, said) = opening::open(&site, self.options, opens_at).await;
            asked = Some(said);
            tally
        } else {
            play(&site, self.options, scenario, name, self.hot).await
        };
        let took = asked.as_ref().map_or_else(|| began.elapsed(), |said| said.took);
        let after = used(&server);
        stop_profiler(profiler);
        let burst = if scenario == Scenario::Burst { Some(after_burst(&site, self.options).await) } else { None };
        self.receipts = site.receipts;
        let (peak, idle, start) = (server.peak_kb(), server.idle_kb, server.ready_after);
        server.stop();
        let opening: Option<Opening> = match asked {
            Some(said) => Some(said.compare(&mut self.store).await?),
            None => None,
        };
        self.hot += if scenario == Scenario::BookHot { HOT_SLOTS / 2 } else { 0 };
        self.print_statements(tally.took.len()).await?;
        let engine_alone = self.engine_alone(scenario, name).await?;
        // On a hot slot a no is an answer as good as a yes, and the engine alone gives both.
        let hot = scenario == Scenario::BookHot;
        let good = per_second(if hot { tally.took.len() as u64 } else { good(&tally) }, took);
        let each = |at: usize| a_request(after, before, at, tally.took.len());
        let rounds = tally.rounds.len() as u64;
        let figures = Figures {
            engine: options::name(self.engine),
            scenario: name.to_owned(),
            cases: self.cases,
            clients: match scenario {
                Scenario::Burst => self.options.burst,
                Scenario::Opening => usize::try_from(self.options.opening).unwrap_or(usize::MAX),
                _ => self.options.clients,
            },
            seconds: took.as_secs_f64(),
            requests: tally.took.len(),
            per_second: per_second(tally.took.len() as u64, took),
            server_cpu_us: each(0),
            database_cpu_us: each(1),
            clients_cpu_us: each(2),
            latency_ms: Latency::of(&mut tally.took),
            rounds_per_second: (rounds > 0).then(|| per_second(rounds, took)),
            round_ms: (rounds > 0).then(|| Latency::of(&mut tally.rounds)),
            answers: tally.answers,
            come_back: tally.come_back,
            opening,
            overbooked: self.store.number(OVERBOOKED).await?,
            start_ms: start.as_millis(),
            idle_mb: megabytes(idle),
            peak_mb: megabytes(peak),
            ratio: engine_alone.first().map(|alone| good / alone.per_second),
            engine_alone,
        };
        figures.print();
        if let Some(text) = tally.surprise {
            println!("  first surprise: {text}");
        }
        if let Some(rates) = burst {
            println!("  bookings/s in each second after the burst: {rates:.0?}");
        }
        self.figures.push(figures);
        Ok(())
    }

    /// The same work without the server.
    async fn engine_alone(&self, scenario: Scenario, name: &str) -> Outcome<Vec<Rate>> {
        let direct = Direct {
            engine: self.engine,
            url: self.url,
            villagers: self.world.villagers,
            now: self.clock.now(),
            next: &self.operation,
            span: Duration::from_secs(self.options.direct_seconds),
        };
        let work = match scenario {
            Scenario::BookHot => {
                let places = u64::try_from(self.options.places).unwrap_or(1);
                Work::BookHot { first: HOT_SLOTS / 2, end: HOT_SLOTS, places }
            }
            Scenario::BookSpread => Work::BookSpread,
            Scenario::File => Work::File,
            Scenario::Track => Work::Track { numbers: self.receipts.clone() },
            Scenario::Inbox if name == "overdue of a township" => {
                Work::PageOfOverdue(self.world.township, self.world.today)
            }
            Scenario::Inbox if name == "inbox of a desk" => Work::PageOfUnit(self.world.desk_unit),
            Scenario::Inbox | Scenario::Morning | Scenario::Burst | Scenario::Opening | Scenario::Lifecycle => {
                return Ok(vec![]);
            }
        };
        Ok(direct.rates(&work).await?)
    }

    fn profiler(&self, server: &Server, name: &str) -> Outcome<Option<Child>> {
        let Some(folder) = &self.options.perf else { return Ok(None) };
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}-{}.perf", options::name(self.engine), name.replace(' ', "-")));
        let mut command = Command::new("perf");
        command.args(["record", "-q", "-F", "499", "-g", "-p", &server.pid().to_string(), "-o"]).arg(file);
        Ok(Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    async fn print_statements(&mut self, requests: usize) -> Outcome<()> {
        if !self.options.statements || self.engine != Engine::Postgres {
            return Ok(());
        }
        let rows = self.store.texts(
            "SELECT calls || ' calls, ' || round((1000 * total_exec_time / calls)::numeric, 1) || ' µs each: '
                 || left(regexp_replace(query, '\\s+', ' ', 'g'), 160)
             FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%' ORDER BY calls DESC LIMIT 30",
        );
        println!("\nstatements during {requests} requests:\n  {}", rows.await?.join("\n  "));
        Ok(())
    }
}

/// Plays a scenario.
async fn play(site: &Site<'_>, options: &Options, scenario: Scenario, name: &str, hot: u64) -> Tally {
    let (clients, span) = (options.clients, Duration::from_secs(options.seconds));
    let places = u64::try_from(options.places).unwrap_or(1);
    let asked = Cell::new(0);
    match scenario {
        Scenario::BookHot => {
            let end = (hot + HOT_SLOTS / 2).min(HOT_SLOTS / 2);
            repeat(site.port, clients, span, async |c| site.book_hot(c, &asked, hot, end, places).await).await
        }
        Scenario::BookSpread => repeat(site.port, clients, span, async |c| site.book_spread(c).await).await,
        Scenario::File => repeat(site.port, clients, span, async |c| site.file(c).await).await,
        Scenario::Track => repeat(site.port, clients, span, async |c| site.track(c).await).await,
        Scenario::Morning => repeat(site.port, clients, span, async |c| site.morning(c).await).await,
        Scenario::Lifecycle => repeat(site.port, clients, span, async |c| site.lifecycle(c).await).await,
        Scenario::Burst => site.burst(options.burst).await,
        // It has more to say than a tally: see `opening`.
        Scenario::Opening => Tally::default(),
        Scenario::Inbox => {
            let list = LISTS.iter().find(|list| list.name == name).unwrap_or(&LISTS[0]);
            repeat(site.port, clients, span, async |c| site.list(c, list).await).await
        }
    }
}

/// Good answers in each of the seconds after a burst.
async fn after_burst(site: &Site<'_>, options: &Options) -> Vec<f64> {
    let mut rates = Vec::new();
    for _ in 0..options.seconds {
        let began = Instant::now();
        let span = Duration::from_secs(1);
        let tally = repeat(site.port, options.clients, span, async |c| site.book_spread(c).await).await;
        rates.push(per_second(good(&tally), began.elapsed()));
    }
    rates
}

fn stop_profiler(profiler: Option<Child>) {
    if let Some(mut profiler) = profiler {
        let _ = Command::new("kill").args(["-INT", &profiler.id().to_string()]).status();
        let _ = profiler.wait();
    }
}

#[allow(clippy::cast_precision_loss, reason = "microseconds of seconds are far below 2^52")]
fn a_request(after: [u64; 3], before: [u64; 3], at: usize, requests: usize) -> f64 {
    let used = |all: [u64; 3]| all.get(at).copied().unwrap_or(0);
    used(after).saturating_sub(used(before)) as f64 / requests.max(1) as f64
}

#[allow(clippy::cast_precision_loss, reason = "kilobytes are far below 2^52")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}
