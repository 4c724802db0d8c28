//! Which of our games each listing is, as it changes: links are made and undone, what an undone one had said is taken back,
//! and what is listened to follows.

use std::collections::{BTreeMap, BTreeSet};

use super::ExchangeNews;
use super::linker::{Listed, Ours, link_all};
use super::listen::Listener;
use super::quotes::{GameTold, Mains};
use super::state::{AROUND_MS, Game, OurGame, State, millis};
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::socket::{Live, Wanted};
use crate::market::time::Timestamp;
use crate::runtime::status::Part;
use crate::store::Reader;
use crate::store::desk::{Desk, ExchangeDecision};
use crate::store::exchange::{ExchangeRows, Link, LinkState};

impl State {
    /// Looks at our games and at what a person has decided, links what can be linked, and says what is to be listened to.
    pub(super) async fn relink(&mut self, l: &Listener, live: &Live) {
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
}
