//! What the server can take at most: the rows of a run, as the hub keeps them, by one binary COPY a table into tables of the
//! same columns, once without any index and once with the hub's keys.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use stratum::hub::connect::Connection;
use stratum::store::hub::tables;

use super::{Desk, postgres};

pub struct Raw {
    from: Connection,
    to: Connection,
    rows: u64,
    bare: Duration,
    keyed: Duration,
}

fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once("look").chain(tables::all().map(|t| t.name))
}

impl Raw {
    pub async fn new(desk: &Desk) -> Self {
        let mut from = desk.open(postgres::SUPERUSER).await;
        let to = desk.open(postgres::SUPERUSER).await;
        let mut sql = String::from("CREATE SCHEMA raw; CREATE SCHEMA keyed;");
        for name in names() {
            sql += &format!("CREATE TABLE raw.{name} (LIKE hub.{name});");
            sql += &format!("CREATE TABLE keyed.{name} (LIKE hub.{name} INCLUDING INDEXES);");
        }
        from.client().batch_execute(&sql).await.expect("tables");
        Self { from, to, rows: 0, bare: Duration::ZERO, keyed: Duration::ZERO }
    }

    /// Copies what the entry brought.
    pub async fn copy(&mut self, entry: i64, rows: u64) {
        let range = self
            .from
            .client()
            .query_one(&format!("SELECT first, last FROM hub.entry WHERE seq = {entry}"), &[])
            .await
            .expect("entry");
        let (first, last): (i64, i64) = (range.get(0), range.get(1));
        let mut all: Vec<(&str, Vec<Bytes>)> = Vec::new();
        for name in names() {
            let id = if name == "look" { "id" } else { "look" };
            let sql = format!(
                "COPY (SELECT * FROM hub.{name} WHERE {id} BETWEEN {first} AND {last}) TO STDOUT (FORMAT binary)"
            );
            let stream = self.from.client().copy_out(&sql).await.expect("copy");
            futures_util::pin_mut!(stream);
            let (mut pieces, mut piece) = (Vec::new(), bytes::BytesMut::new());
            while let Some(bytes) = stream.try_next().await.expect("bytes") {
                piece.extend_from_slice(&bytes);
                if piece.len() > 256 * 1024 {
                    pieces.push(piece.split().freeze());
                }
            }
            pieces.push(piece.freeze());
            all.push((name, pieces));
        }
        let bare = self.send("raw", &all).await;
        let keyed = self.send("keyed", &all).await;
        (self.bare, self.keyed) = (self.bare + bare, self.keyed + keyed);
        self.rows += rows;
        let gone: Vec<String> = names().flat_map(|n| [format!("raw.{n}"), format!("keyed.{n}")]).collect();
        if self.rows / 2_000_000 != (self.rows - rows) / 2_000_000 {
            let sql = format!("TRUNCATE {}", gone.join(", "));
            self.to.client().batch_execute(&sql).await.expect("emptied");
        }
    }

    async fn send(&mut self, schema: &str, all: &[(&str, Vec<Bytes>)]) -> Duration {
        let begin = Instant::now();
        let tx = self.to.client().transaction().await.expect("transaction");
        for (name, pieces) in all {
            let sink = tx.copy_in(&format!("COPY {schema}.{name} FROM STDIN (FORMAT binary)")).await.expect("copy");
            futures_util::pin_mut!(sink);
            for piece in pieces {
                sink.send(piece.clone()).await.expect("sent");
            }
            sink.finish().await.expect("taken");
        }
        tx.commit().await.expect("committed");
        begin.elapsed()
    }

    fn rates(&self) -> (f64, f64) {
        (self.rows as f64 / self.bare.as_secs_f64(), self.rows as f64 / self.keyed.as_secs_f64())
    }

    pub fn so_far(&self) -> String {
        format!("raw {:.0} rows/s, with the keys {:.0}", self.rates().0, self.rates().1)
    }

    pub fn verdict(&self, ours: f64) {
        let (bare, keyed) = self.rates();
        println!("    raw binary COPY into bare tables: {bare:.0} rows/s: ours is {:.0} %", 100.0 * ours / bare);
        println!(
            "    raw binary COPY into tables with the hub's keys: {keyed:.0} rows/s: ours is {:.0} % (target 50)",
            100.0 * ours / keyed
        );
    }
}
