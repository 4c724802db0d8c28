//! What messages say: the side and the price to take it at, what it is worth, who moved from what to what, and when it
//! starts. The same words on every channel.
//!
//! Nothing is left out to look better: a signal without a side says so, an old entry says how old, and the origin stands
//! on every message.

use super::facts::code;
use super::limits::LimitMove;
use super::line::{How, Offer};
use super::message::{Fact, Kind, Message, Severity};
use super::rule::Wish;
use crate::engine::changes::EventRow;
use crate::engine::detect::signal::{Entry, Sharp, Signal, SignalType, Stand, Tier};
use crate::engine::names::Names;
use crate::market::books::Books;
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec};
use crate::market::price::{Price, decimal_to_american};
use crate::market::selection::Side;
use crate::market::sports::Sports;
use crate::market::time::Timestamp;

/// An entry older than this is called old. Seconds.
const OLD: f64 = 120.0;
/// Movers that are named; the rest is counted.
const NAMED: usize = 4;

/// When and where something is told.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The look, in market time.
    pub at: Timestamp,
    /// This machine's time.
    pub wall: Timestamp,
    /// Where the data came from; `None` for the real market.
    pub origin: Option<&'a str>,
    /// How long ago the look was, by the market's clock. Milliseconds.
    pub late_ms: i64,
}

impl Moment<'_> {
    /// A message of this moment without anything in it.
    pub fn message(&self, kind: Kind, severity: Severity, title: String) -> Message {
        Message {
            key: String::new(),
            kind,
            severity,
            origin: self.origin.map(str::to_owned),
            at: self.at,
            title,
            text: String::new(),
            facts: Vec::new(),
            rule: None,
            data: None,
        }
    }
}

fn fact(label: &str, value: impl Into<String>) -> Fact {
    Fact { label: label.to_owned(), value: value.into() }
}

/// A signal. `start`: of its game, as now known.
pub fn signal(s: &Signal, start: Timestamp, moment: &Moment<'_>) -> Message {
    let entry = s.entry_now.as_ref().or(s.entry.as_ref());
    let take = match (&s.side, entry) {
        (Some(_), Some(entry)) => format!("{} at {}", side(s, entry.line), price_at(entry)),
        (Some(_), None) => format!("{}, offered nowhere", side(s, None)),
        (None, _) => format!("{}, nothing to take", market(&s.market)),
    };
    let short = short_game(&s.sport, &s.home_team, &s.away_team);
    let title = format!("{} {}: {take} ({short})", kind(s.kind), s.strength);
    let severity = if s.tier == Tier::High { Severity::Notice } else { Severity::Info };
    let mut m = moment.message(Kind::Signal, severity, title);
    m.text = moved(s);
    m.facts.push(fact("game", format!("{} ({})", game(&s.home_team, &s.away_team), league(&s.sport))));
    m.facts.push(fact("market", market(&s.market)));
    match &s.side {
        Some(_) => m.facts.push(fact("side", side(s, entry.and_then(|e| e.line)))),
        None => m.facts.push(fact("side", "none: it informs, there is nothing to take")),
    }
    match entry {
        Some(entry) => {
            m.facts.push(fact("entry", format!("{}, {}", taken_at(s, entry), age(entry.age_seconds))));
            m.facts.push(fact("fair", fair(entry)));
        }
        None if s.side.is_some() => m.facts.push(fact("entry", "no book offers it fresh")),
        None => {}
    }
    m.facts.push(fact("evidence", evidence(s)));
    m.facts.push(fact("strength", strength(s)));
    m.facts.push(fact("start", starts(start, moment.at)));
    if s.version > 1 {
        m.facts
            .push(fact("update", format!("version {} of a signal first seen at {}", s.version, clock(s.detected_at))));
    }
    m.data = serde_json::to_value(s).ok();
    m
}

