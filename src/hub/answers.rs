//! Answers as they came: told after the looks, packed as they are kept here.

use tokio_postgres::types::Type;

use super::connect::Connection;
use super::push::PushError;
use crate::store::Reader;
use crate::store::hub::Told;

/// So many bytes go at once, unless a single answer has more.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Tells the next answers of looks that this device has told. What comes back is to be noted; `None`: there are none.
///
/// # Errors
/// [`PushError`]; told twice they are kept once.
pub async fn step(hub: &mut Connection, reader: &Reader, device: i32) -> Result<Option<Told>, PushError> {
    let history = reader.hub_link()?.map_or(0, |l| l.history);
    let next = reader.hub_answers(MOST_BYTES)?;
    let Some(until) = next.until else { return Ok(None) };
    if !next.answers.is_empty() {
        let looks: Vec<i64> = next.answers.iter().map(|a| a.look).collect();
        let bytes: Vec<i64> = next.answers.iter().map(|a| a.bytes).collect();
        let bodies: Vec<&[u8]> = next.answers.iter().map(|a| a.packed.as_slice()).collect();
        hub.client()
            .query_typed(
                "SELECT hub.keep_answers($1, $2, $3, $4)",
                &[
                    (&device, Type::INT4),
                    (&looks, Type::INT8_ARRAY),
                    (&bytes, Type::INT8_ARRAY),
                    (&bodies, Type::BYTEA_ARRAY),
                ],
            )
            .await?;
    }
    Ok(Some(Told { answered: Some(until), history, ..Told::default() }))
}

/// An answer as it came, by its hash; `None`: the hub does not keep it.
///
/// # Errors
/// [`PushError`].
pub async fn fetch(hub: &mut Connection, hash: &[u8; 16]) -> Result<Option<Vec<u8>>, PushError> {
    let sql = "SELECT bytes, body FROM hub.raw_answer WHERE hash = $1 ORDER BY day DESC LIMIT 1";
    let rows = hub.client().query_typed(sql, &[(&&hash[..], Type::BYTEA)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (bytes, packed): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Some(crate::store::raw::unpack(bytes, &packed)?))
}
