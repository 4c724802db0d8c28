//! Where list and panes stand: pure functions of the size.

use ratatui::layout::Rect;

/// A pane of what is told of one game.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// Every contract with both sides.
    #[default]
    Contracts,
    /// Why it is linked, or what it could be.
    Link,
    /// The order book of the chosen contract.
    Ladder,
    /// Its middle over time, and the books' fair price.
    Chart,
    /// How it pays when things go differently.
    Settlement,
    /// Signals of the game.
    Signals,
    /// Trades of the contract.
    Trades,
}

impl Pane {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// Every pane: the one that matters most first. Those at the end fold first.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Contracts, Self::Ladder, Self::Chart, Self::Settlement, Self::Signals, Self::Link, Self::Trades];
    /// The same where a person has to say which game it is.
    const REVIEW: [Self; Self::COUNT] =
        [Self::Link, Self::Contracts, Self::Ladder, Self::Settlement, Self::Chart, Self::Signals, Self::Trades];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Contracts => "Contracts",
            Self::Link => "Link",
            Self::Ladder => "Ladder",
            Self::Chart => "Chart",
            Self::Settlement => "Settlement",
            Self::Signals => "Signals",
            Self::Trades => "Trades",
        }
    }

    /// The next one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::COUNT).copied().unwrap_or_default()
    }

    /// Least height, with its heading.
    const fn least(self) -> u16 {
        match self {
            Self::Contracts => 4,
            Self::Ladder => 6,
            Self::Chart => 7,
            Self::Link => 3,
            Self::Settlement | Self::Signals | Self::Trades => 2,
        }
    }
}

/// The list and what is told of one game.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// The list.
    pub list: Option<Rect>,
    /// One game.
    pub detail: Option<Rect>,
    /// They stand side by side.
    pub beside: bool,
}

/// From this width on they stand side by side.
const WIDE: u16 = 116;
/// From this height on below one another.
const HIGH: u16 = 19;

/// Where the list and one game stand below the line of states. `open`: where only one fits, the game does.
pub fn places(area: Rect, open: bool) -> Places {
    let rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if area.width >= WIDE {
        let width = (area.width / 2).clamp(62, 84);
        let list = Rect { width, ..rest };
        let detail = Rect { x: list.right() + 1, width: area.width - width - 1, ..rest };
        return Places { list: Some(list), detail: Some(detail), beside: true };
    }
    if open {
        return Places { detail: Some(rest), ..Places::default() };
    }
    if area.height >= HIGH {
        let height = (rest.height * 2 / 5).max(6);
        let list = Rect { height, ..rest };
        let detail = Rect { y: list.bottom(), height: rest.height - height, ..rest };
        return Places { list: Some(list), detail: Some(detail), beside: false };
    }
    Places { list: Some(rest), ..Places::default() }
}

/// The panes in their places, and those for which there is no room.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Those that are shown.
    pub placed: Vec<(Pane, Rect)>,
    /// Those that are not.
    pub folded: Vec<Pane>,
    /// Where these are named.
    pub line: Option<Rect>,
}

/// From this width on two columns of panes.
pub const COLUMNS: u16 = 96;

/// Places the panes. `wants`: lines that each has to say, by its place in [`Pane::ALL`]; `focus` is shown where anything is;
/// `review`: a person has to say which game it is.
pub fn plan(area: Rect, wants: &[u16; Pane::COUNT], focus: Pane, review: bool) -> Plan {
    let order = if review { Pane::REVIEW } else { Pane::ALL };
    let want = |pane: Pane| {
        let said = Pane::ALL.iter().position(|p| *p == pane).and_then(|at| wants.get(at)).copied().unwrap_or(0);
        (said + 1).max(pane.least())
    };
    let columns: Vec<Vec<Pane>> = if area.width >= COLUMNS {
        let left = [Pane::Contracts, Pane::Ladder, Pane::Trades];
        let of = |is_left: bool| order.into_iter().filter(|p| left.contains(p) == is_left).collect();
        vec![of(true), of(false)]
    } else {
        vec![order.to_vec()]
    };
    let mut plan = Plan::default();
    // A line for the names of folded panes is taken where it is needed.
    let all = |panes: &Vec<Pane>| panes.iter().map(|p| want(*p)).sum::<u16>();
    let mut room = area;
    if columns.iter().any(|c| all(c) > room.height) && room.height > 0 {
        room.height -= 1;
        plan.line = Some(Rect { y: room.bottom(), height: 1, ..area });
    }
    let mut x = room.x;
    let count = columns.len() as u16;
    for (at, column) in columns.iter().enumerate() {
        // Contracts have more columns than anything else.
        let left = if count == 1 { room.width } else { left_column(room.width) };
        let width = if at == 0 { left } else { room.width - left };
        let gap = u16::from(at + 1 < columns.len());
        stack(Rect { x, width: width - gap, ..room }, column, &want, focus, &mut plan);
        x += width;
    }
    plan.folded.sort_by_key(|p| order.iter().position(|o| o == p));
    if plan.folded.is_empty() {
        plan.line = None;
    }
    plan
}

/// Columns of the left one of two columns of panes.
pub const fn left_column(width: u16) -> u16 {
    width * 11 / 20
}

fn stack(area: Rect, panes: &[Pane], want: &dyn Fn(Pane) -> u16, focus: Pane, plan: &mut Plan) {
    let mut chosen: Vec<(Pane, u16)> = Vec::new();
    let mut left = area.height;
    let first = panes.iter().copied().filter(|p| *p == focus);
    for pane in first.chain(panes.iter().copied().filter(|p| *p != focus)) {
        if left < pane.least() {
            plan.folded.push(pane);
            continue;
        }
        // Contracts can be many: the others have to be seen beside them.
        let most = if pane == Pane::Contracts { (area.height * 2 / 5).max(pane.least()) } else { left };
        let height = want(pane).min(most).min(left);
        chosen.push((pane, height));
        left -= height;
    }
    // A chart takes what is left over, else the last pane.
    chosen.sort_by_key(|(pane, _)| panes.iter().position(|p| p == pane));
    let at = chosen.iter().position(|(p, _)| *p == Pane::Chart).unwrap_or(chosen.len().saturating_sub(1));
    if let Some((_, height)) = chosen.get_mut(at) {
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
            width in 30_u16..240, height in 0_u16..90, focus in 0..Pane::COUNT, said in 0_u16..60, review: bool,
        ) {
            let area = Rect::new(2, 3, width, height);
            let focus = Pane::ALL[focus];
            let plan = plan(area, &[said; Pane::COUNT], focus, review);
            for (at, (pane, place)) in plan.placed.iter().enumerate() {
                prop_assert_eq!(place.intersection(area), *place, "{:?}", pane);
                prop_assert!(place.height >= pane.least());
                for (_, other) in plan.placed.iter().skip(at + 1) {
                    prop_assert!(place.intersection(*other).is_empty());
                }
                prop_assert!(plan.line.is_none_or(|l| l.intersection(*place).is_empty()));
            }
            prop_assert_eq!(plan.placed.len() + plan.folded.len(), Pane::COUNT);
            prop_assert!(height < 9 || plan.placed.iter().any(|(p, _)| *p == focus), "{:?}", plan);
            for open in [false, true] {
                let p = places(Rect::new(0, 2, width.max(60), height.max(13)), open);
                let both = p.list.zip(p.detail);
                prop_assert!(both.is_none_or(|(a, b)| a.intersection(b).is_empty()));
                prop_assert!(p.list.is_some() || p.detail.is_some());
            }
        }
    }
}
