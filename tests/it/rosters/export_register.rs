//! Registers go out masked, or with a reason, and never as formulas.

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use chrono::NaiveDate;
use entity::{
    authorisation::{self, EvidenceKind},
    division,
    id::AuthorisationId,
    unit::UnitKind,
};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde_json::json;
use shuoshi::{
    auth::{
        Duty,
        accounts::{self, NewAccount},
        hash_password,
    },
    demo,
};

use super::{Resident, citizen_no, send_csv, texts, with_check_digit};
use crate::support::{Actor, Answer, TestApp};

/// The number of a child, but for its check digit.
const CHILD: &str = "51172520201124999";

async fn export_of(app: &TestApp, parameters: &str) -> String {
    format!("/staff/divisions/{}/export?{parameters}", app.village().await)
}

fn lines(answer: &Answer) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(&answer.bytes).unwrap().strip_prefix('\u{feff}').expect("no mark").to_owned();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

async fn filled(app: &TestApp) {
    let file = format!(
        "姓名,身份证号,户号,组,电话,备注\n王䶮,{},=1+1,@组,13800000000,\"=HYPERLINK(\"\"http://x\"\")\"\n赵𰻝,{},,,,\n",
        citizen_no(1),
        with_check_digit(CHILD),
    );
    send_csv(app, "", &file).await.expect(200);
}

/// Somebody at the village who may also see the data of children.
async fn guardian(app: &TestApp) -> Actor {
    let hash = hash_password(demo::PASSWORD).unwrap();
    let (village, now) = (app.village().await, app.now());
    let made = app.db().transact(async move |tx| {
        let account = NewAccount {
            username: "guardian".into(),
            name: "样例 专干".into(),
            password_hash: hash.clone(),
            demonstration: true,
        };
        let place = division::Entity::find_by_id(village).one(tx).await?.unwrap();
        let unit = accounts::find_or_make_unit(tx, &place, UnitKind::VillageDesk, "").await?;
        let staff = accounts::add(tx, account, now).await?;
        let since = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        accounts::post(tx, staff, unit, &place, &[Duty::ManagePeople, Duty::ReadMinors], since, None).await
    });
    made.await.unwrap();
    app.staff("guardian").await
}

