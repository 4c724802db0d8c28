//! From flags to the terms of a rule, and from terms to words.

use std::time::Duration;

use super::super::args_alerts::{Clearable, TermsArgs};
use super::super::{Failure, look};
use crate::alerts::message::Kind;
use crate::alerts::quiet::QuietHours;
use crate::alerts::rule::{KINDS, ListRef, RuleError, Terms, Wish};
use crate::config::{Settings, format_duration};
use crate::store::desk::Desk;

/// Puts what the flags say over the terms.
///
/// # Errors
/// [`Failure::Usage`] for words that mean nothing, [`Failure::NotFound`] for a watchlist that is not there.
pub(super) fn apply(terms: &mut Terms, args: &TermsArgs, desk: &Desk, settings: &Settings) -> Result<(), Failure> {
    if !args.channels.is_empty() {
        terms.channels = unique(args.channels.iter().map(|c| c.trim().to_owned()));
    }
    if let Some(filter) = &args.filter {
        filter.trim().clone_into(&mut terms.filter);
    }
    let over = |value: &mut Option<u64>, given: Option<Duration>| {
        if let Some(d) = given {
            *value = Some(d.as_secs());
        }
    };
    over(&mut terms.min_lead_seconds, args.min_lead);
    over(&mut terms.max_age_seconds, args.max_age);
    terms.min_strength = args.min_strength.or(terms.min_strength);
    terms.min_composite = args.min_composite.or(terms.min_composite);
    terms.min_books = args.min_books.or(terms.min_books);
    terms.max_dispersion = args.max_dispersion.or(terms.max_dispersion);
    terms.cooldown_seconds = args.cooldown.map_or(terms.cooldown_seconds, |d| d.as_secs());
    terms.updates |= args.updates;
    if let Some(text) = &args.quiet {
        let zone = args.zone.clone().unwrap_or_else(|| zone(settings));
        terms.quiet = Some(QuietHours::parse(text, &zone).map_err(|e| Failure::Usage(e.to_string()))?);
    }
    if let Some(name) = &args.watchlist {
        terms.list = Some(watchlist(desk, name)?);
    }
    if let (Some(selection), Some(price)) = (&args.selection, &args.price) {
        terms.line = Some(wish(selection, price, args));
    }
    if !args.kinds.is_empty() {
        terms.kinds = unique(args.kinds.iter().map(|k| kind(k)).collect::<Result<Vec<_>, _>>()?);
    } else if args.selection.is_some() && terms.channels == args.channels && !terms.tells_of(Kind::Line) {
        // Who waits for a price and says nothing else wants to hear of that price.
        terms.kinds = vec![Kind::Line];
    }
    Ok(())
}

/// Takes fields out of the terms.
pub(super) fn clear(terms: &mut Terms, fields: &[Clearable]) {
    for field in fields {
        match field {
            Clearable::Filter => terms.filter.clear(),
            Clearable::MinStrength => terms.min_strength = None,
            Clearable::MinComposite => terms.min_composite = None,
            Clearable::MinBooks => terms.min_books = None,
            Clearable::MaxDispersion => terms.max_dispersion = None,
            Clearable::MinLead => terms.min_lead_seconds = None,
            Clearable::MaxAge => terms.max_age_seconds = None,
            Clearable::Quiet => terms.quiet = None,
            Clearable::Watchlist => terms.list = None,
            Clearable::Line => terms.line = None,
            Clearable::Updates => terms.updates = false,
        }
    }
}

fn unique<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

fn kind(word: &str) -> Result<Kind, Failure> {
    let known = Kind::from_name(word.trim().to_lowercase().as_str()).filter(|k| KINDS.contains(k));
    known.ok_or_else(|| Failure::Usage(RuleError::Kind { kind: word.trim().to_owned() }.to_string()))
}

fn watchlist(desk: &Desk, name: &str) -> Result<ListRef, Failure> {
    if let Some(list) = desk.find(name)? {
        return Ok(ListRef { id: list.id.0, name: list.name });
    }
    let lists = desk.lists()?;
    Err(look::unknown("watchlist", name.trim(), lists.iter().map(|l| l.name.as_str())))
}

/// The zone of the board's clocks.
fn zone(settings: &Settings) -> String {
    match settings.board.zone.as_str() {
        "" => iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned()),
        zone => zone.to_owned(),
    }
}

fn wish(selection: &str, price: &str, args: &TermsArgs) -> Wish {
    let side = selection.trim().to_lowercase();
    let market = args.market.clone().unwrap_or_else(|| {
        let market = match (side.as_str(), args.line) {
            ("over" | "under", _) => "totals",
            (_, Some(_)) => "spreads",
            (_, None) => "h2h",
        };
        market.to_owned()
    });
    Wish {
        market: market.trim().to_lowercase(),
        selection: selection.trim().to_owned(),
        line: args.line,
        price: price.trim().to_owned(),
        exact: args.exact,
    }
}

/// The kinds by name.
pub(super) fn kinds(terms: &Terms) -> String {
    terms.kinds.iter().map(|k| k.name()).collect::<Vec<_>>().join(",")
}

/// A span for people.
pub(super) fn seconds(seconds: u64) -> String {
    format_duration(Duration::from_secs(seconds))
}

/// Everything that terms say, with labels.
pub(super) fn facts(t: &Terms) -> Vec<(&'static str, String)> {
    let mut all = vec![("tells of", kinds(t)), ("channels", t.channels.join(", "))];
    if !t.filter.is_empty() {
        all.push(("filter", t.filter.clone()));
    }
    let mut add = |label, value: Option<String>| all.extend(value.map(|v| (label, v)));
    add("watchlist", t.list.as_ref().map(|l| l.name.clone()));
    add("waits for", t.line.as_ref().map(ToString::to_string));
    add("strength", t.min_strength.map(|n| format!("at least {n}")));
    add("composite", t.min_composite.map(|n| format!("at least {n}")));
    add("books", t.min_books.map(|n| format!("at least {n}")));
    add("dispersion", t.max_dispersion.map(|n| format!("at most {n}")));
    add("lead", t.min_lead_seconds.map(|n| format!("at least {}", seconds(n))));
    add("age of price", t.max_age_seconds.map(|n| format!("at most {}", seconds(n))));
    add("updates", t.updates.then(|| "told too".to_owned()));
    add("cooldown", Some(seconds(t.cooldown_seconds)));
    add("quiet hours", t.quiet.as_ref().map(ToString::to_string));
    all
}

/// The same in one line.
pub(super) fn sentence(terms: &Terms) -> String {
    facts(terms).into_iter().map(|(label, value)| format!("{label} {value}")).collect::<Vec<_>>().join("; ")
}
