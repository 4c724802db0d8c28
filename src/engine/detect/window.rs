//! Two views of one question, a window apart: who was there at both ends, who moved, and when.
//!
//! Movement is a thing within a book; a book that just appeared moves nothing. Sister books are one opinion: a family
//! moves by the median of its members.

use crate::engine::memory::{Gaps, Question, Sight, Track};
use crate::engine::price::fair::median;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::price::view::BookView;
use crate::engine::profile::BookProfile;
use crate::market::books::BookKind;
use crate::market::ids::BookId;
use crate::market::line::Line;
use crate::market::time::Timestamp;

/// A book at one end of the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) line: Option<Line>,
    /// On the scale of thresholds.
    pub(crate) size: f64,
}

/// One book of the panel: open at both ends of the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// Place in the question.
    pub(crate) at: usize,
    pub(crate) family: u16,
    pub(crate) sharp: bool,
    pub(crate) before: End,
    pub(crate) after: End,
    /// On the scale of thresholds: points, or probability of the side looked at.
    pub(crate) change: f64,
    /// The first look that showed a change, and the look before it.
    pub(crate) moved: Option<(Timestamp, Timestamp)>,
}

/// The movement of one family.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct FamilyMove {
    pub(crate) family: u16,
    pub(crate) change: f64,
    /// The first look at which one of its members had moved.
    pub(crate) moved_at: Option<Timestamp>,
}

/// A window over one question.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The side whose chance or line is looked at: its place in the layout.
    pub(crate) place: usize,
    /// The instant whose state is the one before.
    pub(crate) start: Timestamp,
    pub(crate) gaps: Gaps,
    /// In the order of books.
    pub(crate) members: Vec<Member>,
    /// In the order of family numbers.
    pub(crate) families: Vec<FamilyMove>,
}

/// Smaller changes are rounding.
const NOTHING: f64 = 1e-9;

/// What a sight says of a side, on the scale of thresholds.
pub(crate) fn size(scale: Scale<'_>, sight: &Sight, place: usize) -> f64 {
    match scale {
        Scale::Points(_) => sight.value,
        Scale::LogOdds => sight.fair.get(place).copied().unwrap_or_default(),
    }
}

/// What a window shows at a glance: the movements of its books, whichever side they are told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glance {
    changes: Vec<f64>,
    /// Some book stands at another line.
    pub(crate) line_moved: bool,
}

impl Glance {
    /// Nobody moved.
    pub(crate) fn is_still(&self) -> bool {
        self.changes.is_empty() && !self.line_moved
    }

    /// `books` of them or more moved by `least` the same way. A family that did has a book that did, so that what is not
    /// true of books is not true of families.
    pub(crate) fn shows(&self, books: usize, least: f64) -> bool {
        let least = least - 1e-6;
        let up = self.changes.iter().filter(|c| **c >= least).count();
        up >= books || self.changes.iter().filter(|c| **c <= -least).count() >= books
    }
}

/// Looks over the books that were there at `start` and are there now. Costs a look at each.
pub(crate) fn glance(question: &Question, start: Timestamp) -> Glance {
    let (layout, scale) = (question.layout, question.scale);
    let places = if layout == Layout::ThreeWay && !scale.has_model() { 3 } else { 1 };
    let mut glance = Glance::default();
    for (view, track) in question.views.iter().zip(&question.tracks) {
        if track.since <= start || view.own.is_some() {
            continue;
        }
        let Some(before) = track.as_of(view, start).filter(|s| s.open) else { continue };
        let after = Sight::of(view);
        glance.line_moved |= before.line != after.line;
        glance.changes.extend((0..places).map(|p| change(layout, scale, &before, &after, p)).filter(|c| *c != 0.0));
    }
    glance
}

/// The window from `start` to `at`, whose first state is the one of the look at `gaps.from`. A market that was suspended
/// at `start` has no panel, whatever it showed before. `None` when nobody in the panel moved.
pub(crate) fn window(
    question: &Question,
    scale: Scale<'_>,
    gaps: Gaps,
    (start, at): (Timestamp, Timestamp),
    profile: impl Fn(BookId) -> BookProfile,
) -> Option<Window> {
    window_of(question, scale, gaps, (start, at), leading_place(question, scale, start), profile)
}

/// The same, told of the side at a place of the layout.
pub(crate) fn window_of(
    question: &Question,
    scale: Scale<'_>,
    gaps: Gaps,
    (start, at): (Timestamp, Timestamp),
    place: usize,
    profile: impl Fn(BookId) -> BookProfile,
) -> Option<Window> {
    let mut members = Vec::with_capacity(question.views.len());
    let mut any = false;
    for (at_place, (view, track)) in question.views.iter().zip(&question.tracks).enumerate() {
        if view.own.is_some() || reopened(question, scale, view, track, at) {
            continue;
        }
        let after = Sight::of(view);
        let before = if track.since <= start { after } else { track.as_of(view, start).unwrap_or(Sight::SHUT) };
        // Without a model, prices at different lines cannot be compared.
        if !before.open || (!scale.has_model() && before.line != after.line) {
            continue;
        }
        let voter = profile(view.book).voter;
        let same = before.value == after.value && before.fair == after.fair;
        any |= !same;
        let moved = if same && before.line == after.line { None } else { track.first_move(start, &before, view) };
        let end = |s: &Sight| End { line: s.line, size: size(scale, s, place) };
        members.push(Member {
            at: at_place,
            family: voter.family,
            sharp: voter.kind == BookKind::Sharp,
            before: end(&before),
            after: end(&after),
            change: if same { 0.0 } else { change(question.layout, scale, &before, &after, place) },
            moved,
        });
    }
    if !any {
        return None;
    }
    let families = families(&members);
    Some(Window { place, start, gaps, members, families })
}

