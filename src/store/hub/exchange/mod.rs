//! What an exchange told, on its way to a hub and from it: beside the looks, in batches of its own.
//!
//! Owns which rows are ours to tell, how far they have been told, and how rows of other devices are written among ours.
//! What the hub has is marked in the column `hub` of each row; whatever is heard anew here has no mark.
//!
//! ```text
//! tables    the tables, their columns, and where their rows are found
//! telling   rows that the hub does not have
//! taking    rows that come from it
//! ```

pub mod tables;
mod taking;
mod telling;

use rusqlite::Connection;

use super::super::StoreError;

pub use taking::ExchangeStretch;
pub(super) use taking::{note, take};
pub use telling::{ExchangeScan, ToldExchange};

/// A store is linked to a hub, or to none any more: nothing is known of what it has.
///
/// Rows without a name of their own that came from a hub would come again as others, and go; of the rest everything counts
/// as ours. `joins`: it is linked to another one.
pub(super) fn forget(c: &Connection, joins: bool) -> Result<(), StoreError> {
    for table in ["hub_exchange", "hub_exchange_market", "hub_exchange_link", "hub_exchange_log"] {
        c.execute(&format!("DELETE FROM {table}"), [])?;
    }
    if !joins {
        return Ok(());
    }
    for table in ["exchange_trade", "exchange_gap", "exchange_link_log"] {
        c.execute(&format!("DELETE FROM {table} WHERE hub IS NOT NULL"), [])?;
    }
    for table in [
        "exchange_event",
        "exchange_market",
        "exchange_link",
        "exchange_book",
        "exchange_seen",
        "exchange_price",
        "exchange_backfill",
    ] {
        c.execute(&format!("UPDATE {table} SET hub = NULL WHERE hub IS NOT NULL"), [])?;
    }
    Ok(())
}

/// Reasons of a link with the numbers of its candidates put into others; 0 for one that has none there.
fn renumber(reasons: &str, of: impl Fn(u32) -> Option<u32>) -> String {
    const FIELD: &str = "\"event\":";
    let mut out = String::with_capacity(reasons.len() + 4);
    let mut rest = reasons;
    while let Some(at) = rest.find(FIELD) {
        let (before, after) = rest.split_at(at + FIELD.len());
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, behind) = after.split_at(digits);
        out.push_str(before);
        if !number.is_empty() {
            let other = number.parse().ok().and_then(&of).unwrap_or(0);
            out.push_str(&other.to_string());
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_get_other_numbers_and_texts_stay() {
        let of = |n| (n == 7).then_some(70);
        let told = r#"[{"event":7,"provider_id":"a"},{"event":8,"reasons":["x \"event\":7"]},{"event":"g1"}]"#;
        let there = r#"[{"event":70,"provider_id":"a"},{"event":0,"reasons":["x \"event\":7"]},{"event":"g1"}]"#;
        assert_eq!(renumber(told, of), there);
        assert_eq!(renumber(r#"["a person said so"]"#, of), r#"["a person said so"]"#);
    }
}
