//! The seam between the engines: transactions, readers, migrations, and whether tables and entities agree.

mod lane;
mod schema;
mod transact;
