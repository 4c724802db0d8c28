//! The themes that can be chosen: the shipped ones, and those of a folder of the user's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::depth::{Background, ColourDepth};
use super::spec::Spec;
use super::style::Theme;
use crate::board::keys::user_file::{advice, read, shown};
use crate::board::keys::{FileError, Problem};

/// The theme of a terminal with a dark background, and the one that is used when no other can be.
pub const DARK: &str = "dark";
/// The theme of a terminal with a light background.
pub const LIGHT: &str = "light";
/// The theme without colours.
pub const PLAIN: &str = "none";
/// Not a theme: dark or light after the terminal's background.
pub const AUTO: &str = "auto";

/// The shipped themes, each after the one it extends.
const SHIPPED: [(&str, &str); 5] = [
    (DARK, include_str!("../../../assets/themes/dark.toml")),
    (LIGHT, include_str!("../../../assets/themes/light.toml")),
    ("contrast", include_str!("../../../assets/themes/contrast.toml")),
    ("colour-blind", include_str!("../../../assets/themes/colour-blind.toml")),
    (PLAIN, include_str!("../../../assets/themes/none.toml")),
];
/// Themes of a folder beyond these are not read.
const MAX_FILES: usize = 200;

/// Something wrong with a theme file.
#[derive(Debug)]
pub enum ThemeProblem {
    /// One entry was skipped; the theme holds without it.
    Entry(PathBuf, Problem),
    /// The file cannot be used; what was read from it before holds.
    File(PathBuf, FileError),
    /// What the file extends cannot be had; it was laid over [`DARK`].
    Base(PathBuf, String),
    /// The folder cannot be read.
    Folder(PathBuf, std::io::Error),
}

impl std::fmt::Display for ThemeProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry(path, problem) => write!(f, "{}, {problem}", path.display()),
            // This one names its file by itself.
            Self::File(_, error @ FileError::Read { .. }) => error.fmt(f),
            Self::File(path, error) => write!(f, "{}, {error}", path.display()),
            Self::Base(path, text) => write!(f, "{}, {text}", path.display()),
            Self::Folder(path, source) => {
                write!(f, "{}: the folder of themes cannot be read ({source}); check its owner", path.display())
            }
        }
    }
}

/// All themes by name. Immutable; a changed file makes others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Themes {
    specs: BTreeMap<String, Spec>,
}

impl Default for Themes {
    fn default() -> Self {
        Self::shipped()
    }
}

impl Themes {
    /// The shipped themes. A test holds them free of problems.
    pub fn shipped() -> Self {
        let mut specs = BTreeMap::new();
        for (name, text) in SHIPPED {
            let base = base_of_shipped(text, &specs);
            let spec = Spec::parse(text, &base).map(|(spec, _)| spec).unwrap_or_default();
            specs.insert(name.to_owned(), spec);
        }
        Self { specs }
    }

    /// The shipped themes and those of a folder, one a `.toml` file, named after it; a user's `dark.toml` takes the
    /// place of the shipped one. A folder that is not there is no problem.
    pub fn load(folder: &Path) -> (Self, Vec<ThemeProblem>) {
        Self::shipped().reload(folder)
    }

    /// The folder read again. A file that is broken now keeps what was read from it before.
    pub fn reload(&self, folder: &Path) -> (Self, Vec<ThemeProblem>) {
        let mut loader =
            Loader { previous: self, texts: BTreeMap::new(), done: Self::shipped().specs, problems: vec![] };
        loader.read_folder(folder);
        let names: Vec<String> = loader.texts.keys().cloned().collect();
        for name in &names {
            loader.theme(name, &mut Vec::new());
        }
        (Self { specs: loader.done }, loader.problems)
    }

