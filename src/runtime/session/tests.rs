use std::path::Path;

use tokio::time::timeout;

use super::*;
use crate::feeds::odds_api::ask::{Ask, BookFilter};
use crate::feeds::sim::{Scenario, SimConfig, SimHandle, SimServer};
use crate::market::batch::Endpoint;
use crate::market::time::Timestamp;
use crate::poller::Cadence;
use crate::runtime::clock::Clock;
use crate::runtime::link::{Link, LinkEvent, LinkLoss};
use crate::runtime::pace::Pacing;
use crate::runtime::status::{MarketClock, StoreState};

const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
const LONG: Duration = Duration::from_secs(30);

async fn sim() -> SimHandle {
    let start = Timestamp::parse("2026-11-20T20:00:00Z").expect("time");
    let scenario = Scenario::load("demo").expect("scenario");
    let config = SimConfig { speed: Some(20), ..SimConfig::scenario(scenario, start) };
    SimServer::start(config).await.expect("sim")
}

fn config(home: &Path, sim: &SimHandle, key: Option<&str>) -> SessionConfig {
    SessionConfig {
        exchange: None,
        leases: None,
        hub: None,
        pipeline: PipelineConfig {
            store: home.join("stratum.db"),
            engine: EngineSettings::default(),
            retention: Retention::default(),
            keep_raw: true,
            record: Some(home.join("tape.jsonl")),
            secret: key.map(SecretString::from).into_iter().collect(),
            origin: Some("DEMO".into()),
        },
        follow: FollowConfig {
            sports: vec!["basketball_nba".into()],
            ask: Ask::new(&["h2h".into()], BookFilter::choose(&[], &["pinnacle".into()])),
            pacing: Pacing::Steady(Cadence::of(10_000)),
            clock: Clock::Sim(sim.clock()),
            needs: Vec::new(),
            watch_in_play: false,
        },
        client: ClientConfig { base_url: sim.base_url(), ..ClientConfig::default() },
        key: key.map(SecretString::from),
        check_key: true,
        attach: false,
        care: CareConfig::default(),
        alerts: None,
    }
}

async fn status(session: &Session, wanted: impl FnMut(&LiveStatus) -> bool) -> LiveStatus {
    let mut status = session.status();
    let last = session.status().borrow().clone();
    let Ok(found) = timeout(LONG, status.wait_for(wanted)).await else {
        panic!("not in time: {last:#?} and then {:#?}", session.status().borrow());
    };
    found.expect("open").clone()
}

#[tokio::test]
async fn without_a_key_nothing_is_asked_until_there_is_one() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let mut session = Session::start(config(home.path(), &sim, None)).await.expect("starts");
    session.key_checked().await.expect("nothing to refuse");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = session.status().borrow().clone();
    assert_eq!((before.key, before.following), (KeyState::Missing, Following::NoKey));
    assert!(before.questions.is_empty() && before.look.0 == 0);
    assert!(session.set_key("two words".into()).await.is_err());
    let mut link = Link::local(&session);
    assert!(matches!(link.next().await, LinkEvent::Connected(c) if c.local && c.look.0 == 0));
    assert!(matches!(link.next().await, LinkEvent::Status(_)));

    session.set_key(KEY.into()).await.expect("taken");
    session.key_checked().await.expect("accepted");
    let after = status(&session, |s| s.counted.looks >= 2 && s.key == KeyState::Accepted).await;
    assert_eq!(after.following, Following::Running);
    assert_eq!(after.origin.as_deref(), Some("DEMO"));
    let question = after.question("basketball_nba", Endpoint::Odds).expect("asked");
    assert!(question.answer.is_some() && !question.is_failing(), "{question:?}");
    assert!(matches!(after.clock, MarketClock::Anchored { speed: 20, .. }), "{:?}", after.clock);
    let heard = async {
        loop {
            if let LinkEvent::Published(p) = link.next().await {
                return p.look.0;
            }
        }
    };
    assert_eq!(timeout(LONG, heard).await.expect("in time"), 1);
    let tally = session.stop().await.expect("stops");
    assert!(u64::from(tally.taken.looks) >= after.counted.looks);
    let ended = async {
        loop {
            if let LinkEvent::Lost(loss) = link.next().await {
                return loss;
            }
        }
    };
    assert!(matches!(timeout(LONG, ended).await.expect("in time"), LinkLoss::Ended { .. }));
    let tape = std::fs::read_to_string(home.path().join("tape.jsonl")).expect("recorded");
    assert!(!tape.is_empty() && !tape.contains(KEY));
    sim.shutdown().await;
}

