//! Rows of a stretch, table by table, in our numbers; and the present values that follow from its changes.

use std::borrow::Cow;

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::super::super::write::none_if_no_rows;
use super::super::super::{StoreError, codec};
use super::super::cell::Cell;
use super::super::incoming::{Order, Rows};
use super::super::maps::{Maps, our_look};
use super::super::run::{renumber_json, renumber_legs, renumber_seen};
use super::super::tables::{self, Column, Means, Table};
use super::{Present, Question, Taking};
use crate::engine::names::NameKind;
use crate::market::time::Timestamp;

impl Taking<'_> {
    pub(in super::super) fn rows(&mut self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        match table.name {
            "slot" => return self.slots(rows),
            "change" => return self.changes(rows),
            "quality_end" => return self.issue_ends(rows),
            _ => {}
        }
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).filter(|n| *n != "n").collect();
        let marks = vec!["?"; columns.len() + 1].join(",");
        // An issue has its instant in a column of its own.
        let at = table.name == tables::QUALITY.name;
        let (also, mark) = if at { (", at", ",?") } else { ("", "") };
        let sql =
            format!("INSERT OR IGNORE INTO {} (look, {}{also}) VALUES ({marks}{mark})", table.name, columns.join(", "));
        let mut insert = self.c.prepare_cached(&sql)?;
        let (looks, ours, c, reserved) = (&self.looks, &self.ours, self.c, self.reserved());
        let mut newest: Vec<(Question, i64)> = Vec::new();
        rows.each(&mut |hub, cells| {
            // Looks that were here before have their rows.
            let Some((look, received_at)) = looks.get(&hub).copied() else { return Ok(()) };
            insert.raw_bind_parameter(1, look)?;
            let mut place = 2;
            let mut question = [0_i64; 4];
            for (index, (column, cell)) in table.columns.iter().zip(cells).enumerate() {
                if column.name == "n" {
                    continue;
                }
                let value = here(c, looks, ours, received_at, reserved, column, cell)?;
                if let (Some(part), Some(n)) = (question.get_mut(index), value.int()) {
                    *part = n;
                }
                insert.raw_bind_parameter(place, value)?;
                place += 1;
            }
            if at {
                insert.raw_bind_parameter(place, received_at.millis())?;
            }
            insert.raw_execute()?;
            if table.name == tables::POINT.name {
                newest.push((question.into(), look));
            }
            Ok(())
        })?;
        drop(insert);
        for (question, look) in newest {
            self.newest_points.entry(question).and_modify(|l| *l = (*l).max(look)).or_insert(look);
        }
        Ok(())
    }

    /// What new slots stand for. Their values come with the change log.
    fn slots(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        let mut insert = self.c.prepare_cached(
            "INSERT OR IGNORE INTO quote (event, slot, book, market, side, subject, own_line, line, price, status,
             first_seen, last_changed) VALUES (?,?,?,?,?,?,?,NULL,0,1,?,?)",
        )?;
        let (looks, ours, c, reserved) = (&self.looks, &self.ours, self.c, self.reserved());
        rows.each(&mut |hub, cells| {
            let Some((_, at)) = looks.get(&hub).copied() else { return Ok(()) };
            for (index, (column, cell)) in tables::SLOT.columns.iter().zip(cells).enumerate() {
                insert.raw_bind_parameter(index + 1, here(c, looks, ours, at, reserved, column, cell)?)?;
            }
            insert.raw_bind_parameter(8, at.millis())?;
            insert.raw_bind_parameter(9, at.millis())?;
            insert.raw_execute()?;
            Ok(())
        })
    }

    fn changes(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "change of the hub" };
        let mut insert = self.c.prepare_cached(
            "INSERT OR IGNORE INTO change (event, look, slot, line, price, status, last_seen, provider_update)
             VALUES (?,?,?,?,?,?,?,?)",
        )?;
        let mut find =
            self.c.prepare_cached("SELECT line, price, last_changed FROM quote WHERE event = ? AND slot = ?")?;
        let (looks, ours, quotes) = (&self.looks, &self.ours, &mut self.quotes);
        rows.each(&mut |hub, cells| {
            let Some((look, at)) = looks.get(&hub).copied() else { return Ok(()) };
            let [event, slot, line, price, status, last_seen, provider_update] = cells else { return Err(DAMAGED) };
            let event = event.int().and_then(|e| u32::try_from(e).ok()).and_then(|e| ours.event(e)).ok_or(DAMAGED)?;
            let (event, slot) = (i64::from(event), slot.int().ok_or(DAMAGED)?);
            let (price, status) = (price.int().ok_or(DAMAGED)?, status.int().ok_or(DAMAGED)?);
            let (line, last_seen, provider_update) = (line.int(), last_seen.int(), provider_update.int());
            insert.raw_bind_parameter(1, event)?;
            insert.raw_bind_parameter(2, look)?;
            insert.raw_bind_parameter(3, slot)?;
            insert.raw_bind_parameter(4, line)?;
            insert.raw_bind_parameter(5, price)?;
            insert.raw_bind_parameter(6, status)?;
            insert.raw_bind_parameter(7, last_seen)?;
            insert.raw_bind_parameter(8, provider_update)?;
            insert.raw_execute()?;
            let before = match quotes.get(&(event, slot)) {
                Some(p) => Some((p.line, p.price, p.last_changed)),
                None => find
                    .query_row([event, slot], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
                    .map(Some)
                    .or_else(none_if_no_rows)?,
            };
            let last_changed = match before {
                Some((l, p, changed)) if l == line && p == price => changed,
                _ => at.millis(),
            };
            let present = Present { line, price, status, last_seen, provider_update, last_changed };
            quotes.insert((event, slot), present);
            Ok(())
        })
    }

    pub(in super::super) fn put_quotes(&mut self) -> Result<(), StoreError> {
        let mut quotes: Vec<_> = std::mem::take(&mut self.quotes).into_iter().collect();
        quotes.sort_unstable_by_key(|(key, _)| *key);
        let mut update = self.c.prepare_cached(
            "UPDATE quote SET line = ?, price = ?, status = ?, last_changed = ?, last_seen = ?, provider_update = ?
             WHERE event = ? AND slot = ?",
        )?;
        for ((event, slot), p) in quotes {
            update.execute(params![
                p.line,
                p.price,
                p.status,
                p.last_changed,
                p.last_seen,
                p.provider_update,
                event,
                slot
            ])?;
        }
        Ok(())
    }

    pub(in super::super) fn put_points(&mut self) -> Result<(), StoreError> {
        let mut points: Vec<_> = std::mem::take(&mut self.newest_points).into_iter().collect();
        points.sort_unstable();
        let mut move_on = self.c.prepare_cached(
            "INSERT INTO point_newest (event, market, subject, own_line, look) VALUES (?,?,?,?,?)
             ON CONFLICT DO UPDATE SET look = max(look, excluded.look)",
        )?;
        for ((event, market, subject, own_line), look) in points {
            move_on.execute(params![event, market, subject, own_line, look])?;
        }
        Ok(())
    }

    fn issue_ends(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        let c = self.c;
        let mut end = c.prepare_cached(
            "UPDATE quality SET cleared = ?1 WHERE id = (SELECT id FROM quality WHERE look = ?2 ORDER BY id LIMIT 1 OFFSET ?3)",
        )?;
        let mut later = c.prepare_cached("INSERT OR IGNORE INTO hub_end (look, of, n) VALUES (?,?,?)")?;
        let wait = self.is_open || self.order != Order::Next;
        let looks = &self.looks;
        rows.each(&mut |hub, cells| {
            let Some((look, _)) = looks.get(&hub).copied() else { return Ok(()) };
            let [of_look, of_n] = cells else { return Err(StoreError::Damaged { what: "issue of the hub" }) };
            let of_look = of_look.int().unwrap_or(0);
            let of = match looks.get(&of_look) {
                Some((of, _)) => Some(*of),
                None => our_look(c, of_look)?,
            };
            match of {
                Some(of) => end.execute(params![look, of, of_n.int()])?,
                None if wait => later.execute(params![look, of_look, of_n.int()])?,
                None => 0,
            };
            Ok(())
        })
    }
}

