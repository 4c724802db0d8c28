//! The first stretch of a store that is new: the newest entries of the hub's log, and of what came before them only what
//! the games that are still on need to stand there whole. The rest of the history comes behind.
//!
//! What a game needs is what looking back needs (see the store's `as_of`): its newest keyframe, the rows of the log since,
//! what its slots stand for, its starts and scores, the newest fair price of every question, opportunities that are open.

use std::collections::BTreeSet;

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::connect::Connection;
use super::copy::day_of;
use super::error::HubError;
use super::pull::{self, Copied, REPEATABLE, Stretch, View};
use crate::store::hub::tables::{self, Table};
use crate::store::hub::{Early, Order, Rows};

/// How much comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct First {
    /// So many rows of the change log.
    pub changes: i64,
    /// A log with fewer before them is read from its beginning.
    pub long: i64,
}

impl Default for First {
    fn default() -> Self {
        Self { changes: 60_000, long: 200_000 }
    }
}

/// Entries that come first at the most.
const FIRST_ENTRIES: i64 = 2_000;
/// A game whose last keyframe is older comes with the history. Days.
const OLDEST: i32 = 9;
/// Signals of so much time before are on the tape at once. Milliseconds.
const TAPE_MS: i64 = 24 * 3_600_000;

/// A game that is on, and from which look on its rows are needed.
struct Game {
    event: i32,
    /// Its keyframe; its rows after it are needed.
    keyframe: Option<i64>,
    /// The look before its first, otherwise.
    before: i64,
}

impl Game {
    fn after(&self) -> i64 {
        self.keyframe.unwrap_or(self.before)
    }
}

/// The stretch that a new store begins with; `None`: the log is short and is read from its beginning.
///
/// # Errors
/// [`HubError`]; nothing was taken in then.
pub async fn first(hub: &mut Connection, view: View, device: i32, first: First) -> Result<Option<Stretch>, HubError> {
    let tx = hub.client().build_transaction().read_only(true).isolation_level(REPEATABLE).start().await?;
    let Some(gap) = cut(&tx, view, first).await? else { return Ok(None) };
    let Some(mut stretch) = pull::stretch(&tx, view, (device, 0), (gap, i64::MAX)).await? else { return Ok(None) };
    let Some((look, day, at)) =
        stretch.incoming.looks.first().map(|l| (l.hub, day_of(l.received_at.millis()), l.received_at.millis()))
    else {
        return Ok(None);
    };
    let games = games(&tx, view, look, day).await?;
    pull::events_on(&tx, view, look, &mut stretch).await?;
    let early = early(&tx, view, &games, (look, day, at), &mut stretch.bytes).await?;
    tx.commit().await?;
    stretch.incoming.order = Order::Recent { gap };
    stretch.incoming.early = Some(early);
    Ok(Some(stretch))
}

/// The entry after which the log comes first.
async fn cut(tx: &Transaction<'_>, view: View, first: First) -> Result<Option<i64>, HubError> {
    let schema = view.schema();
    let row = tx
        .query_typed_one(
            &format!(
                "SELECT min(x.seq) - 1 FROM (
                     SELECT seq, sum(changes) OVER w AS changes, bool_or(kind = 2) OVER w AS back,
                         row_number() OVER w AS n
                     FROM (SELECT seq, kind, changes FROM {schema}.entry ORDER BY seq DESC LIMIT $1) AS e
                     WINDOW w AS (ORDER BY seq DESC)
                 ) AS x WHERE (x.changes <= $2 OR x.n = 1) AND NOT x.back"
            ),
            &[(&FIRST_ENTRIES, Type::INT8), (&first.changes, Type::INT8)],
        )
        .await?;
    let Some(cut) = row.try_get::<_, Option<i64>>(0)? else { return Ok(None) };
    let before = tx
        .query_typed_one(
            &format!("SELECT coalesce(sum(changes), 0)::bigint FROM {schema}.entry WHERE seq <= $1"),
            &[(&cut, Type::INT8)],
        )
        .await?;
    Ok((before.try_get::<_, i64>(0)? > first.long).then_some(cut))
}

/// Games that were on when look `cut` came.
async fn games(tx: &Transaction<'_>, view: View, cut: i64, day: i32) -> Result<Vec<Game>, HubError> {
    let schema = view.schema();
    let oldest = day - OLDEST;
    let rows = tx
        .query_typed(
            &format!(
                "WITH game AS (SELECT id, first_look FROM {schema}.event
                     WHERE first_look > 0 AND first_look < $1 AND (forgotten IS NULL OR forgotten >= $1)),
                 life AS (SELECT event, max(look) AS look FROM {schema}.event_life
                     WHERE event IN (SELECT id FROM game) AND look < $1 GROUP BY event),
                 frame AS (SELECT event, max(look) AS look FROM {schema}.keyframe
                     WHERE event IN (SELECT id FROM game) AND look < $1 AND day >= date '2000-01-01' + $2 GROUP BY event)
                 SELECT game.id, CASE WHEN frame.look > coalesce(life.look, game.first_look) - 1 THEN frame.look END,
                     coalesce(life.look, game.first_look) - 1
                 FROM game LEFT JOIN life ON life.event = game.id LEFT JOIN frame ON frame.event = game.id
                 WHERE frame.look > coalesce(life.look, game.first_look) - 1
                     OR coalesce(life.look, game.first_look) >= (SELECT min(id) FROM {schema}.look
                         WHERE day >= date '2000-01-01' + $2)
                 ORDER BY game.id"
            ),
            &[(&cut, Type::INT8), (&oldest, Type::INT4)],
        )
        .await?;
    rows.iter()
        .map(|r| Ok(Game { event: r.try_get(0)?, keyframe: r.try_get(1)?, before: r.try_get(2)? }))
        .collect::<Result<_, _>>()
}

