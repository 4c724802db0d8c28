//! Which markets an answer showed, packed.
//!
//! Prices change rarely, but the provider's time of every market advances with every look. Kept as rows that would
//! cost more than all prices together; packed, a slate of 36,000 markets takes some 20 kB a look after compression.
//! Together with the change log it makes every look reproducible.
//!
//! Layout, all variable-length integers: per event its id, twice the number of its groups (plus one where a note
//! follows), the note, then per group the distance of its number to the one before, and its time. A group is one market of one book; its number is the lowest slot of its
//! quotes. A time is 0 for unknown, else the distance to the time before (at first: to the look), in seconds where it
//! is whole seconds.

use super::note::EventNote;
use super::varint::{Reader, put, unzigzag, zigzag};
use crate::market::ids::{EventId, Slot};
use crate::market::time::Timestamp;

/// Packs what an answer showed.
#[derive(Debug)]
pub(crate) struct SeenWriter {
    out: Vec<u8>,
    received_at: i64,
    last_time: i64,
    last_group: i64,
}

impl SeenWriter {
    pub(crate) fn new(received_at: Timestamp, capacity: usize) -> Self {
        let at = received_at.millis();
        Self { out: Vec::with_capacity(capacity), received_at: at, last_time: at, last_group: 0 }
    }

    pub(crate) fn event(&mut self, event: EventId, groups: usize, note: &EventNote) {
        put(&mut self.out, u64::from(event.0));
        let noted = !note.is_empty();
        put(&mut self.out, groups as u64 * 2 + u64::from(noted));
        if noted {
            note.write(&mut self.out);
        }
        self.last_time = self.received_at;
        self.last_group = 0;
    }

    pub(crate) fn group(&mut self, group: Slot, provider_update: Option<Timestamp>) {
        let number = i64::from(group.0);
        put(&mut self.out, zigzag(number - self.last_group));
        self.last_group = number;
        match provider_update.map(Timestamp::millis) {
            None => self.out.push(0),
            Some(at) => {
                let delta = at - self.last_time;
                self.last_time = at;
                if delta % 1000 == 0 {
                    put(&mut self.out, zigzag(delta / 1000) * 2 + 2);
                } else {
                    put(&mut self.out, zigzag(delta) * 2 + 1);
                }
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// One market of one book in one event, as an answer showed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenGroup {
    /// Lowest slot of the market's quotes.
    pub group: Slot,
    /// The provider's time of it.
    pub provider_update: Option<Timestamp>,
}

/// Reads what [`Changes::seen`](super::Changes::seen) holds, event by event: `visit` gets the event and its groups.
/// Answers `false` if the bytes are damaged; what came before the damage has been visited.
pub fn visit_seen(bytes: &[u8], received_at: Timestamp, mut visit: impl FnMut(EventId, &[SeenGroup])) -> bool {
    visit_records(bytes, received_at, |event, groups, _| visit(event, groups))
}

/// The same with the note of each event, which is the empty one for most.
pub fn visit_records(
    bytes: &[u8],
    received_at: Timestamp,
    mut visit: impl FnMut(EventId, &[SeenGroup], EventNote),
) -> bool {
    let mut reader = Reader(bytes);
    let mut groups = Vec::new();
    while !reader.is_empty() {
        groups.clear();
        let Some((event, note)) = read_event(&mut reader, received_at, &mut groups) else { return false };
        visit(event, &groups, note);
    }
    true
}

/// The same in other numbers: `event` answers the new number of an event, `note` puts the names of a note into new
/// numbers. `None` when the bytes are damaged or either knows no number.
pub fn renumber(
    bytes: &[u8],
    received_at: Timestamp,
    mut event: impl FnMut(EventId) -> Option<EventId>,
    mut note: impl FnMut(&mut EventNote) -> Option<()>,
) -> Option<Vec<u8>> {
    let mut writer = SeenWriter::new(received_at, bytes.len());
    let mut whole = true;
    let read = visit_records(bytes, received_at, |id, groups, mut noted| {
        let Some(id) = event(id).filter(|_| note(&mut noted).is_some()) else {
            whole = false;
            return;
        };
        writer.event(id, groups.len(), &noted);
        for group in groups {
            writer.group(group.group, group.provider_update);
        }
    });
    (read && whole).then(|| writer.finish())
}

fn read_event(
    reader: &mut Reader<'_>,
    received_at: Timestamp,
    groups: &mut Vec<SeenGroup>,
) -> Option<(EventId, EventNote)> {
    let event = EventId(u32::try_from(reader.take()?).ok()?);
    let header = reader.take()?;
    let note = if header & 1 == 1 { EventNote::read(reader)? } else { EventNote::default() };
    let (mut time, mut number) = (received_at.millis(), 0_i64);
    for _ in 0..header / 2 {
        number = number.checked_add(reader.take_signed()?)?;
        let provider_update = match reader.take()? {
            0 => None,
            code if code % 2 == 0 => {
                time = time.checked_add(unzigzag((code - 2) / 2).checked_mul(1000)?)?;
                Some(Timestamp::from_millis(time))
            }
            code => {
                time = time.checked_add(unzigzag((code - 1) / 2))?;
                Some(Timestamp::from_millis(time))
            }
        };
        groups.push(SeenGroup { group: Slot(u32::try_from(number).ok()?), provider_update });
    }
    Some((event, note))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trip(
            at in 1_700_000_000_000_i64..1_900_000_000_000,
            events in proptest::collection::vec(
                (1_u32..100_000, proptest::collection::vec((0_u32..5000, proptest::option::of(-1_000_000_i64..1_000_000)), 0..20)),
                0..10),
        ) {
            let at = Timestamp::from_millis(at);
            let mut writer = SeenWriter::new(at, 0);
            for (event, groups) in &events {
                let note = EventNote { without_odds: event % 3 == 0, ..EventNote::default() };
                writer.event(EventId(*event), groups.len(), &note);
                for (group, ago) in groups {
                    writer.group(Slot(*group), ago.map(|a| at.plus(a)));
                }
            }
            let mut back = Vec::new();
            let whole = visit_seen(&writer.finish(), at, |event, groups| {
                let groups = groups.iter().map(|g| (g.group.0, g.provider_update.map(|p| p.since(at))));
                back.push((event.0, groups.collect::<Vec<_>>()));
            });
            prop_assert!(whole);
            prop_assert_eq!(back, events);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            visit_seen(&bytes, Timestamp::from_secs(0), |_, _| {});
        }
    }
}
