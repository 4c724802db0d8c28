//! The endpoints of Gamma: lists with filters and paging, single objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::query::Params;
use super::catalog::MarketSpec;
use super::gamma;
use super::leagues::{GAMES_TAG, LEAGUES, SPORTS_TAG, short_name, team_code};
use super::reply::Reply;
use super::venue::{Standing, State, Venue};
use crate::market::time::Timestamp;

/// More than this at once is never answered.
const PAGE: usize = 100;
/// Objects on a page that is not asked for in size.
const USUAL_PAGE: usize = 20;
/// Deeper than this one has to use the keyset.
const DEEPEST: usize = 2000;
/// At most so many condition ids in a call.
const CONDITIONS: usize = 100;

/// The lists of the old kind announce their end.
const SUNSET: &[(&str, &str)] = &[
    ("deprecation", "true"),
    ("sunset", "Fri, 01 May 2026 00:00:00 GMT"),
    ("warning", "299 - \"use /markets/keyset\""),
];
const CACHED: &[(&str, &str)] = &[("cache-control", "public, max-age=300")];

/// Answers a path below `/gamma`.
pub fn get(venue: &Venue, now: Timestamp, parts: &[&str], params: &Params) -> Reply {
    let state = venue.snapshot();
    let reply = route(venue, now, parts, params, &state).unwrap_or_else(|refused| refused);
    if reply.status == 200 { reply.with(CACHED) } else { reply }
}

