//! The audit: what is entered, that tampering is found, who may see what of it.

mod keep;
mod list_audit;
mod reveal;
mod trail;
mod verify;

use entity::{audit_entry, id::PersonId, person};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryOrder, Set};
use serde_json::{Value, json};
use shuoshi::{clock::local_day, personal::CitizenNumber};

use crate::support::{Actor, TestApp};

/// A citizen number of somebody who is eleven when tests begin.
pub(super) const CHILD: &str = "511702201506012010";

/// Every entry, the oldest first.
pub(super) async fn entries(app: &TestApp) -> Vec<audit_entry::Model> {
    audit_entry::Entity::find().order_by_asc(audit_entry::Column::Seq).all(app.db().read()).await.unwrap()
}

/// Entries of an action.
pub(super) async fn entries_of(app: &TestApp, action: &str) -> Vec<audit_entry::Model> {
    let mut all = entries(app).await;
    all.retain(|entry| entry.action == action);
    all
}

/// Runs a statement behind the program's back.
pub(super) async fn tamper(app: &TestApp, sql: impl Into<String>) {
    let sql = sql.into();
    let done = app.db().transact(async move |tx| Ok(tx.execute_unprepared(&sql).await?.rows_affected()));
    assert!(done.await.unwrap() > 0, "nothing was tampered with");
}

/// Says of a villager where they live, and what their citizen number is.
pub(super) async fn lives_in_the_village(app: &TestApp, villager: &Actor, number: Option<&str>) {
    let id = PersonId(villager.id().parse().unwrap());
    let number = number.map(|number| CitizenNumber::read(number, local_day(app.now())).unwrap());
    let sealed = number.map(|number| app.app().field_keys.close(&number).unwrap());
    let village = app.village().await;
    let write = async move |tx: &shuoshi::db::Tx| {
        let row = person::ActiveModel {
            id: Set(id),
            village_id: Set(Some(village)),
            citizen_no: Set(sealed.clone()),
            ..Default::default()
        };
        Ok(row.update(tx).await?)
    };
    app.db().transact(write).await.unwrap();
}

/// A case that only the discipline desk may know of.
pub(super) async fn confidential(app: &TestApp, villager: &Actor) -> Value {
    let body = json!({
        "kind": "voice", "concern": "report", "division": app.village().await, "text": "有事反映",
        "confidential": true, "contact_phone": "13800001234",
    });
    villager.post("/cases", body).await.expect(201)
}

/// The address of a case on the staff side.
pub(super) fn of_staff(case: &Value) -> String {
    format!("/staff/cases/{}", case["id"].as_str().unwrap())
}
