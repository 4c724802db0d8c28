//! What is seen on a page, written to a file: the choice of its form, the rows, and the file.

use std::io::Write;
use std::path::{Path, PathBuf};

use ratatui::layout::Rect;

use crate::board::app::{App, Effect, Job, Outcome, Overlay, Page};
use crate::board::export::{self, Form, Table, Value};
use crate::board::keys::{Action, Context};
use crate::board::pages::board::{columns, rows};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::list;
use crate::board::widgets::popup::{self, Place};
use crate::config::make_private;
use crate::market::time::Timestamp;
use crate::store::query::side_name;

/// The overlay.
#[derive(Debug)]
pub struct Export {
    cursor: usize,
    rows: usize,
}

/// Opens the choice, if there is anything to write.
pub fn open(app: &mut App) {
    match table(app) {
        Some(table) => app.overlay(Export { cursor: 0, rows: table.rows.len() }),
        None => app.say("nothing to export on this page"),
    }
}

/// What is seen on the page on show. `None`: the page has nothing to export.
pub fn table(app: &App) -> Option<Table> {
    match app.page {
        Page::Board => Some(board(app)),
        Page::Ops => crate::board::pages::ops::table(app),
        Page::Tape => Some(texts("tape", crate::board::pages::tape::table(app))),
        Page::Clv => Some(texts("clv", crate::board::pages::clv::table(app))),
        Page::Exchange => crate::board::pages::exchange::table(app),
        Page::Game => crate::board::pages::game::export::table(app),
        Page::Watch => crate::board::pages::watch::export::table(app),
    }
}

/// Heads and rows of words as a table. Heads become names: lower case, no blanks, each once.
fn texts(name: &str, (heads, rows): (Vec<&'static str>, Vec<Vec<String>>)) -> Table {
    let mut columns: Vec<String> = Vec::with_capacity(heads.len());
    for (at, head) in heads.iter().enumerate() {
        let plain = head.to_lowercase().replace('%', "percent").replace(|c: char| !c.is_alphanumeric(), "_");
        let plain = plain.trim_matches('_').to_owned();
        let taken = plain.is_empty() || columns.contains(&plain);
        columns.push(if taken { format!("{plain}_{at}") } else { plain });
    }
    let rows = rows.into_iter().map(|row| row.into_iter().map(Value::Text).collect()).collect();
    Table { name: name.to_owned(), columns, rows }
}

/// Writes what is seen to a file.
pub fn write(app: &mut App, form: Form) {
    let Some(table) = table(app) else {
        app.say("nothing to export on this page");
        return;
    };
    let (demo, at, made) = (app.is_demo(), app.now(), app.clocks.local());
    let job = Job::desk(
        "export",
        move |room| {
            let text = export::write(&table, form, demo, at);
            keep(&room.at.exports, &format!("stratum-{}-{}", table.name, stamp(made)), form, &text)
        },
        |app, kept| match kept {
            Ok(path) => app.say(format!("written: {}", path.display())),
            Err(why) => app.complain(why),
        },
    );
    app.effect(Effect::Job(job));
}

fn stamp(at: Timestamp) -> String {
    at.to_chrono().format("%Y%m%d-%H%M%SZ").to_string()
}

/// Writes a new file that only its owner can read; one that is there is never written over.
fn keep(folder: &Path, name: &str, form: Form, text: &str) -> Result<PathBuf, String> {
    make_private(folder).map_err(|e| e.to_string())?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for n in 1..100_u32 {
        let more = if n == 1 { String::new() } else { format!("-{n}") };
        let path = folder.join(format!("{name}{more}.{}", form.name()));
        match options.open(&path).and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(format!("{} cannot be written: {e}", path.display())),
        }
    }
    Err(format!("{} has a hundred exports of this second already", folder.display()))
}

