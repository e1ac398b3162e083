//! Finding cases by what people remember of them: a number, a name, a phone, some words (decision 0024).
//!
//! [`terms`] says what a word is, [`keep`] reads new cases for their words, [`find`] answers `?q=`.

pub mod find;
pub mod keep;
mod terms;

use entity::id::DivisionId;

/// The term by which cases of a place are found, confidential ones by another than the rest: who may not know of them
/// never has them among what the engine finds, and so not in its time either.
fn place(place: DivisionId, confidential: bool) -> String {
    let mark = if confidential { "@@" } else { "@" };
    format!("{mark}{}", place.0.simple())
}
