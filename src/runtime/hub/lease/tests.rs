//! A session that has to ask who polls, with a hub that says what the test wants.

use std::path::Path;

use secrecy::SecretString;

use super::*;
use crate::engine::EngineSettings;
use crate::feeds::odds_api::ask::{Ask, BookFilter};
use crate::feeds::odds_api::client::ClientConfig;
use crate::feeds::secret::ApiKey;
use crate::feeds::sim::{Scenario, SimConfig, SimHandle, SimServer};
use crate::hub::HubError;
use crate::hub::lease::{Answer, Granted};
use crate::market::time::Timestamp;
use crate::poller::Cadence;
use crate::poller::calendar::Day;
use crate::poller::rules::PlanRules;
use crate::runtime::clock::Clock;
use crate::runtime::follow::FollowConfig;
use crate::runtime::pace::Pacing;
use crate::runtime::pipeline::PipelineConfig;
use crate::runtime::session::{CareConfig, Session, SessionConfig};
use crate::runtime::status::LiveStatus;
use crate::store::Retention;
use crate::store::credit_elsewhere::ElsewhereRow;

const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
const NBA: &str = "basketball_nba";
const LONG: Duration = Duration::from_secs(60);

/// A hub of the test.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// Who holds everything; `None`: whoever asks.
    holder: Option<String>,
    others: bool,
    down: bool,
    heard: Heard,
    asked: BTreeSet<String>,
    released: BTreeSet<String>,
    told: Vec<CreditRow>,
}

impl Fake {
    fn with<T>(&self, f: impl FnOnce(&mut Said) -> T) -> T {
        f(&mut locked(&self.0))
    }
}

fn away() -> HubError {
    HubError::Unreachable { place: "127.0.0.1:1/desk as c".into(), why: "the test says so".into() }
}

impl Referee for Fake {
    async fn take(&mut self, names: &[String], ttl: Duration) -> Result<Answer, HubError> {
        self.with(|s| {
            if s.down {
                return Err(away());
            }
            s.asked.extend(names.iter().cloned());
            let grant = |name: &String| Granted {
                name: name.clone(),
                token: 1,
                mine: s.holder.is_none(),
                holder: s.holder.clone(),
                left: ttl,
            };
            Ok(Answer { leases: names.iter().map(grant).collect(), others: s.others })
        })
    }

    async fn release(&mut self, names: &[String]) -> Result<(), HubError> {
        self.with(|s| s.released.extend(names.iter().cloned()));
        Ok(())
    }

    async fn credits(
        &mut self,
        (spent, _): (&[CreditRow], &[AccountRow]),
        keys: &[String],
        _: i64,
    ) -> Result<Heard, HubError> {
        self.with(|s| {
            if s.down {
                return Err(away());
            }
            if !spent.is_empty() {
                s.told = spent.to_vec();
            }
            let mine = |key: &String| keys.contains(key);
            let mut heard = s.heard.clone();
            heard.spent.retain(|row| mine(&row.credit.key));
            heard.accounts.retain(|row| mine(&row.key));
            Ok(heard)
        })
    }

    fn hang_up(&mut self) {}
}

fn quick() -> Timing {
    Timing {
        ttl: Duration::from_secs(2),
        every: Duration::from_millis(100),
        margin: Duration::from_millis(100),
        again: Duration::from_millis(50),
        patience: Duration::from_secs(1),
    }
}

async fn sim() -> SimHandle {
    let start = Timestamp::parse("2026-11-20T20:00:00Z").expect("time");
    let config = SimConfig { speed: Some(20), ..SimConfig::scenario(Scenario::load("demo").expect("scenario"), start) };
    SimServer::start(config).await.expect("sim")
}

