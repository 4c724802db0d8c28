//! What is told of what: signals through rules, markets that come and go, lines, notices.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::decide::{self, Decision, State, look, notice};
use super::limits::LimitMove;
use super::message::{Kind, Message, Severity};
use super::notice::{Trouble, notice as trouble, recovered};
use super::quiet::QuietHours;
use super::rule::Wish;
use super::rules::{RuleSet, Silence};
use super::testing::{at, rule, signal};
use super::words::Moment;
use crate::engine::detect::signal::Signal;
use crate::engine::rules::AnalysisRules;
use crate::engine::{Changes, Engine, EngineSettings};
use crate::feeds::odds_api::wire::{self, AnswerInfo};
use crate::market::batch::{Endpoint, Scope};
use crate::market::price::OddsFormat;
use crate::store::desk::{AlertRule, ListContents, ListId, Rule, RuleId, RuleKind, Watchlist};

fn set(rules: &[AlertRule]) -> RuleSet {
    let set = RuleSet::new(rules, &[], &[]);
    assert_eq!(set.broken, []);
    set
}

fn moment(secs: i64) -> Moment<'static> {
    Moment { at: at(secs), wall: at(secs), origin: None, late_ms: 0 }
}

fn decided(s: &Signal, rules: &RuleSet, state: &State, secs: i64) -> (Decision, Vec<Silence>) {
    decide::signal(s, None, rules, state, &moment(secs))
}

/// Keys of what goes out.
fn keys(d: &Decision) -> Vec<&str> {
    d.outgoing.messages.iter().map(|m| m.key.as_str()).collect()
}

fn message(d: &Decision, n: usize) -> Message {
    serde_json::from_str(&d.outgoing.messages[n].message).expect("a message")
}

fn fact(m: &Message, label: &str) -> String {
    m.facts.iter().find(|f| f.label == label).map_or_else(|| panic!("no {label} in {m:?}"), |f| f.value.clone())
}

#[test]
fn a_message_says_side_entry_fair_evidence_and_start() {
    let rules = set(&[rule(1, "Steam", |_| ())]);
    let moment = Moment { origin: Some("DEMO"), ..moment(600) };
    let (d, _) = decide::signal(&signal("s1", 1, 600), None, &rules, &State::default(), &moment);
    let m = message(&d, 0);
    assert_eq!(m.headline(), "[DEMO] STEAM 70: Boston Celtics -4 at DraftKings -110 (MIA @ BOS)");
    assert_eq!(m.text, "Boston Celtics -3.50 → -4.50 in 2m, 4 of 6 books.");
    assert_eq!(fact(&m, "game"), "Miami Heat @ Boston Celtics (NBA)");
    assert_eq!(fact(&m, "side"), "Boston Celtics -4");
    assert_eq!(fact(&m, "entry"), "DraftKings -4 -110 (1.91), seen 12s ago");
    assert_eq!(fact(&m, "fair"), "53.2 % (-114) without DraftKings, the entry is worth +1.6 %");
    assert!(fact(&m, "evidence").starts_with("Boston Celtics: Pinnacle -3.5 -110 → -4.5 -110 by "), "{m:?}");
    assert!(fact(&m, "start").starts_with("in 50m (2026-"), "{m:?}");
    assert_eq!((m.kind, m.rule.as_deref(), m.key.as_str()), (Kind::Signal, Some("Steam"), "signal:s1:a"));
    assert_eq!(m.data.as_ref().and_then(|d| d["id"].as_str()), Some("s1"));
    // Other sports are called what they are.
    let nfl = Signal { sport: "americanfootball_nfl".into(), ..signal("s2", 1, 600) };
    assert!(fact(&message(&decided(&nfl, &rules, &State::default(), 600).0, 0), "game").ends_with("(NFL)"));
}

