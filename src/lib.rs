//! Shuoshi (说事): the open backend through which villagers reach their village.
pub mod clock;
