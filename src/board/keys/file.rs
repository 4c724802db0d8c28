//! Key maps as files: the embedded default, and a user's file laid over it.
//!
//! A wrong entry is skipped and named; the others hold. Nothing that a file says takes Ctrl-C away.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{Item, TableLike, Value};

use super::action::Action;
use super::context::Context;
use super::key::{Key, Sequence};
use super::map::{Bindings, KeyMap, Section};
use super::user_file::{self, FileError, Problem, UserFile, advice, shown};

/// The default key map with its explanations.
pub const DEFAULT_KEYS: &str = include_str!("../../../assets/keys.toml");

/// A key map that was read, and what was wrong with its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadedKeys {
    /// The defaults with the good entries of the file over them.
    pub map: KeyMap,
    /// The entries that were skipped, and warnings, by line.
    pub problems: Vec<Problem>,
}

impl Default for KeyMap {
    /// The embedded key map. A test holds it free of problems.
    fn default() -> Self {
        let empty = Self::of(Bindings::new());
        Self::laid_over(&empty, DEFAULT_KEYS).map_or(empty, |loaded| loaded.map)
    }
}

impl KeyMap {
    /// A user's file over the defaults. An error means that the file cannot be used at all; keep the map in force.
    pub fn load(path: &Path) -> Result<LoadedKeys, FileError> {
        Self::parse(&user_file::read(path)?)
    }

    /// The text of a user's file over the defaults.
    pub fn parse(text: &str) -> Result<LoadedKeys, FileError> {
        Self::laid_over(&Self::default(), text)
    }

    fn laid_over(base: &Self, text: &str) -> Result<LoadedKeys, FileError> {
        let file = UserFile::parse(text)?;
        let mut reader = Reader { file: &file, entries: Vec::new(), problems: Vec::new() };
        reader.sections();
        let Reader { mut entries, mut problems, .. } = reader;
        drop_clashes(&mut entries, &mut problems);
        let map = Self::of(merge(base.bindings(), &entries));
        tell_losses(base, &map, &entries, &mut problems);
        problems.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
        Ok(LoadedKeys { map, problems })
    }
}

/// One line of a file.
struct Entry {
    section: Section,
    action: Action,
    line: usize,
    sequences: Vec<Sequence>,
    /// An empty list was written: the action shall have no key.
    unbinds: bool,
}

struct Reader<'a> {
    file: &'a UserFile<'a>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn sections(&mut self) {
        let root = self.file.root();
        for (name, item) in root.iter() {
            let line = self.file.line_of(root, name);
            match (Section::of_id(name), item.as_table_like()) {
                (Some(section), Some(table)) => self.section(section, table),
                (Some(_), None) => self.tell(line, format!("`{name}` must be a section, written as [{name}]")),
                (None, Some(_)) => {
                    let ids: Vec<&str> = Section::all().map(Section::id).collect();
                    let text = format!(
                        "[{}] is no context{}; there are {}",
                        shown(name),
                        advice(name, ids.iter().copied()),
                        ids.join(", ")
                    );
                    self.tell(line, text);
                }
                (None, None) => {
                    let text = format!(
                        "`{}` stands in no section; put it under [global] or a page such as [board]",
                        shown(name)
                    );
                    self.tell(line, text);
                }
            }
        }
    }

    fn section(&mut self, section: Section, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let line = self.file.line_of(table, name);
            match Action::of_id(name) {
                None => {
                    let near = advice(name, Action::ALL.iter().map(|a| a.id()));
                    self.tell(line, format!("`{}` is no action{near}; `?` on the board lists all", shown(name)));
                }
                Some(Action::ForceQuit) => {
                    self.tell(line, "`force-quit` is fixed to ctrl-c; give `quit` other keys instead".to_owned());
                }
                Some(action) => self.entry(section, action, line, item),
            }
        }
    }

    fn entry(&mut self, section: Section, action: Action, line: usize, item: &Item) {
        let id = action.id();
        if let Section::In(context) = section
            && !action.contexts().has(context)
        {
            let works: Vec<&str> = action.contexts().iter().map(Context::id).collect();
            self.tell(line, format!("`{id}` does not work in [{}]; it works in {}", section.id(), works.join(", ")));
            return;
        }
        let values: Vec<&Value> = match item.as_value() {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(value) => vec![value],
            None => {
                self.tell(line, format!("`{id}` must be a list of keys, such as {id} = [\"q\", \"g g\"]"));
                return;
            }
        };
        let mut sequences: Vec<Sequence> = Vec::new();
        for value in &values {
            let line = value.span().map_or(line, |s| self.file.line(s.start));
            match self.sequence(section, id, line, value) {
                Some(sequence) if sequences.contains(&sequence) => {
                    self.tell(line, format!("`{id}` has `{sequence}` twice; remove one"));
                }
                Some(sequence) => sequences.push(sequence),
                None => {}
            }
        }
        if values.is_empty() || !sequences.is_empty() {
            self.entries.push(Entry { section, action, line, sequences, unbinds: values.is_empty() });
        }
    }

    fn sequence(&mut self, section: Section, id: &str, line: usize, value: &Value) -> Option<Sequence> {
        let Some(text) = value.as_str() else {
            self.tell(line, format!("`{id}` must be keys in quotes, such as {id} = [\"q\", \"g g\"]"));
            return None;
        };
        let sequence = match Sequence::parse(text) {
            Ok(sequence) => sequence,
            Err(e) => {
                self.tell(line, format!("`{id}`: {e}"));
                return None;
            }
        };
        if sequence.keys().contains(&Key::FORCE_QUIT) {
            self.tell(line, format!("`{id}`: ctrl-c always quits; choose another key"));
            return None;
        }
        if section == Section::In(Context::Text) && sequence.first().is_some_and(Key::is_printable) {
            self.tell(
                line,
                format!("`{id}`: `{sequence}` types itself in a line of text; choose a key with ctrl or alt"),
            );
            return None;
        }
        if let Some((key, sent)) = sequence.keys().iter().find_map(|k| Some((k, k.sent_as()?))) {
            self.tell(line, format!("`{id}`: most terminals send `{key}` as {sent}; it may never arrive"));
        }
        Some(sequence)
    }

    fn tell(&mut self, line: usize, text: String) {
        self.problems.push(Problem { line, text });
    }
}

