//! The simulator over real HTTP on loopback.

use super::*;

async fn server(name: &str) -> SimHandle {
    let config = SimConfig { speed: Some(0), ..SimConfig::scenario(scenario(name), start()) };
    SimServer::start(config).await.expect("starts")
}

fn client() -> reqwest::Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn url(sim: &SimHandle, rest: &str) -> String {
    format!("{}{rest}", sim.base_url())
}

const ODDS: &str = "/v4/sports/basketball_nba/odds/?apiKey=k&regions=us,eu&markets=h2h,spreads,totals";

#[tokio::test]
async fn odds_come_with_headers_and_compressed() {
    let sim = server("quiet").await;
    let r = client().get(url(&sim, ODDS)).send().await.expect("answer");
    assert_eq!(r.status(), 200);
    let header = |n: &str| r.headers().get(n).and_then(|v| v.to_str().ok()).map(str::to_owned);
    assert_eq!(header("x-requests-last").as_deref(), Some("6"));
    assert_eq!(header("x-requests-used").as_deref(), Some("6"));
    assert_eq!(header("x-requests-remaining").as_deref(), Some("99994"));
    let body = r.bytes().await.expect("body");
    let mut world = World::new(&scenario("quiet"), start());
    let v: Value = serde_json::from_slice(&body).expect("json");
    let direct: Value = serde_json::from_slice(&world.odds_body(start(), &OddsQuery::everything(NBA))).expect("json");
    assert_eq!(v, direct);
    let bare = reqwest::Client::builder().no_gzip().build().expect("client");
    let raw = bare.get(url(&sim, ODDS)).header("accept-encoding", "br, gzip").send().await.expect("answer");
    assert_eq!(raw.headers().get("content-encoding").map(|v| v.as_bytes()), Some(&b"gzip"[..]));
    assert_eq!(sim.stats().requests, 2);
    assert_eq!(sim.stats().credits_used, 12);
    sim.shutdown().await;
}

#[tokio::test]
async fn delivery_faults_reach_the_client() {
    let sim = server("quiet").await;
    let once = |kind| FaultSpec { times: Some(1), ..FaultSpec::new(kind) };
    let get = || async { client().get(url(&sim, ODDS)).send().await.expect("answer") };
    for (kind, status, code) in [
        (FaultKind::RateLimited, 429, "EXCEEDED_FREQ_LIMIT"),
        (FaultKind::QuotaExhausted, 401, "OUT_OF_USAGE_CREDITS"),
        (FaultKind::InvalidKey, 401, "INVALID_KEY"),
    ] {
        sim.set_fault(once(kind));
        let r = get().await;
        assert_eq!(r.status(), status);
        assert!(r.text().await.expect("body").contains(code));
    }
    sim.set_fault(once(FaultKind::ServerError));
    let r = get().await;
    assert_eq!(r.status(), 500);
    assert!(r.text().await.expect("body").starts_with("<html>"));
    sim.set_fault(once(FaultKind::TruncatedJson));
    let text = get().await.text().await.expect("body");
    assert!(serde_json::from_str::<Value>(&text).is_err());
    sim.set_fault(once(FaultKind::ConnectionCut));
    assert!(get().await.bytes().await.is_err());
    sim.set_fault(once(FaultKind::NoQuotaHeaders));
    assert!(get().await.headers().get("x-requests-last").is_none());
    assert_eq!(get().await.status(), 200);
}

#[tokio::test]
async fn faults_and_time_are_steered_by_http() {
    let sim = server("quiet").await;
    let post = |path: &str, body: &'static str| client().post(url(&sim, path)).body(body).send();
    let r = post("/sim/faults", r#"{"kind":"rate_limited","for_s":30}"#).await.expect("answer");
    assert_eq!(r.status(), 200);
    assert_eq!(client().get(url(&sim, ODDS)).send().await.expect("answer").status(), 429);
    let r = post("/sim/clock", r#"{"advance_s":31}"#).await.expect("answer");
    assert_eq!(r.status(), 200);
    assert_eq!(sim.clock().now(), after(31));
    assert_eq!(client().get(url(&sim, ODDS)).send().await.expect("answer").status(), 200);
    for bad in ["nonsense", r#"{"kind":"gremlins"}"#, r#"{"kind":"new_id","probability":2}"#] {
        assert_eq!(post("/sim/faults", bad).await.expect("answer").status(), 422, "{bad}");
    }
    assert_eq!(post("/sim/clock", "{}").await.expect("answer").status(), 422);
    let state = client().get(url(&sim, "/sim/state")).send().await.expect("answer").text().await.expect("text");
    assert!(state.contains("\"requests\":2"), "{state}");
    assert_eq!(client().delete(url(&sim, "/sim/faults")).send().await.expect("answer").status(), 200);
    assert_eq!(client().post(url(&sim, ODDS)).send().await.expect("answer").status(), 405);
}

#[tokio::test]
async fn a_recording_is_played_at_virtual_time() {
    let frame = |s, body: &str| Frame { captured_at: after(s), sport: NBA.into(), body: body.into() };
    let frames = vec![frame(0, r#"[{"id":"a","bookmakers":[]}]"#), frame(60, r#"[{"id":"b","bookmakers":[]}]"#)];
    let config = SimConfig {
        content: SimContent::Recording {
            frames: Box::new(frames.into_iter()),
            format: crate::market::price::OddsFormat::American,
            credits: 100,
        },
        start: after(-1),
        speed: Some(0),
        port: 0,
        api_key: None,
        since: None,
    };
    let sim = SimServer::start(config).await.expect("starts");
    let get = || async {
        let r = client().get(url(&sim, &format!("{ODDS}&oddsFormat=american"))).send().await.expect("answer");
        r.text().await.expect("text")
    };
    assert_eq!(get().await, "[]");
    sim.clock().advance(1000);
    assert!(get().await.contains("\"a\""));
    sim.clock().advance(60_000);
    assert!(get().await.contains("\"b\""));
    assert_eq!(sim.stats().credits_used, 12);
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_so() {
    let sim = server("quiet").await;
    let config = SimConfig { port: sim.address().port(), ..SimConfig::scenario(scenario("quiet"), start()) };
    let err = SimServer::start(config).await.err().expect("taken").to_string();
    assert!(err.contains("choose another port"), "{err}");
}

#[tokio::test]
async fn a_clock_that_starts_within_a_second_is_not_set_back_and_games_keep_whole_seconds() {
    let at = start().plus(750);
    let config = SimConfig { speed: Some(0), ..SimConfig::scenario(scenario("quiet"), at) };
    let sim = SimServer::start(config).await.expect("starts");
    assert_eq!(sim.clock().now(), at, "stamps would look late by what is cut off");
    let body = client().get(url(&sim, ODDS)).send().await.expect("answer").text().await.expect("body");
    let events: Value = serde_json::from_str(&body).expect("json");
    let mut world = World::new(&scenario("quiet"), start());
    let direct: Value = serde_json::from_slice(&world.odds_body(at, &OddsQuery::everything(NBA))).expect("json");
    assert_eq!(events, direct, "the market is that of the whole second");
    sim.shutdown().await;
}
