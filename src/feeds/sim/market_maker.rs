//! What each book believes of a game at an instant, and the markets it quotes from that.
//!
//! Pure look-ups: the answer for an instant does not depend on what was asked before. The cache only saves work.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::books::{BookProfile, Kind};
use super::game::{Game, Phase};
use super::pricing::{self, Ladder, MarginView, Odds, quote};
use super::rng::{mix, signed, unit};
use super::script::{Effects, Featured};
use super::view::{MarketView, OutcomeView, PriceView};
use crate::market::time::Timestamp;

/// Seconds between two looks to which `change_fraction` refers.
pub const LOOK_S: i64 = 60;

/// A book on offer in a world.
pub struct Desk {
    /// As it appears.
    pub book: &'static BookProfile,
    /// Whose prices it shows: itself, or its sister.
    pub desk: &'static BookProfile,
    /// Coordinate of the desk in hashes.
    pub tag: u64,
}

/// The scenario's figures that prices depend on.
#[derive(Clone, Copy)]
pub struct Temper {
    /// Scales the differences between books.
    pub disagreement: f64,
    /// Share of quotes changing per look.
    pub change_fraction: f64,
}

/// What a book believes of a game.
#[derive(Clone, Copy, Debug)]
pub struct Belief {
    /// Expected final margin, home minus away.
    pub margin: f64,
    /// Its deviation.
    pub sd_margin: f64,
    /// Expected final total.
    pub total: f64,
    /// Its deviation.
    pub sd_total: f64,
    /// Before the start.
    pub pregame: bool,
    /// Extra probability of home or Over: moneyline, spread, total.
    pub extra: [f64; 3],
}

/// When the provider last looked at a book for a game, at or before `at`, in whole seconds.
pub fn last_look(
    desk: &Desk,
    game: &Game,
    effects: &Effects,
    number: usize,
    at: Timestamp,
    temper: Temper,
) -> Timestamp {
    let pregame = game.phase(at) == Phase::Pregame;
    let every = match (temper.change_fraction > 0.0, pregame) {
        (true, _) => LOOK_S,
        (false, true) => desk.desk.refresh_s,
        (false, false) => (desk.desk.refresh_s * 2 / 3).max(5),
    };
    let offset = (mix(&[desk.tag]) % every.unsigned_abs() + mix(&[desk.tag, game.tag]) % 4) as i64;
    let regular = (at.secs() - offset).div_euclid(every) * every + offset;
    let scripted = effects.last_change(number, at).map_or(i64::MIN, Timestamp::secs);
    Timestamp::from_secs(regular.max(scripted))
}

/// What a book believed when the provider looked at `seen`.
pub fn belief(desk: &Desk, game: &Game, effects: &Effects, number: usize, seen: Timestamp, temper: Temper) -> Belief {
    let sport = game.sport;
    let profile = desk.desk;
    let phase = game.phase(seen);
    let pace = if phase == Phase::Pregame { 1.0 } else { 0.08 };
    // The latest step of the market that has already reached this book.
    let mut i = game.step_at(seen);
    while let Some(step) = game.path.get(i).filter(|_| i > 0) {
        let lag_ms = profile.lag_s * 1000.0 * pace * (0.6 + 0.8 * unit(mix(&[game.tag, desk.tag, i as u64])));
        if step.at.plus(lag_ms as i64) <= seen {
            break;
        }
        i -= 1;
    }
    let (mut margin, mut total) = game.path.get(i).map_or((0.0, sport.total), |s| (s.margin, s.total));
    let mut extra = [0.0; 3];
    for shift in &effects.shifts {
        let on = shift.at.get(number).copied().flatten().is_some_and(|t| second(t) <= seen)
            && shift.until.is_none_or(|u| seen < second(u));
        if on {
            margin += shift.margin;
            total += shift.total;
            if let Some((market, prob)) = shift.prob {
                extra[market as usize] += prob;
            }
        }
    }
    // Scripted games stand still and stay close together, so that the script shows.
    let apart = temper.disagreement * if game.path.len() == 1 { 0.25 } else { 1.0 };
    let opinion =
        |k: u64| signed(mix(&[game.tag, desk.tag, 100 + k])) * apart * if profile.lag_s < 1.0 { 0.3 } else { 1.0 };
    let lean = profile.shade * 0.008 * apart;
    margin += sport.sd_margin * (0.022 * opinion(0) + lean.copysign(margin));
    total += sport.sd_total * (0.022 * opinion(1) + lean);
    let (sd_margin, sd_total) = (sport.sd_margin, sport.sd_total);
    match game.score_at(seen) {
        Some((home, away)) if phase != Phase::Pregame => {
            let rest = game.remaining(seen);
            let root = rest.sqrt();
            Belief {
                margin: f64::from(home - away) + margin * rest,
                sd_margin: (sd_margin * root).max(0.6),
                total: f64::from(home + away) + total * rest,
                sd_total: (sd_total * root).max(0.6),
                pregame: false,
                extra,
            }
        }
        _ => Belief { margin, sd_margin, total, sd_total, pregame: true, extra },
    }
}

fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_secs(at.secs())
}

/// Turns beliefs into quotes; keeps margin curves that were worked out already.
#[derive(Default)]
pub struct MarketMaker {
    views: FxHashMap<(u64, i64, i64, bool), MarginView>,
}

/// Everything needed to quote one market.
pub struct Ask<'a> {
    /// Book.
    pub desk: &'a Desk,
    /// Game.
    pub game: &'a Game,
    /// Belief.
    pub belief: &'a Belief,
    /// When the provider looked.
    pub seen: Timestamp,
    /// Scenario's figures.
    pub temper: Temper,
}

impl MarketMaker {
    /// Beyond this many curves the cache starts anew.
    const KEPT: usize = 20_000;

