//! The tables of an exchange that a hub shares: their columns as they travel, and where their rows are found here.
//!
//! Listings are known by their key at the exchange, contracts by their condition, and by a number of the hub's (`market`)
//! where there are many rows.

use super::super::tables::{By, Column, Kind, Means, Table};

/// The exchange that is shared.
pub const EXCHANGE: &str = "polymarket";

/// How rows that the hub does not have are found. Each is read by two numbers that order all rows of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Rows are added with ever larger numbers and never change.
    Added,
    /// Rows that change get a larger first number; the newest are compared with what was told of them.
    Changed,
    /// All rows are compared with what was told of them.
    Compared,
}

/// Where rows of a table are found in the store.
#[derive(Debug)]
pub(super) struct Source {
    /// Under this name it is noted how far they were told.
    pub(super) name: &'static str,
    pub(super) table: &'static Table,
    pub(super) found: Found,
    /// What is known of contracts and games: it changes rarely, and is not looked at each time.
    pub(super) is_fact: bool,
    /// The two numbers, the row's own number, whether it is ours, and the columns; after the numbers `?1` and `?2`, at
    /// most `?3`.
    pub(super) select: &'static str,
}

const fn plain(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, means: Means::Plain }
}

const fn table(name: &'static str, columns: &'static [Column]) -> Table {
    Table { name, columns, by: By::Look, key: &[] }
}

const EVENT: Column = Column { name: "event", kind: Kind::Int, means: Means::Event };

/// Listings.
pub const LISTING: Table = table(
    "exchange_event",
    &[
        plain("exchange", Kind::Text),
        plain("key", Kind::Text),
        plain("slug", Kind::Text),
        plain("title", Kind::Text),
        plain("sport", Kind::Text),
        plain("date", Kind::Text),
        plain("starts", Kind::Big),
        plain("first_team", Kind::Text),
        plain("other_team", Kind::Text),
        plain("is_over", Kind::Small),
        plain("volume", Kind::Real),
        plain("first_seen", Kind::Big),
        plain("last_seen", Kind::Big),
    ],
);

/// Contracts; `listing` is the key of theirs.
pub const CONTRACT: Table = table(
    "exchange_market",
    &[
        plain("listing", Kind::Text),
        plain("condition", Kind::Text),
        plain("slug", Kind::Text),
        plain("question", Kind::Text),
        plain("kind", Kind::Text),
        plain("about", Kind::Text),
        plain("line", Kind::Int),
        plain("first_outcome", Kind::Text),
        plain("other_outcome", Kind::Text),
        plain("first_token", Kind::Text),
        plain("other_token", Kind::Text),
        plain("fee_rate", Kind::Real),
        plain("settlement", Kind::Text),
        plain("why_not", Kind::Text),
        plain("winner", Kind::Text),
        plain("ended_at", Kind::Big),
    ],
);

/// Links to games.
pub const LINK: Table = table(
    "exchange_link",
    &[
        plain("listing", Kind::Text),
        EVENT,
        plain("home_first", Kind::Small),
        plain("state", Kind::Text),
        plain("how", Kind::Text),
        plain("confidence", Kind::Real),
        plain("reasons", Kind::Text),
        plain("at", Kind::Big),
    ],
);

/// Every link that was made or undone.
pub const LINK_LOG: Table = table(
    "exchange_link_log",
    &[
        plain("row", Kind::Big),
        plain("listing", Kind::Text),
        plain("at", Kind::Big),
        EVENT,
        plain("state", Kind::Text),
        plain("how", Kind::Text),
        plain("reasons", Kind::Text),
    ],
);

/// Order books.
pub const BOOK: Table = table(
    "exchange_book",
    &[
        plain("market", Kind::Int),
        plain("at", Kind::Big),
        plain("changed_at", Kind::Big),
        plain("state", Kind::Small),
        plain("bid", Kind::Int),
        plain("ask", Kind::Int),
        plain("bid_size", Kind::Big),
        plain("ask_size", Kind::Big),
        plain("bid_near", Kind::Big),
        plain("ask_near", Kind::Big),
        plain("middle", Kind::Big),
        plain("levels", Kind::Bytes),
    ],
);

/// When each book was last known to be current.
pub const SEEN: Table = table("exchange_seen", &[plain("market", Kind::Int), plain("at", Kind::Big)]);

/// Trades.
pub const TRADE: Table = table(
    "exchange_trade",
    &[
        plain("row", Kind::Big),
        plain("market", Kind::Int),
        plain("at", Kind::Big),
        plain("first", Kind::Small),
        plain("side", Kind::Text),
        plain("price", Kind::Int),
        plain("size", Kind::Big),
    ],
);

/// Times in which nothing was heard.
pub const GAP: Table = table(
    "exchange_gap",
    &[
        plain("row", Kind::Big),
        plain("since", Kind::Big),
        plain("until", Kind::Big),
        plain("why", Kind::Text),
        plain("markets", Kind::Int),
    ],
);

/// Middles of the past.
pub const PRICE: Table =
    table("exchange_price", &[plain("market", Kind::Int), plain("at", Kind::Big), plain("price", Kind::Int)]);

/// Up to where those were asked for.
pub const BACKFILL: Table = table(
    "exchange_backfill",
    &[
        plain("market", Kind::Int),
        plain("since", Kind::Big),
        plain("until", Kind::Big),
        plain("done_at", Kind::Big),
        plain("points", Kind::Big),
    ],
);

/// All of them, in the order in which they are told and taken in: the place is the bit that tells that a batch has rows of
/// one.
pub const ALL: [&Table; 10] = [&LISTING, &CONTRACT, &LINK, &LINK_LOG, &BOOK, &SEEN, &TRADE, &GAP, &PRICE, &BACKFILL];

