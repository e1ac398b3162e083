//! What cases of a place come to in a period: open work by state and light, and the rates of honest closing.
//!
//! Rates are never a league table: each says of how many, and what is told of few people is not told. Silent closings are
//! in no numerator. Confidential cases and private matters are in none of them. Next: [`rates`] for the definitions.

pub mod api;
mod ops;
pub mod rates;
