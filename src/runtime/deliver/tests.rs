//! Deliveries: in order, in batches, tried again, given up, and through every death in between.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::alerts::testing::{MemoryChannel, at, signal};
use crate::alerts::words::Moment;
use crate::engine::EngineSettings;
use crate::runtime::pipeline::{Pipeline, PipelineConfig, Telling};
use crate::store::outbox::{MessageState, NewMessage, OutboxFilter, Outgoing};
use crate::store::{Retention, Store};

const LONG: Duration = Duration::from_secs(30);

fn quick() -> Patience {
    let ms = Duration::from_millis;
    Patience { first: ms(5), cap: ms(20), give_up: Duration::from_secs(3600) }
}

fn message(key: &str, channel: &str) -> NewMessage {
    let moment = Moment { at: at(0), wall: at(0), origin: None, late_ms: 0 };
    let mut told = crate::alerts::words::signal(&signal(key, 1, 0), at(3600), &moment);
    told.key = key.to_owned();
    NewMessage {
        key: key.to_owned(),
        channel: channel.to_owned(),
        kind: "signal".into(),
        rule: "r".into(),
        subject: "s".into(),
        signal: Some((key.to_owned(), 1)),
        at: at(0),
        not_before: at(0),
        why: String::new(),
        message: serde_json::to_string(&told).expect("JSON"),
    }
}

fn outgoing(messages: Vec<NewMessage>) -> Outgoing {
    Outgoing { messages, fired: Vec::new() }
}