both_engines! {
    async fn a_roster_leaves_masked_and_audited(app: TestApp) {
        filled(&app).await;
        let desk = app.staff("desk").await;
        let answer = desk.get(&export_of(&app, "register=roster").await).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"roster-511702108212.csv\"");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        let table = lines(&answer);
        assert_eq!(table[0], ["姓名", "身份证号", "户号", "组", "电话", "备注"]);
        let tail = &citizen_no(1)[14..];
        assert_eq!(table[1], ["王*", &format!("5117**********{tail}"), "'=1+1", "'@组", "138****0000", "****"]);
        let said = texts(&app, "SELECT fields FROM audit_entry WHERE action = 'export_register'").await;
        assert_eq!(said, ["roster csv masked"]);
    }

    async fn the_clear_text_needs_a_reason_and_children_stay_masked(app: TestApp) {
        filled(&app).await;
        let (desk, guardian) = (app.staff("desk").await, guardian(&app).await);
        desk.get(&export_of(&app, "register=roster&unmasked=true").await).await.invalid("?reason", "required");
        desk.get(&export_of(&app, "register=roster&unmasked=true&reason=x").await).await.invalid("?reason", "length");
        desk.get(&export_of(&app, "register=roster&unmasked=true&reason=%20%20%20%20x").await).await.invalid("?reason", "length");
        let path = export_of(&app, "register=roster&unmasked=true&reason=annual-review").await;
        let answer = desk.get(&path).await;
        let table = lines(&answer);
        let wicked = "'=HYPERLINK(\"http://x\")";
        assert_eq!(table[1], ["王䶮", &citizen_no(1), "'=1+1", "'@组", "13800000000", wicked]);
        assert_eq!(table[2][0], "赵*");
        assert!(table[2][1].contains("****"));
        let all = lines(&guardian.get(&path).await);
        assert_eq!((all[2][0].as_str(), all[2][1].clone()), ("赵𰻝", with_check_digit(CHILD)));
        let why = texts(&app, "SELECT reason FROM audit_entry WHERE action = 'export_register' ORDER BY seq").await;
        assert_eq!(why, ["annual-review", "annual-review"]);
        let said = texts(&app, "SELECT fields FROM audit_entry WHERE action = 'export_register' ORDER BY seq").await;
        assert_eq!(said, ["roster csv in the clear but for people under 14", "roster csv in the clear"]);
        // What left in the clear comes back as it was.
        let text = String::from_utf8(guardian.get(&path).await.bytes).unwrap();
        let report = send_csv(&app, "", &text).await.expect(200);
        assert_eq!(report["unchanged"], 2, "{report}");
    }

    async fn a_workbook_holds_text_and_no_formula(app: TestApp) {
        filled(&app).await;
        let path = export_of(&app, "register=roster&format=xlsx&unmasked=true&reason=annual-review").await;
        let answer = app.staff("town").await.with_language("en").get(&path).await;
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"roster-511702108212.xlsx\"");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(answer.bytes)).unwrap();
        let name = book.sheet_names()[0].clone();
        assert!(book.worksheet_formula(&name).unwrap().cells().all(|(.., formula)| formula.is_empty()));
        let sheet = book.worksheet_range(&name).unwrap();
        assert_eq!(sheet.get_value((0, 1)).unwrap(), "citizen_no");
        assert_eq!(*sheet.get_value((1, 1)).unwrap(), calamine::Data::String(citizen_no(1)));
        assert_eq!(sheet.get_value((1, 2)).unwrap(), "'=1+1");
    }

    async fn people_and_their_authorisations_are_registers_too(app: TestApp) {
        let village = app.village().await;
        let one = Resident::new("李老大", &citizen_no(1)).of(village).group("一组").register(&app).await;
        let two = Resident::new("李小二", &citizen_no(2)).of(app.division("511702108213").await).register(&app).await;
        let now = app.now();
        let grant = authorisation::ActiveModel {
            id: Set(AuthorisationId::fresh()), principal_id: Set(one), agent_id: Set(Some(two)),
            agent_name: Set(None), agent_phone: Set(None), agent_phone_hash: Set(None),
            scope: Set(json!(["talk", "proxy:*"])), until: Set(NaiveDate::from_ymd_opt(2027, 5, 1).unwrap()),
            evidence_kind: Set(EvidenceKind::Paper), evidence_text: Set(None), evidence_file: Set(None),
            witness: Set(None), recorded_by: Set(None), created_at: Set(now), revoked_at: Set(None),
        };
        app.db().transact(async move |tx| Ok(grant.clone().insert(tx).await?)).await.unwrap();
        let desk = app.staff("desk").await;
        let people = lines(&desk.get(&export_of(&app, "register=people").await).await);
        assert_eq!(people.len(), 2);
        assert_eq!(people[1][0], "李*大");
        assert_eq!(people[1][3..], ["是", "石笋村", "", "一组", "2026-11-23"]);
        let given = lines(&desk.get(&export_of(&app, "register=authorisations").await).await);
        assert_eq!(given[1], ["李*大", "李*二", "talk proxy:*", "2027-05-01", "书面", "2026-11-23", "", "石笋村"]);
        // At the agent's village it is not.
        let path = format!("/staff/divisions/{}/export?register=authorisations", app.division("511702108213").await);
        assert_eq!(lines(&app.staff("neighbour").await.get(&path).await).len(), 1);
    }

    async fn more_than_a_page_is_written_whole(app: TestApp) {
        let people: Vec<String> = (0..2000).map(|which| format!("王䶮,{}", citizen_no(which))).collect();
        let file = format!("姓名,身份证号\n{}\n", people.join("\n"));
        send_csv(&app, "", &file).await.expect(200);
        let path = export_of(&app, "register=roster&unmasked=true&reason=annual-review").await;
        let table = lines(&app.staff("desk").await.get(&path).await);
        let mut numbers: Vec<&String> = table[1..].iter().map(|line| &line[1]).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!((table.len(), numbers.len()), (2001, 2000));
    }

    async fn what_is_not_offered_is_said(app: TestApp) {
        let desk = app.staff("desk").await;
        desk.get(&export_of(&app, "register=talks").await).await.invalid("?register", "not_offered");
        desk.get(&export_of(&app, "register=nonsense").await).await.invalid("?register", "unknown");
        desk.get(&export_of(&app, "format=csv").await).await.invalid("?", "required");
        desk.get(&export_of(&app, "register=people&format=pdf").await).await.problem("invalid");
        let path = export_of(&app, "register=people").await;
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        app.staff("cadre").await.get(&path).await.problem("not_your_duty");
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'export_register'").await, 0);
    }
}
