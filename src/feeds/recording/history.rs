//! The only unsafe code of this room: a temporary file as the memory in which zstd looks back.
//!
//! zstd writes into a shared map of the file and refers back into what it has written. Pages that lie behind are taken
//! out of the process now and then; they stay in the file and come back when something refers to them. So resident
//! memory does not grow with the window, nor with the content.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memmap2::{MmapRaw, UncheckedAdvice};
use zstd::zstd_safe::WriteBuf;

/// Room is taken on the disk in such steps, in bytes.
const STEP: u64 = 8 << 20;

/// A temporary file, mapped.
///
/// The file has to be private to the process (created without a name): nobody may shorten or write it while it is
/// mapped.
pub(super) struct History {
    file: File,
    map: MmapRaw,
    /// The length of the map; the file is as long.
    len: u64,
    /// The bytes before this one have room on the disk.
    reserved: u64,
    written: usize,
}

impl History {
    /// Makes the file `len` bytes long, without taking room on the disk yet, and maps it.
    pub(super) fn new(file: File, len: u64) -> io::Result<Self> {
        // An empty map is refused by the system.
        let len = len.max(1);
        file.set_len(len)?;
        let map = MmapRaw::map_raw(&file)?;
        Ok(Self { file, map, len, reserved: 0, written: 0 })
    }

    /// Takes room on the disk for everything before `end`. Written zeros are what every file system understands:
    /// without them a full disk would be noticed only when a page is touched, and end the process.
    pub(super) fn reserve(&mut self, end: u64) -> io::Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        if self.reserved >= end.min(self.len) {
            return Ok(());
        }
        let goal = end.saturating_add(STEP).min(self.len);
        while self.reserved < goal {
            let some = (goal - self.reserved).min(ZEROS.len() as u64);
            self.file.write_all_at(&ZEROS[..some as usize], self.reserved)?;
            self.reserved += some;
        }
        Ok(())
    }

    /// Takes the pages between two positions out of the process. What they hold stays in the file.
    pub(super) fn drop_pages(&self, from: usize, to: usize) {
        let to = to.min(self.map.len());
        let Some(len) = to.checked_sub(from) else { return };
        // SAFETY: the map is shared and backed by the file, so a dropped page is read from the file again when it is
        // touched; nothing is lost. No reference into the map exists, only the pointers of the decoder, and addresses
        // stay valid. Memory beyond the map is not reached: `from <= to <= map.len()`.
        // Failing only means that pages stay.
        let _ = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, from, len) };
    }

    /// The file, cut to `len` bytes, without the map.
    pub(super) fn into_file(self, len: u64) -> io::Result<File> {
        let Self { file, map, .. } = self;
        // Before the file is cut: behind its end no page of a map may be touched.
        drop(map);
        file.set_len(len)?;
        Ok(file)
    }
}

// SAFETY: the three promises of `WriteBuf`. The pointer is the beginning of a writable map of `map.len()` bytes that
// lives as long as `self` and never moves, and the file beneath is as long as the map from `new` to `into_file`, which
// takes `self`. `as_slice` covers only what was reported as written; a mapped file is initialised everywhere anyway.
// `filled_until` moves exactly that mark. The pointer comes from the system and not from a reference, so what zstd
// remembers of it from one call to the next stays valid.
unsafe impl WriteBuf for History {
    fn as_slice(&self) -> &[u8] {
        // SAFETY: `written <= map.len()`, see `filled_until`; nothing writes while the slice is borrowed from `self`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.written) }
    }

    fn capacity(&self) -> usize {
        self.map.len()
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    unsafe fn filled_until(&mut self, n: usize) {
        self.written = n.min(self.map.len());
    }
}
