//! A desk that was never linked needs no memory of every edit: when the operations have grown to some number, what is there
//! now takes their place. Nobody has seen them, so nobody can miss them. Bets keep all that was done to them.

use rusqlite::Connection;

use super::capture::capture;
use super::merge::{Action, Kind, Operation};
use super::{DeskError, oplog};
use crate::market::time::Timestamp;

/// Operations of a desk on its own at which they are put together; some three megabytes.
pub(super) const MOST_ALONE: i64 = 10_000;

/// Puts the operations together where nobody else has or will ask for them.
pub(super) fn compact(c: &Connection, now: Timestamp, most: i64) -> Result<(), DeskError> {
    // Numbers are without gaps, so the last says how many there are.
    let alone = "SELECT count(*) FROM series WHERE installation IS NULL AND hub IS NULL";
    if c.query_row(alone, [], |r| r.get::<_, i64>(0))? == 0 {
        return Ok(());
    }
    let device = oplog::device(c)?;
    if oplog::head(c, device)? <= most || oplog::heads(c)?.len() != 1 {
        return Ok(());
    }
    let all = oplog::of_device(c, device, 0, usize::MAX >> 1)?;
    let bets: Vec<Operation> = all.into_iter().filter(|o| Kind::of(&o.kind) == Some(Kind::Bet)).collect();
    if bets.len() as i64 * 2 > most {
        return Ok(());
    }
    let notes = oplog::records(c, Kind::Note)?;
    c.execute_batch(
        "DELETE FROM operation; DELETE FROM record;
         INSERT OR IGNORE INTO touched SELECT 'list', id FROM watchlist;
         INSERT OR IGNORE INTO touched SELECT 'list_rule', id FROM rule;
         INSERT OR IGNORE INTO touched SELECT 'filter', name_key FROM filter;
         INSERT OR IGNORE INTO touched SELECT 'alert_rule', id FROM alert_rule;
         INSERT OR IGNORE INTO touched SELECT 'exchange_decision', exchange || char(10) || slug FROM exchange_decision;",
    )?;
    for (n, bet) in (1..).zip(bets) {
        oplog::insert(c, &Operation { n, ..bet.clone() })?;
        oplog::refresh(c, Kind::Bet, bet.record)?;
    }
    for note in notes.into_iter().filter(|n| n.state.alive) {
        let fields = note.state.fields.into_iter().map(|(name, (value, _))| (name, value)).collect();
        oplog::append(c, Kind::Note, note.record, Action::Add, fields, now)?;
    }
    capture(c, now)
}
