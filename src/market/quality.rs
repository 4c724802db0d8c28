//! What can be wrong with data, as a closed list of reasons.

/// Whether a flawed value may still be used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Stored and used.
    Warning,
    /// Stored where it can be, never used.
    Error,
}

impl Severity {
    /// `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $severity:ident;)*) => {
        /// Why something was put aside or marked.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $variant = $number,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in logs, tables and JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How grave it is unless the settings say `strict`.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

reasons! {
    /// A field that every such record has is absent or null.
    MissingField = 1, "missing_field", Error;
    /// A field is of another JSON type than documented.
    WrongType = 2, "wrong_type", Error;
    /// The price is no price.
    BadPrice = 3, "bad_price", Error;
    /// The point is no line, or missing where one is needed.
    BadPoint = 4, "bad_point", Error;
    /// A time that cannot be read.
    BadTimestamp = 5, "bad_timestamp", Error;
    /// A time in the future beyond the tolerated skew of clocks.
    FutureTimestamp = 6, "future_timestamp", Error;
    /// A price at or near 1.00, or another stand-in for "nothing here".
    PlaceholderPrice = 7, "placeholder_price", Error;
    /// The outcome's name is neither of the teams nor a known side.
    UnknownTeam = 8, "unknown_team", Error;
    /// The two sides of a spread do not mirror, or Over and Under stand at different totals.
    SidesDoNotMirror = 9, "sides_do_not_mirror", Error;
    /// The same outcome twice in one market.
    DuplicateOutcome = 10, "duplicate_outcome", Error;
    /// The same market twice at one book.
    DuplicateMarket = 11, "duplicate_market", Error;
    /// The same book twice in one event.
    DuplicateBook = 12, "duplicate_book", Error;
    /// The same event twice in one answer.
    DuplicateEvent = 13, "duplicate_event", Error;
    /// The raw probabilities of a complete market add up to less than 1 or implausibly much more.
    VigOutOfRange = 14, "vig_out_of_range", Warning;
    /// The line moved further between two looks than is plausible.
    LineJump = 15, "line_jump", Warning;
    /// A side of the market is missing.
    IncompleteMarket = 16, "incomplete_market", Warning;
    /// A market key that we do not understand.
    UnknownMarket = 17, "unknown_market", Warning;
    /// A book that the book table does not know.
    UnknownBook = 18, "unknown_book", Warning;
    /// The provider's time for a market went backwards.
    TimeWentBack = 20, "time_went_back", Warning;
    /// The event changed in a way that identity does not allow (other teams under the same id).
    IdentityChanged = 21, "identity_changed", Error;
    /// The same pair under another id within some days: perhaps a reschedule.
    RescheduleCandidate = 22, "reschedule_candidate", Warning;
    /// More records than a sane answer holds.
    TooMany = 23, "too_many", Error;
    /// An exchange that is listened to is not heard.
    NotHeard = 24, "not_heard", Warning;
}

impl Reason {
    /// The number under which the store keeps it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The reason of a number from the store.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.number() == n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique() {
        for (i, a) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::from_number(a.number()), Some(*a));
            for b in &Reason::ALL[i + 1..] {
                assert_ne!(a.name(), b.name());
                assert_ne!(a.number(), b.number());
            }
        }
    }
}
