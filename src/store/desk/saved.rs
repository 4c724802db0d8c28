//! Small things with a name: saved filters, views of the board, and when something was last seen.

use rusqlite::{OptionalExtension, Row, params};

use super::{Desk, DeskError, text};
use crate::market::time::Timestamp;

/// A filter with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedFilter {
    /// Unique, whatever its case.
    pub name: String,
    /// An expression of the filter language, as it was when it was saved.
    pub text: String,
    /// When it was saved last.
    pub saved_at: Timestamp,
}

impl Desk {
    /// Saves a filter under a name; one that is there is replaced and answered, for an undo.
    ///
    /// # Errors
    /// [`DeskError::Unfit`].
    pub fn save_filter(&mut self, name: &str, filter: &str) -> Result<Option<SavedFilter>, DeskError> {
        let (name, filter) = (text::name(name)?, text::filter(filter)?);
        let (key, now) = (text::folded(name), (self.now)());
        self.write(|tx| {
            let before = tx.query_row("SELECT name, text, saved_at FROM filter WHERE name_key = ?1", [&key], decode);
            let before = before.optional()?;
            tx.execute(
                "INSERT INTO filter (name_key, name, text, saved_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name_key) DO UPDATE SET name = ?2, text = ?3, saved_at = ?4",
                params![key, name, filter, now.millis()],
            )?;
            Ok(before)
        })
    }

    /// All saved filters in the order of their names.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn filters(&self) -> Result<Vec<SavedFilter>, DeskError> {
        self.read(|c| {
            let mut select = c.prepare_cached("SELECT name, text, saved_at FROM filter ORDER BY name_key")?;
            Ok(select.query_map([], decode)?.collect::<Result<_, _>>()?)
        })
    }

    /// Deletes the filter of this name and answers what it was; `None` when there was none.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn delete_filter(&mut self, name: &str) -> Result<Option<SavedFilter>, DeskError> {
        let key = text::folded(name.trim());
        self.write(|tx| {
            let sql = "DELETE FROM filter WHERE name_key = ?1 RETURNING name, text, saved_at";
            Ok(tx.query_row(sql, [key], decode).optional()?)
        })
    }

    /// The view of this name, as it was set.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn view(&self, name: &str) -> Result<Option<String>, DeskError> {
        self.read(|c| {
            Ok(c.query_row("SELECT json FROM view WHERE name = ?1", [name.trim()], |r| r.get(0)).optional()?)
        })
    }

    /// Keeps a view: what was chosen live, such as columns, sort and theme. The desk only knows that it is JSON.
    ///
    /// # Errors
    /// [`DeskError::Unfit`] when it is no JSON or larger than [`super::LARGEST_VIEW`].
    pub fn set_view(&mut self, name: &str, json: &str) -> Result<(), DeskError> {
        let name = text::name(name)?;
        if json.len() > text::LARGEST_VIEW {
            let problem = format!("has {} bytes; {} are the most", json.len(), text::LARGEST_VIEW);
            return Err(DeskError::unfit("the view", problem));
        }
        serde_json::from_str::<serde::de::IgnoredAny>(json)
            .map_err(|e| DeskError::unfit("the view", format!("is no JSON: {e}")))?;
        self.write(|tx| {
            let sql = "INSERT INTO view (name, json) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET json = ?2";
            tx.execute(sql, [name, json])?;
            Ok(())
        })
    }

    /// When the thing of this name was last seen; `None` for never.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn seen(&self, name: &str) -> Result<Option<Timestamp>, DeskError> {
        self.read(|c| {
            let at = c.query_row("SELECT at FROM seen WHERE name = ?1", [name.trim()], |r| r.get(0)).optional()?;
            Ok(at.map(Timestamp::from_millis))
        })
    }

    /// Notes that the thing of this name was seen at `at`.
    ///
    /// # Errors
    /// [`DeskError::Unfit`].
    pub fn set_seen(&mut self, name: &str, at: Timestamp) -> Result<(), DeskError> {
        let name = text::name(name)?;
        self.write(|tx| {
            let sql = "INSERT INTO seen (name, at) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET at = ?2";
            tx.execute(sql, params![name, at.millis()])?;
            Ok(())
        })
    }
}

fn decode(r: &Row<'_>) -> rusqlite::Result<SavedFilter> {
    Ok(SavedFilter { name: r.get(0)?, text: r.get(1)?, saved_at: Timestamp::from_millis(r.get(2)?) })
}
