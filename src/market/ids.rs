//! Small numbers that stand for names inside the program.
//!
//! Names are interned once, in the order of their first appearance; hot tables carry the number.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub $int);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One game. Our own number; the provider's ids are aliases of it.
    EventId,
    u32
);
id!(
    /// A source of quotes, such as `draftkings`.
    BookId,
    u16
);
id!(
    /// A market key, such as `h2h` or `alternate_spreads`.
    MarketId,
    u16
);
id!(
    /// A sport key, such as `basketball_nba`.
    SportId,
    u16
);
id!(
    /// Whom a proposition is about, or the name of an outcome that is neither a team nor a side. Zero is nobody.
    SubjectId,
    u32
);
id!(
    /// One successful answer of a provider. Numbered from 1 in the order in which answers were applied; never reused.
    LookId,
    u64
);
id!(
    /// The place of a (selection, book) among the quotes of its event. Never reused within the event.
    Slot,
    u32
);

impl SubjectId {
    /// No subject: the selection is a side of the game itself.
    pub const NONE: Self = Self(0);
}
