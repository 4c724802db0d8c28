//! One instant to be woken at. The runtime's own timers sort waits into wheels of 64 and wake up to three times for one of
//! a second, which is most of what a board at rest does; the kernel's timer wakes once.

use std::time::Instant;

/// A timer that is set anew before every wait.
#[derive(Debug, Default)]
pub struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<linux::Timer>,
}

impl Alarm {
    /// Must be called within the runtime that will wait.
    pub fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: linux::Timer::new().inspect_err(|e| tracing::debug!(error = %e, "no timer of the kernel")).ok(),
        }
    }

    /// Waits until `at`. May be dropped at any time and called again.
    pub async fn until(&mut self, at: Instant) {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && timer.until(at).await.is_ok()
        {
            return;
        }
        tokio::time::sleep_until(tokio::time::Instant::from_std(at)).await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[allow(unsafe_code, reason = "a descriptor of our own is handed to the runtime")]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // SAFETY: the descriptor is open, and its owner keeps it open for as long as it is registered.
            Ok(Self(unsafe { AsyncFd::register(timer)? }))
        }

        pub(super) async fn until(&self, at: Instant) -> io::Result<()> {
            let wait = at.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(());
            }
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let wait = Timespec::try_from(wait.max(Duration::from_nanos(1))).map_err(io::Error::other)?;
            // Setting it takes an earlier alarm back that has rung and that nobody waited for.
            timerfd_settime(
                self.0.get_ref(),
                TimerfdTimerFlags::empty(),
                &Itimerspec { it_interval: never, it_value: wait },
            )?;
            loop {
                let mut ready = self.0.readable().await?;
                let rung = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut [0_u8; 8])?));
                match rung {
                    Ok(rung) => return rung.map(drop),
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_rings_when_it_shall_and_again_when_set_anew() {
        let mut alarm = Alarm::new();
        for ms in [30, 1, 0, 12] {
            let began = Instant::now();
            let at = began + Duration::from_millis(ms);
            tokio::time::timeout(Duration::from_secs(20), alarm.until(at)).await.expect("it rings");
            assert!(Instant::now() >= at, "{ms}");
        }
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_does_not_ring_in_the_next() {
        let mut alarm = Alarm::new();
        let given_up =
            tokio::time::timeout(Duration::from_millis(1), alarm.until(Instant::now() + Duration::from_millis(20)));
        assert!(given_up.await.is_err());
        std::thread::sleep(Duration::from_millis(40));
        let at = Instant::now() + Duration::from_millis(30);
        alarm.until(at).await;
        assert!(Instant::now() >= at);
    }
}
