//! The command line, as the real program.

mod backup;
mod doctor;
