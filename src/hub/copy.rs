//! The binary form of COPY: rows of cells to bytes and back.
//!
//! A header, then per row the number of its fields and per field its length and bytes, all big-endian; a length of -1 is
//! nothing. What is read came from a server: whatever it is, it is answered with an error and never with a panic.

use std::borrow::Cow;

use crate::store::StoreError;
use crate::store::hub::cell::Cell;
use crate::store::hub::tables::{Column, Kind};

/// What every stream begins with: signature, flags, length of the extension.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Days between the epoch of Unix and that of PostgreSQL.
const PG_EPOCH_DAYS: i64 = 10_957;
const DAY_MS: i64 = 86_400_000;

/// A day as the server counts it, of an instant in milliseconds since 1970.
pub fn day_of(ms: i64) -> i32 {
    i32::try_from(ms.div_euclid(DAY_MS) - PG_EPOCH_DAYS).unwrap_or(0)
}

/// Rows on their way to the server.
#[derive(Debug)]
pub struct CopyOut {
    bytes: Vec<u8>,
    rows: u64,
}

impl Default for CopyOut {
    fn default() -> Self {
        Self { bytes: HEADER.to_vec(), rows: 0 }
    }
}

impl CopyOut {
    /// Begins a row of so many fields.
    pub fn row(&mut self, fields: usize) {
        self.rows += 1;
        self.bytes.extend_from_slice(&i16::try_from(fields).unwrap_or(i16::MAX).to_be_bytes());
    }

    /// Eight bytes.
    pub fn big(&mut self, n: i64) {
        self.field(&n.to_be_bytes());
    }

    /// Four bytes.
    pub fn int(&mut self, n: i32) {
        self.field(&n.to_be_bytes());
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// Bytes, or text.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.field(bytes);
    }

    fn field(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// A cell in the form of its column.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not go into it.
    pub fn cell(&mut self, column: &Column, cell: &Cell<'_>) -> Result<(), StoreError> {
        let damaged = || StoreError::Damaged { what: column.name };
        match (column.kind, cell) {
            (_, Cell::Null) => self.null(),
            (Kind::Small, Cell::Int(n)) => self.field(&i16::try_from(*n).map_err(|_| damaged())?.to_be_bytes()),
            (Kind::Int, Cell::Int(n)) => self.field(&i32::try_from(*n).map_err(|_| damaged())?.to_be_bytes()),
            (Kind::Big, Cell::Int(n)) => self.field(&n.to_be_bytes()),
            (Kind::Real, Cell::Real(x)) => self.field(&x.to_be_bytes()),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a column without a fixed type keeps whole floats as integers"
            )]
            (Kind::Real, Cell::Int(n)) => self.field(&(*n as f64).to_be_bytes()),
            // No text of a database of the server's holds a zero byte; nor does one of ours.
            (Kind::Text, Cell::Text(t)) => self.field(t.as_bytes()),
            (Kind::Bytes, Cell::Bytes(b)) => self.field(b),
            _ => return Err(damaged()),
        }
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// No row yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The stream.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        self.bytes
    }
}

/// A stream from the server, read row by row.
#[derive(Clone, Debug)]
pub struct CopyIn<'b> {
    rest: &'b [u8],
}

const DAMAGED: StoreError = StoreError::Damaged { what: "rows from the hub" };

