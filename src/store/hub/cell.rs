//! A value on its way between a store and a hub.

use std::borrow::Cow;

use super::super::StoreError;
use super::tables::Table;

/// Hears of rows: the number of the look, and the cells in the order of the table's columns.
pub type EachRow<'f> = dyn FnMut(i64, &[Cell<'_>]) -> Result<(), StoreError> + 'f;

/// The same of several tables.
pub type EachTableRow<'f> = dyn FnMut(&Table, i64, &[Cell<'_>]) -> Result<(), StoreError> + 'f;

/// A value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A float, bit for bit.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// The same value, borrowed.
    pub fn clone_ref(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Int(n) => Cell::Int(*n),
            Self::Real(x) => Cell::Real(*x),
            Self::Text(t) => Cell::Text(Cow::Borrowed(t)),
            Self::Bytes(b) => Cell::Bytes(Cow::Borrowed(b)),
        }
    }

    /// The whole number, if it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The bytes, if it is some.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(b) => Some(b),
            _ => None,
        }
    }
}

impl rusqlite::ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Real(x) => ValueRef::Real(*x),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
        }))
    }
}
