//! The server is killed in mid-COPY, and has no room left.

use std::io::Write;
use std::time::{Duration, Instant};

use stratum::engine::{Engine, EngineSettings};
use stratum::hub::error::HubError;
use stratum::hub::push::{PushError, Pusher, Step};

use crate::devices::LONG;
use crate::evening::look;
use crate::hub_pair::{DATABASE, Two, lease, open_at, runtime};
use crate::postgres::{self, Postgres, SUPERUSER};
use crate::proxy::{Link, Proxy};

/// The table of a COPY that has waited for more of its rows for a while.
const IN_MID_COPY: &str = "SELECT substring(a.query from 's_[a-z_]+') FROM pg_stat_activity a
    JOIN pg_stat_progress_copy p ON p.pid = a.pid
    WHERE a.query LIKE 'COPY pg_temp.s_%' AND a.state = 'active' AND a.wait_event = 'ClientRead'
    AND a.query_start < clock_timestamp() - interval '200 ms'";

#[test]
fn a_server_that_is_killed_in_mid_copy_has_the_run_once() {
    // What was acknowledged is there after a crash, as with every server that nobody has told otherwise.
    let Some(server) = Postgres::start_with("synchronous_commit = on") else { return };
    let proxy = Proxy::start(server.port());
    runtime().block_on(async {
        let mut two = Two::at(server).await;
        let mut engine = Engine::new(EngineSettings::default());
        lease(&mut two.owner, two.device_a, 1).await;
        let mut minute = 0;
        for bytes in [100_000, 180_000] {
            for _ in 0..40 {
                look(&mut engine, &mut two.a, minute);
                minute += 1;
            }
            proxy.set(Link::Open);
            let mut cut = open_at(&two.desk.server, "collector1", proxy.port()).await;
            proxy.set(Link::Until(bytes));
            let reader = two.a.reader().expect("reader");
            let cursor = reader.hub_cursors().expect("cursors")[0];
            let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
            let server = &two.desk.server;
            let (told, seen) = tokio::join!(pusher.step(&mut cut, &cursor, 1), async {
                let began = Instant::now();
                loop {
                    let asked = tokio::task::block_in_place(|| server.ask(SUPERUSER, DATABASE, IN_MID_COPY));
                    if !asked.is_empty() {
                        tokio::task::block_in_place(|| server.kill());
                        break asked;
                    }
                    assert!(began.elapsed() < LONG, "never a COPY that waits for its rows");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            println!("killed in mid-COPY into {seen}, after {bytes} bytes");
            assert!(matches!(told, Err(PushError::Hub(HubError::Lost { .. }))), "{told:?}");
            drop(pusher);
            tokio::task::block_in_place(|| server.restart());
            two.hub = two.desk.connect("collector1").await;
            two.owner = two.desk.connect(postgres::HOSTER).await;
            assert_eq!(two.looks_at_the_hub(), (minute - 40).to_string(), "nothing of a run that was broken off");
            assert!(two.tell_a(1).await > 0);
            assert_eq!(two.follow_b().await, 40);
            two.assert_same();
        }
        two.assert_whole().await;
    });
}

#[test]
fn a_full_disk_of_the_server_holds_up_what_is_told_and_loses_nothing() {
    let Some(server) = Postgres::start_with_a_small_disk("", 64) else { return };
    let room = server.small_disk();
    server.ask(SUPERUSER, "postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", room.display()));
    server.ask(SUPERUSER, "postgres", &format!("ALTER DATABASE {DATABASE} SET TABLESPACE small"));
    runtime().block_on(async {
        let mut two = Two::at(server).await;
        let mut engine = Engine::new(EngineSettings::default());
        (0..30).for_each(|minute| look(&mut engine, &mut two.a, minute));
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        (30..90).for_each(|minute| look(&mut engine, &mut two.a, minute));
        let filler = two.desk.server.small_disk_from_outside().join("filler");
        let mut file = std::fs::File::create(&filler).expect("made");
        let full = loop {
            if let Err(e) = file.write_all(&[0; 8192]) {
                break e;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        // First nothing can be staged; then it can be staged and not merged. On the same connection both times.
        let refused = pusher.step(&mut two.hub, &cursor, 1).await.expect_err("no room");
        assert!(matches!(&refused, PushError::Hub(e @ HubError::Full { .. }) if e.is_transient()), "{refused:?}");
        assert!(refused.to_string().contains("full"), "{refused}");
        let (mut more, mut refused) = (128 * 1024, vec![refused.to_string()]);
        let staged = loop {
            // More room each time, until all of it fits; what was broken off leaves dead rows behind.
            let left = file.metadata().expect("file").len();
            assert!(left > 0, "there is room, and it does not fit: {refused:#?}");
            file.set_len(left.saturating_sub(more)).expect("cut");
            more += more / 4;
            match pusher.step(&mut two.hub, &cursor, 1).await {
                Ok(step) => break step,
                Err(PushError::Hub(e @ HubError::Full { .. })) => refused.push(e.to_string()),
                Err(e) => panic!("{e}"),
            }
            let there = two.hub.client().query_typed_one("SELECT count(*) FROM hub.look", &[]).await.expect("answers");
            assert_eq!(there.get::<_, i64>(0), 30, "all of it or nothing");
        };
        // Tables of a session have a `t` before their number.
        let (staging, merging): (Vec<&String>, Vec<&String>) = refused.iter().partition(|e| e.contains("/t"));
        println!("refused {} times while rows were staged, {} while they were merged", staging.len(), merging.len());
        assert!(!staging.is_empty() && !merging.is_empty(), "{refused:#?}");
        let Step::Told { told, .. } = staged else { panic!("{staged:?}") };
        two.a.hub_told(&told).expect("noted");
        assert!(two.desk.server.log().contains("No space left on device"));
        std::fs::remove_file(&filler).expect("removed");
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "90");
        two.assert_whole().await;
    });
}
