//! The line seeker: a side at a line and a price, or anything that is worth at least as much.
//!
//! A quote at another line is carried to the wanted one by the sport's model of results, as everywhere else; without a
//! model only the same line, or a better one at no worse a price, counts. Prices count after the fees of their book.

use super::rule::Wish;
use crate::engine::Engine;
use crate::engine::changes::EventRow;
use crate::engine::status::Status;
use crate::filter::fold;
use crate::market::books::{BookKind, Books};
use crate::market::ids::{BookId, MarketId};
use crate::market::line::Line;
use crate::market::margin::Distribution;
use crate::market::market_key::{Family, MarketSpec};
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

use super::facts::code;

/// How a quote answers a wish.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum How {
    /// The wanted line.
    Asked,
    /// A better line at no worse a price.
    Better,
    /// Another line, worth these decimal odds at the wanted one.
    Equivalent(f64),
}

/// A quote that answers a wish.
#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    /// Book.
    pub book: BookId,
    /// Market.
    pub market: MarketId,
    /// Side.
    pub side: Side,
    /// Line, as the side sees it.
    pub line: Option<Line>,
    /// As quoted.
    pub price: Price,
    /// When it was last seen at the book.
    pub seen: Timestamp,
    /// How it answers.
    pub how: How,
    /// Decimal odds at the wanted line, after fees: by this offers compare.
    pub worth: f64,
}

/// Which side of a game a wish is about; `None`: this game is not meant.
pub fn side_of(wish: &Wish, row: &EventRow, sport: &str) -> Option<Side> {
    let wanted = fold(wish.selection.trim());
    let side = match wanted.as_str() {
        "home" => Side::Home,
        "away" => Side::Away,
        "draw" => Side::Draw,
        "over" => Side::Over,
        "under" => Side::Under,
        _ => {
            let is = |name: &str| fold(name) == wanted || code(sport, name).is_some_and(|c| fold(&c) == wanted);
            match (is(&row.home), is(&row.away)) {
                (true, false) => Side::Home,
                (false, true) => Side::Away,
                _ => return None,
            }
        }
    };
    let total = MarketSpec::parse(&wish.market).family == Family::Total;
    (total == matches!(side, Side::Over | Side::Under)).then_some(side)
}

/// A line of an alternate market answers as one of the featured market does.
fn without_alternates(market: &str) -> &str {
    market.strip_prefix("alternate_").unwrap_or(market)
}

/// Odds of a bet at `line` and `odds`, carried to the wanted line; `None`: it cannot be told, or the line alone is worse.
fn worth(side: Side, line: Option<Line>, odds: f64, wish: &Wish, model: Option<&Distribution>) -> Option<(How, f64)> {
    let (Some(line), Some(wanted)) = (line, wish.wanted_line()) else { return Some((How::Asked, odds)) };
    if line == wanted {
        return Some((How::Asked, odds));
    }
    let better = if side == Side::Over { line < wanted } else { line > wanted };
    let carried = model.and_then(|m| m.convert(side, line, 1.0 / odds, wanted).ok()).map(|p| 1.0 / p);
    match carried {
        Some(carried) if !wish.exact && carried.is_finite() => Some((How::Equivalent(carried), carried)),
        _ if better => Some((How::Better, odds)),
        _ => None,
    }
}

/// A quote in the form in which wishes look at it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Candidate {
    /// Line, as the side sees it.
    pub line: Option<Line>,
    /// Decimal odds after fees.
    pub odds: f64,
}

/// Whether a quote answers a wish for `side`, how, and what it is worth at the wanted line.
pub fn answers(wish: &Wish, side: Side, quote: Candidate, model: Option<&Distribution>) -> Option<(How, f64)> {
    let wanted = wish.odds().ok()?.to_decimal();
    let (how, worth) = worth(side, quote.line, quote.odds, wish, model)?;
    // A price that has been carried there and back may be off by the last digits.
    (worth >= wanted - 1e-9).then_some((how, worth))
}

