//! Reasons, labels and formulas in words: the one place where a name of the analysis becomes a sentence.

use super::Reason;
use crate::engine::detect::signal::{ScoreSource, Sharp, SignalType};
use crate::engine::grade::close::NoClose;
use crate::engine::grade::clv::NoClv;
use crate::engine::opportunity::{OpportunityKind, Untakeable};
use crate::engine::price::view::Exclusion;
use crate::market::devig::Method;

/// Every reason why a book has no part.
const EXCLUSIONS: [Exclusion; 16] = [
    Exclusion::Gone,
    Exclusion::Stale,
    Exclusion::Flawed,
    Exclusion::EventMissing,
    Exclusion::Unreadable,
    Exclusion::OtherPhase,
    Exclusion::Incomplete,
    Exclusion::VigTooHigh,
    Exclusion::NotOneBook,
    Exclusion::WideExchange,
    Exclusion::ThinExchange,
    Exclusion::OtherLine,
    Exclusion::BeyondModel,
    Exclusion::NoVote,
    Exclusion::Outlier,
    Exclusion::Reopened,
];

/// Why a book has no part in a fair price.
pub const fn exclusion(why: Exclusion) -> &'static str {
    match why {
        Exclusion::Gone => "the book took the market down",
        Exclusion::Stale => "the provider has not seen the market at the book for too long",
        Exclusion::Flawed => "the data contradicts itself",
        Exclusion::EventMissing => "the event was missing from the last answer",
        Exclusion::Unreadable => "that part of the last answer could not be read",
        Exclusion::OtherPhase => "last seen on the other side of the start",
        Exclusion::Incomplete => "not all sides of the market are there at one line",
        Exclusion::VigTooHigh => "its raw probabilities add up to more than a real market's do",
        Exclusion::NotOneBook => "its raw probabilities add up to less than 1: not the prices of one book",
        Exclusion::WideExchange => "its bid and ask are too far apart",
        Exclusion::ThinExchange => "too little stands behind its bid and ask",
        Exclusion::OtherLine => "at another line than the reference line, and no model converts it",
        Exclusion::BeyondModel => "the model does not reach this line and price",
        Exclusion::NoVote => "the book table gives it no vote",
        Exclusion::Outlier => "too far from all others",
        Exclusion::Reopened => "back after a suspension, not confirmed yet by a second look or a second book",
    }
}

/// The same from the name that rows carry. A name of a later version is told as it is.
pub fn excluded(name: &str) -> Reason {
    let known = EXCLUSIONS.into_iter().find(|e| e.name() == name);
    Reason { name: name.to_owned(), words: known.map_or("a reason that this version does not know", exclusion) }
}

/// The books of the family that is judged.
pub(super) fn judged() -> Reason {
    Reason {
        name: "judged_family".to_owned(),
        words: "of the family that is judged: a book is no part of its own yardstick",
    }
}

/// Why there is no close.
pub const fn no_close(why: NoClose) -> &'static str {
    match why {
        NoClose::NoQuotes => "no book had the market open at the last look before the start",
        NoClose::NoUsableQuotes => "books had it open at the last look before the start, but no price could be used",
        NoClose::EventMissing => "the event was missing from the last answer before the start",
        NoClose::OnlyInPlay => "the market was first seen after the start; prices from then are never used",
        NoClose::Postponed => "the start was moved later: the close follows once the game is played",
    }
}

/// Why there is no closing line value.
pub const fn no_clv(why: NoClv) -> &'static str {
    match why {
        NoClv::Informational => "the signal recommends no side",
        NoClv::NoEntry => "nobody offered a price for the side when the signal was made",
        NoClv::InPlay => "the signal was made after the start; the close is one of before it",
        NoClv::NoClose => "the market has no close",
        NoClv::BeyondModel => "the model does not carry the close to the entry's line",
    }
}

/// Why no price of a book can be taken.
pub const fn untakeable(why: Untakeable) -> &'static str {
    match why {
        Untakeable::OutOfReach => "no single bets are placed at this book",
        Untakeable::TooOld => "the provider has not seen it at the book for too long",
        Untakeable::Reopened => "back after a suspension, not confirmed yet",
        Untakeable::Flawed => "the data contradicts itself",
        Untakeable::NotOneBook => "its own prices add up to less than 1: one of them is an error",
        Untakeable::Fee => "nothing is left of the price after the fee",
    }
}

