//! Questions of the page to the store. Every one ends at the moment on show: what was listed, linked or heard later is
//! not known there.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;

use super::compare::{self, EXCHANGE};
use crate::board::app::{App, Effect, Job, Showing};
use crate::board::widgets::chart::Step;
use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::changes::{EventRow, Point};
use crate::engine::detect::signal::{Signal, SignalType};
use crate::market::ids::{EventId, LookId};
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;
use crate::store::desk::ExchangeDecision;
use crate::store::exchange::{BookRow, BookState, ExchangeGame, GapRow, LinkLog, TradeRow};
use crate::store::{Reader, StoreError};

/// Games that started so long ago are not listed any more. Milliseconds.
const BACK_MS: i64 = 12 * 3_600_000;
/// Games that start later than this are not listed yet. Milliseconds.
const AHEAD_MS: i64 = 8 * 86_400_000;
/// Signals are looked for so far back. Milliseconds.
const SIGNALS_MS: i64 = 24 * 3_600_000;
/// The present is asked about at most this often. The board's milliseconds.
const ASK_MS: u32 = 2_000;
/// Books of a contract in the chart, at most; the newest.
const MOST_BOOKS: u32 = 20_000;
/// Trades on show, at most.
const MOST_TRADES: u32 = 40;
/// Changes of links that are looked through for a past moment.
const MOST_LOG: u32 = 50_000;

/// A game of the books that a listing could be.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Provider's id: what a decision names.
    pub provider_id: String,
    /// Our number, where the store has the game.
    pub event: Option<EventId>,
    /// `Away @ Home`, or the id alone where the game is not known.
    pub name: String,
    /// Start, where it is known.
    pub commence: Option<Timestamp>,
    /// From 0 to 1.
    pub confidence: f64,
    /// What speaks for and against it.
    pub reasons: Vec<String>,
}

/// Who moved first, by the newest signal.
#[derive(Clone, PartialEq, Debug)]
pub struct Lead {
    /// `aligned`, `exchange_leads`, `sportsbook_leads` or `opposed`.
    pub label: String,
    /// Seconds between the two.
    pub lag: Option<f64>,
    /// When the signal was made.
    pub at: Timestamp,
}

/// A listing with what is known around it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listed {
    /// Listing, link, contracts and books.
    pub game: ExchangeGame,
    /// Of a link that is made or was refused: why.
    pub reasons: Vec<String>,
    /// Of one that waits for a person: what it could be, the likeliest first.
    pub candidates: Vec<Candidate>,
    /// Who leads.
    pub lead: Option<Lead>,
}

impl Listed {
    /// Our game, where it is linked.
    pub fn event(&self) -> Option<EventId> {
        let link = self.game.link.as_ref()?;
        link.event.filter(|_| link.state == crate::store::exchange::LinkState::Linked)
    }
}

/// Everything that is listed around a moment.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// By start and name.
    pub listed: Vec<Arc<Listed>>,
    /// Something was listed at some time.
    pub ever: bool,
    /// The moment.
    pub until: Timestamp,
}

/// The moment that was asked about: when, at which look and after how much that came from a hub, and where in time.
pub type Asked = (u32, (Option<LookId>, u64), Timestamp);

/// Asks for the listings, if there may be something new.
pub fn ask(app: &mut App) {
    let live = matches!(app.showing, Showing::Live);
    // Where another device listens, its books come after the looks that were made of them.
    let pulled = app.link.status.as_ref().and_then(|s| s.hub.as_ref()).map_or(0, |hub| hub.exchange);
    let (tick, look) = (app.tick(), (app.slate().look, pulled));
    let moment = if live { Timestamp::default() } else { app.until() };
    if let Some((when, seen, at)) = app.pages.exchange.asked
        && at == moment
        && (!live || seen == look && tick.saturating_sub(when) < 5 * ASK_MS || tick.saturating_sub(when) < ASK_MS)
    {
        return;
    }
    let moved = app.pages.exchange.asked.is_some_and(|(_, _, at)| at != moment);
    let until = app.until();
    let slot = &mut app.pages.exchange.slot;
    // What is known of a later moment is not shown at an earlier one.
    let later = !live && slot.data.as_ref().is_some_and(|d| d.until > until);
    let Some(version) = (if moved { Some(slot.ask(!later)) } else { slot.refresh() }) else { return };
    app.pages.exchange.asked = Some((tick, look, moment));
    let job = Job::reading(
        "exchange",
        move |reader| read(reader, until, live),
        move |app, found| {
            if app.pages.exchange.slot.answer(version, found) {
                super::arrived(app);
            }
        },
    );
    app.effect(Effect::Job(job));
}

