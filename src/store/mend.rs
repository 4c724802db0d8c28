//! Finding out whether a store that could not be written can be written again.
//!
//! Owns the probe and the fresh connection. What is done meanwhile, and how often it is tried, is the runtime's
//! business.

use std::io::Write;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{SCHEMA_VERSION, Store, StoreError, error::Trouble, schema};

impl Store {
    /// What keeps the store from being written, as exactly as can be told. `None`: waiting does not help.
    ///
    /// SQLite says "I/O error" for much that the file system has a better word for; a small file beside the store brings
    /// that word out.
    pub fn diagnose(&self, error: &StoreError) -> Option<Trouble> {
        match error.trouble()? {
            Trouble::Io => Some(self.folder_trouble().unwrap_or(Trouble::Io)),
            known => Some(known),
        }
    }

    fn folder_trouble(&self) -> Option<Trouble> {
        /// More than a file may hold that takes no block of its own.
        const BYTES: [u8; 8192] = [b' '; 8192];
        let probe = self.path.with_extension("probe");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&probe)?;
            file.write_all(&BYTES)?;
            file.sync_all()
        };
        let written = write();
        // What could not be made is not there; what was made is of no use to anybody.
        let _ = std::fs::remove_file(&probe);
        written.err().map(|e| Trouble::of_io(&e))
    }

    /// Commits next to nothing, to see whether that works.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]: it still cannot be written.
    pub fn try_write(&mut self) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Writes a page, though nothing is different afterwards.
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Ok(())
    }

    /// Takes a fresh connection to the same file: one that was opened for reading only stays so for ever.
    ///
    /// # Errors
    /// As [`Store::open`]; the old connection stays then.
    pub fn reopen(&mut self) -> Result<(), StoreError> {
        // A file that is not there at the moment shall not be made anew.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&self.path, flags);
        let connection = opened.map_err(|e| StoreError::opening(&self.path, e))?;
        schema::check(&connection, &self.path)?;
        schema::tune_writer(&connection).map_err(|e| StoreError::opening(&self.path, e))?;
        self.connection = connection;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_writes_and_changes_nothing() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("stratum.db");
        let mut store = Store::open(&path).expect("store");
        let wal = || std::fs::metadata(path.with_extension("db-wal")).map_or(0, |m| m.len());
        let before = wal();
        store.try_write().expect("writes");
        assert!(wal() > before, "a page was written");
        store.reopen().expect("opens");
        store.try_write().expect("writes");
        assert!(store.folder_trouble().is_none());
        assert!(!path.with_extension("probe").exists());
        assert!(store.reader().is_ok());
    }

    #[test]
    fn a_held_store_is_busy_and_then_free_again() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("stratum.db");
        let mut store = Store::open(&path).expect("store");
        store.connection.busy_timeout(std::time::Duration::from_millis(20)).expect("set");
        let other = Connection::open(&path).expect("opens");
        other.execute_batch("BEGIN IMMEDIATE").expect("holds");
        let error = store.try_write().expect_err("held");
        assert_eq!(store.diagnose(&error), Some(Trouble::Busy));
        other.execute_batch("ROLLBACK").expect("lets go");
        store.try_write().expect("free");
    }

    #[test]
    fn a_folder_that_is_gone_is_waited_for_and_nothing_is_made_in_its_place() {
        let home = tempfile::tempdir().expect("folder");
        let (here, away) = (home.path().join("data"), home.path().join("away"));
        let mut store = Store::open(&here.join("stratum.db")).expect("store");
        std::fs::rename(&here, &away).expect("gone");
        let error = store.reopen().expect_err("gone");
        assert_eq!(error.trouble(), Some(Trouble::Io));
        assert!(!here.exists());
        std::fs::rename(&away, &here).expect("back");
        store.reopen().expect("there");
        store.try_write().expect("writes");
    }

    #[test]
    fn a_full_file_is_told_and_outlived() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("stratum.db");
        let mut store = Store::open(&path).expect("store");
        let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |r| r.get(0)).expect("count");
        store.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).expect("set");
        let fill = "CREATE TABLE filler AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n
                    WHERE x < 100) SELECT randomblob(4000) AS b FROM n";
        let error: StoreError = store.connection.execute_batch(fill).expect_err("full").into();
        assert_eq!(store.diagnose(&error), Some(Trouble::Full));
        store.reopen().expect("a connection without the limit");
        store.connection.execute_batch(fill).expect("room");
    }
}
