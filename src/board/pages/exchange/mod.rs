//! The exchange that is listened to, beside the books: games with both prices, who leads, order books, and the queue of
//! listings of which a person has to say which game they are.
//!
//! Owns what is chosen and where the cursor stands. Reads the store through jobs alone, and only up to the moment on show;
//! what the user decides goes to the desk, from where the session takes it up. Judges nothing itself.
//!
//! ```text
//! load     questions to the store             rows     listings as lines
//! compare  contracts beside the books' markets list     draws them
//! act      keys                                panes    what is told of one game; layout says where
//! ```

mod act;
pub mod compare;
mod layout;
mod list;
pub mod load;
mod panes;
pub mod rows;
#[cfg(test)]
mod tests;
mod told;

use std::sync::Arc;

use ratatui::layout::Rect;

pub use self::act::{act, click, wheel};
use self::layout::Pane;
use self::load::{Detail, Listed, Slice};
use self::rows::{Links, Row, Sort};
use crate::board::app::{App, Page, Showing, Slot};
use crate::board::chrome;
use crate::board::export::{Table, Value};
use crate::board::paint::Paint;
use crate::board::theme::Meaning;
use crate::board::widgets::text;
use crate::engine::price::unit::UnitKey;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::desk::ExchangeDecision;
use crate::store::exchange::{LinkState, MarketNow};

/// The link of a listing: its state and our game; `None`: nobody has looked yet.
type LinkedTo = Option<(LinkState, Option<EventId>)>;

/// What the page keeps.
#[derive(Debug, Default)]
pub struct ExchangePage {
    /// The listings.
    pub slot: Slot<Slice>,
    /// What was asked last.
    asked: Option<load::Asked>,
    /// What is read of the chosen contract.
    pub detail: Slot<Detail>,
    detail_asked: Option<(i64, Timestamp, LinkedTo)>,
    /// What the user has decided, by name of the listing.
    pub decisions: Slot<Vec<ExchangeDecision>>,
    /// Rows that pass, in order.
    pub rows: Vec<Row>,
    /// Which pass.
    pub links: Links,
    /// Their order.
    pub sort: Sort,
    /// Turned round.
    pub reverse: bool,
    /// Row under the cursor.
    pub line: usize,
    /// First row on show.
    pub top: usize,
    /// The listing under the cursor, which it follows.
    follows: Option<String>,
    /// The game that is to come under the cursor once the listings are read.
    wanted: Option<EventId>,
    /// Place of the chosen contract among those of its game.
    pub contract: usize,
    /// Place of the chosen candidate of a listing that waits for a person.
    pub candidate: usize,
    /// Where there is no room for both, what is told of one game covers the list.
    pub open: bool,
    /// The pane that is shown however little room there is.
    pub pane: Pane,
    /// The time that the chart shows, in milliseconds; `None`: all.
    pub span: Option<i64>,
}

/// Shows the page; from the page of a game, at that game.
pub fn open(app: &mut App) {
    if app.page == Page::Game {
        app.pages.exchange.wanted = super::board::current(app).map(|g| g.who.id);
    }
    app.go(Page::Exchange);
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    load::ask_decisions(app);
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    load::ask(app);
    choose(app);
}

/// A second has passed while the page is on show: ages go on, and what was not asked for yet is.
pub fn tick(app: &mut App) {
    load::ask(app);
    app.dirty = true;
}

/// The listings have come.
fn arrived(app: &mut App) {
    choose(app);
    if app.pages.exchange.slot.wants_more() {
        load::ask(app);
    }
}

/// Works the rows out anew; the cursor stays on its listing.
fn choose(app: &mut App) {
    let slate = app.slate().clone();
    let sport = app.prefs.sport.clone();
    let page = &mut app.pages.exchange;
    page.rows = match &page.slot.data {
        Some(slice) => rows::rows(
            slice.listed.iter().map(|l| &**l),
            &slate,
            page.links,
            sport.as_deref(),
            (page.sort, page.reverse),
        ),
        None => Vec::new(),
    };
    if let Some(key) = &page.follows
        && let Some(at) = page.rows.iter().position(|r| r.key == *key)
    {
        // The window goes with the cursor, so that what is read does not jump.
        page.top = (page.top + at).saturating_sub(page.line);
        page.line = at;
    }
    seek(app);
    settle(app);
}

