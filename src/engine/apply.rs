//! `Engine::apply`: one batch in, what changed out.

use rustc_hash::FxHashMap;

use super::book_pass::end_group;
use super::changes::{Changes, Cleared, Issue, Keyframe, Look, NewName, QuoteChange, QuoteKey};
use super::detect::run::Tallies;
use super::image;
use super::names::{NameKind, Names};
use super::note::EventNote;
use super::opportunity::Opportunity;
use super::price::fair::{Priced, Scratch};
use super::profile::{BookProfile, SportProfile};
use super::scope::AskedFor;
use super::seen::SeenWriter;
use super::settings::EngineSettings;
use super::state::{EventState, QuoteState};
use super::status::Status;
use crate::market::batch::{Batch, Endpoint, Place};
use crate::market::ids::{BookId, EventId, LookId, MarketId, SportId};
use crate::market::quality::{Reason, Severity};
use crate::market::time::Timestamp;

/// Sports, books and markets that can be told apart, each. A thousand times what exists.
const MAX_NAMES: u16 = u16::MAX - 1;
/// Stands for all names beyond that, so that none is ever taken for another that we know.
const NO_MORE_NAMES: u16 = u16::MAX;

/// A keyframe is written after so many rows of an event, or [`KEYFRAME_TIMES`] its quotes, whichever is more.
const KEYFRAME_ROWS: u32 = 256;
/// Reading back costs half of this times the quotes on average, and keyframes some tenth of the log's bytes.
const KEYFRAME_TIMES: u32 = 2;
/// ... or after so many looks of its sport. Counted by sport, so that the looks of others change nothing.
const KEYFRAME_LOOKS: u64 = 2000;

/// The state of the market as far as the batches applied so far tell.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    pub(crate) settings: EngineSettings,
    pub(crate) names: Names,
    /// Indexed by event number less one; `None` for events that have been forgotten.
    pub(crate) events: Vec<Option<Box<EventState>>>,
    /// Slots given so far in forgotten events, so that a returning one does not give them twice.
    pub(crate) retired_slots: FxHashMap<EventId, u32>,
    /// Provider id to event, per source number.
    pub(crate) aliases: FxHashMap<u32, FxHashMap<Box<str>, EventId>>,
    /// Remembered events per source and sport.
    pub(crate) active: FxHashMap<(u32, SportId), Vec<EventId>>,
    /// Looks applied per source and sport.
    pub(crate) looks: FxHashMap<(u32, SportId), u64>,
    pub(crate) last_look: LookId,
    /// By sport number.
    pub(crate) sports: Vec<Option<SportProfile>>,
    /// By book number.
    pub(crate) book_profiles: Vec<BookProfile>,
    /// Names of families by their numbers.
    pub(crate) families: Vec<String>,
    /// Events graded and events positive per source and sport, by type number.
    pub(crate) records: FxHashMap<(u32, SportId), [(u32, u32); 8]>,
    pub(crate) scratch: Scratch,
    pub(crate) scratch_open: Vec<Opportunity>,
    /// Of the question that is being judged; nobody asks for it afterwards.
    pub(crate) scratch_priced: Priced,
}

/// What belongs to the look that is being applied.
pub(crate) struct Pass<'p> {
    pub(super) look: LookId,
    /// Which look of its source and sport it is, from 1.
    pub(super) count: u64,
    pub(crate) at: Timestamp,
    pub(crate) out: Changes,
    /// What the detectors could judge.
    pub(crate) tallies: Tallies,
    /// It is a look at an exchange, and none at the books.
    pub(super) exchange: bool,
    pub(super) asked: AskedFor<'p>,
    /// Batch indices of places with defects, by level.
    pub(super) defects: Defects,
    pub(super) strict: bool,
    /// Of the event that is being applied.
    pub(super) note: EventNote,
    /// Events that this look brought.
    pub(super) born: Vec<EventId>,
}

/// The defects of a batch in the order of their places, so that each level finds its own quickly.
pub(super) struct Defects {
    sorted: Vec<(Place, Reason, String)>,
}

impl Defects {
    fn new(batch: &Batch<'_>) -> Self {
        let mut sorted: Vec<_> = batch.defects.iter().map(|d| (d.place, d.reason, d.detail.clone())).collect();
        sorted.sort_by_key(|(place, ..)| *place);
        Self { sorted }
    }

    pub(super) fn at(&self, place: Place) -> &[(Place, Reason, String)] {
        if self.sorted.is_empty() {
            return &[];
        }
        let from = self.sorted.partition_point(|(p, ..)| *p < place);
        let to = self.sorted.partition_point(|(p, ..)| *p <= place);
        self.sorted.get(from..to).unwrap_or_default()
    }
}

