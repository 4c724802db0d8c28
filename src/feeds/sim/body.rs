//! Bodies that travel badly: in drips, or broken off half way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes that arrive in `drips` portions with a pause before each, and perhaps break off after half of them.
pub struct BadBody {
    bytes: Vec<u8>,
    sent: usize,
    portion: usize,
    pause: Duration,
    breaks_at: Option<usize>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl BadBody {
    /// A body in ten drips over about `total`.
    pub fn slow(bytes: Vec<u8>, total: Duration) -> Self {
        let portion = bytes.len().div_ceil(10).max(1);
        Self { bytes, sent: 0, portion, pause: total / 10, breaks_at: None, waiting: None }
    }

    /// A body whose connection is cut after half of it.
    pub fn cut(bytes: Vec<u8>) -> Self {
        let half = bytes.len() / 2;
        let portion = half.max(1);
        Self { bytes, sent: 0, portion, pause: Duration::from_millis(5), breaks_at: Some(half), waiting: None }
    }
}

impl AsyncRead for BadBody {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let pause = self.pause;
        let due = self.sent.is_multiple_of(self.portion) && self.sent < self.bytes.len();
        if due || self.waiting.is_some() {
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
            if waiting.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.waiting = None;
        }
        if self.breaks_at.is_some_and(|at| self.sent >= at) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by the simulator")));
        }
        let end = ((self.sent / self.portion + 1) * self.portion).min(self.bytes.len());
        let end = self.breaks_at.map_or(end, |at| end.min(at)).min(self.sent + buf.remaining());
        let Some(part) = self.bytes.get(self.sent..end) else { return Poll::Ready(Ok(())) };
        buf.put_slice(part);
        self.sent = end;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_slow_body_arrives_whole_and_a_cut_one_by_half() {
        let bytes: Vec<u8> = (0..=255).cycle().take(10_007).collect();
        let mut got = Vec::new();
        BadBody::slow(bytes.clone(), Duration::from_millis(10)).read_to_end(&mut got).await.expect("whole");
        assert_eq!(got, bytes);
        got.clear();
        assert!(BadBody::cut(bytes.clone()).read_to_end(&mut got).await.is_err());
        assert_eq!(got, &bytes[..5003]);
        got.clear();
        assert!(BadBody::cut(Vec::new()).read_to_end(&mut got).await.is_err());
        BadBody::slow(Vec::new(), Duration::from_millis(10)).read_to_end(&mut got).await.expect("empty");
        assert!(got.is_empty());
    }
}