fn config(home: &Path, sim: &SimHandle, pacing: Pacing, leasing: Leasing) -> SessionConfig {
    let clock = if matches!(pacing, Pacing::Steady(_)) { Clock::Sim(sim.clock()) } else { Clock::Local };
    SessionConfig {
        hub: None,
        exchange: None,
        leases: Some(leasing),
        pipeline: PipelineConfig {
            store: home.join("stratum.db"),
            engine: EngineSettings::default(),
            retention: Retention::default(),
            keep_raw: false,
            record: None,
            secret: vec![SecretString::from(KEY)],
            origin: None,
        },
        follow: FollowConfig {
            sports: vec![NBA.into()],
            ask: Ask::new(&["h2h".into()], BookFilter::choose(&[], &["pinnacle".into()])),
            pacing,
            clock,
            needs: Vec::new(),
            watch_in_play: false,
        },
        client: ClientConfig { base_url: sim.base_url(), ..ClientConfig::default() },
        key: Some(KEY.into()),
        check_key: true,
        attach: false,
        care: CareConfig::default(),
        alerts: None,
    }
}

fn leasing(home: &Path, fake: &Fake, alone: Alone) -> Leasing {
    Leasing::start(Leases::new(quick(), alone, None), fake.clone(), OwnLedger(home.join("stratum.db")))
}

async fn wait_for(session: &Session, what: &str, wanted: impl FnMut(&LiveStatus) -> bool) -> LiveStatus {
    let mut status = session.status();
    let Ok(found) = timeout(LONG, status.wait_for(wanted)).await else {
        panic!("{what}: not in time: {:#?}", session.status().borrow());
    };
    found.expect("open").clone()
}

fn stands(status: &LiveStatus) -> Option<(Stands, Option<&str>)> {
    status.leases.first().map(|l| (l.stands, l.holder.as_deref()))
}

#[tokio::test]
async fn what_another_device_polls_is_left_alone_until_it_is_ours() {
    let (home, sim, fake) = (tempfile::tempdir().expect("folder"), sim().await, Fake::default());
    fake.with(|s| s.holder = Some("desk-2".into()));
    let pacing = Pacing::Steady(Cadence::of(5_000));
    let session = Session::start(config(home.path(), &sim, pacing, leasing(home.path(), &fake, Alone::Wait)));
    let session = session.await.expect("starts");
    let status = wait_for(&session, "told", |s| stands(s) == Some((Stands::Other, Some("desk-2")))).await;
    assert_eq!(status.leases[0].words(), "desk-2 polls");
    // Its beat is a quarter of a second; nothing is asked, nothing is due, and nothing is wrong with that.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let status = session.status().borrow().clone();
    assert_eq!((status.counted.looks, status.next_due()), (0, None));
    assert!(crate::runtime::health::is_ready(&status, local_now()), "{status:#?}");
    // It falls to us.
    fake.with(|s| s.holder = None);
    let status = wait_for(&session, "polls", |s| s.counted.looks >= 2).await;
    assert_eq!(stands(&status), Some((Stands::Held, None)));
    // And to another.
    fake.with(|s| s.holder = Some("desk-3".into()));
    let status = wait_for(&session, "stops", |s| stands(s) == Some((Stands::Other, Some("desk-3")))).await;
    let looks = status.counted.looks;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(session.status().borrow().counted.looks <= looks + 1, "one was under way");
    assert_eq!(fake.with(|s| s.asked.clone()), BTreeSet::from([NBA.to_owned()]));
    session.stop().await.expect("stops");
    assert_eq!(fake.with(|s| s.released.clone()), BTreeSet::from([NBA.to_owned()]));
    sim.shutdown().await;
}

