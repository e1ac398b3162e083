//! What the clients do: each scenario is a step that every connection repeats until the time is over.

use std::{
    cell::Cell,
    io::{Error, Result},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rand::RngExt;
use serde_json::{Value, json};
use shuoshi::{auth::Keyring, clock::Clock};
use uuid::Uuid;

use crate::{
    http::{Call, Connection, Tally},
    seed::{self, SPREAD_DAYS, World},
};

/// The phone of every case that is filed here; tracking asks for its tail.
const PHONE: &str = "13900001234";
/// Cases that are filed before they are tracked.
const RECEIPTS: usize = 300;

/// A list that staff look at.
pub struct List {
    pub name: &'static str,
    pub who: &'static str,
    pub query: &'static str,
}

/// What is measured at each size. The words are those of [`seed::grow`], percent-encoded: 水渠 is in every case, a word that
/// begins with n43 in few.
pub const LISTS: [List; 7] = [
    List { name: "inbox of a desk", who: "desk", query: "view=unit" },
    List { name: "overdue of a township", who: "town", query: "view=overdue" },
    List { name: "yellow lights of a desk", who: "desk", query: "view=unit&light=yellow" },
    List { name: "one topic of a desk", who: "desk", query: "view=unit&topic=roads" },
    List { name: "closed in a township", who: "town", query: "view=closed" },
    List { name: "a common word in a township", who: "town", query: "q=%E6%B0%B4%E6%B8%A0" },
    List { name: "a rare word in a township", who: "town", query: "q=n43" },
];

/// A running server and what the clients know about its database.
pub struct Site<'a> {
    pub port: u16,
    pub world: &'a World,
    pub keyring: &'a Keyring,
    pub clock: &'a Clock,
    /// The next villager who has not done anything yet.
    pub villager: &'a Cell<u64>,
    /// Numbers of cases that can be tracked.
    pub receipts: Vec<String>,
    /// A code of the list of topics.
    pub topic: String,
}

