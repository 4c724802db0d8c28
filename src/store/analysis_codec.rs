//! Between rows and values of the analysis: points, signals, opportunities, closes, gradings.

use std::fmt::Write as _;

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::engine::changes::Point;
use crate::engine::detect::signal::{Signal, SignalType};
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::opportunity::{Opportunity, OpportunityChange, OpportunityKind, OpportunityLeg};
use crate::engine::price::fair::{Consensus, Fair};
use crate::engine::price::unit::UnitKey;
use crate::market::ids::{BookId, EventId, MarketId, SubjectId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;

/// Stands for "the line is no part of the question", since a key may not be NULL. No line is that far out.
pub(super) const NO_LINE: i32 = i32::MIN;

/// Below every question of an event: numbers and lines are larger. What loose scans begin after.
pub(super) const BEFORE_ALL: (i64, i64, i64) = (-1, -1, i64::MIN);

pub(super) fn own_line(key: UnitKey) -> i32 {
    key.line.map_or(NO_LINE, Line::hundredths)
}

fn line(hundredths: Option<i32>) -> Option<Line> {
    hundredths.map(Line::from_hundredths)
}

/// `market, subject, own_line` from column `from` on.
pub(super) fn unit_key(row: &Row<'_>, from: usize) -> rusqlite::Result<UnitKey> {
    Ok(UnitKey {
        market: MarketId(row.get(from)?),
        subject: SubjectId(row.get(from + 1)?),
        line: line(Some(row.get(from + 2)?).filter(|l| *l != NO_LINE)),
    })
}

pub(super) const POINT_COLUMNS: &str = "event, market, subject, own_line, line, value1, value2, value3, fair1, fair2,
     fair3, standard_error, effective, families, consensus_line, consensus, consensus_value, dispersion,
     consensus_books, books";

/// The sides after the first, where they do not follow from it.
pub(super) fn further_sides(fair: &Fair) -> [Option<f64>; 4] {
    let [first, second, third] = fair.probability;
    let unless = |x: f64, known: f64| (x.to_bits() != known.to_bits()).then_some(x);
    [unless(fair.values[1], 0.0), unless(fair.values[2], 0.0), unless(second, 1.0 - first), unless(third, 0.0)]
}

/// [`POINT_COLUMNS`].
pub(super) fn point(row: &Row<'_>) -> rusqlite::Result<Point> {
    let number = |column| row.get::<_, Option<f64>>(column);
    let fair = match number(8)? {
        None => None,
        Some(first) => Some(Fair {
            values: [number(5)?.unwrap_or_default(), number(6)?.unwrap_or_default(), number(7)?.unwrap_or_default()],
            probability: [first, number(9)?.unwrap_or(1.0 - first), number(10)?.unwrap_or_default()],
            standard_error: number(11)?.unwrap_or_default(),
            effective: number(12)?.unwrap_or_default(),
            families: row.get::<_, Option<u16>>(13)?.unwrap_or_default(),
        }),
    };
    let consensus = match number(15)? {
        None => None,
        Some(probability) => Some(Consensus {
            line: line(row.get(14)?),
            probability,
            value: number(16)?.unwrap_or_default(),
            dispersion: number(17)?.unwrap_or_default(),
            books: row.get::<_, Option<u16>>(18)?.unwrap_or_default(),
        }),
    };
    Ok(Point {
        event: EventId(row.get(0)?),
        key: unit_key(row, 1)?,
        line: line(row.get(4)?),
        fair,
        consensus,
        books: row.get(19)?,
    })
}

pub(super) fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged { what })
}

/// Reads what [`to_json`] wrote, each number exactly: serde_json could miss by the last bit.
fn from_json<'a, T: Deserialize<'a>>(text: &'a str, what: &'static str) -> Result<T, StoreError> {
    sonic_rs::from_str(text).map_err(|_| StoreError::Damaged { what })
}

fn text<'r>(row: &'r Row<'_>, column: usize, what: &'static str) -> Result<&'r str, StoreError> {
    row.get_ref(column)?.as_str().map_err(|_| StoreError::Damaged { what })
}

