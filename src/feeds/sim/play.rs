//! The endpoints of a provider that plays a recording.

use serde_json::json;

use super::api::{Served, event_not_found, not_found};
use super::error::ApiError;
use super::playback::Playback;
use super::query::Params;
use super::sports;
use crate::market::time::Timestamp;

/// Answers from a recording: odds as recorded, events derived, scores and the rest empty.
pub fn play(playback: &mut Playback, now: Timestamp, parts: &[&str], params: &Params) -> Served {
    match parts {
        ["v4", "sports"] => {
            let list: Vec<_> = playback
                .sports(now)
                .into_iter()
                .map(|key| {
                    let known = sports::sport(&key);
                    json!({"group": known.map_or("Other", |s| s.group), "title": known.map_or(key.as_str(), |s| s.title),
                           "description": known.map_or("", |s| s.description), "active": true, "has_outrights": false,
                           "key": key})
                })
                .collect();
            Ok((json!(list).to_string().into_bytes(), 0))
        }
        ["v4", "sports", sport, "odds"] => {
            let query = params.odds(sport, false)?;
            let cost = query.markets.len() as i64 * query.books.regions_charged();
            let body = playback.body(now, sport, query.style.odds).unwrap_or_else(|| b"[]".to_vec());
            let empty = body.iter().filter(|b| !b.is_ascii_whitespace()).count() <= 2;
            Ok((body, if empty { 0 } else { cost }))
        }
        ["v4", "sports", sport, "events"] => Ok((playback.events(now, sport), 0)),
        ["v4", "sports", _, "scores"] => Ok((b"[]".to_vec(), if params.get("daysFrom").is_some() { 2 } else { 1 })),
        ["v4", "sports", sport, "events", id, "odds"] => {
            let query = params.odds(sport, true)?;
            let event = playback.event(now, sport, id, query.style.odds).ok_or_else(event_not_found)?;
            let keys = event
                .get("bookmakers")
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|b| b.get("markets")?.as_array())
                .flatten()
                .filter_map(|m| m.get("key")?.as_str())
                .collect::<std::collections::BTreeSet<_>>();
            let cost = keys.len() as i64 * query.books.regions_charged();
            Ok((event.to_string().into_bytes(), cost))
        }
        ["v4", "historical", ..] => Err(ApiError::new(
            401,
            "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN",
            "Historical odds are not available while a recording is played",
        )),
        _ => Err(not_found()),
    }
}
