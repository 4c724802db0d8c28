//! A frame as a picture: what the README shows is drawn by the board itself.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::widgets::text;

/// Size of a cell in the picture.
const CELL: (f64, f64) = (8.4, 18.0);

/// The frame as SVG. `page`: colours of text and page where a cell has none of its own.
pub fn svg(buf: &Buffer, page: (Color, Color)) -> String {
    let (width, height) = (f64::from(buf.area.width) * CELL.0, f64::from(buf.area.height) * CELL.1);
    let (ink, paper) =
        (hex(page.0).unwrap_or_else(|| "#d4d4d4".into()), hex(page.1).unwrap_or_else(|| "#101216".into()));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono','Noto Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{paper}\"/>\n"
    );
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            x += run(buf, x, y, (&ink, &paper), &mut out);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// One stretch of cells that look alike, from `x` on; gives its columns.
fn run(buf: &Buffer, x: u16, y: u16, (ink, paper): (&str, &str), out: &mut String) -> u16 {
    let Some(first) = buf.cell((x, y)) else { return 1 };
    let mut content = String::new();
    let mut columns = 0;
    while let Some(cell) = buf.cell((x + columns, y)).filter(|c| looks(c) == looks(first)) {
        content.push_str(cell.symbol());
        columns += text::width(cell.symbol()).max(1);
    }
    let columns = columns.max(1);
    let (fg, bg, modifier) = looks(first);
    let (mut fg, mut bg) = (hex(fg).unwrap_or_else(|| ink.to_owned()), hex(bg).unwrap_or_else(|| paper.to_owned()));
    if modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fg, &mut bg);
    }
    let (left, top) = (f64::from(x) * CELL.0, f64::from(y) * CELL.1);
    let width = f64::from(columns) * CELL.0;
    if bg != paper {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{bg}\"/>",
            CELL.1
        );
    }
    if !content.trim().is_empty() {
        let weight = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let struck = if modifier.contains(Modifier::CROSSED_OUT) { " text-decoration=\"line-through\"" } else { "" };
        let faint = if modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" xml:space=\"preserve\" \
             fill=\"{fg}\"{weight}{struck}{faint}>{}</text>",
            top + CELL.1 * 0.75,
            escaped(&content)
        );
    }
    columns
}

fn looks(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn hex(colour: Color) -> Option<String> {
    match colour {
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::board::testing;

    /// The pictures of the README: `UPDATE_DOCS=1 cargo test --lib board::svg` draws them anew.
    #[test]
    fn pictures_of_the_readme() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
        let pages: [(&str, &[&str], &str); 4] = [
            ("board", &["j", "j", "l"], "dark"),
            ("game", &["j", "j", "enter"], "dark"),
            ("tape", &["3", "enter"], "dark"),
            ("board-light", &["t"], "light"),
        ];
        for (name, keys, theme) in pages {
            let mut app = testing::board(160, 45);
            app.dress(theme);
            testing::press(&mut app, keys);
            app.toasts.clear();
            let frame = testing::frame(&mut app);
            let page = app.theme.style(crate::board::theme::Meaning::Text);
            let picture = svg(&frame, (page.fg.unwrap_or_default(), page.bg.unwrap_or_default()));
            let file = folder.join(format!("{name}.svg"));
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::create_dir_all(&folder).expect("folder");
                std::fs::write(&file, &picture).expect("written");
            }
            let kept = std::fs::read_to_string(&file).expect("the picture is there");
            assert!(kept.starts_with("<svg") && kept.contains("DEMO"), "{name} says that it is simulated");
            assert!(picture.contains("DEMO"));
        }
    }

    #[test]
    fn what_is_drawn_is_escaped_and_coloured() {
        let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, 6, 1));
        buf.set_string(0, 0, "a<b&c", ratatui::style::Style::new().fg(Color::Rgb(1, 2, 255)));
        let picture = svg(&buf, (Color::Reset, Color::Reset));
        assert!(picture.contains("a&lt;b&amp;c") && picture.contains("#0102ff"), "{picture}");
    }
}
