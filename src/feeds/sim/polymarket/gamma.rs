//! The objects of Gamma: events, markets, series, tags, with their odd habits.
//!
//! Lists are JSON inside strings, numbers come as text or as numbers, times in three styles, fields are missing where
//! they are missing on the real exchange. Quotes in them are up to five minutes old.

use serde_json::{Map, Value, json};

use super::super::game::Phase;
use super::super::rng::{mix, name_tag};
use super::catalog::{EventSpec, MarketSpec, tenths};
use super::fair::{Outcome, settled_at};
use super::leagues::{GAMES_TAG, LEAGUES, League, SPORTS_TAG};
use super::venue::{Standing, State, Venue};
use crate::market::time::Timestamp;

/// Quotes in here are refreshed so often.
const QUOTES_MS: i64 = 300_000;
/// The exchange says that a game is over so many hours after its start, whatever happens.
const NOMINAL_MS: i64 = 6 * 3_600_000;

/// `2026-11-21 00:10:00+00`
pub fn spaced(at: Timestamp) -> String {
    at.to_chrono().format("%Y-%m-%d %H:%M:%S+00").to_string()
}

/// `2026-11-21T00:10:00.123456Z`
fn micros(at: Timestamp, tag: u64) -> String {
    let at = Timestamp::from_secs(at.secs());
    format!("{}.{:06}Z", at.to_wire().trim_end_matches('Z'), mix(&[tag, 80]) % 1_000_000)
}

fn number(x: f64) -> Value {
    json!((x * 1e6).round() / 1e6)
}

/// Shares that were traded until a step, roughly.
fn volume(market: &MarketSpec, step: i64) -> f64 {
    let before = market.depth * 40.0 * (1.0 + (mix(&[market.tag, 81]) % 100) as f64 / 10.0);
    before + super::book::trades_until(market, step) as f64 * market.depth * 0.31
}

/// The price of the first outcome as `outcomePrices` has it.
fn first_price(venue: &Venue, n: usize, standing: Standing, quoted: Timestamp, state: &State) -> f64 {
    match standing {
        Standing::Resolved(Outcome::First) => 1.0,
        Standing::Resolved(Outcome::Second) => 0.0,
        Standing::Resolved(Outcome::Split) => 0.5,
        Standing::Open | Standing::Unlisted => {
            let ladder = venue.mark(n, quoted, state).map(|m| venue.ladder(n, m));
            ladder.and_then(|l| l.twice_mid()).map_or(0.5, |m| f64::from(m) / 2000.0)
        }
    }
}

