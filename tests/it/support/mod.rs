//! What tests stand on: a fresh database of either engine, a real server on it, and actors that speak HTTP.
//!
//! ```ignore
//! both_engines! {
//!     async fn a_villager_has_an_inbox(app: TestApp) {
//!         let me = app.villager("甲").await;
//!         let inbox = me.get("/inbox").await.expect(200);
//!         assert_eq!(inbox["items"], json!([]));
//!         me.post("/inbox/no-such-thing/read", json!({})).await.problem("not_found");
//!     }
//! }
//! ```
//!
//! The clock stands until [`TestApp::advance`] moves it; jobs run when [`TestApp::drain_jobs`] says so, and a test that
//! leaves due jobs behind fails. [`engine`] knows the two engines, [`app`] the server, [`actor`] the callers.

pub mod actor;
pub mod answer;
pub mod app;
pub mod database;
#[macro_use]
pub mod engine;
pub mod line;
pub mod process;

pub use actor::Actor;
pub use answer::Answer;
pub use app::{TestApp, a_booking};
pub use database::TestDatabase;
pub use engine::Engine;

/// A topic every village knows.
pub const TOPIC: &str = "roads";
