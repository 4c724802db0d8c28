//! The session's end of the socket: greets boards and tells them what was committed.
//!
//! Every board has a task of its own that waits for it alone. What waits to be told is bounded by the broadcast's own
//! queue: a board that falls behind is told to read the store again. Boards that are silent, talk nonsense or stop
//! reading are let go.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::place::{Surroundings, check_folder, places};
use super::wire::{Frame, Greeting, Hello, Lines, MAX_REQUEST, Request, line};
use super::{AttachError, PROTOCOL};
use crate::runtime::published::Published;
use crate::runtime::status::LiveStatus;
use crate::runtime::watchdog::Pulse;

/// Boards at a time.
pub const MAX_CLIENTS: usize = 32;
/// A board has so long for its first line, for the rest of a line it began, and to read what was written to it.
const PATIENCE: Duration = Duration::from_secs(8);
/// A board may send so many lines within [`PATIENCE`].
const MAX_REQUESTS: u32 = 64;
/// A goodbye may take so long.
const FAREWELL: Duration = Duration::from_millis(500);
/// Pause after the system could give us no connection, such as for want of file handles.
const BREATH: Duration = Duration::from_secs(1);
/// A sign of life is given so often when nobody comes.
const BEAT: Duration = Duration::from_secs(20);

/// What the server speaks for.
#[derive(Debug)]
pub struct ServerConfig {
    /// The store, held by this process.
    pub store: PathBuf,
    /// Named in every look, such as `DEMO`.
    pub origin: Option<String>,
    /// The announcements.
    pub published: broadcast::Sender<Published>,
    /// The status.
    pub status: watch::Receiver<LiveStatus>,
}

/// A listening socket.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    config: ServerConfig,
    stop: CancellationToken,
    why: OnceLock<String>,
    uid: u32,
    pulse: Pulse,
}

/// Why a board was let go.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("it left: {0}")]
    Left(#[from] io::Error),
    #[error("it does not read")]
    Stuck,
    #[error("it did not finish its line in time")]
    Silent,
    #[error("it talks nonsense")]
    Nonsense,
    #[error("it speaks protocol {0}")]
    Protocol(u32),
    #[error("it belongs to another user")]
    Stranger,
}

impl Server {
    /// Listens at the store's place. A socket that a dead process left there is removed.
    ///
    /// # Errors
    /// [`AttachError`]; a socket on which somebody answers is left alone.
    pub async fn start(config: ServerConfig) -> Result<Self, AttachError> {
        Self::start_watched(config, Pulse::default()).await
    }

    /// The same, with a sign of life.
    ///
    /// # Errors
    /// See [`Server::start`].
    pub async fn start_watched(config: ServerConfig, pulse: Pulse) -> Result<Self, AttachError> {
        let around = Surroundings::here();
        let place = places(&config.store, &around)?.into_iter().next();
        let Some(place) = place else { return Err(AttachError::TooLong(around.temp)) };
        check_folder(&place, around.uid, true)?;
        let path = place.socket;
        make_room(&path).await?;
        let (listener, file) = listen(&path).map_err(|e| AttachError::io(&path, e))?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared { config, stop, why: OnceLock::new(), uid: around.uid, pulse });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), OwnFile { path: path.clone(), file }));
        Ok(Self { path, shared, task })
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says goodbye to every board and removes the socket. `why` is told when it is not because it was asked to.
    pub async fn stop(mut self, why: Option<String>) {
        if let Some(why) = why {
            // Set once, here.
            let _ = self.shared.why.set(why);
        }
        self.shared.stop.cancel();
        // A panic in there has been reported already.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

/// The socket's file, removed with its owner unless another one has taken its place.
struct OwnFile {
    path: PathBuf,
    file: (u64, u64),
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.file) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the socket of a dead process.
async fn make_room(path: &Path) -> Result<(), AttachError> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(AttachError::io(path, e)),
        Ok(meta) if !meta.file_type().is_socket() => return Err(AttachError::InTheWay(path.to_owned())),
        Ok(_) => {}
    }
    match timeout(Duration::from_secs(1), UnixStream::connect(path)).await {
        // Nobody listens any more.
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|e| AttachError::io(path, e))
        }
        Ok(Err(e)) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        // It answers, or it is too busy to: alive in any case.
        _ => Err(AttachError::Taken(path.to_owned())),
    }
}

