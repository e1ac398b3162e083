//! One attempt to tell somebody something, outside of every transaction, and what came of it.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{id::NoticeDeliveryId, notice_delivery::NoticeChannel};

use super::{
    outcome::{self, Outcome},
    start::{self, Begun, Start},
};
use crate::{
    app::App,
    personal::PhoneNumber,
    problem::Problem,
    wechat::{SendFault, WechatError, subscribe::SubscribeMessage},
};

/// Makes the attempt that a delivery waits for; says how long to wait when it is not over then.
///
/// # Errors
/// Those of the database: then the job is tried again.
pub async fn send(app: &Arc<App>, id: NoticeDeliveryId) -> Result<Option<TimeDelta>, Problem> {
    let (shared, now) = (app.clone(), app.clock.now());
    let begun = match app.db.transact(async move |tx| start::start(tx, &shared, id, now).await).await? {
        Start::Over => return Ok(None),
        Start::Later(wait) => return Ok(Some(wait)),
        Start::Begun(begun) => begun,
    };
    let outcome = make(app, &begun).await;
    let (shared, now, row) = (app.clone(), app.clock.now(), begun.row);
    app.db.transact(async move |tx| outcome::note(tx, &shared, &row, &outcome, now).await).await
}

async fn make(app: &App, begun: &Begun) -> Outcome {
    match begun.row.channel {
        NoticeChannel::Wechat => by_wechat(app, begun).await,
        NoticeChannel::Sms => by_sms(app, begun).await,
        NoticeChannel::Desk | NoticeChannel::Inbox => Outcome::refused("channel"),
    }
}

async fn by_wechat(app: &App, Begun { row, known, told }: &Begun) -> Outcome {
    let (Some(openid), Some(template)) = (&row.in_flight, &known.template) else {
        return Outcome::refused("template");
    };
    let data = match told.data(template) {
        Ok(data) => data,
        Err(unfit) => {
            tracing::error!(template.id = template.id, "A template cannot be filled: {unfit}");
            return Outcome::refused("fields");
        }
    };
    let message = SubscribeMessage {
        touser: openid.clone(),
        template_id: template.id.clone(),
        page: told.page(template),
        data,
        miniprogram_state: app.config.notices.miniprogram_state.clone(),
        lang: if known.english { "en_US" } else { "zh_CN" },
    };
    match app.wechat.send_subscribe_message(&message).await {
        Ok(msgid) => Outcome::Sent { msgid },
        Err(fault) => sorted(&fault, row.tries),
    }
}

/// What is to be done about a failure.
fn sorted(fault: &SendFault, tries: i32) -> Outcome {
    if fault.may_have_arrived() {
        return Outcome::Unanswered("no_answer");
    }
    let soon = |error| Outcome::Again { wait: outcome::backoff(tries), error };
    match &fault.error {
        WechatError::Busy(refusal) if refusal.errcode == 43108 => soon("one_at_a_time"),
        WechatError::Busy(_) | WechatError::SecondQuota(_) => soon("busy"),
        WechatError::MinuteQuota(_) => Outcome::Again { wait: TimeDelta::seconds(60), error: "minute_quota" },
        WechatError::DayQuota(_) => Outcome::Tomorrow("day_quota"),
        WechatError::TokenRejected(_) => soon("token"),
        WechatError::Transport(_) | WechatError::Unreadable => soon("no_connection"),
        WechatError::NotSubscribed(_) => Outcome::Refused { error: "not_subscribed", exhausted: true },
        // The client has said it loudly: a template, a page or a field is wrong, or the account is.
        WechatError::Configuration(_) if fault.unsent => soon("token"),
        WechatError::Configuration(_) => Outcome::refused("configuration"),
        WechatError::DataBug(_)
        | WechatError::BadCode(_)
        | WechatError::SessionOver(_)
        | WechatError::NotSeenLately(_) => Outcome::refused("data"),
    }
}

async fn by_sms(app: &App, Begun { row, known, told }: &Begun) -> Outcome {
    let Some(sealed) = &known.phone else { return Outcome::refused("no_phone") };
    let to: PhoneNumber = match app.field_keys.open(sealed) {
        Ok(to) => to,
        Err(_) => return Outcome::refused("phone"),
    };
    if !to.is_mobile() {
        return Outcome::refused("landline");
    }
    match app.sms.send(&row.id.to_string(), &to, &told.sms()).await {
        Ok(()) => Outcome::Sent { msgid: None },
        Err(fault) => {
            tracing::warn!(delivery.id = %row.id, reason = fault.why, "a text message did not go");
            if fault.may_have_arrived {
                Outcome::Unanswered("no_answer")
            } else {
                Outcome::Again { wait: outcome::backoff(row.tries), error: "gateway" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::Outage;

    #[test]
    fn every_failure_has_its_answer() {
        let refused = |errcode| SendFault { error: WechatError::refused(errcode, "x"), unsent: false };
        for (errcode, expected) in [
            (-1, "busy"),
            (43108, "one_at_a_time"),
            (45011, "minute_quota"),
            (45009, "day_quota"),
            (44993, "day_quota"),
            (40001, "token"),
            (43101, "not_subscribed"),
            (40037, "configuration"),
            (43107, "configuration"),
            (41030, "configuration"),
            (40003, "data"),
            (47003, "data"),
            (45168, "data"),
        ] {
            let error = match sorted(&refused(errcode), 1) {
                Outcome::Again { error, .. }
                | Outcome::Refused { error, .. }
                | Outcome::Tomorrow(error)
                | Outcome::Unanswered(error) => error,
                Outcome::Sent { .. } => "sent",
            };
            assert_eq!(error, expected, "{errcode}");
        }
        let exhausted = |errcode| matches!(sorted(&refused(errcode), 1), Outcome::Refused { exhausted: true, .. });
        assert!(exhausted(43101) && !exhausted(43107));
        let cut = SendFault { error: WechatError::Transport(Outage::Other), unsent: false };
        assert!(matches!(sorted(&cut, 1), Outcome::Unanswered(_)));
        assert!(matches!(sorted(&SendFault { unsent: true, ..cut }, 1), Outcome::Again { .. }));
    }
}
