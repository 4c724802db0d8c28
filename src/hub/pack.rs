//! A run packed beside the log: the rows as they were staged, in one piece, so that whoever follows live fetches one value
//! an entry. Looks are told by their place in the run, references to them are negative; the entry says where they begin.
//!
//! A byte for the form, then zstd over sections: a name (its length in a byte), length (four bytes, big-endian), bytes. Rows
//! are in the binary form of COPY. What cannot be read is no error of the log's: the tables have it too.

use bytes::Bytes;
use tokio_postgres::GenericClient;

use super::connect::{PATIENCE, within};
use super::copy::{CopyIn, CopyOut};
use super::pull::{broken, owned};
use super::stage::rules_hash;
use crate::market::time::Timestamp;
use crate::store::StoreError;
use crate::store::hub::cell::{Cell, EachRow};
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::{self, Column, Kind, Means, Table};
use crate::store::hub::{Incoming, IncomingEvent, IncomingLook, Rows, Run, RunEvent};

use super::error::HubError;

/// The form that this program writes and reads.
const FORM: u8 = 1;
/// A run with more bytes is not packed; nor does the hub keep a longer pack.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Packs are made while the server waits.
const LEVEL: i32 = 1;

const RULES: &str = "rules";
const LOOKS: &str = "look";
const EVENTS: &str = "event";
/// Fields of a row of a table before its columns: look and day.
const LEADING: usize = 2;

const DAMAGED: StoreError = StoreError::Damaged { what: "packed entry of the hub" };

/// A pack that is being made.
#[derive(Default)]
pub(super) struct Packing {
    sections: Vec<(&'static str, Bytes)>,
    bytes: usize,
}

impl Packing {
    /// Puts in the rows of a table, or the looks.
    pub(super) fn put(&mut self, name: &'static str, bytes: Bytes) {
        self.bytes += name.len() + bytes.len() + 5;
        if self.bytes > MOST_BYTES {
            self.sections.clear();
        } else {
            self.sections.push((name, bytes));
        }
    }

    /// The pack; `None` where there is too much for one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn finish(mut self, run: &Run, events: &[RunEvent], maps: &Maps) -> Result<Option<Vec<u8>>, StoreError> {
        let mut rules: Vec<&str> = run.looks.iter().map(|l| l.rules.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        for rules in rules {
            self.put(RULES, Bytes::copy_from_slice(rules.as_bytes()));
        }
        let mut copy = CopyOut::default();
        for event in events {
            put_event(&mut copy, event, maps)?;
        }
        self.put(EVENTS, copy.finish().into());
        if self.bytes > MOST_BYTES {
            return Ok(None);
        }
        Ok(Some(self.wrap()?).filter(|pack| pack.len() <= MOST_BYTES))
    }

