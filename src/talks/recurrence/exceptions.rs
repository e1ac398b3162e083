//! Days on which a rule does something else. What they come to: [`crate::talks::sittings`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most exceptions one rule may carry.
pub const MOST_EXCEPTIONS: usize = 200;

/// A day on which a rule does something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Exception {
    /// No talk day on this day.
    Skip {
        /// The day left out.
        date: NaiveDate,
    },
    /// On another day instead.
    Move {
        /// The day left out.
        date: NaiveDate,
        /// The day in its place.
        to: NaiveDate,
    },
    /// On this day as well.
    Add {
        /// The day put in.
        date: NaiveDate,
    },
}

/// What is wrong with a list of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionFault {
    /// More than [`MOST_EXCEPTIONS`].
    TooMany,
    /// A day is moved to itself.
    MovedNowhere {
        /// Where the exception stands, from 0.
        index: usize,
    },
}

impl ExceptionFault {
    /// The stable slug of this fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::MovedNowhere { .. } => "moved_nowhere",
        }
    }
}

/// Whether the exceptions can be meant.
pub fn check_exceptions(exceptions: &[Exception]) -> Result<(), ExceptionFault> {
    if exceptions.len() > MOST_EXCEPTIONS {
        return Err(ExceptionFault::TooMany);
    }
    match exceptions.iter().position(|e| matches!(e, Exception::Move { date, to } if date == to)) {
        Some(index) => Err(ExceptionFault::MovedNowhere { index }),
        None => Ok(()),
    }
}
