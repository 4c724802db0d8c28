//! Somebody leans on the keyboard while the terminal changes its size: nothing may panic, and every frame must fit.

use ratatui::layout::{Position, Rect};

use super::app::Page;
use super::app::input::Press;
use super::keys::{Key, KeyMap, Section};
use super::pages::board::columns::ColumnChoice;
use super::testing::{board, frame, settle, type_text};

/// A series of numbers that looks random and is always the same.
struct Series(u64);

impl Series {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Every key that does something somewhere.
fn keys() -> Vec<Key> {
    let map = KeyMap::default();
    let mut keys: Vec<Key> = Section::all()
        .filter_map(|s| match s {
            Section::In(context) => Some(context),
            Section::Global => None,
        })
        .flat_map(|context| map.in_context(context).to_vec())
        .flat_map(|(sequence, _)| sequence.keys().to_vec())
        .collect();
    keys.sort_by_key(ToString::to_string);
    keys.dedup();
    keys
}

#[test]
fn leaning_on_the_keyboard() {
    let keys = keys();
    assert!(keys.len() > 60);
    for seed in 0..3 {
        let mut series = Series(seed);
        let mut app = board(120, 40);
        for step in 0..160 {
            match series.below(12) {
                0 => {
                    let (width, height) = (60 + series.below(180) as u16, 16 + series.below(50) as u16);
                    app.resized(Rect::new(0, 0, width, height));
                }
                1 => {
                    let at = Position::new(series.below(240) as u16, series.below(66) as u16);
                    app.press(Press::Down, at);
                    app.press(Press::Drag, Position::new(at.x.saturating_sub(series.below(30) as u16), at.y));
                    app.press(Press::Up, at);
                    app.wheel(if step % 2 == 0 { 1 } else { -1 }, at);
                }
                2 => type_text(&mut app, ["nba", "ev>2 ", "-30m", "\"", "@x", "東京"][series.below(6)]),
                3 => app.go(Page::ALL[series.below(Page::ALL.len())]),
                _ => {
                    let key = keys[series.below(keys.len())];
                    app.key(key);
                }
            }
            settle(&mut app);
            let drawn = frame(&mut app);
            assert_eq!(drawn.area, app.area);
        }
    }
}

#[test]
fn every_page_at_every_size() {
    let mut app = board(120, 40);
    for page in Page::ALL {
        app.go(page);
        settle(&mut app);
        for width in [60, 61, 69, 80, 95, 96, 100, 112, 123, 124, 131, 150, 161, 200, 240] {
            for height in [16, 17, 19, 24, 30, 45, 60, 70] {
                app.resized(Rect::new(0, 0, width, height));
                settle(&mut app);
                frame(&mut app);
            }
        }
    }
    // Columns that were made as narrow or as wide as they can be.
    app.go(Page::Board);
    for narrow in [3, 40] {
        app.prefs.columns = ColumnChoice::default_set()
            .into_iter()
            .map(|c| ColumnChoice { on: true, width: Some(narrow), ..c })
            .collect();
        for width in [60, 80, 124, 200] {
            app.resized(Rect::new(0, 0, width, 30));
            frame(&mut app);
        }
    }
}
