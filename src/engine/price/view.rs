//! One book's complete market at one instant: its prices with the vig removed, or why it does not count.

use serde::Serialize;

use super::scale::{Scale, log_odds};
use super::unit::Layout;
use crate::engine::status::{Phase, QuoteValue, Status};
use crate::market::devig::{DevigError, Method, devig_into};
use crate::market::ids::BookId;
use crate::market::line::Line;
use crate::market::market_key::Stance;
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// Why a book has no part in a fair price.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The book took the market down.
    Gone,
    /// The provider has not seen the market at the book for too long.
    Stale,
    /// The data contradicts itself.
    Flawed,
    /// Its event was missing from the last answer.
    EventMissing,
    /// That part of the last answer could not be read.
    Unreadable,
    /// Last seen before the start, and the game is under way (or the other way round).
    OtherPhase,
    /// Not all sides of the market are there at one line.
    Incomplete,
    /// The raw probabilities sum to more than a market's do.
    VigTooHigh,
    /// The raw probabilities sum to less than 1: not the prices of one book.
    NotOneBook,
    /// An exchange whose bid and ask are too far apart.
    WideExchange,
    /// An exchange where too little stands behind bid and ask.
    ThinExchange,
    /// Another line than the reference line, and no model to convert it.
    OtherLine,
    /// The model does not reach this line and price.
    BeyondModel,
    /// The book table gives it no vote.
    NoVote,
    /// Too far from all others.
    Outlier,
    /// Back after a suspension, not confirmed yet by a second look or a second book.
    Reopened,
}

impl Exclusion {
    const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Open => None,
            Status::Gone => Some(Self::Gone),
            Status::Stale => Some(Self::Stale),
            Status::Flawed => Some(Self::Flawed),
            Status::EventMissing => Some(Self::EventMissing),
            Status::Unreadable => Some(Self::Unreadable),
        }
    }

    /// As in the JSON forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Flawed => "flawed",
            Self::EventMissing => "event_missing",
            Self::Unreadable => "unreadable",
            Self::OtherPhase => "other_phase",
            Self::Incomplete => "incomplete",
            Self::VigTooHigh => "vig_too_high",
            Self::NotOneBook => "not_one_book",
            Self::WideExchange => "wide_exchange",
            Self::ThinExchange => "thin_exchange",
            Self::OtherLine => "other_line",
            Self::BeyondModel => "beyond_model",
            Self::NoVote => "no_vote",
            Self::Outlier => "outlier",
            Self::Reopened => "reopened",
        }
    }
}

/// How to remove the vig.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DevigRule {
    /// Method.
    pub method: Method,
    /// Above this sum of raw probabilities it is not a real market.
    pub max_sum: f64,
    /// An exchange counts while the probabilities of back and lay of each outcome are no farther apart.
    pub max_exchange_spread: f64,
}

/// One book's market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BookView {
    /// Book.
    pub book: BookId,
    /// Line, as the first side sees it; `None` where the market has none.
    pub line: Option<Line>,
    /// Price of each side, in the order of [`Layout::sides`]. A side that is not open has none.
    pub prices: [Option<Price>; 3],
    /// Vig-free probabilities at that line, conditional on no push. Zeros where they are not known.
    pub fair: [f64; 3],
    /// Values on the question's [`Scale`]; with [`Scale::Points`] only the first is used.
    pub values: [f64; 3],
    /// Raw probabilities summed, at least 1; of an exchange with both sides 1 plus the mean distance of back and lay. 0
    /// where the vig could not be removed.
    pub raw_sum: f64,
    /// Why it cannot count whatever the others say.
    pub own: Option<Exclusion>,
    /// Why it does not count among the others. `None`: it counts.
    pub excluded: Option<Exclusion>,
    /// When the provider last saw it at the book; where that is missing, when it was last received.
    pub updated: Timestamp,
    /// When line or price last changed.
    pub changed: Timestamp,
    /// When it was last received.
    pub seen: Timestamp,
}

impl BookView {
    /// Milliseconds since the provider last saw it at the book; never negative.
    pub fn age(&self, at: Timestamp) -> i64 {
        at.since(self.updated).max(0)
    }

    /// It counts.
    pub const fn counts(&self) -> bool {
        self.excluded.is_none()
    }

