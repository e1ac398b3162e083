//! How often an interface may be called in a second, a minute and a day.
//!
//! The numbers are those of the interfaces' pages; where a page gives none there is none here. Faults make any of the
//! refusals happen without calling so often. Next: [`super::call`], which asks.

use std::collections::HashMap;

use chrono::Datelike;

use crate::clock::{Instant, local_day};

const COUNTS: usize = 10_000;
/// `clear_quota` works so often in a month (清空 API 的调用 quota).
const CLEARED_A_MONTH: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Window {
    Second,
    Minute,
    Day,
}

impl Window {
    /// The number of the window an instant falls into.
    fn number(self, at: Instant) -> i64 {
        match self {
            Self::Second => at.timestamp(),
            Self::Minute => at.timestamp() / 60,
            Self::Day => local_day(at).num_days_from_ce().into(),
        }
    }
}

/// The limits of an interface: how many, in what, refused by which `errcode`.
fn limits(path: &str) -> &'static [(u64, Window, i64)] {
    match path {
        "/cgi-bin/stable_token" => &[(10_000, Window::Minute, 45011), (500_000, Window::Day, 45009)],
        "/wxa/resetusersessionkey" => &[(60_000, Window::Minute, 45011)],
        "/wxa/getwxacodeunlimit" => &[(5000, Window::Minute, 45011)],
        "/wxa/generate_urllink" => &[(100, Window::Second, 44990), (500_000, Window::Day, 44993)],
        "/wxa/msg_sec_check" => &[(4000, Window::Minute, 44991), (2_000_000, Window::Day, 45009)],
        "/wxa/media_check_async" => &[(2000, Window::Minute, 44991), (200_000, Window::Day, 45009)],
        "/cgi-bin/message/subscribe/send" => &[(10_000_000, Window::Day, 45009)],
        "/cgi-bin/gettoken"
        | "/cgi-bin/auth/getuserinfo"
        | "/cgi-bin/miniprogram/jscode2session"
        | "/cgi-bin/message/send" => &[(10_000, Window::Minute, 45009)],
        _ => &[],
    }
}

/// What was called in the windows that run now.
#[derive(Default)]
pub(super) struct Quotas {
    counts: HashMap<(String, Window), (i64, u64)>,
    cleared: (i32, u32, u32),
}

impl Quotas {
    /// Counts a call of an interface, or says the `errcode` by which it is refused.
    pub(super) fn take(&mut self, path: &str, at: Instant) -> Result<(), i64> {
        for (most, window, errcode) in limits(path) {
            if !self.count(path, *window, *most, at) {
                return Err(*errcode);
            }
        }
        Ok(())
    }

    /// Counts whatever `key` names; false when it was counted `most` times already.
    pub(super) fn count(&mut self, key: &str, window: Window, most: u64, at: Instant) -> bool {
        if self.counts.len() >= COUNTS {
            self.counts.retain(|(_, window), (number, _)| *number == window.number(at));
        }
        let number = window.number(at);
        let entry = self.counts.entry((key.to_owned(), window)).or_insert((number, 0));
        if entry.0 != number {
            *entry = (number, 0);
        }
        entry.1 += 1;
        entry.1 <= most
    }

    /// Forgets what was counted by the day, ten times a month.
    pub(super) fn clear(&mut self, at: Instant) -> Result<(), i64> {
        let day = local_day(at);
        let (year, month, cleared) = self.cleared;
        let cleared = if (year, month) == (day.year(), day.month()) { cleared } else { 0 };
        if cleared >= CLEARED_A_MONTH {
            return Err(48006);
        }
        self.cleared = (day.year(), day.month(), cleared + 1);
        self.counts.retain(|(_, window), _| *window != Window::Day);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn windows_end_and_days_can_be_cleared_ten_times_a_month() {
        let mut quotas = Quotas::default();
        let at = Instant::UNIX_EPOCH;
        let taken = (0..101).flat_map(|_| quotas.take("/wxa/generate_urllink", at)).count();
        assert_eq!(taken, 100);
        assert_eq!(quotas.take("/wxa/generate_urllink", at), Err(44990));
        assert_eq!(quotas.take("/wxa/generate_urllink", at + TimeDelta::seconds(1)), Ok(()));
        assert!(quotas.count("x", Window::Day, 1, at));
        assert!(!quotas.count("x", Window::Day, 1, at + TimeDelta::hours(15)));
        assert_eq!(quotas.clear(at), Ok(()));
        assert!(quotas.count("x", Window::Day, 1, at));
        assert!((1..10).all(|_| quotas.clear(at).is_ok()));
        assert_eq!(quotas.clear(at), Err(48006));
        assert_eq!(quotas.clear(at + TimeDelta::days(31)), Ok(()));
    }
}
