//! Unpacks ahead on a thread of its own, so that unpacking and reading overlap.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, sync_channel};

/// Bytes handed over at once.
const CHUNK: usize = 1 << 20;
/// Chunks that may wait; with the one being read and the one being filled the bound on memory.
const WAITING: usize = 2;

/// Reads what a thread has unpacked.
pub(super) struct Ahead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    /// Starts to read `source`. The thread ends with the source, or when nobody wants its chunks any more.
    pub fn start(mut source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(WAITING);
        std::thread::Builder::new().name("unpack".into()).spawn(move || {
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                let failure = source.by_ref().take(CHUNK as u64).read_to_end(&mut chunk).err();
                // An empty chunk is the end. What was unpacked before a failure still counts.
                let ended = chunk.is_empty();
                if !(ended && failure.is_some()) && sender.send(Ok(chunk)).is_err() {
                    return;
                }
                if let Some(e) = failure {
                    let _ = sender.send(Err(e));
                    return;
                }
                if ended {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, chunk: Vec::new(), at: 0, ended: false })
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.chunk.len() && !self.ended {
            self.at = 0;
            self.chunk.clear();
            // A thread that is gone without having said the end has died.
            let next = self.chunks.recv().unwrap_or_else(|_| Err(io::Error::other("unpacking stopped")));
            match next {
                Ok(chunk) => {
                    self.ended = chunk.is_empty();
                    self.chunk = chunk;
                }
                Err(e) => {
                    self.ended = true;
                    return Err(e);
                }
            }
        }
        Ok(self.chunk.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.chunk.len());
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        let data: Vec<u8> = (0..3 * CHUNK + 17).map(|n| (n % 251) as u8).collect();
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, data.len()] {
            let mut read = Vec::new();
            Ahead::start(io::Cursor::new(data[..len].to_vec())).expect("starts").read_to_end(&mut read).expect("reads");
            assert!(read == data[..len], "{len}");
        }
    }

    #[test]
    fn a_failure_arrives_after_what_came_before_it() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("cut off"))
            }
        }
        let mut ahead = Ahead::start(io::Cursor::new(b"before".to_vec()).chain(Fails)).expect("starts");
        let mut read = Vec::new();
        assert_eq!(ahead.read_to_end(&mut read).expect_err("fails").to_string(), "cut off");
        assert_eq!(read, b"before");
        assert_eq!(ahead.read_to_end(&mut read).expect("ended"), 0);
    }

    #[test]
    fn leaving_early_ends_the_thread() {
        let mut ahead = Ahead::start(io::repeat(7)).expect("starts");
        ahead.read_exact(&mut [0; 10]).expect("reads");
        drop(ahead);
    }
}
