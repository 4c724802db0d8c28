//! `stratum explain`: how a number came about.
//!
//! Owns what is meant by the arguments and how a derivation is written in text. The derivations are the engine's.

use std::io::{self, Write};

use super::args::Global;
use super::args_analysis::ExplainArgs;
use super::output::{Align, Table, label, printable, stored_rows};
use super::when::AsOf;
use super::{Exit, Failure, look, prepare, show};
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::changes::EventRow;
use crate::engine::detect::signal::Signal;
use crate::engine::explain::{self, Derivation, Input, Kind, Named, Step, Unit};
use crate::engine::grade::close::Close;
use crate::engine::names::Names;
use crate::engine::settings::EngineSettings;
use crate::market::ids::MarketId;
use crate::market::price::decimal_to_american;
use crate::market::time::Timestamp;
use crate::runtime::settings::engine_settings;
use crate::store::Reader;
use crate::store::analysis::AnalysisFilter;

/// Longest line of the text form, in letters.
const WIDTH: usize = 100;
/// Candidates for the beginning of an id that are listed.
const LISTED: u32 = 20;

/// Runs `stratum explain`.
pub fn run(global: &Global, args: &ExplainArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (kind, of) = asked(args)?;
    if args.book.is_some() && !matches!(kind, Kind::Fair | Kind::Opportunity) {
        return Err(Failure::Usage(format!("--book goes with fair and opportunity, not with {}", kind.name())));
    }
    if args.market.is_some() && matches!(kind, Kind::Signal | Kind::Clv) {
        return Err(Failure::Usage("a signal has one market: --market goes with an event".into()));
    }
    let (paths, loaded) = prepare(global, Vec::new())?;
    let reader = Reader::open(&paths.store(&loaded.settings))?;
    let desk = Desk { names: reader.names()?, settings: engine_settings(&loaded.settings), reader, args };
    let all = match kind {
        Kind::Signal => vec![desk.signal(of)?],
        Kind::Clv => vec![desk.clv(of)?],
        Kind::Close => desk.closes(of)?,
        Kind::Fair => desk.fair(of)?,
        Kind::Consensus => desk.appraised(of)?.iter().map(explain::consensus).collect(),
        Kind::Opportunity => desk.opportunities(of)?,
    };
    let demo = desk.reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &all, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    for (n, d) in all.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        print(out, d)?;
    }
    if all.is_empty() {
        writeln!(
            out,
            "nothing to explain: {}",
            if kind == Kind::Opportunity { "nothing can be taken" } else { "none" }
        )?;
    }
    Ok(Exit::Ok)
}

/// What is to be explained, and of what.
fn asked(args: &ExplainArgs) -> Result<(Kind, &str), Failure> {
    const KINDS: [Kind; 6] = [Kind::Signal, Kind::Clv, Kind::Fair, Kind::Consensus, Kind::Opportunity, Kind::Close];
    let what = args.what.trim();
    let of = args.of.as_deref().map(str::trim).filter(|of| !of.is_empty());
    match (KINDS.into_iter().find(|k| k.name() == what), of) {
        (Some(kind), Some(of)) => Ok((kind, of)),
        (Some(kind @ (Kind::Signal | Kind::Clv)), None) => {
            Err(Failure::Usage(format!("name a signal: stratum explain {} ID", kind.name())))
        }
        (Some(kind), None) => Err(Failure::Usage(format!("name an event: stratum explain {} EVENT", kind.name()))),
        (None, None) if !what.is_empty() => Ok((Kind::Signal, what)),
        (None, _) => Err(Failure::Usage(format!(
            "'{what}' cannot be explained: signal, clv, fair, consensus, opportunity and close can"
        ))),
    }
}

/// What the questions are answered from.
struct Desk<'a> {
    reader: Reader,
    names: Names,
    settings: EngineSettings,
    args: &'a ExplainArgs,
}

