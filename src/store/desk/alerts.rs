//! Alert rules as texts with a name, and requests to whoever owns the market store.
//!
//! What a rule says is not understood here: it is JSON, read and checked by the alerts.

use rusqlite::{OptionalExtension, Row, params};

use super::{Desk, DeskError, text};
use crate::market::time::Timestamp;

/// Our number of an alert rule. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct AlertRuleId(pub i64);

/// An alert rule as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertRule {
    /// Our number of it.
    pub id: AlertRuleId,
    /// Unique, whatever its case.
    pub name: String,
    /// It may fire.
    pub on: bool,
    /// What it asks for, as JSON.
    pub json: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// Something that whoever owns the market store is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertRequest {
    /// Rises.
    pub id: i64,
    /// What, as JSON.
    pub json: String,
    /// When it was asked.
    pub created_at: Timestamp,
}

/// Rules at the most: each is asked about every signal.
pub const MOST_ALERT_RULES: usize = 500;

const COLUMNS: &str = "id, name, active, json, created_at, changed_at";

impl Desk {
    /// All alert rules in the order in which they were made.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn alert_rules(&self) -> Result<Vec<AlertRule>, DeskError> {
        self.read(|c| {
            let mut select = c.prepare_cached(&format!("SELECT {COLUMNS} FROM alert_rule ORDER BY id"))?;
            Ok(select.query_map([], decode)?.collect::<Result<_, _>>()?)
        })
    }

    /// The alert rule of this name, whatever its case.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn alert_rule(&self, name: &str) -> Result<Option<AlertRule>, DeskError> {
        let key = text::folded(name.trim());
        self.read(|c| {
            let select = format!("SELECT {COLUMNS} FROM alert_rule WHERE name_key = ?1");
            Ok(c.query_row(&select, [key], decode).optional()?)
        })
    }

    /// Adds an alert rule.
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::RuleNameTaken`].
    pub fn add_alert_rule(&mut self, name: &str, on: bool, json: &str) -> Result<AlertRule, DeskError> {
        let name = text::name(name)?;
        let (key, now) = (text::folded(name), (self.now)());
        checked(json)?;
        self.write(|tx| {
            let there: i64 = tx.query_row("SELECT count(*) FROM alert_rule", [], |r| r.get(0))?;
            if usize::try_from(there).unwrap_or(usize::MAX) >= MOST_ALERT_RULES {
                let problem = format!("would be one too many; {MOST_ALERT_RULES} are the most");
                return Err(DeskError::unfit("the rule", problem));
            }
            free(tx, &key, 0)?;
            tx.execute(
                "INSERT INTO alert_rule (name, name_key, active, json, created_at, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![name, key, on, json, now.millis()],
            )?;
            by_id(tx, AlertRuleId(tx.last_insert_rowid()))
        })
    }

    /// Gives an alert rule another name and other terms.
    ///
    /// # Errors
    /// [`DeskError::NoRule`], [`DeskError::Unfit`], [`DeskError::RuleNameTaken`].
    pub fn edit_alert_rule(&mut self, id: AlertRuleId, name: &str, json: &str) -> Result<AlertRule, DeskError> {
        let name = text::name(name)?;
        let (key, now) = (text::folded(name), (self.now)());
        checked(json)?;
        self.write(|tx| {
            by_id(tx, id)?;
            free(tx, &key, id.0)?;
            tx.execute(
                "UPDATE alert_rule SET name = ?2, name_key = ?3, json = ?4, changed_at = ?5 WHERE id = ?1",
                params![id.0, name, key, json, now.millis()],
            )?;
            by_id(tx, id)
        })
    }

    /// Switches an alert rule on or off and answers how it was.
    ///
    /// # Errors
    /// [`DeskError::NoRule`].
    pub fn switch_alert_rule(&mut self, id: AlertRuleId, on: bool) -> Result<bool, DeskError> {
        let now = (self.now)();
        self.write(|tx| {
            let before = by_id(tx, id)?.on;
            if before != on {
                tx.execute(
                    "UPDATE alert_rule SET active = ?2, changed_at = ?3 WHERE id = ?1",
                    params![id.0, on, now.millis()],
                )?;
            }
            Ok(before)
        })
    }

    /// Removes an alert rule and answers what it was.
    ///
    /// # Errors
    /// [`DeskError::NoRule`].
    pub fn remove_alert_rule(&mut self, id: AlertRuleId) -> Result<AlertRule, DeskError> {
        self.write(|tx| {
            let removed = by_id(tx, id)?;
            tx.execute("DELETE FROM alert_rule WHERE id = ?1", [id.0])?;
            Ok(removed)
        })
    }

    /// Asks something of whoever owns the market store, now or later.
    ///
    /// # Errors
    /// [`DeskError::Unfit`].
    pub fn ask_of_alerts(&mut self, json: &str) -> Result<(), DeskError> {
        checked(json)?;
        let now = (self.now)();
        self.write(|tx| {
            tx.execute("INSERT INTO alert_request (json, created_at) VALUES (?1, ?2)", params![json, now.millis()])?;
            Ok(())
        })
    }

    /// What has been asked and not been done, oldest first.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn alert_requests(&self) -> Result<Vec<AlertRequest>, DeskError> {
        self.read(|c| {
            let mut select =
                c.prepare_cached("SELECT id, json, created_at FROM alert_request ORDER BY id LIMIT 1000")?;
            let row = |r: &Row<'_>| {
                Ok(AlertRequest { id: r.get(0)?, json: r.get(1)?, created_at: Timestamp::from_millis(r.get(2)?) })
            };
            Ok(select.query_map([], row)?.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets the requests up to this one: they have been done.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn done_with_alert_requests(&mut self, up_to: i64) -> Result<(), DeskError> {
        self.write(|tx| {
            tx.execute("DELETE FROM alert_request WHERE id <= ?1", [up_to])?;
            Ok(())
        })
    }
}

fn decode(r: &Row<'_>) -> rusqlite::Result<AlertRule> {
    Ok(AlertRule {
        id: AlertRuleId(r.get(0)?),
        name: r.get(1)?,
        on: r.get(2)?,
        json: r.get(3)?,
        created_at: Timestamp::from_millis(r.get(4)?),
        changed_at: Timestamp::from_millis(r.get(5)?),
    })
}

fn by_id(c: &rusqlite::Connection, id: AlertRuleId) -> Result<AlertRule, DeskError> {
    let select = format!("SELECT {COLUMNS} FROM alert_rule WHERE id = ?1");
    c.query_row(&select, [id.0], decode).optional()?.ok_or(DeskError::NoRule)
}

fn free(c: &rusqlite::Connection, key: &str, but: i64) -> Result<(), DeskError> {
    let taken: Option<String> = c
        .query_row("SELECT name FROM alert_rule WHERE name_key = ?1 AND id <> ?2", params![key, but], |r| r.get(0))
        .optional()?;
    taken.map_or(Ok(()), |name| Err(DeskError::RuleNameTaken { name }))
}

fn checked(json: &str) -> Result<(), DeskError> {
    if json.len() > text::LARGEST_VIEW {
        let problem = format!("has {} bytes; {} are the most", json.len(), text::LARGEST_VIEW);
        return Err(DeskError::unfit("the rule", problem));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(json)
        .map_err(|e| DeskError::unfit("the rule", format!("is no JSON: {e}")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_kept_by_unique_names() {
        let folder = tempfile::tempdir().expect("folder");
        let mut desk = Desk::open(&folder.path().join("desk.db")).expect("desk");
        let steam = desk.add_alert_rule(" Steam ", true, "{}").expect("added");
        assert_eq!((steam.name.as_str(), steam.on), ("Steam", true));
        assert!(matches!(desk.add_alert_rule("STEAM", true, "{}"), Err(DeskError::RuleNameTaken { .. })));
        assert!(matches!(desk.add_alert_rule("x", true, "{"), Err(DeskError::Unfit { .. })));
        assert!(matches!(desk.add_alert_rule("", true, "{}"), Err(DeskError::Unfit { .. })));
        let other = desk.add_alert_rule("Other", false, "{\"a\":1}").expect("added");
        assert!(matches!(desk.edit_alert_rule(other.id, "steam", "{}"), Err(DeskError::RuleNameTaken { .. })));
        assert_eq!(desk.edit_alert_rule(other.id, "OTHER", "{}").expect("edited").name, "OTHER");
        assert!(desk.switch_alert_rule(steam.id, false).expect("switched"));
        assert_eq!(desk.alert_rule("stEAM").expect("asked").map(|r| r.on), Some(false));
        assert_eq!(desk.remove_alert_rule(steam.id).expect("removed").name, "Steam");
        assert!(matches!(desk.remove_alert_rule(steam.id), Err(DeskError::NoRule)));
        assert_eq!(desk.alert_rules().expect("listed").len(), 1);
        let again = desk.add_alert_rule("Steam", true, "{}").expect("added");
        assert!(again.id > other.id, "numbers are never given twice");
    }

    #[test]
    fn requests_wait_until_they_are_done() {
        let folder = tempfile::tempdir().expect("folder");
        let mut desk = Desk::open(&folder.path().join("desk.db")).expect("desk");
        desk.ask_of_alerts("{\"replay\":1}").expect("asked");
        desk.ask_of_alerts("{\"replay\":2}").expect("asked");
        let requests = desk.alert_requests().expect("listed");
        assert_eq!(requests.iter().map(|r| r.json.as_str()).collect::<Vec<_>>(), ["{\"replay\":1}", "{\"replay\":2}"]);
        desk.done_with_alert_requests(requests[0].id).expect("done");
        assert_eq!(desk.alert_requests().expect("listed").len(), 1);
    }
}
