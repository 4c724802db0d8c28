//! Whether a hub still is what this device knows of it, and what it holds where it is not.
//!
//! A hub that was restored to an earlier moment, or whose server has lost what it had acknowledged, goes on from there and
//! gives the same numbers to other things. Histories are told apart by the marks of their entries: what two have in common
//! they have up to one entry, and nothing behind it.

use tokio_postgres::types::Type;
use tokio_postgres::{IsolationLevel, Transaction};
use uuid::Uuid;

use super::connect::{Connection, Tier};
use super::error::HubError;
use super::pull::{View, unsigned};
use super::push::PushError;
use crate::engine::names::NameKind;
use crate::store::hub::{HubLook, Link, Mark, Missing, PutBack, PutBackDone};
use crate::store::{Reader, Store};

/// How a hub and what is known of it stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// One goes on from the other.
    Same,
    /// The hub has forgotten what stood behind this entry.
    PutBack {
        /// The newest entry that both have.
        common: i64,
    },
}

/// The mark of an entry; `None`: there is no such entry.
///
/// # Errors
/// [`HubError`].
pub async fn mark_of(hub: &mut Connection, view: View, entry: i64) -> Result<Option<Mark>, HubError> {
    let sql = format!("SELECT mark FROM {}.entry WHERE seq = $1", view.schema());
    let rows = hub.client().query_typed(&sql, &[(&entry, Type::INT8)]).await?;
    Ok(rows.first().map(|r| r.try_get::<_, Uuid>(0)).transpose()?.map(Uuid::into_bytes))
}

