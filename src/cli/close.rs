//! `stratum close`: what each market said last before the start, graded, or why there is no close.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::CloseArgs;
use super::cells::{self, Teams};
use super::consensus::fair_price;
use super::filter::{self, WantedGrades};
use super::moment::Layouts;
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, look, show};
use crate::engine::changes::EventRow;
use crate::engine::grade::close::{Close, Grade, NoClose};
use crate::engine::names::Names;
use crate::engine::price::unit::Layout;
use crate::market::ids::EventId;
use crate::market::price::decimal_to_american;
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;
use crate::store::query::{END_OF_TIME, selection_name, side_name};

/// The close of one side.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct CloseRow {
    event_id: EventId,
    sport: String,
    market: String,
    /// Player or team, where the market is about one.
    subject: Option<String>,
    selection: String,
    side: &'static str,
    version: u32,
    /// The start that it was taken for.
    start: Timestamp,
    /// The look whose state it is.
    seen_at: Option<Timestamp>,
    grade: Option<Grade>,
    /// Why there is none.
    reason: Option<NoClose>,
    /// The start was moved later afterwards: another close will follow.
    provisional: bool,
    /// Reference line, as the side sees it.
    line: Option<f64>,
    /// The line at which the side is worth even money.
    fair_line: Option<f64>,
    /// Vig-free probability at `line`, conditional on no push.
    fair_probability: Option<f64>,
    /// Fair decimal odds.
    price: Option<f64>,
    price_american: Option<i64>,
    scale: String,
    /// On `scale`, from the first side.
    value: Option<f64>,
    standard_error: Option<f64>,
    effective_books: Option<f64>,
    /// Books that count.
    books: u16,
    /// A sharp one is among them.
    sharp: bool,
    /// Median over those books: seconds before the start.
    age_seconds: Option<f64>,
}

/// Runs `stratum close`.
pub fn run(global: &Global, args: &CloseArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    let grades = WantedGrades::new(&args.grade)?;
    let sport = filter::sport(&names, args.sport.as_deref())?;
    let event = match &args.event {
        None => None,
        Some(text) => Some(look::event(&reader, &names, text, END_OF_TIME)?.id),
    };
    let query = AnalysisFilter {
        sport,
        market: filter::market(&names, args.market.as_deref())?,
        since: args.since.map(filter::instant),
        event,
        ..AnalysisFilter::default()
    };
    let mut closes = reader.closes(&query)?;
    closes.retain(|c| grades.keeps(c.grade));
    let events: BTreeMap<EventId, EventRow> = reader.events(sport)?.into_iter().map(|e| (e.id, e)).collect();
    let mut layouts = Layouts::default();
    let mut rows = Vec::new();
    for close in &closes {
        let Some(row) = events.get(&close.event_id) else { continue };
        if let Some(layout) = layouts.of(&reader, &names, row, close.key)? {
            rows.extend(close_rows(&names, row, close, layout));
        }
    }
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
    } else {
        label(out, demo)?;
        table(&rows, &Teams::of(events.values())).print(out)?;
    }
    Ok(Exit::Ok)
}

/// One row for each side. What was not found out is nothing, never zero.
fn close_rows(names: &Names, event: &EventRow, close: &Close, layout: Layout) -> Vec<CloseRow> {
    let there = close.grade.is_some();
    let known = |x: f64| there.then_some(x);
    layout
        .sides()
        .iter()
        .zip(close.probability)
        .map(|(side, probability)| {
            let price = fair_price(known(probability));
            CloseRow {
                event_id: close.event_id,
                sport: names.sport(event.sport).to_owned(),
                market: close.market.clone(),
                subject: close.subject.clone(),
                selection: selection_name(event, &cells::selection(close.key, *side), names),
                side: side_name(*side),
                version: close.version,
                start: close.start,
                seen_at: close.seen_at,
                grade: close.grade,
                reason: close.reason,
                provisional: close.provisional,
                line: cells::own_line(layout, *side, close.line.filter(|_| there)),
                fair_line: cells::own_fair_line(layout, *side, close.fair_line),
                fair_probability: known(probability),
                price,
                price_american: price.map(decimal_to_american),
                scale: close.scale.clone(),
                value: known(close.value),
                standard_error: known(close.standard_error),
                effective_books: known(close.effective_books),
                books: close.books,
                sharp: close.sharp,
                age_seconds: close.age_seconds,
            }
        })
        .collect()
}