/// Reads what is listed around `until`. `live`: it is the present, so that what is newest is what holds.
///
/// # Errors
/// [`StoreError`].
pub fn read(reader: &Reader, until: Timestamp, live: bool) -> Result<Slice, StoreError> {
    let mut games = reader.exchange_games(EXCHANGE, until.plus(-BACK_MS), until.plus(AHEAD_MS))?;
    let ever = !games.is_empty()
        || !reader
            .exchange_games(EXCHANGE, Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX))?
            .is_empty();
    if !live {
        games.retain(|g| g.listing.seen.0 <= until);
        let log = reader.exchange_link_log(MOST_LOG)?;
        for game in &mut games {
            as_of(reader, game, &log, until)?;
        }
    }
    let filter = AnalysisFilter {
        kind: Some(SignalType::ExchangeDivergence),
        since: Some(until.plus(-SIGNALS_MS)),
        limit: Some(2_000),
        ..AnalysisFilter::default()
    };
    let mut leads: FxHashMap<EventId, Lead> = FxHashMap::default();
    for signal in reader.signals_as_of(&filter, until)? {
        let Some(label) = signal.detail.label else { continue };
        let lead = Lead { label, lag: signal.detail.lag_seconds, at: signal.detected_at };
        if leads.get(&signal.event_id).is_none_or(|l| l.at <= lead.at) {
            leads.insert(signal.event_id, lead);
        }
    }
    let needs = |reasons: &str| reasons.contains('{') && !reasons.contains("\"provider_id\"");
    let events = if games.iter().any(|g| g.link.as_ref().is_some_and(|l| needs(&l.reasons))) {
        reader.events(None)?
    } else {
        Vec::new()
    };
    let listed = games
        .into_iter()
        .map(|game| {
            let told = game.link.as_ref().map_or("", |l| l.reasons.as_str());
            let (reasons, candidates) = reasons(told, &events);
            let mut listed = Listed { game, reasons, candidates, lead: None };
            listed.lead = listed.event().and_then(|e| leads.get(&e).cloned());
            Arc::new(listed)
        })
        .collect();
    Ok(Slice { listed, ever, until })
}

/// A game as it was known at an earlier instant.
fn as_of(reader: &Reader, game: &mut ExchangeGame, log: &[LinkLog], until: Timestamp) -> Result<(), StoreError> {
    if let Some(link) = game.link.as_mut().filter(|l| l.at > until) {
        match log.iter().find(|l| l.slug == game.listing.slug && l.at <= until) {
            Some(then) => {
                (link.state, link.how, link.event) = (then.state, then.how, then.event);
                (link.reasons, link.at) = (then.reasons.clone(), then.at);
            }
            None => game.link = None,
        }
    }
    // What was told last may have been told since.
    (game.listing.over, game.listing.volume) = (false, None);
    for market in &mut game.markets {
        market.book = reader.exchange_books(market.contract.id, until, until, 1)?.pop();
        market.seen = market.seen.filter(|at| *at <= until);
        if market.contract.ended_at.is_none_or(|at| at > until) {
            (market.contract.winner, market.contract.ended_at) = (None, None);
        }
    }
    Ok(())
}

/// The link of a listing to one of our games as it was known at an instant.
///
/// # Errors
/// [`StoreError`].
pub fn linked_as_of(reader: &Reader, event: EventId, at: Timestamp) -> Result<Option<ExchangeGame>, StoreError> {
    let Some(mut game) = reader.exchange_game_of(EXCHANGE, event)? else { return Ok(None) };
    if game.link.as_ref().is_some_and(|l| l.at > at) {
        let log = reader.exchange_link_log(MOST_LOG)?;
        as_of(reader, &mut game, &log, at)?;
    }
    let still = game
        .link
        .as_ref()
        .is_some_and(|l| l.state == crate::store::exchange::LinkState::Linked && l.event == Some(event));
    Ok(still.then_some(game))
}

/// Reasons as they are stored: texts, or one object a candidate. What cannot be read is left out.
pub fn reasons(told: &str, events: &[EventRow]) -> (Vec<String>, Vec<Candidate>) {
    let Ok(Value::Array(entries)) = serde_json::from_str::<Value>(told) else { return (Vec::new(), Vec::new()) };
    let (mut reasons, mut candidates) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Value::String(text) => reasons.push(text),
            entry @ Value::Object(_) => candidates.extend(candidate(entry, events)),
            _ => {}
        }
    }
    candidates.sort_by(|a: &Candidate, b| {
        b.confidence.total_cmp(&a.confidence).then_with(|| a.provider_id.cmp(&b.provider_id))
    });
    (reasons, candidates)
}

