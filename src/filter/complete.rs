//! What could be written at the cursor of a filter that is being typed.
//!
//! The text before the cursor need not be a filter yet. What is offered is whole: a field with its sign, a value with
//! its quotes, so that accepting it leaves nothing to repair.

use std::ops::Range;

use super::expr::Quoted;
use super::fields::{FIELDS, FieldInfo, FieldKind, TextField, Unit, field_of};
use super::number::{Compare, Span};
use super::vocabulary::Vocabulary;
use super::{fold, scan};

/// Longest list that is offered.
const MOST: usize = 12;

/// Comparisons in the order in which they are offered.
const IN_ORDER: [Compare; 6] =
    [Compare::Greater, Compare::GreaterOrEqual, Compare::Less, Compare::LessOrEqual, Compare::Equal, Compare::NotEqual];

/// Something that could be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The bytes of the input that it replaces; empty for an insertion.
    pub replace: Range<usize>,
    /// What is written there.
    pub text: String,
    /// What it means, in a few words.
    pub note: String,
}

/// What the cursor stands in.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    /// The beginning of a term: a field, a word, or nothing yet.
    Term { from: usize },
    /// A value of a field; `from` is its quote if it has one.
    Value { info: &'static FieldInfo, from: usize, ranges: bool },
    /// The name of a saved filter; `from` is the `@`.
    Saved { from: usize },
    /// A text that nothing is known about.
    Text,
}

/// What could be written at `cursor` (a byte of `input`; one inside a character counts as before it): at most 12,
/// exact matches first, then beginnings, beginnings of words, and parts of words.
///
/// ```
/// use stratum::filter::{Vocabulary, complete};
/// let offered = complete("sport:nba type:ste", 18, &Vocabulary::default());
/// assert_eq!(offered[0].text, "steam");
/// assert_eq!(offered[0].replace, 15..18);
/// ```
pub fn complete(input: &str, cursor: usize, vocabulary: &Vocabulary) -> Vec<Completion> {
    let mut cursor = cursor.min(input.len());
    while !input.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let Some(before) = input.get(..cursor) else { return Vec::new() };
    if before.chars().count() > super::MAX_CHARS {
        return Vec::new();
    }
    let place = place(before);
    let from = match place {
        Place::Term { from } | Place::Value { from, .. } | Place::Saved { from } => from,
        Place::Text => return Vec::new(),
    };
    let typed = before.get(from..).unwrap_or_default();
    let tail = input.get(cursor..).unwrap_or_default();
    let mut offers = Offers { typed: fold(typed.trim_start_matches('@').trim_start_matches('"')), found: Vec::new() };
    let mut end = cursor;
    match place {
        Place::Term { .. } => {
            end += scan::word_len(tail);
            let follows = input.get(end..).unwrap_or_default();
            offers.terms(typed, follows.starts_with(':') || Compare::at_start_of(follows).is_some(), vocabulary);
        }
        Place::Value { info, ranges, .. } => {
            end += if typed.starts_with('"') { usize::from(tail.starts_with('"')) } else { scan::value_len(tail) };
            offers.values(info, typed, ranges, vocabulary);
        }
        Place::Saved { .. } => {
            end += if typed.starts_with("@\"") { usize::from(tail.starts_with('"')) } else { scan::word_len(tail) };
            for entry in &vocabulary.saved {
                offers.push(&[&entry.text], format!("@{}", Quoted(&entry.text)), &entry.note);
            }
        }
        Place::Text => {}
    }
    let mut found = offers.found;
    found.sort_by_key(|(rank, ..)| *rank);
    found.truncate(MOST);
    found.into_iter().map(|(_, text, note)| Completion { replace: from..end, text, note }).collect()
}

/// What the end of `before` stands in.
fn place(before: &str) -> Place {
    let mut at = 0;
    loop {
        let rest = before.get(at..).unwrap_or_default();
        let skipped = rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || "()|,-".contains(c)).len();
        at += skipped;
        let rest = before.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Place::Term { from: at } };
        if first == '"' {
            match scan::quoted(rest) {
                // Behind a quote nothing can be written without a blank.
                Some((_, len)) if at + len < before.len() => at += len,
                _ => return Place::Text,
            }
            continue;
        }
        if first == '@' {
            let name = rest.get(1..).unwrap_or_default();
            let len = if name.starts_with('"') { scan::quoted(name).map(|q| q.1) } else { Some(scan::word_len(name)) };
            match len {
                Some(len) if at + 1 + len < before.len() => at += 1 + len,
                _ => return Place::Saved { from: at },
            }
            continue;
        }
        let len = scan::word_len(rest);
        let after = rest.get(len..).unwrap_or_default();
        if after.is_empty() {
            return Place::Term { from: at };
        }
        let (sign, ranges) = if after.starts_with(':') {
            (1, true)
        } else if let Some(compare) = Compare::at_start_of(after.trim_start()) {
            (after.len() - after.trim_start().len() + compare.sign().len(), false)
        } else {
            at += len;
            continue;
        };
        let info = rest.get(..len).and_then(field_of);
        match value_place(before, at + len + sign, ranges) {
            Ok(from) => return info.map_or(Place::Text, |info| Place::Value { info, from, ranges }),
            Err(next) if next >= before.len() => return Place::Text,
            Err(next) => at = next,
        }
    }
}

/// The beginning of the value that `before` ends in, or where the values end.
fn value_place(before: &str, mut at: usize, colon: bool) -> Result<usize, usize> {
    let mut blanks = !colon;
    loop {
        let rest = before.get(at..).unwrap_or_default();
        if blanks {
            at += rest.len() - rest.trim_start().len();
        }
        let rest = before.get(at..).unwrap_or_default();
        let len = if rest.starts_with('"') { scan::quoted(rest).map(|q| q.1) } else { Some(scan::value_len(rest)) };
        match len {
            Some(len) if at + len < before.len() => {
                at += len;
                if !before.get(at..).unwrap_or_default().starts_with(',') {
                    return Err(at);
                }
                at += 1;
                blanks = true;
            }
            Some(_) if rest.starts_with('"') => return Err(before.len()),
            _ => return Ok(at),
        }
    }
}

