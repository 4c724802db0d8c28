//! All detectors over one question at one look.

use super::finding::{Answer, Extra, Finding};
use super::gate::{self, Candidate, Verdict};
use super::make::{self, Making, Told};
use super::signal::{Signal, SignalType};
use super::window::{self, Glance, Window};
use super::{dislocation, exchange_divergence, key_cross, live_shock, market_move, steam, sync};
use crate::engine::changes::Tally;
use crate::engine::detect::fired::Fired;
use crate::engine::memory::{Gaps, MarketLooks, Question};
use crate::engine::names::Names;
use crate::engine::price::scale::Scale;
use crate::engine::profile::{BookProfile, SportProfile};
use crate::engine::rules::{AnalysisRules, Class};
use crate::engine::state::EventState;
use crate::engine::status::Phase;
use crate::market::ids::BookId;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// What the detectors are given.
pub(crate) struct Scene<'s> {
    pub(crate) rules: &'s AnalysisRules,
    pub(crate) names: &'s Names,
    pub(crate) source: &'s str,
    pub(crate) profiles: &'s [BookProfile],
    pub(crate) families: &'s [String],
    pub(crate) sport: &'s SportProfile,
    pub(crate) event: &'s EventState,
    pub(crate) phase: Phase,
    pub(crate) at: Timestamp,
    pub(crate) max_age_ms: i64,
    /// The start was moved, and when.
    pub(crate) start_moved_at: Option<Timestamp>,
    /// The event is watched in play.
    pub(crate) watched: bool,
    /// (events graded, events positive) by type number.
    pub(crate) records: &'s [(u32, u32); 8],
}

/// A median over three families or more moves only with two of them.
const MEDIAN_BOOKS: usize = 2;

/// Counts of one look, by type number.
#[derive(Clone, Debug)]
pub(crate) struct Tallies([Tally; 8]);

impl Tallies {
    pub(crate) fn new() -> Self {
        let tally = |detector| Tally {
            detector,
            evaluated: 0,
            not_evaluable: 0,
            longest_gap_ms: 0,
            needed_ms: 0,
            suppressed: 0,
        };
        let mut all = [tally(SignalType::Move); 8];
        for kind in SignalType::ALL {
            if let Some(t) = all.get_mut(usize::from(kind.number())) {
                *t = tally(kind);
            }
        }
        Self(all)
    }

    fn of(&mut self, kind: SignalType) -> Option<&mut Tally> {
        self.0.get_mut(usize::from(kind.number()))
    }

    /// Those that have something to tell, in the order of types.
    pub(crate) fn told(&self) -> impl Iterator<Item = Tally> {
        self.0.iter().skip(1).filter(|t| t.evaluated + t.not_evaluable + t.suppressed > 0).copied()
    }
}

