//! `stratum opportunities`: what could be taken, and what every book offers for one side.

use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::OpportunitiesArgs;
use super::card;
use super::cells::{self, Teams};
use super::filter;
use super::moment::{Appraised, Asked};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, show};
use crate::engine::names::Names;
use crate::engine::opportunity::split::{self, Split};
use crate::engine::opportunity::{Opportunity, OpportunityKind, OpportunityLeg};
use crate::market::books::Fee;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::query::{selection_name, side_name};

/// Something that could be taken.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct OpportunityRow {
    kind: &'static str,
    event_id: EventId,
    sport: String,
    commence_time: Timestamp,
    market: String,
    /// Player or team, where the market is about one.
    subject: Option<String>,
    /// Of the first leg.
    selection: String,
    legs: Vec<LegRow>,
    /// Expected profit on a stake of 1; of an arbitrage the certain one, of a low hold the loss.
    ev: f64,
    edge: Option<f64>,
    fair_probability: Option<f64>,
    standard_error: Option<f64>,
    kelly: Option<f64>,
    chance: Option<f64>,
    suspect: bool,
    #[serde(flatten)]
    plan: Option<Plan>,
    as_of: Timestamp,
}

/// One bet.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct LegRow {
    side: &'static str,
    selection: String,
    book: String,
    line: Option<f64>,
    price: f64,
    price_american: i64,
    /// Decimal odds after the book's fee.
    odds: f64,
    age_seconds: f64,
    /// Of the whole stake.
    share: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stake: Option<f64>,
}

/// A stake divided over the legs of an arbitrage.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
struct Plan {
    /// All stakes together.
    staked: Option<f64>,
    /// Profit if this leg wins, in the order of the legs.
    profits: Vec<f64>,
    /// The smallest of them; rounding can make it a loss.
    worst: Option<f64>,
    /// As a share of what is staked.
    worst_rate: Option<f64>,
    /// Why the stake cannot be divided.
    stake_error: Option<String>,
}

/// Runs `stratum opportunities`.
pub fn run(global: &Global, args: &OpportunitiesArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    check(args)?;
    let mut asked = Asked::open(global)?;
    if let Some(side) = &args.card {
        return card::run(&asked, args, side, out);
    }
    only_at(&mut asked, &args.books)?;
    if let Some(min) = args.min_ev {
        // Someone who asks for less than the usual minimum gets it, but a loss is no positive expectation.
        let rule = &mut asked.settings.rules.opportunity;
        rule.min_ev = rule.min_ev.min(min.max(0.0));
    }
    let events = asked.appraise(&args.filter)?;
    let mut rows: Vec<OpportunityRow> = Vec::new();
    for event in &events {
        for question in &event.questions {
            let subject = question.subject.as_ref();
            rows.extend(
                question.opportunities.iter().map(|o| row(&asked.names, event, subject, o, question.as_of, args)),
            );
        }
    }
    rows.retain(|r| {
        args.kind.is_none_or(|k| filter::kind(k).name() == r.kind) && args.min_ev.is_none_or(|min| r.ev >= min)
    });
    let suspect = rows.iter().filter(|r| r.suspect).count();
    let hidden = if args.suspect { 0 } else { suspect };
    rows.retain(|r| args.suspect || !r.suspect);
    // The order of events, questions and kinds stays among equals.
    rows.sort_by(|a, b| b.ev.total_cmp(&a.ev));
    let demo = asked.reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    table(&rows, &Teams::of(events.iter().map(|e| &e.row)), args.stake.is_some()).print(out)?;
    if hidden > 0 {
        writeln!(out, "{hidden} more too good to be true; --suspect shows them")?;
    }
    Ok(Exit::Ok)
}

fn check(args: &OpportunitiesArgs) -> Result<(), Failure> {
    if args.min_ev.is_some_and(|v| !v.is_finite()) {
        return Err(Failure::Usage("--min-ev takes a share of the stake, such as 0.02".into()));
    }
    if args.stake.is_some_and(|s| !(s.is_finite() && s > 0.0)) {
        return Err(Failure::Usage("--stake takes a positive amount".into()));
    }
    if !(args.round.is_finite() && args.round >= 0.0) {
        return Err(Failure::Usage("--round takes a positive unit, or 0 for no rounding".into()));
    }
    Ok(())
}

/// Nothing can be taken but at these books, which still leaves every book its part in the fair price.
///
/// A fee that takes all winnings says just that: its price is no price. Sorting out afterwards would lose a set whose
/// best leg stands elsewhere and whose second best is among these books.
fn only_at(asked: &mut Asked, books: &[String]) -> Result<(), Failure> {
    let own: Vec<&str> = books.iter().map(|b| b.trim()).collect();
    for book in &own {
        filter::known_book(&asked.names, book)?;
    }
    if !own.is_empty() {
        for other in asked.names.books.iter().filter(|b| !own.contains(b)) {
            asked.settings.books.entry(other.to_owned()).or_default().profile.fee = Fee::NetWin(1.0);
        }
    }
    Ok(())
}

