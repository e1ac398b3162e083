//! What one person is told at once: no floods, and what was held up goes together.
//!
//! More than a few messages in ten minutes become one, and so does what waited for the morning. Those told together hang on
//! the one that goes (`merged_into`). The person's row is held meanwhile ([`super::start`]). Next: [`super::words`] for what
//! such a message says.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::NoticeDeliveryId,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State, NoticeUrgency},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use crate::{
    app::App,
    db::{self, Tx},
    problem::Problem,
};

/// When somebody who was told enough lately may be told more.
pub(super) async fn flood_ends_at(
    tx: &Tx,
    app: &App,
    row: &notice_delivery::Model,
    now: Instant,
) -> Result<Option<Instant>, Problem> {
    if row.urgency == NoticeUrgency::Danger || row.put_off {
        return Ok(None);
    }
    let within = TimeDelta::seconds(app.config.notices.together_within_s.into());
    let lately: Vec<Option<Instant>> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::TriedAt)
        .filter(notice_delivery::COLUMN.person_id.eq(row.person_id))
        .filter(notice_delivery::COLUMN.tried_at.gt(now - within))
        .filter(notice_delivery::COLUMN.state.is_in([State::Sending, State::Unknown, State::Sent]))
        .order_by_asc(notice_delivery::Column::TriedAt)
        .limit(u64::from(app.config.notices.together_over))
        .into_tuple()
        .all(tx)
        .await?;
    let enough = lately.len() as u64 >= u64::from(app.config.notices.together_over);
    Ok(lately.first().copied().flatten().filter(|_| enough).map(|first| first + within))
}

/// Lets what waits beside it go with it, when there is too much of it or it was held up. A text message that was tried
/// may have gone: neither does anything join it, nor does it join another. To a phone that was given for a case nothing
/// of other cases is said.
pub(super) async fn gather(
    tx: &Tx,
    app: &App,
    row: &mut notice_delivery::Model,
    own_phone: bool,
    now: Instant,
) -> Result<(), Problem> {
    if row.channel == NoticeChannel::Sms && row.tries > 0 {
        return Ok(());
    }
    let fresh = Condition::any()
        .add(notice_delivery::COLUMN.channel.ne(NoticeChannel::Sms))
        .add(notice_delivery::COLUMN.tries.eq(0));
    let mut others = notice_delivery::Entity::find()
        .filter(notice_delivery::COLUMN.person_id.eq(row.person_id))
        .filter(notice_delivery::COLUMN.id.ne(row.id))
        // What is confidential may end at another desk.
        .filter(notice_delivery::COLUMN.confidential.eq(row.confidential))
        .filter(notice_delivery::COLUMN.state.eq(State::Waiting))
        .filter(notice_delivery::COLUMN.due_at.lte(now))
        .filter(fresh)
        .all(tx)
        .await?;
    if row.channel == NoticeChannel::Sms && !own_phone {
        others.retain(|other| other.case_id == row.case_id);
    }
    let held = row.put_off || others.iter().any(|other| other.put_off);
    let many = others.len() as u64 + 1 > u64::from(app.config.notices.together_over);
    if others.is_empty() || !(held || many) {
        return Ok(());
    }
    let ids: Vec<NoticeDeliveryId> = others.iter().map(|other| other.id).collect();
    notice_delivery::Entity::update_many()
        .col_expr(notice_delivery::Column::State, Expr::val(State::Merged))
        .col_expr(notice_delivery::Column::MergedInto, Expr::val(row.id))
        .filter(notice_delivery::Column::Id.is_in(db::padded(ids.iter().copied()).into_iter().map(|id| id.0)))
        .exec(tx)
        .await?;
    // Those that were told with one of them go on with this one.
    notice_delivery::Entity::update_many()
        .col_expr(notice_delivery::Column::MergedInto, Expr::val(row.id))
        .filter(notice_delivery::Column::MergedInto.is_in(ids.into_iter().map(|id| id.0)))
        .exec(tx)
        .await?;
    row.urgency = others.iter().map(|other| other.urgency).max().map_or(row.urgency, |most| most.max(row.urgency));
    row.discreet |= others.iter().any(|other| other.discreet);
    row.township_id = row.township_id.or_else(|| others.iter().find_map(|other| other.township_id));
    row.village_id = row.village_id.or_else(|| others.iter().find_map(|other| other.village_id));
    row.clone().into_active_model().reset_all().update(tx).await?;
    Ok(())
}
