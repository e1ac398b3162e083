//! What stands on the page.

use chrono::NaiveDate;
use entity::{
    Instant, division,
    id::{DivisionId, PublicationId},
    publication::{self, PublicationKind},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::ExprTrait,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Staff, Villager, duty::KeepPublications},
    clock::local_day,
    divisions,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// What anybody may read today.
fn shown(today: NaiveDate) -> Condition {
    Condition::all()
        .add(publication::COLUMN.ended_at.is_null())
        .add(publication::COLUMN.shown_at.is_not_null())
        .add(publication::COLUMN.expires_on.gte(today))
}

/// What stands on the page today of these minutes, or of this case.
///
/// # Errors
/// Those of the database.
pub async fn standing(
    db: &impl ConnectionTrait,
    kind: PublicationKind,
    subject: Uuid,
    today: NaiveDate,
) -> Result<Option<publication::Model>, Problem> {
    let found = publication::Entity::find()
        .filter(publication::COLUMN.kind.eq(kind))
        .filter(publication::COLUMN.subject_id.eq(subject))
        .filter(shown(today));
    Ok(found.one(db).await?)
}

/// The page of a place, the newest first; at most a page and one.
pub(super) async fn page(
    app: &App,
    place: DivisionId,
    kind: Option<PublicationKind>,
    page: &PageQuery,
) -> Result<Vec<publication::Model>, Problem> {
    let db = app.db.read();
    divisions::find(db, place).await?;
    let mut rows = publication::Entity::find()
        .filter(publication::COLUMN.division_id.eq(place))
        .filter(shown(local_day(app.clock.now())));
    if let Some(kind) = kind {
        rows = rows.filter(publication::COLUMN.kind.eq(kind));
    }
    if let Some((at, id)) = Cursor::read::<(Instant, PublicationId)>(page.cursor.as_deref())? {
        let (shown_at, key) = (publication::COLUMN.shown_at, publication::COLUMN.id);
        rows = rows.filter(shown_at.lt(at).or(shown_at.eq(at).and(key.lt(id))));
    }
    let newest = rows.order_by_desc(publication::Column::ShownAt).order_by_desc(publication::Column::Id);
    Ok(newest.limit(page.size() + 1).all(db).await?)
}

/// One that anybody may read, or 404.
pub(super) async fn one(app: &App, id: PublicationId) -> Result<publication::Model, Problem> {
    let found = publication::Entity::find_by_id(id).filter(shown(local_day(app.clock.now())));
    found.one(app.db.read()).await?.ok_or_else(Problem::not_found)
}

/// Of whose matters it tells, newest first; at most a page and one.
pub(super) async fn own(app: &App, me: &Villager, page: &PageQuery) -> Result<Vec<publication::Model>, Problem> {
    let mut rows = publication::Entity::find().filter(publication::COLUMN.person_id.eq(me.person()));
    if let Some(before) = Cursor::read::<PublicationId>(page.cursor.as_deref())? {
        rows = rows.filter(publication::COLUMN.id.lt(before));
    }
    Ok(rows.order_by_desc(publication::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// How far something on the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicationState {
    /// Its words are to be looked at.
    Waiting,
    /// Everybody sees it.
    Shown,
    /// Nobody does any more.
    Ended,
}

impl PublicationState {
    pub(super) fn of(row: &publication::Model) -> Self {
        match (row.ended_at, row.shown_at) {
            (Some(_), _) => Self::Ended,
            (None, Some(_)) => Self::Shown,
            (None, None) => Self::Waiting,
        }
    }

    fn rows(self) -> Condition {
        let (ended, shown) = (publication::COLUMN.ended_at, publication::COLUMN.shown_at);
        match self {
            Self::Waiting => Condition::all().add(ended.is_null()).add(shown.is_null()),
            Self::Shown => Condition::all().add(ended.is_null()).add(shown.is_not_null()),
            Self::Ended => Condition::all().add(ended.is_not_null()),
        }
    }
}

/// All of a place and below it, with what ended; newest first, at most a page and one.
///
/// # Errors
/// `not_found` out of reach.
pub(super) async fn of_staff(
    app: &App,
    staff: &Staff<KeepPublications>,
    place: DivisionId,
    state: Option<PublicationState>,
    page: &PageQuery,
) -> Result<Vec<publication::Model>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, place).await?;
    let places =
        division::Entity::find().select_only().column(division::Column::Id).filter(divisions::subtree(place.id));
    let mut rows = publication::Entity::find().filter(publication::Column::DivisionId.in_subquery(places.into_query()));
    if let Some(state) = state {
        rows = rows.filter(state.rows());
    }
    if let Some(before) = Cursor::read::<PublicationId>(page.cursor.as_deref())? {
        rows = rows.filter(publication::COLUMN.id.lt(before));
    }
    Ok(rows.order_by_desc(publication::Column::Id).limit(page.size() + 1).all(db).await?)
}