impl Desk<'_> {
    /// The one signal whose id begins with `prefix`, in the version that stood at the instant asked for.
    fn found(&self, prefix: &str) -> Result<Signal, Failure> {
        let prefix = prefix.to_ascii_lowercase();
        let mut found = self.reader.signal(&prefix, LISTED + 1)?;
        let Some(newest) = found.pop() else {
            return Err(Failure::NotFound(format!("no signal '{prefix}'; `stratum signals` lists them all")));
        };
        if !found.is_empty() {
            found.push(newest);
            return Err(Failure::NotFound(candidates(&prefix, &found)?));
        }
        let Some(as_of) = self.args.as_of else { return Ok(newest) };
        let at = as_of.at(look::now());
        let versions = self.reader.signal_versions(&newest.id)?;
        versions.into_iter().rfind(|s| s.updated_at <= at).ok_or_else(|| {
            Failure::NotFound(format!(
                "signal {} was not known at {at}; it was made at {}",
                newest.id, newest.detected_at
            ))
        })
    }

    fn signal(&self, prefix: &str) -> Result<Derivation, Failure> {
        Ok(explain::signal(&self.found(prefix)?, &self.settings.rules))
    }

    fn clv(&self, prefix: &str) -> Result<Derivation, Failure> {
        let signal = self.found(prefix)?;
        let filter = AnalysisFilter { event: Some(signal.event_id), ..AnalysisFilter::default() };
        let rows = self.reader.clv_rows(&filter)?;
        let Some(row) = rows.iter().find(|r| r.signal_id == signal.id) else {
            return Err(Failure::NotFound(format!(
                "signal {} is not graded yet: that happens at the first look after the start, {}",
                signal.id, signal.commence_time
            )));
        };
        let closes = self.reader.closes(&filter)?;
        let close: Option<&Close> = closes.iter().find(|c| c.key == signal.key);
        Ok(explain::clv(row, close, &signal))
    }

    fn closes(&self, event: &str) -> Result<Vec<Derivation>, Failure> {
        let at = look::instant(self.args.as_of);
        let row = look::event(&self.reader, &self.names, event, at)?;
        let filter = AnalysisFilter { event: Some(row.id), until: Some(at), ..AnalysisFilter::default() };
        let mut closes = self.reader.closes(&filter)?;
        if closes.is_empty() {
            return Err(Failure::NotFound(format!(
                "event {} has no close yet: it is taken at the first look after the start, {}",
                row.id.0, row.commence
            )));
        }
        if let Some(market) = &self.args.market {
            let market = self.market(market, closes.iter().map(|c| c.key.market))?;
            closes.retain(|c| c.key.market == market);
        }
        Ok(closes.iter().map(explain::close).collect())
    }

    /// The number of a market that is among those there are.
    fn market(&self, asked: &str, there: impl Iterator<Item = MarketId> + Clone) -> Result<MarketId, Failure> {
        let mut found = there.clone().filter(|m| self.names.market(*m) == asked);
        found.next().ok_or_else(|| look::unknown("market", asked, there.map(|m| self.names.market(m))))
    }

    /// Every question of an event at the instant asked for, or at the newest look of its sport.
    fn appraised(&self, event: &str) -> Result<Vec<Appraisal>, Failure> {
        let known = look::instant(self.args.as_of);
        let row = look::event(&self.reader, &self.names, event, known)?;
        let at = match self.args.as_of {
            Some(as_of) => AsOf::at(as_of, look::now()),
            None => self.newest_look(&row)?,
        };
        let Some(then) = self.reader.event_as_of(row.id, at)? else {
            return Err(Failure::NotFound(format!(
                "event {} was not known at {at}; it was first seen at {}",
                row.id.0, row.first_seen
            )));
        };
        let points: Vec<_> = self.reader.points(row.id, at, at)?.into_iter().map(|p| p.point).collect();
        let mut appraiser = Appraiser::new(self.settings.clone(), self.names.clone());
        let mut all = appraiser.event(then.row, then.quotes, at, &points);
        if all.is_empty() {
            return Err(Failure::NotFound(format!("event {} had no quotes at {at}", row.id.0)));
        }
        if let Some(market) = &self.args.market {
            let market = self.market(market, all.iter().map(|a| a.key.market))?;
            all.retain(|a| a.key.market == market);
        }
        if let Some(book) = &self.args.book {
            let there = || all.iter().flat_map(|a| &a.books).map(|b| b.book.as_str());
            if !there().any(|b| b == book) {
                return Err(look::unknown("book", book, there()));
            }
            all.retain(|a| a.books.iter().any(|b| b.book == *book));
        }
        Ok(all)
    }

    fn newest_look(&self, event: &EventRow) -> Result<Timestamp, Failure> {
        let (source, sport) = (self.names.sources.name(event.source), self.names.sport(event.sport));
        let looks = self.reader.status(&self.names)?;
        Ok(looks.iter().find(|s| s.source == source && s.sport == sport).map_or(event.first_seen, |s| s.last_look))
    }

    fn fair(&self, event: &str) -> Result<Vec<Derivation>, Failure> {
        let book = self.args.book.as_deref();
        Ok(self.appraised(event)?.iter().map(|a| explain::fair(a, book)).collect())
    }

    fn opportunities(&self, event: &str) -> Result<Vec<Derivation>, Failure> {
        let mut all = Vec::new();
        for a in self.appraised(event)? {
            let asked = |o: &&crate::engine::opportunity::Opportunity| match &self.args.book {
                Some(book) => o.legs.iter().any(|l| self.names.book(l.book) == book),
                None => true,
            };
            all.extend(a.opportunities.iter().filter(asked).map(|o| explain::opportunity(&a, o, &self.names)));
        }
        Ok(all)
    }
}

