use proptest::prelude::*;

use super::*;
use crate::store::hub::tables::CHANGE;

/// Looks 41 and 42 of entry 7.
const OF: Of = Of { seq: 7, source: 1, sport: 2, first: 41, last: 42 };
const RULES_JSON: &str = r#"{"moves":true}"#;

fn cell(column: &Column, n: i64) -> Cell<'static> {
    match column.kind {
        Kind::Small | Kind::Int | Kind::Big => Cell::Int(n),
        Kind::Real => Cell::Real(n as f64),
        Kind::Text => Cell::Text(format!("text {n}").into()),
        Kind::Bytes => Cell::Bytes(vec![n as u8; 3].into()),
    }
}

fn looks(places: &[i64]) -> Bytes {
    let mut copy = CopyOut::default();
    for place in places {
        copy.row(tables::LOOK_COLUMNS.len() + 4);
        copy.big(*place);
        copy.int(0);
        copy.big(1_000 + place);
        copy.bytes(&rules_hash(RULES_JSON));
        for column in tables::LOOK_COLUMNS {
            copy.cell(column, &cell(column, *place)).expect("goes in");
        }
    }
    copy.finish().into()
}

/// Rows of a table, each with its place and a number in every column.
fn rows(columns: &[Column], rows: &[(i64, i64)]) -> Bytes {
    let mut copy = CopyOut::default();
    for (place, n) in rows {
        copy.row(columns.len() + LEADING);
        copy.big(*place);
        copy.int(0);
        for column in columns {
            copy.cell(column, &cell(column, *n)).expect("goes in");
        }
    }
    copy.finish().into()
}

fn whole() -> Packing {
    let mut packing = Packing::default();
    packing.put(LOOKS, looks(&[1, 2]));
    packing.put(RULES, Bytes::from_static(RULES_JSON.as_bytes()));
    packing.put(CHANGE.name, rows(CHANGE.columns, &[(2, 5), (1, 6), (2, 7)]));
    packing.put(tables::SLOT.name, rows(tables::SLOT.columns, &[(1, 6)]));
    packing
}

fn refused(packing: &Packing) {
    bytes_refused(&packing.wrap().expect("packed"));
}

fn bytes_refused(pack: &[u8]) {
    let mut incoming = Incoming::default();
    assert!(unpack(pack, OF, &mut incoming).is_err());
    assert!(incoming.looks.is_empty() && incoming.events.is_empty() && incoming.rows.is_empty());
}

#[test]
fn looks_and_rows_come_back_in_the_hubs_numbers() {
    let mut incoming = Incoming::default();
    unpack(&whole().wrap().expect("packed"), OF, &mut incoming).expect("whole");
    let looks: Vec<_> = incoming.looks.iter().map(|l| (l.hub, l.entry, l.source, l.sport, l.rules.as_str())).collect();
    assert_eq!(looks, [(41, 7, 1, 2, RULES_JSON), (42, 7, 1, 2, RULES_JSON)]);
    assert_eq!(incoming.looks[1].received_at, Timestamp::from_millis(2));
    let names: Vec<_> = incoming.rows.iter().map(|(table, _)| table.name).collect();
    assert_eq!(names, [tables::SLOT.name, CHANGE.name], "slots before what changes them");
    let mut changes = Vec::new();
    let each = &mut |look, cells: &[Cell<'_>]| {
        changes.push((look, cells[1].int().expect("a slot")));
        Ok(())
    };
    incoming.rows[1].1.each(each).expect("read");
    assert_eq!(changes, [(41, 6), (42, 5), (42, 7)], "look by look, in the order of the rows");
}

#[test]
fn references_are_to_looks_of_the_run_or_before_it() {
    assert_eq!(OF.reference(-2).expect("the second"), 42);
    assert_eq!(OF.reference(17).expect("before"), 17);
    for (place, name) in [(0, "none"), (3, "behind"), (i64::MAX, "far"), (-1, "negative")] {
        assert!(OF.look(place).is_err(), "{name}");
    }
    assert!(OF.reference(-3).is_err() && OF.reference(i64::MIN).is_err());
}

#[test]
fn a_pack_that_is_not_whole_is_refused() {
    // Not the looks of the entry.
    for places in [&[1][..], &[2, 1], &[1, 2, 3], &[]] {
        let mut packing = Packing::default();
        packing.put(LOOKS, looks(places));
        packing.put(RULES, Bytes::from_static(RULES_JSON.as_bytes()));
        refused(&packing);
    }
    // Rules that nobody tells.
    let mut packing = Packing::default();
    packing.put(LOOKS, looks(&[1, 2]));
    refused(&packing);
    // A table that is not known, a row of another look, a row with a column more.
    let mut packing = whole();
    packing.put("weather", rows(CHANGE.columns, &[(1, 1)]));
    refused(&packing);
    let mut packing = whole();
    packing.put(tables::POINT.name, rows(tables::POINT.columns, &[(3, 1)]));
    refused(&packing);
    let mut packing = whole();
    packing.put(CHANGE.name, rows(tables::POINT.columns, &[(1, 1)]));
    refused(&packing);
    // Another form, and nothing at all.
    let mut pack = whole().wrap().expect("packed");
    pack[0] = FORM + 1;
    bytes_refused(&pack);
    bytes_refused(&[]);
    // More than is packed: no memory is spent on it.
    let bomb = zstd::bulk::compress(&vec![0; MOST_BYTES + 1], LEVEL).expect("packed");
    bytes_refused(&[&[FORM], bomb.as_slice()].concat());
}

#[test]
fn too_much_is_not_packed() {
    let mut packing = whole();
    packing.put("change", vec![0; MOST_BYTES].into());
    packing.put("point", Bytes::from_static(b"more"));
    assert!(packing.bytes > MOST_BYTES && packing.sections.is_empty());
}

proptest! {
    /// What is damaged before it was compressed is read as something else or refused, and taken in whole or not at all.
    #[test]
    fn damage_is_survived(at: prop::sample::Index, to: u8, cut: Option<prop::sample::Index>) {
        let pack = whole().wrap().expect("packed");
        let mut all = zstd::bulk::decompress(&pack[1..], MOST_BYTES).expect("whole");
        let at = at.index(all.len());
        all[at] = to;
        if let Some(cut) = cut {
            all.truncate(cut.index(all.len()));
        }
        let pack = [&[FORM], zstd::bulk::compress(&all, LEVEL).expect("packed").as_slice()].concat();
        let mut incoming = Incoming::default();
        match unpack(&pack, OF, &mut incoming) {
            Ok(_) => prop_assert_eq!(incoming.looks.len(), 2),
            Err(_) => prop_assert!(incoming.looks.is_empty() && incoming.events.is_empty() && incoming.rows.is_empty()),
        }
    }

    /// The same of what lies at the hub.
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>, form: bool) {
        let pack = if form { [&[FORM], bytes.as_slice()].concat() } else { bytes };
        let mut incoming = Incoming::default();
        prop_assert!(unpack(&pack, OF, &mut incoming).is_err());
    }
}