#[test]
fn what_cannot_be_taken_says_so() {
    let rules = set(&[rule(1, "All", |_| ())]);
    let tell = |s: &Signal| message(&decided(s, &rules, &State::default(), 600).0, 0);
    let mut informs = signal("s1", 1, 600);
    (informs.side, informs.entry) = (None, None);
    let m = tell(&informs);
    assert_eq!(m.title, "STEAM 70: Spread, nothing to take (MIA @ BOS)");
    assert_eq!(fact(&m, "side"), "none: it informs, there is nothing to take");
    assert!(m.facts.iter().all(|f| f.label != "entry"));
    let nothing = Signal { entry: None, ..signal("s1", 1, 600) };
    assert_eq!(fact(&tell(&nothing), "entry"), "no book offers it fresh");
    let mut old = signal("s1", 1, 600);
    old.entry.as_mut().expect("entry").age_seconds = 250.0;
    assert!(fact(&tell(&old), "entry").ends_with("seen 4m10s ago: OLD, look again before you act"));
}

#[test]
fn every_threshold_silences_for_its_own_reason() {
    let s = signal("s1", 1, 600);
    let why = |change: &dyn Fn(&mut super::rule::Terms)| {
        let rules = set(&[rule(1, "r", |t| change(t))]);
        let (d, silences) = decided(&s, &rules, &State::default(), 600);
        assert_eq!(d.outgoing.is_empty(), !silences.is_empty());
        silences.first().copied()
    };
    assert_eq!(why(&|_| ()), None);
    assert_eq!(why(&|t| t.kinds = vec![Kind::Opener]), Some(Silence::Kind));
    assert_eq!(why(&|t| t.filter = "type:move".into()), Some(Silence::Filter));
    assert_eq!(why(&|t| t.filter = "type:steam celtics market:spread books>=4 lead<1h".into()), None);
    assert_eq!(why(&|t| t.min_strength = Some(70)), None);
    assert_eq!(why(&|t| t.min_strength = Some(71)), Some(Silence::Strength));
    assert_eq!(why(&|t| t.min_composite = Some(72)), Some(Silence::Composite));
    assert_eq!(why(&|t| t.min_books = Some(5)), Some(Silence::Books));
    assert_eq!(why(&|t| t.max_dispersion = Some(0.4)), Some(Silence::Dispersion));
    assert_eq!(why(&|t| t.max_dispersion = Some(0.5)), None);
    assert_eq!(why(&|t| t.min_lead_seconds = Some(3000)), None);
    assert_eq!(why(&|t| t.min_lead_seconds = Some(3001)), Some(Silence::Lead));
    assert_eq!(why(&|t| t.max_age_seconds = Some(12)), None);
    assert_eq!(why(&|t| t.max_age_seconds = Some(11)), Some(Silence::Age));
    // An age limit needs a price to have an age.
    let rules = set(&[rule(1, "r", |t| t.max_age_seconds = Some(60))]);
    let nothing = Signal { entry: None, ..s };
    assert_eq!(decided(&nothing, &rules, &State::default(), 600).1, [Silence::Age]);
}

#[test]
fn a_signal_is_told_once_for_each_channel_however_many_rules_want_it() {
    let rules = set(&[
        rule(1, "One, and all", |t| t.channels = vec!["b".into(), "a".into()]),
        rule(2, "Two", |t| t.channels = vec!["a".into(), "a".into()]),
    ]);
    let mut state = State::default();
    let (d, _) = decided(&signal("s1", 1, 600), &rules, &state, 600);
    assert_eq!(keys(&d), ["signal:s1:a", "signal:s1:b"]);
    assert_eq!(d.outgoing.messages[0].rule.split('\n').collect::<Vec<_>>(), ["One, and all", "Two"]);
    assert_eq!(message(&d, 0).rule.as_deref(), Some("One, and all, Two"));
    assert_eq!(d.outgoing.fired.len(), 2);
    state.settle(d);
    // Neither the same again nor an update is told, not even after the cooldown.
    for (version, secs) in [(1, 600), (2, 660), (3, 9000)] {
        let (d, _) = decided(&signal("s1", version, 600), &rules, &state, secs);
        assert!(d.outgoing.is_empty(), "{version}");
    }
}

