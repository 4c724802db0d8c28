//! Books from messages: any order of arrival gives the book of the order of time.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::feeds::polymarket::book::{Applied, Doubt, NoSeed, Standing, TokenBook};
use crate::feeds::polymarket::ids::{Shares, Side, Tick, TokenId};
use crate::feeds::polymarket::pair::{Mirror, PairBook};
use crate::feeds::polymarket::wire::channel::{BookMessage, Change, Level, Stated};
use crate::market::time::Timestamp;

fn token() -> TokenId {
    TokenId::parse("1111").unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_200_000_000 + ms)
}

fn level(price: u16, shares: u64) -> Level {
    Level { price: Tick::new(price).unwrap(), size: Shares::from_micros(shares * 1_000_000).unwrap() }
}

fn book(time: i64, bids: &[(u16, u64)], asks: &[(u16, u64)]) -> BookMessage<'static> {
    let of = |list: &[(u16, u64)]| list.iter().filter(|l| l.1 > 0).map(|(p, s)| level(*p, *s)).collect();
    BookMessage {
        token: "1111".into(),
        market: None,
        at: at(time),
        hash: None,
        bids: of(bids),
        asks: of(asks),
        last_trade: None,
        tick_size: None,
        min_size: None,
        incomplete: false,
    }
}

fn change(side: Side, price: u16, shares: u64) -> Change<'static> {
    let Level { price, size } = Level { size: Shares::from_micros(shares * 1_000_000).unwrap(), ..level(price, 1) };
    Change { token: "1111".into(), side, price, size, hash: None, best_bid: Stated::Silent, best_ask: Stated::Silent }
}

fn bests(book: &TokenBook) -> (Option<u16>, Option<u16>) {
    (book.best(Side::Bid).map(|l| l.price.ticks()), book.best(Side::Ask).map(|l| l.price.ticks()))
}

#[test]
fn a_book_is_seeded_changed_and_sorted() {
    let mut b = TokenBook::new(token());
    assert_eq!(b.standing(), Standing::Unseeded(NoSeed::NeverSeen));
    assert_eq!(
        b.seed(&book(10, &[(4000, 5), (4200, 1), (4100, 2)], &[(4500, 1), (4300, 2)]), at(11)),
        Applied::Changed
    );
    assert_eq!((b.standing(), bests(&b)), (Standing::Live, (Some(4200), Some(4300))));
    assert_eq!(b.change(&change(Side::Bid, 4200, 0), at(12), at(13)), Applied::Changed);
    assert_eq!(b.change(&change(Side::Bid, 4200, 0), at(12), at(13)), Applied::Same);
    assert_eq!(bests(&b), (Some(4100), Some(4300)));
    // Older than the seed.
    assert_eq!(b.change(&change(Side::Bid, 4250, 9), at(9), at(14)), Applied::Old);
    assert_eq!(b.seed(&book(5, &[], &[]), at(15)), Applied::Old);
    assert_eq!(b.levels(Side::Ask).map(|l| l.price.ticks()).collect::<Vec<_>>(), [4300, 4500]);
    // An empty side is legal.
    assert_eq!(b.seed(&book(20, &[], &[(9990, 7)]), at(21)), Applied::Changed);
    assert_eq!((b.standing(), bests(&b)), (Standing::Live, (None, Some(9990))));
}

#[test]
fn doubt_has_a_reason_and_an_end() {
    let mut b = TokenBook::new(token());
    b.seed(&book(10, &[(4200, 1)], &[(4300, 2)]), at(10));
    b.change(&change(Side::Bid, 4300, 1), at(11), at(11));
    assert_eq!(b.standing(), Standing::Doubtful(Doubt::Crossed));
    b.change(&change(Side::Ask, 4300, 0), at(12), at(12));
    assert_eq!(b.standing(), Standing::Live);
    let stated = |bid, ask| Change { best_bid: bid, best_ask: ask, ..change(Side::Bid, 1000, 1) };
    let tick = |t| Stated::At(Tick::new(t).unwrap());
    b.change(&stated(tick(4300), Stated::Empty), at(13), at(13));
    assert_eq!(b.standing(), Standing::Live);
    b.change(&stated(tick(4100), Stated::Empty), at(14), at(14));
    assert_eq!(b.standing(), Standing::Doubtful(Doubt::OtherBest));
    b.seed(&book(15, &[(4100, 1)], &[]), at(15));
    assert_eq!(b.standing(), Standing::Live);
    b.doubt_rest();
    assert_eq!(b.standing(), Standing::Doubtful(Doubt::OtherAtRest));
    b.seed(&book(15, &[(4100, 1)], &[]), at(16));
    assert_eq!(b.standing(), Standing::Live);
    b.seed(&BookMessage { incomplete: true, ..book(16, &[(4100, 1)], &[]) }, at(16));
    assert_eq!(b.standing(), Standing::Doubtful(Doubt::Incomplete));
}

