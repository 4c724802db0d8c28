//! The pane with the chart: which time and which values it shows.

use ratatui::layout::Rect;

use super::layout::{Pane, heading};
use super::series::Ruler;
use crate::board::app::App;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;
use crate::board::widgets::chart::Window;
use crate::board::widgets::{chart_axis, chart_pane};

/// The shortest time that is shown.
pub const LEAST_MS: i64 = 2 * 60_000;

/// All recorded time of the market on show.
pub fn recorded(app: &App) -> Option<Window> {
    let data = app.pages.game.slot.data.as_ref()?;
    let books = data.books.iter().filter_map(|b| b.states.first()).map(|s| s.at.millis());
    let from = books.chain(data.points.first().map(|p| p.at.millis())).min()?;
    let seen = data.quotes.iter().map(|q| q.value.last_seen.millis()).max().unwrap_or(data.at.millis());
    // A game that is over would be a long flat line; a pause of the feed is shown as it is.
    const OVER_MS: i64 = 20 * 60_000;
    let until = data.at.millis();
    let to = if until - seen > OVER_MS { seen } else { until };
    Some(Window { from: from.min(to - LEAST_MS), to })
}

/// The time on show: all of it, or so much of it that ends so long before its end.
pub fn window(app: &App) -> Option<Window> {
    let all = recorded(app)?;
    let page = &app.pages.game;
    let Some(span) = page.span else { return Some(all) };
    let span = span.clamp(LEAST_MS.min(all.span()), all.span());
    let back = page.back.clamp(0, all.span() - span);
    Some(Window { from: all.to - back - span, to: all.to - back })
}

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.game;
    paint.zone(area, Hit::Pane(Pane::Chart.number()));
    let head = Rect { height: 1, ..area };
    let focus = page.pane == Pane::Chart;
    let (Some(data), Some(shown)) = (page.slot.data.as_ref(), page.shown.as_ref()) else {
        heading(paint, head, "Chart", "", focus);
        return;
    };
    let say = |paint: &mut Paint<'_>, words: &str| {
        paint.text(area.x + 2, area.y + 2, area.width.saturating_sub(3), words, paint.style(Meaning::Faint));
    };
    let Some(appraisal) = data.appraisal.as_ref() else {
        heading(paint, head, "Chart", "", focus);
        say(paint, "this market cannot be calculated with: there is no line to draw");
        return;
    };
    let place = shown.places.get(page.side).map_or(0, |p| usize::from(p.0));
    let ruler = Ruler::new(appraisal, page.measure, place, app.prefs.odds);
    let who = shown.codes.get(page.side).map_or("", |c| c.as_str());
    heading(paint, head, &format!("{who} {}", ruler.measure_name()), ruler.title(), focus);
    let Some(window) = window(app) else {
        say(paint, "nothing has been recorded of this market");
        return;
    };
    if page.series.iter().all(|s| s.steps.is_empty()) {
        say(paint, "none of the chosen lines has a value; S chooses others");
        return;
    }
    let unit = ruler.unit;
    let open = page.series.last().and_then(|s| s.steps.iter().find_map(|s| s.value));
    let values = page.series.iter().flat_map(|s| s.within(window)).chain(open);
    let signals: Vec<i64> =
        data.signals.iter().filter(|s| s.key == appraisal.key).map(|s| s.detected_at.millis()).collect();
    chart_pane::draw(
        paint,
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
        &chart_pane::Chart {
            series: &page.series,
            window,
            range: chart_axis::range(values, unit.least()),
            label: &|v| unit.label(v),
            read: &|v| unit.read(v),
            zone: app.prefs.zone(),
            open,
            tip: Some(data.row.commence.millis()),
            signals: &signals,
            cross: page.cross,
        },
    );
}