#[test]
fn an_update_is_told_where_a_rule_asks_for_updates() {
    let rules = set(&[
        rule(1, "first only", |_| ()),
        rule(2, "updates", |t| {
            t.updates = true;
            t.cooldown_seconds = 0;
            t.channels = vec!["a".into(), "b".into()];
        }),
    ]);
    let mut state = State::default();
    state.settle(decided(&signal("s1", 1, 600), &rules, &state, 600).0);
    let (d, _) = decided(&signal("s1", 2, 600), &rules, &state, 660);
    assert_eq!(keys(&d), ["signal:s1:v2:a", "signal:s1:v2:b"]);
    assert_eq!(d.outgoing.messages[0].rule, "updates");
    assert!(fact(&message(&d, 0), "update").starts_with("version 2"));
    state.settle(d);
    assert!(decided(&signal("s1", 2, 600), &rules, &state, 661).0.outgoing.is_empty());
    // A signal that grew into a rule is told for the first time as the version that it is.
    let strong = set(&[rule(3, "strong", |t| t.min_strength = Some(80))]);
    let mut state = State::default();
    state.settle(decided(&signal("s2", 1, 600), &strong, &state, 600).0);
    let (d, _) = decided(&Signal { strength: 85, ..signal("s2", 2, 600) }, &strong, &state, 660);
    assert_eq!(keys(&d), ["signal:s2:a"]);
}

#[test]
fn a_cooldown_is_about_the_same_thing() {
    let rules = set(&[
        rule(1, "r", |_| ()),
        rule(2, "own channel", |t| {
            t.channels = vec!["b".into()];
            t.cooldown_seconds = 0
        }),
    ]);
    let mut state = State::default();
    state.settle(decided(&signal("s1", 1, 600), &rules, &state, 600).0);
    let told = |s: &Signal, secs| {
        let (d, silences) = decided(s, &rules, &state, secs);
        (keys(&d).iter().map(|k| (*k).to_owned()).collect::<Vec<_>>(), silences)
    };
    // The same move of the same market again: only the rule without a cooldown speaks.
    assert_eq!(told(&signal("s2", 1, 900), 900), (vec!["signal:s2:b".to_owned()], vec![Silence::Cooldown]));
    assert_eq!(told(&signal("s2", 1, 1499), 1499).0, ["signal:s2:b"]);
    assert_eq!(told(&signal("s2", 1, 1500), 1500).0, ["signal:s2:a", "signal:s2:b"]);
    // Another direction, market, type, game or book is another thing.
    let mut others = vec![signal("s2", 1, 900); 5];
    others[0].direction = crate::engine::detect::signal::Direction::Up;
    others[1].market = "totals".into();
    others[2].kind = crate::engine::detect::signal::SignalType::Move;
    others[3].provider_event_id = "e2".into();
    others[4].detail.book = Some("fanduel".into());
    for other in others {
        assert_eq!(told(&other, 900).0.len(), 2, "{other:?}");
    }
    // What was told survives a restart.
    let (d, _) = decided(&signal("s1", 1, 600), &rules, &State::default(), 600);
    let keys = d.outgoing.messages.iter().map(|m| m.key.clone()).collect();
    let again = State::without_markets(d.outgoing.fired, keys, at(600));
    assert!(decided(&signal("s1", 1, 600), &rules, &again, 700).0.outgoing.is_empty());
    assert_eq!(decided(&signal("s2", 1, 900), &rules, &again, 900).1, [Silence::Cooldown]);
    // ... until nobody can ask for it any more.
    let mut old = again.clone();
    old.forget(at(8 * 86_400));
    assert_eq!(old.keys(), 0);
}

#[test]
fn quiet_hours_hold_and_never_lose() {
    // 1 795 200 000 is 2026-11-20 18:40 UTC.
    let night = QuietHours::parse("18:00-22:00", "UTC").expect("hours");
    let quiet = |id, name: &str| rule(id, name, |t| t.quiet = Some(night.clone()));
    let rules = set(&[quiet(1, "asleep")]);
    let (d, _) = decided(&signal("s1", 1, 0), &rules, &State::default(), 0);
    let row = &d.outgoing.messages[0];
    assert_eq!((row.not_before.to_string().as_str(), row.why.as_str()), ("2026-11-20T22:00:00Z", "quiet hours"));
    assert!(fact(&message(&d, 0), "held").contains("until 22:00:00 UTC"));
    // The end is told in this machine's time, whatever the market's clock says.
    let moment = Moment { wall: at(86_400), ..moment(0) };
    let (d, _) = decide::signal(&signal("s1", 1, 0), None, &rules, &State::default(), &moment);
    assert_eq!(d.outgoing.messages[0].not_before.to_string(), "2026-11-21T22:00:00Z");
    // One rule's night does not silence another's day.
    let rules = set(&[quiet(1, "asleep"), rule(2, "awake", |_| ())]);
    let (d, _) = decided(&signal("s1", 1, 0), &rules, &State::default(), 0);
    assert_eq!((d.outgoing.messages[0].not_before, d.outgoing.messages.len()), (at(0), 1));
}