#[test]
fn a_new_step_of_prices_voids_the_book_until_the_next_one() {
    let mut b = TokenBook::new(token());
    b.seed(&book(10, &[(9500, 1)], &[(9600, 2)]), at(10));
    b.void(NoSeed::TickSize, at(20));
    assert_eq!(b.standing(), Standing::Unseeded(NoSeed::TickSize));
    assert_eq!(b.change(&change(Side::Bid, 9650, 1), at(21), at(21)), Applied::Waiting);
    assert_eq!(b.seed(&book(15, &[(9500, 1)], &[]), at(22)), Applied::Old);
    assert_eq!(b.seed(&book(20, &[(9610, 1)], &[(9620, 1)]), at(23)), Applied::Changed);
    // What came after that book, and before it reached us, still counts; and it crosses.
    assert_eq!((b.standing(), bests(&b)), (Standing::Doubtful(Doubt::Crossed), (Some(9650), Some(9620))));
    b.reset(NoSeed::Gap);
    assert_eq!((b.standing(), bests(&b)), (Standing::Unseeded(NoSeed::Gap), (None, None)));
    // After a reconnect the dump may be as old as it likes: nothing changed since.
    assert_eq!(b.seed(&book(12, &[(9500, 1)], &[]), at(30)), Applied::Changed);
}

#[test]
fn sizes_are_never_counted_twice() {
    let (mut one, mut two) = (TokenBook::new(token()), TokenBook::new(TokenId::parse("2222").unwrap()));
    one.seed(&book(10, &[(4200, 100), (4000, 5)], &[(4300, 50)]), at(10));
    two.seed(&book(10, &[(5700, 50)], &[(5800, 100), (6000, 5)]), at(10));
    let pair = PairBook::of(Some(&one), Some(&two));
    assert_eq!((pair.standing, pair.mirror), (Standing::Live, Mirror::Agree));
    assert_eq!(pair.bids, [level(4200, 100), level(4000, 5)]);
    assert_eq!(pair.asks, [level(4300, 50)]);
    // The second book hears of a removal first: the fresher word counts, and the difference is told.
    two.change(&change(Side::Ask, 5800, 0), at(12), at(12));
    let pair = PairBook::of(Some(&one), Some(&two));
    assert_eq!(pair.bids, [level(4000, 5)]);
    assert!(matches!(pair.mirror, Mirror::Differ { levels: 1, side: Side::Bid, .. }));
    one.change(&change(Side::Bid, 4200, 0), at(12), at(13));
    assert_eq!(PairBook::of(Some(&one), Some(&two)).mirror, Mirror::Agree);
    // One book alone will do, from either side.
    let alone = PairBook::of(None, Some(&two));
    assert_eq!((alone.mirror, alone.asks.as_slice()), (Mirror::OnlySecond, [level(4300, 50)].as_slice()));
    assert_eq!(PairBook::of(Some(&one), None).bids, alone.bids);
    assert_eq!(PairBook::of(None, None).standing, Standing::Unseeded(NoSeed::NeverSeen));
    assert_eq!(pair.turned().turned(), pair);
}

#[derive(Clone, Debug)]
enum Said {
    Book(Vec<(u16, u64)>, Vec<(u16, u64)>),
    Change(Side, u16, u64),
    Step,
}

fn said() -> impl Strategy<Value = Said> {
    let levels = |low: u16| {
        proptest::collection::btree_map(low..low + 8, 1u64..9, 0..5).prop_map(|m| m.into_iter().collect::<Vec<_>>())
    };
    prop_oneof![
        2 => (levels(4000), levels(4006)).prop_map(|(b, a)| Said::Book(b, a)),
        10 => (any::<bool>(), 4000u16..4014, 0u64..4)
            .prop_map(|(bid, p, s)| Said::Change(if bid { Side::Bid } else { Side::Ask }, p, s)),
        1 => Just(Said::Step),
    ]
}

