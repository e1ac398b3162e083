//! Open data: what is signed, for everybody, with nothing said of fewer than five.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shuoshi::crypto::hex;

use super::{drawn, next_month, question, reports_of, sign};
use crate::{
    cases::answered,
    support::{Answer, TestApp},
};

async fn open(app: &TestApp, file: &str) -> Answer {
    app.nobody().get(&format!("/open-data/{}/{file}", app.village().await)).await
}

fn table(answer: &Answer) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(answer.bytes.as_slice());
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Seven on roads, of which six are answered; three on water; one of the township's desk.
async fn month(app: &TestApp) {
    for who in 0..7 {
        let case = question(app, &format!("甲{who}"), "roads").await;
        if who > 0 {
            answered(app, &case).await;
        }
    }
    for who in 0..3 {
        question(app, &format!("乙{who}"), "water").await;
    }
    let secret = json!({"kind": "voice", "concern": "report", "division": app.village().await, "topic": "roads", "text": "有事反映"});
    for who in 0..5 {
        app.villager(&format!("丙{who}")).await.post("/cases", secret.clone()).await.expect(201);
    }
}

both_engines! {
    async fn only_signed_months_are_open_and_nothing_of_fewer_than_five(app: TestApp) {
        month(&app).await;
        next_month(&app).await;
        let empty = table(&open(&app, "cases_by_month.csv").await);
        assert_eq!(empty.len(), 1, "nothing is signed");
        let report = drawn(&app, &app.staff("desk").await, "monthly_list", "2026-11").await;
        assert_eq!(table(&open(&app, "cases_by_month.csv").await), empty, "drawn is not signed");
        sign(&app.staff("town").await, &report).await.expect(200);
        let cases = open(&app, "cases_by_month.csv").await;
        assert_eq!(cases.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(cases.header("cache-control"), "public, max-age=3600");
        let lines = table(&cases);
        // Seven were filed and six answered: both read five; three on water are not told at all.
        assert_eq!(lines[1..], [["2026-11", "511702108212", "voice", "roads", "5", "5", "", "5", "", ""]]);
        let rates = table(&open(&app, "rates.csv").await);
        assert!(rates[1..].iter().any(|line| line[2] == "on_time" && line[3..] == ["1.00", "5"]), "{rates:?}");
        assert!(rates[1..].iter().all(|line| line[2] != "satisfied" && line[2] != "one_notice"), "{rates:?}");
        for line in lines[1..].iter().chain(&rates[1..]) {
            for cell in line.iter().skip(4).filter(|cell| !cell.is_empty()) {
                assert!(cell.parse::<i64>().unwrap() >= 5, "{line:?}");
            }
        }
    }

    async fn the_descriptor_describes_the_files_beside_it(app: TestApp) {
        month(&app).await;
        next_month(&app).await;
        let report = drawn(&app, &app.staff("desk").await, "monthly_list", "2026-11").await;
        sign(&app.staff("town").await, &report).await.expect(200);
        let answer = open(&app, "datapackage.json").await;
        let etag = answer.header("etag").to_owned();
        let package = answer.expect(200);
        assert_eq!(package["name"], "shuoshi-511702108212");
        assert!(package["description"].as_str().unwrap().contains("below 5"));
        assert_eq!(package["licenses"][0]["name"], "CC-BY-4.0");
        for resource in package["resources"].as_array().unwrap() {
            let file = open(&app, resource["path"].as_str().unwrap()).await;
            assert_eq!(resource["bytes"], file.bytes.len());
            assert_eq!(resource["hash"], format!("sha256:{}", hex(&Sha256::digest(&file.bytes))));
            let names: Vec<&Value> =
                resource["schema"]["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
            assert_eq!(json!(names), json!(table(&file)[0]));
        }
        let path = format!("/api/v1/open-data/{}/datapackage.json", app.village().await);
        let known = app.nobody().call(reqwest::Method::GET, &path).header("If-None-Match", &etag).send().await;
        assert_eq!(known.status, 304);
        let nowhere = "/open-data/01999999-0000-7000-8000-000000000000/datapackage.json";
        app.nobody().get(nowhere).await.problem("not_found");
    }

    async fn a_correction_takes_the_place_of_what_it_corrects(app: TestApp) {
        month(&app).await;
        next_month(&app).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let wrong = drawn(&app, &desk, "monthly_list", "2026-11").await;
        sign(&town, &wrong).await.expect(200);
        let body = json!({"kind": "monthly_list", "period": "2026-11", "replaces": wrong["id"], "reason": "样例"});
        let right = desk.post(&reports_of(&app).await, body).await.expect(201);
        sign(&town, &right).await.expect(200);
        assert_eq!(table(&open(&app, "cases_by_month.csv").await).len(), 2, "the month stands there once");
    }
}
