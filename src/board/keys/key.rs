//! One key press and sequences of them: from the terminal's events, from text, and back to text.
//!
//! Terminals disagree about shift: `G` arrives as `g` with shift, as `G` with shift, or as `G` alone. A [`Key`] has
//! one form for all three, so keys can be compared:
//!
//! - a character says itself whether shift was held, so the flag is dropped;
//! - with ctrl the terminal does not tell case, so letters are lower case, and shift stays a flag for those that do;
//! - shift with tab is one key of its own.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Names of modifiers in text, in the order in which they are written.
const MODIFIERS: [(&str, KeyModifiers); 7] = [
    ("ctrl-", KeyModifiers::CONTROL),
    ("alt-", KeyModifiers::ALT),
    ("shift-", KeyModifiers::SHIFT),
    ("cmd-", KeyModifiers::SUPER),
    ("super-", KeyModifiers::SUPER),
    ("meta-", KeyModifiers::META),
    ("hyper-", KeyModifiers::HYPER),
];

/// One press of a key, in its one form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text is no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyTextError {
    /// Nothing is there.
    #[error("the key is empty; write for example `q`, `G`, `ctrl-r`, `f5`, `space` or `g g`")]
    Empty,
    /// Not the name of a key.
    #[error("`{0}` is no key; write for example `q`, `G`, `ctrl-r`, `alt-left`, `pageup`, `f5`, `space` or `g g`")]
    Unknown(String),
    /// A sequence of more than [`Sequence::MAX`] keys.
    #[error("`{0}` has more than {max} keys; three keys in a row are the most", max = Sequence::MAX)]
    Long(String),
}

impl Key {
    /// Ctrl-C, which always quits.
    pub const FORCE_QUIT: Self = Self { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL };
    /// Escape.
    pub const ESC: Self = Self { code: KeyCode::Esc, modifiers: KeyModifiers::NONE };

    /// The one form of a code with modifiers.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let (mut code, mut modifiers) = (code, modifiers);
        if matches!(code, KeyCode::Char('\r' | '\n')) {
            code = KeyCode::Enter;
        }
        if code == KeyCode::Char('\t') {
            code = KeyCode::Tab;
        }
        match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                code = KeyCode::Char(single(c.to_lowercase(), c));
            }
            KeyCode::Char(c) => {
                if modifiers.contains(KeyModifiers::SHIFT) {
                    code = KeyCode::Char(single(c.to_uppercase(), c));
                }
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => code = KeyCode::BackTab,
            _ => {}
        }
        if code == KeyCode::BackTab {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// The key of an event; none for a release and for a modifier that is pressed alone.
    pub fn of_event(event: KeyEvent) -> Option<Self> {
        let is_press = event.kind != KeyEventKind::Release;
        (is_press && !matches!(event.code, KeyCode::Modifier(_))).then(|| Self::new(event.code, event.modifiers))
    }

    /// Reads `q`, `G`, `ctrl-r`, `shift-left`, `f5`, `space`. Names are read in any case, single characters as they
    /// are.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let unknown = || KeyTextError::Unknown(super::user_file::shown(text));
        let mut rest = text.trim();
        let mut modifiers = KeyModifiers::NONE;
        while let Some((after, modifier)) = MODIFIERS.iter().find_map(|(name, modifier)| {
            let head = rest.get(..name.len())?;
            head.eq_ignore_ascii_case(name).then(|| (rest.get(name.len()..).unwrap_or_default(), *modifier))
        }) {
            rest = after;
            modifiers |= modifier;
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (None, _) if modifiers.is_empty() => return Err(KeyTextError::Empty),
            (None, _) => return Err(unknown()),
            (Some(c), None) if c.is_control() => return Err(unknown()),
            (Some(c), None) => KeyCode::Char(c),
            _ => match rest.to_ascii_lowercase().as_str() {
                "pgup" => KeyCode::PageUp,
                "pgdn" | "pgdown" => KeyCode::PageDown,
                "return" => KeyCode::Enter,
                "escape" => KeyCode::Esc,
                name => crokey::parse_key_code(name, false).map_err(|_| unknown())?,
            },
        };
        Ok(Self::new(code, modifiers))
    }

    /// Typed into a line, it would write a character.
    pub fn is_printable(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// What it writes when typed into a line.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.is_printable() => Some(c),
            _ => None,
        }
    }

    /// The key that most terminals send in its place, if they cannot tell the two apart.
    pub fn sent_as(self) -> Option<&'static str> {
        match (self.code, self.modifiers) {
            (KeyCode::Char('i'), KeyModifiers::CONTROL) => Some("tab"),
            (KeyCode::Char('m'), KeyModifiers::CONTROL) => Some("enter"),
            (KeyCode::Char('h'), KeyModifiers::CONTROL) => Some("backspace"),
            (KeyCode::Char('['), KeyModifiers::CONTROL) => Some("esc"),
            (KeyCode::Char(c), m) if m.contains(KeyModifiers::CONTROL | KeyModifiers::SHIFT) && c.is_alphabetic() => {
                Some("the same without shift")
            }
            _ => None,
        }
    }

    /// Short, for the screen: `⏎`, `␣`, `^C`, `↑`; in ASCII `Enter`, `Space`, `^C`, `Up`.
    pub fn pretty(self, ascii: bool) -> String {
        let mut text = String::new();
        let is_letter = matches!(self.code, KeyCode::Char(c) if !c.is_whitespace());
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            text.push('^');
        }
        for (name, modifier) in MODIFIERS.iter().skip(1).filter(|(name, _)| *name != "super-") {
            if self.modifiers.contains(*modifier) {
                match (ascii, *modifier) {
                    (false, KeyModifiers::SHIFT) => text.push('⇧'),
                    _ => text.push_str(name),
                }
            }
        }
        let (symbol, word) = match self.code {
            KeyCode::Char(' ') => ("␣", "Space"),
            KeyCode::Enter => ("⏎", "Enter"),
            KeyCode::Up => ("↑", "Up"),
            KeyCode::Down => ("↓", "Down"),
            KeyCode::Left => ("←", "Left"),
            KeyCode::Right => ("→", "Right"),
            KeyCode::Tab => ("⇥", "Tab"),
            KeyCode::BackTab => ("⇤", "S-Tab"),
            KeyCode::Backspace => ("⌫", "Bksp"),
            KeyCode::Esc => ("Esc", "Esc"),
            KeyCode::PageUp => ("PgUp", "PgUp"),
            KeyCode::PageDown => ("PgDn", "PgDn"),
            KeyCode::Delete => ("Del", "Del"),
            KeyCode::Insert => ("Ins", "Ins"),
            KeyCode::Home => ("Home", "Home"),
            KeyCode::End => ("End", "End"),
            KeyCode::Char(c) if is_letter && self.modifiers.contains(KeyModifiers::CONTROL) => {
                text.extend(c.to_uppercase());
                return text;
            }
            _ => {
                text.push_str(&self.name());
                return text;
            }
        };
        text.push_str(if ascii { word } else { symbol });
        text
    }

    /// The name of its code in a key map.
    fn name(self) -> String {
        match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::F(n) => format!("f{n}"),
            other => format!("{other:?}").to_ascii_lowercase(),
        }
    }
}

