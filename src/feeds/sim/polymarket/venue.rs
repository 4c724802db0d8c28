//! The exchange: what is listed, what it costs at an instant, and what is switched on.
//!
//! Holds a world of its own, drawn from the same scenario, seed and start as that of the sportsbook feed, so both tell
//! of the same games without sharing a lock.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::super::faults::FaultSpec;
use super::super::rng::{mix, signed};
use super::super::scenario::Scenario;
use super::super::world::{Fixture, World};
use super::book::{self, COARSE, FINE, Grid, Ladder, Level, Trade};
use super::catalog::{Catalog, EventSpec, MarketSpec};
use super::fair::{Outcome, outcome, probability, settled_at};
use super::faults::{Bend, ExchangeFaults, Opened, Place};
use super::settings::ExchangeSettings;
use crate::market::time::Timestamp;

/// Above this price, and below what it leaves of 1, the price step becomes fine, and stays so.
const FINE_ABOVE: f64 = 0.96;
/// A price that is this far out is looked for so often during a game.
const FINE_LOOK_MS: i64 = 60_000;

/// The width of the spread may change every so many steps.
const EPOCH: i64 = 40;

/// Which version of a book: everything that its content depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Step of the market's grid.
    pub step: i64,
    /// Changes of a load on top.
    pub load: i64,
    /// Faults.
    pub bend: Bend,
    /// When it changed last.
    pub stamp: Timestamp,
}

/// Counts for a status line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ExchangeStats {
    /// Requests to Gamma, refusals included.
    pub gamma: u64,
    /// Requests to the order books.
    pub clob: u64,
    /// Requests to the trades.
    pub data: u64,
    /// Refusals and faults among them.
    pub errors: u64,
    /// Sockets that were opened.
    pub sockets: u64,
    /// Frames that were sent on them.
    pub frames: u64,
}

/// What is shared and changes.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Faults.
    pub faults: ExchangeFaults,
    /// Counts.
    pub stats: ExchangeStats,
    /// Of each market: changes by load, and the instant of the last.
    load: Vec<(i64, Timestamp)>,
}

/// How a market stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not there yet.
    Unlisted,
    /// It trades.
    Open,
    /// It is resolved.
    Resolved(Outcome),
}

/// A simulated exchange.
pub struct Venue {
    world: World,
    /// What is listed.
    pub catalog: Catalog,
    /// The scenario's figures.
    pub settings: ExchangeSettings,
    grids: Vec<Grid>,
    tokens: FxHashMap<String, (usize, usize)>,
    conditions: FxHashMap<String, usize>,
    fine: Vec<OnceLock<Option<Timestamp>>>,
    state: Mutex<State>,
}

impl Venue {
    /// The exchange of a scenario that starts at `start`; none when the scenario has none.
    pub fn new(scenario: &Scenario, start: Timestamp) -> Option<Self> {
        let settings = scenario.exchange.clone();
        if !settings.enabled {
            return None;
        }
        let world = World::new(scenario, start);
        let catalog = Catalog::of(&world);
        let grids = catalog.markets.iter().filter_map(|m| grid(&world, m, &settings)).collect();
        let tokens = catalog
            .markets
            .iter()
            .enumerate()
            .flat_map(|(n, m)| m.tokens.iter().enumerate().map(move |(side, t)| (t.clone(), (n, side))))
            .collect();
        let conditions = catalog.markets.iter().enumerate().map(|(n, m)| (m.condition.clone(), n)).collect();
        let mut state = State { load: vec![(0, Timestamp::default()); catalog.markets.len()], ..State::default() };
        for spec in scenario.faults.iter().filter(|f| f.kind.is_exchange()) {
            state.faults.set(spec.clone(), world.start());
        }
        let fine = catalog.markets.iter().map(|_| OnceLock::new()).collect();
        Some(Self { world, catalog, settings, grids, tokens, conditions, fine, state: Mutex::new(state) })
    }

    /// Faults and load.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What holds now, without keeping others waiting while an answer is written.
    pub fn snapshot(&self) -> State {
        self.state().clone()
    }

    /// Counts so far.
    pub fn stats(&self) -> ExchangeStats {
        self.state().stats
    }

    /// Switches a fault on.
    pub fn set_fault(&self, spec: FaultSpec, now: Timestamp) {
        self.state().faults.set(spec, now);
    }

    /// Ends all faults.
    pub fn clear_faults(&self, now: Timestamp) {
        self.state().faults.clear(now);
    }

