//! Recorded books and ticks through the book builder.

use std::collections::BTreeMap;

use super::{csv, recorded_file, unpacked};
use crate::feeds::polymarket::book::{Applied, Standing, TokenBook};
use crate::feeds::polymarket::ids::{Shares, Side, Tick, TokenId};
use crate::feeds::polymarket::metrics::Metrics;
use crate::feeds::polymarket::pair::{Mirror, PairBook};
use crate::feeds::polymarket::wire::channel::{BookMessage, Change, Level, Stated};
use crate::feeds::polymarket::wire::lenient::time;
use crate::market::time::Timestamp;

fn empty_book(token: &str, at: Timestamp) -> BookMessage<'_> {
    BookMessage {
        token: token.into(),
        market: None,
        at,
        hash: None,
        bids: Vec::new(),
        asks: Vec::new(),
        last_trade: None,
        tick_size: None,
        min_size: None,
        incomplete: false,
    }
}

fn stated(text: &str, side: Side) -> Stated {
    match Tick::from_f64(text.parse().unwrap()).unwrap() {
        Tick::ZERO if side == Side::Bid => Stated::Empty,
        Tick::ONE if side == Side::Ask => Stated::Empty,
        tick => Stated::At(tick),
    }
}

#[test]
fn the_ticks_of_a_final_replay_uncrossed_or_flagged() {
    let Some(text) = unpacked("polymarket/ws_ticks/stanley_cup_g_20260607_0130.csv.zst") else { return };
    let mut books: BTreeMap<String, TokenBook> = BTreeMap::new();
    let (mut rows, mut trades, mut live, mut crossed_stated) = (0u32, 0u32, 0u32, 0u32);
    let mut doubts: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut better, mut old, mut last) = (0u32, 0u32, 0i64);
    let mut backwards = 0u32;
    for line in text.lines().skip(1) {
        let f = csv(line);
        rows += 1;
        let ms: i64 = f[0].parse().unwrap();
        backwards += u32::from(ms < last);
        last = last.max(ms);
        let at = Timestamp::from_millis(ms);
        let token = TokenId::parse(&f[7]).unwrap();
        if f[6] == "LAST_TRADE" {
            trades += 1;
            continue;
        }
        let book = books.entry(f[7].clone()).or_insert_with(|| {
            // The recording begins without a book: every level is unknown until it changes.
            let mut book = TokenBook::new(token.clone());
            book.seed(&empty_book(&f[7], at), at);
            book
        });
        let (bid, ask) = (stated(&f[3], Side::Bid), stated(&f[4], Side::Ask));
        if let (Stated::At(b), Stated::At(a)) = (bid, ask) {
            crossed_stated += u32::from(b >= a);
        }
        let change = Change {
            token: f[7].as_str().into(),
            side: Side::parse(&f[5]).unwrap(),
            price: Tick::from_f64(f[1].parse().unwrap()).unwrap(),
            size: Shares::from_f64(f[2].parse().unwrap()).unwrap(),
            hash: None,
            best_bid: bid,
            best_ask: ask,
        };
        old += u32::from(book.change(&change, at, at) == Applied::Old);
        let standing = book.standing();
        match standing {
            Standing::Live => {
                live += 1;
                let (b, a) = (book.best(Side::Bid), book.best(Side::Ask));
                if let (Some(b), Some(a)) = (b, a) {
                    assert!(b.price < a.price, "crossed and not flagged: {line}");
                }
            }
            Standing::Doubtful(why) => {
                *doubts.entry(why.name()).or_default() += 1;
                // We know a part of the true book, so nothing in ours can be better than what is stated.
                let beats = |ours: Option<Level>, stated: Stated, side: Side| match (ours, stated) {
                    (Some(o), Stated::At(s)) => {
                        if side == Side::Bid {
                            o.price > s
                        } else {
                            o.price < s
                        }
                    }
                    (Some(_), Stated::Empty) => true,
                    _ => false,
                };
                better += u32::from(
                    beats(book.best(Side::Bid), bid, Side::Bid) || beats(book.best(Side::Ask), ask, Side::Ask),
                );
            }
            Standing::Unseeded(_) => panic!("seeded"),
        }
    }
    println!(
        "rows {rows}, trades {trades}, live after the change {live}, flagged {doubts:?}, better than stated {better}, \
         old {old}, stated crossed {crossed_stated}, out of order {backwards}, tokens {}",
        books.len()
    );
    assert_eq!((rows, trades, books.len()), (206_848, 483, 12));
    assert_eq!(live + doubts.values().sum::<u32>(), rows - trades);
    assert_eq!((crossed_stated, old), (0, 0));
    // One market's ask at 0.50 is never taken back in the recording; live, REST would mend it.
    assert!(live > 170_000);
}

