//! The derivation of closing line value: what a signal's entry was worth against the vig-free close.

use super::bet;
use super::text::{SAME, at_line, five, line, percent};
use super::words;
use super::{Derivation, Input, Kind, LeftOut, Named, Reason, Step, Unit};
use crate::engine::detect::signal::{Entry, Signal};
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::profile::SportProfile;
use crate::market::books::Books;
use crate::market::line::Line;
use crate::market::market_key::MarketSpec;
use crate::market::selection::Side;
use crate::market::value::Settlement;

/// Explains the closing line value of a signal, or why it has none. `close` is the one that it was graded by, where there
/// is one.
pub fn clv(row: &ClvRow, close: Option<&Close>, signal: &Signal) -> Derivation {
    let subject = format!("closing line value of {} {} {}", row.kind.name(), row.signal_id, bet_name(row));
    let mut d = Derivation::new(Kind::Clv, subject, row.start);
    d.method = vec![
        "the entry at detection against the vig-free close, at the entry's own line; the side taken only".to_owned(),
        "graded once a signal; a missing number stays missing and is never zero".to_owned(),
    ];
    if let Some(entry) = &row.entry {
        d.inputs.push(entry_input(entry, row));
    }
    d.inputs.extend(close.into_iter().flat_map(|c| super::close::close(c).inputs));
    if let Some(entry) = &row.entry {
        d.steps.push(entry_step(entry, row, signal));
    }
    d.steps.push(close_step(row, close));
    match (&row.entry, row.clv_ev, close) {
        (Some(entry), Some(told), Some(close)) => ev_steps(&mut d, row, entry, close, told),
        _ => left_out(&mut d, row),
    }
    points_step(&mut d, row);
    price_step(&mut d, row);
    fair_step(&mut d, row);
    d.notes.push(if row.counts() {
        "part of the record of its type".to_owned()
    } else {
        "no part of the record of its type: only rows with a value against a close of grade A or B are".to_owned()
    });
    d
}

fn bet_name(row: &ClvRow) -> String {
    let at = at_line(row.entry.as_ref().and_then(|e| e.line), &row.market);
    format!("({} {}{at})", row.market, row.selection)
}

fn entry_input(entry: &Entry, row: &ClvRow) -> Input {
    Input {
        book: entry.book.clone(),
        side: row.side.clone(),
        line: entry.line,
        prices: vec![Some(entry.price)],
        odds: net(entry),
        probability: entry.fair_probability.map(|p| vec![p]),
        seen_seconds_ago: Some(entry.age_seconds),
        ..Input::default()
    }
}

fn net(entry: &Entry) -> Option<f64> {
    Books::embedded().resolve(&entry.book).fee.effective_decimal(entry.price)
}

fn entry_step(entry: &Entry, row: &ClvRow, signal: &Signal) -> Step {
    let fee = Books::embedded().resolve(&entry.book).fee;
    let mut step = Step::new("entry", "the best obtainable quote for the side when the signal was first made")
        .line(format!(
            "{}{} at {} {:+} ({:.4}), seen {:.0} s before {}",
            row.selection,
            at_line(entry.line, &row.market),
            entry.book,
            entry.price_american,
            entry.price,
            entry.age_seconds,
            row.detected_at
        ))
        .gives("price", entry.price, Unit::Odds);
    if let Some(odds) = net(entry) {
        step = step.line(format!("after the fee: {}", bet::fee(fee, entry.price, odds)));
        step = step.gives("odds after the fee", odds, Unit::Odds);
    }
    if signal.entry_now.is_some() {
        step = step.line("later updates of the signal do not change the entry by which it is graded");
    }
    step
}

fn close_step(row: &ClvRow, close: Option<&Close>) -> Step {
    let mut step = Step::new("close", "the last state before the start").from("section 9 of the domain contract");
    let Some(close) = close else { return step.line("none was taken") };
    let grade = close.grade.map_or("none", |g| g.name());
    let seen = close.seen_at.map_or_else(|| "none".to_owned(), |t| t.to_string());
    step = step.line(format!("grade {grade}, version {}, look {seen}, start {}", close.version, close.start));
    if let Some(at) = row.close.line {
        step = step.line(format!("reference line of the side: {}", line(at, &row.market)));
    }
    step
}