/// Markets of one game that appeared, vanished or returned.
pub fn markets(kind: Kind, row: &EventRow, names: &Names, markets: &[MarketNews], moment: &Moment<'_>) -> Message {
    let titles: Vec<String> = markets.iter().map(|m| market(&m.market)).collect();
    let what = match kind {
        Kind::Opener => "opened",
        Kind::Gone => "gone",
        _ => "back",
    };
    let title = format!("{} {what}: {}", titles.join(", "), game(&row.home, &row.away));
    let mut m = moment.message(kind, Severity::Info, title);
    let sport = names.sport(row.sport);
    m.facts.push(fact("game", format!("{} ({})", game(&row.home, &row.away), league(sport))));
    for news in markets {
        let books: Vec<String> = news.books.iter().map(|b| book(b)).collect();
        let since = news.was_since.map(|at| (clock(at), span(moment.at.since(at) as f64 / 1000.0)));
        let text = match (kind, since) {
            (Kind::Opener, _) => format!("first seen at {}", some(&books)),
            (Kind::Gone, Some((at, long))) => {
                format!("offered since {at} ({long}), now nowhere; last at {}", some(&books))
            }
            (Kind::Gone, None) => format!("offered nowhere now; last at {}", some(&books)),
            (_, Some((at, long))) => format!("was gone since {at} ({long}); again at {}", some(&books)),
            (_, None) => format!("again at {}", some(&books)),
        };
        m.facts.push(fact(&market(&news.market), text));
    }
    m.facts.push(fact("seen", clock(moment.at)));
    m.facts.push(fact("start", starts(row.commence, moment.at)));
    m.data = Some(serde_json::json!({
        "sport": sport,
        "event_id": row.id,
        "provider_event_id": &*row.provider_id,
        "home_team": &*row.home,
        "away_team": &*row.away,
        "commence_time": row.commence,
        "markets": markets.iter().map(|m| serde_json::json!({"market": m.market, "books": m.books})).collect::<Vec<_>>(),
    }));
    m
}

/// Limits of one game that books changed.
pub fn limits(row: &EventRow, names: &Names, moves: &[&LimitMove], moment: &Moment<'_>) -> Message {
    let books: std::collections::BTreeSet<String> = moves.iter().map(|m| book(&m.book)).collect();
    let books: Vec<String> = books.into_iter().collect();
    let title = format!("limits changed at {}: {}", some(&books), game(&row.home, &row.away));
    let mut m = moment.message(Kind::Limit, Severity::Info, title);
    let sport = names.sport(row.sport);
    m.facts.push(fact("game", format!("{} ({})", game(&row.home, &row.away), league(sport))));
    for moved in moves {
        let label = format!("{} {}", market(&moved.market), moved.outcome);
        m.facts.push(fact(&label, format!("{} takes {}, took {}", book(&moved.book), moved.to, moved.from)));
    }
    m.facts.push(fact("seen", clock(moment.at)));
    m.facts.push(fact("start", starts(row.commence, moment.at)));
    let told = |l: &&LimitMove| serde_json::json!({"market": l.market, "book": l.book, "outcome": l.outcome, "from": l.from, "to": l.to});
    m.data = Some(serde_json::json!({
        "sport": sport,
        "event_id": row.id,
        "provider_event_id": &*row.provider_id,
        "home_team": &*row.home,
        "away_team": &*row.away,
        "commence_time": row.commence,
        "limits": moves.iter().map(told).collect::<Vec<_>>(),
    }));
    m
}

/// One market of [`markets`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketNews {
    /// Market key.
    pub market: String,
    /// Book keys.
    pub books: Vec<String>,
    /// Since when it had been as it was before.
    pub was_since: Option<Timestamp>,
}

/// A quote that answers a wish.
pub fn line(wish: &Wish, offer: &Offer, row: &EventRow, names: &Names, moment: &Moment<'_>) -> Message {
    let (key, own) = (names.market(offer.market), names.book(offer.book));
    let family = MarketSpec::parse(key).family;
    let who = side_name(offer.side, row);
    let what = match offer.line {
        Some(line) => format!("{who} {}", line_text(line, family)),
        None => who.clone(),
    };
    let price = american(offer.price.to_decimal());
    let sport = names.sport(row.sport);
    let title = format!("{what} {price} at {} ({})", book(own), short_game(sport, &row.home, &row.away));
    let mut m = moment.message(Kind::Line, Severity::Notice, title);
    m.text = format!("You asked for {wish}.");
    m.facts.push(fact("game", format!("{} ({})", game(&row.home, &row.away), league(sport))));
    m.facts.push(fact("side", what));
    let seen = moment.at.since(offer.seen) as f64 / 1000.0;
    m.facts.push(fact("entry", format!("{} {}, {}", book(own), prices(offer.price), age(seen))));
    m.facts.push(fact(
        "answer",
        match offer.how {
            How::Asked => "the line you asked for".to_owned(),
            How::Better => "a better line at no worse a price".to_owned(),
            How::Equivalent(odds) => {
                let wanted = wish.wanted_line().map(|l| line_text(l, family)).unwrap_or_default();
                format!("worth {} at {wanted}", american(odds))
            }
        },
    ));
    m.facts.push(fact("start", starts(row.commence, moment.at)));
    m.data = Some(serde_json::json!({
        "sport": sport,
        "event_id": row.id,
        "provider_event_id": &*row.provider_id,
        "home_team": &*row.home,
        "away_team": &*row.away,
        "commence_time": row.commence,
        "market": key,
        "side": offer.side.name(),
        "book": own,
        "line": offer.line.map(Line::points),
        "price": offer.price.to_decimal(),
        "price_american": offer.price.to_american(),
        "age_seconds": seen,
        "worth_at_wanted_line": offer.worth,
        "wish": wish,
    }));
    m
}