/// Of two entries of the file that cannot be told apart the first holds.
fn drop_clashes(entries: &mut [Entry], problems: &mut Vec<Problem>) {
    let mut taken: Vec<(Section, Action, Sequence)> = Vec::new();
    for entry in entries {
        let (section, action, line) = (entry.section, entry.action, entry.line);
        entry.sequences.retain(|sequence| {
            let reach = section.reach(action);
            let clash = taken.iter().find(|(s, a, q)| *s == section && s.reach(*a).meets(reach) && q.clashes(sequence));
            let Some((_, other, keys)) = clash else {
                taken.push((section, action, sequence.clone()));
                return true;
            };
            let (id, of) = (action.id(), other.id());
            let text = match keys.keys().len().cmp(&sequence.keys().len()) {
                std::cmp::Ordering::Equal => format!("`{id}`: `{sequence}` is already the key of `{of}`"),
                std::cmp::Ordering::Less => {
                    format!("`{id}`: `{sequence}` can never be typed, it begins with `{keys}` of `{of}`")
                }
                std::cmp::Ordering::Greater => {
                    format!("`{id}`: `{sequence}` begins `{keys}` of `{of}`, which could not be typed any more")
                }
            };
            problems.push(Problem { line, text: format!("{text}; choose another") });
            false
        });
    }
}

/// The file's entries take the place of the base's, and keys away from other actions of the same section.
fn merge(base: &Bindings, entries: &[Entry]) -> Bindings {
    let mut merged = base.clone();
    for ((section, action), sequences) in &mut merged {
        let reach = section.reach(*action);
        sequences.retain(|sequence| {
            !entries.iter().any(|e| {
                e.section == *section
                    && e.section.reach(e.action).meets(reach)
                    && e.sequences.iter().any(|s| s.clashes(sequence))
            })
        });
    }
    for entry in entries.iter().filter(|e| e.unbinds || !e.sequences.is_empty()) {
        merged.insert((entry.section, entry.action), entry.sequences.clone());
    }
    merged
}

/// Names actions that lost their last key without having been asked to.
fn tell_losses(base: &KeyMap, map: &KeyMap, entries: &[Entry], problems: &mut Vec<Problem>) {
    let mut told = BTreeSet::new();
    for context in Context::ALL {
        for (lost, action) in base.in_context(context) {
            let here = [Section::Global, Section::In(context)];
            let meant = entries.iter().any(|e| e.unbinds && e.action == *action && here.contains(&e.section));
            if meant || map.sequences_of(*action, context).next().is_some() {
                continue;
            }
            let taker = entries.iter().find(|e| {
                e.action != *action && here.contains(&e.section) && e.sequences.iter().any(|s| s.clashes(lost))
            });
            let own = entries.iter().find(|e| e.action == *action && e.section == Section::Global);
            let of = action.id();
            let (line, text) = if let Some(taker) = taker {
                let id = taker.action.id();
                (taker.line, format!("`{id}` takes `{lost}`, and `{of}` has no key left; give `{of}` another"))
            } else if let Some(own) = own {
                let place = context.id();
                let text = format!("`{of}` has no key left in [{place}], which uses these keys itself; add one there");
                (own.line, text)
            } else {
                continue;
            };
            if told.insert((line, *action)) {
                problems.push(Problem { line, text });
            }
        }
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
