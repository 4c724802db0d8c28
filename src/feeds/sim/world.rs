//! The whole simulated market: games, books, scripts. Asked with an instant, it answers as of that instant.
//!
//! An answer is a function of seed, scenario, start and instant, whatever was asked before; so the past can be asked
//! for at any time, and two worlds made alike answer alike to the byte.

use super::books::{self, BookProfile};
use super::extras;
use super::faults::FaultSwitch;
use super::game::{Game, GameSpec, Phase, pairing};
use super::market_maker::{Ask, Desk, MarketMaker, Temper, belief, last_look};
use super::pricing::margin_for_line;
use super::query::OddsQuery;
use super::rng::{mix, name_tag, unit};
use super::scenario::{Scenario, Script, Situation};
use super::script::{Blind, Effects, FROZEN_KEPT_MS, Featured};
use super::sports::{self, SportProfile};
use super::view::{BookView, EventView};
use super::wire::Writer;
use crate::market::time::Timestamp;

/// One game with its script.
pub struct Fixture {
    /// The game.
    pub game: Game,
    /// What is scripted for it.
    pub effects: Effects,
}

/// A simulated market.
pub struct World {
    start: Timestamp,
    opens: Timestamp,
    desks: Vec<Desk>,
    fixtures: Vec<Fixture>,
    temper: Temper,
    coverage: f64,
    /// Books offer a game so long before its start; `None`: always. Milliseconds.
    offered_ms: Option<i64>,
    maker: MarketMaker,
}

impl World {
    /// Draws the world of a scenario that starts at `start`.
    pub fn new(scenario: &Scenario, start: Timestamp) -> Self {
        let start = Timestamp::from_secs(start.secs());
        let opens = Timestamp::from_secs(start.plus(-(scenario.past_hours * 3_600_000.0) as i64).secs());
        let desks = desks(scenario);
        let profiles: Vec<&'static BookProfile> = desks.iter().map(|d| d.book).collect();
        let mut fixtures = Vec::new();
        for slate in &scenario.sports {
            let Some(sport) = sports::sport(&slate.key) else { continue };
            let per_round = sport.teams.len() / 2;
            for index in 0..slate.games {
                let scripts: Vec<&Script> = scenario
                    .events
                    .iter()
                    .filter(|s| s.sport == slate.key && s.game.is_none_or(|g| g == index))
                    .collect();
                let mut scheduled = round_minutes(start.plus((slate.start_min(index) * 60_000.0) as i64));
                for s in scripts.iter().filter(|s| s.kind == Situation::Postponed) {
                    scheduled = scheduled.plus((s.hours * 3_600_000.0) as i64);
                }
                let anchor = anchor(&scripts, sport);
                let still = anchor.0.is_some() || anchor.1.is_some();
                let round = (mix(&[scenario.seed, name_tag(sport.key)]) % 1000) as usize + index / per_round;
                let game = Game::new(&GameSpec {
                    sport,
                    index,
                    teams: pairing(sport.teams.len(), round, index % per_round),
                    scheduled,
                    opens,
                    seed: scenario.seed,
                    volatility: if still { 0.0 } else { scenario.volatility },
                    anchor,
                });
                let mut effects = Effects::default();
                for script in &scripts {
                    effects.add(script, &game, start, &profiles);
                }
                fixtures.push(Fixture { game, effects });
            }
        }
        let temper = Temper { disagreement: scenario.disagreement, change_fraction: scenario.change_fraction };
        let offered_ms = (scenario.offered_hours > 0.0).then_some((scenario.offered_hours * 3_600_000.0) as i64);
        let (coverage, maker) = (scenario.coverage, MarketMaker::default());
        Self { start, opens, desks, fixtures, temper, coverage, offered_ms, maker }
    }

    /// When the scenario starts.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The oldest instant that has an answer.
    pub fn opens(&self) -> Timestamp {
        self.opens
    }