/// Rows of these games from before the cut, and the looks that they speak of.
async fn early(
    tx: &Transaction<'_>,
    view: View,
    games: &[Game],
    (cut, day, at): (i64, i32, i64),
    bytes: &mut u64,
) -> Result<Early, HubError> {
    let mut early = Early::default();
    if games.is_empty() {
        return Ok(early);
    }
    let list = |each: &dyn Fn(&Game) -> Option<String>| games.iter().filter_map(each).collect::<Vec<_>>().join(",");
    let ids = list(&|g| Some(g.event.to_string()));
    let after = list(&|g| Some(format!("({},{})", g.event, g.after())));
    let frames = list(&|g| g.keyframe.map(|k| format!("({},{k})", g.event)));
    let lives = list(&|g| Some(format!("({},{})", g.event, g.before)));
    let earliest = games.iter().map(Game::after).min().unwrap_or(0);
    let schema = view.schema();
    let recent = format!("t.day BETWEEN date '2000-01-01' + ({}) AND date '2000-01-01' + {day}", day - OLDEST);
    let mut looks = BTreeSet::new();
    for table in [tables::SLOT].into_iter().chain(tables::PLAIN.iter().copied()) {
        if view.withholds(&table) {
            continue;
        }
        let columns: Vec<String> = table.columns.iter().map(|c| format!("t.{}", c.name)).collect();
        let columns = columns.join(", ");
        let from = format!("SELECT t.look, {columns} FROM {schema}.{} AS t", table.name);
        let of_games = format!("t.event IN ({ids}) AND t.look < {cut}");
        let sql = match table.name {
            "slot" => format!(
                "{from} JOIN (VALUES {lives}) AS g (event, before) ON t.event = g.event
                 WHERE t.look > g.before AND t.look < {cut} ORDER BY t.look, t.event, t.slot"
            ),
            "event_life" | "event_start" | "event_score" => format!("{from} WHERE {of_games} ORDER BY t.look, t.event"),
            "change" => format!(
                "{from} JOIN (VALUES {after}) AS g (event, after) ON t.event = g.event
                 WHERE t.look > g.after AND t.look > {earliest} AND t.look < {cut} AND {recent}
                 ORDER BY t.look, t.event, t.slot"
            ),
            "keyframe" if frames.is_empty() => continue,
            "keyframe" => format!(
                "{from} JOIN (VALUES {frames}) AS g (event, look) ON t.event = g.event AND t.look = g.look
                 WHERE {recent} ORDER BY t.look, t.event"
            ),
            "point" => format!(
                "SELECT DISTINCT ON (t.event, t.market, t.subject, t.own_line) t.look, {columns}
                 FROM {schema}.point AS t WHERE {of_games} AND {recent}
                 ORDER BY t.event, t.market, t.subject, t.own_line, t.look DESC"
            ),
            "opportunity" => format!(
                "SELECT * FROM (SELECT DISTINCT ON (t.event, t.market, t.subject, t.own_line, t.kind, t.legs)
                     t.look, {columns} FROM {schema}.opportunity AS t WHERE {of_games} AND {recent}
                     ORDER BY t.event, t.market, t.subject, t.own_line, t.kind, t.legs, t.look DESC) AS x WHERE open = 1"
            ),
            "signal" => format!(
                "{from} WHERE {of_games} AND {recent} AND t.at > {} ORDER BY t.look, t.id, t.version",
                at - TAPE_MS
            ),
            _ => continue,
        };
        push(tx, view, table, &sql, &mut early, &mut looks, bytes).await?;
    }
    let list: Vec<String> = looks.iter().map(i64::to_string).collect();
    if !list.is_empty() {
        let copied = pull::looks_where(tx, view, &format!("l.id IN ({})", list.join(","))).await?;
        *bytes += copied.len() as u64;
        early.looks = pull::read_looks(&copied).map_err(pull::broken)?;
    }
    Ok(early)
}

async fn push(
    tx: &Transaction<'_>,
    view: View,
    table: Table,
    sql: &str,
    early: &mut Early,
    looks: &mut BTreeSet<i64>,
    bytes: &mut u64,
) -> Result<(), HubError> {
    let copied = pull::copied(tx, sql).await?;
    *bytes += copied.len() as u64;
    let rows = Copied::new(copied, &table, view);
    rows.each(&mut |look, _| {
        looks.insert(look);
        Ok(())
    })
    .map_err(pull::broken)?;
    early.rows.push((table, Box::new(rows)));
    Ok(())
}