impl Scene<'_> {
    fn profile(&self, book: BookId) -> BookProfile {
        self.profiles.get(usize::from(book.0)).copied().unwrap_or_default()
    }

    /// Whether a window that ends now may show a move that counts. Costs a look at each book, no more.
    pub(crate) fn may_show(&self, question: &Question, looks: &MarketLooks) -> bool {
        let class = question.class;
        let narrow = self.sport.narrow(class);
        let lengths = if self.phase == Phase::InPlay {
            [
                (self.watched, &self.rules.live_shock, 1.0, MEDIAN_BOOKS),
                (false, &self.rules.steam, 1.0, 0),
                (false, &self.rules.sync, 1.0, 0),
            ]
        } else {
            [
                (true, &self.rules.market_move, 1.0, MEDIAN_BOOKS),
                (true, &self.rules.sync, 1.0, usize::from(self.rules.sync.books)),
                (true, &self.rules.steam, steam::PART, usize::from(self.rules.steam.books)),
            ]
        };
        lengths.iter().any(|(on, rule, part, books)| {
            let least = class.of(&rule.threshold) * narrow * part;
            let start = self.at.plus(-class.of(&rule.window_ms));
            *on && looks.since(start).is_some() && window::glance(question, start).shows(*books, least)
        })
    }

    /// Runs every detector that applies. New and updated signals go to `out`, and what is remembered of them to `fired`.
    /// `touched`: a quote changed with this look.
    pub(crate) fn run(
        &self,
        question: &Question,
        looks: &MarketLooks,
        touched: bool,
        fired: &mut Vec<Fired>,
        tallies: &mut Tallies,
        out: &mut Vec<Signal>,
    ) {
        let scale = question.scale;
        let mut windows = Windows { looks, at: self.at, glances: Vec::new(), made: Vec::new() };
        if self.phase == Phase::InPlay {
            if self.watched {
                let rule = &self.rules.live_shock;
                let narrow = self.sport.narrow(question.class);
                let length = question.class.of(&rule.window_ms);
                let least = question.class.of(&rule.threshold) * narrow;
                let answer = windows.answer(self, question, length, length, (MEDIAN_BOOKS, least), |w| {
                    live_shock::judge(w, rule, question.class, narrow)
                });
                let found = self.count(question, SignalType::LiveShock, length, answer, tallies);
                self.tell(question, scale, &windows, found, fired, out);
            }
            return;
        }
        let found = self.moves(question, &mut windows, tallies);
        self.tell(question, scale, &windows, found, fired, out);
        let rule = &self.rules.key_cross;
        let length = question.class.of(&rule.window_ms);
        if question.class != Class::Chance {
            let keys = self.sport.keys;
            let limit = key_cross::LIMIT_MS.max(length);
            // A line that did not move crosses nothing, whatever the prices did.
            let least = if windows.line_moved(question, length) { 0.0 } else { f64::INFINITY };
            let answer = windows.answer(self, question, length, limit, (0, least), |w| {
                key_cross::judge(w, rule, question.class, question.layout, scale, keys)
            });
            let found = self.count(question, SignalType::KeyCross, length, answer, tallies);
            self.tell(question, scale, &windows, found, fired, out);
        }
        if touched {
            self.dislocations(question, scale, &mut windows, fired, tallies, out);
        }
        if touched {
            self.divergences(question, scale, &mut windows, fired, tallies, out);
        }
    }

    /// The same at a look at an exchange, where the books were not looked at: nothing of theirs moved, but what they offer
    /// may be out of line now.
    pub(crate) fn run_exchange(
        &self,
        question: &Question,
        looks: &MarketLooks,
        touched: bool,
        fired: &mut Vec<Fired>,
        tallies: &mut Tallies,
        out: &mut Vec<Signal>,
    ) {
        if self.phase == Phase::InPlay || !touched {
            return;
        }
        let scale = question.scale;
        let mut windows = Windows { looks, at: self.at, glances: Vec::new(), made: Vec::new() };
        self.dislocations(question, scale, &mut windows, fired, tallies, out);
        self.divergences(question, scale, &mut windows, fired, tallies, out);
    }

    fn divergences(
        &self,
        question: &Question,
        scale: Scale<'_>,
        windows: &mut Windows<'_>,
        fired: &mut Vec<Fired>,
        tallies: &mut Tallies,
        out: &mut Vec<Signal>,
    ) {
        if !question.views.iter().any(|v| self.profile(v.book).direct && v.own.is_none()) {
            return;
        }
        let rule = &self.rules.exchange;
        let setting = exchange_divergence::Setting {
            question,
            scale,
            rule,
            shift: rule.shift.get(self.names.sport(self.event.sport)).copied().unwrap_or_default(),
            max_age_ms: self.max_age_ms,
            at: self.at,
        };
        if question.moved_at == self.at
            && let Some(tally) = tallies.of(SignalType::ExchangeDivergence)
        {
            tally.evaluated += 1;
        }
        let found = exchange_divergence::judge(&setting, |book| self.profile(book));
        if found.is_empty() {
            return;
        }
        windows.get(self, question, rule.window_ms);
        for finding in found {
            self.tell(question, scale, windows, Some(finding), fired, out);
        }
    }

    /// The strongest finding of a market move.
    fn moves(&self, question: &Question, windows: &mut Windows<'_>, tallies: &mut Tallies) -> Option<Finding> {
        let class = question.class;
        let narrow = self.sport.narrow(class);
        let mut best: Option<Finding> = None;
        type Judge = fn(&Window, &crate::engine::rules::MoveRule, Class, f64) -> Answer;
        let detectors: [(SignalType, &crate::engine::rules::MoveRule, Judge); 3] = [
            (SignalType::Steam, &self.rules.steam, steam::judge),
            (SignalType::MultibookSync, &self.rules.sync, sync::judge),
            (SignalType::Move, &self.rules.market_move, market_move::judge),
        ];
        for (kind, rule, judge) in detectors {
            let length = class.of(&rule.window_ms);
            let part = if kind == SignalType::Steam { steam::PART } else { 1.0 };
            let least = class.of(&rule.threshold) * narrow * part;
            let books = if kind == SignalType::Move { MEDIAN_BOOKS } else { usize::from(rule.books) };
            let needed = (books, least);
            let answer = windows.answer(self, question, length, length, needed, |w| judge(w, rule, class, narrow));
            let found = self.count(question, kind, length, answer, tallies);
            if best.is_none() {
                best = found;
            }
        }
        best
    }

    /// Counts an answer, and drops findings that are no moves.
    fn count(
        &self,
        question: &Question,
        kind: SignalType,
        length: i64,
        answer: Option<Answer>,
        tallies: &mut Tallies,
    ) -> Option<Finding> {
        let answer = answer?;
        let tally = tallies.of(kind)?;
        // A move is judged at every look of its window, but counted once.
        let counts = question.moved_at == self.at;
        match answer {
            Answer::Nothing => {
                tally.evaluated += u32::from(counts);
                None
            }
            Answer::NotEvaluable { limit_ms, gap_ms } => {
                if counts {
                    tally.not_evaluable += 1;
                    tally.longest_gap_ms = tally.longest_gap_ms.max(gap_ms);
                    tally.needed_ms = if tally.needed_ms == 0 { limit_ms } else { tally.needed_ms.min(limit_ms) };
                }
                None
            }
            Answer::Found(found) => {
                if self.start_moved_at.is_some_and(|moved| moved > self.at.plus(-length)) {
                    tally.suppressed += u32::from(counts);
                    return None;
                }
                tally.evaluated += u32::from(counts);
                Some(*found)
            }
        }
    }

    fn dislocations(
        &self,
        question: &Question,
        scale: Scale<'_>,
        windows: &mut Windows<'_>,
        fired: &mut Vec<Fired>,
        tallies: &mut Tallies,
        out: &mut Vec<Signal>,
    ) {
        let rule = &self.rules.dislocation;
        let setting = dislocation::Setting {
            question,
            scale,
            rule,
            narrow: self.sport.narrow(question.class),
            max_age_ms: self.max_age_ms,
            at: self.at,
            from: self.at.plus(-rule.window_ms),
        };
        if question.moved_at == self.at
            && let Some(tally) = tallies.of(SignalType::Dislocation)
        {
            tally.evaluated += 1;
        }
        let found = dislocation::judge(&setting, |book| self.profile(book));
        if found.is_empty() {
            return;
        }
        windows.get(self, question, rule.window_ms);
        for finding in found {
            self.tell(question, scale, windows, Some(finding), fired, out);
        }
    }

    fn tell(
        &self,
        question: &Question,
        scale: Scale<'_>,
        windows: &Windows<'_>,
        finding: Option<Finding>,
        fired: &mut Vec<Fired>,
        out: &mut Vec<Signal>,
    ) {
        let Some(finding) = finding else { return };
        let (gaps, window) = windows.made(finding.window_ms);
        // Among three sides a quote may be out of line on another one than the board moved on.
        let of_its_side = match (&finding.extra, window) {
            (Extra::Book(d), Some(w)) if w.place != d.looked_at => {
                let span = (w.start, self.at);
                window::window_of(question, scale, w.gaps, span, d.looked_at, |book| self.profile(book))
            }
            _ => None,
        };
        let window = of_its_side.as_ref().or(window);
        let making = Making {
            event: self.event,
            question,
            scale,
            names: self.names,
            profiles: self.profiles,
            families: self.families,
            at: self.at,
            max_age_ms: self.max_age_ms,
            gaps: gaps.unwrap_or(Gaps { from: self.at, looks: 1, longest: 0 }),
            window,
            record: self.records.get(usize::from(finding.kind.number())).copied().unwrap_or_default(),
            base_threshold: self.base_threshold(finding.kind, question.class),
            steam_books: self.rules.steam.books,
        };
        let told = making.tell(&finding);
        let book = match &finding.extra {
            Extra::Book(d) => Some(self.names.book(d.book)),
            _ => None,
        };
        let candidate = Candidate {
            kind: finding.kind,
            key: question.key,
            selection: &told.selection,
            book,
            from_value: told.from_value,
            to_value: told.to_value,
            threshold: told.threshold,
            window_ms: finding.window_ms,
            at: self.at,
        };
        let cooldown = |kind| question.class.of(&self.cooldowns(kind));
        match gate::decide(fired, &candidate, cooldown, |kind| self.cap(kind)) {
            Verdict::Hold => {}
            Verdict::New { supersedes } => {
                let id = self.id(question, &finding, &told, book);
                let signal = making.signal(&finding, told, supersedes, id);
                fired.push(Fired::of(&signal));
                out.push(signal);
            }
            Verdict::Update(at) => {
                let Some(first) = fired.get_mut(at) else { return };
                let mut signal = making.signal(&finding, told, None, first.id.clone());
                first.update(&mut signal);
                out.push(signal);
            }
        }
    }

    fn id(&self, question: &Question, finding: &Finding, told: &Told, book: Option<&str>) -> String {
        let side = told.side.map_or("", Side::name);
        let sign = if finding.sign >= 0.0 { "+" } else { "-" };
        let at = self.at.millis().to_string();
        let parts = [finding.kind.name(), side, sign, book.unwrap_or_default(), &at];
        make::signal_id(self.source, self.event, self.names, question, &parts)
    }

    fn cooldowns(&self, kind: SignalType) -> [i64; 3] {
        match kind {
            SignalType::Move => self.rules.market_move.cooldown_ms,
            SignalType::KeyCross => self.rules.key_cross.cooldown_ms,
            SignalType::MultibookSync => self.rules.sync.cooldown_ms,
            SignalType::Steam => self.rules.steam.cooldown_ms,
            SignalType::LiveShock => self.rules.live_shock.cooldown_ms,
            SignalType::Dislocation => [self.rules.dislocation.cooldown_ms; 3],
            SignalType::ExchangeDivergence => [self.rules.exchange.cooldown_ms; 3],
        }
    }

    fn cap(&self, kind: SignalType) -> u16 {
        match kind {
            SignalType::Move => self.rules.market_move.cap,
            SignalType::KeyCross => self.rules.key_cross.cap,
            SignalType::MultibookSync => self.rules.sync.cap,
            SignalType::Steam => self.rules.steam.cap,
            SignalType::LiveShock => self.rules.live_shock.cap,
            SignalType::Dislocation => self.rules.dislocation.cap,
            SignalType::ExchangeDivergence => self.rules.exchange.cap,
        }
    }

    fn base_threshold(&self, kind: SignalType, class: Class) -> f64 {
        let thresholds = match kind {
            SignalType::Move | SignalType::KeyCross => &self.rules.market_move.threshold,
            SignalType::MultibookSync => &self.rules.sync.threshold,
            SignalType::Steam => &self.rules.steam.threshold,
            SignalType::LiveShock => &self.rules.live_shock.threshold,
            SignalType::Dislocation | SignalType::ExchangeDivergence => &self.rules.dislocation.threshold,
        };
        class.of(thresholds)
    }
}

