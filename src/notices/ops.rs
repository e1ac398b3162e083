//! Telling somebody something.

use std::collections::HashMap;

use entity::{
    Instant,
    id::{BookingId, CaseId, NoticeDeliveryId, NoticeId, PersonId},
    notice,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
};
use serde_json::Value;

use super::delivery;
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
    delivery::read(tx, id, now).await?;
    let mut row = row.into_active_model();
    row.read_at = Set(Some(now));
    Ok(row.update(tx).await?)
}

/// How these were told beside the inbox, as far as they were.
pub(super) async fn told_by(
    db: &impl ConnectionTrait,
    rows: &[notice::Model],
) -> Result<HashMap<NoticeId, NoticeChannel>, Problem> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(NoticeId, NoticeDeliveryId, NoticeChannel, Option<NoticeDeliveryId>, NoticeDeliveryState)> =
        notice_delivery::Entity::find()
            .select_only()
            .column(notice_delivery::Column::NoticeId)
            .column(notice_delivery::Column::Id)
            .column(notice_delivery::Column::Channel)
            .column(notice_delivery::Column::MergedInto)
            .column(notice_delivery::Column::State)
            .filter(notice_delivery::COLUMN.notice_id.is_in(db::padded(rows.iter().map(|row| row.id))))
            .into_tuple()
            .all(db)
            .await?;
    let heads: Vec<NoticeDeliveryId> = found.iter().filter_map(|(.., head, _)| *head).collect();
    let mut ways: HashMap<NoticeDeliveryId, (NoticeChannel, NoticeDeliveryState)> =
        found.iter().map(|(_, id, channel, _, state)| (*id, (*channel, *state))).collect();
    if !heads.is_empty() {
        let rows = notice_delivery::Entity::find().filter(notice_delivery::COLUMN.id.is_in(db::padded(heads)));
        ways.extend(rows.all(db).await?.into_iter().map(|row| (row.id, (row.channel, row.state))));
    }
    let told = |(notice, id, _, head, _): &(NoticeId, NoticeDeliveryId, _, Option<NoticeDeliveryId>, _)| {
        let (channel, state) = *ways.get(&head.unwrap_or(*id))?;
        matches!(state, NoticeDeliveryState::Sent | NoticeDeliveryState::Called).then_some((*notice, channel))
    };
    Ok(found.iter().filter_map(told).collect())
}