/// What was found so far, with how well each fits.
struct Offers {
    /// What was typed, folded.
    typed: String,
    found: Vec<(u8, String, String)>,
}

impl Offers {
    /// How well a name fits what was typed; smaller is better.
    fn rank(&self, name: &str) -> Option<u8> {
        let name = fold(name);
        if name == self.typed {
            Some(0)
        } else if name.starts_with(&self.typed) {
            Some(1)
        } else if name.split(' ').any(|word| word.starts_with(&self.typed)) {
            Some(2)
        } else {
            // One letter is a part of everything.
            (self.typed.len() > 1 && name.contains(&self.typed)).then_some(3)
        }
    }

    fn push(&mut self, names: &[&str], text: String, note: &str) {
        if let Some(rank) = names.iter().filter_map(|n| self.rank(n)).min()
            && !self.found.iter().any(|(_, t, _)| *t == text)
        {
            self.found.push((rank, text, note.to_owned()));
        }
    }

    /// Fields, and values with their field. `signed`: the sign of the field stands behind the cursor already.
    fn terms(&mut self, typed: &str, signed: bool, vocabulary: &Vocabulary) {
        for info in FIELDS {
            let names: Vec<&str> = std::iter::once(info.name).chain(info.aliases.iter().copied()).collect();
            if signed {
                self.push(&names, info.name.to_owned(), info.description);
                continue;
            }
            self.push(&names, format!("{}{}", info.name, sign(info)), info.description);
            if matches!(info.kind, FieldKind::Number(..)) && names.iter().any(|n| n.eq_ignore_ascii_case(typed)) {
                for compare in IN_ORDER {
                    self.push(&names, format!("{}{}", info.name, compare.sign()), meaning(compare));
                }
                self.push(&names, format!("{}:", info.name), "one of these, or a range such as `2..5`");
            }
        }
        // One letter begins too many values, and a word in front of a sign is a field.
        if signed || self.typed.chars().count() < 2 {
            return;
        }
        // Flags first: they are asked for more often than the words that they share with other fields.
        let (flags, lists): (Vec<&FieldInfo>, Vec<&FieldInfo>) =
            FIELDS.iter().partition(|f| matches!(f.kind, FieldKind::Flag(_)));
        for info in flags.into_iter().chain(lists) {
            for choice in info.kind.choices().unwrap_or_default() {
                self.push(&[choice.name], format!("{}:{}", info.name, choice.name), choice.note);
            }
        }
        // After the closed lists: there are hundreds of teams.
        for info in FIELDS {
            if let FieldKind::Text(field) = info.kind {
                self.entries(field, &format!("{}:", info.name), vocabulary);
            }
        }
        for (word, note) in [("or", "one side or the other"), ("not", "the opposite of the next term")] {
            if self.rank(word).is_some_and(|rank| rank < 2) {
                self.push(&[word], format!("{word} "), note);
            }
        }
    }

    fn values(&mut self, info: &'static FieldInfo, typed: &str, ranges: bool, vocabulary: &Vocabulary) {
        match info.kind {
            FieldKind::Text(field) => self.entries(field, "", vocabulary),
            FieldKind::Choice(_, list) | FieldKind::Flag(list) => {
                for choice in list {
                    let names: Vec<&str> = std::iter::once(choice.name).chain(choice.aliases.iter().copied()).collect();
                    self.push(&names, choice.name.to_owned(), choice.note);
                }
            }
            FieldKind::Number(_, unit) => self.numbers(unit, typed, ranges),
        }
    }

    fn entries(&mut self, field: TextField, lead: &str, vocabulary: &Vocabulary) {
        for entry in vocabulary.of(field) {
            // Nothing to look for would not be a value.
            if !fold(&entry.text).is_empty() {
                self.push(&[&entry.text, &entry.note], format!("{lead}{}", Quoted(&entry.text)), &entry.note);
            }
        }
    }

    fn numbers(&mut self, unit: Unit, typed: &str, ranges: bool) {
        let offered: &[(&str, &str)] = match (unit, typed.is_empty()) {
            (Unit::Time, true) => &[("30s", "30 seconds"), ("5m", "5 minutes"), ("2h", "2 hours"), ("1d", "a day")],
            (Unit::Time, false) => &[("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("d", "days")],
            (Unit::Price, true) => &[("-110", "American odds"), ("+100", "even money"), ("1.95", "decimal odds")],
            (Unit::Percent, true) => &[("1", "percent"), ("2", "percent"), ("5", "percent")],
            _ => &[],
        };
        for (text, note) in offered {
            let whole = format!("{typed}{text}");
            if Span::parse(&whole, unit).is_ok() && (ranges || !whole.contains("..")) {
                self.found.push((0, whole, (*note).to_owned()));
            }
        }
    }
}

/// The sign that a field usually takes: that of its example.
fn sign(info: &FieldInfo) -> &'static str {
    let after = info.example.strip_prefix(info.name).unwrap_or_default();
    Compare::at_start_of(after).map_or(":", Compare::sign)
}

const fn meaning(compare: Compare) -> &'static str {
    match compare {
        Compare::Greater => "more than",
        Compare::GreaterOrEqual => "at least",
        Compare::Less => "less than",
        Compare::LessOrEqual => "at most",
        Compare::Equal => "exactly",
        Compare::NotEqual => "anything but",
    }
}