    /// A price can be taken: its own side is open, whether or not the market is complete.
    pub fn price(&self, place: usize) -> Option<Price> {
        self.prices.get(place).copied().flatten()
    }

    /// Nothing that could move a market differs: clocks may.
    pub fn same_offer(&self, other: &Self) -> bool {
        self.line == other.line && self.prices == other.prices && self.own == other.own
    }
}

/// The quotes of one book that answer one question, as they come in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer {
    quotes: [Option<QuoteValue>; 3],
    lays: [Option<QuoteValue>; 3],
    mids: [Option<QuoteValue>; 3],
    /// Back prices alone are no opinion: the exchange tells bids too, and what lies between where that means something.
    both_sides: bool,
}

impl Offer {
    /// Adds the quote of a side. A second one for the same side is ignored.
    pub fn add(&mut self, layout: Layout, side: Side, value: QuoteValue) {
        if let Some(place) = layout.place(side).and_then(|p| self.quotes.get_mut(p))
            && place.is_none()
        {
            *place = Some(value);
        }
    }

    /// Adds another price of an exchange than what backing a side costs.
    pub fn add_other(&mut self, stance: Stance, layout: Layout, side: Side, value: QuoteValue) {
        let list = match stance {
            Stance::Back => &mut self.quotes,
            Stance::Lay => &mut self.lays,
            Stance::Mid => &mut self.mids,
        };
        if let Some(place) = layout.place(side).and_then(|p| list.get_mut(p))
            && place.is_none()
        {
            *place = Some(value);
        }
    }

    /// The exchange is listened to: it counts where it tells what lies between bid and ask, and not otherwise.
    pub const fn needs_both_sides(&mut self) {
        self.both_sides = true;
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.quotes.iter().all(Option::is_none)
    }

    /// Puts the book's market together and removes its vig.
    pub fn view(&self, book: BookId, layout: Layout, scale: Scale<'_>, phase: Phase, rule: &DevigRule) -> BookView {
        let sides = layout.sides();
        let mut view = BookView {
            book,
            line: None,
            prices: [None; 3],
            fair: [0.0; 3],
            values: [0.0; 3],
            raw_sum: 0.0,
            own: None,
            excluded: None,
            updated: Timestamp::from_millis(i64::MAX),
            changed: Timestamp::from_millis(i64::MIN),
            seen: Timestamp::from_millis(i64::MAX),
        };
        let why_not = |quote: &QuoteValue| {
            Exclusion::of(quote.status).or_else(|| (quote.phase != phase).then_some(Exclusion::OtherPhase))
        };
        let quoted = || sides.iter().zip(&self.quotes).filter_map(|(side, q)| q.as_ref().map(|q| (*side, q)));
        // A side that is not open keeps its old line and clocks: they say nothing about the prices that can be taken.
        let any_open = quoted().any(|(_, quote)| why_not(quote).is_none());
        let speaks = |quote: &QuoteValue| !any_open || why_not(quote).is_none();
        let first = quoted().find(|(_, quote)| speaks(quote));
        view.line = first.and_then(|(side, quote)| quote.line.map(|l| layout.line_for(l, side)));
        let mut raw = [0.0; 3];
        let mut worst: Option<Exclusion> = None;
        let mut missing = false;
        for (place, side) in sides.iter().enumerate() {
            let Some(Some(quote)) = self.quotes.get(place) else {
                missing = true;
                continue;
            };
            view.changed = view.changed.max(quote.last_changed);
            if speaks(quote) {
                view.updated = view.updated.min(quote.provider_update.unwrap_or(quote.last_seen));
                view.seen = view.seen.min(quote.last_seen);
            }
            let why = why_not(quote);
            // A price at another line is no price of this market: it would be taken for one at the market's line.
            let elsewhere = quote.line.map(|l| layout.line_for(l, *side)) != view.line;
            missing |= elsewhere;
            if why.is_none()
                && !elsewhere
                && let (Some(slot), Some(p)) = (view.prices.get_mut(place), raw.get_mut(place))
            {
                *slot = Some(quote.price);
                *p = quote.price.probability();
            }
            // Gone on one side and open on the other is an incomplete market, not a gone one.
            worst = match (worst, why) {
                (None, why) => why,
                (worst, _) => worst,
            };
        }
        let open = view.prices.iter().flatten().count();
        view.excluded = match worst {
            Some(Exclusion::Gone) if open > 0 => Some(Exclusion::Incomplete),
            Some(why) => Some(why),
            None if missing || open < sides.len() => Some(Exclusion::Incomplete),
            None => None,
        };
        if view.counts() {
            let raw = raw.get(..sides.len()).unwrap_or_default();
            match self.remove_vig(raw, sides.len(), phase, rule, &mut view.fair) {
                Ok(sum) => view.raw_sum = sum,
                Err(why) => view.excluded = Some(why),
            }
        }
        if view.counts() {
            view.excluded = set_values(&mut view, layout, scale);
        }
        view.own = view.excluded;
        view
    }

