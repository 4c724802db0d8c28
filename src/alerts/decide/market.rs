//! What is told of markets without a signal: those that appear, vanish or return, and lines that somebody waits for.

use std::collections::BTreeMap;

use super::{Desk, Wanting, game_now, too_late};
use crate::alerts::facts::{Folded, MarketFacts, code};
use crate::alerts::limits::LimitMove;
use crate::alerts::line;
use crate::alerts::message::Kind;
use crate::alerts::offers::News;
use crate::alerts::words;
use crate::engine::changes::{EventRow, EventStatus};
use crate::engine::{Changes, Engine};
use crate::filter::fold;
use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::time::Timestamp;

/// A line that a rule, as it was last changed, waits for in a game.
pub(super) type Awaited = (i64, Timestamp, EventId);

impl Desk<'_> {
    /// Markets that appeared, vanished or returned: one message for each game, kind and channel.
    pub(super) fn markets(&mut self, news: &[News], engine: &Engine) {
        let same = |a: &News, b: &News| (a.event, a.kind) == (b.event, b.kind);
        for group in news.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            if !self.rules.tells_of(first.kind) {
                continue;
            }
            let Some(row) = engine.event_row(first.event) else { continue };
            self.markets_of(first.kind, &row, group, engine);
        }
    }

    fn markets_of(&mut self, kind: Kind, row: &EventRow, group: &[News], engine: &Engine) {
        let rules = self.rules;
        let names = engine.names();
        // By channel: which markets, and which rules want which of them.
        let mut wanted: BTreeMap<&str, (Vec<&News>, Wanting<'_>)> = BTreeMap::new();
        for rule in rules.rules.iter().filter(|r| r.terms.tells_of(kind)) {
            if too_late(rule, row.commence.since(self.moment.at)) {
                continue;
            }
            let mut passing: Vec<(&News, String)> = Vec::new();
            for news in group {
                let subject = format!("{}:{}:{}", kind.name(), row.provider_id, names.market(news.market));
                let facts = self.market_facts(row, news, engine);
                // A market opens once; a cooldown would only lose the others of the game.
                let cools = kind != Kind::Opener && self.cools(rule, &subject);
                if !cools && rules.passes(rule, &facts).is_ok() {
                    passing.push((news, subject));
                }
            }
            if passing.is_empty() {
                continue;
            }
            for channel in &rule.terms.channels {
                let (markets, by) = wanted.entry(channel).or_default();
                for (news, _) in &passing {
                    if !markets.iter().any(|m| m.market == news.market) {
                        markets.push(news);
                    }
                }
                by.push((rule, passing.iter().map(|(_, subject)| subject.clone()).collect()));
            }
        }
        for (channel, (mut markets, by)) in wanted {
            markets.sort_by_key(|m| m.market);
            let told: Vec<words::MarketNews> = markets
                .iter()
                .map(|m| words::MarketNews {
                    market: names.market(m.market).to_owned(),
                    books: m.books.iter().map(|b| names.book(*b).to_owned()).collect(),
                    was_since: m.was_since,
                })
                .collect();
            let message = words::markets(kind, row, names, &told, self.moment);
            let key = format!("{}:{}:{}:{channel}", kind.name(), row.provider_id, self.moment.at.millis());
            let subject = format!("{}:{}", kind.name(), row.provider_id);
            if !self.told(&key) {
                self.post(channel, key, &by, &subject, None, &message);
            }
        }
    }

    /// Limits that books changed: one message for each game and channel.
    pub(super) fn limits(&mut self, moves: &[LimitMove], changes: &Changes, engine: &Engine) {
        if moves.is_empty() {
            return;
        }
        let rules = self.rules;
        for event in engine.remembered(changes.look.source, changes.look.sport) {
            let Some(row) = engine.event_row(event) else { continue };
            let group: Vec<&LimitMove> = moves.iter().filter(|m| *m.provider_id == *row.provider_id).collect();
            if group.is_empty() {
                continue;
            }
            let mut wanted: BTreeMap<&str, (Vec<&LimitMove>, Wanting<'_>)> = BTreeMap::new();
            for rule in rules.rules.iter().filter(|r| r.terms.tells_of(Kind::Limit)) {
                if too_late(rule, row.commence.since(self.moment.at)) {
                    continue;
                }
                let mut passing: Vec<(&LimitMove, String)> = Vec::new();
                for moved in &group {
                    let subject =
                        format!("limit:{}:{}:{}:{}", row.provider_id, moved.market, moved.book, moved.outcome);
                    let sport = engine.names().sport(row.sport);
                    let mut facts = facts_of(&row, sport, &moved.market, vec![fold(&moved.book)], self.moment.at);
                    facts.watched = !rules.lists_of(&facts).is_empty();
                    if !self.cools(rule, &subject) && rules.passes(rule, &facts).is_ok() {
                        passing.push((moved, subject));
                    }
                }
                if passing.is_empty() {
                    continue;
                }
                for channel in &rule.terms.channels {
                    let (told, by) = wanted.entry(channel).or_default();
                    for (moved, _) in &passing {
                        if !told.contains(moved) {
                            told.push(moved);
                        }
                    }
                    by.push((rule, passing.iter().map(|(_, subject)| subject.clone()).collect()));
                }
            }
            for (channel, (told, by)) in wanted {
                let message = words::limits(&row, engine.names(), &told, self.moment);
                let key = format!("limit:{}:{}:{channel}", row.provider_id, self.moment.at.millis());
                let subject = format!("limit:{}", row.provider_id);
                if !self.told(&key) {
                    self.post(channel, key, &by, &subject, None, &message);
                }
            }
        }
    }

    fn market_facts(&self, row: &EventRow, news: &News, engine: &Engine) -> MarketFacts {
        let names = engine.names();
        let books = news.books.iter().map(|b| fold(names.book(*b))).collect();
        let mut facts = facts_of(row, names.sport(row.sport), names.market(news.market), books, self.moment.at);
        facts.watched = !self.rules.lists_of(&facts).is_empty();
        facts
    }

    /// Lines that somebody waits for and that have come. Answers which are there now, of the sport of the look.
    pub(super) fn lines(&mut self, changes: &Changes, engine: &Engine) -> Vec<(Awaited, bool)> {
        let rules = self.rules;
        let mut met = Vec::new();
        for rule in rules.rules.iter().filter(|r| r.terms.tells_of(Kind::Line)) {
            let Some(wish) = &rule.terms.line else { continue };
            for event in engine.remembered(changes.look.source, changes.look.sport) {
                let Some(row) = engine.event_row(event) else { continue };
                let lead = row.commence.since(self.moment.at);
                if lead <= 0 || row.status != EventStatus::Scheduled || too_late(rule, lead) {
                    continue;
                }
                let oldest = rule.terms.max_age_seconds.map_or(i64::MAX, |s| s as i64 * 1000);
                let place = (rule.id, rule.changed_at, event);
                let offer = line::seek(wish, engine, &row, self.moment.at, oldest);
                let was = self.state.met.contains(&place);
                if offer.is_some() != was {
                    met.push((place, offer.is_some()));
                }
                let Some(offer) = offer.filter(|_| !was) else { continue };
                let names = engine.names();
                let books = vec![fold(names.book(offer.book))];
                let sport = names.sport(row.sport);
                let mut facts = facts_of(&row, sport, names.market(offer.market), books, self.moment.at);
                facts.watched = !rules.lists_of(&facts).is_empty();
                facts.side = offer.side.name();
                facts.offer = Some((offer.line.map(Line::points), offer.price.to_decimal()));
                facts.age = Some(self.moment.at.since(offer.seen) as f64 / 1000.0);
                let subject = format!("line:{}:{}", row.provider_id, offer.side.name());
                if rules.passes(rule, &facts).is_err() || self.cools(rule, &subject) {
                    continue;
                }
                let message = words::line(wish, &offer, &row, names, self.moment);
                for channel in &rule.terms.channels {
                    let at = self.moment.at.millis();
                    let key = format!("line:{}:{}:{at}:{channel}", rule.id, row.provider_id);
                    if !self.told(&key) {
                        self.post(channel, key, &[(rule, vec![subject.clone()])], &subject, None, &message);
                    }
                }
            }
        }
        met
    }
}

fn facts_of(row: &EventRow, sport: &str, market: &str, books: Vec<String>, now: Timestamp) -> MarketFacts {
    let short = |name: &str| fold(&code(sport, name).unwrap_or_default());
    MarketFacts {
        provider_id: row.provider_id.to_string(),
        sport: sport.to_owned(),
        names: [row.home.to_string(), row.away.to_string()],
        folded: Folded {
            teams: vec![fold(&row.home), fold(&row.away), short(&row.home), short(&row.away)],
            sport: fold(sport),
            game: [row.id.0.to_string(), fold(&row.provider_id)],
            market: fold(market),
            books: books.clone(),
        },
        market: market.to_owned(),
        side: "",
        offer: None,
        books: books.len(),
        age: None,
        game: game_now(row, now),
        watched: false,
        now,
    }
}
