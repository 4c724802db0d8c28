//! Signals: the end, a pause, files to be read again.

use std::io;

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// The end: interrupt, terminate, hang-up, quit.
    Stop,
    /// A pause, as the terminal's own key would ask for.
    Suspend,
    /// Settings, keys and themes are to be read again.
    Reload,
    /// The terminal has another size.
    Resize,
    /// A panic, to see what one does. Only builds with debug assertions listen for it.
    Panic,
}

/// Signals that are listened for.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    streams: [tokio::signal::unix::Signal; 7],
    #[cfg(all(unix, debug_assertions))]
    panic: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to listen. Needs a runtime of tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                streams: [
                    signal(SignalKind::interrupt())?,
                    signal(SignalKind::terminate())?,
                    signal(SignalKind::hangup())?,
                    signal(SignalKind::quit())?,
                    signal(SignalKind::from_raw(libc::SIGTSTP))?,
                    signal(SignalKind::user_defined1())?,
                    signal(SignalKind::window_change())?,
                ],
                #[cfg(debug_assertions)]
                panic: signal(SignalKind::user_defined2())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        #[cfg(unix)]
        {
            #[cfg(debug_assertions)]
            let panic = self.panic.recv();
            #[cfg(not(debug_assertions))]
            let panic = std::future::pending::<Option<()>>();
            let [interrupt, terminate, hangup, quit, suspend, reload, resize] = &mut self.streams;
            tokio::select! {
                _ = interrupt.recv() => Signal::Stop,
                _ = terminate.recv() => Signal::Stop,
                _ = hangup.recv() => Signal::Stop,
                _ = quit.recv() => Signal::Stop,
                _ = suspend.recv() => Signal::Suspend,
                _ = reload.recv() => Signal::Reload,
                _ = resize.recv() => Signal::Resize,
                _ = panic => Signal::Panic,
            }
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
            Signal::Stop
        }
    }
}

/// Stops the whole process group, as the terminal's own key would; comes back when it is let go on.
#[cfg(unix)]
#[allow(unsafe_code, reason = "kill(2) on our own group has no safe counterpart in std")]
pub fn stop_self() {
    // SAFETY: no memory is involved. SIGSTOP because SIGTSTP is handled by the board itself.
    unsafe {
        libc::kill(0, libc::SIGSTOP);
    }
}
