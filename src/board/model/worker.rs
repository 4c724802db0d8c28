//! The thread that keeps the slate: reads the store when a look is announced and hands out a new slate. The screen
//! never waits for it, and it never waits for the screen: of several slates only the newest is looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use tokio::sync::watch;

use super::build;
use super::game::Game;
use super::slate::{Slate, columns};
use crate::engine::EngineSettings;
use crate::engine::appraise::Appraiser;
use crate::engine::names::Names;
use crate::market::ids::{EventId, LookId};
use crate::market::time::Timestamp;
use crate::store::{Reader, StoreError};

/// Games that started longer ago are not on the slate any more.
const BACK_MS: i64 = 12 * 3_600_000;
/// Games that start later are not on it yet.
const AHEAD_MS: i64 = 120 * 24 * 3_600_000;
/// So many looks announced at once, and the whole board is read again instead.
const MANY: usize = 64;

/// What the worker is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// A look has been committed.
    Look(LookId),
    /// Announcements were missed, or the past was put right: read everything again.
    Again,
    /// Fetch the openers of these games.
    Openers(Vec<EventId>),
    /// The thread may end.
    Stop,
}

/// The worker, as seen from the screen.
#[derive(Debug)]
pub struct Worker {
    orders: Sender<Order>,
    slates: watch::Receiver<Arc<Slate>>,
    epoch: Instant,
}

/// What the worker needs to know.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The store.
    pub store: PathBuf,
    /// How prices are judged.
    pub engine: EngineSettings,
    /// When the board was opened.
    pub epoch: Instant,
}

impl Worker {
    /// Starts the thread. The first slate comes when the store has been read; a store that is not there yet is waited
    /// for until [`Order::Again`].
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(config: WorkerConfig) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let (out, slates) = watch::channel(Arc::new(Slate::default()));
        let epoch = config.epoch;
        std::thread::Builder::new().name("slate".into()).spawn(move || Keeper::new(config, out).run(&inbox))?;
        Ok(Self { orders, slates, epoch })
    }

    /// Gives an order. A thread that has ended does not mind.
    pub fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// The newest slate, and word of newer ones.
    pub fn slates(&self) -> watch::Receiver<Arc<Slate>> {
        self.slates.clone()
    }

    /// When the board was opened.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

struct Keeper {
    config: WorkerConfig,
    out: watch::Sender<Arc<Slate>>,
    reader: Option<Reader>,
    appraiser: Option<Appraiser>,
    slate: Slate,
}

impl Keeper {
    fn new(config: WorkerConfig, out: watch::Sender<Arc<Slate>>) -> Self {
        Self { config, out, reader: None, appraiser: None, slate: Slate::default() }
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        self.again();
        while let Ok(first) = inbox.recv() {
            let mut orders = vec![first];
            orders.extend(inbox.try_iter());
            if orders.contains(&Order::Stop) {
                return;
            }
            let looks = orders.iter().filter(|o| matches!(o, Order::Look(_))).count();
            if orders.contains(&Order::Again) || looks > MANY || self.reader.is_none() {
                self.again();
            } else {
                self.follow(&orders);
            }
        }
    }

    /// Hands out the slate as it is now.
    fn publish(&mut self) {
        self.slate.version += 1;
        self.out.send_replace(Arc::new(self.slate.clone()));
    }

    fn again(&mut self) {
        match self.load() {
            Ok(()) => self.slate.trouble = None,
            Err(StoreError::Missing { .. }) => self.slate.trouble = None,
            Err(e) => self.slate.trouble = Some(e.to_string().into()),
        }
        self.publish();
    }