fn route(venue: &Venue, now: Timestamp, parts: &[&str], params: &Params, state: &State) -> Result<Reply, Reply> {
    let event = |n: usize| venue.catalog.events.get(n).map_or(Value::Null, |e| gamma::event(venue, e, now, state));
    let market = |n: usize| gamma::market(venue, n, now, state, true);
    match parts {
        ["sports"] => {
            let list = gamma::leagues(venue).into_iter().enumerate().map(|(i, l)| gamma::sport(l, i));
            Ok(Reply::json(&list.collect()))
        }
        ["sports", "market-types"] => {
            let mut kinds: Vec<&str> = venue.catalog.markets.iter().map(|m| m.kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            Ok(Reply::json(&json!({ "marketTypes": kinds })))
        }
        ["series"] => {
            let all: Vec<Value> = gamma::leagues(venue).into_iter().map(|l| gamma::series(venue, l)).collect();
            let slug = params.get("slug");
            let kept = all.into_iter().filter(|s| slug.is_none_or(|w| s["slug"] == w)).collect();
            Ok(page(kept, params)?)
        }
        ["series", id] => {
            let league = LEAGUES.iter().find(|l| l.series.to_string() == *id).ok_or_else(Reply::not_found)?;
            Ok(Reply::json(&gamma::series(venue, league)))
        }
        ["tags"] => {
            let ids = [SPORTS_TAG, GAMES_TAG].into_iter().chain(LEAGUES.iter().map(|l| l.tag));
            Ok(page(ids.map(gamma::tag_object).collect(), params)?)
        }
        ["teams"] => Ok(page(teams(venue, params), params)?),
        ["events"] => {
            let (limit, offset) = (limit(params)?, offset(params)?);
            let found = events(venue, now, params, state)?;
            Ok(Reply::json(&found.into_iter().skip(offset).take(limit).map(event).collect()))
        }
        ["events", "keyset"] => {
            let found = events(venue, now, params, state)?;
            let id = |n: &usize| venue.catalog.events.get(*n).map_or(0, |e| e.id);
            keyset("events", &found, id, event, params)
        }
        ["events", "slug", slug] => {
            let n = venue.catalog.events.iter().position(|e| e.slug == *slug).ok_or_else(Reply::not_found)?;
            Ok(Reply::json(&event(n)))
        }
        ["events", id] => {
            let n = venue.catalog.events.iter().position(|e| e.id.to_string() == *id).ok_or_else(Reply::not_found)?;
            Ok(Reply::json(&event(n)))
        }
        ["markets"] => {
            let (limit, offset) = (limit(params)?, offset(params)?);
            let found = markets(venue, now, params, state)?;
            Ok(Reply::json(&found.into_iter().skip(offset).take(limit).map(market).collect()).with(SUNSET))
        }
        ["markets", "keyset"] => {
            let found = markets(venue, now, params, state)?;
            keyset("markets", &found, |n| venue.market(*n).map_or(0, |m| m.id), market, params)
        }
        ["markets", "slug", slug] => {
            let n = listed(venue, now, |m| m.slug == *slug)?;
            Ok(Reply::json(&market(n)))
        }
        ["markets", id] => {
            let n = listed(venue, now, |m| m.id.to_string() == *id)?;
            Ok(Reply::json(&market(n)))
        }
        ["public-search"] => {
            let word = params.get("q").ok_or_else(|| Reply::invalid("q is required"))?.to_lowercase();
            let hits = venue.catalog.events.iter().enumerate().filter(|(_, e)| e.title.to_lowercase().contains(&word));
            let list: Vec<Value> = hits.take(USUAL_PAGE).map(|(n, _)| event(n)).collect();
            let more = json!({"hasMore": false, "totalResults": list.len()});
            Ok(Reply::json(&json!({"events": list, "pagination": more})))
        }
        _ => Err(Reply::not_found()),
    }
}

/// The number of a market that is listed already.
fn listed(venue: &Venue, now: Timestamp, is: impl Fn(&MarketSpec) -> bool) -> Result<usize, Reply> {
    venue.catalog.markets.iter().position(|m| m.listed <= now && is(m)).ok_or_else(Reply::not_found)
}

fn count(params: &Params, name: &str) -> Result<Option<usize>, Reply> {
    let refused = |_| Reply::invalid(&format!("invalid {name}"));
    params.get(name).map(|v| v.parse::<usize>().map_err(refused)).transpose()
}

/// The size of a page: silently at most a hundred.
fn limit(params: &Params) -> Result<usize, Reply> {
    Ok(count(params, "limit")?.unwrap_or(USUAL_PAGE).min(PAGE))
}

fn offset(params: &Params) -> Result<usize, Reply> {
    match count(params, "offset")?.unwrap_or(0) {
        deep if deep > DEEPEST => Err(Reply::deep()),
        offset => Ok(offset),
    }
}

fn page(all: Vec<Value>, params: &Params) -> Result<Reply, Reply> {
    let (limit, offset) = (limit(params)?, offset(params)?);
    Ok(Reply::json(&all.into_iter().skip(offset).take(limit).collect()))
}

/// A page after a cursor, with the cursor of the next one as long as there is one.
fn keyset(
    name: &str,
    found: &[usize],
    id: impl Fn(&usize) -> u32,
    object: impl Fn(usize) -> Value,
    params: &Params,
) -> Result<Reply, Reply> {
    let limit = limit(params)?.max(1);
    let from = match params.get("after_cursor") {
        None => 0,
        Some(cursor) => {
            let last = STANDARD.decode(cursor).ok().and_then(|b| String::from_utf8(b).ok());
            let last: u32 = last
                .and_then(|t| t.strip_prefix("id:")?.parse().ok())
                .ok_or_else(|| Reply::invalid("invalid cursor"))?;
            found.iter().position(|n| id(n) == last).map_or(found.len(), |at| at + 1)
        }
    };
    let rest = found.get(from..).unwrap_or_default();
    let page: Vec<Value> = rest.iter().take(limit).map(|&n| object(n)).collect();
    let mut body = json!({ name: page });
    if let (true, Some(last), Some(o)) = (rest.len() > limit, rest.get(limit - 1), body.as_object_mut()) {
        o.insert("next_cursor".into(), json!(STANDARD.encode(format!("id:{}", id(last)))));
    }
    Ok(Reply::json(&body))
}

/// Yes or no, or not asked.
fn flag(params: &Params, name: &str) -> Result<Option<bool>, Reply> {
    match params.get(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Reply::invalid(&format!("invalid {name}"))),
    }
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, Reply> {
    let refused = || Reply::invalid(&format!("invalid {name}"));
    params.get(name).map(|t| Timestamp::parse(t).ok_or_else(refused)).transpose()
}

/// One of the wanted values, or nothing is wanted.
fn wanted(params: &Params, name: &str, value: impl Fn() -> String) -> bool {
    let all = params.values(name);
    all.is_empty() || all.contains(&value().as_str())
}

/// Numbers of the events that a list asks for, by id unless another order is asked for.
fn events(venue: &Venue, now: Timestamp, params: &Params, state: &State) -> Result<Vec<usize>, Reply> {
    let named = params.get("slug").is_some() || params.get("id").is_some();
    // What is over is not listed unless it is asked for.
    let closed = flag(params, "closed")?.or(if named { None } else { Some(false) });
    let (active, archived) = (flag(params, "active")?, flag(params, "archived")?);
    let (end_min, end_max) = (time(params, "end_date_min")?, time(params, "end_date_max")?);
    let (start_min, start_max) = (time(params, "start_date_min")?, time(params, "start_date_max")?);
    if active == Some(false) || archived == Some(true) {
        return Ok(Vec::new());
    }
    let mut found: Vec<usize> = venue
        .catalog
        .events
        .iter()
        .enumerate()
        .filter(|(_, e)| {
            let tags = params.values("tag_id");
            let own = gamma::tags_of(e.league).map(|t| t.to_string());
            let end = venue.fixture(e.fixture).map_or_else(Timestamp::default, |f| f.game.scheduled.plus(21_600_000));
            wanted(params, "slug", || e.slug.clone())
                && wanted(params, "id", || e.id.to_string())
                && wanted(params, "series_id", || e.league.series.to_string())
                && (tags.is_empty() || tags.iter().any(|t| own.iter().any(|o| o == t)))
                && !params.values("exclude_tag_id").iter().any(|t| own.iter().any(|o| o == t))
                && wanted(params, "game_id", || e.game_id.to_string())
                && closed.is_none_or(|c| gamma::event_closed(venue, e, now, state) == c)
                && end_min.is_none_or(|t| end >= t)
                && end_max.is_none_or(|t| end <= t)
                && start_min.is_none_or(|t| venue.opens() >= t)
                && start_max.is_none_or(|t| venue.opens() <= t)
        })
        .map(|(n, _)| n)
        .collect();
    if let Some("startTime" | "start_time" | "endDate" | "end_date") = params.get("order") {
        let start = |n: &usize| venue.catalog.events.get(*n).map(|e| (gamma::start(venue, e, now), e.id));
        found.sort_by_key(start);
    }
    if flag(params, "ascending")? == Some(false) {
        found.reverse();
    }
    Ok(found)
}

/// Numbers of the markets that a list asks for, by id.
fn markets(venue: &Venue, now: Timestamp, params: &Params, state: &State) -> Result<Vec<usize>, Reply> {
    // Even by slug, what is over is found only with `closed=true`.
    let closed = flag(params, "closed")?.unwrap_or(false);
    if params.values("condition_ids").len() > CONDITIONS {
        return Err(Reply::invalid("too many condition_ids"));
    }
    if flag(params, "active")? == Some(false) || flag(params, "archived")? == Some(true) {
        return Ok(Vec::new());
    }
    let mut found: Vec<usize> = venue
        .catalog
        .markets
        .iter()
        .enumerate()
        .filter(|(n, m)| {
            let Some(event) = venue.event_of(m) else { return false };
            let tokens = params.values("clob_token_ids");
            let tags = params.values("tag_id");
            let own = gamma::tags_of(event.league).map(|t| t.to_string());
            wanted(params, "slug", || m.slug.clone())
                && wanted(params, "id", || m.id.to_string())
                && wanted(params, "condition_ids", || m.condition.clone())
                && (tokens.is_empty() || tokens.iter().any(|t| m.tokens.iter().any(|o| o == t)))
                && wanted(params, "sports_market_types", || m.kind.to_owned())
                && wanted(params, "game_id", || event.game_id.to_string())
                && wanted(params, "series_id", || event.league.series.to_string())
                && (tags.is_empty() || tags.iter().any(|t| own.iter().any(|o| o == t)))
                && match venue.standing(*n, now, state) {
                    Standing::Unlisted => false,
                    Standing::Open => !closed,
                    Standing::Resolved(_) => closed,
                }
        })
        .map(|(n, _)| n)
        .collect();
    if flag(params, "ascending")? == Some(false) {
        found.reverse();
    }
    Ok(found)
}

fn teams(venue: &Venue, params: &Params) -> Vec<Value> {
    let mut list = Vec::new();
    for league in gamma::leagues(venue) {
        if !wanted(params, "league", || league.code.to_owned()) {
            continue;
        }
        let sport = super::super::sports::sport(league.sport);
        for (i, team) in sport.map_or(&[][..], |s| s.teams).iter().enumerate() {
            list.push(json!({
                "id": 100_000 * (1 + i) + league.series as usize % 1000, "name": short_name(league, team),
                "league": league.code, "abbreviation": team_code(league, team), "alias": team, "record": "",
            }));
        }
    }
    list
}
