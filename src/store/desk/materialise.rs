//! What the operations come to is put into the desk's tables, with as few writes as may be: a row that stays keeps its
//! number, so that whoever shows it still means the same.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use serde_json::Value;
use uuid::Uuid;

use super::merge::layout::{Placed, PlacedList, rule_in};
use super::merge::{Fields, Kind, Layout};
use super::oplog::{self, Kept};
use super::{DeskError, rows, text};

/// Brings the tables to what the records say. Answers how many rows were written or removed.
pub(super) fn materialise(c: &Connection) -> Result<usize, DeskError> {
    let mut kept: BTreeMap<Kind, Vec<Kept>> = BTreeMap::new();
    for kind in Kind::ALL.into_iter().filter(|k| k.has_table()) {
        kept.insert(kind, oplog::records(c, kind)?);
    }
    let layout = Layout::of(kept.iter().flat_map(|(kind, all)| all.iter().map(|k| (*kind, k.record, &k.state))));
    let mut rows = Rows { c, written: 0, known: BTreeMap::new() };
    for (kind, all) in kept {
        rows.known.extend(all.into_iter().map(|k| ((kind, k.record), k)));
    }
    let PlacedLists { lists, rules } = PlacedLists::of(&layout.lists);
    // What goes makes room for names and places of what comes.
    rows.remove(Kind::ListRule, &rules)?;
    rows.remove(Kind::List, &lists)?;
    rows.lists(&layout.lists)?;
    rows.remove(Kind::Filter, &layout.filters.iter().collect::<Vec<_>>())?;
    rows.filters(&layout.filters)?;
    rows.remove(Kind::AlertRule, &layout.alert_rules.iter().collect::<Vec<_>>())?;
    rows.alert_rules(&layout.alert_rules)?;
    rows.remove(Kind::ExchangeDecision, &layout.decisions.iter().collect::<Vec<_>>())?;
    rows.decisions(&layout.decisions)?;
    Ok(rows.written)
}

struct PlacedLists<'l> {
    lists: Vec<&'l Placed>,
    rules: Vec<&'l Placed>,
}

impl<'l> PlacedLists<'l> {
    fn of(all: &'l [PlacedList]) -> Self {
        Self { lists: all.iter().map(|l| &l.list).collect(), rules: all.iter().flat_map(|l| &l.rules).collect() }
    }
}

struct Rows<'c> {
    c: &'c Connection,
    written: usize,
    known: BTreeMap<(Kind, Uuid), Kept>,
}

fn word<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn whole(fields: &Fields, name: &str) -> i64 {
    fields.get(name).and_then(Value::as_i64).unwrap_or(0)
}