/// A market.
pub fn market(venue: &Venue, n: usize, at: Timestamp, state: &State, with_event: bool) -> Value {
    let Some(m) = venue.market(n) else { return Value::Null };
    let Some(event) = venue.event_of(m) else { return Value::Null };
    let quoted = Timestamp::from_millis(at.millis().div_euclid(QUOTES_MS) * QUOTES_MS).max(venue.opens());
    let standing = venue.standing(n, at, state);
    let closed = standing != Standing::Open;
    let start = start(venue, event, at);
    let first = first_price(venue, n, standing, quoted, state);
    let step = venue.step(n, quoted);
    let opened = venue.opens();
    // With a space after the comma, as the exchange writes it.
    let text = |[a, b]: &[String; 2]| format!("[{}, {}]", json!(a), json!(b));
    let odd = |k: u64, of: u64| mix(&[m.tag, 90 + k]).is_multiple_of(of);
    let mut o = Map::new();
    let mut put = |key: &str, value: Value| {
        o.insert(key.to_owned(), value);
    };
    put("id", json!(m.id.to_string()));
    put("question", json!(m.question));
    put("conditionId", json!(m.condition));
    put("slug", json!(m.slug));
    put("resolutionSource", json!(event.league.source));
    put("endDate", json!(end_date(venue, event).to_wire()));
    put("startDate", json!(micros(opened, m.tag)));
    put("description", json!(description(m, event, start)));
    put("outcomes", json!(text(&m.outcomes)));
    put("outcomePrices", json!(text(&[shown(first), shown(1.0 - first)])));
    put("clobTokenIds", json!(text(&m.tokens)));
    put("questionID", json!(m.question_id));
    put("active", json!(true));
    put("closed", json!(closed));
    put("archived", json!(false));
    put("new", json!(false));
    put("featured", json!(false));
    put("restricted", json!(true));
    put("approved", json!(true));
    put("acceptingOrders", json!(!closed));
    put("enableOrderBook", json!(true));
    put("acceptingOrdersTimestamp", json!(opened.to_wire()));
    put("createdAt", json!(micros(opened.plus(-60_000), m.tag ^ 1)));
    put("updatedAt", json!(micros(quoted, m.tag ^ 2)));
    put("orderPriceMinTickSize", json!(tick(venue, n, quoted, state)));
    put("orderMinSize", json!(5));
    put("negRisk", json!(m.neg_risk));
    put("marketMakerAddress", json!(""));
    put("makerBaseFee", json!(1000));
    put("takerBaseFee", json!(1000));
    put("feesEnabled", json!(true));
    put("feeType", json!("sports_fees_v2"));
    put("feeSchedule", json!({"exponent": 1, "rate": 0.05, "takerOnly": true, "rebateRate": 0.15}));
    put("secondsDelay", json!(3));
    put("rewardsMinSize", json!(50));
    put("rewardsMaxSpread", json!(4.5));
    put("hasReviewedDates", json!(true));
    put("clearBookOnStart", json!(true));
    put("endDateIso", json!(event.date));
    // Between the end of the game and that of the market the result is proposed.
    let known = venue.fixture(m.fixture).is_some_and(|f| at >= settled_at(&f.game, &m.bet));
    let status = if closed { "resolved" } else { "proposed" };
    put("umaResolutionStatus", json!(if closed || known { status } else { "" }));
    put("umaResolutionStatuses", json!(if closed || known { "[\"proposed\"]" } else { "[]" }));
    let traded = volume(m, step);
    put("volume", json!(format!("{traded:.6}")));
    put("volumeNum", number(traded));
    put("volumeClob", number(traded));
    put("volume24hr", number(traded * 0.7));
    if !closed {
        let liquidity = m.depth * 9.0;
        put("liquidity", json!(format!("{liquidity:.4}")));
        put("liquidityNum", number(liquidity));
        put("liquidityClob", number(liquidity));
    } else {
        put("closedTime", json!(spaced(m.closes.min(at))));
        put("automaticallyResolved", json!(true));
    }
    put("sportsMarketType", json!(m.kind));
    if let Some(line) = m.line {
        put("line", json!(f64::from(line) / 100.0));
    }
    if !(m.kind == "moneyline" && odd(1, 4)) {
        put("groupItemTitle", json!(m.group));
    }
    // The game's id is missing on some of the lines, on all of the players.
    if m.kind == "moneyline" || (m.line.is_some() && m.slow < 5 && !odd(2, 3)) {
        put("gameId", json!(event.game_id.to_string()));
    }
    match mix(&[m.tag, 93]) % 6 {
        0 => put("gameStartTime", json!(start.to_wire())),
        1 if m.kind != "moneyline" => {}
        _ => put("gameStartTime", json!(spaced(start))),
    }
    put("eventStartTime", json!(start.to_wire()));
    if let Some(mark) = venue.mark(n, quoted, state).filter(|_| !closed) {
        let (bid, ask) = venue.ladder(n, mark).best();
        let price = |p: i32| number(f64::from(p) / 1000.0);
        if let Some(bid) = bid {
            put("bestBid", price(bid));
        }
        put("bestAsk", price(ask.unwrap_or(1000)));
        put("spread", price(ask.unwrap_or(1000) - bid.unwrap_or(0)));
        if let Some(trade) = venue.last_trade(n, step) {
            let own = if trade.side == 0 { trade.price } else { 1000 - trade.price };
            put("lastTradePrice", price(own));
        }
    }
    if with_event {
        put("events", json!([event_head(venue, event, at, state)]));
    }
    Value::Object(o)
}

/// A price as `outcomePrices` has it: as short as it goes.
fn shown(p: f64) -> String {
    format!("{}", (p * 10_000.0).round() / 10_000.0)
}

/// The price step, as a JSON number.
pub fn tick(venue: &Venue, n: usize, at: Timestamp, state: &State) -> f64 {
    venue.mark(n, at, state).map_or(0.01, |m| if venue.ladder(n, m).tick == super::book::FINE { 0.001 } else { 0.01 })
}

/// The start as it is announced.
pub fn start(venue: &Venue, event: &EventSpec, at: Timestamp) -> Timestamp {
    venue.scheduled(event.fixture, at)
}

