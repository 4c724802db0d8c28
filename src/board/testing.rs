//! A board for tests: over a store that the simulator filled, without threads, clocks or a terminal.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Clocks, Effect, Follows, JobRoom, Surroundings};
use super::keys::Key;
use super::looks::Looks;
use super::model::worker;
use super::model::{Slate, build};
use super::paint::Paint;
use crate::engine::{Engine, EngineSettings};
use crate::feeds::sim::{Api, Scenario};
use crate::market::batch::{Asked, Scope};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;
use crate::runtime::intake::{Answer, take};
use crate::runtime::settings::engine_settings;
use crate::store::Store;

/// The instant at which the simulated evening begins.
pub fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T23:00:00Z").expect("a time")
}

/// How prices are judged.
pub fn engine() -> EngineSettings {
    let loaded = crate::config::load(&crate::config::Sources::default()).expect("the shipped settings");
    engine_settings(&loaded.settings)
}

/// A store with some forty minutes of the demo in it, one look a sport and minute. Made once.
pub fn demo_store() -> &'static Surroundings {
    static STORE: OnceLock<(tempfile::TempDir, Surroundings)> = OnceLock::new();
    &STORE
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("folder");
            let scenario = Scenario::load("demo").expect("scenario");
            fill(&folder.path().join("stratum.db"), &scenario, 40);
            let at = surroundings(folder.path().to_owned());
            (folder, at)
        })
        .1
}

/// Files in a folder.
pub fn surroundings(folder: PathBuf) -> Surroundings {
    Surroundings {
        store: folder.join("stratum.db"),
        desk: folder.join("desk.db"),
        settings: folder.join("stratum.toml"),
        logs: folder.join("logs"),
        exports: folder.join("exports"),
        engine: engine(),
        max_age_ms: 300_000,
        follows: Follows::default(),
        exchange_on: false,
        stake: 100.0,
        demo: true,
    }
}

/// Fills a store with so many minutes of a scenario.
pub fn fill(path: &std::path::Path, scenario: &Scenario, minutes: i64) {
    let mut store = Store::open(path).expect("store");
    fill_with(&mut store, scenario, minutes, engine(), |_, _, _, _| {});
}

/// The same with an engine of one's own; after every look comes `then`, with its minute and its bytes.
pub fn fill_with(
    store: &mut Store,
    scenario: &Scenario,
    minutes: i64,
    engine: EngineSettings,
    mut then: impl FnMut(i64, &[u8], &mut Engine, &mut Store),
) {
    let mut own = Engine::new(engine);
    let mut api = Api::of_scenario(scenario, start(), None);
    for minute in 0..minutes {
        let at = start().plus(minute * 60_000);
        for sport in &scenario.sports {
            let query = format!(
                "apiKey=x&markets=h2h,spreads,totals&oddsFormat=american&bookmakers={}",
                scenario.books.join(",")
            );
            let answer = api.get(at, &format!("/v4/sports/{}/odds", sport.key), &query);
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            take(
                &mut own,
                store,
                &Answer {
                    source: "the_odds_api",
                    sport: &sport.key,
                    endpoint: Some(crate::market::batch::Endpoint::Odds),
                    received_at: at.plus(300),
                    scope: Scope {
                        markets: Asked::Only(vec!["h2h".into(), "spreads".into(), "totals".into()]),
                        ..Scope::default()
                    },
                    format: Some(OddsFormat::American),
                    body: &answer.body,
                    origin: Some("DEMO"),
                    cost: Some(3),
                    remaining: Some(9_000),
                },
            )
            .expect("taken");
            then(minute, &answer.body, &mut own, store);
        }
    }
}

/// A board of this size over the demo store, as it is right after its first slate.
pub fn board(width: u16, height: u16) -> App {
    board_over(demo_store().clone(), width, height)
}

/// The same over any store.
pub fn board_over(at: Surroundings, width: u16, height: u16) -> App {
    let mut app = bare(width, height);
    app.at = at;
    let slate = slate(&app.at);
    let at = slate.at.expect("looks");
    let epoch = app.clocks.now();
    app.clocks = Clocks::new(epoch, at.plus(2_000));
    app.clocks.read(epoch + Duration::from_secs(60), at.plus(2_000));
    app.arrived(Arc::new(slate));
    settle(&mut app);
    app
}

