//! What somebody may do about their own words: give others, or ask for a person.

use entity::{
    Instant, case,
    content_check::{self, ContentReason, ContentState, ContentSubject},
    id::{CaseId, ContentCheckId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::LockType,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{ops, settle};
use crate::{
    app::App,
    auth::Villager,
    cases,
    db::Tx,
    http::{Cursor, PageQuery},
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    talks::words,
};

/// How often other words may be given.
const REWORDINGS: i32 = 5;

/// Other words for others to read; the case itself stays as it was filed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RewordContent {
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) text: String,
}

fn of(me: &Villager) -> Select<content_check::Entity> {
    content_check::Entity::find()
        .filter(content_check::COLUMN.person_id.eq(me.person()))
        .filter(content_check::COLUMN.written_by.is_null())
}

/// One's own words that others see or are to see, newest first; at most a page and one.
pub(super) async fn list(app: &App, me: &Villager, page: &PageQuery) -> Result<Vec<content_check::Model>, Problem> {
    let mut rows = of(me);
    if let Some(before) = Cursor::read::<ContentCheckId>(page.cursor.as_deref())? {
        rows = rows.filter(content_check::COLUMN.id.lt(before));
    }
    Ok(rows.order_by_desc(content_check::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

async fn held(tx: &Tx, me: &Villager, id: ContentCheckId) -> Result<content_check::Model, Problem> {
    let row = of(me).filter(content_check::COLUMN.id.eq(id)).lock(LockType::Update).one(tx).await?;
    row.ok_or_else(Problem::not_found)
}

/// Gives other words for what is held. WeChat looks at them anew, and then a person: what the desk has read was
/// something else.
///
/// # Errors
/// `not_found`, `limit_reached` after five times, `transition_not_allowed` of what is not held or no text of a case.
pub(super) async fn reword(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: ContentCheckId,
    body: &RewordContent,
    now: Instant,
) -> Result<content_check::Model, Problem> {
    let mut row = held(tx, me, id).await?;
    if row.subject != ContentSubject::Case || row.file_id.is_some() || row.state != ContentState::Held {
        return Err(Code::TransitionNotAllowed.into());
    }
    if row.rewordings >= REWORDINGS {
        return Err(Code::LimitReached.into());
    }
    let case = case::Entity::find_by_id(CaseId(row.subject_id)).one(tx).await?.ok_or_else(Problem::not_found)?;
    let text = words::published(body.text.trim(), &cases::publication::names(tx, app, &case).await?);
    row.digest = ops::digest(&app.field_keys, &text)?;
    row.text = Some(app.field_keys.close(&PrivateText::of_stored(text))?);
    row.version += 1;
    row.rewordings += 1;
    ops::begin(tx, &mut row, now).await?;
    let made = row.clone();
    row.into_active_model().reset_all().update(tx).await?;
    if made.state == ContentState::Waiting {
        ops::enqueue(tx, made.id, made.version, now).await?;
    }
    Ok(made)
}

/// Asks for a person to look at what is held; a person's own decision is not asked about again.
///
/// # Errors
/// `not_found`, `transition_not_allowed`.
pub(super) async fn ask(
    tx: &Tx,
    me: &Villager,
    id: ContentCheckId,
    now: Instant,
) -> Result<content_check::Model, Problem> {
    let mut row = held(tx, me, id).await?;
    if row.state != ContentState::Held || row.decided_by.is_some() {
        return Err(Code::TransitionNotAllowed.into());
    }
    (row.state, row.reason) = (ContentState::ToReview, Some(ContentReason::AskedFor));
    settle::write(tx, row, now).await
}