    fn load(&mut self) -> Result<(), StoreError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.config.store)?,
        };
        let names = reader.names()?;
        self.slate.demo = reader.is_demo()?;
        let mut appraiser = Appraiser::new(self.config.engine.clone(), names.clone());
        self.slate.names = Arc::new(names);
        if let Some((look, at)) = reader.newest()? {
            (self.slate.look, self.slate.at) = (Some(look), Some(at));
            let old = std::mem::take(&mut self.slate.games);
            self.slate.games = games_as_of(&reader, &self.slate.names, at)?;
            // What is there can be shown; what it is worth follows.
            self.keep_clocks(&old);
            self.slate.books = book_columns(&self.slate);
            self.slate.loaded = true;
            self.publish();
            for game in &mut self.slate.games {
                let points = reader.newest_points(game.who.id)?;
                build::appraise(Arc::make_mut(game), &mut appraiser, at, &points);
            }
        }
        self.slate.loaded = true;
        (self.reader, self.appraiser) = (Some(reader), Some(appraiser));
        Ok(())
    }

    /// A slate that was read anew keeps what the board saw happen.
    fn keep_clocks(&mut self, old: &[Arc<Game>]) {
        for game in &mut self.slate.games {
            let Some(before) = old.iter().find(|o| o.who.id == game.who.id) else { continue };
            let game = Arc::make_mut(game);
            for market in &mut game.markets {
                let Some(was) = before.question(market.key) else { continue };
                market.opening.clone_from(&was.opening);
                for cell in &mut market.cells {
                    if let Some(was) = was.cell(cell.book, cell.place).filter(|was| was.offer == cell.offer) {
                        (cell.lit, cell.turn, cell.previous) = (was.lit, was.turn, was.previous);
                    }
                }
            }
        }
    }

    fn follow(&mut self, orders: &[Order]) {
        let (Some(reader), Some(mut appraiser)) = (self.reader.take(), self.appraiser.take()) else { return };
        let mut failed = None;
        for order in orders {
            let done = match order {
                Order::Look(look) => self.look(&reader, &mut appraiser, *look),
                Order::Openers(events) => self.openers(&reader, events).map(|()| true),
                Order::Again | Order::Stop => Ok(true),
            };
            match done {
                Ok(true) => {}
                Ok(false) => failed = Some(None),
                Err(e) => failed = Some(Some(e)),
            }
        }
        (self.reader, self.appraiser) = (Some(reader), Some(appraiser));
        match failed {
            None => {
                self.slate.trouble = None;
                self.publish();
            }
            // The past was put right, or something came that has no place: everything is read again.
            Some(None) => self.again(),
            Some(Some(e)) => {
                self.slate.trouble = Some(e.to_string().into());
                self.reader = None;
                self.publish();
            }
        }
    }

    /// Works a look in. `false`: it cannot be, the board has to be read again.
    fn look(&mut self, reader: &Reader, appraiser: &mut Appraiser, look: LookId) -> Result<bool, StoreError> {
        if self.slate.look.is_some_and(|known| look <= known) {
            return Ok(true);
        }
        let Some(delta) = reader.look_delta(look)? else { return Ok(false) };
        let known = self.slate.names.clone();
        let names = if delta.events.iter().any(|e| !e.new.is_empty()) || known.sport(delta.sport).is_empty() {
            let names = reader.names()?;
            appraiser.rename(names.clone());
            Arc::new(names)
        } else {
            known
        };
        let lit = u32::try_from(self.config.epoch.elapsed().as_millis()).unwrap_or(u32::MAX).max(1);
        let mut fresh = false;
        for event in &delta.events {
            let found = self.slate.games.iter().position(|g| g.who.id == event.row.id);
            let Some(at) = found else {
                if let Some(game) = game_as_of(reader, &names, event.row.id, delta.received_at)? {
                    self.slate.games.push(Arc::new(game));
                    fresh = true;
                }
                continue;
            };
            let Some(game) = self.slate.games.get_mut(at).map(Arc::make_mut) else { continue };
            fresh |= game.commence != event.row.commence;
            if !build::update(game, &names, event, delta.received_at, lit)
                && let Some(anew) = game_as_of(reader, &names, event.row.id, delta.received_at)?
            {
                *game = anew;
            }
        }
        for event in delta.events.iter().filter(|e| !e.rows.is_empty()) {
            let id = event.row.id;
            let Some(game) = self.slate.games.iter_mut().find(|g| g.who.id == id) else { continue };
            let points = reader.newest_points(id)?;
            build::appraise(Arc::make_mut(game), appraiser, delta.received_at, &points);
        }
        let books = names.books.len() != self.slate.names.books.len() || fresh;
        self.slate.names = names;
        self.slate.look = Some(look);
        self.slate.at = self.slate.at.max(Some(delta.received_at));
        self.drop_old();
        if fresh {
            self.slate.games.sort_by_key(|g| (g.commence, g.who.id));
        }
        if books {
            self.slate.books = book_columns(&self.slate);
        }
        if !self.slate.demo {
            self.slate.demo = reader.is_demo()?;
        }
        Ok(true)
    }

    fn drop_old(&mut self) {
        let Some(at) = self.slate.at else { return };
        self.slate.games.retain(|g| at.since(g.commence) <= BACK_MS);
    }

    fn openers(&mut self, reader: &Reader, events: &[EventId]) -> Result<(), StoreError> {
        for event in events {
            let Some(game) = self.slate.games.iter_mut().find(|g| g.who.id == *event) else { continue };
            let points = reader.opening_points(*event, Timestamp::from_millis(i64::MAX))?;
            let game = Arc::make_mut(game);
            for market in &mut game.markets {
                market.opening = points.iter().find(|p| p.key == market.key).copied().map(Box::new);
            }
        }
        Ok(())
    }
}

