//! What an attempt came to, and what follows from it: again, later, the next way.
//!
//! What may pass is tried again: what presses for some minutes, the rest for two hours, since a line that fails in the
//! morning must not send a village to the telephone. Of what nobody knows WeChat tells by an event ([`super::reports`]).
//! Next: [`super::delivery`] for the changes themselves.

use chrono::TimeDelta;
use entity::{
    Instant,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State, NoticeUrgency},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use secrecy::ExposeSecret;

use super::{
    delivery::{count, hand_on, save, sent, wait_of, wait_until},
    hours, kinds,
};
use crate::{app::App, db::Tx, problem::Problem, subscriptions};

/// Attempts by one channel before the next is taken: about two minutes.
const TRIES_OF_URGENT: i32 = 6;
/// Likewise of what keeps for a while: about two hours. The night counts for nothing, since nothing is tried then.
const TRIES: i32 = 20;
/// The longest pause between two tries.
const LONGEST_PAUSE_MS: i64 = 600_000;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The channel took it.
    Sent {
        /// WeChat's number of it.
        msgid: Option<String>,
    },
    /// It may have gone or not.
    Unanswered(&'static str),
    /// It has not gone and may later.
    Again {
        /// How much later.
        wait: TimeDelta,
        /// Why.
        error: &'static str,
    },
    /// It has not gone and will not today.
    Tomorrow(&'static str),
    /// It will not go this way.
    Refused {
        /// Why.
        error: &'static str,
        /// They take no more of this template.
        exhausted: bool,
    },
}

impl Outcome {
    pub(super) fn refused(error: &'static str) -> Self {
        Self::Refused { error, exhausted: false }
    }
}

/// The pause after so many tries: two seconds and twice as much each time, ten minutes at most, with something by chance.
pub(super) fn backoff(tries: i32) -> TimeDelta {
    let pause = (1_000_i64 << tries.clamp(1, 10)).min(LONGEST_PAUSE_MS);
    TimeDelta::milliseconds(pause + rand::random_range(0..1_000))
}

fn most_tries(urgency: NoticeUrgency) -> i32 {
    if urgency >= NoticeUrgency::Urgent { TRIES_OF_URGENT } else { TRIES }
}

/// Writes down what came of an attempt, where it is still this one that is waited for; says how long to wait then.
pub(super) async fn note(
    tx: &Tx,
    app: &App,
    begun: &notice_delivery::Model,
    outcome: &Outcome,
    now: Instant,
) -> Result<Option<TimeDelta>, Problem> {
    let Some(row) = notice_delivery::Entity::find_by_id(begun.id).lock_exclusive().one(tx).await? else {
        return Ok(None);
    };
    if row.state != State::Sending || row.tried_at != begun.tried_at {
        // WeChat's report was faster, or this took so long that another went on.
        return Ok(wait_of(&row, now));
    }
    let row = match outcome {
        Outcome::Sent { msgid } => sent(tx, row, msgid.clone(), now).await?,
        Outcome::Unanswered(error) => unanswered(tx, app, row, error, now).await?,
        Outcome::Again { error, .. } if row.tries >= most_tries(row.urgency) => {
            hand_on(tx, app, row, error, now).await?
        }
        Outcome::Again { wait, error } => wait_until(tx, row, now + *wait, error).await?,
        Outcome::Tomorrow(error) if row.urgency >= NoticeUrgency::Urgent => hand_on(tx, app, row, error, now).await?,
        Outcome::Tomorrow(error) => {
            let morning = hours::next_morning(&app.config.notices, row.person_id, now);
            wait_until(tx, notice_delivery::Model { put_off: true, ..row }, morning, error).await?
        }
        Outcome::Refused { error, exhausted } => {
            if let (true, Some(openid), Some(template)) = (*exhausted, &row.in_flight, &row.template_id) {
                let at = row.tried_at.unwrap_or(now);
                subscriptions::exhausted(tx, openid, template, at, now).await?;
            }
            hand_on(tx, app, row, error, now).await?
        }
    };
    Ok(wait_of(&row, now))
}

/// No answer came. WeChat tells by an event whether it took a message, where it may push; a gateway that drops repetitions
/// is asked again. Else one of WeChat counts as sent, since it most likely went and twice is as bad as late, unless it is
/// urgent or must be heard. A text goes the next way: a gateway that answers nobody is silent for everybody, and whoever
/// uses the app finds it there.
pub(super) async fn unanswered(
    tx: &Tx,
    app: &App,
    row: notice_delivery::Model,
    error: &str,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    let error = Some(error.to_owned());
    match row.channel {
        NoticeChannel::Wechat if !app.config.wechat.push_token.expose_secret().is_empty() => {
            count(&row, "unknown");
            let due_at = now + TimeDelta::seconds(app.config.notices.unknown_after_s.into());
            save(tx, notice_delivery::Model { state: State::Unknown, due_at, error, ..row }).await
        }
        NoticeChannel::Sms if app.sms.drops_repeats() && row.tries < most_tries(row.urgency) => {
            let due_at = now + backoff(row.tries);
            save(tx, notice_delivery::Model { state: State::Waiting, due_at, error, ..row }).await
        }
        NoticeChannel::Wechat if row.urgency < NoticeUrgency::Urgent && !must(tx, &row).await? => {
            sent(tx, notice_delivery::Model { error, ..row }, None, now).await
        }
        _ => hand_on(tx, app, row, "no_answer", now).await,
    }
}

/// Whether it, or something that goes with it, has to be heard.
async fn must(tx: &Tx, row: &notice_delivery::Model) -> Result<bool, Problem> {
    let gathered: Vec<String> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::Kind)
        .filter(notice_delivery::COLUMN.merged_into.eq(row.id))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(kinds::of(&row.kind).must || gathered.iter().any(|kind| kinds::of(kind).must))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_presses_is_tried_for_minutes_and_the_rest_for_two_hours() {
        let tried_for = |urgency: NoticeUrgency| -> TimeDelta { (1..most_tries(urgency)).map(backoff).sum() };
        let urgent = tried_for(NoticeUrgency::Urgent);
        assert!((TimeDelta::seconds(60)..TimeDelta::minutes(3)).contains(&urgent), "{urgent}");
        let normal = tried_for(NoticeUrgency::Normal);
        assert!((TimeDelta::minutes(110)..TimeDelta::minutes(130)).contains(&normal), "{normal}");
        assert!((1..100).all(|tries| backoff(tries) < TimeDelta::seconds(601)));
    }
}
