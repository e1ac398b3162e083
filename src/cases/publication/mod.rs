//! Cases that anybody may see, without whose they are (Open311).
//!
//! The villager says so when filing, and may take it back; the desk may withhold a case, and show it again as long as the
//! villager agrees. Questions, pleas for help and suggestions can be public; complaints, reports, errands, confidential
//! cases and private matters never are. A public case has a number of its own (`public_id`), because the number on the
//! receipt opens tracking. Decision 0023 says why. Next: [`ops`] for the rules, `crate::open311` for what is shown.

pub mod api;
pub mod ops;

pub(super) use ops::look_at;
pub use ops::{FromOutside, TEXT, file_from_outside, names};

use entity::{
    case::{self, CaseConcern, CaseKind, CaseState},
    person,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait},
};

/// Digits of a number that anybody may know.
const DIGITS: usize = 12;

/// Whether a matter of this kind can be public.
#[must_use]
pub fn can_be_public(kind: CaseKind, concern: Option<CaseConcern>) -> bool {
    let open = [CaseConcern::Question, CaseConcern::Help, CaseConcern::Suggestion];
    kind == CaseKind::Voice && concern.is_some_and(|concern| open.contains(&concern))
}

/// A new number for a public case.
#[must_use]
pub(super) fn fresh_id() -> String {
    (0..DIGITS).map(|_| char::from(b'0' + rand::random_range(0..10_u8))).collect()
}

/// The cases that anybody may see.
#[must_use]
pub fn shown() -> Condition {
    Condition::all()
        .add(case::COLUMN.public.eq(true))
        .add(case::COLUMN.public_id.is_not_null())
        .add(case::COLUMN.kind.eq(CaseKind::Voice))
        .add(case::COLUMN.confidential.eq(false))
        .add(case::COLUMN.private.eq(false))
        .add(case::COLUMN.state.is_not_in([CaseState::Draft, CaseState::Withdrawn]))
        .add(Expr::exists(of_a_child().into_query()).not())
}

/// Whose it is turned out to be a child: of children nothing is shown (未成年人网络保护条例 36).
fn of_a_child() -> Select<person::Entity> {
    let whose = Expr::col((person::Entity, person::Column::Id)).equals((case::Entity, case::Column::PersonId));
    person::Entity::find().select_only().column(person::Column::Id).filter(whose).filter(person::COLUMN.minor.eq(true))
}