/// A candidate as it stands in the store. What it tells of its game goes before what the store has of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Proposal {
    event: Value,
    provider_id: Option<String>,
    /// Home and away.
    teams: Option<[String; 2]>,
    commence: Value,
    confidence: f64,
    reasons: Vec<String>,
}

fn candidate(entry: Value, events: &[EventRow]) -> Option<Candidate> {
    let told: Proposal = serde_json::from_value(entry).ok()?;
    // Our number, or the provider's id.
    let found = match &told.event {
        Value::String(id) => events.iter().find(|e| *e.provider_id == **id),
        Value::Number(n) => events.iter().find(|e| Some(u64::from(e.id.0)) == n.as_u64()),
        _ => None,
    };
    let number = told.event.as_u64().and_then(|n| u32::try_from(n).ok()).map(EventId);
    let provider_id = told
        .provider_id
        .or_else(|| found.map(|e| e.provider_id.to_string()))
        .or_else(|| told.event.as_str().map(str::to_owned))?;
    let name = told.teams.map(|[home, away]| format!("{away} @ {home}"));
    let name = name.or_else(|| found.map(|e| format!("{} @ {}", e.away, e.home)));
    Some(Candidate {
        name: name.unwrap_or_else(|| provider_id.clone()),
        provider_id,
        event: found.map(|e| e.id).or(number),
        commence: serde_json::from_value(told.commence).ok().or_else(|| found.map(|e| e.commence)),
        confidence: told.confidence,
        reasons: told.reasons,
    })
}

/// What is read of the chosen game and contract.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The contract.
    pub contract: i64,
    /// The instant.
    pub at: Timestamp,
    /// What the books give the first outcome of every contract of the game, in their order; or why there is nothing.
    pub fairs: Vec<Result<f64, &'static str>>,
    /// Why the exchange has no part in the fair price of this contract's market; empty: it has one, `None`: the engine
    /// does not have it there.
    pub excluded: Option<String>,
    /// How far the exchange usually stands above the books. Probability.
    pub usual: f64,
    /// The middle over time, as percent of the first outcome.
    pub middle: Vec<Step>,
    /// The published fair price over time, the same.
    pub fair: Vec<Step>,
    /// The first instant that was heard rather than fetched afterwards.
    pub heard: Option<Timestamp>,
    /// Times in which nothing was heard, oldest first.
    pub gaps: Vec<GapRow>,
    /// Newest first.
    pub trades: Vec<TradeRow>,
    /// Signals of the game: divergences first, each newest first.
    pub signals: Vec<Signal>,
}

/// Asks for the contract under the cursor, if it is another one or the listings are newer.
pub fn ask_detail(app: &mut App) {
    let page = &app.pages.exchange;
    let (Some(slice), Some(listed)) = (page.slot.data.as_ref(), super::current(app)) else { return };
    let Some(contract) = super::contract(app).map(|m| m.contract.id) else { return };
    let asked = (contract, slice.until, listed.game.link.as_ref().map(|l| (l.state, l.event)));
    if page.detail_asked.as_ref() == Some(&asked) {
        return;
    }
    let listed = listed.clone();
    let (until, engine) = (slice.until, app.at.engine.clone());
    let page = &mut app.pages.exchange;
    let same = page.detail_asked.as_ref().is_some_and(|(c, ..)| *c == contract);
    let version = if same && page.detail.is_running() {
        return;
    } else {
        page.detail.ask(true)
    };
    page.detail_asked = Some(asked);
    let job = Job::reading(
        "exchange contract",
        move |reader| read_detail(reader, engine, &listed, contract, until),
        move |app, found| {
            if app.pages.exchange.detail.answer(version, found) {
                app.dirty = true;
                ask_detail(app);
            }
        },
    );
    app.effect(Effect::Job(job));
}

