//! Looks that come in after later ones of the same source and sport.
//!
//! The store is taken back to the look before them, and from there on late and stored looks are applied together in
//! the order of time, until the stored ones are used up: the end is as if everything had come in order. All of it is
//! one transaction, so that being killed anywhere loses nothing. The stored looks are read from a view of the state
//! before, which stays readable meanwhile. The engine's short memory is taken back with its quotes: see `warm.rs`.

use rustc_hash::FxHashMap;

use super::import::{Feed, ImportError, ImportReport, Read};
use super::warm;
use crate::engine::Engine;
use crate::engine::changes::Issue;
use crate::engine::names::Names;
use crate::feeds::replay;
use crate::market::batch::{Asked, Endpoint};
use crate::market::ids::{BookId, EventId, MarketId, SportId};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;
use crate::store::replay::{Replay, StoredLook};
use crate::store::rewind::Rewound;
use crate::store::{Reader, Store, StoreError, Together};

/// Lines between two reports of progress.
const LINES_A_REPORT: u64 = 32;

/// Takes lines, beginning with one that holds a late look, until no stored look is left that comes after them.
/// `progress` answers whether to go on; so does this.
///
/// # Errors
/// [`ImportError`]; engine and store are then as they were.
pub(super) fn work_in(
    engine: &mut Engine,
    store: &mut Store,
    feed: &mut Feed,
    progress: &mut impl FnMut(&ImportReport) -> bool,
) -> Result<bool, ImportError> {
    let before = store.reader()?;
    before.hold()?;
    let names = before.names()?;
    let mut next = engine.clone();
    let go_on = store.together(|together| -> Result<bool, ImportError> {
        let mut merge = Merge {
            engine: &mut next,
            together,
            before: &before,
            names: &names,
            sports: FxHashMap::default(),
            without: None,
        };
        let (mut go_on, mut lines) = (true, 0_u64);
        while go_on {
            let Some(line) = feed.next() else { break };
            let taken = feed.read(&line, |report, looks| merge.line(report, looks));
            if taken.transpose()? == Some(false) {
                feed.put_back(line);
                break;
            }
            if merge.is_used_up()? {
                break;
            }
            lines += 1;
            go_on = !lines.is_multiple_of(LINES_A_REPORT) || progress(&feed.report);
        }
        merge.catch_up_all()?;
        Ok(go_on)
    })?;
    *engine = next;
    Ok(go_on)
}

/// Takes back what an exchange told of a game since `since`: it was told of another game. Every look of the sport from
/// there on is judged again without it, so that fair prices, signals, closes and their grading are as if it had never been
/// said. Answers how many looks were judged again.
///
/// # Errors
/// [`StoreError`]; engine and store are then as they were.
pub(super) fn disown(
    engine: &mut Engine,
    store: &mut Store,
    (source, sport): (&str, &str),
    event: EventId,
    since: Timestamp,
    mut alive: impl FnMut(),
) -> Result<u64, StoreError> {
    let before = store.reader()?;
    before.hold()?;
    let names = before.names()?;
    let mut next = engine.clone();
    let looks = store.together(|together| -> Result<u64, StoreError> {
        let mut merge = Merge {
            engine: &mut next,
            together,
            before: &before,
            names: &names,
            sports: FxHashMap::default(),
            without: Some(event),
        };
        let Some((source, sport)) = merge.together.numbers(source, sport)? else { return Ok(0) };
        merge.take_back(source, sport, since.plus(-1))?;
        let mut looks = 0;
        while let Some(at) = merge.next_at((source, sport))? {
            merge.catch_up((source, sport), Some(at))?;
            looks += 1;
            alive();
        }
        Ok(looks)
    })?;
    *engine = next;
    Ok(looks)
}

struct Merge<'m> {
    engine: &'m mut Engine,
    together: &'m Together<'m>,
    /// The state before.
    before: &'m Reader,
    names: &'m Names,
    /// What has been taken back, by source and sport.
    sports: FxHashMap<(u32, SportId), TakenBack<'m>>,
    /// What an exchange told of this game is left out.
    without: Option<EventId>,
}

/// Which issue, for its wording.
type IssueKey = (Option<EventId>, Option<BookId>, Option<MarketId>, Reason);

fn key(issue: &Issue) -> IssueKey {
    (issue.event, issue.book, issue.market, issue.reason)
}

struct TakenBack<'m> {
    replay: Replay<'m>,
    rewound: Rewound,
    wording: FxHashMap<IssueKey, String>,
}

