//! Names and amounts as Polymarket writes them: ids as text, prices as ticks, sizes as micro-shares.
//!
//! Owns their exact forms and refusals. Token ids have up to 78 digits and fit no machine integer, so every id stays
//! text. Prices and sizes never pass through a float on their way from text, so that `"0.430"` is `"0.43"`.

use std::borrow::Borrow;
use std::sync::Arc;

/// Longest text that is taken for an id, in bytes.
const MAX_ID: usize = 128;

/// Why a text is no id, price or size.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// Not an id of this kind.
    #[error("\"{text}\" is not {what}")]
    Id {
        /// What it should have been, such as `a token id (decimal digits)`.
        what: &'static str,
        /// What stood there, shortened.
        text: String,
    },
    /// Not a decimal number.
    #[error("\"{0}\" is not a decimal number")]
    NotANumber(String),
    /// A price below 0 or above 1, or a size below 0 or beyond anything plausible.
    #[error("{0} is outside the range of a {1}")]
    OutOfRange(String, &'static str),
    /// More decimals than there can be.
    #[error("{0} is finer than {1}")]
    TooFine(String, &'static str),
}

/// At most 40 characters of a text, for messages.
pub(crate) fn short(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if text.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id of a text.
            ///
            /// # Errors
            /// [`Refused::Id`] when the text has another form.
            pub fn parse(text: &str) -> Result<Self, Refused> {
                if Self::is_valid(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(Refused::Id { what: $what, text: short(text) })
                }
            }

            /// Does the text have the form of this id?
            pub fn is_valid(text: &str) -> bool {
                let check: fn(&str) -> bool = $check;
                !text.is_empty() && text.len() <= MAX_ID && check(text)
            }

            /// As on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), short(&self.0))
            }
        }
    };
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

text_id!(
    /// One outcome of a market: also called asset id.
    TokenId,
    "a token id (decimal digits)",
    |t| t.len() <= 80 && digits(t)
);
text_id!(
    /// One market on the chain: `0x` and hexadecimal digits. Case is kept as it came.
    ConditionId,
    "a condition id (0x and up to 64 hexadecimal digits)",
    |t| t.strip_prefix("0x").is_some_and(|h| (1..=64).contains(&h.len()) && h.bytes().all(|b| b.is_ascii_hexdigit()))
);
text_id!(
    /// One event of Gamma.
    GammaEventId,
    "an event id (decimal digits)",
    |t| t.len() <= 20 && digits(t)
);
text_id!(
    /// One market of Gamma.
    GammaMarketId,
    "a market id (decimal digits)",
    |t| t.len() <= 20 && digits(t)
);
text_id!(
    /// One series: a league's season, such as `10345`.
    SeriesId,
    "a series id (decimal digits)",
    |t| t.len() <= 20 && digits(t)
);
text_id!(
    /// One tag.
    TagId,
    "a tag id (decimal digits)",
    |t| t.len() <= 20 && digits(t)
);
text_id!(
    /// The readable name of an event or market in an address, such as `nba-gsw-phx-2026-02-05`.
    Slug,
    "a slug (letters, digits, - _ .)",
    |t| t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
);

/// A decimal number split into its integer and its first `decimals` decimals, exactly.
fn decimal(text: &str, decimals: u32, unit: &'static str) -> Result<u64, Refused> {
    let bare = text.trim();
    let bare = bare.strip_prefix('+').unwrap_or(bare);
    if bare.starts_with('-') && bare.get(1..).is_some_and(|r| !r.is_empty()) {
        // "-0" and "-0.00" are zero; anything else below zero is not an amount.
        let zero = bare.bytes().skip(1).all(|b| matches!(b, b'0' | b'.'));
        return if zero && digits(&bare.replace(['.', '-'], "")) && bare.matches('.').count() <= 1 {
            Ok(0)
        } else {
            Err(Refused::OutOfRange(short(text), unit))
        };
    }
    let (whole, part) = bare.split_once('.').unwrap_or((bare, ""));
    if (whole.is_empty() && part.is_empty()) || !digits(whole) || !digits(part) {
        return Err(Refused::NotANumber(short(text)));
    }
    let mut value: u64 = 0;
    let beyond = || Refused::OutOfRange(short(text), unit);
    let mut push = |byte: u8| {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or_else(beyond)?;
        Ok::<(), Refused>(())
    };
    for byte in whole.bytes() {
        push(byte)?;
    }
    let mut seen = 0;
    for byte in part.bytes() {
        if seen < decimals {
            push(byte)?;
            seen += 1;
        } else if byte != b'0' {
            return Err(Refused::TooFine(short(text), if decimals == 4 { "0.0001" } else { "0.000001 shares" }));
        }
    }
    for _ in seen..decimals {
        push(b'0')?;
    }
    Ok(value)
}

