//! Shuoshi (说事): the open backend through which villagers reach their village.
pub mod calendar;
pub mod cases;
pub mod clock;
pub mod talks;