fn candidates(prefix: &str, found: &[Signal]) -> Result<String, Failure> {
    let mut table = Table::new([
        ("SIGNAL", Align::Left),
        ("DETECTED (UTC)", Align::Left),
        ("TYPE", Align::Left),
        ("MARKET", Align::Left),
        ("SELECTION", Align::Left),
    ]);
    for s in found.iter().take(LISTED as usize) {
        let (kind, at) = (s.kind.name().to_owned(), show::second(s.detected_at));
        table.row([s.id.clone(), at, kind, s.market.clone(), s.selection.clone()]);
    }
    let mut list = Vec::new();
    table.print(&mut list)?;
    let more = if found.len() > LISTED as usize { "and more" } else { "" };
    Ok(format!("'{prefix}' fits several signals; write more of the id:\n{}{more}", String::from_utf8_lossy(&list))
        .trim_end()
        .to_owned())
}

/// One derivation as text.
fn print(out: &mut dyn Write, d: &Derivation) -> Result<(), Failure> {
    wrapped(out, "", &d.subject)?;
    writeln!(out, "as of {} UTC", show::second(d.as_of))?;
    if !d.result.is_empty() {
        writeln!(out, "\nRESULT")?;
        let mut table = Table::new([("NAME", Align::Left), ("VALUE", Align::Right)]);
        for named in &d.result {
            table.row([named.name.clone(), value(named)]);
        }
        indented(out, &table)?;
    }
    section(out, "METHOD", &d.method)?;
    inputs(out, d)?;
    for (n, step) in d.steps.iter().enumerate() {
        print_step(out, n + 1, step)?;
    }
    if !d.excluded.is_empty() {
        writeln!(out, "\nLEFT OUT")?;
        for left in &d.excluded {
            wrapped(out, "  ", &format!("{}: {}", left.what, left.reason.words))?;
        }
    }
    section(out, "NOTES", &d.notes)
}

fn section(out: &mut dyn Write, name: &str, lines: &[String]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{name}")?;
    for line in lines {
        wrapped(out, "  ", line)?;
    }
    Ok(())
}

fn print_step(out: &mut dyn Write, n: usize, step: &Step) -> Result<(), Failure> {
    writeln!(out, "\n{}", printable(&format!("{n}. {}", step.name)))?;
    if !step.formula.is_empty() {
        wrapped(out, "  ", &step.formula)?;
    }
    if let Some(source) = step.source {
        wrapped(out, "  ", &format!("({source})"))?;
    }
    for line in &step.filled {
        wrapped(out, "    ", line)?;
    }
    Ok(())
}

/// The inputs as a table: those columns that any of them has.
fn inputs(out: &mut dyn Write, d: &Derivation) -> Result<(), Failure> {
    if d.inputs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nINPUTS")?;
    let points = d.inputs.iter().any(|i| i.line.is_some());
    let moved = d.inputs.iter().any(|i| i.movement.is_some());
    let columns: Vec<Column> = if moved { moved_columns() } else { columns() };
    let used: Vec<&Column> = columns
        .iter()
        .filter(|c| (points || c.name != "LINE") && d.inputs.iter().any(|i| !(c.cell)(i).is_empty()))
        .collect();
    let mut table = Table::new(used.iter().map(|c| (c.name, c.align)));
    for input in &d.inputs {
        table.row(used.iter().map(|c| (c.cell)(input)));
    }
    indented(out, &table)?;
    Ok(())
}

struct Column {
    name: &'static str,
    align: Align,
    cell: fn(&Input) -> String,
}

const fn column(name: &'static str, align: Align, cell: fn(&Input) -> String) -> Column {
    Column { name, align, cell }
}

fn columns() -> Vec<Column> {
    use Align::{Left, Right};
    vec![
        column("BOOK", Left, |i| i.book.clone()),
        column("SIDE", Left, |i| i.side.clone().unwrap_or_default()),
        column("LINE", Right, |i| i.line.map_or_else(String::new, |l| l.to_string())),
        column("US", Right, |i| american(&i.prices)),
        column("ODDS", Right, |i| places(i.odds, 4)),
        column("RAW SUM", Right, |i| places(i.raw_sum, 4)),
        column("FAIR", Right, |i| places(i.probability.as_ref().and_then(|p| p.first()).copied(), 4)),
        column("VALUE", Right, |i| places(i.value, 3)),
        column("SEEN", Right, |i| ago(i.seen_seconds_ago)),
        column("CHNG", Right, |i| ago(i.changed_seconds_ago)),
        column("RECV", Right, |i| ago(i.received_seconds_ago)),
        column("WEIGHT", Right, |i| places(i.weight, 3)),
        column("SHARE", Right, |i| places(i.share, 3)),
        // Why stands below the steps, in words.
        column("", Left, |i| i.excluded.as_ref().map_or_else(String::new, |_| "out".to_owned())),
    ]
}