/// A plain replay in the order of time.
fn plain(said: &[(i64, Said)]) -> Option<[BTreeMap<u16, u64>; 2]> {
    let mut book: Option<[BTreeMap<u16, u64>; 2]> = None;
    for (_, said) in said {
        match said {
            Said::Book(bids, asks) => {
                book = Some([bids.iter().copied().collect(), asks.iter().copied().collect()]);
            }
            Said::Change(side, price, size) => {
                if let Some([bids, asks]) = &mut book {
                    let list = if *side == Side::Bid { bids } else { asks };
                    if *size == 0 {
                        list.remove(price);
                    } else {
                        list.insert(*price, *size);
                    }
                }
            }
            Said::Step => book = None,
        }
    }
    book
}

fn tell(b: &mut TokenBook, time: i64, said: &Said) {
    match said {
        Said::Book(bids, asks) => b.seed(&book(time, bids, asks), at(time)),
        Said::Change(side, price, size) => b.change(&change(*side, *price, *size), at(time), at(time)),
        Said::Step => b.void(NoSeed::TickSize, at(time)),
    };
}

fn content(b: &TokenBook) -> Option<[BTreeMap<u16, u64>; 2]> {
    if matches!(b.standing(), Standing::Unseeded(_)) {
        return None;
    }
    let of = |side| b.levels(side).map(|l| (l.price.ticks(), l.size.micros() / 1_000_000)).collect();
    Some([of(Side::Bid), of(Side::Ask)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_and_any_repetition_gives_the_book_of_a_plain_replay(
        messages in proptest::collection::vec(said(), 1..40),
        order in proptest::collection::vec((any::<prop::sample::Index>(), any::<u16>()), 0..60),
    ) {
        let timed: Vec<(i64, Said)> = messages.into_iter().zip(1..).map(|(m, t)| (t, m)).collect();
        let expected = plain(&timed);
        let mut straight = TokenBook::new(token());
        timed.iter().for_each(|(t, m)| tell(&mut straight, *t, m));
        prop_assert_eq!(content(&straight), expected.clone());

        // All messages in some order, some of them more often.
        let mut shuffled: Vec<(u16, usize)> = (0..timed.len()).map(|i| ((i * 7919 % 65_521) as u16, i)).collect();
        shuffled.extend(order.iter().map(|(i, key)| (*key, i.index(timed.len()))));
        shuffled.sort();
        let mut mixed = TokenBook::new(token());
        for (_, i) in shuffled {
            tell(&mut mixed, timed[i].0, &timed[i].1);
        }
        prop_assert_eq!(content(&mixed), expected);
    }

    #[test]
    fn a_repetition_in_the_same_millisecond_changes_nothing(sizes in proptest::collection::vec(0u64..5, 2..8), again in any::<prop::sample::Index>()) {
        let mut b = TokenBook::new(token());
        b.seed(&book(1, &[(4000, 5)], &[]), at(1));
        let hashed: Vec<Change<'static>> = sizes.iter().enumerate()
            .map(|(i, s)| Change { hash: Some(format!("h{i}").into()), ..change(Side::Bid, 4000, *s) }).collect();
        for c in &hashed { b.change(c, at(2), at(2)); }
        let before = content(&b);
        prop_assert_eq!(b.change(&hashed[again.index(hashed.len())], at(2), at(3)), Applied::Old);
        prop_assert_eq!(content(&b), before);
    }

    #[test]
    fn a_pair_shows_no_more_than_the_larger_of_both(
        a in proptest::collection::vec(said(), 0..20),
        b in proptest::collection::vec(said(), 0..20),
    ) {
        let (mut one, mut two) = (TokenBook::new(token()), TokenBook::new(token()));
        a.iter().zip(1..).for_each(|(m, t)| tell(&mut one, t, m));
        b.iter().zip(1..).for_each(|(m, t)| tell(&mut two, t, m));
        let pair = PairBook::of(Some(&one), Some(&two));
        for (side, list) in [(Side::Bid, &pair.bids), (Side::Ask, &pair.asks)] {
            for level in list {
                let here = one.levels(side).find(|l| l.price == level.price).map(|l| l.size);
                let there = two.levels(side.other()).find(|l| l.price == level.price.mirrored()).map(|l| l.size);
                prop_assert!(Some(level.size) == here || Some(level.size) == there);
            }
        }
    }
}
