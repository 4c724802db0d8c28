//! Arithmetic of colours: OKLab for distances and mixtures, WCAG for contrast, and the nearest colour of poorer
//! terminals.
//!
//! Pure numbers. Channels are 0 to 255 in sRGB.

use std::sync::LazyLock;

use ratatui::style::Color;

/// Red, green, blue in sRGB.
pub type Rgb = [u8; 3];

/// Below this chroma (OKLab) a colour is taken for grey where only sixteen can be shown.
const GREY_CHROMA: f64 = 0.035;

/// How much worse a lost tint is than a lost shade: the table is coarse where it is dark, and a dark green that turned
/// grey would say nothing any more.
const TINT_WEIGHT: f64 = 3.0;

/// The sixteen colours as most terminals show them; a user may have changed them.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// Reads `#rrggbb`, one of the sixteen names (`light-red`), `0` to `255`, or `terminal` for the terminal's own.
pub fn parse(text: &str) -> Option<Color> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix('#') {
        let digits = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return digits.then(|| u32::from_str_radix(hex, 16).ok().map(Color::from_u32)).flatten();
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Color::Indexed);
    }
    if text == "terminal" { Some(Color::Reset) } else { text.parse().ok() }
}

/// What a colour looks like; none for the terminal's own, which nobody knows.
pub fn rgb(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => Some(indexed(index)),
        named => SIXTEEN.iter().find(|(c, _)| *c == named).map(|(_, rgb)| *rgb),
    }
}

