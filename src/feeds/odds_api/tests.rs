//! The client against a real server on loopback that says exactly the bytes it is told to, down to cut connections.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::ask::{Ask, BookFilter, EventFilter};
use super::breaker::{BreakerConfig, BreakerView, Purpose};
use super::client::{Client, ClientConfig, ClientError, DEFAULT_BASE_URL};
use super::fetched::Fetched;
use super::quota::Quota;
use super::request::{Question, Request};
use super::retry::RetryPolicy;
use crate::feeds::outcome::{AttemptClass, Outcome, Unavailable};
use crate::feeds::secret::ApiKey;
use crate::market::batch::Endpoint;
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

const KEY: &str = "5ecre7/k3y+5ecre7";
const KEY_ENCODED: &str = "5ecre7%2Fk3y%2B5ecre7";

/// What the server does with one connection: write pieces, pausing in between, then close.
type Reply = Box<dyn Fn(&str) -> Vec<Step> + Send + Sync>;

#[derive(Clone)]
enum Step {
    Bytes(Vec<u8>),
    Pause(Duration),
}

struct Server {
    base_url: String,
    /// Heads of the requests received.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the first request with the first reply and so on; the last reply repeats.
    async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&seen);
        let replies = Arc::new(replies);
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (heads, replies) = (Arc::clone(&heads), Arc::clone(&replies));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match socket.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8(head).unwrap();
                    let number = {
                        let mut heads = heads.lock().unwrap();
                        heads.push(head.clone());
                        heads.len() - 1
                    };
                    let reply = replies.get(number).or(replies.last()).unwrap();
                    for step in reply(&head) {
                        match step {
                            // The client may have hung up already.
                            Step::Bytes(bytes) => drop(socket.write_all(&bytes).await),
                            Step::Pause(time) => tokio::time::sleep(time).await,
                        }
                    }
                    let _ = socket.shutdown().await;
                });
            }
        });
        Self { base_url, seen }
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    fn client_with(&self, change: impl FnOnce(&mut ClientConfig)) -> Client {
        let ms = Duration::from_millis;
        let mut config = ClientConfig {
            base_url: self.base_url.clone(),
            retry: RetryPolicy { base: ms(2), rate_limit_base: ms(2), cap: ms(20), ..RetryPolicy::default() },
            ..ClientConfig::default()
        };
        change(&mut config);
        Client::new(config, ApiKey::parse(KEY).unwrap()).unwrap()
    }
}

const QUOTA: &str = "x-requests-remaining: 482\r\nx-requests-used: 18\r\nx-requests-last: 3\r\n";

fn raw(status: &str, headers: &str, body: &[u8]) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    vec![Step::Bytes([head.as_bytes(), body].concat())]
}

fn reply(status: &'static str, headers: &'static str, body: impl Into<Vec<u8>>) -> Reply {
    let body = body.into();
    Box::new(move |_| raw(status, headers, &body))
}

fn steps(steps: Vec<Step>) -> Reply {
    Box::new(move |_| steps.clone())
}

