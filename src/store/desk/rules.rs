//! The rules of a watchlist: added, removed, put in order, and a game toggled.
//!
//! A list never has two rules about the same thing: adding the opposite of a rule turns the rule.

use rusqlite::{Connection, Row, params};

use super::lists::{ListId, one};
use super::rule::{Game, NewRule, Rule, RuleId, RuleKind};
use super::{Desk, DeskError, count, moved};
use crate::market::time::Timestamp;

/// What became of a rule that was to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is new, behind the others.
    New(Rule),
    /// Its opposite was there and says this now, in its old place.
    Turned(Rule),
    /// It was there already.
    Same(Rule),
}

impl Added {
    /// The rule as it now is.
    pub const fn rule(&self) -> &Rule {
        match self {
            Self::New(rule) | Self::Turned(rule) | Self::Same(rule) => rule,
        }
    }
}

/// What toggling a game did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toggled {
    /// It is in the list now.
    Added,
    /// It is in the list no more: nothing else brought it in.
    Removed,
    /// It is in the list no more: another rule brings it in, so a negative one keeps it out.
    Excluded,
}

impl Desk {
    /// The rules of a watchlist in their order.
    ///
    /// # Errors
    /// [`DeskError::NoList`].
    pub fn rules(&self, list: ListId) -> Result<Vec<Rule>, DeskError> {
        self.read(|c| {
            one(c, list)?;
            of(c, list)
        })
    }

    /// Adds a rule behind the others. The same rule twice is one; its label and, of a game, its start are brought up
    /// to date. Where its opposite stands, that is turned round.
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::NoList`].
    pub fn add_rule(&mut self, list: ListId, rule: &NewRule) -> Result<Added, DeskError> {
        let rule = rule.checked()?;
        let now = (self.now)();
        self.write(|tx| add(tx, list, &rule, now))
    }

    /// Removes a rule and answers what it was.
    ///
    /// # Errors
    /// [`DeskError::NoRule`].
    pub fn remove_rule(&mut self, rule: RuleId) -> Result<Rule, DeskError> {
        self.write(|tx| {
            let removed = by_id(tx, rule)?;
            remove(tx, &removed)?;
            Ok(removed)
        })
    }

    /// Moves a rule to `position` of its list, from 0; beyond the last it becomes the last.
    ///
    /// # Errors
    /// [`DeskError::NoRule`].
    pub fn move_rule(&mut self, rule: RuleId, position: usize) -> Result<(), DeskError> {
        self.write(|tx| {
            let found = by_id(tx, rule)?;
            number(tx, &moved(order(tx, found.list)?, rule.0, position))
        })
    }

    /// Takes a game into a list, or out of it: whatever it is not now.
    ///
    /// `by_another` says whether a rule *other than one about this very game* lets it through (see
    /// [`super::matches`]); only whoever can read filters knows. Then taking it out needs a negative rule, and taking
    /// it in again nothing but that rule's removal.
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::NoList`].
    pub fn toggle_game(&mut self, list: ListId, game: &Game, by_another: bool) -> Result<Toggled, DeskError> {
        let wanted = NewRule::game(game.clone()).checked()?;
        let now = (self.now)();
        self.write(|tx| {
            one(tx, list)?;
            match (same(tx, list, &wanted.kind)?, by_another) {
                // Kept out, or not there: comes in.
                (Some(rule), true) if rule.negative => remove(tx, &rule).map(|()| Toggled::Added),
                (Some(rule), false) if rule.negative => add(tx, list, &wanted, now).map(|_| Toggled::Added),
                (None, false) => add(tx, list, &wanted, now).map(|_| Toggled::Added),
                // There: goes out.
                (Some(rule), false) => remove(tx, &rule).map(|()| Toggled::Removed),
                (_, true) => add(tx, list, &wanted.clone().excluded(), now).map(|_| Toggled::Excluded),
            }
        })
    }
}

const COLUMNS: &str = "id, list, position, kind, text, sport, start, negative, label, created_at";