#[tokio::test]
async fn a_hub_that_is_away_ends_the_polling_unless_it_is_to_go_on() {
    for (alone, goes_on) in [(Alone::Wait, false), (Alone::Auto, true)] {
        let (home, sim, fake) = (tempfile::tempdir().expect("folder"), sim().await, Fake::default());
        let pacing = Pacing::Steady(Cadence::of(5_000));
        let session = Session::start(config(home.path(), &sim, pacing, leasing(home.path(), &fake, alone)));
        let session = session.await.expect("starts");
        wait_for(&session, "polls", |s| s.counted.looks >= 1).await;
        fake.with(|s| s.down = true);
        let status = wait_for(&session, "silent", |s| s.hub_silent.is_some()).await;
        assert!(status.hub_silent.is_some_and(|why| why.contains("the test says so")));
        if goes_on {
            tokio::time::sleep(Duration::from_secs(3)).await;
            let looks = session.status().borrow().counted.looks;
            let status = wait_for(&session, "goes on", |s| s.counted.looks > looks + 2).await;
            assert_eq!(stands(&status), Some((Stands::Alone, None)));
        } else {
            let status = wait_for(&session, "waits", |s| stands(s) == Some((Stands::Waits, None))).await;
            let looks = status.counted.looks;
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            let status = session.status().borrow().clone();
            assert!(status.counted.looks <= looks + 1);
            let wrong = crate::runtime::health::ailments(&status, local_now());
            assert!(wrong.iter().any(|a| a.part == "hub" && a.blocks), "{wrong:?}");
            fake.with(|s| s.down = false);
            wait_for(&session, "polls again", |s| s.counted.looks > looks + 1 && s.hub_silent.is_none()).await;
        }
        session.stop().await.expect("stops");
        // Whether others were there is known after a restart.
        let reader = Reader::open(&home.path().join("stratum.db")).expect("reader");
        assert_eq!(reader.other_collectors().expect("read"), Some(false));
        sim.shutdown().await;
    }
}

#[tokio::test]
async fn what_the_desk_has_spent_counts_in_the_plan_and_what_we_spend_is_told() {
    let (home, sim, fake) = (tempfile::tempdir().expect("folder"), sim().await, Fake::default());
    let (now, key) = (local_now(), ApiKey::parse(KEY).expect("key").fingerprint());
    let row = |key: &str, credits| ElsewhereRow {
        device: 2,
        credit: CreditRow {
            key: key.to_owned(),
            month: Month::of(now).0,
            day: Day::of(now).0,
            purpose: "live".into(),
            calls: 70,
            credits,
        },
    };
    fake.with(|s| {
        s.holder = Some("desk-2".into());
        let account = AccountRow {
            key: key.clone(),
            month: Month::of(now).0,
            remaining: Some(19_790),
            used: Some(210),
            limit: Some(20_000),
            told_at: Some(now),
            elsewhere: 0,
        };
        s.heard = Heard { spent: vec![row(&key, 210), row("another", 999)], accounts: vec![account] };
    });
    let pacing = Pacing::Planned(PlanRules::default());
    let session = Session::start(config(home.path(), &sim, pacing, leasing(home.path(), &fake, Alone::Wait)));
    let session = session.await.expect("starts");
    // Known before the first call of our own, and nothing is planned for a sport that is another's.
    let plan =
        wait_for(&session, "heard", |s| s.plan.as_ref().is_some_and(|p| p.desk == 210)).await.plan.expect("plan");
    assert_eq!((plan.remaining, plan.day_spent, plan.day_desk, plan.elsewhere), (Some(19_790), 210, 210, 0));
    assert_eq!((plan.calls, plan.sports.len()), (0, 0));
    // It falls to us: what we spend is told to the hub.
    fake.with(|s| s.holder = None);
    wait_for(&session, "polls", |s| s.counted.looks >= 1 && s.plan.as_ref().is_some_and(|p| p.sports.len() == 1)).await;
    session.stop().await.expect("stops");
    let reader = Reader::open(&home.path().join("stratum.db")).expect("reader");
    assert_eq!(reader.credits_elsewhere(0).expect("rows"), [row(&key, 210)]);
    let own = reader.credits(0).expect("rows");
    assert!(!own.is_empty());
    assert_eq!(fake.with(|s| s.told.clone()), own);
    sim.shutdown().await;
}
