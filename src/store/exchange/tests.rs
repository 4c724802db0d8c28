use super::*;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::{Reader, Retention, Store};

const PM: &str = "polymarket";
const HOUR: i64 = 3_600_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::parse("2026-11-20T20:00:00Z").expect("time").plus(minutes * 60_000)
}

fn listing() -> NewListing {
    let contract = ContractRow {
        condition: "0xabc".into(),
        slug: "nba-bis-gul-2026-11-20".into(),
        question: "Bison vs. Gulls".into(),
        kind: "moneyline".into(),
        about: "{}".into(),
        outcomes: ["Bison".into(), "Gulls".into()],
        tokens: ["1111".into(), "2222".into()],
        fee_rate: Some(0.05),
        settlement: "[]".into(),
        ..ContractRow::default()
    };
    NewListing {
        listing: ListingRow {
            key: "800001".into(),
            slug: "nba-bis-gul-2026-11-20".into(),
            title: "Bison vs. Gulls".into(),
            sport: "basketball_nba".into(),
            date: "2026-11-20".into(),
            starts: Some(at(250)),
            teams: Some(["Bison".into(), "Gulls".into()]),
            volume: Some(178_000.5),
            ..ListingRow::default()
        },
        contracts: vec![contract],
    }
}

fn book(market: i64, minute: i64, bid: u16) -> BookRow {
    let level = |price, size| DepthLevel { price, size };
    BookRow {
        market,
        at: at(minute),
        changed_at: Some(at(minute)),
        near: [Some(350_500_000), Some(120_000_000)],
        middle: Some(0.4231),
        bids: vec![level(bid, 350_500_000), level(bid - 200, 100_000_000)],
        asks: vec![level(bid + 100, 120_000_000)],
        ..BookRow::default()
    }
}

fn open() -> (tempfile::TempDir, Store, Reader) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("stratum.db");
    let store = Store::open(&path).expect("store");
    let reader = Reader::open(&path).expect("reader");
    (folder, store, reader)
}

#[test]
fn a_listing_is_kept_once_and_brought_up_to_date() {
    let (_folder, mut store, reader) = open();
    let first = store.keep_listings(PM, &[listing()], at(0)).expect("kept");
    let mut later = listing();
    later.listing.title = "Bison at Gulls".into();
    (later.listing.starts, later.listing.volume) = (None, None);
    later.contracts[0].fee_rate = None;
    later.contracts[0].why_not = Some("closed".into());
    assert_eq!(store.keep_listings(PM, &[later], at(5)).expect("kept"), first);
    let game = reader.exchange_game(PM, "nba-bis-gul-2026-11-20").expect("read").expect("there");
    assert_eq!(game.listing.title, "Bison at Gulls");
    assert_eq!((game.listing.starts, game.listing.volume), (Some(at(250)), Some(178_000.5)), "what is not told stays");
    assert_eq!(game.listing.seen, (at(0), at(5)));
    assert_eq!(game.markets.len(), 1);
    let contract = &game.markets[0].contract;
    assert_eq!((contract.fee_rate, contract.why_not.as_deref()), (Some(0.05), Some("closed")));
    assert_eq!(game.link, None);
    assert!(reader.exchange_game(PM, "something-else").expect("read").is_none());
}

#[test]
fn links_outlive_a_refresh_and_are_logged_when_they_change() {
    let (_folder, mut store, reader) = open();
    let id = store.keep_listings(PM, &[listing()], at(0)).expect("kept")[0].0;
    let link = Link {
        listing: id,
        event: Some(EventId(7)),
        home_first: Some(false),
        state: LinkState::Linked,
        confidence: 0.98,
        reasons: "[\"both teams\"]".into(),
        at: at(1),
        ..Link::default()
    };
    for n in 0..3 {
        let links = vec![Link { at: at(1 + n), ..link.clone() }];
        store.keep_exchange(&ExchangeRows { links, ..ExchangeRows::default() }).expect("kept");
        store.keep_listings(PM, &[listing()], at(2 + n)).expect("kept");
    }
    let game = reader.exchange_game_of(PM, EventId(7)).expect("read").expect("linked");
    assert_eq!(
        game.link.map(|l| (l.event, l.state, l.home_first)),
        Some((Some(EventId(7)), LinkState::Linked, Some(false)))
    );
    let undone = Link { event: None, state: LinkState::Refused, how: LinkHow::User, at: at(9), ..link };
    store.keep_exchange(&ExchangeRows { links: vec![undone], ..ExchangeRows::default() }).expect("kept");
    assert!(reader.exchange_game_of(PM, EventId(7)).expect("read").is_none());
    let log = reader.exchange_link_log(10).expect("read");
    let states: Vec<_> = log.iter().map(|l| (l.state, l.how, l.event)).collect();
    assert_eq!(
        states,
        [(LinkState::Refused, LinkHow::User, None), (LinkState::Linked, LinkHow::Auto, Some(EventId(7)))]
    );
}