impl Pass<'_> {
    pub(super) fn issue(
        &mut self,
        event: Option<EventId>,
        book: Option<BookId>,
        market: Option<MarketId>,
        reason: Reason,
        detail: String,
    ) {
        let severity = if self.strict { Severity::Error } else { reason.severity() };
        self.out.issues.push(Issue { event, book, market, reason, severity, detail });
    }

    /// A record that stands twice is noticed when the first of the two has been judged already, and with it the issues
    /// of the look before were ended. Takes that ending back; answers whether there was one, which means that the issue
    /// is known.
    pub(super) fn goes_on(&mut self, issue: Cleared) -> bool {
        let ended = self.out.cleared.iter().rposition(|c| *c == issue);
        ended.map(|at| self.out.cleared.remove(at)).is_some()
    }

    pub(super) fn row(&mut self, event: EventId, quote: &QuoteState, new: Option<QuoteKey>) {
        self.out.quotes.push(QuoteChange { event, slot: quote.slot, new, value: quote.value });
    }
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(settings: EngineSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Names and their numbers.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The settings in force.
    pub fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// Number of the last look applied; 0 before the first.
    pub fn last_look(&self) -> LookId {
        self.last_look
    }

    /// Number of the look that is applied next.
    pub fn next_look(&self) -> LookId {
        LookId(self.last_look.0 + 1)
    }

    /// Quotes in memory, of whatever status.
    pub fn quotes_in_memory(&self) -> usize {
        self.events.iter().flatten().flat_map(|e| e.groups()).map(|g| g.quotes.len()).sum()
    }

    /// Applies one successful answer, whole.
    ///
    /// Costs time in proportion to the size of the batch and to the remembered events of its sport, never to history.
    pub fn apply(&mut self, batch: &Batch<'_>) -> Changes {
        let look = LookId(self.last_look.0 + 1);
        self.last_look = look;
        let at = batch.received_at;
        let mut pass = Pass {
            look,
            count: 0,
            at,
            out: Changes {
                look: Look {
                    id: look,
                    source: 0,
                    sport: SportId(0),
                    endpoint: batch.endpoint,
                    received_at: at,
                    events: 0,
                    quotes: 0,
                    changes: 0,
                    issues: 0,
                },
                names: Vec::new(),
                events: Vec::new(),
                quotes: Vec::new(),
                issues: Vec::new(),
                cleared: Vec::new(),
                seen: Vec::new(),
                keyframes: Vec::new(),
                forgotten: Vec::new(),
                points: Vec::new(),
                signals: Vec::new(),
                opportunities: Vec::new(),
                closes: Vec::new(),
                clv: Vec::new(),
                tallies: Vec::new(),
            },
            tallies: Tallies::new(),
            exchange: batch.endpoint == Endpoint::Exchange,
            asked: AskedFor::new(&batch.scope, batch.endpoint == Endpoint::Exchange),
            defects: Defects::new(batch),
            strict: self.settings.strict,
            note: EventNote::default(),
            born: Vec::new(),
        };
        let source = self.intern(&mut pass, NameKind::Source, batch.source);
        let asked_sport = if batch.sport.is_empty() {
            batch.events.iter().find(|e| !e.sport.is_empty()).map_or("", |e| &*e.sport)
        } else {
            &batch.sport
        };
        let sport = SportId(self.intern(&mut pass, NameKind::Sport, asked_sport) as u16);
        (pass.out.look.source, pass.out.look.sport) = (source, sport);
        let count = self.looks.entry((source, sport)).or_default();
        *count += 1;
        pass.count = *count;
        for (_, reason, detail) in pass.defects.at(Place::Batch).to_vec() {
            pass.issue(None, None, None, reason, detail);
        }

        let mut seen = SeenWriter::new(at, batch.markets.len() * 3);
        for (index, obs) in batch.events.iter().enumerate() {
            self.apply_event(&mut pass, &mut seen, batch, index as u32, obs, source, sport);
        }
        pass.out.seen = seen.finish();
        self.close_started(&mut pass, source, sport);
        if matches!(batch.endpoint, Endpoint::Odds | Endpoint::HistoricalOdds) {
            self.mark_missing_events(&mut pass, source, sport);
        }
        self.forget_old_events(&mut pass, source, sport);
        // In the order of keys: the order in which books were first met is lost with a restart.
        pass.out.quotes.sort_unstable_by_key(|q| (q.event, q.slot));
        pass.out.look.changes = pass.out.quotes.len() as u32;
        pass.out.look.issues = pass.out.issues.len() as u32;
        pass.out.tallies = pass.tallies.told().collect();
        pass.out
    }

    /// Closes of games that have started and that this answer does not show.
    fn close_started(&mut self, pass: &mut Pass<'_>, source: u32, sport: SportId) {
        let Some(ids) = self.active.get(&(source, sport)).cloned() else { return };
        for id in ids {
            let Some(place) = self.events.get_mut((id.0 as usize).wrapping_sub(1)) else { continue };
            let due = |e: &EventState| {
                e.present_in != pass.look
                    && e.commence <= pass.at
                    && e.memory.as_ref().is_some_and(|m| m.closed_for != Some(e.commence))
            };
            if !place.as_deref().is_some_and(due) {
                continue;
            }
            let Some(mut event) = place.take() else { continue };
            let start = event.commence;
            self.follow_start(pass, &mut event, start);
            self.events[id.0 as usize - 1] = Some(event);
        }
    }

    pub(super) fn intern(&mut self, pass: &mut Pass<'_>, kind: NameKind, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let list = kind.list(&mut self.names);
        let narrow = matches!(kind, NameKind::Sport | NameKind::Book | NameKind::Market);
        if narrow && list.len() >= usize::from(MAX_NAMES) && list.number(name).is_none() {
            return u32::from(NO_MORE_NAMES);
        }
        let (number, new) = list.intern(name);
        if new {
            pass.out.names.push(NewName { kind, number, name: name.into() });
        }
        number
    }

    /// Packs the event's whole state once enough has been written since the last time.
    pub(super) fn keyframe(&self, pass: &mut Pass<'_>, event: &mut EventState) {
        let old = pass.count.saturating_sub(event.keyframe_look) >= KEYFRAME_LOOKS;
        if event.rows_since_keyframe < KEYFRAME_ROWS && !old {
            return;
        }
        let quotes = event.quotes().count() as u32;
        if event.rows_since_keyframe >= KEYFRAME_TIMES * quotes || old {
            event.rows_since_keyframe = 0;
            event.keyframe_look = pass.count;
            let state = image::pack(event.quotes().map(|q| (q.slot, &q.value)));
            pass.out.keyframes.push(Keyframe { event: event.id, state });
        }
    }

    /// Quotes of events that the answer should have held and did not.
    fn mark_missing_events(&mut self, pass: &mut Pass<'_>, source: u32, sport: SportId) {
        let Some(ids) = self.active.get(&(source, sport)).cloned() else { return };
        for id in ids {
            let Some(mut event) = self.events.get_mut(id.0 as usize - 1).and_then(Option::take) else { continue };
            if event.present_in != pass.look && pass.asked.event(&event) {
                self.note_reschedules(pass, &event);
                for at in 0..event.books.len() {
                    let book = event.books[at].book;
                    if !self.asked_book(pass, book) {
                        continue;
                    }
                    for g in 0..event.books[at].groups.len() {
                        if pass.asked.market(event.books[at].groups[g].market, &self.names) {
                            end_group(pass, &mut event, at, g, Status::EventMissing);
                        }
                    }
                }
                self.analyse(pass, &mut event);
                self.keyframe(pass, &mut event);
            }
            self.events[id.0 as usize - 1] = Some(event);
        }
    }

    /// A game that has not started vanishes in the very look that brings the same pair under another id: perhaps it was
    /// moved. A candidate for a person to decide, never a merge: series and doubleheaders look alike.
    fn note_reschedules(&self, pass: &mut Pass<'_>, gone: &EventState) {
        if pass.born.is_empty() || gone.commence <= pass.at || gone.home.is_empty() {
            return;
        }
        for id in pass.born.clone() {
            let Some(new) = self.event(id) else { continue };
            let same_pair = (*new.home == *gone.home && *new.away == *gone.away)
                || (*new.home == *gone.away && *new.away == *gone.home);
            if same_pair && new.commence.since(gone.commence).abs() <= self.settings.reschedule_ms {
                let detail = format!(
                    "{} @ {} of {} vanished as {} appeared for {}",
                    gone.away, gone.home, gone.commence, new.provider_id, new.commence
                );
                pass.issue(Some(id), None, None, Reason::RescheduleCandidate, detail);
            }
        }
    }

    fn forget_old_events(&mut self, pass: &mut Pass<'_>, source: u32, sport: SportId) {
        let Some(ids) = self.active.get_mut(&(source, sport)) else { return };
        let (events, retired, after) = (&mut self.events, &mut self.retired_slots, self.settings.forget_after_ms);
        ids.retain(|id| {
            let Some(place) = events.get_mut(id.0 as usize - 1) else { return false };
            let Some(event) = place.as_ref() else { return false };
            let keep = pass.at.since(event.commence) <= after || event.has_present_quotes();
            if !keep {
                retired.insert(*id, event.next_slot);
                pass.out.forgotten.push((*id, event.next_slot));
                *place = None;
            }
            keep
        });
    }
}
