//! Shuoshi (说事): the open backend through which villagers reach their village.
//!
//! Start reading at [`app`]: it names every part. A feature is a folder of one shape: `api` (who, what, answer), `ops`
//! (load, decide, write), rules without a database, `jobs` for what happens later.

#![allow(rustdoc::private_intra_doc_links, reason = "pages point to where to read on, private or not")]

pub mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod calendar;
pub mod call_list;
pub mod cases;
pub mod catalogue;
pub mod clock;
pub mod commands;
pub mod config;
pub mod content;
pub mod crypto;
pub mod db;
pub mod demo;
pub mod dev;
pub mod divisions;
pub mod files;
pub mod guide;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod lists;
pub mod notices;
pub mod open311;
pub mod openapi;
pub mod operations;
pub mod people;
pub mod personal;
pub mod problem;
pub mod publications;
pub mod pushes;
pub mod reports;
pub mod settings;
pub mod sheets;
pub mod sms;
pub mod staffing;
pub mod subscriptions;
pub mod talks;
pub mod telemetry;
pub mod webhooks;
pub mod wechat;
pub mod wechat_sim;
pub mod wecom;

rust_i18n::i18n!("locales", fallback = "zh-CN");
