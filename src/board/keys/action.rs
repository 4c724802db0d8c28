//! The table of everything a key can do. Dispatch, help, hints, the command palette, the manual and the tests read it.

use super::context::{Context, Contexts};

/// Actions that belong together, under one title in the help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Group {
    /// Going from page to page.
    Pages,
    /// Moving on a page.
    Moving,
    /// Finding and filtering.
    Finding,
    /// What is shown, and how.
    Showing,
    /// Which market is shown.
    Market,
    /// Freezing and the time machine.
    Time,
    /// Taking things out, or keeping an eye on them.
    Taking,
    /// What only the board page has.
    Board,
    /// What only the page of a game has.
    Game,
    /// What only the tape and the closing line value have.
    Records,
    /// What only lists have.
    Lists,
    /// What only the page of an exchange has.
    Exchange,
    /// What only the page of operations has.
    Ops,
    /// What only a line of text has.
    Text,
    /// The program itself.
    Program,
}

impl Group {
    /// All groups, in the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::Pages,
        Self::Moving,
        Self::Finding,
        Self::Market,
        Self::Showing,
        Self::Board,
        Self::Game,
        Self::Records,
        Self::Lists,
        Self::Exchange,
        Self::Ops,
        Self::Text,
        Self::Time,
        Self::Taking,
        Self::Program,
    ];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pages => "Pages",
            Self::Moving => "Moving",
            Self::Finding => "Finding and filtering",
            Self::Showing => "What is shown",
            Self::Market => "Market",
            Self::Time => "Time",
            Self::Taking => "Watching and taking",
            Self::Board => "Board",
            Self::Game => "Game",
            Self::Records => "Tape and CLV",
            Self::Lists => "Lists",
            Self::Exchange => "Exchange",
            Self::Ops => "Ops",
            Self::Text => "Typing",
            Self::Program => "Program",
        }
    }
}

use Context::{Board, Clv, Exchange, Game, List, Ops, Tape, Text, Watch};

/// Every page.
const PAGES: Contexts = Contexts::of(&[Board, Game, Tape, Clv, Watch, Exchange, Ops]);
/// Pages on which games and markets are shown.
const MARKETS: Contexts = Contexts::of(&[Board, Game, Tape, Clv, Watch, Exchange]);
/// Pages and lists over them.
const LISTS: Contexts = PAGES.and(Contexts::of(&[List]));
/// Everywhere.
const ALL: Contexts = LISTS.and(Contexts::of(&[Text]));

macro_rules! actions {
    ($($name:ident $id:literal $group:ident $contexts:expr, $about:literal;)*) => {
        /// Something that a key, the command palette or a click can ask for.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action { $(#[doc = $about] $name,)* }

        impl Action {
            /// Every action, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable name in key maps and in the palette.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What it does, in one line.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// Under which title it is shown.
            pub const fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)* }
            }

            /// Where it works.
            pub const fn contexts(self) -> Contexts {
                match self { $(Self::$name => $contexts,)* }
            }
        }
    };
}

