//! The two engines, and the macro that runs a test on both.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;

use super::{TestApp, TestDatabase};

/// Where a test's data lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server that `SHUOSHI_TEST_POSTGRES` names.
    Postgres,
}

/// Runs `body` with a fresh application, then looks for what it left behind.
pub fn run<F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(TestApp) -> F) {
    actix_web::rt::System::new().block_on(async move {
        let app = TestApp::start(engine).await;
        let outcome = AssertUnwindSafe(body(app.clone())).catch_unwind().await;
        let left = if outcome.is_ok() { app.leftover_jobs().await } else { vec![] };
        app.finish().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        assert!(left.is_empty(), "due jobs were left behind (app.drain_jobs() runs them): {left:?}");
    });
}

/// Runs `body` with a database that holds nothing, not even tables.
pub fn run_on_nothing<F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(String) -> F) {
    actix_web::rt::System::new().block_on(async move {
        let database = TestDatabase::empty(engine).await;
        let outcome = AssertUnwindSafe(body(database.url.clone())).catch_unwind().await;
        database.remove().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Makes of each function the two tests `name::sqlite` and `name::postgres`.
///
/// A function takes `app: TestApp`, or `url: EmptyDatabase` for the address of a database without tables.
macro_rules! both_engines {
    () => {};
    ($(#[$note:meta])* async fn $name:ident($app:ident: TestApp) $body:block $($more:tt)*) => {
        both_engines!(@ run $(#[$note])* $name $app $body);
        both_engines!($($more)*);
    };
    ($(#[$note:meta])* async fn $name:ident($url:ident: EmptyDatabase) $body:block $($more:tt)*) => {
        both_engines!(@ run_on_nothing $(#[$note])* $name $url $body);
        both_engines!($($more)*);
    };
    (@ $run:ident $(#[$note:meta])* $name:ident $given:ident $body:block) => {
        $(#[$note])*
        mod $name {
            #[allow(unused_imports, reason = "the body uses what its file uses")]
            use super::*;

            #[test]
            fn sqlite() {
                $crate::support::engine::$run($crate::support::Engine::Sqlite, async |$given| $body);
            }

            #[test]
            fn postgres() {
                $crate::support::engine::$run($crate::support::Engine::Postgres, async |$given| $body);
            }
        }
    };
}
