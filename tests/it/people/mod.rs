//! People: phones, residence, households, those who act for others, consents, one's own data.

mod authorisations;
mod consents;
mod desk_claims;
mod merged_villages;
mod own_data;
mod phone;
mod residence;

use entity::{
    id::{PersonId, RosterEntryId},
    person, roster_entry,
};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};
use shuoshi::{
    clock::local_day,
    personal::{CitizenNumber, PersonName},
};

use crate::support::{Actor, TestApp};

/// Numbers of nobody living: serial 000 is never issued, or born before 1910.
pub const GROWN_UP: &str = "511724196611230006";
/// Another.
pub const ANOTHER: &str = "511725194611240009";
/// Of a child of two.
pub const CHILD: &str = "511722202402290008";
/// With a prefix that Dazhou had before 1999.
pub const OLD_PREFIX: &str = "513021190703199955";

/// Puts somebody on the roster of 石笋村.
pub async fn on_roster(app: &TestApp, name: &str, citizen_no: &str, household: &str) {
    let keys = app.app().field_keys.clone();
    let number = CitizenNumber::read(citizen_no, local_day(app.now())).unwrap();
    let name = PersonName::read(name).unwrap();
    let row = roster_entry::ActiveModel {
        id: Set(RosterEntryId::fresh()),
        village_id: Set(app.village().await),
        name: Set(keys.close(&name).unwrap()),
        name_hash: Set(keys.hash_of(&name).unwrap()),
        citizen_no: Set(keys.close(&number).unwrap()),
        citizen_no_hash: Set(keys.hash_of(&number).unwrap()),
        phone: Set(None),
        phone_hash: Set(None),
        household_no: Set(Some(household.to_owned())),
        group_name: Set(Some("三组".to_owned())),
        note: Set(None),
        created_at: Set(app.now()),
        updated_at: Set(app.now()),
    };
    app.db().transact(async move |tx| Ok(row.clone().insert(tx).await.map(drop)?)).await.unwrap();
}

/// The citizen number of somebody turns out to be that of a child.
pub async fn becomes_a_child(app: &TestApp, who: &Actor) {
    let number = CitizenNumber::read(CHILD, local_day(app.now())).unwrap();
    let row = person::ActiveModel {
        id: Set(PersonId(who.id().parse().unwrap())),
        citizen_no: Set(Some(app.app().field_keys.close(&number).unwrap())),
        minor: Set(true),
        ..Default::default()
    };
    app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
}

/// What somebody says of where they live.
pub async fn claim(app: &TestApp, name: &str, citizen_no: &str) -> Value {
    json!({"village": app.village().await, "name": name, "citizen_no": citizen_no})
}

/// A villager whom the roster has confirmed.
pub async fn resident(app: &TestApp, name: &str, citizen_no: &str) -> Actor {
    on_roster(app, name, citizen_no, "12").await;
    let villager = app.villager(name).await;
    let said = claim(app, name, citizen_no).await;
    assert_eq!(villager.post("/me/residence", said).await.expect(200)["state"], "verified");
    villager
}
