//! What is typed, clicked and pasted: a thread that waits for the terminal and hands its events to the loop.
//!
//! The thread asks the terminal itself whether there is anything to read, and only then lets crossterm read and parse it.
//! Left to wait by itself, crossterm looks at a terminal that has gone away without end, and its usual source forgets a key
//! that comes in together with a change of size: until the next key arrives, nobody reads it. The size is therefore told
//! by a signal of its own, see [`super::signals`].

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;

use super::hangup;

/// For so long after something was read the reader is asked for more: what it has read and not yet given is nowhere to be
/// seen from outside. A wait of none would not look at all.
const SETTLE: Duration = Duration::from_millis(100);

/// The terminal cannot be read any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// Events of the terminal, in their order.
#[derive(Debug)]
pub struct Input {
    events: mpsc::UnboundedReceiver<Event>,
}

impl Input {
    /// Begins to read. The thread ends with the terminal, or with the program.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start() -> io::Result<Self> {
        let (tell, events) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("keys".into()).spawn(move || {
            if let Err(e) = read(&tell) {
                tracing::debug!(error = %e, "the terminal cannot be read any more");
            }
        })?;
        Ok(Self { events })
    }

    /// Waits for the next event. May be dropped at any time and called again.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn next(&mut self) -> Result<Event, Gone> {
        self.events.recv().await.ok_or(Gone)
    }

    /// What has come in already.
    pub fn at_hand(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

/// Reads until nobody listens any more, or the terminal has gone away.
fn read(tell: &mpsc::UnboundedSender<Event>) -> io::Result<()> {
    while hangup::wait_for_input()? {
        while crossterm::event::poll(SETTLE)? {
            let event = crossterm::event::read()?;
            // The signal has told it.
            if cfg!(unix) && matches!(event, Event::Resize(..)) {
                continue;
            }
            if tell.send(event).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