/// A store with messages, for which a pipeline is started.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn with(messages: Vec<NewMessage>) -> Self {
        let house = Self { folder: tempfile::tempdir().expect("folder") };
        Store::open(&house.store()).expect("store").tell(&outgoing(messages), local_now()).expect("told");
        house
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("stratum.db")
    }

    fn open(&self, channels: &[Arc<dyn Channel>]) -> Open {
        let keeper = Keeper::new(None);
        let config = PipelineConfig {
            store: self.store(),
            engine: EngineSettings::default(),
            retention: Retention::default(),
            keep_raw: false,
            record: None,
            secret: Vec::new(),
            origin: None,
        };
        let (wake, woken) = watch::channel(0);
        let (direct, straight) = mpsc::unbounded_channel();
        let telling = Telling { desk: self.folder.path().join("desk.db"), wake, direct };
        let pipeline = Pipeline::start(config, Some(telling), keeper.clone(), Pulse::default()).expect("starts");
        let delivering = Delivering {
            store: self.store(),
            way_in: pipeline.way_in(),
            wake: woken,
            keeper,
            patience: quick(),
            stop: CancellationToken::new(),
        };
        let mut tasks = start(&delivering, channels);
        tasks.push(start_straight(straight, channels.to_vec(), delivering.keeper.clone(), delivering.stop.clone()));
        Open { pipeline, tasks, stop: delivering.stop }
    }

    fn rows(&self) -> Vec<OutboxRow> {
        Reader::open(&self.store()).expect("reader").outbox(&OutboxFilter::default()).expect("rows")
    }

    async fn until(&self, what: impl Fn(&[OutboxRow]) -> bool) {
        let began = Instant::now();
        while !what(&self.rows()) {
            assert!(began.elapsed() < LONG, "{:?}", self.rows());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

struct Open {
    pipeline: Pipeline,
    tasks: Vec<Aborting<()>>,
    stop: CancellationToken,
}

impl Open {
    async fn close(self) {
        self.stop.cancel();
        for mut task in self.tasks {
            let _ = tokio::time::timeout(LONG, &mut task.0).await;
        }
        tokio::task::spawn_blocking(move || self.pipeline.stop()).await.expect("joins").expect("stops");
    }
}

fn memory(name: &str, batch: usize) -> (Arc<MemoryChannel>, Arc<dyn Channel>) {
    let channel = Arc::new(MemoryChannel::new(name, batch));
    (Arc::clone(&channel), channel)
}

fn all(rows: &[OutboxRow], state: MessageState) -> bool {
    rows.iter().all(|r| r.state == state)
}

fn later(after_ms: Option<u64>) -> Attempt {
    Attempt::Later { after: after_ms.map(Duration::from_millis), why: "429".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_out_in_order_in_batches_and_are_tried_again() {
    let house = House::with((0..5).map(|n| message(&format!("k{n}"), "a")).collect());
    let (channel, as_channel) = memory("a", 2);
    channel.script([later(Some(60)), later(None)]);
    let began = Instant::now();
    let open = house.open(&[as_channel]);
    house.until(|rows| all(rows, MessageState::Delivered)).await;
    open.close().await;
    assert!(began.elapsed() >= Duration::from_millis(60), "left alone for as long as it asked");
    let tried = channel.tried();
    let keys: Vec<Vec<&str>> = tried.iter().map(|b| b.iter().map(|m| m.key.as_str()).collect()).collect();
    assert!(tried.iter().all(|batch| (1..=2).contains(&batch.len())));
    assert_eq!(keys[0], ["k0", "k1"]);
    // After the failures everything that was told arrived once.
    let mut delivered: Vec<&str> = keys[2..].concat();
    delivered.sort_unstable();
    assert_eq!(delivered, ["k0", "k1", "k2", "k3", "k4"]);
    let log = Reader::open(&house.store()).expect("reader").delivery_log(None, None, None).expect("log");
    assert_eq!(log.iter().filter(|l| l.outcome == "delivered").count(), 5);
    assert!(log.iter().filter(|l| l.outcome == "later").all(|l| l.why == "429"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_refuses_fills_the_dead_letters_and_holds_nobody_up() {
    let house = House::with(vec![message("k1", "bad"), message("k2", "good"), message("k3", "unknown")]);
    let (bad, as_bad) = memory("bad", 1);
    let (good, as_good) = memory("good", 1);
    bad.script([Attempt::Refused { why: "404".into() }]);
    let open = house.open(&[as_bad, as_good]);
    house.until(|rows| rows[0].state == MessageState::Dead && rows[1].state == MessageState::Delivered).await;
    house.until(|rows| rows[2].attempts > 0).await;
    open.close().await;
    let rows = house.rows();
    assert_eq!((rows[0].why.as_str(), good.tried().len()), ("404", 1));
    assert_eq!(
        (rows[2].state, rows[2].why.as_str()),
        (MessageState::Waiting, "the settings have no channel 'unknown'")
    );
    // Put back by hand it goes out under the same key, also through a request on the desk.
    let open = house.open(&[Arc::clone(&bad) as Arc<dyn Channel>]);
    let request = crate::alerts::request::Request::PutBackDead.to_json();
    let desk = house.folder.path().join("desk.db");
    crate::store::desk::Desk::open(&desk).expect("desk").ask_of_alerts(&request).expect("asked");
    house.until(|rows| rows[0].state == MessageState::Delivered).await;
    open.close().await;
    let keys: Vec<String> = bad.tried().concat().into_iter().map(|m| m.key).collect();
    assert_eq!(keys, ["k1", "k1"]);
    assert_eq!(crate::store::desk::Desk::open(&desk).expect("desk").alert_requests().expect("asked"), []);
}

/// Takes the message and then never answers: as if the program was killed in between.
#[derive(Debug, Default)]
struct Silent {
    heard: std::sync::Mutex<Vec<String>>,
}

impl Channel for Silent {
    fn name(&self) -> &'static str {
        "a"
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> crate::alerts::channel::Sending<'a> {
        self.heard.lock().expect("lock").extend(messages.iter().map(|m| m.key.clone()));
        Box::pin(std::future::pending())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_between_delivery_and_note_repeats_it_with_the_same_key() {
    let house = House::with(vec![message("k1", "a")]);
    let silent = Arc::new(Silent::default());
    let open = house.open(&[Arc::clone(&silent) as Arc<dyn Channel>]);
    let began = Instant::now();
    while silent.heard.lock().expect("lock").is_empty() {
        assert!(began.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    open.close().await;
    assert!(all(&house.rows(), MessageState::Waiting));
    let (channel, as_channel) = memory("a", 1);
    let open = house.open(&[as_channel]);
    house.until(|rows| all(rows, MessageState::Delivered)).await;
    open.close().await;
    assert_eq!(channel.tried()[0][0].key, silent.heard.lock().expect("lock")[0]);
}

/// A channel that panics is a fault of ours; the others go on, and it is tried again.
#[derive(Debug, Default)]
struct Panics(std::sync::atomic::AtomicU32);

impl Channel for Panics {
    fn name(&self) -> &'static str {
        "p"
    }

    fn send<'a>(&'a self, _: &'a [Message]) -> crate::alerts::channel::Sending<'a> {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async move {
            assert!(n > 0, "on purpose");
            Attempt::Delivered
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_survived() {
    let house = House::with(vec![message("k1", "p"), message("k2", "a")]);
    let (_, as_channel) = memory("a", 1);
    let open = house.open(&[Arc::new(Panics::default()), as_channel]);
    house.until(|rows| all(rows, MessageState::Delivered)).await;
    open.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_told_all_the_same() {
    use crate::alerts::message::Kind;
    use crate::alerts::notice::{Trouble, notice, recovered};
    use crate::alerts::testing::rule;

    let house = House::with(vec![]);
    let wanted = rule(1, "health", |t| t.kinds = vec![Kind::Health]);
    let desk = house.folder.path().join("desk.db");
    let mut desk = crate::store::desk::Desk::open(&desk).expect("desk");
    desk.add_alert_rule(&wanted.name, true, &wanted.json).expect("added");
    let (channel, as_channel) = memory("a", 1);
    let open = house.open(&[as_channel]);
    let other = rusqlite::Connection::open(house.store()).expect("opens");
    other.busy_timeout(LONG).expect("set");
    // As if it could not be written: an insert is refused.
    other
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END")
        .expect("made");
    let way_in = open.pipeline.way_in();
    way_in.notice(notice(Trouble::StoreReadOnly, "no space is left")).await.expect("said");
    let began = Instant::now();
    while channel.tried().is_empty() {
        assert!(began.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other.execute_batch("DROP TRIGGER full").expect("dropped");
    // The end goes the usual way, and only once.
    for _ in 0..2 {
        way_in.notice(recovered(Trouble::StoreReadOnly, "again")).await.expect("said");
    }
    house.until(|rows| rows.len() == 1 && all(rows, MessageState::Delivered)).await;
    open.close().await;
    let titles: Vec<String> = channel.tried().concat().into_iter().map(|m| m.title).collect();
    assert_eq!(titles, ["the store cannot be written", "Over: the store cannot be written"]);
}

/// One step of the law below.
#[derive(Clone, Debug)]
enum Step {
    /// Something is told of, perhaps once more.
    Tell(u8),
    /// The oldest that is due is tried, and what came of it is noted, unless the program is killed before.
    Try { outcome: u8, killed: bool },
    /// The clock goes on.
    Wait(u16),
    /// Somebody puts the dead letters back.
    PutBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..8).prop_map(Step::Tell),
        (0_u8..3, any::<bool>()).prop_map(|(outcome, killed)| Step::Try { outcome, killed }),
        (1_u16..2000).prop_map(Step::Wait),
        Just(Step::PutBack),
    ];
    proptest::collection::vec(step, 1..60)
}

struct World {
    store: Store,
    path: PathBuf,
    now: Timestamp,
    told: BTreeSet<String>,
    /// What the other side got, and how often.
    got: BTreeMap<String, u32>,
}

impl World {
    fn new(folder: &Path) -> Self {
        let path = folder.join("stratum.db");
        let store = Store::open(&path).expect("store");
        Self { store, path, now: at(0), told: BTreeSet::new(), got: BTreeMap::new() }
    }

    fn attempt(&mut self, attempt: &Attempt, killed: bool) -> bool {
        let reader = Reader::open(&self.path).expect("reader");
        let Some(row) = reader.due("a", self.now, 1).expect("due").pop() else { return false };
        let message: Message = serde_json::from_str(&row.message).expect("a message");
        assert_eq!(message.key, row.key, "one key at every attempt");
        if *attempt == Attempt::Delivered {
            *self.got.entry(row.key.clone()).or_default() += 1;
        }
        if !killed {
            let next = quick().next(attempt, row.deliverable_since(), row.attempts, self.now, 0.5);
            let note = Attempted { message: row.id, at: self.now, took_ms: 1, next, why: why(attempt).to_owned() };
            self.store.note_attempts(&[note]).expect("noted");
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Any order of commits, attempts and crashes: in the end every message has been delivered at least once, under
    /// the key that it was told with, and none that was never told.
    #[test]
    fn everything_told_arrives(steps in steps()) {
        let folder = tempfile::tempdir().expect("folder");
        let mut world = World::new(folder.path());
        for step in steps {
            match step {
                Step::Tell(n) => {
                    let key = format!("k{n}");
                    let new = world.store.tell(&outgoing(vec![message(&key, "a")]), world.now).expect("told");
                    prop_assert_eq!(new == 1, world.told.insert(key));
                }
                Step::Try { outcome, killed } => {
                    let attempt = match outcome {
                        0 => Attempt::Delivered,
                        1 => later(None),
                        _ => Attempt::Refused { why: "no".into() },
                    };
                    world.attempt(&attempt, killed);
                    if killed {
                        drop(world.store);
                        world.store = Store::open(&world.path).expect("again");
                    }
                }
                Step::Wait(ms) => world.now = world.now.plus(i64::from(ms)),
                Step::PutBack => drop(world.store.put_back_dead(world.now).expect("put back")),
            }
        }
        // In the end the other side works, and somebody looks after the dead letters.
        world.store.put_back_dead(world.now).expect("put back");
        world.now = world.now.plus(3_600_000);
        while world.attempt(&Attempt::Delivered, false) {}
        prop_assert_eq!(world.got.keys().cloned().collect::<BTreeSet<_>>(), world.told.clone());
        let rows = Reader::open(&world.path).expect("reader").outbox(&OutboxFilter::default()).expect("rows");
        prop_assert!(all(&rows, MessageState::Delivered));
    }
}
