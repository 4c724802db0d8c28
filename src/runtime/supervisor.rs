//! What whoever started us wants to hear: that we are ready, alive, and about to stop. On Linux that is systemd
//! (`Type=notify`, `WatchdogSec`); where nobody listens, nothing happens.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told<'a> {
    /// The store is open and the key was tried.
    Ready,
    /// Everything is being brought to an end.
    Stopping,
    /// Nothing is stuck.
    Alive,
    /// A sentence for `systemctl status`. Holds no secret.
    Status(&'a str),
}

/// Tells it. Whoever does not listen misses nothing.
pub fn tell(told: Told<'_>) {
    #[cfg(target_os = "linux")]
    {
        use sd_notify::NotifyState;
        let state = match told {
            Told::Ready => NotifyState::Ready,
            Told::Stopping => NotifyState::Stopping,
            Told::Alive => NotifyState::Watchdog,
            Told::Status(text) => NotifyState::Status(text),
        };
        if let Err(e) = sd_notify::notify(&[state]) {
            tracing::debug!(error = %e, "the service manager does not listen");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = told;
}

/// How often a sign of life is wanted: thrice before patience ends. `None` when nobody waits for any.
pub fn beat() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let patience = sd_notify::watchdog_enabled()?;
        Some((patience / 3).max(Duration::from_millis(50)))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// Gives signs of life for as long as `alive` says so, until `stop`. A process that is stuck gives none and is started
/// again by whoever waits for them.
pub async fn keep_alive(alive: impl Fn() -> bool + Send, stop: CancellationToken) {
    let Some(beat) = beat() else { return };
    loop {
        if alive() {
            tell(Told::Alive);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(beat) => {}
        }
    }
}
