//! Laws of the shipped themes: contrast, colours that stay apart for everybody, lights that fade.

use ratatui::style::{Color, Modifier, Style};

use super::super::colour::{self, Rgb, contrast, difference, from_linear, to_linear};
use super::super::depth::{Background, ColourDepth};
use super::super::meaning::{Meaning, Role};
use super::super::registry::Themes;
use super::super::spec::{Direction, Spec};
use super::Theme;

const DEPTHS: [ColourDepth; 4] = [ColourDepth::None, ColourDepth::Sixteen, ColourDepth::TwoFiftySix, ColourDepth::True];
/// Themes with colours, and the least contrast of their text and of their lines.
const COLOURED: [(&str, f64, f64); 4] =
    [("dark", 4.5, 3.0), ("light", 4.5, 3.0), ("contrast", 7.0, 4.5), ("colour-blind", 4.5, 3.0)];

/// A changed cell's own ground.
const LIGHT: &str = "a light";
/// The least contrast on a light of 256 colours, of which the darkest green is not very dark. It lasts seconds.
const COARSE_LIGHT: f64 = 4.0;

fn theme(name: &str, depth: ColourDepth) -> Theme {
    Themes::shipped().theme(name, depth, Background::Dark).expect("shipped")
}

fn seen(colour: Option<Color>) -> Option<Rgb> {
    colour.and_then(colour::rgb)
}

fn foreground(theme: &Theme, meaning: Meaning) -> Rgb {
    let style = theme.style(meaning);
    seen(style.fg).or_else(|| seen(theme.style(Meaning::Text).fg)).expect("a colour")
}

/// Every background that a look may lie on: its own, or else the page, the selected row and a light at its fullest.
fn grounds(theme: &Theme, meaning: Meaning) -> Vec<(&'static str, Rgb)> {
    if let Some(own) = seen(theme.style(meaning).bg) {
        return vec![("its own", own)];
    }
    let mut grounds = vec![
        ("the page", seen(theme.style(Meaning::Text).bg).expect("a page")),
        ("the selected row", seen(theme.style(Meaning::Selection).bg).expect("a row")),
    ];
    let prices = [Meaning::Text, Meaning::Up, Meaning::Down, Meaning::Best, Meaning::Fair, Meaning::OffMarket];
    if prices.contains(&meaning) {
        let other = [(Meaning::Up, Direction::Down), (Meaning::Down, Direction::Up)];
        for direction in Direction::ALL.into_iter().filter(|d| !other.contains(&(meaning, *d))) {
            grounds.push((LIGHT, seen(theme.flash(direction, 1.0).bg).expect("a light")));
        }
    }
    grounds
}

