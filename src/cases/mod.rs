//! Cases: a matter somebody follows from submission to closing.
pub mod number;
