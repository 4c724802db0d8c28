//! What is known of the exchange: its listings within the horizon, their contracts with what was kept and told of each, which
//! of our games they are, and how the listening stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::linker::Listed;
use super::listen::Listener;
use super::quotes::{GameTold, Mains, Told};
use super::{NewListings, rows};
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::discovery::Listing;
use crate::feeds::polymarket::ids::TokenId;
use crate::feeds::polymarket::socket::{Live, Recent};
use crate::market::time::Timestamp;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::status::{ExchangeStatus, Listening, Part, SocketNote};
use crate::store::Reader;
use crate::store::exchange::{BookRow, Link, LinkState};

/// Started games are followed for so long. Milliseconds.
const AFTER_START_MS: i64 = 5 * 3_600_000;
/// Games of ours are candidates for so long before and after the horizon. Milliseconds.
pub(super) const AROUND_MS: i64 = 36 * 3_600_000;
/// Publishing intervals over which it is told how late messages are.
pub(super) const DELAYS: usize = 60;

/// A contract that is listened to.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) number: i64,
    pub(super) listing: i64,
    pub(super) tokens: (TokenId, TokenId),
    pub(super) contract: crate::feeds::polymarket::classify::Contract,
    pub(super) tradable: bool,
    /// As it was kept and told last.
    pub(super) kept: Option<BookRow>,
    pub(super) told: Option<Told>,
    pub(super) ended: bool,
}

/// A listing that is listened to.
#[derive(Debug)]
pub(super) struct Game {
    pub(super) listing: Listing,
    pub(super) listed: Listed,
    pub(super) contracts: Vec<i64>,
}

/// One of our games, as it was told last.
#[derive(Debug)]
pub(super) struct OurGame {
    pub(super) sport: String,
    pub(super) provider_id: String,
    pub(super) teams: [String; 2],
    pub(super) mains: Mains,
    pub(super) told: Option<GameTold>,
    pub(super) confirmed: Timestamp,
}

