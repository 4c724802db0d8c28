//! Watchlists: made, renamed, put in order, deleted, and brought back.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rule::Rule;
use super::{Desk, DeskError, count, moved, rules, text};
use crate::market::time::Timestamp;

/// Our number of a watchlist. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ListId(pub i64);

/// A watchlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watchlist {
    /// Our number of it.
    pub id: ListId,
    /// Unique, whatever its case.
    pub name: String,
    /// Place among the lists, from 0.
    pub position: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many rules it has.
    pub rules: usize,
}

/// A watchlist with its rules in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListContents {
    /// The list.
    pub list: Watchlist,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// What a deleted watchlist held: all that [`Desk::restore`] needs to undo it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deleted(pub ListContents);

impl Desk {
    /// All watchlists in their order.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn lists(&self) -> Result<Vec<Watchlist>, DeskError> {
        self.read(all)
    }

    /// All watchlists with their rules, of one state.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn contents(&self) -> Result<Vec<ListContents>, DeskError> {
        self.read(|c| {
            all(c)?.into_iter().map(|list| Ok(ListContents { rules: rules::of(c, list.id)?, list })).collect()
        })
    }

    /// The watchlist of this name, whatever its case and the blanks around it.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn find(&self, name: &str) -> Result<Option<Watchlist>, DeskError> {
        let key = text::folded(name.trim());
        self.read(|c| {
            let found = c
                .query_row("SELECT id FROM watchlist WHERE name_key = ?1", [key], |r| Ok(ListId(r.get(0)?)))
                .optional()?;
            found.map(|id| one(c, id)).transpose()
        })
    }

    /// Makes an empty watchlist behind the others.
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::NameTaken`].
    pub fn create(&mut self, name: &str) -> Result<Watchlist, DeskError> {
        let name = text::name(name)?;
        let now = (self.now)();
        self.write(|tx| {
            refuse_taken(tx, name, None)?;
            let position = order(tx)?.len();
            tx.execute(
                "INSERT INTO watchlist (name, name_key, position, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![name, text::folded(name), position as i64, now.millis()],
            )?;
            one(tx, ListId(tx.last_insert_rowid()))
        })
    }

    /// Gives a watchlist another name; only the case may change.
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::NameTaken`], [`DeskError::NoList`].
    pub fn rename(&mut self, list: ListId, name: &str) -> Result<Watchlist, DeskError> {
        let name = text::name(name)?;
        self.write(|tx| {
            refuse_taken(tx, name, Some(list))?;
            let key = text::folded(name);
            tx.execute("UPDATE watchlist SET name = ?2, name_key = ?3 WHERE id = ?1", params![list.0, name, key])?;
            one(tx, list)
        })
    }

    /// Deletes a watchlist and its rules, and answers what they were.
    ///
    /// # Errors
    /// [`DeskError::NoList`].
    pub fn delete(&mut self, list: ListId) -> Result<Deleted, DeskError> {
        self.write(|tx| {
            let deleted = Deleted(ListContents { list: one(tx, list)?, rules: rules::of(tx, list)? });
            tx.execute("DELETE FROM watchlist WHERE id = ?1", [list.0])?;
            number(tx, &order(tx)?)?;
            Ok(deleted)
        })
    }

    /// Undoes [`Self::delete`]: the same list with the same rules, in its old place as far as that is there.
    ///
    /// # Errors
    /// [`DeskError::NameTaken`] when another has its name by now, [`DeskError::NotDeleted`] when it is there.
    pub fn restore(&mut self, deleted: &Deleted) -> Result<Watchlist, DeskError> {
        let Deleted(ListContents { list, rules }) = deleted;
        let name = text::name(&list.name)?;
        self.write(|tx| {
            match one(tx, list.id) {
                Err(DeskError::NoList) => {}
                Ok(there) => return Err(DeskError::NotDeleted { name: there.name }),
                Err(e) => return Err(e),
            }
            refuse_taken(tx, name, None)?;
            let others = order(tx)?;
            tx.execute(
                "INSERT INTO watchlist (id, name, name_key, position, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![list.id.0, name, text::folded(name), others.len() as i64, list.created_at.millis()],
            )?;
            number(tx, &moved(others, list.id.0, list.position))?;
            for (position, rule) in rules.iter().enumerate() {
                rules::put_back(tx, list.id, position, rule)?;
            }
            one(tx, list.id)
        })
    }

    /// Moves a watchlist to `position`, from 0; beyond the last it becomes the last.
    ///
    /// # Errors
    /// [`DeskError::NoList`].
    pub fn move_to(&mut self, list: ListId, position: usize) -> Result<(), DeskError> {
        self.write(|tx| {
            one(tx, list)?;
            number(tx, &moved(order(tx)?, list.0, position))
        })
    }
}

const COLUMNS: &str =
    "id, name, position, created_at, (SELECT count(*) FROM rule WHERE rule.list = watchlist.id) AS rules";

fn decode(r: &Row<'_>) -> Result<Watchlist, DeskError> {
    Ok(Watchlist {
        id: ListId(r.get(0)?),
        name: r.get(1)?,
        position: count(r.get(2)?, "position")?,
        created_at: Timestamp::from_millis(r.get(3)?),
        rules: count(r.get(4)?, "count")?,
    })
}

fn all(c: &Connection) -> Result<Vec<Watchlist>, DeskError> {
    let mut select = c.prepare_cached(&format!("SELECT {COLUMNS} FROM watchlist ORDER BY position, id"))?;
    select.query_and_then([], decode)?.collect()
}

/// The list of this number.
pub(super) fn one(c: &Connection, list: ListId) -> Result<Watchlist, DeskError> {
    let mut select = c.prepare_cached(&format!("SELECT {COLUMNS} FROM watchlist WHERE id = ?1"))?;
    select.query_and_then([list.0], decode)?.next().unwrap_or(Err(DeskError::NoList))
}

fn order(c: &Connection) -> Result<Vec<i64>, DeskError> {
    let mut select = c.prepare_cached("SELECT id FROM watchlist ORDER BY position, id")?;
    Ok(select.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

fn number(c: &Connection, ids: &[i64]) -> Result<(), DeskError> {
    let mut update = c.prepare_cached("UPDATE watchlist SET position = ?2 WHERE id = ?1 AND position <> ?2")?;
    for (position, id) in (0_i64..).zip(ids) {
        update.execute([*id, position])?;
    }
    Ok(())
}

fn refuse_taken(c: &Connection, name: &str, except: Option<ListId>) -> Result<(), DeskError> {
    let holder: Option<(i64, String)> = c
        .query_row("SELECT id, name FROM watchlist WHERE name_key = ?1", [text::folded(name)], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    match holder {
        Some((id, name)) if except != Some(ListId(id)) => Err(DeskError::NameTaken { name }),
        _ => Ok(()),
    }
}