#[tokio::test]
async fn a_refused_key_waits_for_a_better_one_and_is_never_shown() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let fault = serde_json::json!({"kind": "invalid_key", "times": 1}).to_string();
    let url = format!("{}/sim/faults", sim.base_url());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("client");
    assert!(client.post(url).body(fault).send().await.expect("sent").status().is_success());
    let mut config = config(home.path(), &sim, Some(KEY));
    // Somebody pasted the key into the wrong field.
    config.follow.sports.push(KEY.to_lowercase());
    let mut session = Session::start(config).await.expect("starts");
    let message = session.key_checked().await.expect_err("refused");
    assert!(!message.contains(KEY));
    let refused = status(&session, |s| s.following == Following::NoKey).await;
    assert_eq!(refused.key, KeyState::Refused { message });
    assert_eq!(refused.counted.looks, 0);

    session.set_key(KEY.into()).await.expect("taken");
    let both = |s: &LiveStatus| s.counted.looks >= 1 && s.counted.failed >= 1;
    let running = status(&session, both).await;
    let text = format!("{running:?}{}", serde_json::to_string(&running).expect("JSON")).to_lowercase();
    assert!(!text.contains(&KEY.to_lowercase()), "{text}");
    assert!(running.question("***", Endpoint::Odds).is_some_and(|q| q.is_failing()), "{running:?}");
    session.stop().await.expect("stops");
    sim.shutdown().await;
}

