//! When a failed attempt is repeated inside the same call, and after how long.
//!
//! Pure: the random number comes in. Repeats only what a repeat can help: timeouts, lost connections, 5xx and 429. A
//! wrong request or a refused key stays wrong, and asking again would only look like abuse.

use std::time::Duration;

use crate::feeds::outcome::AttemptClass;
use crate::market::time::Timestamp;

/// How often and how patiently to repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// Attempts of one call, the first included; at least 1.
    pub max_attempts: u32,
    /// First delay; doubles with every attempt.
    pub base: Duration,
    /// First delay after "too many requests", where the provider advises a couple of seconds.
    pub rate_limit_base: Duration,
    /// Longest delay. When the source wishes a longer one, the call ends and the caller is told the wish.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(500),
            rate_limit_base: Duration::from_secs(2),
            cap: Duration::from_secs(15),
        }
    }
}

impl RetryPolicy {
    /// The delay before the next attempt, or `None` when there shall be none.
    ///
    /// `attempt` counts from 1 and is the one that just failed; `random` lies in 0..1 and spreads the delay over the
    /// upper half of its range, so that clients that failed together do not return together. A `retry_after` is a
    /// lower bound. The answer is never above [`RetryPolicy::cap`].
    pub fn delay(
        &self,
        attempt: u32,
        class: AttemptClass,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if !is_retryable(class) || attempt >= self.max_attempts {
            return None;
        }
        let base = if class == AttemptClass::RateLimited { self.rate_limit_base } else { self.base };
        let doublings = attempt.saturating_sub(1).min(31);
        let full = base.saturating_mul(1 << doublings).min(self.cap);
        // A half is added for "too many requests" and taken off otherwise: two seconds are advice, not an average.
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
        let floor = if class == AttemptClass::RateLimited { full } else { full / 2 };
        let spread = (full / 2).mul_f64(random);
        match retry_after {
            Some(wish) if wish > self.cap => None,
            Some(wish) => Some(floor.max(wish).saturating_add(spread).min(self.cap)),
            None => Some(floor.saturating_add(spread).min(self.cap)),
        }
    }
}

/// Can another attempt help?
pub const fn is_retryable(class: AttemptClass) -> bool {
    matches!(
        class,
        AttemptClass::Timeout
            | AttemptClass::Connect
            | AttemptClass::CutOff
            | AttemptClass::ServerError
            | AttemptClass::RateLimited
    )
}

/// Longest wish that is passed on: a slip of a server must not silence a source for days.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Reads a `Retry-After` header: seconds or an HTTP date (a past one means now). `now` should be the server's own
/// clock where it is known. At most [`MAX_RETRY_AFTER`].
pub fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse::<f64>() {
        if !(0.0..=f64::MAX).contains(&seconds) {
            return None;
        }
        Duration::try_from_secs_f64(seconds).unwrap_or(MAX_RETRY_AFTER)
    } else {
        let until = parse_http_date(text)?;
        Duration::from_millis(u64::try_from(until.since(now)).unwrap_or(0))
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Reads an HTTP date, in any of its three historical forms.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn only_what_a_repeat_can_help_is_repeated() {
        use AttemptClass as C;
        let policy = RetryPolicy::default();
        for class in [C::Timeout, C::Connect, C::CutOff, C::ServerError, C::RateLimited] {
            assert!(policy.delay(1, class, None, 0.5).is_some(), "{class:?}");
            assert!(policy.delay(3, class, None, 0.5).is_none(), "{class:?}: attempts are used up");
        }
        for class in [
            C::Data,
            C::NoEvents,
            C::Auth,
            C::Quota,
            C::BadRequest,
            C::NotFound,
            C::Redirected,
            C::TooLarge,
            C::NotJson,
        ] {
            assert!(policy.delay(1, class, None, 0.5).is_none(), "{class:?}");
        }
    }

    #[test]
    fn delays_double_inside_their_range() {
        let p = RetryPolicy { max_attempts: 9, ..RetryPolicy::default() };
        let bounds = |n, class| (p.delay(n, class, None, 0.0).unwrap(), p.delay(n, class, None, 1.0).unwrap());
        assert_eq!(bounds(1, AttemptClass::Timeout), (ms(250), ms(500)));
        assert_eq!(bounds(2, AttemptClass::Timeout), (ms(500), ms(1000)));
        assert_eq!(bounds(8, AttemptClass::Timeout), (ms(7500), ms(15_000)));
        assert_eq!(bounds(1, AttemptClass::RateLimited), (ms(2000), ms(3000)));
    }

    #[test]
    fn retry_after_is_honoured_or_the_call_ends() {
        let p = RetryPolicy::default();
        let class = AttemptClass::RateLimited;
        assert_eq!(p.delay(1, class, Some(ms(7000)), 0.0), Some(ms(7000)));
        assert_eq!(p.delay(1, class, Some(ms(0)), 0.0), Some(ms(2000)));
        assert_eq!(p.delay(1, class, Some(ms(15_001)), 0.0), None);
    }

    #[test]
    fn retry_after_in_seconds_or_as_a_date() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        for (text, expected) in [
            ("5", Some(ms(5000))),
            (" 1.5 ", Some(ms(1500))),
            ("0", Some(ms(0))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(ms(37_000))),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(ms(37_000))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(ms(0))),
            ("999999999999999999999999", Some(MAX_RETRY_AFTER)),
            ("Fri, 06 Nov 2099 08:00:00 GMT", Some(MAX_RETRY_AFTER)),
            ("-5", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(parse_retry_after(text, now), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_cap_is_a_cap_and_a_wish_is_a_floor(
            attempt in any::<u32>(),
            max_attempts in any::<u32>(),
            limited in any::<bool>(),
            wish in proptest::option::of(0u64..100_000_000),
            random in any::<f64>(),
            base in 0u64..1_000_000,
            cap in 0u64..1_000_000,
        ) {
            let p = RetryPolicy { max_attempts, base: ms(base), rate_limit_base: ms(base), cap: ms(cap) };
            let class = if limited { AttemptClass::RateLimited } else { AttemptClass::ServerError };
            let wish = wish.map(ms);
            if let Some(delay) = p.delay(attempt, class, wish, random) {
                prop_assert!(attempt < max_attempts);
                prop_assert!(delay <= p.cap);
                prop_assert!(delay >= wish.unwrap_or_default());
            }
        }

        #[test]
        fn any_header_is_survived(text in "\\PC*", now in any::<i64>()) {
            if let Some(wait) = parse_retry_after(&text, Timestamp::from_millis(now)) {
                prop_assert!(wait <= MAX_RETRY_AFTER);
            }
        }
    }
}
