//! Which way a notice goes: pure rules over what is known of its person.
//!
//! WeChat where it takes the message; else a text message where it does not keep or the app is not used; else somebody
//! calls. The inbox alone will do for those who use the app, unless they have to hear of it and a message to them failed:
//! then nobody knows whether they will look. Next: [`super::facts`], which finds out what is known.

use entity::notice_delivery::{
    NoticeChannel::{self, Desk, Inbox, Sms, Wechat},
    NoticeUrgency,
};

/// What is known of a person, and what of the notice counts.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Standing {
    /// WeChat would take the message: an account, a template, a message left, and they want it.
    pub wechat: bool,
    /// Text messages go, their number is known, and they want it.
    pub sms: bool,
    /// They used the app lately.
    pub seen: bool,
    /// They took back their consent or want no message at all.
    pub silent: bool,
    /// They asked to be forgotten.
    pub gone: bool,
    /// They have to hear of it whatever they prefer.
    pub must: bool,
    /// How much it matters.
    pub urgency: NoticeUrgency,
}

/// The way to take, after the one that failed.
#[must_use]
pub fn way(known: Standing, failed: Option<NoticeChannel>) -> NoticeChannel {
    let presses = known.urgency >= NoticeUrgency::Urgent;
    if known.gone || known.urgency == NoticeUrgency::Quiet {
        return Inbox;
    }
    if known.silent {
        // No machine writes to them; what they must hear of, a person says.
        return if known.must { Desk } else { Inbox };
    }
    if failed.is_none() && known.wechat {
        return Wechat;
    }
    let unheard = known.must && failed.is_some();
    if known.seen && !presses && !unheard {
        return Inbox;
    }
    if known.sms && matches!(failed, None | Some(Wechat | Inbox)) { Sms } else { Desk }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Standing = Standing {
        wechat: false,
        sms: false,
        seen: false,
        silent: false,
        gone: false,
        must: false,
        urgency: NoticeUrgency::Normal,
    };

    #[test]
    fn nobody_is_told_twice_and_nobody_is_told_nothing() {
        let urgent = Standing { urgency: NoticeUrgency::Urgent, ..KNOWN };
        for (known, ways) in [
            (KNOWN, vec![Desk]),
            (Standing { sms: true, ..KNOWN }, vec![Sms, Desk]),
            (Standing { wechat: true, sms: true, ..KNOWN }, vec![Wechat, Sms, Desk]),
            (Standing { wechat: true, sms: true, seen: true, ..KNOWN }, vec![Wechat, Inbox]),
            (Standing { sms: true, seen: true, ..KNOWN }, vec![Inbox]),
            (Standing { sms: true, seen: true, must: true, ..KNOWN }, vec![Inbox]),
            (Standing { wechat: true, seen: true, must: true, ..KNOWN }, vec![Wechat, Desk]),
            (Standing { wechat: true, sms: true, seen: true, must: true, ..KNOWN }, vec![Wechat, Sms, Desk]),
            (Standing { wechat: true, sms: true, seen: true, ..urgent }, vec![Wechat, Sms, Desk]),
            (Standing { seen: true, ..urgent }, vec![Desk]),
            (Standing { wechat: true, silent: true, ..KNOWN }, vec![Inbox]),
            (Standing { wechat: true, silent: true, must: true, ..KNOWN }, vec![Desk]),
            (Standing { wechat: true, gone: true, must: true, ..urgent }, vec![Inbox]),
            (Standing { wechat: true, urgency: NoticeUrgency::Quiet, ..KNOWN }, vec![Inbox]),
        ] {
            let mut taken = vec![way(known, None)];
            while let Some(last @ (Wechat | Sms)) = taken.last().copied() {
                taken.push(way(known, Some(last)));
            }
            assert_eq!(taken, ways, "{known:?}");
        }
    }
}
