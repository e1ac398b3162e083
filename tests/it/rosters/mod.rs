//! People of a village: rosters come in, people are found, registers go out.

mod at_the_shell;
mod export_register;
mod import_roster;
mod list_people;

use entity::{
    id::{DivisionId, HouseholdId, PersonId},
    person,
};
use reqwest::Method;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, Set, Statement};
use shuoshi::{
    clock,
    personal::{CitizenNumber, PersonName, PhoneNumber},
};

use crate::support::{Actor, Answer, TestApp};

/// XLSX by its name.
pub(super) const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A right citizen number for each `which`, up to 3,650 a serial: born 1900 to 1909 and serial 00x, so of nobody living.
pub(crate) fn citizen_no(which: u32) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
    let birth = first + chrono::TimeDelta::days(i64::from(which % 3650));
    with_check_digit(&format!("511725{}{:03}", birth.format("%Y%m%d"), which / 3650))
}

/// The number that begins with these 17 digits (ISO 7064, MOD 11-2, reckoned from its definition).
pub(super) fn with_check_digit(head: &str) -> String {
    assert_eq!(head.len(), 17);
    let sum = head.chars().fold(0, |sum, c| (sum + c.to_digit(10).unwrap()) * 2 % 11);
    let check = (12 - sum) % 11;
    if check == 10 { format!("{head}X") } else { format!("{head}{check}") }
}

/// Somebody who registered.
pub(crate) struct Resident {
    name: String,
    citizen_no: String,
    phone: String,
    village: Option<DivisionId>,
    household: Option<HouseholdId>,
    group: Option<String>,
    closed: bool,
}

impl Resident {
    pub(crate) fn new(name: &str, citizen_no: &str) -> Self {
        Self {
            name: name.to_owned(),
            citizen_no: citizen_no.to_owned(),
            phone: "13800000000".to_owned(),
            village: None,
            household: None,
            group: None,
            closed: false,
        }
    }

    pub(crate) fn of(self, village: DivisionId) -> Self {
        Self { village: Some(village), ..self }
    }

    pub(super) fn phone(self, phone: &str) -> Self {
        Self { phone: phone.to_owned(), ..self }
    }

    pub(super) fn group(self, group: &str) -> Self {
        Self { group: Some(group.to_owned()), ..self }
    }

    pub(super) fn closed(self) -> Self {
        Self { closed: true, ..self }
    }

    /// Writes the row as registering and verifying leave it.
    pub(crate) async fn register(self, app: &TestApp) -> PersonId {
        let (keys, now) = (app.app().field_keys.clone(), app.now());
        let name = PersonName::read(&self.name).unwrap();
        let phone = PhoneNumber::read(&self.phone).unwrap();
        let number = CitizenNumber::read(&self.citizen_no, clock::local_day(now)).unwrap();
        let row = person::ActiveModel {
            name: Set(Some(keys.close(&name).unwrap())),
            name_hash: Set(Some(keys.hash_of(&name).unwrap())),
            phone: Set(Some(keys.close(&phone).unwrap())),
            phone_hash: Set(Some(keys.hash_of(&phone).unwrap())),
            citizen_no: Set(Some(keys.close(&number).unwrap())),
            citizen_no_hash: Set(Some(keys.hash_of(&number).unwrap())),
            village_id: Set(self.village),
            verified: Set(self.village.is_some()),
            household_id: Set(self.household),
            group_name: Set(self.group),
            closed_at: Set(self.closed.then_some(now)),
            ..person::ActiveModel::of_nobody_yet(now)
        };
        let made = app.db().transact(async move |tx| Ok(row.clone().insert(tx).await?)).await;
        made.unwrap().id
    }
}

/// The address of a village's rosters.
pub(super) async fn roster_of(app: &TestApp) -> String {
    format!("/staff/divisions/{}/roster", app.village().await)
}

/// Sends a file.
pub(super) async fn send(actor: &Actor, path: &str, kind: &str, file: impl Into<reqwest::Body>) -> Answer {
    actor.call(Method::POST, &format!("/api/v1{path}")).body(kind, file).send().await
}

/// Sends a CSV to the village's own desk's roster.
pub(super) async fn send_csv(app: &TestApp, parameters: &str, text: &str) -> Answer {
    let path = format!("{}{parameters}", roster_of(app).await);
    send(&app.staff("desk").await, &path, "text/csv", text.to_owned()).await
}

/// Every text of a column of a table.
pub(super) async fn texts(app: &TestApp, sql: &str) -> Vec<String> {
    let db = app.db().read();
    let engine = if app.db().engine() == "sqlite" { DbBackend::Sqlite } else { DbBackend::Postgres };
    let rows = db.query_all_raw(Statement::from_string(engine, sql)).await.unwrap();
    rows.iter().filter_map(|row| row.try_get_by_index::<Option<String>>(0).unwrap()).collect()
}
