//! The audit: who did or read what, with a reason, in a chain that shows when it was tampered with.
//!
//! [`record`] adds an entry in the transaction of what it tells of; each entry carries a keyed hash over itself and the
//! one before, so that a changed, cut or slipped-in row is found and named (个人信息保护法 54, 网络数据安全管理条例 17;
//! 信访工作条例 46). Log lines hold no personal data, and neither do entries: they name rows. What is read is entered by
//! [`note`] before it is answered. Next: [`chain`] for adding, [`verify`] for proving, [`keep`] for letting go; decision
//! 0012 says what the chain proves.

pub mod api;
pub mod chain;
pub mod keep;
mod ops;
pub mod reveal;
pub mod verify;

pub use chain::{Actor, Entry, record};

use utoipa_actix_web::service_config::ServiceConfig;

use crate::{app::App, problem::Problem};

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_audit);
}

/// Enters that something was read, before it is answered: what cannot be entered is not shown (503).
///
/// # Errors
/// `busy`.
pub async fn note(app: &App, by: &Actor, entry: Entry) -> Result<(), Problem> {
    let (keys, now, by) = (app.field_keys.clone(), app.clock.now(), by.clone());
    let written = app.db.transact(async move |tx| record(tx, &keys, &by, entry.clone(), now).await);
    written.await.map_err(|fault| {
        let reason = fault.source_text().unwrap_or(fault.code().slug());
        Problem::busy(&format!("a read could not be entered in the audit: {reason}"))
    })
}
