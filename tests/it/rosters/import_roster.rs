//! Rosters come in as desks save them, or not at all.

use encoding_rs::GB18030;
use entity::{person, roster_entry};
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use shuoshi::personal::{PersonName, Personal, PhoneNumber};

use super::{Resident, WORKBOOK, citizen_no, roster_of, send, send_csv, texts};
use crate::support::TestApp;

const ALL: &str = "姓名,身份证号,户号,组,电话,备注";

fn line(which: u32, rest: &str) -> String {
    format!("张{},{}{rest}\n", ["一", "二", "三", "四"][which as usize % 4], citizen_no(which))
}

fn counts(report: &Value) -> [u64; 5] {
    ["rows", "created", "updated", "unchanged", "skipped"].map(|name| report[name].as_u64().unwrap())
}

async fn lines_of(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM roster_entry").await
}

/// Names of the roster, as they were written.
async fn names(app: &TestApp) -> Vec<String> {
    let keys = &app.app().field_keys;
    let rows = roster_entry::Entity::find().all(app.db().read()).await.unwrap();
    let name = |row: roster_entry::Model| keys.open::<PersonName>(&row.name).unwrap().in_the_clear().to_owned();
    let mut names: Vec<String> = rows.into_iter().map(name).collect();
    names.sort();
    names
}

