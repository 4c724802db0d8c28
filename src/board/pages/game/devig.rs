//! One book's sides with and without vig: what is quoted, what is taken off, and what is left.

use super::card::Words;
use super::data::GameData;
use crate::board::app::App;
use crate::board::format;
use crate::board::theme::Meaning;
use crate::engine::explain::words;
use crate::market::price::Price;

/// The lines for the book under the cursor.
pub fn lines(app: &App, data: &GameData) -> Vec<Words> {
    let page = &app.pages.game;
    let (Some(shown), Some(row)) = (page.shown.as_ref(), page.rows.get(page.line)) else {
        return vec![vec![("no book under the cursor".to_owned(), Meaning::Faint)]];
    };
    let part = data.appraisal.as_ref().and_then(|a| a.books.iter().find(|b| b.book == row.key).map(|b| (a, b)));
    let Some((appraisal, part)) = part else {
        return vec![vec![("this market cannot be calculated with".to_owned(), Meaning::Faint)]];
    };
    let mut lines: Vec<Words> = vec![vec![
        (row.title.clone(), Meaning::Title),
        (format!("method {}", appraisal.method.replace('_', " ")), Meaning::Muted),
    ]];
    lines.push(vec![(format!("{:<14}{:>8}{:>8}{:>8}{:>8}", "", "price", "raw %", "fair %", "vig %"), Meaning::Header)]);
    let mut kept = 0.0;
    for (place, _) in &shown.places {
        let place = usize::from(*place);
        let name = shown.names.get(place).map_or("", |n| n.as_str());
        let name = crate::board::widgets::text::fit(name, 13, app.looks.glyphs.is_ascii());
        let pad = 14_usize.saturating_sub(usize::from(crate::board::widgets::text::width(&name)));
        let decimal = part.prices.get(place).copied().flatten();
        let price = decimal.and_then(|d| Price::decimal(d).ok()).map(|p| format::price(p, app.prefs.odds));
        let raw = decimal.map(|d| 1.0 / d);
        let fair = part.probability.as_ref().and_then(|p| p.get(place)).copied();
        kept += fair.unwrap_or_default();
        let percent = |p: Option<f64>| p.map_or_else(|| "-".to_owned(), |p| format!("{:.2}", p * 100.0));
        let off = raw.zip(fair).map(|(r, f)| r - f);
        lines.push(vec![(
            format!(
                "{name}{:pad$}{:>8}{:>8}{:>8}{:>8}",
                "",
                price.unwrap_or_else(|| "-".to_owned()),
                percent(raw),
                percent(fair),
                percent(off)
            ),
            Meaning::Text,
        )]);
    }
    match (part.raw_sum, part.probability.is_some()) {
        (Some(sum), true) => lines.push(vec![(
            format!("{:<14}{:>8}{:>8.2}{:>8.2}{:>8.2}", "sum", "", sum * 100.0, kept * 100.0, (sum - kept) * 100.0),
            Meaning::Muted,
        )]),
        (Some(sum), false) => lines.push(vec![(format!("sum {:.2} %", sum * 100.0), Meaning::Muted)]),
        (None, _) => lines.push(vec![("not all sides are there".to_owned(), Meaning::Faint)]),
    }
    if let Some(parameter) = part.parameter.filter(|p| p.is_finite()) {
        lines.push(vec![(format!("the method solved for {parameter:.4}"), Meaning::Muted)]);
    }
    lines.push(vec![(words::devig(appraisal.workings.devig.method).to_owned(), Meaning::Muted)]);
    if let Some(why) = part.excluded {
        lines.push(vec![(format!("no vote: {}", words::excluded(why).words), Meaning::Warning)]);
    }
    lines
}
