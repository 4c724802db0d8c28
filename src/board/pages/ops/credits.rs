//! What the pane of credits says: what is left, the plan for the next 24 hours, and what the last ones cost.

use super::data::HOUR_MS;
use super::panes::{here, waiting};
use super::said::{Piece, Said, muted, pair, plain, words};
use crate::board::app::{App, Showing};
use crate::board::format;
use crate::board::theme::Meaning;
use crate::runtime::status::{LiveStatus, PlanNote};

/// The lines of the pane.
pub(super) fn lines(app: &App) -> Vec<Said> {
    let mut said = Vec::new();
    let now = here(app);
    let status: Option<&LiveStatus> = app.link.status.as_deref();
    let left = status.and_then(|s| s.credits.remaining);
    match status {
        None => said.push(pair("left", "the source has not told", Meaning::Muted)),
        Some(s) => {
            let told = match (s.credits.remaining, s.credits.told_at) {
                (Some(n), Some(at)) => format!("{}, told {} ago", format::count(n), format::ago(now.since(at))),
                (Some(n), None) => format::count(n),
                (None, _) => "the source has not told".into(),
            };
            said.push(pair("left", told, Meaning::Text));
            said.push(pair("session", format!("{} spent", format::count(s.credits.spent)), Meaning::Text));
        }
    }
    let plan = status.and_then(|s| s.plan.as_ref());
    if let Some(plan) = plan {
        planned(app, plan, &mut said);
    }
    let Some(facts) = &app.pages.ops.facts.data else {
        said.push(vec![waiting(app)]);
        return said;
    };
    let most = facts.hours.iter().copied().max().unwrap_or(0).max(1);
    let total: u64 = facts.hours.iter().sum();
    let shares: Vec<u16> = facts
        .hours
        .iter()
        .map(|h| if *h == 0 { 0 } else { u16::try_from(h * 1000 / most).unwrap_or(1000).max(1) })
        .collect();
    said.push(vec![muted("24 h"), Piece::Tab(11), Piece::Ramp(shares), plain(format::count(total))]);
    let hour = facts.hours.last().copied().unwrap_or(0);
    said.push(pair("last hour", format!("{} spent", format::count(hour)), Meaning::Text));
    // A plan knows better than the last hour.
    if !matches!(app.showing, Showing::Live) || plan.is_some() {
        return said;
    }
    let (told, meaning) = match left {
        _ if hour == 0 => ("none spent in the last hour: no pace to go by".to_owned(), Meaning::Muted),
        None => ("unknown without what is left".to_owned(), Meaning::Muted),
        Some(left) => {
            // The pace of one hour says little about days.
            let ms = i64::try_from(left.saturating_mul(HOUR_MS as u64) / hour).unwrap_or(i64::MAX);
            let at = app.clocks.market();
            let far = 400 * 24 * HOUR_MS;
            if ms > far {
                ("more than a year from now".to_owned(), Meaning::Text)
            } else {
                let meaning = if ms < 6 * HOUR_MS { Meaning::Warning } else { Meaning::Text };
                let (zone, end) = (app.prefs.zone(), at.plus(ms));
                (format!("{} {}, {}", zone.day(end), zone.hm(end), format::until(ms)), meaning)
            }
        }
    };
    said.push(pair("runs out", told, meaning));
    said.push(vec![Piece::Tab(11), words("estimate, at the pace of the last hour", Meaning::Faint)]);
    said
}

/// The plan for the next 24 hours.
fn planned(app: &App, plan: &PlanNote, said: &mut Vec<Said>) {
    let zone = app.prefs.zone();
    let spent = format!("{} of {} spent", format::count(plan.day_spent), format::count(plan.day_budget));
    said.push(pair("today", spent, Meaning::Text));
    if plan.desk > 0 {
        let told = format!("{} today, {} this month by others", format::count(plan.day_desk), format::count(plan.desk));
        said.push(pair("desk", told, Meaning::Text));
    }
    let until = format!("{} {}", zone.day(plan.until), zone.hm(plan.until));
    let calls = format!("{} in {} calls until {until}", format::count(plan.credits), format::count(plan.calls as u64));
    said.push(pair("plan", calls, Meaning::Text));
    let (looks, meaning) = match plan.stretch {
        None => ("nothing left between closes".to_owned(), Meaning::Warning),
        Some(1.0) => ("as often as asked for".to_owned(), Meaning::Text),
        Some(times) => (format!("{times:.1} times as far apart as asked for"), Meaning::Warning),
    };
    said.push(pair("looks", looks, meaning));
    let c = plan.closes;
    let watched = if c.watched > 0 { format!(", watched {}/{}", c.watched_good, c.watched) } else { String::new() };
    let meaning = if c.good < c.games { Meaning::Warning } else { Meaning::Text };
    said.push(pair("closes", format!("{}/{} games in reach{watched}", c.good, c.games), meaning));
    let blind = blind(plan);
    if !blind.is_empty() {
        said.push(pair("not judged", blind, Meaning::Muted));
    }
    match plan.runs_out {
        Some(end) => {
            let told = format!("{} {}, before the month ends", zone.day(end), zone.hm(end));
            said.push(pair("runs out", told, Meaning::Error));
        }
        None if plan.low_credits => said.push(pair("month", "few credits are left".to_owned(), Meaning::Warning)),
        None => {}
    }
}

/// Detectors that some band of some sport comes too rarely for: `STEAM far middle`.
fn blind(plan: &PlanNote) -> String {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for band in plan.sports.iter().flat_map(|s| &s.bands) {
        for name in &band.not_evaluable {
            let at = all.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
                all.push((name, Vec::new()));
                all.len() - 1
            });
            let bands = &mut all[at].1;
            if !bands.contains(&band.band.as_str()) {
                bands.push(&band.band);
            }
        }
    }
    all.iter().map(|(name, bands)| format!("{name} {}", bands.join(" "))).collect::<Vec<_>>().join(", ")
}