/// Chances of the entry by the close.
fn settlement(row: &ClvRow, entry: &Entry, close: &Close) -> Option<Settlement> {
    let sport = SportProfile::of(&row.sport);
    let spec = MarketSpec::parse(&row.market);
    let named = row.side.as_deref()?;
    let all = [Side::Home, Side::Away, Side::Draw, Side::Over, Side::Under, Side::Yes, Side::No];
    let side = all.into_iter().find(|s| s.name() == named)?;
    let layout = Layout::of(spec, sport.three_way, side)?;
    match sport.scale(layout, spec) {
        scale @ Scale::Points(_) => scale.settlement(layout, side, entry.line.and_then(Line::from_points), close.value),
        Scale::LogOdds => close.probability.get(layout.place(side)?).map(|p| Settlement::conditional(*p, 0.0)),
    }
}

fn ev_steps(d: &mut Derivation, row: &ClvRow, entry: &Entry, close: &Close, told: f64) {
    let Some((s, odds)) = settlement(row, entry, close).zip(net(entry)) else {
        d.notes.push("the chances at the entry's line are no longer known: the stored number stands".to_owned());
        d.says("clv ev", told, Unit::Share);
        return;
    };
    let formula = if close.scale == "points" {
        "the model's chances at the entry's line, at the close's value; p = win / (win + loss)"
    } else {
        "the close's probability at the same line; without a model a push counts as impossible"
    };
    let at = at_line(entry.line, &row.market);
    let step = bet::chances(format!("the close at the entry's line{at}"), formula, &s).with(
        "value of the close",
        close.value,
        if close.scale == "points" { Unit::Points } else { Unit::LogOdds },
    );
    d.steps.push(step);
    d.steps.push(bet::ev(&s, odds));
    d.says("clv ev", told, Unit::Share);
    if (s.ev(odds) - told).abs() > SAME {
        d.notes.push(
            "graded under another model, book table or version of the close: the stored number stands".to_owned(),
        );
    }
}

fn left_out(d: &mut Derivation, row: &ClvRow) {
    let Some(why) = row.left_out else { return };
    let reason = Reason { name: why.name().to_owned(), words: words::no_clv(why) };
    d.notes.push(format!("there is no closing line value: {}", reason.words));
    d.excluded.push(LeftOut { what: "clv ev".to_owned(), reason });
    if let Some(why) = row.close.reason {
        let reason = Reason { name: why.name().to_owned(), words: words::no_close(why) };
        d.excluded.push(LeftOut { what: "close".to_owned(), reason });
    }
}

fn points_step(d: &mut Derivation, row: &ClvRow) {
    let (Some(points), Some(close), Some(entry)) =
        (row.clv_points, row.close.line, row.entry.as_ref().and_then(|e| e.line))
    else {
        return;
    };
    let over = row.side.as_deref() == Some("over");
    let (formula, a, b) =
        if over { ("Over: close - entry", close, entry) } else { ("spreads and Under: entry - close", entry, close) };
    d.steps.push(Step::new("points", formula).line(format!("{a} - ({b}) = {points}")).gives(
        "points",
        points,
        Unit::Points,
    ));
    d.says("points", points, Unit::Points);
}

fn price_step(d: &mut Derivation, row: &ClvRow) {
    let Some((gain, close, entry)) = row
        .clv_price
        .zip(row.close.price)
        .zip(row.entry.as_ref().map(|e| e.price))
        .map(|((gain, close), entry)| (gain, close, entry))
    else {
        if row.entry.is_some() {
            d.steps.push(
                Step::new("price", "entry / close - 1 at the same book and line")
                    .line("the book did not close at the entry's line: there is none"),
            );
        }
        return;
    };
    d.steps.push(
        Step::new("price", "entry / close - 1 at the same book and line, vig left in")
            .line(format!("{entry:.4} / {close:.4} - 1 = {}", percent(gain)))
            .gives("price", gain, Unit::Share),
    );
    d.says("price", gain, Unit::Share);
}

fn fair_step(d: &mut Derivation, row: &ClvRow) {
    let before = row.entry.as_ref().and_then(|e| e.fair_probability);
    let (Some(gain), Some(before), Some(after)) = (row.fair_to_fair, before, row.close.fair_probability) else {
        return;
    };
    d.steps.push(
        Step::new("fair to fair", "fair probability at the close less the one at detection, at the entry's line")
            .line(format!("{} - {} = {}", five(after), five(before), percent(gain)))
            .gives("fair to fair", gain, Unit::Probability),
    );
    d.result.push(Named::number("fair to fair", gain, Unit::Probability));
}
