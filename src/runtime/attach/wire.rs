//! What is said on the socket: one JSON object a line.
//!
//! The session greets, the board answers, then frames go both ways. Reading is bounded in size; what cannot be read is an
//! error for the caller to act on, never a panic.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use crate::market::ids::LookId;
use crate::runtime::published::Published;
use crate::runtime::status::LiveStatus;

/// Longest line. Bytes, the end of the line not counted.
pub const MAX_FRAME: usize = 1 << 20;
/// Longest line that a board may send: it has little to say.
pub const MAX_REQUEST: usize = 4 << 10;

/// The first line of the session. The first two fields stay what they are in every protocol.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Greeting {
    /// Number of the protocol.
    pub protocol: u32,
    /// Version of the program.
    pub version: String,
    /// Its process.
    #[serde(default)]
    pub pid: u32,
    /// Named in every look, such as `DEMO`.
    #[serde(default)]
    pub origin: Option<String>,
    /// The newest committed look; what comes later is announced.
    #[serde(default)]
    pub sequence: LookId,
    /// The store.
    #[serde(default)]
    pub store: String,
}

/// The first line of the board.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Number of the protocol.
    pub protocol: u32,
    /// Version of the program.
    pub version: String,
}

/// What the session says after the greeting.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "frame")]
pub enum Frame {
    /// A look was committed.
    Published {
        /// It.
        look: Published,
    },
    /// The status has changed.
    Status {
        /// It.
        status: Box<LiveStatus>,
    },
    /// Announcements were left out: read the store again.
    Lagged {
        /// The newest committed look.
        sequence: LookId,
    },
    /// The answer to a ping.
    Pong,
    /// The session is stopping.
    Bye {
        /// Why, when it is not because it was asked to.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The board is not welcome; the line is closed after this.
    Refused {
        /// For a person.
        message: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What the board says after the greeting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "frame")]
pub enum Request {
    /// Are you there?
    Ping,
}

/// A line of something.
///
/// # Errors
/// When it cannot be written as JSON or is longer than [`MAX_FRAME`].
pub fn line<T: Serialize>(frame: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(frame)?;
    if line.len() > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too large"));
    }
    line.push(b'\n');
    Ok(line)
}

/// Reads lines of a bounded length. May be cancelled at any point without losing anything.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    limit: usize,
    buffer: Vec<u8>,
    /// So much of the buffer holds no end of a line.
    searched: usize,
    /// Since when there is an unfinished line.
    unfinished: Option<Instant>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub const fn new(from: R, limit: usize) -> Self {
        Self { from, limit, buffer: Vec::new(), searched: 0, unfinished: None }
    }

    /// The next line without its end; `None` when there are no more. An unfinished last line is none.
    ///
    /// # Errors
    /// Of the reader, and [`io::ErrorKind::InvalidData`] for a line that is too long.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', fresh) {
                let rest = self.buffer.split_off(self.searched + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.searched = 0;
                self.unfinished = (!self.buffer.is_empty()).then(Instant::now);
                return if line.len() > self.limit { Err(too_long()) } else { Ok(Some(line)) };
            }
            self.searched = self.buffer.len();
            if self.searched > self.limit {
                return Err(too_long());
            }
            self.buffer.reserve(4096);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
            self.unfinished.get_or_insert_with(Instant::now);
        }
    }

    /// Since when the line that is being received is unfinished.
    pub const fn unfinished_since(&self) -> Option<Instant> {
        self.unfinished
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the line is too long")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8], limit: usize) -> (Vec<Vec<u8>>, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(async {
            let mut lines = Lines::new(bytes, limit);
            let mut found = Vec::new();
            loop {
                match lines.next().await {
                    Ok(Some(line)) => found.push(line),
                    Ok(None) => return (found, true),
                    Err(_) => return (found, false),
                }
            }
        })
    }

    #[test]
    fn lines_are_cut_and_bounded() {
        assert_eq!(read_all(b"a\nbc\n\nrest", 10), (vec![b"a".to_vec(), b"bc".to_vec(), b"".to_vec()], true));
        assert_eq!(read_all(b"0123456789\n", 10).0.len(), 1);
        assert_eq!(read_all(b"01234567890\n", 10), (vec![], false));
        assert_eq!(read_all(&[b'x'; 100_000], 10), (vec![], false));
    }

    #[test]
    fn frames_survive_the_way_and_unknown_ones_are_known_to_be_unknown() {
        for frame in [
            Frame::Pong,
            Frame::Bye { reason: Some("full".into()) },
            Frame::Lagged { sequence: LookId(9) },
            Frame::Status { status: Box::default() },
        ] {
            let line = line(&frame).expect("line");
            assert_eq!(serde_json::from_slice::<Frame>(&line).expect("reads"), frame);
        }
        assert_eq!(serde_json::from_str::<Frame>(r#"{"frame":"bye"}"#).expect("reads"), Frame::Bye { reason: None });
        assert_eq!(serde_json::from_str::<Frame>(r#"{"frame":"dance","to":3}"#).expect("reads"), Frame::Unknown);
        assert!(serde_json::from_str::<Request>(r#"{"frame":"dance"}"#).is_err());
        assert!(line(&"x".repeat(MAX_FRAME)).is_err());
    }

    #[test]
    fn a_greeting_of_another_protocol_can_still_be_told_apart() {
        let greeting: Greeting =
            serde_json::from_str(r#"{"protocol":7,"version":"9.0.0","colour":"blue"}"#).expect("reads");
        assert_eq!((greeting.protocol, greeting.version.as_str()), (7, "9.0.0"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..5_000), limit in 0usize..200) {
            let (lines, whole) = read_all(&bytes, limit);
            prop_assert!(lines.iter().all(|l| l.len() <= limit && !l.contains(&b'\n')));
            if whole {
                prop_assert_eq!(lines.len(), bytes.iter().filter(|b| **b == b'\n').count());
            }
            for line in lines {
                let _ = serde_json::from_slice::<Request>(&line);
                let _ = serde_json::from_slice::<Frame>(&line);
            }
        }
    }
}
