//! Operations as questions to the server.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row};
use uuid::Uuid;

use crate::store::desk::merge::{Clock, Heads, Operation};

/// A limit of the tier; the message is for the user.
pub(super) const LIMIT: &str = "SH011";
/// What is told does not go on from what the hub has: another process was quicker, or two desks number alike.
pub(super) const OUT_OF_STEP: &str = "SH012";

/// The code of an error that a function of the hub raised, and what it says.
pub(super) fn raised(e: &tokio_postgres::Error) -> Option<(&str, &str)> {
    e.as_db_error().map(|db| (db.code().code(), db.message()))
}

/// Where this login's desk is, and how far it has got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct There {
    /// The id of the hub.
    pub hub: String,
    /// The space of this login.
    pub space: String,
    /// Of each device the last operation.
    pub heads: Heads,
}

/// `None` for a login that has no desk at the hub.
pub(super) async fn there(c: &Client) -> Result<Option<There>, tokio_postgres::Error> {
    let mut found: Option<There> = None;
    for row in c.query_typed("SELECT hub, space, device, n FROM hub_free.desk_heads()", &[]).await? {
        let (Some(hub), Some(space)) = (row.try_get(0)?, row.try_get(1)?) else { continue };
        let there = found.get_or_insert_with(|| There { hub, space, heads: Heads::new() });
        if let (Some(device), Some(n)) = (row.try_get(2)?, row.try_get(3)?) {
            there.heads.insert(device, n);
        }
    }
    Ok(found)
}

/// Tells operations of one device that follow each other; answers the clocks with which they are kept.
pub(super) async fn append(
    c: &impl GenericClient,
    operations: &[Operation],
) -> Result<Vec<(i64, Clock)>, tokio_postgres::Error> {
    let Some(first) = operations.first() else { return Ok(Vec::new()) };
    let clocks: Vec<i64> = operations.iter().map(|o| o.clock.0).collect();
    let kinds: Vec<&str> = operations.iter().map(|o| o.kind.as_str()).collect();
    let records: Vec<Uuid> = operations.iter().map(|o| o.record).collect();
    let actions: Vec<&str> = operations.iter().map(|o| o.action.as_str()).collect();
    let payloads: Vec<&str> = operations.iter().map(|o| o.payload.as_str()).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&first.device, Type::UUID),
        (&first.n, Type::INT8),
        (&clocks, Type::INT8_ARRAY),
        (&kinds, Type::TEXT_ARRAY),
        (&records, Type::UUID_ARRAY),
        (&actions, Type::TEXT_ARRAY),
        (&payloads, Type::TEXT_ARRAY),
    ];
    let sql = "SELECT stored_n, stored_clock FROM hub_free.desk_append($1, $2, $3, $4, $5, $6, $7)";
    let rows = c.query_typed(sql, &parameters).await?;
    rows.iter().map(|r| Ok((r.try_get(0)?, Clock(r.try_get(1)?)))).collect()
}

const COLUMNS: &str = "device, n, clock, kind, record, action, payload";

/// What somebody lacks who has operations up to `heads`, `most` at the most.
pub(super) async fn beyond(c: &Client, heads: &Heads, most: i32) -> Result<Vec<Operation>, tokio_postgres::Error> {
    let (devices, ns): (Vec<Uuid>, Vec<i64>) = heads.iter().map(|(device, n)| (*device, *n)).unzip();
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&devices, Type::UUID_ARRAY), (&ns, Type::INT8_ARRAY), (&most, Type::INT4)];
    let sql = format!("SELECT {COLUMNS} FROM hub_free.desk_beyond($1, $2, $3)");
    c.query_typed(&sql, &parameters).await?.iter().map(decode).collect()
}

/// Operations of one device behind `after`, as the hub has them.
pub(super) async fn of_device(
    c: &Client,
    device: Uuid,
    after: i64,
    most: i32,
) -> Result<Vec<Operation>, tokio_postgres::Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&device, Type::UUID), (&after, Type::INT8), (&most, Type::INT4)];
    let sql = format!("SELECT {COLUMNS} FROM hub_free.desk_of($1, $2, $3)");
    c.query_typed(&sql, &parameters).await?.iter().map(decode).collect()
}

fn decode(r: &Row) -> Result<Operation, tokio_postgres::Error> {
    Ok(Operation {
        device: r.try_get(0)?,
        n: r.try_get(1)?,
        clock: Clock(r.try_get(2)?),
        kind: r.try_get(3)?,
        record: r.try_get(4)?,
        action: r.try_get(5)?,
        payload: r.try_get(6)?,
    })
}
