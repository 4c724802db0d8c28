//! Between rows and values.

use rusqlite::Row;

use super::StoreError;
use crate::engine::as_of::LogRow;
use crate::engine::changes::{EventRow, EventStatus, QuoteKey};
use crate::engine::seen::{SeenGroup, visit_seen};
use crate::engine::status::from_status_code;
use crate::market::batch::{Asked, Scope};
use crate::market::ids::{BookId, EventId, LookId, MarketId, Slot, SportId, SubjectId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::{Selection, Side};
use crate::market::time::Timestamp;

/// Level at which packed columns are compressed: they are small and written at every look.
const LEVEL: i32 = 1;
/// No packed column unpacks to more than this.
const MAX_UNPACKED: usize = 64 * 1024 * 1024;

/// Packs many columns one after the other, with one set-up.
pub(super) struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    pub(super) fn new() -> Result<Self, StoreError> {
        zstd::bulk::Compressor::new(LEVEL).map(Self).map_err(|_| StoreError::Damaged { what: "packed column" })
    }

    pub(super) fn pack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.0.compress(bytes).map_err(|_| StoreError::Damaged { what: "packed column" })
    }
}

/// Unpacks many columns one after the other: setting up zstd costs more than unpacking one.
pub(super) struct Unpacker(zstd::bulk::Decompressor<'static>);

impl Unpacker {
    pub(super) fn new() -> Result<Self, StoreError> {
        zstd::bulk::Decompressor::new().map(Self).map_err(|_| StoreError::Damaged { what: "packed column" })
    }

    pub(super) fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().unwrap_or(0) as usize;
        if size > MAX_UNPACKED {
            return Err(StoreError::Damaged { what: "packed column" });
        }
        self.0.decompress(bytes, size.max(64)).map_err(|_| StoreError::Damaged { what: "packed column" })
    }

    pub(super) fn read_seen(
        &mut self,
        packed: &[u8],
        at: Timestamp,
        visit: impl FnMut(EventId, &[SeenGroup]),
    ) -> Result<(), StoreError> {
        let bytes = self.unpack(packed)?;
        if visit_seen(&bytes, at, visit) { Ok(()) } else { Err(StoreError::Damaged { what: "look" }) }
    }
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

pub(super) const EVENT_COLUMNS: &str =
    "id, source, provider_id, sport, home, away, commence, first_seen, status, home_score, away_score";

pub(super) fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let score: (Option<i32>, Option<i32>) = (row.get(9)?, row.get(10)?);
    Ok(EventRow {
        id: EventId(row.get(0)?),
        source: row.get(1)?,
        provider_id: row.get::<_, String>(2)?.into(),
        sport: SportId(row.get(3)?),
        home: row.get::<_, String>(4)?.into(),
        away: row.get::<_, String>(5)?.into(),
        commence: time(row, 6)?,
        first_seen: time(row, 7)?,
        status: EventStatus::from_number(row.get(8)?),
        score: score.0.zip(score.1),
    })
}

/// `slot, book, market, side, subject, own_line`.
pub(super) fn quote_key(row: &Row<'_>) -> Result<(Slot, QuoteKey), StoreError> {
    quote_key_at(row, 0)
}

/// The same, from column `from` on.
pub(super) fn quote_key_at(row: &Row<'_>, from: usize) -> Result<(Slot, QuoteKey), StoreError> {
    let side = Side::from_number(row.get(from + 3)?).ok_or_else(|| StoreError::Damaged { what: "quote" })?;
    let selection = Selection {
        side,
        subject: SubjectId(row.get(from + 4)?),
        line: row.get::<_, Option<i32>>(from + 5)?.map(Line::from_hundredths),
    };
    let key = QuoteKey { book: BookId(row.get(from + 1)?), market: MarketId(row.get(from + 2)?), selection };
    Ok((Slot(row.get(from)?), key))
}

/// `look, slot, line, price, status, last_seen, provider_update`.
pub(super) fn log_row(
    row: &Row<'_>,
    at: impl FnOnce(LookId) -> Result<Timestamp, StoreError>,
) -> Result<LogRow, StoreError> {
    let look = LookId(row.get::<_, i64>(0)? as u64);
    let (status, phase) = from_status_code(row.get(4)?).ok_or_else(|| StoreError::Damaged { what: "change" })?;
    Ok(LogRow {
        look,
        at: at(look)?,
        slot: Slot(row.get(1)?),
        line: row.get::<_, Option<i32>>(2)?.map(Line::from_hundredths),
        price: Price::from_code(row.get(3)?).ok_or_else(|| StoreError::Damaged { what: "price" })?,
        status,
        phase,
        last_seen: optional_time(row, 5)?,
        provider_update: optional_time(row, 6)?,
    })
}

/// A scope as JSON: only what was limited stands in it.
#[derive(serde::Serialize, serde::Deserialize, Default)]
struct ScopeJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    markets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    books: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commence_from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commence_to: Option<i64>,
}

pub(super) fn scope_to_json(scope: &Scope) -> String {
    let list = |asked: &Asked| match asked {
        Asked::All => None,
        Asked::Only(names) => Some(names.clone()),
    };
    let json = ScopeJson {
        markets: list(&scope.markets),
        books: list(&scope.books),
        regions: list(&scope.regions),
        events: list(&scope.events),
        commence_from: scope.commence_from.map(Timestamp::millis),
        commence_to: scope.commence_to.map(Timestamp::millis),
    };
    serde_json::to_string(&json).unwrap_or_default()
}

pub(super) fn scope_from_json(text: &str) -> Result<Scope, StoreError> {
    let json: ScopeJson = serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "scope" })?;
    let asked = |list: Option<Vec<String>>| list.map_or(Asked::All, Asked::Only);
    Ok(Scope {
        markets: asked(json.markets),
        books: asked(json.books),
        regions: asked(json.regions),
        events: asked(json.events),
        commence_from: json.commence_from.map(Timestamp::from_millis),
        commence_to: json.commence_to.map(Timestamp::from_millis),
    })
}
