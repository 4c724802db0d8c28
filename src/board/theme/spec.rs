//! A theme as it is written: names, colours and looks, read from a file, not yet brought to a terminal.
//!
//! ```toml
//! about = "One line for people"
//! extends = "dark"                # optional; what is not said here is taken from there
//!
//! [palette]                       # names for colours
//! green = "#5fd38d"
//! [sixteen]                       # the same names where only sixteen colours can be shown
//! green = "light-green"
//! [styles]                        # looks by meaning
//! up = "green"                    # short for { fg = "green" }
//! title = { fg = "green", bold = true }
//! [sixteen-styles]                # looks that differ where only sixteen colours can be shown
//! selection = { reverse = true }
//! [flash]                         # backgrounds of cells that have just changed
//! up = "#08491c"
//! down = "#5c1a1e"
//! ```
//!
//! A wrong entry is skipped and named by its line; the others hold.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier};
use toml_edit::{Item, TableLike, Value};

use super::colour;
use super::meaning::Meaning;
use crate::board::keys::user_file::{UserFile, advice, shown};
use crate::board::keys::{FileError, Problem};

/// A colour, or the name of one in the palette.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Paint {
    Colour(Color),
    Named(String),
}

/// A look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Look {
    pub fg: Option<Paint>,
    pub bg: Option<Paint>,
    pub modifier: Modifier,
}

/// Which way a value changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// It grew.
    Up,
    /// It shrank.
    Down,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    const fn id(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// A theme as it is written, with what it extends already under it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spec {
    pub(super) about: String,
    pub(super) palette: BTreeMap<String, Color>,
    pub(super) sixteen: BTreeMap<String, Color>,
    pub(super) styles: BTreeMap<Meaning, Look>,
    pub(super) sixteen_styles: BTreeMap<Meaning, Look>,
    pub(super) flash: BTreeMap<Direction, Paint>,
}

/// Modifiers by name.
const MODIFIERS: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
    ("strike", Modifier::CROSSED_OUT),
];
/// Sections and names of a theme file.
const TOP: [&str; 7] = ["about", "extends", "palette", "sixteen", "styles", "sixteen-styles", "flash"];
/// How a colour is written.
const COLOUR_FORMS: &str = "write \"#rrggbb\", a number from 0 to 255, one of the sixteen names (red, light-red, dark-gray), \"terminal\", \
     or a name of [palette]";

impl Spec {
    /// One line for people.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The name of the theme that `text` extends, if it says one.
    pub(super) fn extends(text: &str) -> Result<Option<String>, FileError> {
        let file = UserFile::parse(text)?;
        Ok(file.root().get("extends").and_then(Item::as_str).map(str::to_owned))
    }

    /// Reads `text` over `base`. An error means that the text is no TOML.
    pub(super) fn parse(text: &str, base: &Self) -> Result<(Self, Vec<Problem>), FileError> {
        let file = UserFile::parse(text)?;
        let mut reader =
            Reader { file: &file, spec: Self { about: String::new(), ..base.clone() }, problems: Vec::new() };
        reader.all();
        reader.problems.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
        Ok((reader.spec, reader.problems))
    }
}

