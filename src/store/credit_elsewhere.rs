//! What other devices of the desk have spent on our keys, and whether there are any.

use rusqlite::{OptionalExtension, params};

use super::credit::{AccountRow, CreditRow, keep_account};
use super::{Reader, Store, StoreError};
use crate::market::time::Timestamp;

/// A line of another device's ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ElsewhereRow {
    /// The device's number at the hub.
    pub device: i64,
    /// Its sums.
    pub credit: CreditRow,
}

/// What the hub has told, to be kept together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeardCredits {
    /// Sums of the other devices: they take the place of those before.
    pub spent: Vec<ElsewhereRow>,
    /// Accounts as they stand now.
    pub accounts: Vec<AccountRow>,
    /// When the hub was asked last, and whether another collector had been there within a day.
    pub contact: Option<(Timestamp, bool)>,
}

impl Store {
    /// Keeps what the hub has told of credits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hear_credits(&mut self, heard: &HeardCredits) -> Result<(), StoreError> {
        let step = self.connection.transaction()?;
        {
            let mut insert = step.prepare_cached(
                "INSERT OR REPLACE INTO credit_elsewhere (device, key, month, day, purpose, calls, credits)
                 VALUES (?,?,?,?,?,?,?)",
            )?;
            for ElsewhereRow { device, credit: c } in &heard.spent {
                let (calls, credits) = (c.calls as i64, c.credits as i64);
                insert.execute(params![device, c.key, c.month, c.day, c.purpose, calls, credits])?;
            }
            for account in &heard.accounts {
                keep_account(&step, account)?;
            }
            if let Some((at, others)) = heard.contact {
                step.prepare_cached("INSERT OR REPLACE INTO hub_contact (id, at, others) VALUES (1, ?, ?)")?
                    .execute(params![at.millis(), others])?;
            }
        }
        step.commit()?;
        Ok(())
    }
}

impl Reader {
    /// What other devices have spent on our keys, from a month on, by device, key, month, day and purpose.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credits_elsewhere(&self, from_month: i64) -> Result<Vec<ElsewhereRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT device, key, month, day, purpose, calls, credits FROM credit_elsewhere WHERE month >= ?
             ORDER BY device, key, month, day, purpose",
        )?;
        let rows = select.query_map([from_month], |r| {
            let credit = CreditRow {
                key: r.get(1)?,
                month: r.get(2)?,
                day: r.get(3)?,
                purpose: r.get(4)?,
                calls: u64::try_from(r.get::<_, i64>(5)?).unwrap_or(0),
                credits: u64::try_from(r.get::<_, i64>(6)?).unwrap_or(0),
            };
            Ok(ElsewhereRow { device: r.get(0)?, credit })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// At the last contact with the hub another collector had been there within a day; `None`: there was no contact.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn other_collectors(&self) -> Result<Option<bool>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT others FROM hub_contact WHERE id = 1")?;
        Ok(select.query_row([], |r| r.get(0)).optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_others_take_the_place_of_those_before() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("stratum.db");
        let mut store = Store::open(&path).expect("store");
        let row = |device, credits| ElsewhereRow {
            device,
            credit: CreditRow {
                key: "abcd0123".into(),
                month: 24_322,
                day: 20_778,
                purpose: "live".into(),
                calls: credits / 3,
                credits,
            },
        };
        let at = Timestamp::from_secs(1_800_000_000);
        assert_eq!(Reader::open(&path).expect("reader").other_collectors().expect("read"), None);
        for (credits, others) in [(3, false), (9, true)] {
            let account =
                AccountRow { key: "abcd0123".into(), month: 24_322, used: Some(credits), ..Default::default() };
            let heard = HeardCredits {
                spent: vec![row(2, credits), row(3, 6)],
                accounts: vec![account],
                contact: Some((at, others)),
            };
            store.hear_credits(&heard).expect("kept");
        }
        let reader = Reader::open(&path).expect("reader");
        assert_eq!(reader.credits_elsewhere(24_322).expect("read"), [row(2, 9), row(3, 6)]);
        assert_eq!(reader.credits_elsewhere(24_323).expect("read"), []);
        assert_eq!(reader.credits(0).expect("own"), []);
        assert_eq!(reader.accounts().expect("accounts")[0].used, Some(9));
        assert_eq!(reader.other_collectors().expect("read"), Some(true));
    }
}
