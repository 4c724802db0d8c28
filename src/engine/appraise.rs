//! What the quotes of an event at one instant say, in full: for commands, explanations and pages that draw it.
//!
//! The same calculation as at a look, over quotes that were put together for any instant, with names and every step
//! kept. Costs more than a look and holds nothing afterwards.

pub mod glance;

use serde::Serialize;

use super::analyse::refresh;
use super::apply::Engine;
use super::changes::{EventRow, Point, QuoteKey};
use super::detect::make::selection_name;
use super::memory::Question;
use super::names::Names;
use super::opportunity::card::{Card, card};
use super::opportunity::{self, Opportunity, Taker};
use super::price::fair::{self, Fair, FairRule};
use super::price::scale::Scale;
use super::price::unit::{Layout, UnitKey};
use super::price::view::{BookView, DevigRule};
use super::restore::EventImage;
use super::rules::OpportunityRule;
use super::settings::EngineSettings;
use super::state::EventState;
use super::status::{Phase, QuoteValue};
use crate::market::books::Fee;
use crate::market::devig::devig_into;
use crate::market::ids::{BookId, EventId, LookId, Slot};
use crate::market::line::Line;
use crate::market::margin::Distribution;
use crate::market::time::Timestamp;

/// One side of a question, priced.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SideFair {
    /// `home`, `away`, `draw`, `over`, `under`, `yes` or `no`.
    pub side: &'static str,
    /// Team, `Over`, or player and side.
    pub selection: String,
    /// The line at which the side is worth even money, where there is a model.
    pub fair_line: Option<f64>,
    /// Vig-free probability at `at_line`, conditional on no push.
    pub fair_probability: f64,
    /// Reference line, as the side sees it.
    pub at_line: Option<f64>,
}

/// A fair price of all books, or of all but one family.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FairPrice {
    /// Every side, in the market's order.
    pub sides: Vec<SideFair>,
    /// On the scale: points, or log-odds of the first side.
    pub value: f64,
    /// Of `value`.
    pub standard_error: f64,
    /// Effective number of independent books.
    pub effective_books: f64,
    /// Families whose vote counts.
    pub families: u16,
}

/// One book's part.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BookPart {
    /// Book key.
    pub book: String,
    /// `sharp`, `retail`, `offshore`, `exchange` or `dfs`.
    pub kind: &'static str,
    /// Books of one family share one vote.
    pub family: String,
    /// Line, as the first side sees it.
    pub line: Option<f64>,
    /// Decimal odds of each side.
    pub prices: Vec<Option<f64>>,
    /// Raw probabilities summed, where all sides are there.
    pub raw_sum: Option<f64>,
    /// The margin by which its vote is weighed: the raw sum less 1; of an exchange with both sides their mean distance.
    pub margin: Option<f64>,
    /// Vig-free probability of each side at its own line; `None` where the vig could not be removed.
    pub probability: Option<Vec<f64>>,
    /// On the scale.
    pub value: Option<f64>,
    /// Weight in the book table.
    pub table_weight: f64,
    /// Weight after age and sisters.
    pub weight: f64,
    /// Share of it that counts, given the distance from the median.
    pub share: f64,
    /// Why it does not count.
    pub excluded: Option<&'static str>,
    /// Seconds since the provider last saw it at the book.
    pub age_seconds: f64,
    /// Seconds since line or price last changed.
    pub changed_seconds_ago: f64,
    /// Seconds since it was last received.
    pub received_seconds_ago: f64,
    /// Fair price without this book's family: what the book is judged against.
    pub without: Option<FairPrice>,
    /// What the vig removal solved for, with its own method in [`Appraisal::method`]; `None`: no vig was removed, or the
    /// middle of back and lay was taken.
    #[serde(skip)]
    pub parameter: Option<f64>,
    /// What the book takes beyond its price.
    #[serde(skip)]
    pub fee: Fee,
}

/// What the calculation was given besides the quotes: enough to do it again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Workings {
    /// The model that converts lines, where there is one.
    pub model: Option<&'static Distribution>,
    /// Standard deviation of results on the scale of points; 1 without a model.
    pub sd: f64,
    /// How votes become a price.
    pub fair: FairRule,
    /// How vig is removed.
    pub devig: DevigRule,
    /// What can be taken.
    pub opportunity: OpportunityRule,
    /// The published line of the consensus, with which a split board stays.
    pub stay: Option<f64>,
}

impl Workings {
    /// The scale of the question.
    pub fn scale(&self) -> Scale<'static> {
        self.model.map_or(Scale::LogOdds, Scale::Points)
    }
}

/// The board consensus.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BoardConsensus {
    /// Median line, as the first side sees it.
    pub line: Option<f64>,
    /// Vig-free probability of each side at that line: the median over the books.
    pub probability: Vec<f64>,
    /// Population standard deviation: of values in points, or of probabilities.
    pub dispersion: f64,
    /// Books counted.
    pub books: u16,
}

