//! `doctor`: names everything that is wrong, at once, and what to do.

use crate::support::{Engine, TestDatabase, process};

/// Bytes that nobody typed.
const GOOD: [&str; 4] = [
    "Rxl9u2c+KimLXBJSaEkJnCeG5tAWxL0y+0QYGr8UgNI=",
    "AOSosgFv4QGhpfnmFA2FsXQ3hW2cprLABZDPytolhK8=",
    "Wscal0nPUicUe9DMg7BZIaiKwWeZfL68UqchgYLeJhg=",
    "Gfh+R76hfW/WjPqXByKIZyy5rwzn9jdGK2lsraxFVb0=",
];

/// What a production server needs besides a database.
fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("SHUOSHI_ENV", "production"),
        ("SHUOSHI__AUTH__JWT_KEYS__J1", GOOD[0]),
        ("SHUOSHI__AUTH__ACTIVE_JWT_KEY", "j1"),
        ("SHUOSHI__CRYPTO__FIELD_KEYS__F1", GOOD[1]),
        ("SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY", "f1"),
        ("SHUOSHI__CRYPTO__INDEX_KEY", GOOD[2]),
        ("SHUOSHI__CRYPTO__AUDIT_KEY", GOOD[3]),
        ("SHUOSHI__WECHAT__APP_ID", "wx0123456789abcdef"),
        ("SHUOSHI__WECHAT__SECRET", "0123456789abcdef0123456789abcdef"),
        ("SHUOSHI__WECHAT__PUSH_TOKEN", "atoken"),
        ("SHUOSHI__WECHAT__PUSH_AES_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
        // Nobody listens there.
        ("SHUOSHI__WECHAT__BASE_URL", "http://127.0.0.1:9"),
        ("SHUOSHI__LOG__FILTER", "error"),
    ]
}

fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut all = complete();
    all.extend(changes.iter().copied());
    all
}

fn doctor(database: &TestDatabase, variables: &[(&str, &str)]) -> (i32, String) {
    process::run(database, &["doctor"], variables)
}

#[track_caller]
fn says(said: &str, lines: &[&str]) {
    for line in lines {
        assert!(said.lines().any(|found| found.starts_with(line)), "no line begins with '{line}':\n{said}");
    }
}

fn run<F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(TestDatabase) -> F) {
    actix_web::rt::System::new().block_on(async move { body(TestDatabase::filled(engine).await).await });
}

#[test]
fn an_empty_production_configuration_is_told_everything_at_once() {
    run(Engine::Sqlite, async |database| {
        let (code, said) = doctor(&database, &[("SHUOSHI_ENV", "production")]);
        assert_eq!(code, 1);
        says(
            &said,
            &[
                "TO DO  configuration: auth.active_jwt_key must name one of auth.jwt_keys",
                "TO DO  configuration: crypto.active_field_key must name one of crypto.field_keys",
                "TO DO  configuration: crypto.index_key is missing: base64 of 32 bytes; `shuoshi keys new` makes one",
                "TO DO  configuration: crypto.audit_key is missing",
                "TO DO  configuration: wechat.app_id is missing",
                "TO DO  configuration: wechat.secret is missing",
                "TO DO  secrets: wechat.push_token is missing",
                "TO DO  secrets: wechat.push_aes_key is missing",
                // It went on.
                "ok     database: answers (sqlite)",
                "TO DO  accounts: this database has demonstration accounts",
                "TO DO  WeChat: api.weixin.qq.com cannot be reached: ",
            ],
        );
    });
}

