//! What pushes do: one sender's in the order in which they came, each in the transaction that marks it done.

use entity::{
    Instant,
    wechat_push::{self, WechatPushState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};

use super::read::{self, Told};
use crate::{
    app::App,
    content::{self, Judged},
    db::Tx,
    notices::{self, SentReport},
    personal::{Personal, PrivateText},
    problem::Problem,
    subscriptions::{self, Report},
    wechat::push,
};

/// The most that one job takes up; each push has a job of its own.
const AT_ONCE: u64 = 50;

/// Gives the waiting pushes of a sender their effect.
///
/// # Errors
/// Those of the database: then nothing happened, and the job is tried again.
pub async fn process(app: &std::sync::Arc<App>, sender: String) -> Result<(), Problem> {
    let (shared, now) = (app.clone(), app.clock.now());
    app.db
        .transact(async move |tx| {
            // Of two who come for the same, the second waits for the locks and finds them done.
            let rows = wechat_push::Entity::find()
                .filter(wechat_push::COLUMN.sender.eq(sender.as_str()))
                .filter(wechat_push::COLUMN.state.eq(WechatPushState::Waiting))
                .order_by_asc(wechat_push::Column::Id)
                .limit(AT_ONCE)
                .lock(LockType::Update)
                .all(tx)
                .await?;
            for row in rows {
                let understood = take_effect(tx, &shared, &row, now).await?;
                let mut row = row.into_active_model();
                row.state = Set(if understood { WechatPushState::Done } else { WechatPushState::NotUnderstood });
                row.processed_at = Set(Some(now));
                row.update(tx).await?;
            }
            Ok(())
        })
        .await
}

/// Says whether there was anything in it for us.
async fn take_effect(tx: &Tx, app: &App, row: &wechat_push::Model, now: Instant) -> Result<bool, Problem> {
    let text: PrivateText = match app.field_keys.open(&row.body) {
        Ok(text) => text,
        Err(problem) => {
            // It must not stand in the way of what comes after it.
            tracing::error!(push.id = %row.id, reason = problem.source_text(), "a stored push does not open");
            return Ok(false);
        }
    };
    let Ok((_, message)) = push::read(text.in_the_clear()) else { return Ok(false) };
    let openid = read::sender(&message);
    // What happened cannot lie ahead of when we were told.
    let at = read::happened_at(&message).map_or(row.received_at, |at| at.min(row.received_at));
    match read::told(&message) {
        Told::Popup(answers) => {
            let mut known = false;
            for answer in answers {
                let report = if answer.accepted { Report::Accepted } else { Report::Refused };
                known |= subscriptions::popup(tx, app, &openid, &answer.template_id, report, at, now).await?;
            }
            Ok(known)
        }
        Told::Changed(answers) => {
            let mut known = false;
            for answer in answers.into_iter().filter(|answer| !answer.accepted) {
                known |= subscriptions::switched_off(tx, app, &openid, &answer.template_id, at, now).await?;
            }
            Ok(known)
        }
        Told::Checked(verdict) => {
            let judged = Judged::of_media(&verdict.suggest, verdict.label);
            content::media_checked(tx, &verdict.trace_id, verdict.error_code, judged, now).await
        }
        Told::Else => Ok(false),
        Told::Sent(messages) => {
            for message in &messages {
                let report = SentReport {
                    openid: &openid,
                    template: &message.template_id,
                    msgid: &message.message_id,
                    ok: message.error_code == 0,
                    at,
                };
                notices::sent_event(tx, app, report, now).await?;
            }
            Ok(!messages.is_empty())
        }
    }
}
