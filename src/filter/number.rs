//! Numbers with their units, and the comparisons that a filter makes with them.

use std::fmt;

use super::fields::Unit;
use crate::market::price::{OddsFormat, Price};

/// What rounding may do to a number on its way here: 0.07 * 100 is not above 7.
const HAIR: f64 = 1e-9;
/// Larger numbers mean nothing in any field.
const LARGEST: f64 = 1e9;

/// A number as compared and as written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Number {
    /// Seconds, percent, decimal odds or the plain number.
    value: f64,
    /// The American odds that were written, else `value`.
    written: f64,
}

/// How a number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compare {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

impl Compare {
    /// Every comparison, the longer signs before their beginnings.
    pub(super) const ALL: [Self; 6] =
        [Self::GreaterOrEqual, Self::LessOrEqual, Self::NotEqual, Self::Greater, Self::Less, Self::Equal];

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }

    /// The comparison that `text` begins with.
    pub(super) fn at_start_of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| text.starts_with(c.sign()))
    }
}

/// From a number to a number, both included; an absent end is open.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Span {
    low: Option<Number>,
    high: Option<Number>,
}

/// What a filter asks of a number.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum NumberTest {
    /// That it is there.
    Any,
    Compare(Compare, Number),
    /// That it lies in one of these.
    In(Vec<Span>),
}

impl NumberTest {
    /// The test of `field:a..b,c`. One number alone is the same as `=`, so that a filter has one text.
    pub(super) fn spans(spans: Vec<Span>) -> Self {
        match spans[..] {
            [Span { low: Some(low), high: Some(high) }] if low.value == high.value => {
                Self::Compare(Compare::Equal, low)
            }
            _ => Self::In(spans),
        }
    }

    /// A number that is absent, or not a number, passes no test.
    pub(super) fn passes(&self, number: Option<f64>) -> bool {
        let Some(n) = number.filter(|n| !n.is_nan()) else { return false };
        match self {
            Self::Any => true,
            Self::Compare(compare, bound) => {
                let (above, below) = (n > bound.value + HAIR, n < bound.value - HAIR);
                match compare {
                    Compare::Greater => above,
                    Compare::GreaterOrEqual => !below,
                    Compare::Less => below,
                    Compare::LessOrEqual => !above,
                    Compare::Equal => !above && !below,
                    Compare::NotEqual => above || below,
                }
            }
            Self::In(spans) => spans.iter().any(|s| {
                s.low.is_none_or(|low| n >= low.value - HAIR) && s.high.is_none_or(|high| n <= high.value + HAIR)
            }),
        }
    }

    /// What follows the name of the field.
    pub(super) fn write(&self, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str(":*"),
            Self::Compare(compare, number) => {
                f.write_str(compare.sign())?;
                number.write(unit, f)
            }
            Self::In(spans) => {
                for (i, span) in spans.iter().enumerate() {
                    f.write_str(if i == 0 { ":" } else { "," })?;
                    span.write(unit, f)?;
                }
                Ok(())
            }
        }
    }
}

impl Span {
    /// Reads `5`, `2..5`, `2..` or `..5`.
    pub(super) fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        let Some((low, high)) = text.split_once("..") else {
            let only = Some(Number::parse(text, unit)?);
            return Ok(Self { low: only, high: only });
        };
        let end = |t: &str| if t.is_empty() { Ok(None) } else { Number::parse(t, unit).map(Some) };
        let mut span = Self { low: end(low)?, high: end(high)? };
        match (span.low, span.high) {
            (None, None) => Err("a range needs a number, as in `2..5`, `2..` or `..5`".into()),
            (Some(low_end), Some(high_end)) if low_end.value > high_end.value => {
                Err(format!("nothing lies in this range; write `{high}..{low}`"))
            }
            (Some(low_end), Some(high_end)) if low_end.value == high_end.value => {
                // -100 and +100 are one price: one text for one number.
                span.high = span.low;
                Ok(span)
            }
            _ => Ok(span),
        }
    }

    fn write(self, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let single = matches!((self.low, self.high), (Some(l), Some(h)) if l.value == h.value);
        if let Some(low) = self.low {
            low.write(unit, f)?;
        }
        if single {
            return Ok(());
        }
        f.write_str("..")?;
        self.high.map_or(Ok(()), |high| high.write(unit, f))
    }
}