/// A value in our numbers.
pub(in super::super) fn here<'v>(
    c: &Connection,
    looks: &FxHashMap<i64, (i64, Timestamp)>,
    ours: &Maps,
    at: Timestamp,
    reserved: Option<(i64, i64)>,
    column: &Column,
    cell: &'v Cell<'v>,
) -> Result<Cell<'v>, StoreError> {
    let unknown = || StoreError::Damaged { what: "number of the hub" };
    if *cell == Cell::Null {
        return Ok(Cell::Null);
    }
    let number = || cell.int().and_then(|n| u32::try_from(n).ok()).ok_or_else(unknown);
    Ok(match column.means {
        Means::Plain => cell.clone_ref(),
        Means::Event => Cell::Int(ours.event(number()?).ok_or_else(unknown)?.into()),
        Means::Name(kind) => Cell::Int(ours.name(kind, number()?).ok_or_else(unknown)?.into()),
        Means::Look => {
            let hub = cell.int().ok_or_else(unknown)?;
            match looks.get(&hub) {
                Some((look, _)) => Cell::Int(*look),
                None => match reserved {
                    Some((base, head)) if (1..=head).contains(&hub) => Cell::Int(base + hub),
                    _ => our_look(c, hub)?.map_or(Cell::Null, Cell::Int),
                },
            }
        }
        Means::Legs => {
            let text = cell.text().ok_or_else(unknown)?;
            let book = |book| ours.name(NameKind::Book, book);
            Cell::Text(Cow::Owned(renumber_legs(text, book).ok_or_else(unknown)?))
        }
        Means::EventJson => {
            let text = cell.text().ok_or_else(unknown)?;
            Cell::Text(Cow::Owned(renumber_json(text, |e| ours.event(e)).ok_or_else(unknown)?))
        }
        Means::Seen => {
            let bytes = codec::Unpacker::new()?.unpack(cell.bytes().ok_or_else(unknown)?)?;
            let other = renumber_seen(&bytes, at, ours).ok_or_else(unknown)?;
            Cell::Bytes(Cow::Owned(codec::Packer::new()?.pack(&other)?))
        }
    })
}
