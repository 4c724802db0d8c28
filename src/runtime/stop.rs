//! Being asked to stop: Ctrl-C, the signal of a supervisor, the terminal that went away.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a program that was told twice to stop, as shells report an interrupt.
const INTERRUPTED: i32 = 130;

/// The signals that ask to stop, being listened for.
pub struct StopSignals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Begins to listen; from now on such a signal does not end the process by itself. Needs a runtime of tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits until one comes.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the process ends by itself.
            std::future::pending::<()>().await;
        }
    }
}

/// Set once the process was asked to stop: for work that runs without tokio and looks at it now and then.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Listens from a thread of its own for as long as the process lives. The first signal sets the flag and tells so
    /// on the standard error, the second one ends the process at once.
    ///
    /// # Errors
    /// When the operating system refuses the thread or the handlers.
    pub fn listen() -> io::Result<Self> {
        let flag = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            StopSignals::listen()?
        };
        let set = flag.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                set.0.store(true, Ordering::Relaxed);
                let _ = io::Write::write_all(
                    &mut io::stderr(),
                    b"\nstratum: stopping after what is being written; once more to stop at once\n",
                );
                signals.next().await;
                std::process::exit(INTERRUPTED);
            });
        })?;
        Ok(flag)
    }

    /// The process was asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
