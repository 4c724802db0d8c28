//! The page of the manual about themes, written from the tables.

use std::fmt::Write;

use super::glyph::{Glyph, Glyphs};
use super::meaning::{Meaning, Role};
use super::registry::Themes;

/// The page in Markdown.
pub fn manual() -> String {
    let mut text = String::from(
        "# Themes\n\n\
         This page is written from the table of meanings and the shipped themes; a test keeps them equal.\n\n\
         | Theme | |\n|---|---|\n| `auto` | Dark or light, after the terminal's background |\n",
    );
    let themes = Themes::shipped();
    for name in themes.names() {
        let _ = writeln!(text, "| `{name}` | {} |", themes.spec(name).map_or("", |s| s.about()));
    }
    text.push_str(
        "\nHow many colours the terminal shows is found out from `NO_COLOR`, `COLORTERM`, `TERM` and `TERM_PROGRAM` \
         (none, 16, 256, true) and can be set. Without colours the theme `none` is used whatever was chosen. Colour \
         never stands alone: every change has an arrow or a sign with it.\n\n\
         ## Your own\n\n\
         Each `.toml` file in the folder `themes` beside the settings file is a theme, named after the file. It is \
         read again when it is saved; entries that cannot be used are named with their line and skipped, and a file \
         that is broken keeps what was read from it before.\n\n\
         ```toml\n\
         about = \"Mine\"\n\
         extends = \"dark\"                 # what is not said here is taken from there\n\n\
         [palette]                        # names for colours; a new value reaches everything that uses the name\n\
         green = \"#5fd38d\"\n\n\
         [sixteen]                        # the same names where only sixteen colours can be shown\n\
         green = \"light-green\"\n\n\
         [styles]                         # looks by meaning\n\
         up = \"green\"                     # short for { fg = \"green\" }\n\
         title = { fg = \"#ffffff\", bold = true }\n\n\
         [sixteen-styles]                 # looks that differ where only sixteen colours can be shown\n\
         header = { fg = \"green\", underline = true }\n\n\
         [flash]                          # backgrounds of cells that have just changed\n\
         up = \"#08491c\"\n\
         down = \"#5c1a1e\"\n\
         ```\n\n\
         A colour is `\"#rrggbb\"`, a number from 0 to 255, one of the sixteen names (`red`, `light-red`, \
         `dark-gray`), `\"terminal\"` for the terminal's own, or a name of `[palette]`. A look has `fg`, `bg`, `bold`, \
         `dim`, `italic`, `underline`, `reverse` and `strike`. Where nothing is hand-picked the nearest colour is \
         taken.\n\n\
         ## Meanings\n\n\
         A meaning that a theme does not name takes the look of the one it falls back to.\n\n\
         | Meaning | What has this look | Falls back to |\n|---|---|---|\n",
    );
    for meaning in Meaning::ALL {
        let fallback = match (meaning.role(), meaning.fallback()) {
            (Role::Surface, _) => "reversed text".to_owned(),
            (_, Some(other)) => format!("`{}`", other.id()),
            (_, None) => String::new(),
        };
        let _ = writeln!(text, "| `{}` | {} | {fallback} |", meaning.id(), meaning.about());
    }
    text.push_str(
        "\n## Signs\n\n\
         Signs of Unicode are used where the locale is in UTF-8, and their twins in ASCII elsewhere and on the text \
         console.\n\n| Sign | ASCII | Meaning |\n|---|---|---|\n",
    );
    for glyph in Glyph::ALL {
        let sign = |glyphs: Glyphs| glyphs.get(*glyph).replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | `{}` | {} |", sign(Glyphs::Unicode), sign(Glyphs::Ascii), glyph.about());
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manual_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/themes.md");
        let generated = super::manual();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &generated).expect("writes");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == generated, "docs/themes.md is out of date; run this test once with UPDATE_DOCS=1");
    }
}