    /// Sports that have games, in the order of the scenario.
    pub fn sports(&self) -> Vec<&'static SportProfile> {
        let mut sports: Vec<&'static SportProfile> = Vec::new();
        for f in &self.fixtures {
            if !sports.iter().any(|s| s.key == f.game.sport.key) {
                sports.push(f.game.sport);
            }
        }
        sports
    }

    /// All games.
    pub fn fixtures(&self) -> &[Fixture] {
        &self.fixtures
    }

    /// The books on offer, in order.
    pub fn book_keys(&self) -> Vec<&'static str> {
        self.desks.iter().map(|d| d.book.key).collect()
    }

    /// Events of a sport (or `upcoming`: under way and the next eight) as the provider lists them at an instant, by
    /// start. Finished ones are included on demand.
    pub fn events(&self, at: Timestamp, sport: &str, finished: bool) -> Vec<EventView> {
        let upcoming = sport == "upcoming";
        let mut events: Vec<EventView> = self
            .fixtures
            .iter()
            .enumerate()
            .filter(|(_, f)| upcoming || f.game.sport.key == sport)
            .filter(|(_, f)| finished || f.game.phase(at) != Phase::Final)
            .map(|(n, f)| event(n, f, at))
            .collect();
        events.sort_by(|a, b| a.commence.cmp(&b.commence).then(a.game.cmp(&b.game)));
        if upcoming {
            let live = events.iter().filter(|e| e.commence <= at).count();
            events.truncate(live + 8);
        }
        events
    }

    /// Fills in the books that `query` asks for.
    pub fn fill(&mut self, at: Timestamp, event: &mut EventView, query: &OddsQuery, frozen: &[Blind]) {
        let Some(fixture) = self.fixtures.get(event.game) else { return };
        let (game, effects) = (&fixture.game, &fixture.effects);
        let mut books = Vec::with_capacity(self.desks.len());
        for (number, desk) in self.desks.iter().enumerate() {
            if !query.books.covers(desk.book) || !self.on_offer(fixture, number, desk, at) {
                continue;
            }
            let regular = last_look(desk, game, effects, number, at, self.temper).max(self.opens);
            let ahead = belief(desk, game, effects, number, regular, self.temper);
            let mut markets = Vec::with_capacity(query.markets.len() + 1);
            for key in &query.markets {
                let market = Featured::from_key(key);
                let blind =
                    effects.frozen.iter().chain(frozen).filter(|f| f.covers(number, market, at)).map(|f| f.from).min();
                let seen = match blind {
                    Some(from) if at.since(from) >= FROZEN_KEPT_MS => continue,
                    Some(from) => last_look(desk, game, effects, number, from, self.temper).max(self.opens),
                    None => regular,
                };
                let then = blind.map(|_| belief(desk, game, effects, number, seen, self.temper));
                let belief = then.as_ref().unwrap_or(&ahead);
                let ask = Ask { desk, game, belief, seen, temper: self.temper };
                self.maker.any(&ask, key, &mut markets);
            }
            let Some(last_update) = markets.iter().map(|m| m.last_update).max() else { continue };
            books.push(BookView { key: desk.book.key, title: desk.book.title, last_update, markets });
        }
        event.books = Some(books);
    }

    /// Every market key that a book would show for a game now.
    pub fn market_keys(&self, event: &EventView, book: &str) -> Vec<&'static str> {
        let Some((f, d)) = self.fixtures.get(event.game).zip(self.desks.iter().find(|d| d.book.key == book)) else {
            return Vec::new();
        };
        let mut keys = vec!["h2h", "spreads", "totals"];
        keys.extend(extras::offered(f.game.sport, d.book.kind));
        keys
    }

    fn on_offer(&self, fixture: &Fixture, number: usize, desk: &Desk, at: Timestamp) -> bool {
        let game = &fixture.game;
        let live_ok = desk.book.live || game.phase(at) == Phase::Pregame;
        let early = self.offered_ms.is_some_and(|ms| game.scheduled.since(at) > ms);
        // Scripted games are offered everywhere.
        let scripted = !fixture.effects.shifts.is_empty() || !fixture.effects.frozen.is_empty();
        let covered = scripted || unit(mix(&[game.tag, desk.tag, 300])) < self.coverage;
        live_ok && covered && !early && !fixture.effects.dropped.iter().any(|d| d.covers(number, None, at))
    }

    /// The body of `/v4/sports/{sport}/odds` at an instant, without faults.
    pub fn odds_body(&mut self, at: Timestamp, query: &OddsQuery) -> Vec<u8> {
        self.odds_body_with(at, query, &mut FaultSwitch::default()).0
    }

    /// The same, bent by faults; with the number of events in it.
    pub fn odds_body_with(&mut self, at: Timestamp, query: &OddsQuery, faults: &mut FaultSwitch) -> (Vec<u8>, usize) {
        let events = self.odds_views(at, query, faults);
        let quotes = events.len() * self.desks.len() * query.markets.len();
        let mut w = Writer::new(query.style, 256 + events.len() * 300 + quotes * 260);
        w.events_with_odds(&events);
        (w.finish(), events.len())
    }

    /// The events that a question asks for, with books and faults.
    pub fn odds_views(&mut self, at: Timestamp, query: &OddsQuery, faults: &mut FaultSwitch) -> Vec<EventView> {
        let mut events = self.listed(at, query, false, faults);
        for event in &mut events {
            let frozen = faults.frozen(at, event, &self.desks);
            self.fill(at, event, query, &frozen);
        }
        faults.bend_quotes(at, &mut events);
        events
    }

    /// The events that a question asks for, without books; identities bent by faults.
    pub fn listed(&self, at: Timestamp, query: &OddsQuery, finished: bool, faults: &mut FaultSwitch) -> Vec<EventView> {
        let mut events = self.events(at, &query.sport, finished);
        faults.bend_events(at, &mut events);
        let timed = query.sport != "upcoming";
        events.retain(|e| {
            (query.event_ids.is_empty() || query.event_ids.contains(&e.id))
                && !(timed && query.commence_from.is_some_and(|t| e.commence < t))
                && !(timed && query.commence_to.is_some_and(|t| e.commence > t))
        });
        events
    }
}

