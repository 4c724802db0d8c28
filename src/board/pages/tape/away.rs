//! The user comes back after a while: what happened since then, in a few lines over the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::layout::Rect;

use super::row::{self, Row};
use crate::board::app::{App, Effect, Job, Outcome, Overlay};
use crate::board::format;
use crate::board::keys::{Action, Context};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::engine::changes::EventStatus;
use crate::engine::detect::signal::SignalType;
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;

/// So many signals are counted at most.
const MOST: u32 = 1_000;

/// What happened.
#[derive(Debug)]
pub struct Summary {
    since: Timestamp,
    until: Timestamp,
    counts: Vec<(SignalType, usize)>,
    /// The strongest, then the farthest moves that are not among them.
    strongest: Vec<Arc<Row>>,
    farthest: Vec<Arc<Row>>,
    started: Vec<String>,
    ended: Vec<String>,
    at: usize,
}

/// Asks what happened since then, and shows it.
pub fn while_away(app: &mut App, since: Timestamp) {
    let until = app.clocks.market();
    let job = Job::reading(
        "while away",
        move |reader| {
            let filter = AnalysisFilter { since: Some(since), limit: Some(MOST), ..AnalysisFilter::default() };
            reader.signals_as_of(&filter, until)
        },
        move |app, found| match found {
            Ok(signals) => {
                let rows: Vec<Arc<Row>> = signals.into_iter().map(|s| Arc::new(Row::new(s))).collect();
                let summary = summary(app, since, until, &rows);
                // What the user has opened meanwhile is not covered.
                if summary.is_empty() {
                    return;
                }
                if app.overlays.is_empty() {
                    app.overlay(summary);
                } else {
                    app.say(format!("while you were away: {}", summary.counted()));
                }
            }
            Err(why) => app.complain(why),
        },
    );
    app.effect(Effect::Job(job));
}

fn summary(app: &App, since: Timestamp, until: Timestamp, rows: &[Arc<Row>]) -> Summary {
    let mut counts: BTreeMap<SignalType, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.signal.kind).or_default() += 1;
    }
    let mut counts: Vec<(SignalType, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let newest =
        |a: &Arc<Row>, b: &Arc<Row>| (b.signal.detected_at, &b.signal.id).cmp(&(a.signal.detected_at, &a.signal.id));
    let mut strongest = rows.to_vec();
    strongest.sort_by(|a, b| b.signal.strength.cmp(&a.signal.strength).then_with(|| newest(a, b)));
    // One market that many books were out of line with is one thing to tell.
    let mut told = std::collections::BTreeSet::new();
    strongest.retain(|r| told.insert((r.signal.event_id, r.signal.market.clone(), r.signal.kind)));
    strongest.truncate(3);
    // Lines alone: a point and a percent cannot be compared.
    let far = |r: &Row| (r.signal.to_value - r.signal.from_value).abs();
    let mut farthest: Vec<Arc<Row>> = rows
        .iter()
        .filter(|r| r.signal.unit == "line" && r.signal.kind != SignalType::Dislocation)
        .filter(|r| strongest.iter().all(|s| s.signal.id != r.signal.id))
        .cloned()
        .collect();
    farthest.sort_by(|a, b| far(b).total_cmp(&far(a)).then_with(|| newest(a, b)));
    let mut seen = std::collections::BTreeSet::new();
    farthest.retain(|r| seen.insert((r.signal.event_id, r.signal.market.clone())));
    farthest.truncate(3);
    let name = |g: &crate::board::model::Game| {
        let short = |code: &str, name: &str| if code.is_empty() { name.to_owned() } else { code.to_owned() };
        format!("{} @ {}", short(&g.who.away_code, &g.who.away), short(&g.who.home_code, &g.who.home))
    };
    let games = &app.live.games;
    let started = games.iter().filter(|g| g.commence > since && g.commence <= until).map(|g| name(g)).collect();
    let ended = games
        .iter()
        .filter(|g| g.status == EventStatus::Final && g.last_changed > since)
        .map(|g| match g.score {
            Some((home, away)) => format!("{} {away}-{home}", name(g)),
            None => name(g),
        })
        .collect();
    Summary { since, until, counts, strongest, farthest, started, ended, at: 0 }
}