both_engines! {
    async fn a_roster_is_taken_in_and_again_changes_nothing(app: TestApp) {
        let file = format!("{ALL}\n{}{}", line(1, ",12,一组,13800000000,低保户"), line(2, ",12,,,"));
        let report = send_csv(&app, "", &file).await.expect(200);
        assert_eq!(counts(&report), [2, 2, 0, 0, 0]);
        assert_eq!((&report["dry_run"], &report["faults"], &report["more_faults"]), (&json!(false), &json!([]), &json!(0)));
        assert_eq!(counts(&send_csv(&app, "", &file).await.expect(200)), [2, 0, 0, 2, 0]);
        assert_eq!(app.number("SELECT count(*) FROM household").await, 1);

        let changed = format!("{ALL}\n{}{}", line(1, ",12,二组,13800000000,低保户"), line(3, ",13,,,"));
        assert_eq!(counts(&send_csv(&app, "", &changed).await.expect(200)), [2, 1, 1, 0, 0]);
        assert_eq!(lines_of(&app).await, 3);
        assert_eq!(app.number("SELECT count(*) FROM household").await, 2);
        // Who brought how much is in the audit, and of whom is not.
        let said = texts(&app, "SELECT fields FROM audit_entry WHERE action = 'import_roster' ORDER BY seq").await;
        assert_eq!(said[0], "rows 2 created 2 updated 0 unchanged 0 skipped 0");
        assert_eq!(said.len(), 3);
    }

    async fn what_a_file_lacks_it_says_nothing_about(app: TestApp) {
        send_csv(&app, "", &format!("{ALL}\n{}", line(1, ",12,一组,13800000000,低保户"))).await.expect(200);
        let report = send_csv(&app, "", &format!("citizen_no,name,group\n{},张二,三组\n", citizen_no(1))).await.expect(200);
        assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
        let row = roster_entry::Entity::find().one(app.db().read()).await.unwrap().unwrap();
        assert_eq!((row.household_no.as_deref(), row.group_name.as_deref()), (Some("12"), Some("三组")));
        assert!(row.phone.is_some() && row.note.is_some());
        // An empty cell does say something.
        send_csv(&app, "", &format!("citizen_no,name,phone\n{},张二,\n", citizen_no(1))).await.expect(200);
        let row = roster_entry::Entity::find().one(app.db().read()).await.unwrap().unwrap();
        assert!(row.phone.is_none() && row.phone_hash.is_none() && row.note.is_some());
    }

    async fn one_bad_line_stops_all_unless_it_may_be_skipped(app: TestApp) {
        let file = format!(
            "{ALL}\n{}\n<b>,{},,,110,\n张四,{},,,,\n,\n张五,5.11725E+17,,,,\n张六,,,,,\n",
            line(1, ",,,,").trim_end(), citizen_no(2), citizen_no(1),
        );
        let refused = send_csv(&app, "", &file).await;
        for (pointer, code) in [
            ("/lines/3/name", "format"),
            ("/lines/3/phone", "format"),
            ("/lines/4/citizen_no", "duplicate_line"),
            ("/lines/6/citizen_no", "digits_lost"),
            ("/lines/7/citizen_no", "required"),
        ] {
            let told = refused.body["errors"].as_array().unwrap();
            assert!(told.iter().any(|error| error["pointer"] == pointer && error["code"] == code), "{}", refused.text());
        }
        let body = refused.problem("invalid");
        assert_eq!(body["more_faults"], 0);
        assert!(body["errors"][2]["detail"].as_str().unwrap().ends_with("(2)"), "{body}");
        assert_eq!(lines_of(&app).await, 0);
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'import_roster'").await, 0);

        let dry = send_csv(&app, "?dry_run=true", &file).await.expect(200);
        assert_eq!((&dry["dry_run"], counts(&dry)), (&json!(true), [5, 1, 0, 0, 4]));
        assert_eq!(dry["faults"][0]["line"], 3);
        assert_eq!(lines_of(&app).await + app.number("SELECT count(*) FROM household").await, 0);

        let skipped = send_csv(&app, "?on_error=skip", &file).await.expect(200);
        assert_eq!(counts(&skipped), [5, 1, 0, 0, 4]);
        assert_eq!(skipped["faults"].as_array().unwrap().len(), 5);
        assert_eq!(names(&app).await, ["张二"]);
    }

    async fn wrong_headings_are_faults_of_the_file(app: TestApp) {
        let unknown = send_csv(&app, "?on_error=skip", "姓名,身份证号,年龄\n").await;
        unknown.invalid("/lines/1/C", "unknown_heading");
        send_csv(&app, "", "姓名,name\n").await.invalid("/lines/1/name", "duplicate_heading");
        send_csv(&app, "", "").await.invalid("/lines/1/citizen_no", "missing_heading");
        let dry = send_csv(&app, "?dry_run=true", "姓名\n张一\n").await.expect(200);
        assert_eq!((&dry["faults"][0]["column"], counts(&dry)), (&json!("citizen_no"), [1, 0, 0, 0, 1]));
        let english = app.staff("desk").await.with_language("en");
        let body = send(&english, &roster_of(&app).await, "text/csv", "name\n").await.problem("invalid");
        assert_eq!(body["errors"][0]["detail"], "is the heading of a column that is needed and missing");
    }

    async fn a_file_is_read_as_excel_in_china_saves_it(app: TestApp) {
        let text = format!("姓名,身份证号\r\n王䶮,{}\r\n赵𰻝,{}\r\n阿依古丽·买买提,{}\r\n", citizen_no(1), citizen_no(2), citizen_no(3));
        let (desk, path) = (app.staff("desk").await, roster_of(&app).await);
        let gb18030 = GB18030.encode(&text).0.into_owned();
        assert!(std::str::from_utf8(&gb18030).is_err());
        assert_eq!(counts(&send(&desk, &path, "text/csv", gb18030).await.expect(200)), [3, 3, 0, 0, 0]);
        assert_eq!(names(&app).await, ["王䶮", "赵𰻝", "阿依古丽·买买提"]);
        let marked = send(&desk, &path, "application/octet-stream", format!("\u{feff}{text}")).await.expect(200);
        assert_eq!(counts(&marked), [3, 0, 0, 3, 0]);
        let form = format!(
            "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../花名册.csv\"\r\n\r\n{text}\r\n--line--\r\n"
        );
        let sent = send(&desk, &path, "multipart/form-data; boundary=line", form).await.expect(200);
        assert_eq!(counts(&sent), [3, 0, 0, 3, 0]);
    }

    async fn a_workbook_is_read_and_lost_digits_are_named(app: TestApp) {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, heading) in (0..).zip(["公民身份号码", "姓名", "户号", "手机号"]) {
            sheet.write(0, column, heading).unwrap();
        }
        sheet.write(1, 0, citizen_no(1)).unwrap().write(1, 1, "张一").unwrap();
        sheet.write(1, 2, 12).unwrap().write(1, 3, 13_800_000_000_f64).unwrap();
        sheet.write(3, 0, citizen_no(2).replace('X', "0").parse::<f64>().unwrap()).unwrap();
        sheet.write(3, 1, "张二").unwrap();
        let file = book.save_to_buffer().unwrap();
        let (desk, path) = (app.staff("desk").await, roster_of(&app).await);
        send(&desk, &path, WORKBOOK, file.clone()).await.invalid("/lines/4/citizen_no", "digits_lost");
        // What it is, its bytes tell.
        let report = send(&desk, &format!("{path}?on_error=skip"), "text/csv", file).await.expect(200);
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
        let row = roster_entry::Entity::find().one(app.db().read()).await.unwrap().unwrap();
        assert_eq!(row.household_no.as_deref(), Some("12"));
        let phone: PhoneNumber = app.app().field_keys.open_if(row.phone.as_ref()).unwrap().unwrap();
        assert_eq!(phone.in_the_clear(), "13800000000");
    }

    async fn other_files_and_too_large_ones_are_not_taken(app: TestApp) {
        let (desk, path) = (app.staff("desk").await, roster_of(&app).await);
        for file in [&b"%PDF-1.7\n\x00\x01\x02"[..], b"PK\x03\x04nothing", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00"] {
            send(&desk, &path, "text/csv", file).await.problem("unsupported_media_type");
        }
        let large = format!("{ALL}\n{}", "x".repeat(10 * 1024 * 1024));
        send(&desk, &path, "text/csv", large).await.problem("too_large");
        send(&desk, &path, "multipart/form-data; boundary=line", "--line--\r\n").await.problem("invalid");
        send(&desk, &path, "multipart/form-data", "x").await.problem("unsupported_media_type");
        let many = format!("姓名,身份证号\n{}", "x,\n".repeat(20_001));
        send(&desk, &format!("{path}?on_error=skip"), "text/csv", many).await.invalid("/lines/20002", "too_many");
        assert_eq!(lines_of(&app).await, 0);
    }

    async fn only_the_village_and_those_above_it_import(app: TestApp) {
        let (path, file) = (roster_of(&app).await, format!("姓名,身份证号\n{}", line(1, "")));
        send(&app.staff("neighbour").await, &path, "text/csv", file.clone()).await.problem("not_found");
        send(&app.staff("cadre").await, &path, "text/csv", file.clone()).await.problem("not_your_duty");
        send(&app.villager("甲").await, &path, "text/csv", file.clone()).await.problem("not_your_duty");
        assert_eq!(lines_of(&app).await, 0);
        send(&app.staff("town").await, &path, "text/csv", file.clone()).await.expect(200);
        let township = format!("/staff/divisions/{}/roster", app.division("511702108000").await);
        send(&app.staff("town").await, &township, "text/csv", file).await.invalid("path", "not_a_village");
    }

    async fn a_repeat_over_a_bad_line_gets_the_first_report(app: TestApp) {
        let (desk, path) = (app.staff("desk").await, format!("/api/v1{}", roster_of(&app).await));
        let send = async |address: &str, which| {
            let call = desk.call(Method::POST, address).header("Idempotency-Key", "roster-2026-11");
            call.body("text/csv", format!("姓名,身份证号\n{}", line(which, ""))).send().await
        };
        assert_eq!(counts(&send(&path, 1).await.expect(200)), [1, 1, 0, 0, 0]);
        let again = send(&path, 1).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(counts(&again.expect(200)), [1, 1, 0, 0, 0]);
        send(&path, 2).await.problem("idempotency_key_reused");
        send(&format!("{path}?on_error=skip"), 1).await.problem("idempotency_key_reused");
        assert_eq!(lines_of(&app).await, 1);
    }

    async fn residents_follow_into_households_and_keep_what_they_told(app: TestApp) {
        let (village, other) = (app.village().await, app.division("511702108213").await);
        let here = Resident::new("李老大", &citizen_no(1)).of(village).phone("13900000000").group("旧组").register(&app).await;
        let silent = Resident::new("李老二", &citizen_no(2)).of(village).group("旧组").register(&app).await;
        let gone = Resident::new("李老三", &citizen_no(3)).of(other).group("旧组").register(&app).await;
        let file = format!("{ALL}\n{}{}{}", line(1, ",12,一组,13800000000,"), line(2, ",,,,"), line(3, ",12,一组,,"));
        send_csv(&app, "", &file).await.expect(200);
        let find = async |id| person::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap();
        let row = find(here).await;
        let keys = &app.app().field_keys;
        assert_eq!(keys.open_if::<PersonName>(row.name.as_ref()).unwrap().unwrap().in_the_clear(), "李老大");
        assert_eq!(keys.open_if::<PhoneNumber>(row.phone.as_ref()).unwrap().unwrap().in_the_clear(), "13900000000");
        assert_eq!(row.group_name.as_deref(), Some("一组"));
        assert!(row.household_id.is_some());
        // What the roster does not say stays, and another village's people are not this one's to move.
        for id in [silent, gone] {
            let row = find(id).await;
            assert_eq!((row.group_name.as_deref(), row.household_id), (Some("旧组"), None));
        }
    }

    async fn a_whole_village_is_taken_in_and_nothing_of_it_lies_open(app: TestApp) {
        let line = |which| format!("赵𰻝,{},{},{}组,13800000000,五保户", citizen_no(which), which / 4, which % 9);
        let people: Vec<String> = (0..5000).map(line).collect();
        let file = format!("{ALL}\n{}\n", people.join("\n"));
        assert_eq!(counts(&send_csv(&app, "", &file).await.expect(200)), [5000, 5000, 0, 0, 0]);
        assert_eq!(counts(&send_csv(&app, "", &file).await.expect(200)), [5000, 0, 0, 5000, 0]);
        assert_eq!(app.number("SELECT count(*) FROM household").await, 1250);
        for secret in ["赵𰻝", &citizen_no(7), "13800000000", "五保户"] {
            for column in everywhere(&app).await {
                let (table, name) = column.split_once('.').unwrap();
                let found = format!("SELECT count(*) FROM \"{table}\" WHERE CAST(\"{name}\" AS TEXT) LIKE '%{secret}%'");
                assert_eq!(app.number(&found).await, 0, "{secret} lies open in {column}");
            }
        }
    }

    async fn whoever_waits_for_the_desk_is_confirmed_by_a_roster_that_names_them(app: TestApp) {
        let (one, other) = (app.villager("甲").await, app.villager("乙").await);
        for (villager, name, which) in [(&one, "样例甲", 1), (&other, "样例乙", 2)] {
            let said = json!({"village": app.village().await, "name": name, "citizen_no": citizen_no(which)});
            assert_eq!(villager.post("/me/residence", said).await.expect(200)["state"], "pending");
        }
        let lines = format!("姓名,身份证号,户号\n样例甲,{},8\n样例别名,{},9\n", citizen_no(1), citizen_no(2));
        send_csv(&app, "", &lines).await.expect(200);
        assert_eq!(one.get("/me").await.expect(200)["verified"], true);
        assert_eq!(one.get("/me/household").await.expect(200)["number"], "8");
        assert_eq!(other.get("/me").await.expect(200)["verified"], false, "the name is another");
        app.drain_jobs().await;
    }
}

/// Every column of every table.
async fn everywhere(app: &TestApp) -> Vec<String> {
    let sql = if app.db().engine() == "sqlite" {
        "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
    } else {
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
    };
    let columns = texts(app, sql).await;
    assert!(columns.len() > 100);
    columns
}
