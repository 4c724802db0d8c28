//! The rows of a run as they are staged at the hub: read table by table, so that the server takes in one while the next is
//! read.

use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use sha2::{Digest, Sha256};
use tokio_postgres::Transaction;

use super::connect::{PATIENCE, within};
use super::copy::{CopyOut, day_of};
use super::error::HubError;
use crate::store::hub::cell::Cell;
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::{self, Table};
use crate::store::hub::{Run, RunEvent};
use crate::store::{Reader, StoreError};

/// A stream of rows is handed over in pieces of so many bytes.
const PIECE: usize = 256 * 1024;
/// A line that carries fewer bytes a millisecond is taken for dead.
const SLOWEST: u64 = 20;

/// What is to be read.
pub(super) struct Work {
    pub(super) run: Run,
    pub(super) events: Vec<RunEvent>,
    pub(super) maps: Maps,
}

/// The rows of one table.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) columns: String,
    pub(super) copy: CopyOut,
}

impl Stage {
    fn of(table: &Table, copy: CopyOut) -> Self {
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        Self { name: table.name, columns: format!("look, day, {}", columns.join(", ")), copy }
    }

    /// Sends it; answers the bytes that were sent.
    pub(super) async fn send(self, tx: &Transaction<'_>) -> Result<Bytes, HubError> {
        let sql = format!("COPY pg_temp.s_{} ({}) FROM STDIN (FORMAT binary)", self.name, self.columns);
        let all = Bytes::from(self.copy.finish());
        let mut rest = all.clone();
        // What is under way may lie in buffers for as long as the slowest line takes.
        let limit = PATIENCE + Duration::from_millis(rest.len() as u64 / SLOWEST);
        within::<_, _, HubError>(limit, async {
            let sink = tx.copy_in(sql.as_str()).await?;
            futures_util::pin_mut!(sink);
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(PIECE));
                sink.send(piece).await?;
            }
            sink.finish().await?;
            Ok::<_, HubError>(())
        })
        .await?;
        Ok(all)
    }
}

/// The rows of a run, table by table; ends early where `put` says that nobody wants them.
///
/// # Errors
/// [`StoreError`].
pub(super) fn all(reader: &Reader, work: &Work, put: &mut dyn FnMut(Stage) -> bool) -> Result<(), StoreError> {
    let Work { run, events, maps } = work;
    let mut give = |stage: Stage| stage.copy.is_empty() || put(stage);
    let days: Vec<i32> = run.looks.iter().map(|l| day_of(l.received_at.millis())).collect();
    let day = |place: i64| usize::try_from(place - 1).ok().and_then(|at| days.get(at)).copied().unwrap_or(0);
    if !give(looks(run, &day)?) {
        return Ok(());
    }
    let row = |copy: &mut CopyOut, table: &Table, place: i64, cells: &[Cell<'_>]| {
        copy.row(table.columns.len() + 2);
        copy.big(place);
        copy.int(day(place));
        table.columns.iter().zip(cells).try_for_each(|(column, cell)| copy.cell(column, cell))
    };
    for table in tables::PLAIN {
        let mut copy = CopyOut::default();
        reader.hub_run_rows(run, table, events, maps, &mut |place, cells| row(&mut copy, table, place, cells))?;
        if !give(Stage::of(table, copy)) {
            return Ok(());
        }
    }
    let mut slots = CopyOut::default();
    reader.hub_run_slots(run, events, maps, &mut |place, cells| row(&mut slots, &tables::SLOT, place, cells))?;
    let (mut issues, mut ends) = (CopyOut::default(), CopyOut::default());
    reader.hub_run_issues(run, maps, &mut |table, place, cells| {
        let copy = if table.name == tables::QUALITY.name { &mut issues } else { &mut ends };
        row(copy, table, place, cells)
    })?;
    for (table, copy) in [(tables::SLOT, slots), (tables::QUALITY, issues), (tables::QUALITY_END, ends)] {
        if !give(Stage::of(&table, copy)) {
            return Ok(());
        }
    }
    Ok(())
}

fn looks(run: &Run, day: &dyn Fn(i64) -> i32) -> Result<Stage, StoreError> {
    let mut copy = CopyOut::default();
    for (place, look) in (1_i64..).zip(&run.looks) {
        copy.row(tables::LOOK_COLUMNS.len() + 4);
        copy.big(place);
        copy.int(day(place));
        copy.big(look.id);
        copy.bytes(&rules_hash(&look.rules));
        for (column, cell) in tables::LOOK_COLUMNS.iter().zip(&look.cells) {
            copy.cell(column, cell)?;
        }
    }
    let columns: Vec<&str> = tables::LOOK_COLUMNS.iter().map(|c| c.name).collect();
    Ok(Stage { name: "look", columns: format!("id, day, device_look, rules, {}", columns.join(", ")), copy })
}

/// How rules are known at the hub.
pub(super) fn rules_hash(rules: &str) -> [u8; 32] {
    Sha256::digest(rules.as_bytes()).into()
}
