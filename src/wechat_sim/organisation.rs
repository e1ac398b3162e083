//! The organisation in WeCom: its members, their codes, and the token of its one application.
//!
//! Unlike WeChat's, the token is the same for everybody until its end (获取 `access_token`). Next: [`super::wecom`], which
//! answers with it, and [`super::messages`].

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::{codes::CodeBook, identifiers, people::Denied};
use crate::clock::Instant;

const MEMBERS: usize = 10_000;
const LIFE: TimeDelta = TimeDelta::seconds(7200);

/// Where a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The page that signs in.
    Oauth,
    /// `wx.qy.login` of a mini program.
    MiniProgram,
}

/// Whose a code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    Member(String),
    Outsider,
}

#[derive(Default)]
pub(super) struct Organisation {
    /// Lower case -> as written.
    members: HashMap<String, String>,
    oauth: CodeBook<Visitor>,
    mini_program: CodeBook<Visitor>,
    token: Option<(String, Instant)>,
}

impl Organisation {
    /// A new member, or the one who is there already under this id.
    pub(super) fn join(&mut self, userid: &str) -> Result<String, Denied> {
        let key = userid.to_lowercase();
        if self.members.len() >= MEMBERS && !self.members.contains_key(&key) {
            return Err(Denied::Full);
        }
        Ok(self.members.entry(key).or_insert_with(|| userid.to_owned()).clone())
    }

    /// The member as written, whatever the case.
    pub(super) fn member(&self, userid: &str) -> Option<&str> {
        self.members.get(&userid.to_lowercase()).map(String::as_str)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.values().map(String::as_str)
    }

    /// A code of a member, or of somebody else.
    pub(super) fn issue_code(&mut self, userid: Option<&str>, kind: Kind, at: Instant) -> Result<String, Denied> {
        let owner = match userid {
            Some(userid) => Visitor::Member(self.member(userid).ok_or(Denied::NoSuchUser)?.to_owned()),
            None => Visitor::Outsider,
        };
        self.book(kind).issue(identifiers::template_id(), owner, at)
    }

    /// Uses a code up.
    pub(super) fn redeem(&mut self, code: &str, kind: Kind, at: Instant) -> Option<Visitor> {
        self.book(kind).redeem(code, at).ok().cloned()
    }

    fn book(&mut self, kind: Kind) -> &mut CodeBook<Visitor> {
        match kind {
            Kind::Oauth => &mut self.oauth,
            Kind::MiniProgram => &mut self.mini_program,
        }
    }

    /// The token and the seconds it has left.
    pub(super) fn token(&mut self, at: Instant) -> (String, i64) {
        let kept = self.token.take().filter(|(_, end)| *end > at);
        let (text, end) = kept.unwrap_or_else(|| (identifiers::access_token(), at + LIFE));
        self.token = Some((text.clone(), end));
        (text, (end - at).num_seconds())
    }

    /// The `errcode` by which a token is refused.
    pub(super) fn check_token(&self, text: &str, at: Instant) -> Result<(), i64> {
        match &self.token {
            _ if text.is_empty() => Err(41001),
            Some((token, end)) if token == text => {
                if *end > at {
                    Ok(())
                } else {
                    Err(42001)
                }
            }
            _ => Err(40014),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_same_until_its_end() {
        let mut organisation = Organisation::default();
        let at = Instant::UNIX_EPOCH;
        let (token, left) = organisation.token(at);
        assert_eq!(left, 7200);
        let late = at + TimeDelta::seconds(7199);
        assert_eq!(organisation.token(late), (token.clone(), 1));
        assert_eq!(organisation.check_token(&token, late), Ok(()));
        let over = at + LIFE;
        assert_eq!(organisation.check_token(&token, over), Err(42001));
        assert_ne!(organisation.token(over).0, token);
        assert_eq!(organisation.check_token(&token, over), Err(40014));
        assert_eq!(organisation.check_token("", over), Err(41001));
    }

    #[test]
    fn userids_compare_without_regard_to_case() {
        let mut organisation = Organisation::default();
        assert_eq!(organisation.join("ZhangSan"), Ok("ZhangSan".to_owned()));
        assert_eq!(organisation.join("zhangsan"), Ok("ZhangSan".to_owned()));
        let at = Instant::UNIX_EPOCH;
        assert_eq!(organisation.issue_code(Some("x"), Kind::Oauth, at), Err(Denied::NoSuchUser));
        let code = organisation.issue_code(None, Kind::Oauth, at).unwrap();
        assert_eq!(organisation.redeem(&code, Kind::MiniProgram, at), None);
        assert_eq!(organisation.redeem(&code, Kind::Oauth, at), Some(Visitor::Outsider));
        assert_eq!(organisation.redeem(&code, Kind::Oauth, at), None);
    }
}
