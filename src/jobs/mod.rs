//! Work that happens later: one table that is outbox and queue, and sweeps that run by the clock.
//!
//! A job is enqueued in the transaction whose consequence it is, runs at least once, and stays visible when it is given
//! up; a sweep is a plain idempotent function that whichever server is first runs. Next: [`sweeps`] for what runs when.

mod queue;
pub mod sweeps;
mod worker;

pub use queue::{Job, Text, enqueue, enqueue_all, enqueue_anew, enqueue_sms, queue_age_s};
pub use worker::{keep_current, run_due, work};
