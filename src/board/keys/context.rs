//! Where a key is pressed: one of the pages, a list that lies over it, or a line that is typed into.

/// The part of the board that has the keyboard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Context {
    /// The page with all games.
    Board,
    /// The page of one game.
    Game,
    /// The page of signals.
    Tape,
    /// The page of closing line value.
    Clv,
    /// The page of watch lists.
    Watch,
    /// The page of an exchange that is listened to.
    Exchange,
    /// The page of sources, credits and logs.
    Ops,
    /// A list over a page: a chooser of columns, of books, of lists.
    List,
    /// A line of text, alone or over a list (the command palette): what is printable types itself.
    Text,
}

impl Context {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Board,
        Self::Game,
        Self::Tape,
        Self::Clv,
        Self::Watch,
        Self::Exchange,
        Self::Ops,
        Self::List,
        Self::Text,
    ];

    /// Its name in a key map.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Game => "game",
            Self::Tape => "tape",
            Self::Clv => "clv",
            Self::Watch => "watch",
            Self::Exchange => "exchange",
            Self::Ops => "ops",
            Self::List => "list",
            Self::Text => "text",
        }
    }

    /// Its title for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Board => "Board",
            Self::Game => "Game",
            Self::Tape => "Tape",
            Self::Clv => "CLV",
            Self::Watch => "Watch",
            Self::Exchange => "Exchange",
            Self::Ops => "Ops",
            Self::List => "Lists over a page",
            Self::Text => "Lines of text",
        }
    }

    /// The context of a name in a key map.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.id() == id)
    }
}

/// A set of contexts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Contexts(u16);

impl Contexts {
    /// The set of these.
    pub const fn of(contexts: &[Context]) -> Self {
        let (mut bits, mut rest) = (0, contexts);
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = others;
        }
        Self(bits)
    }

    /// Those in either.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// `context` is in the set.
    pub const fn has(self, context: Context) -> bool {
        self.0 & (1 << context as u8) != 0
    }

    /// Some context is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The contexts in their order.
    pub fn iter(self) -> impl Iterator<Item = Context> {
        Context::ALL.into_iter().filter(move |c| self.has(*c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_bits_follow_the_order() {
        for (at, context) in Context::ALL.into_iter().enumerate() {
            assert_eq!(context as usize, at);
            assert_eq!(Context::of_id(context.id()), Some(context));
            assert!(Contexts::of(&[context]).has(context));
        }
        let two = Contexts::of(&[Context::List, Context::Board]);
        assert_eq!(two.iter().collect::<Vec<_>>(), [Context::Board, Context::List]);
        assert!(!two.meets(Contexts::of(&[Context::Text])));
    }
}
