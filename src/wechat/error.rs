//! What can go wrong when the WeChat server API is asked, sorted by what the caller must do about it.
//!
//! WeChat answers HTTP 200 to nearly everything and puts a number in the body; the rest of the code should decide by a
//! class, not by some forty numbers. Next: [`super::token`] for the one class that is repaired without the caller.

use std::fmt;

/// WeChat answered, and the answer was no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `errcode` of the answer.
    pub errcode: i64,
    /// The request id at the end of `errmsg`; WeChat explains it for seven days (查询 rid 信息).
    pub rid: Option<String>,
}

/// No answer came that could be read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The time for connecting or for the whole exchange was over.
    TimedOut,
    /// No connection, or it broke.
    Unconnected,
    /// An HTTP status other than 200, which WeChat uses for no business answer.
    Status(u16),
    /// Anything else between this process and WeChat.
    Other,
}

/// Why a call of the WeChat server API failed. None of its texts holds a secret, a token, a code or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WechatError {
    /// The code of the mini program is unknown, too old or used, or WeChat blocks its user: the client signs in anew.
    BadCode(Refusal),
    /// The access token is wrong or over; see [`super::Client::call_with_token`].
    TokenRejected(Refusal),
    /// WeChat is busy: worth another try a little later.
    Busy(Refusal),
    /// A quota that is counted by the second is used up: slow down.
    SecondQuota(Refusal),
    /// A quota that is counted by the minute is used up: wait for the next minute.
    MinuteQuota(Refusal),
    /// A quota that is counted by the day is used up: stop until tomorrow.
    DayQuota(Refusal),
    /// The account, its secret, its address list or its permissions are wrong: an operator must act, retrying is useless.
    Configuration(Refusal),
    /// The session key is not the one the villager's phone signed in with last: the client signs in anew.
    SessionOver(Refusal),
    /// The villager takes no (more) messages of this template: their count is zero, trying again is useless.
    NotSubscribed(Refusal),
    /// The user was not here lately: WeChat judges nothing of theirs now.
    NotSeenLately(Refusal),
    /// We sent what WeChat does not accept, or it answered a code this table does not know: a bug or bad data, no retry.
    DataBug(Refusal),
    /// WeChat could not be reached or did not answer in time.
    Transport(Outage),
    /// HTTP 200 with a body that is not the answer the interface promises.
    Unreadable,
}

impl WechatError {
    /// Sorts an `errcode` of WeChat (全局返回码 and the pages of the single interfaces) into its class.
    #[must_use]
    pub fn refused(errcode: i64, errmsg: &str) -> Self {
        let refusal = Refusal { errcode, rid: rid_of(errmsg).map(str::to_owned) };
        match errcode {
            40029 | 40163 | 40226 => Self::BadCode(refusal),
            40001 | 40014 | 42001 => Self::TokenRejected(refusal),
            -1 | 43108 => Self::Busy(refusal),
            44990 => Self::SecondQuota(refusal),
            44991 | 45011 => Self::MinuteQuota(refusal),
            44993 | 45009 => Self::DayQuota(refusal),
            87007 | 87009 => Self::SessionOver(refusal),
            43101 => Self::NotSubscribed(refusal),
            61010 => Self::NotSeenLately(refusal),
            40002 | 40013 | 40037 | 40125 | 40164 | 40243 | 41002 | 41004 | 41030 | 43104 | 43107 | 45029 | 48001
            | 48004 | 48006 | 50004 | 50007 | 85079 | 85088 | 89503 | 89506 | 89507 => Self::Configuration(refusal),
            _ => Self::DataBug(refusal),
        }
    }

    /// Sorts an `errcode` of WeCom (企业微信全局错误码) into its class; 45009 is a matter of the next minute there.
    #[must_use]
    pub fn refused_by_wecom(errcode: i64, errmsg: &str) -> Self {
        let refusal = Refusal { errcode, rid: hint_of(errmsg).map(str::to_owned) };
        match errcode {
            40029 => Self::BadCode(refusal),
            40001 | 40014 | 42001 => Self::TokenRejected(refusal),
            -1 => Self::Busy(refusal),
            45033 => Self::SecondQuota(refusal),
            45009 => Self::MinuteQuota(refusal),
            40013 | 40056 | 41002 | 41004 | 48002 | 50001 | 60011 | 60020 | 93000 | 301_002 => {
                Self::Configuration(refusal)
            }
            _ => Self::DataBug(refusal),
        }
    }