fn end_date(venue: &Venue, event: &EventSpec) -> Timestamp {
    venue.fixture(event.fixture).map_or_else(Timestamp::default, |f| f.game.scheduled.plus(NOMINAL_MS))
}

/// Every market of an event is resolved.
pub fn event_closed(venue: &Venue, event: &EventSpec, at: Timestamp, state: &State) -> bool {
    event.markets.clone().all(|n| matches!(venue.standing(n, at, state), Standing::Resolved(_)))
}

/// An event as it stands inside a market.
fn event_head(venue: &Venue, event: &EventSpec, at: Timestamp, state: &State) -> Value {
    let opened = venue.opens();
    let start = start(venue, event, at);
    let game = venue.fixture(event.fixture).map(|f| &f.game);
    let phase = game.map_or(Phase::Pregame, |g| g.phase(at));
    let score = game.and_then(|g| g.score_at(at)).map_or(String::new(), |(home, away)| {
        let [a, b] = if event.league.first == "home" { [home, away] } else { [away, home] };
        format!("{a}-{b}")
    });
    let total: f64 = event.markets.clone().filter_map(|n| Some(volume(venue.market(n)?, venue.step(n, at)))).sum();
    let mut value = json!({
        "id": event.id.to_string(), "ticker": event.slug, "slug": event.slug, "title": event.title,
        "description": venue.market(event.markets.start).map_or_else(String::new, |m| description(m, event, start)),
        "resolutionSource": event.league.source,
        "startDate": micros(opened, event.id.into()), "creationDate": micros(opened, u64::from(event.id) + 1),
        "endDate": end_date(venue, event).to_wire(), "image": "", "icon": "",
        "active": true, "closed": event_closed(venue, event, at, state), "archived": false, "new": false,
        "featured": false, "restricted": true, "enableOrderBook": true,
        "liquidity": number(total * 0.05), "liquidityClob": number(total * 0.05), "volume": number(total),
        "volume24hr": number(total * 0.7), "openInterest": 0, "commentCount": mix(&[event.id.into()]) % 40,
        "createdAt": micros(opened, u64::from(event.id) + 2), "updatedAt": micros(at, u64::from(event.id) + 3),
        "competitive": 0.97, "negRisk": event.neg_risk, "seriesSlug": series_slug(event.league),
        "gameId": event.game_id, "eventDate": event.date, "startTime": start.to_wire(),
        "live": phase == Phase::InPlay, "ended": phase == Phase::Final, "score": score,
        "period": game.map_or("", |g| period(g.sport.group, g.remaining(at), phase)),
    });
    if let (true, Some(o)) = (event.neg_risk, value.as_object_mut()) {
        let tag = u64::from(event.id);
        o.insert("negRiskMarketID".into(), json!(format!("0x{:016x}{:048x}", mix(&[tag, 5]), mix(&[tag, 6]))));
    }
    value
}

/// An event with its markets, series and tags.
pub fn event(venue: &Venue, event: &EventSpec, at: Timestamp, state: &State) -> Value {
    let mut value = event_head(venue, event, at, state);
    if let Some(o) = value.as_object_mut() {
        let listed = event.markets.clone().filter(|n| venue.standing(*n, at, state) != Standing::Unlisted);
        let markets: Vec<Value> = listed.map(|n| market(venue, n, at, state, false)).collect();
        o.insert("markets".into(), json!(markets));
        o.insert("series".into(), json!([series(venue, event.league)]));
        o.insert("tags".into(), json!(tags_of(event.league).map(tag_object)));
    }
    value
}

fn period(group: &str, remaining: f64, phase: Phase) -> &'static str {
    if phase != Phase::InPlay {
        return if phase == Phase::Final { "VFT" } else { "" };
    }
    let names: &[&'static str] = match group {
        "Soccer" => &["1H", "2H"],
        "Ice Hockey" => &["P1", "P2", "P3"],
        "Baseball" => &["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th"],
        _ => &["Q1", "Q2", "Q3", "Q4"],
    };
    let at = ((1.0 - remaining) * names.len() as f64) as usize;
    names.get(at).or(names.last()).copied().unwrap_or_default()
}

fn series_slug(league: &League) -> String {
    format!("{}-2026", league.code)
}

