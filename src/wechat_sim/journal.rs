//! The last requests the simulated WeChat received, for tests that ask whether and how often it was called.
//!
//! It keeps paths and never queries, since those hold secrets, and only so many, since the simulator may run for weeks.
//! Next: [`super::controls`], which shows it.

use std::collections::VecDeque;

use serde::Serialize;

use crate::clock::Instant;

const ENTRIES: usize = 1000;
const PATH_CHARS: usize = 200;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    method: String,
    path: String,
    at: Instant,
}

#[derive(Default)]
pub(super) struct Journal(VecDeque<Entry>);

impl Journal {
    pub(super) fn enter(&mut self, method: &str, path: &str, at: Instant) {
        if self.0.len() >= ENTRIES {
            self.0.pop_front();
        }
        let (method, path) = (method.chars().take(16).collect(), path.chars().take(PATH_CHARS).collect());
        self.0.push_back(Entry { method, path, at });
    }

    /// Oldest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.0.iter().cloned().collect()
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
    }
}