fn table(rows: &[CloseRow], teams: &Teams) -> Table {
    let mut table = Table::new([
        ("START (UTC)", Align::Left),
        ("EVENT", Align::Right),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("SELECTION", Align::Left),
        ("GRADE", Align::Left),
        ("LINE", Align::Right),
        ("FAIR %", Align::Right),
        ("US", Align::Right),
        ("FAIR LINE", Align::Right),
        ("BOOKS", Align::Right),
        ("SHARP", Align::Left),
        ("BEFORE START", Align::Right),
        ("NOTE", Align::Left),
    ]);
    for r in rows {
        let mut notes: Vec<&str> = r.reason.map(NoClose::name).into_iter().collect();
        if r.provisional {
            notes.push("provisional");
        }
        table.row([
            show::minute(r.start),
            r.event_id.0.to_string(),
            teams.name(r.event_id),
            r.market.clone(),
            r.selection.clone(),
            r.grade.map_or("none", Grade::name).to_owned(),
            show::line(r.line, &r.market),
            cells::or_none(r.fair_probability, |p| cells::percent(p, 2)),
            cells::or_none(r.price_american, show::american),
            cells::fair_line(r.fair_line, &r.market),
            r.books.to_string(),
            if r.sharp { "yes" } else { "no" }.to_owned(),
            cells::or_none(r.age_seconds, |s| show::span((s * 1000.0) as i64)),
            notes.join(", "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::changes::EventStatus;
    use crate::engine::names::NameKind;
    use crate::engine::price::unit::UnitKey;
    use crate::market::ids::{MarketId, SportId, SubjectId};

    fn event() -> EventRow {
        EventRow {
            id: EventId(7),
            source: 1,
            provider_id: "x".into(),
            sport: SportId(1),
            home: "Home Town".into(),
            away: "Away Town".into(),
            commence: Timestamp::from_millis(0),
            first_seen: Timestamp::from_millis(0),
            status: EventStatus::Scheduled,
            score: None,
        }
    }

    fn close(grade: Option<Grade>, reason: Option<NoClose>) -> Close {
        Close {
            event_id: EventId(7),
            market: "spreads".into(),
            subject: None,
            version: 1,
            start: Timestamp::from_millis(0),
            seen_at: None,
            grade,
            reason,
            provisional: false,
            line: grade.map(|_| -3.0),
            probability: if grade.is_some() { [0.48, 0.52, 0.0] } else { [0.0; 3] },
            value: 2.7,
            scale: "points".into(),
            fair_line: grade.map(|_| -2.7),
            standard_error: 0.1,
            effective_books: 5.0,
            books: 6,
            sharp: true,
            age_seconds: Some(60.0),
            inputs: Vec::new(),
            key: UnitKey { market: MarketId(1), subject: SubjectId::NONE, line: None },
        }
    }

    fn names() -> Names {
        let mut names = Names::default();
        NameKind::Sport.list(&mut names).intern("americanfootball_nfl");
        NameKind::Market.list(&mut names).intern("spreads");
        names
    }

    #[test]
    fn each_side_sees_its_own_line_and_chance() {
        let rows = close_rows(&names(), &event(), &close(Some(Grade::A), None), Layout::Spread);
        let [home, away] = &rows[..] else { panic!("two sides: {rows:?}") };
        assert_eq!((home.selection.as_str(), home.line, home.fair_line), ("Home Town", Some(-3.0), Some(-2.7)));
        assert_eq!((away.selection.as_str(), away.line, away.fair_line), ("Away Town", Some(3.0), Some(2.7)));
        assert_eq!((home.fair_probability, away.fair_probability), (Some(0.48), Some(0.52)));
        assert_eq!((home.price, home.price_american, away.price_american), (Some(1.0 / 0.48), Some(108), Some(-108)));
    }

    #[test]
    fn no_close_is_a_reason_and_no_numbers() {
        let rows = close_rows(&names(), &event(), &close(None, Some(NoClose::NoQuotes)), Layout::Spread);
        assert_eq!(rows.len(), 2);
        for row in &rows {
            assert_eq!((row.grade, row.reason), (None, Some(NoClose::NoQuotes)));
            assert_eq!((row.line, row.fair_probability, row.price, row.value), (None, None, None, None));
        }
        let mut text = Vec::new();
        table(&rows, &Teams::of([&event()])).print(&mut text).expect("prints");
        assert!(String::from_utf8_lossy(&text).contains("no_quotes"));
    }
}