/// How an event is listed at an instant: the start moves once by script and once more when the game really starts.
fn event(number: usize, fixture: &Fixture, at: Timestamp) -> EventView {
    let game = &fixture.game;
    let (mut commence, mut revision) = (game.scheduled, 0);
    match fixture.effects.moved {
        Some((when, before, _)) if at < when => commence = before,
        Some((_, _, new_id)) => revision = u64::from(new_id),
        None => {}
    }
    if at >= game.start {
        commence = game.start;
    }
    let base = 501 + 2 * game.index as u32;
    EventView {
        game: number,
        index: game.index,
        id: game.id(revision),
        sport: game.sport.key,
        title: game.sport.title,
        commence,
        home: game.home,
        away: game.away,
        rotation: game.sport.rotation.then_some((base + 1, base)),
        books: None,
        extra_fields: false,
    }
}

fn desks(scenario: &Scenario) -> Vec<Desk> {
    let scripted = scenario.sisters.iter().map(|[a, b]| (a.as_str(), b.as_str()));
    let sisters: Vec<(&str, &str)> = scripted.chain(books::SISTERS.iter().copied()).collect();
    scenario
        .book_keys()
        .into_iter()
        .filter_map(books::profile)
        .map(|book| {
            let sister = sisters.iter().find(|(a, _)| *a == book.key).and_then(|(_, b)| books::profile(b));
            let desk = sister.unwrap_or(book);
            Desk { book, desk, tag: name_tag(desk.key) }
        })
        .collect()
}

/// The first line that a script fixes, as an expected margin and total.
fn anchor(scripts: &[&Script], sport: &SportProfile) -> (Option<f64>, Option<f64>) {
    let line = |totals: bool| {
        scripts
            .iter()
            .filter(|s| (s.market == "totals") == totals)
            .find_map(|s| s.line.or((s.kind == Situation::Pickem).then_some(0.0)))
    };
    let margin = line(false).map(|l| margin_for_line(sport, (l * 100.0).round() as i32, sport.sd_margin));
    (margin, line(true))
}

/// Starts lie on full five minutes.
fn round_minutes(at: Timestamp) -> Timestamp {
    Timestamp::from_secs((at.secs() + 150).div_euclid(300) * 300)
}
