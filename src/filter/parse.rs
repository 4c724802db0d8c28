//! From text to tree: terms, groups and saved names. What a single field takes is read in `term`.

use std::ops::Range;

use super::error::FilterError;
use super::expr::Expr;
use super::number::Compare;
use super::scan::{self, Keyword};
use super::values::TextValue;
use super::{MAX_CHARS, MAX_NESTING, suggest};

/// How deep saved filters may refer to others.
const MAX_SAVED_DEPTH: usize = 8;
/// How many saved filters one filter may take in, counted each time.
const MAX_SAVED: usize = 64;

/// Saved filters while one is expanded.
struct Saved<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The names that are being expanded, the outermost first.
    open: Vec<String>,
    taken: usize,
}

/// Reads a whole filter.
pub(super) fn parse(input: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Expr, FilterError> {
    let expr = parse_within(input, &mut Saved { lookup, open: Vec::new(), taken: 0 })?;
    // What is shown and stored must be readable again.
    if expr.to_string().chars().count() > MAX_CHARS {
        let message =
            format!("the filter is longer than {MAX_CHARS} characters when written out; split it into saved ones");
        return Err(FilterError::new(0..input.len(), message).of(input));
    }
    Ok(expr)
}

fn parse_within(input: &str, saved: &mut Saved<'_>) -> Result<Expr, FilterError> {
    if let Some((end, _)) = input.char_indices().nth(MAX_CHARS) {
        let message = format!("a filter has at most {MAX_CHARS} characters; remove what is marked");
        return Err(FilterError::new(end..input.len(), message).of(input));
    }
    let mut parser = Parser { input, at: 0, saved };
    parser.whole().map_err(|e| e.of(input))
}

/// A place in a text that is being read.
pub(super) struct Parser<'a, 's, 'l> {
    pub(super) input: &'a str,
    pub(super) at: usize,
    saved: &'s mut Saved<'l>,
}

/// What stands before the place where a term is needed.
enum Before {
    Start,
    Parenthesis(usize),
    Or(Range<usize>),
}

impl<'a> Parser<'a, '_, '_> {
    pub(super) fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Only blanks follow `at`.
    pub(super) fn is_last(&self, at: usize) -> bool {
        self.input.get(at..).is_none_or(|t| t.trim().is_empty())
    }

    fn whole(&mut self) -> Result<Expr, FilterError> {
        self.blanks();
        if self.rest().is_empty() {
            return Ok(Expr::All(Vec::new()));
        }
        let expr = self.any(Before::Start, 0)?;
        if self.rest().is_empty() {
            return Ok(expr);
        }
        let message = "no parenthesis is open here; remove `)`".to_owned();
        Err(FilterError::new(self.at..self.at + 1, message))
    }

    fn any(&mut self, before: Before, depth: usize) -> Result<Expr, FilterError> {
        let mut ways = vec![self.all(before, depth)?];
        loop {
            let from = self.at;
            if self.peek() == Some('|') {
                self.at += 1;
            } else if let Some((Keyword::Or, len)) = scan::keyword(self.rest()) {
                self.at += len;
            } else {
                return Ok(Expr::any(ways));
            }
            ways.push(self.all(Before::Or(from..self.at), depth)?);
        }
    }

    /// Terms up to `or`, `)` or the end; at least one.
    fn all(&mut self, before: Before, depth: usize) -> Result<Expr, FilterError> {
        let mut terms = Vec::new();
        let mut and: Option<Range<usize>> = None;
        loop {
            self.blanks();
            if matches!(self.peek(), None | Some(')' | '|')) {
                break;
            }
            match scan::keyword(self.rest()) {
                Some((Keyword::Or, _)) => break,
                Some((Keyword::And, len)) => {
                    let span = self.at..self.at + len;
                    if terms.is_empty() || and.is_some() {
                        return Err(self.joint("and", span));
                    }
                    self.at = span.end;
                    and = Some(span);
                }
                _ => {
                    terms.push(self.term(depth)?);
                    and = None;
                }
            }
        }
        if let Some(span) = and {
            return Err(self.joint("and", span));
        }
        if terms.is_empty() {
            return Err(self.nothing(before));
        }
        Ok(Expr::all(terms))
    }

