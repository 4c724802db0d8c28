//! The desk's ledger at the hub: what this device has spent is told as sums that replace those before, what others have
//! spent on the same keys is heard.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::connect::HubError;
use crate::market::time::Timestamp;
use crate::store::credit::{AccountRow, CreditRow};
use crate::store::credit_elsewhere::ElsewhereRow;

/// What others told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    /// Sums of the other devices on our keys, by device, key, month, day and purpose.
    pub spent: Vec<ElsewhereRow>,
    /// What the source told another device last of an account; `elsewhere` is not known of these.
    pub accounts: Vec<AccountRow>,
}

/// Tells our sums and what the source says of our accounts. Told twice, it is the same.
///
/// # Errors
/// [`HubError`].
pub async fn tell(client: &Client, device: i32, spent: &[CreditRow], accounts: &[AccountRow]) -> Result<(), HubError> {
    let small = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    let big = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    if !spent.is_empty() {
        let keys: Vec<&str> = spent.iter().map(|c| c.key.as_str()).collect();
        let months: Vec<i32> = spent.iter().map(|c| small(c.month)).collect();
        let days: Vec<i32> = spent.iter().map(|c| small(c.day)).collect();
        let purposes: Vec<&str> = spent.iter().map(|c| c.purpose.as_str()).collect();
        let calls: Vec<i64> = spent.iter().map(|c| big(c.calls)).collect();
        let credits: Vec<i64> = spent.iter().map(|c| big(c.credits)).collect();
        client
            .query_typed(
                "SELECT hub.credit_tell($1, $2, $3, $4, $5, $6, $7)::text",
                &[
                    (&device, Type::INT4),
                    (&keys, Type::TEXT_ARRAY),
                    (&months, Type::INT4_ARRAY),
                    (&days, Type::INT4_ARRAY),
                    (&purposes, Type::TEXT_ARRAY),
                    (&calls, Type::INT8_ARRAY),
                    (&credits, Type::INT8_ARRAY),
                ],
            )
            .await?;
    }
    for a in accounts {
        client
            .query_typed(
                "SELECT hub.account_tell($1, $2, $3, $4, $5, $6, $7)::text",
                &[
                    (&device, Type::INT4),
                    (&a.key, Type::TEXT),
                    (&small(a.month), Type::INT4),
                    (&a.remaining.map(big), Type::INT8),
                    (&a.used.map(big), Type::INT8),
                    (&a.limit.map(big), Type::INT8),
                    (&a.told_at.map(Timestamp::millis), Type::INT8),
                ],
            )
            .await?;
    }
    Ok(())
}

/// What others have spent on `keys` since a month, and what they were told of these accounts.
///
/// # Errors
/// [`HubError`].
pub async fn hear(client: &Client, device: i32, keys: &[String], since: i64) -> Result<Heard, HubError> {
    let since = i32::try_from(since).unwrap_or(0);
    let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    let rows = client
        .query_typed(
            "SELECT device, key, month, day, purpose, calls, credits FROM hub.credit_heard($1, $2, $3)",
            &[(&device, Type::INT4), (&keys, Type::TEXT_ARRAY), (&since, Type::INT4)],
        )
        .await?;
    let mut heard = Heard::default();
    for r in &rows {
        let credit = CreditRow {
            key: r.try_get(1)?,
            month: r.try_get::<_, i32>(2)?.into(),
            day: r.try_get::<_, i32>(3)?.into(),
            purpose: r.try_get(4)?,
            calls: number(r.try_get(5)?).unwrap_or(0),
            credits: number(r.try_get(6)?).unwrap_or(0),
        };
        heard.spent.push(ElsewhereRow { device: r.try_get::<_, i32>(0)?.into(), credit });
    }
    let rows = client
        .query_typed(
            "SELECT key, month, remaining, used, held, told_at FROM hub.account_heard($1, $2)",
            &[(&device, Type::INT4), (&keys, Type::TEXT_ARRAY)],
        )
        .await?;
    for r in &rows {
        heard.accounts.push(AccountRow {
            key: r.try_get(0)?,
            month: r.try_get::<_, i32>(1)?.into(),
            remaining: number(r.try_get(2)?),
            used: number(r.try_get(3)?),
            limit: number(r.try_get(4)?),
            told_at: r.try_get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
            elsewhere: 0,
        });
    }
    Ok(heard)
}
