//! The evidence of every signal of recorded days, counted out again by hand from the raw lines.
//!
//! The counting shares no code with the engine: plain JSON values, text keys, one rule a line, vig removed by bisection.
//! What the margin models say (values in points) is their own business; here only its sign is looked at.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::raw::{
    Clocks, FRESH_MS, MINUTE, Outcomes, decimal, median, millis, number, outcomes, power, rows, sides, text,
};
use common::{import_with, lines, series, usual};
use rusqlite::Connection;
use serde_json::Value;
use stratum::engine::EngineSettings;

/// One market of one book in one look.
#[derive(Clone, Debug)]
struct Offer {
    update: i64,
    open: bool,
    sides: Outcomes,
}

/// One event in one look.
#[derive(Clone, Debug, Default)]
struct Shown {
    commence: i64,
    /// By market, then by book.
    markets: BTreeMap<String, BTreeMap<String, Offer>>,
}

/// A complete, open market of one book.
#[derive(Clone, PartialEq, Debug)]
struct Stand {
    line: Option<f64>,
    prices: [f64; 2],
    probability: f64,
}

/// A recording: when each look was taken, and what it showed of each event.
struct Recorded {
    at: Vec<i64>,
    events: BTreeMap<String, Vec<Option<Shown>>>,
}

fn read(looks: &[(i64, Vec<u8>)]) -> Recorded {
    let mut recorded = Recorded { at: Vec::new(), events: BTreeMap::new() };
    let mut clocks = Clocks::default();
    for (at, body) in looks {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        clocks.next_look();
        let n = recorded.at.len();
        recorded.at.push(*at);
        for event in body.as_array().expect("events") {
            let id = text(event, "id");
            let mut shown = Shown { commence: millis(text(event, "commence_time")), ..Shown::default() };
            for book in event["bookmakers"].as_array().expect("bookmakers") {
                for market in book["markets"].as_array().expect("markets") {
                    let place = (id.to_owned(), text(book, "key").to_owned(), text(market, "key").to_owned());
                    let update = millis(text(market, "last_update"));
                    let fresh = clocks.fresh(&place, update, *at);
                    let future = update - at > MINUTE;
                    let mut offer = Offer { update, open: fresh && !future, sides: outcomes(event, market) };
                    offer.open &= !contradicts(&offer);
                    shown.markets.entry(place.2).or_default().insert(place.1, offer);
                }
            }
            let looks = recorded.events.entry(id.to_owned()).or_default();
            looks.resize(n, None);
            looks.push(Some(shown));
        }
    }
    let n = recorded.at.len();
    recorded.events.values_mut().for_each(|looks| looks.resize(n, None));
    recorded
}

/// Two sides of a spread or total that do not stand at one line.
fn contradicts(offer: &Offer) -> bool {
    let line = |side: &str| offer.sides.get(side).and_then(|s| s.0);
    match (line("home"), line("away"), line("over"), line("under")) {
        (Some(home), Some(away), ..) => home != -away,
        (_, _, Some(over), Some(under)) => over != under,
        _ => false,
    }
}

impl Shown {
    fn stand(&self, market: &str, book: &str) -> Option<Stand> {
        let offer = self.markets.get(market)?.get(book).filter(|o| o.open)?;
        let [first, second] = sides(market);
        let (a, b) = (offer.sides.get(first)?, offer.sides.get(second)?);
        let prices = [decimal(a.1), decimal(b.1)];
        let (p, q) = (1.0 / prices[0], 1.0 / prices[1]);
        if p + q < 1.0 - 1e-12 || p + q > 1.25 {
            return None;
        }
        Some(Stand { line: a.0, prices, probability: power(p, q) })
    }
}

/// What one signal is checked against.
struct Case<'r> {
    what: String,
    signal: &'r Value,
    market: &'r str,
    at: &'r [i64],
    looks: &'r [Option<Shown>],
    families: &'r BTreeMap<String, String>,
    /// The look of this version, and the one that stands for the start of its window.
    now: usize,
    from: Option<usize>,
}

#[derive(Default)]
struct Counts {
    signals: BTreeMap<String, u32>,
    books: u32,
    held: u32,
    entries: u32,
    signs: u32,
}

