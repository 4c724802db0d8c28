//! Credits: what every answer costs and what is left of the month.

use chrono::Datelike;

use crate::market::time::Timestamp;

/// The three quota headers of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Quota {
    /// `x-requests-remaining`
    pub remaining: i64,
    /// `x-requests-used`
    pub used: i64,
    /// `x-requests-last`
    pub last: i64,
}

/// A key's account. It starts anew on the first of each month, in virtual time.
#[derive(Clone, Debug)]
pub struct Ledger {
    per_month: i64,
    used: i64,
    month: (i32, u32),
}

impl Ledger {
    /// An account with so many credits a month.
    pub fn new(per_month: i64) -> Self {
        Self { per_month: per_month.max(0), used: 0, month: (0, 0) }
    }

    /// Something is left to pay with.
    pub fn open(&mut self, at: Timestamp) -> bool {
        self.turn(at);
        self.used < self.per_month
    }

    /// Books the cost of an answer.
    pub fn charge(&mut self, at: Timestamp, cost: i64) -> Quota {
        self.turn(at);
        self.used = self.used.saturating_add(cost.max(0));
        Quota { remaining: (self.per_month - self.used).max(0), used: self.used, last: cost.max(0) }
    }

    /// Nothing is left.
    pub fn exhaust(&mut self, at: Timestamp) -> Quota {
        self.turn(at);
        Quota { remaining: 0, used: self.per_month, last: 0 }
    }

    fn turn(&mut self, at: Timestamp) {
        let t = at.to_chrono();
        let month = (t.year(), t.month());
        if month != self.month {
            self.month = month;
            self.used = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_run_down_and_return_on_the_first() {
        let t = |s| Timestamp::parse(s).expect("time");
        let mut l = Ledger::new(10);
        assert_eq!(l.charge(t("2026-11-29T00:00:00Z"), 4), Quota { remaining: 6, used: 4, last: 4 });
        assert_eq!(l.charge(t("2026-11-30T23:59:59Z"), 9), Quota { remaining: 0, used: 13, last: 9 });
        assert!(!l.open(t("2026-11-30T23:59:59Z")));
        assert!(l.open(t("2026-12-01T00:00:00Z")));
        assert_eq!(l.charge(t("2026-12-01T00:00:01Z"), 0), Quota { remaining: 10, used: 0, last: 0 });
    }
}