impl<'b> CopyIn<'b> {
    /// A stream from its beginning.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is none.
    pub fn new(bytes: &'b [u8]) -> Result<Self, StoreError> {
        let rest = bytes.strip_prefix(HEADER.get(..11).unwrap_or_default()).ok_or(DAMAGED)?;
        let (_flags, rest) = take::<4>(rest).ok_or(DAMAGED)?;
        let (length, rest) = take::<4>(rest).ok_or(DAMAGED)?;
        let rest = rest.get(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX)..).ok_or(DAMAGED)?;
        Ok(Self { rest })
    }

    /// The number of fields of the next row; `None` at the end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the stream breaks off.
    pub fn next_row(&mut self) -> Result<Option<usize>, StoreError> {
        let (fields, rest) = take::<2>(self.rest).ok_or(DAMAGED)?;
        self.rest = rest;
        Ok(usize::try_from(i16::from_be_bytes(fields)).ok())
    }

    /// The bytes of the next field; `None`: nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the stream breaks off.
    pub fn field(&mut self) -> Result<Option<&'b [u8]>, StoreError> {
        let (length, rest) = take::<4>(self.rest).ok_or(DAMAGED)?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else {
            self.rest = rest;
            return Ok(None);
        };
        let field = rest.get(..length).ok_or(DAMAGED)?;
        self.rest = rest.get(length..).ok_or(DAMAGED)?;
        Ok(Some(field))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no such number.
    pub fn big(&mut self) -> Result<i64, StoreError> {
        self.field()?.and_then(|f| Some(i64::from_be_bytes(f.try_into().ok()?))).ok_or(DAMAGED)
    }

    /// A cell in the form of its column.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is none.
    pub fn cell(&mut self, column: &Column) -> Result<Cell<'b>, StoreError> {
        let Some(field) = self.field()? else { return Ok(Cell::Null) };
        let cell = match column.kind {
            Kind::Small => field.try_into().ok().map(|f| Cell::Int(i16::from_be_bytes(f).into())),
            Kind::Int => field.try_into().ok().map(|f| Cell::Int(i32::from_be_bytes(f).into())),
            Kind::Big => field.try_into().ok().map(|f| Cell::Int(i64::from_be_bytes(f))),
            Kind::Real => field.try_into().ok().map(|f| Cell::Real(f64::from_be_bytes(f))),
            Kind::Text => std::str::from_utf8(field).ok().map(|t| Cell::Text(Cow::Borrowed(t))),
            Kind::Bytes => Some(Cell::Bytes(Cow::Borrowed(field))),
        };
        cell.ok_or(DAMAGED)
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(first, rest)| (*first, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::hub::tables::Means;

    const COLUMNS: [Column; 6] = [
        Column { name: "a", kind: Kind::Small, means: Means::Plain },
        Column { name: "b", kind: Kind::Int, means: Means::Plain },
        Column { name: "c", kind: Kind::Big, means: Means::Plain },
        Column { name: "d", kind: Kind::Real, means: Means::Plain },
        Column { name: "e", kind: Kind::Text, means: Means::Plain },
        Column { name: "f", kind: Kind::Bytes, means: Means::Plain },
    ];

    type Row = (Option<i16>, Option<i32>, Option<i64>, Option<f64>, Option<String>, Option<Vec<u8>>);

    fn cells(row: &Row) -> [Cell<'_>; 6] {
        [
            row.0.map_or(Cell::Null, |n| Cell::Int(n.into())),
            row.1.map_or(Cell::Null, |n| Cell::Int(n.into())),
            row.2.map_or(Cell::Null, Cell::Int),
            row.3.map_or(Cell::Null, Cell::Real),
            row.4.as_ref().map_or(Cell::Null, |t| Cell::Text(Cow::Borrowed(t))),
            row.5.as_ref().map_or(Cell::Null, |b| Cell::Bytes(Cow::Borrowed(b))),
        ]
    }

    fn row() -> impl Strategy<Value = Row> {
        (
            any::<Option<i16>>(),
            any::<Option<i32>>(),
            any::<Option<i64>>(),
            proptest::option::of(-1e12_f64..1e12),
            any::<Option<String>>(),
            any::<Option<Vec<u8>>>(),
        )
    }

    proptest! {
        #[test]
        fn round_trip(rows in proptest::collection::vec(row(), 0..20)) {
            let mut out = CopyOut::default();
            for row in &rows {
                out.row(COLUMNS.len());
                for (column, cell) in COLUMNS.iter().zip(cells(row)) {
                    out.cell(column, &cell).expect("goes in");
                }
            }
            let bytes = out.finish();
            let mut back = CopyIn::new(&bytes).expect("a stream");
            for row in &rows {
                prop_assert_eq!(back.next_row().expect("whole"), Some(COLUMNS.len()));
                for (column, cell) in COLUMNS.iter().zip(cells(row)) {
                    prop_assert_eq!(back.cell(column).expect("a cell"), cell);
                }
            }
            prop_assert_eq!(back.next_row().expect("whole"), None);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, after_header: bool) {
            let bytes = if after_header { [&HEADER[..], &bytes].concat() } else { bytes };
            if let Ok(mut stream) = CopyIn::new(&bytes) {
                while let Ok(Some(fields)) = stream.next_row() {
                    if (0..fields).any(|at| stream.cell(&COLUMNS[at % 6]).is_err()) {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = CopyOut::default();
        assert!(out.cell(&COLUMNS[0], &Cell::Int(70_000)).is_err());
        assert!(out.cell(&COLUMNS[1], &Cell::Text("x".into())).is_err());
        assert_eq!(day_of(946_684_800_000), 0);
        assert_eq!(day_of(946_684_799_999), -1);
    }
}
