//! The market channel on a real socket: moves frames between a [`Session`] and the client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::super::clock::SimClock;
use super::session::Session;
use super::venue::Venue;

/// Sockets look at the clock so often.
const LOOK: Duration = Duration::from_millis(10);
/// A load that could not be sent is made up for no longer than this.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Messages a real second on top of the market's own, shared by all sockets.
#[derive(Debug)]
pub struct Load(Mutex<Pace>);

#[derive(Debug)]
struct Pace {
    per_second: u32,
    since: Instant,
    until: Option<Instant>,
}

impl Load {
    /// A steady load; 0 for none.
    pub fn new(per_second: u32) -> Self {
        Self(Mutex::new(Pace { per_second, since: Instant::now(), until: None }))
    }

    /// Another load from now on, for a while or until it is changed.
    pub fn set(&self, per_second: u32, lasting: Option<Duration>) {
        let now = Instant::now();
        let until = lasting.and_then(|d| now.checked_add(d));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Pace { per_second, since: now, until };
    }

    /// Messages that are due since somebody took the last ones.
    fn take(&self) -> usize {
        let mut pace = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.per_second == 0 {
            return 0;
        }
        let now = pace.until.map_or_else(Instant::now, |u| u.min(Instant::now()));
        let rate = f64::from(pace.per_second);
        let waited = now.saturating_duration_since(pace.since);
        let due = (waited.min(CATCH_UP).as_secs_f64() * rate) as usize;
        if due > 0 {
            // The rest of a message stays on the account.
            let taken = Duration::from_secs_f64(due as f64 / rate);
            pace.since = if waited > CATCH_UP { now } else { pace.since + taken };
        }
        due
    }
}

/// Serves one socket until the client leaves, a fault closes it, or the simulator stops.
pub async fn serve(
    mut socket: WebSocket,
    venue: Arc<Venue>,
    clock: SimClock,
    load: Arc<Load>,
    stop: CancellationToken,
) {
    let mut session = Session::new(&venue, clock.now());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let frames = tokio::select! {
            () = stop.cancelled() => return,
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => session.text(&venue, clock.now(), text.as_str()),
                Some(Ok(Message::Binary(_))) => vec!["INVALID OPERATION".to_owned()],
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            _ = look.tick() => {
                let due = if session.listens() { load.take() } else { 0 };
                let pumped = session.pump(&venue, clock.now(), due);
                if pumped.dropped {
                    // No farewell: the client sees the connection end.
                    return;
                }
                pumped.frames
            }
        };
        for frame in frames {
            if socket.send(Message::Text(frame.into())).await.is_err() {
                return;
            }
        }
    }
}
