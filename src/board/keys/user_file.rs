//! Files that a person writes: read with a bound, parsed with line numbers, and what is wrong with them in words.
//!
//! Shared by key maps and themes. Knows TOML and lines; nothing of keys or colours.

use std::io::Read;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike};

/// No key map or theme of a person is larger.
const MAX_FILE: u64 = 1 << 20;
/// So much of a wrong name or value is repeated in a message.
const SHOWN: usize = 60;

/// Something wrong with one entry of a file. The entry is skipped; the rest of the file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do, starting with the name of the entry.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Why a file as a whole cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({source}); check its name and its owner", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no TOML.
    #[error("line {line}, column {column}: {message}; correct this line, the file is not used until then")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
}

/// The text of a file, or why it cannot be had.
pub fn read(path: &Path) -> Result<String, FileError> {
    let fail = |source| FileError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path).map_err(fail)?.take(MAX_FILE + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > MAX_FILE {
        return Err(fail(std::io::Error::other("larger than 1 MB")));
    }
    Ok(text)
}

/// A parsed file that knows the lines of its entries.
pub(in crate::board) struct UserFile<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

impl<'a> UserFile<'a> {
    pub fn parse(text: &'a str) -> Result<Self, FileError> {
        let document = Document::parse(text).map_err(|e| {
            let before = text.get(..e.span().map_or(text.len(), |s| s.start)).unwrap_or(text);
            FileError::Syntax {
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1,
                message: e.message().lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(", "),
            }
        })?;
        Ok(Self { text, document })
    }

    /// The outermost table.
    pub fn root(&self) -> &dyn TableLike {
        self.document.as_table()
    }

    /// The line on which an entry of a table stands.
    pub fn line_of(&self, table: &dyn TableLike, name: &str) -> usize {
        let item = table.get(name).and_then(Item::span);
        self.line(table.key(name).and_then(toml_edit::Key::span).or(item).map_or(0, |s| s.start))
    }

    /// The line of a byte.
    pub fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }
}

/// `name` cut to what fits into a message, without control characters.
pub(in crate::board) fn shown(name: &str) -> String {
    let mut short: String = name.chars().take(SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect();
    if name.chars().nth(SHOWN).is_some() {
        short.push_str("...");
    }
    short
}

/// `; did you mean ...?` with the known name most like `name`, or nothing.
pub(in crate::board) fn advice<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    known
        .into_iter()
        .map(|k| (distance(name, k), k))
        .min()
        .filter(|(d, k)| *d <= 1 + k.len() / 3)
        .map_or_else(String::new, |(_, k)| format!("; did you mean `{k}`?"))
}

/// Letters to change, add or leave out.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().take(SHOWN).enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let best = (diagonal + usize::from(x != y)).min(*slot + 1).min(left + 1);
            diagonal = std::mem::replace(slot, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(advice("qit", ["quit", "freeze"]), "; did you mean `quit`?");
        assert_eq!(advice("xylophone", ["quit"]), "");
    }

    #[test]
    fn syntax_is_reported_with_its_place() {
        let said = UserFile::parse("[a]\nb = \"c").err().expect("broken").to_string();
        assert!(said.starts_with("line 2, column"), "{said}");
    }

    #[test]
    fn what_is_too_large_or_missing_is_named() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("keys.toml");
        assert!(read(&file).expect_err("missing").to_string().contains("keys.toml"));
        std::fs::write(&file, vec![b'#'; MAX_FILE as usize + 1]).expect("writes");
        assert!(read(&file).expect_err("large").to_string().contains("1 MB"));
        std::fs::write(&file, [0xff, 0xfe]).expect("writes");
        assert!(matches!(read(&file), Err(FileError::Read { .. })));
    }

    #[test]
    fn wrong_names_are_shown_short_and_harmless() {
        assert_eq!(shown("a\x1b[2J"), "a?[2J");
        assert_eq!(shown(&"x".repeat(100)).len(), SHOWN + 3);
    }
}