    /// What WeChat answered, when it answered at all.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::BadCode(refusal)
            | Self::TokenRejected(refusal)
            | Self::Busy(refusal)
            | Self::SecondQuota(refusal)
            | Self::MinuteQuota(refusal)
            | Self::DayQuota(refusal)
            | Self::Configuration(refusal)
            | Self::SessionOver(refusal)
            | Self::NotSubscribed(refusal)
            | Self::NotSeenLately(refusal)
            | Self::DataBug(refusal) => Some(refusal),
            Self::Transport(_) | Self::Unreadable => None,
        }
    }

    /// Whether the other side may have done what it was asked although no answer came. Of what it refused it did nothing.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            // Nobody was reached, or a gateway on the way said that it passes nothing on.
            Self::Transport(Outage::Unconnected | Outage::Status(400..=499 | 503)) => false,
            Self::Transport(_) | Self::Unreadable => true,
            _ => false,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::BadCode(_) => "the code is unknown, used, over or blocked",
            Self::TokenRejected(_) => "the access token was not accepted",
            Self::Busy(_) => "the service is busy",
            Self::SecondQuota(_) => "the quota of this second is used up",
            Self::MinuteQuota(_) => "the quota of this minute is used up",
            Self::DayQuota(_) => "the quota of this day is used up",
            Self::Configuration(refusal) => remedy(refusal.errcode),
            Self::SessionOver(_) => "the session key is over",
            Self::NotSubscribed(_) => "the villager takes no message of this template",
            Self::NotSeenLately(_) => "the villager was not here lately",
            Self::DataBug(_) => "the request was not accepted",
            Self::Transport(Outage::TimedOut) => "no answer in time",
            Self::Transport(Outage::Unconnected) => "no connection",
            Self::Transport(Outage::Status(_)) => "the answer is an HTTP error",
            Self::Transport(Outage::Other) => "the exchange broke off",
            Self::Unreadable => "the answer could not be read",
        }
    }
}

/// What an operator should look at; the texts are for `doctor` and the log.
fn remedy(errcode: i64) -> &'static str {
    match errcode {
        40013 | 41002 => "the app id or corporation id is wrong or missing",
        40001 | 40125 | 41004 => "the secret is wrong or missing",
        40164 | 60020 => "the address of this server is not on the IP list of the account",
        40243 => "the app secret is frozen",
        40037 | 43107 => "the message template is not one of this mini program or is banned",
        40056 | 301_002 => "the application number (agent id) is wrong for this secret",
        41030 | 85079 => "the page is not in the published version of the mini program",
        43104 | 48001 | 48002 | 48004 | 48006 | 60011 | 85088 => "the account lacks the permission for this interface",
        45029 => "all codes of this kind have been made; use unlimited ones",
        50001 => "the address the code was made for is not a trusted domain of the application",
        50004 | 50007 => "the mini program account is restricted",
        89503 | 89506 | 89507 => "an administrator of the mini program must confirm the address of this server",
        93000 => "the address of the group robot is wrong",
        _ => "the settings of the account are not accepted",
    }
}

