//! What a hub holds, as text for people and other programs: a line of JSON a row, with names in the place of numbers.
//!
//! The server makes the lines and sends them as they are read; no more than a piece of them is in memory. Days follow one
//! another, so that what is written is in the order of time and a question never spans more than a day. A free login gets
//! what its views show.

use futures_util::TryStreamExt;
use tokio_postgres::types::{ToSql, Type};

use super::connect::Connection;
use super::error::HubError;
use super::pull::View;

/// What is written of a hub, in this order: a name each, and what is selected.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "games",
        live_only: false,
        sql: "SELECT sp.name AS sport, e.id AS game, so.name AS source, e.provider_id, e.home, e.away,
              {t:e.commence} AS start, {t:e.first_seen} AS first_seen,
              CASE e.status WHEN 0 THEN 'scheduled' WHEN 1 THEN 'live' ELSE 'final' END AS status, e.home_score, e.away_score
              FROM {hub}.event AS e {name:so,5,e.source} {name:sp,1,e.sport}
              WHERE e.first_look > 0 AND e.commence >= $1 AND e.commence < $2 {sport} ORDER BY e.commence, e.id",
    },
    Kind {
        name: "looks",
        live_only: false,
        sql: "SELECT sp.name AS sport, l.id AS look, {t:l.received_at} AS at, so.name AS source, l.endpoint, l.events AS games,
              l.quotes, l.changes, l.issues, l.cost, l.remaining, l.origin, encode(l.body_hash, 'hex') AS body_hash
              FROM {hub}.look AS l {name:so,5,l.source} {name:sp,1,l.sport}
              WHERE {day:l} {sport} ORDER BY l.id",
    },
    Kind {
        name: "quotes",
        live_only: false,
        sql: "SELECT sp.name AS sport, c.look, {t:l.received_at} AS at, c.event AS game, e.home, e.away, b.name AS book,
              m.name AS market, {side:s.side} AS side, su.name AS subject, c.line / 100.0 AS line, {price:c.price} AS price,
              CASE c.status & 15 WHEN 0 THEN 'open' WHEN 1 THEN 'gone' ELSE 'suspect' END AS status,
              c.status >= 16 AS in_play, {t:c.last_seen} AS last_seen, {t:c.provider_update} AS provider_update
              FROM {hub}.change AS c {of:c}
              LEFT JOIN {hub}.slot AS s ON s.event = c.event AND s.slot = c.slot
              {name:b,2,s.book} {name:m,3,s.market} {name:su,4,s.subject} {name:sp,1,l.sport}
              WHERE {day:c} {sport} ORDER BY c.look, c.event, c.slot",
    },
    Kind {
        name: "fair",
        live_only: false,
        sql: "SELECT sp.name AS sport, p.look, {t:l.received_at} AS at, p.event AS game, e.home, e.away, m.name AS market,
              su.name AS subject, {own:p} AS own_line, p.line / 100.0 AS line, p.fair1, p.fair2, p.fair3, p.standard_error,
              p.effective AS effective_books, p.families, p.consensus_line / 100.0 AS consensus_line, p.consensus,
              p.dispersion, p.consensus_books, p.books
              FROM {hub}.point AS p {of:p} {name:m,3,p.market} {name:su,4,p.subject} {name:sp,1,l.sport}
              WHERE {day:p} {sport} ORDER BY p.look, p.event, p.market, p.subject, p.own_line",
    },
    Kind {
        name: "signals",
        live_only: false,
        sql: "SELECT sp.name AS sport, g.look, {t:l.received_at} AS at, g.event AS game, g.id, g.version, g.json::json AS signal
              FROM {hub}.signal AS g {of:g} {name:sp,1,l.sport}
              WHERE {day:g} {sport} ORDER BY g.look, g.id, g.version",
    },
    Kind {
        name: "opportunities",
        live_only: true,
        sql: "SELECT sp.name AS sport, o.look, {t:l.received_at} AS at, o.event AS game, e.home, e.away, m.name AS market,
              su.name AS subject, {own:o} AS own_line,
              CASE o.kind WHEN 1 THEN 'value' WHEN 2 THEN 'arbitrage' WHEN 3 THEN 'middle' ELSE 'low_hold' END AS kind,
              (SELECT json_agg(json_build_object('side', {side:split_part(x.leg, ':', 1)::int}, 'book', b.name) ORDER BY x.n)
               FROM unnest(string_to_array(o.legs, ',')) WITH ORDINALITY AS x (leg, n)
               {name:b,2,split_part(x.leg, ':', 2)::int}) AS legs,
              o.open = 1 AS open, o.ev, o.json::json AS numbers
              FROM {hub}.opportunity AS o {of:o} {name:m,3,o.market} {name:su,4,o.subject} {name:sp,1,l.sport}
              WHERE {day:o} {sport} ORDER BY o.look, o.event, o.market, o.subject, o.own_line, o.kind, o.legs",
    },
    Kind {
        name: "closes",
        live_only: true,
        sql: "SELECT sp.name AS sport, c.look, {t:l.received_at} AS at, c.event AS game, e.home, e.away, m.name AS market,
              su.name AS subject, {own:c} AS own_line, c.version, {t:c.start} AS start, c.grade, c.reason,
              c.provisional = 1 AS provisional, c.json::json AS close
              FROM {hub}.close AS c {of:c} {name:m,3,c.market} {name:su,4,c.subject} {name:sp,1,l.sport}
              WHERE {day:c} {sport} ORDER BY c.look, c.event, c.market, c.subject, c.own_line, c.version",
    },
    Kind {
        name: "clv",
        live_only: true,
        sql: "SELECT sp.name AS sport, c.look, {t:l.received_at} AS at, c.event AS game, e.home, e.away, c.signal, c.version,
              c.market, {t:c.at} AS detected_at, {t:c.start} AS start, c.strength, c.composite, c.clv_ev, c.grade, c.left_out
              FROM {hub}.clv AS c {of:c} {name:sp,1,l.sport}
              WHERE {day:c} {sport} ORDER BY c.look, c.signal, c.version",
    },
    Kind {
        name: "issues",
        live_only: true,
        sql: "SELECT sp.name AS sport, q.look, {t:l.received_at} AS at, q.event AS game, e.home, e.away, b.name AS book,
              m.name AS market, q.severity, q.detail
              FROM {hub}.quality AS q {of:q} {name:b,2,q.book} {name:m,3,q.market} {name:sp,1,l.sport}
              WHERE {day:q} {sport} ORDER BY q.look, q.n",
    },
];