/// As it is written in a key map.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, modifier) in MODIFIERS.iter().filter(|(name, _)| *name != "super-") {
            if self.modifiers.contains(*modifier) {
                f.write_str(name)?;
            }
        }
        f.write_str(&self.name())
    }
}

/// The other case of a letter where that is one character.
fn single(mut other: impl Iterator<Item = char>, c: char) -> char {
    match (other.next(), other.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// One key, or up to three pressed one after the other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sequence(Vec<Key>);

impl Sequence {
    /// More keys than this in a row nobody remembers.
    pub const MAX: usize = 3;

    /// Reads `q` or `g g`.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let keys = text.split_whitespace().map(Key::parse).collect::<Result<Vec<_>, _>>()?;
        match keys.len() {
            0 => Err(KeyTextError::Empty),
            1..=Self::MAX => Ok(Self(keys)),
            _ => Err(KeyTextError::Long(super::user_file::shown(text))),
        }
    }

    /// The keys, at least one.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The first key.
    pub fn first(&self) -> Option<Key> {
        self.0.first().copied()
    }

    /// Both cannot be told apart while typing: they are equal, or one begins with the other.
    pub fn clashes(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// Short, for the screen: `gg`, `^W j`.
    pub fn pretty(&self, ascii: bool) -> String {
        let texts: Vec<String> = self.0.iter().map(|k| k.pretty(ascii)).collect();
        texts.join(if self.0.iter().all(|k| k.is_printable()) { "" } else { " " })
    }
}

impl From<Key> for Sequence {
    fn from(key: Key) -> Self {
        Self(vec![key])
    }
}

/// As it is written in a key map.
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            write!(f, "{}{key}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyEventState, ModifierKeyCode};
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).expect("a key")
    }

    #[test]
    fn shift_is_one_key_however_it_is_reported() {
        let (none, shift, ctrl) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        for (code, modifiers, text) in [
            (KeyCode::Char('G'), none, "G"),
            (KeyCode::Char('G'), shift, "G"),
            (KeyCode::Char('g'), shift, "G"),
            (KeyCode::Char('g'), shift, "shift-g"),
            (KeyCode::Char('g'), none, "g"),
            (KeyCode::Char('?'), shift, "?"),
            (KeyCode::Char('É'), shift, "shift-é"),
            (KeyCode::Char('ß'), shift, "ß"),
            (KeyCode::Char('C'), ctrl, "ctrl-c"),
            (KeyCode::Char('c'), ctrl, "Ctrl-C"),
            (KeyCode::Char('R'), ctrl | shift, "ctrl-shift-r"),
            (KeyCode::Char('p'), KeyModifiers::ALT | shift, "alt-P"),
            (KeyCode::BackTab, shift, "backtab"),
            (KeyCode::BackTab, none, "shift-tab"),
            (KeyCode::Tab, shift, "BackTab"),
            (KeyCode::Char('\r'), none, "enter"),
            (KeyCode::Left, shift, "shift-left"),
            (KeyCode::Char('-'), ctrl, "ctrl--"),
            (KeyCode::Char('-'), none, "minus"),
            (KeyCode::PageUp, none, "PgUp"),
            (KeyCode::F(5), none, "F5"),
        ] {
            assert_eq!(Key::new(code, modifiers), key(text), "{text}");
        }
        assert_ne!(key("g"), key("G"));
        assert_ne!(key("ctrl-shift-r"), key("ctrl-r"));
    }

    #[test]
    fn releases_and_lone_modifiers_are_no_keys() {
        let event = |code, kind| KeyEvent { code, modifiers: KeyModifiers::NONE, kind, state: KeyEventState::NONE };
        assert_eq!(Key::of_event(event(KeyCode::Char('a'), KeyEventKind::Release)), None);
        assert_eq!(Key::of_event(event(KeyCode::Char('a'), KeyEventKind::Repeat)), Some(key("a")));
        let lone = KeyCode::Modifier(ModifierKeyCode::LeftShift);
        assert_eq!(Key::of_event(event(lone, KeyEventKind::Press)), None);
    }

    #[test]
    fn what_is_no_key_is_named() {
        for bad in ["", "   ", "ctrl-", "qq", "a-b", "f99", "hyper", "\u{1b}", "ctrl-\u{1}", "shift-ctrl-"] {
            assert!(Key::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Sequence::parse("g g").is_ok());
        let said = Sequence::parse("a b c d").expect_err("long").to_string();
        assert!(said.contains("more than 3"), "{said}");
        assert!(Key::parse("blub").expect_err("no key").to_string().contains("`blub`"));
    }

    #[test]
    fn keys_are_short_on_the_screen() {
        for (text, unicode, ascii) in [
            ("enter", "⏎", "Enter"),
            ("space", "␣", "Space"),
            ("ctrl-c", "^C", "^C"),
            ("up", "↑", "Up"),
            ("ctrl-left", "^←", "^Left"),
            ("shift-left", "⇧←", "shift-Left"),
            ("g g", "gg", "gg"),
            ("ctrl-w j", "^W j", "^W j"),
            ("G", "G", "G"),
            ("backtab", "⇤", "S-Tab"),
            ("f5", "f5", "f5"),
        ] {
            let keys = Sequence::parse(text).expect("keys");
            assert_eq!((keys.pretty(false).as_str(), keys.pretty(true).as_str()), (unicode, ascii));
            assert!(keys.pretty(true).is_ascii());
        }
    }

    fn codes() -> impl Strategy<Value = KeyCode> {
        use KeyCode::{
            BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, PageDown, PageUp,
        };
        use KeyCode::{Right, Tab, Up};
        let named = vec![
            BackTab, Backspace, Delete, Down, End, Enter, Esc, Home, Insert, Left, PageDown, PageUp, Right, Tab, Up,
        ];
        prop_oneof![
            any::<char>().prop_filter("printable", |c| !c.is_control()).prop_map(Char),
            proptest::char::range('!', '~').prop_map(Char),
            (1u8..=24).prop_map(F),
            proptest::sample::select(named),
        ]
    }

    proptest! {
        #[test]
        fn printing_and_parsing_lead_back(code in codes(), bits in 0u8..64) {
            // White space other than the space bar is no key of any keyboard.
            prop_assume!(!matches!(code, KeyCode::Char(c) if c.is_whitespace() && c != ' '));
            let key = Key::new(code, KeyModifiers::from_bits_truncate(bits));
            prop_assert_eq!(Key::parse(&key.to_string()), Ok(key), "{}", key);
            prop_assert_eq!(Key::new(key.code, key.modifiers), key);
            prop_assert_eq!(Sequence::parse(&key.to_string()), Ok(key.into()));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Sequence::parse(&text).map(|s| (s.to_string(), s.pretty(true), s.pretty(false)));
        }
    }
}
