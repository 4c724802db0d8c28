//! One price in its cell: what is written, in which style, and the sign that says the same without colour.

use ratatui::style::{Modifier, Style};

use crate::board::app::App;
use crate::board::format;
use crate::board::model::{Cell, Market, Offer, Turn};
use crate::board::paint::Paint;
use crate::board::theme::{Direction, Glyph, Meaning};
use crate::engine::price::unit::Layout;
use crate::engine::status::Status;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// What a cell shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// The present offer.
    #[default]
    Current,
    /// The first offer.
    Opener,
    /// The offer before the present one.
    Previous,
    /// Three ages: seen at the book, received, changed.
    Ages,
}

impl Mode {
    /// For the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Opener => "openers",
            Self::Previous => "previous",
            Self::Ages => "ages: at the book / received / changed",
        }
    }
}

/// A change stays lit so long, in milliseconds.
pub const LIT_MS: u32 = 8_000;
/// It fades in so many steps.
pub const FADE_STEPS: u32 = 8;

/// What there is to say of a cell.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// The line, empty where the market has none.
    pub line: String,
    /// The price.
    pub price: String,
    /// The sign behind it.
    pub sign: &'static str,
    /// Of text and sign.
    pub style: Style,
    /// Under both: a light that fades.
    pub under: Option<Style>,
}

/// How bright a change still is: 1 just now, 0 no more, in even steps.
pub fn light(cell: &Cell, tick: u32) -> f32 {
    if cell.lit == 0 || cell.turn == Turn::None {
        return 0.0;
    }
    let passed = tick.saturating_sub(cell.lit);
    if passed >= LIT_MS {
        return 0.0;
    }
    let step = passed * FADE_STEPS / LIT_MS;
    (FADE_STEPS - step) as f32 / FADE_STEPS as f32
}

/// When the light of a cell changes next, in the board's milliseconds.
pub fn next_step(cell: &Cell, tick: u32) -> Option<u32> {
    if cell.lit == 0 || cell.turn == Turn::None {
        return None;
    }
    let passed = tick.saturating_sub(cell.lit);
    (passed < LIT_MS).then(|| cell.lit + (passed * FADE_STEPS / LIT_MS + 1) * LIT_MS / FADE_STEPS)
}

/// A quote that nobody has confirmed for too long, whatever its status was.
pub fn is_stale(cell: &Cell, now: Timestamp, max_age_ms: i64) -> bool {
    cell.status == Status::Stale || cell.age(now) > max_age_ms
}

/// Puts a cell into words. `best`: it is the best price of its side.
pub fn tell(app: &App, paint: &Paint<'_>, market: &Market, cell: &Cell, best: bool) -> Told {
    let now = app.now();
    let stale = is_stale(cell, now, app.at.max_age_ms);
    let brightness = if app.prefs.lights { light(cell, app.tick()) } else { 0.0 };
    let (meaning, sign) = match cell.status {
        Status::Gone => (Meaning::Gone, paint.glyph(Glyph::Gone)),
        Status::Flawed | Status::EventMissing | Status::Unreadable => (Meaning::Suspect, paint.glyph(Glyph::Suspect)),
        _ if stale => (Meaning::Stale, paint.glyph(Glyph::Stale)),
        _ if brightness > 0.0 && cell.turn == Turn::Up => (Meaning::Up, paint.glyph(Glyph::Up)),
        _ if brightness > 0.0 && cell.turn == Turn::Down => (Meaning::Down, paint.glyph(Glyph::Down)),
        _ if best => (Meaning::Best, paint.glyph(Glyph::Best)),
        _ if cell.off_market => (Meaning::OffMarket, paint.glyph(Glyph::OffMarket)),
        _ => (Meaning::Text, " "),
    };
    let mut style = paint.style(meaning);
    if best && !stale && cell.status == Status::Open {
        style = style.patch(paint.style(Meaning::Best));
    }
    if cell.status == Status::Gone {
        style = style.add_modifier(Modifier::CROSSED_OUT);
    }
    let direction = if cell.turn == Turn::Down { Direction::Down } else { Direction::Up };
    let under =
        (brightness > 0.0 && cell.status != Status::Gone).then(|| paint.theme.flash(direction, f64::from(brightness)));
    let side = market.sides.get(usize::from(cell.place)).copied();
    let (line, price) = offer(app, market.layout, side, cell.offer);
    Told { line, price, sign, style, under }
}

/// A line and a price in words.
pub fn offer(app: &App, layout: Option<Layout>, side: Option<Side>, offer: Offer) -> (String, String) {
    let line = match (offer.line, layout) {
        (None, _) => String::new(),
        (Some(line), Some(Layout::Spread)) => format::spread(line),
        (Some(line), _) => match side {
            Some(Side::Over) => format!("o{}", format::total(line)),
            Some(Side::Under) => format!("u{}", format::total(line)),
            _ => format::total(line),
        },
    };
    (line, format::price(offer.price, app.prefs.odds))
}

/// The same in one piece.
pub fn offer_text(app: &App, layout: Option<Layout>, side: Option<Side>, told: Offer) -> String {
    let (line, price) = offer(app, layout, side, told);
    if line.is_empty() { price } else { format!("{line} {price}") }
}
