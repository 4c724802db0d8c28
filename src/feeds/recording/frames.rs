//! The frames of a zstd file (RFC 8878), walked from header to header without decoding anything.
//!
//! Tells beforehand how much memory the ordinary decoder would take, and how long the content can be at the most:
//! every block has a bound of its own, so that nothing has to be believed.

use std::io::{self, BufRead, Read, Seek};

/// A block never unpacks to more, in bytes.
pub(super) const LARGEST_BLOCK: u64 = 128 << 10;

/// What the walk found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Frames {
    /// The largest window of all frames, in bytes: how far a frame refers back.
    pub(super) window: u64,
    /// Bytes that the whole unpacks to at the most, including what the headers claim.
    pub(super) at_most: u64,
    /// Where the frames end and something else begins, counted from where the walk began. `None` when they go to the
    /// end of the file, or when the walk lost its way in a damaged frame, which only the decoder can judge.
    pub(super) foreign: Option<u64>,
}

/// Walks over the frames from where `input` stands. A file that was cut off is no error.
pub(super) fn frames<R: BufRead + Seek>(input: &mut R) -> io::Result<Frames> {
    let mut walk = Walk { input, at: 0, found: Frames::default() };
    match walk.all() {
        Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => Err(e),
        Ok(()) | Err(_) => Ok(walk.found),
    }
}

struct Walk<'r, R> {
    input: &'r mut R,
    at: u64,
    found: Frames,
}

impl<R: BufRead + Seek> Walk<'_, R> {
    fn all(&mut self) -> io::Result<()> {
        while !self.input.fill_buf()?.is_empty() {
            let start = self.at;
            match self.take::<4>()? {
                [0x28, 0xb5, 0x2f, 0xfd] => {
                    if !self.frame()? {
                        return Ok(());
                    }
                }
                [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                    let len = u64::from(u32::from_le_bytes(self.take()?));
                    self.skip(len)?;
                }
                _ => {
                    self.found.foreign = Some(start);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One frame behind its magic number; `false` when it is damaged.
    fn frame(&mut self) -> io::Result<bool> {
        let [descriptor] = self.take()?;
        let single_segment = descriptor & 0x20 != 0;
        let mut window = 0;
        if !single_segment {
            let [byte] = self.take()?;
            let base = 1u64 << (10 + (byte >> 3));
            window = base + base / 8 * u64::from(byte & 7);
        }
        self.skip([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let claimed = match descriptor >> 6 {
            0 if single_segment => u64::from(self.take::<1>()?[0]),
            0 => 0,
            1 => u64::from(u16::from_le_bytes(self.take()?)) + 256,
            2 => u64::from(u32::from_le_bytes(self.take()?)),
            _ => u64::from_le_bytes(self.take()?),
        };
        if single_segment {
            window = claimed;
        }
        self.found.window = self.found.window.max(window);
        let before = self.found.at_most;
        // The decoder refuses room that is smaller than what the header claims.
        self.found.at_most = before.saturating_add(claimed);
        let mut blocks = 0u64;
        loop {
            let [a, b, c] = self.take()?;
            let header = u32::from_le_bytes([a, b, c, 0]);
            let size = u64::from(header >> 3);
            let (packed, unpacked) = match (header >> 1) & 3 {
                0 => (size, size),
                1 => (1, size),
                2 => (size, LARGEST_BLOCK.min(window)),
                _ => return Ok(false),
            };
            blocks = blocks.saturating_add(unpacked.min(LARGEST_BLOCK));
            self.found.at_most = before.saturating_add(claimed.max(blocks));
            self.skip(packed)?;
            if header & 1 != 0 {
                break;
            }
        }
        // The checksum.
        self.skip(if descriptor & 4 != 0 { 4 } else { 0 })?;
        Ok(true)
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// Reads on instead of jumping: what is skipped is mostly a block of some kilobytes, already in the buffer.
    fn skip(&mut self, len: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input.by_ref().take(len), &mut io::sink())?;
        self.at += skipped;
        if skipped < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn walk(bytes: &[u8]) -> Frames {
        frames(&mut Cursor::new(bytes)).expect("walks")
    }

    fn packed(content: &[u8], window_log: u32, sized: bool) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("encoder");
        encoder.window_log(window_log).expect("window");
        encoder.include_checksum(true).expect("checksum");
        if sized {
            encoder.set_pledged_src_size(Some(content.len() as u64)).expect("size");
        }
        encoder.write_all(content).expect("writes");
        encoder.finish().expect("finishes")
    }

    #[test]
    fn windows_and_bounds_are_read_from_headers() {
        let content: Vec<u8> =
            (0..400_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()).collect();
        let len = content.len() as u64;
        let found = walk(&packed(&content, 24, false));
        assert_eq!((found.window, found.foreign), (1 << 24, None));
        assert!((len..len + LARGEST_BLOCK).contains(&found.at_most), "{found:?}");
        // A header may name the size: then the window is the content.
        let found = walk(&packed(&content, 24, true));
        assert_eq!(found.window, len);
        // Frames, and skippable frames between them, add up.
        let mut several = packed(&content, 20, false);
        several.extend(b"\x51\x2a\x4d\x18\x03\x00\x00\x00abc");
        several.extend(packed(&content, 25, false));
        let whole = walk(&several);
        assert_eq!((whole.window, whole.foreign), (1 << 25, None));
        assert!(whole.at_most >= 2 * len && whole.at_most < 2 * len + 2 * LARGEST_BLOCK);
        let end = several.len() as u64;
        several.extend(b"something else");
        assert_eq!(walk(&several).foreign, Some(end));
    }

    #[test]
    fn a_few_bytes_that_stand_for_many_are_counted() {
        let zeros = packed(&vec![0; 50 << 20], 24, false);
        assert!(zeros.len() < 10_000);
        assert!(walk(&zeros).at_most >= 50 << 20);
    }

    #[test]
    fn damaged_and_cut_off_files_end_the_walk() {
        assert_eq!(walk(b""), Frames::default());
        let whole = packed(b"content", 24, false);
        for cut in 0..whole.len() {
            assert!(walk(&whole[..cut]).at_most <= LARGEST_BLOCK);
        }
        // A block of the type that does not exist.
        assert_eq!(walk(b"\x28\xb5\x2f\xfd\x00\x70\x07\x00\x00").foreign, None);
        // A size that nobody can have.
        assert_eq!(walk(b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00").at_most, u64::MAX);
    }
}
