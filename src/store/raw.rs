//! Answers as they came, compressed, each kept once.

use rusqlite::params;

use super::write::none_if_no_rows;
use super::{Reader, Store, StoreError};
use crate::market::time::Timestamp;

/// Identifies an answer by its bytes: BLAKE3, first 16 bytes.
pub fn body_hash(body: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(body).as_bytes()[..16]);
    short
}

/// An answer, compressed away from the writer's thread.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// See [`body_hash`].
    pub hash: [u8; 16],
    /// When it came.
    pub at: Timestamp,
    /// Size before compression.
    pub bytes: u64,
    /// zstd.
    pub packed: Vec<u8>,
}

impl RawAnswer {
    /// Compresses an answer. Takes some 10 ms for 7 MB.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if zstd refuses, which it does only for want of memory.
    pub fn pack(body: &[u8], hash: [u8; 16], at: Timestamp) -> Result<Self, StoreError> {
        // As a stream: in one go zstd wants room for an answer that does not shrink at all.
        let mut packed = zstd::stream::encode_all(body, 3).map_err(|_| StoreError::Damaged { what: "answer" })?;
        packed.shrink_to_fit();
        Ok(Self { hash, at, bytes: body.len() as u64, packed })
    }
}

impl Store {
    /// Keeps an answer, or notes that a known one came again.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn keep_raw(&mut self, raw: &RawAnswer) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO raw_answer (hash, at, bytes, body) VALUES (?,?,?,?)
                 ON CONFLICT (hash) DO UPDATE SET at = max(at, excluded.at)",
            )?
            .execute(params![&raw.hash[..], raw.at.millis(), raw.bytes as i64, raw.packed])?;
        Ok(())
    }
}

impl Reader {
    /// The bytes of an answer, if they are still kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn raw_answer(&self, hash: &[u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut find = self.connection.prepare_cached("SELECT bytes, body FROM raw_answer WHERE hash = ?")?;
        let found: Option<(i64, Vec<u8>)> =
            find.query_row([&hash[..]], |r| Ok((r.get(0)?, r.get(1)?))).map(Some).or_else(none_if_no_rows)?;
        let Some((bytes, packed)) = found else { return Ok(None) };
        unpack(bytes, &packed).map(Some)
    }
}

/// The bytes of a packed answer of so many bytes.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn unpack(bytes: i64, packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = usize::try_from(bytes).map_err(|_| StoreError::Damaged { what: "answer" })?;
    zstd::bulk::decompress(packed, size).map_err(|_| StoreError::Damaged { what: "answer" })
}
