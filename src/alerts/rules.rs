//! The user's rules made ready to be asked: filters read, watchlists compiled, what cannot be used put aside with a word.

use super::message::Kind;
use super::rule::{RuleError, Terms};
use super::watchlist::{self, Subject, saved_text};
use crate::filter::Filter;
use crate::market::time::Timestamp;
use crate::store::desk::{AlertRule, Desk, DeskError, ListContents, SavedFilter};

/// A rule made ready.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its number on the desk.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// What it asks for.
    pub terms: Terms,
    filter: Filter,
    /// Place of its watchlist among those of the set.
    list: Option<usize>,
}

/// All rules that may fire.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// In the order in which they were made.
    pub rules: Vec<Ready>,
    /// Rules that are on and cannot be used, by name, and why.
    pub broken: Vec<(String, String)>,
    lists: Vec<watchlist::Compiled>,
}

/// Why a rule says nothing about something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Silence {
    /// The rule does not tell of the kind.
    Kind,
    /// The filter.
    Filter,
    /// The watchlist.
    List,
    /// Too weak.
    Strength,
    /// The composite is too low.
    Composite,
    /// Too few books.
    Books,
    /// The books lie too far apart.
    Dispersion,
    /// Too close to the start, or after it.
    Lead,
    /// The entry is too old, or there is none.
    Age,
    /// Told of lately.
    Cooldown,
}

impl Silence {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 10] = [
        Self::Kind,
        Self::Filter,
        Self::List,
        Self::Strength,
        Self::Composite,
        Self::Books,
        Self::Dispersion,
        Self::Lead,
        Self::Age,
        Self::Cooldown,
    ];

    /// As in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Filter => "filter",
            Self::List => "watchlist",
            Self::Strength => "strength",
            Self::Composite => "composite",
            Self::Books => "books",
            Self::Dispersion => "dispersion",
            Self::Lead => "lead",
            Self::Age => "entry_age",
            Self::Cooldown => "cooldown",
        }
    }
}

impl Ready {
    /// Makes one rule ready.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    fn new(rule: &AlertRule, lists: &[watchlist::Compiled], saved: &[SavedFilter]) -> Result<Self, String> {
        let mut terms = Terms::from_json(&rule.json).map_err(|e: RuleError| e.to_string())?;
        terms.channels.sort();
        terms.channels.dedup();
        let filter = Filter::parse_with(&terms.filter, &|name| saved_text(saved, name)).map_err(|e| e.to_string())?;
        let list = match &terms.list {
            None => None,
            Some(wanted) => {
                let at = lists.iter().position(|l| l.id.0 == wanted.id);
                Some(at.ok_or_else(|| format!("its watchlist '{}' has been deleted", wanted.name))?)
            }
        };
        let (id, name, changed_at) = (rule.id.0, rule.name.clone(), rule.changed_at);
        Ok(Self { id, name, changed_at, terms, filter, list })
    }
}

impl RuleSet {
    /// Makes the rules of a desk ready. Rules that are off are left out.
    pub fn new(rules: &[AlertRule], lists: &[ListContents], saved: &[SavedFilter]) -> Self {
        let lists: Vec<_> = lists.iter().map(|l| watchlist::Compiled::new(l, saved)).collect();
        let mut set = Self { lists, ..Self::default() };
        for rule in rules.iter().filter(|r| r.on) {
            match Ready::new(rule, &set.lists, saved) {
                Ok(ready) => set.rules.push(ready),
                Err(why) => set.broken.push((rule.name.clone(), why)),
            }
        }
        set
    }

    /// The rules of a desk.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn of(desk: &Desk) -> Result<Self, DeskError> {
        Ok(Self::new(&desk.alert_rules()?, &desk.contents()?, &desk.filters()?))
    }

    /// One rule of a desk, on or off, as the only one of a set.
    ///
    /// # Errors
    /// [`DeskError`]; a rule that cannot be used stands among the broken ones.
    pub fn only(desk: &Desk, rule: &AlertRule) -> Result<Self, DeskError> {
        let rule = AlertRule { on: true, ..rule.clone() };
        Ok(Self::new(&[rule], &desk.contents()?, &desk.filters()?))
    }

    /// Some rule tells of this.
    pub fn tells_of(&self, kind: Kind) -> bool {
        self.rules.iter().any(|r| r.terms.tells_of(kind))
    }

    /// No rule may fire.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Folded names of the watchlists that hold something.
    pub fn lists_of(&self, of: &dyn Subject) -> Vec<&str> {
        self.lists.iter().filter(|l| l.holds(of)).map(|l| l.folded.as_str()).collect()
    }

    /// What rule, filter and watchlist say about something.
    pub fn passes<S: Subject>(&self, rule: &Ready, of: &S) -> Result<(), Silence> {
        if !of.passes(&rule.filter) {
            return Err(Silence::Filter);
        }
        match rule.list.and_then(|at| self.lists.get(at)) {
            Some(list) if !list.holds(of) => Err(Silence::List),
            _ => Ok(()),
        }
    }
}