impl Rows<'_> {
    /// The row that shows a record now.
    fn row(&self, kind: Kind, record: Uuid) -> Option<&str> {
        let kept = self.known.get(&(kind, record))?;
        kept.shown.as_ref().and(kept.local.as_deref())
    }

    /// The row says this already.
    fn says(&self, kind: Kind, placed: &Placed) -> bool {
        self.known.get(&(kind, placed.record)).is_some_and(|k| k.shown.as_ref() == Some(&placed.shown))
    }

    /// The number of the row that a record has or had, where nothing else has taken it.
    fn number(&self, kind: Kind, record: Uuid) -> Option<i64> {
        self.known.get(&(kind, record)).and_then(|k| k.local.as_deref()).and_then(rows::number)
    }

    fn show(&mut self, kind: Kind, placed: &Placed, local: &str) -> Result<(), DeskError> {
        self.written += 1;
        oplog::show(self.c, kind, placed.record, local, &placed.shown)?;
        if let Some(kept) = self.known.get_mut(&(kind, placed.record)) {
            (kept.local, kept.shown) = (Some(local.to_owned()), Some(placed.shown.clone()));
        }
        Ok(())
    }

    /// Removes the rows of records that are not to be shown, or not in that row.
    fn remove(&mut self, kind: Kind, wanted: &[&Placed]) -> Result<(), DeskError> {
        let wanted: BTreeMap<Uuid, &Placed> = wanted.iter().map(|p| (p.record, *p)).collect();
        let stays = |k: &Kept, shown: &Fields| {
            let Some(placed) = wanted.get(&k.record) else { return false };
            match kind {
                Kind::ListRule => word(shown, "list") == word(&placed.shown, "list"),
                Kind::Filter => k.local.as_deref() == Some(&text::folded(word(&placed.shown, "name"))),
                _ => true,
            }
        };
        let going: Vec<(Uuid, String)> = self
            .known
            .iter()
            .filter(|((of, _), k)| *of == kind && k.shown.as_ref().is_some_and(|shown| !stays(k, shown)))
            .filter_map(|((_, id), k)| Some((*id, k.local.clone()?)))
            .collect();
        for (record, local) in going {
            match kind {
                Kind::List => self.c.execute("DELETE FROM watchlist WHERE id = ?1", [rows::number(&local)])?,
                Kind::ListRule => self.c.execute("DELETE FROM rule WHERE id = ?1", [rows::number(&local)])?,
                Kind::Filter => self.c.execute("DELETE FROM filter WHERE name_key = ?1", [&local])?,
                Kind::AlertRule => self.c.execute("DELETE FROM alert_rule WHERE id = ?1", [rows::number(&local)])?,
                Kind::ExchangeDecision => {
                    let (exchange, slug) = local.split_once('\n').unwrap_or_default();
                    let sql = "DELETE FROM exchange_decision WHERE exchange = ?1 AND slug = ?2";
                    self.c.execute(sql, [exchange, slug])?
                }
                Kind::Bet | Kind::Note => 0,
            };
            self.written += 1;
            oplog::hide(self.c, kind, record)?;
            if let Some(kept) = self.known.get_mut(&(kind, record)) {
                kept.shown = None;
            }
        }
        Ok(())
    }

    /// Names that are about to change stand in nobody's way.
    fn free_names(&self, kind: Kind, placed: &[&Placed]) -> Result<(), DeskError> {
        let table = if kind == Kind::List { "watchlist" } else { "alert_rule" };
        for p in placed.iter().filter(|p| !self.says(kind, p)) {
            if let Some(id) = self.row(kind, p.record).and_then(rows::number) {
                // No name has a control character.
                let sql = format!("UPDATE {table} SET name_key = char(1) || id WHERE id = ?1");
                self.c.execute(&sql, [id])?;
            }
        }
        Ok(())
    }

    fn lists(&mut self, placed: &[PlacedList]) -> Result<(), DeskError> {
        self.free_names(Kind::List, &placed.iter().map(|l| &l.list).collect::<Vec<_>>())?;
        let mut stand = Vec::with_capacity(placed.len());
        for PlacedList { list, rules } in placed {
            let id = self.list(list)?;
            stand.push(id);
            let mut rules_stand = Vec::with_capacity(rules.len());
            for rule in rules {
                rules_stand.extend(self.rule(id, rule)?);
            }
            number("rule", self.c, &rules_stand)?;
        }
        number("watchlist", self.c, &stand)
    }

    fn list(&mut self, list: &Placed) -> Result<i64, DeskError> {
        let row = self.row(Kind::List, list.record).and_then(rows::number);
        if let Some(id) = row.filter(|_| self.says(Kind::List, list)) {
            return Ok(id);
        }
        let (name, made) = (word(&list.shown, "name"), whole(&list.shown, "created_at"));
        let id = match row {
            Some(id) => {
                let sql = "UPDATE watchlist SET name = ?2, name_key = ?3, created_at = ?4 WHERE id = ?1";
                self.c.execute(sql, params![id, name, text::folded(name), made])?;
                id
            }
            None => {
                self.c.execute(
                    "INSERT INTO watchlist (id, name, name_key, position, created_at) VALUES (?1, ?2, ?3, -1, ?4)",
                    params![self.number(Kind::List, list.record), name, text::folded(name), made],
                )?;
                self.c.last_insert_rowid()
            }
        };
        self.show(Kind::List, list, &id.to_string())?;
        Ok(id)
    }

    fn rule(&mut self, list: i64, placed: &Placed) -> Result<Option<i64>, DeskError> {
        let row = self.row(Kind::ListRule, placed.record).and_then(rows::number);
        if row.is_some() && self.says(Kind::ListRule, placed) {
            return Ok(row);
        }
        let Some(rule) = rule_in(&placed.shown) else { return Ok(None) };
        let (kind, made) = (&rule.kind, whole(&placed.shown, "created_at"));
        let id = row.or_else(|| self.number(Kind::ListRule, placed.record));
        self.c
            .prepare_cached(
                "INSERT INTO rule (id, list, position, kind, text, text_key, sport, start, negative, label, created_at)
                 VALUES (?1, ?2, -1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (id) DO UPDATE SET text = ?4, start = ?7, negative = ?8, label = ?9, created_at = ?10",
            )?
            .execute(params![
                id,
                list,
                kind.name(),
                kind.text(),
                kind.text_key(),
                kind.sport().unwrap_or_default(),
                kind.start().map(crate::market::time::Timestamp::millis),
                rule.negative,
                rule.label,
                made,
            ])?;
        let id = id.unwrap_or_else(|| self.c.last_insert_rowid());
        self.show(Kind::ListRule, placed, &id.to_string())?;
        Ok(Some(id))
    }

    fn filters(&mut self, placed: &[Placed]) -> Result<(), DeskError> {
        for p in placed {
            if self.row(Kind::Filter, p.record).is_some() && self.says(Kind::Filter, p) {
                continue;
            }
            let name = word(&p.shown, "name");
            let key = text::folded(name);
            self.c.execute(
                "INSERT INTO filter (name_key, name, text, saved_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name_key) DO UPDATE SET name = ?2, text = ?3, saved_at = ?4",
                params![key, name, word(&p.shown, "text"), whole(&p.shown, "saved_at")],
            )?;
            self.show(Kind::Filter, p, &key)?;
        }
        Ok(())
    }

    fn alert_rules(&mut self, placed: &[Placed]) -> Result<(), DeskError> {
        self.free_names(Kind::AlertRule, &placed.iter().collect::<Vec<_>>())?;
        for p in placed {
            let row = self.row(Kind::AlertRule, p.record).and_then(rows::number);
            let json = rows::understood(self.c, word(&p.shown, "json"))?;
            if let (Some(id), true) = (row, self.says(Kind::AlertRule, p)) {
                // Only the number of its watchlist may have come to be known.
                let sql = "SELECT json FROM alert_rule WHERE id = ?1";
                let there: String = self.c.query_row(sql, [id], |r| r.get(0))?;
                if !same_json(&there, &json) {
                    self.c.execute("UPDATE alert_rule SET json = ?2 WHERE id = ?1", params![id, json])?;
                    self.written += 1;
                }
                continue;
            }
            let name = word(&p.shown, "name");
            let id = row.or_else(|| self.number(Kind::AlertRule, p.record));
            let active = p.shown.get("active").and_then(Value::as_bool).unwrap_or(false);
            let (made, changed) = (whole(&p.shown, "created_at"), whole(&p.shown, "changed_at"));
            self.c.execute(
                "INSERT INTO alert_rule (id, name, name_key, active, json, created_at, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET name = ?2, name_key = ?3, active = ?4, json = ?5, created_at = ?6,
                     changed_at = ?7",
                params![id, name, text::folded(name), active, json, made, changed],
            )?;
            let id = id.unwrap_or_else(|| self.c.last_insert_rowid());
            self.show(Kind::AlertRule, p, &id.to_string())?;
        }
        Ok(())
    }

    fn decisions(&mut self, placed: &[Placed]) -> Result<(), DeskError> {
        for p in placed {
            if self.row(Kind::ExchangeDecision, p.record).is_some() && self.says(Kind::ExchangeDecision, p) {
                continue;
            }
            let (exchange, slug) = (word(&p.shown, "exchange"), word(&p.shown, "slug"));
            let provider_id = p.shown.get("provider_id").and_then(Value::as_str);
            self.c.execute(
                "INSERT INTO exchange_decision (exchange, slug, provider_id, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (exchange, slug) DO UPDATE SET provider_id = ?3, at = ?4",
                params![exchange, slug, provider_id, whole(&p.shown, "at")],
            )?;
            self.show(Kind::ExchangeDecision, p, &format!("{exchange}\n{slug}"))?;
        }
        Ok(())
    }
}

fn same_json(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    a == b || read(a).is_some_and(|a| Some(a) == read(b))
}

/// Positions from 0 without gaps.
fn number(table: &'static str, c: &Connection, ids: &[i64]) -> Result<(), DeskError> {
    debug_assert!(ids.iter().collect::<BTreeSet<_>>().len() == ids.len());
    let mut update = c.prepare_cached(&format!("UPDATE {table} SET position = ?2 WHERE id = ?1 AND position <> ?2"))?;
    for (position, id) in (0_i64..).zip(ids) {
        update.execute([*id, position])?;
    }
    Ok(())
}
