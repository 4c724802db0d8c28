//! The provider's endpoints: path and parameters in, status, body and cost out. No HTTP in here.
//!
//! Costs follow the provider's price list: markets times regions for odds, nothing for an empty answer, ten times as
//! much for the past.

use serde_json::json;

use super::error::ApiError;
use super::faults::{FaultKind, FaultSwitch};
use super::game::Phase;
use super::ledger::{Ledger, Quota};
use super::play::play;
use super::playback::Playback;
use super::query::{OddsQuery, Params, is_event_id};
use super::rng::{mix, name_tag};
use super::scenario::Scenario;
use super::sports::{self, SPORTS};
use super::view::EventView;
use super::wire::Writer;
use super::world::World;
use crate::market::time::Timestamp;

/// Where answers come from.
pub enum Source {
    /// The simulated market.
    World(Box<World>),
    /// A recording.
    Playback(Box<Playback>),
}

/// How the body travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// At once.
    Plain,
    /// In drips.
    Slow,
    /// Broken off half way.
    Cut,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `text/html` instead of JSON.
    pub html: bool,
    /// Quota headers.
    pub quota: Option<Quota>,
    /// How it travels.
    pub delivery: Delivery,
    /// Body.
    pub body: Vec<u8>,
}

/// Counts for a status line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Requests answered, refusals included.
    pub requests: u64,
    /// Refusals and faults among them.
    pub errors: u64,
    /// Credits used since the start.
    pub credits_used: i64,
    /// Bytes of bodies, before compression.
    pub bytes: u64,
}

/// A simulated provider.
pub struct Api {
    source: Source,
    ledger: Ledger,
    /// Faults.
    pub faults: FaultSwitch,
    /// Counts.
    pub stats: Stats,
    key: Option<secrecy::SecretString>,
    history_step_s: i64,
}

/// Body and cost.
pub(super) type Served = Result<(Vec<u8>, i64), ApiError>;

impl Api {
    /// The provider of a scenario that starts at `start`. With a `key`, other keys are refused; without, any key does.
    pub fn of_scenario(scenario: &Scenario, start: Timestamp, key: Option<secrecy::SecretString>) -> Self {
        let world = World::new(scenario, start);
        Self {
            faults: FaultSwitch::scripted(&scenario.faults, world.start()),
            source: Source::World(Box::new(world)),
            ledger: Ledger::new(scenario.credits),
            stats: Stats::default(),
            key,
            history_step_s: scenario.history_step_s,
        }
    }

    /// A provider that plays a recording, with so many credits a month.
    pub fn of_recording(playback: Playback, credits: i64, key: Option<secrecy::SecretString>) -> Self {
        Self {
            source: Source::Playback(Box::new(playback)),
            ledger: Ledger::new(credits),
            faults: FaultSwitch::default(),
            stats: Stats::default(),
            key,
            history_step_s: 300,
        }
    }

    /// The simulated market, unless a recording is played.
    pub fn world(&mut self) -> Option<&mut World> {
        match &mut self.source {
            Source::World(world) => Some(world),
            Source::Playback(_) => None,
        }
    }

    /// Answers `GET path?query` at a virtual instant.
    pub fn get(&mut self, now: Timestamp, path: &str, query: &str) -> Answer {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let sport = parts.iter().position(|p| *p == "sports").and_then(|i| parts.get(i + 1)).copied();
        let fault = self.faults.transport(now, sport);
        let answer = self.answer(now, &parts, &Params::parse(query), fault);
        self.stats.requests += 1;
        self.stats.errors += u64::from(answer.status != 200 || fault.is_some());
        self.stats.credits_used += answer.quota.map_or(0, |q| q.last);
        self.stats.bytes += answer.body.len() as u64;
        answer
    }

    /// 429, for a server that counts requests per second.
    pub fn too_fast(&mut self, now: Timestamp) -> Answer {
        self.stats.requests += 1;
        self.stats.errors += 1;
        self.refuse(now, &rate_limited())
    }

