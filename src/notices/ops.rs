//! Telling somebody something.

use entity::{
    Instant,
    id::{BookingId, CaseId, NoticeId, PersonId},
    notice,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;

use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Cursor, PageQuery},
    jobs::{self, Job},
    problem::Problem,
};

/// What a notice is about.
#[derive(Clone, Copy, Debug)]
pub enum About {
    /// A case.
    Case(CaseId),
    /// A booking.
    Booking(BookingId),
}

/// Writes a notice of `kind` (a key of `locales/notices.yml`) and the job that delivers it.
pub async fn tell(
    tx: &Tx,
    person: PersonId,
    kind: &str,
    about: About,
    params: Value,
    now: Instant,
) -> Result<(), Problem> {
    let id = NoticeId::fresh();
    let (case_id, booking_id) = match about {
        About::Case(case) => (Some(case), None),
        About::Booking(booking) => (None, Some(booking)),
    };
    let row = notice::ActiveModel {
        id: Set(id),
        person_id: Set(person),
        kind: Set(kind.to_owned()),
        case_id: Set(case_id),
        booking_id: Set(booking_id),
        params: Set(params),
        created_at: Set(now),
        delivered_at: Set(None),
        read_at: Set(None),
    };
    notice::Entity::insert(row).exec_without_returning(tx).await?;
    jobs::enqueue(tx, &Job::DeliverNotice { notice: id }, now, None).await
}

/// Brings notices to their people. The inbox is the channel that is always there; being told twice changes nothing.
pub async fn deliver(app: &App, ids: Vec<NoticeId>) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            notice::Entity::update_many()
                .col_expr(notice::Column::DeliveredAt, now.into())
                .filter(notice::COLUMN.id.is_in(ids.iter().copied()))
                .filter(notice::COLUMN.delivered_at.is_null())
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
}

pub(super) async fn inbox(app: &App, me: &Villager, page: &PageQuery) -> Result<Vec<notice::Model>, Problem> {
    let mut query = notice::Entity::find().filter(notice::COLUMN.person_id.eq(me.person()));
    if let Some(before) = Cursor::read::<NoticeId>(page.cursor.as_deref())? {
        query = query.filter(notice::COLUMN.id.lt(before));
    }
    Ok(query.order_by_desc(notice::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

pub(super) async fn read(tx: &Tx, me: &Villager, id: NoticeId, now: Instant) -> Result<notice::Model, Problem> {
    let mine = notice::Entity::find_by_id(id).filter(notice::COLUMN.person_id.eq(me.person()));
    let row = mine.one(tx).await?.ok_or_else(Problem::not_found)?;
    if row.read_at.is_some() {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    row.read_at = Set(Some(now));
    Ok(row.update(tx).await?)
}
