//! What a terminal can show, found out from what its environment says. Values in, answers out: nothing here reads
//! the environment by itself.

use ratatui::style::Color;

use super::colour::{nearest_16, nearest_256, rgb};
use super::glyph::Glyphs;

/// What the environment says about a terminal. An empty variable counts as not set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Environment {
    /// `NO_COLOR`.
    pub no_color: Option<String>,
    /// `COLORTERM`.
    pub colorterm: Option<String>,
    /// `TERM`.
    pub term: Option<String>,
    /// `TERM_PROGRAM`.
    pub term_program: Option<String>,
    /// `WT_SESSION`, which Windows Terminal sets.
    pub wt_session: Option<String>,
    /// `COLORFGBG`, foreground and background as numbers.
    pub colorfgbg: Option<String>,
    /// The locale for characters: the first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set.
    pub locale: Option<String>,
}

impl Environment {
    /// From a way to look variables up, such as `|name| std::env::var(name).ok()`.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|v| !v.is_empty());
        Self {
            no_color: get("NO_COLOR"),
            colorterm: get("COLORTERM"),
            term: get("TERM"),
            term_program: get("TERM_PROGRAM"),
            wt_session: get("WT_SESSION"),
            colorfgbg: get("COLORFGBG"),
            locale: get("LC_ALL").or_else(|| get("LC_CTYPE")).or_else(|| get("LANG")),
        }
    }

    fn term(&self) -> &str {
        self.term.as_deref().unwrap_or("")
    }
}

/// How many colours can be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ColourDepth {
    /// None: bold, dim, underlined and reversed text only.
    None,
    /// The sixteen named colours.
    Sixteen,
    /// 240 fixed colours and the sixteen.
    TwoFiftySix,
    /// Any.
    True,
}

/// Terminal programs (`TERM_PROGRAM`) that show any colour.
const TRUE_PROGRAMS: [&str; 9] =
    ["iTerm.app", "WezTerm", "ghostty", "vscode", "Hyper", "rio", "WarpTerminal", "mintty", "Tabby"];
/// Beginnings of `TERM` of terminals that show any colour.
const TRUE_TERMS: [&str; 8] =
    ["xterm-kitty", "xterm-ghostty", "alacritty", "wezterm", "foot", "contour", "rio", "iterm2"];
/// Beginnings of `TERM` of terminals without colour.
const PLAIN_TERMS: [&str; 4] = ["dumb", "vt1", "vt2", "vt52"];

impl ColourDepth {
    /// What a terminal shows, as far as its environment tells.
    ///
    /// `NO_COLOR` wins over all. `TERM=linux` is believed over `COLORTERM`, which is often carried over from the
    /// session that started it; the console has sixteen colours whatever it is sent.
    pub fn detect(environment: &Environment) -> Self {
        let term = environment.term();
        let begins = |names: &[&str]| names.iter().any(|n| term.starts_with(n));
        let is_multiplexer = begins(&["screen", "tmux"]);
        let program = environment.term_program.as_deref().filter(|_| !is_multiplexer);
        let colorterm = environment.colorterm.as_deref().map(str::to_ascii_lowercase);
        if environment.no_color.is_some() || begins(&PLAIN_TERMS) {
            Self::None
        } else if term.starts_with("linux") {
            Self::Sixteen
        } else if matches!(colorterm.as_deref(), Some("truecolor" | "24bit"))
            || begins(&TRUE_TERMS)
            || term.ends_with("-direct")
            || environment.wt_session.is_some()
            || program.is_some_and(|p| TRUE_PROGRAMS.contains(&p))
        {
            Self::True
        } else if term.contains("256color") || program == Some("Apple_Terminal") {
            Self::TwoFiftySix
        } else {
            Self::Sixteen
        }
    }

    /// Reads `none`, `16`, `256` or `true`; `auto` and everything else is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" | "0" => Some(Self::None),
            "16" => Some(Self::Sixteen),
            "256" => Some(Self::TwoFiftySix),
            "true" | "truecolor" | "24bit" => Some(Self::True),
            _ => None,
        }
    }

    /// Its name, as [`Self::parse`] reads it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sixteen => "16",
            Self::TwoFiftySix => "256",
            Self::True => "true",
        }
    }

    /// The nearest that can be shown; nothing where there are no colours. Names stay names, whatever the user made
    /// of them.
    pub fn show(self, colour: Color) -> Option<Color> {
        match (self, colour) {
            (Self::None, _) => None,
            (Self::TwoFiftySix, Color::Rgb(r, g, b)) => Some(nearest_256([r, g, b])),
            (Self::Sixteen, Color::Rgb(..) | Color::Indexed(_)) => rgb(colour).map(nearest_16),
            _ => Some(colour),
        }
    }
}