#[test]
fn a_rule_may_be_limited_to_a_watchlist() {
    let list = |kind: RuleKind| ListContents {
        list: Watchlist { id: ListId(5), name: "Tonight".into(), position: 0, created_at: at(0), rules: 1 },
        rules: vec![Rule {
            id: RuleId(1),
            list: ListId(5),
            position: 0,
            kind,
            negative: false,
            label: String::new(),
            created_at: at(0),
        }],
    };
    let wanted = rule(1, "r", |t| t.list = Some(super::rule::ListRef { id: 5, name: "Tonight".into() }));
    let team = |name: &str| list(RuleKind::Team { name: name.into(), sport: None });
    let says = |contents: &[ListContents], rules: &[AlertRule]| {
        let rules = RuleSet::new(rules, contents, &[]);
        let (d, silences) = decided(&signal("s1", 1, 600), &rules, &State::default(), 600);
        (d.outgoing.messages.len(), silences, rules.broken)
    };
    let wanted = std::slice::from_ref(&wanted);
    assert_eq!(says(&[team("Boston Celtics")], wanted), (1, vec![], vec![]));
    assert_eq!(says(&[team("Utah Jazz")], wanted), (0, vec![Silence::List], vec![]));
    let gone = says(&[], wanted);
    assert_eq!((gone.0, gone.2.len()), (0, 1));
    assert!(gone.2[0].1.contains("'Tonight' has been deleted"));
    // A filter may name lists too.
    let by_name = [rule(1, "r", |t| t.filter = "list:tonight".into())];
    assert_eq!(says(&[team("Boston Celtics")], &by_name).0, 1);
    assert_eq!(says(&[team("Utah Jazz")], &by_name).1, [Silence::Filter]);
}

