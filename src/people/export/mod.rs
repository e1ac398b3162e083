//! Registers as files: people, rosters and authorisations of a place, for papers and for the county's own tables.
//!
//! A file that leaves the house is masked unless somebody says why it must not be, and either way the audit knows who
//! took what (个人信息保护法 51, 54); it is written from pages of a thousand rows, never from the whole table. Next:
//! [`registers`] for what stands in them, [`crate::sheets`] for how it is written.

mod asked;
mod registers;

pub use asked::ExportQuery;

use actix_web::{HttpResponse, web::Data};

use self::{asked::Wish, registers::RegisterPages};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    problem::Problem,
    sheets,
};

/// Records who takes what, then answers with the file.
pub(super) async fn export(app: Data<App>, by: &Actor, wish: Wish) -> Result<HttpResponse, Problem> {
    let (name, kind) = (wish.file_name(), wish.format);
    let (keys, by, now) = (app.field_keys.clone(), by.clone(), app.clock.now());
    let mut act = Entry::done("export_register", "division", wish.place.id).of_fields(wish.said());
    act.reason.clone_from(&wish.reason);
    app.db.transact(async move |tx| audit::record(tx, &keys, &by, act.clone(), now).await).await?;
    sheets::answer(kind, &name, RegisterPages::of(app, wish)).await
}