    /// The names: the shipped ones in their order, then the user's by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.specs.keys().map(String::as_str).filter(|n| !SHIPPED.iter().any(|(s, _)| s == n));
        SHIPPED.iter().map(|(name, _)| *name).chain(own)
    }

    /// The name after `name`, round and round.
    pub fn next(&self, name: &str) -> &str {
        self.names().skip_while(|n| *n != name).nth(1).or_else(|| self.names().next()).unwrap_or(DARK)
    }

    /// A theme as it is written.
    pub fn spec(&self, name: &str) -> Option<&Spec> {
        self.specs.get(name)
    }

    /// A theme worked out for a terminal; [`AUTO`] goes by the background. None if there is no such theme.
    pub fn theme(&self, name: &str, depth: ColourDepth, background: Background) -> Option<Theme> {
        let name = match (name, background) {
            (AUTO, Background::Dark) => DARK,
            (AUTO, Background::Light) => LIGHT,
            (name, _) => name,
        };
        let spec = self.specs.get(name)?;
        Some(Theme::new(name, spec, self.specs.get(PLAIN).unwrap_or(&Spec::default()), depth))
    }

    /// Why there is no such theme, and what there is.
    pub fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = std::iter::once(AUTO).chain(self.names()).collect();
        format!(
            "there is no theme `{}`{}; there are {}",
            shown(name),
            advice(name, names.iter().copied()),
            names.join(", ")
        )
    }
}

fn base_of_shipped(text: &str, specs: &BTreeMap<String, Spec>) -> Spec {
    let name = Spec::extends(text).ok().flatten();
    name.and_then(|n| specs.get(&n)).cloned().unwrap_or_default()
}

struct Loader<'a> {
    previous: &'a Themes,
    /// Files still to be read into themes, by the theme's name.
    texts: BTreeMap<String, (PathBuf, String)>,
    done: BTreeMap<String, Spec>,
    problems: Vec<ThemeProblem>,
}

impl Loader<'_> {
    fn read_folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => {
                self.problems.push(ThemeProblem::Folder(folder.to_owned(), e));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_theme(p)).collect();
        paths.sort();
        for path in paths.into_iter().take(MAX_FILES) {
            let Some(name) = path.file_stem().and_then(|n| n.to_str()).map(str::to_owned) else { continue };
            match read(&path) {
                Ok(text) => {
                    self.texts.insert(name, (path, text));
                }
                Err(e) => self.broken(&name, path, e),
            }
        }
    }

    /// Makes a theme, after the one that it extends. `open` are the themes that wait for this one.
    fn theme(&mut self, name: &str, open: &mut Vec<String>) {
        let Some((path, text)) = self.texts.remove(name) else { return };
        let extends = match Spec::extends(&text) {
            Ok(extends) => extends,
            Err(e) => return self.broken(name, path, e),
        };
        open.push(name.to_owned());
        let base = extends.map(|base| self.base(name, &base, &path, open));
        open.pop();
        match Spec::parse(&text, &base.unwrap_or_default()) {
            Ok((spec, problems)) => {
                self.done.insert(name.to_owned(), spec);
                self.problems.extend(problems.into_iter().map(|p| ThemeProblem::Entry(path.clone(), p)));
            }
            Err(e) => self.broken(name, path, e),
        }
    }

    fn base(&mut self, name: &str, base: &str, path: &Path, open: &mut Vec<String>) -> Spec {
        let dark = || base_of(&Themes::shipped().specs, DARK);
        // A user's `dark.toml` that extends `dark` means the shipped one.
        if base == name {
            if let Some(spec) = Themes::shipped().specs.get(base) {
                return spec.clone();
            }
        } else if !open.iter().any(|o| o == base) {
            self.theme(base, open);
            if let Some(spec) = self.done.get(base) {
                return spec.clone();
            }
        }
        let round = base == name || open.iter().any(|o| o == base);
        let text = if round {
            format!("`extends` goes round in a circle at `{}`; it was laid over `{DARK}`", shown(base))
        } else {
            format!("`extends` names no theme: {}; it was laid over `{DARK}`", self.previous.unknown(base))
        };
        self.problems.push(ThemeProblem::Base(path.to_owned(), text));
        dark()
    }

    fn broken(&mut self, name: &str, path: PathBuf, error: FileError) {
        if let Some(spec) = self.previous.specs.get(name) {
            self.done.insert(name.to_owned(), spec.clone());
        }
        self.problems.push(ThemeProblem::File(path, error));
    }
}

fn base_of(specs: &BTreeMap<String, Spec>, name: &str) -> Spec {
    specs.get(name).cloned().unwrap_or_default()
}

