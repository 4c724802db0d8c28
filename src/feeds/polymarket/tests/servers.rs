//! The REST client and discovery against a server on loopback that answers what it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::feeds::odds_api::retry::RetryPolicy;
use crate::feeds::polymarket::client::{BookAnswer, Client, ClientConfig, ListQuery};
use crate::feeds::polymarket::discovery::{self, CutShort, League};
use crate::feeds::polymarket::error::{AskError, SetupError};
use crate::feeds::polymarket::ids::{ConditionId, SeriesId, TokenId};
use crate::market::time::Timestamp;

/// What is answered to the request line (`GET /path?query`) and body: status, headers and body.
pub(super) type Answer = Box<dyn Fn(&str, &str) -> (u16, String, String) + Send + Sync>;

pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (heads, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (heads, answer) = (Arc::clone(&heads), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match socket.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8(head).unwrap();
                    let length =
                        head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
                    let mut body = vec![0; length.unwrap_or(0)];
                    let _ = socket.read_exact(&mut body).await;
                    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                    heads.lock().unwrap().push(head);
                    let (status, headers, text) = answer(&line, &String::from_utf8_lossy(&body));
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{text}",
                        text.len()
                    );
                    let _ = socket.write_all(answer.as_bytes()).await;
                    let _ = socket.shutdown().await;
                });
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn client(&self) -> Client {
        Client::new(ClientConfig {
            gamma_url: self.url.clone(),
            clob_url: self.url.clone(),
            data_url: format!("{}/", self.url),
            per_second: 1000.0,
            burst: 1000.0,
            timeout: Duration::from_secs(5),
            max_body: 100_000,
            retry: RetryPolicy {
                max_attempts: 3,
                base: Duration::from_millis(10),
                rate_limit_base: Duration::from_millis(10),
                cap: Duration::from_millis(500),
            },
            ..ClientConfig::default()
        })
        .unwrap()
    }
}

fn ok(body: impl Into<String>) -> (u16, String, String) {
    (200, String::new(), body.into())
}

fn token(text: &str) -> TokenId {
    TokenId::parse(text).unwrap()
}

