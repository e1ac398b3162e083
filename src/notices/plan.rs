//! From notices to the ways they go: the job behind [`super::tell`].
//!
//! The inbox has every notice from the transaction that wrote it. Here each that is worth more gets its row and, unless
//! somebody has to call, the job that sends it; both in the transaction that marks the notice delivered, so that one
//! which is run twice does nothing twice. Next: [`super::start`], which begins an attempt.

use std::sync::Arc;

use entity::{
    Instant,
    id::{NoticeDeliveryId, NoticeId},
    notice,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState, NoticeUrgency},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::OnConflict};

use super::{
    channels, delivery,
    facts::{Facts, Known},
    kinds, staff,
};
use crate::{app::App, db, jobs, problem::Problem};

/// Notices looked at by one statement.
const AT_ONCE: usize = 256;

/// Brings notices to their people. Being told to do so twice changes nothing.
pub async fn deliver(app: &Arc<App>, ids: Vec<NoticeId>) -> Result<(), Problem> {
    let now = app.clock.now();
    let mut planned = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        planned.extend(plan(app, some, now).await?);
    }
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
            if planned.is_empty() {
                return Ok(());
            }
            let once = OnConflict::column(notice_delivery::Column::NoticeId).do_nothing().to_owned();
            let rows = planned.iter().cloned().map(notice_delivery::Model::into_active_model);
            db::upsert_all::<notice_delivery::ActiveModel>(
                tx,
                rows.map(sea_orm::ActiveModelTrait::reset_all).collect(),
                &once,
            )
            .await?;
            let to_send = planned.iter().filter(|row| row.state == NoticeDeliveryState::Waiting);
            jobs::enqueue_all(
                tx,
                to_send.map(|row| (jobs::Job::SendNotice { delivery: row.id }, row.due_at)).collect(),
            )
            .await?;
            for row in planned.iter().filter(|row| row.state == NoticeDeliveryState::ToCall) {
                staff::call_list_grew(tx, row, now).await?;
            }
            Ok(())
        })
        .await
}

/// The rows of those that go farther than the inbox.
async fn plan(app: &App, ids: &[NoticeId], now: Instant) -> Result<Vec<notice_delivery::Model>, Problem> {
    let db = app.db.read();
    let notices = notice::Entity::find()
        .filter(notice::COLUMN.id.is_in(db::padded(ids.iter().copied())))
        .filter(notice::COLUMN.delivered_at.is_null())
        .filter(notice::COLUMN.read_at.is_null())
        .order_by_asc(notice::Column::Id)
        .all(db)
        .await?;
    let loud: Vec<notice::Model> =
        notices.into_iter().filter(|notice| kinds::of(&notice.kind).urgency != NoticeUrgency::Quiet).collect();
    if loud.is_empty() {
        return Ok(Vec::new());
    }
    let facts = Facts::look(db, app, &loud, now).await?;
    let row = |notice: &notice::Model| facts.of(notice).and_then(|known| of(notice, &known, now));
    Ok(loud.iter().filter_map(row).collect())
}

fn of(notice: &notice::Model, known: &Known, now: Instant) -> Option<notice_delivery::Model> {
    let channel = channels::way(known.standing, None);
    let mut row = notice_delivery::Model {
        id: NoticeDeliveryId::fresh(),
        notice_id: notice.id,
        person_id: notice.person_id,
        kind: notice.kind.clone(),
        urgency: known.standing.urgency,
        case_id: notice.case_id,
        village_id: known.subject.village,
        township_id: known.subject.township,
        confidential: known.subject.confidential,
        discreet: known.subject.confidential || known.subject.private || kinds::of(&notice.kind).discreet,
        channel,
        state: NoticeDeliveryState::Waiting,
        due_at: now,
        put_off: false,
        tries: 0,
        tried_at: None,
        in_flight: None,
        openid: None,
        template_id: None,
        msgid: None,
        error: None,
        merged_into: None,
        told_at: None,
        done_by: None,
        done_how: None,
        done_text: None,
        created_at: now,
    };
    match channel {
        NoticeChannel::Inbox => return None,
        NoticeChannel::Desk => row.state = delivery::at_the_desk(&row),
        NoticeChannel::Wechat | NoticeChannel::Sms => {}
    }
    Some(row)
}