/// Everything known.
pub(super) struct State {
    pub(super) games: BTreeMap<i64, Game>,
    pub(super) contracts: BTreeMap<i64, Contract>,
    pub(super) by_token: BTreeMap<TokenId, i64>,
    pub(super) links: BTreeMap<i64, Link>,
    pub(super) ours: BTreeMap<u32, OurGame>,
    /// Contracts that changed and have not been handed over.
    pub(super) touched: BTreeSet<i64>,
    /// Games of ours that no listing is any more.
    pub(super) left: Vec<(String, GameTold)>,
    /// Why the listings cannot be read.
    pub(super) unread: Option<String>,
    pub(super) status: ExchangeStatus,
    pub(super) messages: u64,
    /// How late messages were, and the longest way from a stamp to the boards, of the last publishing intervals.
    pub(super) delays: Recent,
    pub(super) told_after: VecDeque<i64>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            games: BTreeMap::new(),
            contracts: BTreeMap::new(),
            by_token: BTreeMap::new(),
            links: BTreeMap::new(),
            ours: BTreeMap::new(),
            touched: BTreeSet::new(),
            left: Vec::new(),
            unread: None,
            status: ExchangeStatus { exchange: SOURCE.to_owned(), ..ExchangeStatus::default() },
            messages: 0,
            delays: Recent::new(DELAYS),
            told_after: VecDeque::with_capacity(DELAYS),
        }
    }

    /// Links of earlier sessions.
    pub(super) async fn recall(&mut self, l: &Listener) {
        let (store, now) = (l.store.clone(), l.clock.now());
        let horizon = millis(l.config.horizon);
        let read = move || -> Result<Vec<Link>, crate::store::StoreError> {
            let games = Reader::open(&store)?.exchange_games(SOURCE, now.plus(-AROUND_MS), now.plus(horizon))?;
            Ok(games.into_iter().filter_map(|g| g.link).collect())
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(links)) => self.links = links.into_iter().map(|link| (link.listing, link)).collect(),
            Ok(Err(e)) => tracing::warn!(error = %e, "links of earlier sessions cannot be read"),
            Err(_) => {}
        }
        self.tell(l);
    }

    /// New listings: kept, and taken over where they are within the horizon.
    pub(super) async fn listed(
        &mut self,
        l: &Listener,
        listings: Vec<Listing>,
        at: Timestamp,
    ) -> Result<(), PipelineError> {
        let (from, to) = (at.plus(-AFTER_START_MS), at.plus(millis(l.config.horizon)));
        let within: Vec<Listing> = listings
            .into_iter()
            .filter(|l| l.start.is_none_or(|start| start >= from && start <= to) && !l.over)
            .collect();
        let news = NewListings { listings: within.iter().map(rows::listing).collect(), at };
        let numbers = match l.way_in.exchange_listings(news).await? {
            Ok(numbers) => numbers,
            Err(e) => {
                l.keeper.complain(Part::Exchange, &format!("polymarket's listings cannot be kept: {e}"));
                return Ok(());
            }
        };
        let mut stays = BTreeSet::new();
        for (listing, (number, contracts)) in within.into_iter().zip(numbers) {
            stays.insert(number);
            for (market, id) in rows::contracts(&listing).zip(&contracts) {
                let [Some(first), Some(second)] = [market.tokens.first().cloned(), market.tokens.get(1).cloned()]
                else {
                    continue;
                };
                let known = self.contracts.remove(id);
                let (kept, told, ended) = known.map_or((None, None, false), |c| (c.kept, c.told, c.ended));
                self.by_token.insert(first.clone(), *id);
                self.by_token.insert(second.clone(), *id);
                self.contracts.insert(
                    *id,
                    Contract {
                        number: *id,
                        listing: number,
                        tokens: (first, second),
                        contract: market.contract.clone(),
                        tradable: market.tradable.is_ok(),
                        kept,
                        told,
                        ended,
                    },
                );
            }
            let listed = Listed {
                id: number,
                key: listing.event_id.as_str().to_owned(),
                slug: listing.slug.as_str().to_owned(),
                game: listing.game(),
            };
            self.games.insert(number, Game { listing, listed, contracts });
        }
        self.games.retain(|number, _| stays.contains(number));
        self.contracts.retain(|_, c| stays.contains(&c.listing));
        let contracts = &self.contracts;
        self.by_token.retain(|_, id| contracts.contains_key(id));
        self.status.discovered = Some(at);
        self.status.next_discovery = Some(l.clock.now().plus(millis(l.config.discover)));
        self.status.games = self.games.len();
        self.unread = None;
        Ok(())
    }

    /// The state of the connections.
    pub(super) fn health(&mut self, live: &Live, l: &Listener) {
        let health = live.health();
        let messages: u64 = health.iter().map(|h| h.messages).sum();
        let seconds = l.config.publish.as_secs_f64().max(0.001);
        self.status.messages_per_second = messages.saturating_sub(self.messages) as f64 / seconds;
        self.messages = messages;
        let counts = live.counts();
        self.status.checked = (counts.checked, counts.disagreed);
        self.status.sockets = health
            .into_iter()
            .map(|h| SocketNote {
                shard: h.shard,
                assets: h.assets,
                connected_since: h.connected_since,
                last_data: h.last_data,
                messages: h.messages,
                reconnects: h.reconnects,
                frozen: h.watchdog_fires,
                defects: h.defects,
                error: h.last_error,
            })
            .collect();
        let down = self.status.sockets.iter().find(|s| s.connected_since.is_none() && s.assets > 0);
        let down = down.map(|s| {
            let error = s.error.as_deref().unwrap_or("it is being made");
            format!("connection {} does not stand: {error}", s.shard + 1)
        });
        self.status.trouble = down.or_else(|| self.unread.clone());
        self.status.listening = match (&self.status.trouble, self.status.discovered) {
            (Some(_), _) => Listening::Failing,
            (None, None) => Listening::Starting,
            (None, Some(_)) => Listening::On,
        };
        self.tell(l);
    }

    pub(super) fn tell(&mut self, l: &Listener) {
        let count = |state| self.games.keys().filter(|id| self.links.get(id).is_some_and(|k| k.state == state)).count();
        (self.status.linked, self.status.review) = (count(LinkState::Linked), count(LinkState::Review));
        let mut now = self.status.clone();
        l.keeper.change(|s| {
            if let Some(before) = s.exchange.take() {
                // The history is another task's to tell.
                (now.history, now.expiring) = (before.history, before.expiring);
            }
            s.exchange = Some(now);
        });
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