    /// Marks a socket as opened.
    pub fn opened(&self, at: Timestamp) -> Opened {
        let mut state = self.state();
        state.stats.sockets += 1;
        Opened { at, order: state.faults.next_order() }
    }

    /// The oldest instant that has prices.
    pub fn opens(&self) -> Timestamp {
        self.world.opens()
    }

    /// Market and outcome of a token.
    pub fn token(&self, id: &str) -> Option<(usize, usize)> {
        self.tokens.get(id).copied()
    }

    /// Market of a condition.
    pub fn condition(&self, id: &str) -> Option<usize> {
        self.conditions.get(id).copied()
    }

    /// A market by number.
    pub fn market(&self, n: usize) -> Option<&MarketSpec> {
        self.catalog.markets.get(n)
    }

    /// The event of a market.
    pub fn event_of(&self, market: &MarketSpec) -> Option<&EventSpec> {
        self.catalog.events.get(market.event)
    }

    /// The game of an event or market.
    pub fn fixture(&self, n: usize) -> Option<&Fixture> {
        self.world.fixtures().get(n)
    }

    /// When a game is said to start: the schedule, which a script may move. Unlike the sportsbook feed, the exchange
    /// does not correct it when the game really begins.
    pub fn scheduled(&self, fixture: usize, at: Timestamp) -> Timestamp {
        let Some(fixture) = self.fixture(fixture) else { return Timestamp::default() };
        match fixture.effects.moved {
            Some((when, before, _)) if at < when => before,
            _ => fixture.game.scheduled,
        }
    }

