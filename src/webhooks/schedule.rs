//! When an attempt that failed is repeated: the pauses that Standard Webhooks recommends.

use chrono::TimeDelta;

/// Seconds from each attempt that failed to the next.
const PAUSES_S: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// The longest that a receiver may ask us to wait.
const LONGEST_S: i64 = 24 * 3600;
/// How long a receiver may take nothing before it is switched off.
pub(super) const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(5);

/// The pause after so many attempts; none after the last. `asked_s` is what the receiver asked for (`Retry-After`), and
/// up to a tenth is added by chance, so that what failed together does not come back together.
#[must_use]
pub(super) fn pause(attempts: i32, asked_s: Option<u64>, chance: f64) -> Option<TimeDelta> {
    let at = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let planned = *PAUSES_S.get(at)?;
    let asked = asked_s.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0).min(LONGEST_S);
    let pause = TimeDelta::seconds(planned.max(asked));
    let most = u32::try_from(pause.num_milliseconds() / 10).unwrap_or(u32::MAX);
    #[allow(clippy::cast_possible_truncation, reason = "within an i64 whatever chance says")]
    let added = (f64::from(most) * chance.clamp(0.0, 1.0)) as i64;
    Some(pause + TimeDelta::milliseconds(added))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let seconds = |attempts| pause(attempts, None, 0.0).map(|pause| pause.num_seconds());
        let all: Vec<_> = (1..=10).map(seconds).collect();
        assert_eq!(all[..3], [Some(5), Some(300), Some(1800)]);
        assert_eq!((all[8], all[9], seconds(0)), (Some(86_400), None, None));
        assert_eq!(pause(1, None, 1.0), Some(TimeDelta::milliseconds(5500)));
    }

    #[test]
    fn what_the_receiver_asks_for_is_heard_within_a_day() {
        let seconds = |asked| pause(1, Some(asked), 0.0).unwrap().num_seconds();
        assert_eq!((seconds(2), seconds(120), seconds(u64::MAX), seconds(999_999)), (5, 120, 5, 86_400));
    }
}
