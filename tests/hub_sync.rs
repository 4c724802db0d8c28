//! Two stores and a hub: what one tells the other takes in, whole and once, through a real PostgreSQL.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/hub_pair.rs"]
mod hub_pair;
#[path = "common/postgres.rs"]
mod postgres;

use std::path::Path;

use hub_pair::{SPORT, Two, at, engine_of, follow, lease, look, runtime, tell, told};
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::Tier;
use stratum::hub::error::HubError;
use stratum::hub::link;
use stratum::hub::pull::View;
use stratum::hub::push::{PushError, Pusher, Step};
use stratum::market::time::Timestamp;
use stratum::store::Store;
use uuid::Uuid;

#[test]
fn what_one_tells_another_takes_in() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 7).await;
        assert!(two.tell_a(7).await > 0);
        assert_eq!(two.tell_a(7).await, 0, "nothing twice");
        assert_eq!(two.follow_b().await, 20);
        // One by one, as it happens live; games end and are let go of.
        for minute in 20..140 {
            look(&mut engine, &mut two.a, minute);
            if minute % 7 == 0 || minute > 130 {
                two.tell_a(7).await;
                two.follow_b().await;
            }
        }
        two.tell_a(7).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "140");
        // What was pulled is what would have been judged here.
        drop(two.b);
        let checked = assert_cmd::Command::new(env!("CARGO_BIN_EXE_stratum"))
            .arg("--data-dir")
            .arg(two.home.path().join("b"))
            .args(["replay", "--check"])
            .env("HOME", two.home.path())
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    });
}

#[test]
fn an_answer_that_was_lost_is_found_and_nothing_is_told_twice() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..30 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        // Taken there; here the power goes before it is noted.
        assert!(matches!(pusher.step(&mut two.hub, &cursor, 1).await.expect("a step"), Step::Told { .. }));
        drop(pusher);
        for minute in 30..40 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        assert_eq!(two.looks_at_the_hub(), "40");
        two.assert_same();
    });
}

#[test]
fn looks_that_come_late_take_their_place_everywhere() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in (0..60).filter(|m| m % 11 != 5) {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        let settings = EngineSettings::default();
        let rewound = two.a.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(26)), &settings).map(drop)
        });
        rewound.expect("rewound");
        let mut engine = engine_of(&two.a);
        for minute in 27..60 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(
            two.looks_at_the_hub(),
            told(two.a.path()).iter().filter(|l| l.starts_with("Text(\"look\")")).count().to_string()
        );
    });
}

#[test]
fn whoever_returns_late_is_refused_and_gives_way() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        // Cut off, the first one goes on; the second one takes over.
        for minute in 20..25 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_b, 2).await;
        let mut engine_b = engine_of(&two.b);
        for minute in 25..50 {
            look(&mut engine_b, &mut two.b, minute);
        }
        tell(&mut two.hub, &mut two.b, two.device_b, 2).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        let refused = pusher.step(&mut two.hub, &cursor, 1).await.expect_err("refused");
        assert!(matches!(refused, PushError::Hub(HubError::Fenced { .. })), "{refused:?}");
        // Even with a lease of its own again it may not put what is old behind what is new.
        lease(&mut two.owner, two.device_a, 3).await;
        assert_eq!(pusher.step(&mut two.hub, &cursor, 3).await.expect("a step"), Step::Overtaken);
        drop(pusher);
        assert_eq!(follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await, 25);
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "45");
        // And it goes on from there.
        let mut engine = engine_of(&two.a);
        for minute in 50..70 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(3).await;
        two.follow_b().await;
        two.assert_same();
    });
}

#[test]
fn a_free_login_follows_what_it_may_see() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..60 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        let mut free = two.desk.connect("free1").await;
        let joined = link::join(&mut free, Uuid::new_v4(), "guest", false).await.expect("joined");
        assert_eq!((joined.tier, joined.number, joined.newest_look), (Tier::Free, 0, 0), "nothing is old enough");
        let mut c = Store::open(&two.home.path().join("c.db")).expect("store");
        c.hub_join(&joined.link(Uuid::new_v4(), 0, Timestamp::from_millis(0))).expect("linked");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 0);
        two.owner
            .client()
            .batch_execute(
                "SET ROLE stratum_owner; UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'; RESET ROLE",
            )
            .await
            .expect("without a delay");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 60);
        let part = |path: &Path, kind: &str| -> Vec<String> {
            told(path).into_iter().filter(|l| l.contains(&format!("Text(\"{kind}\")"))).collect()
        };
        for kind in ["quote", "change", "point", "event", "keyframe"] {
            assert_eq!(part(two.a.path(), kind), part(c.path(), kind), "{kind}");
        }
        for kind in ["opportunity", "issue"] {
            assert!(part(c.path(), kind).is_empty(), "{kind}");
        }
        let reader = c.reader().expect("reader");
        let signals = reader.signals(&Default::default()).expect("signals");
        assert!(!signals.is_empty());
        for s in &signals {
            assert!(s.entry.is_none() && s.evidence.is_empty() && s.detail.labels == ["withheld"], "{s:?}");
        }
    });
}