#[tokio::test]
async fn a_refused_key_is_told_and_its_end_too_and_signals_arrive() {
    use crate::alerts::message::{Kind, Message};
    use crate::alerts::rule::Terms;
    use crate::alerts::testing::MemoryChannel;

    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let mut config = config(home.path(), &sim, Some(KEY));
    config.follow.ask = Ask::new(&["h2h".into(), "spreads".into()], BookFilter::choose(&["us".into()], &[]));
    let channel = Arc::new(MemoryChannel::new("memory", 3));
    config.alerts =
        Some(AlertsConfig::beside(&config.pipeline.store, vec![Arc::clone(&channel) as Arc<dyn Channel>], 200));
    let mut rules = desk::Desk::open(&desk::beside(&config.pipeline.store)).expect("desk");
    let kinds = vec![Kind::Signal, Kind::Health, Kind::Line];
    let wish = crate::alerts::rule::Wish {
        market: "h2h".into(),
        selection: "home".into(),
        line: None,
        price: "1.01".into(),
        exact: false,
    };
    let terms = Terms { kinds, channels: vec!["memory".into()], line: Some(wish), ..Terms::default() };
    rules.add_alert_rule("all", true, &terms.to_json().expect("JSON")).expect("added");
    // The fault is armed through the session's own client, so that no other is needed.
    let fault = serde_json::json!({"kind": "invalid_key", "times": 1}).to_string();
    let mut session = Session::start(SessionConfig { key: None, ..config }).await.expect("starts");
    let address = sim.base_url().trim_start_matches("http://").to_owned();
    let armed = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut socket = std::net::TcpStream::connect(address).expect("connects");
        let length = fault.len();
        write!(
            socket,
            "POST /sim/faults HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{fault}"
        )
        .expect("sends");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
    armed.await.expect("armed");
    session.set_key(KEY.into()).await.expect("taken");
    let told = |wanted: &'static str| {
        let channel = Arc::clone(&channel);
        async move {
            loop {
                let found = channel.tried().concat().into_iter().find(|m: &Message| m.title.contains(wanted));
                if let Some(found) = found {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let refused = timeout(LONG, told("the key is refused")).await.expect("in time");
    assert_eq!((refused.kind, refused.origin.as_deref()), (Kind::Health, Some("DEMO")));
    assert!(!format!("{refused:?}").contains(KEY));
    session.set_key(KEY.into()).await.expect("taken");
    timeout(LONG, told("Over: the key is refused")).await.expect("in time");
    let line = timeout(LONG, told(" at ")).await.expect("in time");
    assert!(line.key.ends_with(":memory"), "{line:?}");
    session.stop().await.expect("stops");
    let keys: Vec<String> = channel.tried().concat().into_iter().map(|m| m.key).collect();
    let unique: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert_eq!(unique.len(), keys.len(), "everything once");
    sim.shutdown().await;
}

#[tokio::test]
async fn a_store_that_fails_ends_the_session_with_its_error() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let mut config = config(home.path(), &sim, Some(KEY));
    config.pipeline.record = None;
    let session = Session::start(config).await.expect("starts");
    status(&session, |s| s.counted.looks >= 1).await;
    let other = rusqlite::Connection::open(home.path().join("stratum.db")).expect("opens");
    other.busy_timeout(Duration::from_secs(10)).expect("set");
    other.execute_batch("DROP TABLE fetch_log").expect("dropped");
    timeout(LONG, session.ended().cancelled()).await.expect("ends by itself");
    let complaint = session.status().borrow().complaint.clone().expect("says why");
    assert_eq!(complaint.part, Part::Store);
    let error = session.stop().await.expect_err("typed");
    assert!(matches!(error, PipelineError::Store(_)), "{error}");
    sim.shutdown().await;
}

fn count(home: &Path, sql: &str) -> i64 {
    let c = rusqlite::Connection::open(home.join("stratum.db")).expect("opens");
    c.query_row(sql, [], |r| r.get(0)).expect("count")
}

#[tokio::test]
async fn a_store_that_is_held_is_waited_for_and_nothing_paid_is_lost() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let session = Session::start(config(home.path(), &sim, Some(KEY))).await.expect("starts");
    status(&session, |s| s.counted.looks >= 1).await;
    let other = rusqlite::Connection::open(home.path().join("stratum.db")).expect("opens");
    other.busy_timeout(Duration::from_secs(10)).expect("set");
    let failing = |s: &LiveStatus| matches!(s.store, StoreState::Failing { .. });
    let ill = loop {
        other.execute_batch("BEGIN IMMEDIATE").expect("held");
        let ill = status(&session, failing).await;
        let StoreState::Failing { .. } = ill.store else { panic!("{ill:?}") };
        tokio::time::sleep(Duration::from_millis(200)).await;
        let ill = session.status().borrow().clone();
        if matches!(ill.store, StoreState::Failing { waiting: 1.., .. }) {
            break ill;
        }
        // It met a row of the log instead of an answer; once more.
        other.execute_batch("ROLLBACK").expect("let go");
        status(&session, |s| !failing(s)).await;
    };
    let StoreState::Failing { trouble, message, .. } = &ill.store else { panic!("{ill:?}") };
    assert_eq!(*trouble, crate::store::Trouble::Busy);
    assert!(message.contains("another program holds the store"), "{message}");
    assert!(!crate::runtime::health::is_ready(&ill, crate::runtime::keeper::local_now()));
    let asked = sim.stats().requests;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(sim.stats().requests, asked, "nothing is asked meanwhile");
    other.execute_batch("ROLLBACK").expect("let go");
    let well = status(&session, |s| s.store == StoreState::Writable).await;
    status(&session, |s| s.counted.looks >= well.counted.looks + 2).await;
    session.stop().await.expect("stops");
    // The answer that had to wait is a look like every other.
    let late = "SELECT count(*) FROM cycle WHERE degraded = 'store' AND look IS NOT NULL AND outcome = 'data'";
    assert_eq!(count(home.path(), late), 1);
    assert_eq!(
        count(home.path(), "SELECT count(*) FROM look"),
        count(home.path(), "SELECT count(*) FROM cycle WHERE look IS NOT NULL")
    );
    assert_eq!(count(home.path(), "SELECT count(*) FROM cycle WHERE commit_us = 0"), 0);
    sim.shutdown().await;
}

#[tokio::test]
async fn an_unexpected_end_of_judging_costs_one_answer() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let session = Session::start(config(home.path(), &sim, Some(KEY))).await.expect("starts");
    status(&session, |s| s.counted.looks >= 1).await;
    session.way_in.panic_next().await.expect("asked");
    let after = status(&session, |s| s.counted.failed >= 1).await;
    let reasons: Vec<_> = after.questions.iter().filter_map(|q| Some(q.failure.as_ref()?.reason.as_str())).collect();
    assert_eq!(reasons, ["panic"]);
    status(&session, |s| s.counted.looks > after.counted.looks).await;
    session.stop().await.expect("stops");
    assert_eq!(count(home.path(), "SELECT count(*) FROM cycle WHERE degraded = 'panic'"), 1);
    sim.shutdown().await;
}

