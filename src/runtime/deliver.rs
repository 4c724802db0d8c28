//! Delivers what the outbox holds: a task for each channel, so that none waits for another.
//!
//! Reads the store, sends through a [`Channel`], and has the judging thread note what came of it. A message is due until
//! its delivery has been noted; whoever is killed in between sends it again, with the same key. Nothing that was sent is
//! sent again only because the note could not be written: then the note is tried again first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, roll};
use super::feeder::{Aborting, keep_running};
use super::keeper::{Keeper, local_now};
use super::pipeline::WayIn;
use super::status::Part;
use super::watchdog::Pulse;
use crate::alerts::channel::{Attempt, Channel};
use crate::alerts::message::Message;
use crate::alerts::retry::{Patience, millis, why};
use crate::market::time::Timestamp;
use crate::store::outbox::{Attempted, NewMessage, Next, OutboxRow};
use crate::store::{Reader, StoreError};

/// The outbox is looked at so often, woken or not.
const LOOK: Duration = Duration::from_secs(30);
/// Channels that the settings do not have are looked for so often.
const STRAYS: Duration = Duration::from_secs(60);
/// A channel that has not answered in this time is not waited for any longer. Channels have limits of their own.
const TOO_LONG: Duration = Duration::from_secs(60);
/// At the end an attempt under way is waited for so long; it is made again otherwise.
const LAST_MOMENT: Duration = Duration::from_millis(800);
/// Messages that one question to the store brings.
const AT_ONCE: usize = 100;
/// First wait before a delivery that panicked is started again.
const FIRST: Duration = Duration::from_secs(1);
/// Longest such wait.
const CAP: Duration = Duration::from_secs(60);

/// What delivering works with.
#[derive(Clone, Debug)]
pub(super) struct Delivering {
    pub(super) store: PathBuf,
    pub(super) way_in: WayIn,
    pub(super) wake: watch::Receiver<u64>,
    pub(super) keeper: Keeper,
    pub(super) patience: Patience,
    pub(super) stop: CancellationToken,
}

/// Starts to deliver through `channels`. Dropping what it answers ends it.
pub(super) fn start(delivering: &Delivering, channels: &[Arc<dyn Channel>]) -> Vec<Aborting<()>> {
    let mut tasks = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for channel in channels {
        if names.iter().any(|n| n == channel.name()) {
            tracing::warn!(channel = channel.name(), "two channels have this name; the first counts");
            continue;
        }
        names.push(channel.name().to_owned());
        tasks.push(supervised(delivering.clone(), {
            let channel = Arc::clone(channel);
            move |d| deliver(d, Arc::clone(&channel))
        }));
    }
    tasks.push(supervised(delivering.clone(), move |d| strays(d, names.clone())));
    tasks
}

fn supervised<W>(delivering: Delivering, mut start: impl FnMut(Delivering) -> W + Send + 'static) -> Aborting<()>
where
    W: Future<Output = ()> + Send + 'static,
{
    Aborting(tokio::spawn(async move {
        let (stop, keeper) = (delivering.stop.clone(), delivering.keeper.clone());
        keep_running(
            || start(delivering.clone()),
            Backoff::new(FIRST, CAP),
            &stop,
            // An attempt has a limit of its own; nobody has to look after it.
            &Pulse::default(),
            |failures, wait| {
                keeper.complain(Part::Alerts, "delivering alerts ended unexpectedly; see the log");
                tracing::error!(failures, ?wait, "delivering alerts ended unexpectedly and is started again");
            },
        )
        .await;
    }))
}

/// A reader that outlives the questions, asked where waiting for the disk holds nobody up.
#[derive(Debug, Default)]
struct Asking(Option<Reader>);

impl Asking {
    async fn ask<T: Send + 'static>(
        &mut self,
        store: &std::path::Path,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reader, path) = (self.0.take(), store.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let reader = match reader {
                Some(reader) => reader,
                None => Reader::open(&path)?,
            };
            let answer = question(&reader)?;
            Ok::<_, StoreError>((reader, answer))
        });
        let (reader, answer) = asked.await.map_err(|_| StoreError::Damaged { what: "answer" })??;
        self.0 = Some(reader);
        Ok(answer)
    }
}