    fn answer(&mut self, now: Timestamp, parts: &[&str], params: &Params, fault: Option<FaultKind>) -> Answer {
        match fault {
            Some(FaultKind::RateLimited) => return self.refuse(now, &rate_limited()),
            Some(FaultKind::InvalidKey) => return self.refuse(now, &invalid_key()),
            Some(FaultKind::DeactivatedKey) => {
                return self.refuse(now, &ApiError::new(401, "DEACTIVATED_KEY", "API key has been deactivated"));
            }
            Some(FaultKind::QuotaExhausted) => return self.out_of_credits(now),
            Some(FaultKind::ServerError) => {
                let body = b"<html><head><title>500</title></head><body><h1>Internal Server Error</h1></body></html>";
                return Answer { status: 500, html: true, quota: None, delivery: Delivery::Plain, body: body.to_vec() };
            }
            _ => {}
        }
        let served = match self.admit(params) {
            Ok(()) if !self.ledger.open(now) && !is_free(parts) => return self.out_of_credits(now),
            Ok(()) => self.route(now, parts, params),
            Err(e) => Err(e),
        };
        let mut answer = match served {
            Ok((body, cost)) => {
                let quota = Some(self.ledger.charge(now, cost));
                Answer { status: 200, html: false, quota, delivery: Delivery::Plain, body }
            }
            Err(e) => return self.refuse(now, &e),
        };
        match fault {
            Some(FaultKind::SlowBody) => answer.delivery = Delivery::Slow,
            Some(FaultKind::ConnectionCut) => answer.delivery = Delivery::Cut,
            Some(FaultKind::TruncatedJson) => answer.body.truncate(answer.body.len() / 2),
            Some(FaultKind::NoQuotaHeaders) => answer.quota = None,
            _ => {}
        }
        answer
    }

    fn refuse(&mut self, now: Timestamp, error: &ApiError) -> Answer {
        let quota = Some(self.ledger.charge(now, 0));
        Answer { status: error.status, html: false, quota, delivery: Delivery::Plain, body: error.body() }
    }

    fn out_of_credits(&mut self, now: Timestamp) -> Answer {
        let message = "Usage quota has been reached. See usage plans for more credits";
        let body = ApiError::new(401, "OUT_OF_USAGE_CREDITS", message).body();
        let quota = Some(self.ledger.exhaust(now));
        Answer { status: 401, html: false, quota, delivery: Delivery::Plain, body }
    }

    fn admit(&self, params: &Params) -> Result<(), ApiError> {
        use secrecy::ExposeSecret;
        let Some(given) = params.get("apiKey") else {
            return Err(ApiError::new(401, "MISSING_KEY", "API key is missing"));
        };
        match &self.key {
            Some(key) if key.expose_secret() != given => Err(invalid_key()),
            _ => Ok(()),
        }
    }

    fn route(&mut self, now: Timestamp, parts: &[&str], params: &Params) -> Served {
        if let Source::Playback(playback) = &mut self.source {
            return play(playback, now, parts, params);
        }
        match parts {
            ["v4", "sports"] => self.sports(params),
            ["v4", "sports", sport, "odds"] => self.odds(now, self.known(sport, true)?, params),
            ["v4", "sports", sport, "events"] => self.events(now, self.known(sport, false)?, params),
            ["v4", "sports", sport, "scores"] => self.scores(now, self.known(sport, false)?, params),
            ["v4", "sports", sport, "participants"] => participants(self.known(sport, false)?),
            ["v4", "sports", sport, "events", id, "odds"] => {
                self.event_odds(now, self.known(sport, false)?, id, params)
            }
            ["v4", "sports", sport, "events", id, "markets"] => {
                self.event_markets(now, self.known(sport, false)?, id, params)
            }
            ["v4", "historical", "sports", sport, rest @ ..] => {
                self.historical(now, self.known(sport, false)?, rest, params)
            }
            _ => Err(not_found()),
        }
    }

