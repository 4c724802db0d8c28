//! From an entry of the hub's log to the screen of a board, while fifty are connected: one is the real program in a
//! pseudo-terminal, the others fetch every stretch as boards do and leave it at that, as their own machines would write and
//! draw it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stratum::engine::{Engine, EngineSettings};
use stratum::hub::live::Live;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{Pusher, Step};
use stratum::market::time::Timestamp;
use stratum::store::{LookMeta, Store};

use super::pty::Pty;
use super::{Desk, join, postgres, slate};

/// `HUB_LOOKS` asks for another number.
fn looks() -> u64 {
    std::env::var("HUB_LOOKS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// Changed markets of a thousand, a look.
const PER_MILLE: u64 = 10;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("fits"))
}

fn median(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied().unwrap_or(f64::NAN);
    (at(50), at(95))
}

/// Boards besides the one that is drawn; `HUB_BOARDS` asks for another number of all.
fn others() -> usize {
    std::env::var("HUB_BOARDS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_usize).saturating_sub(1)
}

/// `packed`: the hub keeps the newest entries packed; without it boards read the tables.
pub async fn fifty(desk: &Desk, packed: bool) {
    let count = others();
    if !packed {
        let sql = "CREATE FUNCTION public.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER none BEFORE INSERT ON hub.pack FOR EACH ROW EXECUTE FUNCTION public.none()";
        desk.open(postgres::SUPERUSER).await.client().batch_execute(sql).await.expect("no packs");
    }
    let home = tempfile::tempdir().expect("folder");
    let mut store = Store::open(&home.path().join("collector.db")).expect("store");
    let mut hub = desk.open("collector1").await;
    let device = join(&mut hub, &mut store, "collector", true).await;
    desk.lease(device).await;
    let mut engine = Engine::new(EngineSettings::default());
    let body = slate::body(0, 0);
    let mut batch = slate::batch(&body, 0);
    // Games of today.
    let begin = now();
    let shift = begin.since(slate::start());
    for event in &mut batch.events {
        event.commence = event.commence.map(|at| at.plus(shift));
    }
    let mut tell = Telling { pusher: Pusher::new(store.reader().expect("reader"), device).expect("pusher"), hub };
    batch.received_at = begin;
    slate::advance(&mut batch, 0, 0);
    keep_time(&mut batch);
    store.commit(&engine.apply(&batch), &LookMeta::default()).expect("commit");
    tell.all(&mut store).await;

    let folder = home.path().join("board");
    std::fs::create_dir_all(&folder).expect("folder");
    let mut board = board(desk, &folder);
    board.until("games", |screen| screen.contains("400"));
    let done = Arc::new(AtomicBool::new(false));
    let mut others = Vec::new();
    for n in 0..count {
        others.push(tokio::spawn(other(desk.open("pro1").await, n, packed, done.clone())));
    }
    std::thread::sleep(Duration::from_secs(3));

    let (mut seen, mut committed) = (Vec::new(), Vec::new());
    for look in 1..=looks() {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        batch.received_at = now();
        slate::advance(&mut batch, look, PER_MILLE);
        keep_time(&mut batch);
        // The game in the first row gets a price at every book that stands nowhere else.
        let price = 1_000.0 + look as f64 * 3.0;
        mark(&mut batch, price);
        store.commit(&engine.apply(&batch), &LookMeta::default()).expect("commit");
        let (from, to) = tell.all(&mut store).await;
        committed.push((to - from) as f64);
        let text = format!("+{price}");
        let (began, patience) = (Instant::now(), Duration::from_secs(20));
        while !board.text().contains(&text) {
            assert!(began.elapsed() < patience, "not on the screen: {text}\n{}", board.text());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        seen.push(now().millis() as f64 - from as f64);
    }
    done.store(true, Ordering::SeqCst);
    let mut fetched = Vec::new();
    for other in others {
        fetched.extend(other.await.expect("a board"));
    }
    board.send("q");
    board.exit(Duration::from_secs(20));
    let (merge, _) = median(&mut committed);
    println!(
        "boards, {}: {} looks, {PER_MILLE} of a thousand markets moving, {count} boards and one that is drawn",
        if packed { "as it is" } else { "without packed entries" },
        looks()
    );
    println!("    from the entry to the end of the collector's merge: {merge:.0} ms at the median");
    let (half, most) = median(&mut fetched);
    println!("    to the {count}: {half:.0} ms at the median, {most:.0} ms at the 95th percentile");
    let (half, most) = median(&mut seen);
    println!("    to the screen: {half:.0} ms at the median (target 300), {most:.0} ms at the 95th percentile");
}

struct Telling {
    pusher: Pusher,
    hub: stratum::hub::connect::Connection,
}

impl Telling {
    /// Tells what there is; answers when the server noted the entry, and when its answer was here. Milliseconds.
    async fn all(&mut self, store: &mut Store) -> (i64, i64) {
        let mut times = (0, 0);
        for mut cursor in store.reader().expect("reader").hub_cursors().expect("cursors") {
            while let Step::Told { told, .. } = self.pusher.step(&mut self.hub, &cursor, 1).await.expect("a step") {
                times.1 = now().millis();
                store.hub_told(&told).expect("noted");
                cursor = told.cursor.unwrap_or(cursor);
            }
        }
        let sql = "SELECT (extract(epoch FROM max(stored_at)) * 1000)::bigint FROM hub.entry";
        times.0 = self.hub.client().query_one(sql, &[]).await.expect("entry").get(0);
        times
    }
}

/// Each book is seen at its own moment before a look. Its time never goes back, as looks a second apart would otherwise have it:
/// that would be thousands of issues a look.
fn keep_time(batch: &mut stratum::market::batch::Batch<'_>) {
    let at = batch.received_at;
    for (n, market) in batch.markets.iter_mut().enumerate() {
        market.last_update = Some(at.plus(-((n as i64 / 3) % 50) * 1_000));
    }
}

fn mark(batch: &mut stratum::market::batch::Batch<'_>, price: f64) {
    let within = |range: &std::ops::Range<u32>| range.start as usize..range.end as usize;
    let Some(event) = batch.events.first() else { return };
    for book in batch.books.get(within(&event.books)).unwrap_or_default() {
        let Some(spread) = batch.markets.get(within(&book.markets)).and_then(|all| all.get(1)) else { continue };
        if let Some([one, other]) = batch.outcomes.get_mut(within(&spread.outcomes)) {
            (one.price, other.price) = (price, -price - 200.0);
        }
    }
}

/// The real program with a store of its own.
fn board(desk: &Desk, folder: &std::path::Path) -> Pty {
    let me = std::env::current_exe().expect("path");
    let program = me.parent().and_then(|p| p.parent()).expect("target").join("stratum");
    let program = program.to_str().expect("text");
    let url = desk.server.url_to("pro1", postgres::DATABASE);
    let data = folder.join("data");
    let environment = format!(
        "export STRATUM_HUB_URL='{url}' STRATUM_HUB_CA_FILE='{}' STRATUM_HUB_ON=true",
        desk.server.ca_file().display()
    );
    let stratum = format!("'{program}' --data-dir '{}'", data.display());
    let linked = std::process::Command::new("/bin/sh")
        .args(["-c", &format!("{environment}; {stratum} hub link")])
        .env("HOME", folder)
        .output()
        .expect("runs");
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    Pty::start("/bin/sh", &["-c", &format!("{environment}; exec {stratum}")], folder, (200, 60))
}

/// A board that fetches; answers how long after each entry it had it. Milliseconds.
async fn other(mut hub: stratum::hub::connect::Connection, n: usize, packed: bool, done: Arc<AtomicBool>) -> Vec<f64> {
    let device = 1_000 + i32::try_from(n).expect("few");
    let channel: String =
        hub.client().query_one("SELECT value FROM hub.meta WHERE key = 'channel'", &[]).await.expect("channel").get(0);
    hub.client().batch_execute(&format!("LISTEN \"{channel}\"")).await.expect("listens");
    let mut after = pull::head(&mut hub, View::Whole).await.expect("head");
    let (mut times, mut live) = (Vec::new(), Live::default());
    assert!(
        live.next(&mut hub, View::Whole, device, after, 0).await.expect("asked").is_none(),
        "at the end of the log"
    );
    while !done.load(Ordering::SeqCst) {
        let (_, notifications) = hub.parts();
        if tokio::time::timeout(Duration::from_secs(1), notifications.recv()).await.is_err() {
            continue;
        }
        while let Some(stretch) = live.next(&mut hub, View::Whole, device, after, 0).await.expect("a stretch") {
            assert_eq!(stretch.packed, packed, "the other way");
            after = stretch.incoming.until;
            times.push((now().millis() - stretch.stored_at) as f64);
            if after == stretch.head {
                break;
            }
        }
    }
    times
}
