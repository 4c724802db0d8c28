//! What a frame costs: every page at 200 x 60 over 72,000 quotes, drawn and written as on a terminal.
//! `cargo bench --bench frame`.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;
#[path = "common/measure.rs"]
mod measure;

use std::sync::Arc;
use std::time::{Duration, Instant};

use measure::{Times, timed, verdict};
use ratatui::layout::Rect;
use stratum::board::app::{App, Clocks, Effect, JobRoom, Page, Surroundings};
use stratum::board::looks::Looks;
use stratum::board::model::{Slate, worker};
use stratum::board::paint::Paint;
use stratum::board::shell::screen::Screen;
use stratum::board::{chrome, keys};
use stratum::engine::{Engine, EngineSettings};
use stratum::store::{LookMeta, Store};

/// Frames of each page.
const FRAMES: usize = 400;
/// A frame of any page, at the median.
const LIMIT_MS: f64 = 2.0;

fn main() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("stratum.db");
    let mut store = Store::open(&path).expect("store");
    let mut engine = Engine::new(EngineSettings::default());
    for look in 0..6 {
        let body = common::body(look, 50);
        let changes = engine.apply(&common::batch(&body, look));
        store.commit(&changes, &LookMeta::default()).expect("commit");
    }
    let at = Surroundings {
        store: path.clone(),
        desk: folder.path().join("desk.db"),
        logs: folder.path().join("logs"),
        exports: folder.path().join("exports"),
        max_age_ms: 300_000,
        ..Surroundings::default()
    };
    let newest = store.reader().expect("reader").newest().expect("store").expect("looks").1;
    let (slate, took) = timed(|| worker::slate_as_of(&path, &at.engine, newest, &Slate::default(), 0).expect("slate"));
    println!("{} games, {} quotes read and judged in {:.0} ms", slate.games.len(), slate.quotes(), ms(took));
    let epoch = Instant::now();
    let area = Rect::new(0, 0, 200, 60);
    let mut app = App::new(at, area, Clocks::new(epoch, newest.plus(1_000)), Looks::full());
    let slate = Arc::new(slate);
    let (_, took) = timed(|| app.arrived(slate.clone()));
    settle(&mut app);
    println!("rows worked out in {:.2} ms", ms(took));
    for page in Page::ALL {
        app.go(page);
        settle(&mut app);
        let (median, worst) = frames(&mut app, false);
        verdict(&format!("{} (p99 {worst:.2})", page.title()), median, LIMIT_MS, "ms");
    }
    app.go(Page::Board);
    settle(&mut app);
    let (median, worst) = frames(&mut app, true);
    verdict(&format!("Board, everything written anew (p99 {worst:.2})"), median, LIMIT_MS, "ms");
    let mut times = Times::default();
    for _ in 0..50 {
        times.push(timed(|| app.arrived(slate.clone())).1);
        settle(&mut app);
    }
    println!("  a new slate taken in: {:.2} ms", times.median());
}

/// Frames between which the cursor moves. `anew`: the whole screen is written each time.
fn frames(app: &mut App, anew: bool) -> (f64, f64) {
    let mut screen = Screen::new(app.area.width, app.area.height);
    let mut out = std::io::sink();
    let mut took: Vec<f64> = Vec::with_capacity(FRAMES);
    for n in 0..FRAMES {
        let key = if n % 40 < 20 { "j" } else { "k" };
        app.key(keys::Key::parse(key).expect("a key"));
        settle(app);
        if anew {
            screen.forget();
        }
        let theme = app.theme.clone();
        let mut zones = std::mem::take(&mut app.zones);
        zones.clear();
        let began = Instant::now();
        screen
            .draw(&mut out, |buf| {
                let mut paint = Paint { buf, theme: &theme, glyphs: app.looks.glyphs, zones: &mut zones };
                chrome::draw(app, &mut paint);
            })
            .expect("drawn");
        took.push(ms(began.elapsed()));
        app.zones = zones;
    }
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Answers what the board asks for, here and now.
fn settle(app: &mut App) {
    let mut room = JobRoom::new(app.at.clone());
    for _ in 0..64 {
        let effects = std::mem::take(&mut app.effects);
        if effects.is_empty() {
            return;
        }
        for effect in effects {
            if let Effect::Job(job) = effect {
                (job.work)(&mut room)(app);
            }
        }
    }
}
