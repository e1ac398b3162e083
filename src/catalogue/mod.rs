//! Service items: what a village desk runs errands for, with papers, fees and both time limits.
//!
//! Items are versioned: a running case keeps the version it was filed under. They come from a file, and say field by
//! field where each value is from and what is only an estimate. Next: [`import`].

pub mod import;

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
