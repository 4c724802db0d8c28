//! The network fails at the worst moments: between a merge and its commit, and between a commit and its answer.

use std::time::{Duration, Instant};

use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::Connection;
use stratum::hub::pull::View;
use stratum::hub::push::{Pusher, Step};
use tokio_postgres::types::Type;

use crate::IN_TIME;
use crate::evening::{SPORT, at, look, look_at};
use crate::hub_pair::{DATABASE, Two, engine_of, follow, lease, open_at, runtime, tell};
use crate::postgres::{Postgres, SUPERUSER};
use crate::proxy::{Link, Proxy};

/// Asks for the lease as a process of a device does; answers the token, if it has it now.
async fn take(hub: &mut Connection, device: i32, run: i64) -> Option<i64> {
    let sql = "SELECT token, mine FROM hub.lease_take($1, $2, $3, 10000)";
    let names = vec![SPORT];
    let rows = hub
        .client()
        .query_typed(sql, &[(&device, Type::INT4), (&run, Type::INT8), (&names, Type::TEXT_ARRAY)])
        .await
        .expect("answers");
    rows.first().filter(|r| r.get(1)).map(|r| r.get(0))
}

#[test]
fn a_writer_that_is_cut_off_before_its_commit_holds_nobody_up() {
    let Some(server) = Postgres::start() else { return };
    let proxy = Proxy::start(server.port());
    runtime().block_on(async {
        let mut two = Two::at(server).await;
        let mut engine = Engine::new(EngineSettings::default());
        (0..20).for_each(|minute| look(&mut engine, &mut two.a, minute));
        let token = take(&mut two.hub, two.device_a, 7).await.expect("the lease");
        two.tell_a(token).await;
        two.follow_b().await;
        (20..25).for_each(|minute| look(&mut engine, &mut two.a, minute));

        // Somebody else is merging, so that the merge waits where we can see it.
        let other = two.owner.client();
        other.batch_execute("SET ROLE stratum_owner; BEGIN; SELECT FROM hub.head FOR UPDATE").await.expect("a lock");
        let mut cut = open_at(&two.desk.server, "collector1", proxy.port()).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        let scenario = async {
            let waits =
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%hub.merge%' AND wait_event_type = 'Lock'
                         AND pid <> pg_backend_pid()";
            let server = &two.desk.server;
            let asked = |sql: &str| tokio::task::block_in_place(|| server.ask(SUPERUSER, DATABASE, sql));
            while asked(waits) != "1" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // While it writes the holder keeps its lease.
            let began = Instant::now();
            assert_eq!(take(&mut two.hub, two.device_a, 7).await, Some(token));
            assert!(began.elapsed() < Duration::from_secs(2), "renewing waited for the merge: {:?}", began.elapsed());

            // Here the cable is pulled: the merge is done, and its answer does not arrive.
            proxy.set(Link::Silent);
            let at = Instant::now();
            two.owner.client().batch_execute("COMMIT; RESET ROLE").await.expect("let go");
            let stuck = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%hub.merge%'
                         AND state = 'idle in transaction'";
            while asked(stuck) != "1" {
                assert!(at.elapsed() < Duration::from_secs(5), "the merge was done");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let next = loop {
                if let Some(token) = take(&mut two.hub, two.device_b, 8).await {
                    break token;
                }
                assert!(at.elapsed() < IN_TIME, "nobody has the lease after {:?}", at.elapsed());
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            let polls = at.elapsed();
            let mut engine_b = engine_of(&two.b);
            (25..40).for_each(|minute| look(&mut engine_b, &mut two.b, minute));
            tell(&mut two.hub, &mut two.b, two.device_b, next).await;
            println!("another one has the lease after {polls:?}, and has told after {:?}", at.elapsed());
            assert!(at.elapsed() < IN_TIME);
            assert!(next > token && two.looks_at_the_hub() == "35");
        };
        // Whoever waits for the answer waits longer than all that takes.
        tokio::select! {
            written = pusher.step(&mut cut, &cursor, token) => panic!("an answer: {written:?}"),
            () = scenario => {}
        }
        drop((pusher, cut));
        assert_eq!(follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await, 15);
        two.assert_same();
        two.assert_whole().await;
    });
}

/// The hub has taken a run whose answer was lost; before its device came back another one went on.
#[test]
fn what_the_hub_took_without_our_hearing_of_it_is_not_given_up() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        (0..20).for_each(|minute| look(&mut engine, &mut two.a, minute));
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        (20..25).for_each(|minute| look(&mut engine, &mut two.a, minute));
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        let told = pusher.step(&mut two.hub, &cursor, 1).await.expect("a step");
        assert!(matches!(told, Step::Told { .. }));
        drop(pusher);
        // These it has not even tried to tell.
        (25..28).for_each(|minute| look(&mut engine, &mut two.a, minute));
        two.follow_b().await;
        lease(&mut two.owner, two.device_b, 2).await;
        let mut engine_b = engine_of(&two.b);
        (28..40).for_each(|minute| look(&mut engine_b, &mut two.b, minute));
        tell(&mut two.hub, &mut two.b, two.device_b, 2).await;
        follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await;
        assert_eq!(two.looks_at_the_hub(), "37");
        two.assert_same();
        two.assert_whole().await;
        // It goes on from there, when its turn has come again.
        lease(&mut two.owner, two.device_a, 3).await;
        let mut engine = engine_of(&two.a);
        (40..50).for_each(|minute| look(&mut engine, &mut two.a, minute));
        two.tell_a(3).await;
        two.follow_b().await;
        two.assert_same();
        two.assert_whole().await;
    });
}

/// What was told and what was not bear one instant.
#[test]
fn looks_of_one_instant_are_given_up_without_those_that_were_told() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        (0..20).for_each(|minute| look(&mut engine, &mut two.a, minute));
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        lease(&mut two.owner, two.device_b, 2).await;
        let mut engine_b = engine_of(&two.b);
        (20..24).for_each(|_| look_at(&mut engine_b, &mut two.b, 19, at(19)));
        tell(&mut two.hub, &mut two.b, two.device_b, 2).await;
        follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await;
        // Of these the hub hears nothing before another one goes on.
        (24..27).for_each(|_| look_at(&mut engine_b, &mut two.b, 19, at(19)));
        lease(&mut two.owner, two.device_a, 3).await;
        let mut engine = engine_of(&two.a);
        (30..45).for_each(|minute| look(&mut engine, &mut two.a, minute));
        two.tell_a(3).await;
        two.follow_b().await;
        assert_eq!(two.looks_at_the_hub(), "39");
        two.assert_same();
        two.assert_whole().await;
    });
}
