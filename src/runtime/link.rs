//! A board's line to whoever follows the market: the session of its own process, or a daemon through the socket.
//!
//! Both ways look the same from here. An attached link comes back by itself after a loss, tells each kind of loss once,
//! and never hurries.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::attach::client::{ConnectError, Connection, VersionMismatch, connect};
use super::attach::wire::Frame;
use super::backoff::{Backoff, roll};
use super::feeder::Aborting;
use super::published::Published;
use super::session::Session;
use super::status::LiveStatus;
use crate::market::ids::LookId;
use crate::store::writer_of;

/// Events that may wait for the board; the socket's own queue comes after them.
const WAITING: usize = 64;
/// A process that has just died may hold its lock for a moment longer than its socket.
const LAST_BREATH: Duration = Duration::from_millis(250);
/// So many such moments are waited for.
const LAST_BREATHS: u32 = 4;

/// What a board hears.
#[derive(Clone, PartialEq, Debug)]
pub enum LinkEvent {
    /// There is a line. Read the store up to `look`; later ones are announced.
    Connected(Connected),
    /// A look was committed.
    Published(Published),
    /// The status, after [`LinkEvent::Connected`] and whenever it has changed.
    Status(Box<LiveStatus>),
    /// Announcements were lost: read the store again.
    Lagged,
    /// The line is gone. An attached link comes back with [`LinkEvent::Connected`] when it can, or tells another loss
    /// when the reason has changed.
    Lost(LinkLoss),
}

/// Whom the line leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// Version of the program there.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Named in every look, such as `DEMO`.
    pub origin: Option<String>,
    /// The newest committed look.
    pub look: LookId,
    /// It is this very process.
    pub local: bool,
}

/// Why a line is gone or did not come about.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkLoss {
    /// Nobody writes the store: whoever wants to may follow the market now.
    #[error("no daemon follows the market")]
    NoDaemon,
    /// Somebody holds the store but does not talk to us.
    #[error("process {pid} holds the store, but {how}")]
    Silent {
        /// Who.
        pid: u32,
        /// In which way it is silent.
        how: Silence,
    },
    /// It speaks another protocol.
    #[error(transparent)]
    Version(#[from] VersionMismatch),
    /// It said goodbye.
    #[error("the daemon has stopped{}", .reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Goodbye {
        /// Why, when it was not asked to.
        reason: Option<String>,
    },
    /// The session of this process has ended by itself.
    #[error("following has ended: {message}")]
    Ended {
        /// What it complained about last.
        message: String,
    },
}

/// How a process that is alive does not talk.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Silence {
    /// It has no socket: it imports, it is starting, or it could not make one.
    #[error("it has no socket for boards (it may be starting or importing)")]
    NoSocket,
    /// It will not have us.
    #[error("it refuses: {0}")]
    Refused(String),
    /// It neither greets nor answers; it may be stopped or overloaded.
    #[error("it does not answer")]
    NoAnswer,
    /// It closed the line without a word.
    #[error("it closed the line")]
    Closed,
}

/// How patient an attached link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkTiming {
    /// It asks for a sign of life after hearing nothing for so long.
    pub ping_after: Duration,
    /// Longest wait for a connection, a greeting or the answer to a ping.
    pub answer_within: Duration,
    /// First wait before it tries again.
    pub first_wait: Duration,
    /// Longest such wait.
    pub longest_wait: Duration,
}

impl Default for LinkTiming {
    fn default() -> Self {
        Self {
            ping_after: Duration::from_secs(15),
            answer_within: Duration::from_secs(3),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
        }
    }
}

/// Who has a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreOwner {
    /// Nobody: it may be owned.
    Free,
    /// This process.
    Ours,
    /// A process that can be attached to.
    Answers {
        /// Who.
        pid: u32,
        /// Version of the program there.
        version: String,
    },
    /// A process that does not talk to us.
    Silent {
        /// Who.
        pid: u32,
        /// In which way.
        how: Silence,
    },
    /// A process that speaks another protocol.
    Other(VersionMismatch),
}

/// Who has `store` now. Takes at most a few times three seconds, mostly none.
pub async fn probe(store: &Path) -> StoreOwner {
    match writer_of(store) {
        None => return StoreOwner::Free,
        Some(pid) if pid == std::process::id() => return StoreOwner::Ours,
        Some(_) => {}
    }
    match connect(store, LinkTiming::default().answer_within).await {
        Ok(line) => StoreOwner::Answers { pid: line.greeting.pid, version: line.greeting.version },
        Err(e) => match loss(store, e) {
            LinkLoss::Silent { pid, how } => StoreOwner::Silent { pid, how },
            LinkLoss::Version(other) => StoreOwner::Other(other),
            // It ended while we asked.
            _ => StoreOwner::Free,
        },
    }
}

/// A board's line.
#[derive(Debug)]
pub struct Link(Way);

