//! What becomes of a fault of the database: another try, come back later, a code of the table, or unexpected.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx::sqlite::SqliteError};

use super::{Code, Problem};

/// States of `PostgreSQL` that pass by themselves.
const COMES_BACK: [&str; 8] = [
    "25006", // read_only_sql_transaction: another server is the primary by now
    "25P03", // idle_in_transaction_session_timeout
    "53300", // too_many_connections
    "55P03", // lock_not_available
    "57014", // query_canceled: statement_timeout
    "57P01", // admin_shutdown
    "57P02", // crash_shutdown
    "57P03", // cannot_connect_now
];

impl From<DbErr> for Problem {
    fn from(fault: DbErr) -> Self {
        match sql_state(&fault).as_deref() {
            // serialization_failure, deadlock_detected
            Some("40001" | "40P01") => return Self::try_again(fault),
            // connection_exception: what a pooler says when its server is away
            Some(state) if state.starts_with("08") || COMES_BACK.contains(&state) => return Self::busy(&fault),
            _ => {}
        }
        match fault {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::busy(&fault),
            _ if is_transport(&fault) => Self::busy(&fault),
            _ => Self::unexpected(fault),
        }
    }
}

fn runtime(fault: &DbErr) -> Option<&sea_orm::sqlx::Error> {
    match fault {
        DbErr::Exec(RuntimeErr::SqlxError(fault)) | DbErr::Query(RuntimeErr::SqlxError(fault)) => Some(fault),
        _ => None,
    }
}

fn sql_state(fault: &DbErr) -> Option<String> {
    Some(runtime(fault)?.as_database_error()?.code()?.into_owned())
}

fn is_transport(fault: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    matches!(runtime(fault), Some(Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed))
        || is_held_by_another(fault).unwrap_or(false)
}

/// `SQLITE_BUSY` or `SQLITE_LOCKED`: another process holds the file. Extended codes say more in higher bits.
fn is_held_by_another(fault: &DbErr) -> Option<bool> {
    let fault = runtime(fault)?.as_database_error()?;
    fault.try_downcast_ref::<SqliteError>()?;
    let code: u32 = fault.code()?.parse().ok()?;
    Some(matches!(code & 0xff, 5 | 6))
}

/// A transaction that did not begin: over a connection that had ended while it was idle, another try is worth it.
pub(crate) fn not_begun(fault: DbErr) -> Problem {
    let ended = matches!(runtime(&fault), Some(sea_orm::sqlx::Error::Io(_)))
        || sql_state(&fault).is_some_and(|state| ["57P01", "57P02"].contains(&state.as_str()));
    if ended { Problem::try_again(fault) } else { fault.into() }
}

/// Turns *this statement's* unique violation into a code: constraint names differ between engines.
pub trait OnUnique<T> {
    /// `code` when a unique index refused the row.
    fn on_unique(self, code: Code) -> Result<T, Problem>;
}

impl<T> OnUnique<T> for Result<T, DbErr> {
    fn on_unique(self, code: Code) -> Result<T, Problem> {
        self.map_err(|fault| match fault.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Problem::new(code),
            _ => Problem::from(fault),
        })
    }
}