actions! {
    PageBoard "page-board" Pages PAGES, "Show the board";
    PageGame "page-game" Pages PAGES, "Show the game under the cursor";
    PageTape "page-tape" Pages PAGES, "Show the tape of signals";
    PageClv "page-clv" Pages PAGES, "Show the closing line value";
    PageWatch "page-watch" Pages PAGES, "Show the watch lists";
    PageExchange "page-exchange" Pages PAGES, "Show the exchange, at the game on show";
    PageOps "page-ops" Pages PAGES, "Show sources, credits and logs";
    NextPage "next-page" Pages PAGES, "Go to the next page";
    PreviousPage "previous-page" Pages PAGES, "Go to the page before";
    NextPane "next-pane" Pages PAGES, "Go to the next pane of the page";

    Up "up" Moving LISTS, "Move up";
    Down "down" Moving LISTS, "Move down";
    Left "left" Moving LISTS, "Move left";
    Right "right" Moving LISTS, "Move right";
    PageUp "page-up" Moving ALL, "Move up by a screen";
    PageDown "page-down" Moving ALL, "Move down by a screen";
    First "first" Moving LISTS, "Go to the first row";
    Last "last" Moving LISTS, "Go to the last row";
    Open "open" Moving ALL, "Open what is under the cursor, or take it";
    Back "back" Moving ALL, "Go back, or close what is open";

    Palette "palette" Finding PAGES, "Find a command by name";
    Find "find" Finding LISTS, "Find games, teams, books and signals as you type";
    FindNext "find-next" Finding LISTS, "Go to the next match";
    FindPrevious "find-previous" Finding LISTS, "Go to the match before";
    Filter "filter" Finding PAGES, "Show only the rows that pass a filter";
    ClearFilter "clear-filter" Finding PAGES, "Show all rows again";
    SaveFilter "save-filter" Finding PAGES, "Keep the filter under a name";

    MarketSpread "market-spread" Market MARKETS, "Show spreads";
    MarketTotal "market-total" Market MARKETS, "Show totals";
    MarketMoneyline "market-moneyline" Market MARKETS, "Show moneylines";
    NextMarket "next-market" Market MARKETS, "Show the next market";
    PreviousMarket "previous-market" Market MARKETS, "Show the market before";

    NextSport "next-sport" Showing PAGES, "Show the next sport";
    PreviousSport "previous-sport" Showing PAGES, "Show the sport before";
    OddsFormat "odds-format" Showing PAGES, "Change how odds are written";
    Zone "zone" Showing PAGES, "Change the time zone of the clocks";
    Theme "theme" Showing PAGES, "Change the colours";
    Sort "sort" Showing PAGES, "Sort by the next column";
    ReverseSort "reverse-sort" Showing PAGES, "Turn the order round";
    Explain "explain" Showing MARKETS, "Explain the number under the cursor";

    GroupRows "group" Board Contexts::of(&[Board, Clv]), "Group the rows by something else";
    Pin "pin" Board Contexts::of(&[Board]), "Keep this row on top, or let it go";
    Ages "ages" Board Contexts::of(&[Board]), "Show how old each price is";
    HistoryMode "history-mode" Board Contexts::of(&[Board]), "Show current, opening or previous prices";
    Lights "lights" Board Contexts::of(&[Board]), "Turn the lights of changed cells on or off";
    Columns "columns" Board Contexts::of(&[Board]), "Choose the columns";
    ColumnLeft "column-left" Board Contexts::of(&[Board]), "Move this column to the left";
    ColumnRight "column-right" Board Contexts::of(&[Board]), "Move this column to the right";
    ColumnWider "column-wider" Board Contexts::of(&[Board]), "Make this column wider";
    ColumnNarrower "column-narrower" Board Contexts::of(&[Board]), "Make this column narrower";
    ColumnHide "column-hide" Board Contexts::of(&[Board]), "Hide this column";
    TapePane "tape-pane" Board Contexts::of(&[Board]), "Show or fold the tape beside the board";
    WatchPane "watch-pane" Board Contexts::of(&[Board]), "Show or fold the watch lists beside the board";

    ZoomIn "zoom-in" Game Contexts::of(&[Game, Exchange]), "Show less time in the chart";
    ZoomOut "zoom-out" Game Contexts::of(&[Game, Exchange]), "Show more time in the chart";
    ZoomAll "zoom-all" Game Contexts::of(&[Game, Exchange]), "Show all recorded time in the chart";
    CrossHair "cross-hair" Game Contexts::of(&[Game]), "Read the chart with a cross-hair";
    Series "series" Game Contexts::of(&[Game]), "Choose the lines of the chart";
    ChartKind "chart-kind" Game Contexts::of(&[Game]), "Change what the chart measures";
    BothSides "both-sides" Game Contexts::of(&[Game]), "Show one side or both";
    NextGame "next-game" Game Contexts::of(&[Game]), "Go to the next game";
    PreviousGame "previous-game" Game Contexts::of(&[Game]), "Go to the game before";

    TierFilter "tier-filter" Records Contexts::of(&[Tape]), "Show only signals of a tier";
    TypeFilter "type-filter" Records Contexts::of(&[Tape]), "Show only signals of a type";
    Preset "preset" Records Contexts::of(&[Tape, Clv]), "Take the next saved set of filters";
    Period "period" Records Contexts::of(&[Clv]), "Change the time that is counted";
    RecordKind "kind" Records Contexts::of(&[Clv]), "Change which records are counted";

    NewList "new-list" Lists Contexts::of(&[Watch]), "Make a list";
    AddRule "add-rule" Lists Contexts::of(&[Watch]), "Add a rule to the list";
    Rename "rename" Lists Contexts::of(&[Watch]), "Give the list another name";
    Delete "delete" Lists Contexts::of(&[Watch, List]), "Delete what is under the cursor";
    MoveUp "move-up" Lists Contexts::of(&[Watch, List]), "Move what is under the cursor up";
    MoveDown "move-down" Lists Contexts::of(&[Watch, List]), "Move what is under the cursor down";
    Mark "mark" Lists Contexts::of(&[List]), "Tick what is under the cursor, or not";
    Undo "undo" Lists Contexts::of(&[Watch, Exchange]), "Take the last change back";

    LinkAccept "link-accept" Exchange Contexts::of(&[Exchange]), "Say that the listing is the chosen game";
    LinkRefuse "link-refuse" Exchange Contexts::of(&[Exchange]), "Say that the listing is none of the games";
    LinkFilter "link-filter" Exchange Contexts::of(&[Exchange]), "Show only listings of one state of their link";

    LogLevel "log-level" Ops Contexts::of(&[Ops]), "Change how much of the log is shown";

    Complete "complete" Text Contexts::of(&[Text]), "Complete the word";
    HistoryPrevious "history-previous" Text Contexts::of(&[Text]), "Take the entry above, or what was typed before";
    HistoryNext "history-next" Text Contexts::of(&[Text]), "Take the entry below, or what was typed after";

    Freeze "freeze" Time PAGES, "Freeze the view while data goes on, or let it go";
    StepBack "step-back" Time PAGES, "Step back through recorded time";
    StepForward "step-forward" Time PAGES, "Step forward through recorded time";
    PreviousSignal "previous-signal" Time PAGES, "Go back to the signal before";
    NextSignal "next-signal" Time PAGES, "Go forward to the next signal";
    Play "play" Time PAGES, "Play recorded time, or stop";
    Slower "slower" Time PAGES, "Play slower";
    Faster "faster" Time PAGES, "Play faster";
    GoToTime "go-to-time" Time PAGES, "Go to a moment in recorded time";
    Live "live" Time PAGES, "Go back to the present";

    ToggleWatch "watch" Taking MARKETS, "Watch this game, or stop watching it";
    NextList "next-list" Taking MARKETS, "Show the next watch list";
    Copy "copy" Taking PAGES, "Copy the cell";
    CopyRow "copy-row" Taking PAGES, "Copy the row";
    Export "export" Taking PAGES, "Write what is shown to a file";

    Help "help" Program LISTS, "Show the keys that work here";
    Dismiss "dismiss" Program PAGES, "Put messages away";
    ReloadFiles "reload-files" Program PAGES, "Read settings, keys and themes again";
    Sports "sports" Program PAGES, "Choose the sports and books to follow";
    Redraw "redraw" Program ALL, "Draw the screen anew";
    Suspend "suspend" Program ALL, "Stop the program and give the shell back";
    Quit "quit" Program PAGES, "Quit";
    ForceQuit "force-quit" Program ALL, "Quit from anywhere, at once; this key is fixed";
}

impl Action {
    /// The action of a name in a key map.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_unique_and_lead_back() {
        let ids: BTreeSet<_> = Action::ALL.iter().map(|a| a.id()).collect();
        assert_eq!(ids.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(Action::of_id(action.id()), Some(*action));
            assert!(action.id().split('-').all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase())));
            assert!(!action.about().ends_with('.') && action.about().len() <= 60, "{}", action.about());
            assert!(action.contexts().iter().next().is_some());
            assert!(Group::ALL.contains(&action.group()));
        }
    }
}