impl Merge<'_> {
    /// Takes the looks of one line. Answers `false`, having taken none of them, if one is older than a look taken
    /// before: recordings of the past need not be in the order of their snapshots.
    fn line(&mut self, report: &mut ImportReport, looks: &[Read<'_>]) -> Result<bool, ImportError> {
        let mut unknown = Vec::with_capacity(looks.len());
        for look in looks {
            let (source, sport, at) = (look.batch.source, &*look.batch.sport, look.batch.received_at);
            let hash = &look.meta.body_hash;
            if self.before.knows_look(source, sport, at, hash)? || self.together.knows_look(source, sport, at, hash)? {
                report.taken.known += 1;
                continue;
            }
            let late = self.together.newest_look(source, sport)?.is_some_and(|newest| at < newest);
            let numbers = self.together.numbers(source, sport)?;
            if late && numbers.is_some_and(|n| self.sports.contains_key(&n)) {
                return Ok(false);
            }
            unknown.push((look, numbers, late));
        }
        for (look, numbers, late) in unknown {
            let at = look.batch.received_at;
            if let Some((source, sport)) = numbers {
                if late {
                    self.take_back(source, sport, at)?;
                }
                report.late += u64::from(self.catch_up((source, sport), Some(at))?);
            }
            let changes = self.engine.apply(&look.batch);
            self.together.commit(&changes, &look.meta)?;
            report.taken.count(&changes);
        }
        Ok(true)
    }

    fn take_back(&mut self, source: u32, sport: SportId, at: Timestamp) -> Result<(), StoreError> {
        let mut rewound = self.together.rewind(source, sport, at, self.engine.settings())?;
        self.engine.stand(source, sport, std::mem::take(&mut rewound.then));
        warm::sport(self.engine, self.together.past(), source, sport)?;
        let replay = self.before.replay(source, sport, at);
        self.sports.insert((source, sport), TakenBack { replay, rewound, wording: FxHashMap::default() });
        Ok(())
    }

    /// Applies the stored looks up to an instant, or all. Answers whether some are left.
    fn catch_up(&mut self, sport: (u32, SportId), until: Option<Timestamp>) -> Result<bool, StoreError> {
        let Some(back) = self.sports.get_mut(&sport) else { return Ok(false) };
        while let Some(at) = back.replay.next_at()? {
            if until.is_some_and(|until| at > until) {
                return Ok(true);
            }
            let Some(mut look) = back.replay.next()? else { break };
            if let Some(event) = self.without.filter(|_| look.endpoint == Endpoint::Exchange) {
                leave_out(&mut look, event);
            }
            let batch = replay::batch(&look, sport.0, sport.1, self.names);
            let mut changes = self.engine.apply(&batch);
            word(self.engine, &mut changes.issues, self.before.issues_of(look.id)?, &look, &mut back.wording);
            changes.look.quotes = look.quotes;
            changes.look.issues = changes.issues.len() as u32;
            self.together.commit(&changes, &look.meta)?;
            self.together.renumber(&back.rewound, look.id, changes.look.id)?;
        }
        Ok(false)
    }

    /// The instant of the next stored look of a sport that was taken back.
    fn next_at(&self, sport: (u32, SportId)) -> Result<Option<Timestamp>, StoreError> {
        self.sports.get(&sport).map_or(Ok(None), |back| back.replay.next_at())
    }

    fn catch_up_all(&mut self) -> Result<(), StoreError> {
        let mut sports: Vec<_> = self.sports.keys().copied().collect();
        sports.sort_unstable();
        for sport in sports {
            self.catch_up(sport, None)?;
        }
        Ok(())
    }

    fn is_used_up(&self) -> Result<bool, StoreError> {
        for back in self.sports.values() {
            if back.replay.next_at()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Takes a game out of a look at an exchange.
fn leave_out(look: &mut StoredLook, event: EventId) {
    let Some(at) = look.events.iter().position(|e| e.row.id == event) else { return };
    let gone = look.events.remove(at);
    if let Asked::Only(ids) = &mut look.meta.scope.events {
        ids.retain(|id| **id != *gone.row.provider_id);
    }
    let quotes: usize = gone.groups.iter().map(|g| g.quotes.len()).sum();
    look.quotes = look.quotes.saturating_sub(u32::try_from(quotes).unwrap_or(u32::MAX));
}

/// Gives issues that were found again the wording that they had, and adds those that only the answer itself could
/// show.
fn word(
    engine: &mut Engine,
    issues: &mut Vec<Issue>,
    stored: Vec<Issue>,
    look: &StoredLook,
    wording: &mut FxHashMap<IssueKey, String>,
) {
    for issue in stored {
        let noted = |e: EventId| look.events.iter().any(|o| o.row.id == e && o.note.reasons.contains(&issue.reason));
        let passing = match issue.reason {
            Reason::DuplicateEvent
            | Reason::DuplicateBook
            | Reason::DuplicateMarket
            | Reason::UnknownBook
            | Reason::UnknownMarket => true,
            Reason::IdentityChanged => !issue.event.is_some_and(noted),
            _ => issue.event.is_none(),
        };
        if !passing {
            wording.insert(key(&issue), issue.detail);
        } else if issue.event.is_none() || !issues.iter().any(|i| key(i) == key(&issue)) {
            if matches!(issue.reason, Reason::DuplicateEvent | Reason::DuplicateBook | Reason::DuplicateMarket) {
                engine.remember_issue(&issue);
            }
            issues.push(issue);
        }
    }
    for issue in issues.iter_mut().filter(|i| i.detail == replay::AGAIN) {
        if let Some(detail) = wording.get(&key(issue)) {
            issue.detail.clone_from(detail);
        }
    }
}
