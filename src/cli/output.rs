//! Printing results: JSON for programs, aligned text for people.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::store::query::DEMO;

/// Prints a JSON array, an element a line. Elements should be flat objects.
pub fn json_array<T: Serialize>(out: &mut dyn Write, rows: impl IntoIterator<Item = T>) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut first = true;
    for row in rows {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        first = false;
        serde_json::to_writer(&mut *out, &row)?;
    }
    out.write_all(if first { b"]\n" } else { b"\n]\n" })
}

/// Prints rows of a store as a JSON array; those of a simulated market carry `"origin":"DEMO"`.
pub fn stored_rows<T: Serialize>(out: &mut dyn Write, rows: impl IntoIterator<Item = T>, demo: bool) -> io::Result<()> {
    #[derive(Serialize)]
    struct Labelled<T> {
        #[serde(flatten)]
        row: T,
        origin: &'static str,
    }
    if demo {
        json_array(out, rows.into_iter().map(|row| Labelled { row, origin: DEMO }))
    } else {
        json_array(out, rows)
    }
}

/// Says above a table that what follows is a simulated market, if it is.
pub fn label(out: &mut dyn Write, demo: bool) -> io::Result<()> {
    if demo { writeln!(out, "{DEMO}: a simulated market") } else { Ok(()) }
}

/// On which side of its column a text stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows in columns, as wide as what they show. No lines, no colour: it may be read by another program.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new(columns: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row. Cells that are missing stay empty, cells too many are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let row = cells.into_iter().take(self.columns.len()).map(|c| printable(&c).into_owned()).collect();
        self.rows.push(row);
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints the heading and all rows.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|r| r.get(at)).map(String::as_str);
                cells.chain(self.columns.get(at).map(|c| c.0)).map(UnicodeWidthStr::width).max().unwrap_or(0)
            })
            .collect();
        let heading: Vec<String> = self.columns.iter().map(|c| c.0.to_owned()).collect();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = String::new();
            for (at, (&width, (_, align))) in widths.iter().zip(&self.columns).enumerate() {
                let cell = row.get(at).map_or("", String::as_str);
                let blanks = " ".repeat(width.saturating_sub(cell.width()));
                line.push_str(if at == 0 { "" } else { "  " });
                match align {
                    Align::Left => line.extend([cell, &blanks]),
                    Align::Right => line.extend([blanks.as_str(), cell]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// `text` without what could move the cursor or change a terminal: names come from outside.
pub fn printable(text: &str) -> Cow<'_, str> {
    let unfit = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(unfit) { Cow::Owned(text.replace(unfit, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(f: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        f(&mut out).expect("prints");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn columns_align_by_what_a_terminal_shows() {
        let mut table = Table::new([("team", Align::Left), ("price", Align::Right)]);
        table.row(["Žalgiris".into(), "-110".into()]);
        table.row(["東京".into(), "+5".into(), "too many".into()]);
        table.row(["x\u{1b}[2J\n".into()]);
        assert_eq!(
            printed(|out| table.print(out)),
            "team      price\nŽalgiris   -110\n東京         +5\nx\u{fffd}[2J\u{fffd}\n"
        );
    }

    #[test]
    fn json_is_an_array_with_a_row_a_line() {
        assert_eq!(printed(|out| json_array(out, Vec::<u8>::new())), "[]\n");
        assert_eq!(printed(|out| json_array(out, [1, 2])), "[\n1,\n2\n]\n");
    }
}
