//! Everything that has a look of its own. Panes ask for a meaning, never for a colour.

/// What a look has to hold against its background.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Words and numbers that are read.
    Text,
    /// Lines and bars that are told apart.
    Mark,
    /// Decoration that may be faint.
    Quiet,
    /// A background that is laid under other looks; it sets no foreground.
    Surface,
}

macro_rules! meanings {
    ($($name:ident $id:literal $role:ident $fallback:expr, $about:literal;)*) => {
        /// Why something looks as it does.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Meaning { $(#[doc = $about] $name,)* }

        impl Meaning {
            /// Every meaning, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Its stable name in theme files.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What has this look, in a line.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// What it has to hold against its background.
            pub const fn role(self) -> Role {
                match self { $(Self::$name => Role::$role,)* }
            }

            /// The meaning whose look it takes in a theme that does not know it. Only [`Meaning::Text`] has none.
            pub const fn fallback(self) -> Option<Self> {
                use Meaning::*;
                match self { $(Self::$name => $fallback,)* }
            }
        }
    };
}

meanings! {
    Text "text" Text None, "Words and numbers; its background is the page's";
    Muted "muted" Text Some(Text), "What matters less: units, labels";
    Faint "faint" Text Some(Muted), "What matters least: what is not there";
    Title "title" Text Some(Text), "The title of a pane";
    Border "border" Quiet Some(Faint), "Lines round a pane";
    BorderFocus "border-focus" Mark Some(Title), "Lines round the pane that has the keyboard";
    Header "header" Text Some(Muted), "Names of columns";
    TabActive "tab-active" Text Some(Title), "The page that is shown";
    TabInactive "tab-inactive" Text Some(Muted), "The other pages";
    Selection "selection" Surface Some(Text), "The row under the cursor";
    CursorCell "cursor-cell" Text Some(Selection), "The cell under the cursor";

    Up "up" Text Some(Text), "A value that went up";
    Down "down" Text Some(Text), "A value that went down";
    Best "best" Text Some(Positive), "The best price of a row";
    OffMarket "off-market" Text Some(Warning), "A price away from the market";
    Stale "stale" Text Some(Faint), "A price that is too old to be live";
    Suspect "suspect" Text Some(Warning), "A price that is hard to believe";
    Gone "gone" Text Some(Faint), "A price that was taken away";
    Fair "fair" Text Some(Title), "The fair price";
    Positive "positive" Text Some(Up), "A value in the user's favour";
    Negative "negative" Text Some(Down), "A value against the user";
    Ok "ok" Text Some(Positive), "All is well";
    Warning "warning" Text Some(Title), "Something to look at";
    Error "error" Text Some(Negative), "Something is broken";
    Live "live" Text Some(Ok), "A game in play";
    Final "final" Text Some(Muted), "A game that is over";
    Demo "demo" Text Some(Warning), "The data is invented";
    Past "past" Text Some(Warning), "The banner over a view of the past";
    Frozen "frozen" Text Some(Past), "The banner over a frozen view";
    Watched "watched" Text Some(Title), "A game that is watched";
    Pinned "pinned" Text Some(Title), "A row that is kept on top";
    Match "match" Text Some(Title), "Text that was found";

    Input "input" Text Some(Text), "A line of text being typed";
    InputError "input-error" Text Some(Error), "Typed text that cannot be used";
    Key "key" Text Some(Title), "A key in hints and help";
    Hint "hint" Text Some(Muted), "What a key does";
    Toast "toast" Text Some(Text), "A message";
    ToastError "toast-error" Text Some(Error), "A message that something went wrong";

    Move "move" Text Some(Title), "A signal: MOVE";
    KeyCross "key-cross" Text Some(Move), "A signal: KEY_CROSS";
    Sync "sync" Text Some(Move), "A signal: MULTIBOOK_SYNC";
    Dislocation "dislocation" Text Some(Move), "A signal: DISLOCATION";
    Steam "steam" Text Some(Move), "A signal: STEAM";
    LiveShock "live-shock" Text Some(Move), "A signal: LIVE_SHOCK";
    ExchangeDivergence "exchange-divergence" Text Some(Move), "A signal: EXCHANGE_DIVERGENCE";
    TierHigh "tier-high" Text Some(Title), "Urgent";
    TierMedium "tier-medium" Text Some(Text), "Less urgent";
    TierLow "tier-low" Text Some(Muted), "Not urgent";
    GradeGood "grade-good" Text Some(Positive), "A call that the close bore out";
    GradeMedium "grade-medium" Text Some(Muted), "A call that the close left open";
    GradeBad "grade-bad" Text Some(Negative), "A call that the close went against";

    ChartFair "chart-fair" Mark Some(Fair), "The line of the fair price";
    ChartSharp "chart-sharp" Mark Some(Warning), "The line of the sharp books";
    ChartBest "chart-best" Mark Some(Best), "The line of the best price";
    ChartOpen "chart-open" Mark Some(Muted), "The opening price in a chart";
    ChartSignal "chart-signal" Mark Some(Steam), "A signal in a chart";
    ChartTip "chart-tip" Mark Some(Live), "The start of the game in a chart";
    ChartCross "chart-cross" Mark Some(Muted), "The cross-hair of a chart";
    Book1 "book-1" Mark Some(Text), "The first chosen book in a chart";
    Book2 "book-2" Mark Some(Book1), "The second chosen book in a chart";
    Book3 "book-3" Mark Some(Book1), "The third chosen book in a chart";
    Book4 "book-4" Mark Some(Book1), "The fourth chosen book in a chart";
    Book5 "book-5" Mark Some(Book1), "The fifth chosen book in a chart";
    Book6 "book-6" Mark Some(Book1), "The sixth chosen book in a chart";
    Bar "bar" Mark Some(Title), "The filled part of a bar";
    BarEmpty "bar-empty" Quiet Some(Border), "The empty part of a bar";
}

impl Meaning {
    /// The meaning of a name in a theme file.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.id() == id)
    }

    /// The look of one of the chosen books in a chart, by its place from 0; after the sixth they start again.
    pub fn book(place: usize) -> Self {
        const BOOKS: [Meaning; 6] =
            [Meaning::Book1, Meaning::Book2, Meaning::Book3, Meaning::Book4, Meaning::Book5, Meaning::Book6];
        BOOKS.get(place % BOOKS.len()).copied().unwrap_or(Self::Book1)
    }

    /// Itself, then its fallback, and so on up to [`Meaning::Text`].
    pub fn chain(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |m| m.fallback())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_chain_ends_at_text() {
        let ids: BTreeSet<_> = Meaning::ALL.iter().map(|m| m.id()).collect();
        assert_eq!(ids.len(), Meaning::COUNT);
        for (at, meaning) in Meaning::ALL.iter().enumerate() {
            assert_eq!(*meaning as usize, at);
            assert_eq!(Meaning::of_id(meaning.id()), Some(*meaning));
            assert_eq!(meaning.chain().take(Meaning::COUNT + 1).last(), Some(Meaning::Text), "{meaning:?}");
        }
        assert_eq!((Meaning::book(0), Meaning::book(7)), (Meaning::Book1, Meaning::Book2));
    }
}
