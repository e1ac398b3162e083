//! `audit verify`

use shuoshi::audit::verify::{Broken, Proved, verify};

use super::tamper;
use crate::support::{Engine, TestApp, TestDatabase, process};

async fn proved(app: &TestApp, from: Option<i64>) -> Result<Proved, Broken> {
    verify(app.db().read(), &app.app().field_keys, from).await.unwrap()
}

async fn six_entries(app: &TestApp) {
    for name in ["desk", "cadre", "town", "county", "admin", "discipline"] {
        app.staff(name).await;
    }
    assert_eq!(proved(app, None).await, Ok(Proved { from: 1, to: 6 }));
}

both_engines! {
    async fn an_empty_audit_is_whole_until_its_head_says_otherwise(app: TestApp) {
        assert_eq!(proved(&app, None).await, Ok(Proved { from: 0, to: 0 }));
        tamper(&app, "UPDATE audit_head SET seq = 3").await;
        assert_eq!(proved(&app, None).await, Err(Broken::EndCut { head: 3, last: 0 }));
    }

    async fn a_changed_entry_is_named_whichever_column_it_was(app: TestApp) {
        six_entries(&app).await;
        for (there, back) in [
            ("result = 'refused'", "result = 'done'"),
            ("reason = 'because'", "reason = NULL"),
            ("action = 'sign_out'", "action = 'sign_in'"),
        ] {
            tamper(&app, format!("UPDATE audit_entry SET {there} WHERE seq = 4")).await;
            assert_eq!(proved(&app, None).await, Err(Broken::Changed(4)), "{there}");
            assert_eq!(proved(&app, Some(5)).await, Ok(Proved { from: 5, to: 6 }), "what lies behind it");
            tamper(&app, format!("UPDATE audit_entry SET {back} WHERE seq = 4")).await;
            assert_eq!(proved(&app, None).await, Ok(Proved { from: 1, to: 6 }));
        }
    }

    async fn a_missing_entry_is_named_and_so_are_cut_ends(app: TestApp) {
        six_entries(&app).await;
        tamper(&app, "DELETE FROM audit_entry WHERE seq = 6").await;
        assert_eq!(proved(&app, None).await, Err(Broken::EndCut { head: 6, last: 5 }));
        tamper(&app, "UPDATE audit_head SET seq = 5").await;
        assert_eq!(proved(&app, None).await, Err(Broken::Head), "the hash tells it");
        tamper(&app, "UPDATE audit_head SET seq = 4").await;
        assert_eq!(proved(&app, None).await, Err(Broken::Beyond { head: 4, last: 5 }));
        tamper(&app, "DELETE FROM audit_entry WHERE seq = 3").await;
        assert_eq!(proved(&app, None).await, Err(Broken::Missing(3)));
        tamper(&app, "DELETE FROM audit_entry WHERE seq < 3").await;
        assert_eq!(proved(&app, None).await, Err(Broken::FrontCut(4)));
        assert_eq!(proved(&app, Some(9)).await, Err(Broken::NoSuchStart(9)));
    }

    async fn entries_in_another_order_or_given_another_number_do_not_fit(app: TestApp) {
        six_entries(&app).await;
        for (from, to) in [(3, 99), (4, 3), (99, 4)] {
            tamper(&app, format!("UPDATE audit_entry SET seq = {to} WHERE seq = {from}")).await;
        }
        assert_eq!(proved(&app, None).await, Err(Broken::Changed(3)));
    }

    async fn entries_written_at_once_make_one_chain(app: TestApp) {
        let other = app.second_server().await;
        let names = ["desk", "cadre", "cadre2", "town", "county", "admin", "discipline"];
        // Four each: a fifth failure would shut an account, and tries count while they are judged.
        let all = (0..28).map(|at| if at % 2 == 0 { &app } else { &other }.staff(names[at % names.len()]));
        futures_util::future::join_all(all).await;
        assert_eq!(proved(&app, None).await, Ok(Proved { from: 1, to: 28 }));
    }
}

/// The program says it in words, and its exit code tells a script.
async fn in_words(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let run = |arguments: &[&str]| process::run(&database, arguments, &[]);
    assert_eq!(run(&["audit", "verify"]), (0, "the audit is empty, and nothing was taken from it\n".to_owned()));
    for _ in 0..3 {
        assert_eq!(run(&["import", "catalogue", process::CATALOGUE]).0, 0);
    }
    let whole = "the audit is whole: entries 1 to 3 are as they were written\n";
    assert_eq!(run(&["audit", "verify"]), (0, whole.to_owned()));
    process::execute(&database, "UPDATE audit_entry SET action = 'nothing' WHERE seq = 2").await;
    assert_eq!(run(&["audit", "verify"]), (1, "entry 2 was changed\n".to_owned()));
    assert_eq!(run(&["audit", "verify", "--from", "3"]).0, 0);
    process::execute(&database, "DELETE FROM audit_entry WHERE seq = 2").await;
    assert_eq!(run(&["audit", "verify"]), (1, "entry 2 is missing\n".to_owned()));
    process::execute(&database, "DELETE FROM audit_entry WHERE seq = 3").await;
    let cut = "the end was cut: the head says 3, the last entry is 1\n";
    assert_eq!(run(&["audit", "verify"]), (1, cut.to_owned()));
    database.remove().await;
}

#[test]
fn the_command_names_what_is_broken_sqlite() {
    actix_web::rt::System::new().block_on(in_words(Engine::Sqlite));
}

#[test]
fn the_command_names_what_is_broken_postgres() {
    actix_web::rt::System::new().block_on(in_words(Engine::Postgres));
}