    /// What faults ask about a market.
    pub fn place(&self, market: &MarketSpec) -> Place<'_> {
        let game = self.fixture(market.fixture).map(|f| &f.game);
        Place {
            sport: game.map_or("", |g| g.sport.key),
            event: game.map_or(0, |g| g.index),
            kind: market.kind,
            tag: market.tag,
        }
    }

    /// Which version of the book holds at an instant.
    pub fn mark(&self, n: usize, at: Timestamp, state: &State) -> Option<Mark> {
        let (market, grid) = (self.market(n)?, self.grids.get(n)?);
        let bend = state.faults.bend(at, self.place(market));
        let step = grid.step(at);
        let (load, loaded) = state.load.get(n).copied()?;
        let stamp = grid.at(step).max(loaded).max(bend.since.unwrap_or_default());
        Some(Mark { step, load, bend, stamp })
    }

    /// The version at an instant without faults and load.
    pub fn calm_mark(&self, n: usize, at: Timestamp) -> Option<Mark> {
        let grid = self.grids.get(n)?;
        let step = grid.step(at);
        Some(Mark { step, load: 0, bend: Bend::default(), stamp: grid.at(step) })
    }

    /// The versions that lead from one mark to a later one, the later one included. `None` when there are more than
    /// `limit`.
    pub fn between(&self, n: usize, from: Mark, to: Mark, limit: usize) -> Option<Vec<Mark>> {
        let grid = self.grids.get(n)?;
        let steps = usize::try_from(to.step - from.step).ok()?;
        let loads = usize::try_from(to.load - from.load).ok()?;
        if steps > limit || loads > limit.saturating_mul(16) {
            return None;
        }
        let mut marks = Vec::with_capacity(steps + loads + 1);
        let mut last = from;
        for step in from.step + 1..=to.step {
            last = Mark { step, stamp: grid.at(step).max(last.stamp), ..last };
            marks.push(last);
        }
        for load in from.load + 1..=to.load {
            last = Mark { load, stamp: to.stamp.max(last.stamp), ..last };
            marks.push(last);
        }
        // The last one says what the exchange says now; a bent book changes in it.
        if last.bend == to.bend && last != from {
            marks.pop();
        }
        marks.push(to);
        Some(marks)
    }

    /// The book of the first outcome in a version.
    pub fn ladder(&self, n: usize, mark: Mark) -> Ladder {
        let (Some(market), Some(grid)) = (self.market(n), self.grids.get(n)) else { return Ladder::default() };
        let at = grid.at(mark.step);
        let fine = mark.bend.fine || self.fine_from(n).is_some_and(|t| t <= at);
        let tick = if fine { FINE } else { COARSE };
        // Without opinions nothing moves by itself.
        let epoch = if self.settings.noise > 0.0 { mark.step / EPOCH } else { 0 };
        let mut ladder = book::ladder(market, epoch, mark.step + mark.load, self.fair(market, at), tick);
        if mark.bend.empty {
            ladder.asks.clear();
        }
        if let Some(ask) = ladder.asks.first().copied().filter(|a| mark.bend.crossed && a.price + tick < 1000) {
            ladder.bids.insert(0, Level { price: ask.price + tick, size: 5000 });
        }
        ladder
    }

    /// The price that the exchange believes in, with its own leaning.
    pub fn fair(&self, market: &MarketSpec, at: Timestamp) -> f64 {
        let Some(fixture) = self.fixture(market.fixture) else { return 0.5 };
        let s = &self.settings;
        let p = probability(fixture, &market.bet, at, s.lead_s);
        if at >= settled_at(&fixture.game, &market.bet) {
            return p;
        }
        let minutes = at.secs().div_euclid(120).unsigned_abs();
        // An opinion of some minutes; smaller where there is less to think about.
        let opinion = s.noise * 1.7 * signed(mix(&[market.tag, 7, minutes])) * (4.0 * p * (1.0 - p));
        (p + s.bias * (0.5 - p) + opinion).clamp(0.0005, 0.9995)
    }

    /// The last trade at or before a step.
    pub fn last_trade(&self, n: usize, step: i64) -> Option<Trade> {
        let step = book::trade_step(self.market(n)?, step)?;
        self.trade(n, step)
    }

    /// The trade of a step, when there was one.
    pub fn trade(&self, n: usize, step: i64) -> Option<Trade> {
        let market = self.market(n)?;
        let grid = self.grids.get(n)?;
        if book::trade_step(market, step) != Some(step) {
            return None;
        }
        book::trade(market, step, &self.ladder(n, self.calm_mark(n, grid.at(step))?))
    }

    /// When a step of a market happens.
    pub fn step_at(&self, n: usize, step: i64) -> Timestamp {
        self.grids.get(n).map_or_else(Timestamp::default, |g| g.at(step))
    }

    /// The number of a market's step at an instant.
    pub fn step(&self, n: usize, at: Timestamp) -> i64 {
        self.grids.get(n).map_or(0, |g| g.step(at))
    }

    /// How a market stands.
    pub fn standing(&self, n: usize, at: Timestamp, state: &State) -> Standing {
        let Some(market) = self.market(n) else { return Standing::Open };
        let bend = state.faults.bend(at, self.place(market));
        let likelier = || match self.fair(market, bend.since.unwrap_or(at)) >= 0.5 {
            true => Outcome::First,
            false => Outcome::Second,
        };
        match self.fixture(market.fixture) {
            _ if at < market.listed => Standing::Unlisted,
            Some(f) if at >= market.closes => Standing::Resolved(outcome(&f.game, &market.bet)),
            Some(_) if bend.resolved => Standing::Resolved(likelier()),
            _ => Standing::Open,
        }
    }

    /// One more change of a market's book than its own pace has.
    pub fn load(&self, n: usize, now: Timestamp, state: &mut State) {
        if let Some((count, at)) = state.load.get_mut(n) {
            *count += 1;
            *at = now.max(*at);
        }
    }

    /// From when the price step of a market is fine.
    fn fine_from(&self, n: usize) -> Option<Timestamp> {
        *self.fine.get(n)?.get_or_init(|| {
            let (market, grid) = (self.market(n)?, self.grids.get(n)?);
            let fixture = self.fixture(market.fixture)?;
            let steps = fixture.game.path.iter().map(|s| s.at).filter(|&t| t < grid.live);
            let minutes = (0..).map(|i| grid.live.plus(i * FINE_LOOK_MS)).take_while(|&t| t < market.closes);
            let end = settled_at(&fixture.game, &market.bet);
            let far = |p: f64| !(1.0 - FINE_ABOVE..=FINE_ABOVE).contains(&p);
            steps.chain(minutes).find(|&t| far(self.fair(market, t))).or(Some(end))
        })
    }
}

fn grid(world: &World, market: &MarketSpec, settings: &ExchangeSettings) -> Option<Grid> {
    let game = &world.fixtures().get(market.fixture)?.game;
    let ms = |s: f64| ((s * 1000.0) as i64 * market.slow).max(1);
    let (calm_ms, live_ms) = (ms(settings.step_s), ms(settings.live_step_s));
    // One step earlier, so that the first instant has a book that is not of the future.
    let opens = world.opens().plus(-calm_ms);
    let phase = (mix(&[market.tag, 8]) % calm_ms.min(live_ms).unsigned_abs()) as i64;
    Some(Grid { opens, live: game.start.max(opens), closes: market.closes, calm_ms, live_ms, phase_ms: phase })
}
