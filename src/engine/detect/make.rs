//! From a finding to a signal: evidence, entry, scores, names.

use super::composite::{self, Inputs, Record};
use super::entry::{self, Take};
use super::finding::{Dislocated, Extra, Finding, Taking};
use super::signal::{
    Components, Detail, Direction, Entry, Evidence, SCHEMA, Sampling, Sharp, Signal, SignalType, Stand,
};
use super::strength::{self, Divergence, Moved as Size, Steamed};
use super::window::{Member, Window, size};
use crate::engine::grade::interval::wilson;
use crate::engine::memory::{Gaps, Question, Sight};
use crate::engine::names::Names;
use crate::engine::price::scale::{Scale, first};
use crate::engine::profile::BookProfile;
use crate::engine::rules::Class;
use crate::engine::state::EventState;
use crate::market::bucket::TimeBucket;
use crate::market::ids::BookId;
use crate::market::selection::{self, Side};
use crate::market::time::Timestamp;

const MINUTE: f64 = 60_000.0;
/// Velocities below this are not resolved.
const SHORTEST: f64 = 0.1;

/// Everything that a signal is made of.
pub(crate) struct Making<'m> {
    pub(crate) event: &'m EventState,
    pub(crate) question: &'m Question,
    pub(crate) scale: Scale<'m>,
    pub(crate) names: &'m Names,
    pub(crate) profiles: &'m [BookProfile],
    pub(crate) families: &'m [String],
    pub(crate) at: Timestamp,
    pub(crate) max_age_ms: i64,
    pub(crate) gaps: Gaps,
    /// The window, where the finding has one.
    pub(crate) window: Option<&'m Window>,
    /// Events graded and events positive, of a type in this sport.
    pub(crate) record: (u32, u32),
    /// A dislocation's baseline, a steam's threshold as the formulas know them: before any narrowing.
    pub(crate) base_threshold: f64,
    /// Independent books of a steam, at least.
    pub(crate) steam_books: u16,
}

/// A finding's place in the world, before it is decided whether to tell of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Told {
    pub(crate) place: Option<usize>,
    pub(crate) selection: String,
    pub(crate) side: Option<Side>,
    pub(crate) from_value: f64,
    pub(crate) to_value: f64,
    pub(crate) unit: &'static str,
    /// The threshold in the units of the values.
    pub(crate) threshold: f64,
}

/// The name of a side of a question.
pub(crate) fn selection_name(names: &Names, event: &EventState, question: &Question, side: Side) -> String {
    let (teams, family) = ((&*event.home, &*event.away), names.spec(question.key.market).family);
    selection::selection_name(side, teams, names.subject(question.key.subject), family)
}

