//! A derivation as a tree that can be folded. Pure.

use crate::board::format::{self, Odds};
use crate::board::widgets::{popup, text};
use crate::engine::explain::{Derivation, Input, Named, Step, Unit};
use crate::market::price::Price;

/// One entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it says.
    pub text: String,
    /// What is under it.
    pub kids: Vec<Node>,
    /// That is shown.
    pub open: bool,
    /// A line of a table, which is cut rather than wrapped.
    pub is_row: bool,
}

/// A line on show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The way to its entry: places from the roots on.
    pub path: Vec<usize>,
    /// `None`: it goes on with the entry above; else whether there is something under it, and whether that is shown.
    pub fold: Option<Option<bool>>,
    /// What it says.
    pub text: String,
}

impl Node {
    /// An entry with nothing under it.
    pub fn leaf(text: impl Into<String>) -> Self {
        Self { text: text::plain(&text.into()), kids: Vec::new(), open: false, is_row: false }
    }

    /// An entry with others under it.
    pub fn of(text: impl Into<String>, open: bool, kids: Vec<Self>) -> Self {
        Self { kids, open, ..Self::leaf(text) }
    }
}

/// The lines that are shown of `roots` in `width` columns.
pub fn lines(roots: &[Node], width: u16) -> Vec<Line> {
    let mut all = Vec::new();
    for (at, node) in roots.iter().enumerate() {
        put(node, vec![at], width, &mut all);
    }
    all
}

fn put(node: &Node, path: Vec<usize>, width: u16, all: &mut Vec<Line>) {
    let indent = (path.len() as u16 - 1) * 2 + 2;
    let room = width.saturating_sub(indent).max(8);
    let parts = if node.is_row { vec![node.text.clone()] } else { popup::wrap(&node.text, room) };
    for (n, text) in parts.into_iter().enumerate() {
        let fold = (n == 0).then(|| (!node.kids.is_empty()).then_some(node.open));
        all.push(Line { path: path.clone(), fold, text });
    }
    if node.open {
        for (at, kid) in node.kids.iter().enumerate() {
            let path = path.iter().copied().chain([at]).collect();
            put(kid, path, width, all);
        }
    }
}

/// The entry at a path.
pub fn at<'t>(roots: &'t mut [Node], path: &[usize]) -> Option<&'t mut Node> {
    let (first, rest) = path.split_first()?;
    let node = roots.get_mut(*first)?;
    if rest.is_empty() { Some(node) } else { at(&mut node.kids, rest) }
}

/// Everything as text, folded or not, each level two blanks further in.
pub fn text(roots: &[Node]) -> String {
    fn put(nodes: &[Node], depth: usize, out: &mut String) {
        for node in nodes {
            out.push_str(&"  ".repeat(depth));
            out.push_str(&node.text);
            out.push('\n');
            put(&node.kids, depth + 1, out);
        }
    }
    let mut out = String::new();
    put(roots, 0, &mut out);
    out
}

/// A derivation as an entry. `odds`: how prices are written.
pub fn derivation(d: &Derivation, odds: Odds) -> Node {
    let mut kids: Vec<Node> = d.result.iter().map(|n| Node::leaf(named(n))).collect();
    kids.extend(d.steps.iter().enumerate().map(|(n, step)| self::step(n + 1, step)));
    if !d.inputs.is_empty() {
        kids.push(Node::of(format!("Prices that went in: {}", d.inputs.len()), false, inputs(&d.inputs, odds)));
    }
    if !d.excluded.is_empty() {
        let left = d.excluded.iter().map(|l| Node::leaf(format!("{}: {}", l.what, l.reason.words))).collect();
        kids.push(Node::of(format!("Left out: {}", d.excluded.len()), false, left));
    }
    if !d.method.is_empty() {
        kids.push(Node::of("Method", false, d.method.iter().map(Node::leaf).collect()));
    }
    if !d.notes.is_empty() {
        kids.push(Node::of("Notes", true, d.notes.iter().map(Node::leaf).collect()));
    }
    Node::of(format!("{}: {}", heading(d), d.subject), true, kids)
}

const fn heading(d: &Derivation) -> &'static str {
    use crate::engine::explain::Kind as K;
    match d.kind {
        K::Fair => "Fair price",
        K::Consensus => "Board consensus",
        K::Signal => "Signal",
        K::Opportunity => "Opportunity",
        K::Close => "Close",
        K::Clv => "Closing line value",
    }
}

fn step(n: usize, step: &Step) -> Node {
    let result: Vec<String> = step.result.iter().take(2).map(named).collect();
    let told = if result.is_empty() { String::new() } else { format!("   {}", result.join(", ")) };
    let mut kids = Vec::new();
    if !step.formula.is_empty() {
        kids.push(Node::leaf(step.formula.as_str()));
    }
    if let Some(source) = step.source {
        kids.push(Node::leaf(format!("({source})")));
    }
    kids.extend(step.filled.iter().map(Node::leaf));
    kids.extend(step.result.iter().skip(2).map(|n| Node::leaf(named(n))));
    Node::of(format!("{n}. {}{told}", step.name), false, kids)
}