    fn wrap(&self) -> Result<Vec<u8>, StoreError> {
        let mut all = Vec::with_capacity(self.bytes);
        for (name, bytes) in &self.sections {
            all.push(u8::try_from(name.len()).map_err(|_| DAMAGED)?);
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(&u32::try_from(bytes.len()).map_err(|_| DAMAGED)?.to_be_bytes());
            all.extend_from_slice(bytes);
        }
        let mut pack = vec![FORM];
        pack.extend(zstd::bulk::compress(&all, LEVEL).map_err(|_| DAMAGED)?);
        Ok(pack)
    }
}

const EVENT: [Column; 12] = {
    const fn column(name: &'static str, kind: Kind) -> Column {
        Column { name, kind, means: Means::Plain }
    }
    [
        column("id", Kind::Big),
        column("provider_id", Kind::Text),
        column("home", Kind::Text),
        column("away", Kind::Text),
        column("commence", Kind::Big),
        column("first_seen", Kind::Big),
        column("first_look", Kind::Big),
        column("status", Kind::Big),
        column("home_score", Kind::Big),
        column("away_score", Kind::Big),
        column("forgotten", Kind::Big),
        column("slots", Kind::Big),
    ]
};

fn put_event(copy: &mut CopyOut, event: &RunEvent, maps: &Maps) -> Result<(), StoreError> {
    let text = |t| Cell::Text(std::borrow::Cow::Borrowed(t));
    let optional = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
    let cells = [
        Cell::Int(maps.event(event.id).ok_or(DAMAGED)?.into()),
        text(event.provider_id.as_str()),
        text(event.home.as_str()),
        text(event.away.as_str()),
        Cell::Int(event.commence),
        Cell::Int(event.first_seen),
        Cell::Int(event.first_look),
        Cell::Int(event.status),
        optional(event.home_score),
        optional(event.away_score),
        optional(event.forgotten),
        optional(event.slots),
    ];
    copy.row(EVENT.len());
    EVENT.iter().zip(&cells).try_for_each(|(column, cell)| copy.cell(column, cell))
}

/// Whether the hub keeps packs: one that was made by an older program does not before its owner has updated it.
///
/// # Errors
/// As any question to the server.
pub(super) async fn are_kept(client: &impl GenericClient) -> Result<bool, HubError> {
    let ask = client.query_typed("SELECT to_regclass('hub.pack') IS NOT NULL", &[]);
    let rows = within::<_, _, HubError>(PATIENCE, ask).await?;
    Ok(rows.first().map(|r| r.try_get(0)).transpose()?.unwrap_or(false))
}

/// The entry that a pack is of.
#[derive(Clone, Copy)]
pub(super) struct Of {
    pub(super) seq: i64,
    pub(super) source: u32,
    pub(super) sport: u32,
    /// Its first look.
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Of {
    /// The hub's number of the look at a place.
    fn look(&self, place: i64) -> Result<i64, StoreError> {
        let look = self.first.checked_add(place).map(|next| next - 1);
        look.filter(|look| (self.first..=self.last).contains(look)).ok_or(DAMAGED)
    }

    /// The same of a reference, which may be to a look before the run.
    fn reference(&self, look: i64) -> Result<i64, StoreError> {
        if look < 0 { self.look(look.checked_neg().ok_or(DAMAGED)?) } else { Ok(look) }
    }
}

/// Puts what is packed behind what is in a stretch already; answers the bytes unpacked.
///
/// # Errors
/// [`HubError::Broken`], or a form that this program does not know; nothing of it is in the stretch then.
pub(super) fn unpack(pack: &[u8], of: Of, incoming: &mut Incoming) -> Result<u64, HubError> {
    read(pack, of, incoming).map_err(broken)
}

fn read(pack: &[u8], of: Of, incoming: &mut Incoming) -> Result<u64, StoreError> {
    let Some((&FORM, packed)) = pack.split_first() else { return Err(DAMAGED) };
    let all = Bytes::from(zstd::bulk::decompress(packed, MOST_BYTES).map_err(|_| DAMAGED)?);
    let (mut rules, mut looks, mut events) = (Vec::new(), None, Vec::new());
    let mut found: Vec<(Table, Packed)> = Vec::new();
    let mut rest = all.clone();
    while !rest.is_empty() {
        let length = take(&mut rest, 1)?.first().copied().unwrap_or(0);
        let name = take(&mut rest, length.into())?;
        let length = <[u8; 4]>::try_from(take(&mut rest, 4)?.as_ref()).map_err(|_| DAMAGED)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| DAMAGED)?;
        let bytes = take(&mut rest, length)?;
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| DAMAGED);
        match text(&name)? {
            RULES => rules.push(text(&bytes)?.to_owned()),
            LOOKS => looks = Some(bytes),
            EVENTS => events = read_events(&bytes, of)?,
            name => {
                let table = tables::all().find(|t| t.name == name).ok_or(DAMAGED)?;
                let packed = Packed { bytes, columns: table.columns, of };
                // What is damaged is found out before anything is taken in.
                packed.each(&mut |_, _| Ok(()))?;
                found.push((table, packed));
            }
        }
    }
    let looks = read_looks(&looks.ok_or(DAMAGED)?, of, &rules)?;
    // Slots before changes; issues before their ends.
    found.sort_by_key(|(table, _)| table.name != tables::SLOT.name);
    incoming.looks.extend(looks);
    incoming.events.extend(events);
    incoming.rows.extend(found.into_iter().map(|(table, rows)| (table, Box::new(rows) as Box<dyn Rows>)));
    Ok(all.len() as u64)
}

fn take(rest: &mut Bytes, length: usize) -> Result<Bytes, StoreError> {
    if length > rest.len() { Err(DAMAGED) } else { Ok(rest.split_to(length)) }
}

