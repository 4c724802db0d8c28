//! The state of the board and its one owner.
//!
//! Everything that happens comes in here as a value (a key, a click, a new slate, an answer) and changes the state;
//! what has to be done outside (a question to the store, text to be copied, the end) goes out as [`Effect`]s. Nothing
//! here waits, writes to the terminal, or reads a clock: instants come in.

pub mod act;
pub mod away;
pub mod clock;
pub mod effect;
pub mod input;
pub mod overlay;
pub mod prefs;
pub mod slot;
pub mod time;
pub mod toast;

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::Rect;

pub use self::clock::Clocks;
pub use self::effect::{Apply, Effect, Job, JobRoom, Lane};
pub use self::overlay::{Outcome, Overlay};
pub use self::prefs::Prefs;
pub use self::slot::Slot;
pub use self::time::{Playing, Showing};
pub use self::toast::{Toast, Toasts, Tone};
use super::keys::{Context, KeyMap, Matcher};
use super::looks::Looks;
use super::model::Slate;
use super::pages::Pages;
use super::paint::Zone;
use super::theme::Theme;
use crate::engine::EngineSettings;
use crate::market::time::Timestamp;

/// A page of the board.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// All games.
    #[default]
    Board,
    /// One game.
    Game,
    /// Signals.
    Tape,
    /// Closing line value.
    Clv,
    /// Watchlists.
    Watch,
    /// The exchange that is listened to.
    Exchange,
    /// Sources, credits, quality, log.
    Ops,
}

impl Page {
    /// Every page, in the order of the tabs.
    pub const ALL: [Self; 7] = [Self::Board, Self::Game, Self::Tape, Self::Clv, Self::Watch, Self::Exchange, Self::Ops];

    /// On its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Board => "Board",
            Self::Game => "Game",
            Self::Tape => "Tape",
            Self::Clv => "CLV",
            Self::Watch => "Watch",
            Self::Exchange => "Exchange",
            Self::Ops => "Ops",
        }
    }

    /// The digit of its tab.
    pub const fn digit(self) -> char {
        match self {
            Self::Board => '1',
            Self::Game => '2',
            Self::Tape => '3',
            Self::Clv => '4',
            Self::Watch => '5',
            Self::Exchange => '7',
            Self::Ops => '9',
        }
    }

    /// Whose keys hold on it.
    pub const fn context(self) -> Context {
        match self {
            Self::Board => Context::Board,
            Self::Game => Context::Game,
            Self::Tape => Context::Tape,
            Self::Clv => Context::Clv,
            Self::Watch => Context::Watch,
            Self::Exchange => Context::Exchange,
            Self::Ops => Context::Ops,
        }
    }

    fn stepped(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        let at = (at as isize + by).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(at).copied().unwrap_or_default()
    }
}

/// What is asked of the source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Follows {
    /// Keys of sports.
    pub sports: Vec<String>,
    /// Regions whose books are asked for, where none are named.
    pub regions: Vec<String>,
    /// Keys of books; empty: those of the regions.
    pub books: Vec<String>,
    /// How many markets are asked for: each costs.
    pub markets: usize,
}

/// A sport that the source offers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offered {
    /// Its key.
    pub key: String,
    /// For people.
    pub title: String,
    /// Its family.
    pub group: String,
    /// In season.
    pub active: bool,
}

/// Where the board's own files are, and what it was told at the start.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The market store.
    pub store: PathBuf,
    /// What the user made: watchlists, saved filters, views.
    pub desk: PathBuf,
    /// The settings file; empty: not known.
    pub settings: PathBuf,
    /// Log files.
    pub logs: PathBuf,
    /// Where exports go.
    pub exports: PathBuf,
    /// How prices are judged.
    pub engine: EngineSettings,
    /// How old a price may be, in milliseconds, before it is drawn as stale.
    pub max_age_ms: i64,
    /// What the settings ask of the source.
    pub follows: Follows,
    /// The settings ask for listening to an exchange.
    pub exchange_on: bool,
    /// Dollars of a stake for which the price is told that it gets at an exchange.
    pub stake: f64,
    /// The whole market is a simulated one.
    pub demo: bool,
}

