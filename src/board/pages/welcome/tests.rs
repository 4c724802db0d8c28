use super::*;
use crate::board::app::Effect;
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
    key_taken(&mut app, "/home/me/key");
    assert!(app.toasts.iter().any(|t| t.text.contains("stratum.toml")));
}

#[test]
fn nonsense_is_no_key() {
    for text in ["two words", "\"quoted\"", "ü", &"x".repeat(600)] {
        assert!(judge(text).error.is_some());
    }
    assert!(judge(" abc123 ").error.is_none());
}