#[test]
fn wrong_and_unknown_keys_of_the_configuration_are_all_named_without_their_values() {
    run(Engine::Sqlite, async |database| {
        let wrong = with(&[
            ("SHUOSHI__HTTP__WORKERS", "plenty"),
            ("SHUOSHI__HTTP__BINDD", "0.0.0.0:80"),
            ("SHUOSHI__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,example.com"),
            ("SHUOSHI__AUDIT__KEEP_MONTHS", "3"),
            ("SHUOSHI__WECHAT__PUSH_AES_KEY", "tooshort"),
            ("SHUOSHI__WECOM__CORP_ID", "ww0123456789abcdef"),
        ]);
        let (code, said) = doctor(&database, &wrong);
        assert_eq!(code, 1);
        says(
            &said,
            &[
                "TO DO  configuration: http.workers must be",
                "TO DO  configuration: http.bindd is not a known key",
                "TO DO  configuration: http.trusted_proxies must be",
                "TO DO  configuration: audit.keep_months must be 6 or more",
                "TO DO  configuration: wechat.push_aes_key must be the 43 characters",
                "TO DO  configuration: wecom.secret is missing, and WeCom is configured in part",
                "TO DO  configuration: wecom.agent_id is missing, and WeCom is configured in part",
                "ok     database: answers (sqlite)",
            ],
        );
        assert!(!said.contains("plenty") && !said.contains("tooshort"), "{said}");
    });
}

