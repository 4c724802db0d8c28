//! The data file of the models: reading, checking, building.

use serde::Deserialize;

use super::base::{Base, Kernel};
use super::table::Grid;
use super::{Basis, Distribution, Model, ModelFileError, Models, Provenance, Quantity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    model: Vec<ModelEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    name: String,
    sports: Vec<String>,
    #[serde(default)]
    borrowed: Vec<String>,
    #[serde(default)]
    margin: Vec<Entry>,
    #[serde(default)]
    total: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    basis: Basis,
    source: String,
    sample: u32,
    from: String,
    to: String,
    version: u32,
    /// The entry holds for games whose expected total is at most this; absent for all, and for the last.
    total_up_to: Option<f64>,
    lowest: i32,
    highest: i32,
    grid: Grid,
    reach: f64,
    max_shift: f64,
    kernel: Kernel,
    /// Weights of `first`, `first + 1` ...; for margins of |m| = 0, 1 ... unless home and away differ.
    #[serde(default)]
    weights: Vec<f64>,
    #[serde(default)]
    first: i32,
    #[serde(default)]
    home_weights: Vec<f64>,
    #[serde(default)]
    away_weights: Vec<f64>,
}

/// Numbers a base may hold, each way.
const MAX_NUMBER: i32 = 1000;

/// Reads a file. Its distributions are tabulated when they are first asked for: see [`check`].
pub(super) fn parse(text: &str) -> Result<Models, ModelFileError> {
    let file: File = toml::from_str(text).map_err(|e| ModelFileError::Syntax(e.to_string()))?;
    let mut models = Vec::with_capacity(file.model.len());
    for entry in file.model {
        models.push(model(entry)?);
    }
    Ok(Models { version: file.version, models })
}

/// Tabulates everything now, so that what cannot be tabulated is told of at once and not in the middle of a game.
pub(super) fn check(models: &Models) -> Result<(), ModelFileError> {
    for model in &models.models {
        let margins = model.margin.iter().map(|(_, d)| ("margin", d));
        for (part, distribution) in margins.chain(model.total.iter().map(|d| ("total", d))) {
            if !distribution.is_sound() {
                let what = "no distribution of these numbers has the means of the grid".to_owned();
                return Err(ModelFileError::Entry { model: model.name.clone(), part, what });
            }
        }
    }
    Ok(())
}

fn model(entry: ModelEntry) -> Result<Model, ModelFileError> {
    let bad = |part: &'static str, what: String| ModelFileError::Entry { model: entry.name.clone(), part, what };
    for key in entry.sports.iter().chain(&entry.borrowed) {
        if key.is_empty() || key.trim_end_matches('*').contains('*') {
            return Err(bad(
                "sports",
                format!("`{key}` is neither a sport key nor a beginning of one followed by `*`"),
            ));
        }
    }
    let build = |entries: &[Entry], quantity: Quantity, part: &'static str| {
        let mut bands = Vec::with_capacity(entries.len());
        let mut last = f64::NEG_INFINITY;
        for (i, e) in entries.iter().enumerate() {
            let up_to = e.total_up_to.unwrap_or(f64::INFINITY);
            if up_to.is_nan() || up_to <= last {
                return Err(bad(
                    part,
                    "total_up_to must rise from entry to entry, and only the last may lack it".into(),
                ));
            }
            if i + 1 == entries.len() && up_to.is_finite() {
                return Err(bad(part, "the last entry must hold for all larger totals: leave out total_up_to".into()));
            }
            last = up_to;
            bands.push((up_to, distribution(e, quantity).map_err(|what| bad(part, what))?));
        }
        Ok(bands)
    };
    let margin = build(&entry.margin, Quantity::Margin, "margin")?;
    let total = build(&entry.total, Quantity::Total, "total")?;
    if total.len() > 1 {
        return Err(bad("total", "totals have no bands: give one entry".into()));
    }
    Ok(Model {
        name: entry.name,
        sports: entry.sports,
        borrowed: entry.borrowed,
        margin,
        total: total.into_iter().next().map(|(_, d)| d),
    })
}

fn distribution(e: &Entry, quantity: Quantity) -> Result<Distribution, String> {
    if !(-MAX_NUMBER..=MAX_NUMBER).contains(&e.lowest)
        || !(-MAX_NUMBER..=MAX_NUMBER).contains(&e.highest)
        || e.lowest >= e.highest
    {
        return Err(format!("lowest and highest must rise and stay within ±{MAX_NUMBER}"));
    }
    if quantity == Quantity::Total && e.lowest < 0 {
        return Err("a total is not negative".into());
    }
    if !e.kernel.is_sound() {
        return Err(format!("{:?} is out of range", e.kernel));
    }
    let positive = |x: f64| x > 0.0 && x.is_finite();
    if !positive(e.reach) || !positive(e.max_shift) {
        return Err("reach and max_shift are positive numbers of points".into());
    }
    if e.grid.count().is_none() || e.grid.from <= f64::from(e.lowest) || e.grid.to >= f64::from(e.highest) {
        return Err("the grid must be finite, at most 5000 steps, and inside lowest..highest".into());
    }
    for (w, m) in
        e.weights.iter().zip(e.first..).chain(e.home_weights.iter().zip(0..)).chain(e.away_weights.iter().zip(0..))
    {
        // Only a level score can be impossible; every other number happens sooner or later.
        let structural = *w == 0.0 && m == 0 && quantity == Quantity::Margin;
        if !(structural || (0.01..=100.0).contains(w)) {
            return Err(format!("the weight {w} of {m} is not between 0.01 and 100 (0 only for a margin of 0)"));
        }
    }
    let sided = !e.home_weights.is_empty() || !e.away_weights.is_empty();
    if sided && (!e.weights.is_empty() || quantity == Quantity::Total) {
        return Err("home_weights and away_weights are for margins and replace weights".into());
    }
    if quantity == Quantity::Margin && e.first != 0 {
        return Err("weights of margins start at 0: leave out first".into());
    }
    let weight = |m: i32| {
        let (list, place) = match (quantity, sided) {
            (Quantity::Total, _) => (&e.weights, m - e.first),
            (Quantity::Margin, false) => (&e.weights, m.abs()),
            (Quantity::Margin, true) if m < 0 => (&e.away_weights, -m),
            (Quantity::Margin, true) => (&e.home_weights, m),
        };
        usize::try_from(place).ok().and_then(|i| list.get(i)).copied().unwrap_or(1.0)
    };
    let base = Base::new(e.kernel, e.lowest, e.highest, weight);
    let provenance = Provenance {
        basis: e.basis,
        source: e.source.clone(),
        sample: e.sample,
        from: e.from.clone(),
        to: e.to.clone(),
        version: e.version,
    };
    Ok(Distribution::untabulated(quantity, base, e.grid, e.reach, e.max_shift, provenance))
}