/// The instant by whose day (UTC) the hub keeps a table apart; `None`: it does not.
pub fn split_by(table: &Table) -> Option<&'static str> {
    match table.name {
        "exchange_book" | "exchange_trade" | "exchange_price" => Some("at"),
        "exchange_gap" => Some("since"),
        _ => None,
    }
}

/// Where a column of a table stands.
pub fn place(table: &Table, column: &str) -> Option<usize> {
    table.columns.iter().position(|c| c.name == column)
}

/// Rows that the hub has; all others are ours to tell. Middles of the past are found by what was asked for.
pub(super) const SOURCES: [Source; 9] = [
    Source {
        name: "listing",
        table: &LISTING,
        found: Found::Changed,
        is_fact: true,
        select: "SELECT last_seen, id, id, hub IS NULL, exchange, key, slug, title, sport, date, starts, first_team,
             other_team, is_over, volume, first_seen, last_seen FROM exchange_event
             WHERE exchange = 'polymarket' AND last_seen >= ?1 AND (last_seen, id) > (?1, ?2)
             ORDER BY last_seen, id LIMIT ?3",
    },
    Source {
        name: "contract",
        table: &CONTRACT,
        found: Found::Changed,
        is_fact: true,
        select:
            "SELECT e.last_seen, m.id, m.id, m.hub IS NULL, e.key, m.condition, m.slug, question, kind, about, line,
             first_outcome, other_outcome, first_token, other_token, fee_rate, settlement, why_not, winner, ended_at
             FROM exchange_event AS e JOIN exchange_market AS m ON m.event = e.id
             WHERE exchange = 'polymarket' AND e.last_seen >= ?1 AND (e.last_seen, m.id) > (?1, ?2)
             ORDER BY e.last_seen, m.id LIMIT ?3",
    },
    Source {
        name: "ended",
        table: &CONTRACT,
        found: Found::Changed,
        is_fact: true,
        select: "SELECT m.ended_at, m.id, m.id, m.hub IS NULL, e.key, m.condition, m.slug, question, kind, about, line,
             first_outcome, other_outcome, first_token, other_token, fee_rate, settlement, why_not, winner, ended_at
             FROM exchange_market AS m JOIN exchange_event AS e ON e.id = m.event
             WHERE exchange = 'polymarket' AND m.ended_at >= ?1 AND (m.ended_at, m.id) > (?1, ?2)
             ORDER BY m.ended_at, m.id LIMIT ?3",
    },
    Source {
        name: "link",
        table: &LINK,
        found: Found::Compared,
        is_fact: true,
        select: "SELECT 0, l.exchange_event, l.exchange_event, l.hub IS NULL, e.key, l.event, home_first, state, how,
             confidence, reasons, at FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event
             WHERE exchange = 'polymarket' AND (0, l.exchange_event) > (?1, ?2) ORDER BY l.exchange_event LIMIT ?3",
    },
    Source {
        name: "link_log",
        table: &LINK_LOG,
        found: Found::Added,
        is_fact: true,
        select: "SELECT 0, g.id, g.id, g.hub IS NULL, g.id, e.key, g.at, g.event, state, how, reasons
             FROM exchange_link_log AS g JOIN exchange_event AS e ON e.id = g.exchange_event
             WHERE exchange = 'polymarket' AND g.id > ?2 AND (0, g.id) > (?1, ?2) ORDER BY g.id LIMIT ?3",
    },
    Source {
        name: "book",
        table: &BOOK,
        found: Found::Added,
        is_fact: false,
        select: "SELECT at, market, market, hub IS NULL, market, at, changed_at, state, bid, ask, bid_size, ask_size,
             bid_near, ask_near, middle, levels FROM exchange_book
             WHERE at >= ?1 AND (at, market) > (?1, ?2) ORDER BY at, market LIMIT ?3",
    },
    Source {
        name: "seen",
        table: &SEEN,
        found: Found::Changed,
        is_fact: false,
        select: "SELECT at, market, market, hub IS NULL, market, at FROM exchange_seen
             WHERE at >= ?1 AND (at, market) > (?1, ?2) ORDER BY at, market LIMIT ?3",
    },
    Source {
        name: "trade",
        table: &TRADE,
        found: Found::Added,
        is_fact: false,
        select: "SELECT 0, id, id, hub IS NULL, id, market, at, first, side, price, size FROM exchange_trade
             WHERE id > ?2 AND (0, id) > (?1, ?2) ORDER BY id LIMIT ?3",
    },
    Source {
        name: "gap",
        table: &GAP,
        found: Found::Added,
        is_fact: false,
        select: "SELECT 0, id, id, hub IS NULL, id, since, until, why, markets FROM exchange_gap
             WHERE id > ?2 AND (0, id) > (?1, ?2) ORDER BY id LIMIT ?3",
    },
];

/// A contract with its listing, by our numbers.
pub(super) const FACTS: [(&Table, &str); 2] = [
    (
        &LISTING,
        "SELECT exchange, key, slug, title, sport, date, starts, first_team, other_team, is_over, volume, first_seen,
         last_seen FROM exchange_event WHERE id IN (SELECT event FROM exchange_market
         WHERE id IN (SELECT value FROM json_each(?1)))",
    ),
    (
        &CONTRACT,
        "SELECT e.key, m.condition, m.slug, question, kind, about, line, first_outcome, other_outcome, first_token,
         other_token, fee_rate, settlement, why_not, winner, ended_at
         FROM exchange_market AS m JOIN exchange_event AS e ON e.id = m.event
         WHERE m.id IN (SELECT value FROM json_each(?1))",
    ),
];
