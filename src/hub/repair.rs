//! Mending what a comparison found: what the hub holds takes the place of what differs here, looks that are missing here
//! are read again, and looks that the hub does not have are none of its looks any more.
//!
//! For looks that the hub holds the hub is right, also for those that were collected here: whoever follows has what the hub
//! has. Looks that it was never told are not touched.

use std::collections::{BTreeMap, BTreeSet};

use super::connect::{Connection, Tier};
use super::history;
use super::pull::{self, Copied, View, copied};
use super::push::PushError;
use super::verify::{Compared, LOOK, compare};
use crate::engine::EngineSettings;
use crate::market::time::Timestamp;
use crate::store::hub::tables::{self, Table};
use crate::store::hub::{Cursor, Gap, Mending};
use crate::store::{Reader, Store};

/// Looks that are put right in one transaction.
const AT_ONCE: usize = 200;

/// What was done, or would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// The hub was put back to an earlier moment; the store goes on from the newest entry that both have.
    PutBack {
        /// That entry.
        common: i64,
    },
    /// The hub's rows take the place of those here.
    Replaced(Replaced),
    /// Looks that the hub had and has not any more stay here, as looks of this store alone.
    Disowned {
        /// Sport key.
        sport: String,
        /// How many.
        looks: u64,
    },
    /// Looks that are missing here: the log is read again from before them on.
    Read {
        /// Sport key.
        sport: String,
        /// How many.
        looks: u64,
        /// When the first of them was received.
        since: Timestamp,
    },
    /// The same, and it was left: looks that the hub was never told would go with it.
    Left {
        /// Sport key.
        sport: String,
        /// How many.
        looks: u64,
    },
}

/// A range of looks that was put right in one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// Sport key.
    pub sport: String,
    /// Days since 2000-01-01.
    pub day: i32,
    /// The tables.
    pub tables: Vec<&'static str>,
    /// The looks, in the hub's numbers, rising.
    pub looks: Vec<i64>,
    /// How many of them were collected by this device.
    pub collected_here: u64,
}

/// What came of mending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    /// What was done, or would be, in that order.
    pub deeds: Vec<Deed>,
    /// How both compare afterwards; as they are where nothing was done.
    pub compared: Vec<Compared>,
}

/// Compares a store with its hub and mends what differs; with `dry`, only says what would be done.
///
/// # Errors
/// [`PushError`]; what was mended before stays.
pub async fn repair(
    hub: &mut Connection,
    tier: Tier,
    store: &mut Store,
    settings: &EngineSettings,
    dry: bool,
) -> Result<Repaired, PushError> {
    let mut done = Repaired::default();
    let link = store.reader()?.hub_link()?;
    if let Some(link) = link.filter(|_| dry) {
        if let history::Standing::PutBack { common } = history::standing(hub, tier, &store.reader()?, &link).await? {
            // What would differ then is not known before.
            done.deeds.push(Deed::PutBack { common });
            return Ok(done);
        }
    } else if let Some((common, _)) = history::mend(hub, tier, store).await? {
        done.deeds.push(Deed::PutBack { common });
        read(hub, tier, store, settings).await?;
    }
    let reader = store.reader()?;
    let cursors = reader.hub_cursors()?;
    let mut gap = false;
    for cursor in &cursors {
        let compared = compare(hub, &reader, cursor, |_| {}).await?;
        if !compared.lost_there.is_empty() {
            let looks = compared.lost_there.len() as u64;
            done.deeds.push(Deed::Disowned { sport: compared.sport.clone(), looks });
            if !dry {
                store.hub_disown(&compared.lost_there)?;
            }
        }
        for range in ranges(&compared) {
            let replaced = replace(hub, store, &reader, cursor, &compared.sport, range, dry).await?;
            done.deeds.push(Deed::Replaced(replaced));
        }
        if let Some(deed) = fill(hub, store, cursor, &compared, settings, dry).await? {
            gap |= matches!(deed, Deed::Read { .. });
            done.deeds.push(deed);
        }
        done.compared.push(compared);
    }
    if dry || done.deeds.is_empty() {
        return Ok(done);
    }
    if gap {
        read(hub, tier, store, settings).await?;
    }
    done.compared.clear();
    for cursor in reader.hub_cursors()? {
        done.compared.push(compare(hub, &reader, &cursor, |_| {}).await?);
    }
    Ok(done)
}

/// Looks of a day that differ, and in which tables.
struct Range {
    day: i32,
    looks: Vec<i64>,
    tables: BTreeSet<&'static str>,
}

fn ranges(compared: &Compared) -> Vec<Range> {
    let mut days: BTreeMap<i32, BTreeMap<i64, BTreeSet<&'static str>>> = BTreeMap::new();
    for differing in &compared.differing {
        for look in &differing.looks {
            days.entry(differing.day).or_default().entry(*look).or_default().insert(differing.table);
        }
    }
    let mut ranges = Vec::new();
    for (day, looks) in days {
        let looks: Vec<_> = looks.into_iter().collect();
        for part in looks.chunks(AT_ONCE) {
            ranges.push(Range {
                day,
                looks: part.iter().map(|(look, _)| *look).collect(),
                tables: part.iter().flat_map(|(_, tables)| tables.iter().copied()).collect(),
            });
        }
    }
    ranges
}