struct Reader<'a> {
    file: &'a UserFile<'a>,
    spec: Spec,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn all(&mut self) {
        let root = self.file.root();
        for (name, item) in root.iter() {
            let is_text = matches!(name, "about" | "extends");
            if !TOP.contains(&name) {
                self.tell(root, name, &format!("is not known{}", advice(name, TOP)));
            } else if is_text && item.as_str().is_none() {
                self.tell(root, name, "must be text in quotes");
            } else if !is_text && item.as_table_like().is_none() {
                self.tell(root, name, &format!("must be a section, written as [{name}]"));
            }
        }
        if let Some(about) = root.get("about").and_then(Item::as_str) {
            self.spec.about = shown(about);
        }
        // Palettes first, whatever the order of the file: the looks are checked against them.
        for (name, item) in self.section("palette") {
            if let Some(colour) = self.plain_colour("palette", name, item) {
                self.spec.palette.insert(name.to_owned(), colour);
                self.spec.sixteen.remove(name);
            }
        }
        for (name, item) in self.section("sixteen") {
            let Some(colour) = self.plain_colour("sixteen", name, item) else { continue };
            if self.spec.palette.contains_key(name) {
                self.spec.sixteen.insert(name.to_owned(), colour);
            } else {
                let near = advice(name, self.spec.palette.keys().map(String::as_str));
                self.tell_in("sixteen", name, &format!("is no name of [palette]{near}"));
            }
        }
        for (name, item) in self.section("styles") {
            if let Some((meaning, look)) = self.style("styles", name, item) {
                self.spec.styles.insert(meaning, look);
                self.spec.sixteen_styles.remove(&meaning);
            }
        }
        for (name, item) in self.section("sixteen-styles") {
            if let Some((meaning, look)) = self.style("sixteen-styles", name, item) {
                self.spec.sixteen_styles.insert(meaning, look);
            }
        }
        for (name, item) in self.section("flash") {
            match Direction::ALL.into_iter().find(|d| d.id() == name) {
                None => self.tell_in("flash", name, "is no direction; there are `up` and `down`"),
                Some(direction) => {
                    if let Some(paint) = item.as_value().and_then(|v| self.paint("flash", name, v)) {
                        self.spec.flash.insert(direction, paint);
                    }
                }
            }
        }
    }

    fn section(&self, name: &str) -> Vec<(&'a str, &'a Item)> {
        let file = self.file;
        file.root().get(name).and_then(Item::as_table_like).map_or_else(Vec::new, |t| t.iter().collect())
    }

    fn plain_colour(&mut self, section: &str, name: &str, item: &Item) -> Option<Color> {
        let text = item.as_value().map(text_of).unwrap_or_default();
        let found = colour::parse(&text);
        if found.is_none() {
            let said = format!("is no colour: `{}`; {COLOUR_FORMS}", shown(&text));
            self.tell_in(section, name, said.trim_end_matches(", or a name of [palette]"));
        }
        found
    }

    fn style(&mut self, section: &str, name: &str, item: &Item) -> Option<(Meaning, Look)> {
        let Some(meaning) = Meaning::of_id(name) else {
            let near = advice(name, Meaning::ALL.iter().map(|m| m.id()));
            self.tell_in(section, name, &format!("is no meaning{near}; the manual lists all"));
            return None;
        };
        let mut look = Look::default();
        let Some(table) = item.as_table_like() else {
            look.fg = Some(self.paint(section, name, item.as_value()?)?);
            return Some((meaning, look));
        };
        for (part, value) in table.iter() {
            let modifier = MODIFIERS.iter().find(|(n, _)| *n == part).map(|(_, m)| *m);
            match (part, value.as_value(), modifier) {
                ("fg", Some(value), _) => look.fg = self.paint(section, name, value),
                ("bg", Some(value), _) => look.bg = self.paint(section, name, value),
                (_, Some(Value::Boolean(on)), Some(modifier)) => look.modifier.set(modifier, *on.value()),
                (_, _, Some(_)) => {
                    self.tell_in(section, name, &format!("has a `{part}` that is neither true nor false"))
                }
                _ => {
                    let known = ["fg", "bg"].into_iter().chain(MODIFIERS.map(|(n, _)| n));
                    self.tell_in(
                        section,
                        name,
                        &format!("has `{}`, which is not known{}", shown(part), advice(part, known)),
                    );
                }
            }
        }
        // A look of which nothing could be read leaves the one that was there.
        let is_empty_by_mistake = look == Look::default() && !table.is_empty() && !only_false(table);
        (!is_empty_by_mistake).then_some((meaning, look))
    }

    fn paint(&mut self, section: &str, name: &str, value: &Value) -> Option<Paint> {
        let text = text_of(value);
        if self.spec.palette.contains_key(&text) {
            return Some(Paint::Named(text));
        }
        let found = colour::parse(&text).map(Paint::Colour);
        if found.is_none() {
            let near = advice(&text, self.spec.palette.keys().map(String::as_str));
            self.tell_in(section, name, &format!("has no such colour as `{}`{near}; {COLOUR_FORMS}", shown(&text)));
        }
        found
    }

    fn tell_in(&mut self, section: &str, name: &str, text: &str) {
        let Some(table) = self.file.root().get(section).and_then(Item::as_table_like) else { return };
        let line = self.file.line_of(table, name);
        self.problems.push(Problem { line, text: format!("`{section}.{}` {text}", shown(name)) });
    }

    fn tell(&mut self, table: &dyn TableLike, name: &str, text: &str) {
        let line = self.file.line_of(table, name);
        self.problems.push(Problem { line, text: format!("`{}` {text}", shown(name)) });
    }
}

