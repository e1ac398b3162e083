//! The seam between the engines: transactions, readers, migrations, and whether tables and entities agree.

mod schema;
mod transact;
