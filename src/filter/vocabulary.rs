//! The words that exist here and now, for completion: the caller fills them in, parsing does not need them.

use super::fields::TextField;
use super::values;
use crate::market::books::Books;
use crate::market::sports::Sports;
use crate::market::teams::Teams;

/// A word that could be meant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// What is written in the filter, without quotes.
    pub text: String,
    /// What it means, in a few words; it is searched as well.
    pub note: String,
}

impl Entry {
    /// A word with its note.
    pub fn new(text: impl Into<String>, note: impl Into<String>) -> Self {
        Self { text: text.into(), note: note.into() }
    }
}

/// The open lists: each in the order in which its words are offered when nothing else tells them apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vocabulary {
    /// Sports and leagues.
    pub sports: Vec<Entry>,
    /// Teams.
    pub teams: Vec<Entry>,
    /// Books.
    pub books: Vec<Entry>,
    /// Markets.
    pub markets: Vec<Entry>,
    /// Events.
    pub games: Vec<Entry>,
    /// The user's labels.
    pub labels: Vec<Entry>,
    /// The user's watchlists.
    pub lists: Vec<Entry>,
    /// Names of saved filters, without `@`; the note is best their text.
    pub saved: Vec<Entry>,
}

impl Vocabulary {
    /// What the tables of the market hold: listed sports, books that are still served, kinds of markets, and the
    /// teams that still play.
    pub fn embedded() -> Self {
        let sports = Sports::embedded();
        let teams = Teams::embedded();
        Self {
            sports: sports
                .keys()
                .map(|key| sports.resolve(key))
                .map(|sport| Entry::new(sport.short.to_lowercase(), sport.key))
                .collect(),
            teams: teams
                .leagues()
                .into_iter()
                .flat_map(|league| teams.teams(league).map(move |(_, team)| (league, team)))
                .filter(|(_, team)| !team.former)
                .map(|(league, team)| Entry::new(team.name.to_lowercase(), teams.title(league).unwrap_or(league)))
                .collect(),
            books: Books::embedded()
                .iter()
                .filter(|book| !book.retired)
                .map(|book| Entry::new(book.short.to_lowercase(), book.title.as_str()))
                .collect(),
            markets: values::market_names().map(|name| Entry::new(name, "")).collect(),
            ..Self::default()
        }
    }

    /// The words of a field.
    pub(super) fn of(&self, field: TextField) -> &[Entry] {
        match field {
            TextField::Sport => &self.sports,
            TextField::Team => &self.teams,
            TextField::Book => &self.books,
            TextField::Market => &self.markets,
            TextField::Game => &self.games,
            TextField::Label => &self.labels,
            TextField::List => &self.lists,
            _ => &[],
        }
    }
}
