//! Where the panes of the page stand. Pure.

use ratatui::layout::Rect;

/// A pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// Who feeds the store.
    #[default]
    Session,
    /// What is asked, and how it went.
    Sources,
    /// Credits.
    Credits,
    /// Breakers.
    Breakers,
    /// Quality issues.
    Quality,
    /// How long looks take.
    Cycle,
    /// What the detectors could not judge.
    Detectors,
    /// The store.
    Store,
    /// The log.
    Log,
    /// The board's own figures.
    Board,
}

impl Pane {
    /// How many there are.
    pub const COUNT: usize = 10;
    /// Every pane: the one that matters most first. Those at the end fold first.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Session,
        Self::Sources,
        Self::Credits,
        Self::Breakers,
        Self::Quality,
        Self::Cycle,
        Self::Detectors,
        Self::Store,
        Self::Log,
        Self::Board,
    ];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Session => "Session",
            Self::Sources => "Sources",
            Self::Credits => "Credits",
            Self::Breakers => "Breakers",
            Self::Quality => "Quality",
            Self::Cycle => "Cycle",
            Self::Detectors => "Detectors, 24 h",
            Self::Store => "Store",
            Self::Log => "Log",
            Self::Board => "Board",
        }
    }
}

/// The panes in their places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Those that are shown.
    pub placed: Vec<(Pane, Rect)>,
    /// Those for which there is no room, and the line that names them.
    pub folded: Vec<Pane>,
    /// Where that line is.
    pub fold_line: Option<Rect>,
}

/// Least height of a pane, with its border.
const LEAST: u16 = 4;

/// Places the panes in `area`. `lines`: how many each has to say; `focus` is always shown.
pub fn plan(area: Rect, lines: &[usize; Pane::COUNT], focus: Pane) -> Plan {
    use Pane::{Board, Breakers, Credits, Cycle, Detectors, Log, Quality, Session, Sources, Store};
    let columns: Vec<Vec<Pane>> = match area.width {
        150.. => vec![vec![Session, Credits, Store, Board], vec![Sources, Breakers, Cycle], vec![Quality, Detectors]],
        96.. => vec![vec![Session, Sources, Credits, Store], vec![Breakers, Cycle, Quality, Detectors, Board]],
        _ => vec![Pane::ALL.to_vec()],
    };
    let wants = |pane: Pane| (lines.get(pane as usize).copied().unwrap_or(0) as u16).saturating_add(2).max(LEAST);
    let mut plan = Plan::default();
    let mut room = area;
    // Lines of a log are long: where there are columns it stands below them, in the whole width.
    if columns.len() > 1 && area.height >= 3 * LEAST {
        let height = wants(Log).min((area.height * 3 / 10).max(LEAST));
        room.height -= height;
        plan.placed.push((Log, Rect { y: room.bottom(), height, ..area }));
    } else if columns.len() > 1 {
        plan.folded.push(Log);
    }
    // A line for the names of folded panes is only taken where it is needed.
    let needs_line = columns.iter().any(|c| c.len() as u16 * LEAST > room.height) || !plan.folded.is_empty();
    if needs_line && room.height > LEAST {
        let line = Rect { y: room.y, height: 1, ..room };
        plan.fold_line = Some(line);
        room.y += 1;
        room.height -= 1;
    }
    let count = columns.len() as u16;
    let mut x = room.x;
    for (at, column) in columns.iter().enumerate() {
        let width = room.width / count + u16::from((at as u16) < room.width % count);
        stack(Rect { x, width, ..room }, column, &wants, focus, &mut plan);
        x += width;
    }
    plan.placed.sort_by_key(|(pane, _)| *pane as usize);
    plan.folded.sort_by_key(|pane| *pane as usize);
    if plan.folded.is_empty() {
        plan.fold_line = None;
    }
    plan
}

/// Stacks panes in one column: first those that matter most get the least that they need, then what is left is given
/// out in the same order.
fn stack(area: Rect, panes: &[Pane], wants: &dyn Fn(Pane) -> u16, focus: Pane, plan: &mut Plan) {
    let mut chosen: Vec<(Pane, u16)> = Vec::new();
    let mut left = area.height;
    let first = panes.iter().copied().filter(|p| *p == focus);
    for pane in first.chain(panes.iter().copied().filter(|p| *p != focus)) {
        if left >= LEAST {
            chosen.push((pane, LEAST));
            left -= LEAST;
        } else {
            plan.folded.push(pane);
        }
    }
    for (pane, height) in &mut chosen {
        let more = (wants(*pane) - LEAST).min(left);
        *height += more;
        left -= more;
    }
    chosen.sort_by_key(|(pane, _)| panes.iter().position(|p| p == pane));
    // The last one closes the column.
    if let Some((_, height)) = chosen.last_mut() {
        *height += left;
    }
    let mut y = area.y;
    for (pane, height) in chosen {
        plan.placed.push((pane, Rect { y, height, ..area }));
        y += height;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn panes_neither_overlap_nor_leave_the_page(
            width in 20_u16..300, height in 0_u16..100, focus in 0..Pane::COUNT, said in 0_usize..60,
        ) {
            let area = Rect::new(2, 3, width, height);
            let focus = Pane::ALL[focus];
            let plan = plan(area, &[said; Pane::COUNT], focus);
            let mut cells = 0;
            for (at, (pane, place)) in plan.placed.iter().enumerate() {
                prop_assert_eq!(place.intersection(area), *place, "{:?}", pane);
                prop_assert!(place.height >= LEAST);
                for (_, other) in plan.placed.iter().skip(at + 1) {
                    prop_assert!(place.intersection(*other).is_empty());
                }
                cells += place.area();
            }
            prop_assert!(cells <= area.area());
            prop_assert_eq!(plan.placed.len() + plan.folded.len(), Pane::COUNT);
            let room = height >= 3 * LEAST || focus != Pane::Log && height > LEAST;
            prop_assert!(!room || plan.placed.iter().any(|(p, _)| *p == focus), "{:?}", plan);
        }
    }
}
