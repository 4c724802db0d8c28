//! The scorecards: one line a group, every mean with its interval on an axis that all lines share.

use ratatui::layout::Rect;

use super::view::{FEW, GroupRow, View};
use crate::board::app::App;
use crate::board::format;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::interval::{self, Axis};
use crate::board::widgets::text;
use crate::engine::grade::record::RecordTier;
use crate::engine::grade::record::stats::Stats;

/// From this width on distributions and recaps stand beside the scorecards.
pub const WIDE: u16 = 120;
/// Lines above the groups: what is chosen, what it is worth, the heads.
const HEAD: u16 = 3;
/// Columns of the part on the right.
const ASIDE: u16 = 44;

/// Where the parts are: the scorecards, and what stands beside or below them.
pub fn parts(area: Rect, groups: usize) -> (Rect, Option<Rect>) {
    if area.width >= WIDE {
        let left = Rect { width: area.width - ASIDE, ..area };
        return (left, Some(Rect { x: left.right(), width: ASIDE, ..area }));
    }
    // Below, where some lines are left over.
    let needs = HEAD + groups.max(1) as u16 + 2;
    if area.height >= needs + 6 {
        let top = Rect { height: needs, ..area };
        return (top, Some(Rect { y: top.bottom(), height: area.height - needs, ..area }));
    }
    (area, None)
}

/// Groups that fit.
pub fn visible(area: Rect, groups: usize) -> usize {
    let (cards, _) = parts(area, groups);
    usize::from(cards.height.saturating_sub(HEAD + 1))
}

/// Draws the scorecards.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, view: &View) {
    if area.height <= HEAD {
        return;
    }
    strip(app, paint, Rect { height: 1, ..area }, view);
    whole(paint, Rect { y: area.y + 1, height: 1, ..area }, &view.total);
    let axis = axis(view);
    let plan = Plan::new(area.width, view);
    heads(paint, Rect { y: area.y + 2, height: 1, ..area }, &plan, axis, app);
    let body = Rect { y: area.y + HEAD, height: area.height - HEAD - 1, ..area };
    let page = &app.pages.clv;
    let shown = view.groups.iter().enumerate().skip(page.top).take(usize::from(body.height));
    for (y, (at, group)) in (body.y..).zip(shown) {
        let place = Rect { y, height: 1, ..body };
        if at == page.line {
            paint.fill(place, paint.style(Meaning::Selection));
            paint.text(place.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
        }
        card(paint, place, &plan, axis, group);
        paint.zone(place, Hit::Row(at));
    }
    let least = format!("few: under {FEW} games, which says little   whisker: 95 % interval by game");
    let short = format!("few: under {FEW} games, which says little");
    let room = area.width.saturating_sub(4);
    let told = if text::width(&least) <= room { least } else { short };
    paint.text(area.x + 2, area.bottom() - 1, room, &told, paint.style(Meaning::Faint));
}

/// What is chosen.
fn strip(app: &App, paint: &mut Paint<'_>, area: Rect, view: &View) {
    let c = &view.choice;
    let mut told = vec![
        format!("by {}", c.group.name()),
        c.period.name().to_owned(),
        c.counted.name().to_owned(),
        c.preset.map_or("no preset", |p| p.label()).to_owned(),
    ];
    told.extend(c.sport.clone());
    if view.of as u32 >= super::load::MOST {
        told.push(format!("newest {} records", format::count(view.of as u64)));
    }
    let sign = format!("  {}  ", paint.glyph(Glyph::Dot));
    let end = area.right().saturating_sub(1);
    let x = area.x + 2;
    let taken = paint.text(x, area.y, end.saturating_sub(x), &told.join(&sign), paint.style(Meaning::Key));
    if app.pages.clv.slot.is_running() && x + taken + 10 < end {
        paint.text(x + taken + 2, area.y, 8, "reading", paint.style(Meaning::Muted));
    }
}

/// All groups together, in a sentence that loses its end first.
fn whole(paint: &mut Paint<'_>, area: Rect, total: &Stats) {
    let mut x = area.x + 2;
    let end = area.right().saturating_sub(1);
    for (told, meaning) in sentence(total) {
        let needs = text::width(&told);
        if x + needs > end {
            return;
        }
        x += paint.text(x, area.y, needs, &told, paint.style(meaning)) + 2;
    }
}

/// What a set of signals was worth, always with the number of games behind it.
pub fn sentence(s: &Stats) -> Vec<(String, Meaning)> {
    let games = match s.events {
        1 => "1 game".to_owned(),
        n => format!("{} games", format::count(u64::from(n))),
    };
    let Some(mean) = s.mean_clv_ev else {
        return vec![(format!("{} signals, none of them graded", s.signals), Meaning::Text)];
    };
    let few = s.events < FEW;
    let meaning = if few { Meaning::Muted } else { worth(s) };
    let mut told = vec![(format!("mean CLV {} %", format::signed_percent(mean)), meaning)];
    told.push((format!("of {games}{}", if few { ", too few to mean much" } else { "" }), Meaning::Text));
    if let (Some(low), Some(high)) = (s.mean_clv_ev_low, s.mean_clv_ev_high) {
        let (low, high) = (format::signed_percent(low), format::signed_percent(high));
        told.push((format!("95 %: {low} to {high}"), Meaning::Muted));
    }
    if let Some(rate) = s.positive_rate {
        told.push((format!("positive {:.1} %", rate * 100.0), Meaning::Text));
    }
    told.push((format!("graded {} of {}", s.graded, s.signals), Meaning::Muted));
    told
}

