use super::*;
use crate::board::app::{Effect, Follows};
use crate::board::testing::{bare, press, text, type_text};
use crate::runtime::status::LiveStatus;

fn fresh(width: u16, height: u16) -> App {
    let mut app = bare(width, height);
    app.at.demo = false;
    app.at.settings = "/home/me/.config/stratum/stratum.toml".into();
    app.link.status = Some(Box::new(LiveStatus::default()));
    app
}

#[test]
fn it_is_offered_once_and_only_without_key_and_data() {
    let mut app = fresh(80, 24);
    offer(&mut app);
    assert_eq!(app.overlays.len(), 1);
    insta::assert_snapshot!("welcome_80x24", text(&mut app));
    press(&mut app, &["esc"]);
    offer(&mut app);
    assert!(app.overlays.is_empty());
    let mut app = fresh(80, 24);
    app.link.status.as_mut().expect("status").key = KeyState::Untried;
    offer(&mut app);
    let mut demo = fresh(80, 24);
    demo.at.demo = true;
    offer(&mut demo);
    assert!(app.overlays.is_empty() && demo.overlays.is_empty());
    // What follows a hub needs no key, and asks no source that could be told of.
    let mut follows = fresh(100, 24);
    let asks = text(&mut follows);
    follows.link.status.as_mut().expect("status").hub = Some(crate::runtime::status::hub::HubStatus::default());
    offer(&mut follows);
    assert!(follows.overlays.is_empty());
    let shown = text(&mut follows);
    assert!(asks.contains("odds api") && !shown.contains("odds api") && shown.contains("hub"), "{shown}");
}

#[test]
fn the_demo_is_one_key_away() {
    let mut app = fresh(60, 16);
    offer(&mut app);
    app.key(Key::parse("d").expect("key"));
    assert!(matches!(app.effects[..], [Effect::Demo]));
}

#[test]
fn a_key_is_never_shown() {
    let mut app = fresh(80, 24);
    offer(&mut app);
    press(&mut app, &["K"]);
    type_text(&mut app, "5ecret");
    app.paste("0123456789");
    let shown = text(&mut app);
    assert!(!shown.contains("5ecret") && !shown.contains("0123") && shown.contains("••••••"), "{shown}");
    assert!(!format!("{:?}", app.overlays).contains("5ecret"));
    app.key(Key::parse("enter").expect("key"));
    let told: Vec<_> = app.toasts.iter().map(|t| t.text.clone()).collect();
    assert!(!format!("{told:?} {:?}", app.effects).contains("5ecret"));
    let key = app.effects.iter().find_map(|e| match e {
        Effect::Key(key) => Some(secrecy::ExposeSecret::expose_secret(key).to_owned()),
        _ => None,
    });
    assert_eq!(key.as_deref(), Some("5ecret0123456789"));
    app.effects.clear();
    key_refused(&mut app, "401");
    assert!(text(&mut app).contains("refuses this key: 401"));
    press(&mut app, &["esc"]);
    key_taken(&mut app, "/home/me/key", &offered());
    assert!(app.toasts.iter().any(|t| t.text.contains("/home/me/key")));
    assert!(text(&mut app).contains("Sports to follow"));
}

fn offered() -> Vec<Offered> {
    let sport = |key: &str, title: &str, group: &str, active| Offered {
        key: key.into(),
        title: title.into(),
        group: group.into(),
        active,
    };
    vec![
        sport("americanfootball_ncaaf", "NCAAF", "American Football", true),
        sport("americanfootball_nfl", "NFL", "American Football", true),
        sport("baseball_mlb", "MLB", "Baseball", false),
        sport("basketball_nba", "NBA", "Basketball", true),
        sport("icehockey_nhl", "NHL", "Ice Hockey", true),
        sport("soccer_brazil_campeonato", "Brazil Série A", "Soccer", true),
        sport(
            "tennis_atp_\u{1b}wimbledon",
            "ATP\tWimbledon, a name that is far too long for its column",
            "Tennis",
            false,
        ),
    ]
}

/// Right after a key has been taken.
fn picking(width: u16, height: u16) -> App {
    let mut app = fresh(width, height);
    app.at.follows = Follows {
        sports: ["americanfootball_nfl", "basketball_nba", "baseball_mlb", "curling_ice"].map(String::from).to_vec(),
        regions: vec!["us".into()],
        books: Vec::new(),
        markets: 3,
    };
    key_taken(&mut app, "/home/me/key", &offered());
    app.toasts.clear();
    app
}

fn followed(app: &App) -> Option<&Follows> {
    app.effects.iter().find_map(|e| match e {
        Effect::Follow(follows) => Some(&**follows),
        _ => None,
    })
}

