//! Keys as they are pressed, matched against the map: sequences wait for their next key, for a second.

use std::time::{Duration, Instant};

use super::action::Action;
use super::context::Context;
use super::key::{Key, Sequence};
use super::map::{KeyMap, Lookup};

/// So long a sequence waits for its next key.
pub const SEQUENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// What a key press led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// Do this.
    Action(Action),
    /// More keys are needed.
    Pending,
    /// Nothing has this key; in a line of text, it is typed.
    None,
}

/// The keys of a sequence that has begun.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    keys: Vec<Key>,
    context: Option<Context>,
    last: Option<Instant>,
}

impl Matcher {
    /// A key was pressed at `now` in `context`. A key that does not go on with the sequence begins anew by itself;
    /// Esc ends a sequence and does nothing else.
    pub fn feed(&mut self, map: &KeyMap, key: Key, context: Context, now: Instant) -> Matched {
        if self.context != Some(context) || self.deadline().is_some_and(|d| now >= d) {
            self.clear();
        }
        self.keys.push(key);
        let mut found = map.lookup(context, &self.keys);
        if found == Lookup::None && self.keys.len() > 1 {
            self.clear();
            if key == Key::ESC {
                return Matched::None;
            }
            self.keys.push(key);
            found = map.lookup(context, &self.keys);
        }
        match found {
            Lookup::Prefix if self.keys.len() < Sequence::MAX => {
                (self.context, self.last) = (Some(context), Some(now));
                Matched::Pending
            }
            Lookup::Action(action) => {
                self.clear();
                Matched::Action(action)
            }
            Lookup::Prefix | Lookup::None => {
                self.clear();
                Matched::None
            }
        }
    }

    /// When the sequence that has begun is given up; none if none has.
    pub fn deadline(&self) -> Option<Instant> {
        self.last.map(|at| at + SEQUENCE_TIMEOUT)
    }

    /// Gives an overdue sequence up; `true` if there was one, so that the screen is drawn again.
    pub fn expire(&mut self, now: Instant) -> bool {
        let overdue = self.deadline().is_some_and(|d| now >= d);
        if overdue {
            self.clear();
        }
        overdue
    }

    /// The keys so far for the screen, as `g…`; empty if no sequence has begun.
    pub fn pending(&self, ascii: bool) -> String {
        if self.keys.is_empty() {
            return String::new();
        }
        let keys: String = self.keys.iter().map(|k| k.pretty(ascii)).collect();
        keys + if ascii { "..." } else { "…" }
    }

    /// Forgets a sequence that has begun, as after a click.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn key(text: &str) -> Key {
        Key::parse(text).expect("a key")
    }

    #[test]
    fn sequences_wait_and_time_out() {
        let (map, mut matcher, start) = (KeyMap::default(), Matcher::default(), Instant::now());
        assert_eq!(matcher.feed(&map, key("g"), Context::Board, start), Matched::Pending);
        assert_eq!((matcher.pending(false).as_str(), matcher.pending(true).as_str()), ("g…", "g..."));
        assert!(!matcher.expire(start + 999 * MS));
        assert_eq!(matcher.feed(&map, key("g"), Context::Board, start + 999 * MS), Matched::Action(Action::First));
        assert_eq!(matcher.pending(false), "");

        assert_eq!(matcher.feed(&map, key("g"), Context::Board, start), Matched::Pending);
        assert_eq!(matcher.feed(&map, key("g"), Context::Board, start + 1000 * MS), Matched::Pending, "too late: anew");
        assert!(matcher.expire(start + 2000 * MS));
        assert!(!matcher.expire(start + 3000 * MS));
        assert_eq!(matcher.deadline(), None);
    }

    #[test]
    fn another_key_begins_anew_and_esc_only_ends() {
        let (map, mut matcher, now) = (KeyMap::default(), Matcher::default(), Instant::now());
        matcher.feed(&map, key("g"), Context::Board, now);
        assert_eq!(matcher.feed(&map, key("j"), Context::Board, now), Matched::Action(Action::Down));
        matcher.feed(&map, key("g"), Context::Board, now);
        assert_eq!(matcher.feed(&map, key("esc"), Context::Board, now), Matched::None);
        assert_eq!(matcher.feed(&map, key("esc"), Context::Board, now), Matched::Action(Action::Back));
        matcher.feed(&map, key("g"), Context::Board, now);
        assert_eq!(matcher.feed(&map, key("g"), Context::Tape, now), Matched::Pending, "another page: anew");
        assert_eq!(matcher.feed(&map, key("ctrl-c"), Context::Tape, now), Matched::Action(Action::ForceQuit));
    }

    #[test]
    fn a_line_of_text_types_what_is_printable() {
        let (map, mut matcher, now) = (KeyMap::default(), Matcher::default(), Instant::now());
        for c in (' '..='~').chain(['é', '中']) {
            let typed = Key::parse(&c.to_string()).unwrap_or(key("space"));
            assert_eq!(matcher.feed(&map, typed, Context::Text, now), Matched::None, "{c}");
            assert_eq!(typed.character(), Some(c));
        }
        for (text, action) in [("esc", Action::Back), ("enter", Action::Open), ("tab", Action::Complete)] {
            assert_eq!(matcher.feed(&map, key(text), Context::Text, now), Matched::Action(action));
        }
    }
}
