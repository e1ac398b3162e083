//! The last requests the simulated WeChat received, for tests that ask whether and how often it was called.
//!
//! It keeps paths and never queries, since those hold secrets, and only so many, since the simulator may run for weeks.
//! Next: [`super::controls`], which shows it.

use std::collections::VecDeque;

use serde::Serialize;

use super::answers::Traced;
use crate::clock::Instant;

const ENTRIES: usize = 1000;
const PATH_CHARS: usize = 200;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    method: String,
    path: String,
    at: Instant,
    /// How it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rid: Option<String>,
    #[serde(skip)]
    number: u64,
}

impl Entry {
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    pub(super) fn errcode(&self) -> Option<i64> {
        self.errcode
    }
}

#[derive(Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    entered: u64,
}

impl Journal {
    /// Notes a request; the answer is the number by which its end is noted.
    pub(super) fn enter(&mut self, method: &str, path: &str, at: Instant) -> u64 {
        if self.entries.len() >= ENTRIES {
            self.entries.pop_front();
        }
        self.entered += 1;
        let (method, path) = (method.chars().take(16).collect(), path.chars().take(PATH_CHARS).collect());
        let number = self.entered;
        self.entries.push_back(Entry { method, path, at, errcode: None, rid: None, number });
        number
    }

    /// Notes how a request was refused.
    pub(super) fn refused(&mut self, number: u64, how: Traced) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.errcode = Some(how.errcode);
            entry.rid = Some(how.rid);
        }
    }

    /// The request a request id belongs to.
    pub(super) fn find(&self, rid: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.rid.as_deref() == Some(rid))
    }

    /// Oldest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_give_way() {
        let mut journal = Journal::default();
        for number in 0..ENTRIES + 2 {
            journal.enter("GET", &format!("/{number}"), Instant::UNIX_EPOCH);
        }
        assert_eq!(journal.entries().len(), ENTRIES);
        assert_eq!(journal.entries()[0].path, "/2");
        let number = journal.enter("GET", "/x", Instant::UNIX_EPOCH);
        journal.refused(number, Traced { errcode: 40029, rid: "a-b-c".to_owned() });
        assert_eq!(journal.find("a-b-c").map(|entry| (entry.path(), entry.errcode())), Some(("/x", Some(40029))));
        assert!(journal.find("d").is_none());
    }
}
