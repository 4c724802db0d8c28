//! Frames of the market channel: reading them, building books from them, and the figures of a book.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stratum::feeds::polymarket::book::TokenBook;
use stratum::feeds::polymarket::fee::FeeSchedule;
use stratum::feeds::polymarket::ids::TokenId;
use stratum::feeds::polymarket::metrics::{Buy, Metrics, fill};
use stratum::feeds::polymarket::pair::PairBook;
use stratum::feeds::polymarket::wire::channel::{self, Message};
use stratum::market::time::Timestamp;

const FRAMES: usize = 5000;
const START: i64 = 1_795_200_000_000;

fn token(n: usize) -> String {
    format!("7132104586308498136546900577062041252347074539808399498274625949868930890{n:04}")
}

fn book(n: usize, low: usize) -> String {
    let mut bids = String::new();
    let mut asks = String::new();
    for level in 0..40 {
        let _ = write!(bids, r#"{{"price":"0.{:02}","size":"{}.5"}},"#, low - level, 10 + level);
        let _ = write!(asks, r#"{{"price":"0.{:02}","size":"{}.25"}},"#, low + 2 + level, 10 + level);
    }
    let (bids, asks) = (bids.trim_end_matches(','), asks.trim_end_matches(','));
    format!(
        r#"{{"event_type":"book","asset_id":"{}","market":"0xabc","timestamp":"{START}","hash":"9f","bids":[{bids}],"asks":[{asks}]}}"#,
        token(n)
    )
}

/// Changes of 50 markets, each of both tokens, as the channel sends them.
fn frames() -> Vec<String> {
    (0..FRAMES)
        .map(|i| {
            let (market, price, size, at) = (i % 50, 5 + i * 7 % 40, i * 13 % 900, START + 1 + i as i64);
            format!(
                r#"{{"event_type":"price_change","market":"0x{market:064x}","timestamp":"{at}","price_changes":[{{"asset_id":"{}","price":"0.{price:02}","size":"{size}","side":"BUY","hash":"{i:040x}","best_bid":"0.50","best_ask":"0.52"}},{{"asset_id":"{}","price":"0.{:02}","size":"{size}","side":"SELL","hash":"{:040x}","best_bid":"0.48","best_ask":"0.50"}}]}}"#,
                token(market * 2),
                token(market * 2 + 1),
                100 - price,
                i + 1_000_000
            )
        })
        .collect()
}

fn books() -> HashMap<String, TokenBook> {
    let of = |n: usize| {
        let text = book(n, if n.is_multiple_of(2) { 50 } else { 48 });
        let mut book = TokenBook::new(TokenId::parse(&token(n)).expect("token"));
        for message in channel::read(text.as_bytes()).messages {
            if let Message::Book(message) = message {
                book.seed(&message, Timestamp::from_millis(START));
            }
        }
        (token(n), book)
    };
    (0..100).map(of).collect()
}

fn polymarket(c: &mut Criterion) {
    let frames = frames();
    let mut group = c.benchmark_group("polymarket");
    group.throughput(Throughput::Elements(FRAMES as u64));
    group.sample_size(20);
    group.bench_function("read 5,000 frames", |b| {
        b.iter(|| frames.iter().map(|f| channel::read(black_box(f.as_bytes())).messages.len()).sum::<usize>());
    });
    group.bench_function("read 5,000 frames and build books", |b| {
        b.iter_batched(
            books,
            |mut books| {
                for frame in &frames {
                    for message in channel::read(black_box(frame.as_bytes())).messages {
                        let Message::PriceChange(change) = message else { continue };
                        for one in &change.changes {
                            if let Some(book) = books.get_mut(&*one.token) {
                                book.change(one, change.at, change.at);
                                black_box(book.standing());
                            }
                        }
                    }
                }
                books
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    let books = books();
    let fee = FeeSchedule::new(0.05, 1.0, true, 0.15).expect("fee");
    group.bench_function("a pair of 80 levels: merge, figures, fill", |b| {
        b.iter(|| {
            let pair = PairBook::of(books.get(&token(0)), books.get(&token(1)));
            (Metrics::of(&pair), fill(&pair, Buy::First, 500.0, fee))
        });
    });
    group.finish();
}

criterion_group!(benches, polymarket);
criterion_main!(benches);
