//! A theme brought to a terminal: every look worked out beforehand, so that a frame only looks them up.

use ratatui::style::{Color, Modifier, Style};

use super::colour::{self, Rgb};
use super::depth::ColourDepth;
use super::meaning::{Meaning, Role};
use super::spec::{Direction, Look, Paint, Spec};

/// Steps of a fading light, from nothing to full. More cannot be told apart.
const STEPS: usize = 32;

/// The looks of everything, for one terminal.
#[derive(Clone, PartialEq, Debug)]
pub struct Theme {
    name: String,
    depth: ColourDepth,
    styles: [Style; Meaning::COUNT],
    flash: [[Style; STEPS + 1]; 2],
}

impl Theme {
    /// Works every look out. `plain` is the theme without colours, which is used where there are none.
    pub(super) fn new(name: &str, spec: &Spec, plain: &Spec, depth: ColourDepth) -> Self {
        let spec = if depth == ColourDepth::None { plain } else { spec };
        let brush = Brush { spec, depth };
        let mut styles = [Style::new(); Meaning::COUNT];
        for (style, meaning) in styles.iter_mut().zip(Meaning::ALL) {
            *style = brush.style(*meaning);
        }
        let flash = Direction::ALL.map(|direction| {
            let mut steps = [Style::new(); STEPS + 1];
            for (at, step) in steps.iter_mut().enumerate() {
                *step = brush.flash(direction, at as f64 / STEPS as f64);
            }
            steps
        });
        Self { name: name.to_owned(), depth, styles, flash }
    }

    /// No theme at all: plain text.
    pub fn bare() -> Self {
        Self::new("bare", &Spec::default(), &Spec::default(), ColourDepth::None)
    }

    /// The theme's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many colours it was worked out for.
    pub const fn depth(&self) -> ColourDepth {
        self.depth
    }

    /// The look of a meaning. [`Meaning::Text`] has the page's background, others have one only where it differs, so
    /// that a look can be laid over a selected row.
    pub fn style(&self, meaning: Meaning) -> Style {
        self.styles.get(meaning as usize).copied().unwrap_or_default()
    }

    /// The light of a cell that has just changed, to be laid over its look: full at `strength` 1, gone at 0 and for
    /// what is no number.
    pub fn flash(&self, direction: Direction, strength: f64) -> Style {
        let step = (strength.clamp(0.0, 1.0) * STEPS as f64).ceil() as usize;
        self.flash.get(direction as usize).and_then(|steps| steps.get(step)).copied().unwrap_or_default()
    }
}

struct Brush<'a> {
    spec: &'a Spec,
    depth: ColourDepth,
}

impl Brush<'_> {
    /// The look that is written for a meaning or for one it falls back to. The page's own look, and with it the
    /// page's background, is for the page alone.
    fn look(&self, meaning: Meaning) -> Option<&Look> {
        let sixteen = (self.depth == ColourDepth::Sixteen).then_some(&self.spec.sixteen_styles);
        let mut chain = meaning.chain().filter(|m| *m != Meaning::Text || meaning == Meaning::Text);
        chain.find_map(|m| sixteen.and_then(|s| s.get(&m)).or_else(|| self.spec.styles.get(&m)))
    }

    fn style(&self, meaning: Meaning) -> Style {
        let style = Style::new();
        match self.look(meaning) {
            Some(look) => Style {
                fg: look.fg.as_ref().and_then(|p| self.paint(p)),
                bg: look.bg.as_ref().and_then(|p| self.paint(p)),
                ..style.add_modifier(look.modifier)
            },
            None if meaning == Meaning::Text => style,
            // A row under the cursor that cannot be seen would be worse than an ugly one.
            None if meaning.role() == Role::Surface => style.add_modifier(Modifier::REVERSED),
            None => self.text_without_background(),
        }
    }

    fn text_without_background(&self) -> Style {
        Style { bg: None, ..self.style(Meaning::Text) }
    }

    fn paint(&self, paint: &Paint) -> Option<Color> {
        match paint {
            Paint::Colour(colour) => self.depth.show(*colour),
            Paint::Named(name) => {
                let picked = self.spec.sixteen.get(name).filter(|_| self.depth == ColourDepth::Sixteen);
                picked.or_else(|| self.spec.palette.get(name)).and_then(|c| self.depth.show(*c))
            }
        }
    }

    /// What a paint looks like before it is brought down to the terminal.
    fn rgb(&self, paint: &Paint) -> Option<Rgb> {
        match paint {
            Paint::Colour(colour) => colour::rgb(*colour),
            Paint::Named(name) => self.spec.palette.get(name).and_then(|c| colour::rgb(*c)),
        }
    }

    fn flash(&self, direction: Direction, strength: f64) -> Style {
        if strength <= 0.0 {
            return Style::new();
        }
        let light = self.spec.flash.get(&direction);
        let page = self.spec.styles.get(&Meaning::Text).and_then(|look| look.bg.as_ref());
        match (self.depth, light.and_then(|p| self.rgb(p))) {
            (ColourDepth::None, _) | (_, None) => ladder(strength, PLAIN),
            (ColourDepth::Sixteen, Some(_)) => {
                let fg = self.style(if direction == Direction::Up { Meaning::Up } else { Meaning::Down });
                let full = Style { bg: fg.fg, ..Style::new().fg(Color::Black).add_modifier(Modifier::BOLD) };
                let weak = Style { fg: fg.fg, ..Style::new() };
                ladder(strength, [full, weak.add_modifier(Modifier::BOLD), weak])
            }
            (_, Some(light)) => {
                // Over the terminal's own background the light cannot fade to it: it stays and then goes.
                let mixed = page.and_then(|p| self.rgb(p)).map_or(light, |page| colour::mix(page, light, strength));
                let [r, g, b] = mixed;
                Style { bg: self.depth.show(Color::Rgb(r, g, b)), ..Style::new() }
            }
        }
    }
}

/// Lights where there are no colours.
const PLAIN: [Style; 3] = [
    Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
    Style::new().add_modifier(Modifier::BOLD),
    Style::new().add_modifier(Modifier::UNDERLINED),
];

/// One of three steps.
fn ladder(strength: f64, [full, half, weak]: [Style; 3]) -> Style {
    match strength {
        s if s > 2.0 / 3.0 => full,
        s if s > 1.0 / 3.0 => half,
        _ => weak,
    }
}

#[cfg(test)]
#[path = "style_tests.rs"]
mod tests;