/// Hidden files are an editor's own.
fn is_theme(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|e| e == "toml") && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::super::meaning::Meaning;
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("dir");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("writes");
        }
        dir
    }

    fn fg(themes: &Themes, name: &str, meaning: Meaning) -> Option<ratatui::style::Color> {
        themes.theme(name, ColourDepth::True, Background::Dark).expect("a theme").style(meaning).fg
    }

    #[test]
    fn the_shipped_themes_have_no_problems() {
        let mut specs = BTreeMap::new();
        for (name, text) in SHIPPED {
            let (spec, problems) = Spec::parse(text, &base_of_shipped(text, &specs)).expect("is TOML");
            assert_eq!(problems, [], "{name}");
            assert!(!spec.about().is_empty());
            specs.insert(name.to_owned(), spec);
        }
        let themes = Themes::default();
        assert_eq!(themes.names().collect::<Vec<_>>(), ["dark", "light", "contrast", "colour-blind", "none"]);
        assert_eq!((themes.next("none"), themes.next("dark"), themes.next("lost")), ("dark", "light", "dark"));
        for (background, name) in [(Background::Dark, DARK), (Background::Light, LIGHT)] {
            let theme = themes.theme(AUTO, ColourDepth::True, background).expect("a theme");
            assert_eq!(theme.name(), name);
        }
        assert!(themes.theme("drak", ColourDepth::True, Background::Dark).is_none());
        assert!(themes.unknown("drak").contains("did you mean `dark`?"));
    }

    #[test]
    fn users_themes_extend_others_in_any_order() {
        let dir = folder(&[
            ("a.toml", "extends = \"b\"\n[styles]\ndown = \"#0000ff\"\n"),
            ("b.toml", "extends = \"dark\"\n[palette]\ngreen = \"#00ff00\"\n"),
            ("dark.toml", "extends = \"dark\"\n[styles]\nwarning = \"#010203\"\n"),
            (".hidden.toml", "nonsense ="),
            ("notes.txt", "nonsense ="),
        ]);
        let (themes, problems) = Themes::load(dir.path());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(themes.names().skip(5).collect::<Vec<_>>(), ["a", "b"]);
        let rgb = |r, g, b| Some(ratatui::style::Color::Rgb(r, g, b));
        assert_eq!(fg(&themes, "a", Meaning::Down), rgb(0, 0, 255));
        assert_eq!(fg(&themes, "a", Meaning::Up), rgb(0, 255, 0), "a colour of the palette reaches every look");
        assert_eq!(fg(&themes, "a", Meaning::Warning), rgb(1, 2, 3));
    }

    #[test]
    fn circles_and_lost_bases_are_named() {
        let dir = folder(&[
            ("a.toml", "extends = \"b\"\n"),
            ("b.toml", "extends = \"a\"\n"),
            ("c.toml", "extends = \"c\"\n"),
            ("d.toml", "extends = \"drak\"\n"),
        ]);
        let (themes, problems) = Themes::load(dir.path());
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("b.toml") && said[0].contains("circle at `a`"), "{said:?}");
        assert!(said[1].contains("c.toml") && said[1].contains("circle"), "{said:?}");
        assert!(said[2].contains("d.toml") && said[2].contains("did you mean `dark`?"), "{said:?}");
        for name in ["a", "b", "c", "d"] {
            assert_eq!(fg(&themes, name, Meaning::Up), fg(&themes, "dark", Meaning::Up));
        }
    }

    #[test]
    fn a_broken_file_keeps_what_was_there() {
        let dir = folder(&[("mine.toml", "extends = \"dark\"\n[styles]\nup = \"#010203\"\n")]);
        let (themes, _) = Themes::load(dir.path());
        let before = fg(&themes, "mine", Meaning::Up);
        std::fs::write(dir.path().join("mine.toml"), "[styles\nup = \"#ffffff\"\n").expect("writes");
        let (themes, problems) = themes.reload(dir.path());
        assert!(matches!(problems.as_slice(), [ThemeProblem::File(..)]));
        assert!(problems[0].to_string().contains("mine.toml, line 1"), "{}", problems[0]);
        assert_eq!(fg(&themes, "mine", Meaning::Up), before);
        std::fs::write(dir.path().join("mine.toml"), "[styles]\nup = \"nope\"\n").expect("writes");
        let (themes, problems) = themes.reload(dir.path());
        assert!(matches!(problems.as_slice(), [ThemeProblem::Entry(..)]));
        std::fs::remove_file(dir.path().join("mine.toml")).expect("removes");
        assert_eq!(themes.reload(dir.path()).0, Themes::default());
        assert!(Themes::load(&dir.path().join("none")).1.is_empty());
    }
}
