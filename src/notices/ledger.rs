//! What is left of the messages that people agreed to: read for many at once, written through [`crate::subscriptions`].

use std::collections::{HashMap, HashSet};

use entity::{id::PersonId, subscription};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

pub(super) use crate::subscriptions::{exhausted, spent};
use crate::{config::NoticeTemplate, problem::Problem};

/// Pairs of openid and template of which a message is left.
pub(super) async fn left(
    db: &impl ConnectionTrait,
    accounts: &HashMap<PersonId, String>,
    templates: &[NoticeTemplate],
) -> Result<HashSet<(String, String)>, Problem> {
    if accounts.is_empty() || templates.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<(String, String)> = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::Openid)
        .column(subscription::Column::TemplateId)
        .filter(subscription::COLUMN.openid.is_in(accounts.values().map(String::as_str)))
        .filter(subscription::COLUMN.template_id.is_in(templates.iter().map(|template| template.id.as_str())))
        .filter(subscription::COLUMN.remaining.gt(0))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
