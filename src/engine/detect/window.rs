//! Two views of one question, a window apart: who was there at both ends, who moved, and when.
//!
//! Movement is a thing within a book; a book that just appeared moves nothing. Sister books are one opinion: a family
//! moves by the median of its members.

use crate::engine::memory::{Gaps, Question, Sight};
use crate::engine::price::fair::median;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::profile::BookProfile;
use crate::market::books::BookKind;
use crate::market::ids::BookId;
use crate::market::time::Timestamp;

/// One book of the panel: open at both ends of the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) book: BookId,
    pub(crate) family: u16,
    pub(crate) sharp: bool,
    pub(crate) before: Sight,
    pub(crate) after: Sight,
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

/// The window from `start` to `at`; its looks are those from `gaps.from` on. A market that was suspended at `start` has
/// no panel, whatever it showed before. `None` when nobody in the panel moved.
pub(crate) fn window(
    question: &Question,
    scale: Scale<'_>,
    gaps: Gaps,
    (start, at): (Timestamp, Timestamp),
    profile: impl Fn(BookId) -> BookProfile,
) -> Option<Window> {
    let mut members = Vec::new();
    let mut any = false;
    for (view, track) in question.views.iter().zip(&question.tracks) {
        if view.own.is_some() || reopened(question, scale, view.book, at) {
            continue;
        }
        let Some(before) = track.as_of(view, start).filter(|s| s.open) else { continue };
        let after = Sight::of(view);
        // Without a model, prices at different lines cannot be compared.
        if !scale.has_model() && before.line != after.line {
            continue;
        }
        let voter = profile(view.book).voter;
        let moved = track.first_move(gaps.from, &before, view);
        any |= before.value != after.value || before.fair != after.fair;
        let sharp = voter.kind == BookKind::Sharp;
        members.push(Member { book: view.book, family: voter.family, sharp, before, after, change: 0.0, moved });
    }
    if !any {
        return None;
    }
    let place = leading_place(question.layout, scale, &members);
    for m in &mut members {
        m.change = change(question.layout, scale, &m.before, &m.after, place);
    }
    let families = families(&members);
    Some(Window { place, gaps, members, families })
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
fn leading_place(layout: Layout, scale: Scale<'_>, members: &[Member]) -> usize {
    if layout != Layout::ThreeWay || scale.has_model() {
        return 0;
    }
    let rise = |place: usize| {
        let mut changes: Vec<f64> =
            members.iter().map(|m| size(scale, &m.after, place) - size(scale, &m.before, place)).collect();
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
    let mut numbers: Vec<u16> = members.iter().map(|m| m.family).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut changes = Vec::new();
    let mut families = Vec::with_capacity(numbers.len());
    for family in numbers {
        let sisters = || members.iter().filter(|m| m.family == family);
        changes.clear();
        changes.extend(sisters().map(|m| m.change));
        changes.sort_by(f64::total_cmp);
        let change = median(&changes).unwrap_or_default();
        let moved_at = sisters().filter(|m| m.change != 0.0).filter_map(|m| m.moved).map(|(at, _)| at).min();
        families.push(FamilyMove { family, change, moved_at });
    }
    families
}

/// The book came back with this very look, and no book of another family agrees with it.
pub(crate) fn reopened(question: &Question, scale: Scale<'_>, book: BookId, at: Timestamp) -> bool {
    /// As near as half of the smallest move that counts.
    const NEAR_POINTS: f64 = 0.25;
    const NEAR_CHANCE: f64 = 0.01;
    let Some((view, _)) =
        question.views.iter().zip(&question.tracks).find(|(v, t)| v.book == book && t.since == at && t.opened)
    else {
        return false;
    };
    let own = Sight::of(view);
    let near = if scale.has_model() { NEAR_POINTS } else { NEAR_CHANCE };
    let agrees = |other: &Sight| {
        (size(scale, &own, 0) - size(scale, other, 0)).abs() <= near && (scale.has_model() || own.line == other.line)
    };
    !question
        .views
        .iter()
        .filter(|v| v.book != book && v.own.is_none())
        .any(|v| agrees(&Sight::of(v)))
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

    /// Median over the families of what their members said, before and after, in value or probability.
    pub(crate) fn medians(&self, scale: Scale<'_>) -> (f64, f64) {
        let median_of = |pick: &dyn Fn(&Member) -> f64| {
            let mut values: Vec<f64> = self.members.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            median(&values).unwrap_or_default()
        };
        (median_of(&|m| size(scale, &m.before, self.place)), median_of(&|m| size(scale, &m.after, self.place)))
    }
}