impl fmt::Display for WechatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())?;
        if let Self::Transport(Outage::Status(status)) = self {
            write!(f, " (status {status})")?;
        }
        if let Some(refusal) = self.refusal() {
            write!(f, " (errcode {}", refusal.errcode)?;
            if let Some(rid) = &refusal.rid {
                write!(f, ", rid {rid}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for WechatError {}

impl From<reqwest::Error> for WechatError {
    /// Keeps only the kind: the text of the original holds the URL, and the URL holds the secret and the code.
    fn from(error: reqwest::Error) -> Self {
        // First: a time-out while connecting is both, and nothing has gone.
        let outage = if error.is_connect() {
            Outage::Unconnected
        } else if error.is_timeout() {
            Outage::TimedOut
        } else {
            Outage::Other
        };
        tracing::debug!(wechat.error = %error.without_url(), "The exchange failed");
        Self::Transport(outage)
    }
}

/// The request id of an `errmsg`, which is three groups of eight hexadecimal digits behind `rid:`.
///
/// Older answers have `hints: [ req_id: ... ]` instead, which no interface explains; they count as having none.
#[must_use]
pub fn rid_of(errmsg: &str) -> Option<&str> {
    let (_, behind) = errmsg.rsplit_once("rid:")?;
    let rid = behind.split_whitespace().next()?;
    let groups_are_hex =
        rid.split('-').all(|group| group.len() == 8 && group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (groups_are_hex && rid.split('-').count() == 3).then_some(rid)
}

/// The number WeCom puts into an `errmsg` to find the request by: `hint: [1676019639347283636740445]`.
#[must_use]
pub fn hint_of(errmsg: &str) -> Option<&str> {
    let (_, behind) = errmsg.rsplit_once("hint: [")?;
    let (hint, _) = behind.split_once(']')?;
    let is_number = (1..=40).contains(&hint.len()) && hint.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(hint)
}

/// Why a request that nobody may make twice failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct SendFault {
    /// What went wrong.
    pub error: WechatError,
    /// It surely has not gone: there was no access token for it, at first or when the first was rejected.
    pub unsent: bool,
}

impl SendFault {
    /// Whether it may have been done although no answer came.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        !self.unsent && self.error.may_have_arrived()
    }
}

/// What we were about to send breaks a rule of the interface's page; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not accepted by WeChat: {0}")]
pub struct Invalid(pub &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rid_is_found_behind_a_comma_and_behind_a_space() {
        assert_eq!(rid_of("invalid code, rid: 626d6eea-742b9141-407c26f8"), Some("626d6eea-742b9141-407c26f8"));
        assert_eq!(
            rid_of("data format error hint: [3EbbrrMre-fexjaA] rid: 640161eb-7cb2ea9e-371e808c"),
            Some("640161eb-7cb2ea9e-371e808c")
        );
    }

    #[test]
    fn what_is_no_rid_is_not_taken_for_one() {
        let not_rids = [
            "",
            "ok",
            "rid:",
            "rid: ",
            "rid: 626d6eea-742b9141",
            "rid: 626d6eea-742b9141-407c26f8-00000000",
            "rid: 626d6eeg-742b9141-407c26f8",
            "missing code, hints: [ req_id: QkacMBore-rt6w3 ]",
            "rid: 说事说事",
        ];
        for errmsg in not_rids {
            assert_eq!(rid_of(errmsg), None, "{errmsg}");
        }
    }

    #[test]
    fn every_known_code_has_the_class_of_its_remedy() {
        type Make = fn(Refusal) -> WechatError;
        let table: [(Make, &[i64]); 11] = [
            (WechatError::BadCode, &[40029, 40163, 40226]),
            (WechatError::TokenRejected, &[40001, 40014, 42001]),
            (WechatError::Busy, &[-1, 43108]),
            (WechatError::SecondQuota, &[44990]),
            (WechatError::MinuteQuota, &[44991, 45011]),
            (WechatError::DayQuota, &[44993, 45009]),
            (
                WechatError::Configuration,
                &[
                    40002, 40013, 40037, 40125, 40164, 40243, 41002, 41004, 41030, 43104, 43107, 45029, 48001, 48004,
                    48006, 50004, 50007, 85079, 85088, 89503, 89506, 89507,
                ],
            ),
            (WechatError::SessionOver, &[87007, 87009]),
            (WechatError::NotSubscribed, &[43101]),
            (WechatError::NotSeenLately, &[61010]),
            (WechatError::DataBug, &[40097, 41001, 41008, 43002, 44002, 47001, 47003, 123_456, i64::MIN]),
        ];
        for (make, codes) in table {
            for &errcode in codes {
                assert_eq!(WechatError::refused(errcode, "x"), make(Refusal { errcode, rid: None }), "{errcode}");
            }
        }
    }

    #[test]
    fn wecom_means_other_things_by_some_numbers_and_has_its_own_request_number() {
        let errmsg =
            "api freq out of limit, hint: [1708397705432012366598976], from ip: 1.2.3.4, more info at https://";
        let rid = Some("1708397705432012366598976".to_owned());
        let error = WechatError::refused_by_wecom(45009, errmsg);
        assert_eq!(error, WechatError::MinuteQuota(Refusal { errcode: 45009, rid }));
        for (errcode, expected) in [(60020, true), (301_002, true), (40058, false)] {
            let error = WechatError::refused_by_wecom(errcode, "x");
            assert_eq!(matches!(error, WechatError::Configuration(_)), expected, "{errcode}");
        }
        for no_hint in ["", "hint: [", "hint: []", "hint: [a]", "hint: [12] hint: [x]"] {
            assert_eq!(hint_of(no_hint), None, "{no_hint}");
        }
    }

    #[test]
    fn only_a_missing_answer_leaves_it_open_whether_it_arrived() {
        for outage in [Outage::TimedOut, Outage::Other, Outage::Status(500), Outage::Status(502)] {
            let error = WechatError::Transport(outage);
            assert!(error.may_have_arrived(), "{outage:?}");
            assert!(SendFault { error: error.clone(), unsent: false }.may_have_arrived());
            assert!(!SendFault { error, unsent: true }.may_have_arrived());
        }
        assert!(WechatError::Unreadable.may_have_arrived());
        for outage in [Outage::Unconnected, Outage::Status(412), Outage::Status(503)] {
            assert!(!WechatError::Transport(outage).may_have_arrived(), "{outage:?}");
        }
        assert!(!WechatError::refused(43101, "x").may_have_arrived());
    }

    #[test]
    fn the_text_names_code_and_rid_and_nothing_else_of_the_answer() {
        let error = WechatError::refused(40125, "invalid appsecret hunter2, rid: 69dfb1ed-7ed689cc-28c3c5a7");
        assert_eq!(error.to_string(), "the secret is wrong or missing (errcode 40125, rid 69dfb1ed-7ed689cc-28c3c5a7)");
        assert_eq!(WechatError::Transport(Outage::Status(502)).to_string(), "the answer is an HTTP error (status 502)");
    }
}
