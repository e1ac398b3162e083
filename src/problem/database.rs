//! What becomes of a fault of the database: another try, come back later, a code of the table, or unexpected.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

use super::{Code, Problem};

impl From<DbErr> for Problem {
    fn from(fault: DbErr) -> Self {
        match sql_state(&fault).as_deref() {
            // serialization_failure, deadlock_detected
            Some("40001" | "40P01") => return Self::try_again(fault),
            // lock_not_available, query_canceled, too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now
            Some("55P03" | "57014" | "53300" | "57P01" | "57P02" | "57P03") => return Self::busy(&fault),
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
        // SQLITE_BUSY and SQLITE_LOCKED: another process holds the file.
        || sql_state(fault).is_some_and(|code| code == "5" || code == "6")
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
