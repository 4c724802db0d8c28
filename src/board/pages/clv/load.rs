//! Questions of the page to the store, and the working out of their answers, both away from the keyboard.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::view::{View, view};
use crate::alerts::quality;
use crate::board::app::{App, Effect, Job};
use crate::board::pages::tape::load::Moment;
use crate::board::pages::tape::row::short_name;
use crate::engine::grade::clv::ClvRow;
use crate::market::ids::EventId;
use crate::store::analysis::{AnalysisFilter, Ungraded};

/// So many graded signals are read at most, the newest.
pub const MOST: u32 = 20_000;
/// Signals that wait are counted so far back. Milliseconds.
const WAITING_MS: i64 = 3 * 86_400_000;

/// Alerts are followed up so far back. Milliseconds.
const ALERTS_MS: i64 = 14 * 86_400_000;

/// Short names of a game's teams: away and home.
pub type Teams = FxHashMap<EventId, (String, String)>;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Every graded signal that was read.
    pub rows: Arc<Vec<ClvRow>>,
    /// Who plays.
    pub teams: Arc<Teams>,
    /// What is not graded yet.
    pub waiting: Ungraded,
    /// What became of alerts.
    pub alerts: Arc<Vec<quality::Row>>,
    /// What was asked of them.
    pub view: View,
}

/// Asks for what is to be shown, if that is something else than what was asked last. Rows are read again only for
/// another moment.
pub fn ask(app: &mut App) {
    if !app.slate().loaded {
        return;
    }
    let moment = Moment::of(app);
    let page = &mut app.pages.clv;
    page.choice.sport.clone_from(&app.prefs.sport);
    let zone = app.prefs.zone();
    let asked = (moment, page.choice.clone(), zone);
    if page.asked.as_ref() == Some(&asked) {
        return;
    }
    let same_moment = page.read == Some(moment);
    let kept = page.slot.data.clone().filter(|_| same_moment && page.slot.error.is_none());
    let choice = page.choice.clone();
    page.asked = Some(asked);
    let version = page.slot.ask(true);
    let until = app.until();
    let job = Job::reading(
        "clv",
        move |reader| {
            let mut record = match kept {
                Some(kept) => Record { view: View::default(), ..(*kept).clone() },
                None => {
                    let filter = AnalysisFilter { limit: Some(MOST), ..AnalysisFilter::default() };
                    let rows = reader.clv_rows_as_of(&filter, until)?;
                    let names = reader.names()?;
                    let wanted: FxHashSet<EventId> = rows.iter().map(|r| r.event_id).collect();
                    let events = reader.events(None)?.into_iter().filter(|e| wanted.contains(&e.id));
                    let teams = events.map(|e| {
                        let sport = names.sport(e.sport);
                        (e.id, (short_name(sport, &e.away), short_name(sport, &e.home)))
                    });
                    let waiting = reader.ungraded(until.plus(-WAITING_MS), until)?;
                    let alerts = quality::quality(reader, until.plus(-ALERTS_MS), until)?;
                    Record {
                        rows: Arc::new(rows),
                        teams: Arc::new(teams.collect()),
                        waiting,
                        alerts: Arc::new(alerts),
                        view: View::default(),
                    }
                }
            };
            record.view = View { alerts: Arc::clone(&record.alerts), ..view(&record.rows, &choice, zone, until) };
            Ok(record)
        },
        move |app, found| {
            let read = found.is_ok();
            if app.pages.clv.slot.answer(version, found) {
                app.pages.clv.read = read.then_some(moment);
                super::settle(app);
            }
        },
    );
    app.effect(Effect::Job(job));
}
