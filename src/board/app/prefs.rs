//! What the user chose on the board and finds again the next evening.

use serde::{Deserialize, Serialize};

use crate::board::format::{Odds, Zone};
use crate::board::pages::board::columns::ColumnChoice;

/// How rows are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Soonest first.
    #[default]
    Start,
    /// By sport, then by start.
    Sport,
    /// The price worth most first.
    Ev,
    /// The lowest cost of both sides first.
    Hold,
    /// What moved last first.
    Moved,
    /// By the distance of the fair line from its opener, the farthest first.
    Drift,
    /// By the name of the away team.
    Name,
}

impl Sort {
    /// Every order, in which a key goes through them.
    pub const ALL: [Self; 7] = [Self::Start, Self::Sport, Self::Ev, Self::Hold, Self::Moved, Self::Drift, Self::Name];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Sport => "sport",
            Self::Ev => "best EV",
            Self::Hold => "hold",
            Self::Moved => "last move",
            Self::Drift => "drift since open",
            Self::Name => "name",
        }
    }

    /// The next one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

/// How rows are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Not at all.
    #[default]
    None,
    /// By sport.
    Sport,
    /// By the local day of the start.
    Day,
    /// Under way, soon, later.
    Stage,
}

impl Grouping {
    /// Every grouping.
    pub const ALL: [Self; 4] = [Self::None, Self::Sport, Self::Day, Self::Stage];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sport => "sport",
            Self::Day => "day",
            Self::Stage => "stage",
        }
    }

    /// The next one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

/// What the user chose. Unknown parts of a kept one are passed over, absent ones are as by default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    /// How odds are written.
    pub odds: Odds,
    /// Market key on the board and the page of a game.
    pub market: String,
    /// Only this sport, by its key.
    pub sport: Option<String>,
    /// Only what this filter lets through.
    pub filter: String,
    /// Only this watchlist, by its name.
    pub list: Option<String>,
    /// Order of rows.
    pub sort: Sort,
    /// The other way round.
    pub reverse: bool,
    /// Grouping of rows.
    pub group: Grouping,
    /// Games kept on top, by the provider's id.
    pub pinned: Vec<String>,
    /// Columns beside the books, in order.
    pub columns: Vec<ColumnChoice>,
    /// Books in the user's order; others follow in the order of the table.
    pub books: Vec<String>,
    /// Books that are not shown.
    pub hidden_books: Vec<String>,
    /// Columns of a book; absent: as wide as the market needs.
    pub book_width: Option<u16>,
    /// The pane with signals: `None` when there is room.
    pub tape_pane: Option<bool>,
    /// The pane with lists: `None` when there is room.
    pub watch_pane: Option<bool>,
    /// Changed cells light up.
    pub lights: bool,
    /// Clocks in UTC rather than in the user's zone.
    pub utc: bool,
    /// The user's zone; absent: this machine's.
    pub zone: Option<String>,
    /// Name of the theme; empty: by the settings.
    pub theme: String,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            odds: Odds::American,
            market: "spreads".into(),
            sport: None,
            filter: String::new(),
            list: None,
            sort: Sort::Start,
            reverse: false,
            group: Grouping::None,
            pinned: Vec::new(),
            columns: ColumnChoice::default_set(),
            books: Vec::new(),
            hidden_books: Vec::new(),
            book_width: None,
            tape_pane: None,
            watch_pane: None,
            lights: true,
            utc: false,
            zone: None,
            theme: String::new(),
        }
    }
}

impl Prefs {
    /// The zone of the clocks.
    pub fn zone(&self) -> Zone {
        if self.utc {
            return Zone::default();
        }
        self.zone.as_deref().and_then(Zone::parse).unwrap_or_else(local)
    }
}

/// This machine's zone, asked once.
fn local() -> Zone {
    static LOCAL: std::sync::OnceLock<Zone> = std::sync::OnceLock::new();
    *LOCAL.get_or_init(Zone::local)
}
