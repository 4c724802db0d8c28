//! The live channel against servers that freeze, drop, reorder, repeat and talk nonsense.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::servers::Server;
use crate::feeds::polymarket::book::{NoSeed, Standing};
use crate::feeds::polymarket::ids::{Side, TokenId};
use crate::feeds::polymarket::socket::{Changes, GapWhy, Live, Notice, SocketConfig, Wanted};

type Socket = WebSocketStream<TcpStream>;
type Script = Box<dyn Fn(usize, Socket, String) -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;

/// A server whose script gets the number of the connection, the socket, and the first subscription.
struct Channel {
    url: String,
    subscriptions: Arc<Mutex<Vec<String>>>,
}

impl Channel {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws/market", listener.local_addr().unwrap());
        let subscriptions = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&subscriptions), Arc::new(script));
        tokio::spawn(async move {
            for number in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                tokio::spawn(async move {
                    let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else { return };
                    let Some(Ok(first)) = socket.next().await else { return };
                    let first = first.into_text().unwrap().to_string();
                    seen.lock().unwrap().push(first.clone());
                    script(number, socket, first).await;
                });
            }
        });
        Self { url, subscriptions }
    }

    fn config(&self) -> SocketConfig {
        SocketConfig {
            url: self.url.clone(),
            ping_every: Duration::from_millis(50),
            watchdog: Duration::from_millis(400),
            seed_wait: Duration::from_millis(200),
            doubt_wait: Duration::from_millis(100),
            cross_check_every: Duration::ZERO,
            backoff: Duration::from_millis(20),
            backoff_cap: Duration::from_millis(100),
            ..SocketConfig::default()
        }
    }
}

fn token(text: &str) -> TokenId {
    TokenId::parse(text).unwrap()
}

fn wanted(tokens: &[&str]) -> Vec<Wanted> {
    tokens.iter().map(|t| Wanted { token: token(t), live: true }).collect()
}

fn book(asset: &str, ms: u64, bid: &str, ask: &str) -> String {
    format!(
        r#"{{"event_type":"book","asset_id":"{asset}","timestamp":"{}","hash":"h{ms}","bids":[{{"price":"{bid}","size":"10"}}],"asks":[{{"price":"{ask}","size":"10"}}]}}"#,
        1_795_200_000_000 + ms
    )
}

fn change(asset: &str, ms: u64, price: &str, size: u32, side: &str) -> String {
    format!(
        r#"{{"event_type":"price_change","timestamp":"{}","price_changes":[{{"asset_id":"{asset}","price":"{price}","size":"{size}","side":"{side}","hash":"c{ms}"}}]}}"#,
        1_795_200_000_000 + ms
    )
}

async fn say(socket: &mut Socket, text: impl Into<String>) {
    let _ = socket.send(Message::text(text.into())).await;
}

/// Answers `PING` until the client goes.
async fn keep(mut socket: Socket) {
    while let Some(Ok(frame)) = socket.next().await {
        if frame.to_text().is_ok_and(|t| t == "PING") {
            say(&mut socket, "PONG").await;
        }
    }
}

/// Waits until it is so, at most five seconds.
async fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(5), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn best(live: &Live, asset: &str) -> Option<String> {
    let book = live.book(&token(asset))?;
    let of = |side| book.best(side).map_or("-".to_owned(), |l| l.price.to_string());
    book.standing().is_live().then(|| format!("{}/{}", of(Side::Bid), of(Side::Ask)))
}