fn moved_columns() -> Vec<Column> {
    use Align::{Left, Right};
    vec![
        column("BOOK", Left, |i| i.book.clone()),
        column("BEFORE", Right, |i| {
            i.movement.as_ref().map_or_else(String::new, |m| quoted(m.before_line, &m.before_prices))
        }),
        column("AFTER", Right, |i| quoted(i.line, &i.prices)),
        column("FROM", Right, |i| i.movement.as_ref().map_or_else(String::new, |m| format!("{:.4}", m.before_value))),
        column("TO", Right, |i| i.movement.as_ref().map_or_else(String::new, |m| format!("{:.4}", m.after_value))),
        column("CHANGE", Right, |i| i.movement.as_ref().map_or_else(String::new, |m| format!("{:+.4}", m.change))),
        column("MOVED AT", Left, |i| {
            let at = i.movement.as_ref().and_then(|m| m.moved_at);
            at.map_or_else(String::new, |t| t.to_chrono().format("%H:%M:%S").to_string())
        }),
        column("ORDER", Right, |i| {
            i.movement.as_ref().and_then(|m| m.order).map_or_else(String::new, |o| o.to_string())
        }),
    ]
}

fn quoted(line: Option<f64>, prices: &[Option<f64>]) -> String {
    line.map_or_else(|| american(prices), |l| format!("{l} {}", american(prices)))
}

fn american(prices: &[Option<f64>]) -> String {
    let one = |p: &Option<f64>| p.map_or_else(|| show::NONE.to_owned(), |d| show::american(decimal_to_american(d)));
    prices.iter().map(one).collect::<Vec<_>>().join("/")
}

fn places(x: Option<f64>, places: usize) -> String {
    x.map_or_else(String::new, |x| format!("{x:.places$}"))
}

fn ago(seconds: Option<f64>) -> String {
    seconds.map_or_else(String::new, |s| show::span((s * 1000.0) as i64))
}

fn value(named: &Named) -> String {
    let Some(x) = named.value else { return named.text.clone().unwrap_or_default() };
    match named.unit {
        Unit::Probability | Unit::Share => format!("{:.2} %", 100.0 * x),
        Unit::Points => format!("{x:+.3}"),
        Unit::Count | Unit::Score => format!("{x:.0}"),
        Unit::Seconds => format!("{x:.0} s"),
        Unit::Minutes => format!("{x:.1} min"),
        Unit::LogOdds | Unit::Odds | Unit::Number | Unit::Text => format!("{x:.4}"),
    }
}

/// A table, moved in by two.
fn indented(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let mut text = Vec::new();
    table.print(&mut text)?;
    for line in String::from_utf8_lossy(&text).lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// A text over as many lines as it needs; all but the first a little further in.
fn wrapped(out: &mut dyn Write, indent: &str, text: &str) -> Result<(), Failure> {
    let text = printable(text);
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line = format!("{indent}  ");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(what: &str, of: Option<&str>) -> ExplainArgs {
        ExplainArgs {
            what: what.to_owned(),
            of: of.map(str::to_owned),
            market: None,
            book: None,
            as_of: None,
            output: super::super::args::OutputArgs { json: false },
        }
    }

    #[test]
    fn a_single_word_is_a_signal_and_two_are_a_kind_and_what_it_is_of() {
        assert_eq!(asked(&args("3f2a", None)).expect("signal"), (Kind::Signal, "3f2a"));
        assert_eq!(asked(&args("fair", Some("12"))).expect("fair"), (Kind::Fair, "12"));
        for (what, of) in [("fair", None), ("clv", None), ("3f2a", Some("12")), ("", None)] {
            assert!(matches!(asked(&args(what, of)), Err(Failure::Usage(_))), "{what} {of:?}");
        }
    }

    #[test]
    fn long_lines_go_on_below_and_nothing_is_lost() {
        let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
        let mut out = Vec::new();
        wrapped(&mut out, "  ", &words.join(" ")).expect("prints");
        let text = String::from_utf8(out).expect("text");
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 60);
    }
}