fn list(looks: &[i64]) -> String {
    looks.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// Fetches a range and puts it in the place of what is here.
async fn replace(
    hub: &mut Connection,
    store: &mut Store,
    reader: &Reader,
    cursor: &Cursor,
    sport: &str,
    range: Range,
    dry: bool,
) -> Result<Replaced, PushError> {
    let device = reader.hub_link()?.map_or(0, |l| l.number);
    let (looks, day) = (list(&range.looks), format!("date '2000-01-01' + ({})", range.day));
    let sql = format!("SELECT count(*) FROM hub.look WHERE id IN ({looks}) AND day = {day} AND device = {device}");
    let own: i64 = hub.client().query_typed_one(&sql, &[]).await?.try_get(0)?;
    let replaced = Replaced {
        sport: sport.to_owned(),
        day: range.day,
        tables: range.tables.iter().copied().collect(),
        looks: range.looks,
        collected_here: u64::try_from(own).unwrap_or(0),
    };
    if dry {
        return Ok(replaced);
    }
    let issues = range.tables.iter().any(|t| t.starts_with("quality"));
    let order = [LOOK, tables::CHANGE, tables::SLOT, tables::QUALITY, tables::QUALITY_END];
    let others = tables::all().filter(|t| !order.iter().any(|o| o.name == t.name));
    let wanted = order.into_iter().chain(others).filter(|t| {
        let with_issues = issues && t.name == tables::QUALITY_END.name;
        // What a slot stands for is drawn from the change log too.
        let with_changes = range.tables.contains(tables::CHANGE.name) && t.name == tables::SLOT.name;
        with_issues || with_changes || range.tables.contains(t.name)
    });
    let mut mending =
        Mending { source: cursor.source, sport: cursor.sport, looks: replaced.looks.clone(), rows: Vec::new() };
    let tx = hub.client().build_transaction().read_only(true).start().await?;
    for table in wanted {
        let sql = select(&table, &looks, &day);
        let rows = Copied { bytes: copied(&tx, &sql).await?, columns: table.columns, reduced: false };
        mending.rows.push((table, Box::new(rows)));
    }
    tx.commit().await?;
    store.hub_mend(&mending)?;
    Ok(replaced)
}

fn select(table: &Table, looks: &str, day: &str) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
    let (name, columns) = (table.name, columns.join(", "));
    if name == LOOK.name {
        return format!("SELECT id, {columns} FROM hub.look WHERE id IN ({looks}) AND day = {day} ORDER BY id");
    }
    // Issues are put in anew, and with them what ended of theirs later.
    let also = if name == tables::QUALITY_END.name {
        format!(" OR (of_look IN ({looks}) AND day >= {day})")
    } else {
        String::new()
    };
    let by = if table.key.is_empty() { String::new() } else { format!(", {}", table.key.join(", ")) };
    format!("SELECT look, {columns} FROM hub.{name} WHERE (look IN ({looks}) AND day = {day}){also} ORDER BY look{by}")
}

/// Takes the stream back to before what is missing.
async fn fill(
    hub: &mut Connection,
    store: &mut Store,
    cursor: &Cursor,
    compared: &Compared,
    settings: &EngineSettings,
    dry: bool,
) -> Result<Option<Deed>, PushError> {
    if compared.missing_here.is_empty() {
        return Ok(None);
    }
    let (sport, looks) = (compared.sport.clone(), compared.missing_here.len() as u64);
    let sql = format!(
        "SELECT min(received_at), min(entry), (SELECT entry FROM hub.head) FROM hub.look WHERE id IN ({})",
        list(&compared.missing_here)
    );
    let row = hub.client().query_typed_one(&sql, &[]).await?;
    let (since, entry): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (Some(since), Some(entry)) = (since, entry) else { return Ok(None) };
    let since = Timestamp::from_millis(since);
    let gap = Gap { source: cursor.source, sport: cursor.sport, since, entry, head: row.try_get(2)? };
    if !dry && !store.hub_reread(&gap, settings)? {
        return Ok(Some(Deed::Left { sport, looks }));
    }
    Ok(Some(Deed::Read { sport, looks, since }))
}

/// Follows the log to its end.
async fn read(hub: &mut Connection, tier: Tier, store: &mut Store, settings: &EngineSettings) -> Result<(), PushError> {
    let reader = store.reader()?;
    loop {
        let Some(link) = reader.hub_link()? else { return Ok(()) };
        let ours = if link.pulled < link.whole { 0 } else { link.number };
        let Some(stretch) = pull::next(hub, View::of(tier), ours, link.pulled).await? else { return Ok(()) };
        store.hub_apply(&stretch.incoming, settings)?;
    }
}
