//! A polite pace: so many requests a second, with a small reserve for a burst.
//!
//! Pure but for the wait itself: the time comes in.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// A bucket of tokens, shared by all who ask the same host.
#[derive(Debug)]
pub struct Pace {
    per_second: f64,
    burst: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
}

impl Pace {
    /// At most `per_second` requests a second in the long run, and `burst` at once. Values that make no sense are
    /// lifted to the smallest that do.
    pub fn new(per_second: f64, burst: f64) -> Self {
        let per_second = if per_second.is_finite() { per_second.clamp(0.01, 1000.0) } else { 1.0 };
        let burst = if burst.is_finite() { burst.clamp(1.0, 1000.0) } else { 1.0 };
        Self { per_second, burst, state: Mutex::new(State { tokens: burst, at: Instant::now() }) }
    }

    /// Waits for a turn. Whoever comes first goes first.
    pub async fn turn(&self) {
        let mut state = self.state.lock().await;
        loop {
            let wait = self.take(&mut state, Instant::now());
            let Some(wait) = wait else { return };
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a token, or tells how long until there is one.
    fn take(&self, state: &mut State, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(state.at).as_secs_f64();
        state.tokens = (state.tokens + passed * self.per_second).min(self.burst);
        state.at = now;
        if state.tokens >= 1.0 - 1e-9 {
            state.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - state.tokens) / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let pace = Pace::new(8.0, 3.0);
        let start = Instant::now();
        let mut state = State { tokens: 3.0, at: start };
        assert!((0..3).all(|_| pace.take(&mut state, start).is_none()));
        let wait = pace.take(&mut state, start).unwrap();
        assert!((wait.as_secs_f64() - 0.125).abs() < 1e-6);
        assert!(pace.take(&mut state, start + wait).is_none());
        // A long pause fills the bucket and no more.
        let later = start + Duration::from_secs(100);
        assert_eq!((0..5).filter(|_| pace.take(&mut state, later).is_none()).count(), 3);
        let _ = Pace::new(f64::NAN, -1.0);
    }
}