    /// A word that joins terms and has none on one side.
    fn joint(&self, word: &str, span: Range<usize>) -> FilterError {
        let last = self.is_last(span.end);
        let message = format!("`{word}` needs a term on both sides; to search for the word write `\"{word}\"`");
        FilterError::new(span, message).incomplete_if(last)
    }

    fn nothing(&self, before: Before) -> FilterError {
        match before {
            Before::Or(span) => self.joint("or", span),
            Before::Parenthesis(open) if self.rest().is_empty() => unclosed(open),
            Before::Parenthesis(open) if self.peek() == Some(')') => FilterError::new(
                open..self.at + 1,
                "these parentheses are empty; put terms in them or remove them".into(),
            ),
            Before::Start if self.peek() == Some(')') => {
                FilterError::new(self.at..self.at + 1, "no parenthesis is open here; remove `)`".into())
            }
            Before::Start | Before::Parenthesis(_) => {
                let len = scan::keyword(self.rest()).map_or(1, |(_, len)| len);
                self.joint("or", self.at..self.at + len)
            }
        }
    }

    /// A term with its negations.
    fn term(&mut self, depth: usize) -> Result<Expr, FilterError> {
        let mut negated = false;
        loop {
            let from = self.at;
            if let Some((Keyword::Not, len)) = scan::keyword(self.rest()) {
                self.at += len;
                self.blanks();
                let joins = scan::keyword(self.rest()).is_some_and(|(k, _)| k != Keyword::Not);
                if joins || matches!(self.peek(), None | Some(')' | '|')) {
                    let message = "`not` needs a term after it; to search for the word write `\"not\"`".to_owned();
                    return Err(FilterError::new(from..from + len, message).incomplete_if(self.rest().is_empty()));
                }
            } else if self.peek() == Some('-') {
                self.at += 1;
                if self.peek().is_none_or(|c| c.is_whitespace() || matches!(c, ')' | '|' | ',')) {
                    let message = "`-` needs a term directly after it, as in `-is:live`".to_owned();
                    return Err(FilterError::new(from..from + 1, message).incomplete_if(self.rest().is_empty()));
                }
            } else {
                break;
            }
            negated = !negated;
        }
        let expr = self.positive(depth)?;
        Ok(if negated { expr.negated() } else { expr })
    }

    fn positive(&mut self, depth: usize) -> Result<Expr, FilterError> {
        match self.peek() {
            Some('(') => self.group(depth),
            Some('@') => self.saved_name(),
            Some('"') => {
                let from = self.at;
                let text = self.quoted()?;
                TextValue::word(&text).map(Expr::Word).ok_or_else(|| nothing_to_find(from..self.at))
            }
            _ => self.word_or_field(),
        }
    }

    fn group(&mut self, depth: usize) -> Result<Expr, FilterError> {
        let open = self.at;
        if depth >= MAX_NESTING {
            let message = format!("parentheses go at most {MAX_NESTING} deep; use a saved filter for the inner part");
            return Err(FilterError::new(open..open + 1, message));
        }
        self.at += 1;
        let expr = self.any(Before::Parenthesis(open), depth + 1)?;
        if self.peek() != Some(')') {
            return Err(unclosed(open));
        }
        self.at += 1;
        Ok(expr)
    }

