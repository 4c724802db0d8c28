//! The listening itself: one task that owns what is known of the exchange, and one beside it that reads its listings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::linker::{Listed, Ours, link_all};
use super::quotes::{self, GameTold, Mains, Offer, Told, seat};
use super::{ExchangeConfig, ExchangeNews, NewListings, history, raw, rows};
use crate::feeds::odds_api;
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::book::Standing;
use crate::feeds::polymarket::client::Client;
use crate::feeds::polymarket::discovery::{self, Listing};
use crate::feeds::polymarket::ids::TokenId;
use crate::feeds::polymarket::socket::{Live, Notice, ShardHealth, Wanted};
use crate::market::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::keeper::{Keeper, local_now};
use crate::runtime::pipeline::{PipelineError, WayIn};
use crate::runtime::status::{ExchangeStatus, Listening, Part, SocketNote};
use crate::store::Reader;
use crate::store::desk::{Desk, ExchangeDecision};
use crate::store::exchange::{BookRow, ExchangeRows, GapRow, Link, LinkState, TradeRow};

/// A book that did not change is said to be current so often. Milliseconds of market time; freshness is counted in minutes.
const CONFIRM_MS: i64 = 60_000;
/// Games and decisions are looked at so often.
const RELINK: Duration = Duration::from_secs(10);
/// Started games are followed for so long. Milliseconds.
const AFTER_START_MS: i64 = 5 * 3_600_000;
/// Games of ours are candidates for so long before and after the horizon. Milliseconds.
const AROUND_MS: i64 = 36 * 3_600_000;
/// Publishing intervals whose longest delay is told.
const DELAYS: usize = 60;
/// First and longest pause after the listings could not be read.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What the task needs.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Listener {
    pub(in crate::runtime) config: ExchangeConfig,
    pub(in crate::runtime) way_in: WayIn,
    pub(in crate::runtime) keeper: Keeper,
    pub(in crate::runtime) clock: Clock,
    pub(in crate::runtime) store: PathBuf,
    pub(in crate::runtime) origin: Option<String>,
}

/// A contract that is listened to.
#[derive(Debug)]
struct Contract {
    number: i64,
    listing: i64,
    tokens: (TokenId, TokenId),
    contract: crate::feeds::polymarket::classify::Contract,
    tradable: bool,
    /// As it was kept and told last.
    kept: Option<BookRow>,
    told: Option<Told>,
    ended: bool,
}

/// A listing that is listened to.
#[derive(Debug)]
struct Game {
    listing: Listing,
    listed: Listed,
    contracts: Vec<i64>,
}

/// One of our games, as it was told last.
#[derive(Debug)]
struct OurGame {
    sport: String,
    provider_id: String,
    teams: [String; 2],
    mains: Mains,
    told: Option<GameTold>,
    confirmed: Timestamp,
}

/// Everything known.
struct State {
    games: BTreeMap<i64, Game>,
    contracts: BTreeMap<i64, Contract>,
    by_token: BTreeMap<TokenId, i64>,
    links: BTreeMap<i64, Link>,
    ours: BTreeMap<u32, OurGame>,
    /// Contracts that changed and have not been handed over.
    touched: BTreeSet<i64>,
    /// Games of ours that no listing is any more.
    left: Vec<(String, GameTold)>,
    /// Why the listings cannot be read.
    unread: Option<String>,
    status: ExchangeStatus,
    messages: u64,
    /// The longest delay of each of the last publishing intervals. Milliseconds.
    delays: VecDeque<Option<i64>>,
}