/// How far a book moved. On the scale of points a line that moved counts as far as it moved where that is more than its
/// value did (half a point of line is less than half a point of value away from the key numbers), unless its price took
/// half of the move or more back: -3 at -120 to -3.5 at +100 is hardly any.
pub(crate) fn change(layout: Layout, scale: Scale<'_>, before: &Sight, after: &Sight, place: usize) -> f64 {
    let value = size(scale, after, place) - size(scale, before, place);
    if value.abs() <= NOTHING {
        return 0.0;
    }
    if !scale.has_model() {
        return value;
    }
    let line = match (before.line, after.line) {
        (Some(from), Some(to)) if layout == Layout::Spread => from.points() - to.points(),
        (Some(from), Some(to)) => to.points() - from.points(),
        _ => 0.0,
    };
    let carried = value * line > 0.0 && value.abs() >= 0.5 * line.abs();
    if carried && line.abs() > value.abs() { line } else { value }
}

/// The side to tell a move of: the first; of three, the one whose chance rose most.
fn leading_place(question: &Question, scale: Scale<'_>, start: Timestamp) -> usize {
    if question.layout != Layout::ThreeWay || scale.has_model() {
        return 0;
    }
    let ends = || {
        let both = question.views.iter().zip(&question.tracks).filter(|(v, _)| v.own.is_none());
        both.filter_map(|(v, t)| Some((t.as_of(v, start).filter(|s| s.open)?, Sight::of(v))))
    };
    let rise = |place: usize| {
        let mut changes: Vec<f64> = ends().map(|(b, a)| size(scale, &a, place) - size(scale, &b, place)).collect();
        changes.sort_by(f64::total_cmp);
        median(&changes).unwrap_or_default()
    };
    let mut best = (0, rise(0));
    for place in [1, 2] {
        let rise = rise(place);
        if rise > best.1 + NOTHING {
            best = (place, rise);
        }
    }
    best.0
}

fn families(members: &[Member]) -> Vec<FamilyMove> {
    let mut all: Vec<(u16, f64, Option<Timestamp>)> =
        members.iter().map(|m| (m.family, m.change, m.moved.filter(|_| m.change != 0.0).map(|(at, _)| at))).collect();
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    all.chunk_by(|a, b| a.0 == b.0)
        .map(|sisters| {
            let (upper, lower) = (sisters.get(sisters.len() / 2), sisters.get((sisters.len() - 1) / 2));
            FamilyMove {
                family: sisters.first().map_or(0, |s| s.0),
                change: 0.5 * (upper.map_or(0.0, |s| s.1) + lower.map_or(0.0, |s| s.1)),
                moved_at: sisters.iter().filter_map(|s| s.2).min(),
            }
        })
        .collect()
}

/// The book came back with this very look, and no second book agrees with it.
pub(crate) fn reopened(question: &Question, scale: Scale<'_>, view: &BookView, track: &Track, at: Timestamp) -> bool {
    /// As near as half of the smallest move that counts.
    const NEAR_POINTS: f64 = 0.25;
    const NEAR_CHANCE: f64 = 0.01;
    if track.since != at || !track.opened {
        return false;
    }
    let book = view.book;
    let own = Sight::of(view);
    let near = if scale.has_model() { NEAR_POINTS } else { NEAR_CHANCE };
    let agrees = |other: &Sight| {
        (size(scale, &own, 0) - size(scale, other, 0)).abs() <= near && (scale.has_model() || own.line == other.line)
    };
    !question.views.iter().filter(|v| v.book != book && v.own.is_none()).any(|v| agrees(&Sight::of(v)))
}

impl Window {
    /// Median movement over the families.
    pub(crate) fn median_change(&self) -> f64 {
        let mut changes: Vec<f64> = self.families.iter().map(|f| f.change).collect();
        changes.sort_by(f64::total_cmp);
        median(&changes).unwrap_or_default()
    }

    /// Families that moved by at least `least` in the direction of `sign`.
    pub(crate) fn movers(&self, sign: f64, least: f64) -> impl Iterator<Item = &FamilyMove> {
        // Half points are exact, but differences of model values are not.
        self.families.iter().filter(move |f| f.change * sign >= (least - 1e-6).max(NOTHING))
    }

    /// Median movement of those.
    pub(crate) fn median_of_movers(&self, sign: f64, least: f64) -> f64 {
        let mut changes: Vec<f64> = self.movers(sign, least).map(|f| f.change).collect();
        changes.sort_by(f64::total_cmp);
        median(&changes).unwrap_or_default()
    }

    /// Medians over the books, before and after, in value or probability.
    pub(crate) fn medians(&self) -> (f64, f64) {
        self.medians_of(|_| true)
    }

    /// The same over the books whose families moved by at least `least` in the direction of `sign`.
    pub(crate) fn medians_of_movers(&self, sign: f64, least: f64) -> (f64, f64) {
        let movers: Vec<u16> = self.movers(sign, least).map(|f| f.family).collect();
        self.medians_of(|m| movers.contains(&m.family))
    }

    fn medians_of(&self, counts: impl Fn(&Member) -> bool) -> (f64, f64) {
        let median_of = |pick: fn(&Member) -> f64| {
            let mut values: Vec<f64> = self.members.iter().filter(|m| counts(m)).map(pick).collect();
            values.sort_by(f64::total_cmp);
            median(&values).unwrap_or_default()
        };
        (median_of(|m| m.before.size), median_of(|m| m.after.size))
    }
}
