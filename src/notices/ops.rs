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
    db::{self, Tx},
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
    /// The person: residence, authorisations.
    Oneself,
}

/// Something that one person is to be told.
#[derive(Clone, Debug)]
pub struct Telling {
    /// Whom.
    pub person: PersonId,
    /// A key of `locales/notices.yml`.
    pub kind: &'static str,
    /// What it is about.
    pub about: About,
    /// What the sentence names, as texts: `number` of a case, `when` of a booking.
    pub params: Value,
}

/// Writes notices and the job that delivers them.
pub async fn tell(tx: &Tx, tellings: Vec<Telling>, now: Instant) -> Result<(), Problem> {
    let mut rows = Vec::with_capacity(tellings.len());
    let mut notices = Vec::with_capacity(tellings.len());
    for Telling { person, kind, about, params } in tellings {
        let id = NoticeId::fresh();
        let (case_id, booking_id) = match about {
            About::Case(case) => (Some(case), None),
            About::Booking(booking) => (None, Some(booking)),
            About::Oneself => (None, None),
        };
        rows.push(notice::ActiveModel {
            id: Set(id),
            person_id: Set(person),
            kind: Set(kind.to_owned()),
            case_id: Set(case_id),
            booking_id: Set(booking_id),
            params: Set(params),
            created_at: Set(now),
            delivered_at: Set(None),
            read_at: Set(None),
        });
        notices.push(id);
    }
    if notices.is_empty() {
        return Ok(());
    }
    db::insert_all(tx, rows).await?;
    jobs::enqueue(tx, &Job::DeliverNotices { notices }, now, None).await
}

/// Notices marked by one statement.
const AT_ONCE: usize = 256;

/// Brings notices to their people. The inbox is the channel that is always there; being told twice changes nothing.
pub async fn deliver(app: &App, ids: Vec<NoticeId>) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            for some in ids.chunks(AT_ONCE) {
                notice::Entity::update_many()
                    .col_expr(notice::Column::DeliveredAt, now.into())
                    .filter(notice::COLUMN.id.is_in(db::padded(some.iter().copied())))
                    .filter(notice::COLUMN.delivered_at.is_null())
                    .exec(tx)
                    .await?;
            }
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
