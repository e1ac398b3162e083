use std::process::Command;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{exported, with};
use crate::support::{Actor, Answer};

async fn import(admin: &Actor, query: &str, file: &Value) -> Answer {
    let call = admin.call(reqwest::Method::POST, &format!("/api/v1/staff/catalogue/import{query}"));
    call.body("application/json", file.to_string()).send().await
}

both_engines! {
    async fn what_is_exported_comes_in_again_and_changes_nothing(app: TestApp) {
        let admin = app.staff("admin").await;
        let file = admin.get("/staff/catalogue/export").await.expect(200);
        assert_eq!(file["items"].as_array().unwrap().len(), 60);
        let report = import(&admin, "", &file).await.expect(200);
        assert_eq!((&report["added"], &report["changed"], &report["unchanged"]), (&json!(0), &json!(0), &json!(60)));
        assert_eq!(app.number("SELECT count(*) FROM service_item").await, 60);
        assert_eq!(admin.get("/staff/catalogue/export").await.expect(200), file);
    }

    async fn what_is_changed_becomes_a_version_and_what_is_new_an_item(app: TestApp) {
        let admin = app.staff("admin").await;
        let changed = with(exported(&admin, "DZ-MZ-01").await, "fee", json!("5"));
        let fresh = with(with(changed.clone(), "item_code", json!("DZ-XX-01")), "pre_check", json!([]));
        let same = exported(&admin, "DZ-MZ-02").await;
        let file = json!({"about": "样例", "items": [changed, fresh, same]});
        let would = import(&admin, "?dry_run=true", &file).await.expect(200);
        assert_eq!(would["dry_run"], true);
        assert_eq!(app.number("SELECT count(*) FROM service_item").await, 60, "a rehearsal writes nothing");
        let did = import(&admin, "", &file).await.expect(200);
        assert_eq!(did["items"], json!([{"code": "DZ-MZ-01", "version": 2}, {"code": "DZ-XX-01", "version": 1}]));
        assert_eq!((&did["items"], &did["added"], &did["unchanged"]), (&would["items"], &json!(1), &json!(1)));
        assert_eq!(app.nobody().get("/catalogue/DZ-MZ-01").await.expect(200)["fee"], "5");
        let versions = admin.get("/staff/catalogue/DZ-MZ-01/versions").await.expect(200);
        assert_eq!(versions["items"][0]["published_by"], admin.id());
        let entries = admin.get("/staff/audit?action=import_catalogue").await.expect(200);
        assert_eq!(entries["items"][0]["fields"], "added 1 changed 1 unchanged 1");
    }

    async fn one_bad_item_keeps_the_whole_file_out(app: TestApp) {
        let admin = app.staff("admin").await;
        let good = with(exported(&admin, "DZ-MZ-03").await, "fee", json!("5"));
        let bad = with(good.clone(), "promised_days", json!(99));
        let worse = with(with(good.clone(), "item_code", json!("DZ-MZ-04")), "colour", json!(1));
        let away = json!([{"id": "a", "text": "是吗？", "answers": [
            {"label": "是", "value": "yes", "outcome": {"kind": "other_item", "code": "NO-SUCH"}},
        ]}]);
        let told = import(&admin, "", &json!({"items": [good, bad, worse]})).await;
        let body = told.invalid("/items/1/promised_days", "beyond_the_law");
        let codes: Vec<&Value> = body["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
        assert_eq!(codes, ["beyond_the_law", "duplicate", "unknown_field"]);
        let lost = with(exported(&admin, "DZ-MZ-05").await, "pre_check", away);
        import(&admin, "", &json!({"items": [lost]})).await.invalid("/items/0/pre_check/0/answers/0/outcome/code", "unknown");
        import(&admin, "", &json!({"items": {}})).await.invalid("/items", "type");
        let call = |text: String| {
            let call = admin.call(reqwest::Method::POST, "/api/v1/staff/catalogue/import");
            call.body("application/json", text).send()
        };
        call("{\"items\": [".to_owned()).await.problem("malformed");
        call(format!("{{\"items\": [], \"about\": \"{}\"}}", "x".repeat(4 * 1024 * 1024))).await.problem("too_large");
        assert_eq!(app.number("SELECT count(*) FROM service_item").await, 60);
    }

    async fn the_operator_imports_by_the_same_rules(app: TestApp) {
        let admin = app.staff("admin").await;
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("catalogue.json");
        let run = |items: Value| {
            std::fs::write(&file, json!({"items": items}).to_string()).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_shuoshi"))
                .args(["import", "catalogue", file.to_str().unwrap()])
                .current_dir(folder.path())
                .env("SHUOSHI_ENV", "test")
                .env("SHUOSHI__DATABASE__URL", app.app().config.database.url.expose_secret())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.code(), format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
        };
        let good = with(exported(&admin, "DZ-MZ-03").await, "fee", json!("5"));
        let (code, said) = run(json!([good.clone(), with(good.clone(), "name", json!(""))]));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("/items/1/name: must not be empty [empty]"), "{said}");
        assert_eq!(app.number("SELECT count(*) FROM service_item").await, 60);
        let (code, said) = run(json!([good]));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("0 items added, 1 changed, 0 as before"), "{said}");
        assert_eq!(app.nobody().get("/catalogue/DZ-MZ-03").await.expect(200)["fee"], "5");
    }
}