    /// Reads a quoted text; whatever follows must be another term or value.
    pub(super) fn quoted(&mut self) -> Result<String, FilterError> {
        let from = self.at;
        let Some((text, len)) = scan::quoted(self.rest()) else {
            let message = "this quote is not closed; add `\"` at its end".to_owned();
            return Err(FilterError::new(from..self.input.len(), message).incomplete_if(true));
        };
        self.at += len;
        if self.peek().is_some_and(|c| !(c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|'))) {
            let message = "put a blank between the quote and what follows".to_owned();
            return Err(FilterError::new(self.at..self.at + self.peek().map_or(0, char::len_utf8), message));
        }
        Ok(text)
    }

    fn word_or_field(&mut self) -> Result<Expr, FilterError> {
        let from = self.at;
        let word = self.rest().get(..scan::word_len(self.rest())).unwrap_or_default();
        let after = self.rest().get(word.len()..).unwrap_or_default();
        // `ev > 2`: a comparison cannot begin a term, so blanks before it do no harm.
        let comparison = Compare::at_start_of(after.trim_start());
        if after.starts_with(':') || comparison.is_some() {
            if word.is_empty() {
                let len = comparison.map_or(1, |c| c.sign().len());
                let message = "a field belongs before this, as in `ev>2` or `sport:nba`".to_owned();
                return Err(FilterError::new(from..from + len, message));
            }
            return self.field(word);
        }
        if after.starts_with(',') {
            let at = from + word.len();
            let message =
                "a comma lists the values of a field, as in `team:celtics,heat`; between terms write `or`".to_owned();
            return Err(FilterError::new(at..at + 1, message));
        }
        self.at += word.len();
        if self.peek() == Some('"') {
            let message = "put a blank before the quote, or the quote round the whole text".to_owned();
            return Err(FilterError::new(self.at..self.at + 1, message));
        }
        TextValue::word(word).map(Expr::Word).ok_or_else(|| nothing_to_find(from..self.at))
    }

    fn saved_name(&mut self) -> Result<Expr, FilterError> {
        let from = self.at;
        self.at += 1;
        let name = if self.peek() == Some('"') {
            self.quoted()?
        } else {
            let len = scan::word_len(self.rest());
            let name = self.rest().get(..len).unwrap_or_default().to_owned();
            self.at += len;
            name
        };
        let span = from..self.at;
        if name.trim().is_empty() {
            let message = "the name of a saved filter belongs after `@`".to_owned();
            return Err(FilterError::new(span, message).incomplete_if(self.is_last(self.at)));
        }
        if matches!(self.peek(), Some(':' | '<' | '>' | '=' | '"' | ',')) {
            let message = "put a blank after the name of a saved filter".to_owned();
            return Err(FilterError::new(self.at..self.at + 1, message));
        }
        let expr = self.expand(&name, &span)?;
        Ok(Expr::Saved { name, expr: Box::new(expr) })
    }

    /// The tree of a saved filter.
    fn expand(&mut self, name: &str, span: &Range<usize>) -> Result<Expr, FilterError> {
        let wrong = |message: String| Err(FilterError::new(span.clone(), message));
        let saved = &mut *self.saved;
        if let Some(at) = saved.open.iter().position(|n| n == name) {
            let round: Vec<String> =
                saved.open.iter().skip(at).map(String::as_str).chain([name]).map(|n| format!("@{n}")).collect();
            return wrong(format!("`@{name}` refers to itself ({}); change one of them", round.join(" → ")));
        }
        if saved.open.len() >= MAX_SAVED_DEPTH {
            return wrong(format!(
                "saved filters refer to each other at most {MAX_SAVED_DEPTH} deep; write one of them out"
            ));
        }
        saved.taken += 1;
        if saved.taken > MAX_SAVED {
            return wrong(format!("more than {MAX_SAVED} saved filters in one; write some of them out"));
        }
        let Some(text) = (saved.lookup)(name) else {
            let last = self.is_last(span.end);
            return wrong(format!("there is no saved filter `@{name}`; to search for the text write `\"@{name}\"`"))
                .map_err(|e| e.incomplete_if(last));
        };
        saved.open.push(name.to_owned());
        let expr = parse_within(&text, saved);
        saved.open.pop();
        expr.map_err(|e| FilterError::new(span.clone(), format!("in `@{name}`: {}", e.message)).expecting(e.expected))
    }
}

pub(super) fn nothing_to_find(span: Range<usize>) -> FilterError {
    FilterError::new(span, "there is nothing here to look for; write letters or digits, or remove it".into())
        .incomplete_if(true)
}

fn unclosed(open: usize) -> FilterError {
    FilterError::new(open..open + 1, "this parenthesis is not closed; add `)`".into()).incomplete_if(true)
}

/// The message about a word that a list does not hold, with the likeliest first among what is expected.
pub(super) fn unknown(
    span: Range<usize>,
    what: &str,
    word: &str,
    names: &[&'static str],
    candidates: impl Iterator<Item = &'static str>,
    canonical: impl Fn(&'static str) -> &'static str,
) -> FilterError {
    let shown: String = word.chars().take(40).collect();
    let meant = suggest::nearest(word, candidates).map(canonical);
    let mut expected = names.to_vec();
    let message = match meant {
        Some(meant) => {
            expected.retain(|n| *n != meant);
            expected.insert(0, meant);
            format!("`{shown}` is not {what}; did you mean `{meant}`?")
        }
        None => format!("`{shown}` is not {what}; there are {}", names.join(", ")),
    };
    FilterError::new(span, message).expecting(expected)
}
