//! Games put together from what the store says, and brought up to date look by look.

use std::sync::Arc;

use super::game::{self, Cell, Game, Identity, Market, Offer, turn};
use crate::engine::appraise::Appraiser;
use crate::engine::as_of::LogRow;
use crate::engine::changes::{EventRow, Point, QuoteKey};
use crate::engine::names::Names;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::status::{Phase, QuoteValue};
use crate::market::ids::{MarketId, Slot};
use crate::market::selection::Side;
use crate::market::sports::Sports;
use crate::market::teams::Teams;
use crate::market::time::Timestamp;
use crate::store::slate::EventDelta;

/// A game from an event and its quotes.
pub fn game(names: &Names, row: &EventRow, quotes: &[(Slot, QuoteKey, QuoteValue)]) -> Game {
    let mut game = Game {
        who: Arc::new(identity(names, row)),
        commence: row.commence,
        status: row.status,
        score: row.score,
        markets: Vec::new(),
        last_changed: row.first_seen,
        last_seen: row.first_seen,
    };
    // Whether a moneyline has a draw is known only once all its outcomes have been seen.
    let mut draws: Vec<MarketId> =
        quotes.iter().filter(|(_, k, _)| k.selection.side == Side::Draw).map(|(_, k, _)| k.market).collect();
    draws.sort_unstable();
    draws.dedup();
    for (slot, key, value) in quotes {
        let at = market_of(&mut game, names, key, draws.contains(&key.market));
        let Some(market) = game.markets.get_mut(at) else { continue };
        let Some(place) = place_of(market, key.selection.side) else { continue };
        market.cells.push(game::cell(*slot, key, place, value));
        game.last_changed = game.last_changed.max(value.last_changed);
        game.last_seen = game.last_seen.max(value.last_seen);
    }
    for market in &mut game.markets {
        market.cells.sort_unstable_by_key(|c| (c.book, c.place, c.slot));
        // The same outcome twice, after a rename: the newer one is the one on show.
        market.cells.reverse();
        market.cells.dedup_by_key(|c| (c.book, c.place));
        market.cells.reverse();
        market.cells.shrink_to_fit();
    }
    game.markets.sort_by_key(|m| m.key);
    game.markets.shrink_to_fit();
    game
}

fn identity(names: &Names, row: &EventRow) -> Identity {
    let key = names.sport(row.sport);
    let sport = Sports::embedded().resolve(key);
    let code = |name: &str| -> Box<str> {
        let teams = Teams::embedded();
        teams.resolve(&sport.teams, name).exact().and_then(|t| teams.get(t)).map_or("", |t| &t.code).into()
    };
    Identity {
        id: row.id,
        provider_id: row.provider_id.clone(),
        source: row.source,
        sport: row.sport,
        sport_key: key.into(),
        sport_short: sport.short.as_str().into(),
        home_code: code(&row.home),
        away_code: code(&row.away),
        home: row.home.clone(),
        away: row.away.clone(),
        first_seen: row.first_seen,
    }
}

/// The place of the question that an outcome answers, made if it is new.
fn market_of(game: &mut Game, names: &Names, key: &QuoteKey, draws: bool) -> usize {
    let unit = UnitKey::of(key.market, key.selection);
    if let Some(at) = game.markets.iter().position(|m| m.key == unit) {
        return at;
    }
    let spec = names.spec(key.market);
    let layout = Layout::of(spec, draws, key.selection.side);
    game.markets.push(Market {
        key: unit,
        market: names.market(key.market).into(),
        subject: names.subject(key.selection.subject).into(),
        spec,
        layout,
        sides: layout.map_or_else(Vec::new, |l| l.sides().to_vec()),
        cells: Vec::new(),
        glance: None,
        opening: None,
    });
    game.markets.len() - 1
}

/// The place of a side; open-ended markets get places as their sides appear.
fn place_of(market: &mut Market, side: Side) -> Option<u8> {
    let at = match market.sides.iter().position(|s| *s == side) {
        Some(at) => at,
        None if market.layout.is_none() => {
            market.sides.push(side);
            market.sides.len() - 1
        }
        None => return None,
    };
    u8::try_from(at).ok()
}