#[tokio::test]
async fn books_are_asked_for_and_their_absence_is_an_answer() {
    let server = Server::start(Box::new(|line, body| match line {
        "GET /book?token_id=1" => ok(
            r#"{"asset_id":"1","timestamp":"1795200000123","hash":"h","bids":[{"price":"0.4","size":"1"}],"asks":[]}"#,
        ),
        "GET /book?token_id=2" => {
            (404, String::new(), r#"{"error":"No orderbook exists for the requested token id"}"#.into())
        }
        "GET /book?token_id=3" => ok(r#"{"error":"No orderbook exists for the requested token id"}"#),
        "GET /book?token_id=4" => (400, String::new(), r#"{"error":"Invalid token id"}"#.into()),
        "GET /book?token_id=5" => ok("<html>sign in</html>"),
        "GET /book?token_id=6" => ok(format!("[{}]", "1,".repeat(60_000))),
        "POST /books" => {
            assert_eq!(body, r#"[{"token_id":"1"},{"token_id":"2"}]"#);
            ok(r#"[{"asset_id":"1","timestamp":"1795200000123","bids":[],"asks":[]}]"#)
        }
        other => panic!("{other}"),
    }))
    .await;
    let client = server.client();
    let BookAnswer::Book { book, defects, .. } = client.book(&token("1")).await.unwrap() else { panic!("a book") };
    assert_eq!((book.bids.len(), defects.len(), book.hash.as_deref()), (1, 0, Some("h")));
    assert_eq!(client.book(&token("2")).await, Ok(BookAnswer::NoBook));
    assert_eq!(client.book(&token("3")).await, Ok(BookAnswer::NoBook));
    assert!(matches!(client.book(&token("4")).await, Err(AskError::Refused { status: 400, .. })));
    assert!(matches!(client.book(&token("5")).await, Err(AskError::Malformed(_))));
    assert_eq!(client.book(&token("6")).await, Err(AskError::TooLarge { limit: 100_000 }));
    assert_eq!(client.books(&[token("1"), token("2")]).await.unwrap().0.items.len(), 1);
    let head = server.seen().remove(0).to_lowercase();
    assert!(head.contains(&format!("user-agent: stratum/{}", env!("CARGO_PKG_VERSION"))), "{head}");
}

#[tokio::test]
async fn trouble_is_asked_again_and_a_wish_to_wait_is_kept() {
    let count = Arc::new(Mutex::new(0));
    let calls = Arc::clone(&count);
    let server = Server::start(Box::new(move |line, _| {
        let mut n = calls.lock().unwrap();
        *n += 1;
        match (line, *n) {
            ("GET /midpoint?token_id=1", 1) => (503, String::new(), "busy".into()),
            ("GET /midpoint?token_id=1", 2) => (429, "retry-after: 0\r\n".into(), String::new()),
            ("GET /midpoint?token_id=1", _) => ok(r#"{"mid":"0.425"}"#),
            ("GET /midpoint?token_id=2", _) => (429, "retry-after: 60\r\n".into(), String::new()),
            ("GET /midpoint?token_id=3", _) => (403, String::new(), "error code: 1010".into()),
            ("GET /midpoint?token_id=4", _) => (302, "location: http://elsewhere/\r\n".into(), String::new()),
            _ => ok(r#"{"error":"Too Many Requests"}"#),
        }
    }))
    .await;
    let client = server.client();
    assert_eq!(client.midpoint(&token("1")).await, Ok(0.425));
    assert_eq!(*count.lock().unwrap(), 3);
    let wish = Some(Duration::from_secs(60));
    assert_eq!(client.midpoint(&token("2")).await, Err(AskError::RateLimited { retry_after: wish }));
    assert!(matches!(client.midpoint(&token("3")).await, Err(AskError::Blocked { status: 403, .. })));
    assert_eq!(client.midpoint(&token("4")).await, Err(AskError::Redirected { status: 302 }));
    let before = *count.lock().unwrap();
    let trades = client.trades(&ConditionId::parse("0xab").unwrap(), 0).await;
    assert_eq!(trades, Err(AskError::RateLimited { retry_after: None }));
    assert_eq!(*count.lock().unwrap() - before, 3, "a refusal inside a 200 is asked again too");
    let (a, b) = (Timestamp::from_secs(1_760_000_000), Timestamp::from_secs(1_762_000_000));
    assert!(matches!(client.history(&token("1"), a, b, 1).await, Err(AskError::Refused { .. })));
}

fn league() -> League {
    League { sport: "basketball_nba", name: "nba".into(), series: SeriesId::parse("10345").unwrap(), tags: Vec::new() }
}

fn event(id: usize) -> String {
    format!(
        r#"{{"id":"{id}","slug":"nba-gsw-phx-2026-02-{:02}","title":"Warriors vs. Suns","active":true,"closed":false,"startDate":"2026-01-01T00:00:00Z","startTime":"2026-02-06T03:00:00Z",
        "markets":[{{"id":"9{id}","slug":"m{id}","question":"Warriors vs. Suns","conditionId":"0xa{id}","outcomes":"[\"Warriors\", \"Suns\"]","clobTokenIds":"[\"1{id}\", \"2{id}\"]","sportsMarketType":"moneyline","gameStartTime":"2026-02-06 03:00:00+00","active":true,"acceptingOrders":true,"enableOrderBook":true,"feesEnabled":true,"feeSchedule":{{"exponent":1,"rate":0.05,"takerOnly":true,"rebateRate":0.15}},"description":"If the game is canceled entirely, with no make-up game, this market will resolve 50-50."}}]}}"#,
        id % 28 + 1
    )
}

fn events(ids: std::ops::Range<usize>) -> String {
    ids.map(event).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn games_are_listed_by_cursor() {
    let server = Server::start(Box::new(|line, _| {
        let first = "GET /events/keyset?limit=100&series_id=10345&active=true&closed=false";
        match line {
            "GET /sports" => ok(r#"[{"sport":"nba","series":"10345","tags":"1,745"},{"sport":"curling","series":"5"},{"sport":"ncaab","series":"7"}]"#),
            l if l == first => ok(format!(r#"{{"events":[{},{{"id":"x"}}],"next_cursor":"c2"}}"#, events(0..2))),
            l if l == format!("{first}&after_cursor=c2") => {
                ok(format!(r#"{{"events":[{},{{"id":"77","slug":"nba-champion-2026"}}],"next_cursor":null}}"#, events(1..3)))
            }
            other => panic!("{other}"),
        }
    }))
    .await;
    let client = server.client();
    let (leagues, _) = discovery::leagues(&client, &["basketball_nba".to_owned()]).await.unwrap();
    assert_eq!((leagues.len(), leagues[0].series.as_str(), leagues[0].tags.len()), (1, "10345", 2));
    let found = discovery::games(&client, &leagues[0]).await.unwrap();
    assert_eq!((found.listings.len(), found.not_games, found.pages, found.cut_short), (3, 1, 2, None));
    assert!(found.defects.iter().any(|d| d.quarantined));
    let game = &found.listings[0];
    assert_eq!(game.start, Timestamp::parse("2026-02-06T03:00:00Z"), "not the day on which trading opened");
    assert_eq!(game.teams.as_ref().unwrap()[0], "Warriors");
    let market = game.moneyline().unwrap();
    assert!(market.tradable.is_ok() && (market.fee.unwrap().cost(0.52) - 0.532_48).abs() < 1e-12);
    assert_eq!(market.settlement.facts().len(), 1);
    assert_eq!(game.tradable_tokens().count(), 2);
}

#[tokio::test]
async fn a_cursor_that_comes_back_ends_the_listing() {
    let server =
        Server::start(Box::new(|_, _| ok(format!(r#"{{"events":[{}],"next_cursor":"same"}}"#, events(0..2))))).await;
    let found = discovery::games(&server.client(), &league()).await.unwrap();
    assert_eq!((found.listings.len(), found.cut_short), (2, Some(CutShort::Repeats)));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn without_a_cursor_the_offset_has_to_do_up_to_its_end() {
    let server = Server::start(Box::new(|line, _| {
        if line.contains("keyset") {
            return (404, String::new(), r#"{"error":"not found"}"#.into());
        }
        let offset: usize = line.split("offset=").nth(1).unwrap().parse().unwrap();
        match offset {
            0 | 100 => ok(format!("[{}]", events(offset..offset + 100))),
            _ => (
                422,
                String::new(),
                r#"{"type":"validation error","error":"offset too large, use /markets/keyset for deeper pagination"}"#
                    .into(),
            ),
        }
    }))
    .await;
    let mut config = server.client();
    config = Client::new(ClientConfig {
        max_body: 10_000_000,
        gamma_url: server.url.clone(),
        per_second: 1000.0,
        ..ClientConfig::default()
    })
    .unwrap_or(config);
    let found = discovery::games(&config, &league()).await.unwrap();
    assert_eq!((found.listings.len(), found.pages, found.cut_short), (200, 2, Some(CutShort::OffsetTooLarge)));
    let query = ListQuery::default();
    assert_eq!(config.events_at(&query, 5000).await.unwrap_err(), AskError::OffsetTooLarge);
}

#[test]
fn addresses_are_checked() {
    for (url, problem) in [
        ("http://example.com", "plain http"),
        ("https://user:pw@example.com", "user name"),
        ("https://example.com/?a=b", "query"),
        ("ftp://example.com", "neither"),
        ("nonsense", "cannot be read"),
    ] {
        let config = ClientConfig { clob_url: url.to_owned(), ..ClientConfig::default() };
        let error = Client::new(config).map(drop).unwrap_err();
        assert!(matches!(error, SetupError::BaseUrl { host: "clob", .. }));
        assert!(error.to_string().contains(problem) && !error.to_string().contains("pw"), "{error}");
    }
}
