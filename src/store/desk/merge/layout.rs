//! Records put together: what stands on the desk, in which order and under which names.
//!
//! Two records may have come to the same name on different devices. Equal lists, filters and alert rules are *one* record
//! from the start (their ids are derived, see [`derived`]); what is left are things that differ. Whoever had the name first
//! keeps it, the others are shown as `name (2)` and so on, the same everywhere, until somebody renames them. Nothing that
//! cannot be shown is lost: it stays in the operations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::operation::{Fields, Kind, Stamp};
use super::{Record, order};
use crate::market::time::Timestamp;
use crate::store::desk::rule::{NewRule, RuleKind};
use crate::store::desk::text;

/// The record of something that is the same thing wherever it is made: of these parts.
pub fn derived(kind: Kind, parts: &[&str], again: u32) -> Uuid {
    let mut hash = blake3::Hasher::new();
    for part in std::iter::once(&kind.name()).chain(parts) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(&again.to_le_bytes());
    let mut bytes = [0; 16];
    hash.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A record as it stands on the desk.
#[derive(Clone, PartialEq, Debug)]
pub struct Placed {
    /// Which.
    pub record: Uuid,
    /// What its row says, with its position as `order`.
    pub shown: Fields,
}

/// A watchlist with its rules in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct PlacedList {
    /// The list.
    pub list: Placed,
    /// Its rules.
    pub rules: Vec<Placed>,
}

/// What stands on the desk.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// In their order.
    pub lists: Vec<PlacedList>,
    /// By name.
    pub filters: Vec<Placed>,
    /// In the order in which they were made.
    pub alert_rules: Vec<Placed>,
    /// By exchange and listing.
    pub decisions: Vec<Placed>,
    /// Bets and notes by id.
    pub others: Vec<(Kind, Placed)>,
}

impl Layout {
    /// Puts records together, dead ones among them, in any order.
    pub fn of<'r>(records: impl IntoIterator<Item = (Kind, Uuid, &'r Record)>) -> Self {
        let mut by_kind: BTreeMap<Kind, BTreeMap<Uuid, &Record>> = BTreeMap::new();
        for (kind, id, record) in records {
            by_kind.entry(kind).or_default().insert(id, record);
        }
        let mut of = |kind| by_kind.remove(&kind).unwrap_or_default();
        let (lists, rules) = (of(Kind::List), of(Kind::ListRule));
        let mut others = Vec::new();
        for kind in [Kind::Bet, Kind::Note] {
            others.extend(of(kind).into_iter().filter(|(_, r)| r.alive).map(|(id, r)| (kind, bare(id, r))));
        }
        Self {
            lists: placed_lists(&lists, &rules),
            filters: filters(&of(Kind::Filter)),
            alert_rules: alert_rules(&of(Kind::AlertRule)),
            decisions: decisions(&of(Kind::ExchangeDecision)),
            others,
        }
    }
}

/// A record as it is, for kinds without a table.
pub fn bare(record: Uuid, state: &Record) -> Placed {
    Placed { record, shown: state.fields.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect() }
}

type Records<'r> = BTreeMap<Uuid, &'r Record>;

fn placed_lists(lists: &Records<'_>, rules: &Records<'_>) -> Vec<PlacedList> {
    let mut held: BTreeMap<Uuid, Vec<Placed>> = BTreeMap::new();
    for (id, record) in rules.iter().filter(|(_, r)| r.alive) {
        let Some(list) = record.text("list").and_then(|l| Uuid::parse_str(l).ok()) else { continue };
        if let (true, Some(rule)) = (lists.contains_key(&list), rule_of(record)) {
            let mut shown = rule_fields(list, &rule, Timestamp::from_millis(record.number("created_at").unwrap_or(0)));
            shown.extend(position(record));
            held.entry(list).or_default().push(Placed { record: *id, shown });
        }
    }
    // A rule that lives holds its list: whoever deleted that had not seen the rule.
    let live: Records<'_> =
        lists.iter().filter(|(id, r)| r.alive || held.contains_key(id)).map(|(i, r)| (*i, *r)).collect();
    let mut names = told_apart(&live, "list");
    let mut placed: Vec<PlacedList> = live
        .iter()
        .map(|(id, record)| {
            let mut rules = held.remove(id).unwrap_or_default();
            rules.sort_by(by_position);
            // One rule about one thing. Their ids see to that already, unless somebody else gave them.
            let mut about = BTreeSet::new();
            rules.retain(|r| rule_in(&r.shown).is_some_and(|rule| about.insert(about_key(&rule.kind))));
            let mut shown = list_fields(
                &names.remove(id).unwrap_or_default(),
                Timestamp::from_millis(record.number("created_at").unwrap_or(0)),
            );
            shown.extend(position(record));
            PlacedList { list: Placed { record: *id, shown }, rules }
        })
        .collect();
    placed.sort_by(|a, b| by_position(&a.list, &b.list));
    placed
}

/// The parts by which a rule is this rule of its list.
pub fn about_key(kind: &RuleKind) -> [String; 3] {
    [kind.name().to_owned(), kind.text_key(), kind.sport().unwrap_or_default().to_owned()]
}

fn position(record: &Record) -> Option<(String, Value)> {
    let position = record.text("order").and_then(order::position)?;
    Some(("order".to_owned(), position.into()))
}

/// By position; those without one behind, and equal ones by their ids.
fn by_position(a: &Placed, b: &Placed) -> std::cmp::Ordering {
    fn key(p: &Placed) -> (bool, Option<&str>, Uuid) {
        let at = p.shown.get("order").and_then(Value::as_str);
        (at.is_none(), at, p.record)
    }
    key(a).cmp(&key(b))
}

