//! What the sockets know, shared with whoever reads it.
//!
//! Owns the books of all wanted tokens, what changed since the reader last asked, and the counts. Nothing here grows
//! with the number of messages: changes are a set of tokens, trades and notices are rings that count what they lose.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::delay::Delays;
use super::told::{Changes, Counts, Gap, GapWhy, Notice, RawFrame, ShardHealth, Trade};
use crate::feeds::polymarket::book::{Applied, NoSeed, Standing, TokenBook};
use crate::feeds::polymarket::ids::{Side, TokenId};
use crate::feeds::polymarket::wire::channel::{BookMessage, Frame, Message, TextFrame};
use crate::market::time::Timestamp;

/// Trades kept for a reader that does not come.
const TRADES: usize = 8192;
/// Notices kept for a reader that does not come.
const NOTICES: usize = 2048;

/// One token.
struct Slot {
    book: TokenBook,
    live: bool,
    resolved: bool,
    /// Since when it has not been whole.
    unwell: Option<Instant>,
    /// When REST was last asked, and how often in vain.
    asked: Option<Instant>,
    in_vain: u32,
    /// The socket that brings it.
    shard: Option<u32>,
    /// When it was last compared with REST because its socket said nothing, and when REST last said the same.
    compared: Option<Instant>,
    confirmed: Option<Timestamp>,
}

/// An open gap of a socket.
struct Open {
    from: Timestamp,
    why: GapWhy,
    tokens: Arc<[TokenId]>,
}

/// All of it. Held under a mutex for the length of a frame at most.
#[derive(Default)]
pub(super) struct State {
    slots: HashMap<TokenId, Slot>,
    changed: BTreeSet<TokenId>,
    trades: VecDeque<Trade>,
    trades_lost: u64,
    notices: VecDeque<Notice>,
    notices_lost: u64,
    shards: BTreeMap<u32, ShardHealth>,
    open: BTreeMap<u32, Open>,
    pub(super) counts: Counts,
    /// The token after which the next cross-check begins.
    checked_up_to: Option<TokenId>,
    /// Whoever wants the frames as they came.
    raw: Option<mpsc::Sender<RawFrame>>,
    /// Stamps of the frame that is being applied.
    stamps: Vec<Timestamp>,
    delays: Delays,
    oldest: Option<Timestamp>,
    /// Sockets that did not bring what REST knows, although they stand.
    frozen: BTreeSet<u32>,
}

impl State {
    pub(super) fn want(&mut self, token: &TokenId, live: bool) {
        match self.slots.get_mut(token) {
            Some(slot) => slot.live = live,
            None => {
                let book = TokenBook::new(token.clone());
                let unwell = Some(Instant::now());
                let slot = Slot {
                    book,
                    live,
                    resolved: false,
                    unwell,
                    asked: None,
                    in_vain: 0,
                    shard: None,
                    compared: None,
                    confirmed: None,
                };
                self.slots.insert(token.clone(), slot);
            }
        }
    }

    /// These are brought by that socket.
    pub(super) fn assign(&mut self, shard: u32, tokens: &[TokenId]) {
        self.shard(shard).assets += tokens.len();
        for token in tokens {
            if let Some(slot) = self.slots.get_mut(token) {
                slot.shard = Some(shard);
            }
        }
    }

    pub(super) fn drop_token(&mut self, token: &TokenId) {
        self.slots.remove(token);
        self.changed.remove(token);
    }

    pub(super) fn tap(&mut self, raw: mpsc::Sender<RawFrame>) {
        self.raw = Some(raw);
    }

    /// Hands a frame on as it came, if anybody wants it. Never waits.
    pub(super) fn hand_on(&mut self, shard: u32, bytes: &[u8], received_at: Timestamp) {
        let Some(raw) = &self.raw else { return };
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        match raw.try_send(RawFrame { shard, received_at, text: text.to_owned() }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.counts.raw_lost += 1,
            Err(mpsc::error::TrySendError::Closed(_)) => self.raw = None,
        }
    }