/// Windows of one question at one look, each made once.
struct Windows<'w> {
    looks: &'w MarketLooks,
    at: Timestamp,
    glances: Vec<(i64, Option<Gaps>, Glance)>,
    made: Vec<(i64, Option<Window>)>,
}

impl Windows<'_> {
    /// Place of the glance over a length.
    fn glanced(&mut self, question: &Question, length: i64) -> usize {
        if let Some(at) = self.glances.iter().position(|(l, ..)| *l == length) {
            return at;
        }
        let start = self.at.plus(-length);
        let gaps = self.looks.since(start);
        let glance = if gaps.is_some() { window::glance(question, start) } else { Glance::default() };
        self.glances.push((length, gaps, glance));
        self.glances.len() - 1
    }

    fn line_moved(&mut self, question: &Question, length: i64) -> bool {
        let at = self.glanced(question, length);
        self.glances.get(at).is_some_and(|(_, _, glance)| glance.line_moved)
    }

    /// What a detector says of the window of a length. `None`: the market was not looked at then, or nobody moved. The
    /// window is put together only where as many books as `needed` moved the same way by as much.
    fn answer(
        &mut self,
        scene: &Scene<'_>,
        question: &Question,
        length: i64,
        limit_ms: i64,
        needed: (usize, f64),
        judge: impl FnOnce(&Window) -> Answer,
    ) -> Option<Answer> {
        let at = self.glanced(question, length);
        let (_, gaps, glance) = self.glances.get(at)?;
        let gaps = gaps.filter(|_| !glance.is_still())?;
        if gaps.longest > limit_ms {
            return Some(Answer::NotEvaluable { limit_ms, gap_ms: gaps.longest });
        }
        let (books, least) = needed;
        if !least.is_finite() || !glance.shows(books, least) {
            return Some(Answer::Nothing);
        }
        self.get(scene, question, length).map(judge)
    }

    /// The window of a length. `None`: the market was not looked at then, or nobody moved.
    fn get(&mut self, scene: &Scene<'_>, question: &Question, length: i64) -> Option<&Window> {
        if !self.made.iter().any(|(l, _)| *l == length) {
            let at = self.glanced(question, length);
            let gaps = self.glances.get(at).and_then(|(_, gaps, _)| *gaps);
            let start = self.at.plus(-length);
            let window = gaps.and_then(|g| {
                window::window(question, question.scale, g, (start, self.at), |book| scene.profile(book))
            });
            self.made.push((length, window));
        }
        self.made.iter().find(|(l, _)| *l == length).and_then(|(_, w)| w.as_ref())
    }

    fn made(&self, length: i64) -> (Option<Gaps>, Option<&Window>) {
        let gaps = self.glances.iter().find(|(l, ..)| *l == length).and_then(|(_, g, _)| *g);
        (gaps, self.made.iter().find(|(l, _)| *l == length).and_then(|(_, w)| w.as_ref()))
    }
}