/// Names as they are shown: unique without regard to case.
fn told_apart(live: &Records<'_>, nameless: &str) -> BTreeMap<Uuid, String> {
    let mut wanted: Vec<(Option<Stamp>, Uuid, String)> = live
        .iter()
        .map(|(id, record)| {
            let told = record.text("name").unwrap_or_default();
            let name =
                text::name(told).map_or_else(|_| shortened(&text::label(told), text::LONGEST_NAME), str::to_owned);
            let name = if text::name(&name).is_ok() { name } else { nameless.to_owned() };
            (record.set_by("name"), *id, name)
        })
        .collect();
    wanted.sort();
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    let mut late = Vec::new();
    for (_, id, name) in wanted {
        if taken.insert(text::folded(&name)) {
            names.insert(id, name);
        } else {
            late.push((id, name));
        }
    }
    for (id, name) in late {
        for n in 2_u32.. {
            let suffix = format!(" ({n})");
            let new = format!("{}{suffix}", shortened(&name, text::LONGEST_NAME - suffix.len()));
            if taken.insert(text::folded(&new)) {
                names.insert(id, new);
                break;
            }
        }
    }
    names
}

fn shortened(name: &str, most: usize) -> String {
    name.chars().take(most).collect::<String>().trim().to_owned()
}

/// What a list's row says.
pub fn list_fields(name: &str, created_at: Timestamp) -> Fields {
    fields([("name", name.into()), ("created_at", created_at.millis().into())])
}

/// What a rule's row says.
pub fn rule_fields(list: Uuid, rule: &NewRule, created_at: Timestamp) -> Fields {
    fields([
        ("list", list.to_string().into()),
        ("kind", rule.kind.name().into()),
        ("text", rule.kind.text().into()),
        ("sport", rule.kind.sport().unwrap_or_default().into()),
        ("start", rule.kind.start().map_or(Value::Null, |s| s.millis().into())),
        ("negative", rule.negative.into()),
        ("label", rule.label.clone().into()),
        ("created_at", created_at.millis().into()),
    ])
}

/// Fields by their names.
pub fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rule_of(record: &Record) -> Option<NewRule> {
    rule_in(&bare(Uuid::nil(), record).shown)
}

/// The rule that fields say; `None` where they say none that fits.
pub fn rule_in(fields: &Fields) -> Option<NewRule> {
    let word = |name: &str| fields.get(name).and_then(Value::as_str);
    let text = word("text")?.to_owned();
    let sport = word("sport").filter(|s| !s.is_empty()).map(str::to_owned);
    let kind = match word("kind")? {
        "game" => RuleKind::Game {
            provider_event_id: text,
            start: fields.get("start").and_then(Value::as_i64).map(Timestamp::from_millis),
        },
        "team" => RuleKind::Team { name: text, sport },
        "league" => RuleKind::League { sport: text },
        "market" => RuleKind::Market { market: text, sport },
        "filter" => RuleKind::Filter { text },
        _ => return None,
    };
    let negative = fields.get("negative").and_then(Value::as_bool).unwrap_or(false);
    NewRule { kind, negative, label: word("label").unwrap_or_default().to_owned() }.checked().ok()
}

fn filters(all: &Records<'_>) -> Vec<Placed> {
    let fits = |r: &Record| r.text("text").and_then(|t| text::filter(t).ok()).map(str::to_owned);
    let live: Records<'_> = all.iter().filter(|(_, r)| r.alive && fits(r).is_some()).map(|(i, r)| (*i, *r)).collect();
    let mut placed: Vec<_> = told_apart(&live, "filter")
        .into_iter()
        .filter_map(|(id, name)| {
            let record = live.get(&id)?;
            let at = record.number("saved_at").unwrap_or(0);
            let shown = fields([("name", name.into()), ("text", fits(record)?.into()), ("saved_at", at.into())]);
            Some(Placed { record: id, shown })
        })
        .collect();
    placed.sort_by_cached_key(|p| p.shown.get("name").and_then(Value::as_str).map(text::folded));
    placed
}

fn alert_rules(all: &Records<'_>) -> Vec<Placed> {
    let fits = |r: &Record| {
        let json = r.text("json")?;
        let sound = json.len() <= text::LARGEST_VIEW && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
        sound.then(|| json.to_owned())
    };
    let live: Records<'_> = all.iter().filter(|(_, r)| r.alive && fits(r).is_some()).map(|(i, r)| (*i, *r)).collect();
    let mut placed: Vec<_> = told_apart(&live, "rule")
        .into_iter()
        .filter_map(|(id, name)| {
            let record = live.get(&id)?;
            let made = record.number("created_at").unwrap_or(0);
            let shown = fields([
                ("name", name.into()),
                ("active", record.get("active").and_then(Value::as_bool).unwrap_or(false).into()),
                ("json", fits(record)?.into()),
                ("created_at", made.into()),
                ("changed_at", record.number("changed_at").unwrap_or(made).into()),
            ]);
            Some(Placed { record: id, shown })
        })
        .collect();
    placed.sort_by_key(|p| (p.shown.get("created_at").and_then(Value::as_i64), p.record));
    placed
}

fn decisions(all: &Records<'_>) -> Vec<Placed> {
    let mut placed: BTreeMap<(String, String), Placed> = BTreeMap::new();
    for (id, record) in all.iter().filter(|(_, r)| r.alive) {
        let (Some(exchange), Some(slug)) = (record.text("exchange"), record.text("slug")) else { continue };
        let shown = fields([
            ("exchange", exchange.into()),
            ("slug", slug.into()),
            ("provider_id", record.text("provider_id").map_or(Value::Null, Into::into)),
            ("at", json!(record.number("at").unwrap_or(0))),
        ]);
        placed.entry((exchange.to_owned(), slug.to_owned())).or_insert(Placed { record: *id, shown });
    }
    placed.into_values().collect()
}
