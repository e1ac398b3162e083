//! What must never lie open: neither in the database nor in the log.

mod dump;
