//! One writer per store: an advisory lock on a file beside it.
//!
//! The operating system lets go of it when the process ends, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

pub(super) struct WriterLock {
    _file: File,
}

fn lock_path(store: &Path) -> PathBuf {
    store.with_extension("lock")
}

impl WriterLock {
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let path = lock_path(store);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| StoreError::io(&path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(StoreError::Locked { path: store.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(std::fs::TryLockError::Error(e)) => return Err(StoreError::io(&path, e)),
        }
        let write = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())?;
            file.flush()
        };
        // Who holds it is a courtesy to others; on a full disk they go without.
        let _ = write(&mut file);
        Ok(Self { _file: file })
    }
}

/// The process that writes the store now, if any. Answers from the lock, not from a file that may be left over.
pub fn writer_of(store: &Path) -> Option<u32> {
    let file = File::open(lock_path(store)).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => {
            let mut text = String::new();
            (&file).read_to_string(&mut text).ok()?;
            text.trim().parse().ok()
        }
    }
}