/// Listens at `path`, for this user only from the first moment on: the socket gets its name last.
fn listen(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let mut unnamed = path.as_os_str().to_owned();
    unnamed.push("~");
    let unnamed = PathBuf::from(unnamed);
    match std::fs::remove_file(&unnamed) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&unnamed)?;
    std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
    let meta = std::fs::symlink_metadata(&unnamed)?;
    std::fs::rename(&unnamed, path)?;
    Ok((listener, (meta.dev(), meta.ino())))
}

async fn accept(listener: UnixListener, shared: Arc<Shared>, file: OwnFile) {
    let mut boards: JoinSet<()> = JoinSet::new();
    loop {
        shared.pulse.beat();
        tokio::select! {
            () = shared.stop.cancelled() => break,
            () = tokio::time::sleep(BEAT) => {}
            Some(_) = boards.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if boards.len() >= MAX_CLIENTS => turn_away(&stream, &shared),
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    boards.spawn(async move {
                        match serve(stream, &shared).await {
                            Ok(()) => {}
                            Err(Gone::Left(e)) => tracing::debug!(error = %e, "a board left"),
                            Err(gone) => tracing::warn!("a board was let go: {gone}"),
                        }
                    });
                }
                Err(e) => {
                    tracing::warn!(error = %e, "a board could not be let in");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    shared.pulse.rest();
    // Gone before the goodbyes: nobody shall come back to a session that is leaving.
    drop(listener);
    drop(file);
    let all = async { while boards.join_next().await.is_some() {} };
    // What has not left by then is let go with the set.
    let _ = timeout(2 * FAREWELL, all).await;
}

fn greeting(shared: &Shared) -> Greeting {
    Greeting {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        origin: shared.config.origin.clone(),
        sequence: shared.config.status.borrow().look,
        store: shared.config.store.to_string_lossy().into_owned(),
    }
}

/// The one board too many is told so, in one breath: two short lines always fit a fresh socket.
fn turn_away(stream: &UnixStream, shared: &Shared) {
    let message = format!("{MAX_CLIENTS} boards follow this process already; close one");
    let words = line(&greeting(shared)).and_then(|mut words| {
        words.extend(line(&Frame::Refused { message })?);
        Ok(words)
    });
    if let Ok(words) = words {
        let _ = stream.try_write(&words);
    }
}

/// One board, from its greeting to its end.
async fn serve(stream: UnixStream, shared: &Shared) -> Result<(), Gone> {
    // The socket's mode keeps other users out already; root may do anything anyway.
    if stream.peer_cred().is_ok_and(|peer| peer.uid() != shared.uid && peer.uid() != 0) {
        return Err(Gone::Stranger);
    }
    let (from, to) = stream.into_split();
    let mut board = Board { lines: Lines::new(from, MAX_REQUEST), to };
    // From before the greeting tells how far the store is, so that nothing is lost in between.
    let mut published = shared.config.published.subscribe();
    let mut status = shared.config.status.clone();
    board.tell(&greeting(shared)).await?;
    let hello = tokio::select! {
        () = shared.stop.cancelled() => return board.farewell(shared).await,
        hello = timeout(PATIENCE, board.lines.next()) => hello.map_err(|_| Gone::Silent)?,
    };
    let Some(hello) = hello.map_err(nonsense_or_left)? else { return Ok(()) };
    let hello: Hello = serde_json::from_slice(&hello).map_err(|_| Gone::Nonsense)?;
    if hello.protocol != PROTOCOL {
        let message = format!(
            "this process is stratum {} with protocol {PROTOCOL}, the board is {} with protocol {}; use the same version",
            env!("CARGO_PKG_VERSION"),
            shorten(&hello.version),
            hello.protocol
        );
        board.tell(&Frame::Refused { message }).await?;
        return Err(Gone::Protocol(hello.protocol));
    }
    let now = Box::new(status.borrow_and_update().clone());
    board.tell(&Frame::Status { status: now }).await?;
    board.keep_telling(shared, &mut published, &mut status).await
}

struct Board {
    lines: Lines<OwnedReadHalf>,
    to: OwnedWriteHalf,
}

impl Board {
    async fn keep_telling(
        &mut self,
        shared: &Shared,
        published: &mut broadcast::Receiver<Published>,
        status: &mut watch::Receiver<LiveStatus>,
    ) -> Result<(), Gone> {
        let mut requests = Requests::new(Instant::now());
        loop {
            let deadline = self.lines.unfinished_since().map(|since| since + PATIENCE);
            tokio::select! {
                biased;
                () = shared.stop.cancelled() => {
                    self.tell_rest(published).await?;
                    return self.farewell(shared).await;
                }
                request = self.lines.next() => {
                    let Some(request) = request.map_err(nonsense_or_left)? else { return Ok(()) };
                    match serde_json::from_slice(&request) {
                        Ok(Request::Ping) if requests.allow(Instant::now()) => self.tell(&Frame::Pong).await?,
                        _ => return Err(Gone::Nonsense),
                    }
                }
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Err(Gone::Silent);
                }
                look = published.recv() => match look {
                    Ok(look) => self.tell(&Frame::Published { look }).await?,
                    Err(RecvError::Lagged(_)) => {
                        // What waits is older than what the store tells at once.
                        *published = published.resubscribe();
                        let sequence = shared.config.status.borrow().look;
                        self.tell(&Frame::Lagged { sequence }).await?;
                    }
                    // The server itself holds a sender.
                    Err(RecvError::Closed) => return self.farewell(shared).await,
                },
                changed = status.changed() => {
                    if changed.is_err() {
                        return self.farewell(shared).await;
                    }
                    let now = Box::new(status.borrow_and_update().clone());
                    self.tell(&Frame::Status { status: now }).await?;
                }
            }
        }
    }

    /// Everything that was committed before the stop.
    async fn tell_rest(&mut self, published: &mut broadcast::Receiver<Published>) -> Result<(), Gone> {
        let rest = async {
            loop {
                match published.try_recv() {
                    Ok(look) => self.tell(&Frame::Published { look }).await?,
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
                }
            }
        };
        timeout(FAREWELL, rest).await.unwrap_or(Err(Gone::Stuck))
    }

    async fn farewell(&mut self, shared: &Shared) -> Result<(), Gone> {
        let bye = Frame::Bye { reason: shared.why.get().cloned() };
        timeout(FAREWELL, self.tell(&bye)).await.unwrap_or(Err(Gone::Stuck))
    }

    async fn tell<T: serde::Serialize>(&mut self, frame: &T) -> Result<(), Gone> {
        let line = line(frame)?;
        timeout(PATIENCE, self.to.write_all(&line)).await.map_err(|_| Gone::Stuck)??;
        Ok(())
    }
}

/// Counts what a board sends, so that a board gone wild costs nothing.
struct Requests {
    since: Instant,
    count: u32,
}

impl Requests {
    const fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    fn allow(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= PATIENCE {
            *self = Self::new(now);
        }
        self.count += 1;
        self.count <= MAX_REQUESTS
    }
}

fn nonsense_or_left(e: io::Error) -> Gone {
    if e.kind() == io::ErrorKind::InvalidData { Gone::Nonsense } else { Gone::Left(e) }
}

/// A version as others write it, fit to be repeated.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_pings_is_told_from_a_steady_beat() {
        let start = Instant::now();
        let mut steady = Requests::new(start);
        assert!((0..1_000).all(|s| steady.allow(start + Duration::from_secs(s))));
        let mut flood = Requests::new(start);
        assert_eq!((0..1_000).filter(|_| flood.allow(start)).count(), MAX_REQUESTS as usize);
    }

    #[tokio::test]
    async fn a_stale_socket_makes_room_and_nothing_else_does() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("a.sock");
        make_room(&path).await.expect("free");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("binds"));
        assert!(path.exists());
        make_room(&path).await.expect("stale");
        assert!(!path.exists());
        let alive = std::os::unix::net::UnixListener::bind(&path).expect("binds");
        assert!(matches!(make_room(&path).await, Err(AttachError::Taken(_))));
        assert!(path.exists());
        drop(alive);
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, b"mine").expect("file");
        assert!(matches!(make_room(&path).await, Err(AttachError::InTheWay(_))));
        assert_eq!(std::fs::read(&path).expect("still there"), b"mine");
    }

    #[tokio::test]
    async fn the_socket_is_for_its_user_alone_and_goes_with_its_owner() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("a.sock");
        let (_listener, file) = listen(&path).expect("listens");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let own = OwnFile { path: path.clone(), file };
        // Another one has taken the place.
        std::fs::remove_file(&path).expect("removed");
        let _other = std::os::unix::net::UnixListener::bind(&path).expect("binds");
        drop(own);
        assert!(path.exists());
    }
}