#[test]
fn recorded_pairs_mirror_each_other() {
    let Some(text) = unpacked("polymarket/ws_ticks/stanley_cup_g_20260607_0130.csv.zst") else { return };
    let mut books: BTreeMap<String, TokenBook> = BTreeMap::new();
    let mut pairs: BTreeMap<String, String> = BTreeMap::new();
    let (mut agree, mut differ, mut levels, mut most) = (0u32, 0u32, 0u64, 0usize);
    let mut before: Option<Vec<String>> = None;
    for line in text.lines().skip(1) {
        let f = csv(line);
        if f[6] == "LAST_TRADE" {
            continue;
        }
        let tick = |f: &[String]| Tick::from_f64(f[1].parse().unwrap()).unwrap();
        let at = Timestamp::from_millis(f[0].parse().unwrap());
        let book = books.entry(f[7].clone()).or_insert_with(|| {
            let mut book = TokenBook::new(TokenId::parse(&f[7]).unwrap());
            book.seed(&empty_book(&f[7], Timestamp::from_millis(0)), at);
            book
        });
        let change = Change {
            token: f[7].as_str().into(),
            side: Side::parse(&f[5]).unwrap(),
            price: tick(&f),
            size: Shares::from_f64(f[2].parse().unwrap()).unwrap(),
            hash: None,
            // Without what is stated: only the levels of both are compared here.
            best_bid: Stated::Silent,
            best_ask: Stated::Silent,
        };
        book.change(&change, at, at);
        // An order appears in both books, one line after the other.
        if let Some(was) = before.take().filter(|b| b[0] == f[0] && b[2] == f[2] && b[5] != f[5] && b[7] != f[7])
            && tick(&was) == tick(&f).mirrored()
        {
            pairs.entry(was[7].clone()).or_insert_with(|| f[7].clone());
            let (first, second) = (&books[&was[7]], &books[&f[7]]);
            let pair = PairBook::of(Some(first), Some(second));
            match pair.mirror {
                Mirror::Agree => agree += 1,
                Mirror::Differ { levels, .. } => {
                    differ += 1;
                    most = most.max(levels);
                }
                // A crossed book is left out of the pair.
                Mirror::OnlyFirst | Mirror::OnlySecond => {}
            }
            levels += (pair.bids.len() + pair.asks.len()) as u64;
        } else {
            before = Some(f);
        }
    }
    println!(
        "after an order stood in both books: mirrors agree {agree}, differ {differ} (in {most} levels at most), levels {levels}"
    );
    assert!(agree > 60_000 && differ * 50 < agree, "{agree} {differ}");
}

#[test]
fn one_second_books_are_read_as_they_stood() {
    let (Some(books), Some(market)) = (
        recorded_file("polymarket/one_second/nba-gsw-phx-2026-02-05_pm_sports_orderbook_top5_1s.csv"),
        recorded_file("polymarket/one_second/nba-gsw-phx-2026-02-05_pm_sports_market_1s.csv"),
    ) else {
        return;
    };
    let mut seconds: BTreeMap<Timestamp, (Vec<Level>, Vec<Level>)> = BTreeMap::new();
    for line in std::fs::read_to_string(books).unwrap().lines().skip(1) {
        let f = csv(line);
        let at = time(f[0].trim_end_matches('Z')).expect("time");
        let (Ok(price), Ok(size)) = (Tick::parse(&f[4]), Shares::parse(&f[5])) else { continue };
        let entry = seconds.entry(at).or_default();
        if f[2] == "bid" { entry.0.push(Level { price, size }) } else { entry.1.push(Level { price, size }) }
    }
    assert_eq!(seconds.len(), 10);
    let mut book = TokenBook::new(TokenId::parse("1").unwrap());
    for line in std::fs::read_to_string(market).unwrap().lines().skip(1) {
        let f = csv(line);
        let at = time(f[0].trim_end_matches('Z')).expect("time");
        let (bids, asks) = seconds[&at].clone();
        let asks: Vec<Level> = asks.into_iter().filter(|l| !l.size.is_zero()).collect();
        let bids: Vec<Level> = bids.into_iter().rev().filter(|l| !l.size.is_zero()).collect();
        book.seed(&BookMessage { bids, asks, ..empty_book("1", at) }, at);
        assert_eq!(book.standing(), Standing::Live, "{line}");
        let metrics = Metrics::of(&PairBook::of(Some(&book), None)).unwrap();
        let shown = |l: Option<Level>| l.map(|l| (l.price.probability(), l.size.shares()));
        let pair = |p: &str, s: &str| Some((p.parse::<f64>().ok()?, s.parse::<f64>().ok()?));
        assert_eq!(shown(metrics.best_bid), pair(&f[4], &f[5]), "{line}");
        assert_eq!(shown(metrics.best_ask), pair(&f[6], &f[7]), "{line}");
    }
}