/// A number with its name and unit.
pub fn named(n: &Named) -> String {
    let value = match n.value {
        None => n.text.clone().unwrap_or_else(|| "none".to_owned()),
        Some(x) => match n.unit {
            Unit::Probability | Unit::Share => format!("{:.2} %", 100.0 * x),
            Unit::Points => format!("{x:+.3}"),
            Unit::Count | Unit::Score => format!("{x:.0}"),
            Unit::Seconds => format!("{x:.0} s"),
            Unit::Minutes => format!("{x:.1} min"),
            Unit::LogOdds | Unit::Odds | Unit::Number | Unit::Text => format!("{x:.4}"),
        },
    };
    format!("{}  {value}", n.name)
}

/// The inputs as a table: those columns that any of them has.
fn inputs(all: &[Input], odds: Odds) -> Vec<Node> {
    let number = |x: Option<f64>, places: usize| x.map_or_else(String::new, |x| format!("{x:.places$}"));
    let prices = |all: &[Option<f64>]| {
        let one = |p: &Option<f64>| {
            let price = p.and_then(|d| Price::decimal(d).ok());
            price.map_or_else(|| "-".to_owned(), |p| format::price(p, odds))
        };
        all.iter().map(one).collect::<Vec<_>>().join("/")
    };
    let ago = |s: Option<f64>| s.map_or_else(String::new, |s| format::ago((s * 1000.0) as i64));
    type Cell<'c> = (&'static str, bool, Box<dyn Fn(&Input) -> String + 'c>);
    let columns: Vec<Cell<'_>> = vec![
        ("book", false, Box::new(|i: &Input| i.book.clone())),
        ("side", false, Box::new(|i: &Input| i.side.clone().unwrap_or_default())),
        ("line", true, Box::new(|i: &Input| i.line.map_or_else(String::new, |l| format!("{l:+}")))),
        ("prices", true, Box::new(|i: &Input| prices(&i.prices))),
        ("fair", true, Box::new(|i: &Input| number(i.probability.as_ref().and_then(|p| p.first()).copied(), 4))),
        ("value", true, Box::new(|i: &Input| number(i.value, 3))),
        ("weight", true, Box::new(|i: &Input| number(i.weight, 3))),
        ("share", true, Box::new(|i: &Input| number(i.share, 3))),
        (
            "moved",
            true,
            Box::new(|i: &Input| i.movement.as_ref().map_or_else(String::new, |m| format!("{:+.4}", m.change))),
        ),
        ("seen", true, Box::new(|i: &Input| ago(i.seen_seconds_ago))),
        ("", false, Box::new(|i: &Input| i.excluded.as_ref().map_or_else(String::new, |_| "out".to_owned()))),
    ];
    let mut rows: Vec<String> = vec![String::new(); all.len() + 1];
    for (title, right, cell) in &columns {
        let cells: Vec<String> = all.iter().map(|i| text::plain(&cell(i))).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let width = cells.iter().map(|c| text::width(c)).max().unwrap_or(0).max(text::width(title));
        for (row, cell) in rows.iter_mut().zip(std::iter::once((*title).to_owned()).chain(cells)) {
            let pad = " ".repeat(usize::from(width - text::width(&cell)));
            let gap = if row.is_empty() { "" } else { "  " };
            *row = if *right { format!("{row}{gap}{pad}{cell}") } else { format!("{row}{gap}{cell}{pad}") };
        }
    }
    rows.into_iter().map(|r| Node { is_row: true, ..Node::leaf(r.trim_end()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_entries_are_not_shown_but_copied() {
        let mut roots = vec![Node::of("a", true, vec![Node::of("b", false, vec![Node::leaf("c")]), Node::leaf("d e")])];
        let told: Vec<(String, Option<Option<bool>>)> =
            lines(&roots, 40).into_iter().map(|l| (l.text, l.fold)).collect();
        assert_eq!(
            told,
            [("a".into(), Some(Some(true))), ("b".into(), Some(Some(false))), ("d e".into(), Some(None)),]
        );
        at(&mut roots, &[0, 0]).expect("b").open = true;
        assert_eq!(lines(&roots, 40).len(), 4);
        assert!(at(&mut roots, &[0, 7]).is_none() && at(&mut roots, &[]).is_none());
        assert_eq!(text(&roots), "a\n  b\n    c\n  d e\n");
    }

    #[test]
    fn long_entries_go_on_below() {
        let roots = [Node::leaf("one two three four five")];
        let told = lines(&roots, 12);
        assert!(told.len() > 1 && told[1].fold.is_none() && told[1].path == told[0].path, "{told:?}");
    }
}