/// A board without a slate.
pub fn bare(width: u16, height: u16) -> App {
    let clocks = Clocks::new(Instant::now(), start());
    let mut app = App::new(demo_store().clone(), Rect::new(0, 0, width, height), clocks, Looks::full());
    // Pictures must not depend on the zone of the machine.
    app.prefs.zone = Some("America/New_York".into());
    app
}

/// The newest slate of a store.
pub fn slate(at: &Surroundings) -> Slate {
    let reader = crate::store::Reader::open(&at.store).expect("store");
    let newest = reader.newest().expect("store").map_or_else(start, |(_, at)| at);
    worker::slate_as_of(&at.store, &at.engine, newest, &Slate::default(), 0).expect("slate")
}

/// Does everything that the board asked for, here and now, until it asks for nothing more.
pub fn settle(app: &mut App) {
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
    panic!("the board goes on asking: {:?}", app.effects);
}

/// Presses keys, as in a key map: `"j"`, `"ctrl-d"`, `"enter"`.
pub fn press(app: &mut App, keys: &[&str]) {
    for key in keys {
        app.key(Key::parse(key).expect("a key"));
        settle(app);
    }
}

/// Types text.
pub fn type_text(app: &mut App, text: &str) {
    for c in text.chars() {
        let key = if c == ' ' { Key::parse("space") } else { Key::parse(&c.to_string()) };
        app.key(key.expect("a key"));
        settle(app);
    }
}

/// The frame.
pub fn frame(app: &mut App) -> Buffer {
    let mut buf = Buffer::empty(app.area);
    let mut zones = Vec::new();
    let theme = app.theme.clone();
    let mut paint = Paint { buf: &mut buf, theme: &theme, glyphs: app.looks.glyphs, zones: &mut zones };
    super::chrome::draw(app, &mut paint);
    app.zones = zones;
    buf
}

/// The frame as text, without blanks at the ends of lines.
pub fn text(app: &mut App) -> String {
    let buf = frame(app);
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buf[(x, y)].symbol();
            skip = super::widgets::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn a_slate_brought_up_to_date_is_the_slate_read_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let at = surroundings(folder.path().to_owned());
    let mut scenario = Scenario::load("demo").expect("scenario");
    scenario.books.truncate(6);
    fill(&at.store, &scenario, 6);
    let reader = crate::store::Reader::open(&at.store).expect("store");
    let names = reader.names().expect("names");
    let (last, _) = reader.newest().expect("store").expect("looks");
    // From the first look on, one look after the other.
    let first = reader.look_delta(crate::market::ids::LookId(1)).expect("store").expect("a look");
    let mut games = worker::games_as_of(&reader, &names, first.received_at).expect("games");
    for look in 2..=last.0 {
        let delta = reader.look_delta(crate::market::ids::LookId(look)).expect("store").expect("a look");
        for event in &delta.events {
            match games.iter_mut().find(|g| g.who.id == event.row.id) {
                Some(game) => {
                    assert!(build::update(Arc::make_mut(game), &names, event, delta.received_at, 0));
                }
                None => {
                    let found = reader.event_as_of(event.row.id, delta.received_at).expect("store").expect("an event");
                    games.push(Arc::new(build::game(&names, &found.row, &found.quotes)));
                }
            }
        }
    }
    let newest = reader.newest().expect("store").expect("looks").1;
    let anew = worker::games_as_of(&reader, &names, newest).expect("games");
    games.sort_by_key(|g| (g.commence, g.who.id));
    assert_eq!(games.len(), anew.len());
    let mut cells = 0;
    for (kept, read) in games.iter().zip(&anew) {
        assert_eq!((kept.who.id, kept.commence, kept.score), (read.who.id, read.commence, read.score));
        for (a, b) in kept.markets.iter().zip(&read.markets) {
            assert_eq!((a.key, a.cells.len()), (b.key, b.cells.len()));
            for (a, b) in a.cells.iter().zip(&b.cells) {
                let plain = |c: &super::model::Cell| super::model::Cell {
                    previous: None,
                    turn: super::model::Turn::None,
                    lit: 0,
                    ..*c
                };
                assert_eq!(plain(a), plain(b));
                cells += 1;
            }
        }
    }
    assert!(cells > 900, "{cells}");
}

#[test]
fn the_board_shows_games_and_prices() {
    let mut app = board(160, 45);
    let shown = text(&mut app);
    println!("{shown}");
    assert!(shown.contains("DEMO") && shown.contains("PIN"), "{shown}");
}
