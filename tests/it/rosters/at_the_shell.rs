//! `shuoshi import roster`: the same as the desk's call, for whoever has the machine.

use std::process::{Command, Output};

use entity::audit_entry;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use shuoshi::demo;

use super::citizen_no;

both_engines! {
    async fn the_operator_imports_by_the_same_rules(app: TestApp) {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("roster.csv");
        std::fs::write(&file, format!("姓名,身份证号\n王䶮,{}\n张二,123\n", citizen_no(1))).unwrap();
        let run = |more: &[&str]| -> Output {
            Command::new(env!("CARGO_BIN_EXE_shuoshi"))
                .args(["import", "roster", file.to_str().unwrap()])
                .args(more)
                .current_dir(folder.path())
                .env("SHUOSHI_ENV", "test")
                .env("SHUOSHI__DATABASE__URL", app.app().config.database.url.expose_secret())
                .output()
                .unwrap()
        };
        let said = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
        let whole = |output: &Output| format!("{}{}", said(output), String::from_utf8_lossy(&output.stderr));
        assert_eq!(run(&[]).status.code(), Some(2), "a roster needs a village");
        let village = ["--division", demo::VILLAGE];
        let stopped = run(&village);
        assert_eq!(stopped.status.code(), Some(1), "{}", whole(&stopped));
        assert!(said(&stopped).starts_with("line 3, citizen_no: must have 18 characters [wrong_length]"), "{}", whole(&stopped));
        let dry = run(&[&village[..], &["--dry-run"]].concat());
        assert!(said(&dry).ends_with("2 lines: would be 1 created, 0 updated, 0 unchanged, 1 left out\n"), "{}", whole(&dry));
        assert_eq!(app.number("SELECT count(*) FROM roster_entry").await, 0);
        let taken = run(&[&village[..], &["--skip-bad"]].concat());
        assert!(said(&taken).ends_with("2 lines: 1 created, 0 updated, 0 unchanged, 1 left out\n"), "{}", whole(&taken));
        assert_eq!(app.number("SELECT count(*) FROM roster_entry").await, 1);
        let entry = audit_entry::Entity::find().one(app.db().read()).await.unwrap().unwrap();
        assert_eq!((entry.actor_kind.as_str(), entry.action.as_str()), ("operator", "import_roster"));
    }
}
