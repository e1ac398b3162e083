//! What others see of somebody, and what WeChat may send them, in the copy of their data.

use entity::{content_check, id::PersonId, publication, subscription, wechat_account};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::copy::clear;
use crate::{crypto::FieldKeys, personal::PrivateText, problem::Problem};

/// What they said to each template, and how many messages are left.
pub(super) async fn subscriptions(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(id)).one(db).await?;
    let Some(account) = account else { return Ok(vec![]) };
    let rows = subscription::Entity::find()
        .filter(subscription::COLUMN.openid.eq(account.openid))
        .order_by_asc(subscription::Column::TemplateId);
    let one = |row: subscription::Model| {
        json!({
            "template_id": row.template_id, "answer": row.answer, "left": row.remaining, "long_term": row.long_term,
            "accepted": row.accepted, "sent": row.spent, "at": row.changed_at,
        })
    };
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}

/// Words that others see or were to see, and what was decided of them.
pub(super) async fn content(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = content_check::Entity::find()
        .filter(content_check::COLUMN.person_id.eq(id))
        .order_by_asc(content_check::Column::Id);
    let one = |row: &content_check::Model| {
        Ok(json!({
            "subject": row.subject, "part": row.part, "text": clear::<PrivateText>(keys, row.text.as_ref())?,
            "by_staff": row.written_by.is_some(), "state": row.state, "advice": row.suggest, "reason": row.decision_text,
            "at": row.created_at, "since": row.since_at,
        }))
    };
    rows.all(db).await?.iter().map(one).collect()
}

/// What stands or stood of their matters on the page of the village.
pub(super) async fn publications(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows =
        publication::Entity::find().filter(publication::COLUMN.person_id.eq(id)).order_by_asc(publication::Column::Id);
    let one = |row: publication::Model| {
        json!({
            "kind": row.kind, "title": row.title, "body": row.body, "text_version": row.consent_version,
            "at": row.created_at, "shown_at": row.shown_at, "until": row.expires_on, "ended_at": row.ended_at,
            "reason": row.ended_because,
        })
    };
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}