impl Case<'_> {
    fn shown(&self, look: usize) -> Option<&Shown> {
        self.looks[look].as_ref()
    }

    fn stand(&self, look: usize, book: &str) -> Option<Stand> {
        self.shown(look)?.stand(self.market, book)
    }

    fn shows_market(&self, look: usize) -> bool {
        self.shown(look).is_some_and(|s| s.markets.contains_key(self.market))
    }

    fn family<'s>(&'s self, book: &'s str) -> &'s str {
        self.families.get(book).map_or(book, |f| f)
    }

    fn has_model(&self) -> bool {
        self.signal["unit"] == "line"
    }

    fn books(&self, look: usize) -> BTreeSet<String> {
        let shown = self.shown(look).and_then(|s| s.markets.get(self.market));
        shown.map(|m| m.keys().cloned().collect()).unwrap_or_default()
    }

    /// The book was not open in the look before: it came back (or came) with this one.
    fn came_back(&self, book: &str) -> bool {
        self.now == 0 || self.stand(self.now - 1, book).is_none()
    }

    /// Another book says nearly the same. Of points only where line and price are nearly the same: the rest is a model's.
    fn agreed(&self, book: &str) -> Option<bool> {
        let own = self.stand(self.now, book)?;
        let mut unknown = false;
        for other in self.books(self.now).iter().filter(|b| *b != book) {
            let Some(other) = self.stand(self.now, other) else { continue };
            let near = (own.probability - other.probability).abs();
            if own.line == other.line && near <= if self.has_model() { 0.005 } else { 0.01 - 1e-9 } {
                return Some(true);
            }
            unknown |= self.has_model() && own.line.zip(other.line).is_some_and(|(a, b)| (a - b).abs() <= 1.0);
            unknown |= own.line == other.line && (near - 0.01).abs() < 1e-9;
        }
        if unknown { None } else { Some(false) }
    }

    /// Books open at both ends of the window, by the plain rules.
    fn panel(&self) -> BTreeMap<String, (Stand, Stand)> {
        let Some(from) = self.from else { return BTreeMap::new() };
        let pregame = |look: usize| self.shown(look).is_none_or(|s| self.at[look] < s.commence);
        if !(from..=self.now).all(pregame) {
            return BTreeMap::new();
        }
        let both = |book: String| {
            let (before, after) = (self.stand(from, &book)?, self.stand(self.now, &book)?);
            (self.has_model() || before.line == after.line).then_some((book, (before, after)))
        };
        self.books(self.now).into_iter().filter_map(both).collect()
    }

    fn sampling(&self) {
        let sampling = &self.signal["sampling"];
        let Some(from) = self.from else {
            assert_eq!(sampling["looks"], 1, "{}: nothing to compare with", self.what);
            return;
        };
        assert_eq!(millis(text(sampling, "from_look")), self.at[from], "{}: window's start", self.what);
        let at: Vec<i64> =
            (from..=self.now).filter(|look| self.shows_market(*look)).map(|look| self.at[look]).collect();
        assert_eq!(sampling["looks"], at.len(), "{}: looks", self.what);
        let gap = at.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        let told = number(&sampling["longest_gap_seconds"]);
        assert!((told - gap as f64 / 1000.0).abs() < 1e-9, "{}: gap {told}", self.what);
        let limit = number(&sampling["limit_seconds"]);
        assert!(limit == 0.0 || gap as f64 / 1000.0 <= limit, "{}: judged beyond its limit", self.what);
    }

    fn evidence(&self, counts: &mut Counts) {
        let panel = self.panel();
        let evidence = self.signal["evidence"].as_array().expect("evidence");
        let told: Vec<&str> = evidence.iter().map(|e| text(e, "book")).collect();
        assert!(told.windows(2).all(|w| w[0] < w[1]), "{}: in order, once each", self.what);
        if told.is_empty() {
            for (book, (before, after)) in &panel {
                let still = before.line == after.line && (before.probability - after.probability).abs() < 1e-9;
                assert!(still || self.came_back(book), "{}: {book} moved and nobody tells", self.what);
            }
            return;
        }
        for book in &told {
            assert!(panel.contains_key(*book), "{}: {book} was not open at both ends", self.what);
            if self.came_back(book) {
                assert_ne!(self.agreed(book), Some(false), "{}: {book} came back and nobody agrees", self.what);
            }
        }
        for book in panel.keys().filter(|b| !told.contains(&b.as_str())) {
            assert!(self.came_back(book), "{}: {book} was open at both ends", self.what);
            assert_ne!(self.agreed(book), Some(true), "{}: {book} came back and another agrees", self.what);
            counts.held += 1;
        }
        for e in evidence {
            let book = text(e, "book");
            let (before, after) = &panel[book];
            self.end(&e["before"], before, &format!("{book} before"));
            self.end(&e["after"], after, &format!("{book} after"));
            assert_eq!(text(e, "family"), self.family(book), "{}", self.what);
            self.moved(e, before);
            self.change(e, before, after, counts);
            counts.books += 1;
        }
        self.families(evidence);
    }

    /// Line and prices exactly; the probability as bisection has it.
    fn end(&self, told: &Value, stand: &Stand, what: &str) {
        assert_eq!(told["line"].as_f64(), stand.line, "{}: {what}", self.what);
        for (place, price) in stand.prices.iter().enumerate() {
            assert!((number(&told["prices"][place]) - price).abs() < 1e-12, "{}: {what}", self.what);
        }
        assert!(told["prices"][2].is_null(), "{}: {what}", self.what);
        let p = number(&told["probability"]);
        assert!((p - stand.probability).abs() < 1e-9, "{}: {what}: {p}, by hand {}", self.what, stand.probability);
        if !self.has_model() {
            assert!((number(&told["value"]) - stand.probability).abs() < 1e-9, "{}: {what}", self.what);
        }
    }

    /// The first look that showed another line or chance, and the look before it.
    fn moved(&self, e: &Value, before: &Stand) {
        let book = text(e, "book");
        let from = self.from.expect("a panel has a window");
        let differs = |look: &usize| {
            let stand = self.stand(*look, book);
            stand.is_some_and(|s| s.line != before.line || (s.probability - before.probability).abs() > 1e-9)
        };
        let first = (from + 1..=self.now).find(differs).filter(|_| number(&e["change"]) != 0.0);
        let told = |field: &str| e[field].as_str().map(millis);
        assert_eq!(told("moved_at"), first.map(|look| self.at[look]), "{}: {book} moved", self.what);
        let after = first.and_then(|look| (0..look).rev().find(|look| self.shows_market(*look)));
        assert_eq!(told("moved_after"), after.map(|look| self.at[look]), "{}: {book} moved after", self.what);
    }

    fn change(&self, e: &Value, before: &Stand, after: &Stand, counts: &mut Counts) {
        let change = number(&e["change"]);
        let chance = after.probability - before.probability;
        if !self.has_model() {
            assert!((change - chance).abs() < 2e-9, "{}: {e}", self.what);
            return;
        }
        let line = match (before.line, after.line) {
            // A line that falls: home is expected to win by more.
            (Some(from), Some(to)) if self.market == "spreads" => from - to,
            (Some(from), Some(to)) => to - from,
            _ => panic!("{}: no line", self.what),
        };
        // Where line and chance pull apart, the model has to weigh them.
        let up = line >= 0.0 && chance >= -1e-9;
        let down = line <= 0.0 && chance <= 1e-9;
        match (up, down) {
            (true, true) => assert!(change.abs() < 1e-6, "{}: {e}", self.what),
            (true, false) if line > 0.0 || chance > 1e-4 => assert!(change > 0.0, "{}: {e}", self.what),
            (false, true) if line < 0.0 || chance < -1e-4 => assert!(change < 0.0, "{}: {e}", self.what),
            _ => return,
        }
        counts.signs += 1;
    }

    /// How many independent books moved, and how many against: a family moves by the median of its members.
    fn families(&self, evidence: &[Value]) {
        let mut members: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for e in evidence {
            members.entry(self.family(text(e, "book"))).or_default().push(number(&e["change"]));
        }
        let changes: Vec<f64> = members.into_values().map(median).collect();
        assert_eq!(self.signal["panel"], changes.len(), "{}: panel", self.what);
        let kind = text(self.signal, "type");
        let sign = match self.signal["side"].as_str().expect("a side to take") {
            "home" | "over" => 1.0,
            _ => -1.0,
        };
        let chance = !self.has_model();
        let class = if chance { 2 } else { usize::from(self.market == "totals") };
        let threshold = match kind {
            "MOVE" | "STEAM" => [0.5, 1.0, 0.02][class],
            "MULTIBOOK_SYNC" => [0.5, 0.5, 0.01][class],
            _ => return,
        };
        let wide = chance || (class == 0 && !text(self.signal, "sport").starts_with("baseball"));
        // Where results spread less than football's, points count for more: at some threshold not above it all fits.
        let tried: Vec<f64> = (20..=100).rev().map(|n| f64::from(n) / 100.0 * threshold).collect();
        let tried = if wide { &tried[..1] } else { &tried[..] };
        let fits = |threshold: &f64| {
            let least = if kind == "MULTIBOOK_SYNC" { *threshold } else { 0.4 * threshold } - 1e-6;
            let movers: Vec<f64> = changes.iter().map(|c| c * sign).filter(|c| *c >= least).collect();
            let against = changes.iter().filter(|c| *c * -sign >= least).count();
            let counted = self.signal["books_affected"] == movers.len() && self.signal["opposers"] == against;
            let enough = match kind {
                "MOVE" => changes.len() >= 3 && median(changes.clone()) * sign >= threshold - 2e-6,
                "STEAM" => movers.len() >= 4 && against <= 1 && median(movers) >= threshold - 2e-6,
                _ => movers.len() >= 3 && movers.len() > against,
            };
            counted && enough
        };
        assert!(tried.iter().any(fits), "{}: {changes:?}, {}", self.what, self.signal);
    }

    /// The quote to take stood in the answer, fresh, and nobody offered more for the same.
    fn entry(&self, entry: &Value, best: bool, look: usize, counts: &mut Counts) {
        let side = self.signal["side"].as_str().expect("a side to take");
        let shown = &self.shown(look).expect("the event is shown").markets[self.market];
        let book = text(entry, "book");
        let offer = &shown[book];
        let american = entry["price_american"].as_i64().expect("price");
        assert_eq!(offer.sides[side], (entry["line"].as_f64(), american), "{}: entry", self.what);
        assert!((number(&entry["price"]) - decimal(american)).abs() < 1e-12, "{}: entry", self.what);
        assert!(offer.open, "{}: entry is open", self.what);
        let age = (self.at[look] - offer.update).max(0);
        assert!(age <= FRESH_MS, "{}: entry is fresh", self.what);
        assert!((number(&entry["age_seconds"]) - age as f64 / 1000.0).abs() < 1e-9, "{}: entry's age", self.what);
        counts.entries += 1;
        let detail = &self.signal["detail"];
        if !best {
            assert_eq!(detail["book"], book, "{}: the quote itself is taken", self.what);
            return;
        }
        for (other, offer) in shown.iter().filter(|(b, o)| **b != book && o.open && detail["book"] != b.as_str()) {
            let Some((line, price)) = offer.sides.get(side) else { continue };
            if *line == entry["line"].as_f64() && self.at[look] - offer.update <= FRESH_MS {
                let held = self.came_back(other) && self.agreed(other) != Some(true);
                assert!(
                    decimal(*price) <= decimal(american) + 1e-12 || held,
                    "{}: {other} offers {price}, better than {american} of {book}",
                    self.what
                );
            }
        }
    }
}

