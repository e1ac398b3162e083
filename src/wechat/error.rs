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
    /// A quota that is counted by the minute or second is used up: wait for the next minute.
    MinuteQuota(Refusal),
    /// A quota that is counted by the day is used up: stop until tomorrow.
    DayQuota(Refusal),
    /// The account, its secret, its address list or its permissions are wrong: an operator must act, retrying is useless.
    Configuration(Refusal),
    /// We sent what WeChat does not accept, or it answered a code this table does not know: a bug or bad data, no retry.
    DataBug(Refusal),
    /// WeChat could not be reached or did not answer in time.
    Transport(Outage),
    /// HTTP 200 with a body that is not the answer the interface promises.
    Unreadable,
}

impl WechatError {
    /// Sorts an `errcode` (全局返回码 and the pages of the single interfaces) into its class.
    #[must_use]
    pub fn refused(errcode: i64, errmsg: &str) -> Self {
        let refusal = Refusal { errcode, rid: rid_of(errmsg).map(str::to_owned) };
        match errcode {
            40029 | 40163 | 40226 => Self::BadCode(refusal),
            40001 | 40014 | 42001 => Self::TokenRejected(refusal),
            -1 => Self::Busy(refusal),
            44990 | 44991 | 45011 => Self::MinuteQuota(refusal),
            44993 | 45009 => Self::DayQuota(refusal),
            40002 | 40013 | 40125 | 40164 | 40243 | 41002 | 41004 | 48001 | 48004 | 48006 | 50004 | 50007 | 89503
            | 89506 | 89507 => Self::Configuration(refusal),
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
            | Self::MinuteQuota(refusal)
            | Self::DayQuota(refusal)
            | Self::Configuration(refusal)
            | Self::DataBug(refusal) => Some(refusal),
            Self::Transport(_) | Self::Unreadable => None,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::BadCode(_) => "the code is unknown, used, over or blocked",
            Self::TokenRejected(_) => "the access token was not accepted",
            Self::Busy(_) => "WeChat is busy",
            Self::MinuteQuota(_) => "the quota of this minute is used up",
            Self::DayQuota(_) => "the quota of this day is used up",
            Self::Configuration(refusal) => remedy(refusal.errcode),
            Self::DataBug(_) => "WeChat did not accept the request",
            Self::Transport(Outage::TimedOut) => "WeChat did not answer in time",
            Self::Transport(Outage::Unconnected) => "no connection to WeChat",
            Self::Transport(Outage::Status(_)) => "WeChat answered with an HTTP error",
            Self::Transport(Outage::Other) => "the exchange with WeChat broke off",
            Self::Unreadable => "the answer of WeChat could not be read",
        }
    }
}

/// What an operator should look at; the texts are for `doctor` and the log.
fn remedy(errcode: i64) -> &'static str {
    match errcode {
        40013 | 41002 => "the app id is wrong or missing",
        40125 | 41004 => "the app secret is wrong or missing",
        40164 => "the address of this server is not on the IP list of the mini program",
        40243 => "the app secret is frozen",
        48001 | 48004 | 48006 => "the mini program lacks the permission for this interface",
        50004 | 50007 => "the mini program account is restricted",
        89503 | 89506 | 89507 => "an administrator of the mini program must confirm the address of this server",
        _ => "the settings of the mini program are not accepted",
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
        let outage = if error.is_timeout() {
            Outage::TimedOut
        } else if error.is_connect() {
            Outage::Unconnected
        } else {
            Outage::Other
        };
        tracing::debug!(wechat.error = %error.without_url(), "The exchange with WeChat failed");
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
        let table: [(Make, &[i64]); 7] = [
            (WechatError::BadCode, &[40029, 40163, 40226]),
            (WechatError::TokenRejected, &[40001, 40014, 42001]),
            (WechatError::Busy, &[-1]),
            (WechatError::MinuteQuota, &[44990, 44991, 45011]),
            (WechatError::DayQuota, &[44993, 45009]),
            (
                WechatError::Configuration,
                &[
                    40002, 40013, 40125, 40164, 40243, 41002, 41004, 48001, 48004, 48006, 50004, 50007, 89503, 89506,
                    89507,
                ],
            ),
            (WechatError::DataBug, &[40097, 41001, 41008, 43002, 44002, 47001, 47003, 123_456, i64::MIN]),
        ];
        for (make, codes) in table {
            for &errcode in codes {
                assert_eq!(WechatError::refused(errcode, "x"), make(Refusal { errcode, rid: None }), "{errcode}");
            }
        }
    }

    #[test]
    fn the_text_names_code_and_rid_and_nothing_else_of_the_answer() {
        let error = WechatError::refused(40125, "invalid appsecret hunter2, rid: 69dfb1ed-7ed689cc-28c3c5a7");
        assert_eq!(
            error.to_string(),
            "the app secret is wrong or missing (errcode 40125, rid 69dfb1ed-7ed689cc-28c3c5a7)"
        );
        assert_eq!(
            WechatError::Transport(Outage::Status(502)).to_string(),
            "WeChat answered with an HTTP error (status 502)"
        );
    }
}