/// How a mean looks: only an interval that leaves zero out says something.
pub fn worth(s: &Stats) -> Meaning {
    match (s.mean_clv_ev_low, s.mean_clv_ev_high) {
        _ if s.events < FEW => Meaning::Muted,
        (Some(low), _) if low > 0.0 => Meaning::GradeGood,
        (_, Some(high)) if high < 0.0 => Meaning::GradeBad,
        _ => Meaning::GradeMedium,
    }
}

fn axis(view: &View) -> Axis {
    let ends = |s: &Stats| [s.mean_clv_ev, s.mean_clv_ev_low, s.mean_clv_ev_high];
    Axis::over(view.groups.iter().flat_map(|g| ends(&g.stats)).flatten(), 0.01, 0.2)
}

/// Where the columns stand; those that do not fit have no width.
struct Plan {
    name: (u16, u16),
    tier: (u16, u16),
    games: (u16, u16),
    graded: (u16, u16),
    share: (u16, u16),
    positive: (u16, u16),
    range: (u16, u16),
    mean: (u16, u16),
    axis: (u16, u16),
}

impl Plan {
    fn new(width: u16, view: &View) -> Self {
        let longest = view.groups.iter().map(|g| text::width(&g.title)).max().unwrap_or(0);
        let name = longest.clamp(11, 18);
        let mut x = 2;
        let mut next = |wide: u16, shown: bool| {
            let at = x;
            if shown {
                x += wide + 2;
            }
            (at, if shown { wide } else { 0 })
        };
        let (name, tier, games) = (next(name, true), next(4, true), next(5, true));
        let graded = next(9, width >= 76);
        let share = next(5, width >= 100);
        let positive = next(6, true);
        let range = next(12, width >= 116);
        let mean = next(6, true);
        Self { name, tier, games, graded, share, positive, range, mean, axis: (x, width.saturating_sub(x + 2).min(61)) }
    }
}

fn heads(paint: &mut Paint<'_>, area: Rect, plan: &Plan, axis: Axis, app: &App) {
    let style = paint.style(Meaning::Header);
    paint.fill(area, style);
    let name = app.pages.clv.slot.data.as_ref().map_or("", |d| d.view.choice.group.name());
    paint.text(area.x + plan.name.0, area.y, plan.name.1, &capital(name), style);
    paint.text(area.x + plan.tier.0, area.y, plan.tier.1, "Tier", style);
    for ((x, width), title) in [
        (plan.games, "Games"),
        (plan.graded, "Graded"),
        (plan.share, "%"),
        (plan.positive, "Pos %"),
        (plan.range, "95 %"),
        (plan.mean, "CLV %"),
    ] {
        paint.right(area.x + x, area.y, width, title, style);
    }
    let place = Rect { x: area.x + plan.axis.0, width: plan.axis.1, ..area };
    if place.width >= 13 {
        interval::scale(paint, place, axis, |v| format!("{:+}%", (v * 1000.0).round() / 10.0));
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

fn card(paint: &mut Paint<'_>, area: Rect, plan: &Plan, axis: Axis, group: &GroupRow) {
    let s = &group.stats;
    let few = s.events < FEW;
    let y = area.y;
    let dash = paint.sign("–", "-");
    let number = if few { Meaning::Muted } else { Meaning::Text };
    paint.text(area.x + plan.name.0, y, plan.name.1, &group.title, paint.style(Meaning::Text));
    let (tier, meaning) = match group.tier {
        _ if few => ("few", Meaning::Warning),
        RecordTier::S => ("S", Meaning::TierHigh),
        RecordTier::A => ("A", Meaning::TierHigh),
        RecordTier::B => ("B", Meaning::TierMedium),
        RecordTier::C => ("C", Meaning::TierLow),
    };
    paint.text(area.x + plan.tier.0, y, plan.tier.1, tier, paint.style(meaning));
    let share = if s.signals > 0 { f64::from(s.graded) / f64::from(s.signals) } else { 0.0 };
    let range = match (s.positive_rate_low, s.positive_rate_high) {
        (Some(low), Some(high)) => format!("{:.1} to {:.1}", low * 100.0, high * 100.0),
        _ => dash.to_owned(),
    };
    let mean = s.mean_clv_ev;
    for ((x, width), told, meaning) in [
        (plan.games, s.events.to_string(), if few { Meaning::Warning } else { Meaning::Text }),
        (plan.graded, format!("{}/{}", s.graded, s.signals), Meaning::Muted),
        (plan.share, format!("{:.0}", share * 100.0), Meaning::Muted),
        (plan.positive, s.positive_rate.map_or_else(|| dash.to_owned(), |r| format!("{:.1}", r * 100.0)), number),
        (plan.range, range, Meaning::Muted),
        (plan.mean, mean.map_or_else(|| dash.to_owned(), format::signed_percent), worth(s)),
    ] {
        if width > 0 {
            paint.right(area.x + x, y, width, &told, paint.style(meaning));
        }
    }
    let place = Rect { x: area.x + plan.axis.0, width: plan.axis.1, ..area };
    if let Some(mean) = mean {
        let ends = s.mean_clv_ev_low.zip(s.mean_clv_ev_high);
        interval::whisker(paint, place, axis, mean, ends, worth(s));
        if ends.is_none() && place.width >= 40 {
            let told = "one game has no interval";
            let beside = if mean > 0.0 { place.x } else { place.right() - text::width(told) };
            paint.text(beside, y, text::width(told), told, paint.style(Meaning::Faint));
        }
    } else if place.width >= 13 {
        paint.text(place.x, y, place.width, "nothing graded", paint.style(Meaning::Faint));
    }
}