    pub(super) fn book(&self, token: &str) -> Option<&TokenBook> {
        self.slots.get(token).map(|s| &s.book)
    }

    pub(super) fn shard(&mut self, shard: u32) -> &mut ShardHealth {
        self.shards.entry(shard).or_insert_with(|| ShardHealth { shard, ..ShardHealth::default() })
    }

    pub(super) fn forget_shard(&mut self, shard: u32) {
        self.shards.remove(&shard);
        self.open.remove(&shard);
        self.frozen.remove(&shard);
    }

    pub(super) fn health(&self) -> Vec<ShardHealth> {
        self.shards.values().cloned().collect()
    }

    /// Should any of these tokens have data right now?
    pub(super) fn any_live<'t>(&self, tokens: impl IntoIterator<Item = &'t TokenId>) -> bool {
        tokens.into_iter().any(|t| self.slots.get(t).is_some_and(|s| s.live && !s.resolved))
    }

    pub(super) fn take(&mut self) -> Changes {
        Changes {
            tokens: std::mem::take(&mut self.changed).into_iter().collect(),
            trades: std::mem::take(&mut self.trades).into(),
            trades_lost: std::mem::take(&mut self.trades_lost),
            notices: std::mem::take(&mut self.notices).into(),
            notices_lost: std::mem::take(&mut self.notices_lost),
            delays: std::mem::take(&mut self.delays),
            oldest: self.oldest.take(),
        }
    }

    /// The frame that was given last has been applied: counts how late its messages were.
    pub(super) fn applied(&mut self, now: Timestamp) {
        for stamp in self.stamps.drain(..) {
            self.delays.note(now.since(stamp));
            self.oldest = Some(self.oldest.map_or(stamp, |oldest| oldest.min(stamp)));
        }
    }

    /// Up to when it is known of a token that nothing else has happened, by our clock: its socket brought something then,
    /// or REST told the same book. `None`: nothing is known.
    pub(super) fn heard(&self, token: &str) -> Option<Timestamp> {
        self.slots.get(token).and_then(|slot| self.slot_heard(slot))
    }

    fn slot_heard(&self, slot: &Slot) -> Option<Timestamp> {
        let shard = slot.shard.and_then(|n| self.shards.get(&n));
        slot.confirmed.max(shard.and_then(|s| s.last_data))
    }

    /// Tokens of which nothing has been heard for `silence` although their books are whole and their sockets stand, and
    /// that were not compared with REST meanwhile.
    pub(super) fn silent(&mut self, silence: Duration, now: Timestamp, most: usize) -> Vec<TokenId> {
        let ms = i64::try_from(silence.as_millis()).unwrap_or(i64::MAX);
        let silent = |slot: &Slot| {
            slot.book.standing().is_live()
                && !slot.resolved
                && slot.compared.is_none_or(|at| at.elapsed() >= silence)
                && self.slot_heard(slot).is_none_or(|heard| now.since(heard) >= ms)
        };
        let mut out: Vec<TokenId> = self.slots.iter().filter(|(_, s)| silent(s)).map(|(t, _)| t.clone()).collect();
        out.sort();
        out.truncate(most);
        for token in &out {
            if let Some(slot) = self.slots.get_mut(token) {
                slot.compared = Some(Instant::now());
            }
        }
        out
    }

    /// REST told the book that we have.
    pub(super) fn confirm(&mut self, token: &str, received: Timestamp) {
        if let Some(slot) = self.slots.get_mut(token) {
            slot.confirmed = slot.confirmed.max(Some(received));
        }
    }

    /// REST knows a change that the socket of this token has not brought: if nothing at all has come from it since
    /// `asked`, it has frozen.
    pub(super) fn suspect(&mut self, token: &str, asked: Timestamp) {
        let Some(shard) = self.slots.get(token).and_then(|s| s.shard) else { return };
        let stands = |s: &&ShardHealth| s.connected_since.is_some_and(|since| since < asked);
        let health = self.shards.get(&shard).filter(stands);
        if health.is_some_and(|s| s.last_data.is_none_or(|at| at < asked)) {
            self.frozen.insert(shard);
        }
    }

    /// Whether a socket has been found to be frozen; asked once.
    pub(super) fn is_frozen(&mut self, shard: u32) -> bool {
        self.frozen.remove(&shard)
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.len() >= NOTICES {
            self.notices.pop_front();
            self.notices_lost += 1;
        }
        self.notices.push_back(notice);
    }

    fn touched(slot: &mut Slot, changed: &mut BTreeSet<TokenId>, applied: Applied) {
        if applied == Applied::Changed {
            if !changed.contains(slot.book.token()) {
                changed.insert(slot.book.token().clone());
            }
            if slot.book.standing().is_live() {
                (slot.unwell, slot.in_vain) = (None, 0);
            } else if slot.unwell.is_none() {
                slot.unwell = Some(Instant::now());
            }
        }
    }

    /// Takes a frame of a socket, received at `received`.
    pub(super) fn apply(&mut self, shard: u32, frame: Frame<'_>, received: Timestamp) {
        let data = frame.is_data();
        let health = self.shard(shard);
        health.frames += 1;
        health.messages += frame.messages.len() as u64;
        health.defects += frame.defects.len() as u64;
        match frame.text {
            Some(TextFrame::Pong) => health.last_pong = Some(received),
            Some(TextFrame::Junk) => health.junk += 1,
            _ => {}
        }
        if data {
            health.last_data = Some(received);
            if let Some(open) = self.open.remove(&shard) {
                let Open { from, why, tokens } = open;
                self.notice(Notice::Gap(Gap { from, to: received, why, shard, tokens }));
            }
        }
        for defect in frame.defects.iter().take(3) {
            tracing::debug!(shard, %defect, "polymarket frame");
        }
        for message in frame.messages {
            self.stamps.extend(stamp(&message));
            self.message(shard, message, received);
        }
    }

    fn message(&mut self, shard: u32, message: Message<'_>, received: Timestamp) {
        let mut strangers = 0;
        match message {
            Message::Book(book) => match self.slots.get_mut(&*book.token) {
                Some(slot) => {
                    let applied = slot.book.seed(&book, received);
                    Self::touched(slot, &mut self.changed, applied);
                }
                None => strangers += 1,
            },
            Message::PriceChange(change) => {
                for one in &change.changes {
                    let Some(slot) = self.slots.get_mut(&*one.token) else {
                        strangers += 1;
                        continue;
                    };
                    let applied = slot.book.change(one, change.at, received);
                    Self::touched(slot, &mut self.changed, applied);
                }
                for token in &change.lost {
                    if let Some(slot) = self.slots.get_mut(&**token) {
                        slot.book.reset(NoSeed::LostMessage);
                        Self::touched(slot, &mut self.changed, Applied::Changed);
                    }
                }
            }
            Message::Trade(trade) => match self.slots.get(&*trade.token) {
                Some(slot) => {
                    let trade = Trade {
                        token: slot.book.token().clone(),
                        price: trade.price,
                        size: trade.size,
                        side: trade.side,
                        at: trade.at,
                        received_at: received,
                        transaction: trade.transaction.map(std::borrow::Cow::into_owned),
                    };
                    if self.trades.len() >= TRADES {
                        self.trades.pop_front();
                        self.trades_lost += 1;
                    }
                    self.trades.push_back(trade);
                }
                None => strangers += 1,
            },
            Message::TickSize(step) => match self.slots.get_mut(&*step.token) {
                Some(slot) => {
                    let token = slot.book.token().clone();
                    let applied = slot.book.void(NoSeed::TickSize, step.at);
                    if let (Some(new), Applied::Changed) = (step.new, applied) {
                        slot.book.set_tick_size(new);
                    }
                    Self::touched(slot, &mut self.changed, applied);
                    self.notice(Notice::TickSize { token, new: step.new, at: step.at });
                }
                None => strangers += 1,
            },
            Message::Best(best) => match self.slots.get_mut(&*best.token) {
                Some(slot) => {
                    let before = slot.book.standing();
                    slot.book.state_best(best.bid, best.ask, best.at);
                    let changed = before != slot.book.standing();
                    Self::touched(slot, &mut self.changed, if changed { Applied::Changed } else { Applied::Same });
                }
                None => strangers += 1,
            },
            Message::NewMarket(new) => self.notice(Notice::NewMarket(new)),
            Message::Resolved(resolved) => {
                let tokens: Vec<TokenId> = resolved.tokens.iter().filter_map(|t| TokenId::parse(t).ok()).collect();
                let at = resolved.at.unwrap_or(received);
                let mut ours = false;
                for token in &tokens {
                    if let Some(slot) = self.slots.get_mut(token) {
                        (ours, slot.resolved) = (true, true);
                        slot.book.void(NoSeed::Resolved, at);
                        Self::touched(slot, &mut self.changed, Applied::Changed);
                    }
                }
                if ours {
                    let winner = resolved.winner.and_then(|t| TokenId::parse(&t).ok());
                    let outcome = resolved.outcome.map(std::borrow::Cow::into_owned);
                    self.notice(Notice::Resolved { tokens, winner, outcome, received_at: received });
                }
            }
            Message::Unknown(kind) => {
                tracing::debug!(shard, kind = %kind, "polymarket message of unknown type");
                self.shard(shard).unknown += 1;
            }
        }
        if strangers > 0 {
            self.shard(shard).strangers += strangers;
        }
    }

    /// A socket is gone: its books cannot be trusted from its last data on.
    pub(super) fn lost(&mut self, shard: u32, tokens: &[TokenId], why: GapWhy, now: Timestamp, error: String) {
        let health = self.shard(shard);
        let from = health.last_data.or(health.connected_since).unwrap_or(now);
        let was_connected = health.connected_since.take().is_some();
        health.last_error = Some(error);
        if was_connected {
            health.reconnects += 1;
            if why == GapWhy::Frozen {
                health.watchdog_fires += 1;
            }
        }
        for token in tokens {
            if let Some(slot) = self.slots.get_mut(token) {
                slot.confirmed = None;
                if !slot.resolved {
                    slot.book.reset(NoSeed::Gap);
                    Self::touched(slot, &mut self.changed, Applied::Changed);
                }
                slot.unwell = Some(Instant::now());
            }
        }
        // A gap that is still open began earlier.
        if was_connected && !tokens.is_empty() {
            self.open.entry(shard).or_insert_with(|| Open { from, why, tokens: tokens.into() });
        }
    }

    /// Tokens that have not been whole for `wait` (or `doubt` when they are in doubt) and may be asked for now.
    pub(super) fn unwell(&mut self, wait: Duration, doubt: Duration, most: usize) -> Vec<TokenId> {
        let now = Instant::now();
        let mut out: Vec<TokenId> = Vec::new();
        for (token, slot) in &self.slots {
            let patience = match slot.book.standing() {
                Standing::Live => continue,
                Standing::Unseeded(NoSeed::Resolved) => continue,
                Standing::Unseeded(NoSeed::LostMessage) => Duration::ZERO,
                Standing::Unseeded(_) => wait,
                Standing::Doubtful(_) => doubt,
            };
            let due = slot.unwell.is_none_or(|since| now.duration_since(since) >= patience);
            // In vain again and again: not open yet, or closed. Each time wait twice as long, five minutes at most.
            let pause =
                wait.max(Duration::from_secs(1)).saturating_mul(1 << slot.in_vain.min(8)).min(Duration::from_secs(300));
            let rested = slot.asked.is_none_or(|at| now.duration_since(at) >= pause);
            if due && rested && !slot.resolved {
                out.push(token.clone());
            }
        }
        out.sort();
        out.truncate(most);
        for token in &out {
            if let Some(slot) = self.slots.get_mut(token) {
                slot.asked = Some(now);
                slot.in_vain = slot.in_vain.saturating_add(1);
            }
        }
        out
    }

    /// The next tokens to compare with REST, in turn.
    pub(super) fn sample(&mut self, most: usize) -> Vec<TokenId> {
        let mut live: Vec<&TokenId> =
            self.slots.iter().filter(|(_, s)| s.book.standing().is_live()).map(|(t, _)| t).collect();
        live.sort();
        let from = self.checked_up_to.as_ref().map_or(0, |last| live.partition_point(|t| *t <= last));
        let turn: Vec<TokenId> =
            live.iter().cycle().skip(from).take(most.min(live.len())).map(|t| (*t).clone()).collect();
        self.checked_up_to = turn.last().cloned();
        turn
    }

    /// A book of REST for a token that was not whole.
    pub(super) fn seed_from_rest(&mut self, book: &BookMessage<'_>, received: Timestamp) {
        if let Some(slot) = self.slots.get_mut(&*book.token) {
            // What is in doubt is not a witness against the answer.
            if matches!(slot.book.standing(), Standing::Doubtful(_))
                && slot.book.seeded_at().is_some_and(|s| s <= book.at)
            {
                let newest = slot.book.changed_at();
                if newest.is_none_or(|n| n <= book.at) {
                    slot.book.reset(NoSeed::LostMessage);
                }
            }
            let applied = slot.book.seed(book, received);
            if slot.book.changed_at() == Some(book.at) {
                slot.confirmed = slot.confirmed.max(Some(received));
            }
            self.counts.rest_seeds += 1;
            Self::touched(slot, &mut self.changed, applied);
        }
    }

    /// Does REST show another book than ours? Books of different times cannot be compared: ours may be ahead (fine), or
    /// behind (`Some(true)` only when `behind_counts`, after we had time to hear of it).
    pub(super) fn differs(&self, book: &BookMessage<'_>, behind_counts: bool) -> Option<bool> {
        let slot = self.slots.get(&*book.token)?;
        let ours = slot.book.changed_at().filter(|_| slot.book.standing().is_live())?;
        if ours > book.at {
            return None;
        }
        if ours < book.at {
            return behind_counts.then_some(true);
        }
        if let (Some(ours), Some(theirs)) = (slot.book.hash(), book.hash.as_deref())
            && ours == theirs
        {
            return Some(false);
        }
        let sorted = |levels: &[crate::feeds::polymarket::wire::channel::Level]| {
            let mut levels = levels.to_vec();
            levels.sort();
            levels
        };
        let of = |side| sorted(&slot.book.levels(side).collect::<Vec<_>>());
        Some(of(Side::Bid) != sorted(&book.bids) || of(Side::Ask) != sorted(&book.asks))
    }

    /// REST is right and we are not.
    pub(super) fn overrule(&mut self, book: &BookMessage<'_>, received: Timestamp) {
        let Some(slot) = self.slots.get_mut(&*book.token) else { return };
        slot.book.reset(NoSeed::LostMessage);
        slot.book.seed(book, received);
        slot.confirmed = slot.confirmed.max(Some(received));
        let token = slot.book.token().clone();
        Self::touched(slot, &mut self.changed, Applied::Changed);
        self.counts.disagreed += 1;
        self.notice(Notice::Disagreed { token, received_at: received });
    }
}

/// When the exchange sent a message, where it tells of something that has just happened: a book's stamp says when the book
/// last changed, and that of a new or decided market when it became so.
fn stamp(message: &Message<'_>) -> Option<Timestamp> {
    match message {
        Message::PriceChange(change) => Some(change.at),
        Message::Trade(trade) => Some(trade.at),
        Message::TickSize(step) => Some(step.at),
        Message::Best(best) => Some(best.at),
        Message::Book(_) | Message::NewMarket(_) | Message::Resolved(_) | Message::Unknown(_) => None,
    }
}
