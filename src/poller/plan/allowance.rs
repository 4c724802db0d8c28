//! What may be spent in a stretch of time, and on what.

use super::{Call, PlanInput, cost};
use crate::feeds::odds_api::breaker::Purpose;
use crate::market::time::Timestamp;
use crate::poller::calendar::{Month, Period};

/// What may be spent from `from` until `until`. Credits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// From here on.
    pub from: Timestamp,
    /// Up to here.
    pub until: Timestamp,
    /// Of the whole day, what was spent already included.
    pub day: u64,
    /// Spent already on this day.
    pub spent: u64,
    /// Left for closes, scores and the cadence.
    pub main: u64,
    /// Left for watched games under way.
    pub in_play: u64,
    /// Kept for history.
    pub backfill: u64,
    /// Kept for linking exchanges.
    pub exchange: u64,
    /// The month would allow so much a day; `None`: the account has not told yet.
    pub month_allows: Option<u64>,
}

/// What is left of the month while a plan is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    month: Month,
    remaining: Option<u64>,
}

impl Left {
    pub(super) fn of(input: &PlanInput<'_>) -> Self {
        Self { month: input.ledger.month(), remaining: input.ledger.remaining() }
    }

    pub(super) fn for_period(&mut self, input: &PlanInput<'_>, period: &Period) -> Allowance {
        if period.month > self.month {
            // As far as can be known, a month holds what the one before held.
            *self = Self { month: period.month, remaining: input.ledger.account().limit };
        }
        let rules = input.rules;
        let spent = input.ledger.spent_on(period.month, period.day);
        let month_allows = self.remaining.map(|left| (left + spent) / u64::from(period.days_left.max(1)));
        // An account that has not told is asked once; from then on it is known.
        let target = if rules.daily_target == 0 { u64::MAX } else { rules.daily_target };
        let unknown = target.min(rules.daily_target.max(u64::from(input.prices.full)));
        let day = month_allows.map_or(unknown, |allowed| allowed.min(target));
        let left = day.saturating_sub(spent).min(self.remaining.unwrap_or(u64::MAX));
        let own = |budget: u64, purpose: Purpose| {
            budget.saturating_sub(input.ledger.spent(period.month, period.day, purpose).credits)
        };
        let in_play = own(rules.in_play_daily, Purpose::InPlay).min(left);
        let backfill = own(rules.backfill_daily, Purpose::Backfill).min(left - in_play);
        let exchange = rules.exchange_daily.min(left - in_play - backfill);
        Allowance {
            from: period.from,
            until: period.until,
            day,
            spent,
            main: left - in_play - backfill - exchange,
            in_play,
            backfill,
            exchange,
            month_allows,
        }
    }

    pub(super) fn planned(&mut self, calls: &[Call]) {
        self.remaining = self.remaining.map(|left| left.saturating_sub(cost(calls)));
    }
}
