//! Entries are kept as long as configured, then go from the front, and the rest still proves itself.

use chrono::TimeDelta;
use shuoshi::{
    audit::verify::{Broken, Proved, verify},
    jobs::sweeps::{self, Sweep},
};

use super::{entries, tamper};
use crate::support::TestApp;

async fn proved(app: &TestApp) -> Result<Proved, Broken> {
    verify(app.db().read(), &app.app().field_keys, None).await.unwrap()
}

async fn sweep(app: &TestApp) {
    sweeps::run(app.app(), Sweep::CutAudit).await.unwrap();
}

both_engines! {
    async fn what_is_old_goes_and_what_is_left_is_proved(app: TestApp) {
        for _ in 0..3 {
            app.staff("desk").await;
        }
        app.advance(TimeDelta::days(700));
        app.staff("town").await;
        sweep(&app).await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 1, to: 4 }), "nothing is old enough");
        app.advance(TimeDelta::days(500));
        sweep(&app).await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 4, to: 5 }));
        assert_eq!(entries(&app).await[1].action, "cut_audit");
        sweep(&app).await;
        assert_eq!(entries(&app).await.len(), 2, "a cut that takes nothing leaves nothing");

        app.advance(TimeDelta::days(2000));
        sweep(&app).await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 6, to: 6 }), "the last cut is told of, even alone");
        app.staff("desk").await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 6, to: 7 }));
        app.drain_jobs().await;
    }

    async fn a_cut_that_nobody_made_is_found(app: TestApp) {
        for _ in 0..3 {
            app.staff("desk").await;
        }
        app.advance(TimeDelta::days(1200));
        app.staff("town").await;
        sweep(&app).await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 4, to: 5 }));
        app.staff("desk").await;
        tamper(&app, "UPDATE audit_entry SET object_id = '4' WHERE action = 'cut_audit'").await;
        tamper(&app, "DELETE FROM audit_entry WHERE seq = 4").await;
        assert_eq!(proved(&app).await, Err(Broken::Changed(5)), "an entry was cut, and the cut was made to fit");
        app.drain_jobs().await;
    }

    async fn another_span_may_be_configured(app: TestApp) {
        let short = app.second_server_with(|config| config.audit.keep_months = 6).await;
        app.staff("desk").await;
        app.advance(TimeDelta::days(190));
        sweep(&short).await;
        assert_eq!(proved(&app).await, Ok(Proved { from: 2, to: 2 }));
        app.drain_jobs().await;
    }
}
