//! Questions of the tape to the store. Every one ends at the moment on show, so that the past is shown as it was.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::row::Row;
use crate::board::app::{App, Effect, Job, Showing};
use crate::engine::detect::signal::Signal;
use crate::engine::grade::clv::ClvRow;
use crate::engine::names::Names;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;
use crate::store::analysis::{AnalysisFilter, TallySum};
use crate::store::{Reader, StoreError};

/// So many signals are kept on the tape.
pub const MOST: usize = 2_000;
/// So many are read when the market has gone on; older ones are taken over.
const FRESH: u32 = 256;
/// What the detectors could judge is counted over so long. Milliseconds.
const TALLIED_MS: i64 = 6 * 3_600_000;

/// What the store said.
#[derive(Debug, Default)]
pub struct Tape {
    /// Newest first.
    pub rows: Vec<Arc<Row>>,
    /// Gradings by the id of their signal.
    pub clv: FxHashMap<String, ClvRow>,
    /// What the detectors did lately.
    pub tallies: Vec<TallySum>,
    /// Numbers and names, for the tallies.
    pub names: Names,
    /// The moment of which it speaks.
    pub until: Option<Timestamp>,
    /// There are older ones than these.
    pub more: bool,
}

/// The moment for which the tape was last asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// The present, at this look.
    Live(Option<LookId>),
    /// A moment that stands still or is played.
    At(Timestamp),
}

impl Moment {
    /// Of the board.
    pub fn of(app: &App) -> Self {
        match &app.showing {
            Showing::Live => Self::Live(app.live.look),
            Showing::Frozen { at, .. } | Showing::Past { at, .. } => Self::At(*at),
        }
    }
}

/// Asks for the signals, if the moment on show is another than the last one asked for.
pub fn ask(app: &mut App) {
    let moment = Moment::of(app);
    if app.pages.tape.moment == Some(moment) || !app.slate().loaded {
        return;
    }
    let page = &mut app.pages.tape;
    // A step back makes the answer to the old question wrong, not only old.
    let goes_on = matches!((page.moment, moment), (Some(Moment::Live(_)), Moment::Live(_)));
    let version = if goes_on {
        match page.slot.refresh() {
            Some(version) => version,
            None => return,
        }
    } else {
        page.slot.ask(true)
    };
    page.moment = Some(moment);
    let kept = page.slot.data.clone();
    let until = app.until();
    let job = Job::reading(
        "tape",
        move |reader| read(reader, until, kept.as_deref()),
        move |app, found| {
            if app.pages.tape.slot.answer(version, found) {
                super::arrived(app);
                if app.pages.tape.slot.wants_more() {
                    ask(app);
                }
            }
        },
    );
    app.effect(Effect::Job(job));
}

/// The newest signals as they stood at `until`. What `kept` has of before then, and what is not fresh, is taken over.
fn read(reader: &Reader, until: Timestamp, kept: Option<&Tape>) -> Result<Tape, StoreError> {
    let kept = kept.filter(|k| k.until.is_some_and(|at| at <= until) && !k.rows.is_empty());
    let limit = if kept.is_some() { FRESH } else { MOST as u32 };
    let filter = AnalysisFilter { limit: Some(limit), ..AnalysisFilter::default() };
    let mut signals = reader.signals_as_of(&filter, until)?;
    let oldest = signals.first().map(|s| (s.detected_at, s.id.clone()));
    let mut more = signals.len() == MOST;
    let joins = |k: &&Tape| k.rows.first().zip(oldest.as_ref()).is_some_and(|(r, o)| r.signal.detected_at >= o.0);
    let mut older: Vec<Arc<Row>> = Vec::new();
    match kept.filter(joins).zip(oldest.as_ref()) {
        Some((kept, oldest)) => {
            let is_older = |r: &&Arc<Row>| (r.signal.detected_at, &r.signal.id) < (oldest.0, &oldest.1);
            older = kept.rows.iter().filter(is_older).cloned().collect();
            more = kept.more;
        }
        // So much has happened since that the two do not meet.
        None if kept.is_some() && signals.len() as u32 == FRESH => {
            let filter = AnalysisFilter { limit: Some(MOST as u32), ..filter };
            signals = reader.signals_as_of(&filter, until)?;
            more = signals.len() == MOST;
        }
        None => {}
    }
    signals.reverse();
    let mut rows: Vec<Arc<Row>> = signals.into_iter().map(|s| Arc::new(Row::new(s))).collect();
    rows.append(&mut older);
    more |= rows.len() > MOST;
    rows.truncate(MOST);
    let since = rows.last().map(|r| r.signal.detected_at);
    let clv = match since {
        Some(since) => reader.clv_rows_as_of(&AnalysisFilter { since: Some(since), ..Default::default() }, until)?,
        None => Vec::new(),
    };
    let clv = clv.into_iter().map(|c| (c.signal_id.clone(), c)).collect();
    let tallies = reader.tallies_between(until.plus(-TALLIED_MS), until)?;
    Ok(Tape { rows, clv, tallies, names: reader.names()?, until: Some(until), more })
}

/// What is read of one signal when it is opened.
#[derive(Debug)]
pub struct Opened {
    /// The signal.
    pub id: String,
    /// Its versions up to the moment on show, first to last.
    pub versions: Vec<Signal>,
}

/// Asks for the versions of the signal under the cursor, if its evidence is on show.
pub fn ask_versions(app: &mut App) {
    let Some(row) = super::current(app).cloned() else { return };
    let (id, newest) = (row.signal.id.clone(), row.signal.version);
    let page = &mut app.pages.tape;
    let known =
        page.opened.data.as_ref().is_some_and(|o| {
            o.id == id && o.versions.last().is_none_or(|v| v.version >= newest) && !o.versions.is_empty()
        });
    if !page.evidence || known || page.asked.as_ref() == Some(&(id.clone(), newest)) {
        return;
    }
    page.asked = Some((id.clone(), newest));
    let version = page.opened.ask(true);
    let until = app.until();
    let job = Job::reading(
        "signal versions",
        move |reader| {
            let mut versions = reader.signal_versions(&id)?;
            versions.retain(|v| v.updated_at <= until);
            Ok(Opened { id, versions })
        },
        move |app, found| {
            if app.pages.tape.opened.answer(version, found) {
                app.dirty = true;
            }
        },
    );
    app.effect(Effect::Job(job));
}
