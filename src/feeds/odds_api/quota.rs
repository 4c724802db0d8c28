//! The credits that an answer reports: `x-requests-remaining`, `-used` and `-last`.
//!
//! The headers are promised as integers on every answer, errors included. In practice a proxy or a 5xx drops them, and
//! decimals and empty values have been met; what cannot be read is `None` and never zero.

/// Credits as reported by one answer. Each is `None` where the answer did not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quota {
    /// Credits left until the reset on the 1st of the month.
    pub remaining: Option<u64>,
    /// Credits used since the reset.
    pub used: Option<u64>,
    /// What this call cost: the only true price of a call.
    pub last: Option<u64>,
}

impl Quota {
    /// The three headers, looked up by their lower-case names.
    pub fn read<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let number = |name| header(name).and_then(parse_credits);
        Self {
            remaining: number("x-requests-remaining"),
            used: number("x-requests-used"),
            last: number("x-requests-last"),
        }
    }

    /// Nothing was reported.
    pub const fn is_empty(&self) -> bool {
        self.remaining.is_none() && self.used.is_none() && self.last.is_none()
    }

    /// The answer says that nothing is left.
    pub const fn is_exhausted(&self) -> bool {
        matches!(self.remaining, Some(0))
    }

    /// This report where it says something, else the earlier one.
    pub fn or(self, earlier: Self) -> Self {
        Self {
            remaining: self.remaining.or(earlier.remaining),
            used: self.used.or(earlier.used),
            last: self.last.or(earlier.last),
        }
    }
}

/// A number of credits: `12`, `12.0`, ` 12 `. A fraction rounds up, so that a charge is never understated. An
/// overdrawn account may report less than zero: nothing is left.
fn parse_credits(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(n) = text.parse::<u64>() {
        return Some(n);
    }
    let n: f64 = text.parse().ok()?;
    // 2^53: beyond it a float no longer counts single credits, and no account holds that many.
    (n.is_finite() && n < 9.0e15).then(|| n.max(0.0).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lenient_but_never_inventing() {
        for (text, expected) in [
            ("482", Some(482)),
            (" 482 ", Some(482)),
            ("12.0", Some(12)),
            ("12.4", Some(13)),
            ("-3", Some(0)),
            ("0", Some(0)),
            ("1e3", Some(1000)),
            ("", None),
            ("  ", None),
            ("unlimited", None),
            ("NaN", None),
            ("inf", None),
            ("1,000", None),
            ("1e300", None),
            ("0x10", None),
        ] {
            assert_eq!(parse_credits(text), expected, "{text:?}");
        }
    }

    #[test]
    fn headers_are_independent() {
        let quota = Quota::read(|name| match name {
            "x-requests-remaining" => Some("oops"),
            "x-requests-used" => Some("18"),
            _ => None,
        });
        assert_eq!(quota, Quota { remaining: None, used: Some(18), last: None });
        let later = Quota { remaining: Some(5), used: None, last: Some(1) };
        assert_eq!(later.or(quota), Quota { remaining: Some(5), used: Some(18), last: Some(1) });
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*") {
            let _ = parse_credits(&text);
        }

        #[test]
        fn whole_numbers_read_the_same_with_a_decimal_point(n in 0u64..1_000_000_000) {
            prop_assert_eq!(parse_credits(&n.to_string()), Some(n));
            prop_assert_eq!(parse_credits(&format!("{n}.0")), Some(n));
        }
    }
}