#[test]
fn a_broken_rule_stands_aside() {
    let mut bad = rule(1, "bad", |_| ());
    bad.json = "{}".into();
    let mut off = rule(2, "off", |_| ());
    off.on = false;
    let saved = rule(3, "saved", |t| t.filter = "@mine".into());
    let set = RuleSet::new(&[bad, off, saved, rule(4, "good", |_| ())], &[], &[]);
    assert_eq!(set.rules.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(set.broken.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["bad", "saved"]);
}

#[test]
fn a_trouble_is_told_when_it_begins_and_when_it_ends() {
    let rules = set(&[
        rule(1, "desk", |t| t.kinds = vec![Kind::Health, Kind::Credits]),
        rule(2, "signals", |t| t.channels = vec!["b".into()]),
    ]);
    let mut state = State::default();
    let mut say = |n: &super::notice::Notice, secs: i64| {
        let d = notice(n, &rules, &state, &moment(secs));
        let told: Vec<_> =
            (0..d.outgoing.messages.len()).map(|i| (message(&d, i).title, message(&d, i).severity)).collect();
        state.settle(d);
        told
    };
    let (bad, good) = (trouble(Trouble::KeyRefused, "401"), recovered(Trouble::KeyRefused, "fine"));
    assert_eq!(say(&good, 0), []);
    assert_eq!(say(&bad, 10), [("the key is refused".to_owned(), Severity::Critical)]);
    assert_eq!(say(&bad, 20), []);
    assert_eq!(say(&bad, 5000), []);
    assert_eq!(say(&good, 5010), [("Over: the key is refused".to_owned(), Severity::Notice)]);
    assert_eq!(say(&good, 5020), []);
    assert_eq!(say(&bad, 5030).len(), 1);
    // It goes on for half a day: a word now and then.
    assert_eq!(say(&bad, 5030 + 6 * 3600).len(), 1);
    assert_eq!(say(&trouble(Trouble::CreditsLow, "150 left"), 5040).len(), 1);
    assert_eq!(say(&trouble(Trouble::SourceUnavailable, "x").of("nba"), 5040).len(), 1);
    assert_eq!(say(&trouble(Trouble::SourceUnavailable, "x").of("nfl"), 5040).len(), 1);
}

/// An engine that is fed answers.
struct Market {
    engine: Engine,
}

impl Market {
    fn new() -> Self {
        let rules = AnalysisRules { on: false, ..AnalysisRules::default() };
        Self { engine: Engine::new(EngineSettings { rules, ..EngineSettings::default() }) }
    }

    fn look(&mut self, secs: i64, body: &Value) -> Changes {
        let text = body.to_string();
        let info = AnswerInfo {
            source: "the-odds-api",
            sport: "basketball_nba",
            endpoint: Endpoint::Odds,
            received_at: at(secs),
            scope: Scope::default(),
            format: Some(OddsFormat::American),
        };
        let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
        self.engine.apply(&batch)
    }
}

fn game(id: &str, books: Vec<Value>) -> Value {
    json!({"id": id, "sport_key": "basketball_nba", "commence_time": at(36_000).to_string(),
           "home_team": "Boston Celtics", "away_team": "Miami Heat", "bookmakers": books})
}

fn book(key: &str, secs: i64, markets: &[&str]) -> Value {
    let market = |m: &&str| match *m {
        "h2h" => json!({"key": "h2h", "last_update": at(secs).to_string(), "outcomes": [
            {"name": "Boston Celtics", "price": -150}, {"name": "Miami Heat", "price": 130}]}),
        _ => json!({"key": "totals", "last_update": at(secs).to_string(), "outcomes": [
            {"name": "Over", "price": -110, "point": 220.5}, {"name": "Under", "price": -110, "point": 220.5}]}),
    };
    json!({"key": key, "title": key, "markets": markets.iter().map(market).collect::<Vec<_>>()})
}

fn spread(key: &str, secs: i64, line: f64, home: i64) -> Value {
    json!({"key": key, "title": key, "markets": [{"key": "spreads", "last_update": at(secs).to_string(), "outcomes": [
        {"name": "Boston Celtics", "price": home, "point": line},
        {"name": "Miami Heat", "price": -110, "point": -line}]}]})
}

/// A look of which no book changed what it takes.
fn looked(changes: &Changes, engine: &Engine, rules: &RuleSet, state: &State, moment: &Moment<'_>) -> Decision {
    look(changes, engine, rules, state, moment, &[])
}

#[test]
fn a_limit_that_changes_is_told_where_a_rule_asks_for_it() {
    let rules = set(&[
        rule(1, "limits", |t| t.kinds = vec![Kind::Limit]),
        rule(2, "totals", |t| {
            t.kinds = vec![Kind::Limit];
            t.filter = "market:totals".into();
            t.channels = vec!["b".into()]
        }),
    ]);
    let mut market = Market::new();
    let changes = market.look(0, &json!([game("e1", vec![book("betfair_ex_uk", 0, &["h2h"])])]));
    let state = State::new(vec![], vec![], at(0), &market.engine, &rules, |_| true);
    let moved = LimitMove {
        provider_id: "e1".into(),
        book: "betfair_ex_uk".into(),
        market: "h2h".into(),
        outcome: "Boston Celtics".into(),
        from: 500.0,
        to: 100.0,
    };
    let of_nobody = LimitMove { provider_id: "e9".into(), ..moved.clone() };
    let d = look(&changes, &market.engine, &rules, &state, &moment(0), &[moved.clone(), of_nobody]);
    assert_eq!(d.outgoing.messages.iter().map(|m| m.channel.as_str()).collect::<Vec<_>>(), ["a"]);
    let told = message(&d, 0);
    assert!(
        told.title.starts_with("limits changed at ") && told.title.ends_with("Miami Heat @ Boston Celtics"),
        "{told:?}"
    );
    assert!(told.facts.iter().any(|f| f.value.ends_with("takes 100, took 500")), "{told:?}");
    assert_eq!(told.data.as_ref().map(|d| d["limits"][0]["to"].clone()), Some(json!(100.0)));
    // The same outcome again within the cooldown is no news.
    let mut state = state;
    state.settle(d);
    assert!(look(&changes, &market.engine, &rules, &state, &moment(30), &[moved]).outgoing.is_empty());
}

#[test]
fn openers_and_markets_that_vanish_and_return() {
    let rules = set(&[
        rule(1, "all", |t| t.kinds = vec![Kind::Opener, Kind::Gone, Kind::Reopened]),
        rule(2, "totals", |t| {
            t.kinds = vec![Kind::Opener];
            t.filter = "market:totals".into();
            t.channels = vec!["b".into()]
        }),
    ]);
    let mut market = Market::new();
    let mut state = State::new(vec![], vec![], at(0), &market.engine, &rules, |_| true);
    let mut step = |market: &mut Market, secs: i64, body: Value| -> Vec<(String, String)> {
        let changes = market.look(secs, &body);
        let d = looked(&changes, &market.engine, &rules, &state, &moment(secs));
        let told = d
            .outgoing
            .messages
            .iter()
            .enumerate()
            .map(|(i, row)| (row.channel.clone(), message(&d, i).title))
            .collect();
        state.settle(d);
        told
    };
    let old = game("e1", vec![book("pinnacle", 0, &["h2h", "totals"])]);
    // Everything is new at the first look: that is no news.
    assert_eq!(step(&mut market, 0, json!([old])), []);
    assert_eq!(step(&mut market, 60, json!([old])), []);
    // A new game: one message for each channel, with the markets that its rules want.
    let opened = step(&mut market, 120, json!([old, game("e2", vec![book("pinnacle", 120, &["h2h", "totals"])])]));
    let title = |what: &str| format!("{what}: Miami Heat @ Boston Celtics");
    assert_eq!(opened, [("a".to_owned(), title("Moneyline, Total opened")), ("b".to_owned(), title("Total opened"))]);
    // A second book opens nothing, and one that leaves closes nothing.
    let both = |markets: &[&str]| game("e1", vec![book("pinnacle", 150, markets), book("fanduel", 150, &["h2h"])]);
    let e2 = game("e2", vec![book("pinnacle", 150, &["h2h", "totals"])]);
    assert_eq!(step(&mut market, 180, json!([both(&["h2h", "totals"]), e2])), []);
    assert_eq!(step(&mut market, 240, json!([both(&["totals"]), e2])), []);
    assert_eq!(step(&mut market, 300, json!([both(&[]), e2])), [("a".to_owned(), title("Total gone"))]);
    // A game that is missing as a whole proves nothing.
    assert_eq!(step(&mut market, 360, json!([both(&[])])), []);
    assert_eq!(step(&mut market, 420, json!([both(&[]), e2])), []);
    assert_eq!(step(&mut market, 480, json!([both(&["totals"]), e2])), [("a".to_owned(), title("Total back"))]);
    // It flaps: the cooldown keeps quiet.
    assert_eq!(step(&mut market, 540, json!([both(&[]), e2])), []);
    // A restart knows what was there.
    let mut again = State::new(vec![], vec![], at(540), &market.engine, &rules, |_| true);
    let changes = market.look(600, &json!([both(&["totals"]), e2]));
    let d = looked(&changes, &market.engine, &rules, &again, &moment(600));
    assert_eq!(message(&d, 0).title, title("Total back"));
    again.settle(d);
    // After the start books close what is over: no news.
    let changes = market.look(36_001, &json!([both(&[]), e2]));
    assert!(looked(&changes, &market.engine, &rules, &again, &moment(36_001)).outgoing.is_empty());
}

#[test]
fn a_line_is_told_when_it_comes_and_again_only_when_it_came_back() {
    let wish = Wish {
        market: "spreads".into(),
        selection: "BOS".into(),
        line: Some(-2.5),
        price: "-115".into(),
        exact: false,
    };
    let rules = set(&[rule(7, "wait", |t| {
        (t.kinds, t.line, t.cooldown_seconds) = (vec![Kind::Line], Some(wish.clone()), 0);
    })]);
    let mut market = Market::new();
    // The engine knows a sport's model only while it analyses.
    market.engine = Engine::new(EngineSettings::default());
    let mut state = State::new(vec![], vec![], at(0), &market.engine, &rules, |_| true);
    let mut step = |market: &mut Market, secs: i64, books: Vec<Value>| -> Vec<Message> {
        let changes = market.look(secs, &json!([game("e1", books)]));
        let d = looked(&changes, &market.engine, &rules, &state, &moment(secs));
        let told = (0..d.outgoing.messages.len()).map(|i| message(&d, i)).collect();
        state.settle(d);
        told
    };
    assert_eq!(step(&mut market, 0, vec![spread("fanduel", 0, -3.5, -110)]), []);
    let told = step(&mut market, 60, vec![spread("fanduel", 60, -3.5, -110), spread("draftkings", 60, -2.5, -112)]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].title, "Boston Celtics -2.5 -112 at DraftKings (MIA @ BOS)");
    assert_eq!(told[0].text, "You asked for spreads BOS -2.5 at -115 or its equivalent.");
    assert_eq!((fact(&told[0], "answer").as_str(), told[0].kind), ("the line you asked for", Kind::Line));
    // While it is there it is not told again, even as the best book changes.
    assert_eq!(step(&mut market, 120, vec![spread("draftkings", 120, -2.5, -105)]), []);
    assert_eq!(step(&mut market, 180, vec![spread("fanduel", 180, -3.5, -110)]), []);
    // Its equivalent: half a point worse at plus money.
    let told = step(&mut market, 240, vec![spread("fanduel", 240, -3.0, 105)]);
    assert_eq!(told.len(), 1, "-3 at +105 is worth about -101 at -2.5");
    assert!(fact(&told[0], "answer").starts_with("worth "), "{told:?}");
    // A restart knows that it is there.
    let again = State::new(vec![], vec![], at(240), &market.engine, &rules, |_| true);
    let changes = market.look(300, &json!([game("e1", vec![spread("fanduel", 300, -3.0, 105)])]));
    assert!(looked(&changes, &market.engine, &rules, &again, &moment(300)).outgoing.is_empty());
    // A rule that was made since has not been told of it yet; told late, it says so.
    let new = State::new(vec![], vec![], at(240), &market.engine, &rules, |_| false);
    let d = looked(&changes, &market.engine, &rules, &new, &Moment { late_ms: 7_500_000, ..moment(300) });
    assert_eq!(fact(&message(&d, 0), "told"), "2h05m after it happened: look again");
}