/// The board.
#[derive(Debug)]
pub struct App {
    /// Files and settings.
    pub at: Surroundings,
    /// The size of the terminal.
    pub area: Rect,
    /// Watchlists, saved filters, and what was chosen.
    pub desk: super::desk::DeskState,
    /// What is shown of the market: the present, a frozen moment, or the past.
    pub showing: Showing,
    /// The newest slate.
    pub live: Arc<Slate>,
    /// This machine's time and the market's.
    pub clocks: Clocks,
    /// The page on show.
    pub page: Page,
    /// What each page keeps.
    pub pages: Pages,
    /// What lies over the page; the last one has the keyboard.
    pub overlays: Vec<Box<dyn Overlay>>,
    /// What the user chose, kept from one evening to the next.
    pub prefs: Prefs,
    /// What the terminal can show, and the themes there are.
    pub looks: Looks,
    /// The theme in force.
    pub theme: Arc<Theme>,
    /// Keys.
    pub keys: Arc<KeyMap>,
    /// Keys of a sequence that has begun.
    pub matcher: Matcher,
    /// Messages that pass.
    pub toasts: Toasts,
    /// How the session stands that feeds the store.
    pub link: super::link::LinkState,
    /// When the user was last seen to look.
    pub away: away::Away,
    /// The last click.
    pub mouse: input::Mouse,
    /// What has to be done outside.
    pub effects: Vec<Effect>,
    /// Where the last frame can be clicked.
    pub zones: Vec<Zone>,
    /// Something has changed since the last frame.
    pub dirty: bool,
    /// The answer that is being taken changes nothing that is on show.
    pub unseen: bool,
}

impl App {
    /// A board that knows nothing yet.
    pub fn new(at: Surroundings, area: Rect, clocks: Clocks, looks: Looks) -> Self {
        let theme = Arc::new(looks.theme(""));
        Self {
            at,
            area,
            desk: super::desk::DeskState::default(),
            showing: Showing::Live,
            live: Arc::default(),
            clocks,
            page: Page::Board,
            pages: Pages::default(),
            overlays: Vec::new(),
            prefs: Prefs::default(),
            theme,
            looks,
            keys: Arc::default(),
            matcher: Matcher::default(),
            toasts: Toasts::default(),
            link: super::link::LinkState::default(),
            away: away::Away::default(),
            mouse: input::Mouse::default(),
            effects: Vec::new(),
            zones: Vec::new(),
            dirty: true,
            unseen: false,
        }
    }

    /// The slate on show.
    pub fn slate(&self) -> &Arc<Slate> {
        match &self.showing {
            Showing::Live => &self.live,
            Showing::Frozen { slate, .. } | Showing::Past { slate, .. } => slate,
        }
    }

    /// The instant that is shown: the market's present, or the moment that was frozen or gone back to. Ages are counted
    /// from it.
    pub fn now(&self) -> Timestamp {
        match &self.showing {
            Showing::Live => self.clocks.market(),
            Showing::Frozen { at, .. } | Showing::Past { at, .. } => *at,
        }
    }

    /// The last instant of which anything may be shown: questions to the store end there.
    pub fn until(&self) -> Timestamp {
        match &self.showing {
            Showing::Live => self.live.at.unwrap_or_else(|| self.clocks.market()).max(self.clocks.market()),
            Showing::Frozen { at, .. } | Showing::Past { at, .. } => *at,
        }
    }

    /// Milliseconds since the board was opened: the clock of flashes.
    pub fn tick(&self) -> u32 {
        self.clocks.tick()
    }

    /// Whose keys hold now.
    pub fn context(&self) -> Context {
        self.overlays.last().map_or(self.page.context(), |o| o.context())
    }

    /// Anything on show is simulated.
    pub fn is_demo(&self) -> bool {
        self.at.demo || self.slate().demo || self.live.demo
    }

    /// Asks for something to be done outside.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Puts something over the page.
    pub fn overlay(&mut self, overlay: impl Overlay + 'static) {
        self.overlays.push(Box::new(overlay));
        self.matcher.clear();
        self.dirty = true;
    }

    /// Says something that passes.
    pub fn say(&mut self, text: impl Into<String>) {
        self.toasts.push(Tone::Note, text.into(), self.clocks.tick());
        self.dirty = true;
    }

    /// Says that something went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.toasts.push(Tone::Error, text.into(), self.clocks.tick());
        self.dirty = true;
    }

    /// Takes another theme; an empty name is that of the settings.
    pub fn dress(&mut self, name: &str) {
        name.clone_into(&mut self.prefs.theme);
        self.theme = Arc::new(self.looks.theme(name));
        self.dirty = true;
    }

    /// Goes to a page.
    pub fn go(&mut self, page: Page) {
        if self.page != page {
            self.page = page;
            self.matcher.clear();
        }
        super::pages::entered(self);
        self.dirty = true;
    }
}
