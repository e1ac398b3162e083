//! Shuoshi (说事): the open backend through which villagers reach their village.
pub mod calendar;
pub mod cases;
pub mod clock;
pub mod config;
pub mod db;
pub mod problem;
pub mod talks;

rust_i18n::i18n!("locales", fallback = "zh-CN");