/// Every entry switches something off.
fn only_false(table: &dyn TableLike) -> bool {
    table.iter().all(|(_, v)| v.as_bool() == Some(false))
}

/// A colour may be written as a number without quotes.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Integer(number) => number.value().to_string(),
        other => other.to_string().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Spec {
        let text = "[palette]\ngreen = \"#00ff00\"\n[sixteen]\ngreen = \"green\"\n[styles]\nup = \"green\"\n\
                    [sixteen-styles]\nup = { bold = true }\n";
        let (spec, problems) = Spec::parse(text, &Spec::default()).expect("is TOML");
        assert_eq!(problems, []);
        spec
    }

    #[test]
    fn what_is_not_said_is_taken_from_the_base() {
        let text = "about = \"mine\"\n[styles]\nmuted = { fg = \"green\", bg = 17, dim = true, bold = false }\n";
        let (spec, problems) = Spec::parse(text, &base()).expect("is TOML");
        assert_eq!(problems, []);
        assert_eq!((spec.about(), spec.palette.len()), ("mine", 1));
        let look = spec.styles.get(&Meaning::Muted).expect("a look");
        assert_eq!(look.fg, Some(Paint::Named("green".into())));
        assert_eq!((look.bg.clone(), look.modifier), (Some(Paint::Colour(Color::Indexed(17))), Modifier::DIM));
        assert!(spec.styles.contains_key(&Meaning::Up));
    }

    #[test]
    fn a_new_colour_drops_what_was_picked_for_the_old_one() {
        let (spec, _) = Spec::parse("[palette]\ngreen = \"#123456\"\n", &base()).expect("is TOML");
        assert!(spec.sixteen.is_empty());
        let (spec, _) = Spec::parse("[styles]\nup = \"red\"\n", &base()).expect("is TOML");
        assert!(spec.sixteen_styles.is_empty());
    }

    #[test]
    fn wrong_entries_are_named_by_line_and_the_others_hold() {
        for (text, expected) in [
            ("style = 1\n", "line 1: `style` is not known; did you mean `styles`?"),
            ("about = 1\n", "line 1: `about` must be text"),
            ("flash = 1\n", "line 1: `flash` must be a section"),
            ("[palette]\nred = \"rosy\"\n", "line 2: `palette.red` is no colour: `rosy`"),
            ("[sixteen]\ngren = \"green\"\n", "line 2: `sixteen.gren` is no name of [palette]; did you mean `green`?"),
            ("[styles]\nupp = \"red\"\n", "line 2: `styles.upp` is no meaning; did you mean `up`?"),
            ("[styles]\nup = \"gren\"\n", "line 2: `styles.up` has no such colour as `gren`; did you mean `green`?"),
            ("[styles]\nup = \"#12345\"\n", "line 2: `styles.up` has no such colour as `#12345`"),
            ("[styles]\nup = 300\n", "line 2: `styles.up` has no such colour as `300`"),
            (
                "[styles]\nup = { fgg = \"red\" }\n",
                "line 2: `styles.up` has `fgg`, which is not known; did you mean `fg`?",
            ),
            ("[styles]\nup = { bold = 1 }\n", "line 2: `styles.up` has a `bold`"),
            ("[flash]\nleft = \"red\"\n", "line 2: `flash.left` is no direction"),
            ("[flash]\nup = \"no\"\n", "line 2: `flash.up` has no such colour"),
        ] {
            let whole = format!("{text}[sixteen-styles]\ndown = \"red\"\n");
            let (spec, problems) = Spec::parse(&whole, &base()).expect("is TOML");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].to_string().starts_with(expected), "{problems:?}");
            assert_eq!(spec.styles, base().styles, "{text}");
            assert!(spec.sixteen_styles.contains_key(&Meaning::Down), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]a-z=\"\\n .#{},0-9-]{0,200}") {
            let _ = Spec::parse(&text, &base());
        }

        #[test]
        fn no_entry_panics(
            section in proptest::sample::select(TOP.to_vec()),
            name in "[a-z-]{1,12}",
            value in "(\"[#a-z0-9]{0,8}\"|[1-9][0-9]{0,4}|true|\\{ (fg|bg|bold|x) = (1|true|\"red\") \\}|\\[1\\])",
        ) {
            let text = format!("[{section}]\n{name} = {value}\n");
            let (_, problems) = Spec::parse(&text, &base()).expect("is TOML");
            prop_assert!(problems.iter().all(|p| (1..=2).contains(&p.line)));
        }
    }
}
