//! The columns of the board: which there are, how wide they are, and which of them fit.

use serde::{Deserialize, Serialize};

use crate::board::app::Prefs;
use crate::board::model::{BookColumn, Slate};
use crate::engine::price::unit::Layout;
use crate::market::ids::BookId;

/// A column beside the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Scheduled start, or score and time under way.
    Start,
    /// The teams.
    Game,
    /// The first fair line or price that was published.
    Open,
    /// The fair line or price now.
    Fair,
    /// The best price that can be taken, and where.
    Best,
    /// What the best price is worth, in percent of the stake.
    Ev,
    /// What both sides cost at the best prices, in percent.
    Hold,
    /// The median of the board.
    Consensus,
    /// When any price of the game last changed.
    Moved,
    /// How many books have a vote in the fair price.
    Books,
}

impl Column {
    /// Every column, in the default order.
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::Game,
        Self::Open,
        Self::Fair,
        Self::Best,
        Self::Ev,
        Self::Hold,
        Self::Consensus,
        Self::Moved,
        Self::Books,
    ];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Game => "Game",
            Self::Open => "Open",
            Self::Fair => "Fair",
            Self::Best => "Best",
            Self::Ev => "EV%",
            Self::Hold => "Hold%",
            Self::Consensus => "Cons",
            Self::Moved => "Moved",
            Self::Books => "Bks",
        }
    }

    /// For the chooser.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Start => "start, or score and time under way",
            Self::Game => "teams",
            Self::Open => "first fair line or price",
            Self::Fair => "fair line or price now",
            Self::Best => "best price that can be taken, and where",
            Self::Ev => "what the best price is worth, % of the stake",
            Self::Hold => "what all sides cost at the best prices, %",
            Self::Consensus => "median of the board",
            Self::Moved => "time since any price of the game changed",
            Self::Books => "books with a vote in the fair price",
        }
    }

    /// The order in which columns give way when there is no room: the highest first.
    const fn gives_way(self) -> u8 {
        match self {
            Self::Game => 0,
            Self::Best => 1,
            Self::Start => 2,
            Self::Fair => 3,
            Self::Open => 4,
            Self::Ev => 5,
            Self::Hold => 6,
            Self::Consensus => 7,
            Self::Moved => 8,
            Self::Books => 9,
        }
    }

    /// Columns that it needs, and the least that it can do with.
    const fn widths(self) -> (u16, u16) {
        match self {
            Self::Start => (9, 7),
            Self::Game => (22, 12),
            Self::Open | Self::Fair | Self::Consensus => (6, 5),
            Self::Best => (17, 15),
            Self::Ev | Self::Hold | Self::Moved => (5, 5),
            Self::Books => (3, 3),
        }
    }
}

/// A column as the user has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ColumnChoice {
    /// Which.
    pub column: Column,
    /// It is shown.
    pub on: bool,
    /// Its width, where the user has set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
}

impl ColumnChoice {
    /// Every column in its default order; those on that most people want.
    pub fn default_set() -> Vec<Self> {
        Column::ALL
            .into_iter()
            .map(|column| Self {
                column,
                on: !matches!(column, Column::Hold | Column::Consensus | Column::Moved | Column::Books),
                width: None,
            })
            .collect()
    }

    /// What a kept choice means today: columns that came since are there, off.
    pub fn complete(kept: &[Self]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::with_capacity(Column::ALL.len());
        for choice in kept {
            if !all.iter().any(|c| c.column == choice.column) {
                all.push(*choice);
            }
        }
        for column in Column::ALL {
            if !all.iter().any(|c| c.column == column) {
                all.push(Self { column, on: false, width: None });
            }
        }
        all
    }
}

/// A column in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed<T> {
    /// What.
    pub what: T,
    /// Left edge within the grid.
    pub x: u16,
    /// Width.
    pub width: u16,
}

/// The columns that fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// They stay where they are.
    pub frozen: Vec<Placed<Column>>,
    /// Books from the first one on show.
    pub books: Vec<Placed<BookId>>,
    /// Width of a book's column.
    pub book_width: u16,
    /// Books that would fit.
    pub room: usize,
}

/// Width of a book's cell for a market: line, price and sign.
pub const fn natural_book_width(layout: Option<Layout>, price: u16) -> u16 {
    match layout {
        Some(Layout::Spread) => 5 + 1 + price + 1,
        Some(Layout::Total) => 6 + 1 + price + 1,
        _ => price + 2,
    }
}

/// Books in the user's order, hidden ones left out.
pub fn books<'s>(slate: &'s Slate, prefs: &Prefs) -> Vec<&'s BookColumn> {
    let mut shown: Vec<&BookColumn> =
        slate.books.iter().filter(|b| !prefs.hidden_books.iter().any(|h| **h == *b.key)).collect();
    let place = |b: &BookColumn| prefs.books.iter().position(|k| **k == *b.key).unwrap_or(usize::MAX);
    shown.sort_by_key(|b| place(b));
    shown
}

