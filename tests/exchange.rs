//! Listening to Polymarket through the real program against the simulated exchange: games are linked, order books are
//! followed and kept, and after every kind of silence the connection is made anew, the books are right again, and the gap
//! stands in the history.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "faults/desk.rs"]
#[allow(dead_code, reason = "what other tests need of it")]
mod desk;
#[path = "common/pty.rs"]
mod pty;

use std::time::{Duration, Instant};

use desk::{Desk, LONG, Process, ask, free_port};
use serde_json::Value;
use stratum::market::time::Timestamp;
use stratum::store::Reader;
use stratum::store::exchange::{BookState, ExchangeGame, LinkState};

/// A connection that brings nothing for so long is made anew.
const WATCHDOG: Duration = Duration::from_secs(5);

/// Games before and during play, at the pace of real time, with enough going on that silence is suspicious.
const SCENARIO: &str = "name = 'exchange_test'\nseed = 11\nbook_count = 8\n\
    [exchange]\nstep_s = 2\nlive_step_s = 1\nload_per_second = 40\n\
    [[sport]]\nkey = 'basketball_nba'\ngames = 4\nfirst_in_min = 20\nevery_min = 40\n";

fn desk() -> Desk {
    listening(true)
}

/// The settings, with listening or without.
fn settings(desk: &Desk, on: bool) {
    let (url, sim_port) = (desk.url(), desk.sim_port);
    let text = format!(
        "[polling]\npace = \"steady\"\n[odds_api]\nbase_url = \"{url}\"\ninterval = \"2s\"\ntimeout = \"5s\"\n\
         sports = [\"basketball_nba\"]\n[metrics]\nlisten = \"127.0.0.1:{}\"\n\
         [polymarket]\non = {on}\ngamma_url = \"{url}/gamma\"\nclob_url = \"{url}/clob\"\ndata_url = \"{url}/data\"\n\
         socket_url = \"ws://127.0.0.1:{sim_port}/clob/ws/market\"\nwatchdog = \"{}s\"\ndiscover = \"10s\"\n\
         calls_per_second = 50\n",
        desk.health,
        WATCHDOG.as_secs(),
    );
    std::fs::write(desk.settings(), text).expect("written");
}

fn listening(on: bool) -> Desk {
    let home = tempfile::tempdir().expect("folder");
    let scenario = home.path().join("exchange_test.toml");
    std::fs::write(&scenario, SCENARIO).expect("written");
    let sim_port = free_port();
    let sim = Desk::sim_of(home.path(), sim_port, &["--speed", "1", "--scenario", scenario.to_str().expect("text")]);
    let desk = Desk { home, sim, sim_port, health: free_port(), unprivileged: false };
    settings(&desk, on);
    desk
}

fn now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}

fn reader(desk: &Desk) -> Option<Reader> {
    Reader::open(&desk.data().join("stratum.db")).ok()
}

fn games(desk: &Desk) -> Vec<ExchangeGame> {
    let now = now();
    reader(desk)
        .and_then(|r| r.exchange_games("polymarket", now.plus(-86_400_000), now.plus(86_400_000)).ok())
        .unwrap_or_default()
}

fn linked(games: &[ExchangeGame]) -> usize {
    games.iter().filter(|g| g.link.as_ref().is_some_and(|l| l.state == LinkState::Linked)).count()
}

