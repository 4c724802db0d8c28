//! Following the end of the log: what has just been told is read as it was packed, in one turn with the names that are new.
//! Whatever has no pack (a long way behind, a reduced view, entries of our own, what was taken back) is read from the tables.

use rustc_hash::FxHashMap;
use tokio_postgres::types::{ToSql, Type};

use super::connect::{Connection, PATIENCE, within};
use super::error::HubError;
use super::pack::{self, Of};
use super::pull::{self, Entry, Stretch, View};
use crate::engine::names::NameKind;
use crate::store::hub::Incoming;

/// Whoever is further behind reads the tables, many entries at a time.
const MOST_ENTRIES: i64 = 32;
/// Packs of so many bytes come in one turn.
const MOST_BYTES: i64 = pack::MOST_BYTES as i64;

/// What is known of the end of the log.
#[derive(Debug, Default)]
pub struct Live {
    /// The newest entry that was there.
    head: Option<i64>,
    /// The highest number of each list of names that was told.
    names: FxHashMap<i16, i32>,
    /// Whether the hub has packs; asked once.
    are_kept: Option<bool>,
    /// Entries up to here are read from the tables.
    distrusted: i64,
}

impl Live {
    /// As [`pull::next_with_own`].
    ///
    /// # Errors
    /// [`HubError`]; nothing was taken in then.
    pub async fn next(
        &mut self,
        hub: &mut Connection,
        view: View,
        device: i32,
        after: i64,
        own: i64,
    ) -> Result<Option<Stretch>, HubError> {
        // How far behind we are is not known at first.
        let is_near = self.head.is_some_and(|head| head - after <= MOST_ENTRIES) && after >= self.distrusted;
        if view == View::Whole && is_near && self.are_kept(hub).await? {
            match self.packed(hub, device, after, own).await? {
                Found::Nothing => return Ok(None),
                Found::Stretch(stretch) => return Ok(Some(*stretch)),
                Found::Unpacked => {}
            }
        }
        let stretch = pull::next_with_own(hub, view, device, after, own).await?;
        self.head = Some(stretch.as_ref().map_or(after, |s| s.head));
        Ok(stretch)
    }

    /// What came packed could not be taken in: up to this entry the tables are read.
    pub fn distrust(&mut self, until: i64) {
        self.distrusted = until;
    }

    async fn are_kept(&mut self, hub: &mut Connection) -> Result<bool, HubError> {
        match self.are_kept {
            Some(are_kept) => Ok(are_kept),
            None => Ok(*self.are_kept.insert(pack::are_kept(hub.client()).await?)),
        }
    }

    async fn packed(&mut self, hub: &mut Connection, device: i32, after: i64, own: i64) -> Result<Found, HubError> {
        let entries = format!(
            "SELECT {}, CASE WHEN sum(octet_length(p.pack)) OVER (ORDER BY e.seq) <= $5 THEN p.pack END
             FROM hub.entry AS e LEFT JOIN hub.pack AS p ON p.seq = e.seq AND (e.device <> $2 OR e.seq <= $3)
             WHERE e.seq > $1 ORDER BY e.seq LIMIT $4",
            pull::entry_columns("hub", "e.filled")
        );
        let (mut kinds, mut highest) = (Vec::new(), Vec::new());
        for kind in NameKind::ALL {
            kinds.push(kind as i16);
            highest.push(self.names.get(&(kind as i16)).copied().unwrap_or(0));
        }
        let client = hub.client();
        // Names are told before the entries that speak of them: asked for after these, none is missing.
        let asked = async {
            let entries = async {
                let which = [
                    (&after as Value<'_>, Type::INT8),
                    (&device, Type::INT4),
                    (&own, Type::INT8),
                    (&MOST_ENTRIES, Type::INT8),
                    (&MOST_BYTES, Type::INT8),
                ];
                client.query_typed(&entries, &which).await
            };
            let names = async {
                let which = [(&kinds as Value<'_>, Type::INT2_ARRAY), (&highest, Type::INT4_ARRAY)];
                client.query_typed(NAMES, &which).await
            };
            tokio::try_join!(entries, names)
        };
        let (rows, names) = within::<_, _, HubError>(PATIENCE, asked).await?;
        let Some(first) = rows.first() else { return Ok(Found::Nothing) };
        let before = pull::mark_before(first)?;
        let mut incoming = Incoming::default();
        let (mut changes, mut bytes, mut last) = (0, 0, None);
        for (row, expected) in rows.iter().zip(after + 1..) {
            let entry = Entry::read(row)?;
            self.head = Some(pull::head_of(row)?);
            let Some(pack) = row.try_get::<_, Option<&[u8]>>(pull::ENTRY_COLUMNS)? else { break };
            if entry.retract || entry.seq != expected {
                break;
            }
            let of =
                Of { seq: entry.seq, source: entry.source, sport: entry.sport, first: entry.first, last: entry.last };
            if let Err(e) = pack::unpack(pack, of, &mut incoming) {
                tracing::debug!(error = %e, entry = entry.seq, "an entry is read from the tables");
                break;
            }
            changes += entry.changes;
            bytes += pack.len() as u64;
            incoming.marks.push((entry.seq, entry.mark));
            last = Some(entry);
        }
        let Some(last) = last else { return Ok(Found::Unpacked) };
        incoming.until = last.seq;
        incoming.names = pull::read_names(&names)?;
        for (kind, number, _) in &incoming.names {
            let number = i32::try_from(*number).unwrap_or(i32::MAX);
            let highest = self.names.entry(*kind as i16).or_default();
            *highest = number.max(*highest);
        }
        // In the order of the entries, as they were merged: not every one tells everything.
        incoming.events.sort_by_key(|e| e.hub);
        Ok(Found::Stretch(Box::new(Stretch {
            head: self.head.unwrap_or(last.seq),
            changes,
            bytes,
            stored_at: last.stored_at,
            before,
            mark: last.mark,
            packed: true,
            incoming,
        })))
    }
}

type Value<'v> = &'v (dyn ToSql + Sync);

enum Found {
    Nothing,
    Stretch(Box<Stretch>),
    /// The tables have it.
    Unpacked,
}

/// Names with higher numbers than are known.
const NAMES: &str = "SELECT n.kind, n.number, n.name FROM unnest($1::smallint[], $2::int[]) AS k (kind, highest)
     JOIN hub.name AS n ON n.kind = k.kind AND n.number > k.highest ORDER BY n.kind, n.number";