#[tokio::test]
async fn other_settings_are_put_into_force_while_it_runs() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let first = config(home.path(), &sim, Some(KEY));
    let (client, clock) = (first.client.clone(), first.follow.clock.clone());
    let mut session = Session::start(first).await.expect("starts");
    status(&session, |s| s.counted.looks >= 1).await;
    let live = |client: ClientConfig, sports: &[&str]| LiveConfig {
        client,
        follow: FollowConfig {
            sports: sports.iter().map(|s| (*s).to_owned()).collect(),
            ask: Ask::new(&["h2h".into()], BookFilter::choose(&[], &["pinnacle".into()])),
            pacing: Pacing::Steady(Cadence::of(10_000)),
            clock: clock.clone(),
            needs: Vec::new(),
            watch_in_play: false,
        },
        engine: EngineSettings { max_age_ms: 1234, ..EngineSettings::default() },
        retention: Retention::default(),
        key: None,
        exchange: None,
    };
    session.apply(live(client.clone(), &["icehockey_nhl"])).await.expect("taken");
    let other = status(&session, |s| s.question("icehockey_nhl", Endpoint::Odds).is_some_and(|q| q.answer.is_some()));
    let other = other.await;
    assert!(other.question("basketball_nba", Endpoint::Odds).is_none(), "{other:?}");
    // An address that cannot be used changes nothing.
    let odd = ClientConfig { base_url: "http://example.com".into(), ..client };
    assert!(session.apply(live(odd, &["baseball_mlb"])).await.is_err());
    let looks = other.counted.looks;
    let same = status(&session, |s| s.counted.looks > looks).await;
    assert!(same.question("baseball_mlb", Endpoint::Odds).is_none());
    session.stop().await.expect("stops");
    assert_eq!(count(home.path(), "SELECT count(*) FROM analysis_setting"), 2, "the new rules are noted");
    sim.shutdown().await;
}

#[tokio::test]
async fn a_store_that_is_held_by_a_daemon_is_a_typed_error() {
    let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
    let _held = crate::store::Store::open(&home.path().join("stratum.db")).expect("store");
    let error = Session::start(config(home.path(), &sim, None)).await.expect_err("held");
    let locked =
        matches!(&error, SessionError::Pipeline(PipelineError::Store(crate::store::StoreError::Locked { .. })));
    assert!(locked, "{error}");
    sim.shutdown().await;
}