/// What the colour of a number in the table of 256 looks like.
fn indexed(index: u8) -> Rgb {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        0..=15 => SIXTEEN.get(usize::from(index)).map_or([0; 3], |(_, rgb)| *rgb),
        16..=231 => {
            let n = index - 16;
            [level(n / 36), level(n / 6 % 6), level(n % 6)]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

/// The nearest of the 240 fixed colours (the first sixteen differ from terminal to terminal).
pub fn nearest_256(colour: Rgb) -> Color {
    // Worked out once: themes are brought down to the table while the first frame waits.
    static TABLE: LazyLock<Vec<(u8, [f64; 3])>> =
        LazyLock::new(|| (16..=255).map(|i| (i, oklab(indexed(i)))).collect());
    let [wl, wa, wb] = oklab(colour);
    let away = |[l, a, b]: [f64; 3]| (l - wl).powi(2) + TINT_WEIGHT * ((a - wa).powi(2) + (b - wb).powi(2));
    let nearest = TABLE.iter().min_by(|(i, a), (j, b)| away(*a).total_cmp(&away(*b)).then(i.cmp(j)));
    Color::Indexed(nearest.map_or(16, |(index, _)| *index))
}

/// One of the sixteen, chosen by hue first: a dark green is a green, not the grey that lies nearer.
pub fn nearest_16(colour: Rgb) -> Color {
    let [light, a, b] = oklab(colour);
    if a.hypot(b) < GREY_CHROMA {
        return match light {
            l if l < 0.30 => Color::Black,
            l if l < 0.65 => Color::DarkGray,
            l if l < 0.90 => Color::Gray,
            _ => Color::White,
        };
    }
    let bright = light >= 0.62;
    let pick = |dark, light| if bright { light } else { dark };
    // Hues of sRGB's corners in OKLab: red 29, yellow 110, green 142, cyan 195, blue 264, magenta 328.
    match b.atan2(a).to_degrees().rem_euclid(360.0) {
        h if h < 45.0 => pick(Color::Red, Color::LightRed),
        h if h < 120.0 => pick(Color::Yellow, Color::LightYellow),
        h if h < 172.0 => pick(Color::Green, Color::LightGreen),
        h if h < 230.0 => pick(Color::Cyan, Color::LightCyan),
        h if h < 290.0 => pick(Color::Blue, Color::LightBlue),
        h if h < 350.0 => pick(Color::Magenta, Color::LightMagenta),
        _ => pick(Color::Red, Color::LightRed),
    }
}

/// Between two colours, evenly for the eye; `share` 0 is `from`, 1 is `to`.
pub fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let (from, to) = (oklab(from), oklab(to));
    let [l, a, b] = [0, 1, 2].map(|i: usize| {
        let at = |lab: [f64; 3]| lab.get(i).copied().unwrap_or(0.0);
        at(from) + (at(to) - at(from)) * share.clamp(0.0, 1.0)
    });
    let l3 = (l + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m3 = (l - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s3 = (l - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l3 - 3.307_711_591_3 * m3 + 0.230_969_929_2 * s3,
        -1.268_438_004_6 * l3 + 2.609_757_401_1 * m3 - 0.341_319_396_5 * s3,
        -0.004_196_086_3 * l3 - 0.703_418_614_7 * m3 + 1.707_614_701_0 * s3,
    ]
    .map(from_linear)
}

/// Contrast after WCAG 2: 1 for equal, 21 for black on white.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// How far two colours lie apart for the eye (Euclidean in OKLab); black and white are 1 apart.
pub fn difference(a: Rgb, b: Rgb) -> f64 {
    oklab(a).iter().zip(oklab(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = colour.map(to_linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Lightness 0 to 1, green to red, blue to yellow (Ottosson 2020).
fn oklab(colour: Rgb) -> [f64; 3] {
    let [r, g, b] = colour.map(to_linear);
    let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
    let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
    let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

pub(super) fn to_linear(channel: u8) -> f64 {
    let c = f64::from(channel) / 255.0;
    if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

pub(super) fn from_linear(linear: f64) -> u8 {
    let c = linear.clamp(0.0, 1.0);
    let c = if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
    (c * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([119; 3], [255; 3]) - 4.48).abs() < 0.01, "the well-known #777 on white");
        assert!((difference([0; 3], [255; 3]) - 1.0).abs() < 1e-3);
        let [l, a, b] = oklab([255, 0, 0]);
        assert!((l - 0.628).abs() < 1e-3 && (a - 0.2249).abs() < 1e-3 && (b - 0.1258).abs() < 1e-3);
    }

    #[test]
    fn colours_are_read_from_text() {
        for (text, colour) in [
            ("#0f1216", Some(Color::Rgb(15, 18, 22))),
            ("#FFF", None),
            ("#0f121", None),
            ("#0f12é", None),
            ("252", Some(Color::Indexed(252))),
            ("256", None),
            ("", None),
            ("light-red", Some(Color::LightRed)),
            ("grey", Some(Color::Gray)),
            ("terminal", Some(Color::Reset)),
            ("mauve", None),
        ] {
            assert_eq!(parse(text), colour, "{text}");
        }
    }

    #[test]
    fn sixteen_keep_the_hue() {
        for (text, expected) in [
            ("#0f1216", Color::Black),
            ("#fbf9f4", Color::White),
            ("#98a2ae", Color::Gray),
            ("#0a6b34", Color::Green),
            ("#5fd38d", Color::LightGreen),
            ("#b3261e", Color::Red),
            ("#ff7b72", Color::LightRed),
            ("#e3b341", Color::LightYellow),
            ("#79b8ff", Color::LightBlue),
            ("#56d4dd", Color::LightCyan),
            ("#c297ff", Color::LightMagenta),
            ("#0000ff", Color::Blue),
            ("#ff00ff", Color::LightMagenta),
            ("#00ffff", Color::LightCyan),
            ("#ffff00", Color::LightYellow),
        ] {
            let colour = parse(text).and_then(rgb).expect("a colour");
            assert_eq!(nearest_16(colour), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_fixed_colours_are_their_own_nearest(index in 16u8..=255) {
            let found = rgb(nearest_256(indexed(index))).expect("fixed");
            prop_assert_eq!(found, indexed(index));
        }

        #[test]
        fn the_nearest_of_256_is_near(colour in any::<[u8; 3]>()) {
            let near = rgb(nearest_256(colour)).expect("fixed");
            prop_assert!(difference(colour, near) < 0.17, "{colour:?} {near:?}");
        }

        #[test]
        fn mixtures_end_where_they_should(a in any::<[u8; 3]>(), b in any::<[u8; 3]>()) {
            for (share, end) in [(0.0, a), (1.0, b), (-1.0, a), (2.0, b)] {
                let mixed = mix(a, b, share);
                prop_assert!(mixed.iter().zip(end).all(|(x, y)| x.abs_diff(y) <= 1), "{mixed:?} {end:?}");
            }
        }
    }
}