/// A price in ticks of 0.0001: 0 to 10 000, a probability between 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(u16);

impl Tick {
    /// 0: nobody pays for it.
    pub const ZERO: Self = Self(0);
    /// 1: certain.
    pub const ONE: Self = Self(10_000);

    /// So many ticks; `None` above 10 000.
    pub const fn new(ticks: u16) -> Option<Self> {
        if ticks <= 10_000 { Some(Self(ticks)) } else { None }
    }

    /// Ticks of 0.0001.
    pub const fn ticks(self) -> u16 {
        self.0
    }

    /// Reads decimal text such as `0.43`, `.48` or `0.430`.
    ///
    /// # Errors
    /// [`Refused`] for text that is no number, outside 0 to 1, or finer than a tick.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let value = decimal(text, 4, "price")?;
        u16::try_from(value).ok().and_then(Self::new).ok_or_else(|| Refused::OutOfRange(short(text), "price"))
    }

    /// The tick of a JSON number.
    ///
    /// # Errors
    /// As [`Tick::parse`]; the last bits of a float are forgiven.
    pub fn from_f64(price: f64) -> Result<Self, Refused> {
        if !(-1e-9..=1.0 + 1e-9).contains(&price) {
            return Err(Refused::OutOfRange(price.to_string(), "price"));
        }
        let ticks = (price * 10_000.0).round();
        if (price * 10_000.0 - ticks).abs() > 1e-6 {
            return Err(Refused::TooFine(price.to_string(), "0.0001"));
        }
        Ok(Self(ticks.clamp(0.0, 10_000.0) as u16))
    }

    /// As a probability.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// The same price seen from the other outcome: 1 - p.
    pub const fn mirrored(self) -> Self {
        Self(10_000 - self.0)
    }
}

impl std::fmt::Display for Tick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 10_000, self.0 % 10_000);
        let text = format!("{whole}.{part:04}");
        f.write_str(text.strip_suffix("00").or_else(|| text.strip_suffix('0')).unwrap_or(&text))
    }
}

impl std::fmt::Debug for Tick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// A number of shares, each paying one dollar, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shares(u64);

/// More shares than that nobody offers: 10^12.
const MAX_SHARES: u64 = 1_000_000_000_000;

impl Shares {
    /// None.
    pub const ZERO: Self = Self(0);

    /// So many millionths of a share; at most 10^12 shares.
    pub const fn from_micros(micros: u64) -> Option<Self> {
        if micros <= MAX_SHARES * 1_000_000 { Some(Self(micros)) } else { None }
    }

    /// Millionths of a share.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Shares.
    pub fn shares(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Is it none?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads decimal text such as `350.5`.
    ///
    /// # Errors
    /// [`Refused`] for text that is no number, negative, implausibly large or finer than a millionth.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::from_micros(decimal(text, 6, "size")?).ok_or_else(|| Refused::OutOfRange(short(text), "size"))
    }

    /// The size of a JSON number, rounded to the millionth.
    ///
    /// # Errors
    /// [`Refused::OutOfRange`] when negative, not finite or implausibly large.
    pub fn from_f64(shares: f64) -> Result<Self, Refused> {
        let refused = || Refused::OutOfRange(shares.to_string(), "size");
        if !(0.0..=MAX_SHARES as f64).contains(&shares) {
            return Err(refused());
        }
        Self::from_micros((shares * 1e6).round() as u64).ok_or_else(refused)
    }

