//! One connection to a hub: made within a limit of time, driven by a task of its own, ended when it is dropped.
//!
//! Limits on statements, locks and idle transactions are asked for when the connection begins. A pooler may refuse to pass
//! them on; then it is asked again without (logins that the hub makes bring them along at the server).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{AsyncMessage, Client, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use super::error::HubError;
use super::tls;
pub use super::url::{Encryption, HubUrl};

/// Notifications that may wait. They are hints: whoever misses one finds what it was about in the log.
const NOTIFICATIONS: usize = 256;
/// The last words of a connection that is dropped may take so long.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// For the server: a statement may run so long (milliseconds), a lock be waited for, a transaction be idle; and it notices
/// a dead link as quickly as we do, so that nobody's lock outlives him.
const LIMITS: &str = "-c statement_timeout=600000 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000 \
                      -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=2 \
                      -c tcp_user_timeout=10000";

/// So long no answer, and no room for more of what is to be sent, is too long: a link that swallows everything, with
/// somebody on the way who acknowledges it, looks as one that is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// As [`PATIENCE`], for what may take the server a while or wait for others.
pub(crate) const MUCH_PATIENCE: Duration = Duration::from_secs(120);

/// Waits for an answer, and not for ever. Without one the connection is of no use any more.
///
/// # Errors
/// [`HubError::Slow`], and what the question comes to.
pub(crate) async fn within<T, E, F: From<E> + From<HubError>>(
    limit: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, F> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answered) => answered.map_err(F::from),
        Err(_) => Err(no_answer(limit).into()),
    }
}

/// Nothing was heard for so long.
pub(crate) fn no_answer(limit: Duration) -> HubError {
    HubError::Slow { why: format!("no answer within {} s", limit.as_secs()) }
}

/// What a login may do at a hub.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// Writes what it collects.
    Collector,
    /// Sees everything live.
    Pro,
    /// Sees things late and in part.
    Free,
    /// Manages users.
    Admin,
    /// Owns the schema.
    Owner,
    /// A login that the hub does not know.
    None,
}

impl Tier {
    /// The word of people, settings and group roles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::Pro => "pro",
            Self::Free => "free",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::None => "none",
        }
    }

    /// The tier of this name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Collector, Self::Pro, Self::Free, Self::Admin, Self::Owner, Self::None]
            .into_iter()
            .find(|t| t.name() == name)
    }
}

/// A connection to a hub, with the task that drives it.
pub struct Connection {
    client: Client,
    notifications: mpsc::Receiver<Notification>,
    ended: Arc<OnceLock<String>>,
    limited: bool,
    _dropped: oneshot::Sender<()>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("ended", &self.ended.get()).finish_non_exhaustive()
    }
}

impl Connection {
    /// What speaks to the server.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// What the server tells unasked. It ends when the connection has ended.
    pub fn notifications(&mut self) -> &mut mpsc::Receiver<Notification> {
        &mut self.notifications
    }

    /// Both at once, for a task that waits for either.
    pub fn parts(&mut self) -> (&mut Client, &mut mpsc::Receiver<Notification>) {
        (&mut self.client, &mut self.notifications)
    }

    /// The connection is over, and why.
    pub fn ended(&self) -> Option<&str> {
        self.ended.get().map(String::as_str)
    }

    /// The server took our limits at the start. A transaction pooler often does not.
    pub const fn is_limited(&self) -> bool {
        self.limited
    }
}

/// Connects. `purpose` is what the server's lists of connections show behind the program's name.
///
/// # Errors
/// [`HubError::Unreachable`], [`HubError::Refused`], [`HubError::Tls`] and [`HubError::CaFile`].
pub async fn connect(url: &HubUrl, purpose: &'static str) -> Result<Connection, HubError> {
    let tls = MakeRustlsConnect::new(tls::client_config(url)?);
    let mut config = url.config().clone();
    config.application_name(format!("stratum {purpose}"));
    let own = config.get_options().map(str::to_owned);
    config.options(match &own {
        Some(own) => format!("{LIMITS} {own}"),
        None => LIMITS.to_owned(),
    });
    match attempt(url, &config, tls.clone()).await {
        Err(Attempt::Failed(e)) if refuses_options(&e) => {}
        other => return other.map(|c| driven(c, true)).map_err(|e| e.told(url)),
    }
    let mut plain = url.config().clone();
    plain.application_name(format!("stratum {purpose}"));
    let connected = attempt(url, &plain, tls).await.map_err(|e| e.told(url))?;
    Ok(driven(connected, false))
}