proptest! {
    /// Whatever comes in whatever order, with restarts in between: no key is given twice, and a signal that some rule
    /// without a cooldown wants is told.
    #[test]
    fn keys_are_given_once(steps in proptest::collection::vec((0_u8..4, 1_u32..4, any::<bool>()), 1..40)) {
        let rules = set(&[
            rule(1, "cool", |_| ()),
            rule(2, "always", |t| { t.cooldown_seconds = 0; t.channels = vec!["a".into(), "b".into()]; t.updates = true }),
        ]);
        let mut state = State::default();
        let (mut keys, mut fired) = (Vec::new(), Vec::new());
        let mut wanted = std::collections::BTreeSet::new();
        for (n, (id, version, restart)) in steps.into_iter().enumerate() {
            if restart {
                state = State::without_markets(fired.clone(), keys.clone(), at(0));
            }
            let s = signal(&format!("s{id}"), version, n as i64);
            wanted.insert(s.id.clone());
            let (d, _) = decided(&s, &rules, &state, n as i64);
            keys.extend(d.outgoing.messages.iter().map(|m| m.key.clone()));
            fired.extend(d.outgoing.fired.iter().cloned());
            state.settle(d);
        }
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();
        prop_assert_eq!(unique.len(), keys.len());
        for id in wanted {
            let both = ["a", "b"].map(|channel| format!("signal:{id}:{channel}"));
            prop_assert!(both.iter().all(|key| keys.contains(key)));
        }
    }
}
