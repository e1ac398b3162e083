//! (to be written)
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}

/// The current version of an item.
pub async fn current_item(
    db: &impl sea_orm::ConnectionTrait,
    code: &str,
) -> Result<Option<entity::service_item::Model>, crate::problem::Problem> {
    use sea_orm::{EntityTrait, QueryFilter};
    let current = entity::service_item::Entity::find()
        .filter(entity::service_item::COLUMN.code.eq(code))
        .filter(entity::service_item::COLUMN.current.eq(true));
    Ok(current.one(db).await?)
}
