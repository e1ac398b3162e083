//! What was said of somebody's work, as they are shown it: together with others, without case, name or day.

use entity::{
    id::{ReviewId, StaffId},
    review,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    app::App,
    auth::{Staff, duty::Anything},
    cases::reviews::{
        bodies::{BundledReview, ReviewBundle},
        rules,
    },
    clock::local_day,
    problem::Problem,
    settings::Term,
};

/// The latest reviews that are looked at.
const MOST: u64 = 500;

/// The bundles of somebody, the latest month first.
pub(in crate::cases::reviews) async fn of(app: &App, staff: &Staff<Anything>) -> Result<Vec<ReviewBundle>, Problem> {
    let shown = shown_to(app.db.read(), app, staff.id()).await?;
    let mut bundles = Vec::with_capacity(shown.len());
    for (month, reviews) in shown.into_iter().rev() {
        let reviews = reviews.into_iter().map(|review| bundled(app, review)).collect::<Result<_, _>>()?;
        bundles.push(ReviewBundle { month, reviews });
    }
    Ok(bundles)
}

/// The review of this handle, when it is one that they are shown.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    app: &App,
    staff: StaffId,
    wanted: &str,
) -> Result<review::Model, Problem> {
    for (_, reviews) in shown_to(db, app, staff).await? {
        for review in reviews {
            if handle(app, review.id)? == wanted {
                return Ok(review);
            }
        }
    }
    Err(Problem::not_found())
}

async fn shown_to(
    db: &impl ConnectionTrait,
    app: &App,
    staff: StaffId,
) -> Result<Vec<(chrono::NaiveDate, Vec<review::Model>)>, Problem> {
    let mut rows = review::Entity::find()
        .filter(review::COLUMN.handler_id.eq(staff))
        .filter(review::COLUMN.excluded_at.is_null())
        .order_by_desc(review::Column::Id)
        .limit(MOST)
        .all(db)
        .await?;
    // That money was asked is for the discipline desk alone.
    rows.retain(|review| !rules::says_money_was_asked(review));
    rows.reverse();
    let size = app.settings.load().of(&[]).terms.get(Term::ReviewBundle);
    Ok(rules::bundles(rows, local_day(app.clock.now()), size))
}

/// A name for a review that tells nothing of when it was given, as its id would.
fn handle(app: &App, id: ReviewId) -> Result<String, Problem> {
    let whole = app.field_keys.blind_index("review", &id.to_string())?;
    Ok(whole.chars().take(24).collect())
}

fn bundled(app: &App, review: review::Model) -> Result<BundledReview, Problem> {
    Ok(BundledReview {
        handle: handle(app, review.id)?,
        stars: review.stars,
        tags: review.tags,
        text: review.text,
        addition: review.addition,
        second_stars: review.second_stars,
    })
}
