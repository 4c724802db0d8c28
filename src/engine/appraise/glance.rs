//! The figures that a row of the board shows: fair price, best price, hold, and what every price is worth.
//!
//! The same calculation as [`Appraiser::event`], without names and without keeping the steps: a board asks it for every
//! game that changed.

use super::Appraiser;
use crate::engine::analyse::refresh;
use crate::engine::changes::{EventRow, Point, QuoteKey};
use crate::engine::names::Names;
use crate::engine::opportunity::{self, Taker, Untakeable};
use crate::engine::price::fair::{self, Consensus, Fair};
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::price::view::Exclusion;
use crate::engine::restore::EventImage;
use crate::engine::status::{Phase, QuoteValue};
use crate::market::ids::{BookId, LookId, Slot};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::time::Timestamp;
use crate::market::value;

/// One price, judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judged {
    /// Book.
    pub book: BookId,
    /// Place of its side in [`Layout::sides`].
    pub place: u8,
    /// Expected profit on a stake of 1 against the fair price without this book's family, pushes counted, after fees. In
    /// play it waits for the next look at the books once an exchange that is listened to has moved.
    pub ev: Option<f32>,
    /// Vig-free probability at its line without this book's family.
    pub fair: Option<f32>,
    /// Too far from the fair line or price of all others: by the limit from which it is called a dislocation.
    pub off_market: bool,
    /// Too good to be believed.
    pub suspect: bool,
    /// Why it cannot be taken.
    pub untakeable: Option<Untakeable>,
    /// Why the book's market has no vote in the fair price.
    pub excluded: Option<Exclusion>,
}

/// The best price of a side.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BestPrice {
    /// Book.
    pub book: BookId,
    /// Line, as the side sees it.
    pub line: Option<Line>,
    /// As quoted.
    pub price: Price,
    /// See [`Judged::ev`].
    pub ev: Option<f32>,
}

/// One question at a glance.
#[derive(Clone, PartialEq, Debug)]
pub struct Glance {
    /// The question.
    pub key: UnitKey,
    /// Its outcomes.
    pub layout: Layout,
    /// Reference line, as the first side sees it.
    pub reference: Option<Line>,
    /// The fair price of all books; `None`: too few independent ones.
    pub fair: Option<Fair>,
    /// For each side the line at which it is worth even money, where there is a model. Points.
    pub fair_lines: [Option<f64>; 3],
    /// The board consensus; `None`: too few books.
    pub consensus: Option<Consensus>,
    /// Best price of each side: the one worth most where that is known, else the highest odds.
    pub best: [Option<BestPrice>; 3],
    /// What a bet on every side at the best prices of the reference line costs, as a share of the stake; negative: the
    /// prices are an arbitrage.
    pub hold: Option<f64>,
    /// Every price, in the order of books and places.
    pub judged: Vec<Judged>,
}

impl Appraiser {
    /// Names that have been given since.
    pub fn rename(&mut self, names: Names) {
        self.engine.names = names;
    }

    /// Every question of an event at a glance, in the order of market, subject and line as numbers. `quotes` in the order
    /// of slots. See [`Appraiser::event`].
    pub fn glance(
        &mut self,
        row: EventRow,
        quotes: Vec<(Slot, QuoteKey, QuoteValue)>,
        at: Timestamp,
        published: &[Point],
    ) -> Vec<Glance> {
        let image = EventImage {
            row,
            keyframe_look: 0,
            rows_since_keyframe: 0,
            quotes,
            stalls: Vec::new(),
            open_issues: Vec::new(),
        };
        let mut event = crate::engine::restore::build_event(&self.engine.names, &self.engine.settings, image, 0);
        self.engine.remember_views(&mut event);
        let Some(mut memory) = event.memory.take() else { return Vec::new() };
        let sport = self.engine.sport_profile(event.sport);
        let before_start = memory.phase == Phase::Pregame && at < event.commence;
        let mut scratch = std::mem::take(&mut self.engine.scratch);
        let mut all = Vec::with_capacity(memory.questions.len());
        for question in &mut memory.questions {
            question.published = published.iter().find(|p| p.key == question.key).copied();
            let (scale, sd) = (question.scale, question.sd);
            refresh(question, &event, LookId(u64::MAX), at);
            let stay = question.published.and_then(|p| p.consensus).and_then(|c| c.line);
            let rules = &self.engine.settings.rules;
            let voter = |book: BookId| self.engine.profile(book).voter;
            let (views, priced) = (&mut question.views, &mut question.priced);
            fair::price(views, question.layout, scale, sd, at, &rules.fair, stay, voter, &mut scratch, priced);
            let asked = opportunity::Question {
                event: event.id,
                key: question.key,
                layout: question.layout,
                scale,
                views: &question.views,
                priced: &question.priced,
                at,
                in_play: !before_start,
            };
            let taker = |book: BookId| {
                let p = self.engine.profile(book);
                Taker { family: p.voter.family, fee: p.fee, takes: p.takes_single_bets(), direct: p.direct }
            };
            let limit = question.class.of(&rules.dislocation.threshold) * sport.narrow(question.class);
            all.push(look_at(&asked, &rules.opportunity, taker, limit, before_start));
        }
        self.engine.scratch = scratch;
        all.sort_by_key(|g| g.key);
        all
    }
}