/// Whether the terminal's own background is dark or light.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Background {
    /// Dark, or unknown.
    #[default]
    Dark,
    /// Light.
    Light,
}

impl Background {
    /// A guess from `COLORFGBG`, whose last number is the background.
    pub fn guess(environment: &Environment) -> Self {
        let number = environment.colorfgbg.as_deref().and_then(|v| v.rsplit(';').next()?.trim().parse::<u8>().ok());
        match number {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }
}

impl Glyphs {
    /// Unicode where the locale is in UTF-8 and the terminal has a font for it; the text console has not.
    pub fn detect(environment: &Environment) -> Self {
        let term = environment.term();
        let locale = environment.locale.as_deref().map(str::to_ascii_lowercase);
        let is_utf8 = locale.as_deref().is_some_and(|l| l.contains("utf-8") || l.contains("utf8"));
        let is_plain = PLAIN_TERMS.iter().chain(&["linux"]).any(|n| term.starts_with(n));
        if !is_plain && (is_utf8 || environment.wt_session.is_some()) { Self::Unicode } else { Self::Ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn depth_is_found_out() {
        use ColourDepth::{None, Sixteen, True, TwoFiftySix};
        for (pairs, expected) in [
            (&[][..], Sixteen),
            (&[("TERM", "xterm")], Sixteen),
            (&[("TERM", "xterm-256color")], TwoFiftySix),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], True),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "24bit")], True),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "yes")], TwoFiftySix),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")], None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], TwoFiftySix),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], None),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Sixteen),
            (&[("TERM", "vt100")], None),
            (&[("TERM", "xterm-kitty")], True),
            (&[("TERM", "xterm-direct")], True),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], True),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], TwoFiftySix),
            (&[("TERM", "screen"), ("TERM_PROGRAM", "iTerm.app")], Sixteen),
            (&[("TERM", "tmux-256color")], TwoFiftySix),
            (&[("WT_SESSION", "x")], True),
        ] {
            assert_eq!(ColourDepth::detect(&environment(pairs)), expected, "{pairs:?}");
        }
        for depth in [None, Sixteen, TwoFiftySix, True] {
            assert_eq!(ColourDepth::parse(depth.id()), Some(depth));
        }
        assert_eq!(ColourDepth::parse("auto"), Option::None);
    }

    #[test]
    fn background_is_guessed() {
        for (value, expected) in [
            ("15;0", Background::Dark),
            ("0;15", Background::Light),
            ("0;default;15", Background::Light),
            ("12;8", Background::Dark),
            ("0;7", Background::Light),
            ("default", Background::Dark),
            ("", Background::Dark),
        ] {
            assert_eq!(Background::guess(&environment(&[("COLORFGBG", value)])), expected, "{value}");
        }
    }

    #[test]
    fn glyphs_follow_the_locale() {
        for (pairs, expected) in [
            (&[][..], Glyphs::Ascii),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "xterm")], Glyphs::Unicode),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], Glyphs::Ascii),
            (&[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "C.utf8")], Glyphs::Unicode),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux")], Glyphs::Ascii),
            (&[("WT_SESSION", "x")], Glyphs::Unicode),
        ] {
            assert_eq!(Glyphs::detect(&environment(pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn colours_are_brought_down() {
        let red = Color::Rgb(255, 123, 114);
        assert_eq!(ColourDepth::None.show(red), None);
        assert_eq!(ColourDepth::Sixteen.show(red), Some(Color::LightRed));
        assert_eq!(ColourDepth::Sixteen.show(Color::Indexed(22)), Some(Color::Green));
        assert!(matches!(ColourDepth::TwoFiftySix.show(red), Some(Color::Indexed(16..))));
        assert_eq!(ColourDepth::True.show(red), Some(red));
        for depth in [ColourDepth::Sixteen, ColourDepth::TwoFiftySix] {
            assert_eq!(depth.show(Color::Green), Some(Color::Green));
            assert_eq!(depth.show(Color::Reset), Some(Color::Reset));
        }
    }
}
