//! Rows of looks that a hub holds too, put in the place of those that stand here: what a comparison found to differ.
//!
//! Looks keep their numbers, and what was never told is not touched. What the store draws from such rows (present quotes,
//! newest points, starts and scores of games, which issues have ended) is drawn again from what stands there afterwards.

use std::cell::RefCell;

use rusqlite::{Connection, params, params_from_iter};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::write::none_if_no_rows;
use super::super::{Store, StoreError};
use super::cell::Cell;
use super::incoming::Rows;
use super::maps::Maps;
use super::tables::{self, By, Table};
use super::taking::here;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;

/// Rows of the hub for looks that are here.
pub struct Mending {
    /// Number of the source's name, ours.
    pub source: u32,
    /// Sport, ours.
    pub sport: SportId,
    /// The looks, in the hub's numbers.
    pub looks: Vec<i64>,
    /// All rows of theirs in these tables. The ends of issues come with the issues.
    pub rows: Vec<(Table, Box<dyn Rows>)>,
}

impl std::fmt::Debug for Mending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mending").field("looks", &self.looks.len()).finish_non_exhaustive()
    }
}

/// Looks of a stream that the hub has and this store has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Number of the source's name, ours.
    pub source: u32,
    /// Sport, ours.
    pub sport: SportId,
    /// When the first of them was received.
    pub since: Timestamp,
    /// The entry in which it stands.
    pub entry: i64,
    /// The newest entry of the log.
    pub head: i64,
}

impl Store {
    /// Puts the hub's rows of some looks in the place of those here, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn hub_mend(&mut self, mending: &Mending) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        Bench::new(&tx, mending)?.mend(mending)?;
        tx.commit()?;
        Ok(())
    }

    /// Looks that the hub has lost are none of its looks any more; they stay, and are not told again: it has later ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_disown(&mut self, looks: &[i64]) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        for look in looks {
            tx.prepare_cached("INSERT OR IGNORE INTO hub_apart (look) SELECT look FROM hub_look WHERE hub = ?")?
                .execute([look])?;
            tx.prepare_cached("DELETE FROM hub_look WHERE hub = ?")?.execute([look])?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Takes a stream back to before a gap, so that the log is read again from there. Answers whether that was done: not
    /// where looks that were never told would go with it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn hub_reread(&mut self, gap: &Gap, settings: &crate::engine::EngineSettings) -> Result<bool, StoreError> {
        let (source, sport, since) = (gap.source, gap.sport, gap.since.millis());
        let tx = self.connection.transaction()?;
        let untold: i64 = tx.query_row(
            "SELECT count(*) FROM look WHERE source = ? AND sport = ? AND received_at >= ?
             AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)",
            params![source, sport.0, since],
            |r| r.get(0),
        )?;
        if untold > 0 {
            return Ok(false);
        }
        let first: Option<i64> = tx.query_row(
            "SELECT min(entry) FROM hub_look JOIN look ON look.id = hub_look.look
             WHERE source = ? AND sport = ? AND received_at >= ?",
            params![source, sport.0, since],
            |r| r.get(0),
        )?;
        let told: i64 = tx.query_row("SELECT ifnull(max(id), 0) FROM taken_back", [], |r| r.get(0))?;
        super::super::write::Together { connection: &tx }.rewind(source, sport, gap.since.plus(-1), settings)?;
        tx.execute("DELETE FROM taken_back WHERE id > ?", [told])?;
        let from = first.map_or(gap.entry, |f| f.min(gap.entry)) - 1;
        tx.execute("UPDATE hub SET pulled = min(pulled, ?), whole = max(whole, ?)", [from, gap.head])?;
        tx.commit()?;
        Ok(true)
    }
}

/// Hears of a row in our numbers: its look, when that was received, and the cells.
type OwnRow<'f> = dyn FnMut(i64, Timestamp, &[Cell<'_>]) -> Result<(), StoreError> + 'f;

