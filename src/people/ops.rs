//! Operations on people, one file a matter.

pub mod agents;
pub mod authorise;
pub mod claims;
pub mod consents;
pub mod copy;
mod copy_public;
mod copy_talks;
pub mod forget;
pub mod household;
pub mod me;
pub mod merge;
pub mod phone;
pub mod register;
pub mod residence;