impl Number {
    /// Reads a number with its unit; the error says what to write.
    pub(super) fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        let (sign, digits) = match text.chars().next() {
            Some('-' | '−') => (-1.0, text.trim_start_matches(['-', '−'])),
            Some('+') => (1.0, text.trim_start_matches('+')),
            _ => (1.0, text),
        };
        let signs = text.chars().count() - digits.chars().count();
        if digits.is_empty() || signs > 1 {
            return Err(not_a_number(text, unit));
        }
        let size = match unit {
            Unit::Time => seconds(digits).ok_or_else(|| not_a_number(text, unit))??,
            Unit::Percent => {
                decimal(digits.strip_suffix('%').unwrap_or(digits)).ok_or_else(|| not_a_number(text, unit))?
            }
            Unit::Plain | Unit::Price => decimal(digits).ok_or_else(|| not_a_number(text, unit))?,
        };
        if size > LARGEST {
            return Err(format!("`{text}` is too large"));
        }
        // Without a zero that has a sign.
        let n = if size == 0.0 { 0.0 } else { sign * size };
        if unit == Unit::Price { Self::price(text, n) } else { Ok(Self { value: n, written: n }) }
    }

    fn price(text: &str, n: f64) -> Result<Self, String> {
        if n.abs() >= 100.0 {
            let price = Price::quoted(n, OddsFormat::American).map_err(|_| {
                format!("`{text}` is no price; American odds are whole numbers, as in `-110` or `+150`")
            })?;
            return Ok(Self { value: price.to_decimal(), written: n });
        }
        if n < 1.0 {
            return Err(format!(
                "`{text}` is no price; write American odds such as `-110` or decimal ones such as `1.95`"
            ));
        }
        Ok(Self { value: n, written: n })
    }

    fn write(self, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match unit {
            Unit::Price if self.written.abs() >= 100.0 => write!(f, "{:+}", self.written),
            Unit::Time if self.value == 0.0 => f.write_str("0"),
            Unit::Time => {
                let (size, letter) = [(86_400.0, 'd'), (3_600.0, 'h'), (60.0, 'm')]
                    .into_iter()
                    .find(|(size, _)| self.value % size == 0.0)
                    .unwrap_or((1.0, 's'));
                write!(f, "{}{letter}", self.value / size)
            }
            Unit::Plain | Unit::Percent | Unit::Price => write!(f, "{}", self.written),
        }
    }
}

/// Digits with at most one dot; neither a sign nor an exponent.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    if plain && text.len() <= 24 { text.parse().ok() } else { None }
}

/// Reads `90s`, `1.5h`, `1h30m`. `None` for what is no time at all, an error for a number without its unit.
fn seconds(text: &str) -> Option<Result<f64, String>> {
    if let Some(n) = decimal(text) {
        return Some(if n == 0.0 {
            Ok(0.0)
        } else {
            Err(format!("a time needs a unit: write `{text}s`, `{text}m`, `{text}h` or `{text}d`"))
        });
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let mut letters = tail.chars();
        let size = match letters.next()?.to_ascii_lowercase() {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3_600.0,
            'd' => 86_400.0,
            _ => return None,
        };
        sum += decimal(number)? * size;
        rest = letters.as_str();
    }
    // To the millisecond, so that the number written in another unit is the same number.
    Some(Ok((sum * 1_000.0).round() / 1_000.0))
}