#[test]
fn sports_and_books_are_chosen_after_the_key() {
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        let mut app = picking(width, height);
        insta::assert_snapshot!(format!("pick_sports_{width}x{height}"), text(&mut app));
        press(&mut app, &["enter"]);
        insta::assert_snapshot!(format!("pick_books_{width}x{height}"), text(&mut app));
    }
    let mut app = picking(60, 16);
    app.looks.glyphs = crate::board::theme::Glyphs::Ascii;
    insta::assert_snapshot!("pick_sports_60x16_ascii", text(&mut app));
}

#[test]
fn ticks_follow_the_keyboard_and_books_of_a_region_stay_a_region() {
    let mut app = picking(100, 30);
    type_text(&mut app, "hockey");
    app.key(Key::parse("space").expect("key"));
    press(&mut app, &["esc"]);
    type_text(&mut app, "basket");
    app.key(Key::parse("space").expect("key"));
    press(&mut app, &["enter"]);
    let shown = text(&mut app);
    assert!(shown.contains("4 sports, ") && shown.contains("3 credits a look"), "{shown}");
    app.key(Key::parse("enter").expect("key"));
    let chosen = followed(&app).expect("chosen").clone();
    // In the order of the list: in season first, and of those what was followed.
    assert_eq!(chosen.sports, ["curling_ice", "americanfootball_nfl", "icehockey_nhl", "baseball_mlb"]);
    assert!(chosen.books.is_empty(), "{chosen:?}");
    assert!(app.overlays.is_empty());

    let mut app = picking(100, 30);
    press(&mut app, &["tab"]);
    type_text(&mut app, "pinnacle");
    app.key(Key::parse("space").expect("key"));
    app.key(Key::parse("enter").expect("key"));
    let chosen = followed(&app).expect("chosen");
    let us = crate::market::books::Books::embedded().in_region("us").count();
    assert_eq!(chosen.books.len(), us + 1);
    assert!(chosen.books.iter().any(|b| b == "pinnacle"));
}

#[test]
fn ticks_follow_the_mouse() {
    use crate::board::app::input::Press;
    use ratatui::layout::Position;
    let mut app = picking(100, 30);
    let click = |app: &mut App, wanted: &str| {
        let shown = text(app);
        let (y, line) = shown.lines().enumerate().find(|(_, l)| l.contains(wanted)).expect("on show");
        let x = line.split(wanted).next().map_or(0, |before| before.chars().count());
        let at = Position::new(x as u16 + 1, y as u16);
        app.press(Press::Down, at);
        app.press(Press::Up, at);
    };
    click(&mut app, "Série A");
    click(&mut app, " Books ");
    assert!(text(&mut app).contains("Books to ask"));
    click(&mut app, " Follow ");
    assert!(followed(&app).expect("chosen").sports.iter().any(|s| s == "soccer_brazil_campeonato"));
}

#[test]
fn nothing_at_all_cannot_be_followed() {
    let mut app = fresh(80, 24);
    offer(&mut app);
    press(&mut app, &["S", "enter"]);
    let shown = text(&mut app);
    assert!(
        shown.contains("tick at least one sport") && shown.contains("icehockey") || shown.contains("NHL"),
        "{shown}"
    );
    press(&mut app, &["esc"]);
    assert!(text(&mut app).contains("Welcome to Stratum"));
    press(&mut app, &["esc"]);
    assert!(app.overlays.is_empty());
    pick::open(&mut app, &offered());
    press(&mut app, &["space", "enter", "enter"]);
    assert!(text(&mut app).contains("tick at least one book"));
    press(&mut app, &["esc", "esc"]);
    assert!(app.overlays.is_empty() && followed(&app).is_none());
}

#[test]
fn who_does_not_feed_the_store_chooses_nothing() {
    let mut app = picking(80, 24);
    press(&mut app, &["esc"]);
    app.link.feeder = crate::board::link::Feeder::Daemon { pid: 1, version: "1".into() };
    pick::open(&mut app, &offered());
    assert!(app.overlays.is_empty() && app.toasts.iter().any(|t| t.text.contains("daemon")));
    app.key(Key::parse("ctrl-o").expect("key"));
    assert!(app.effects.iter().any(|e| matches!(e, Effect::Offer)));
}

#[test]
fn what_came_of_the_choice_is_said() {
    let mut app = fresh(80, 24);
    let follows = Follows { sports: vec!["basketball_nba".into()], regions: vec!["us".into()], ..Follows::default() };
    pick::taken(&mut app, follows.clone(), "/x/stratum.toml", None);
    assert!(app.toasts.iter().any(|t| t.text == "following 1 sport at every book of us; kept in /x/stratum.toml"));
    assert_eq!(app.at.follows, follows);
}

#[test]
fn nonsense_is_no_key() {
    for text in ["two words", "\"quoted\"", "ü", &"x".repeat(600)] {
        assert!(judge(text).error.is_some());
    }
    assert!(judge(" abc123 ").error.is_none());
}