/// A series.
pub fn series(venue: &Venue, league: &League) -> Value {
    let opened = venue.opens();
    json!({
        "id": league.series.to_string(), "ticker": series_slug(league), "slug": series_slug(league),
        "title": format!("{} 2026", league.title), "seriesType": "single", "recurrence": "daily", "image": "",
        "icon": "", "active": true, "closed": false, "archived": false, "featured": false, "restricted": true,
        "createdAt": micros(opened, league.series.into()), "updatedAt": micros(opened, u64::from(league.series) + 1),
        "volume24hr": 0, "volume": 0, "liquidity": 0, "commentCount": 0,
    })
}

/// Leagues that have games, in the order of the scenario's sports.
pub fn leagues(venue: &Venue) -> Vec<&'static League> {
    let mut found: Vec<&'static League> = Vec::new();
    for event in &venue.catalog.events {
        if !found.iter().any(|l| l.code == event.league.code) {
            found.push(event.league);
        }
    }
    found
}

/// One line of `/sports`.
pub fn sport(league: &League, number: usize) -> Value {
    let tags = tags_of(league).map(|t| t.to_string()).join(",");
    json!({
        "id": number + 1, "sport": league.code, "image": "", "resolution": league.source, "ordering": league.first,
        "tags": tags, "series": league.series.to_string(), "createdAt": "2025-11-05T19:27:45.399303Z",
    })
}

/// Tags of a league's games.
pub fn tags_of(league: &League) -> [u32; 3] {
    [SPORTS_TAG, league.tag, GAMES_TAG]
}

/// A tag.
pub fn tag_object(id: u32) -> Value {
    let league = LEAGUES.iter().find(|l| l.tag == id);
    let label = match id {
        SPORTS_TAG => "Sports",
        GAMES_TAG => "Games",
        _ => league.map_or("Other", |l| l.title),
    };
    json!({
        "id": id.to_string(), "label": label, "slug": label.to_lowercase().replace(' ', "-"),
        "createdAt": micros(Timestamp::from_secs(1_729_000_000), name_tag(label)),
        "updatedAt": micros(Timestamp::from_secs(1_773_090_000), name_tag(label) ^ 1), "requiresTranslation": false,
    })
}

/// The settlement text of a market: what counts, extra time, postponement, the 50-50 rule.
fn description(m: &MarketSpec, event: &EventSpec, start: Timestamp) -> String {
    let [first, second] = &m.outcomes;
    let local = start.to_chrono().with_timezone(&chrono_tz::America::New_York);
    let game = format!(
        "In the upcoming {} game, scheduled for {}:\n\n",
        event.league.title,
        local.format("%B %-d at %-I:%M%p ET")
    );
    let wins = match m.kind {
        "moneyline" if m.neg_risk => {
            format!(
                "This market will resolve to \"Yes\" if the answer to \"{}\" is yes after 90 minutes of play and stoppage time. Otherwise, this market will resolve to \"No\". Extra time and penalty shootouts are not included.",
                m.question
            )
        }
        "spreads" => format!(
            "This market will resolve to \"{first}\" if the {first} win the game by {} or more points. Otherwise, this market will resolve to \"{second}\".",
            m.line.map_or(1, |l| l.abs() / 100 + 1)
        ),
        "totals" => format!(
            "This market will resolve to \"Over\" if the combined score of both teams is {} or more. Otherwise, this market will resolve to \"Under\".",
            m.line.map_or(1, |l| l / 100 + 1)
        ),
        "moneyline" => format!(
            "If the {first} win, the market will resolve to \"{first}\".\nIf the {second} win, the market will resolve to \"{second}\"."
        ),
        "first_half_moneyline" => format!(
            "This market resolves to the team that leads at the end of the first half, \"{first}\" or \"{second}\". If the half ends in a tie, this market will resolve 50-50."
        ),
        _ => format!(
            "This market will resolve to \"{first}\" if the statement \"{}\" comes true, otherwise to \"{second}\". If the player does not play, this market will resolve to \"No\".",
            m.question.replace("O/U", "over")
        ),
    };
    let extra = match (event.league.code, m.kind) {
        ("epl", _) | (_, "first_half_moneyline" | "nrfi") => String::new(),
        _ => "\n\nThe result includes any overtime or extra innings played.".to_owned(),
    };
    let line = m.line.map(tenths).map_or(String::new(), |l| format!(" The line is {l}."));
    format!(
        "{game}{wins}{line}{extra}\n\nIf the game is postponed, this market will remain open until the game has been completed.\nIf the game is canceled entirely, with no make-up game, this market will resolve 50-50.\n\nThe primary resolution source is {}.",
        event.league.source
    )
}
