//! A report as a table: the same in both formats, and never a formula.

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use entity::{division, unit};
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};

use super::{at, busy_month, drawn, next_month};
use crate::{rosters::texts, support::Answer};

pub(super) fn table_of_csv(answer: &Answer) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(&answer.bytes).unwrap().strip_prefix('\u{feff}').expect("no mark").to_owned();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

pub(super) fn table_of_xlsx(answer: Answer) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(answer.bytes)).unwrap();
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).unwrap().cells().all(|(.., formula)| formula.is_empty()));
    let sheet = book.worksheet_range(&name).unwrap();
    sheet.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

both_engines! {
    async fn a_list_is_the_same_table_in_both_formats_and_no_formula(app: TestApp) {
        busy_month(&app).await;
        let evil = unit::Entity::update_many().col_expr(unit::Column::Name, Expr::val("=HYPERLINK(\"http://x\")")).filter(unit::COLUMN.name.eq("石笋村便民服务室"));
        let place = division::Entity::update_many().col_expr(division::Column::DisplayName, Expr::val("@石笋村")).filter(division::COLUMN.code.eq("511702108212"));
        app.db().transact(async move |tx| { evil.clone().exec(tx).await?; place.clone().exec(tx).await?; Ok(()) }).await.unwrap();
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let answer = desk.get(&at(&report, "/export?format=csv")).await;
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"monthly_list-511702108212-2026-11.csv\"");
        assert_eq!(answer.header("cache-control"), "no-store");
        let table = table_of_csv(&answer);
        assert_eq!(table.len(), 8);
        assert_eq!(table[0][..6], ["办件编号", "类别", "事由", "村代码", "村", "承办单位"]);
        assert!(table[1..].iter().all(|line| line[4] == "'@石笋村"), "{table:?}");
        assert!(table[1..].iter().any(|line| line[5] == "'=HYPERLINK(\"http://x\")"), "{table:?}");
        let same = table_of_xlsx(desk.get(&at(&report, "/export?format=xlsx")).await);
        assert_eq!(same, table);
        let english = table_of_csv(&desk.clone().with_language("en").get(&at(&report, "/export")).await);
        assert_eq!(english[0][0], "number");
        let said = texts(&app, "SELECT fields FROM audit_entry WHERE action = 'export_report' ORDER BY seq").await;
        assert_eq!(said, ["monthly_list 2026-11 csv", "monthly_list 2026-11 xlsx", "monthly_list 2026-11 csv"]);
        desk.get(&at(&report, "/export?format=pdf")).await.problem("invalid");
    }
}