/// One question, in full.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Appraisal {
    /// Our id of the event.
    pub event_id: EventId,
    /// Market key.
    pub market: String,
    /// Player or team, where the market is about one.
    pub subject: Option<String>,
    /// How vig was removed.
    pub method: &'static str,
    /// `points` or `log_odds`.
    pub scale: &'static str,
    /// What stands behind the conversion of lines, where there is any: kind of evidence and source.
    pub model: Option<String>,
    /// Reference line, as the first side sees it.
    pub reference_line: Option<f64>,
    /// The fair price of all books; `None`: too few independent ones.
    pub fair: Option<FairPrice>,
    /// The board consensus; `None`: too few books.
    pub consensus: Option<BoardConsensus>,
    /// Every book, in the order of their keys.
    pub books: Vec<BookPart>,
    /// What can be taken now.
    #[serde(skip)]
    pub opportunities: Vec<Opportunity>,
    /// For each side: what every book offers.
    #[serde(skip)]
    pub cards: Vec<Card>,
    /// The instant.
    pub as_of: Timestamp,
    /// The question.
    #[serde(skip)]
    pub key: UnitKey,
    /// Its outcomes.
    #[serde(skip)]
    pub layout: Layout,
    /// What else went in.
    #[serde(skip)]
    pub workings: Workings,
}

/// Appraises events one after the other.
#[derive(Clone, Debug)]
pub struct Appraiser {
    engine: Engine,
}

impl Appraiser {
    /// With the user's rules and the store's names.
    pub fn new(settings: EngineSettings, names: Names) -> Self {
        let mut engine = Engine::new(settings);
        engine.names = names;
        Self { engine }
    }

    /// Names and their numbers.
    pub fn names(&self) -> &Names {
        self.engine.names()
    }

    /// Every question of an event whose quotes stood as given at `at`, in the order of market, subject and line.
    /// `published` are the points that stood then: where a board is split the consensus stays with them.
    pub fn event(
        &mut self,
        row: EventRow,
        quotes: Vec<(Slot, QuoteKey, QuoteValue)>,
        at: Timestamp,
        published: &[Point],
    ) -> Vec<Appraisal> {
        let image = EventImage {
            row,
            keyframe_look: 0,
            rows_since_keyframe: 0,
            quotes,
            stalls: Vec::new(),
            open_issues: Vec::new(),
        };
        let mut event = super::restore::build_event(&self.engine.names, &self.engine.settings, image, 0);
        self.engine.remember_views(&mut event);
        let Some(mut memory) = event.memory.take() else { return Vec::new() };
        let phase = memory.phase;
        let mut scratch = std::mem::take(&mut self.engine.scratch);
        let mut all = Vec::with_capacity(memory.questions.len());
        for question in &mut memory.questions {
            question.published = published.iter().find(|p| p.key == question.key).copied();
            let (scale, sd) = (question.scale, question.sd);
            refresh(question, &event, LookId(u64::MAX), at);
            let stay = question.published.and_then(|p| p.consensus).and_then(|c| c.line);
            let rule = &self.engine.settings.rules.fair;
            let voter = |book: BookId| self.engine.profile(book).voter;
            let (views, priced) = (&mut question.views, &mut question.priced);
            fair::price(views, question.layout, scale, sd, at, rule, stay, voter, &mut scratch, priced);
            all.push(self.appraisal(&event, question, scale, sd, phase, at));
        }
        self.engine.scratch = scratch;
        let names = &self.engine.names;
        let place = |a: &Appraisal| (names.market(a.key.market), names.subject(a.key.subject), a.key.line);
        all.sort_by(|a, b| place(a).cmp(&place(b)));
        all
    }

