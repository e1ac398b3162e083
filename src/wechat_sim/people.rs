//! The WeChat users of the simulator and the codes their phones hold.
//!
//! Both live in memory and are bounded, so that a load test or a stray script cannot eat the machine. Next:
//! [`super::login`], where a code is redeemed.

use std::collections::{HashMap, VecDeque};

use chrono::TimeDelta;

use super::identifiers;
use crate::clock::Instant;

const USERS: usize = 100_000;
const CODES: usize = 100_000;
/// A code of `wx.login` lives five minutes (小程序 API, wx.login).
const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Our choice: WeChat keeps the session key for some time over several sign-ins and does not say how long.
const KEY_KEPT: TimeDelta = TimeDelta::minutes(10);

/// A WeChat user as this mini program sees them. Nickname and phone are what the user would agree to show.
pub(super) struct User {
    pub(super) unionid: String,
    #[expect(dead_code, reason = "shown by the interfaces for phone numbers, which are still to come")]
    pub(super) nickname: Option<String>,
    #[expect(dead_code, reason = "shown by the interfaces for phone numbers, which are still to come")]
    pub(super) phone: Option<String>,
    key: Option<(String, Instant)>,
}

struct Code {
    openid: String,
    used: bool,
}

/// What a redeemed code yields.
pub(super) struct Redeemed {
    pub(super) openid: String,
    pub(super) unionid: String,
    pub(super) session_key: String,
}

/// Why nothing more could be kept or found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Denied {
    NoSuchUser,
    Full,
}

#[derive(Default)]
pub(super) struct People {
    users: HashMap<String, User>,
    codes: HashMap<String, Code>,
    /// Codes in the order of their issue, which is the order of their end.
    ends: VecDeque<(Instant, String)>,
}

impl People {
    /// A new user; the answer is openid and unionid.
    pub(super) fn join(&mut self, nickname: Option<String>, phone: Option<String>) -> Result<(String, String), Denied> {
        if self.users.len() >= USERS {
            return Err(Denied::Full);
        }
        let (openid, unionid) = (identifiers::openid(), identifiers::openid());
        self.users.insert(openid.clone(), User { unionid: unionid.clone(), nickname, phone, key: None });
        Ok((openid, unionid))
    }

    /// What `wx.login` does on the phone of `openid`.
    pub(super) fn issue_code(&mut self, openid: &str, at: Instant) -> Result<String, Denied> {
        self.forget_ended(at);
        if !self.users.contains_key(openid) {
            return Err(Denied::NoSuchUser);
        }
        if self.codes.len() >= CODES {
            return Err(Denied::Full);
        }
        let code = identifiers::js_code();
        self.codes.insert(code.clone(), Code { openid: openid.to_owned(), used: false });
        self.ends.push_back((at + CODE_LIFE, code.clone()));
        Ok(code)
    }

    /// Uses a code up, or says the `errcode` by which it is refused: 40163 used, 40029 unknown or over.
    pub(super) fn redeem(&mut self, code: &str, at: Instant) -> Result<Redeemed, i64> {
        self.forget_ended(at);
        let code = self.codes.get_mut(code).ok_or(40029)?;
        if std::mem::replace(&mut code.used, true) {
            return Err(40163);
        }
        let user = self.users.get_mut(&code.openid).ok_or(40029)?;
        let kept = user.key.take().filter(|(_, since)| at - since < KEY_KEPT);
        let (session_key, since) = kept.unwrap_or_else(|| (identifiers::session_key(), at));
        user.key = Some((session_key.clone(), since));
        Ok(Redeemed { openid: code.openid.clone(), unionid: user.unionid.clone(), session_key })
    }

    /// The session key a user has now, or the `errcode` 40003 for a stranger, 87007 for one who never signed in.
    pub(super) fn session_key(&self, openid: &str) -> Result<&str, i64> {
        let user = self.users.get(openid).ok_or(40003)?;
        user.key.as_ref().map(|(key, _)| key.as_str()).ok_or(87007)
    }

    fn forget_ended(&mut self, at: Instant) {
        while let Some((_, code)) = self.ends.pop_front_if(|(end, _)| *end <= at) {
            self.codes.remove(&code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_one_use_within_five_minutes() {
        let mut people = People::default();
        let at = Instant::UNIX_EPOCH;
        let (openid, unionid) = people.join(None, None).unwrap();
        let code = people.issue_code(&openid, at).unwrap();
        let late = people.issue_code(&openid, at).unwrap();
        let redeemed = people.redeem(&code, at + TimeDelta::seconds(299)).unwrap();
        assert_eq!((redeemed.openid, redeemed.unionid), (openid, unionid));
        assert_eq!(people.redeem(&code, at + TimeDelta::seconds(299)).err(), Some(40163));
        assert_eq!(people.redeem(&late, at + CODE_LIFE).err(), Some(40029));
        assert!(people.codes.is_empty() && people.ends.is_empty());
        assert_eq!(people.issue_code("o", at), Err(Denied::NoSuchUser));
    }

    #[test]
    fn the_session_key_outlives_a_quick_second_sign_in_but_not_a_late_one() {
        let mut people = People::default();
        let at = Instant::UNIX_EPOCH;
        let (openid, _) = people.join(None, None).unwrap();
        let mut sign_in = |at| {
            let code = people.issue_code(&openid, at).unwrap();
            people.redeem(&code, at).unwrap().session_key
        };
        let first = sign_in(at);
        assert_eq!(sign_in(at + TimeDelta::minutes(1)), first);
        assert_ne!(sign_in(at + TimeDelta::minutes(10)), first);
    }
}