/// Book to family, read as plain TOML.
fn families() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/books.toml");
    let table: toml::Table = std::fs::read_to_string(path).expect("books").parse().expect("TOML");
    let books = table["book"].as_array().expect("books").iter();
    books
        .map(|b| {
            assert!(b.get("fresh_seconds").is_none(), "the counting here knows one limit of age for all");
            let name = |field: &str| b.get(field).and_then(|f| f.as_str());
            let key = name("key").expect("key");
            (key.to_owned(), name("family").unwrap_or(key).to_owned())
        })
        .collect()
}

/// Windows that fit looks minutes apart.
fn wide() -> EngineSettings {
    let mut settings = usual();
    let rules = &mut settings.rules;
    for rule in [&mut rules.market_move, &mut rules.sync, &mut rules.steam] {
        (rule.window_ms, rule.cooldown_ms) = ([20 * MINUTE; 3], [20 * MINUTE; 3]);
    }
    settings
}

fn check(name: &str, settings: &EngineSettings, wanted: &[&str]) {
    let Some(path) = series(name) else { return };
    let recorded = read(&lines(&path));
    let folder = tempfile::tempdir().expect("folder");
    let db = folder.path().join("stratum.db");
    import_with(&db, settings.clone(), path);
    let families = families();
    let c = Connection::open(&db).expect("database");
    let signals = rows(&c, "SELECT json FROM signal ORDER BY id, version");
    let mut counts = Counts::default();
    let mut first_entry: BTreeMap<String, Value> = BTreeMap::new();
    for signal in &signals {
        let kind = text(signal, "type");
        *counts.signals.entry(kind.to_owned()).or_default() += 1;
        let (id, version) = (text(signal, "id"), signal["version"].as_u64().expect("version"));
        let what = format!("{name} {kind} {id} {version} {}", text(signal, "updated_at"));
        let now = millis(text(signal, "updated_at"));
        let looks = &recorded.events[text(signal, "provider_event_id")];
        let market = text(signal, "market");
        let window = (number(&signal["window_minutes"]) * MINUTE as f64) as i64;
        let showing = |look: &usize| looks[*look].as_ref().is_some_and(|s| s.markets.contains_key(market));
        let now_look = recorded.at.binary_search(&now).expect("a look");
        let from = (0..=now_look).rev().find(|look| recorded.at[*look] <= now - window && showing(look));
        let case = Case {
            what: what.clone(),
            signal,
            market,
            at: &recorded.at,
            looks,
            families: &families,
            now: now_look,
            from,
        };
        let start = looks[now_look].as_ref().expect("shown").commence;
        assert_eq!(millis(text(signal, "commence_time")), start, "{what}: start");
        let minutes = (start - now) as f64 / MINUTE as f64;
        assert!((number(&signal["minutes_to_tip"]) - minutes).abs() < 1e-9, "{what}: minutes to tip");
        assert!(start > now, "{what}: no signals in play are asked for");
        case.sampling();
        case.evidence(&mut counts);
        let best = kind != "DISLOCATION" || signal["detail"]["label"] == "leading";
        let entry = &signal["entry"];
        if version == 1 {
            assert_eq!(signal["detected_at"], signal["updated_at"], "{what}");
            first_entry.insert(id.to_owned(), entry.clone());
            if !entry.is_null() {
                case.entry(entry, best, now_look, &mut counts);
            }
        } else {
            assert_eq!(entry, &first_entry[id], "{what}: graded by the first entry");
            if !signal["entry_now"].is_null() {
                case.entry(&signal["entry_now"], best, now_look, &mut counts);
            }
        }
    }
    eprintln!(
        "{name}: {:?}, {} books of panels, {} held back, {} entries, {} signs",
        counts.signals, counts.books, counts.held, counts.entries, counts.signs
    );
    for kind in wanted {
        assert!(counts.signals.get(*kind).is_some_and(|n| *n > 0), "{name}: no {kind}");
    }
    assert!(counts.entries > 0 && counts.books > 0, "{name}");
}

#[test]
fn kbo() {
    check("kbo_2026_07_20_21", &usual(), &["DISLOCATION", "KEY_CROSS"]);
    check("kbo_2026_07_20_21", &wide(), &["DISLOCATION", "KEY_CROSS", "MULTIBOOK_SYNC", "STEAM"]);
}

#[test]
fn wnba() {
    check("wnba_2026_08_03_05", &usual(), &["DISLOCATION", "MOVE", "MULTIBOOK_SYNC"]);
    check("wnba_2026_08_03_05", &wide(), &["DISLOCATION", "MOVE", "MULTIBOOK_SYNC", "STEAM"]);
}

#[test]
fn nfl() {
    check("nfl_2025_week10", &usual(), &["DISLOCATION", "KEY_CROSS"]);
    check("nfl_2025_week10", &wide(), &["DISLOCATION", "MULTIBOOK_SYNC", "STEAM"]);
}

#[test]
fn mlb() {
    check("mlb_2026_08_03_05", &usual(), &["DISLOCATION"]);
    check("mlb_2026_08_03_05", &wide(), &["DISLOCATION", "MULTIBOOK_SYNC", "STEAM"]);
}
