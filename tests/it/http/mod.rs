//! What is the same for every call: failures, headers, bodies, pages, compression, stopping.

mod bodies;
mod edges;
mod envelope;
mod operations;
mod paging;
mod sizes;
mod stopping;