fn error_body(code: &str) -> String {
    format!("{{\"message\":\"Something about it\",\"error_code\":\"{code}\",\"details_url\":\"https://example.com/\"}}")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn odds() -> Request {
    let ask = Ask::new(&["h2h".to_owned()], BookFilter::Regions(vec!["us".to_owned()]));
    Question::Odds { sport: "basketball_nba".into(), filter: EventFilter::default(), ask }.into()
}

fn history() -> Request {
    let ask = Ask::new(&["h2h".to_owned()], BookFilter::Regions(vec!["us".to_owned()]));
    let at = Timestamp::parse("2026-01-02T03:04:05Z").unwrap();
    Question::HistoricalOdds { sport: "basketball_nba".into(), at, filter: EventFilter::default(), ask }.into()
}

/// Neither form of the key, in any case, and no half of it.
fn assert_no_key(text: &str) {
    let text = text.to_lowercase();
    assert!(!text.contains("5ecre7") && !text.contains("k3y"), "the key leaked: {text}");
}

/// Fetches and checks what must hold for every answer whatever.
async fn fetch(client: &Client, request: &Request) -> Fetched {
    let fetched = client.fetch(request, Purpose::Live).await;
    assert_no_key(&format!("{fetched:?} {fetched:#?} {client:?} {:?}", fetched.outcome));
    fetched
}

fn classes(fetched: &Fetched) -> Vec<AttemptClass> {
    fetched.attempts.iter().map(|a| a.class).collect()
}

fn reason(fetched: &Fetched) -> Option<Unavailable> {
    fetched.outcome.unavailable()
}

/// One failing row of the provider's table: what comes, what it means, how many attempts.
async fn row(answer: Reply, expected: Unavailable, attempts: usize) -> Fetched {
    let server = Server::start(vec![answer]).await;
    let fetched = fetch(&server.client(), &odds()).await;
    assert_eq!(reason(&fetched), Some(expected), "{fetched:?}");
    assert_eq!(fetched.attempts.len(), attempts, "{fetched:?}");
    assert_eq!(server.requests(), attempts);
    fetched
}

#[tokio::test]
async fn data_with_everything_around_it() {
    let headers = "x-requests-remaining: 482\r\nx-requests-used: 18\r\nx-requests-last: 3\r\n\
                   date: Fri, 20 Nov 2026 20:01:40 GMT\r\ncontent-type: application/json\r\n";
    let server = Server::start(vec![reply("200 OK", headers, " [{\"id\":\"x\"}]")]).await;
    let fetched = fetch(&server.client(), &odds()).await;
    assert_eq!(
        fetched.outcome,
        Outcome::Data {
            body: b" [{\"id\":\"x\"}]".to_vec(),
            format: OddsFormat::American,
            server_date: Timestamp::parse("2026-11-20T20:01:40Z"),
        }
    );
    assert_eq!(fetched.quota, Quota { remaining: Some(482), used: Some(18), last: Some(3) });
    assert_eq!(fetched.charged(), Some(3));
    assert_eq!((fetched.endpoint, fetched.sport.as_str()), (Endpoint::Odds, "basketball_nba"));
    assert_eq!(fetched.request, odds().path_and_query());
    assert_eq!(fetched.scope, odds().scope());
    assert_eq!(classes(&fetched), [AttemptClass::Data]);
    assert_eq!((fetched.attempts[0].status, fetched.attempts[0].bytes), (Some(200), 13));

    let head = server.seen.lock().unwrap()[0].clone();
    assert!(head.starts_with(&format!("GET {}&apiKey={KEY_ENCODED} HTTP/1.1\r\n", odds().path_and_query())), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains(concat!("user-agent: stratum/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(head.contains("accept-encoding: gzip"), "{head}");
}

#[tokio::test]
async fn gzip_is_opened() {
    let server = Server::start(vec![reply("200 OK", "content-encoding: gzip\r\n", gzip(b"[{\"id\":\"x\"}]"))]).await;
    let fetched = fetch(&server.client(), &odds()).await;
    assert_eq!(fetched.outcome.body(), Some(&b"[{\"id\":\"x\"}]"[..]));
    assert_eq!(fetched.attempts[0].bytes, 12);
}

#[tokio::test]
async fn empty_answers_are_no_events() {
    let wrapper = "{\"timestamp\":\"2026-03-01T17:55:39Z\",\"previous_timestamp\":null,\"data\": [ ] }";
    for (request, body) in
        [(odds(), "[]"), (odds(), " [ \n ] \n"), (history(), wrapper), (Question::Sports { all: true }.into(), "[]")]
    {
        let server = Server::start(vec![reply("200 OK", QUOTA, body)]).await;
        let fetched = fetch(&server.client(), &request).await;
        assert_eq!(fetched.outcome.name(), "no_events", "{body}");
        assert_eq!(fetched.outcome.body(), Some(body.as_bytes()));
        assert_eq!(classes(&fetched), [AttemptClass::NoEvents]);
    }
    let wrapped = "{\"timestamp\":\"2026-03-01T17:55:39Z\",\"data\":[{\"id\":\"x\",\"bookmakers\":[]}]}";
    for (request, body) in [(odds(), "[[]]"), (odds(), "[] x"), (history(), wrapped), (history(), "{\"data\":{}}")] {
        let server = Server::start(vec![reply("200 OK", QUOTA, body)]).await;
        assert_eq!(fetch(&server.client(), &request).await.outcome.name(), "data", "{body}");
    }
}

#[tokio::test]
async fn refused_keys_are_not_repeated() {
    for code in ["MISSING_KEY", "INVALID_KEY", "DEACTIVATED_KEY"] {
        let fetched = row(reply("401 Unauthorized", QUOTA, error_body(code)), Unavailable::Auth, 1).await;
        assert_eq!(fetched.quota.remaining, Some(482), "headers of an error count too");
        let Outcome::Unavailable { code: said, message, .. } = &fetched.outcome else { panic!() };
        assert_eq!(said.as_deref(), Some(code));
        assert!(message.contains("check the API key"), "{message}");
    }
}

#[tokio::test]
async fn used_up_credits_are_not_a_wrong_key() {
    row(reply("401 Unauthorized", QUOTA, error_body("OUT_OF_USAGE_CREDITS")), Unavailable::Quota, 1).await;
    let bare = reply("401 Unauthorized", "x-requests-remaining: 0\r\n", "Unauthorized");
    row(bare, Unavailable::Quota, 1).await;
    row(reply("401 Unauthorized", QUOTA, "Unauthorized"), Unavailable::Auth, 1).await;
}

#[tokio::test]
async fn unknown_events_and_sports() {
    for code in ["EVENT_NOT_FOUND", "UNKNOWN_SPORT"] {
        let fetched = row(reply("404 Not Found", QUOTA, error_body(code)), Unavailable::NotFound, 1).await;
        let Outcome::Unavailable { code: said, .. } = &fetched.outcome else { panic!() };
        assert_eq!(said.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn bad_requests_are_not_repeated() {
    for code in ["MISSING_REGION", "INVALID_MARKET_COMBO", "INVALID_HISTORICAL_TIMESTAMP", "A_NEW_CODE"] {
        row(reply("422 Unprocessable Entity", QUOTA, error_body(code)), Unavailable::BadRequest, 1).await;
    }
    for status in ["401 Unauthorized", "403 Forbidden", "422 Unprocessable Entity"] {
        let body = error_body("HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN");
        row(reply(status, QUOTA, body), Unavailable::BadRequest, 1).await;
    }
}

#[tokio::test]
async fn too_many_requests() {
    let body = error_body("EXCEEDED_FREQ_LIMIT");
    let fetched = row(reply("429 Too Many Requests", QUOTA, body.clone()), Unavailable::RateLimited, 3).await;
    assert_eq!(fetched.charged(), Some(9));
    assert!(fetched.attempts[0].wait > Duration::ZERO && fetched.attempts[2].wait == Duration::ZERO);
    // A wish within reason is waited for; one beyond ends the call and is passed on.
    row(reply("429 Too Many Requests", "retry-after: 0\r\n", ""), Unavailable::RateLimited, 3).await;
    for (headers, wait) in [
        ("retry-after: 30\r\n", 30),
        ("date: Fri, 20 Nov 2026 20:00:00 GMT\r\nretry-after: Fri, 20 Nov 2026 20:02:00 GMT\r\n", 120),
    ] {
        let fetched = row(reply("429 Too Many Requests", headers, body.clone()), Unavailable::RateLimited, 1).await;
        let Outcome::Unavailable { retry_after, .. } = fetched.outcome else { panic!() };
        assert_eq!(retry_after, Some(Duration::from_secs(wait)));
    }
}

#[tokio::test]
async fn a_repeat_that_succeeds_is_a_success() {
    let server = Server::start(vec![
        reply("500 Internal Server Error", "x-requests-last: 0\r\n", "<html>oops</html>"),
        reply("429 Too Many Requests", "", error_body("EXCEEDED_FREQ_LIMIT")),
        reply("200 OK", QUOTA, "[{}]"),
    ])
    .await;
    let client = server.client();
    let fetched = fetch(&client, &odds()).await;
    assert_eq!(classes(&fetched), [AttemptClass::ServerError, AttemptClass::RateLimited, AttemptClass::Data]);
    assert_eq!(fetched.outcome.name(), "data");
    drop(fetched);
    assert_eq!(client.breaker(Purpose::Live), BreakerView::Closed { failures: 0 });
}

#[tokio::test]
async fn faults_of_the_provider() {
    let html = "<!DOCTYPE html><html><body><h1>500</h1></body></html>";
    let fetched = row(reply("500 Internal Server Error", "", html), Unavailable::Transient, 3).await;
    let Outcome::Unavailable { message, .. } = &fetched.outcome else { panic!() };
    assert!(!message.contains('<'), "{message}");
    row(reply("502 Bad Gateway", "", ""), Unavailable::Transient, 3).await;
    row(reply("503 Service Unavailable", "retry-after: 600\r\n", ""), Unavailable::Transient, 1).await;
    // A code inside HTML still decides.
    row(reply("500 Oops", "", "<p>INVALID_MARKET_COMBO</p>"), Unavailable::BadRequest, 1).await;
}

#[tokio::test]
async fn slow_answers_time_out() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[".to_vec();
    let slow_body = vec![Step::Bytes(head), Step::Pause(Duration::from_secs(60))];
    for answer in [slow_body, vec![Step::Pause(Duration::from_secs(60))]] {
        let server = Server::start(vec![steps(answer)]).await;
        let client = server.client_with(|c| c.timeout = Duration::from_millis(150));
        let fetched = fetch(&client, &odds()).await;
        assert_eq!(reason(&fetched), Some(Unavailable::Transient));
        assert_eq!(classes(&fetched), [AttemptClass::Timeout; 3]);
    }
}

#[tokio::test]
async fn cut_answers_are_lost_not_parsed() {
    let full = gzip(&vec![b'['; 4000]);
    let cut_gzip = reply("200 OK", "content-encoding: gzip\r\n", &full[..full.len() - 6]);
    let cut_body = steps(vec![Step::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{}".to_vec())]);
    let cut_chunk = steps(vec![Step::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[{}".to_vec())]);
    let cut_head = steps(vec![Step::Bytes(b"HTTP/1.1 200".to_vec())]);
    let nothing = steps(vec![]);
    let no_http = steps(vec![Step::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())]);
    for answer in [cut_gzip, cut_body, cut_chunk, cut_head, nothing, no_http] {
        let fetched = row(answer, Unavailable::Transient, 3).await;
        assert_eq!(classes(&fetched), [AttemptClass::CutOff; 3]);
        assert!(fetched.attempts[0].message.is_some());
    }
}

#[tokio::test]
async fn nobody_listens() {
    // Bound but not listening: the port stays ours, and connections to it are refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base_url = format!("http://{}", socket.local_addr().unwrap());
    let server = Server { base_url, seen: Arc::default() };
    let fetched = fetch(&server.client(), &odds()).await;
    assert_eq!(reason(&fetched), Some(Unavailable::Transient));
    assert_eq!(classes(&fetched), [AttemptClass::Connect; 3]);
    assert_eq!((fetched.attempts[0].status, fetched.quota), (None, Quota::default()));
}

#[tokio::test]
async fn size_is_bounded_before_and_after_decompression() {
    let plain = reply("200 OK", "", vec![b'['; 1001]);
    let bomb = reply("200 OK", "content-encoding: gzip\r\n", gzip(&vec![b'['; 50_000_000]));
    let endless = steps(vec![
        Step::Bytes(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Step::Bytes(vec![b'['; 2_000_000]),
        Step::Pause(Duration::from_secs(60)),
    ]);
    for answer in [plain, bomb, endless] {
        let server = Server::start(vec![answer]).await;
        let fetched = fetch(&server.client_with(|c| c.max_body = 1000), &odds()).await;
        assert_eq!(reason(&fetched), Some(Unavailable::Malformed));
        assert_eq!(classes(&fetched), [AttemptClass::TooLarge]);
    }
    let server = Server::start(vec![reply("200 OK", "", vec![b'['; 1000])]).await;
    assert_eq!(fetch(&server.client_with(|c| c.max_body = 1000), &odds()).await.outcome.name(), "data");
}

#[tokio::test]
async fn an_endless_error_page_is_cut_and_still_understood() {
    let endless = steps(vec![
        Step::Bytes(b"HTTP/1.1 422 No\r\n\r\nINVALID_REGION ".to_vec()),
        Step::Bytes(vec![b'x'; 500_000]),
        Step::Pause(Duration::from_secs(60)),
    ]);
    let fetched = row(endless, Unavailable::BadRequest, 1).await;
    assert_eq!(fetched.attempts[0].bytes, 64 * 1024);
}

#[tokio::test]
async fn redirects_are_refused() {
    let target = Server::start(vec![reply("200 OK", "", "[]")]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let url = target.base_url.clone();
        // As servers do: the query comes along.
        let answer: Reply = Box::new(move |head| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            raw(status, &format!("location: {url}{path}\r\n"), format!("moved to {path}").as_bytes())
        });
        let fetched = row(answer, Unavailable::Malformed, 1).await;
        assert_eq!(classes(&fetched), [AttemptClass::Redirected]);
    }
    assert_eq!(target.requests(), 0, "the key went elsewhere");
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    for body in ["", "   ", "<html>sign in</html>", "null", "\"OK\"", "42", "\u{feff}[]"] {
        let fetched = row(reply("200 OK", QUOTA, body), Unavailable::Malformed, 1).await;
        assert_eq!(classes(&fetched), [AttemptClass::NotJson], "{body:?}");
        assert_eq!(fetched.quota.last, Some(3));
    }
    row(reply("204 No Content", "", ""), Unavailable::Malformed, 1).await;
    // An error in the clothes of a success.
    row(reply("200 OK", "", error_body("OUT_OF_USAGE_CREDITS")), Unavailable::Quota, 1).await;
}

#[tokio::test]
async fn odd_and_missing_quota_headers() {
    for (headers, quota) in [
        ("", Quota::default()),
        ("x-requests-remaining: \r\nx-requests-used: n/a\r\nx-requests-last: -\r\n", Quota::default()),
        (
            "X-Requests-Remaining: 12.0\r\nX-REQUESTS-USED: 7.5\r\nx-requests-last: 0\r\n",
            Quota { remaining: Some(12), used: Some(8), last: Some(0) },
        ),
    ] {
        for status in ["200 OK", "422 Unprocessable Entity"] {
            let server = Server::start(vec![reply(status, headers, "[]")]).await;
            let fetched = fetch(&server.client(), &odds()).await;
            assert_eq!(fetched.quota, quota, "{status} {headers}");
            assert_eq!(fetched.charged(), quota.last);
        }
    }
    // The last good report is kept when a later attempt is silent.
    let server = Server::start(vec![reply("500 Oops", QUOTA, ""), reply("200 OK", "", "[]")]).await;
    assert_eq!(fetch(&server.client(), &odds()).await.quota.remaining, Some(482));
}

#[tokio::test]
async fn echoes_of_the_key_go_nowhere() {
    for status in ["200 OK", "401 Unauthorized", "422 No", "500 Oops", "302 Found"] {
        for json in [false, true] {
            let answer: Reply = Box::new(move |head| {
                let path = head.split(' ').nth(1).unwrap_or_default();
                let body = if json {
                    format!("{{\"message\":\"no {KEY} at {path}\",\"error_code\":\"INVALID_KEY\"}}")
                } else {
                    format!("<html>no {KEY} at {path}</html>")
                };
                raw(status, &format!("retry-after: {KEY}\r\nx-requests-last: {KEY}\r\n"), body.as_bytes())
            });
            let server = Server::start(vec![answer]).await;
            let fetched = fetch(&server.client(), &odds()).await;
            assert!(reason(&fetched).is_some(), "{status}");
        }
    }
}

/// Everything that this library and those below it log, at the finest level.
#[tokio::test]
async fn logs_never_hold_the_key() {
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let server = Server::start(vec![
        reply("500 Oops", "", "<html>"),
        steps(vec![]),
        reply("200 OK", QUOTA, "[]"),
        reply("302 Found", "location: /elsewhere\r\n", ""),
    ])
    .await;
    // With a single subscriber in the process, an event first met on the thread of another test would be switched off
    // for good; with two, every one of them is asked.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    // This test's runtime has one thread, so the subscriber sees everything that happens in it.
    let guard = tracing::subscriber::set_default(subscriber);
    let client = server.client();
    fetch(&client, &odds()).await;
    fetch(&client, &odds()).await;
    drop(guard);
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("basketball_nba"), "nothing was logged: {log}");
    assert_no_key(&log);
}

#[tokio::test]
async fn wrong_questions_are_not_sent() {
    let server = Server::start(vec![reply("200 OK", "", "[]")]).await;
    let mut request = odds();
    let Question::Odds { sport, .. } = &mut request.question else { panic!() };
    *sport = format!("../{KEY}");
    let fetched = fetch(&server.client(), &request).await.outcome;
    assert_eq!(fetched.unavailable(), Some(Unavailable::BadRequest));
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_breaker_counts_calls_and_keeps_purposes_apart() {
    let server = Server::start(vec![reply("500 Oops", "", "")]).await;
    let client = server.client();
    for call in 1..=3 {
        assert_eq!(reason(&fetch(&client, &odds()).await), Some(Unavailable::Transient));
        assert_eq!(server.requests(), call * 3);
    }
    let fetched = fetch(&client, &odds()).await;
    assert_eq!(reason(&fetched), Some(Unavailable::Paused));
    assert!(fetched.attempts.is_empty());
    let Outcome::Unavailable { retry_after, .. } = fetched.outcome else { panic!() };
    assert!(retry_after.is_some_and(|wait| wait > Duration::from_secs(30) && wait <= Duration::from_secs(60)));
    assert_eq!(server.requests(), 9);
    let other = client.fetch(&history(), Purpose::Backfill).await;
    assert_eq!(reason(&other), Some(Unavailable::Transient));
    assert_eq!(client.breaker(Purpose::Backfill), BreakerView::Closed { failures: 1 });
}

#[tokio::test]
async fn refusals_do_not_open_the_breaker() {
    for (status, code) in
        [("401 No", "INVALID_KEY"), ("401 No", "OUT_OF_USAGE_CREDITS"), ("422 No", "MISSING_REGION"), ("404 No", "X")]
    {
        let server = Server::start(vec![reply(status, "", error_body(code))]).await;
        let client = server.client();
        for _ in 0..5 {
            fetch(&client, &odds()).await;
        }
        assert_eq!(client.breaker(Purpose::Live), BreakerView::Closed { failures: 0 });
        assert_eq!(server.requests(), 5);
    }
}

#[tokio::test]
async fn bodies_that_the_parser_rejects_open_the_breaker() {
    let server = Server::start(vec![reply("200 OK", "", "[{\"id\":")]).await;
    let client = server.client();
    for _ in 0..3 {
        let mut fetched = fetch(&client, &odds()).await;
        assert_eq!(fetched.outcome.name(), "data");
        fetched.report_malformed();
    }
    assert!(matches!(client.breaker(Purpose::Live), BreakerView::Open { .. }));
}

#[tokio::test]
async fn one_probe_finds_out_about_recovery() {
    let server = Server::start(vec![
        reply("500 Oops", "", ""),
        steps(vec![Step::Pause(Duration::from_secs(60))]),
        reply("200 OK", "", "[{}]"),
    ])
    .await;
    let client = server.client_with(|c| {
        c.retry.max_attempts = 1;
        c.breaker = BreakerConfig { threshold: 1, pause: Duration::ZERO, cap: Duration::ZERO };
    });
    assert_eq!(reason(&fetch(&client, &odds()).await), Some(Unavailable::Transient));
    // A probe that is cancelled gives its place back.
    {
        let request = odds();
        let mut probe = Box::pin(client.fetch(&request, Purpose::Live));
        tokio::select! {
            _ = &mut probe => panic!("the server does not answer"),
            () = async { while server.requests() < 2 { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(client.breaker(Purpose::Live), BreakerView::HalfOpen);
        assert_eq!(reason(&fetch(&client, &odds()).await), Some(Unavailable::Paused));
    }
    let fetched = fetch(&client, &odds()).await;
    assert_eq!(fetched.outcome.name(), "data");
    assert_eq!(client.breaker(Purpose::Live), BreakerView::HalfOpen, "the parser has not spoken");
    drop(fetched);
    assert_eq!(client.breaker(Purpose::Live), BreakerView::Closed { failures: 0 });
}

#[test]
fn base_urls() {
    let build = |base: &str| {
        let config = ClientConfig { base_url: base.to_owned(), ..ClientConfig::default() };
        Client::new(config, ApiKey::parse(KEY).unwrap())
    };
    for good in ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9", "http://127.0.0.1:8080/v4/"] {
        let client = build(good).unwrap();
        assert!(!format!("{client:?}").contains("/v4"), "{good}");
    }
    // Without root certificates there is an error that says so, never a panic.
    for remote in [DEFAULT_BASE_URL, "https://127.0.0.1:8443/prefix/"] {
        assert!(matches!(build(remote), Ok(_) | Err(ClientError::Setup(_))), "{remote}");
    }
    for bad in [
        "",
        "api.the-odds-api.com",
        "http://api.the-odds-api.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://me:5ecre7@example.com",
        "https://example.com/?apiKey=5ecre7",
        "https://example.com/#5ecre7",
    ] {
        let error = build(bad).unwrap_err();
        assert_no_key(&format!("{error} {error:?}"));
    }
}

/// A provider that knows how each key stands.
fn per_key(of: impl Fn(&str) -> (&'static str, &'static str, String) + Send + Sync + 'static) -> Reply {
    Box::new(move |head| {
        let key = head.split("apiKey=").nth(1).and_then(|k| k.split([' ', '&']).next()).unwrap_or_default();
        let (status, headers, body) = of(key);
        raw(status, headers, body.as_bytes())
    })
}

fn client_of(server: &Server, keys: &str) -> Client {
    let ms = Duration::from_millis;
    let config = ClientConfig {
        base_url: server.base_url.clone(),
        retry: RetryPolicy { base: ms(2), rate_limit_base: ms(2), cap: ms(20), ..RetryPolicy::default() },
        ..ClientConfig::default()
    };
    Client::with_keys(config, super::keys::Keys::parse(keys).unwrap()).unwrap()
}

fn name_of(key: &str) -> String {
    ApiKey::parse(key).unwrap().fingerprint()
}

const EMPTY: &str = "x-requests-remaining: 0\r\nx-requests-used: 500\r\nx-requests-last: 0\r\n";

#[tokio::test]
async fn a_key_without_credits_gives_way_to_the_next() {
    let server = Server::start(vec![per_key(|key| match key {
        "first1" => ("401 Unauthorized", EMPTY, error_body("OUT_OF_USAGE_CREDITS")),
        _ => ("200 OK", QUOTA, "[{\"id\":\"x\"}]".into()),
    })])
    .await;
    let client = client_of(&server, "first1,second2");
    let fetched = client.fetch(&odds(), Purpose::Live).await;
    assert_eq!(fetched.outcome.name(), "data");
    assert_eq!(classes(&fetched), [AttemptClass::Quota, AttemptClass::Data]);
    assert_eq!(fetched.key, Some(name_of("second2")));
    assert_eq!(fetched.quota.remaining, Some(482), "of the key that was answered");
    let again = client.fetch(&odds(), Purpose::Live).await;
    assert_eq!((classes(&again), server.requests()), (vec![AttemptClass::Data], 3));
    let view = client.keys();
    assert_eq!((view[0].remaining, view[0].in_use), (Some(0), false));
    assert_eq!((view[1].remaining, view[1].in_use), (Some(482), true));
    let text = format!("{client:?} {fetched:?} {view:?}");
    assert!(!text.contains("first1") && !text.contains("second2"), "{text}");
}

#[tokio::test]
async fn when_every_key_is_empty_the_call_ends() {
    let server =
        Server::start(vec![per_key(|_| ("401 Unauthorized", EMPTY, error_body("OUT_OF_USAGE_CREDITS")))]).await;
    let client = client_of(&server, "a1,b2,c3");
    for _ in 0..2 {
        let fetched = client.fetch(&odds(), Purpose::Live).await;
        assert_eq!((reason(&fetched), fetched.attempts.len()), (Some(Unavailable::Quota), 3));
    }
}

#[tokio::test]
async fn a_wrong_first_key_is_told_and_a_wrong_spare_one_is_passed_over() {
    let wrong = |bad: &'static str, empty: &'static str| {
        per_key(move |key| match key {
            k if k == bad => ("401 Unauthorized", "", error_body("INVALID_KEY")),
            k if k == empty => ("401 Unauthorized", EMPTY, error_body("OUT_OF_USAGE_CREDITS")),
            _ => ("200 OK", QUOTA, "[{\"id\":\"x\"}]".into()),
        })
    };
    let server = Server::start(vec![wrong("a1", "none")]).await;
    let fetched = client_of(&server, "a1,b2").fetch(&odds(), Purpose::Live).await;
    assert_eq!((reason(&fetched), server.requests()), (Some(Unavailable::Auth), 1));
    let server = Server::start(vec![wrong("b2", "a1")]).await;
    let fetched = client_of(&server, "a1,b2,c3").fetch(&odds(), Purpose::Live).await;
    assert_eq!((fetched.outcome.name(), fetched.key), ("data", Some(name_of("c3"))));
    // Nobody is left, but the first key comes back next month: polling must not end for good.
    let server = Server::start(vec![wrong("b2", "a1")]).await;
    let fetched = client_of(&server, "a1,b2").fetch(&odds(), Purpose::Live).await;
    let Outcome::Unavailable { reason, message, .. } = &fetched.outcome else { panic!("{fetched:?}") };
    assert_eq!(*reason, Unavailable::Quota);
    assert!(message.contains(&name_of("b2")) && message.contains("refused"), "{message}");
}
