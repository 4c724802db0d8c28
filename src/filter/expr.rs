//! The tree of a filter: built in one normal form, evaluated, and written back as text.
//!
//! The normal form has no conjunction within a conjunction, no group of one and no double negation, so that two
//! spellings of one filter are equal.

use std::fmt;

use super::facts::Facts;
use super::fields::{Flag, NumberField, TextField};
use super::number::NumberTest;
use super::values::TextValue;

/// A filter or a part of one.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Expr {
    /// All of these; everything passes when there are none.
    All(Vec<Expr>),
    /// One of these, at least two.
    Any(Vec<Expr>),
    Not(Box<Expr>),
    /// A value of the field is one of these. `exact`: the whole text.
    Text {
        field: TextField,
        exact: bool,
        values: Vec<TextValue>,
    },
    Word(TextValue),
    Number {
        field: NumberField,
        test: NumberTest,
    },
    Is(Vec<Flag>),
    /// A saved filter, by its name.
    Saved {
        name: String,
        expr: Box<Expr>,
    },
}

impl Expr {
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            if let Self::All(inner) = part { flat.extend(inner) } else { flat.push(part) }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::All(flat) }
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            if let Self::Any(inner) = part { flat.extend(inner) } else { flat.push(part) }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::Any(flat) }
    }

    pub(super) fn negated(self) -> Self {
        if let Self::Not(inner) = self { *inner } else { Self::Not(Box::new(self)) }
    }

    pub(super) fn holds<F: Facts + ?Sized>(&self, facts: &F) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.holds(facts)),
            Self::Any(parts) => parts.iter().any(|p| p.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::Text { field, values, .. } => facts.text(*field, &mut |t| values.iter().any(|v| v.fits(t))),
            Self::Word(value) => facts.words(&mut |t| value.fits(t)),
            Self::Number { field, test } => test.passes(facts.number(*field)),
            Self::Is(flags) => flags.iter().any(|f| facts.is(*f)),
            Self::Saved { expr, .. } => expr.holds(facts),
        }
    }

    /// Some part of it passes.
    pub(super) fn contains(&self, wanted: &impl Fn(&Self) -> bool) -> bool {
        wanted(self)
            || match self {
                Self::All(parts) | Self::Any(parts) => parts.iter().any(|p| p.contains(wanted)),
                Self::Not(part) | Self::Saved { expr: part, .. } => part.contains(wanted),
                _ => false,
            }
    }

    /// Writes the part where a single term may stand.
    fn write_term(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) | Self::Any(_) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { " " })?;
                    part.write_term(f)?;
                }
                Ok(())
            }
            Self::Any(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    // "and" binds tighter than "or": neither side needs parentheses.
                    write!(f, "{}{part}", if i == 0 { "" } else { " or " })?;
                }
                Ok(())
            }
            Self::Not(part) => {
                f.write_str("-")?;
                part.write_term(f)
            }
            Self::Text { field, exact, values } => {
                write!(f, "{}{}", field.name(), if *exact { "=" } else { ":" })?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { "," }, Quoted(&value.written))?;
                }
                Ok(())
            }
            Self::Word(value) if is_bare(&value.written) => f.write_str(&value.written),
            Self::Word(value) => write_quoted(&value.written, f),
            Self::Number { field, test } => {
                f.write_str(field.name())?;
                test.write(field.unit(), f)
            }
            Self::Is(flags) => {
                for (i, flag) in flags.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "is:" } else { "," }, flag.name())?;
                }
                Ok(())
            }
            Self::Saved { name, .. } => write!(f, "@{}", Quoted(name)),
        }
    }
}

/// A value, in quotes where it needs them.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_plain) { f.write_str(self.0) } else { write_quoted(self.0, f) }
    }
}

/// A word that the grammar cannot take for anything else.
fn is_bare(word: &str) -> bool {
    let keyword = ["and", "or", "not"].iter().any(|k| word.eq_ignore_ascii_case(k));
    !keyword && !word.starts_with('-') && word.chars().all(is_plain)
}

/// Means nothing to the grammar, wherever it stands in a word.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | '\'' | '’' | '&' | '+' | '/')
}

fn write_quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}
