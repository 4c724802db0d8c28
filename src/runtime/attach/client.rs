//! The board's end of the socket: finds the session of a store, greets it, and reads what it says.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::PROTOCOL;
use super::place::{Surroundings, check_folder, places};
use super::wire::{Frame, Greeting, Hello, Lines, MAX_FRAME, Request, line};
use crate::runtime::status::LiveStatus;

/// Why there is no connection.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no socket, or nobody listens on it.
    #[error("it has no socket")]
    NoSocket,
    /// We are not let in.
    #[error("it refuses: {0}")]
    Refused(String),
    /// Somebody listens, but says nothing.
    #[error("it does not answer")]
    NoAnswer,
    /// It speaks another language.
    #[error(transparent)]
    Version(#[from] VersionMismatch),
}

/// The two sides speak different protocols.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "process {pid} is stratum {version} with protocol {protocol}, this is {} with protocol {PROTOCOL}; \
     restart it with the same version", env!("CARGO_PKG_VERSION")
)]
pub struct VersionMismatch {
    /// The other process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Its protocol.
    pub protocol: u32,
}

/// An open line to a session.
#[derive(Debug)]
pub struct Connection {
    /// What it said first.
    pub greeting: Greeting,
    /// How it stood then.
    pub status: Box<LiveStatus>,
    lines: Lines<OwnedReadHalf>,
    to: OwnedWriteHalf,
    within: Duration,
}

/// Connects to the session of `store`; every step may take `within`.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(store: &Path, within: Duration) -> Result<Connection, ConnectError> {
    let around = Surroundings::here();
    // A folder that is not there holds no store that anybody could have.
    let places = places(store, &around).map_err(|_| ConnectError::NoSocket)?;
    let mut failed = ConnectError::NoSocket;
    for place in places {
        match check_folder(&place, around.uid, false) {
            Ok(()) => {}
            Err(super::AttachError::Io { .. }) => continue,
            Err(e) => {
                failed = ConnectError::Refused(e.to_string());
                continue;
            }
        }
        match timeout(within, UnixStream::connect(&place.socket)).await {
            Ok(Ok(stream)) => return shake_hands(stream, around.uid, within).await,
            Ok(Err(e)) => match e.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {}
                // Its queue is full: it has not looked for a long time.
                io::ErrorKind::WouldBlock => failed = ConnectError::NoAnswer,
                _ => failed = ConnectError::Refused(e.to_string()),
            },
            Err(_) => failed = ConnectError::NoAnswer,
        }
    }
    Err(failed)
}

async fn shake_hands(stream: UnixStream, uid: u32, within: Duration) -> Result<Connection, ConnectError> {
    if stream.peer_cred().is_ok_and(|peer| peer.uid() != uid && peer.uid() != 0) {
        return Err(ConnectError::Refused("the socket belongs to another user".into()));
    }
    let (from, mut to) = stream.into_split();
    let mut lines = Lines::new(from, MAX_FRAME);
    let greeting: Greeting = next(&mut lines, within).await?;
    if greeting.protocol != PROTOCOL {
        let Greeting { protocol, version, pid, .. } = greeting;
        return Err(VersionMismatch { pid, version, protocol }.into());
    }
    let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
    let hello = line(&hello).map_err(|e| ConnectError::Refused(e.to_string()))?;
    // It may have said no and left already; then its words are still to be read.
    let _ = timeout(within, to.write_all(&hello)).await.map_err(|_| ConnectError::NoAnswer)?;
    match next(&mut lines, within).await? {
        Frame::Status { status } => Ok(Connection { greeting, status, lines, to, within }),
        Frame::Refused { message } => Err(ConnectError::Refused(message)),
        Frame::Bye { reason } => Err(ConnectError::Refused(reason.unwrap_or_else(|| "it is stopping".into()))),
        _ => Err(ConnectError::Refused("it talks nonsense".into())),
    }
}

async fn next<T: serde::de::DeserializeOwned>(
    lines: &mut Lines<OwnedReadHalf>,
    within: Duration,
) -> Result<T, ConnectError> {
    let line = timeout(within, lines.next()).await.map_err(|_| ConnectError::NoAnswer)?;
    let line = line.map_err(|e| ConnectError::Refused(e.to_string()))?;
    let line = line.ok_or_else(|| ConnectError::Refused("it closed the line at once".into()))?;
    serde_json::from_slice(&line).map_err(|_| ConnectError::Refused("it talks nonsense".into()))
}

impl Connection {
    /// The next frame; `None` when the line was closed. May be cancelled without losing anything.
    ///
    /// # Errors
    /// Of the socket, and [`io::ErrorKind::InvalidData`] for what is no frame.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        let Some(line) = self.lines.next().await? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&line)?))
    }

    /// Asks whether the other side is there; the answer comes as [`Frame::Pong`].
    ///
    /// # Errors
    /// Of the socket, and [`io::ErrorKind::TimedOut`] when it takes nothing any more.
    pub async fn ping(&mut self) -> io::Result<()> {
        let ping = line(&Request::Ping)?;
        timeout(self.within, self.to.write_all(&ping)).await.map_err(io::Error::from)?
    }
}
