//! A board that is linked to a hub with a week of history.

use std::time::Instant;

use stratum::engine::EngineSettings;
use stratum::hub::pull::{self, View};
use stratum::store::Store;

use super::{Desk, join};

/// The next stretch comes over the line while one is written, as in the program.
pub async fn follow(desk: &Desk) {
    let home = tempfile::tempdir().expect("folder");
    let path = home.path().join("stratum.db");
    let mut store = Store::open(&path).expect("store");
    let mut hub = desk.open("pro1").await;
    let device = join(&mut hub, &mut store, "board", false).await;
    let begin = Instant::now();
    let (mut changes, mut bytes, mut stretches, mut writing, mut fetching) = (0, 0, 0_u64, 0.0, 0.0);
    let mut next = pull::next(&mut hub, View::Whole, device, 0).await.expect("a stretch");
    while let Some(stretch) = next.take() {
        let (until, head) = (stretch.incoming.until, stretch.head);
        (changes, bytes, stretches) = (changes + stretch.changes, bytes + stretch.bytes, stretches + 1);
        let apply = tokio::task::spawn_blocking(move || {
            let begin = Instant::now();
            store.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
            (store, begin.elapsed().as_secs_f64())
        });
        if until < head {
            let begin = Instant::now();
            next = pull::next(&mut hub, View::Whole, device, until).await.expect("a stretch");
            fetching += begin.elapsed().as_secs_f64();
        }
        let took;
        (store, took) = apply.await.expect("applied");
        writing += took;
        if stretches % 20 == 0 {
            println!("  {changes} changes after {:.0} s", begin.elapsed().as_secs_f64());
        }
    }
    let took = begin.elapsed().as_secs_f64();
    println!(
        "following from the beginning: {changes} changes, {:.0} MiB in {stretches} stretches in {took:.1} s \
         (writing {writing:.1}, fetching {fetching:.1}): {:.0} changes/s (target 100,000)",
        bytes as f64 / 1048576.0,
        changes as f64 / took
    );
    println!("    the store is {:.0} MiB", std::fs::metadata(&path).expect("file").len() as f64 / 1048576.0);
}