    fn remove_vig(
        &self,
        raw: &[f64],
        sides: usize,
        phase: Phase,
        rule: &DevigRule,
        fair: &mut [f64; 3],
    ) -> Result<f64, Exclusion> {
        let open = |q: &&QuoteValue| q.status == Status::Open && q.phase == phase;
        let all = |quotes: &[Option<QuoteValue>; 3]| -> Option<[f64; 3]> {
            let mut all = [0.0; 3];
            for (out, quote) in all.iter_mut().zip(quotes).take(sides) {
                *out = quote.as_ref().filter(open)?.price.probability();
            }
            Some(all)
        };
        let lays = all(&self.lays);
        if let Some(lays) = &lays {
            let sum = middle(raw, lays, rule.max_exchange_spread, fair)?;
            if !self.both_sides {
                return Ok(sum);
            }
            // Weighted by what stands behind bid and ask; a price beside the two would be one of another moment.
            let mids = all(&self.mids).ok_or(Exclusion::ThinExchange)?;
            let total: f64 = mids.iter().take(sides).sum();
            let between = |((mid, bid), ask): ((&f64, &f64), &f64)| *mid >= bid - 1e-6 && *mid <= ask + 1e-6;
            if total <= 0.0 || !mids.iter().zip(lays).zip(raw).take(sides).all(between) {
                return Err(Exclusion::ThinExchange);
            }
            for (out, mid) in fair.iter_mut().zip(mids).take(sides) {
                *out = mid / total;
            }
            return Ok(sum);
        }
        if self.both_sides {
            return Err(Exclusion::ThinExchange);
        }
        let out = fair.get_mut(..sides).unwrap_or_default();
        match devig_into(raw, rule.method, rule.max_sum, out) {
            Ok((_, sum)) => Ok(sum),
            Err(DevigError::SumBelowOne(_)) => Err(Exclusion::NotOneBook),
            Err(DevigError::SumAboveLimit { .. }) => Err(Exclusion::VigTooHigh),
            Err(_) => Err(Exclusion::Flawed),
        }
    }
}

/// The middle of back and lay of every outcome, made to sum to 1. Needs no vig removal: an exchange's fair price lies
/// between the two.
fn middle(back: &[f64], lay: &[f64], max_spread: f64, fair: &mut [f64; 3]) -> Result<f64, Exclusion> {
    let (mut sum, mut apart) = (0.0, 0.0);
    for ((b, l), out) in back.iter().zip(lay).zip(fair.iter_mut()) {
        // Backing costs more than laying brings: 1/back is the ask, 1/lay the bid of the probability.
        if b - l > max_spread || l - b > 1e-9 {
            return Err(Exclusion::WideExchange);
        }
        *out = 0.5 * (b + l);
        sum += *out;
        apart += b - l;
    }
    for out in fair.iter_mut() {
        *out /= sum;
    }
    Ok(1.0 + apart / back.len().max(1) as f64)
}

fn set_values(view: &mut BookView, layout: Layout, scale: Scale<'_>) -> Option<Exclusion> {
    match scale {
        Scale::Points(_) => {
            let p = view.fair.first().copied().unwrap_or_default();
            match scale.value(layout, view.line, p) {
                Some(value) => {
                    view.values = [value, 0.0, 0.0];
                    None
                }
                None => Some(Exclusion::BeyondModel),
            }
        }
        Scale::LogOdds => {
            for (value, p) in view.values.iter_mut().zip(view.fair).take(layout.sides().len()) {
                *value = log_odds(p);
            }
            view.values.iter().any(|v| !v.is_finite()).then_some(Exclusion::BeyondModel)
        }
    }
}

#[cfg(test)]
mod tests;