/// What a look brought, worked in. `lit`: the board's clock, for what lights up. Answers `false` when the game has to be
/// put together anew: an outcome came that its markets have no place for.
pub fn update(game: &mut Game, names: &Names, delta: &EventDelta, at: Timestamp, lit: u32) -> bool {
    if identity_changed(game, &delta.row) {
        game.who = Arc::new(identity(names, &delta.row));
    }
    game.commence = delta.row.commence;
    game.status = delta.row.status;
    game.score = delta.row.score;
    for row in &delta.rows {
        let key = delta.new.binary_search_by_key(&row.slot, |(slot, _)| *slot).ok();
        let key = key.and_then(|i| delta.new.get(i)).map(|(_, key)| key);
        if !change(game, names, row, key, at, lit) {
            return false;
        }
    }
    if !delta.seen.is_empty() {
        game.last_seen = at;
    }
    for market in &mut game.markets {
        for cells in market.cells.chunk_by_mut(|a, b| a.book == b.book) {
            let slots = |c: &Cell| delta.seen.iter().find(|g| g.group == c.slot);
            // A market of a book goes by its lowest slot.
            let Some(group) = cells.iter().min_by_key(|c| c.slot).and_then(slots) else { continue };
            for cell in cells.iter_mut().filter(|c| c.status.is_present()) {
                cell.last_seen = at;
                cell.provider_update = group.provider_update;
                cell.phase = Phase::of(at, game.commence);
            }
        }
    }
    true
}

fn identity_changed(game: &Game, row: &EventRow) -> bool {
    game.who.home != row.home || game.who.away != row.away || game.who.provider_id != row.provider_id
}

fn change(game: &mut Game, names: &Names, row: &LogRow, new: Option<&QuoteKey>, at: Timestamp, lit: u32) -> bool {
    let offer = Offer { line: row.line, price: row.price };
    let known = game
        .markets
        .iter()
        .enumerate()
        .find_map(|(m, market)| market.cells.iter().position(|c| c.slot == row.slot).map(|c| (m, c)));
    let Some((m, c)) = known else {
        let Some(key) = new else { return false };
        if key.selection.side == Side::Draw && game.markets.iter().any(|m| m.key.market == key.market) {
            let known = game.markets.iter().find(|m| m.key.market == key.market);
            if known.is_some_and(|m| !m.sides.contains(&Side::Draw)) {
                return false;
            }
        }
        let before = game.markets.len();
        let at_market = market_of(game, names, key, key.selection.side == Side::Draw);
        let Some(market) = game.markets.get_mut(at_market) else { return false };
        let Some(place) = place_of(market, key.selection.side) else { return false };
        let value = QuoteValue {
            line: row.line,
            price: row.price,
            status: row.status,
            phase: row.phase,
            first_seen: at,
            last_changed: at,
            last_seen: row.last_seen.unwrap_or(at),
            provider_update: row.provider_update,
        };
        let cell = Cell { lit, ..game::cell(row.slot, key, place, &value) };
        match market.cells.binary_search_by_key(&(cell.book, cell.place), |c| (c.book, c.place)) {
            Ok(found) => {
                if let Some(old) = market.cells.get_mut(found) {
                    *old = cell;
                }
            }
            Err(found) => market.cells.insert(found, cell),
        }
        if game.markets.len() > before {
            game.markets.sort_by_key(|m| m.key);
        }
        game.last_changed = at;
        return true;
    };
    let Some(market) = game.markets.get_mut(m) else { return false };
    let Some(cell) = market.cells.get_mut(c) else { return false };
    if cell.offer != offer {
        let side = market.sides.get(usize::from(cell.place)).copied().unwrap_or(Side::Named);
        cell.turn = turn(side, cell.offer, offer);
        cell.previous = Some(cell.offer);
        cell.offer = offer;
        cell.last_changed = at;
        cell.lit = lit;
        game.last_changed = at;
    }
    (cell.status, cell.phase) = (row.status, row.phase);
    cell.last_seen = row.last_seen.unwrap_or(at);
    cell.provider_update = row.provider_update;
    true
}

/// Works out what the game's prices say. `published`: the points that stood, see [`Appraiser::event`].
pub fn appraise(game: &mut Game, appraiser: &mut Appraiser, at: Timestamp, published: &[Point]) {
    for glance in appraiser.glance(game.event_row(), game.values(), at, published) {
        if let Some(market) = game.markets.iter_mut().find(|m| m.key == glance.key) {
            market.judge(glance);
        }
    }
}

/// Lights up what differs from the game as it was shown before: for a time machine that steps.
pub fn compare(game: &mut Game, before: &Game, lit: u32) {
    for market in &mut game.markets {
        let Some(old) = before.question(market.key) else { continue };
        for cell in &mut market.cells {
            let Some(was) = old.cell(cell.book, cell.place).filter(|was| was.offer != cell.offer) else { continue };
            let side = market.sides.get(usize::from(cell.place)).copied().unwrap_or(Side::Named);
            cell.turn = turn(side, was.offer, cell.offer);
            cell.previous = Some(was.offer);
            cell.lit = lit;
        }
    }
}