#[tokio::test]
async fn books_come_change_and_survive_nonsense() {
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            say(&mut socket, format!("[{},{}]", book("1", 100, "0.42", "0.44"), book("2", 100, "0.56", "0.58"))).await;
            for nonsense in ["NO NEW ASSETS", "INVALID OPERATION", "hello", "{\"event_type\":", "[]", "", "[1,2]"] {
                say(&mut socket, nonsense).await;
            }
            say(&mut socket, r#"{"event_type":"comet"}"#).await;
            let _ = socket.send(Message::Ping(vec![1].into())).await;
            // Late, twice, and about somebody else.
            say(&mut socket, change("1", 300, "0.43", 5, "BUY")).await;
            say(&mut socket, change("1", 200, "0.43", 9, "BUY")).await;
            say(&mut socket, change("1", 300, "0.43", 5, "BUY")).await;
            say(&mut socket, change("1", 50, "0.435", 9, "BUY")).await;
            say(&mut socket, change("9", 300, "0.43", 5, "BUY")).await;
            say(&mut socket, r#"{"event_type":"last_trade_price","asset_id":"1","price":"0.43","size":"5","side":"BUY","timestamp":"1795200000400"}"#).await;
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(server.config(), None).unwrap();
    let mut raw = live.raw_frames(3);
    live.want(wanted(&["1", "2"]));
    until("the book", || best(&live, "1").as_deref() == Some("0.43/0.44")).await;
    until("a trade", || live.health()[0].strangers == 1 && live.health()[0].last_pong.is_some()).await;
    let first = server.subscriptions.lock().unwrap()[0].clone();
    let form: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(form["type"], "market");
    assert_eq!((form["assets_ids"].as_array().unwrap().len(), &form["initial_dump"]), (2, &serde_json::json!(true)));
    let changes = live.take_changes();
    assert_eq!(changes.tokens, [token("1"), token("2")]);
    assert_eq!((changes.trades.len(), changes.notices.len(), changes.trades_lost), (1, 0, 0));
    assert_eq!(live.take_changes(), Changes::default());
    let health = live.health().remove(0);
    assert_eq!((health.unknown, health.junk, health.reconnects, health.assets), (1, 2, 0, 2), "{health:?}");
    assert_eq!(live.pair(&token("1"), &token("2")).bids[0].size.to_string(), "5");
    // Frames as they came, as many as there is room for.
    assert!(raw.recv().await.unwrap().text.starts_with("[{\"event_type\":\"book\""));
    assert_eq!(raw.recv().await.unwrap().text, "NO NEW ASSETS");
    assert!(live.counts().raw_lost > 5);
    live.stop().await;
}

#[tokio::test]
async fn a_silent_freeze_ends_in_a_new_connection_and_a_gap() {
    let server = Channel::start(Box::new(|number, mut socket, _| {
        Box::pin(async move {
            let bid = if number == 0 { "0.42" } else { "0.40" };
            say(&mut socket, book("1", 100 + number as u64, bid, "0.44")).await;
            if number > 0 {
                for ms in 0..200 {
                    say(&mut socket, change("1", 1000 + ms, "0.30", 1 + ms as u32, "BUY")).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            // PONG comes, data does not.
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(server.config(), None).unwrap();
    live.want(wanted(&["1"]));
    until("the first book", || best(&live, "1").as_deref() == Some("0.42/0.44")).await;
    let frozen = Instant::now();
    until("the second book", || best(&live, "1").as_deref() == Some("0.40/0.44")).await;
    assert!(frozen.elapsed() < Duration::from_secs(2), "{:?}", frozen.elapsed());
    let notices = live.take_changes().notices;
    let [Notice::Gap(gap)] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!((gap.why, gap.shard, gap.tokens.len()), (GapWhy::Frozen, 0, 1));
    assert!(gap.to.since(gap.from) >= 350, "{gap:?}");
    let health = live.health().remove(0);
    assert_eq!((health.watchdog_fires, health.reconnects), (1, 1));
    assert!(server.subscriptions.lock().unwrap().iter().all(|s| s.contains("\"type\":\"market\"")), "the initial form");
    live.stop().await;
}

#[tokio::test]
async fn a_quiet_market_that_is_not_live_is_left_alone() {
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            say(&mut socket, book("1", 100, "0.42", "0.44")).await;
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(server.config(), None).unwrap();
    live.want(vec![Wanted { token: token("1"), live: false }]);
    until("the book", || best(&live, "1").is_some()).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!((live.health()[0].reconnects, best(&live, "1").is_some()), (0, true));
    // It begins: from now on silence counts, and not before.
    live.want(wanted(&["1"]));
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(live.health()[0].reconnects, 0);
    until("the watchdog", || live.health()[0].watchdog_fires == 1).await;
    live.stop().await;
}

#[tokio::test]
async fn a_dropped_socket_unseeds_its_books_until_the_next_dump() {
    let server = Channel::start(Box::new(|number, mut socket, _| {
        Box::pin(async move {
            if number == 1 {
                return; // Hangs up at once.
            }
            say(&mut socket, book("1", 100, "0.42", "0.44")).await;
            if number == 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return;
            }
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(server.config(), None).unwrap();
    live.want(wanted(&["1"]));
    until("the first book", || best(&live, "1").is_some()).await;
    until("the loss", || live.book(&token("1")).unwrap().standing() == Standing::Unseeded(NoSeed::Gap)).await;
    until("the book again", || best(&live, "1").is_some()).await;
    let notices = live.take_changes().notices;
    assert!(matches!(notices.as_slice(), [Notice::Gap(gap)] if gap.why == GapWhy::Lost), "{notices:?}");
    assert!(live.health()[0].last_error.is_some());
    live.stop().await;
}

#[tokio::test]
async fn what_is_wanted_may_change_and_is_spread_over_sockets() {
    let later = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&later);
    let server = Channel::start(Box::new(move |_, mut socket, first| {
        let heard = Arc::clone(&heard);
        Box::pin(async move {
            let mut form: serde_json::Value = serde_json::from_str(&first).unwrap();
            loop {
                if form["operation"] != "unsubscribe" {
                    for asset in form["assets_ids"].as_array().unwrap() {
                        say(&mut socket, book(asset.as_str().unwrap(), 100, "0.42", "0.44")).await;
                    }
                }
                form = loop {
                    let Some(Ok(frame)) = socket.next().await else { return };
                    match frame.to_text() {
                        Ok("PING") => say(&mut socket, "PONG").await,
                        Ok(text) if !text.is_empty() => {
                            heard.lock().unwrap().push(text.to_owned());
                            break serde_json::from_str(text).unwrap();
                        }
                        _ => {}
                    }
                };
            }
        })
    }))
    .await;
    let config = SocketConfig { assets_per_socket: 3, watchdog: Duration::from_secs(60), ..server.config() };
    let live = Live::start(config, None).unwrap();
    let all: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    live.want(wanted(&all));
    until("all books", || all.iter().all(|t| best(&live, t).is_some())).await;
    assert_eq!(live.health().iter().map(|h| h.assets).collect::<Vec<_>>(), [3, 3, 1]);
    // One goes, two come; the one left alone on the last socket stays there.
    live.want(wanted(&["2", "3", "4", "5", "6", "7", "8", "9"]));
    until("the new books", || ["8", "9"].iter().all(|t| best(&live, t).is_some())).await;
    assert!(live.book(&token("1")).is_none());
    assert_eq!(live.health().iter().map(|h| h.assets).collect::<Vec<_>>(), [3, 3, 2]);
    let said = later.lock().unwrap().clone();
    assert!(said.iter().any(|s| s.contains("unsubscribe") && s.contains("\"1\"")), "{said:?}");
    assert!(said.iter().any(|s| s.contains("\"subscribe\"") && s.contains("\"8\"")), "{said:?}");
    live.want(wanted(&["2"]));
    until("sockets close", || live.health().len() == 1).await;
    assert_eq!(live.health()[0].reconnects, 0);
    live.stop().await;
}

#[tokio::test]
async fn rest_makes_whole_what_the_socket_does_not() {
    let rest = Server::start(Box::new(|line, body| {
        assert_eq!(line, "POST /books");
        let books: Vec<String> = ["1", "2", "3"]
            .iter()
            .filter(|t| body.contains(&format!("\"{t}\"")))
            .map(|t| book(t, 500, "0.41", "0.45"))
            .collect();
        (200, String::new(), format!("[{}]", books.join(",")))
    }))
    .await;
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            // No dump for 1; a crossed book for 2; a sound one for 3, which then misses a change.
            say(&mut socket, book("2", 400, "0.60", "0.44")).await;
            say(&mut socket, book("3", 400, "0.42", "0.44")).await;
            keep(socket).await;
        })
    }))
    .await;
    let config = SocketConfig {
        watchdog: Duration::from_secs(60),
        cross_check_every: Duration::from_millis(100),
        ..server.config()
    };
    let live = Live::start(config, Some(rest.client())).unwrap();
    live.want(wanted(&["1", "2", "3", "4"]));
    for asset in ["1", "2", "3"] {
        until(asset, || best(&live, asset).as_deref() == Some("0.41/0.45")).await;
    }
    let counts = live.counts();
    assert!(counts.disagreed >= 1 && counts.rest_seeds >= 2, "{counts:?}");
    let notices = live.take_changes().notices;
    assert!(notices.iter().any(|n| matches!(n, Notice::Disagreed { token: t, .. } if *t == token("3"))));
    assert_eq!(live.book(&token("4")).unwrap().standing(), Standing::Unseeded(NoSeed::NeverSeen));
    live.stop().await;
}

#[tokio::test]
async fn steps_and_resolutions_are_told() {
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            say(&mut socket, book("1", 100, "0.95", "0.96")).await;
            say(&mut socket, book("2", 100, "0.04", "0.05")).await;
            say(&mut socket, r#"{"event_type":"tick_size_change","asset_id":"1","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":"1795200000200"}"#).await;
            say(&mut socket, r#"{"event_type":"market_resolved","assets_ids":["2","77"],"winning_asset_id":"77","winning_outcome":"No","timestamp":"1795200000300"}"#).await;
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(server.config(), None).unwrap();
    live.want(wanted(&["1", "2"]));
    until("the end", || live.book(&token("2")).is_some_and(|b| b.standing() == Standing::Unseeded(NoSeed::Resolved)))
        .await;
    let one = live.book(&token("1")).unwrap();
    assert_eq!((one.standing(), one.tick_size().unwrap().ticks()), (Standing::Unseeded(NoSeed::TickSize), 10));
    let notices = live.take_changes().notices;
    assert!(notices.iter().any(|n| matches!(n, Notice::TickSize { .. })));
    assert!(notices.iter().any(|n| matches!(n, Notice::Resolved { winner: Some(w), .. } if *w == token("77"))));
    live.stop().await;
}

#[test]
fn the_address_is_checked() {
    for url in ["ws://example.com/ws", "http://127.0.0.1/", "nonsense", "wss://u:p@example.com"] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _guard = runtime.enter();
        let error = Live::start(SocketConfig { url: url.to_owned(), ..SocketConfig::default() }, None).unwrap_err();
        assert!(!error.to_string().contains(":p@"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_neither_lags_nor_grows() {
    const BURST: u64 = 20_000;
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            say(&mut socket, format!("[{},{}]", book("1", 0, "0.42", "0.44"), book("2", 0, "0.56", "0.58"))).await;
            for n in 1..=BURST {
                // Real milliseconds do not matter here; the last size does.
                let text = change("1", n, "0.43", (n % 1000) as u32 + 1, "BUY");
                let _ = socket.feed(Message::text(text)).await;
                if n % 100 == 0 {
                    let _ = socket.flush().await;
                }
            }
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(SocketConfig { watchdog: Duration::from_secs(60), ..server.config() }, None).unwrap();
    let start = Instant::now();
    live.want(wanted(&["1", "2"]));
    let mut most = 0;
    while live.health().first().is_none_or(|h| h.messages < BURST + 2) {
        let changes = live.take_changes();
        most = most.max(changes.tokens.len() + changes.trades.len() + changes.notices.len());
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", live.health());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = start.elapsed();
    println!("{BURST} messages in {took:?}, {:.0} a second", BURST as f64 / took.as_secs_f64());
    assert!(most <= 2, "changes are tokens, not messages");
    assert_eq!(
        live.book(&token("1")).unwrap().best(Side::Bid).unwrap().size.to_string(),
        (BURST % 1000 + 1).to_string()
    );
    live.stop().await;
}

/// Milliseconds since the beginning of the stamps of [`book`] and [`change`].
fn ms_now() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp_millis() - 1_795_200_000_000).unwrap()
}

#[tokio::test]
async fn messages_are_late_by_their_own_stamps_and_books_are_not() {
    let server = Channel::start(Box::new(|_, mut socket, _| {
        Box::pin(async move {
            // The book changed an hour ago, and is dumped now.
            say(&mut socket, book("1", ms_now() - 3_600_000, "0.42", "0.44")).await;
            for n in 0..20 {
                say(&mut socket, change("1", ms_now(), "0.30", 1 + n, "BUY")).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // One that was two minutes on its way, and a new book with an old stamp after it.
            say(&mut socket, change("1", ms_now() - 120_000, "0.29", 5, "BUY")).await;
            say(&mut socket, book("1", ms_now() - 1_800_000, "0.42", "0.44")).await;
            keep(socket).await;
        })
    }))
    .await;
    let live = Live::start(SocketConfig { watchdog: Duration::from_secs(60), ..server.config() }, None).unwrap();
    live.want(wanted(&["1"]));
    until("all messages", || live.health().first().is_some_and(|h| h.messages == 23)).await;
    let Changes { delays, oldest, .. } = live.take_changes();
    assert_eq!(delays.messages(), 21);
    let (least, most) = delays.ends().unwrap();
    assert!((0..60_000).contains(&least) && (120_000..180_000).contains(&most), "{least} {most}");
    assert!(delays.quantile(0.5).unwrap() < 60_000, "half of them were sent just before they came");
    assert!(ms_now() - u64::try_from(oldest.unwrap().millis() - 1_795_200_000_000).unwrap() >= 120_000);
    assert_eq!(live.take_changes().delays.messages(), 0, "each is told once");
    live.stop().await;
}

#[tokio::test]
async fn what_a_silent_socket_told_is_as_fresh_as_the_answer_that_says_the_same() {
    let moved = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = Arc::clone(&moved);
    let rest = Server::start(Box::new(move |line, body| {
        assert_eq!(line, "POST /books");
        let of = |t: &&&str| body.contains(&format!("\"{t}\""));
        let book = |t: &&str| match *t {
            "2" if asked.load(std::sync::atomic::Ordering::SeqCst) => book(t, 900, "0.40", "0.45"),
            _ => book(t, 400, "0.42", "0.44"),
        };
        let books: Vec<String> = ["1", "2"].iter().filter(of).map(book).collect();
        (200, String::new(), format!("[{}]", books.join(",")))
    }))
    .await;
    let server = Channel::start(Box::new(|number, mut socket, _| {
        Box::pin(async move {
            say(&mut socket, book("1", 400, "0.42", "0.44")).await;
            let (ms, bid, ask) = if number == 0 { (400, "0.42", "0.44") } else { (900, "0.40", "0.45") };
            say(&mut socket, book("2", ms, bid, ask)).await;
            // PONG comes, data does not.
            keep(socket).await;
        })
    }))
    .await;
    let config = SocketConfig {
        watchdog: Duration::from_secs(60),
        confirm_after: Duration::from_millis(150),
        ..server.config()
    };
    let live = Live::start(config, Some(rest.client())).unwrap();
    let quiet = |t: &str| Wanted { token: token(t), live: false };
    live.want(vec![quiet("1"), quiet("2")]);
    until("the books", || best(&live, "1").is_some() && best(&live, "2").is_some()).await;
    let heard = || live.heard(&[(token("1"), token("9")), (token("2"), token("9")), (token("8"), token("9"))]);
    let data = live.health()[0].last_data;
    until("confirmed by REST", || heard()[0] > data && heard()[1] > data).await;
    assert_eq!((live.health()[0].last_data, heard()[2]), (data, None), "the socket told nothing more");
    assert_eq!(live.health()[0].reconnects, 0);
    // A change that the socket keeps to itself: it has frozen, though no market of it should be moving.
    moved.store(true, std::sync::atomic::Ordering::SeqCst);
    until("the socket is opened anew", || live.health()[0].watchdog_fires == 1).await;
    until("the book is right", || best(&live, "2").as_deref() == Some("0.40/0.45")).await;
    let notices = live.take_changes().notices;
    assert!(notices.iter().any(|n| matches!(n, Notice::Gap(gap) if gap.why == GapWhy::Frozen)), "{notices:?}");
    live.stop().await;
}