#[test]
fn books_come_back_as_they_went_in() {
    let (_folder, mut store, reader) = open();
    let market = store.keep_listings(PM, &[listing()], at(0)).expect("kept")[0].1[0];
    let gap = BookRow { market, at: at(3), state: BookState::Unknown, ..BookRow::default() };
    let books = vec![book(market, 1, 4200), book(market, 2, 4300), gap.clone()];
    let trade =
        TradeRow { market, at: at(2), first: true, side: Some("buy".into()), price: 4300, size: Some(25_000_000) };
    let rows = ExchangeRows {
        books: books.clone(),
        seen: vec![(market, at(4))],
        trades: vec![trade.clone()],
        gaps: vec![GapRow { since: at(3), until: at(4), why: "frozen".into(), markets: 1 }],
        ..ExchangeRows::default()
    };
    store.keep_exchange(&rows).expect("kept");
    let read = |from, to| reader.exchange_books(market, at(from), at(to), 100).expect("read");
    assert_eq!(read(0, 10), books);
    // The one that held at the beginning of a span belongs to it.
    assert_eq!(read(2, 2), books[1..2]);
    assert_eq!(
        reader.exchange_books(market, at(0), at(10), 1).expect("read"),
        std::slice::from_ref(&gap),
        "the newest ones"
    );
    assert_eq!(reader.exchange_trades(market, at(10), 5).expect("read"), [trade]);
    assert_eq!(reader.exchange_gaps(at(0), at(3)).expect("read").len(), 1);
    assert_eq!(reader.exchange_gaps(at(5), at(9)).expect("read").len(), 0);
    let games = reader.exchange_games(PM, at(0), at(300)).expect("read");
    let now = &games[0].markets[0];
    assert_eq!((now.book.as_ref(), now.seen), (Some(&gap), Some(at(4))));
    let level = books[0].bid().expect("bid");
    assert!((level.dollars() - 147.21).abs() < 1e-9 && (level.shares() - 350.5).abs() < 1e-9);
}

#[test]
fn middles_of_the_past_are_kept_once() {
    let (_folder, mut store, reader) = open();
    let market = store.keep_listings(PM, &[listing()], at(0)).expect("kept")[0].1[0];
    let points: Vec<PricePoint> = (0..5).map(|n| PricePoint { at: at(n), price: (40 + n) as f64 / 100.0 }).collect();
    assert_eq!(store.keep_prices(market, (at(0), at(3)), &points[..3], at(100)).expect("kept"), 3);
    assert_eq!(store.keep_prices(market, (at(1), at(5)), &points, at(101)).expect("kept"), 2);
    assert_eq!(reader.exchange_prices(market, at(0), at(9)).expect("read"), points);
    assert_eq!(reader.exchange_backfill(market).expect("read"), Some((at(0), at(5), at(101), 5)));
}

#[test]
fn what_is_old_goes_but_for_the_newest_book() {
    let (_folder, mut store, reader) = open();
    let market = store.keep_listings(PM, &[listing()], at(0)).expect("kept")[0].1[0];
    let books = (0..4).map(|n| book(market, n, 4200)).collect();
    store.keep_exchange(&ExchangeRows { books, ..ExchangeRows::default() }).expect("kept");
    let policy = Retention { exchange_ms: Some(HOUR), ..Retention::default() };
    while !store.retain(&policy, at(600)).expect("kept").is_done() {}
    let left = reader.exchange_books(market, at(0), at(600), 100).expect("read");
    assert_eq!(left.iter().map(|b| b.at).collect::<Vec<_>>(), [at(3)]);
}

#[test]
fn what_is_kept_is_counted_by_sport() {
    let (_folder, mut store, reader) = open();
    assert!(reader.exchange_totals(PM).expect("read").is_empty());
    assert_eq!(reader.newest_look().expect("read"), None);
    let (event, markets) = store.keep_listings(PM, &[listing()], at(0)).expect("kept").remove(0);
    let mut hockey = listing();
    (hockey.listing.key, hockey.listing.slug) = ("800002".into(), "nhl-a-b-2026-11-20".into());
    (hockey.listing.sport, hockey.contracts) = ("icehockey_nhl".into(), Vec::new());
    store.keep_listings(PM, &[hockey], at(0)).expect("kept");
    let market = markets[0];
    let link = Link { listing: event, event: Some(EventId(7)), state: LinkState::Linked, at: at(1), ..Link::default() };
    let trade = TradeRow { market, at: at(1), first: true, price: 4200, ..TradeRow::default() };
    let books = (2..5).map(|n| book(market, n, 4200)).collect();
    let rows = ExchangeRows { books, trades: vec![trade], links: vec![link], ..ExchangeRows::default() };
    store.keep_exchange(&rows).expect("kept");
    store.keep_prices(market, (at(0), at(3)), &[PricePoint { at: at(0), price: 0.5 }], at(9)).expect("kept");
    let totals = reader.exchange_totals(PM).expect("read");
    let [nba, nhl] = totals.as_slice() else { panic!("two sports: {totals:?}") };
    assert_eq!((nba.games, nba.linked, nba.none, nba.contracts), (1, 1, 0, 1));
    assert_eq!((nba.books, nba.span, nba.trades), (3, Some((at(2), at(4))), 1));
    assert_eq!((nba.filled, nba.points), (1, 1));
    // What nobody has looked at is linked to none.
    assert_eq!((nhl.games, nhl.none, nhl.contracts, nhl.span), (1, 1, 0, None));
    assert!(reader.exchange_totals("kalshi").expect("read").is_empty());
}