    /// The sum; the largest number of shares when it would be beyond it.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:06}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

impl std::fmt::Debug for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Which list of a book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Who wants to buy: `BUY` on the wire.
    Bid,
    /// Who wants to sell: `SELL` on the wire.
    Ask,
}

impl Side {
    /// The other list.
    pub const fn other(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// `BUY`/`SELL`, also in small letters, and `BID`/`ASK` as recorders write them.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("BUY") || is("BID") {
            Some(Self::Bid)
        } else if is("SELL") || is("ASK") {
            Some(Self::Ask)
        } else {
            None
        }
    }

    /// `bid` or `ask`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }

    /// `BUY` or `SELL`.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Bid => "BUY",
            Self::Ask => "SELL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_compared_by_value() {
        for (text, ticks) in
            [(".48", 4800), ("0.430", 4300), ("0.43", 4300), ("1", 10_000), ("1.0000", 10_000), ("0", 0), ("0.0001", 1)]
        {
            assert_eq!(Tick::parse(text).unwrap().ticks(), ticks, "{text}");
        }
        assert_eq!(Tick::from_f64(0.43).unwrap().ticks(), 4300);
        assert_eq!(Tick::from_f64(0.1 + 0.2).unwrap().ticks(), 3000);
        assert_eq!(Tick::parse("0.43").unwrap().mirrored(), Tick::parse("0.57").unwrap());
        assert_eq!(Tick::parse("-0").unwrap(), Tick::ZERO);
    }

    #[test]
    fn what_is_no_price_is_refused_with_a_reason() {
        for text in ["", ".", "-", "abc", "1e-3", "0,43", "0.4.3", "NaN", "٣"] {
            assert!(matches!(Tick::parse(text), Err(Refused::NotANumber(_))), "{text}");
        }
        for text in ["-0.1", "1.0001", "2", "99999999999999999999999"] {
            assert!(matches!(Tick::parse(text), Err(Refused::OutOfRange(..))), "{text}");
        }
        assert!(matches!(Tick::parse("0.43001"), Err(Refused::TooFine(..))));
        assert!(
            Tick::from_f64(f64::NAN).is_err() && Tick::from_f64(0.430_01).is_err() && Tick::from_f64(-0.2).is_err()
        );
    }

    #[test]
    fn sizes_are_exact() {
        assert_eq!(Shares::parse("19500402.66").unwrap().micros(), 19_500_402_660_000);
        assert_eq!(Shares::parse("21.42857").unwrap().to_string(), "21.42857");
        assert_eq!(Shares::parse("100").unwrap().to_string(), "100");
        assert!(Shares::parse("0.0000001").is_err() && Shares::parse("-5").is_err());
        assert!(Shares::parse("99999999999999").is_err() && Shares::from_f64(f64::INFINITY).is_err());
    }

    #[test]
    fn ids_have_their_forms() {
        assert!(
            TokenId::parse("71321045863084981365469005770620412523470745398083994982746259498689308907982").is_ok()
        );
        assert!(TokenId::parse("").is_err() && TokenId::parse("12a").is_err());
        assert!(ConditionId::parse("0xc8f1cf5d").is_ok() && ConditionId::parse("c8f1").is_err());
        assert!(Slug::parse("nba-gsw-phx-2026-02-05").is_ok() && Slug::parse("a b").is_err());
    }

    proptest! {
        #[test]
        fn every_tick_survives_text(ticks in 0u16..=10_000) {
            let tick = Tick::new(ticks).unwrap();
            prop_assert_eq!(Tick::parse(&tick.to_string()).unwrap(), tick);
            prop_assert_eq!(Tick::from_f64(tick.probability()).unwrap(), tick);
            prop_assert_eq!(tick.mirrored().mirrored(), tick);
        }

        #[test]
        fn every_size_survives_text(micros in 0u64..=MAX_SHARES * 1_000_000) {
            let shares = Shares::from_micros(micros).unwrap();
            prop_assert_eq!(Shares::parse(&shares.to_string()).unwrap(), shares);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = (Tick::parse(&text), Shares::parse(&text), TokenId::parse(&text), ConditionId::parse(&text));
        }
    }
}