/// One channel, until it is stopped.
async fn deliver(mut d: Delivering, channel: Arc<dyn Channel>) {
    let mut asking = Asking::default();
    let mut failures = 0_u32;
    loop {
        let name = channel.name().to_owned();
        let now = local_now();
        let due = asking.ask(&d.store, move |r| r.due(&name, now, AT_ONCE)).await;
        let mut pause = None;
        match due {
            Ok(due) if due.is_empty() => {}
            Ok(due) => {
                let size = channel.batch().max(1);
                for batch in due.chunks(size) {
                    let attempt = match try_batch(&d, &*channel, batch).await {
                        Ok(attempt) => attempt,
                        // The pipeline has ended, or everything stops.
                        Err(()) => return,
                    };
                    match attempt {
                        Attempt::Later { after, .. } => {
                            // What one message met, the next would meet too: the whole channel waits.
                            failures = failures.saturating_add(1);
                            let own = d.patience.wait(failures, roll());
                            pause = Some(after.unwrap_or_default().max(own));
                            break;
                        }
                        Attempt::Delivered | Attempt::Refused { .. } => failures = 0,
                    }
                }
                if pause.is_none() {
                    continue;
                }
            }
            Err(e) => tracing::warn!(error = %e, channel = channel.name(), "the outbox could not be read"),
        }
        if let Some(pause) = pause {
            tracing::info!(channel = channel.name(), ?pause, failures, "a channel is left alone");
            tokio::select! {
                () = d.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => continue,
            }
        }
        let name = channel.name().to_owned();
        let next = asking.ask(&d.store, move |r| r.waiting_channels().map(|all| due_at(&all, &name))).await;
        let wait = next.ok().flatten().map_or(LOOK, |at| until(at).min(LOOK));
        tokio::select! {
            () = d.stop.cancelled() => return,
            woken = d.wake.changed() => if woken.is_err() { return },
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn due_at(all: &[(String, Timestamp)], name: &str) -> Option<Timestamp> {
    all.iter().find(|(n, _)| n == name).map(|(_, at)| *at)
}

/// At least a moment, so that a clock that stands does not make a task run in circles.
fn until(at: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(at.since(local_now())).unwrap_or(0)).max(Duration::from_millis(20))
}

/// Tries one batch and has it noted. `Err`: there is nobody any more to note it.
async fn try_batch(d: &Delivering, channel: &dyn Channel, batch: &[OutboxRow]) -> Result<Attempt, ()> {
    let (mut rows, mut messages, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for row in batch {
        match serde_json::from_str::<Message>(&row.message) {
            Ok(message) => {
                messages.push(Message { key: row.key.clone(), ..message });
                rows.push(row);
            }
            Err(e) => unreadable.push((row, format!("the message cannot be read: {e}"))),
        }
    }
    let mut notes: Vec<Attempted> = Vec::new();
    for (row, why) in unreadable {
        notes.push(Attempted { message: row.id, at: local_now(), took_ms: 0, next: Next::Refused, why });
    }
    let mut attempt = Attempt::Delivered;
    if !messages.is_empty() {
        let began = Instant::now();
        attempt = tokio::select! {
            // What is on its way may arrive: waiting a moment for the word saves a repeat.
            () = async { d.stop.cancelled().await; tokio::time::sleep(LAST_MOMENT).await } => return Err(()),
            sent = tokio::time::timeout(TOO_LONG, channel.send(&messages)) => sent.unwrap_or_else(|_| Attempt::Later {
                after: None,
                why: format!("no answer within {} s", TOO_LONG.as_secs()),
            }),
        };
        let (took_ms, at) = (millis(began.elapsed()), local_now());
        let why = d.keeper.clean(why(&attempt));
        notes.extend(rows.into_iter().map(|row| Attempted {
            message: row.id,
            at,
            took_ms,
            next: d.patience.next(&attempt, row.deliverable_since(), row.attempts, at, roll()),
            why: why.clone(),
        }));
    }
    note(d, notes).await?;
    Ok(attempt)
}

/// Has attempts noted, however long that takes.
async fn note(d: &Delivering, notes: Vec<Attempted>) -> Result<(), ()> {
    let mut backoff = Backoff::new(FIRST, CAP);
    loop {
        match d.way_in.note_attempts(notes.clone()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "what came of a delivery could not be noted; nothing is sent until it is");
                d.keeper.complain(Part::Alerts, &e.to_string());
            }
            Err(_) => return Err(()),
        }
        tokio::select! {
            () = d.stop.cancelled() => return Err(()),
            () = tokio::time::sleep(backoff.after_failure(roll())) => {}
        }
    }
}

/// Starts to deliver what cannot be put into the outbox, because the store cannot be written: once, to whom it may reach.
pub(super) fn start_straight(
    mut messages: mpsc::UnboundedReceiver<Vec<NewMessage>>,
    channels: Vec<Arc<dyn Channel>>,
    keeper: Keeper,
    stop: CancellationToken,
) -> Aborting<()> {
    Aborting(tokio::spawn(async move {
        loop {
            let messages = tokio::select! {
                () = stop.cancelled() => return,
                messages = messages.recv() => match messages {
                    Some(messages) => messages,
                    None => return,
                },
            };
            for m in messages {
                // What would have to be held has nowhere to be held in.
                let awake = m.not_before <= local_now();
                let channel = channels.iter().find(|c| c.name() == m.channel).filter(|_| awake).cloned();
                let Some((channel, message)) = channel.zip(serde_json::from_str::<Message>(&m.message).ok()) else {
                    continue;
                };
                // In a task of its own, so that a channel that panics ends nothing else.
                let sending = tokio::spawn(async move {
                    tokio::time::timeout(TOO_LONG, channel.send(std::slice::from_ref(&message))).await
                });
                match sending.await {
                    Ok(Ok(Attempt::Delivered)) => {}
                    Ok(Ok(attempt)) => {
                        let why = keeper.clean(why(&attempt));
                        tracing::warn!(channel = %m.channel, why, "what could not be stored could not be told either");
                    }
                    _ => tracing::warn!(channel = %m.channel, "what could not be stored could not be told either"),
                }
            }
        }
    }))
}

/// Messages for channels that the settings do not have: they wait, for the settings may get them, and are given up like
/// any other.
async fn strays(mut d: Delivering, known: Vec<String>) {
    let mut asking = Asking::default();
    loop {
        let now = local_now();
        let known = known.clone();
        let due = asking.ask(&d.store, move |r| {
            let mut all = Vec::new();
            for (name, at) in r.waiting_channels()? {
                if at <= now && !known.contains(&name) {
                    all.extend(r.due(&name, now, AT_ONCE)?);
                }
            }
            Ok(all)
        });
        let due = due.await.unwrap_or_default();
        let notes: Vec<Attempted> = due
            .iter()
            .map(|row| {
                let why = format!("the settings have no channel '{}'", row.channel);
                let attempt = Attempt::Later { after: Some(STRAYS), why: why.clone() };
                let next = d.patience.next(&attempt, row.deliverable_since(), row.attempts, now, roll());
                Attempted { message: row.id, at: now, took_ms: 0, next, why }
            })
            .collect();
        if !notes.is_empty() && note(&d, notes).await.is_err() {
            return;
        }
        tokio::select! {
            () = d.stop.cancelled() => return,
            woken = d.wake.changed() => if woken.is_err() { return },
            () = tokio::time::sleep(STRAYS) => {}
        }
    }
}

#[cfg(test)]
mod tests {
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
}