type Connected = (
    Client,
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>,
);

enum Attempt {
    Failed(tokio_postgres::Error),
    TooLong,
}

impl Attempt {
    fn told(self, url: &HubUrl) -> HubError {
        match self {
            Self::Failed(e) => HubError::connecting(&url.shown(), &e),
            Self::TooLong => {
                let why = format!("no answer within {} s", url.within().as_secs());
                HubError::Unreachable { place: url.shown(), why }
            }
        }
    }
}

async fn attempt(url: &HubUrl, config: &tokio_postgres::Config, tls: MakeRustlsConnect) -> Result<Connected, Attempt> {
    match tokio::time::timeout(url.within(), config.connect(tls)).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(e)) => Err(Attempt::Failed(e)),
        Err(_) => Err(Attempt::TooLong),
    }
}

/// A pooler in between does not pass on what we ask for at the start.
fn refuses_options(e: &tokio_postgres::Error) -> bool {
    e.as_db_error().is_some_and(|db| {
        let (code, text) = (db.code().code(), db.message().to_ascii_lowercase());
        text.contains("startup parameter")
            || text.contains("statement_timeout")
            || text.contains("tcp_")
            || (matches!(code, "08P01" | "0A000" | "22023" | "42704") && text.contains("option"))
    })
}

fn driven((client, mut connection): Connected, limited: bool) -> Connection {
    let (tell, notifications) = mpsc::channel(NOTIFICATIONS);
    let (dropped, gone) = oneshot::channel::<()>();
    let ended = Arc::new(OnceLock::new());
    let end = Arc::clone(&ended);
    tokio::spawn(async move {
        let drive = async {
            loop {
                match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                    // A full channel already holds a reason to look.
                    Some(Ok(AsyncMessage::Notification(n))) => drop(tell.try_send(n)),
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        tracing::debug!(message = notice.message(), "the hub's server says");
                    }
                    Some(Ok(_)) => {}
                    Some(Err(e)) => break HubError::from(e).to_string(),
                    None => break "it was closed".to_owned(),
                }
            }
        };
        tokio::pin!(drive);
        let why = tokio::select! {
            why = &mut drive => why,
            // The owner has left: what is under way may end, and no more.
            _ = gone => tokio::time::timeout(LAST_WORDS, &mut drive).await.unwrap_or_else(|_| "it was left".to_owned()),
        };
        let _ = end.set(why);
    });
    Connection { client, notifications, ended, limited, _dropped: dropped }
}

/// What the login of a connection may do: the highest of the groups that it belongs to.
///
/// # Errors
/// As any question to the server.
pub async fn tier_of(c: &mut Connection) -> Result<Tier, HubError> {
    const ASK: &str = "SELECT g.rolname::text FROM pg_catalog.pg_roles g \
        WHERE g.rolname IN ('stratum_owner', 'stratum_admin', 'stratum_collector', 'stratum_pro', 'stratum_free') \
        AND pg_catalog.pg_has_role(session_user, g.oid, 'MEMBER')";
    let rows = c.client().query_typed(ASK, &[]).await?;
    let groups: Vec<String> = rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>()?;
    let order = [Tier::Owner, Tier::Admin, Tier::Collector, Tier::Pro, Tier::Free];
    let of = |tier: &Tier| groups.iter().any(|g| g.strip_prefix("stratum_") == Some(tier.name()));
    Ok(order.into_iter().find(of).unwrap_or(Tier::None))
}