#[test]
fn weak_shared_short_and_public_keys_are_named() {
    run(Engine::Sqlite, async |database| {
        let wrong = with(&[
            ("SHUOSHI__CRYPTO__FIELD_KEYS__ONES", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
            ("SHUOSHI__CRYPTO__FIELD_KEYS__WORDS", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSAxMjM="),
            ("SHUOSHI__CRYPTO__FIELD_KEYS__SHORT", "AAECAwQFBgc="),
            ("SHUOSHI__CRYPTO__FIELD_KEYS__PUBLIC", "c2h1b3NoaSBkZW1vIGZpZWxkIGtleSwgcHVibGljISE="),
            ("SHUOSHI__CRYPTO__AUDIT_KEY", GOOD[0]),
        ]);
        let (code, said) = doctor(&database, &wrong);
        assert_eq!(code, 1);
        says(
            &said,
            &[
                "TO DO  keys: crypto.field_keys.ones is weak: it is one byte, repeated",
                "TO DO  keys: crypto.field_keys.words is weak: it is made of words or digits",
                "TO DO  configuration: crypto.field_keys.short must be base64 of exactly 32 bytes",
                "TO DO  configuration: crypto.field_keys.public: a demonstration secret",
                "TO DO  configuration: crypto.audit_key is the same key as auth.jwt_keys.j1",
            ],
        );
        assert!(!said.contains("AQEBAQ") && !said.contains(GOOD[0]), "keys are named, not shown: {said}");
    });
}

#[test]
fn a_complete_production_server_has_only_its_wechat_to_see_to() {
    run(Engine::Sqlite, async |database| {
        process::execute(&database, "UPDATE staff SET demonstration = false WHERE username IN ('town', 'desk')").await;
        process::execute(&database, "UPDATE staff SET dismissed_at = created_at WHERE demonstration").await;
        let (code, said) = doctor(&database, &complete());
        assert_eq!(code, 1);
        says(
            &said,
            &[
                "ok     configuration: complete (Production)",
                "ok     keys: 1 for fields, 1 for tokens, none of them public",
                "ok     migrations: all applied",
                "ok     audit: empty",
                "ok     keys: everything is sealed with the active key",
                "ok     accounts: no demonstration accounts",
                "note   accounts: 1 of township or above without a second factor (town)",
                "note   WeCom: not configured",
                "note   notices: no message templates (notices.templates); nobody is told by WeChat",
                "note   notices: no text messages (sms.provider); who has no WeChat is called",
                "note   notices: neither WeCom nor robots (notices.robots); staff see their inbox alone",
                "note   content: no address for the outside (files.public_url); photos wait for somebody of the desk",
                "TO DO  WeChat: 127.0.0.1:9 cannot be reached: no connection; let this machine out to it",
            ],
        );
        let to_do: Vec<_> = said.lines().filter(|line| line.starts_with("TO DO")).collect();
        assert!(to_do.iter().all(|line| line.contains("WeChat") || line.contains("calendar")), "{to_do:?}");
    });
}

async fn looks_into_the_database(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let both = [("SHUOSHI__CRYPTO__FIELD_KEYS__FRESH", GOOD[0]), ("SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY", "fresh")];
    process::execute(&database, "UPDATE staff SET totp_secret = 'demo.AAAA' WHERE username = 'town'").await;
    process::execute(&database, "UPDATE staff SET totp_secret = 'lost.AAAA' WHERE username = 'county'").await;
    assert_eq!(process::run(&database, &["import", "catalogue", process::CATALOGUE], &[]).0, 0);
    assert_eq!(process::run(&database, &["import", "catalogue", process::CATALOGUE], &[]).0, 0);
    process::execute(&database, "UPDATE audit_entry SET action = 'x' WHERE seq = 1").await;
    let (code, said) = doctor(&database, &both);
    assert_eq!(code, 1);
    says(
        &said,
        &[
            "note   keys: 1 values (staff) are still sealed with the key 'demo'; `shuoshi keys rotate`",
            "TO DO  keys: 1 values (staff) are sealed with the key 'lost', which crypto.field_keys lacks; put it back",
            "TO DO  audit: entry 1 was changed",
            "note   accounts: demonstration accounts are there",
        ],
    );
    assert!(!said.contains("AAAA"), "{said}");
    process::execute(&database, "UPDATE staff SET totp_secret = NULL").await;
    process::execute(&database, "UPDATE audit_entry SET action = 'import_catalogue' WHERE seq = 1").await;
    let (_, said) = doctor(&database, &both);
    says(&said, &["ok     audit: entries 1 to 2 are as they were written", "ok     keys: everything is sealed"]);
    database.remove().await;
}

#[test]
fn lost_keys_old_keys_and_a_broken_audit_are_found_sqlite() {
    actix_web::rt::System::new().block_on(looks_into_the_database(Engine::Sqlite));
}

#[test]
fn lost_keys_old_keys_and_a_broken_audit_are_found_postgres() {
    actix_web::rt::System::new().block_on(looks_into_the_database(Engine::Postgres));
}

#[test]
fn ways_of_telling_people_and_the_store_are_looked_at() {
    run(Engine::Sqlite, async |database| {
        let folder = tempfile::tempdir().unwrap();
        let (store, file) = (folder.path().join("store"), folder.path().join("a-file"));
        std::fs::create_dir(&store).unwrap();
        std::fs::write(&file, b"x").unwrap();
        let said = |place: &std::path::Path| {
            let place = format!("file:{}", place.display());
            let robot = "SHUOSHI__NOTICES__ROBOTS__511702108212";
            let more = [
                ("SHUOSHI__FILES__STORE", place.as_str()),
                ("SHUOSHI__FILES__PUBLIC_URL", "https://village.example"),
                (robot, "00000000-0000-4000-8000-000000000000"),
            ];
            let mut all = complete().into_iter().collect::<Vec<(&str, &str)>>();
            all.extend(more);
            doctor(&database, &all).1
        };
        let well = said(&store);
        let taken = format!("ok     store: {} takes files and gives them back", store.display());
        let content = "ok     content: WeChat fetches photos from village.example";
        says(&well, &["ok     notices: staff are told by 1 robots", content, &taken]);
        assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0, "what it tried with is gone again");
        says(&said(&file), &["TO DO  store: "]);
        // A development server tells by every way, and of most things by WeChat.
        let (_, said) = doctor(&database, &[]);
        says(&said, &["note   notices: no message template for general;", "ok     notices: text messages are on"]);
    });
}

#[test]
fn a_database_that_does_not_answer_hides_nothing_else() {
    run(Engine::Sqlite, async |database| {
        let gone = [("SHUOSHI__DATABASE__URL", "postgres://nobody@127.0.0.1:9/none"), ("SHUOSHI_ENV", "nowhere")];
        let (code, said) = doctor(&database, &gone);
        assert_eq!(code, 1);
        says(
            &said,
            &[
                "TO DO  configuration: SHUOSHI_ENV must be development, test or production, not 'nowhere'",
                "TO DO  database: ",
                "TO DO  WeChat: ",
            ],
        );
    });
}
