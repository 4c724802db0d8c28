//! One event of a batch: which game it is, when it starts, how it stands.

use super::apply::{Engine, Pass};
use super::book_pass::write_seen;
use super::changes::{Cleared, EventChange, EventStatus};
use super::identity::{TeamsNow, compare_teams};
use super::note::own_reasons;
use super::seen::SeenWriter;
use super::state::{EventState, Flaws};
use crate::market::batch::{Batch, EventObs, Place};
use crate::market::ids::{EventId, LookId, SportId};
use crate::market::quality::Reason;

impl Engine {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn apply_event(
        &mut self,
        pass: &mut Pass<'_>,
        seen: &mut SeenWriter,
        batch: &Batch<'_>,
        index: u32,
        obs: &EventObs<'_>,
        source: u32,
        sport: SportId,
    ) {
        let place = Place::Event(index);
        let known = self.aliases.get(&source).and_then(|ids| ids.get(&*obs.id)).copied();
        let (id, new) = match known {
            Some(id) if self.event(id).is_some() => (id, false),
            known => match self.new_event(pass, obs, source, sport, known) {
                Some(id) => (id, true),
                None => return,
            },
        };
        let Some(mut event) = self.events.get_mut(id.0 as usize - 1).and_then(Option::take) else { return };
        if event.present_in == pass.look {
            let reason = Reason::DuplicateEvent;
            let known = pass.goes_on(Cleared { event: id, book: None, market: None, reason });
            if event.flaws.add(reason) && !known {
                pass.issue(Some(id), None, None, reason, format!("{} stands twice in one answer", obs.id));
            }
            self.events[id.0 as usize - 1] = Some(event);
            return;
        }
        event.present_in = pass.look;
        pass.out.look.events += 1;
        pass.note.clear();

        let mut flaws = Flaws::default();
        let mut damaged = false;
        for (_, reason, detail) in pass.defects.at(place).to_vec() {
            damaged = true;
            if flaws.add(reason) && !event.flaws.has(reason) {
                pass.issue(Some(id), None, None, reason, detail);
            }
        }
        let before = event.commence;
        let usable = self.update_event(pass, &mut event, obs, new, &mut flaws);
        self.follow_start(pass, &mut event, before);
        for reason in event.flaws.cleared_by(flaws) {
            pass.out.cleared.push(Cleared { event: id, book: None, market: None, reason });
        }
        event.flaws = flaws;
        pass.note.reasons = own_reasons(flaws);
        pass.note.without_start = !usable || obs.commence.is_none();
        pass.note.score = obs.score.filter(|_| usable);
        if usable && obs.has_odds {
            self.apply_books(pass, batch, index, obs, &mut event, damaged);
            write_seen(seen, &event, pass.look, &pass.note);
        } else {
            // The answer says nothing of the quotes: neither seen nor gone.
            pass.note.without_odds = true;
            seen.event(id, 0, &pass.note);
        }
        self.analyse(pass, &mut event);
        self.keyframe(pass, &mut event);
        self.events[id.0 as usize - 1] = Some(event);
    }

    pub(super) fn event(&self, id: EventId) -> Option<&EventState> {
        self.events.get((id.0 as usize).checked_sub(1)?)?.as_deref()
    }

    fn new_event(
        &mut self,
        pass: &mut Pass<'_>,
        obs: &EventObs<'_>,
        source: u32,
        sport: SportId,
        known: Option<EventId>,
    ) -> Option<EventId> {
        let Some(commence) = obs.commence else {
            let detail = format!("{}: no start, and the event is not known yet", obs.id);
            pass.issue(None, None, None, Reason::MissingField, detail);
            return None;
        };
        let id = known.unwrap_or(EventId(self.events.len() as u32 + 1));
        let event = EventState {
            id,
            source,
            provider_id: (&*obs.id).into(),
            sport,
            home: obs.home.as_deref().unwrap_or_default().into(),
            away: obs.away.as_deref().unwrap_or_default().into(),
            commence,
            first_seen: pass.at,
            status: EventStatus::default(),
            score: None,
            present_in: LookId(0),
            flaws: Flaws::default(),
            next_slot: self.retired_slots.get(&id).copied().unwrap_or(0),
            slots_before: self.retired_slots.get(&id).copied().unwrap_or(0),
            rows_since_keyframe: 0,
            keyframe_look: pass.count,
            books: Vec::new(),
            memory: None,
        };
        match known {
            Some(_) => self.events[id.0 as usize - 1] = Some(Box::new(event)),
            None => {
                self.events.push(Some(Box::new(event)));
                self.aliases.entry(source).or_default().insert((&*obs.id).into(), id);
            }
        }
        pass.born.push(id);
        self.active.entry((source, sport)).or_default().push(id);
        Some(id)
    }

    /// Start, teams, score and status. Answers whether the quotes of this record may be used.
    fn update_event(
        &mut self,
        pass: &mut Pass<'_>,
        event: &mut EventState,
        obs: &EventObs<'_>,
        new: bool,
        flaws: &mut Flaws,
    ) -> bool {
        let mut changed = new;
        let (home, away) = (obs.home.as_deref().unwrap_or_default(), obs.away.as_deref().unwrap_or_default());
        match compare_teams(event, home, away) {
            TeamsNow::Same | TeamsNow::Swapped => {}
            // A record that names no teams says nothing about them.
            _ if home.is_empty() || away.is_empty() => {}
            TeamsNow::Renamed => {
                let detail = format!("{} - {} is now {home} - {away}", event.home, event.away);
                pass.issue(Some(event.id), None, None, Reason::IdentityChanged, detail);
                // Ends with the next look that shows the new names.
                flaws.add(Reason::IdentityChanged);
                // The names move, the roles stay: the team that kept its name keeps its side.
                let swapped = *event.home == *away || *event.away == *home;
                (event.home, event.away) =
                    if swapped { (away.into(), home.into()) } else { (home.into(), away.into()) };
                changed = true;
            }
            TeamsNow::Different => {
                let reason = Reason::IdentityChanged;
                flaws.add(reason);
                if !event.flaws.has(reason) {
                    let detail = format!("{} - {} came under the id of {} - {}", home, away, event.home, event.away);
                    pass.issue(Some(event.id), None, None, reason, detail);
                }
                return false;
            }
        }
        let mut start_changed = new;
        if let Some(commence) = obs.commence
            && commence != event.commence
        {
            event.commence = commence;
            start_changed = true;
        }
        let mut score_changed = false;
        if let Some(score) = obs.score {
            let status = if score.completed {
                EventStatus::Final
            } else if score.home.is_some() || score.away.is_some() {
                EventStatus::Live
            } else {
                EventStatus::Scheduled
            };
            // Never backwards: a list that has lost a score does not undo it.
            if status > event.status {
                event.status = status;
                score_changed = true;
            }
            if let (Some(h), Some(a)) = (score.home, score.away)
                && event.score != Some((h, a))
            {
                event.score = Some((h, a));
                score_changed = true;
            }
        }
        changed |= start_changed || score_changed;
        if changed {
            pass.out.events.push(EventChange { row: event.row(), new, start_changed, score_changed });
        }
        true
    }
}
