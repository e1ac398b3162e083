//! The seam between the engines: transactions, readers, migrations, whether tables and entities agree, and what
//! becomes of calls when the database is away.

mod away;
mod faults;
mod lane;
mod schema;
mod transact;

use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use secrecy::ExposeSecret;

use crate::support::TestApp;

fn url(app: &TestApp) -> String {
    app.app().config.database.url.expose_secret().to_owned()
}

/// One connection past the server.
async fn a_connection(app: &TestApp) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url(app));
    Database::connect(options.max_connections(1).to_owned()).await.unwrap()
}