/// Waits until it is so, and answers after how long.
fn until(what: &str, mut so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while begin.elapsed() < LONG {
        if so() {
            return begin.elapsed();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("never: {what}");
}

/// Every game is linked, and every moneyline has a live book.
fn settle(desk: &Desk) -> Process {
    let daemon = desk.daemon();
    until("four games are linked and their books are there", || {
        let games = games(desk);
        linked(&games) == 4
            && games.iter().all(|g| {
                let moneyline = g.markets.iter().find(|m| m.contract.kind == "moneyline");
                moneyline.and_then(|m| m.book.as_ref()).is_some_and(|b| b.state == BookState::Live)
            })
    });
    daemon
}

/// Best bid and ask of a token as the exchange tells them when asked, in ten-thousandths.
fn told(desk: &Desk, token: &str) -> Option<(u16, u16)> {
    let (status, body) = get(desk, &format!("/clob/book?token_id={token}"))?;
    let book: Value = (status == 200).then(|| serde_json::from_str(&body).ok())??;
    let all = |side: &str| -> Option<Vec<u16>> {
        let levels = book[side].as_array()?.iter();
        let price = |l: &Value| Some((l["price"].as_str()?.parse::<f64>().ok()? * 10_000.0).round() as u16);
        levels.map(price).collect()
    };
    Some((all("bids")?.into_iter().max()?, all("asks")?.into_iter().min()?))
}

fn get(desk: &Desk, path: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", desk.sim_port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    // The exchange turns away whoever does not say who he is.
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\nuser-agent: test\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// What is kept of every moneyline is what the exchange tells at some moment soon.
fn books_are_right(desk: &Desk) {
    let moneylines: Vec<(i64, String)> = games(desk)
        .iter()
        .flat_map(|g| g.markets.iter().filter(|m| m.contract.kind == "moneyline"))
        .map(|m| (m.contract.id, m.contract.tokens[0].clone()))
        .collect();
    assert_eq!(moneylines.len(), 4);
    for (market, token) in moneylines {
        until("a kept book is the one that the exchange tells", || {
            let asked = told(desk, &token);
            std::thread::sleep(Duration::from_millis(1300));
            let kept = reader(desk).and_then(|r| {
                let books = r.exchange_books(market, now().plus(-20_000), now(), 1000).ok()?;
                Some(books.iter().filter_map(|b| Some((b.bid()?.price, b.ask()?.price))).collect::<Vec<_>>())
            });
            asked.zip(kept).is_some_and(|(asked, kept)| kept.contains(&asked))
        });
    }
}

fn gaps(desk: &Desk, since: Timestamp) -> Vec<String> {
    let found = reader(desk).and_then(|r| r.exchange_gaps(since, now().plus(60_000)).ok());
    found.unwrap_or_default().into_iter().map(|g| g.why).collect()
}

#[test]
fn silence_and_loss_are_noticed_the_books_are_right_again_and_the_gap_is_kept() {
    let desk = desk();
    let mut daemon = settle(&desk);
    books_are_right(&desk);
    // What the exchange offers stands among the quotes, and the books' looks do not end it.
    let quotes = desk.command().args(["quotes", "1", "--json"]).output().expect("runs");
    let quotes: Vec<Value> = serde_json::from_slice(&quotes.stdout).expect("JSON");
    let of_exchange = |q: &&Value| q["book"] == "polymarket" && q["market"] == "h2h";
    assert!(quotes.iter().filter(of_exchange).all(|q| q["status"] == "open"), "{quotes:#?}");
    assert_eq!(quotes.iter().filter(of_exchange).count(), 2);

    for (fault, why) in [("exchange_freeze", "frozen"), ("exchange_drop", "lost")] {
        let since = now();
        desk.fault(&format!("{{\"kind\":\"{fault}\",\"for_s\":3600}}"));
        let took = until(why, || gaps(&desk, since).iter().any(|w| w == why));
        // The watchdog looks at whole seconds, and a busy machine takes its time.
        assert!(took < WATCHDOG + Duration::from_secs(25), "{why} after {took:?}");
        desk.no_faults();
        books_are_right(&desk);
        assert!(daemon.is_running());
        assert_eq!(linked(&games(&desk)), 4, "no link is lost");
        println!("{why}: noticed and made anew after {took:?}");
    }
    let (took, code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn an_exchange_that_is_gone_is_told_and_found_again_while_the_books_go_on() {
    let desk = desk();
    let mut daemon = settle(&desk);
    let looks = desk.looks();
    desk.fault(r#"{"kind":"exchange_refused","for_s":3600}"#);
    desk.fault(r#"{"kind":"exchange_drop","for_s":3600}"#);
    let trouble = || {
        let live = desk.status().into_iter().find(|r| !r["exchange"].is_null())?;
        Some((live["exchange"]["listening"].as_str()?.to_owned(), live["exchange"]["trouble"].to_string()))
    };
    until("it says that it cannot listen", || {
        trouble().is_some_and(|(listening, trouble)| listening == "failing" && trouble.len() > 10)
    });
    until("the books are looked at all the while", || desk.looks() > looks + 3.0);
    desk.no_faults();
    until("it listens again", || trouble().is_some_and(|(listening, _)| listening == "on"));
    books_are_right(&desk);
    assert!(daemon.is_running());
    assert_eq!(ask(desk.health, "GET", "/health/live", "").map(|a| a.0), Some(200));
}

#[test]
fn what_a_person_decides_holds_and_can_be_taken_back() {
    let desk = desk();
    let daemon = settle(&desk);
    // Some looks at the books beside it, so that there is something to judge again.
    let looks = desk.looks();
    until("looks at the books", || desk.looks() > looks + 8.0);
    let slug = games(&desk)[0].listing.slug.clone();
    let state = || games(&desk).iter().find(|g| g.listing.slug == slug).and_then(|g| g.link.clone()).map(|l| l.state);
    let mut decisions = stratum::store::desk::Desk::open(&desk.data().join("desk.db")).expect("desk");
    decisions.decide_exchange("polymarket", &slug, None, now()).expect("kept");
    until("the link is undone", || state() == Some(LinkState::Refused));
    let quotes = || {
        let quotes = desk.command().args(["quotes", "1", "--json"]).output().expect("runs");
        let quotes: Vec<Value> = serde_json::from_slice(&quotes.stdout).unwrap_or_default();
        quotes.into_iter().filter(|q| q["book"] == "polymarket").collect::<Vec<_>>()
    };
    let open = || quotes().iter().filter(|q| q["status"] == "open").count();
    let event = games(&desk).iter().filter_map(|g| g.link.clone()?.event).map(|e| e.0).collect::<Vec<_>>();
    assert!(!event.contains(&1), "the first game of ours is the one that was undone: {event:?}");
    until("its prices no longer count", || open() == 0);
    until("what was told of it is taken back", || quotes().is_empty());
    let others = desk.command().args(["quotes", "2", "--json"]).output().expect("runs");
    assert!(String::from_utf8_lossy(&others.stdout).contains("polymarket"), "of other games nothing is taken back");
    assert!(decisions.undecide_exchange("polymarket", &slug).expect("gone"));
    until("it is linked again", || state() == Some(LinkState::Linked) && open() > 0);
    let (_, code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    // Whatever was taken back and told again, the looks that are stored give what is stored.
    let checked = desk.command().args(["replay", "--check"]).output().expect("runs");
    assert!(checked.status.success(), "{}", desk::text(&checked));
}

/// Open prices of the exchange in a game of ours.
fn open_quotes(desk: &Desk, event: &str) -> usize {
    let quotes = desk.command().args(["quotes", event, "--json"]).output().expect("runs");
    let quotes: Vec<Value> = serde_json::from_slice(&quotes.stdout).unwrap_or_default();
    quotes.iter().filter(|q| q["book"] == "polymarket" && q["status"] == "open").count()
}

/// What the running program says of the exchange.
fn live(desk: &Desk) -> Option<Value> {
    desk.status().into_iter().find(|r| !r["exchange"].is_null()).map(|r| r["exchange"].clone())
}

#[test]
fn messages_are_measured_by_their_own_stamps_and_the_clocks_agree() {
    let desk = desk();
    let _daemon = settle(&desk);
    let mut delay = Value::Null;
    until("some messages were measured", || {
        delay = live(&desk).map_or(Value::Null, |x| x["delay"].clone());
        delay["messages"].as_u64() > Some(300)
    });
    let ms = |name: &str| delay[name].as_i64().expect("a figure");
    // Of hundreds of messages one at least came at once, however busy the machine is; a simulator whose clock is behind
    // makes every one of them late. Books were dumped with stamps that are minutes old.
    assert!((-5..250).contains(&ms("least")), "{delay}");
    assert!(ms("least") <= ms("median") && ms("median") <= ms("p99") && ms("p99") <= ms("most"), "{delay}");
    assert!(ms("told") >= ms("least"), "{delay}");
    println!("{delay}");
}

#[test]
fn listening_is_turned_on_and_off_without_a_restart() {
    let desk = listening(false);
    let mut daemon = desk.daemon();
    desk.until_ready(1);
    assert!(live(&desk).is_none() && games(&desk).is_empty());
    let reloaded = |word: &str| {
        desk.one("daemon").is_some() && {
            let output = desk.command().arg("status").output().expect("runs");
            desk::text(&output).contains(word)
        }
    };
    for round in 0..2 {
        settings(&desk, true);
        daemon.signal("-HUP");
        until("it listens", || live(&desk).is_some_and(|x| x["listening"] == "on"));
        until("games are linked", || linked(&games(&desk)) == 4);
        until("its prices stand among the others", || open_quotes(&desk, "1") > 0);
        // The books go on all the while, and what did not change is not begun anew.
        let since = |desk: &Desk| live(desk).map(|x| x["sockets"][0]["connected_since"].clone());
        let before = since(&desk);
        daemon.signal("-HUP");
        desk.until_ready(2);
        assert_eq!(since(&desk), before, "round {round}: nothing changed");

        settings(&desk, false);
        daemon.signal("-HUP");
        until("it does not listen", || live(&desk).is_none());
        until("its prices are gone", || open_quotes(&desk, "1") == 0);
        let unknown =
            |g: &ExchangeGame| g.markets.iter().all(|m| m.book.as_ref().is_none_or(|b| b.state == BookState::Unknown));
        assert!(games(&desk).iter().all(unknown), "no book is taken for current");
        assert!(!reloaded("needs a restart: polymarket"));
        desk.until_ready(2);
    }
    assert!(daemon.is_running());
    let (_, code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("in force now: polymarket.on; needs a restart: nothing"), "{said}");
    let checked = desk.command().args(["replay", "--check"]).output().expect("runs");
    assert!(checked.status.success(), "{}", desk::text(&checked));
}

#[test]
fn a_board_that_follows_by_itself_takes_it_up_when_it_reads_its_settings_again() {
    let desk = listening(false);
    let key = desk.home.path().join("key");
    std::fs::write(&key, desk::KEY).expect("written");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("private");
    let write = |on: bool| {
        settings(&desk, on);
        let text = std::fs::read_to_string(desk.settings()).expect("text");
        let with_key = text.replacen("[odds_api]\n", &format!("[odds_api]\nkey_file = \"{}\"\n", key.display()), 1);
        std::fs::write(desk.settings(), with_key).expect("written");
    };
    write(false);
    let (file, data) = (desk.settings(), desk.data());
    let args = ["--config", file.to_str().expect("text"), "--data-dir", data.to_str().expect("text")];
    let mut board = pty::Pty::start(desk::BINARY, &args, desk.home.path(), (160, 45));
    board.sees("NBA 4");
    board.send("7");
    board.sees("polymarket.on = true turns it on");
    write(true);
    board.send("\x12");
    board.sees("in force now: polymarket.on");
    board.sees("linked");
    board.sees("sockets 1/1");
    write(false);
    board.send("\x12");
    board.loses("sockets 1/1");
    board.sees("polymarket.on = true turns it on");
    board.send("q");
    board.exit(Duration::from_secs(20));
}
