//! `stratum events`: the events in the store, now or as known at an earlier time.

use std::io::Write;

use super::args::{EventsArgs, Global};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, look, show};
use crate::engine::names::Names;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;
use crate::store::Reader;
use crate::store::query::{END_OF_TIME, EventView, event_view};

/// Runs `stratum events`.
pub fn run(global: &Global, args: &EventsArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    let sport = match &args.sport {
        None => None,
        Some(key) => Some(look::sport(&names, key)?),
    };
    let events = match args.as_of {
        None => {
            let now = look::now();
            let mut events = Vec::new();
            for row in &reader.events(sport)? {
                let mut view = event_view(row, &names);
                let standing = reader.standing(row.id, now)?.filter(|s| s.reason().is_some());
                if let Some(standing) = standing {
                    (view.standing, view.standing_reason) = (Some(standing.name()), standing.reason());
                }
                events.push(view);
            }
            events
        }
        Some(as_of) => known_at(&reader, &names, sport, as_of.at(look::now()))?,
    };
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &events, demo)?;
    } else {
        label(out, demo)?;
        table(&events).print(out)?;
    }
    Ok(Exit::Ok)
}

/// Events that were known at `at`, with the start, status and score of then.
fn known_at(reader: &Reader, names: &Names, sport: Option<SportId>, at: Timestamp) -> Result<Vec<EventView>, Failure> {
    let sports: Vec<SportId> = match sport {
        Some(sport) => vec![sport],
        None => (1..=names.sports.len()).filter_map(|n| u16::try_from(n).ok()).map(SportId).collect(),
    };
    let mut events = Vec::new();
    for sport in sports {
        let board = reader.board_as_of(sport, at, Timestamp::from_millis(i64::MIN), END_OF_TIME)?;
        events.extend(board.iter().map(|e| event_view(&e.row, names)));
    }
    events.sort_by_key(|e| (e.commence_time, e.event_id));
    Ok(events)
}

fn table(events: &[EventView]) -> Table {
    let mut table = Table::new([
        ("EVENT", Align::Right),
        ("START (UTC)", Align::Left),
        ("TEAMS", Align::Left),
        ("SPORT", Align::Left),
        ("STATUS", Align::Left),
        ("SCORE", Align::Left),
    ]);
    for e in events {
        let score = match (e.away_score, e.home_score) {
            (Some(away), Some(home)) => format!("{away}-{home}"),
            _ => String::new(),
        };
        table.row([
            e.event_id.to_string(),
            show::minute(e.commence_time),
            show::teams(&e.away_team, &e.home_team),
            e.sport.clone(),
            e.standing.unwrap_or(e.status).to_owned(),
            score,
        ]);
    }
    table
}