/// Rows of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, also that of its file.
    pub name: &'static str,
    live_only: bool,
    sql: &'static str,
}

/// What is wanted of a hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Milliseconds since 1970: looks received from then on, games that start then.
    pub from: i64,
    /// Up to then, and not at it.
    pub until: i64,
    /// Sport key; `None`: all.
    pub sport: Option<String>,
}

impl Kind {
    /// A login with this view sees some of it.
    pub fn is_shown(&self, view: View) -> bool {
        view == View::Whole || !self.live_only
    }

    /// By day of the look; games are few and come at once.
    fn by_day(&self) -> bool {
        self.name != "games"
    }

    /// The question for a day, or for everything. $1, $2: instants; $3: sport.
    fn question(&self, view: View, day: Option<i32>) -> String {
        let hub = view.schema();
        let mut out = String::with_capacity(self.sql.len() * 2);
        let mut rest = self.sql;
        while let Some((before, after)) = rest.split_once('{') {
            let (what, after) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(before);
            let (kind, of) = what.split_once(':').unwrap_or((what, ""));
            out.push_str(&match kind {
                "hub" => hub.to_owned(),
                "t" => format!("to_char(to_timestamp({of} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"),
                "sport" => "AND ($3::text IS NULL OR sp.name = $3)".to_owned(),
                "own" => format!("CASE WHEN {of}.own_line <> -2147483648 THEN {of}.own_line / 100.0 END"),
                "side" => format!(
                    "CASE {of} WHEN 1 THEN 'home' WHEN 2 THEN 'away' WHEN 3 THEN 'draw' WHEN 4 THEN 'over' WHEN 5 THEN 'under'
                     WHEN 6 THEN 'yes' WHEN 7 THEN 'no' ELSE 'named' END"
                ),
                "price" => format!(
                    "round(CASE WHEN {of} % 2 <> 0 THEN ({of} - 1) / 2000000.0 WHEN {of} > 0 THEN 1 + {of} / 200.0
                     ELSE 1 - 200.0 / nullif({of}, 0) END, 6)::float8"
                ),
                "of" => format!(
                    "JOIN {hub}.look AS l ON l.id = {of}.look AND l.day = {of}.day LEFT JOIN {hub}.event AS e ON e.id = {of}.event"
                ),
                "name" => {
                    let mut parts = of.splitn(3, ',');
                    let (name, list, number) =
                        (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
                    format!("LEFT JOIN {hub}.name AS {name} ON {name}.kind = {list} AND {name}.number = {number}")
                }
                "day" => format!(
                    "{of}.day = date '2000-01-01' + ({}) AND l.received_at >= $1 AND l.received_at < $2",
                    day.unwrap_or(0)
                ),
                _ => String::new(),
            });
            rest = after;
        }
        out.push_str(rest);
        format!("SELECT row_to_json(x)::text FROM ({out}) AS x")
    }
}

