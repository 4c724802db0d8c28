//! Everything the board shows of the market at one instant.

use std::sync::Arc;

use super::game::Game;
use crate::engine::names::Names;
use crate::market::books::{Book, BookKind, Books};
use crate::market::ids::{BookId, EventId, LookId};
use crate::market::time::Timestamp;

/// A column of the board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookColumn {
    /// Number of the book in this store.
    pub id: BookId,
    /// Key.
    pub key: Box<str>,
    /// Heading: two to four capitals or digits.
    pub short: Box<str>,
    /// Name for people.
    pub title: Box<str>,
    /// What sort of business.
    pub kind: BookKind,
    /// Its place in the table of books; unknown books come last.
    pub rank: u16,
}

/// The market at one instant. Cheap to hand on: games that did not change are shared with the slate before.
#[derive(Clone, Debug, Default)]
pub struct Slate {
    /// Rises with every slate that is handed out.
    pub version: u64,
    /// The instant that it shows: of its newest look.
    pub at: Option<Timestamp>,
    /// Number of its newest look.
    pub look: Option<LookId>,
    /// The market is a simulated one.
    pub demo: bool,
    /// It has been read from the store; until then there is nothing to say.
    pub loaded: bool,
    /// Every book that quotes, in the default order of columns.
    pub books: Arc<[BookColumn]>,
    /// By start, then by number.
    pub games: Vec<Arc<Game>>,
    /// Names and their numbers.
    pub names: Arc<Names>,
    /// Why it could not be brought up to date.
    pub trouble: Option<Arc<str>>,
}

impl Slate {
    /// A game by its number.
    pub fn game(&self, id: EventId) -> Option<&Arc<Game>> {
        self.games.iter().find(|g| g.who.id == id)
    }

    /// A column by the book's number.
    pub fn book(&self, id: BookId) -> Option<&BookColumn> {
        self.books.iter().find(|b| b.id == id)
    }

    /// Short name of a book.
    pub fn book_short(&self, id: BookId) -> &str {
        self.book(id).map_or("?", |b| &b.short)
    }

    /// Number of prices.
    pub fn quotes(&self) -> usize {
        self.games.iter().map(|g| g.quotes()).sum()
    }
}

/// The columns of the books that `names` knows, in the order of the table of books.
pub fn columns(names: &Names, quoting: impl Fn(BookId) -> bool) -> Arc<[BookColumn]> {
    let table = Books::embedded();
    let rank = |key: &str| table.iter().position(|b| b.key == key).map_or(u16::MAX, |at| at as u16);
    let mut columns: Vec<BookColumn> = names
        .books
        .iter()
        .enumerate()
        .filter_map(|(number, key)| {
            let id = BookId(u16::try_from(number + 1).ok()?);
            let Book { short, title, kind, .. } = quoting(id).then(|| table.resolve(key))?;
            let (short, title) = (short.into(), title.into());
            Some(BookColumn { id, key: key.into(), short, title, kind, rank: rank(key) })
        })
        .collect();
    columns.sort_by(|a, b| (a.rank, &a.key).cmp(&(b.rank, &b.key)));
    columns.into()
}
