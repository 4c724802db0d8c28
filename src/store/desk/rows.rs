//! The rows of the desk as fields of records: what an operation says about them, and what becomes of them here.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use uuid::Uuid;

use super::merge::layout::{fields, list_fields, rule_fields};
use super::merge::{Fields, Kind};
use super::rule::NewRule;
use super::{DeskError, RuleId, lists, oplog, rules};

/// What a row says, as an operation tells it; `None` when there is no such row.
pub(super) fn read(c: &Connection, kind: Kind, local: &str) -> Result<Option<Fields>, DeskError> {
    match kind {
        Kind::List => {
            let Some(list) = number(local) else { return Ok(None) };
            match lists::one(c, super::ListId(list)) {
                Ok(list) => Ok(Some(list_fields(&list.name, list.created_at))),
                Err(DeskError::NoList) => Ok(None),
                Err(e) => Err(e),
            }
        }
        Kind::ListRule => {
            let Some(rule) = number(local) else { return Ok(None) };
            let rule = match rules::by_id(c, RuleId(rule)) {
                Ok(rule) => rule,
                Err(DeskError::NoRule) => return Ok(None),
                Err(e) => return Err(e),
            };
            let Some(list) = oplog::by_row(c, Kind::List, &rule.list.0.to_string())? else { return Ok(None) };
            let new = NewRule { kind: rule.kind, negative: rule.negative, label: rule.label };
            Ok(Some(rule_fields(list.record, &new, rule.created_at)))
        }
        Kind::Filter => Ok(c
            .query_row("SELECT name, text, saved_at FROM filter WHERE name_key = ?1", [local], |r| {
                let (name, text, at): (String, String, i64) = (r.get(0)?, r.get(1)?, r.get(2)?);
                Ok(fields([("name", name.into()), ("text", text.into()), ("saved_at", at.into())]))
            })
            .optional()?),
        Kind::AlertRule => {
            let row = c
                .query_row(
                    "SELECT name, active, json, created_at, changed_at FROM alert_rule WHERE id = ?1",
                    [number(local)],
                    |r| {
                        Ok((r.get::<_, String>(0)?, r.get::<_, bool>(1)?, r.get::<_, String>(2)?, r.get(3)?, r.get(4)?))
                    },
                )
                .optional()?;
            let Some((name, active, json, made, changed)) = row else { return Ok(None) };
            let (made, changed): (i64, i64) = (made, changed);
            Ok(Some(fields([
                ("name", name.into()),
                ("active", active.into()),
                ("json", told(c, &json)?.into()),
                ("created_at", made.into()),
                ("changed_at", changed.into()),
            ])))
        }
        Kind::ExchangeDecision => {
            let Some((exchange, slug)) = local.split_once('\n') else { return Ok(None) };
            let sql = "SELECT provider_id, at FROM exchange_decision WHERE exchange = ?1 AND slug = ?2";
            let row = c.query_row(sql, params![exchange, slug], |r| {
                let (provider_id, at): (Option<String>, i64) = (r.get(0)?, r.get(1)?);
                Ok(fields([
                    ("exchange", exchange.into()),
                    ("slug", slug.into()),
                    ("provider_id", provider_id.map_or(Value::Null, Into::into)),
                    ("at", at.into()),
                ]))
            });
            Ok(row.optional()?)
        }
        Kind::Bet | Kind::Note => Ok(None),
    }
}

/// A row's number.
pub(super) fn number(local: &str) -> Option<i64> {
    local.parse().ok()
}

/// The terms of an alert rule as others understand them: the watchlist that it names by our number is named by its
/// record. The one thing that the desk knows of what such a rule says.
fn told(c: &Connection, json: &str) -> Result<String, DeskError> {
    let Some((mut terms, list)) = with_list(json) else { return Ok(json.to_owned()) };
    let Some(number) = list.get("id").and_then(Value::as_i64) else { return Ok(json.to_owned()) };
    let record = match list.get("record").and_then(Value::as_str) {
        Some(record) if number == UNKNOWN_LIST => Some(record.to_owned()),
        // One that is gone for good has no record. Elsewhere its number may be another list's, so it is not told.
        _ => oplog::by_row(c, Kind::List, &number.to_string())?.map(|list| list.record.to_string()),
    };
    let record = record.unwrap_or_else(|| Uuid::nil().to_string());
    terms["list"] = json!({ "record": record, "name": list.get("name") });
    Ok(terms.to_string())
}

/// The same as they stand in the row here.
pub(super) fn understood(c: &Connection, json: &str) -> Result<String, DeskError> {
    let Some((mut terms, list)) = with_list(json) else { return Ok(json.to_owned()) };
    let Some(record) = list.get("record").and_then(Value::as_str).and_then(|r| Uuid::parse_str(r).ok()) else {
        return Ok(json.to_owned());
    };
    let known = oplog::by_id(c, Kind::List, record)?.and_then(|l| l.local.as_deref().and_then(number));
    terms["list"] = match known {
        Some(number) => json!({ "id": number, "name": list.get("name") }),
        None => json!({ "id": UNKNOWN_LIST, "name": list.get("name"), "record": record.to_string() }),
    };
    Ok(terms.to_string())
}

/// Stands for a watchlist that has not arrived yet.
const UNKNOWN_LIST: i64 = -1;

fn with_list(json: &str) -> Option<(Value, Value)> {
    let terms: Value = serde_json::from_str(json).ok()?;
    let list = terms.get("list").filter(|l| l.is_object())?.clone();
    Some((terms, list))
}
