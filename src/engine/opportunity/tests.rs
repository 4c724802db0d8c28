//! A small board to ask: books with lines, prices and ages, priced as the engine prices them.

use std::sync::OnceLock;

use super::*;
use crate::engine::price::fair::{self, Priced, Scratch, Voter};
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::price::view::{BookView, Offer};
use crate::engine::rules::AnalysisRules;
use crate::engine::status::{Phase, QuoteValue, Status};
use crate::market::books::{BookKind, Fee};
use crate::market::ids::{MarketId, SubjectId};
use crate::market::margin::{Distribution, Models};
use crate::market::time::Timestamp;

mod cards;
mod laws;
mod middles;
mod sets;
mod single;

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

fn margin(sport: &str) -> &'static Distribution {
    static MODELS: OnceLock<Models> = OnceLock::new();
    let models = MODELS.get_or_init(|| Models::embedded().expect("models"));
    models.for_sport(sport).expect("sport").model.margin(None).expect("margin")
}

fn nfl() -> Scale<'static> {
    Scale::Points(margin("americanfootball_nfl"))
}

fn rule() -> OpportunityRule {
    AnalysisRules::default().opportunity
}

fn line(points: f64) -> Line {
    Line::from_points(points).expect("line")
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got}, wanted {want}");
}

/// A quote seen so many seconds ago.
fn quote(points: Option<f64>, price: Price, age_seconds: i64) -> QuoteValue {
    let seen = NOW.plus(-1000 * age_seconds);
    QuoteValue {
        line: points.map(line),
        price,
        status: Status::Open,
        phase: Phase::Pregame,
        first_seen: seen,
        last_changed: seen,
        last_seen: seen,
        provider_update: Some(seen),
    }
}

fn american(a: i64) -> Price {
    Price::american(a).expect("price")
}

/// Books that answer one question. Every book is its own family and takes no fee unless told otherwise.
struct Board {
    layout: Layout,
    scale: Scale<'static>,
    views: Vec<BookView>,
    priced: Priced,
    takers: Vec<Taker>,
    rule: OpportunityRule,
}

/// Without the model, whose tables fill pages.
impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let books = self.views.iter().map(|v| (v.line, v.prices, v.age(NOW), v.own));
        f.debug_list().entries(books).finish()
    }
}

impl Board {
    fn new(layout: Layout, scale: Scale<'static>) -> Self {
        Self { layout, scale, views: Vec::new(), priced: Priced::default(), takers: Vec::new(), rule: rule() }
    }

    fn spread() -> Self {
        Self::new(Layout::Spread, nfl())
    }

    fn moneyline() -> Self {
        Self::new(Layout::Moneyline, Scale::LogOdds)
    }

    fn add(&mut self, offer: &Offer) -> &mut Self {
        let book = BookId(self.takers.len() as u16);
        let devig = AnalysisRules::default().devig[2];
        self.views.push(offer.view(book, self.layout, self.scale, Phase::Pregame, &devig));
        self.takers.push(Taker { family: book.0, fee: Fee::None, takes: true, direct: false });
        self
    }

    /// A book with these prices (`None`: the side is missing) at this line, as the first side sees it.
    fn book(&mut self, points: Option<f64>, prices: &[Option<Price>], age_seconds: i64) -> &mut Self {
        let mut offer = Offer::default();
        for (side, price) in self.layout.sides().iter().zip(prices) {
            let own = points.map(|p| if (self.layout, *side) == (Layout::Spread, Side::Away) { -p } else { p });
            if let Some(price) = price {
                offer.add(self.layout, *side, quote(own, *price, age_seconds));
            }
        }
        self.add(&offer)
    }

    /// A fresh book with American prices.
    fn at(&mut self, points: f64, first: i64, second: i64) -> &mut Self {
        self.book(Some(points), &[Some(american(first)), Some(american(second))], 0)
    }

    fn ml(&mut self, prices: &[i64]) -> &mut Self {
        let prices: Vec<_> = prices.iter().map(|p| Some(american(*p))).collect();
        self.book(None, &prices, 0)
    }

    /// So many books alike.
    fn times(&mut self, n: usize, points: f64, first: i64, second: i64) -> &mut Self {
        for _ in 0..n {
            self.at(points, first, second);
        }
        self
    }

    fn price(&mut self) {
        let takers = self.takers.clone();
        let voter =
            |book: BookId| Voter { family: takers[usize::from(book.0)].family, kind: BookKind::Retail, weight: 1.0 };
        let (fair, scratch) = (AnalysisRules::default().fair, &mut Scratch::default());
        fair::price(&mut self.views, self.layout, self.scale, 12.8, NOW, &fair, None, voter, scratch, &mut self.priced);
    }

    fn question(&self) -> Question<'_> {
        Question {
            event: EventId(7),
            key: UnitKey { market: MarketId(1), subject: SubjectId::NONE, line: None },
            layout: self.layout,
            scale: self.scale,
            views: &self.views,
            priced: &self.priced,
            at: NOW,
            in_play: false,
        }
    }

    fn taker(&self, book: BookId) -> Taker {
        self.takers[usize::from(book.0)]
    }

    fn all(&mut self) -> Vec<Opportunity> {
        self.price();
        let mut out = Vec::new();
        find(&self.question(), &self.rule, |book| self.taker(book), &mut out);
        out
    }

    fn of(&mut self, kind: OpportunityKind) -> Vec<Opportunity> {
        self.all().into_iter().filter(|o| o.kind == kind).collect()
    }

    fn ev(&mut self) -> Vec<Opportunity> {
        self.of(OpportunityKind::PositiveEv)
    }

    fn arbs(&mut self) -> Vec<Opportunity> {
        self.of(OpportunityKind::Arbitrage)
    }
}