/// What is at hand while rows are put in.
struct Bench<'c> {
    c: &'c Connection,
    source: u32,
    sport: SportId,
    ours: Maps,
    /// Our number and instant, by the hub's.
    looks: FxHashMap<i64, (i64, Timestamp)>,
    /// Our numbers, for a question.
    list: String,
    /// Quotes whose log or meaning has been touched: event and slot.
    touched: RefCell<FxHashSet<(i64, i64)>>,
}

impl<'c> Bench<'c> {
    fn new(c: &'c Connection, mending: &Mending) -> Result<Self, StoreError> {
        let mut looks = FxHashMap::default();
        let mut find = c.prepare_cached(
            "SELECT look.id, received_at FROM hub_look JOIN look ON look.id = hub_look.look WHERE hub = ?",
        )?;
        for hub in &mending.looks {
            let found: Option<(i64, i64)> =
                find.query_row([hub], |r| Ok((r.get(0)?, r.get(1)?))).map(Some).or_else(none_if_no_rows)?;
            let Some((id, at)) = found else { continue };
            looks.insert(*hub, (id, Timestamp::from_millis(at)));
        }
        let mut ids: Vec<i64> = looks.values().map(|l| l.0).collect();
        ids.sort_unstable();
        let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        Ok(Self {
            c,
            source: mending.source,
            sport: mending.sport,
            ours: Maps::load(c)?.turned(),
            looks,
            list,
            touched: RefCell::default(),
        })
    }

    fn mend(&self, mending: &Mending) -> Result<(), StoreError> {
        for (table, rows) in &mending.rows {
            let rows = rows.as_ref();
            match table.name {
                "look" => self.looks(rows)?,
                "slot" => self.slots(rows)?,
                "change" => self.changes(table, rows)?,
                "point" => self.points(table, rows)?,
                "quality" => self.issues(table, rows)?,
                "quality_end" => self.issue_ends(rows)?,
                _ => self.replace(table, rows)?,
            }
        }
        self.quotes()?;
        if mending.rows.iter().any(|(t, _)| matches!(t.name, "event_start" | "event_score")) {
            self.games()?;
        }
        Ok(())
    }

    /// The rows of these looks in a table.
    fn where_they_are(&self, table: &Table) -> String {
        let looks = format!("look IN ({})", self.list);
        match table.by {
            By::Look => looks,
            By::Event => format!(
                "event IN (SELECT id FROM event WHERE source = {} AND sport = {}) AND {looks}",
                self.source, self.sport.0
            ),
        }
    }

    /// Tells each row of the hub in our numbers, behind the number of its look.
    fn each(&self, table: &Table, rows: &dyn Rows, row: &mut OwnRow<'_>) -> Result<(), StoreError> {
        rows.each(&mut |hub, cells| {
            let Some((look, at)) = self.looks.get(&hub).copied() else { return Ok(()) };
            let mut own = Vec::with_capacity(cells.len());
            for (column, cell) in table.columns.iter().zip(cells) {
                own.push(here(self.c, &self.looks, &self.ours, at, None, column, cell)?);
            }
            row(look, at, &own)
        })
    }

    fn replace(&self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        self.c.execute(&format!("DELETE FROM {} WHERE {}", table.name, self.where_they_are(table)), [])?;
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        let marks = vec!["?"; columns.len() + 1].join(",");
        let mut insert = self.c.prepare_cached(&format!(
            "INSERT OR REPLACE INTO {} (look, {}) VALUES ({marks})",
            table.name,
            columns.join(", ")
        ))?;
        self.each(table, rows, &mut |look, _, cells| {
            insert.execute(params_from_iter(std::iter::once(&Cell::Int(look)).chain(cells)))?;
            Ok(())
        })
    }

