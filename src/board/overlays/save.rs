//! A name under which the filter in force is kept.

use ratatui::layout::Rect;

use crate::board::app::{App, Effect, Job, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::Paint;
use crate::board::theme::Meaning;
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::store::desk::Desk;

/// The overlay.
#[derive(Debug)]
pub struct SaveFilter {
    filter: String,
    line: TextLine,
}

/// Asks for the name of the filter in force.
pub fn open(app: &mut App) {
    let filter = app.prefs.filter.clone();
    open_with(app, &filter);
}

/// Asks for the name of a filter.
pub fn open_with(app: &mut App, filter: &str) {
    if filter.trim().is_empty() {
        app.say("there is no filter to save: f makes one");
        return;
    }
    app.overlay(SaveFilter { filter: filter.trim().to_owned(), line: TextLine::default() });
}

impl SaveFilter {
    fn save(&self, app: &mut App) {
        let (name, filter) = (self.line.text().trim().to_owned(), self.filter.clone());
        let told = name.clone();
        let job = Job::desk(
            "save filter",
            move |room| {
                let saved = Desk::open(&room.at.desk).and_then(|mut desk| desk.save_filter(&name, &filter));
                saved.map_err(|e| e.to_string())
            },
            move |app, saved| match saved {
                Ok(None) => app.say(format!("saved: @{told} stands for it in any filter")),
                Ok(Some(before)) => app.say(format!("@{told} was '{}' and is replaced", before.text)),
                Err(why) => app.complain(format!("the filter was not saved: {why}")),
            },
        );
        app.effect(Effect::Job(job));
        crate::board::desk::refresh(app);
    }
}

impl Overlay for SaveFilter {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => Outcome::Close,
            Action::Open if self.line.text().trim().is_empty() => Outcome::Stay,
            Action::Open => {
                self.save(app);
                Outcome::Close
            }
            _ => Outcome::Stay,
        }
    }

    fn key(&mut self, _: &mut App, key: Key) -> Outcome {
        self.line.key(key);
        Outcome::Stay
    }

    fn paste(&mut self, _: &mut App, told: &str) -> Outcome {
        self.line.paste(told);
        Outcome::Stay
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let inner = popup::draw(paint, popup::place(area, Place::Middle, (58, 2)), "Save the filter as", "enter saves");
        self.line.draw(paint, Rect { height: 1, ..inner }, None);
        paint.text(inner.x, inner.y + 1, inner.width, &self.filter, paint.style(Meaning::Muted));
    }
}
