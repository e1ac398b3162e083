//! The only place that changes the shape of the database. Steps go up and down on SQLite and PostgreSQL alike.
//!
//! A step never imports the `entity` crate: it must still mean the same when the entities have moved on. A test in
//! `tests/it/contract` compares what these steps make with what the entities expect.
#![allow(missing_docs, reason = "steps are read from top to bottom; their names say what they make")]

use sea_orm_migration::prelude::*;

mod m0001_places_and_people;
mod m0002_talk_days;
mod m0003_catalogue_and_calendar;
mod m0004_cases;
mod m0005_jobs;
mod m0006_units_of_a_place;
mod m0007_people;
mod m0008_staff_and_audit;
mod m0009_talk_days_whole;
mod m0010_host_covers;
mod m0011_indexes_of_talk_days;
mod m0012_cases_whole;
mod m0013_reviews_whole;
mod m0014_catalogue_whole;
mod m0015_reports;
mod m0016_webhooks;
mod m0017_open311;
mod m0018_search;
mod m0019_by_the_next_talk_day;
mod m0020_first_contacts;
mod m0021_notices;
mod m0022_files;
mod m0023_pushes_and_subscriptions;
mod m0024_content;
mod m0025_publications;
mod m0026_staff_messages;
mod m0027_pages_that_quote;
mod shape;

/// All steps, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_places_and_people::Migration),
            Box::new(m0002_talk_days::Migration),
            Box::new(m0003_catalogue_and_calendar::Migration),
            Box::new(m0004_cases::Migration),
            Box::new(m0005_jobs::Migration),
            Box::new(m0006_units_of_a_place::Migration),
            Box::new(m0007_people::Migration),
            Box::new(m0008_staff_and_audit::Migration),
            Box::new(m0009_talk_days_whole::Migration),
            Box::new(m0010_host_covers::Migration),
            Box::new(m0011_indexes_of_talk_days::Migration),
            Box::new(m0012_cases_whole::Migration),
            Box::new(m0013_reviews_whole::Migration),
            Box::new(m0014_catalogue_whole::Migration),
            Box::new(m0015_reports::Migration),
            Box::new(m0016_webhooks::Migration),
            Box::new(m0017_open311::Migration),
            Box::new(m0018_search::Migration),
            Box::new(m0019_by_the_next_talk_day::Migration),
            Box::new(m0020_first_contacts::Migration),
            Box::new(m0022_files::Migration),
            Box::new(m0021_notices::Migration),
            Box::new(m0023_pushes_and_subscriptions::Migration),
            Box::new(m0024_content::Migration),
            Box::new(m0025_publications::Migration),
            Box::new(m0026_staff_messages::Migration),
            Box::new(m0027_pages_that_quote::Migration),
        ]
    }
}

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};
