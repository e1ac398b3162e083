//! Who should have a case: the duty list (职责清单) of its village, then of its township, with the reason in words.
//!
//! The list suggests and a person decides; what must not be is refused wherever work is given ([`super::ops`]). Next:
//! [`rules`] for the order in which entries fit, [`api`] for the calls.

pub mod api;
mod ops;
mod rules;
