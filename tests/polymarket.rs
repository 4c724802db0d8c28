//! `stratum polymarket` through the real program against the simulated exchange on real sockets.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::Value;
use stratum::feeds::sim::{FaultKind, FaultSpec, Scenario, SimConfig, SimHandle, SimServer};
use stratum::market::time::Timestamp;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
/// Two games that are long over, two that are ahead, and one of another sport.
const EVENING: &str = r#"
name = "evening"
about = "Games before and ahead"
seed = 31
coverage = 1.0

[[sport]]
key = "basketball_nba"
games = 4
starts_min = [-600, -540, 90, 150]

[[sport]]
key = "icehockey_nhl"
games = 1
first_in_min = 200
"#;

struct Exchange {
    runtime: tokio::runtime::Runtime,
    sim: Option<SimHandle>,
}

impl Exchange {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let scenario = Scenario::parse("evening", EVENING).expect("scenario");
        let config = SimConfig { speed: Some(1), ..SimConfig::scenario(scenario, Timestamp::from_chrono(Utc::now())) };
        let sim = runtime.block_on(SimServer::start(config)).expect("starts");
        Self { runtime, sim: Some(sim) }
    }

    fn sim(&self) -> &SimHandle {
        self.sim.as_ref().expect("running")
    }

    /// A fault of one part of the exchange, instead of any other.
    fn fault(&self, kind: FaultKind, part: &str) {
        self.sim().clear_faults();
        self.sim().set_fault(FaultSpec { book: Some(part.to_owned()), ..FaultSpec::new(kind) });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(sim) = self.sim.take() {
            self.runtime.block_on(sim.shutdown());
        }
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Desk {
    home: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Desk {
    fn new(exchange: &Exchange) -> Self {
        let urls = exchange.sim().exchange_urls();
        Self::at(&exchange.sim().base_url(), &urls.gamma, &urls.clob, &urls.data, &urls.channel)
    }

    fn at(odds: &str, gamma: &str, clob: &str, data: &str, channel: &str) -> Self {
        let environment = vec![
            ("STRATUM_ODDS_API_BASE_URL", odds.to_owned()),
            ("STRATUM_ODDS_API_SPORTS", "basketball_nba,icehockey_nhl".to_owned()),
            ("STRATUM_ODDS_API_INTERVAL", "2s".to_owned()),
            ("STRATUM_POLLING_PACE", "steady".to_owned()),
            ("STRATUM_POLYMARKET_ON", "true".to_owned()),
            ("STRATUM_POLYMARKET_GAMMA_URL", gamma.to_owned()),
            ("STRATUM_POLYMARKET_CLOB_URL", clob.to_owned()),
            ("STRATUM_POLYMARKET_DATA_URL", data.to_owned()),
            ("STRATUM_POLYMARKET_SOCKET_URL", channel.to_owned()),
            ("STRATUM_POLYMARKET_CALLS_PER_SECOND", "50".to_owned()),
        ];
        Self { home: tempfile::tempdir().expect("folder"), environment }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(n, _)| *n != name);
        self.environment.push((name, value.to_owned()));
    }

    fn store(&self) -> PathBuf {
        self.home.path().join("data").join("stratum.db")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", self.home.path()).envs(self.environment.iter().map(|(n, v)| (n, v)));
        command.arg("--data-dir").arg(self.home.path().join("data")).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(&[&["polymarket"], args].concat()).output().expect("runs")
    }

    fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        serde_json::from_str(&self.text(&[args, &["--json"]].concat())).expect("JSON")
    }

    /// The exit code and what the standard error says.
    fn fails(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{args:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains(KEY), "{said}");
        (output.status.code(), said)
    }

    fn daemon(&self) -> Running {
        let mut command = self.command(&["--daemon"]);
        command.env("ODDS_API_KEY", KEY).stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("starts"))
    }

    /// One number of the store; 0 while there is none.
    fn number(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let asked =
            rusqlite::Connection::open_with_flags(self.store(), flags).and_then(|c| c.query_row(sql, [], |r| r.get(0)));
        asked.unwrap_or(0)
    }

    fn word(&self, sql: &str) -> String {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let asked =
            rusqlite::Connection::open_with_flags(self.store(), flags).and_then(|c| c.query_row(sql, [], |r| r.get(0)));
        asked.unwrap_or_default()
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(90), "never: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

const LINKED: &str = "SELECT count(*) FROM exchange_link WHERE state = 'linked'";
const BOOKS: &str = "SELECT count(*) FROM exchange_book WHERE middle IS NOT NULL";
const POINTS: &str = "SELECT count(*) FROM exchange_price";

#[test]
fn listings_need_no_store_and_say_what_can_be_traded() {
    let exchange = Exchange::start();
    let mut desk = Desk::new(&exchange);
    let rows = desk.json(&["discover"]);
    let nba: Vec<&Value> = rows.iter().filter(|r| r["sport"] == "basketball_nba").collect();
    assert_eq!((rows.len(), nba.len()), (3, 2), "what is over is not listed: {rows:?}");
    for row in &rows {
        assert!(row["kinds"]["moneyline"] == 1 && row["tradable"].as_u64() > Some(0), "{row}");
        assert!(row["start"].is_string() && row["volume"].is_number(), "{row}");
    }
    let text = desk.text(&["discover", "--sport", "NHL"]);
    assert!(text.starts_with("SLUG") && text.contains("1 games of 1 leagues"), "{text}");
    let (code, said) = desk.fails(&["discover", "--sport", "curling"]);
    assert!(code == Some(3) && said.contains("basketball_nba"), "{said}");
    // A book that nobody has stored is asked for by its name alone, with the fee on top.
    let slug = nba[0]["slug"].as_str().expect("slug").to_owned();
    let live = desk.json(&["book", &slug, "--live", "--contract", &slug]);
    let [row] = live.as_slice() else { panic!("one contract: {live:?}") };
    assert_eq!((row["state"].as_str(), row["source"].as_str()), (Some("live"), Some("clob")));
    let first = &row["outcomes"][0];
    let (ask, cost) = (first["ask"].as_f64().expect("ask"), first["cost"].as_f64().expect("cost"));
    let rate = row["fee_rate"].as_f64().expect("fee");
    assert!((cost - ask - rate * ask * (1.0 - ask)).abs() < 1e-6, "{row}");
    let (code, said) = desk.fails(&["book", "nba-xxx-yyy-2020-01-01", "--live"]);
    assert!(code == Some(3), "{said}");
    let (code, said) = desk.fails(&["book", &slug, "--live", "--contract", "nothing"]);
    assert!(code == Some(3) && said.contains(&slug), "{said}");
    assert_eq!(desk.fails(&["book", &slug, "--live", "--stake", "-5"]).0, Some(2));
    assert!(!desk.store().exists(), "looking makes no store");
    // Without a store the others say so, and that it is off.
    desk.set("STRATUM_POLYMARKET_ON", "false");
    for args in [&["status"][..], &["review"], &["link"], &["shift"], &["book", &slug], &["unlink", &slug]] {
        let (code, said) = desk.fails(args);
        assert!(code == Some(1) && said.contains("polymarket is off"), "{args:?}: {said}");
    }
}

#[test]
fn a_daemon_listens_and_a_person_decides() {
    let exchange = Exchange::start();
    let desk = Desk::new(&exchange);
    let daemon = desk.daemon();
    until("linked games with books", || desk.number(LINKED) >= 2 && desk.number(BOOKS) > 0);
    let status = desk.json(&["status"]);
    let listening = status.iter().find(|r| r["kind"] == "listening").expect("row");
    assert!(listening["on"] == true && listening["pid"].is_number() && listening["contracts"].as_u64() > Some(0));
    let nba = status.iter().find(|r| r["kind"] == "sport" && r["sport"] == "basketball_nba").expect("row");
    assert!(nba["linked"].as_u64() > Some(0) && nba["first_book"].is_string(), "{nba}");
    let text = desk.text(&["status"]);
    assert!(text.contains("listening  ") && text.contains("socket 1"), "{text}");

    let slug = desk.word(
        "SELECT slug FROM exchange_event AS e JOIN exchange_link AS l ON l.exchange_event = e.id
         WHERE state = 'linked' AND sport = 'basketball_nba' ORDER BY starts LIMIT 1",
    );
    let state = || {
        desk.word(&format!(
            "SELECT state || ' ' || how FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event
         WHERE slug = '{slug}'"
        ))
    };
    assert_eq!(state(), "linked auto");
    let event = desk.number(&format!(
        "SELECT l.event FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event WHERE slug = '{slug}'"
    ));
    let books = desk.json(&["book", &format!("https://polymarket.com/event/{slug}"), "--stake", "25"]);
    assert!(books.len() > 1 && books[0]["outcomes"][0]["stake"] == 25.0, "{books:?}");
    let ladder = desk.text(&["book", &slug]);
    assert!(ladder.contains("BID SHARES") && ladder.contains("linked to event"), "{ladder}");
    let typo = format!("{}9", &slug[..slug.len() - 1]);
    let (code, said) = desk.fails(&["book", &typo]);
    assert!(code == Some(3) && (said.contains("did you mean") && said.contains(&slug)), "{said}");

    // Trying changes nothing.
    let rows = desk.json(&["link"]);
    let row = rows.iter().find(|r| r["slug"] == slug.as_str()).expect("row");
    assert!(row["new_state"] == "linked" && row["new_event_id"] == event, "{row}");
    let number = event.to_string();
    let tried = desk.json(&["link", &slug, &number, "--dry-run"]);
    assert!(tried[0]["decided"] == false && tried[0]["first_is_home"].is_boolean(), "{tried:?}");
    assert!(tried[0]["matching"].as_str().expect("text").starts_with("linked"), "{tried:?}");
    assert_eq!(state(), "linked auto");
    let (code, said) = desk.fails(&["link", &slug, "999999"]);
    assert!(code == Some(3), "{said}");
    let hockey = desk.number("SELECT id FROM event WHERE sport = (SELECT number FROM name WHERE kind = 1 AND name = 'icehockey_nhl') LIMIT 1").to_string();
    let (code, said) = desk.fails(&["link", &slug, &hockey]);
    assert!(code == Some(1) && said.contains("cannot be the same"), "{said}");
    assert_eq!(desk.fails(&["link", &slug]).0, Some(2));

    // What a person says is taken up by the daemon, and what is taken back too.
    assert!(desk.text(&["unlink", &slug]).is_empty(), "a pipe wants results only");
    until("refused", || state() == "refused user");
    desk.text(&["unlink", &slug, "--forget"]);
    until("linked again", || state() == "linked auto");
    let (code, said) = desk.fails(&["unlink", &slug, "--forget"]);
    assert!(code == Some(3) && said.contains("there are none"), "{said}");
    desk.text(&["link", &slug, &number]);
    until("linked by a person", || state() == "linked user");
    assert!(desk.json(&["review"]).is_empty());
    assert_eq!(desk.text(&["review"]), "nothing waits for you\n");

    // Two never write one store.
    let (code, said) = desk.fails(&["backfill"]);
    assert!(code == Some(4) && said.contains("polymarket.history"), "{said}");

    let measured = || {
        let rows = desk.json(&["shift", "--sport", "basketball_nba"]);
        rows.into_iter().find(|r| r["market"] == "h2h")
    };
    until("a distance", || measured().is_some());
    let h2h = measured().expect("measured");
    assert!(h2h["games"].as_u64() > Some(0) && h2h["median"].as_f64().expect("number").abs() < 0.15, "{h2h}");
    let text = desk.text(&["shift"]);
    assert!(text.contains("[exchange_divergence]\nshift = { basketball_nba = "), "{text}");
    drop(daemon);
    let text = desk.text(&["status"]);
    assert!(text.contains("nobody listens"), "{text}");
}

#[test]
fn the_past_is_fetched_once_and_goes_on_after_a_kill() {
    let exchange = Exchange::start();
    let desk = Desk::new(&exchange);
    let over = ["--from", "now-1d", "--to", "now-8h"];
    let args = |first: &[&'static str]| [&["backfill"], first, &over[..]].concat();
    let planned = desk.json(&args(&["--dry-run", "--sport", "nba"]));
    assert_eq!(planned.len(), 2, "{planned:?}");
    assert!(planned.iter().all(|w| w["known"] == false));
    assert!(!desk.store().exists(), "a try makes no store");

    let done = desk.json(&args(&[]));
    assert_eq!((done[0]["new_games"].as_u64(), done[0]["windows"].as_u64()), (Some(2), Some(2)), "{done:?}");
    let points = desk.number(POINTS);
    assert!(points > 60 && done[0]["points"] == points, "{done:?}");
    let again = desk.json(&args(&[]));
    assert_eq!((again[0]["new_games"].as_u64(), again[0]["windows"].as_u64()), (Some(0), Some(0)), "{again:?}");
    assert!(desk.json(&args(&["--dry-run"])).is_empty());

    // More is asked for, slowly, and killed in the middle.
    exchange.fault(FaultKind::ExchangeSlow, "clob");
    let filled = || desk.number("SELECT count(*) FROM exchange_backfill");
    let mut child = desk.command(&[&["polymarket"], &args(&["--spreads", "--totals"])[..]].concat());
    let mut child = Running(child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
    until("some more windows, or its end", || filled() > 2 || child.0.try_wait().is_ok_and(|s| s.is_some()));
    drop(child);
    exchange.sim().clear_faults();
    let left = desk.json(&args(&["--dry-run", "--spreads", "--totals"])).len();
    assert!(left > 0, "it was killed before its end");
    let kept = desk.number(POINTS);
    let rest = desk.json(&args(&["--spreads", "--totals"]));
    assert_eq!(rest[0]["windows"].as_u64(), Some(left as u64), "{rest:?}");
    assert_eq!(desk.number(POINTS) - kept, rest[0]["points"].as_i64().expect("number"));
    assert_eq!(desk.number("SELECT sum(points) FROM exchange_backfill"), desk.number(POINTS), "nothing twice");
    assert!(desk.json(&args(&["--dry-run", "--spreads", "--totals"])).is_empty());
    let status = desk.json(&["status"]);
    let nba = status.iter().find(|r| r["kind"] == "sport").expect("row");
    assert!(nba["backfilled_contracts"].as_i64() == Some(filled()) && nba["backfilled_points"] == desk.number(POINTS));
    assert_eq!(desk.fails(&["backfill", "--from", "now", "--to", "now-1d"]).0, Some(2));
}

#[test]
fn trouble_is_told_and_named() {
    let exchange = Exchange::start();
    let desk = Desk::new(&exchange);
    for (kind, code, words) in [
        (FaultKind::ExchangeRateLimited, 1, "slow down"),
        (FaultKind::ExchangeNotFound, 3, "no such record"),
        (FaultKind::ExchangeErrorInOk, 1, "Polymarket"),
        (FaultKind::ExchangeTruncated, 1, "cannot be read"),
        (FaultKind::ExchangeServerError, 1, "in trouble"),
    ] {
        exchange.fault(kind, "gamma");
        let (got, said) = desk.fails(&["discover", "--sport", "nba"]);
        assert!(got == Some(code) && said.contains(words), "{kind:?}: {got:?} {said}");
    }
    // Windows that cannot be had are named, and asked for the next time.
    exchange.fault(FaultKind::ExchangeServerError, "clob");
    let over = ["backfill", "--from", "now-1d", "--to", "now-8h"];
    let (code, said) = desk.fails(&over);
    assert!(code == Some(1) && said.contains("2 of 2 windows could not be had") && said.contains("nba-"), "{said}");
    assert_eq!(desk.number(POINTS), 0);
    exchange.sim().clear_faults();
    assert_eq!(desk.json(&over)[0]["windows"], 2);

    // Nobody there at all.
    let free = TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address");
    let gone = format!("http://{free}");
    let nobody = Desk::at(&gone, &gone, &gone, &gone, &format!("ws://{free}"));
    let (code, said) = nobody.fails(&["discover"]);
    assert!(code == Some(1) && said.contains("is the network up?"), "{said}");
}

/// Something between the program and the listings, which changes what they say. Answers its own address.
fn between(listings: &str, change: impl Fn(String) -> String + Send + Sync + 'static) -> String {
    let behind = listings.trim_start_matches("http://").split('/').next().expect("host").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}/gamma", listener.local_addr().expect("address"));
    let change = Arc::new(change);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (behind, change) = (behind.clone(), Arc::clone(&change));
            // Whoever hangs up is answered no more.
            std::thread::spawn(move || pass(socket, &behind, &*change).ok());
        }
    });
    url
}