fn decode(r: &Row<'_>) -> Result<Rule, DeskError> {
    let kind: String = r.get(3)?;
    let text: String = r.get(4)?;
    let sport = Some(r.get::<_, String>(5)?).filter(|s| !s.is_empty());
    let kind = match kind.as_str() {
        "game" => {
            RuleKind::Game { provider_event_id: text, start: r.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis) }
        }
        "team" => RuleKind::Team { name: text, sport },
        "league" => RuleKind::League { sport: text },
        "market" => RuleKind::Market { market: text, sport },
        "filter" => RuleKind::Filter { text },
        _ => return Err(DeskError::Value("kind of rule")),
    };
    Ok(Rule {
        id: RuleId(r.get(0)?),
        list: ListId(r.get(1)?),
        position: count(r.get(2)?, "position")?,
        kind,
        negative: r.get(7)?,
        label: r.get(8)?,
        created_at: Timestamp::from_millis(r.get(9)?),
    })
}

/// The rules of a list in their order; none for a list that is not there.
pub(super) fn of(c: &Connection, list: ListId) -> Result<Vec<Rule>, DeskError> {
    let mut select = c.prepare_cached(&format!("SELECT {COLUMNS} FROM rule WHERE list = ?1 ORDER BY position, id"))?;
    select.query_and_then([list.0], decode)?.collect()
}

pub(super) fn by_id(c: &Connection, rule: RuleId) -> Result<Rule, DeskError> {
    let mut select = c.prepare_cached(&format!("SELECT {COLUMNS} FROM rule WHERE id = ?1"))?;
    select.query_and_then([rule.0], decode)?.next().unwrap_or(Err(DeskError::NoRule))
}

/// The rule of a list about the same thing, whatever its sign.
fn same(c: &Connection, list: ListId, kind: &RuleKind) -> Result<Option<Rule>, DeskError> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rule WHERE list = ?1 AND kind = ?2 AND text_key = ?3 AND sport = ?4"
    ))?;
    let about = params![list.0, kind.name(), kind.text_key(), kind.sport().unwrap_or_default()];
    select.query_and_then(about, decode)?.next().transpose()
}

/// `rule` is checked.
fn add(c: &Connection, list: ListId, rule: &NewRule, now: Timestamp) -> Result<Added, DeskError> {
    one(c, list)?;
    let Some(there) = same(c, list, &rule.kind)? else {
        let position = order(c, list)?.len();
        insert(c, None, list, position, rule, now)?;
        return Ok(Added::New(by_id(c, RuleId(c.last_insert_rowid()))?));
    };
    c.execute(
        "UPDATE rule SET negative = ?2, label = ?3, start = coalesce(?4, start) WHERE id = ?1",
        params![there.id.0, rule.negative, rule.label, rule.kind.start().map(Timestamp::millis)],
    )?;
    let now_there = by_id(c, there.id)?;
    Ok(if there.negative == rule.negative { Added::Same(now_there) } else { Added::Turned(now_there) })
}

/// Writes a rule that was there before, under its old number.
pub(super) fn put_back(c: &Connection, list: ListId, position: usize, rule: &Rule) -> Result<(), DeskError> {
    let new = NewRule { kind: rule.kind.clone(), negative: rule.negative, label: rule.label.clone() };
    insert(c, Some(rule.id), list, position, &new, rule.created_at)
}

fn insert(
    c: &Connection,
    id: Option<RuleId>,
    list: ListId,
    position: usize,
    rule: &NewRule,
    created_at: Timestamp,
) -> Result<(), DeskError> {
    let kind = &rule.kind;
    c.prepare_cached(
        "INSERT INTO rule (id, list, position, kind, text, text_key, sport, start, negative, label, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        id.map(|id| id.0),
        list.0,
        position as i64,
        kind.name(),
        kind.text(),
        kind.text_key(),
        kind.sport().unwrap_or_default(),
        kind.start().map(Timestamp::millis),
        rule.negative,
        rule.label,
        created_at.millis(),
    ])?;
    Ok(())
}

fn remove(c: &Connection, rule: &Rule) -> Result<(), DeskError> {
    c.execute("DELETE FROM rule WHERE id = ?1", [rule.id.0])?;
    number(c, &order(c, rule.list)?)
}

fn order(c: &Connection, list: ListId) -> Result<Vec<i64>, DeskError> {
    let mut select = c.prepare_cached("SELECT id FROM rule WHERE list = ?1 ORDER BY position, id")?;
    Ok(select.query_map([list.0], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

fn number(c: &Connection, ids: &[i64]) -> Result<(), DeskError> {
    let mut update = c.prepare_cached("UPDATE rule SET position = ?2 WHERE id = ?1 AND position <> ?2")?;
    for (position, id) in (0_i64..).zip(ids) {
        update.execute([*id, position])?;
    }
    Ok(())
}
