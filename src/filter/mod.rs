//! The one language in which rows are chosen: on the board, the tape and watchlists, in alerts and exports.
//!
//! Owns the grammar, the table of fields ([`FIELDS`]), the matching of rows that tell their [`Facts`], and completion.
//! Pure: knows neither rows nor clock nor screen, and nothing of the crate but the market.
//!
//! ```ebnf
//! filter     = [ any ] ;
//! any        = all , { ( "or" | "|" ) , all } ;
//! all        = term , { [ "and" ] , term } ;
//! term       = { "-" | "not" } , ( group | saved | field | text ) ;
//! group      = "(" , any , ")" ;
//! saved      = "@" , text ;
//! field      = name , ( ":" , value , { "," , value } | comparison , number | "=" , text , { "," , text } ) ;
//! value      = text | number | range | "*" ;
//! range      = number , ".." , number | number , ".." | ".." , number ;
//! comparison = ">" | ">=" | "<" | "<=" | "=" | "!=" ;
//! number     = [ "+" | "-" ] , digits , [ "." , digits ] , [ unit ] ;
//! unit       = "%" | "s" | "m" | "h" | "d" ;
//! text       = word | '"' , { character | '\"' | '\\' } , '"' ;
//! ```
//!
//! Blanks separate terms. `not` binds tighter than `and`, `and` tighter than `or`. Words, names of fields and values
//! are compared without case and accents; `*` in a text stands for anything. A word ends at a blank or one of
//! `,()|"`, and outside of values at `:<>=` too. Times may be sums such as `1h30m`.

mod choices;
mod complete;
mod error;
mod expr;
mod facts;
mod fields;
mod fold;
mod number;
mod parse;
mod pattern;
mod reference;
mod scan;
mod suggest;
mod term;
#[cfg(test)]
mod tests;
mod values;
mod vocabulary;

use std::fmt;

pub use self::choices::Choice;
pub use self::complete::{Completion, complete};
pub use self::error::FilterError;
use self::expr::Expr;
pub use self::facts::Facts;
pub use self::fields::{FIELDS, FieldInfo, FieldKind, Flag, NumberField, TextField, Unit, field_of};
pub use self::fold::fold;
pub use self::reference::reference;
pub use self::vocabulary::{Entry, Vocabulary};

/// Longest filter, in characters, both as typed and as written out.
pub const MAX_CHARS: usize = 1_024;
/// How deep parentheses may go.
pub const MAX_NESTING: usize = 32;

/// Which rows are meant. The empty filter means all.
///
/// Its `Display` is the canonical text: parsing that gives an equal filter.
#[derive(Clone, PartialEq, Debug)]
pub struct Filter {
    root: Expr,
}

impl Default for Filter {
    fn default() -> Self {
        Self { root: Expr::All(Vec::new()) }
    }
}

impl Filter {
    /// Reads a filter that refers to no saved one.
    ///
    /// # Errors
    /// [`FilterError`] with the place, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_with(text, &|_| None)
    }

    /// Reads a filter in which `@name` stands for the text that `saved` gives for the name.
    ///
    /// # Errors
    /// [`FilterError`], also for names that are unknown, refer to themselves, or go too deep.
    pub fn parse_with(text: &str, saved: &dyn Fn(&str) -> Option<String>) -> Result<Self, FilterError> {
        parse::parse(text, saved).map(|root| Self { root })
    }

    /// The row is meant.
    ///
    /// A number that is absent satisfies no comparison, so `ev>2` is false without one and `-ev>2` true.
    pub fn matches<F: Facts + ?Sized>(&self, facts: &F) -> bool {
        self.root.holds(facts)
    }

    /// All rows are meant.
    pub fn is_empty(&self) -> bool {
        self.root == Expr::All(Vec::new())
    }

    /// The rows that both filters mean. The text of the result may be longer than [`MAX_CHARS`].
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { root: Expr::all(vec![self.root, other.root]) }
    }

    /// The terms that must all hold, each as a filter of its own.
    pub fn terms(&self) -> Vec<Self> {
        match &self.root {
            Expr::All(parts) => parts.iter().map(|p| Self { root: p.clone() }).collect(),
            other => vec![Self { root: other.clone() }],
        }
    }

    /// This filter without one of its [`Filter::terms`]; unchanged when there is no such term.
    #[must_use]
    pub fn without(&self, index: usize) -> Self {
        let kept = self.terms().into_iter().enumerate().filter(|(i, _)| *i != index).map(|(_, t)| t.root);
        Self { root: Expr::all(kept.collect()) }
    }

    /// The same row may be meant at one moment and not at another with no news about it: the filter asks for an age,
    /// a lead, or something that the passing of time changes.
    pub fn depends_on_time(&self) -> bool {
        self.root.contains(&|expr| match expr {
            Expr::Number { field, .. } => matches!(field, NumberField::Age | NumberField::Lead),
            Expr::Is(flags) => {
                let timed = [Flag::Pregame, Flag::Started, Flag::Stale, Flag::Suspect, Flag::Actionable, Flag::Best];
                flags.iter().any(|f| timed.contains(f))
            }
            Expr::Text { field, .. } => matches!(field, TextField::Bucket | TextField::Status),
            _ => false,
        })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