impl Summary {
    fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.started.is_empty() && self.ended.is_empty()
    }

    fn counted(&self) -> String {
        let told: Vec<String> = self.counts.iter().map(|(kind, n)| format!("{n} {}", row::kind(*kind))).collect();
        if told.is_empty() { "no signals".to_owned() } else { told.join(", ") }
    }

    fn signals(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.strongest.iter().chain(&self.farthest)
    }

    fn open(&self, app: &mut App) -> Outcome {
        if let Some(id) = self.signals().nth(self.at).map(|r| r.signal.id.clone()) {
            super::show(app, &id);
        }
        Outcome::Close
    }
}

impl Overlay for Summary {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        let last = self.signals().count().saturating_sub(1);
        match action {
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::First => self.at = 0,
            Action::Last => self.at = last,
            Action::Open => return self.open(app),
            Action::Back => return Outcome::Close,
            _ => {}
        }
        Outcome::Stay
    }

    fn click(&mut self, app: &mut App, hit: Hit, double: bool) -> Outcome {
        if let Hit::Item(at) = hit {
            self.at = at;
            if double {
                return self.open(app);
            }
        }
        Outcome::Stay
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let width = area.width.min(78);
        let inner_width = width.saturating_sub(4);
        let mut lines: Vec<(Option<usize>, String, Meaning)> = Vec::new();
        let for_how_long = format::ago(self.until.since(self.since));
        lines.push((None, format!("While you were away, {for_how_long}"), Meaning::Title));
        lines.push((None, self.counted(), Meaning::Text));
        let games = |told: &mut Vec<_>, word: &str, list: &[String]| {
            if !list.is_empty() {
                told.push((None, format!("{word}: {}", list.join(", ")), Meaning::Text));
            }
        };
        games(&mut lines, "started", &self.started);
        games(&mut lines, "ended", &self.ended);
        let mut item = 0;
        for (title, rows) in [("Strongest", &self.strongest), ("Farthest moves", &self.farthest)] {
            if rows.is_empty() {
                continue;
            }
            lines.push((None, String::new(), Meaning::Text));
            lines.push((None, title.to_owned(), Meaning::Header));
            for row in rows {
                let s = &row.signal;
                let told = format!(
                    "{}  {:<11}  {:<11}  {:<20}  {:>3}",
                    app.prefs.zone().hms(s.detected_at),
                    row::kind(s.kind),
                    row.game(11),
                    row.moved(paint.glyph(Glyph::Arrow)),
                    s.strength
                );
                lines.push((Some(item), told, row::kind_meaning(s.kind)));
                item += 1;
            }
        }
        let height = (lines.len() as u16 + 2).min(area.height);
        let place =
            Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
        paint.clear(place, paint.style(Meaning::Text));
        frame(paint, place);
        for (y, (item, told, meaning)) in (place.y + 1..place.bottom().saturating_sub(1)).zip(&lines) {
            let line = Rect { x: place.x + 1, y, width: width - 2, height: 1 };
            if let Some(item) = item {
                if *item == self.at {
                    paint.fill(line, paint.style(Meaning::Selection));
                    paint.text(line.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
                }
                paint.zone(line, Hit::Item(*item));
            }
            paint.text(place.x + 2, y, inner_width, told, paint.style(*meaning));
        }
    }
}

/// Lines round a place.
fn frame(paint: &mut Paint<'_>, area: Rect) {
    let (set, style) = (paint.glyphs.border(), paint.style(Meaning::BorderFocus));
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x + 1..right {
        paint.text(x, area.y, 1, set.horizontal_top, style);
        paint.text(x, bottom, 1, set.horizontal_bottom, style);
    }
    for y in area.y + 1..bottom {
        paint.text(area.x, y, 1, set.vertical_left, style);
        paint.text(right, y, 1, set.vertical_right, style);
    }
    for (x, y, sign) in [
        (area.x, area.y, set.top_left),
        (right, area.y, set.top_right),
        (area.x, bottom, set.bottom_left),
        (right, bottom, set.bottom_right),
    ] {
        paint.text(x, y, 1, sign, style);
    }
}
