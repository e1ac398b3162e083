//! Every test that needs a server or a database: one binary, so that it links once.
//!
//! A test is written in `both_engines!` and gets a running application, see [`support`]; actors speak HTTP to it. Folders
//! follow the features; `contract` holds what must be true of every call at once. Run by `tests/run`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test each of these is an assertion"
)]

#[macro_use]
mod support;

mod audit;
mod auth;
mod cases;
mod catalogue;
mod commands;
mod content;
mod contract;
mod db;
mod files;
mod http;
mod idempotency;
mod keys;
mod kill;
mod notices;
mod open311;
mod people;
mod privacy;
mod publications;
mod pushes;
mod reports;
mod rosters;
mod settings;
mod staffing;
mod subscriptions;
mod talks;
mod two_servers;
mod webhooks;