impl Making<'_> {
    fn family_name(&self, family: u16) -> String {
        self.families.get(usize::from(family)).cloned().unwrap_or_default()
    }

    /// The line at which the first side is worth even money (home's own line, or the total); a probability otherwise.
    fn shown(&self, value: f64) -> f64 {
        match self.scale {
            Scale::LogOdds => value,
            Scale::Points(model) => {
                let side = first(self.question.layout);
                let fallback = if side == Side::Home { -value } else { value };
                model.fair_line(side, value).map_or(fallback, |f| f.points)
            }
        }
    }

    /// What a finding is about: which side, from where to where.
    pub(crate) fn tell(&self, finding: &Finding) -> Told {
        let layout = self.question.layout;
        let two = layout.sides().len() == 2;
        let looked_at = self.window.map_or(0, |w| w.place);
        let towards = match (finding.sign >= 0.0, two) {
            (true, _) => Some(looked_at),
            (false, true) => Some(1 - looked_at.min(1)),
            (false, false) => None,
        };
        let (place, from, to) = match &finding.extra {
            Extra::Book(d) => {
                let place = Some(match d.taking {
                    Taking::Here => d.place,
                    Taking::Elsewhere | Taking::Nowhere => d.points_to,
                });
                (place, self.shown(d.fair_value), self.shown(d.fair_value + d.delta))
            }
            _ => {
                // Where some moved and the rest did not, the move is that of the movers.
                let by_movers = matches!(finding.kind, SignalType::Steam | SignalType::MultibookSync);
                let (before, after) = self.window.map_or((0.0, 0.0), |w| match by_movers {
                    true => w.medians_of_movers(finding.sign, finding.mover_least),
                    false => w.medians(),
                });
                (towards, self.shown(before), self.shown(after))
            }
        };
        let (from, to) = finding.lines.unwrap_or((from, to));
        let nowhere = matches!(&finding.extra, Extra::Book(d) if d.taking == Taking::Nowhere);
        let informational = finding.kind == SignalType::LiveShock || nowhere;
        let side = place.and_then(|p| layout.sides().get(p)).copied();
        let named = side.unwrap_or_else(|| first(layout));
        Told {
            place: place.filter(|_| !informational),
            selection: selection_name(self.names, self.event, self.question, named),
            side: side.filter(|_| !informational),
            from_value: from,
            to_value: to,
            unit: if self.scale.has_model() { "line" } else { "probability" },
            threshold: match &finding.extra {
                // In the units of the values: the rule is one of probability.
                Extra::Book(d) if finding.kind == SignalType::ExchangeDivergence && finding.magnitude > 0.0 => {
                    d.delta.abs() * finding.threshold / finding.magnitude
                }
                _ => finding.threshold,
            },
        }
    }

    /// The signal of a finding.
    pub(crate) fn signal(&self, finding: &Finding, told: Told, supersedes: Option<String>, id: String) -> Signal {
        let dislocated = match &finding.extra {
            Extra::Book(d) => Some(*d),
            _ => None,
        };
        let entry = told.place.and_then(|place| self.entry(place, dislocated.as_ref()));
        let moved = self.moved(finding);
        let minutes = self.event.commence.since(self.at) as f64 / MINUTE;
        let bucket = TimeBucket::at(self.at, Some(self.event.commence));
        let dispersion = self.question.priced.consensus.map(|c| c.dispersion);
        let (strength, mut components) = self.strength(finding, &moved, minutes, dispersion);
        let window_minutes = finding.window_ms as f64 / MINUTE;
        let stale_entry = entry.as_ref().is_some_and(|e| e.age_seconds * 1000.0 > self.max_age_ms as f64);
        // Without a panel or without anything to take the score would be made of what is not known.
        let known = moved.panel > 0 && entry.is_some();
        let inputs = Inputs {
            strength,
            velocity_minutes: Some(moved.velocity),
            window_minutes,
            movers: known.then_some(moved.movers),
            panel: known.then_some(moved.panel),
            sharp: Some(moved.sharp),
            bucket,
            record: self.record(),
            stale_entry,
        };
        let score = composite::composite(&inputs, &mut components);
        let ways = if told.to_value >= told.from_value { Direction::Up } else { Direction::Down };
        let detail = self.detail(finding, &moved, dislocated.as_ref(), dispersion);
        Signal {
            id,
            version: 1,
            schema: SCHEMA,
            kind: finding.kind,
            event_id: self.event.id,
            provider_event_id: self.event.provider_id.to_string(),
            sport: self.names.sport(self.event.sport).to_owned(),
            home_team: self.event.home.to_string(),
            away_team: self.event.away.to_string(),
            commence_time: self.event.commence,
            market: self.names.market(self.question.key.market).to_owned(),
            selection: told.selection,
            side: told.side.map(|s| s.name().to_owned()),
            direction: ways,
            window_minutes,
            unit: told.unit.to_owned(),
            from_value: told.from_value,
            to_value: told.to_value,
            entry,
            entry_now: None,
            books_affected: if dislocated.is_some() { 1 } else { moved.movers },
            panel: moved.panel,
            opposers: moved.opposers,
            evidence: moved.evidence,
            sampling: Sampling {
                looks: self.gaps.looks,
                longest_gap_seconds: self.gaps.longest as f64 / 1000.0,
                limit_seconds: if finding.limit_ms == i64::MAX { 0.0 } else { finding.limit_ms as f64 / 1000.0 },
                from_look: self.gaps.from,
            },
            velocity_minutes: moved.velocity,
            minutes_to_tip: minutes,
            time_bucket: bucket,
            strength,
            components,
            composite: score.score,
            tier: score.tier,
            score_source: score.source,
            sharp: moved.sharp,
            supersedes,
            detail,
            detected_at: self.at,
            updated_at: self.at,
            key: self.question.key,
        }
    }

    /// The type's record in this sport, in events.
    fn record(&self) -> Option<Record> {
        let (events, positive) = self.record;
        let interval = wilson(positive, events)?;
        Some(Record { events, lower: interval.low })
    }

    fn entry(&self, place: usize, dislocated: Option<&Dislocated>) -> Option<Entry> {
        let profile = |book: BookId| self.profiles.get(usize::from(book.0)).copied().unwrap_or_default();
        let take = match dislocated {
            // The quote itself is what is worth taking.
            Some(d) if d.taking == Taking::Here => {
                let view = self.question.views.iter().find(|v| v.book == d.book)?;
                let fair = self.question.priced.without(profile(d.book).voter.family)?;
                let settlement = entry::settlement(self.question, self.scale, view, fair, place)?;
                Some(Take { book: d.book, ev: Some(d.ev), fair: Some(settlement.fair_probability()) })
            }
            Some(d) => {
                let not = Some(d.book);
                entry::best(self.question, self.scale, place, self.at, self.max_age_ms, not, profile)
            }
            None => entry::best(self.question, self.scale, place, self.at, self.max_age_ms, None, profile),
        }?;
        let view = self.question.views.iter().find(|v| v.book == take.book)?;
        let price = view.price(place)?;
        let side = *self.question.layout.sides().get(place)?;
        Some(Entry {
            book: self.names.book(take.book).to_owned(),
            line: view.line.map(|l| self.question.layout.line_for(l, side).points()),
            price: price.to_decimal(),
            price_american: price.to_american(),
            age_seconds: view.age(self.at) as f64 / 1000.0,
            ev: take.ev,
            fair_probability: take.fair,
        })
    }

    fn stand(&self, sight: &Sight, place: usize) -> Stand {
        Stand {
            line: sight.line.map(|l| l.points()),
            prices: sight.prices.map(|p| p.map(|p| p.to_decimal())),
            probability: sight.fair.first().copied().unwrap_or_default(),
            value: size(self.scale, sight, place),
        }
    }

    fn moved(&self, finding: &Finding) -> Moved {
        let Some(window) = self.window else { return Moved::nobody() };
        let dislocated = matches!(finding.extra, Extra::Book(_));
        let least = finding.mover_least;
        let movers: Vec<_> = window.movers(finding.sign, least).collect();
        let mut instants: Vec<Timestamp> = movers.iter().filter_map(|f| f.moved_at).collect();
        instants.sort_unstable();
        let velocity = match (instants.first(), instants.last()) {
            (Some(first), Some(last)) => (last.since(*first) as f64 / MINUTE).max(SHORTEST),
            _ => SHORTEST,
        };
        let mut leaders = movers.iter().filter(|f| f.moved_at == instants.first().copied());
        let leader = match (leaders.next(), leaders.next()) {
            (Some(only), None) => Some(only.family),
            _ => None,
        };
        instants.dedup();
        let order = |m: &Member| {
            let at = m.moved.map(|(at, _)| at)?;
            let same_way = movers.iter().any(|f| f.family == m.family) && m.change * finding.sign > 0.0;
            let place = instants.iter().position(|i| *i >= at)?;
            same_way.then_some(place as u16 + 1)
        };
        let mut evidence: Vec<Evidence> = window
            .members
            .iter()
            .filter_map(|m| {
                let (view, track) = self.question.views.get(m.at).zip(self.question.tracks.get(m.at))?;
                Some(Evidence {
                    book: self.names.book(view.book).to_owned(),
                    family: self.family_name(m.family),
                    before: self.stand(&track.as_of(view, window.start)?, window.place),
                    after: self.stand(&Sight::of(view), window.place),
                    change: m.change,
                    moved_at: m.moved.filter(|_| m.change != 0.0).map(|(at, _)| at),
                    moved_after: m.moved.filter(|_| m.change != 0.0).map(|(_, after)| after),
                    order: if dislocated { None } else { order(m) },
                })
            })
            .collect();
        evidence.sort_by(|a, b| a.book.cmp(&b.book));
        let part = least.max(0.4 * finding.threshold);
        let sharp_moves = || window.members.iter().filter(|m| m.sharp).map(|m| m.change * finding.sign);
        let sharp = if sharp_moves().any(|c| c >= part - 1e-6) {
            Sharp::Agree
        } else if sharp_moves().any(|c| c <= -part + 1e-6) {
            Sharp::Oppose
        } else {
            Sharp::None
        };
        Moved {
            movers: movers.len() as u16,
            opposers: window.movers(-finding.sign, least).count() as u16,
            panel: window.families.len() as u16,
            velocity,
            leader: leader.filter(|_| !dislocated),
            together: !dislocated && leader.is_none() && movers.len() > 1,
            sharp,
            evidence,
        }
    }

    fn strength(&self, finding: &Finding, moved: &Moved, minutes: f64, dispersion: Option<f64>) -> (u8, Components) {
        let class = self.question.class;
        let window = finding.window_ms as f64 / MINUTE;
        // Points that are worth as much where the sport's results spread as widely as football's.
        let wide = if finding.threshold > 0.0 { self.base_threshold / finding.threshold } else { 1.0 };
        let magnitude = match class {
            Class::Chance => strength::points_of_probability(finding.magnitude),
            _ if finding.kind == SignalType::KeyCross => finding.magnitude,
            _ => finding.magnitude * wide,
        };
        match finding.kind {
            SignalType::Move | SignalType::KeyCross | SignalType::MultibookSync => strength::moved(&Size {
                magnitude,
                velocity_minutes: moved.velocity,
                window_minutes: window,
                books: moved.movers,
                minutes_to_tip: Some(minutes),
            }),
            SignalType::Steam => strength::steam(&Steamed {
                total_move: finding.magnitude,
                speed: finding.magnitude / window,
                books: moved.movers,
                threshold: finding.threshold,
                window_minutes: window,
                min_books: self.steam_books,
            }),
            SignalType::Dislocation => {
                let books = self.question.priced.consensus.map_or(self.question.priced.books, |c| c.books);
                strength::dislocation(finding.magnitude, finding.threshold, dispersion, books)
            }
            SignalType::LiveShock => strength::live_shock(finding.magnitude, finding.threshold),
            SignalType::ExchangeDivergence => match &finding.extra {
                Extra::Book(d) => strength::exchange_divergence(
                    Divergence::from_name(d.label),
                    d.lag_ms.map(|ms| ms as f64 / 1000.0),
                    d.probability,
                ),
                _ => (1, Components::default()),
            },
        }
    }

    fn detail(
        &self,
        finding: &Finding,
        moved: &Moved,
        dislocated: Option<&Dislocated>,
        dispersion: Option<f64>,
    ) -> Detail {
        let mut detail = Detail { dispersion, ..Detail::default() };
        if let Extra::Keys { keys, mass } = &finding.extra {
            detail.keys.clone_from(keys);
            detail.mass = *mass;
        }
        if let Some(d) = dislocated {
            detail.book = Some(self.names.book(d.book).to_owned());
            detail.label = Some(d.label.to_owned());
            detail.ev = Some(d.ev);
            detail.fair_value = Some(d.fair_value);
            detail.standard_error = Some(d.standard_error);
            detail.delta = Some(d.delta);
            detail.lag_seconds = d.lag_ms.map(|ms| ms as f64 / 1000.0);
            detail.exchange_probability = d.probability;
        }
        detail.leader = moved.leader.map(|family| {
            let first = moved.evidence.iter().find(|e| e.order == Some(1) && e.family == self.family_name(family));
            first.map_or_else(|| self.family_name(family), |e| e.book.clone())
        });
        if moved.together {
            detail.labels.push("leader_unknown".to_owned());
        }
        detail
    }
}

/// Who moved.
struct Moved {
    movers: u16,
    opposers: u16,
    panel: u16,
    velocity: f64,
    leader: Option<u16>,
    /// Several families moved first in one look.
    together: bool,
    sharp: Sharp,
    evidence: Vec<Evidence>,
}

impl Moved {
    const fn nobody() -> Self {
        Self {
            movers: 0,
            opposers: 0,
            panel: 0,
            velocity: SHORTEST,
            leader: None,
            together: false,
            sharp: Sharp::None,
            evidence: Vec::new(),
        }
    }
}

/// The id of a signal: the same content, the same id, wherever and whenever it is worked out.
pub(crate) fn signal_id(
    source: &str,
    event: &EventState,
    names: &Names,
    question: &Question,
    parts: &[&str],
) -> String {
    let mut hash = blake3::Hasher::new();
    let line = question.key.line.map(|l| l.hundredths().to_string()).unwrap_or_default();
    let market = names.market(question.key.market);
    let subject = names.subject(question.key.subject);
    for part in [source, &*event.provider_id, market, subject, &line].iter().chain(parts) {
        hash.update(&(part.len() as u32).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().to_hex().chars().take(16).collect()
}