/// The rows of the board that pass, with every book that is shown.
fn board(app: &App) -> Table {
    let slate = app.slate();
    let books = columns::books(slate, &app.prefs);
    let lead = [
        "event_id",
        "sport",
        "start",
        "status",
        "home_team",
        "away_team",
        "home_score",
        "away_score",
        "market",
        "side",
        "selection",
        "open_line",
        "open_fair_probability",
        "fair_line",
        "fair_probability",
        "best_book",
        "best_line",
        "best_american",
        "best_decimal",
        "best_ev",
        "hold",
    ];
    let mut names: Vec<String> = lead.iter().map(|c| (*c).to_owned()).collect();
    for book in &books {
        names.extend(["line", "american", "decimal", "status", "age_s", "ev"].map(|c| format!("{}_{c}", book.key)));
    }
    let mut table = Table { name: "board".into(), columns: names, rows: Vec::new() };
    for line in &app.pages.board.rows.lines {
        let rows::Line::Side { game, question, place, .. } = line else { continue };
        let Some(game) = slate.games.get(*game) else { continue };
        let market = question.and_then(|q| game.question(q));
        let at = usize::from(*place);
        let side = market.and_then(|m| m.sides.get(at)).copied();
        let glance = market.and_then(|m| m.glance.as_deref());
        let best = glance.and_then(|g| g.best.get(at)).and_then(Option::as_ref);
        let opening = market.and_then(|m| m.opening.as_deref());
        let open_line = opening.and_then(|p| p.line).zip(market.and_then(|m| m.layout)).zip(side);
        let score =
            |home: bool| game.score.map_or(Value::None, |(h, a)| Value::Integer(i64::from(if home { h } else { a })));
        let mut row = vec![
            Value::Integer(i64::from(game.who.id.0)),
            Value::from(&*game.who.sport_key),
            Value::Time(game.commence),
            Value::from(game.status.name()),
            Value::from(&*game.who.home),
            Value::from(&*game.who.away),
            score(true),
            score(false),
            Value::from(market.map_or(app.prefs.market.as_str(), |m| &m.market)),
            Value::from(side.map_or("", side_name)),
            Value::from(side.map_or_else(String::new, |s| game.outcome(s, market.map_or("", |m| &m.subject))).as_str()),
            Value::from(open_line.map(|((line, layout), side)| layout.line_for(line, side).points())),
            Value::from(opening.and_then(|p| p.fair.as_ref()).and_then(|f| f.probability.get(at)).copied()),
            Value::from(market.and_then(|m| m.fair_line(at))),
            Value::from(market.and_then(|m| m.fair_probability(at))),
            Value::from(best.and_then(|b| slate.book(b.book)).map_or("", |b| &*b.key)),
            Value::from(best.and_then(|b| b.line).map(|l| l.points())),
            best.map_or(Value::None, |b| Value::Integer(b.price.to_american())),
            Value::from(best.map(|b| b.price.to_decimal())),
            Value::from(best.and_then(|b| b.ev).map(f64::from)),
            Value::from(glance.and_then(|g| g.hold)),
        ];
        for book in &books {
            match market.and_then(|m| m.cell(book.id, *place)) {
                Some(c) => row.extend([
                    Value::from(c.offer.line.map(|l| l.points())),
                    Value::Integer(c.offer.price.to_american()),
                    Value::Number(c.offer.price.to_decimal()),
                    Value::from(c.status.name()),
                    Value::Integer(c.age(app.now()) / 1000),
                    Value::from(c.ev.map(f64::from)),
                ]),
                None => row.extend(std::iter::repeat_n(Value::None, 6)),
            }
        }
        table.rows.push(row);
    }
    table
}

impl Overlay for Export {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back | Action::Export => Outcome::Close,
            Action::Open | Action::Mark => {
                if let Some(form) = Form::ALL.get(self.cursor) {
                    write(app, *form);
                }
                Outcome::Close
            }
            _ => {
                self.cursor = list::moved(self.cursor, Form::ALL.len(), 2, action).unwrap_or(self.cursor);
                Outcome::Stay
            }
        }
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        let Hit::Item(at) = hit else { return Outcome::Stay };
        self.cursor = at;
        self.act(app, Action::Open)
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let title = format!("Export {} rows", self.rows);
        let inner = popup::draw(paint, popup::place(area, Place::Middle, (58, 4)), &title, "enter writes");
        for (at, (form, about)) in
            Form::ALL.iter().zip(["for spreadsheets", "an array of objects, for programs"]).enumerate()
        {
            let line = Rect { y: inner.y + at as u16, height: 1, ..inner };
            if at == self.cursor {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(line.x, line.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            let taken = paint.text(line.x + 2, line.y, 6, &form.name().to_uppercase(), paint.style(Meaning::Text));
            paint.text(line.x + 4 + taken.max(4), line.y, 40, about, paint.style(Meaning::Muted));
            paint.zone(line, Hit::Item(at));
        }
        let told = format!("to {}", app.at.exports.display());
        paint.text(inner.x, inner.y + 3, inner.width, &told, paint.style(Meaning::Muted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_private_and_never_written_over() {
        let folder = tempfile::tempdir().expect("folder");
        let exports = folder.path().join("exports");
        let first = keep(&exports, "x", Form::Csv, "a").expect("written");
        let second = keep(&exports, "x", Form::Csv, "b").expect("written");
        assert_ne!(first, second);
        assert_eq!(std::fs::read_to_string(&first).expect("there"), "a");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&first).expect("there").permissions().mode() & 0o777, 0o600);
        }
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(keep(&file.join("x"), "x", Form::Csv, "a").is_err());
    }
}