#[derive(Debug)]
enum Way {
    Local(Box<Local>),
    Attached { events: mpsc::Receiver<LinkEvent>, _task: Aborting<()> },
}

impl Link {
    /// A line to the session of this process.
    pub fn local(session: &Session) -> Self {
        let (published, mut status) = (session.published(), session.status());
        let now = status.borrow_and_update().clone();
        let connected = LinkEvent::Connected(Connected {
            version: now.version.clone(),
            pid: now.pid,
            origin: now.origin.clone(),
            look: now.look,
            local: true,
        });
        let first = VecDeque::from([connected, LinkEvent::Status(Box::new(now))]);
        Self(Way::Local(Box::new(Local { first, published, status, ended: session.ended(), over: false })))
    }

    /// A line to whoever follows into `store`, now or later. Call it inside a runtime of tokio.
    pub fn attach(store: PathBuf) -> Self {
        Self::attach_with(store, LinkTiming::default())
    }

    /// [`Link::attach`] with a patience of the caller's own.
    pub fn attach_with(store: PathBuf, timing: LinkTiming) -> Self {
        let (tell, events) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            let mut attached = Attached { store, timing, tell, told: None };
            // It ends only when nobody listens any more.
            let _ = attached.run().await;
        });
        Self(Way::Attached { events, _task: Aborting(task) })
    }

    /// What happens next. Waits for as long as nothing does; may be cancelled without losing anything.
    pub async fn next(&mut self) -> LinkEvent {
        match &mut self.0 {
            Way::Local(local) => local.next().await,
            Way::Attached { events, .. } => match events.recv().await {
                Some(event) => event,
                None => std::future::pending().await,
            },
        }
    }
}

#[derive(Debug)]
struct Local {
    first: VecDeque<LinkEvent>,
    published: broadcast::Receiver<Published>,
    status: watch::Receiver<LiveStatus>,
    ended: CancellationToken,
    over: bool,
}

impl Local {
    async fn next(&mut self) -> LinkEvent {
        if let Some(event) = self.first.pop_front() {
            return event;
        }
        if self.over {
            return std::future::pending().await;
        }
        tokio::select! {
            biased;
            look = self.published.recv() => match look {
                Ok(look) => LinkEvent::Published(look),
                Err(RecvError::Lagged(_)) => {
                    // What waits is older than what the store tells at once.
                    self.published = self.published.resubscribe();
                    LinkEvent::Lagged
                }
                Err(RecvError::Closed) => self.end(),
            },
            Ok(()) = self.status.changed() => LinkEvent::Status(Box::new(self.status.borrow_and_update().clone())),
            () = self.ended.cancelled() => self.end(),
        }
    }

    fn end(&mut self) -> LinkEvent {
        self.over = true;
        let complaint = self.status.borrow().complaint.clone();
        let message = complaint.map_or_else(|| "it was stopped".to_owned(), |c| c.message);
        LinkEvent::Lost(LinkLoss::Ended { message })
    }
}

/// The board has gone.
struct NobodyListens;

struct Attached {
    store: PathBuf,
    timing: LinkTiming,
    tell: mpsc::Sender<LinkEvent>,
    /// The loss that was told last, while there is no line.
    told: Option<LinkLoss>,
}

impl Attached {
    async fn run(&mut self) -> Result<(), NobodyListens> {
        let mut backoff = Backoff::new(self.timing.first_wait, self.timing.longest_wait);
        loop {
            let loss = match connect(&self.store, self.timing.answer_within).await {
                Ok(line) => {
                    self.told = None;
                    let began = Instant::now();
                    let loss = self.listen(line).await?;
                    // A line that breaks as soon as it stands is no success.
                    if began.elapsed() >= self.timing.longest_wait {
                        backoff.worked();
                    }
                    loss
                }
                Err(e) => loss(&self.store, e),
            };
            self.lost(loss).await?;
            tokio::select! {
                () = self.tell.closed() => return Err(NobodyListens),
                () = tokio::time::sleep(backoff.after_failure(roll())) => {}
            }
        }
    }

    /// Tells a loss, unless it is the one that was told already.
    async fn lost(&mut self, loss: LinkLoss) -> Result<(), NobodyListens> {
        let leaving = matches!(self.told, Some(LinkLoss::Goodbye { .. }))
            && matches!(loss, LinkLoss::Silent { how: Silence::NoSocket, .. });
        // Who has said goodbye still holds the store while it closes it.
        if leaving || self.told.as_ref() == Some(&loss) {
            return Ok(());
        }
        self.told = Some(loss.clone());
        self.say(LinkEvent::Lost(loss)).await
    }

    async fn say(&self, event: LinkEvent) -> Result<(), NobodyListens> {
        self.tell.send(event).await.map_err(|_| NobodyListens)
    }

