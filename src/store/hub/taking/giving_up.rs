//! What goes before a stretch is written: what the hub takes back, and what of ours gives way to another collector's.

use rusqlite::params;

use super::super::super::StoreError;
use super::super::super::write::{Together, none_if_no_rows};
use super::super::incoming::Incoming;
use super::super::maps::{Maps, our_look};
use super::Taking;
use crate::engine::EngineSettings;
use crate::engine::names::NameKind;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;

impl Taking<'_> {
    /// Takes a source and sport back, without telling the hub, which knows.
    pub(super) fn go_back(
        &mut self,
        source: u32,
        sport: u32,
        after: Timestamp,
        settings: &EngineSettings,
    ) -> Result<(), StoreError> {
        let sport = SportId(u16::try_from(sport).map_err(|_| StoreError::Damaged { what: "sport" })?);
        let told: i64 = self.c.query_row("SELECT ifnull(max(id), 0) FROM taken_back", [], |r| r.get(0))?;
        Together { connection: self.c }.rewind(source, sport, after, settings)?;
        self.c.execute("DELETE FROM taken_back WHERE id > ?", [told])?;
        // Games that were first seen later are gone, and what the hub calls them with them.
        self.ours = Maps::load(self.c)?.turned();
        Ok(())
    }

    /// Notes what the hub has of ours: its answer may have been lost. Answers whether something of it is not here any more,
    /// and the rows are needed.
    pub(super) fn own(&mut self, incoming: &Incoming) -> Result<bool, StoreError> {
        for (hub, source, provider_id) in &incoming.own_events {
            if self.ours.event(*hub).is_some() {
                continue;
            }
            let source = self.number(NameKind::Source, *source)?;
            let mut find = self.c.prepare_cached("SELECT id FROM event WHERE source = ? AND provider_id = ?")?;
            let known: Option<u32> =
                find.query_row(params![source, provider_id], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?;
            if let Some(event) = known {
                self.c
                    .prepare_cached("INSERT OR REPLACE INTO hub_event (event, hub) VALUES (?,?)")?
                    .execute(params![event, hub])?;
                self.ours.learn_event(*hub, event);
            }
        }
        let mut missing = false;
        for own in &incoming.own {
            if our_look(self.c, own.hub)?.is_some() {
                continue;
            }
            let noted = self
                .c
                .prepare_cached(
                    "INSERT OR REPLACE INTO hub_look (look, hub, entry) SELECT ?1, ?2, ?3
                     WHERE EXISTS (SELECT 1 FROM look WHERE id = ?1)",
                )?
                .execute(params![own.look, own.hub, own.entry])?;
            // What we took back ourselves the hub will hear of.
            let (source, sport) =
                (self.number(NameKind::Source, own.source)?, self.number(NameKind::Sport, own.sport)?);
            missing |= noted == 0
                && !self
                    .c
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM taken_back WHERE source = ? AND sport = ?)")?
                    .query_row(params![source, sport], |r| r.get(0))?;
        }
        if missing {
            self.applied.again_after = Some(self.c.query_row("SELECT pulled FROM hub WHERE id = 1", [], |r| r.get(0))?);
            self.applied.own_missing = Some(incoming.until);
        }
        Ok(missing)
    }

    /// Looks of ours that the hub has not taken go before looks of another collector of the same sport are written. Answers
    /// whether looks of the hub had to go with them.
    pub(super) fn give_up(&mut self, incoming: &Incoming, settings: &EngineSettings) -> Result<bool, StoreError> {
        let mut streams: Vec<(u32, u32)> = Vec::new();
        for look in &incoming.looks {
            let stream = (self.number(NameKind::Source, look.source)?, self.number(NameKind::Sport, look.sport)?);
            if !streams.contains(&stream) && our_look(self.c, look.hub)?.is_none() {
                streams.push(stream);
            }
        }
        let mut again: Option<i64> = None;
        for (source, sport) in streams {
            let untold = "source = ?1 AND sport = ?2
                 AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)
                 AND NOT EXISTS (SELECT 1 FROM hub_apart WHERE hub_apart.look = look.id)";
            // What was there before the hub heard of the sport is not the hub's business.
            let (n, oldest): (i64, Option<i64>) = self.c.query_row(
                &format!(
                    "SELECT count(*), min(received_at) FROM look WHERE {untold} AND id > ifnull(
                     (SELECT look FROM hub_pushed WHERE source = ?1 AND sport = ?2), 0)
                     AND NOT EXISTS (SELECT 1 FROM hub WHERE gap IS NOT NULL AND look.id BETWEEN base + 1 AND base + head)"
                ),
                params![source, sport],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )?;
            // Nor does the hub hear any more of what we wanted to take back: its looks of that time come again.
            let back: Option<i64> = self.c.query_row(
                "SELECT min(after) + 1 FROM taken_back WHERE source = ? AND sport = ?",
                params![source, sport],
                |r| r.get(0),
            )?;
            let Some(oldest) = [oldest, back].into_iter().flatten().min() else { continue };
            if back.is_some() {
                self.c.execute("DELETE FROM taken_back WHERE source = ? AND sport = ?", params![source, sport])?;
                self.c.execute("UPDATE hub SET whole = max(whole, ?)", [incoming.until])?;
                let before: i64 = self.c.query_row(
                    "SELECT ifnull(max(entry), 1) FROM hub_look JOIN look ON look.id = hub_look.look
                     WHERE source = ? AND sport = ? AND received_at < ?",
                    params![source, sport, oldest],
                    |r| r.get(0),
                )?;
                again = Some(again.map_or(before, |a| a.min(before)));
            }
            let lost: Option<i64> = self.c.query_row(
                "SELECT min(entry) FROM hub_look JOIN look ON look.id = hub_look.look
                 WHERE source = ? AND sport = ? AND received_at >= ?",
                params![source, sport, oldest],
                |r| r.get(0),
            )?;
            self.go_back(source, sport, Timestamp::from_millis(oldest - 1), settings)?;
            self.applied.given_up += u64::try_from(n).unwrap_or(0);
            self.applied.retracted = true;
            again = [again, lost].into_iter().flatten().min();
        }
        if let Some(entry) = again {
            self.c.execute("UPDATE hub SET pulled = ? WHERE id = 1", [entry - 1])?;
            self.applied.again_after = Some(entry - 1);
        }
        Ok(again.is_some())
    }
}
