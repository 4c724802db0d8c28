//! What the page asks the store: credits by hour, quality, detectors, and how much there is.

use std::path::Path;

use crate::engine::names::Names;
use crate::market::time::Timestamp;
use crate::store::analysis::TallySum;
use crate::store::query::{IssueCount, Stored};
use crate::store::{Reader, StoreError};

/// One hour. Milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// What one detector could not judge in one sport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Sport key.
    pub sport: String,
    /// The numbers.
    pub sum: TallySum,
}

/// The answers, as of one instant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// Credits of each of the last 24 hours, the newest last.
    pub hours: [u64; 24],
    /// Quality issues by reason.
    pub issues: Vec<IssueCount>,
    /// What the detectors did in the last 24 hours.
    pub judged: Vec<Judged>,
    /// How much is stored.
    pub stored: Stored,
    /// Bytes on disk, with what has not been tidied yet; `None`: they cannot be told.
    pub bytes: Option<u64>,
}

/// Reads everything as of `until`.
///
/// # Errors
/// [`StoreError`].
pub fn read(reader: &Reader, store: &Path, until: Timestamp) -> Result<Facts, StoreError> {
    let names: Names = reader.names()?;
    let day = until.plus(-24 * HOUR_MS);
    let mut hours = [0; 24];
    for (hour, credits) in reader.credits_by(day, until, HOUR_MS)? {
        if let Some(slot) = usize::try_from(hour).ok().and_then(|h| hours.get_mut(h)) {
            *slot = credits;
        }
    }
    let judged = reader
        .tallies_between(day, until)?
        .into_iter()
        .map(|sum| Judged { sport: names.sport(sum.sport).to_owned(), sum })
        .collect();
    Ok(Facts { hours, issues: reader.issues_until(until)?, judged, stored: reader.stored(until)?, bytes: bytes(store) })
}

fn bytes(store: &Path) -> Option<u64> {
    let size = |path: &Path| std::fs::metadata(path).map(|m| m.len()).ok();
    let mut wal = store.as_os_str().to_owned();
    wal.push("-wal");
    size(store).map(|n| n + size(Path::new(&wal)).unwrap_or(0))
}
