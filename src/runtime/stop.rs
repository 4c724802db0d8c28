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
    /// `None`: hanging up means something else to this program.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl StopSignals {
    /// Begins to listen; from now on such a signal does not end the process by itself. Needs a runtime of tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        Self::listen_to(true)
    }

    /// The same for a program to which hanging up means something else: see [`ReloadSignals`].
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn without_hangup() -> io::Result<Self> {
        Self::listen_to(false)
    }

    #[cfg_attr(not(unix), allow(unused_variables))]
    fn listen_to(hangup: bool) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: hangup.then(|| signal(SignalKind::hangup())).transpose()?,
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
            _ = heard(self.hangup.as_mut()) => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the process ends by itself.
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal; for ever where it is not listened for.
#[cfg(unix)]
async fn heard(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// SIGHUP, by which daemons are asked to read their settings again.
pub struct ReloadSignals {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl ReloadSignals {
    /// Begins to listen; from now on the signal does not end the process. Needs a runtime of tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handler.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { hangup: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits until one comes; where there is no such signal, for ever.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        heard(Some(&mut self.hangup)).await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

/// A limit on the size of files is an error of the one write that meets it, not the end of the process.
pub fn outlive_file_limits() {
    #[cfg(unix)]
    #[allow(unsafe_code, reason = "the one way to tell the system")]
    // SAFETY: sets how one signal is treated and runs no code of ours.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
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