fn read_detail(
    reader: &Reader,
    engine: EngineSettings,
    listed: &Listed,
    contract: i64,
    until: Timestamp,
) -> Result<Detail, StoreError> {
    let beginning = Timestamp::from_millis(i64::MIN);
    let mut detail = Detail { contract, at: until, ..Detail::default() };
    let Some(now) = listed.game.markets.iter().find(|m| m.contract.id == contract) else { return Ok(detail) };
    let books = reader.exchange_books(contract, beginning, until, MOST_BOOKS)?;
    detail.heard = books.first().map(|b| b.at);
    let before =
        reader.exchange_prices(contract, beginning, detail.heard.map_or(until, |at| at.plus(-1).min(until)))?;
    detail.middle = before.iter().map(|p| Step { at: p.at.millis(), value: Some(p.price * 100.0) }).collect();
    detail.middle.extend(books.iter().map(|b| Step { at: b.at.millis(), value: middle(b).map(|m| m * 100.0) }));
    detail.middle.dedup_by(|b, a| a.value == b.value);
    if let Some(from) = detail.heard {
        detail.gaps = reader.exchange_gaps(from, until)?;
        detail.gaps.retain(|g| g.since <= until);
    }
    detail.trades = reader.exchange_trades(contract, until, MOST_TRADES)?;
    let usual = &engine.rules.exchange.shift;
    detail.usual = usual.get(&listed.game.listing.sport).copied().unwrap_or(0.0);
    let Some(event) = listed.event() else {
        detail.fairs = vec![Err("it is not linked to a game of the books"); listed.game.markets.len()];
        return Ok(detail);
    };
    detail.signals = reader.event_signals(event, until)?;
    // What the page is about comes first, each kind newest first.
    detail.signals.reverse();
    detail.signals.sort_by_key(|s| s.kind != SignalType::ExchangeDivergence);
    let points = reader.points(event, beginning, until)?;
    let published: Vec<Point> = points.iter().map(|p| p.point).collect();
    let all = appraisals(reader, engine, event, &published, until)?;
    let game = &listed.game;
    let fair = |c| compare::fair_of(&all, c, compare::side_in(game, c));
    detail.fairs = game.markets.iter().map(|m| fair(&m.contract)).collect();
    let side = compare::side_in(game, &now.contract);
    let market = compare::market_of(&now.contract.kind);
    let appraisal =
        all.iter().find(|a| Some(a.market.as_str()) == market && a.subject.is_none() && a.key.line.is_none());
    if let (Some(appraisal), Some(side)) = (appraisal, side) {
        detail.excluded = excluded(appraisal);
        for p in points.iter().filter(|p| p.point.key == appraisal.key) {
            let value = compare::fair_at(appraisal, &p.point, &now.contract, side).map(|v| v * 100.0);
            if detail.fair.last().is_none_or(|s| s.value != value) {
                detail.fair.push(Step { at: p.at.millis(), value });
            }
        }
    }
    Ok(detail)
}

/// Why the exchange has no part in a fair price; empty: it has one; `None`: the market has no quote of it.
fn excluded(appraisal: &Appraisal) -> Option<String> {
    let part = appraisal.books.iter().find(|b| b.book == EXCHANGE)?;
    Some(part.excluded.map_or_else(String::new, |name| crate::engine::explain::words::excluded(name).words.to_owned()))
}

/// What the books say of a game, in full.
fn appraisals(
    reader: &Reader,
    engine: EngineSettings,
    event: EventId,
    published: &[Point],
    until: Timestamp,
) -> Result<Vec<Appraisal>, StoreError> {
    let Some(found) = reader.event_as_of(event, until)? else { return Ok(Vec::new()) };
    let mut newest: Vec<Point> = Vec::new();
    for point in published {
        match newest.iter_mut().find(|p| p.key == point.key) {
            Some(p) => *p = *point,
            None => newest.push(*point),
        }
    }
    Ok(Appraiser::new(engine, reader.names()?).event(found.row, found.quotes, until, &newest))
}

/// The middle of a book that can be believed: both sides are there and do not cross.
pub fn middle(book: &BookRow) -> Option<f64> {
    let (bid, ask) = (book.bid()?, book.ask()?);
    book.middle.filter(|m| book.state == BookState::Live && bid.price < ask.price && m.is_finite())
}

/// Asks for what the user has decided.
pub fn ask_decisions(app: &mut App) {
    let Some(version) = app.pages.exchange.decisions.refresh() else { return };
    let job = Job::desk(
        "exchange decisions",
        |room| {
            let read = room.desk().and_then(|desk| desk.exchange_decisions(EXCHANGE));
            read.map_err(|e| {
                room.close_desk();
                e.to_string()
            })
        },
        move |app, found: Result<Vec<ExchangeDecision>, String>| {
            if app.pages.exchange.decisions.answer(version, found) {
                app.dirty = true;
            }
        },
    );
    app.effect(Effect::Job(job));
}