fn row(
    names: &Names,
    event: &Appraised,
    subject: Option<&String>,
    found: &Opportunity,
    at: Timestamp,
    args: &OpportunitiesArgs,
) -> OpportunityRow {
    let selection = |leg: &OpportunityLeg| selection_name(&event.row, &cells::selection(found.key, leg.side), names);
    let odds: Vec<f64> = found.legs.iter().map(|l| l.odds).collect();
    let plan = args
        .stake
        .filter(|_| found.kind == OpportunityKind::Arbitrage)
        .map(|stake| split::plan(&odds, stake, args.round, &[]));
    let stakes = plan.as_ref().and_then(|p| p.as_ref().ok()).map(|p| p.stakes.clone()).unwrap_or_default();
    let legs = found.legs.iter().enumerate().map(|(place, leg)| LegRow {
        side: side_name(leg.side),
        selection: selection(leg),
        book: names.book(leg.book).to_owned(),
        line: leg.line.map(|l| l.points()),
        price: leg.price.to_decimal(),
        price_american: leg.price.to_american(),
        odds: leg.odds,
        age_seconds: leg.age_ms as f64 / 1000.0,
        share: leg.share,
        stake: stakes.get(place).copied(),
    });
    OpportunityRow {
        kind: found.kind.name(),
        event_id: found.event,
        sport: names.sport(event.row.sport).to_owned(),
        commence_time: event.row.commence,
        market: names.market(found.key.market).to_owned(),
        subject: subject.cloned(),
        selection: found.legs.first().map(selection).unwrap_or_default(),
        legs: legs.collect(),
        ev: found.ev,
        edge: found.edge,
        fair_probability: found.fair_probability,
        standard_error: found.standard_error,
        kelly: found.kelly,
        chance: found.chance,
        suspect: found.suspect,
        plan: plan.map(Plan::new),
        as_of: at,
    }
}

impl Plan {
    fn new(plan: Result<Split, split::SplitError>) -> Self {
        match plan {
            Ok(split) => Self {
                staked: Some(split.staked),
                worst: Some(split.worst),
                worst_rate: Some(split.worst_rate),
                profits: split.profits,
                stake_error: None,
            },
            Err(e) => Self { stake_error: Some(e.to_string()), ..Self::default() },
        }
    }

    /// Profit of each leg, and the worst.
    fn cells(&self) -> [String; 2] {
        let money = |x: f64| cells::number(x, 2);
        match &self.stake_error {
            Some(why) => [why.clone(), show::NONE.to_owned()],
            None => {
                let profits: Vec<String> = self.profits.iter().map(|p| money(*p)).collect();
                [profits.join(" / "), cells::or_none(self.worst, money)]
            }
        }
    }
}

fn table(rows: &[OpportunityRow], teams: &Teams, staked: bool) -> Table {
    let mut columns = vec![
        ("EV %", Align::Right),
        ("KIND", Align::Left),
        ("EVENT", Align::Right),
        ("START (UTC)", Align::Left),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("TAKE", Align::Left),
        ("FAIR %", Align::Right),
        ("KELLY %", Align::Right),
        ("BOTH WIN %", Align::Right),
        ("AGE", Align::Right),
        ("SUSPECT", Align::Left),
    ];
    if staked {
        columns.extend([("PROFIT BY OUTCOME", Align::Left), ("WORST", Align::Right)]);
    }
    let mut table = Table::new(columns);
    for r in rows {
        let legs: Vec<String> = r.legs.iter().map(|leg| leg_cell(leg, &r.market)).collect();
        let oldest = r.legs.iter().map(|l| l.age_seconds).fold(0.0, f64::max);
        let mut cells = vec![
            cells::gain(r.ev, 2),
            r.kind.to_owned(),
            r.event_id.0.to_string(),
            show::minute(r.commence_time),
            teams.name(r.event_id),
            r.market.clone(),
            legs.join(" + "),
            cells::or_none(r.fair_probability, |p| cells::percent(p, 2)),
            cells::or_none(r.kelly, |k| cells::percent(k, 2)),
            cells::or_none(r.chance, |c| cells::percent(c, 2)),
            show::span((oldest * 1000.0) as i64),
            if r.suspect { "suspect".to_owned() } else { String::new() },
        ];
        cells.extend(r.plan.iter().flat_map(Plan::cells));
        table.row(cells);
    }
    table
}

/// `100 on Lions -3 +105 fanduel`.
fn leg_cell(leg: &LegRow, market: &str) -> String {
    let stake = leg.stake.map_or_else(String::new, |s| format!("{} on ", (s * 100.0).round() / 100.0));
    let line = leg.line.map_or_else(String::new, |l| format!(" {}", show::line(Some(l), market)));
    format!("{stake}{}{line} {} {}", leg.selection, show::american(leg.price_american), leg.book)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(line: Option<f64>, stake: Option<f64>) -> LegRow {
        LegRow {
            side: "home",
            selection: "Detroit Lions".into(),
            book: "fanduel".into(),
            line,
            price: 2.05,
            price_american: 105,
            odds: 2.05,
            age_seconds: 4.0,
            share: 0.5,
            stake,
        }
    }

    #[test]
    fn a_leg_is_written_as_one_would_place_it() {
        assert_eq!(leg_cell(&leg(Some(-3.0), None), "spreads"), "Detroit Lions -3 +105 fanduel");
        assert_eq!(leg_cell(&leg(None, Some(240.0)), "h2h"), "240 on Detroit Lions +105 fanduel");
    }

    #[test]
    fn a_plan_tells_every_outcome_or_why_there_is_none() {
        let odds = [2.1, 1.0 + 100.0 / 105.0];
        let plan = Plan::new(split::plan(&odds, 500.0, 20.0, &[]));
        assert_eq!((plan.staked, plan.profits.len(), &plan.stake_error), (Some(500.0), 2, &None));
        assert_eq!(plan.cells(), ["4.00 / 7.62".to_owned(), "4.00".to_owned()]);
        let none = Plan::new(split::plan(&odds, 10.0, 20.0, &[]));
        assert!(none.staked.is_none() && none.stake_error.is_some_and(|e| e.contains("without a stake")));
    }

    #[test]
    fn stakes_are_told_only_where_one_was_given() {
        let json = serde_json::to_value(leg(None, None)).expect("JSON");
        assert!(json.get("stake").is_none());
        assert_eq!(serde_json::to_value(leg(None, Some(5.0))).expect("JSON")["stake"], 5.0);
    }
}