/// Every game that was on the slate at `at`, not judged yet.
///
/// # Errors
/// [`StoreError`].
pub fn games_as_of(reader: &Reader, names: &Names, at: Timestamp) -> Result<Vec<Arc<Game>>, StoreError> {
    let (from, to) = (at.plus(-BACK_MS), at.plus(AHEAD_MS));
    let mut games = Vec::new();
    for sport in 1..=names.sports.len() {
        let Ok(sport) = u16::try_from(sport) else { break };
        for event in reader.board_as_of(crate::market::ids::SportId(sport), at, from, to)? {
            if !event.quotes.is_empty() || event.row.score.is_some() {
                games.push(Arc::new(build::game(names, &event.row, &event.quotes)));
            }
        }
    }
    games.sort_by_key(|g| (g.commence, g.who.id));
    Ok(games)
}

fn game_as_of(reader: &Reader, names: &Names, id: EventId, at: Timestamp) -> Result<Option<Game>, StoreError> {
    Ok(reader.event_as_of(id, at)?.map(|event| build::game(names, &event.row, &event.quotes)))
}

/// The slate of a past instant, judged, with openers; what differs from `before` lights up.
///
/// # Errors
/// [`StoreError`].
pub fn slate_as_of(
    store: &Path,
    engine: &EngineSettings,
    at: Timestamp,
    before: &Slate,
    lit: u32,
) -> Result<Slate, StoreError> {
    let reader = Reader::open(store)?;
    let names = reader.names()?;
    let mut appraiser = Appraiser::new(engine.clone(), names.clone());
    let mut games = games_as_of(&reader, &names, at)?;
    for game in &mut games {
        let game = Arc::make_mut(game);
        build::appraise(game, &mut appraiser, at, &[]);
        let points = reader.opening_points(game.who.id, at)?;
        for market in &mut game.markets {
            market.opening = points.iter().find(|p| p.key == market.key).copied().map(Box::new);
        }
        if let Some(old) = before.game(game.who.id) {
            build::compare(game, old, lit);
        }
    }
    let mut slate = Slate {
        version: before.version + 1,
        at: Some(at),
        look: None,
        demo: reader.is_demo()?,
        loaded: true,
        games,
        names: Arc::new(names),
        ..Slate::default()
    };
    slate.books = book_columns(&slate);
    Ok(slate)
}

/// The columns of the books that quote any game of a slate.
pub fn book_columns(slate: &Slate) -> Arc<[super::slate::BookColumn]> {
    let mut quoting = vec![false; slate.names.books.len() + 1];
    for cell in slate.games.iter().flat_map(|g| &g.markets).flat_map(|m| &m.cells) {
        if let Some(mark) = quoting.get_mut(usize::from(cell.book.0)) {
            *mark = true;
        }
    }
    columns(&slate.names, |id| quoting.get(usize::from(id.0)).copied().unwrap_or(false))
}