fn look_at(
    question: &opportunity::Question<'_>,
    rule: &crate::engine::rules::OpportunityRule,
    taker: impl Fn(BookId) -> Taker,
    limit: f64,
    before_start: bool,
) -> Glance {
    let layout = question.layout;
    let priced = question.priced;
    let torn = question.torn(&taker);
    let mut judged = Vec::with_capacity(question.views.len() * layout.sides().len());
    let mut best: [Option<(f64, f64, BestPrice)>; 3] = [None; 3];
    let mut at_reference = [0.0_f64; 3];
    for view in question.views {
        let own = taker(view.book);
        let untakeable = question.untakeable(view, &own, rule);
        let fair = priced.without(own.family);
        let off_market = view.excluded == Some(Exclusion::Outlier)
            || (view.own.is_none() && fair.is_some_and(|fair| distance(question, view, fair) >= limit));
        for (place, side) in layout.sides().iter().enumerate() {
            let Some(price) = view.price(place) else { continue };
            let odds = own.fee.effective_decimal(price.to_decimal());
            let judgement = fair.and_then(|fair| question.judge(fair, *side, view.line));
            let ev = judgement.zip(odds).filter(|_| !torn).map(|(j, odds)| j.settlement.ev(odds));
            let suspect = judgement.is_some_and(|j| j.far) || ev.is_some_and(|ev| ev > rule.suspect_above);
            judged.push(Judged {
                book: view.book,
                place: place as u8,
                ev: ev.map(|ev| ev as f32),
                fair: judgement.map(|j| j.probability as f32),
                off_market,
                suspect,
                untakeable,
                excluded: view.excluded,
            });
            let Some(odds) = odds.filter(|_| untakeable.is_none() && !suspect) else { continue };
            if view.line == priced.reference {
                at_reference[place] = at_reference[place].max(odds);
            }
            // Without a fair price only one line can be compared: the one that most books stand at.
            if ev.is_none() && view.line != priced.reference {
                continue;
            }
            let offer = BestPrice {
                book: view.book,
                line: view.line.map(|l| layout.line_for(l, *side)),
                price,
                ev: ev.map(|ev| ev as f32),
            };
            let worth = ev.unwrap_or(f64::NEG_INFINITY);
            let better = best[place].as_ref().is_none_or(|(w, o, b)| {
                worth.total_cmp(w).then(odds.total_cmp(o)).then(b.book.cmp(&view.book)).is_gt()
            });
            if better {
                best[place] = Some((worth, odds, offer));
            }
        }
    }
    judged.sort_unstable_by_key(|j| (j.book, j.place));
    let sides = layout.sides().len();
    let odds = at_reference.get(..sides).unwrap_or_default();
    let hold = (before_start && odds.iter().all(|o| *o > 1.0)).then(|| value::hold(odds));
    let mut fair_lines = [None; 3];
    if let (Scale::Points(model), Some(value)) = (question.scale, priced.all.and_then(|f| f.values.first().copied())) {
        for (line, side) in fair_lines.iter_mut().zip(layout.sides()) {
            *line = model.fair_line(*side, value).ok().map(|f| f.points);
        }
    }
    Glance {
        key: question.key,
        layout,
        reference: priced.reference,
        fair: priced.all,
        fair_lines,
        consensus: priced.consensus,
        best: best.map(|b| b.map(|(_, _, offer)| offer)),
        hold,
        judged,
    }
}

/// How far a book's market is from the fair price of the others: points, or probability of the first side.
fn distance(question: &opportunity::Question<'_>, view: &crate::engine::price::view::BookView, fair: &Fair) -> f64 {
    match question.scale {
        Scale::Points(_) => (view.values[0] - fair.values[0]).abs(),
        Scale::LogOdds if view.line == question.priced.reference => (view.fair[0] - fair.probability[0]).abs(),
        Scale::LogOdds => 0.0,
    }
}
