//! Our numbers and the hub's: of names and events, kept in memory by whoever translates; of looks, asked of the store.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::super::write::none_if_no_rows;
use super::super::{Reader, StoreError};
use crate::engine::names::NameKind;

/// A name that the hub has to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownName {
    /// Which list.
    pub kind: NameKind,
    /// Our number.
    pub number: u32,
    /// The name.
    pub name: String,
}

/// Numbers of names and events, ours first.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    names: FxHashMap<(u8, u32), u32>,
    events: FxHashMap<u32, u32>,
}

impl Maps {
    pub(super) fn load(c: &Connection) -> Result<Self, StoreError> {
        let mut maps = Self::default();
        let mut select = c.prepare("SELECT kind, number, hub FROM hub_name")?;
        let mut rows = select.query([])?;
        while let Some(r) = rows.next()? {
            maps.names.insert((r.get(0)?, r.get(1)?), r.get(2)?);
        }
        let mut select = c.prepare("SELECT event, hub FROM hub_event")?;
        let mut rows = select.query([])?;
        while let Some(r) = rows.next()? {
            maps.events.insert(r.get(0)?, r.get(1)?);
        }
        Ok(maps)
    }

    /// The hub's number of a name; 0 is nobody, there and here.
    pub fn name(&self, kind: NameKind, number: u32) -> Option<u32> {
        if number == 0 { Some(0) } else { self.names.get(&(kind as u8, number)).copied() }
    }

    /// The hub's number of an event.
    pub fn event(&self, event: u32) -> Option<u32> {
        self.events.get(&event).copied()
    }

    /// Learns a name's number.
    pub fn learn_name(&mut self, kind: NameKind, number: u32, hub: u32) {
        self.names.insert((kind as u8, number), hub);
    }

    /// Learns an event's number.
    pub fn learn_event(&mut self, event: u32, hub: u32) {
        self.events.insert(event, hub);
    }

    /// The same the other way round.
    pub(super) fn turned(&self) -> Self {
        Self {
            names: self.names.iter().map(|((kind, ours), hub)| ((*kind, *hub), *ours)).collect(),
            events: self.events.iter().map(|(ours, hub)| (*hub, *ours)).collect(),
        }
    }
}

impl Reader {
    /// The numbers that the hub has given so far.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_maps(&self) -> Result<Maps, StoreError> {
        Maps::load(&self.connection)
    }

    /// A name; empty for a number that was never given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn name_of(&self, kind: NameKind, number: u32) -> Result<String, StoreError> {
        let mut find = self.connection.prepare_cached("SELECT name FROM name WHERE kind = ? AND number = ?")?;
        let found = find.query_row(params![kind as u8, number], |r| r.get(0));
        Ok(found.map(Some).or_else(none_if_no_rows)?.unwrap_or_default())
    }

    /// Names that the hub has not numbered yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_unknown_names(&self, maps: &Maps) -> Result<Vec<UnknownName>, StoreError> {
        let mut unknown = Vec::new();
        for kind in NameKind::ALL {
            let mut select =
                self.connection.prepare_cached("SELECT number, name FROM name WHERE kind = ? ORDER BY number")?;
            let mut rows = select.query([kind as u8])?;
            while let Some(r) = rows.next()? {
                let number = r.get(0)?;
                if maps.name(kind, number).is_none() {
                    unknown.push(UnknownName { kind, number, name: r.get(1)? });
                }
            }
        }
        Ok(unknown)
    }
}

/// The hub's number of a look, if it has it.
pub(super) fn hub_look(c: &Connection, look: i64) -> Result<Option<i64>, StoreError> {
    let mut find = c.prepare_cached("SELECT hub FROM hub_look WHERE look = ?")?;
    Ok(find.query_row([look], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?)
}

/// Our number of a look of the hub, if we have it.
pub(super) fn our_look(c: &Connection, hub: i64) -> Result<Option<i64>, StoreError> {
    let mut find = c.prepare_cached("SELECT look FROM hub_look WHERE hub = ?")?;
    Ok(find.query_row(params![hub], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?)
}
