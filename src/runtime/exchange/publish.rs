//! What was heard, on its way to the judge: books that changed and what may be told of them, trades, gaps and results, once a
//! publishing interval.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::listen::Listener;
use super::quotes::{self, GameTold, Mains, Offer, Told, seat};
use super::state::{Contract, DELAYS, State};
use super::{ExchangeNews, rows};
use crate::feeds::odds_api;
use crate::feeds::polymarket::book::Standing;
use crate::feeds::polymarket::ids::{Side, TokenId};
use crate::feeds::polymarket::socket::{Delays, Live, Notice};
use crate::market::batch::Batch;
use crate::market::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::keeper::local_now;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::status::{DelayNote, Part};
use crate::store::exchange::{BookRow, BookState, ExchangeRows, GapRow, LinkState, TradeRow};

/// A book that did not change is said to be current so often. Milliseconds of market time; freshness is counted in minutes.
const CONFIRM_MS: i64 = 60_000;

impl State {
    /// Hands over what changed since the last time.
    pub(super) async fn publish(&mut self, l: &Listener, live: &Live) -> Result<(), PipelineError> {
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
                    Side::Bid => "buy".to_owned(),
                    Side::Ask => "sell".to_owned(),
                }),
                price: trade.price.ticks(),
                size: trade.size.map(|s| s.micros()),
            });
        }
        for notice in changes.notices {
            self.notice(notice, l, now, local, &mut rows);
        }
        self.read_books(live, l.config.min_depth, now, &mut rows);
        // Told by this machine's clock, meant by the market's.
        let in_market = |at: Timestamp| now.plus(-l.clock.speed() * local.since(at).max(0));
        let looks = self.looks(live, now, in_market, &mut rows);
        let any = !(rows.is_empty() && looks.is_empty());
        if any {
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
        // A market that is not of this time has stamps of another.
        if matches!(l.clock, Clock::Local) {
            self.note_delays(changes.delays, changes.oldest.filter(|_| any).map(|at| local_now().since(at)));
        }
        self.health(live, l);
        Ok(())
    }

    /// Nobody listens from now on: every book is unknown, and no game is told of any more.
    pub(super) async fn leave(&mut self, l: &Listener, live: &Live) -> Result<(), PipelineError> {
        self.publish(l, live).await?;
        let now = l.clock.now();
        let unknown = |c: &Contract| c.kept.as_ref().is_some_and(|kept| kept.state != BookState::Unknown);
        let row = |c: &Contract| BookRow { market: c.number, at: now, state: BookState::Unknown, ..BookRow::default() };
        let books = self.contracts.values().filter(|c| unknown(c)).map(row).collect();
        let rows = ExchangeRows { books, ..ExchangeRows::default() };
        let mut by_sport: BTreeMap<String, Vec<(GameTold, Timestamp)>> = BTreeMap::new();
        for game in std::mem::take(&mut self.ours).into_values().filter(|game| game.told.is_some()) {
            let gone = GameTold::of(&game.provider_id, &game.teams, &[], &mut Mains::default());
            by_sport.entry(game.sport).or_default().push((gone, now));
        }
        let batch = |(sport, games): (String, Vec<_>)| quotes::batch(odds_api::SOURCE, &sport, &games, now);
        let looks = by_sport.into_iter().map(batch).collect();
        if let Err(e) = l.way_in.exchange(ExchangeNews { looks, rows, origin: l.origin.clone() }).await? {
            l.keeper.complain(Part::Exchange, &format!("that polymarket is not listened to cannot be kept: {e}"));
        }
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

    /// How late the messages of this interval were, and how long after the oldest stamp it was told.
    fn note_delays(&mut self, delays: Delays, told_after: Option<i64>) {
        self.delays.push(delays);
        if self.told_after.len() >= DELAYS {
            self.told_after.pop_front();
        }
        self.told_after.push_back(told_after.unwrap_or(i64::MIN));
        let sum = self.delays.sum();
        let told = self.told_after.iter().copied().max().filter(|ms| *ms != i64::MIN);
        self.status.delay = sum.ends().map(|(least, most)| DelayNote {
            messages: sum.messages(),
            least,
            median: sum.quantile(0.5).unwrap_or(least),
            p99: sum.quantile(0.99).unwrap_or(most),
            most,
            told: told.unwrap_or(0),
        });
    }

    /// Books that changed, as they are kept and told.
    fn read_books(&mut self, live: &Live, min_depth: f64, now: Timestamp, rows: &mut ExchangeRows) {
        let touched: Vec<i64> = std::mem::take(&mut self.touched).into_iter().collect();
        let pairs: Vec<(TokenId, TokenId)> =
            touched.iter().filter_map(|id| self.contracts.get(id)).map(|c| c.tokens.clone()).collect();
        let books = live.pairs(&pairs);
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
        live: &Live,
        now: Timestamp,
        in_market: impl Fn(Timestamp) -> Timestamp,
        rows: &mut ExchangeRows,
    ) -> Vec<Batch<'static>> {
        let mut by_sport: BTreeMap<String, Vec<(GameTold, Timestamp)>> = BTreeMap::new();
        for (sport, told) in std::mem::take(&mut self.left) {
            by_sport.entry(sport).or_default().push((told, now));
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
            // Silence confirms nothing; a game is as fresh as the contract of which was heard longest ago.
            let pairs: Vec<(TokenId, TokenId)> =
                current.iter().filter_map(|id| self.contracts.get(id)).map(|c| c.tokens.clone()).collect();
            let heard = live.heard(&pairs).into_iter().min().flatten().map(&in_market);
            let confirm = heard.is_some_and(|heard| heard.since(ours.confirmed) >= CONFIRM_MS);
            if confirm || ours.told.as_ref() != Some(&told) {
                if confirm {
                    let heard = heard.unwrap_or(now);
                    rows.seen.extend(current.into_iter().map(|id| (id, heard)));
                    ours.confirmed = heard;
                }
                ours.told = Some(told.clone());
                by_sport.entry(ours.sport.clone()).or_default().push((told, heard.unwrap_or(now)));
            }
        }
        by_sport.into_iter().map(|(sport, games)| quotes::batch(odds_api::SOURCE, &sport, &games, now)).collect()
    }
}