fn game(home: &str, away: &str) -> String {
    if away.is_empty() { home.to_owned() } else { format!("{away} @ {home}") }
}

/// `MIA @ BOS`, in full where a team has no code.
fn short_game(sport: &str, home: &str, away: &str) -> String {
    let short = |name: &str| code(sport, name).unwrap_or_else(|| name.to_owned());
    game(&short(home), &short(away))
}

fn league(sport: &str) -> String {
    Sports::embedded().resolve(sport).short.clone()
}

fn book(key: &str) -> String {
    Books::embedded().resolve(key).title
}

fn some(names: &[String]) -> String {
    match names {
        [] => "no book".to_owned(),
        names if names.len() > NAMED => {
            format!("{} and {} more", names.get(..NAMED).unwrap_or_default().join(", "), names.len() - NAMED)
        }
        names => names.join(", "),
    }
}

/// The market for people.
pub fn market(key: &str) -> String {
    match key {
        "h2h" => "Moneyline".into(),
        "spreads" => "Spread".into(),
        "totals" => "Total".into(),
        _ => {
            let words = key.replace('_', " ").replace("h2h", "moneyline");
            let mut letters = words.chars();
            letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
        }
    }
}

/// The type, written out.
pub const fn kind(kind: SignalType) -> &'static str {
    match kind {
        SignalType::Move => "MOVE",
        SignalType::KeyCross => "KEY CROSS",
        SignalType::MultibookSync => "SYNC",
        SignalType::Dislocation => "DISLOCATION",
        SignalType::Steam => "STEAM",
        SignalType::LiveShock => "LIVE SHOCK",
        SignalType::ExchangeDivergence => "DIVERGENCE",
    }
}

fn side_name(side: Side, row: &EventRow) -> String {
    match side {
        Side::Home => row.home.to_string(),
        Side::Away => row.away.to_string(),
        Side::Over => "Over".into(),
        Side::Under => "Under".into(),
        Side::Draw => "Draw".into(),
        other => other.name().to_owned(),
    }
}

fn line_text(line: Line, family: Family) -> String {
    let points = line.points();
    match family {
        Family::Spread if points == 0.0 => "PK".to_owned(),
        Family::Spread => format!("{points:+}"),
        _ => points.to_string(),
    }
}

/// The side to take with its line.
fn side(s: &Signal, line: Option<f64>) -> String {
    let family = MarketSpec::parse(&s.market).family;
    match line.and_then(Line::from_points) {
        Some(line) => format!("{} {}", s.selection, line_text(line, family)),
        None => s.selection.clone(),
    }
}

/// Decimal odds as American ones.
pub fn american(decimal: f64) -> String {
    format!("{:+}", decimal_to_american(decimal))
}

fn prices(price: Price) -> String {
    format!("{:+} ({:.2})", price.to_american(), price.to_decimal())
}

fn price_at(entry: &Entry) -> String {
    format!("{} {:+}", book(&entry.book), entry.price_american)
}

fn taken_at(s: &Signal, entry: &Entry) -> String {
    let family = MarketSpec::parse(&s.market).family;
    let line = entry.line.and_then(Line::from_points).map(|l| format!("{} ", line_text(l, family)));
    format!("{} {}{:+} ({:.2})", book(&entry.book), line.unwrap_or_default(), entry.price_american, entry.price)
}

fn age(seconds: f64) -> String {
    let ago = format!("seen {} ago", span(seconds.max(0.0)));
    if seconds > OLD { format!("{ago}: OLD, look again before you act") } else { ago }
}

fn fair(entry: &Entry) -> String {
    let Some(p) = entry.fair_probability.filter(|p| *p > 0.0 && *p < 1.0) else {
        return "not known: too few other books".to_owned();
    };
    let worth = match entry.ev.filter(|ev| ev.is_finite()) {
        Some(ev) => format!(", the entry is worth {:+.1} %", ev * 100.0),
        None => String::new(),
    };
    format!("{:.1} % ({}) without {}{worth}", p * 100.0, american(1.0 / p), book(&entry.book))
}