fn not_a_number(text: &str, unit: Unit) -> String {
    let wanted = match unit {
        Unit::Plain => "a number without a unit, such as `70` or `2.5`",
        Unit::Percent => "a number of percent, such as `2` or `2.5%`",
        Unit::Time => "a time such as `30s`, `5m`, `2h` or `1d`",
        Unit::Price => "a price such as `-110`, `+150` or `1.95`",
    };
    format!("`{text}` is not {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(unit: Unit, compare: Compare, text: &str, n: f64) -> bool {
        NumberTest::Compare(compare, Number::parse(text, unit).expect(text)).passes(Some(n))
    }

    #[test]
    fn units_are_applied() {
        let value = |text, unit| Number::parse(text, unit).expect(text).value;
        for (text, seconds) in
            [("30s", 30.0), ("5m", 300.0), ("1.5H", 5_400.0), ("1h30m", 5_400.0), ("-2d", -172_800.0), ("0", 0.0)]
        {
            assert_eq!(value(text, Unit::Time), seconds, "{text}");
        }
        assert_eq!(value("2%", Unit::Percent), 2.0);
        assert_eq!(value("−3.5", Unit::Plain), -3.5);
        assert_eq!(value("+150", Unit::Price), 2.5);
        assert_eq!(value("-110", Unit::Price), Price::american(-110).expect("valid").to_decimal());
        assert_eq!(value("1.95", Unit::Price), 1.95);
        assert_eq!(value("-100", Unit::Price), 2.0);
    }

    #[test]
    fn what_is_no_number_is_told_so() {
        for (text, unit, part) in [
            ("x", Unit::Plain, "is not a number"),
            ("70%", Unit::Plain, "without a unit"),
            ("1e5", Unit::Plain, "is not a number"),
            ("inf", Unit::Plain, "is not a number"),
            ("nan", Unit::Percent, "percent"),
            ("--2", Unit::Plain, "is not"),
            ("-", Unit::Plain, "is not"),
            (".", Unit::Plain, "is not"),
            ("1.2.3", Unit::Plain, "is not"),
            ("30", Unit::Time, "`30s`"),
            ("30x", Unit::Time, "a time such as"),
            ("5m3", Unit::Time, "a time such as"),
            ("2%%", Unit::Percent, "percent"),
            ("50", Unit::Price, ""),
            ("0.5", Unit::Price, "no price"),
            ("-50", Unit::Price, "no price"),
            ("-110.5", Unit::Price, "whole numbers"),
            ("99999999999", Unit::Plain, "too large"),
        ] {
            match Number::parse(text, unit) {
                Ok(_) => assert_eq!((text, unit), ("50", Unit::Price), "decimal odds of 50 are odds"),
                Err(message) => assert!(message.contains(part), "{text}: {message}"),
            }
        }
    }

    #[test]
    fn comparisons_know_rounding_and_absence() {
        assert!(!passes(Unit::Percent, Compare::Greater, "7", 0.07 * 100.0));
        assert!(passes(Unit::Percent, Compare::Equal, "7", 0.07 * 100.0));
        assert!(passes(Unit::Price, Compare::Greater, "-110", 1.95));
        assert!(!passes(Unit::Price, Compare::Greater, "-110", 1.0 + 100.0 / 110.0));
        assert!(passes(Unit::Price, Compare::GreaterOrEqual, "-110", 1.0 + 100.0 / 110.0));
        for compare in Compare::ALL {
            let test = NumberTest::Compare(compare, Number::parse("0", Unit::Plain).expect("zero"));
            assert!(!test.passes(None) && !test.passes(Some(f64::NAN)));
        }
        let ranges = NumberTest::spans(vec![
            Span::parse("..2", Unit::Plain).expect("range"),
            Span::parse("5..7", Unit::Plain).expect("range"),
        ]);
        let inside: Vec<i32> = (0..10).filter(|n| ranges.passes(Some(f64::from(*n)))).collect();
        assert_eq!(inside, [0, 1, 2, 5, 6, 7]);
    }
}
