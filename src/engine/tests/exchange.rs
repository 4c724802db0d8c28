//! An exchange that is listened to, beside books that are looked at.

use serde_json::{Value, json};

use super::*;
use crate::engine::detect::signal::SignalType;
use crate::engine::price::fair::Voter;
use crate::engine::price::view::Exclusion;
use crate::engine::profile::BookProfile;
use crate::engine::settings::BookInfo;
use crate::market::books::{BookKind, Fee};

const PM: &str = "polymarket";

fn settings() -> EngineSettings {
    let mut settings = EngineSettings::default();
    for n in 1..=6 {
        settings.books.insert(format!("b{n}"), BookInfo::default());
    }
    let voter = Voter { family: 0, kind: BookKind::Exchange, weight: 1.5 };
    let profile = BookProfile { voter, fee: Fee::Polymarket(0.05), direct: true };
    let info = BookInfo { exchange: true, direct: true, profile, ..BookInfo::default() };
    settings.books.insert(PM.into(), info);
    settings
}

struct Market {
    desk: Desk,
}

impl Market {
    fn new() -> Self {
        Self { desk: Desk::with(settings()) }
    }

    /// Looked at every minute for a window and more, with nothing going on; the last one at 1260 seconds.
    fn standing() -> Self {
        let mut market = Self::new();
        for secs in (0..=1260).step_by(60) {
            market.books(secs, -110, -110);
            if secs < 1260 {
                market.exchange(secs + 5, (0.49, 0.51), Some(0.5));
            }
        }
        market
    }

    /// Six books at these American prices.
    fn books(&mut self, secs: i64, home: i64, away: i64) -> Changes {
        (self.desk.endpoint, self.desk.scope, self.desk.format) =
            (Endpoint::Odds, Scope::default(), Some(OddsFormat::American));
        let books: Vec<Value> = (1..=6).map(|n| book(&format!("b{n}"), vec![h2h(secs, home, away)])).collect();
        self.desk.look(secs, &json!([event("e1", books)]))
    }

    /// The exchange: bid and ask of home, and what lies between where enough stands behind them.
    fn exchange(&mut self, secs: i64, (bid, ask): (f64, f64), mid: Option<f64>) -> Changes {
        self.listen();
        let two = |key: &str, home: f64, away: f64| {
            market(
                key,
                secs,
                vec![json!({"name": HOME, "price": 1.0 / home}), json!({"name": AWAY, "price": 1.0 / away})],
            )
        };
        let mut markets = vec![two("h2h", ask, 1.0 - bid), two("h2h_lay", bid, 1.0 - ask)];
        markets.extend(mid.map(|mid| two("h2h_mid", mid, 1.0 - mid)));
        self.desk.look(secs, &json!([event("e1", vec![book(PM, markets)])]))
    }

    fn listen(&mut self) {
        let scope = Scope { books: only(&[PM]), events: only(&["e1"]), ..Scope::default() };
        (self.desk.endpoint, self.desk.scope, self.desk.format) =
            (Endpoint::Exchange, scope, Some(OddsFormat::Decimal));
    }

    /// Why the exchange has no part in the fair price of the moneyline.
    fn excluded(&self) -> Option<Exclusion> {
        let names = &self.desk.engine.names;
        let event = self.desk.engine.event(self.desk.id("e1")).expect("event");
        let memory = event.memory.as_ref().expect("memory");
        let question = memory.questions.iter().find(|q| names.market(q.key.market) == "h2h").expect("question");
        question.views.iter().find(|v| names.book(v.book) == PM).expect("view").own
    }
}

fn divergences(changes: &Changes) -> Vec<&crate::engine::detect::signal::Signal> {
    changes.signals.iter().filter(|s| s.kind == SignalType::ExchangeDivergence).collect()
}

#[test]
fn each_look_tells_of_its_own_kind_of_book() {
    let mut m = Market::new();
    m.books(0, -110, -110);
    let told = m.exchange(10, (0.49, 0.51), Some(0.5));
    assert!(told.quotes.iter().all(|q| q.new.is_some()), "nothing of the books: {:?}", told.quotes);
    assert_eq!(m.desk.all("b1", "h2h"), Status::Open);
    assert!(reasons(&told).is_empty(), "{:?}", told.issues);
    // An answer of all books does not hold the exchange, and says nothing of it.
    let changes = m.books(60, -110, -110);
    assert!(changes.quotes.is_empty(), "{:?}", changes.quotes);
    assert_eq!(m.desk.all(PM, "h2h"), Status::Open);
    // What somebody else says of the exchange is left out.
    let second_hand = json!([event("e1", vec![book(PM, vec![h2h(120, -300, 250)])])]);
    m.desk.endpoint = Endpoint::Odds;
    m.desk.look(120, &second_hand);
    assert_eq!(m.desk.quote(PM, "h2h", Side::Home).price.to_american(), -104);
    // Taken down there, it is gone.
    m.listen();
    m.desk.look(130, &json!([event("e1", vec![book(PM, Vec::<Value>::new())])]));
    assert_eq!(m.desk.all(PM, "h2h"), Status::Gone);
}

