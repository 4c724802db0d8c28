//! The data file as text.

use stratum::market::margin::Quantity;
use stratum::market::margin::base::Kernel;

use super::fit::{Fit, Spec, Weights};

pub const HEADER: &str = "\
# How margins (home minus away) and totals are distributed around what the market expects, per sport.
# Written by `cargo run --example fit_margin_models -- DATA`; the method is described there.
#
# Each distribution is a kernel times a weight per number, tilted to the location (the expected margin or total).
# basis: fitted (to results and closing lines, game by game), published (to published frequencies), assumed (carried over
# from a related sport) or normal (a plain normal approximation). Copy this file and name yours in the settings to
# replace it.
#
# weights: of |margin| 0, 1, 2 ..., or of the totals first, first + 1 ...; all others are 1. A margin of weight 0 cannot
# happen. home_weights and away_weights: of a win by 0, 1, 2 ... where the sides differ.
# reach: largest distance between a line and the location that is answered. max_shift: largest distance over which a price
# is carried from one line to another. A * ends the beginning of a sport key; `borrowed` sports are shown as such.
version = 1";

pub const OTHERS: &str = r#"
[[model]]
name = "basketball"
sports = ["basketball_*"]

[[model.margin]]
basis = "normal"
source = "normal distribution without a level score, for leagues without a model of their own"
sample = 0
from = "-"
to = "-"
version = 1
lowest = -100
highest = 100
grid = { from = -45.0, to = 45.0, step = 0.5 }
reach = 16.0
max_shift = 4.0
kernel = { kind = "normal", sd = 12.0 }
weights = [0.0]

[[model.total]]
basis = "normal"
source = "normal distribution, for leagues without a model of their own"
sample = 0
from = "-"
to = "-"
version = 1
lowest = 40
highest = 340
grid = { from = 100.0, to = 260.0, step = 0.5 }
reach = 24.0
max_shift = 6.0
kernel = { kind = "normal", sd = 16.5 }

[[model]]
name = "australian rules"
sports = ["aussierules_*"]

[[model.margin]]
basis = "normal"
source = "normal distribution"
sample = 0
from = "-"
to = "-"
version = 1
lowest = -250
highest = 250
grid = { from = -90.0, to = 90.0, step = 1.0 }
reach = 45.0
max_shift = 10.0
kernel = { kind = "normal", sd = 36.0 }

[[model]]
name = "rugby"
sports = ["rugbyleague_*", "rugbyunion_*"]

[[model.margin]]
basis = "normal"
source = "normal distribution"
sample = 0
from = "-"
to = "-"
version = 1
lowest = -110
highest = 110
grid = { from = -45.0, to = 45.0, step = 0.5 }
reach = 20.0
max_shift = 4.0
kernel = { kind = "normal", sd = 16.0 }"#;

pub fn model(name: &str, sports: &[&str], borrowed: &[&str]) {
    let list = |keys: &[&str]| keys.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
    println!("\n[[model]]\nname = \"{name}\"\nsports = [{}]", list(sports));
    if !borrowed.is_empty() {
        println!("borrowed = [{}]", list(borrowed));
    }
}

/// What an entry says of itself.
pub struct About<'a> {
    pub basis: &'a str,
    pub source: &'a str,
    pub days: (&'a str, &'a str),
    pub up_to: Option<f64>,
}

pub fn entry(part: &str, spec: &Spec, fit: &Fit, about: &About<'_>, (reach, max_shift): (f64, f64)) {
    let About { basis, source, days, up_to } = *about;
    let sample = fit.games as u32;
    println!("\n[[model.{part}]]\nbasis = \"{basis}\"\nsource = \"{source}\"\nsample = {sample}");
    println!("from = \"{}\"\nto = \"{}\"\nversion = 1", days.0, days.1);
    if let Some(t) = up_to {
        println!("total_up_to = {t:?}");
    }
    println!("lowest = {}\nhighest = {}", spec.lowest, spec.highest);
    let g = spec.grid;
    println!("grid = {{ from = {:?}, to = {:?}, step = {:?} }}", g.from, g.to, g.step);
    println!("reach = {reach:?}\nmax_shift = {max_shift:?}");
    match fit.kernel {
        Kernel::Normal { sd } => println!("kernel = {{ kind = \"normal\", sd = {sd:.3} }}"),
        Kernel::Skellam { rate } => println!("kernel = {{ kind = \"skellam\", rate = {rate:.4} }}"),
        Kernel::NegativeBinomial { size } => println!("kernel = {{ kind = \"negative_binomial\", size = {size:.2} }}"),
    }
    let list = |w: &[f64]| w.iter().map(|w| format!("{w:.3}")).collect::<Vec<_>>().join(", ");
    match (spec.weights, spec.quantity) {
        (Weights::Number(first, _), Quantity::Margin) => {
            let zero = (-first) as usize;
            let (away, home) = fit.weights.split_at(zero.min(fit.weights.len()));
            let mut away: Vec<f64> = away.iter().rev().copied().collect();
            away.insert(0, home.first().copied().unwrap_or(0.0));
            println!("home_weights = [{}]\naway_weights = [{}]", list(home), list(&away));
        }
        (Weights::Number(first, _), Quantity::Total) => {
            println!("first = {first}\nweights = [{}]", list(&fit.weights));
        }
        _ if fit.weights.is_empty() => {}
        _ => println!("weights = [{}]", list(&fit.weights)),
    }
    if fit.sd > 0.0 && fit.games > 0.0 {
        println!("# results lie {:.2} from their locations (root mean square)", fit.sd);
    }
}
