//! Who may see the files of cases and reviews: exactly who may read the case, or the review.

use entity::{
    case, follow_up,
    id::{CaseId, ReviewId},
    review,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{agency, reviews, scope, trail};
use crate::{
    app::App,
    audit::Entry,
    auth::{Staff, Villager, duty::WorkOnCases},
    clock::local_day,
    problem::Problem,
};

/// Nothing, where the villager may see the case; else 404.
pub async fn shown_to_villager(app: &App, me: &Villager, id: CaseId) -> Result<(), Problem> {
    agency::reach(app.db.read(), me, id, local_day(app.clock.now())).await.map(drop)
}

/// What is to be entered in the audit before it is shown, where staff may see the case; else 404.
pub async fn shown_to_staff(app: &App, staff: &Staff<WorkOnCases>, id: CaseId) -> Result<Vec<Entry>, Problem> {
    let case = scope::one(scope::of_staff(staff), id, app.db.read()).await?;
    trail::file_read(app, &case, "file").await
}

/// Nothing, where the villager may read the review: their own case, or one that they filed as a helper and may still act
/// on; else 404.
pub async fn review_shown_to_villager(app: &App, me: &Villager, id: ReviewId) -> Result<(), Problem> {
    let db = app.db.read();
    let review = review::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let reach = agency::reach(db, me, review.case_id, local_day(app.clock.now())).await?;
    let helps = reach.case.agent_id == Some(me.person());
    if reach.grant.is_none() || helps { Ok(()) } else { Err(Problem::not_found()) }
}

/// Who follows a bad review up hears it, and nobody else: a voice tells who speaks (decision 0019). What is to be entered
/// in the audit before.
pub async fn review_shown_to_staff(app: &App, staff: &Staff<WorkOnCases>, id: ReviewId) -> Result<Vec<Entry>, Problem> {
    let db = app.db.read();
    let followed_up = follow_up::Entity::find()
        .filter(follow_up::COLUMN.review_id.eq(id))
        .filter(reviews::followed_up_by(staff))
        .one(db)
        .await?
        .ok_or_else(Problem::not_found)?;
    let case = case::Entity::find_by_id(followed_up.case_id).one(db).await?.ok_or_else(Problem::not_found)?;
    trail::file_read(app, &case, "review_file").await
}
