//! People the desk meets before they ever open the app.

use entity::{Instant, id::PersonId, person};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::{app::App, db::Tx, problem::Problem};

/// The person with this phone (digits, see [`super::phone`]) and name, or a new one, not verified.
///
/// A phone alone does not make two people one: families share phones.
pub async fn find_or_register(
    tx: &Tx,
    app: &App,
    name: &str,
    phone: &str,
    now: Instant,
) -> Result<person::Model, Problem> {
    let hash = app.field_keys.blind_index("person.phone", phone)?;
    let same_phone =
        person::Entity::find().filter(person::COLUMN.phone_hash.eq(hash.clone())).order_by_asc(person::Column::Id);
    for known in same_phone.all(tx).await? {
        let same = known.name.as_ref().map(|sealed| app.field_keys.open("person.name", sealed)).transpose()?;
        if same.as_deref() == Some(name) {
            return Ok(known);
        }
    }
    let row = person::ActiveModel {
        id: Set(PersonId::fresh()),
        name: Set(Some(app.field_keys.seal("person.name", name)?)),
        phone: Set(Some(app.field_keys.seal("person.phone", phone)?)),
        phone_hash: Set(Some(hash)),
        village_id: Set(None),
        verified: Set(false),
        preferences: Set(serde_json::json!({})),
        created_at: Set(now),
    };
    Ok(row.insert(tx).await?)
}