#[test]
fn it_counts_where_enough_stands_behind_it() {
    let mut m = Market::new();
    m.books(0, -110, -110);
    m.exchange(10, (0.49, 0.51), None);
    assert_eq!(m.excluded(), Some(Exclusion::ThinExchange));
    m.exchange(20, (0.49, 0.51), Some(0.505));
    assert_eq!(m.excluded(), None);
    m.exchange(30, (0.44, 0.52), Some(0.48));
    assert_eq!(m.excluded(), Some(Exclusion::WideExchange));
    m.exchange(40, (0.49, 0.51), Some(0.53));
    assert_eq!(m.excluded(), Some(Exclusion::ThinExchange), "a middle beside its bid and ask is of another moment");
}

#[test]
fn a_look_at_the_exchange_is_no_look_at_the_books() {
    let (mut alone, mut listening) = (Market::new(), Market::new());
    for market in [&mut alone, &mut listening] {
        market.books(0, -110, -110);
    }
    for secs in (30..900).step_by(30) {
        listening.exchange(secs, (0.49, 0.51), Some(0.5));
    }
    let (a, b) = (alone.books(900, -150, 130), listening.books(900, -150, 130));
    let of = |c: &Changes| -> Vec<_> {
        c.tallies.iter().filter(|t| t.detector != SignalType::ExchangeDivergence).copied().collect()
    };
    assert!(of(&a).iter().any(|t| t.not_evaluable > 0), "{:?}", a.tallies);
    assert_eq!(of(&a), of(&b), "the gap between the looks at the books stays what it was");
}

#[test]
fn the_exchange_moves_and_the_books_do_not() {
    let mut m = Market::standing();
    let told = m.exchange(1265, (0.55, 0.57), Some(0.56));
    let found = divergences(&told);
    assert_eq!(found.len(), 1, "{:?}", told.signals);
    let s = found[0];
    assert_eq!(s.detail.label.as_deref(), Some("exchange_leads"));
    assert_eq!((s.selection.as_str(), s.side.as_deref()), (HOME, Some("home")));
    let entry = s.entry.as_ref().expect("a book still offers it");
    assert!(entry.book.starts_with('b') && entry.ev.is_some(), "{entry:?}");
    assert!((s.detail.exchange_probability.expect("told") - 0.56).abs() < 1e-5);
    // 28 for the kind, 15 for a lag that is not known, 60 x 0.06.
    assert_eq!(s.strength, 47);
    // Within the cooldown the same is not told again.
    assert!(divergences(&m.exchange(1270, (0.555, 0.575), Some(0.565))).is_empty());
}

#[test]
fn the_usual_distance_is_no_divergence() {
    let mut m = Market::new();
    m.desk.engine.settings.rules.exchange.shift.insert(SPORT.into(), 0.05);
    m.books(0, -110, -110);
    m.exchange(5, (0.49, 0.51), Some(0.5));
    assert!(divergences(&m.exchange(65, (0.55, 0.57), Some(0.56))).is_empty());
}

#[test]
fn the_books_move_and_the_exchange_still_offers_the_old_price() {
    let mut m = Market::standing();
    m.exchange(1261, (0.49, 0.51), Some(0.5));
    let told = m.books(1320, -160, 140);
    let found = divergences(&told);
    assert_eq!(found.len(), 1, "{:?}", told.signals);
    let s = found[0];
    assert_eq!(s.detail.label.as_deref(), Some("sportsbook_leads"));
    let entry = s.entry.as_ref().expect("the exchange offers it");
    assert_eq!((entry.book.as_str(), s.side.as_deref()), (PM, Some("home")));
    assert!(entry.ev.is_some_and(|ev| ev > 0.0), "after the fee: {entry:?}");
}

#[test]
fn old_books_and_thin_exchanges_are_not_compared() {
    let mut m = Market::new();
    m.books(0, -110, -110);
    m.exchange(5, (0.49, 0.51), Some(0.5));
    assert!(divergences(&m.exchange(60, (0.55, 0.57), None)).is_empty(), "thin");
    assert!(divergences(&m.exchange(600, (0.56, 0.58), Some(0.57))).is_empty(), "the books were last seen long ago");
}
