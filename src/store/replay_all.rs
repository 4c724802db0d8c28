//! All stored looks, of every source and sport, in the order in which they were applied.

use super::replay::{Replay, StoredLook};
use super::{Reader, StoreError, recall};
use crate::market::ids::{LookId, SportId};
use crate::market::time::Timestamp;

/// A look with the number of its source and its sport.
pub type LookOf = (StoredLook, u32, SportId);

/// The looks of all sources and sports by their numbers, lowest first. Memory holds about one board of each sport.
#[derive(Debug)]
pub struct ReplayAll<'c> {
    /// With the number of the next look of each; those without one are dropped.
    sports: Vec<(LookId, Replay<'c>)>,
    failed: bool,
}

impl Reader {
    /// All looks that were received after `after`. The reader should stand still meanwhile: see [`Reader::hold`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn replay_all(&self, after: Timestamp) -> Result<ReplayAll<'_>, StoreError> {
        let mut sports = Vec::new();
        for (source, sport) in recall::sports(&self.connection)? {
            let replay = Replay::new(&self.connection, source, sport, after);
            if let Some((_, next)) = replay.peek()? {
                sports.push((next, replay));
            }
        }
        Ok(ReplayAll { sports, failed: false })
    }
}

impl ReplayAll<'_> {
    fn take(&mut self) -> Result<Option<LookOf>, StoreError> {
        let soonest = self.sports.iter().enumerate().min_by_key(|(_, (next, _))| *next);
        let Some(at) = soonest.map(|(at, _)| at) else { return Ok(None) };
        let Some((next, replay)) = self.sports.get_mut(at) else { return Ok(None) };
        let (source, sport) = replay.whose();
        let look = replay.next()?;
        match replay.peek()? {
            Some((_, id)) => *next = id,
            None => drop(self.sports.swap_remove(at)),
        }
        Ok(look.map(|look| (look, source, sport)))
    }
}

impl Iterator for ReplayAll<'_> {
    type Item = Result<LookOf, StoreError>;

    /// Ends after the first failure.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let taken = self.take().transpose();
        self.failed = matches!(taken, Some(Err(_)));
        taken
    }
}