/// Listens until it is told to stop.
///
/// # Errors
/// [`PipelineError`] when the pipeline has ended.
pub(in crate::runtime) async fn listen(l: Listener, stop: CancellationToken) -> Result<(), PipelineError> {
    let fail = |message: String| {
        tracing::error!("{message}");
        l.keeper.complain(Part::Exchange, &message);
        let status = ExchangeStatus {
            exchange: SOURCE.to_owned(),
            listening: Listening::Failing,
            trouble: Some(message),
            ..ExchangeStatus::default()
        };
        l.keeper.change(|s| s.exchange = Some(status));
    };
    let client = match Client::new(l.config.client.clone()) {
        Ok(client) => client,
        Err(e) => {
            fail(format!("polymarket: {e}"));
            return Ok(());
        }
    };
    let live = match Live::start(l.config.socket.clone(), Some(client.clone())) {
        Ok(live) => live,
        Err(e) => {
            fail(format!("polymarket: {e}"));
            return Ok(());
        }
    };
    if let Some(path) = l.config.record.clone() {
        let (frames, origin, keeper) = (live.raw_frames(raw::ROOM), l.origin.clone(), l.keeper.clone());
        tokio::task::spawn_blocking(move || raw::write(&path, frames, origin.as_deref(), &keeper));
    }
    let (found, mut discovered) = mpsc::channel(1);
    let discovering = discover(client.clone(), l.config.clone(), found);
    let remembering = history::keep_up(
        client,
        l.config.clone(),
        l.clock.clone(),
        l.store.clone(),
        l.way_in.clone(),
        l.keeper.clone(),
    );
    let mut state = State::new();
    state.recall(&l).await;
    let mut publish = interval(l.config.publish);
    publish.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut relink = interval(RELINK);
    relink.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(discovering, remembering);
    let ended = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            () = &mut discovering => {}
            () = &mut remembering => {}
            Some(read) = discovered.recv() => match read {
                Ok(listings) => {
                    if let Err(e) = state.listed(&l, listings, l.clock.now()).await {
                        break Err(e);
                    }
                    state.relink(&l, &live).await;
                }
                Err(message) => {
                    l.keeper.complain(Part::Exchange, &message);
                    state.unread = Some(message);
                }
            },
            _ = relink.tick() => state.relink(&l, &live).await,
            _ = publish.tick() => if let Err(e) = state.publish(&l, &live).await {
                break Err(e);
            },
        }
    };
    live.stop().await;
    ended
}