    fn appraisal(
        &self,
        event: &EventState,
        question: &Question,
        scale: Scale<'static>,
        sd: f64,
        phase: Phase,
        at: Timestamp,
    ) -> Appraisal {
        let engine = &self.engine;
        let rules = &engine.settings.rules;
        let names = &engine.names;
        let layout = question.layout;
        let sides = layout.sides().len();
        let priced = &question.priced;
        let told = |fair: &Fair| self.fair_price(event, question, scale, fair);
        let parts = fair::parts(&question.views, scale, sd, at, &rules.fair, |b| engine.profile(b).voter);
        let mut books: Vec<BookPart> = question
            .views
            .iter()
            .zip(&parts)
            .map(|(v, part)| {
                let profile = engine.profile(v.book);
                let known = v.own.is_none();
                let raw: f64 = v.prices.iter().flatten().map(|p| p.probability()).sum();
                let parameter = devig_parameter(v, sides, &question.class.of(&rules.devig));
                let seconds = |t: Timestamp| at.since(t).max(0) as f64 / 1000.0;
                BookPart {
                    book: names.book(v.book).to_owned(),
                    kind: profile.voter.kind.name(),
                    family: engine.families.get(usize::from(profile.voter.family)).cloned().unwrap_or_default(),
                    line: v.line.map(Line::points),
                    prices: v.prices.iter().take(sides).map(|p| p.map(|p| p.to_decimal())).collect(),
                    raw_sum: (v.prices.iter().flatten().count() == sides).then_some(raw),
                    margin: (v.raw_sum > 0.0).then_some(v.raw_sum - 1.0),
                    probability: known.then(|| v.fair.iter().take(sides).copied().collect()),
                    value: v.values.first().copied().filter(|_| known),
                    table_weight: profile.voter.weight,
                    weight: part.map_or(0.0, |p| p.weight),
                    share: part.map_or(0.0, |p| p.share),
                    excluded: v.excluded.map(super::price::view::Exclusion::name),
                    age_seconds: seconds(v.updated),
                    changed_seconds_ago: seconds(v.changed),
                    received_seconds_ago: seconds(v.seen),
                    without: priced.without(profile.voter.family).map(told),
                    parameter,
                    fee: profile.fee,
                }
            })
            .collect();
        books.sort_by(|a, b| a.book.cmp(&b.book));
        let subject = names.subject(question.key.subject);
        let mut opportunities = Vec::new();
        let mut cards = Vec::new();
        let asked = opportunity::Question {
            event: event.id,
            key: question.key,
            layout,
            scale,
            views: &question.views,
            priced,
            at,
            in_play: phase != Phase::Pregame || at >= event.commence,
        };
        let taker = |book: BookId| {
            let p = engine.profile(book);
            Taker { family: p.voter.family, fee: p.fee, takes: p.takes_single_bets(), direct: p.direct }
        };
        if phase == Phase::Pregame && at < event.commence {
            opportunity::find(&asked, &rules.opportunity, taker, &mut opportunities);
        }
        for side in layout.sides() {
            cards.extend(card(&asked, *side, &rules.opportunity, taker, |b| names.book(b).to_owned()));
        }
        Appraisal {
            event_id: event.id,
            market: names.market(question.key.market).to_owned(),
            subject: (!subject.is_empty()).then(|| subject.to_owned()),
            method: question.class.of(&rules.devig).method.name(),
            scale: scale.name(),
            model: match scale {
                Scale::Points(model) => {
                    let p = model.provenance();
                    Some(format!("{}: {}", p.basis.name(), p.source))
                }
                Scale::LogOdds => None,
            },
            reference_line: priced.reference.map(Line::points),
            fair: priced.all.as_ref().map(told),
            consensus: priced.consensus.map(|c| BoardConsensus {
                line: c.line.map(Line::points),
                probability: board_probability(layout, question, c.probability),
                dispersion: c.dispersion,
                books: c.books,
            }),
            books,
            opportunities,
            cards,
            as_of: at,
            key: question.key,
            layout,
            workings: Workings {
                model: match scale {
                    Scale::Points(model) => Some(model),
                    Scale::LogOdds => None,
                },
                sd,
                fair: rules.fair,
                devig: question.class.of(&rules.devig),
                opportunity: rules.opportunity,
                stay: question.published.and_then(|p| p.consensus).and_then(|c| c.line).map(Line::points),
            },
        }
    }

    fn fair_price(&self, event: &EventState, question: &Question, scale: Scale<'_>, fair: &Fair) -> FairPrice {
        let layout = question.layout;
        let value = fair.values.first().copied().unwrap_or_default();
        let sides = layout.sides().iter().zip(fair.probability).map(|(side, p)| SideFair {
            side: side.name(),
            selection: selection_name(&self.engine.names, event, question, *side),
            fair_line: match scale {
                Scale::Points(model) => model.fair_line(*side, value).ok().map(|f| f.points),
                Scale::LogOdds => None,
            },
            fair_probability: p,
            at_line: question.priced.reference.map(|l| layout.line_for(l, *side).points()),
        });
        FairPrice {
            sides: sides.collect(),
            value,
            standard_error: fair.standard_error,
            effective_books: fair.effective,
            families: fair.families,
        }
    }
}

/// What the removal of the vig solved for. A market of an exchange is priced by the middle of back and lay instead: there
/// the method would give other probabilities than the view holds.
fn devig_parameter(view: &BookView, sides: usize, rule: &DevigRule) -> Option<f64> {
    let raw: Vec<f64> = view.prices.iter().take(sides).flatten().map(|p| p.probability()).collect();
    let mut fair = vec![0.0; sides];
    let (parameter, _) = devig_into(&raw, rule.method, rule.max_sum, &mut fair).ok().filter(|_| view.own.is_none())?;
    fair.iter().zip(view.fair).all(|(a, b)| (a - b).abs() < 1e-12).then_some(parameter)
}

/// Probabilities of every side where the first one's is the median: of two sides the rest, of three each one's own
/// median over the books that count, made to sum to 1.
fn board_probability(layout: Layout, question: &Question, of_first: f64) -> Vec<f64> {
    if layout.sides().len() == 2 {
        return vec![of_first, 1.0 - of_first];
    }
    let medians: Vec<f64> = (0..3)
        .map(|place| {
            let counted = question.views.iter().filter(|v| v.own.is_none());
            let mut values: Vec<f64> = counted.filter_map(|v| v.fair.get(place)).copied().collect();
            values.sort_by(f64::total_cmp);
            fair::median(&values).unwrap_or_default()
        })
        .collect();
    let sum: f64 = medians.iter().sum();
    medians.iter().map(|m| m / sum).collect()
}
