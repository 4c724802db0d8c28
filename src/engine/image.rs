//! The whole state of an event's quotes, packed.
//!
//! A keyframe saves whoever looks back from reading the log from its beginning. It holds values by slot; what a slot
//! stands for never changes and is kept elsewhere.
//!
//! Layout: per quote, in the order of slots, the distance of the slot to the one before, status and phase, line + 1 (0
//! for none), price code, then the four times as distances to those of the quote before. Variable-length integers.

use super::status::{QuoteValue, from_status_code, status_code};
use super::varint::{Reader, put, put_signed};
use crate::market::ids::Slot;
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::time::Timestamp;

/// Packs values by slot.
pub fn pack<'v>(quotes: impl Iterator<Item = (Slot, &'v QuoteValue)>) -> Vec<u8> {
    let mut sorted: Vec<_> = quotes.collect();
    sorted.sort_unstable_by_key(|(slot, _)| *slot);
    let mut out = Vec::with_capacity(sorted.len() * 16);
    let mut last = [0_i64; 5];
    for (slot, value) in sorted {
        let mut delta = |i: usize, now: i64| {
            let d = now.wrapping_sub(last[i]);
            last[i] = now;
            d
        };
        put_signed(&mut out, delta(0, i64::from(slot.0)));
        put(&mut out, u64::from(status_code(value.status, value.phase)));
        match value.line {
            None => out.push(0),
            Some(line) => put(&mut out, super::varint::zigzag(i64::from(line.hundredths())) + 1),
        }
        put_signed(&mut out, value.price.code());
        put_signed(&mut out, delta(1, value.first_seen.millis()));
        put_signed(&mut out, delta(2, value.last_changed.millis()));
        put_signed(&mut out, delta(3, value.last_seen.millis()));
        match value.provider_update {
            None => out.push(0),
            Some(at) => {
                out.push(1);
                put_signed(&mut out, delta(4, at.millis()));
            }
        }
    }
    out
}

/// Unpacks what [`pack`] made; `None` for anything else.
pub fn unpack(bytes: &[u8]) -> Option<Vec<(Slot, QuoteValue)>> {
    let mut reader = Reader(bytes);
    let mut out = Vec::new();
    let mut last = [0_i64; 5];
    while !reader.is_empty() {
        let mut next = |i: usize, reader: &mut Reader<'_>| {
            last[i] = last[i].wrapping_add(reader.take_signed()?);
            Some(last[i])
        };
        let slot = Slot(u32::try_from(next(0, &mut reader)?).ok()?);
        let (status, phase) = from_status_code(u8::try_from(reader.take()?).ok()?)?;
        let line = match reader.take()? {
            0 => None,
            n => Some(Line::from_hundredths(i32::try_from(super::varint::unzigzag(n - 1)).ok()?)),
        };
        let price = Price::from_code(reader.take_signed()?)?;
        let first_seen = Timestamp::from_millis(next(1, &mut reader)?);
        let last_changed = Timestamp::from_millis(next(2, &mut reader)?);
        let last_seen = Timestamp::from_millis(next(3, &mut reader)?);
        let provider_update = match reader.take()? {
            0 => None,
            1 => Some(Timestamp::from_millis(next(4, &mut reader)?)),
            _ => return None,
        };
        let value = QuoteValue { line, price, status, phase, first_seen, last_changed, last_seen, provider_update };
        out.push((slot, value));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::status::{Phase, Status};
    use super::*;

    fn value() -> impl Strategy<Value = QuoteValue> {
        let time = || (1_600_000_000_000_i64..1_900_000_000_000).prop_map(Timestamp::from_millis);
        (
            proptest::option::of((-100_000_i32..100_000).prop_map(Line::from_hundredths)),
            100_i64..100_000,
            0..Status::ALL.len(),
            any::<bool>(),
            (time(), time(), time(), proptest::option::of(time())),
        )
            .prop_map(
                |(line, american, status, live, (first_seen, last_changed, last_seen, provider_update))| QuoteValue {
                    line,
                    price: Price::american(american).expect("in range"),
                    status: Status::ALL[status],
                    phase: if live { Phase::InPlay } else { Phase::Pregame },
                    first_seen,
                    last_changed,
                    last_seen,
                    provider_update,
                },
            )
    }

    proptest! {
        #[test]
        fn round_trip(values in proptest::collection::btree_map(0_u32..5000, value(), 0..60)) {
            let bytes = pack(values.iter().map(|(slot, v)| (Slot(*slot), v)));
            let back = unpack(&bytes).expect("own bytes");
            prop_assert_eq!(back, values.into_iter().map(|(s, v)| (Slot(s), v)).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = unpack(&bytes);
        }
    }
}