/// Puts the cursor on the game that was asked for.
fn seek(app: &mut App) {
    let page = &mut app.pages.exchange;
    if page.slot.data.is_none() || page.wanted.is_none() {
        return;
    }
    let wanted = page.wanted.take();
    if let Some(at) = page.rows.iter().position(|r| r.event.is_some() && r.event == wanted) {
        (page.line, page.open) = (at, true);
        let line = app.prefs.market.clone();
        settle(app);
        act::contract_of(app, &line);
    } else {
        app.say("that game is not linked to a listing of the exchange");
    }
}

/// Keeps cursors and windows within what there is, and asks for what is under them.
fn settle(app: &mut App) {
    let places = layout::places(chrome::body(app), app.pages.exchange.open);
    let visible = places.list.map_or(1, list::visible).max(1);
    let page = &mut app.pages.exchange;
    let count = page.rows.len();
    page.line = page.line.min(count.saturating_sub(1));
    page.top = page.top.min(page.line).max((page.line + 1).saturating_sub(visible)).min(count.saturating_sub(visible));
    let key = page.rows.get(page.line).map(|r| r.key.clone());
    if page.follows != key {
        (page.contract, page.candidate) = (0, 0);
        page.follows = key;
    }
    let (contracts, candidates) = current(app).map_or((0, 0), |l| (l.game.markets.len(), l.candidates.len()));
    let page = &mut app.pages.exchange;
    page.contract = page.contract.min(contracts.saturating_sub(1));
    page.candidate = page.candidate.min(candidates.saturating_sub(1));
    page.open &= count > 0;
    load::ask_detail(app);
    app.dirty = true;
}

/// The listing under the cursor.
pub fn current(app: &App) -> Option<&Arc<Listed>> {
    let page = &app.pages.exchange;
    page.slot.data.as_ref()?.listed.get(page.rows.get(page.line)?.at)
}

/// The chosen contract.
pub fn contract(app: &App) -> Option<&MarketNow> {
    current(app)?.game.markets.get(app.pages.exchange.contract)
}

/// What was read of the chosen contract; `None`: it has not been read yet.
fn detail(app: &App) -> Option<&Arc<Detail>> {
    let id = contract(app)?.contract.id;
    app.pages.exchange.detail.data.as_ref().filter(|d| d.contract == id && d.at <= app.until())
}

/// What the user has decided about the listing under the cursor and the session has not taken up yet.
fn pending(app: &App) -> Option<&ExchangeDecision> {
    let listed = current(app)?;
    let link = listed.game.link.as_ref();
    let decisions = app.pages.exchange.decisions.data.as_ref()?;
    let by = |name: &str| decisions.iter().find(|d| d.slug == name);
    let decision = by(&listed.game.listing.key).or_else(|| by(&listed.game.listing.slug))?;
    let done = link.is_some_and(|l| {
        l.how == crate::store::exchange::LinkHow::User
            && (l.state == LinkState::Refused) == decision.provider_id.is_none()
            && matches!(l.state, LinkState::Refused | LinkState::Linked)
    });
    (!done && matches!(app.showing, Showing::Live)).then_some(decision)
}

/// The listing under the cursor in a few words, for the clipboard: `BOS / MIA 47.5c, books 49.1c`.
pub fn cell(app: &App) -> Option<String> {
    let row = app.pages.exchange.rows.get(app.pages.exchange.line)?;
    let cents = |p: f64| format!("{:.1}c", p * 100.0);
    let price = row.price.map_or_else(|| row.why.to_owned(), cents);
    let books = row.fair.map_or_else(String::new, |p| format!(", books {}", cents(p)));
    Some(format!("{} {price}{books}", text::plain(&row.name)))
}