    fn looks(&self, rows: &dyn Rows) -> Result<(), StoreError> {
        let columns: Vec<String> = tables::LOOK_COLUMNS
            .iter()
            .map(|c| match c.name {
                "scope" => "scope = (SELECT id FROM scope WHERE json = ?)".to_owned(),
                name => format!("{name} = ?"),
            })
            .collect();
        let mut update = self.c.prepare_cached(&format!("UPDATE look SET {} WHERE id = ?", columns.join(", ")))?;
        let table = Table { name: "look", columns: tables::LOOK_COLUMNS, by: By::Look, key: &[] };
        self.each(&table, rows, &mut |look, _, cells| {
            for (_, cell) in tables::LOOK_COLUMNS.iter().zip(cells).filter(|(c, _)| c.name == "scope") {
                self.c.prepare_cached("INSERT OR IGNORE INTO scope (json) VALUES (?)")?.execute([cell])?;
            }
            update.execute(params_from_iter(cells.iter().chain(std::iter::once(&Cell::Int(look)))))?;
            Ok(())
        })
    }

    /// What slots stand for; their values come from the change log.
    fn slots(&self, rows: &dyn Rows) -> Result<(), StoreError> {
        let mut put = self.c.prepare_cached(
            "INSERT INTO quote (event, slot, book, market, side, subject, own_line, line, price, status, first_seen,
             last_changed) VALUES (?1,?2,?3,?4,?5,?6,?7,NULL,0,1,?8,?8)
             ON CONFLICT DO UPDATE SET book = ?3, market = ?4, side = ?5, subject = ?6, own_line = ?7, first_seen = ?8",
        )?;
        self.each(&tables::SLOT, rows, &mut |_, at, cells| {
            put.execute(params_from_iter(cells.iter().chain(std::iter::once(&Cell::Int(at.millis())))))?;
            self.touch(cells);
            Ok(())
        })
    }

    fn touch(&self, cells: &[Cell<'_>]) {
        if let [event, slot, ..] = cells {
            self.touched.borrow_mut().extend(event.int().zip(slot.int()));
        }
    }

    fn changes(&self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        let sql = format!("SELECT event, slot FROM change WHERE {}", self.where_they_are(table));
        let mut select = self.c.prepare(&sql)?;
        let mut found = select.query([])?;
        while let Some(r) = found.next()? {
            self.touched.borrow_mut().insert((r.get(0)?, r.get(1)?));
        }
        self.replace(table, rows)?;
        self.each(table, rows, &mut |_, _, cells| {
            self.touch(cells);
            Ok(())
        })
    }

    /// Present values, each as the newest row of the log left it.
    fn quotes(&self) -> Result<(), StoreError> {
        let mut log = self.c.prepare_cached(
            "SELECT line, price, change.status, last_seen, provider_update, received_at FROM change
             JOIN look ON look.id = change.look WHERE event = ? AND slot = ? ORDER BY change.look",
        )?;
        let mut update = self.c.prepare_cached(
            "UPDATE quote SET line = ?, price = ?, status = ?, last_seen = ?, provider_update = ?, last_changed = ?
             WHERE event = ? AND slot = ?",
        )?;
        let mut delete = self.c.prepare_cached("DELETE FROM quote WHERE event = ? AND slot = ?")?;
        type Value = (Option<i64>, i64, i64, Option<i64>, Option<i64>);
        for (event, slot) in self.touched.borrow().iter() {
            let mut present: Option<(Value, i64)> = None;
            let mut rows = log.query([event, slot])?;
            while let Some(r) = rows.next()? {
                let value: Value = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?);
                let changed = match present {
                    Some((p, changed)) if (p.0, p.1) == (value.0, value.1) => changed,
                    _ => r.get(5)?,
                };
                present = Some((value, changed));
            }
            match present {
                Some((v, changed)) => update.execute(params![v.0, v.1, v.2, v.3, v.4, changed, event, slot])?,
                None => delete.execute([event, slot])?,
            };
        }
        Ok(())
    }

    fn points(&self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        let mut touched: FxHashSet<[i64; 4]> = FxHashSet::default();
        let sql = format!("SELECT event, market, subject, own_line FROM point WHERE {}", self.where_they_are(table));
        let mut select = self.c.prepare(&sql)?;
        let mut found = select.query([])?;
        while let Some(r) = found.next()? {
            touched.insert([r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?]);
        }
        self.replace(table, rows)?;
        self.each(table, rows, &mut |_, _, cells| {
            if let [Cell::Int(event), Cell::Int(market), Cell::Int(subject), Cell::Int(own_line), ..] = cells {
                touched.insert([*event, *market, *subject, *own_line]);
            }
            Ok(())
        })?;
        let mut delete = self.c.prepare_cached(
            "DELETE FROM point_newest WHERE event = ? AND market = ? AND subject = ? AND own_line = ?",
        )?;
        let mut insert = self.c.prepare_cached(
            "INSERT INTO point_newest (event, market, subject, own_line, look)
             SELECT ?1, ?2, ?3, ?4, max(look) FROM point
             WHERE event = ?1 AND market = ?2 AND subject = ?3 AND own_line = ?4 HAVING max(look) IS NOT NULL",
        )?;
        for question in touched {
            delete.execute(question)?;
            insert.execute(question)?;
        }
        Ok(())
    }

    /// Issues, without their ends but for those at looks that were never told.
    fn issues(&self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        type Ended = (Option<i64>, Option<i64>, Option<i64>, i64, i64, i64);
        let sql = format!(
            "SELECT event, book, market, reason, look, cleared FROM quality WHERE look IN ({}) AND cleared IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = cleared)",
            self.list
        );
        let mut select = self.c.prepare(&sql)?;
        let ended: Vec<Ended> = select
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)))?
            .collect::<Result<_, _>>()?;
        self.c.execute(&format!("DELETE FROM quality WHERE look IN ({})", self.list), [])?;
        let mut insert = self.c.prepare_cached(
            "INSERT INTO quality (look, at, event, book, market, reason, severity, detail) VALUES (?,?,?,?,?,?,?,?)",
        )?;
        self.each(table, rows, &mut |look, at, cells| {
            // The first tells which of its look it is: they come in that order.
            let own = cells.iter().skip(1);
            let front = [Cell::Int(look), Cell::Int(at.millis())];
            insert.execute(params_from_iter(front.iter().chain(own)))?;
            Ok(())
        })?;
        let mut end = self.c.prepare_cached(
            "UPDATE quality SET cleared = ?6 WHERE event IS ?1 AND book IS ?2 AND market IS ?3 AND reason = ?4 AND look = ?5",
        )?;
        for e in ended {
            end.execute(params![e.0, e.1, e.2, e.3, e.4, e.5])?;
        }
        Ok(())
    }

    /// What ended at these looks, and, with issues that were put in anew, what ended of theirs.
    fn issue_ends(&self, rows: &dyn Rows) -> Result<(), StoreError> {
        self.c.execute(&format!("UPDATE quality SET cleared = NULL WHERE cleared IN ({})", self.list), [])?;
        let mut end = self.c.prepare_cached(
            "UPDATE quality SET cleared = (SELECT look FROM hub_look WHERE hub = ?1) WHERE id =
             (SELECT id FROM quality WHERE look = (SELECT look FROM hub_look WHERE hub = ?2) ORDER BY id LIMIT 1 OFFSET ?3)
             AND EXISTS (SELECT 1 FROM hub_look WHERE hub = ?1)",
        )?;
        rows.each(&mut |hub, cells| {
            let [of_look, of_n] = cells else { return Err(StoreError::Damaged { what: "issue of the hub" }) };
            end.execute(params![hub, of_look.int(), of_n.int()])?;
            Ok(())
        })
    }

    /// Starts and scores of games, as their newest rows say.
    fn games(&self) -> Result<(), StoreError> {
        self.c.execute(
            "UPDATE event SET
                 commence = ifnull((SELECT s.commence FROM event_start s WHERE s.event = id ORDER BY s.look DESC LIMIT 1),
                                   commence),
                 (status, home_score, away_score) =
                     (SELECT ifnull(max(s.look) * 0 + s.status, 0), s.home_score, s.away_score
                      FROM event_score s WHERE s.event = id)
             WHERE source = ? AND sport = ?",
            params![self.source, self.sport.0],
        )?;
        Ok(())
    }
}
