//! Running stored looks through a fresh engine, in the time of the looks: the same answer, later.
//!
//! Each sport by itself, for nothing of one reaches into another. A stretch of looks that were judged by the same rules is
//! begun like a start of the program: the engine stands where the look before left it, with the memory of the looks
//! before that.

use std::path::Path;

use super::warm;
use crate::engine::detect::signal::SignalType;
use crate::engine::{Engine, EngineSettings};
use crate::feeds::replay;
use crate::market::ids::{LookId, SportId};
use crate::market::time::Timestamp;
use crate::store::check::{Comparison, Range, Replayed};
use crate::store::{Reader, StoreError};

/// What to run again.
#[derive(Clone, Debug)]
pub struct Again {
    /// Only this sport.
    pub sport: Option<SportId>,
    /// Looks after this.
    pub after: Timestamp,
    /// Looks until then.
    pub until: Timestamp,
    /// Points and opportunities are kept for so long. Milliseconds; `None`: for ever.
    pub points_ms: Option<i64>,
    /// Differences that are listed.
    pub show: usize,
}

/// What one sport gave.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize)]
pub struct SportAgain {
    /// Sport key.
    pub sport: String,
    /// Looks.
    pub looks: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Published fair prices and consensus points.
    pub points: u64,
    /// New signals by type number; index 0 is unused.
    #[serde(skip)]
    pub signals: [u64; 8],
    /// Closes taken.
    pub closes: u64,
    /// Signals graded.
    pub graded: u64,
}

/// Runs looks again; `with` names a file for the findings when they are to be compared. `progress` hears of each look and
/// answers whether to go on.
///
/// # Errors
/// [`StoreError`].
pub fn run(
    reader: &Reader,
    live: &Path,
    settings: &EngineSettings,
    again: &Again,
    with: Option<&Path>,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<(Vec<SportAgain>, Option<Comparison>), StoreError> {
    reader.hold()?;
    let past = reader.past();
    let names = past.names()?;
    let mut notes: Vec<(LookId, EngineSettings)> = Vec::new();
    for (look, note) in reader.settings_notes()? {
        // Rules of another version cannot be had again; those of today stand in.
        notes.push((look, EngineSettings::from_note(&note).unwrap_or_else(|| settings.clone())));
    }
    // Which note holds for a look, from 1; 0 before the first: those looks were stored by a version without findings.
    let stretch_of = |look: LookId| notes.iter().take_while(|(from, _)| *from <= look).count();
    let rules_of = |stretch: usize| {
        let note = stretch.checked_sub(1).and_then(|at| notes.get(at));
        note.map_or(settings, |(_, rules)| rules)
    };
    let mut replayed = with.map(|file| Replayed::create(file, live)).transpose()?;
    let mut comparison = Comparison::default();
    let mut sports = Vec::new();
    let mut done = 0;
    for (source, sport) in past.sports()? {
        if again.sport.is_some_and(|s| s != sport) {
            continue;
        }
        let mut found = SportAgain { sport: names.sport(sport).to_owned(), ..SportAgain::default() };
        let mut looks = past.replay(source, sport, again.after);
        let mut engine: Option<(usize, Engine)> = None;
        let (mut last, mut compared_after) = (again.after, again.after);
        while let Some(at) = looks.next_at()? {
            if at > again.until {
                break;
            }
            let Some(look) = looks.next()? else { break };
            let stretch = stretch_of(look.id);
            if replayed.is_some() && stretch == 0 && !notes.is_empty() {
                (last, compared_after) = (at, at);
                continue;
            }
            if engine.as_ref().is_none_or(|(of, _)| *of != stretch) {
                let standing = warm::standing_before(past, source, sport, look.id, rules_of(stretch))?;
                engine = Some((stretch, standing));
            }
            let Some((_, engine)) = engine.as_mut() else { break };
            engine.next_look_is(look.id);
            let changes = engine.apply(&replay::batch(&look, source, sport, &names));
            found.looks += 1;
            found.changes += changes.quotes.len() as u64;
            found.points += changes.points.len() as u64;
            found.closes += changes.closes.len() as u64;
            found.graded += changes.clv.len() as u64;
            for signal in changes.signals.iter().filter(|s| s.version == 1) {
                if let Some(count) = found.signals.get_mut(usize::from(signal.kind.number())) {
                    *count += 1;
                }
            }
            if let Some(replayed) = &mut replayed {
                replayed.write(&changes)?;
            }
            last = at;
            done += 1;
            if !progress(done) {
                break;
            }
        }
        if let Some(replayed) = &mut replayed {
            let newest = past.look_at(source, sport, Timestamp::from_millis(i64::MAX))?.map_or(last, |(_, at)| at);
            let kept_after = again.points_ms.map_or(Timestamp::from_millis(i64::MIN), |ms| newest.plus(-ms));
            let range = Range { source, sport, after: compared_after, until: last, kept_after };
            replayed.compare(&range, names.sport(sport), again.show, &mut comparison)?;
        }
        sports.push(found);
    }
    Ok((sports, with.map(|_| comparison)))
}

impl SportAgain {
    /// New signals of each type, in the order of types.
    pub fn by_type(&self) -> impl Iterator<Item = (SignalType, u64)> {
        SignalType::ALL.into_iter().map(|t| (t, self.signals.get(usize::from(t.number())).copied().unwrap_or(0)))
    }
}