fn value(s: &Signal, v: f64) -> String {
    let spread = MarketSpec::parse(&s.market).family == Family::Spread;
    match s.unit.as_str() {
        "probability" => format!("{:.1} %", v * 100.0),
        _ if spread => format!("{v:+.2}"),
        _ => format!("{v:.2}"),
    }
}

/// Whose value `from_value` and `to_value` are: the first side's.
fn first_side(s: &Signal) -> &str {
    match MarketSpec::parse(&s.market).family {
        Family::Moneyline | Family::Moneyline3Way | Family::Spread | Family::DrawNoBet => &s.home_team,
        Family::Total => "Total",
        _ => &s.selection,
    }
}

/// From what to what, in a sentence.
fn moved(s: &Signal) -> String {
    let (from, to) = (value(s, s.from_value), value(s, s.to_value));
    match s.kind {
        SignalType::Dislocation | SignalType::ExchangeDivergence => {
            let at = s.detail.book.as_deref().map(book).unwrap_or_default();
            let label = s.detail.label.as_deref().map(|l| format!(" ({l})")).unwrap_or_default();
            format!("{}: {at}{label} stands at {to}, the others at {from}.", first_side(s))
        }
        _ => {
            let books = format!("{} of {} books", s.books_affected, s.panel);
            let against = if s.opposers == 0 { String::new() } else { format!(", {} against", s.opposers) };
            let keys: Vec<String> = s.detail.keys.iter().map(|k| k.number.to_string()).collect();
            let keys = if keys.is_empty() { String::new() } else { format!(" over the key {}", keys.join(", ")) };
            format!("{} {from} → {to}{keys} in {}, {books}{against}.", first_side(s), span(s.velocity_minutes * 60.0))
        }
    }
}

fn stand(s: &Signal, stand: &Stand) -> String {
    let family = MarketSpec::parse(&s.market).family;
    let price = stand.prices.first().copied().flatten().map(american).unwrap_or_default();
    match stand.line.and_then(Line::from_points) {
        Some(line) => format!("{} {price}", line_text(line, family)),
        None => price,
    }
}

/// Who moved, from what to what, first movers first.
fn evidence(s: &Signal) -> String {
    let mut movers: Vec<_> = s.evidence.iter().filter(|e| e.order.is_some()).collect();
    movers.sort_by(|a, b| (a.order, &a.book).cmp(&(b.order, &b.book)));
    if movers.is_empty() {
        // A comparison of prices has no movers: the book itself is the evidence.
        let about = s.evidence.iter().filter(|e| Some(&e.book) == s.detail.book.as_ref());
        let told: Vec<String> = about.map(|e| format!("{} {}", book(&e.book), stand(s, &e.after))).collect();
        return if told.is_empty() { moved(s) } else { told.join("; ") };
    }
    let told: Vec<String> = movers
        .iter()
        .take(NAMED)
        .map(|e| {
            let at = e.moved_at.map(|at| format!(" by {}", clock(at))).unwrap_or_default();
            format!("{} {} → {}{at}", book(&e.book), stand(s, &e.before), stand(s, &e.after))
        })
        .collect();
    let more = movers.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!("; {more} more") };
    // Lines and prices of the evidence are those of the first side, whichever side is to be taken.
    format!("{}: {}{more}", first_side(s), told.join("; "))
}

fn strength(s: &Signal) -> String {
    let sharp = match s.sharp {
        Sharp::Agree => ", sharp books agree",
        Sharp::None => "",
        Sharp::Oppose => ", sharp books went the other way",
    };
    format!("{} of 100, composite {} ({}){sharp}", s.strength, s.composite, s.tier.name())
}

/// `in 1h25m (2026-11-21 20:00 UTC)`.
pub fn starts(start: Timestamp, now: Timestamp) -> String {
    let seconds = start.since(now) as f64 / 1000.0;
    let at = start.to_chrono().format("%Y-%m-%d %H:%M UTC");
    if seconds >= 0.0 { format!("in {} ({at})", span(seconds)) } else { format!("{} ago ({at})", span(-seconds)) }
}

/// `18:02:11 UTC`.
pub fn clock(at: Timestamp) -> String {
    at.to_chrono().format("%H:%M:%S UTC").to_string()
}

/// A span of seconds: `45s`, `2m10s`, `1h05m`, `3d04h`.
pub fn span(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.round().clamp(0.0, 1e9) as i64 } else { 0 };
    match s {
        0..60 => format!("{s}s"),
        60..3600 if s % 60 == 0 => format!("{}m", s / 60),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3600),
    }
}