/// Reads the listings again and again; never returns. What cannot be read is told in words.
async fn discover(client: Client, config: ExchangeConfig, found: mpsc::Sender<Result<Vec<Listing>, String>>) {
    let mut pause = FIRST_PAUSE;
    let mut leagues = Vec::new();
    loop {
        let read = async {
            if leagues.is_empty() {
                leagues = discovery::leagues(&client, &config.sports).await?.0;
            }
            let mut all = Vec::new();
            for league in &leagues {
                let games = discovery::games(&client, league).await?;
                if !games.defects.is_empty() {
                    tracing::debug!(league = league.name, defects = games.defects.len(), "parts of the listings");
                }
                all.extend(games.listings);
            }
            Ok::<_, crate::feeds::polymarket::error::AskError>(all)
        };
        let wait = match read.await {
            Ok(listings) => {
                pause = FIRST_PAUSE;
                let n = listings.len();
                tracing::info!(games = n, leagues = leagues.len(), "polymarket's listings were read");
                if found.send(Ok(listings)).await.is_err() {
                    return;
                }
                // A series changes with the season: the list of leagues is read again now and then, too.
                if n == 0 {
                    leagues.clear();
                }
                config.discover
            }
            Err(e) => {
                let message = format!("polymarket's listings cannot be read: {e}");
                tracing::warn!("{message}");
                if found.send(Err(message)).await.is_err() {
                    return;
                }
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

impl State {
    fn new() -> Self {
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
            delays: VecDeque::with_capacity(DELAYS),
        }
    }

    /// Links of earlier sessions.
    async fn recall(&mut self, l: &Listener) {
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
    async fn listed(&mut self, l: &Listener, listings: Vec<Listing>, at: Timestamp) -> Result<(), PipelineError> {
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
            let listed = Listed { id: number, slug: listing.slug.as_str().to_owned(), game: listing.game() };
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

    /// Looks at our games and at what a person has decided, links what can be linked, and says what is to be listened to.
    async fn relink(&mut self, l: &Listener, live: &Live) {
        let now = l.clock.now();
        let (store, desk) = (l.store.clone(), l.config.desk.clone());
        let sports: BTreeSet<String> = self.games.values().map(|g| g.listing.sport.to_owned()).collect();
        let (from, to) = (now.plus(-AROUND_MS), now.plus(millis(l.config.horizon) + AROUND_MS));
        let read = move || -> Result<(Vec<Ours>, Vec<ExchangeDecision>), String> {
            let reader = Reader::open(&store).map_err(|e| e.to_string())?;
            let mut ours = Vec::new();
            for sport in sports {
                let games = reader.games(&sport, (from, to), now).map_err(|e| e.to_string())?;
                ours.extend(games.into_iter().map(|g| (sport.clone(), g)));
            }
            let decisions = if desk.exists() {
                Desk::open(&desk).and_then(|d| d.exchange_decisions(SOURCE)).map_err(|e| e.to_string())?
            } else {
                Vec::new()
            };
            Ok((ours, decisions))
        };
        let (ours, decisions) = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(read)) => read,
            Ok(Err(e)) => {
                l.keeper.complain(Part::Exchange, &format!("games cannot be linked: {e}"));
                return;
            }
            Err(_) => return,
        };
        let listings: Vec<Listed> = self.games.values().map(|g| g.listed.clone()).collect();
        let before = self.links.clone();
        let changed = link_all(&listings, &ours, &decisions, &mut self.links, now);
        self.take_links(&ours);
        self.disown(l, &before, &changed).await;
        if !changed.is_empty() {
            for link in changed.iter().filter(|link| link.state == LinkState::Linked) {
                let slug = self.games.get(&link.listing).map_or("", |g| g.listed.slug.as_str());
                tracing::info!(slug, event = link.event.map(|e| e.0), how = link.how.name(), "a game was linked");
            }
            let rows = ExchangeRows { links: changed, ..ExchangeRows::default() };
            // A link that could not be kept is made again with the next change.
            let _ = l.way_in.exchange(ExchangeNews { rows, origin: l.origin.clone(), ..ExchangeNews::default() }).await;
        }
        live.want(self.wanted(now, l.config.max_assets));
        self.tell(l);
    }

    /// What was told of a game by a link that is no more was another game's: it is taken back, with what followed from it.
    async fn disown(&mut self, l: &Listener, before: &BTreeMap<i64, Link>, changed: &[Link]) {
        for new in changed {
            let Some(old) = before.get(&new.listing).filter(|old| old.state == LinkState::Linked) else { continue };
            let Some(event) = old.event.filter(|_| old.event != new.event || new.state != LinkState::Linked) else {
                continue;
            };
            let Some(game) = self.games.get(&new.listing) else { continue };
            let sport = game.listing.sport.to_owned();
            match l.way_in.exchange_disown(sport, event, old.at).await {
                Ok(Ok(_)) => {
                    // Nothing of it is left that would have to be told of as gone; another listing of it tells anew.
                    self.left.retain(|(_, told)| self.ours.values().any(|o| o.provider_id == told.provider_id));
                    if let Some(ours) = self.ours.get_mut(&event.0) {
                        ours.told = None;
                    }
                }
                Ok(Err(e)) => l.keeper.complain(Part::Exchange, &format!("an undone link was not taken back: {e}")),
                Err(_) => return,
            }
        }
    }

    /// Which of our games are told of now; those that are no more are told of once more, as gone.
    fn take_links(&mut self, games: &[Ours]) {
        let linked: BTreeMap<u32, &Ours> = games
            .iter()
            .filter(|(_, g)| {
                self.links.values().any(|link| link.state == LinkState::Linked && link.event == Some(g.event))
            })
            .map(|ours| (ours.1.event.0, ours))
            .collect();
        let still = |event: &u32| {
            self.links.values().any(|link| link.state == LinkState::Linked && link.event.map(|e| e.0) == Some(*event))
        };
        let gone: Vec<u32> = self.ours.keys().filter(|event| !still(event)).copied().collect();
        for event in gone {
            if let Some(game) = self.ours.remove(&event)
                && game.told.is_some()
            {
                let empty = GameTold::of(&game.provider_id, &game.teams, &[], &mut Mains::default());
                self.left.push((game.sport, empty));
            }
        }
        for (event, (sport, game)) in linked {
            let teams = [game.home.to_string(), game.away.to_string()];
            let known = self.ours.entry(event).or_insert_with(|| OurGame {
                sport: sport.clone(),
                provider_id: game.provider_id.to_string(),
                teams: teams.clone(),
                mains: Mains::default(),
                told: None,
                confirmed: Timestamp::default(),
            });
            known.teams = teams;
        }
    }

    /// What to listen to: games of ours first, then by start; of each the contracts that the books have something beside.
    fn wanted(&mut self, now: Timestamp, most: usize) -> Vec<Wanted> {
        let mut games: Vec<&Game> = self.games.values().collect();
        let linked = |g: &Game| self.links.get(&g.listed.id).is_some_and(|link| link.state == LinkState::Linked);
        games.sort_by_key(|g| (!linked(g), g.listing.start.unwrap_or(Timestamp::from_millis(i64::MAX)), g.listed.id));
        let mut wanted = Vec::new();
        let mut contracts = 0;
        for game in games {
            // A game that is about to begin or is on moves all the time; days before, hours may pass without a change.
            let near = game.listing.live || game.listing.start.is_some_and(|s| s.since(now) < 3_600_000);
            for contract in game.contracts.iter().filter_map(|id| self.contracts.get(id)) {
                let told = matches!(contract.contract.kind.name(), "moneyline" | "spread" | "total" | "three_way_leg");
                if !told || !contract.tradable || contract.ended || wanted.len() + 2 > most {
                    continue;
                }
                contracts += 1;
                for token in [&contract.tokens.0, &contract.tokens.1] {
                    wanted.push(Wanted { token: token.clone(), live: near });
                }
            }
        }
        self.status.contracts = contracts;
        wanted
    }

    /// Hands over what changed since the last time.
    async fn publish(&mut self, l: &Listener, live: &Live) -> Result<(), PipelineError> {
        let (now, local, began) = (l.clock.now(), local_now(), Instant::now());
        let mut rows = ExchangeRows::default();
        let changes = live.take_changes();
        self.touched.extend(changes.tokens.iter().filter_map(|t| self.by_token.get(t)));
        for trade in &changes.trades {
            let Some(contract) = self.by_token.get(&trade.token).and_then(|id| self.contracts.get(id)) else {
                continue;
            };
            rows.trades.push(TradeRow {
                market: contract.number,
                at: trade.at,
                first: contract.tokens.0 == trade.token,
                side: trade.side.map(|s| match s {
                    crate::feeds::polymarket::ids::Side::Bid => "buy".to_owned(),
                    crate::feeds::polymarket::ids::Side::Ask => "sell".to_owned(),
                }),
                price: trade.price.ticks(),
                size: trade.size.map(|s| s.micros()),
            });
        }
        for notice in changes.notices {
            self.notice(notice, l, now, local, &mut rows);
        }
        self.read_books(live, l.config.min_depth, now, &mut rows);
        if !matches!(l.clock, Clock::Local) {
            self.status.delay_ms = None;
        }
        let heard = heard(&live.health(), now, local, l.clock.speed());
        let looks = self.looks(now, heard, &mut rows);
        if !(rows.is_empty() && looks.is_empty()) {
            let news = ExchangeNews { looks, rows, origin: l.origin.clone() };
            if let Err(e) = l.way_in.exchange(news).await? {
                l.keeper.complain(Part::Exchange, &format!("what polymarket told cannot be kept: {e}"));
                // Everything is told again once it can be kept.
                self.ours.values_mut().for_each(|game| game.told = None);
                self.contracts.values_mut().for_each(|c| c.kept = None);
                self.touched.extend(self.contracts.keys());
            }
            self.status.lag_ms = u64::try_from(began.elapsed().as_millis()).ok();
        }
        self.health(live, l);
        Ok(())
    }

    fn notice(&mut self, notice: Notice, l: &Listener, now: Timestamp, local: Timestamp, rows: &mut ExchangeRows) {
        match notice {
            Notice::Gap(gap) => {
                // Told by this machine's clock, kept by the market's.
                let in_market = |at: Timestamp| now.plus(-l.clock.speed() * local.since(at));
                let markets: BTreeSet<i64> = gap.tokens.iter().filter_map(|t| self.by_token.get(t)).copied().collect();
                tracing::warn!(
                    why = gap.why.name(),
                    contracts = markets.len(),
                    shard = gap.shard,
                    "polymarket was not heard"
                );
                rows.gaps.push(GapRow {
                    since: in_market(gap.from),
                    until: in_market(gap.to),
                    why: gap.why.name().to_owned(),
                    markets: u32::try_from(markets.len()).unwrap_or(u32::MAX),
                });
                self.touched.extend(markets);
            }
            Notice::Resolved { tokens, winner, outcome, .. } => {
                let ids: BTreeSet<i64> = tokens.iter().filter_map(|t| self.by_token.get(t)).copied().collect();
                for id in ids {
                    let Some(contract) = self.contracts.get_mut(&id) else { continue };
                    contract.ended = true;
                    let by_token = winner.as_ref().and_then(|w| {
                        let place = usize::from(contract.tokens.0 != *w);
                        contract.contract.outcomes.get(place).map(|o| o.name.clone())
                    });
                    rows.ended.push((id, outcome.clone().or(by_token), now));
                    self.touched.insert(id);
                }
            }
            Notice::Disagreed { token, .. } => self.touched.extend(self.by_token.get(&token)),
            Notice::TickSize { .. } | Notice::NewMarket(_) => {}
        }
    }

    /// Books that changed, as they are kept and told.
    fn read_books(&mut self, live: &Live, min_depth: f64, now: Timestamp, rows: &mut ExchangeRows) {
        let touched: Vec<i64> = std::mem::take(&mut self.touched).into_iter().collect();
        let pairs: Vec<(TokenId, TokenId)> =
            touched.iter().filter_map(|id| self.contracts.get(id)).map(|c| c.tokens.clone()).collect();
        let books = live.pairs(&pairs);
        if self.delays.len() >= DELAYS {
            self.delays.pop_front();
        }
        self.delays.push_back(books.iter().filter_map(|b| Some(b.received_at?.since(b.changed_at?))).max());
        self.status.delay_ms = self.delays.iter().copied().max().flatten();
        let known = touched.iter().filter(|id| self.contracts.contains_key(id)).copied().collect::<Vec<_>>();
        for (id, pair) in known.into_iter().zip(books) {
            let Some(contract) = self.contracts.get_mut(&id) else { continue };
            contract.told = if contract.ended { None } else { Told::of(&pair, min_depth, contract.told.as_ref()) };
            let row = rows::book(id, &pair, contract.told.as_ref(), now);
            let first_word = contract.kept.is_none() && matches!(pair.standing, Standing::Unseeded(_));
            if !first_word && contract.kept.as_ref().is_none_or(|kept| !rows::same(kept, &row)) {
                rows.books.push(row.clone());
                contract.kept = Some(row);
            }
        }
    }

    /// Looks at games of ours that changed, or that are to be confirmed.
    fn looks(
        &mut self,
        now: Timestamp,
        heard: Option<Timestamp>,
        rows: &mut ExchangeRows,
    ) -> Vec<crate::market::batch::Batch<'static>> {
        let mut by_sport: BTreeMap<String, Vec<GameTold>> = BTreeMap::new();
        for (sport, told) in std::mem::take(&mut self.left) {
            by_sport.entry(sport).or_default().push(told);
        }
        for (event, ours) in &mut self.ours {
            let mut offers = Vec::new();
            let mut current = Vec::new();
            for (number, game) in &self.games {
                let Some(link) = self.links.get(number).filter(|link| link.state == LinkState::Linked) else {
                    continue;
                };
                let (Some(home_first), Some([first, other])) = (link.home_first, &game.listing.teams) else { continue };
                if link.event.map(|e| e.0) != Some(*event) {
                    continue;
                }
                let (home, away) = if home_first { (first, other) } else { (other, first) };
                for contract in game.contracts.iter().filter_map(|id| self.contracts.get(id)) {
                    let Some(seat) = seat(&contract.contract, home, away) else { continue };
                    if contract.ended || !contract.tradable || contract.kept.is_none() {
                        continue;
                    }
                    if contract.told.is_some() {
                        current.push(contract.number);
                    }
                    offers.push(Offer { seat, told: contract.told });
                }
            }
            if offers.is_empty() && ours.told.is_none() {
                continue;
            }
            let told = GameTold::of(&ours.provider_id, &ours.teams, &offers, &mut ours.mains);
            // Silence confirms nothing.
            let confirm = heard.is_some_and(|heard| heard.since(ours.confirmed) >= CONFIRM_MS);
            if confirm || ours.told.as_ref() != Some(&told) {
                if confirm {
                    let heard = heard.unwrap_or(now);
                    rows.seen.extend(current.into_iter().map(|id| (id, heard)));
                    ours.confirmed = heard;
                }
                ours.told = Some(told.clone());
                by_sport.entry(ours.sport.clone()).or_default().push(told);
            }
        }
        let heard = heard.unwrap_or(now);
        let batch =
            |(sport, games): (String, Vec<GameTold>)| quotes::batch(odds_api::SOURCE, &sport, &games, now, heard);
        by_sport.into_iter().map(batch).collect()
    }

    /// The state of the connections.
    fn health(&mut self, live: &Live, l: &Listener) {
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

    fn tell(&mut self, l: &Listener) {
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

/// Up to when every connection is known to have told everything, by the market's clock: one that has said nothing since
/// may be dead. `None`: one of them has not said anything yet.
fn heard(sockets: &[ShardHealth], now: Timestamp, local: Timestamp, speed: i64) -> Option<Timestamp> {
    let mut listening = sockets.iter().filter(|s| s.assets > 0).peekable();
    listening.peek()?;
    let oldest = listening.map(|s| s.last_data).min()??;
    Some(now.plus(-speed * local.since(oldest).max(0)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
