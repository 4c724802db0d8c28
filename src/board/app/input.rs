//! Keys, clicks, the wheel and pasted text.

use std::time::Duration;

use ratatui::layout::Position;

use super::{App, Outcome, act};
use crate::board::keys::{Action, Context, Key, Matched};
use crate::board::pages;
use crate::board::paint::{Hit, Zone};

/// Two clicks on one place within this are a double click.
const DOUBLE: Duration = Duration::from_millis(400);
/// Lines that one step of the wheel moves.
const WHEEL: i16 = 3;

/// A mouse button went down, moved or went up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    /// The left button went down.
    Down,
    /// It moved while down.
    Drag,
    /// It went up.
    Up,
}

/// The last click, and what is being dragged.
#[derive(Clone, Debug, Default)]
pub struct Mouse {
    last: Option<(Position, std::time::Instant)>,
    dragging: Option<Hit>,
    from: Position,
}

impl App {
    /// A key was pressed.
    pub fn key(&mut self, key: Key) {
        let context = self.context();
        let now = self.clocks.now();
        let keys = self.keys.clone();
        self.dirty = true;
        match self.matcher.feed(&keys, key, context, now) {
            Matched::Action(action) => act::act(self, action),
            Matched::Pending => {}
            Matched::None if matches!(context, Context::Text | Context::List) => {
                if let Some(mut top) = self.overlays.pop() {
                    let under = self.overlays.len();
                    match top.key(self, key) {
                        Outcome::Stay => self.overlays.insert(under.min(self.overlays.len()), top),
                        Outcome::Close => {}
                        Outcome::Pass(action) => act::act(self, action),
                    }
                }
            }
            Matched::None => {}
        }
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str) {
        self.dirty = true;
        let text: String = text.chars().filter(|c| !c.is_control()).take(4096).collect();
        if let Some(mut top) = self.overlays.pop() {
            let under = self.overlays.len();
            match top.paste(self, &text) {
                Outcome::Stay => self.overlays.insert(under.min(self.overlays.len()), top),
                Outcome::Close => {}
                Outcome::Pass(action) => act::act(self, action),
            }
        }
    }

    fn zone_at(&self, at: Position) -> Option<&Zone> {
        self.zones.iter().rev().find(|z| z.area.contains(at))
    }

    /// The left button.
    pub fn press(&mut self, press: Press, at: Position) {
        let hit = self.zone_at(at).map(|z| z.hit.clone());
        match press {
            Press::Down => {
                let now = self.clocks.now();
                let double = self
                    .mouse
                    .last
                    .is_some_and(|(place, when)| place == at && now.saturating_duration_since(when) < DOUBLE);
                self.mouse.last = (!double).then_some((at, now));
                self.mouse.from = at;
                self.mouse.dragging = hit.clone().filter(|h| matches!(h, Hit::Border(_)));
                self.matcher.clear();
                self.click(hit, double);
            }
            Press::Drag => {
                if let Some(Hit::Border(column)) = self.mouse.dragging {
                    let by = i32::from(at.x) - i32::from(self.mouse.from.x);
                    if by != 0 {
                        self.mouse.from = at;
                        pages::board::drag_border(self, column, by);
                        self.dirty = true;
                    }
                }
            }
            Press::Up => {
                if self.mouse.dragging.take().is_some() {
                    self.keep_prefs();
                }
            }
        }
    }

    fn click(&mut self, hit: Option<Hit>, double: bool) {
        if let Some(mut top) = self.overlays.pop() {
            self.dirty = true;
            let under = self.overlays.len();
            // Outside of it a click closes it.
            let outcome = match hit {
                Some(hit @ (Hit::Item(_) | Hit::Act(_) | Hit::Pane(_))) => top.click(self, hit, double),
                _ => Outcome::Close,
            };
            match outcome {
                Outcome::Stay => self.overlays.insert(under.min(self.overlays.len()), top),
                Outcome::Close => {}
                Outcome::Pass(action) => act::act(self, action),
            }
            return;
        }
        let Some(hit) = hit else { return };
        self.dirty = true;
        if pages::click(self, &hit, double) {
            return;
        }
        match hit {
            Hit::Page(page) => self.go(page),
            Hit::Act(action) => act::act(self, action),
            _ => {}
        }
    }

    /// One step of the wheel at a place; down is positive.
    pub fn wheel(&mut self, steps: i16, at: Position) {
        self.dirty = true;
        let rows = steps * WHEEL;
        if let Some(mut top) = self.overlays.pop() {
            let under = self.overlays.len();
            match top.wheel(self, rows) {
                Outcome::Stay => self.overlays.insert(under.min(self.overlays.len()), top),
                Outcome::Close => {}
                Outcome::Pass(action) => act::act(self, action),
            }
            return;
        }
        let hit = self.zone_at(at).map(|z| z.hit.clone());
        if !pages::wheel(self, hit.as_ref(), rows) {
            let action = if rows < 0 { Action::Up } else { Action::Down };
            for _ in 0..rows.abs() {
                pages::act(self, action);
            }
        }
    }

    /// The wheel turned sideways; right is positive.
    pub fn wheel_sideways(&mut self, steps: i16) {
        self.dirty = true;
        pages::act(self, if steps < 0 { Action::Left } else { Action::Right });
    }
}