/// Compares what `reader` knows of the hub with what it is now.
///
/// # Errors
/// [`HubError::Another`], [`HubError::Unknown`], [`HubError::Behind`], and any other of hub and store.
pub async fn standing(hub: &mut Connection, tier: Tier, reader: &Reader, link: &Link) -> Result<Standing, PushError> {
    let view = View::of(tier);
    let (schema, whole) = (view.schema(), view == View::Whole);
    let ask = format!(
        "SELECT m.value, (SELECT coalesce(max(seq), 0) FROM {schema}.entry), (SELECT min(seq) FROM {schema}.entry)
         FROM {schema}.meta AS m WHERE m.key = 'id'"
    );
    let rows = hub.client().query_typed(&ask, &[]).await?;
    let row = rows.first().ok_or(HubError::NotAHub)?;
    let (found, head, oldest): (String, i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if found != link.hub {
        return Err(HubError::Another { found, linked: link.hub.clone() }.into());
    }
    if whole && link.number > 0 {
        let device = Uuid::parse_str(&link.device).unwrap_or_default();
        let rows =
            hub.client().query_typed("SELECT id FROM hub.device WHERE uuid = $1", &[(&device, Type::UUID)]).await?;
        if rows.first().map(|r| r.try_get(0)).transpose()? != Some(link.number) {
            return Err(HubError::Unknown.into());
        }
    }
    let oldest = oldest.unwrap_or(head + 1);
    let Some((newest, mark)) = reader.hub_mark_until(i64::MAX)? else {
        // Linked just now, or by a program that did not look at marks yet.
        return if head < link.pulled { Err(HubError::PutBack.into()) } else { Ok(Standing::Same) };
    };
    let is_same = newest <= head && mark_of(hub, view, newest).await? == Some(mark);
    if view == View::Reduced && newest > head {
        // What a free login sees may end earlier than it did, when it is made to see things later than before.
        let Some((entry, mark)) = reader.hub_mark_until(head)? else { return Ok(Standing::Same) };
        if entry < oldest || mark_of(hub, view, entry).await? == Some(mark) {
            return Ok(Standing::Same);
        }
    }
    if !is_same && newest >= oldest.min(head + 1) {
        let common = common(hub, view, reader, (oldest, newest)).await?;
        return Ok(Standing::PutBack { common });
    }
    if link.pulled > 0 && link.pulled + 1 < oldest {
        return Err(HubError::Behind { oldest, pulled: link.pulled }.into());
    }
    if matches!(tier, Tier::Collector | Tier::Owner) && has_forgotten(hub, reader, link).await? {
        return Ok(Standing::PutBack { common: newest });
    }
    Ok(Standing::Same)
}

/// The newest entry whose mark is the same there and here. Before `oldest` there is nothing to compare with; `other` is not
/// the same.
async fn common(
    hub: &mut Connection,
    view: View,
    reader: &Reader,
    (oldest, mut other): (i64, i64),
) -> Result<i64, PushError> {
    let mut same = 0;
    loop {
        let middle = same + (other - same) / 2;
        let known = match reader.hub_mark_until(middle)?.filter(|(entry, _)| *entry > same) {
            Some(known) => Some(known),
            None => reader.hub_mark_after(middle)?.filter(|(entry, _)| *entry < other),
        };
        let Some((entry, mark)) = known else { return Ok(same) };
        if entry < oldest || mark_of(hub, view, entry).await? == Some(mark) {
            same = entry;
        } else {
            other = entry;
        }
    }
}

/// The hub has taken less of this device than it had: it was put back by so little that nobody had followed it.
async fn has_forgotten(hub: &mut Connection, reader: &Reader, link: &Link) -> Result<bool, PushError> {
    let maps = reader.hub_maps()?;
    let pushed = pushed(hub, link.number).await?;
    for cursor in reader.hub_cursors()? {
        if (cursor.look, cursor.retracted) == (0, 0) {
            continue;
        }
        let numbers = (maps.name(NameKind::Source, cursor.source), maps.name(NameKind::Sport, cursor.sport.0.into()));
        let there = pushed.iter().find(|p| (Some(p.0), Some(p.1)) == numbers);
        if there.is_none_or(|p| p.2 < cursor.look || p.3 < cursor.retracted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How far a device has told: source, sport, look, retraction.
async fn pushed(hub: &mut Connection, device: i32) -> Result<Vec<(u32, u32, i64, i64)>, HubError> {
    let rows = hub
        .client()
        .query_typed(
            "SELECT source, sport, look, retracted FROM hub.pushed WHERE device = $1",
            &[(&device, Type::INT4)],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((unsigned(r.try_get(0)?)?, unsigned(r.try_get(1)?)?, r.try_get(2)?, r.try_get(3)?)))
        .collect()
}

/// What the hub holds, as far as it is needed to go on from the entry that both have.
///
/// # Errors
/// Those of hub and store.
pub async fn found(
    hub: &mut Connection,
    tier: Tier,
    reader: &Reader,
    link: &Link,
    common: i64,
) -> Result<PutBack, PushError> {
    let view = View::of(tier);
    let schema = view.schema();
    let collects = matches!(tier, Tier::Collector | Tier::Owner);
    let pushed = if collects { pushed(hub, link.number).await? } else { Vec::new() };
    let tx = hub
        .client()
        .build_transaction()
        .read_only(true)
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await?;
    let mut there = PutBack { common, pushed, collects, ..PutBack::default() };
    let row = tx
        .query_typed_one(
            &format!(
                "SELECT (SELECT coalesce(max(seq), 0) FROM {schema}.entry), coalesce((SELECT last FROM {schema}.entry
                 WHERE kind = 1 AND seq <= $1 ORDER BY seq DESC LIMIT 1), 0)"
            ),
            &[(&common, Type::INT8)],
        )
        .await?;
    (there.head, there.look) = (row.try_get(0)?, row.try_get(1)?);
    there.names = super::pull::names(&tx, view).await?;
    for r in tx.query_typed(&format!("SELECT id, source, provider_id FROM {schema}.event"), &[]).await? {
        there.events.push((unsigned(r.try_get(0)?)?, unsigned(r.try_get(1)?)?, r.try_get(2)?));
    }
    if link.number > 0 {
        let sql = "SELECT id, entry, received_at, device_look FROM hub.look WHERE entry > $1 AND device = $2";
        for r in tx.query_typed(sql, &[(&common, Type::INT8), (&link.number, Type::INT4)]).await? {
            there.own.push((r.try_get(3)?, look(&r)?));
        }
    }
    for (source, sport, after) in reader.hub_backs_after(common)? {
        // Our map of its numbers is of the time that it has forgotten.
        let number = |kind, ours| -> Result<Option<u32>, PushError> {
            let name = reader.name_of(kind, ours)?;
            Ok(there.names.iter().find(|n| n.0 == kind && n.2 == name).map(|n| n.1))
        };
        let numbers = (number(NameKind::Source, source)?, number(NameKind::Sport, sport)?);
        let (Some(s), Some(t)) = numbers else { continue };
        let looks = looks_after(&tx, schema, (s, t), after, common).await?;
        there.missing.push(Missing { source, sport, looks });
    }
    tx.commit().await?;
    Ok(there)
}

/// Looks of a source and sport up to an entry that were received after an instant.
async fn looks_after(
    tx: &Transaction<'_>,
    schema: &str,
    (source, sport): (u32, u32),
    after: i64,
    until: i64,
) -> Result<Vec<HubLook>, HubError> {
    let number = |n: u32| i32::try_from(n).unwrap_or(0);
    let rows = tx
        .query_typed(
            &format!(
                "SELECT id, entry, received_at FROM {schema}.look
                 WHERE source = $1 AND sport = $2 AND received_at > $3 AND entry <= $4"
            ),
            &[(&number(source), Type::INT4), (&number(sport), Type::INT4), (&after, Type::INT8), (&until, Type::INT8)],
        )
        .await?;
    rows.iter().map(look).collect()
}

fn look(r: &tokio_postgres::Row) -> Result<HubLook, HubError> {
    Ok(HubLook { hub: r.try_get(0)?, entry: r.try_get(1)?, received_at: r.try_get(2)? })
}

/// Compares, and has the store go on from what both have where the hub was put back; answers that entry then.
///
/// # Errors
/// As [`standing`].
pub async fn mend(
    hub: &mut Connection,
    tier: Tier,
    store: &mut Store,
) -> Result<Option<(i64, PutBackDone)>, PushError> {
    let reader = store.reader()?;
    let Some(link) = reader.hub_link()? else { return Ok(None) };
    let Standing::PutBack { common } = standing(hub, tier, &reader, &link).await? else { return Ok(None) };
    let there = found(hub, tier, &reader, &link, common).await?;
    Ok(Some((common, store.hub_put_back(&there)?)))
}
