//! Reading the log of events behind those who write it.
//!
//! A key is as old as the clock of its server says, and an event is seen once its transaction ends: keys do not appear in
//! their order. Whoever reads on begins some time before the last key it saw and passes over what it has read.

use entity::{Instant, case_event, id::CaseEventId};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};
use uuid::{NoContext, Timestamp, Uuid};

use crate::problem::Problem;

/// Events may appear so much later than their keys say, in seconds.
const LATE_S: u64 = 300;

/// The newest event there is. Looked up before anything is read: whatever is written meanwhile comes after it.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<CaseEventId>, Problem> {
    let newest =
        case_event::Entity::find().select_only().column(case_event::Column::Id).order_by_desc(case_event::Column::Id);
    Ok(newest.into_tuple().one(db).await?)
}

/// The first key of a moment.
#[must_use]
pub fn key_of(moment: Instant) -> CaseEventId {
    let seconds = u64::try_from(moment.timestamp()).unwrap_or(0);
    CaseEventId(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)))
}

/// Where to read on from, of whom `mark` was the newest event.
#[must_use]
pub fn some_time_before(mark: CaseEventId) -> CaseEventId {
    let Some(at) = mark.0.get_timestamp() else { return mark };
    let (seconds, _) = at.to_unix();
    CaseEventId(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds.saturating_sub(LATE_S), 0)))
}