/// One question and its answer.
fn pass(mut socket: TcpStream, behind: &str, change: &dyn Fn(String) -> String) -> std::io::Result<()> {
    let mut asked = String::new();
    BufReader::new(socket.try_clone()?).read_line(&mut asked)?;
    let path = asked.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut server = TcpStream::connect(behind)?;
    write!(server, "GET {path} HTTP/1.1\r\nhost: x\r\nuser-agent: test\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let (status, body) = (head.lines().next().unwrap_or("HTTP/1.1 502 Bad"), change(body.to_owned()));
    write!(
        socket,
        "{status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The first NBA game ahead, as the exchange lists it.
fn first_game(desk: &Desk) -> Value {
    let rows = desk.json(&["discover", "--sport", "nba"]);
    rows.into_iter().min_by_key(|r| r["start"].as_str().map(str::to_owned)).expect("a game")
}

const OPEN: &str = "SELECT count(*) FROM exchange_link WHERE state = 'linked' AND how = 'user'";

#[test]
fn a_game_in_doubt_waits_for_a_person_and_goes_by_what_they_say() {
    let exchange = Exchange::start();
    let mut desk = Desk::new(&exchange);
    let slug = first_game(&desk)["slug"].as_str().expect("slug").to_owned();
    // The listing's code means another team than its names do.
    let codes: Vec<&str> = slug.split('-').collect();
    let wrong = if codes[1..3].contains(&"bkn") { "phx" } else { "bkn" };
    let doubtful = slug.replacen(&format!("-{}-", codes[1]), &format!("-{wrong}-"), 1);
    let (from, to) = (slug.clone(), doubtful.clone());
    let gamma = between(&exchange.sim().exchange_urls().gamma, move |body| body.replace(&from, &to));
    desk.set("STRATUM_POLYMARKET_GAMMA_URL", &gamma);
    let _daemon = desk.daemon();
    let waiting = || desk.json(&["review"]);
    until("a game that waits", || desk.number(LINKED) >= 2 && waiting().len() == 1);
    let rows = waiting();
    let row = &rows[0];
    assert!(row["slug"] == doubtful.as_str() && row["decided"] == false, "{row}");
    let reasons = row["reasons"].to_string();
    assert!(reasons.contains("code") && row["confidence"].as_f64() < Some(0.95), "{row}");
    let event = row["event_id"].as_i64().expect("a candidate").to_string();
    let told = desk.text(&["review"]);
    assert!(told.contains(&doubtful) && told.contains(&event) && told.contains("code"), "{told}");
    let status = desk.text(&["status"]);
    assert!(status.contains("1 to review"), "{status}");
    let quotes = || {
        let output = desk.command(&["quotes", &event, "--json"]).output().expect("runs");
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        all.iter().filter(|q| q["book"] == "polymarket" && q["status"] == "open").count()
    };
    assert_eq!(quotes(), 0, "what is in doubt is not used");

    let tried = desk.json(&["link", &doubtful, &event, "--dry-run"]);
    assert!(tried[0]["decided"] == false && tried[0]["first_is_home"].is_boolean(), "{tried:?}");
    assert_eq!(desk.number(OPEN), 0);
    desk.text(&["link", &doubtful, &event]);
    until("linked by a person, and used", || desk.number(OPEN) == 1 && quotes() > 0);
    assert_eq!(desk.text(&["review"]), "nothing waits for you\n");
    desk.text(&["unlink", &doubtful]);
    until("undone, and no longer used", || desk.number(OPEN) == 0 && quotes() == 0);
    assert!(waiting().is_empty(), "a person has decided");
    desk.text(&["unlink", &doubtful, "--forget"]);
    until("it waits again", || waiting().len() == 1);
}

#[test]
fn listings_that_share_a_name_are_told_apart_by_their_numbers() {
    let exchange = Exchange::start();
    let mut desk = Desk::new(&exchange);
    let rows = desk.json(&["discover", "--sport", "nba"]);
    let slugs: Vec<String> = rows.iter().map(|r| r["slug"].as_str().expect("slug").to_owned()).collect();
    // Two games of one name: both are called like the first.
    let (from, to) = (slugs[1].clone(), slugs[0].clone());
    let gamma = between(&exchange.sim().exchange_urls().gamma, move |body| {
        body.replace(&format!("\"slug\":\"{from}\""), &format!("\"slug\":\"{to}\""))
    });
    desk.set("STRATUM_POLYMARKET_GAMMA_URL", &gamma);
    let _daemon = desk.daemon();
    let name = &slugs[0];
    let namesakes = format!("SELECT count(*) FROM exchange_event WHERE slug = '{name}'");
    until("two of one name with books", || desk.number(&namesakes) == 2 && desk.number(BOOKS) > 0);
    let number = |place: u32| {
        desk.word(&format!("SELECT key FROM exchange_event WHERE slug = '{name}' ORDER BY id LIMIT 1 OFFSET {place}"))
    };
    let (first, second) = (number(0), number(1));
    let shown = desk.run(&["book", name]);
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(shown.status.success() && said.contains("2 listings share the name"), "{said}");
    assert!(said.contains(&first) && said.contains(&second), "{said}");
    let title = |key: &str| desk.text(&["book", key]).lines().next().unwrap_or_default().to_owned();
    assert_ne!(title(&first), title(&second), "each can be had by its number");
    // A decision must be about one of them.
    let (code, said) = desk.fails(&["unlink", name]);
    assert!(code == Some(2) && said.contains("say which by its number") && said.contains(&second), "{said}");
    let state = |key: &str| {
        desk.word(&format!(
            "SELECT state FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event WHERE key = '{key}'"
        ))
    };
    let other = state(&first);
    desk.text(&["unlink", &second]);
    until("refused", || state(&second) == "refused");
    assert_eq!(state(&first), other, "the other one stays as it was");
    desk.text(&["unlink", &second, "--forget"]);
    until("open again", || state(&second) != "refused");
}