/// Days that the hub has between two instants, rising; since 2000-01-01.
///
/// # Errors
/// [`HubError`].
pub async fn days(hub: &mut Connection, view: View, wanted: &Wanted) -> Result<Vec<i32>, HubError> {
    let sql = format!(
        "SELECT day - date '2000-01-01' FROM {}.day
         WHERE (day - date '1970-01-01')::bigint * 86400000 < $2 AND (day - date '1970-01-01' + 1)::bigint * 86400000 > $1
         ORDER BY day",
        view.schema()
    );
    let rows = hub.client().query_typed(&sql, &[(&wanted.from, Type::INT8), (&wanted.until, Type::INT8)]).await?;
    rows.iter().map(|r| Ok(r.try_get(0)?)).collect()
}

/// Why nothing more was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Whoever takes the lines.
    #[error(transparent)]
    Out(#[from] std::io::Error),
}

/// Hands over all lines of one kind, each without its end; answers how many.
///
/// # Errors
/// [`ExportError`].
pub async fn lines(
    hub: &mut Connection,
    view: View,
    kind: &Kind,
    days: &[i32],
    wanted: &Wanted,
    mut line: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<u64, ExportError> {
    let mut n = 0;
    let days: Vec<Option<i32>> = if kind.by_day() { days.iter().copied().map(Some).collect() } else { vec![None] };
    for day in days {
        let sql = kind.question(view, day);
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&wanted.from, Type::INT8), (&wanted.until, Type::INT8), (&wanted.sport, Type::TEXT)];
        let rows = hub.client().query_typed_raw(&sql, parameters).await.map_err(HubError::from)?;
        futures_util::pin_mut!(rows);
        while let Some(row) = rows.try_next().await.map_err(HubError::from)? {
            line(row.try_get(0).map_err(HubError::from)?)?;
            n += 1;
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_in_a_question_is_filled() {
        for kind in KINDS {
            for (view, schema) in [(View::Whole, "hub."), (View::Reduced, "hub_free.")] {
                let sql = kind.question(view, Some(9_000));
                assert!(!sql.contains('{') && !sql.contains('}') && sql.contains(schema), "{}: {sql}", kind.name);
                assert!(sql.contains("$1") && sql.contains("$2") && sql.contains("$3"), "{}", kind.name);
            }
        }
    }
}
