//! Which place is meant: a jurisdiction by its statistical code, and a village of it.

use std::collections::HashMap;

use entity::division::{self, DivisionLevel};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter};

use super::format::Fault;
use crate::{app::App, divisions};

/// What a call asks, by name; what is empty is not there.
pub(super) type Asked = HashMap<String, String>;

/// Reads the parameters of an address or a form.
pub(super) fn read(text: &str) -> Result<Asked, Fault> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(text);
    let pairs = pairs.map_err(|_| Fault::new(400, "the parameters cannot be read"))?.into_inner();
    if pairs.iter().any(|(name, value)| !crate::http::plain_text(name) || !crate::http::plain_text(value)) {
        return Err(Fault::new(400, "control characters are not allowed"));
    }
    let mut asked = Asked::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
        asked.entry(name).or_insert_with(|| value.trim().to_owned());
    }
    Ok(asked)
}

/// The jurisdiction of a call: the one it names, else the configured one.
pub(super) async fn jurisdiction(app: &App, asked: &Asked) -> Result<division::Model, Fault> {
    let configured = Some(&app.config.open311.jurisdiction).filter(|code| !code.is_empty());
    let code = asked.get("jurisdiction_id").or(configured);
    let code = code.ok_or_else(|| Fault::new(400, "jurisdiction_id was not provided"))?;
    let found = division::Entity::find()
        .filter(division::COLUMN.code.eq(code.as_str()))
        .filter(division::COLUMN.merged_into.is_null())
        .one(app.db.read())
        .await?;
    found.ok_or_else(|| Fault::new(404, "jurisdiction_id provided was not found"))
}

/// The village that is meant, by its code, by its name in an address, or because the jurisdiction is one.
pub(super) async fn village(
    db: &DatabaseConnection,
    jurisdiction: &division::Model,
    asked: &Asked,
) -> Result<division::Model, Fault> {
    let within = Condition::all()
        .add(division::COLUMN.level.eq(DivisionLevel::Village))
        .add(division::COLUMN.merged_into.is_null())
        .add(divisions::subtree(jurisdiction.id));
    if let Some(code) = asked.get("address_id") {
        let found = division::Entity::find().filter(within).filter(division::COLUMN.code.eq(code.as_str()));
        let found = found.one(db).await?;
        return found.ok_or_else(|| Fault::new(400, "address_id is not the code of a village of the jurisdiction"));
    }
    if jurisdiction.level == DivisionLevel::Village {
        return Ok(jurisdiction.clone());
    }
    let Some(address) = asked.get("address_string") else {
        return Err(Fault::new(400, "no location: address_id (the code of a village) or address_string is needed"));
    };
    let villages = division::Entity::find().filter(within).all(db).await?;
    let named = |village: &division::Model| {
        [&village.display_name, &village.name]
            .into_iter()
            .filter(|name| address.contains(name.as_str()))
            .map(String::len)
            .max()
    };
    let mut found: Vec<(usize, &division::Model)> =
        villages.iter().filter_map(|village| Some((named(village)?, village))).collect();
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    match found.as_slice() {
        [(_, village)] => Ok((*village).clone()),
        // 小石桥村 holds 石桥村: the longer name is meant.
        [(longest, village), (next, _), ..] if longest > next => Ok((*village).clone()),
        _ => Err(Fault::new(400, "address_string names no village of the jurisdiction, or several; give address_id")),
    }
}