/// Lets `clients` connections repeat `step` for `span`, or until it says that there is nothing left to do.
pub async fn repeat(
    port: u16,
    clients: usize,
    span: Duration,
    step: impl AsyncFn(&mut Connection) -> Result<bool>,
) -> Tally {
    let began = Instant::now();
    let step = &step;
    let all = join_all((0..clients).map(async |_| {
        let mut connection = Connection::to(port);
        while began.elapsed() < span {
            match step(&mut connection).await {
                Ok(true) => {}
                Ok(false) => break,
                // Counted already; do not spin when the server is gone.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        connection.tally
    }));
    let mut tally = Tally::default();
    all.await.into_iter().for_each(|other| tally.add(other));
    tally
}

impl Site<'_> {
    pub fn next_villager(&self) -> Option<(u64, String)> {
        let n = self.villager.replace(self.villager.get() + 1);
        (n < self.world.villagers).then(|| (n, self.token(n)))
    }

    fn token(&self, n: u64) -> String {
        seed::villager_token(self.keyring, n, self.clock.now())
    }

    fn staff(&self, username: &str) -> String {
        seed::staff_token(self.keyring, username, self.clock.now())
    }

    /// Books a place in this slot as a villager who has none.
    async fn book(&self, c: &mut Connection, slot: Uuid, (n, token): (u64, String)) -> Result<bool> {
        let path = format!("/slots/{slot}/bookings");
        let body = format!(r#"{{"topic":"{}","summary":"承包地边界，想请村里来看看","privacy":"public"}}"#, self.topic);
        c.call(&Call::post(&path, Some(&token), &body, Some(&format!("load-book-{n}")))).await?;
        Ok(true)
    }

    /// One slot after the other, each asked for twice as often as it has places.
    pub async fn book_hot(
        &self,
        c: &mut Connection,
        asked: &Cell<u64>,
        first: u64,
        end: u64,
        places: u64,
    ) -> Result<bool> {
        let slot = first + asked.replace(asked.get() + 1) / (places * 2);
        let Some(villager) = self.next_villager().filter(|_| slot < end) else { return Ok(false) };
        self.book(c, seed::hot(slot).0, villager).await
    }

    /// Each villager a slot of their own village, all slots in turn.
    pub async fn book_spread(&self, c: &mut Connection) -> Result<bool> {
        let Some((n, token)) = self.next_villager() else { return Ok(false) };
        self.book(c, seed::spread(0, n).0, (n, token)).await
    }

    /// Files an errand.
    pub async fn file(&self, c: &mut Connection) -> Result<bool> {
        let Some((n, token)) = self.next_villager() else { return Ok(false) };
        let place = usize::try_from(n).unwrap_or(0) % self.world.items.len().max(1);
        let item = self.world.items.get(place).map_or("none", String::as_str);
        let body = format!(
            r#"{{"kind":"proxy","item":"{item}","text":"老人行动不便，想请村里代办。","contact_phone":"{PHONE}"}}"#
        );
        c.call(&Call::post("/cases", Some(&token), &body, Some(&format!("load-file-{n}")))).await?;
        Ok(true)
    }

    /// Looks a case up by number and phone tail.
    pub async fn track(&self, c: &mut Connection) -> Result<bool> {
        let at = rand::rng().random_range(0..self.receipts.len().max(1));
        let number = self.receipts.get(at).map_or("1234567896", String::as_str);
        let body = format!(r#"{{"number":"{number}","phone_tail":"{}"}}"#, &PHONE[7..]);
        c.call(&Call::post("/track", None, &body, None)).await?;
        Ok(true)
    }

    /// A village morning: 60 of 100 read, 25 book, 15 file.
    pub async fn morning(&self, c: &mut Connection) -> Result<bool> {
        let some_villager = || rand::rng().random_range(0..self.world.villagers);
        match rand::rng().random_range(0..100) {
            0..20 => {
                let n = some_villager();
                let at = usize::try_from(n % SPREAD_DAYS).unwrap_or(0);
                let village = self.world.villages.get(at).copied().unwrap_or_default();
                let path = format!("/divisions/{village}/talk-days");
                c.call(&Call::get(&path, Some(&self.token(n)))).await.map(|_| true)
            }
            20..40 => c.call(&Call::get("/cases", Some(&self.token(some_villager())))).await.map(|_| true),
            40..60 => self.track(c).await,
            60..85 => self.book_spread(c).await,
            _ => self.file(c).await,
        }
    }

    /// A first page of a staff list.
    pub async fn list(&self, c: &mut Connection, list: &List) -> Result<bool> {
        let token = self.staff(list.who);
        c.call(&Call::get(&format!("/staff/cases?{}&limit=20", list.query), Some(&token))).await?;
        Ok(true)
    }

    /// A case from filing to confirmation, then read.
    pub async fn lifecycle(&self, c: &mut Connection) -> Result<bool> {
        let n = self.villager.replace(self.villager.get() + 1) * SPREAD_DAYS % self.world.villagers;
        let villager = self.token(n);
        let began = Instant::now();
        let key = || format!("load-life-{}", Uuid::now_v7().simple());
        let body = json!({"kind": "voice", "concern": "help", "text": "水渠堵了，浇不了田。", "contact_phone": PHONE});
        let filed = c.call(&Call::post("/cases", Some(&villager), &body.to_string(), Some(&key()))).await?.json();
        let Some(id) = filed.get("id").and_then(Value::as_str).map(str::to_owned) else { return Ok(true) };
        let (desk, cadre) = (self.staff("desk"), self.staff("cadre"));
        let (staff_path, path) = (format!("/staff/cases/{id}/actions"), format!("/cases/{id}"));
        for (token, action) in [
            (&desk, json!({"action": "accept"})),
            (&desk, json!({"action": "assign", "assignee": self.world.cadre})),
            (&cadre, json!({"action": "sign"})),
            (&cadre, json!({"action": "answer", "result": "explained", "text": "已派人清理，明天通水。"})),
        ] {
            let answer = c.call(&Call::post(&staff_path, Some(token), &action.to_string(), Some(&key()))).await?;
            if answer.status != 200 {
                return Ok(true);
            }
        }
        let confirm = format!("{path}/actions");
        c.call(&Call::post(&confirm, Some(&villager), r#"{"action":"confirm"}"#, Some(&key()))).await?;
        if c.call(&Call::get(&path, Some(&villager))).await?.status == 200 {
            c.tally.rounds.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(true)
    }

    /// All connections are open, then each books one place at the same moment.
    pub async fn burst(&self, connections: usize) -> Tally {
        let mut open = Vec::new();
        let mut tally = Tally::default();
        for _ in 0..connections {
            let mut connection = Connection::to(self.port);
            match connection.connect().await {
                Ok(()) => open.push(connection),
                Err(fault) => *tally.answers.entry(format!("fault {:?}", fault.kind())).or_default() += 1,
            }
        }
        let all = join_all(open.into_iter().map(async |mut connection| {
            // What failed is counted by the connection.
            let _ = self.book_spread(&mut connection).await;
            connection.tally
        }));
        all.await.into_iter().for_each(|other| tally.add(other));
        tally
    }

    /// Files the cases that are to be tracked and learns a topic.
    pub async fn prepare(&mut self) -> Result<()> {
        let mut c = Connection::to(self.port);
        let topics = c.call(&Call::get("/lists/topics", None)).await?.json();
        if let Some(code) = topics.pointer("/items/0/code").and_then(Value::as_str) {
            code.clone_into(&mut self.topic);
        }
        while self.receipts.len() < RECEIPTS {
            let Some((_, token)) = self.next_villager() else { return Ok(()) };
            let body =
                json!({"kind": "voice", "concern": "question", "text": "路灯什么时候修？", "contact_phone": PHONE});
            let answer = c.call(&Call::post("/cases", Some(&token), &body.to_string(), None)).await?;
            match answer.json().get("number").and_then(Value::as_str) {
                Some(number) => self.receipts.push(number.to_owned()),
                None => return Err(Error::other(format!("filing answered {}", answer.status))),
            }
        }
        Ok(())
    }
}
