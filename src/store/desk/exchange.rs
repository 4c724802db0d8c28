//! What the user has decided about games of an exchange: which of ours each is, or that it is none.

use rusqlite::params;

use super::{Desk, DeskError};
use crate::market::time::Timestamp;

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExchangeDecision {
    /// Name of the listing in addresses.
    pub slug: String,
    /// Provider's id of the game that it is; `None`: none of ours.
    pub provider_id: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

impl Desk {
    /// Decides about a listing; an earlier decision gives way.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn decide_exchange(
        &mut self,
        exchange: &str,
        slug: &str,
        provider_id: Option<&str>,
        at: Timestamp,
    ) -> Result<(), DeskError> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO exchange_decision (exchange, slug, provider_id, at) VALUES (?,?,?,?)",
                params![exchange, slug, provider_id, at.millis()],
            )?;
            Ok(())
        })
    }

    /// Takes a decision back: the rules of matching decide again. Answers whether there was one.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn undecide_exchange(&mut self, exchange: &str, slug: &str) -> Result<bool, DeskError> {
        self.write(|tx| {
            let gone =
                tx.execute("DELETE FROM exchange_decision WHERE exchange = ? AND slug = ?", params![exchange, slug])?;
            Ok(gone > 0)
        })
    }

    /// Every decision about an exchange, by name.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn exchange_decisions(&self, exchange: &str) -> Result<Vec<ExchangeDecision>, DeskError> {
        self.read(|c| {
            let mut select = c.prepare_cached(
                "SELECT slug, provider_id, at FROM exchange_decision WHERE exchange = ? ORDER BY slug",
            )?;
            let rows = select.query_map([exchange], |r| {
                Ok(ExchangeDecision { slug: r.get(0)?, provider_id: r.get(1)?, at: Timestamp::from_millis(r.get(2)?) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_kept_changed_and_taken_back() {
        let folder = tempfile::tempdir().expect("folder");
        let mut desk = Desk::open(&folder.path().join("desk.db")).expect("desk");
        let at = Timestamp::from_millis(5);
        desk.decide_exchange("polymarket", "nba-a-b-2026-11-20", Some("e1"), at).expect("kept");
        desk.decide_exchange("polymarket", "nba-a-b-2026-11-20", None, at).expect("kept");
        let all = desk.exchange_decisions("polymarket").expect("read");
        assert_eq!(
            all.iter().map(|d| (d.slug.as_str(), d.provider_id.as_deref())).collect::<Vec<_>>(),
            [("nba-a-b-2026-11-20", None)]
        );
        assert!(desk.exchange_decisions("kalshi").expect("read").is_empty());
        assert!(desk.undecide_exchange("polymarket", "nba-a-b-2026-11-20").expect("gone"));
        assert!(!desk.undecide_exchange("polymarket", "nba-a-b-2026-11-20").expect("nothing there"));
    }
}