/// The next row, which has so many fields.
fn is_row(stream: &mut CopyIn<'_>, fields: usize) -> Result<bool, StoreError> {
    match stream.next_row()? {
        None => Ok(false),
        Some(found) if found == fields => Ok(true),
        Some(_) => Err(DAMAGED),
    }
}

const BIG: Column = Column { name: "look", kind: Kind::Big, means: Means::Plain };

fn read_looks(bytes: &[u8], of: Of, rules: &[String]) -> Result<Vec<IncomingLook>, StoreError> {
    let rules: Vec<([u8; 32], &String)> = rules.iter().map(|r| (rules_hash(r), r)).collect();
    let mut stream = CopyIn::new(bytes)?;
    let mut looks = Vec::new();
    while is_row(&mut stream, tables::LOOK_COLUMNS.len() + 4)? {
        let hub = of.look(stream.big()?)?;
        // Its day, and the number that the device has of it.
        stream.field()?;
        stream.cell(&BIG)?;
        let hash = stream.field()?.ok_or(DAMAGED)?;
        let rules = rules.iter().find(|(known, _)| known == hash).ok_or(DAMAGED)?.1.clone();
        let mut cells: Vec<Cell<'static>> = Vec::with_capacity(tables::LOOK_COLUMNS.len());
        for column in tables::LOOK_COLUMNS {
            cells.push(owned(stream.cell(column)?));
        }
        let at = tables::LOOK_COLUMNS.iter().position(|c| c.name == "received_at");
        let received_at = at.and_then(|at| cells.get(at)).and_then(Cell::int).ok_or(DAMAGED)?;
        looks.push(IncomingLook {
            hub,
            entry: of.seq,
            source: of.source,
            sport: of.sport,
            received_at: Timestamp::from_millis(received_at),
            cells,
            rules,
        });
    }
    // All of them, in their order: the log says how many there are.
    let numbers = looks.iter().map(|l| l.hub);
    if numbers.eq(of.first..=of.last) { Ok(looks) } else { Err(DAMAGED) }
}

fn read_events(bytes: &[u8], of: Of) -> Result<Vec<IncomingEvent>, StoreError> {
    let mut stream = CopyIn::new(bytes)?;
    let mut events = Vec::new();
    while is_row(&mut stream, EVENT.len())? {
        let mut cells = Vec::with_capacity(EVENT.len());
        for column in &EVENT {
            cells.push(stream.cell(column)?);
        }
        let [id, provider_id, home, away, commence, seen, look, status, one, other, forgotten, slots] =
            cells.as_slice()
        else {
            return Err(DAMAGED);
        };
        let text = |cell: &Cell<'_>| cell.text().map(str::to_owned).ok_or(DAMAGED);
        let int = |cell: &Cell<'_>| cell.int().ok_or(DAMAGED);
        events.push(IncomingEvent {
            hub: u32::try_from(int(id)?).map_err(|_| DAMAGED)?,
            source: of.source,
            provider_id: text(provider_id)?,
            sport: of.sport,
            home: text(home)?,
            away: text(away)?,
            commence: int(commence)?,
            first_seen: int(seen)?,
            first_look: of.reference(int(look)?)?,
            status: int(status)?,
            home_score: one.int(),
            away_score: other.int(),
            forgotten: forgotten.int().map(|l| of.reference(l)).transpose()?,
            slots: slots.int(),
        });
    }
    events.sort_by_key(|e| e.hub);
    Ok(events)
}

/// The rows of a table as they were staged.
struct Packed {
    bytes: Bytes,
    columns: &'static [Column],
    of: Of,
}

impl Rows for Packed {
    fn each(&self, row: &mut EachRow<'_>) -> Result<(), StoreError> {
        // A run is read game by game; it is taken in look by look.
        let mut rows = Vec::new();
        let mut stream = CopyIn::new(&self.bytes)?;
        while is_row(&mut stream, self.columns.len() + LEADING)? {
            let look = self.of.look(stream.big()?)?;
            stream.field()?;
            rows.push((look, stream.clone()));
            for _ in self.columns {
                stream.field()?;
            }
        }
        rows.sort_by_key(|(look, _)| *look);
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        for (look, mut stream) in rows {
            cells.clear();
            for column in self.columns {
                let cell = stream.cell(column)?;
                cells.push(match (column.means, cell) {
                    (Means::Look, Cell::Int(look)) => Cell::Int(self.of.reference(look)?),
                    (_, cell) => cell,
                });
            }
            row(look, &cells)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
