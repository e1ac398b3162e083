//! Codes that live five minutes and are good for one use: of `wx.login`, of the phone-number button, of WeCom.
//!
//! They are bounded, so that a load test or a stray script cannot eat the machine. Next: [`super::people`] and
//! [`super::organisation`], whose codes they are.

use std::collections::{HashMap, VecDeque};

use chrono::TimeDelta;

use super::people::Denied;
use crate::clock::Instant;

const CODES: usize = 100_000;
/// 小程序 API, wx.login; 手机号; 企业微信 网页授权: five minutes all of them.
pub(super) const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);

/// Why a code is good for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Unknown,
    Used,
}

/// Codes of one kind and what each stands for.
pub(super) struct CodeBook<T> {
    codes: HashMap<String, (T, bool)>,
    /// Codes in the order of their issue, which is the order of their end.
    ends: VecDeque<(Instant, String)>,
}

impl<T> Default for CodeBook<T> {
    fn default() -> Self {
        Self { codes: HashMap::new(), ends: VecDeque::new() }
    }
}

impl<T> CodeBook<T> {
    pub(super) fn issue(&mut self, code: String, owner: T, at: Instant) -> Result<String, Denied> {
        self.forget_ended(at);
        if self.codes.len() >= CODES {
            return Err(Denied::Full);
        }
        self.codes.insert(code.clone(), (owner, false));
        self.ends.push_back((at + CODE_LIFE, code.clone()));
        Ok(code)
    }

    /// Whose a code is, without using it.
    pub(super) fn owner(&mut self, code: &str, at: Instant) -> Option<&T> {
        self.forget_ended(at);
        self.codes.get(code).map(|(owner, _)| owner)
    }

    /// Uses a code up.
    pub(super) fn redeem(&mut self, code: &str, at: Instant) -> Result<&T, Unusable> {
        self.forget_ended(at);
        let (owner, used) = self.codes.get_mut(code).ok_or(Unusable::Unknown)?;
        if std::mem::replace(used, true) { Err(Unusable::Used) } else { Ok(owner) }
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
        let mut book = CodeBook::default();
        let at = Instant::UNIX_EPOCH;
        book.issue("a".to_owned(), 1, at).unwrap();
        book.issue("b".to_owned(), 2, at).unwrap();
        let last = at + CODE_LIFE - TimeDelta::milliseconds(1);
        assert_eq!(book.owner("a", last), Some(&1));
        assert_eq!(book.redeem("a", last), Ok(&1));
        assert_eq!(book.redeem("a", last), Err(Unusable::Used));
        assert_eq!(book.redeem("b", at + CODE_LIFE), Err(Unusable::Unknown));
        assert!(book.codes.is_empty() && book.ends.is_empty());
    }
}