    /// Sports of the table are known; others are not.
    fn known<'s>(&self, sport: &'s str, upcoming: bool) -> Result<&'s str, ApiError> {
        match sports::sport(sport) {
            Some(_) => Ok(sport),
            None if upcoming && sport == "upcoming" => Ok(sport),
            None => Err(ApiError::new(404, "UNKNOWN_SPORT", "Unknown sport")),
        }
    }

    fn the_world(&mut self) -> Result<(&mut World, &mut FaultSwitch), ApiError> {
        match &mut self.source {
            Source::World(world) => Ok((world, &mut self.faults)),
            Source::Playback(_) => Err(not_found()),
        }
    }

    fn sports(&mut self, params: &Params) -> Served {
        let all = params.flag("all", "INVALID_ALL_SPORTS_PARAM")?;
        let active: Vec<&str> = self.the_world()?.0.sports().iter().map(|s| s.key).collect();
        let list: Vec<_> = SPORTS
            .iter()
            .filter(|s| all || active.contains(&s.key))
            .map(|s| {
                json!({"key": s.key, "group": s.group, "title": s.title, "description": s.description,
                       "active": active.contains(&s.key), "has_outrights": false})
            })
            .collect();
        Ok((json!(list).to_string().into_bytes(), 0))
    }

    fn odds(&mut self, now: Timestamp, sport: &str, params: &Params) -> Served {
        let query = params.odds(sport, false)?;
        let (world, faults) = self.the_world()?;
        let (body, events) = world.odds_body_with(now, &query, faults);
        let cost = query.markets.len() as i64 * query.books.regions_charged();
        Ok((body, if events == 0 { 0 } else { cost }))
    }

    fn events(&mut self, now: Timestamp, sport: &str, params: &Params) -> Served {
        let query = params.events(sport)?;
        let (world, faults) = self.the_world()?;
        let events = world.listed(now, &query, false, faults);
        let mut w = Writer::new(query.style, events.len() * 250);
        w.events(&events);
        Ok((w.finish(), 0))
    }

    fn scores(&mut self, now: Timestamp, sport: &str, params: &Params) -> Served {
        let refused =
            || ApiError::invalid("INVALID_SCORES_DAYS_FROM", "Invalid daysFrom: use a whole number from 1 to 3");
        let days = match params.get("daysFrom").map(str::parse::<i64>) {
            None => None,
            Some(Ok(days @ 1..=3)) => Some(days),
            Some(_) => return Err(refused()),
        };
        let query = params.events(sport)?;
        let (world, faults) = self.the_world()?;
        let mut events = world.listed(now, &query, days.is_some(), faults);
        if let Some(days) = days {
            let oldest = now.plus(-days * 86_400_000);
            events.retain(|e| world.fixtures().get(e.game).is_some_and(|f| f.game.end >= oldest));
        }
        let mut w = Writer::new(query.style, events.len() * 400);
        w.list(&events, |w, e| score(w, e, world, now));
        Ok((w.finish(), if days.is_some() { 2 } else { 1 }))
    }

    fn event_odds(&mut self, now: Timestamp, sport: &str, id: &str, params: &Params) -> Served {
        let query = params.odds(sport, true)?;
        let (world, faults) = self.the_world()?;
        let event = one_event(world, faults, now, &query, id)?;
        let cost = unique_markets(&event) * query.books.regions_charged();
        let mut w = Writer::new(query.style, 4096);
        w.event_with_odds(&event);
        Ok((w.finish(), cost))
    }

    fn event_markets(&mut self, now: Timestamp, sport: &str, id: &str, params: &Params) -> Served {
        let query = OddsQuery { markets: vec!["h2h".into()], books: params.books()?, ..params.events(sport)? };
        let (world, faults) = self.the_world()?;
        let event = one_event(world, faults, now, &query, id)?;
        let mut w = Writer::new(query.style, 4096);
        w.event_head(&event);
        w.raw(",\"bookmakers\":");
        w.list(event.books.as_deref().unwrap_or_default(), |w, b| {
            w.raw("{\"key\":");
            w.string(b.key);
            w.raw(",\"title\":");
            w.string(b.title);
            w.raw(",\"markets\":");
            w.list(&world.market_keys(&event, b.key), |w, key| {
                w.raw("{\"key\":");
                w.string(key);
                w.raw(",\"last_update\":");
                w.time(b.last_update);
                w.raw("}");
            });
            w.raw("}");
        });
        w.raw("}");
        Ok((w.finish(), 1))
    }

    fn historical(&mut self, now: Timestamp, sport: &str, rest: &[&str], params: &Params) -> Served {
        const CODE: &str = "INVALID_HISTORICAL_TIMESTAMP";
        if !matches!(rest, ["odds"] | ["events"] | ["events", _, "odds"]) {
            return Err(not_found());
        }
        let missing = || ApiError::invalid("MISSING_HISTORICAL_TIMESTAMP", "Missing date");
        let date = params.time("date", CODE)?.ok_or_else(missing)?;
        let step = self.history_step_s;
        let (world, _) = self.the_world()?;
        // Snapshots are taken some seconds after the full step, and none lies in the future.
        let grid = |i: i64| Timestamp::from_secs(i * step + 39 + (mix(&[i.unsigned_abs()]) % 3) as i64);
        let (oldest, newest) = (world.opens(), now);
        let number = |t: Timestamp| {
            let i = (t.secs() - 39).div_euclid(step);
            if grid(i) > t { i - 1 } else { i }
        };
        let snapshot = number(date.min(newest));
        let at = grid(snapshot);
        if at < oldest {
            return Err(ApiError::invalid(CODE, format!("No snapshot at or before {}", date.to_wire())));
        }
        let neighbour = |i: i64| Some(grid(i)).filter(|&t| t >= oldest && t <= newest);
        // Faults belong to the present; the past is what the market really was.
        let mut calm = FaultSwitch::default();
        let (query, cost, data): (_, _, Data) = match rest {
            ["odds"] => {
                let query = params.odds(sport, false)?;
                let events = world.odds_views(at, &query, &mut calm);
                let cost = 10 * query.markets.len() as i64 * query.books.regions_charged();
                (query, if events.is_empty() { 0 } else { cost }, Data::Odds(events))
            }
            ["events"] => {
                let query = params.events(sport)?;
                let events = world.listed(at, &query, false, &mut calm);
                (query, i64::from(!events.is_empty()), Data::Events(events))
            }
            [_, id, _] => {
                let query = params.odds(sport, true)?;
                let event = one_event(world, &mut calm, at, &query, id)?;
                let cost = 10 * unique_markets(&event) * query.books.regions_charged();
                (query, cost, Data::Event(Box::new(event)))
            }
            _ => return Err(not_found()),
        };
        let mut w = Writer::new(query.style, 16_384);
        w.raw("{\"timestamp\":");
        w.time(at);
        for (name, i) in [("previous", snapshot - 1), ("next", snapshot + 1)] {
            w.raw(&format!(",\"{name}_timestamp\":"));
            match neighbour(i) {
                Some(t) => w.time(t),
                None => w.raw("null"),
            }
        }
        w.raw(",\"data\":");
        match &data {
            Data::Odds(events) => w.events_with_odds(events),
            Data::Events(events) => w.events(events),
            Data::Event(event) => w.event_with_odds(event),
        }
        w.raw("}");
        Ok((w.finish(), cost))
    }
}