/// What a person may ask to have explained: the exchange's price in the books' market.
pub fn explain_target(app: &App) -> Option<(EventId, UnitKey, u8, String)> {
    let (listed, market) = (current(app)?, contract(app)?);
    let event = listed.event()?;
    let quoted = app.slate().game(event)?.market(compare::market_of(&market.contract.kind)?)?;
    let side = compare::side_in(&listed.game, &market.contract)?;
    let place = quoted.layout?.place(side)?;
    Some((event, quoted.key, u8::try_from(place).ok()?, compare::EXCHANGE.to_owned()))
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.exchange;
    let Some(slice) = &page.slot.data else {
        let told = match &page.slot.error {
            Some(why) => {
                vec![("the store cannot be read".to_owned(), Meaning::Error), (text::plain(why), Meaning::Muted)]
            }
            None => vec![("reading the store".to_owned(), Meaning::Muted)],
        };
        lines(paint, area, &told);
        return;
    };
    let status = Rect { height: 1, ..area };
    list::status(app, paint, status);
    let places = layout::places(area, page.open);
    if page.rows.is_empty() {
        let rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        lines(paint, rest, &list::reasons(app, slice));
        return;
    }
    if let Some(place) = places.list {
        list::draw(app, paint, place);
    }
    if let Some(place) = places.detail {
        panes::draw(app, paint, place, places.beside);
    }
}

fn lines(paint: &mut Paint<'_>, area: Rect, lines: &[(String, Meaning)]) {
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 3;
    for (y, (told, meaning)) in (top..area.bottom()).zip(lines) {
        let told = text::fit(told, area.width.saturating_sub(2), paint.glyphs.is_ascii()).into_owned();
        paint.centre(Rect { y, height: 1, ..area }, y, &told, paint.style(*meaning));
    }
}

/// The listings that pass, for an export, as they are shown.
pub fn table(app: &App) -> Option<Table> {
    let page = &app.pages.exchange;
    let slice = page.slot.data.as_ref()?;
    let columns = [
        "slug",
        "sport",
        "start",
        "first_team",
        "other_team",
        "link",
        "linked_by",
        "confidence",
        "event_id",
        "contract",
        "contract_line",
        "bid",
        "ask",
        "middle",
        "no_middle",
        "books_fair",
        "divergence_points",
        "leads",
        "lag_s",
        "spread",
        "near_dollars",
        "bid_near_shares",
        "ask_near_shares",
        "fee_rate",
        "seen",
    ];
    let rows = page
        .rows
        .iter()
        .filter_map(|row| Some((row, slice.listed.get(row.at)?)))
        .map(|(row, listed)| {
            let (game, market) = (&listed.game, rows::main(&listed.game));
            let [first, other] = game.listing.teams.clone().unwrap_or_default();
            let book = market.and_then(|m| m.book.as_ref());
            let shares = |side: usize| book.and_then(|b| *b.near.get(side)?).map(|n| n as f64 / 1e6);
            let time = |at: Option<Timestamp>| at.map_or(Value::None, Value::Time);
            vec![
                Value::from(row.slug.as_str()),
                Value::from(game.listing.sport.as_str()),
                time(row.starts),
                Value::from(first.as_str()),
                Value::from(other.as_str()),
                Value::from(compare::link_words(game.link.as_ref())),
                Value::from(game.link.as_ref().map_or("", |l| l.how.name())),
                Value::from(game.link.as_ref().map(|l| l.confidence)),
                row.event.map_or(Value::None, |e| Value::Integer(i64::from(e.0))),
                Value::from(market.map_or("", |m| m.contract.slug.as_str())),
                Value::from(market.and_then(|m| m.contract.line).map(|l| l.points())),
                Value::from(book.and_then(|b| b.bid()).map(|l| l.probability())),
                Value::from(book.and_then(|b| b.ask()).map(|l| l.probability())),
                Value::from(row.price),
                Value::from(row.why),
                Value::from(row.fair),
                Value::from(row.apart.map(|d| d * 100.0)),
                Value::from(row.lead.as_ref().map_or("", |l| l.label.as_str())),
                Value::from(row.lead.as_ref().and_then(|l| l.lag)),
                Value::from(row.spread),
                Value::from(row.near),
                Value::from(shares(0)),
                Value::from(shares(1)),
                Value::from(market.and_then(|m| m.contract.fee_rate)),
                time(row.seen),
            ]
        })
        .collect();
    Some(Table { name: "exchange".into(), columns: columns.map(str::to_owned).to_vec(), rows })
}
