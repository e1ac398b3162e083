//! People the desk meets before they ever open the app.

use entity::{Instant, person, wechat_account};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};

use crate::{
    app::App,
    db::Tx,
    personal::{PersonName, PhoneNumber},
    problem::Problem,
};

/// The person with this phone and name, or a new one, not verified.
///
/// A phone alone does not make two people one: families share phones.
pub async fn find_or_register(
    tx: &Tx,
    app: &App,
    name: &PersonName,
    phone: &PhoneNumber,
    now: Instant,
) -> Result<person::Model, Problem> {
    if let Some(known) = known_by(tx, app, name, phone).await?.into_iter().next() {
        return Ok(known);
    }
    let row = person::ActiveModel {
        name: Set(Some(app.field_keys.close(name)?)),
        name_hash: Set(Some(app.field_keys.hash_of(name)?)),
        phone: Set(Some(app.field_keys.close(phone)?)),
        phone_hash: Set(Some(app.field_keys.hash_of(phone)?)),
        ..person::ActiveModel::of_nobody_yet(now)
    };
    Ok(row.insert(tx).await?)
}

/// Those with this phone and name, the first known first.
pub async fn known_by(
    tx: &Tx,
    app: &App,
    name: &PersonName,
    phone: &PhoneNumber,
) -> Result<Vec<person::Model>, Problem> {
    let (name_hash, phone_hash) = (app.field_keys.hash_of(name)?, app.field_keys.hash_of(phone)?);
    let in_the_app = wechat_account::Entity::find().select_only().column(wechat_account::Column::PersonId).into_query();
    let known = person::Entity::find()
        .filter(person::COLUMN.phone_hash.eq(phone_hash.as_str()))
        .filter(person::COLUMN.name_hash.eq(name_hash.as_str()))
        .filter(person::COLUMN.closed_at.is_null())
        // Somebody in the app who only says that this is their name is not yet this person.
        .filter(
            Condition::any().add(person::COLUMN.verified.eq(true)).add(person::Column::Id.not_in_subquery(in_the_app)),
        )
        .order_by_asc(person::Column::Id);
    Ok(known.all(tx).await?)
}

/// Somebody new of whom only the name is known: they stand at the door, and a name alone makes no two people one.
pub async fn register_by_name(tx: &Tx, app: &App, name: &PersonName, now: Instant) -> Result<person::Model, Problem> {
    let row = person::ActiveModel {
        name: Set(Some(app.field_keys.close(name)?)),
        name_hash: Set(Some(app.field_keys.hash_of(name)?)),
        ..person::ActiveModel::of_nobody_yet(now)
    };
    Ok(row.insert(tx).await?)
}