/// What the envelope of a historical answer holds.
enum Data {
    Odds(Vec<EventView>),
    Events(Vec<EventView>),
    Event(Box<EventView>),
}

fn one_event(
    world: &mut World,
    faults: &mut FaultSwitch,
    at: Timestamp,
    query: &OddsQuery,
    id: &str,
) -> Result<EventView, ApiError> {
    if !is_event_id(id) {
        return Err(ApiError::invalid("INVALID_EVENT_ID", "Invalid event id"));
    }
    let one = OddsQuery { event_ids: vec![id.to_owned()], commence_from: None, commence_to: None, ..query.clone() };
    world.odds_views(at, &one, faults).into_iter().next().ok_or_else(event_not_found)
}

/// Market keys in an answer. Lay markets come by themselves and are not charged.
fn unique_markets(event: &EventView) -> i64 {
    let mut keys: Vec<&str> = event
        .books
        .iter()
        .flatten()
        .flat_map(|b| &b.markets)
        .map(|m| m.key.as_ref())
        .filter(|k| !k.ends_with("_lay"))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len() as i64
}

fn score(w: &mut Writer, e: &EventView, world: &World, now: Timestamp) {
    let game = world.fixtures().get(e.game).map(|f| &f.game);
    // The provider looks at scores twice a minute.
    let seen = Timestamp::from_secs(now.secs().div_euclid(30) * 30);
    let last = game.map_or(seen, |g| seen.min(g.end)).max(e.commence);
    let points = game.and_then(|g| g.score_at(last.min(now)));
    w.event_head(e);
    w.raw(",\"completed\":");
    w.raw(if game.is_some_and(|g| g.phase(now) == Phase::Final) { "true" } else { "false" });
    match points {
        None => w.raw(",\"scores\":null,\"last_update\":null"),
        Some((home, away)) => {
            let mut sides = [(e.home, home), (e.away, away)];
            // The order of the list is not home first by contract.
            if e.index % 2 == 1 {
                sides.reverse();
            }
            w.raw(",\"scores\":");
            w.list(&sides, |w, (name, points)| {
                w.raw("{\"name\":");
                w.string(name);
                w.raw(",\"score\":");
                w.string(&points.to_string());
                w.raw("}");
            });
            w.raw(",\"last_update\":");
            w.time(last);
        }
    }
    w.raw("}");
}

fn participants(sport: &str) -> Served {
    let teams = sports::sport(sport).map(|s| s.teams).unwrap_or_default();
    let list: Vec<_> = teams
        .iter()
        .map(|t| json!({"full_name": t, "id": format!("par_{:016x}", mix(&[name_tag(sport), name_tag(t)]))}))
        .collect();
    Ok((json!(list).to_string().into_bytes(), 1))
}

/// Endpoints without cost go on when the credits are used up.
fn is_free(parts: &[&str]) -> bool {
    matches!(parts, ["v4", "sports"] | ["v4", "sports", _, "events"])
}

fn rate_limited() -> ApiError {
    ApiError::new(429, "EXCEEDED_FREQ_LIMIT", "Requests are too frequent. Wait a couple of seconds and try again")
}

fn invalid_key() -> ApiError {
    ApiError::new(401, "INVALID_KEY", "API key is not valid")
}

pub(super) fn event_not_found() -> ApiError {
    ApiError::new(404, "EVENT_NOT_FOUND", "Event not found. It may have expired, or the id is wrong")
}

pub(super) fn not_found() -> ApiError {
    ApiError::new(404, "NOT_FOUND", "Not found")
}