/// The best quote of a game that answers a wish at `at`; a quote older than `max_age_ms` does not.
pub fn seek(wish: &Wish, engine: &Engine, row: &EventRow, at: Timestamp, max_age_ms: i64) -> Option<Offer> {
    let names = engine.names();
    let side = side_of(wish, row, names.sport(row.sport))?;
    let wanted = without_alternates(&wish.market);
    let mut best: Option<Offer> = None;
    for (key, value) in engine.quotes_of(row.id) {
        if key.selection.side != side || value.status != Status::Open {
            continue;
        }
        let seen = value.provider_update.unwrap_or(value.last_seen);
        if without_alternates(names.market(key.market)) != wanted || at.since(seen) > max_age_ms {
            continue;
        }
        let book = Books::embedded().resolve(names.book(key.book));
        // Pick'em operators sell multipliers, not prices.
        if book.kind == BookKind::Dfs {
            continue;
        }
        let Some(odds) = book.fee.effective_decimal(value.price.to_decimal()) else { continue };
        let model = engine.conversion(row.sport, key.market);
        let candidate = Candidate { line: value.line, odds };
        let Some((how, worth)) = answers(wish, side, candidate, model) else { continue };
        let offer =
            Offer { book: key.book, market: key.market, side, line: value.line, price: value.price, seen, how, worth };
        let better = best.as_ref().is_none_or(|b| {
            let by_key = || names.book(b.book).cmp(names.book(offer.book));
            worth.total_cmp(&b.worth).then_with(by_key).is_gt()
        });
        if better {
            best = Some(offer);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::profile::SportProfile;
    use crate::market::price::Price;

    fn wish(line: f64, price: &str) -> Wish {
        Wish { market: "spreads".into(), selection: "home".into(), line: Some(line), price: price.into(), exact: false }
    }

    fn quote(line: f64, american: i64) -> Candidate {
        let odds = Price::american(american).expect("odds").to_decimal();
        Candidate { line: Line::from_points(line), odds }
    }

    fn nfl() -> &'static Distribution {
        SportProfile::of("americanfootball_nfl").margin.expect("a model").model
    }

    #[test]
    fn the_wanted_line_answers_at_its_price_or_a_better_one() {
        let wish = wish(-2.5, "-115");
        let found = |american| answers(&wish, Side::Home, quote(-2.5, american), Some(nfl()));
        assert!(found(-116).is_none());
        assert!(matches!(found(-115), Some((How::Asked, _))));
        assert!(matches!(found(100), Some((How::Asked, _))));
    }

    #[test]
    fn another_line_answers_where_it_is_worth_as_much() {
        let wish = wish(-2.5, "-115");
        let found = |line, american| answers(&wish, Side::Home, quote(line, american), Some(nfl()));
        // Three is the most frequent margin: half a point across it is worth some twenty cents.
        assert!(matches!(found(-3.0, 130), Some((How::Equivalent(_), _))));
        assert!(found(-3.0, -110).is_none());
        assert!(found(-3.5, 105).is_none());
        // The better line may cost more than the wanted price.
        assert!(matches!(found(-1.5, -120), Some((How::Equivalent(w), _)) if w >= 1.869));
        assert!(found(-1.5, -200).is_none());
    }

    #[test]
    fn without_a_model_only_what_is_plainly_no_worse_answers() {
        let mut wish = wish(-2.5, "-115");
        let found = |wish: &Wish, line, american| answers(wish, Side::Home, quote(line, american), None);
        assert!(found(&wish, -3.0, 300).is_none());
        assert!(matches!(found(&wish, -1.5, -115), Some((How::Better, _))));
        assert!(found(&wish, -1.5, -120).is_none());
        wish.exact = true;
        assert!(answers(&wish, Side::Home, quote(-3.0, 130), Some(nfl())).is_none());
        assert!(matches!(answers(&wish, Side::Home, quote(-1.5, -110), Some(nfl())), Some((How::Better, _))));
        let over = Wish { market: "totals".into(), selection: "over".into(), line: Some(44.5), ..wish };
        assert!(answers(&over, Side::Over, quote(43.5, -110), None).is_some());
        assert!(answers(&over, Side::Over, quote(45.5, -110), None).is_none());
        assert!(answers(&over, Side::Under, quote(45.5, -110), None).is_some());
    }

    proptest::proptest! {
        /// Of two quotes at one line the dearer never answers where the cheaper does not.
        #[test]
        fn a_better_price_never_answers_less(half in -14_i32..14, a in 101_i64..300, b in 101_i64..300) {
            let wish = wish(-2.5, "+100");
            let at = |american| answers(&wish, Side::Home, quote(f64::from(half) / 2.0, american), Some(nfl())).is_some();
            let (low, high) = (a.min(b), a.max(b));
            proptest::prop_assert!(!at(low) || at(high));
            proptest::prop_assert!(!at(-high) || at(-low));
        }
    }
}
