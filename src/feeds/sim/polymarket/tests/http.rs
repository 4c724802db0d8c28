//! The exchange on real sockets: one port beside the sportsbook feed.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::super::super::{SimConfig, SimHandle, SimServer};
use super::*;

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn server(scenario: Scenario, speed: u32) -> SimHandle {
    let config = SimConfig { speed: Some(speed), ..SimConfig::scenario(scenario, start()) };
    SimServer::start(config).await.expect("starts")
}

async fn connect(sim: &SimHandle) -> Socket {
    tokio_tungstenite::connect_async(sim.exchange_urls().channel).await.expect("connects").0
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.expect("sent");
}

/// The next text frame; none when nothing comes for a while or the socket is closed.
async fn next(socket: &mut Socket, wait: Duration) -> Option<String> {
    loop {
        match tokio::time::timeout(wait, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => return Some(text.to_string()),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return None,
            Ok(Some(Ok(_))) => {}
        }
    }
}

const SOON: Duration = Duration::from_secs(20);
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_real_client_sees_dump_changes_freeze_and_drop() {
    let sim = server(evening(), 0).await;
    let venue = sim.venue().expect("exchange");
    let ids = tokens(&venue, |m| m.event == 2);
    let mut socket = connect(&sim).await;
    say(&mut socket, &subscription(&ids)).await;
    let mut reader = Reader::default();
    reader.frame(&next(&mut socket, SOON).await.expect("dump"));
    assert_eq!(reader.books.len(), ids.len());
    say(&mut socket, "PING").await;
    assert_eq!(next(&mut socket, SOON).await.as_deref(), Some("PONG"));
    sim.clock().advance(30_000);
    reader.frame(&next(&mut socket, SOON).await.expect("change"));
    while let Some(frame) = next(&mut socket, A_WHILE).await {
        reader.frame(&frame);
    }
    // What was pushed is what REST says.
    let client = reqwest_client();
    for (token, seen) in &reader.books {
        let url = format!("{}/book?token_id={token}", sim.exchange_urls().clob);
        let text = client.get(url).send().await.expect("answer").text().await.expect("text");
        assert_eq!(seen, &Seen::of(&serde_json::from_str(&text).expect("json")));
    }
    sim.set_fault(FaultSpec::new(FaultKind::ExchangeFreeze));
    sim.clock().advance(60_000);
    assert_eq!(next(&mut socket, A_WHILE).await, None);
    say(&mut socket, "PING").await;
    assert_eq!(next(&mut socket, SOON).await.as_deref(), Some("PONG"));
    sim.set_fault(FaultSpec::new(FaultKind::ExchangeDrop));
    assert!(matches!(tokio::time::timeout(SOON, socket.next()).await, Ok(None | Some(Err(_) | Ok(Message::Close(_))))));
    let mut again = connect(&sim).await;
    say(&mut again, &subscription(&ids)).await;
    assert!(next(&mut again, SOON).await.is_some_and(|f| f.starts_with('[')));
    sim.clear_faults();
    // One more, to see the end.
    let mut last = connect(&sim).await;
    say(&mut last, &subscription(&ids)).await;
    next(&mut last, SOON).await.expect("dump");
    sim.set_fault(FaultSpec::new(FaultKind::ExchangeRefused));
    assert!(tokio_tungstenite::connect_async(sim.exchange_urls().channel).await.is_err());
    let refused = client.get(format!("{}/", sim.exchange_urls().clob)).send().await;
    assert!(match refused {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    });
    sim.shutdown().await;
    assert!(matches!(tokio::time::timeout(SOON, last.next()).await, Ok(None | Some(Err(_) | Ok(Message::Close(_))))));
}

fn venue_stats(sim: &SimHandle) -> (u64, u64) {
    let stats = sim.venue().expect("exchange").stats();
    (stats.gamma, stats.clob)
}

fn reqwest_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().user_agent("a-test/1").build().expect("client")
}

#[tokio::test]
async fn both_sources_answer_on_one_port_and_are_steered_together() {
    let sim = server(scenario("quiet"), 0).await;
    let client = reqwest_client();
    let urls = sim.exchange_urls();
    let events = client.get(format!("{}/events?limit=3", urls.gamma)).send().await.expect("answer");
    assert_eq!(events.headers().get("cache-control").map(|v| v.as_bytes()), Some(&b"public, max-age=300"[..]));
    let nameless = reqwest::get(format!("{}/events", urls.gamma)).await.expect("answer");
    assert_eq!((nameless.status().as_u16(), nameless.text().await.expect("text").as_str()), (403, "error code: 1010"));
    let odds = format!("{}/v4/sports?apiKey=k", sim.base_url());
    assert_eq!(client.get(&odds).send().await.expect("answer").status(), 200);
    let post = |path: &str, body: &'static str| client.post(format!("{}{path}", sim.base_url())).body(body).send();
    let fault = r#"[{"kind":"exchange_rate_limited","book":"gamma"}]"#;
    assert_eq!(post("/sim/faults", fault).await.expect("answer").status(), 200);
    let refused = client.get(format!("{}/events", urls.gamma)).send().await.expect("answer");
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers().get("retry-after").map(|v| v.as_bytes()), Some(&b"10"[..]));
    assert_eq!(client.get(format!("{}/", urls.clob)).send().await.expect("answer").status(), 200);
    assert_eq!(client.get(&odds).send().await.expect("answer").status(), 200, "the books are not concerned");
    let state = client.get(format!("{}/sim/faults", sim.base_url())).send().await.expect("answer");
    assert!(state.text().await.expect("text").contains("exchange_rate_limited"));
    assert_eq!(venue_stats(&sim), (2, 1));
    assert_eq!(client.delete(format!("{}/sim/faults", sim.base_url())).send().await.expect("answer").status(), 200);
    assert_eq!(client.get(format!("{}/events", urls.gamma)).send().await.expect("answer").status(), 200);
    assert_eq!(post("/sim/load", r#"{"per_second":10,"for_s":1}"#).await.expect("answer").status(), 200);
    assert_eq!(post("/sim/load", "{}").await.expect("answer").status(), 422);
    assert_eq!(post("/gamma/events", "{}").await.expect("answer").status(), 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_comes_at_the_asked_rate() {
    let sim = server(evening(), 0).await;
    let venue = sim.venue().expect("exchange");
    let mut socket = connect(&sim).await;
    say(&mut socket, &subscription(&tokens(&venue, |m| m.event == 2))).await;
    next(&mut socket, SOON).await.expect("dump");
    sim.set_load(500, Some(Duration::from_secs(2)));
    let (mut frames, mut reader) = (0, Reader::default());
    while let Some(frame) = next(&mut socket, Duration::from_millis(700)).await {
        reader.frame(&frame);
        frames += 1;
    }
    assert!((800..=1010).contains(&frames), "{frames}");
}
