//! What the commands that read the store have in common: opening it, and finding the event that is meant.

use std::io::Write;

use super::args::Global;
use super::output::{Align, Table};
use super::when::AsOf;
use super::{Failure, prepare, show};
use crate::engine::changes::EventRow;
use crate::engine::names::Names;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;
use crate::store::query::{END_OF_TIME, event_view};
use crate::store::{Reader, StoreError};

/// Candidates that are listed; the rest is counted.
const LISTED: usize = 20;

/// The store, open for reading, and the names in it.
pub fn open(global: &Global) -> Result<(Reader, Names), Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let reader = Reader::open(&paths.store(&loaded.settings))?;
    warn_of_a_gap(&reader)?;
    let names = reader.names()?;
    Ok((reader, names))
}

/// How much of the history that a hub has is still to come, in words; `None`: nothing.
fn gap(reader: &Reader) -> Result<Option<String>, Failure> {
    let gap = reader.hub_link()?.and_then(|l| l.gap);
    Ok(gap.map(|(behind, gap)| format!("{} % of the hub's history is here", 100 * behind / gap.max(1))))
}

/// Says so where what is older may not be here yet.
pub fn warn_of_a_gap(reader: &Reader) -> Result<(), Failure> {
    if let Some(gap) = gap(reader)? {
        let _ = writeln!(std::io::stderr(), "stratum: warning: {gap}; what is older than today may be incomplete");
    }
    Ok(())
}

/// Refuses what would be wrong with half a history.
pub fn whole_history(reader: &Reader) -> Result<(), Failure> {
    match gap(reader)? {
        Some(gap) => Err(Failure::Other(format!("{gap}, and this needs all of it; `stratum status` tells when it is"))),
        None => Ok(()),
    }
}

/// The instant of the clock on the wall.
pub fn now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}

/// The instant that is meant. Without one it is the end of time, which is the newest look: stores often hold recorded
/// days, of which "now" would tell nothing.
pub fn instant(as_of: Option<AsOf>) -> Timestamp {
    as_of.map_or(END_OF_TIME, |as_of| as_of.at(now()))
}

/// The one event that `text` fits and that was known at `at`.
///
/// # Errors
/// [`Failure::NotFound`] when none fits, or when several do: then with a list to choose from. None is preferred.
pub fn event(reader: &Reader, names: &Names, text: &str, at: Timestamp) -> Result<EventRow, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::Usage("name an event: its number, the provider's id, or a part of a team's name".into()));
    }
    let found = reader.find_events(text)?;
    if found.is_empty() {
        return Err(Failure::NotFound(format!("no event fits '{text}'; `stratum events` lists them all")));
    }
    let first_seen = found.iter().map(|e| e.first_seen).min().unwrap_or_default();
    let mut known: Vec<EventRow> = found.into_iter().filter(|e| e.first_seen <= at).collect();
    match known.pop() {
        None => Err(Failure::NotFound(format!("'{text}' was not known at {at}; it was first seen at {first_seen}"))),
        Some(only) if known.is_empty() => Ok(only),
        Some(last) => {
            known.push(last);
            Err(Failure::NotFound(candidates(&known, text, names)?))
        }
    }
}

fn candidates(found: &[EventRow], text: &str, names: &Names) -> Result<String, Failure> {
    let mut table = Table::new([
        ("EVENT", Align::Right),
        ("START (UTC)", Align::Left),
        ("TEAMS", Align::Left),
        ("SPORT", Align::Left),
    ]);
    for row in found.iter().take(LISTED) {
        let e = event_view(row, names);
        let teams = show::teams(&e.away_team, &e.home_team);
        table.row([e.event_id.to_string(), show::minute(e.commence_time), teams, e.sport]);
    }
    let mut list = Vec::new();
    table.print(&mut list)?;
    let more = match found.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!("and {n} more\n"),
    };
    Ok(format!(
        "'{text}' fits {} events; name one by its number:\n{}{more}",
        found.len(),
        String::from_utf8_lossy(&list)
    )
    .trim_end()
    .to_owned())
}

/// The number of a sport key.
///
/// # Errors
/// [`Failure::NotFound`] with the keys that there are.
pub fn sport(names: &Names, key: &str) -> Result<SportId, Failure> {
    let number = names.sports.number(key).and_then(|n| u16::try_from(n).ok());
    number.map(SportId).ok_or_else(|| unknown("sport", key, names.sports.iter()))
}

/// The reply to a name that nothing in the store has.
pub fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Failure {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let there = match known.as_slice() {
        [] => "there are none".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    Failure::NotFound(format!("no {what} '{name}' here; {there}"))
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Locked { .. } | StoreError::NewerSchema { .. } | StoreError::OlderSchema { .. } => {
                Self::StoreUnavailable(e.to_string())
            }
            _ => Self::Other(e.to_string()),
        }
    }
}