    /// The margin curve of a belief, on a grid of a five-hundredth of the sport's deviation.
    pub fn margin_view(&mut self, game: &Game, b: &Belief) -> MarginView {
        let step = game.sport.sd_margin / 500.0;
        let (m, sd) = ((b.margin / step).round() as i64, (b.sd_margin / step).round() as i64);
        if self.views.len() > Self::KEPT {
            self.views.clear();
        }
        let sport = game.sport;
        // The address of a static profile tells sports apart within this process and reaches no output.
        let key = (std::ptr::from_ref(sport) as u64, m, sd, b.pregame);
        *self
            .views
            .entry(key)
            .or_insert_with(|| pricing::margin_view(sport, m as f64 * step, sd as f64 * step, b.pregame))
    }

    /// A featured market, with the lay side next to it where the book is an exchange.
    pub fn featured(&mut self, ask: &Ask<'_>, market: Featured, out: &mut Vec<MarketView>) {
        let (game, b) = (ask.game, ask.belief);
        let p_extra = b.extra[market as usize] + ask.jitter(market);
        let limit = ask.limit();
        let view =
            |key: &'static str, outcomes| MarketView { key: Cow::Borrowed(key), last_update: ask.seen, outcomes };
        match market {
            Featured::H2h => {
                let v = self.margin_view(game, b);
                let margin = ask.desk.desk.ml_margin;
                let three_way = game.sport.draw;
                let draw = if three_way { v.draw } else { 0.0 };
                let home = (v.home / if three_way { 1.0 } else { 1.0 - v.draw } + p_extra).clamp(0.001, 0.999 - draw);
                let mut fair = vec![(game.home, home), (game.away, 1.0 - home - draw)];
                if three_way {
                    fair.push(("Draw", draw));
                }
                let outcomes =
                    fair.iter().map(|&(name, p)| outcome(name, ask.quote(p, margin), None, limit)).collect::<Vec<_>>();
                let lays = (ask.desk.book.kind == Kind::Exchange).then(|| {
                    let lay = |p: f64| {
                        Odds::from_milli((1000.0 / p.clamp(0.005, 0.99) * (1.0 + margin)) as u32 / 10 * 10 + 20)
                    };
                    fair.iter().map(|&(name, p)| outcome(name, lay(p), None, limit)).collect()
                });
                out.push(view("h2h", outcomes));
                if let Some(lays) = lays {
                    out.push(view("h2h_lay", lays));
                }
            }
            Featured::Spreads => {
                let v = self.margin_view(game, b);
                out.push(view("spreads", ask.spread(v.line, v.cover + p_extra)));
            }
            Featured::Totals => {
                let (line, over) = pricing::total_view(b.total, b.sd_total);
                out.push(view("totals", ask.total(line, over + p_extra, None)));
            }
        }
    }
}

/// One plain outcome.
fn outcome(name: &'static str, odds: Odds, point: Option<i32>, limit: Option<u32>) -> OutcomeView {
    OutcomeView { name, description: None, price: PriceView::Odds(odds), point, limit }
}

impl Ask<'_> {
    /// A price of this book.
    pub fn quote(&self, p: f64, margin: f64) -> Odds {
        quote(p, margin, ladder(self.desk.desk))
    }

    /// Home at `line` and away at its mirror.
    pub fn spread(&self, line: i32, cover: f64) -> Vec<OutcomeView> {
        let margin = self.desk.desk.margin;
        let p = cover.clamp(0.01, 0.99);
        vec![
            outcome(self.game.home, self.quote(p, margin), Some(line), self.limit()),
            outcome(self.game.away, self.quote(1.0 - p, margin), Some(-line), self.limit()),
        ]
    }

    /// Over and Under at `line`, perhaps about someone.
    pub fn total(&self, line: i32, over: f64, about: Option<&Cow<'static, str>>) -> Vec<OutcomeView> {
        let margin = self.desk.desk.margin * if about.is_some() { 1.5 } else { 1.0 };
        let p = over.clamp(0.01, 0.99);
        [("Over", p), ("Under", 1.0 - p)]
            .into_iter()
            .map(|(name, p)| OutcomeView {
                description: about.cloned(),
                ..outcome(name, self.quote(p, margin), Some(line), self.limit())
            })
            .collect()
    }

    /// Limits are shown by exchanges and the sharpest book.
    fn limit(&self) -> Option<u32> {
        let kind = self.desk.book.kind;
        matches!(kind, Kind::Exchange | Kind::Sharp).then(|| {
            250 + (mix(&[self.game.tag, self.desk.tag, self.seen.secs().unsigned_abs() / 300]) % 200) as u32 * 25
        })
    }

    /// The changes that a load scenario asks for: at every look, a steady share of the quotes takes a new price.
    fn jitter(&self, market: Featured) -> f64 {
        if self.temper.change_fraction <= 0.0 {
            return 0.0;
        }
        let phase = unit(mix(&[self.game.tag, self.desk.tag, 200 + market as u64]));
        let look = self.seen.secs().div_euclid(LOOK_S) as f64;
        let version = (look * self.temper.change_fraction + phase).floor() as i64;
        // Three prices in turn: a new version always shows.
        (version.rem_euclid(3) - 1) as f64 * 0.013
    }
}

fn ladder(book: &BookProfile) -> Ladder {
    let american = book.regions.iter().any(|r| matches!(*r, "us" | "us2"));
    match (book.kind, american) {
        (Kind::Retail, true) if book.shade >= 0.9 => Ladder::American(5),
        (Kind::Retail, true) => Ladder::American(2),
        (Kind::Offshore, true) => Ladder::American(1),
        _ => Ladder::Decimal,
    }
}