#[test]
fn everything_can_be_read() {
    let mut bad = Vec::new();
    for (name, text, mark) in COLOURED {
        for depth in [ColourDepth::True, ColourDepth::TwoFiftySix] {
            let theme = theme(name, depth);
            for meaning in Meaning::ALL {
                let least = match meaning.role() {
                    Role::Text => text,
                    Role::Mark => mark,
                    Role::Quiet | Role::Surface => continue,
                };
                for (place, ground) in grounds(&theme, *meaning) {
                    let found = contrast(foreground(&theme, *meaning), ground);
                    let coarse = depth == ColourDepth::TwoFiftySix && place == LIGHT;
                    let least = if coarse { least.min(COARSE_LIGHT) } else { least };
                    if found < least {
                        bad.push(format!("{name} {depth:?} {} on {place}: {found:.2} < {least}", meaning.id()));
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn sixteen_colours_never_fall_together() {
    for (name, _, _) in COLOURED {
        let theme = theme(name, ColourDepth::Sixteen);
        for meaning in Meaning::ALL.iter().filter(|m| m.role() != Role::Surface) {
            let (style, text) = (theme.style(*meaning), theme.style(Meaning::Text));
            let fg = style.fg.or(text.fg).expect("a colour");
            assert!(!matches!(fg, Color::Rgb(..) | Color::Indexed(_)), "{name} {meaning:?}");
            assert_ne!(Some(fg), style.bg.or(text.bg), "{name} {meaning:?}");
            if style.bg.is_none() && meaning.role() == Role::Text {
                assert_ne!(Some(fg), theme.style(Meaning::Selection).bg, "{name} {meaning:?} under the cursor");
            }
        }
        assert_ne!(theme.style(Meaning::Up).fg, theme.style(Meaning::Down).fg);
    }
}

/// Red-green blindness, complete (Machado, Oliveira and Fernandes 2009), in linear light.
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];

fn simulated(colour: Rgb, matrix: [[f64; 3]; 3]) -> Rgb {
    let linear = colour.map(to_linear);
    matrix.map(|row| from_linear(row.iter().zip(linear).map(|(m, c)| m * c).sum()))
}

#[test]
fn blue_and_orange_stay_apart_for_everybody() {
    let pairs = [
        (Meaning::Up, Meaning::Down),
        (Meaning::Positive, Meaning::Negative),
        (Meaning::Ok, Meaning::Error),
        (Meaning::GradeGood, Meaning::GradeBad),
        (Meaning::ChartFair, Meaning::ChartBest),
        (Meaning::ChartBest, Meaning::ChartSharp),
        (Meaning::ChartFair, Meaning::ChartSharp),
    ];
    for depth in [ColourDepth::True, ColourDepth::TwoFiftySix] {
        let theme = theme("colour-blind", depth);
        for matrix in [PROTANOPIA, DEUTERANOPIA] {
            let apart = |a, b| difference(simulated(a, matrix), simulated(b, matrix));
            for (one, other) in pairs {
                let found = apart(foreground(&theme, one), foreground(&theme, other));
                assert!(found > 0.1, "{one:?} {other:?} {depth:?}: {found:.3}");
            }
            let [up, down] = Direction::ALL.map(|d| seen(theme.flash(d, 1.0).bg).expect("a light"));
            assert!(apart(up, down) > 0.1, "lights {depth:?}");
        }
    }
    // The measure means something: under the same simulation pure red and green come close.
    let near = difference(simulated([200, 60, 60], DEUTERANOPIA), simulated([110, 125, 45], DEUTERANOPIA));
    assert!(near < 0.1, "{near}");
}

#[test]
fn a_light_fades_to_the_page() {
    for (name, _, _) in COLOURED {
        let theme = theme(name, ColourDepth::True);
        let page = seen(theme.style(Meaning::Text).bg).expect("a page");
        for direction in Direction::ALL {
            let away = |strength| difference(seen(theme.flash(direction, strength).bg).expect("a light"), page);
            let steps: Vec<f64> = (1..=20).map(|n| away(f64::from(n) / 20.0)).collect();
            assert!(steps.windows(2).all(|w| w[0] <= w[1] + 1e-3), "{name} {steps:?}");
            assert!(steps[0] < 0.03 && steps[19] > 0.1, "{name} {steps:?}");
        }
        assert_ne!(theme.flash(Direction::Up, 1.0), theme.flash(Direction::Down, 1.0));
    }
}

#[test]
fn lights_are_few_steps_where_colours_are_few() {
    for depth in DEPTHS {
        let theme = theme("dark", depth);
        for direction in Direction::ALL {
            for nothing in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
                assert_eq!(theme.flash(direction, nothing), Style::new(), "{depth:?}");
            }
            assert_eq!(theme.flash(direction, 7.0), theme.flash(direction, 1.0));
            let mut steps: Vec<Style> = (1..=100).map(|n| theme.flash(direction, f64::from(n) / 100.0)).collect();
            steps.dedup();
            match depth {
                ColourDepth::None => {
                    assert_eq!(steps.len(), 3);
                    assert!(steps.iter().all(|s| s.fg.is_none() && s.bg.is_none()));
                }
                ColourDepth::Sixteen => {
                    assert_eq!(steps.len(), 3);
                    assert_eq!(steps[2].fg, Some(Color::Black));
                }
                ColourDepth::TwoFiftySix => assert!(steps.iter().all(|s| matches!(s.bg, Some(Color::Indexed(16..))))),
                ColourDepth::True => assert!(steps.len() > 16),
            }
        }
    }
}

#[test]
fn without_colours_nothing_has_one_and_what_matters_still_differs() {
    for name in ["dark", "light", "contrast", "colour-blind", "none"] {
        let theme = theme(name, ColourDepth::None);
        for meaning in Meaning::ALL {
            let style = theme.style(*meaning);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {meaning:?}");
        }
        let text = theme.style(Meaning::Text);
        assert!(text.add_modifier.is_empty());
        use Meaning::{Best, CursorCell, Down, Error, Gone, Past, Selection, Stale, Suspect, Up};
        let loud = [Up, Down, Best, Stale, Suspect, Gone, Selection, CursorCell, Error, Past];
        for meaning in loud {
            assert_ne!(theme.style(meaning), text, "{meaning:?}");
        }
        assert_ne!(theme.style(Up), theme.style(Down));
        assert_ne!(theme.style(Selection), theme.style(CursorCell));
    }
    assert_eq!(theme("none", ColourDepth::True).style(Meaning::Text), Style::new());
}

#[test]
fn an_old_theme_file_knows_every_meaning() {
    let text = "[styles]\ntext = { fg = \"#ffffff\", bg = \"#000000\" }\nup = { fg = \"#00ff00\", bold = true }\n";
    let (spec, problems) = Spec::parse(text, &Spec::default()).expect("is TOML");
    assert!(problems.is_empty());
    let theme = Theme::new("old", &spec, &Spec::default(), ColourDepth::True);
    assert_eq!(theme.style(Meaning::GradeGood), theme.style(Meaning::Up));
    assert_eq!(theme.style(Meaning::Steam), Style::new().fg(Color::Rgb(255, 255, 255)), "text, without its page");
    assert!(theme.style(Meaning::Selection).add_modifier.contains(Modifier::REVERSED));
    assert_eq!(theme.style(Meaning::CursorCell).fg, Some(Color::Rgb(255, 255, 255)));
    assert!(theme.flash(Direction::Up, 1.0).add_modifier.contains(Modifier::BOLD), "no light: a ladder");
}