    /// Passes on what comes over the line, until it is gone.
    async fn listen(&mut self, mut line: Connection) -> Result<LinkLoss, NobodyListens> {
        let greeting = line.greeting.clone();
        let pid = greeting.pid;
        self.say(LinkEvent::Connected(Connected {
            version: greeting.version,
            pid,
            origin: greeting.origin,
            look: greeting.sequence,
            local: false,
        }))
        .await?;
        self.say(LinkEvent::Status(std::mem::take(&mut line.status))).await?;
        let silent = |how| LinkLoss::Silent { pid, how };
        let mut asked = false;
        loop {
            let wait = if asked { self.timing.answer_within } else { self.timing.ping_after };
            let heard = tokio::select! {
                () = self.tell.closed() => return Err(NobodyListens),
                heard = tokio::time::timeout(wait, line.next()) => heard,
            };
            let frame = match heard {
                Ok(Ok(Some(frame))) => frame,
                Ok(Err(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
                    return Ok(silent(Silence::Refused("it talks nonsense".into())));
                }
                Ok(Ok(None) | Err(_)) => return Ok(self.after_hang_up().await),
                Err(_) if asked => return Ok(silent(Silence::NoAnswer)),
                Err(_) => {
                    asked = true;
                    match line.ping().await {
                        Ok(()) => continue,
                        Err(e) if e.kind() == std::io::ErrorKind::TimedOut => return Ok(silent(Silence::NoAnswer)),
                        Err(_) => return Ok(self.after_hang_up().await),
                    }
                }
            };
            asked = false;
            match frame {
                Frame::Published { look } => self.say(LinkEvent::Published(look)).await?,
                Frame::Status { status } => self.say(LinkEvent::Status(status)).await?,
                Frame::Lagged { .. } => self.say(LinkEvent::Lagged).await?,
                Frame::Bye { reason } => return Ok(LinkLoss::Goodbye { reason }),
                Frame::Refused { message } => return Ok(silent(Silence::Refused(message))),
                Frame::Pong | Frame::Unknown => {}
            }
        }
    }

    /// The line was closed without a goodbye: has the process ended, or does it want us gone?
    async fn after_hang_up(&self) -> LinkLoss {
        let mut pid = 0;
        for _ in 0..LAST_BREATHS {
            tokio::time::sleep(LAST_BREATH).await;
            match writer_of(&self.store) {
                None => return LinkLoss::NoDaemon,
                Some(holder) => pid = holder,
            }
        }
        LinkLoss::Silent { pid, how: Silence::Closed }
    }
}

/// What a failed attempt means, given who holds the store.
fn loss(store: &Path, e: ConnectError) -> LinkLoss {
    let how = match e {
        ConnectError::Version(other) => return LinkLoss::Version(other),
        ConnectError::NoSocket => Silence::NoSocket,
        ConnectError::NoAnswer => Silence::NoAnswer,
        ConnectError::Refused(why) => Silence::Refused(why),
    };
    match writer_of(store) {
        None => LinkLoss::NoDaemon,
        Some(pid) => LinkLoss::Silent { pid, how },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_tells_a_person_what_is_the_matter() {
        let version = VersionMismatch { pid: 7, version: "9.0.0".into(), protocol: 3 };
        let text = LinkLoss::Version(version).to_string();
        assert!(text.contains("9.0.0") && text.contains("protocol 3"), "{text}");
        assert!(text.contains(env!("CARGO_PKG_VERSION")) && text.contains("protocol 1"), "{text}");
        let text = LinkLoss::Silent { pid: 7, how: Silence::NoAnswer }.to_string();
        assert_eq!(text, "process 7 holds the store, but it does not answer");
        assert_eq!(LinkLoss::Goodbye { reason: None }.to_string(), "the daemon has stopped");
        assert!(LinkLoss::Goodbye { reason: Some("disk full".into()) }.to_string().ends_with(": disk full"));
    }

    #[tokio::test]
    async fn without_anybody_the_loss_is_told_once() {
        let home = tempfile::tempdir().expect("folder");
        let timing = LinkTiming {
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_millis(10),
            ..LinkTiming::default()
        };
        let mut link = Link::attach_with(home.path().join("stratum.db"), timing);
        assert_eq!(link.next().await, LinkEvent::Lost(LinkLoss::NoDaemon));
        let more = tokio::time::timeout(Duration::from_millis(300), link.next()).await;
        assert!(more.is_err(), "{more:?}");
        assert_eq!(probe(&home.path().join("stratum.db")).await, StoreOwner::Free);
    }

    #[tokio::test]
    async fn a_lock_without_a_socket_is_told_apart() {
        let home = tempfile::tempdir().expect("folder");
        let store = home.path().join("stratum.db");
        let _own = crate::store::Store::open(&store).expect("store");
        assert_eq!(probe(&store).await, StoreOwner::Ours);
        let mut link = Link::attach(store);
        let pid = std::process::id();
        let expected = LinkEvent::Lost(LinkLoss::Silent { pid, how: Silence::NoSocket });
        assert_eq!(link.next().await, expected);
    }
}