pub(super) const SIGNAL_COLUMNS: &str = "json, market, subject, own_line";

/// [`SIGNAL_COLUMNS`].
pub(super) fn signal(row: &Row<'_>) -> Result<Signal, StoreError> {
    let mut signal: Signal = from_json(text(row, 0, "signal")?, "signal")?;
    signal.key = unit_key(row, 1)?;
    Ok(signal)
}

pub(super) const CLOSE_COLUMNS: &str = "json, market, subject, own_line";

/// [`CLOSE_COLUMNS`].
pub(super) fn close(row: &Row<'_>) -> Result<Close, StoreError> {
    let mut close: Close = from_json(text(row, 0, "close")?, "close")?;
    close.key = unit_key(row, 1)?;
    Ok(close)
}

/// `json`.
pub(super) fn clv(row: &Row<'_>) -> Result<ClvRow, StoreError> {
    from_json(text(row, 0, "CLV row")?, "CLV row")
}

pub(super) fn signal_type(number: u8) -> Result<SignalType, StoreError> {
    SignalType::from_number(number).ok_or(StoreError::Damaged { what: "signal type" })
}

/// Side and book of each leg: which opportunity it is, whatever its lines and prices.
pub(super) fn legs_key(legs: &[OpportunityLeg]) -> String {
    let mut key = String::with_capacity(legs.len() * 6);
    for leg in legs {
        let comma = if key.is_empty() { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(key, "{comma}{}:{}", leg.side.number(), leg.book.0);
    }
    key
}

/// What no column holds. A leg: line in hundredths, price code, odds after the fee, age in milliseconds, share.
#[derive(Serialize, Deserialize)]
struct OpportunityJson {
    legs: Vec<(Option<i32>, i64, f64, i64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    edge: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fair_probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    standard_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    kelly: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    chance: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    suspect: bool,
}

pub(super) fn opportunity_json(o: &Opportunity) -> Result<String, StoreError> {
    let leg = |l: &OpportunityLeg| (l.line.map(Line::hundredths), l.price.code(), l.odds, l.age_ms, l.share);
    let json = OpportunityJson {
        legs: o.legs.iter().map(leg).collect(),
        edge: o.edge,
        fair_probability: o.fair_probability,
        standard_error: o.standard_error,
        kelly: o.kelly,
        chance: o.chance,
        suspect: o.suspect,
    };
    to_json(&json, "opportunity")
}

pub(super) const OPPORTUNITY_COLUMNS: &str = "event, market, subject, own_line, kind, legs, open, ev, json";

/// [`OPPORTUNITY_COLUMNS`].
pub(super) fn opportunity(row: &Row<'_>) -> Result<OpportunityChange, StoreError> {
    const WHAT: &str = "opportunity";
    let damaged = || StoreError::Damaged { what: WHAT };
    let json: OpportunityJson = from_json(text(row, 8, WHAT)?, WHAT)?;
    let key = text(row, 5, WHAT)?;
    let mut legs = Vec::with_capacity(json.legs.len());
    for (which, (hundredths, price, odds, age_ms, share)) in key.split(',').zip(json.legs) {
        let (side, book) = which.split_once(':').ok_or_else(damaged)?;
        let side = side.parse().ok().and_then(Side::from_number).ok_or_else(damaged)?;
        let book = BookId(book.parse().map_err(|_| damaged())?);
        let price = Price::from_code(price).ok_or_else(damaged)?;
        legs.push(OpportunityLeg { side, book, line: line(hundredths), price, odds, age_ms, share });
    }
    Ok(OpportunityChange {
        opportunity: Opportunity {
            event: EventId(row.get(0)?),
            key: unit_key(row, 1)?,
            kind: OpportunityKind::from_number(row.get(4)?).ok_or_else(damaged)?,
            legs,
            ev: row.get(7)?,
            edge: json.edge,
            fair_probability: json.fair_probability,
            standard_error: json.standard_error,
            kelly: json.kelly,
            chance: json.chance,
            suspect: json.suspect,
        },
        open: row.get(6)?,
    })
}