/// Places the columns in `width`. `natural`: the width a book needs; `left`: the first book on show; `names`: the width
/// that the longest name on show needs.
pub fn plan(width: u16, prefs: &Prefs, books: &[&BookColumn], left: usize, natural: u16, names: u16) -> Plan {
    const GAP: u16 = 1;
    let book_width = prefs.book_width.unwrap_or(natural).clamp(6, 24);
    let mut on: Vec<ColumnChoice> = prefs.columns.iter().filter(|c| c.on).copied().collect();
    if on.is_empty() {
        on = vec![ColumnChoice { column: Column::Game, on: true, width: None }];
    }
    // Some books should be seen beside what stays; columns give way until there is room for them.
    let wanted = (book_width + GAP) * books.len().min(if width >= 124 { 4 } else { 2 }) as u16;
    let needs = |set: &[ColumnChoice], least: bool| -> u16 {
        set.iter().map(|c| column_width(c, least, names) + GAP).sum::<u16>() + 2
    };
    // First what is nice to have, then width, then the rest.
    give_way(&mut on, |on| needs(on, false) + wanted > width, 4);
    let least = needs(&on, false) + wanted > width;
    give_way(&mut on, |on| needs(on, least) + wanted.min((book_width + GAP) * 2) > width, 1);
    // What is left over, and is not enough for a book, goes to the names.
    let rest = width.saturating_sub(needs(&on, least)) % (book_width + GAP);
    let mut x = 2;
    let mut frozen = Vec::with_capacity(on.len());
    for choice in &on {
        let extra = if least && choice.column == Column::Game { rest } else { 0 };
        let most = column_width(choice, false, names);
        let w = (column_width(choice, least, names) + extra).min(most).min(width.saturating_sub(x));
        frozen.push(Placed { what: choice.column, x, width: w });
        x += w + GAP;
    }
    let room = usize::from(width.saturating_sub(x) + GAP) / usize::from(book_width + GAP);
    let mut placed = Vec::with_capacity(room);
    for book in books.iter().skip(left).take(room) {
        placed.push(Placed { what: book.id, x, width: book_width });
        x += book_width + GAP;
    }
    Plan { frozen, books: placed, book_width, room }
}

/// Leaves out columns, the least needed first, while there is too much; those that give way later than `from` stay.
fn give_way(on: &mut Vec<ColumnChoice>, too_much: impl Fn(&[ColumnChoice]) -> bool, from: u8) {
    while too_much(on) {
        let last = on.iter().enumerate().max_by_key(|(_, c)| c.column.gives_way());
        let Some((at, _)) = last.filter(|(_, c)| c.column.gives_way() >= from) else { return };
        on.remove(at);
    }
}

fn column_width(choice: &ColumnChoice, least: bool, names: u16) -> u16 {
    let (natural, smallest) = choice.column.widths();
    let natural = if choice.column == Column::Game { names.clamp(smallest, 28) } else { natural };
    match (choice.width, least) {
        (_, true) => smallest.min(natural),
        (Some(width), false) => width.clamp(3, 40),
        (None, false) => natural,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::books::BookKind;

    fn columns(n: u16) -> Vec<BookColumn> {
        (1..=n)
            .map(|i| BookColumn {
                id: BookId(i),
                key: format!("book{i}").into(),
                short: format!("B{i}").into(),
                title: format!("Book {i}").into(),
                kind: BookKind::Retail,
                rank: i,
            })
            .collect()
    }

    #[test]
    fn nothing_is_ever_placed_outside() {
        let all = columns(30);
        let all: Vec<&BookColumn> = all.iter().collect();
        let prefs = Prefs::default();
        for width in 20..300_u16 {
            for left in [0, 5, 29, 50] {
                let plan = plan(width, &prefs, &all, left, 12, 24);
                assert!(!plan.frozen.is_empty());
                let ends = plan.frozen.iter().map(|p| p.x + p.width).chain(plan.books.iter().map(|p| p.x + p.width));
                for end in ends {
                    assert!(end <= width, "{width}: {plan:?}");
                }
                assert!(plan.frozen.iter().any(|p| p.what == Column::Game), "{width}");
            }
        }
    }

    #[test]
    fn a_small_terminal_keeps_the_teams_the_best_price_and_two_books() {
        let all = columns(30);
        let all: Vec<&BookColumn> = all.iter().collect();
        let plan = plan(60, &Prefs::default(), &all, 0, 12, 24);
        assert!(plan.books.len() >= 2, "{plan:?}");
        assert!(plan.frozen.iter().any(|p| p.what == Column::Best), "{plan:?}");
    }

    #[test]
    fn a_kept_choice_gets_new_columns_and_loses_doubles() {
        let kept = [
            ColumnChoice { column: Column::Best, on: true, width: Some(20) },
            ColumnChoice { column: Column::Best, on: false, width: None },
        ];
        let all = ColumnChoice::complete(&kept);
        assert_eq!(all.len(), Column::ALL.len());
        assert_eq!(all.first(), kept.first());
    }
}
