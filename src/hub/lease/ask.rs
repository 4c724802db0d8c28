//! What a collector asks its hub, over one connection that is made anew when it breaks.

use std::future::Future;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::types::Type;

use super::{Answer, Granted};
use crate::hub::connect::{Connection, HubError, HubUrl, connect};
use crate::hub::credit::{self, Heard};
use crate::store::credit::{AccountRow, CreditRow};

/// A connection that takes longer to make is given up. Longer than a question's patience: a server that slept wakes up.
const CONNECTING: Duration = Duration::from_secs(5);

/// What a collector asks. The hub does it; tests do it otherwise.
pub trait Referee: Send + 'static {
    /// Takes or renews these leases, and tells who has them.
    fn take(&mut self, names: &[String], ttl: Duration) -> impl Future<Output = Result<Answer, HubError>> + Send;

    /// Gives them up.
    fn release(&mut self, names: &[String]) -> impl Future<Output = Result<(), HubError>> + Send;

    /// Tells what was spent, and hears what others have spent on `keys` since a month.
    fn credits(
        &mut self,
        told: (&[CreditRow], &[AccountRow]),
        keys: &[String],
        since: i64,
    ) -> impl Future<Output = Result<Heard, HubError>> + Send;

    /// The last question was given up: whatever comes of it is of no use.
    fn hang_up(&mut self);
}

/// The hub, asked by one process of a device.
#[derive(Debug)]
pub struct Hub {
    url: HubUrl,
    device: i32,
    run: i64,
    patience: Duration,
    connection: Option<Connection>,
}

impl Hub {
    /// Asks the hub at `url` as the device with this number; an answer is waited for so long. Nothing is sent yet.
    pub fn new(url: HubUrl, device: i32, patience: Duration) -> Self {
        let (run, _) = uuid::Uuid::new_v4().as_u64_pair();
        // Positive, and never 0, which is nobody.
        Self { url, device, run: (run >> 1) as i64 | 1, patience, connection: None }
    }

    async fn connected(&mut self) -> Result<&mut Connection, HubError> {
        if self.connection.as_ref().is_none_or(|c| c.ended().is_some()) {
            self.connection = None;
            let made = timeout(CONNECTING, connect(&self.url, "leases")).await;
            let made = made.map_err(|_| HubError::Unreachable {
                place: self.url.shown(),
                why: format!("no connection within {} s", CONNECTING.as_secs()),
            })?;
            self.connection = Some(made?);
        }
        self.connection.as_mut().ok_or_else(|| HubError::Lost { why: "it was closed".to_owned() })
    }

    async fn client(&mut self) -> Result<&tokio_postgres::Client, HubError> {
        self.connected().await.map(|c| &*c.client())
    }

    /// What came of a question. After a failure a new connection is more likely to help than the old one.
    fn mind<T, E: Into<HubError>>(&mut self, asked: Result<Result<T, E>, Elapsed>) -> Result<T, HubError> {
        let slow = |_| HubError::Slow { why: format!("no answer within {} ms", self.patience.as_millis()) };
        let result = asked.map_err(slow).and_then(|r| r.map_err(Into::into));
        if result.is_err() {
            self.connection = None;
        }
        result
    }
}

/// What a statement is given.
type Values<'a> = &'a [(&'a (dyn tokio_postgres::types::ToSql + Sync), Type)];

/// Milliseconds as the hub takes them.
fn millis(d: Duration) -> i32 {
    i32::try_from(d.as_millis()).unwrap_or(i32::MAX)
}

impl Referee for Hub {
    async fn take(&mut self, names: &[String], ttl: Duration) -> Result<Answer, HubError> {
        let (device, run, ttl) = (self.device, self.run, millis(ttl));
        let patience = self.patience;
        let client = self.client().await?;
        let sql = "SELECT name, token, mine, holder, left_ms, others FROM hub.lease_take($1, $2, $3, $4)";
        let values: Values<'_> =
            &[(&device, Type::INT4), (&run, Type::INT8), (&names, Type::TEXT_ARRAY), (&ttl, Type::INT4)];
        let asked = timeout(patience, client.query_typed(sql, values)).await;
        let mut answer = Answer::default();
        for row in self.mind(asked)? {
            answer.others = row.try_get(5)?;
            answer.leases.push(Granted {
                name: row.try_get(0)?,
                token: row.try_get(1)?,
                mine: row.try_get(2)?,
                holder: row.try_get(3)?,
                left: Duration::from_millis(u64::try_from(row.try_get::<_, i64>(4)?).unwrap_or(0)),
            });
        }
        Ok(answer)
    }

    async fn release(&mut self, names: &[String]) -> Result<(), HubError> {
        let (device, run) = (self.device, self.run);
        let patience = self.patience;
        let client = self.client().await?;
        let values: Values<'_> = &[(&device, Type::INT4), (&run, Type::INT8), (&names, Type::TEXT_ARRAY)];
        let asked = timeout(patience, client.query_typed("SELECT hub.lease_release($1, $2, $3)", values)).await;
        self.mind(asked).map(drop)
    }

    async fn credits(
        &mut self,
        (spent, accounts): (&[CreditRow], &[AccountRow]),
        keys: &[String],
        since: i64,
    ) -> Result<Heard, HubError> {
        let (device, patience) = (self.device, self.patience);
        let client = self.client().await?;
        let exchange = async {
            credit::tell(client, device, spent, accounts).await?;
            credit::hear(client, device, keys, since).await
        };
        let exchanged = timeout(patience, exchange).await;
        self.mind(exchanged)
    }

    fn hang_up(&mut self) {
        self.connection = None;
    }
}
