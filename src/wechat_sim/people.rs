//! The WeChat users of the simulator and the codes their phones hold.
//!
//! Both live in memory and are bounded, so that a load test or a stray script cannot eat the machine. Next:
//! [`super::login`] and [`super::phone`], where a code is redeemed.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{
    codes::{CodeBook, Unusable},
    identifiers,
};
use crate::clock::Instant;

const USERS: usize = 100_000;
/// Our choice: WeChat keeps the session key for some time over several sign-ins and does not say how long.
const KEY_KEPT: TimeDelta = TimeDelta::minutes(10);
/// Texts are checked only for users who were here lately (内容安全, msgSecCheck).
const LATELY: TimeDelta = TimeDelta::hours(2);

/// A WeChat user as this mini program sees them. Nickname and phone are what the user would agree to show.
struct User {
    unionid: String,
    nickname: Option<String>,
    phone: Option<String>,
    key: Option<(String, Instant)>,
    seen_at: Instant,
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
    codes: CodeBook<String>,
    phone_codes: CodeBook<String>,
}

impl People {
    /// A new user; the answer is openid and unionid.
    pub(super) fn join(
        &mut self,
        nickname: Option<String>,
        phone: Option<String>,
        at: Instant,
    ) -> Result<(String, String), Denied> {
        if self.users.len() >= USERS {
            return Err(Denied::Full);
        }
        let (openid, unionid) = (identifiers::openid(), identifiers::openid());
        let user = User { unionid: unionid.clone(), nickname, phone, key: None, seen_at: at };
        self.users.insert(openid.clone(), user);
        Ok((openid, unionid))
    }

    pub(super) fn knows(&self, openid: &str) -> bool {
        self.users.contains_key(openid)
    }

    /// Openid and nickname of the first thousand.
    pub(super) fn list(&self) -> Vec<(String, Option<String>)> {
        self.users.iter().take(1000).map(|(openid, user)| (openid.clone(), user.nickname.clone())).collect()
    }

    /// What `wx.login` does on the phone of `openid`.
    pub(super) fn issue_code(&mut self, openid: &str, at: Instant) -> Result<String, Denied> {
        self.users.get_mut(openid).ok_or(Denied::NoSuchUser)?.seen_at = at;
        self.codes.issue(identifiers::js_code(), openid.to_owned(), at)
    }

    /// What the phone-number button does on the phone of `openid`; who told no number gets one now.
    pub(super) fn issue_phone_code(&mut self, openid: &str, at: Instant) -> Result<String, Denied> {
        let user = self.users.get_mut(openid).ok_or(Denied::NoSuchUser)?;
        user.phone.get_or_insert_with(|| format!("138{:08}", rand::random_range(0..100_000_000_u32)));
        user.seen_at = at;
        self.phone_codes.issue(identifiers::phone_code(), openid.to_owned(), at)
    }

    /// Uses a code up, or says the `errcode` by which it is refused: 40163 used, 40029 unknown or over.
    pub(super) fn redeem(&mut self, code: &str, at: Instant) -> Result<Redeemed, i64> {
        let openid = self.codes.redeem(code, at).cloned().map_err(|why| match why {
            Unusable::Used => 40163,
            Unusable::Unknown => 40029,
        })?;
        let user = self.users.get_mut(&openid).ok_or(40029)?;
        let kept = user.key.take().filter(|(_, since)| at - since < KEY_KEPT);
        let (session_key, since) = kept.unwrap_or_else(|| (identifiers::session_key(), at));
        user.key = Some((session_key.clone(), since));
        Ok(Redeemed { openid, unionid: user.unionid.clone(), session_key })
    }

    /// Uses a phone code up and tells the number. With an openid, the code must be theirs (and is kept when it is not).
    pub(super) fn redeem_phone(&mut self, code: &str, openid: Option<&str>, at: Instant) -> Option<String> {
        let owner = self.phone_codes.owner(code, at)?;
        if openid.is_some_and(|openid| openid != owner) {
            return None;
        }
        let owner = self.phone_codes.redeem(code, at).ok()?;
        self.users.get(owner)?.phone.clone()
    }

    /// The session key a user has now, or the `errcode` 40003 for a stranger, 87007 for one who never signed in.
    pub(super) fn session_key(&self, openid: &str) -> Result<&str, i64> {
        let user = self.users.get(openid).ok_or(40003)?;
        user.key.as_ref().map(|(key, _)| key.as_str()).ok_or(87007)
    }

    /// Gives a user another session key, with the end of the old one, which is worth nothing from now on.
    pub(super) fn replace_session_key(&mut self, openid: &str) -> Result<String, i64> {
        let user = self.users.get_mut(openid).ok_or(40003)?;
        let (key, _) = user.key.as_mut().ok_or(87007)?;
        *key = identifiers::session_key();
        Ok(key.clone())
    }

    /// Whether a user was here lately; the `errcode` if not.
    pub(super) fn was_here(&self, openid: &str, at: Instant) -> Result<(), i64> {
        let user = self.users.get(openid).ok_or(40003)?;
        if at - user.seen_at <= LATELY { Ok(()) } else { Err(61010) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_key_outlives_a_quick_second_sign_in_but_not_a_late_one() {
        let mut people = People::default();
        let at = Instant::UNIX_EPOCH;
        let (openid, unionid) = people.join(None, None, at).unwrap();
        let mut sign_in = |at| {
            let code = people.issue_code(&openid, at).unwrap();
            people.redeem(&code, at).unwrap()
        };
        let first = sign_in(at);
        assert_eq!((&first.openid, first.unionid), (&openid, unionid));
        assert_eq!(sign_in(at + TimeDelta::minutes(1)).session_key, first.session_key);
        assert_ne!(sign_in(at + TimeDelta::minutes(10)).session_key, first.session_key);
        assert_eq!(people.issue_code("o", at), Err(Denied::NoSuchUser));
        assert_eq!(people.redeem("x", at).err(), Some(40029));
    }

    #[test]
    fn a_phone_code_names_the_number_once_and_only_to_its_owner() {
        let mut people = People::default();
        let at = Instant::UNIX_EPOCH;
        let (openid, _) = people.join(None, Some("13800000000".to_owned()), at).unwrap();
        let code = people.issue_phone_code(&openid, at).unwrap();
        assert_eq!(people.redeem_phone(&code, Some("o"), at), None);
        assert_eq!(people.redeem_phone(&code, Some(&openid), at).as_deref(), Some("13800000000"));
        assert_eq!(people.redeem_phone(&code, None, at), None);
        let (silent, _) = people.join(None, None, at).unwrap();
        let code = people.issue_phone_code(&silent, at).unwrap();
        assert_eq!(people.redeem_phone(&code, None, at).unwrap().len(), 11);
    }
}