/// What a signal type means.
pub const fn signal_type(kind: SignalType) -> &'static str {
    match kind {
        SignalType::Move => "the median book of the panel changed by the threshold within the window",
        SignalType::KeyCross => "the consensus line left, reached or crossed a key number of the sport",
        SignalType::MultibookSync => "several independent books changed the same way within the window",
        SignalType::Dislocation => "one open, fresh quote stands far from the fair price of all other families",
        SignalType::Steam => "many independent books changed the same way at once, and far, with hardly any against",
        SignalType::LiveShock => "a watched game in play changed by a great deal; informational, no side to take",
        SignalType::ExchangeDivergence => "an exchange and the books disagree, both fresh",
    }
}

/// A label of a signal in words; an unknown one as it is.
pub fn label(label: &str) -> String {
    let known = match label {
        "lagging" => "lagging: another independent book moved away and this one did not",
        "leading" => "leading: it moved away and is sharp or was followed; the side it points to is taken elsewhere",
        "alone" => {
            "alone: nobody else had a part in it; it moved away by itself, or stood there before the window began"
        }
        "aligned" => "aligned: both moved the same way, at once or not at all within the window",
        "exchange_leads" => "the exchange moved first: the side it points to is taken at the books",
        "sportsbook_leads" => "the books moved first: what the exchange still offers is taken there",
        "opposed" => "opposed: the exchange and the books moved in opposite ways; no side to take",
        "leader_unknown" => "leader unknown: several books moved first between the same two looks",
        other => return other.to_owned(),
    };
    known.to_owned()
}

/// What the sharp books did.
pub const fn sharp(way: Sharp) -> &'static str {
    match way {
        Sharp::Agree => "sharp books of the panel moved the same way",
        Sharp::None => "no sharp book in the panel, or none moved",
        Sharp::Oppose => "sharp books of the panel moved the other way",
    }
}

/// Where the composite comes from.
pub const fn score_source(source: ScoreSource) -> &'static str {
    match source {
        ScoreSource::Composite => "all inputs of the composite were there",
        ScoreSource::StrengthFallback => "an input of the composite was missing: the strength stands in",
    }
}

/// What kind of opportunity.
pub const fn opportunity(kind: OpportunityKind) -> &'static str {
    match kind {
        OpportunityKind::PositiveEv => "one price above the fair one",
        OpportunityKind::Arbitrage => "prices that together cannot lose",
        OpportunityKind::Middle => "two lines between which both bets win",
        OpportunityKind::LowHold => "prices that together cost little",
    }
}

/// How vig is removed, as a formula of the raw probability q = 1/d of each side, their sum S and their number n.
pub const fn devig(method: Method) -> &'static str {
    match method {
        Method::Multiplicative => "p = q / S",
        Method::Additive => "p = q - t, t = (S - 1)/n",
        Method::Power => "p = q^k, k solved so that the sides sum to 1",
        Method::Shin => "p = (sqrt(z^2 + 4(1 - z) q^2/S) - z) / (2(1 - z)), z solved so that the sides sum to 1",
        Method::OddsRatio => "p = q / (c + q - c q), c solved so that the sides sum to 1",
        Method::Probit => "p = N(N^-1(q) - s), s solved so that the sides sum to 1 (N: normal distribution)",
        Method::WorstCase => "p = the smallest answer of the other methods, side by side",
    }
}

/// The letter under which the parameter of a method goes.
pub(super) const fn parameter(method: Method) -> &'static str {
    match method {
        Method::Multiplicative => "S",
        Method::Additive => "t",
        Method::Power => "k",
        Method::Shin => "z",
        Method::OddsRatio => "c",
        Method::Probit => "s",
        Method::WorstCase => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_words_and_unknown_names_are_kept() {
        for e in EXCLUSIONS {
            assert_eq!(excluded(e.name()), Reason { name: e.name().to_owned(), words: exclusion(e) });
        }
        let mut all: Vec<_> = EXCLUSIONS.iter().map(|e| exclusion(*e)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), EXCLUSIONS.len());
        assert_eq!(excluded("of_next_year").name, "of_next_year");
        assert_eq!(label("of_next_year"), "of_next_year");
    }
}
