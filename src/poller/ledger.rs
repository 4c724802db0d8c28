//! The ledger of one key: what was spent on what, and what the account says is left.
//!
//! The provider's headers are the truth about the account, our own bills about the purposes. Headers may be missing,
//! may arrive in another order than they were written, and others may spend on the same key; none of this may make the
//! account look fuller than it is.

use std::collections::BTreeMap;

use super::calendar::{Day, Month};
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::quota::Quota;
use crate::market::time::Timestamp;

/// So near the turn of the month our clock and the provider's may disagree about which month it is.
const TURN_MS: i64 = 12 * 3_600_000;

/// What is known of an account. All in credits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Left until the month ends, as last told and since then spent by us; `None`: never told.
    pub remaining: Option<u64>,
    /// Used in this month, as last told.
    pub used: Option<u64>,
    /// What the account holds in a month: used and remaining together.
    pub limit: Option<u64>,
    /// When the source told so last.
    pub told_at: Option<Timestamp>,
    /// Spent on this key in this month by somebody else.
    pub elsewhere: u64,
}

/// Why the account stands other than before, beyond what was spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// The month is over: the credits are back.
    MonthReset,
    /// The account holds more, or less, in a month than it did.
    LimitChanged {
        /// Before.
        from: u64,
        /// Now.
        to: u64,
    },
}

/// One paid or free call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bill {
    /// When it was answered.
    pub at: Timestamp,
    /// What it was for.
    pub purpose: Purpose,
    /// The most that it could cost.
    pub planned: u64,
    /// What it cost; `None`: no answer told. A call that may have been billed counts as planned.
    pub cost: Option<u64>,
}

impl Bill {
    /// What the ledger counts.
    pub fn counted(&self) -> u64 {
        self.cost.unwrap_or(self.planned)
    }
}

/// Credits and calls of one purpose on one day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Credits.
    pub credits: u64,
    /// Calls.
    pub calls: u64,
}

/// A line of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Month of the account.
    pub month: Month,
    /// Day of the desk; the one on which the credits come back has a line in either month.
    pub day: Day,
    /// What it was for.
    pub purpose: Purpose,
    /// What was spent.
    pub spent: Spent,
}

/// The ledger of one key. Holds the days of the present month and of the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    month: Month,
    account: Account,
    /// Our own bills since the last headers that counted.
    since_told: u64,
    spent: BTreeMap<(Month, Day, Purpose), Spent>,
    /// The same of the desk's other devices, as far as they have told.
    desk: BTreeMap<(Month, Day, Purpose), Spent>,
}

fn add(to: &mut BTreeMap<(Month, Day, Purpose), Spent>, entry: Entry) {
    let spent = to.entry((entry.month, entry.day, entry.purpose)).or_default();
    spent.credits = spent.credits.saturating_add(entry.spent.credits);
    spent.calls = spent.calls.saturating_add(entry.spent.calls);
}

impl Ledger {
    /// A ledger of which nothing is known.
    pub fn new(now: Timestamp) -> Self {
        let (spent, desk) = (BTreeMap::new(), BTreeMap::new());
        Self { month: Month::of(now), account: Account::default(), since_told: 0, spent, desk }
    }

    /// A ledger as it was kept: the account as it stood in `month`, and what was spent.
    pub fn restored(month: Month, account: Account, spent: impl IntoIterator<Item = Entry>) -> Self {
        let spent = spent.into_iter().map(|e| ((e.month, e.day, e.purpose), e.spent)).collect();
        Self { month, account, since_told: 0, spent, desk: BTreeMap::new() }
    }

    /// Several keys as one: what is left and what was spent on all of them. A key that has not told yet adds nothing.
    pub fn together<'a>(ledgers: impl IntoIterator<Item = &'a Self>, now: Timestamp) -> Self {
        let mut all = Self::new(now);
        let sum = |a: Option<u64>, b: Option<u64>| a.map_or(b, |a| Some(a.saturating_add(b.unwrap_or(0))));
        for ledger in ledgers {
            let mut ledger = ledger.clone();
            ledger.at(now);
            // A provider that turned the page before us: the account of the new month is the one that counts.
            all.month = all.month.max(ledger.month);
            let (account, other) = (&mut all.account, &ledger.account);
            account.remaining = sum(account.remaining, other.remaining);
            account.used = sum(account.used, other.used);
            account.limit = sum(account.limit, other.limit);
            account.told_at = account.told_at.max(other.told_at);
            account.elsewhere = account.elsewhere.saturating_add(other.elsewhere);
            ledger.entries().for_each(|entry| add(&mut all.spent, entry));
            ledger.desk_entries().for_each(|entry| add(&mut all.desk, entry));
        }
        all
    }

    /// The month of the account.
    pub const fn month(&self) -> Month {
        self.month
    }

    /// What is known of the account.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// What the desk spent for `purpose` on `day`, as far as it lies in `month`: this device and the others.
    pub fn spent(&self, month: Month, day: Day, purpose: Purpose) -> Spent {
        let of = |map: &BTreeMap<_, Spent>| map.get(&(month, day, purpose)).copied().unwrap_or_default();
        let (own, desk) = (of(&self.spent), of(&self.desk));
        Spent { credits: own.credits.saturating_add(desk.credits), calls: own.calls.saturating_add(desk.calls) }
    }

    /// What the desk spent on `day`, as far as it lies in `month`, all purposes together. Credits.
    pub fn spent_on(&self, month: Month, day: Day) -> u64 {
        Purpose::ALL.into_iter().map(|purpose| self.spent(month, day, purpose).credits).sum()
    }

    /// The part of [`Ledger::spent_on`] that other devices of the desk have spent.
    pub fn desk_spent_on(&self, month: Month, day: Day) -> u64 {
        let of_day = self.desk.iter().filter(|((m, d, _), _)| (*m, *d) == (month, day));
        of_day.map(|(_, spent)| spent.credits).sum()
    }

    /// What other devices of the desk have spent in the month of the account.
    pub fn desk_spent(&self) -> u64 {
        self.desk.iter().filter(|((m, _, _), _)| *m == self.month).map(|(_, spent)| spent.credits).sum()
    }

    /// What was spent on these keys in the month of the account by nobody of the desk. The provider's headers count all
    /// that is not ours as spent elsewhere; what the desk's other devices have told of themselves is no longer unknown.
    pub fn strangers_spent(&self) -> u64 {
        self.account.elsewhere.saturating_sub(self.desk_spent())
    }

    /// What the other devices of the desk have told of themselves: their sums, which take the place of those before.
    pub fn hear(&mut self, desk: impl IntoIterator<Item = Entry>) {
        self.desk.clear();
        desk.into_iter().for_each(|entry| add(&mut self.desk, entry));
    }

    /// What the source has told another device of the account of `month` at `at`.
    pub fn hear_account(&mut self, month: Month, at: Timestamp, told: Quota) -> Option<Turn> {
        if month < self.month || (told.remaining.is_none() && told.used.is_none()) {
            return None;
        }
        let mut turn = None;
        if month > self.month {
            // Their calendar, or the provider's, is ahead of ours.
            self.begin(month);
            turn = Some(Turn::MonthReset);
        }
        // Their clock need not be ours: an answer of this month is an answer of this month.
        let at = at.max(self.month.start()).min(self.month.end().plus(-1));
        // Where the account told us the same, or more, it is no news.
        let known = self.account;
        let lower = told.remaining.zip(known.remaining).is_some_and(|(now, was)| now < was);
        let used = told.used.zip(known.used);
        if known.told_at.is_some() && used.is_some_and(|(now, was)| now < was || (now == was && !lower)) {
            return turn;
        }
        self.told(at, told).or(turn)
    }

    /// The same with what the desk's other devices have spent.
    #[must_use]
    pub fn with_desk(mut self, desk: impl IntoIterator<Item = Entry>) -> Self {
        self.hear(desk);
        self
    }

    /// What the desk's other devices have spent, in order.
    pub fn desk_entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.desk.iter().map(|(&(month, day, purpose), &spent)| Entry { month, day, purpose, spent })
    }

    /// What this device has spent, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.spent.iter().map(|(&(month, day, purpose), &spent)| Entry { month, day, purpose, spent })
    }

    /// What can still be spent this month. `None`: the account has not told yet.
    pub const fn remaining(&self) -> Option<u64> {
        self.account.remaining
    }

    /// Time passes: a new month begins with a full account.
    pub fn at(&mut self, now: Timestamp) -> Option<Turn> {
        let month = Month::of(now);
        if month <= self.month {
            return None;
        }
        self.begin(month);
        Some(Turn::MonthReset)
    }

    fn begin(&mut self, month: Month) {
        self.month = month;
        let limit = self.account.limit;
        self.account = Account { remaining: limit, used: limit.map(|_| 0), limit, told_at: None, elsewhere: 0 };
        self.since_told = 0;
        for map in [&mut self.spent, &mut self.desk] {
            map.retain(|(of, _, _), _| of.0 >= month.0 - 1);
        }
    }

    /// Enters a call, and what its answer said about the account.
    pub fn enter(&mut self, bill: &Bill, told: Quota) -> Option<Turn> {
        let mut turn = self.at(bill.at);
        let counted = bill.counted();
        let entry = self.spent.entry((Month::of(bill.at), Day::of(bill.at), bill.purpose)).or_default();
        entry.credits = entry.credits.saturating_add(counted);
        entry.calls += 1;
        self.since_told = self.since_told.saturating_add(counted);
        if told.remaining.is_none() && told.used.is_none() {
            // Nobody told: what we know was spent is gone.
            self.account.remaining = self.account.remaining.map(|r| r.saturating_sub(counted));
            return turn;
        }
        if let Some(found) = self.told(bill.at, told) {
            turn = Some(found);
        }
        turn
    }

    fn told(&mut self, at: Timestamp, told: Quota) -> Option<Turn> {
        let known = self.account;
        let limit = told.used.zip(told.remaining).map(|(used, left)| used.saturating_add(left));
        let used_before = known.used.unwrap_or(0);
        let mut turn = None;
        if let (Some(used), Some(before)) = (told.used, known.used)
            && used < before
        {
            // Within a month use only grows. Less of it is an answer overtaken by another, or a new month whose turn
            // the provider saw before us.
            let near_the_end = Month::of(at).end().since(at) <= TURN_MS;
            let full_again = told.remaining.zip(known.remaining).is_some_and(|(now, was)| now > was);
            let fresh = near_the_end && full_again && used <= before / 2;
            if !fresh {
                return None;
            }
            self.begin(Month(self.month.0 + 1));
            turn = Some(Turn::MonthReset);
        } else if let (None, Some(now), Some(was)) = (told.used, told.remaining, known.remaining)
            && now > was
        {
            // Without its twin a figure that rises cannot be told from one that is late.
            return None;
        } else if known.told_at.is_none() && self.is_of_last_month(at, told) {
            return None;
        } else if let (Some(to), Some(from)) = (limit, known.limit)
            && to != from
        {
            turn = Some(Turn::LimitChanged { from, to });
        }
        let ours = std::mem::take(&mut self.since_told);
        if let (Some(used), Some(_)) = (told.used, known.told_at)
            && turn.is_none()
        {
            let grown = used.saturating_sub(used_before);
            self.account.elsewhere = self.account.elsewhere.saturating_add(grown.saturating_sub(ours));
        }
        if self.account.told_at.is_none() {
            // What the desk has spent before the account told us anything is in what it tells.
            self.account.elsewhere = self.account.elsewhere.max(self.desk_spent());
        }
        self.account.used = told.used.or_else(|| known.limit.zip(told.remaining).map(|(l, r)| l.saturating_sub(r)));
        self.account.remaining =
            told.remaining.or_else(|| known.limit.zip(told.used).map(|(l, u)| l.saturating_sub(u)));
        self.account.limit = limit.or(known.limit);
        self.account.told_at = Some(at);
        turn
    }

    /// In the first hours of a month an answer may still be about the one before: as much used as then, or more.
    fn is_of_last_month(&self, at: Timestamp, told: Quota) -> bool {
        let just_begun = at.since(self.month.start()) <= TURN_MS;
        // What began with a full account cannot be at once as empty as that, by far more than our own bills.
        let (Some(limit), Some(used)) = (self.account.limit, told.used) else { return false };
        just_begun && used > self.since_told.saturating_add(limit / 4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    fn quota(remaining: u64, used: u64) -> Quota {
        Quota { remaining: Some(remaining), used: Some(used), last: None }
    }

    fn bill(at: Timestamp, cost: u64) -> Bill {
        Bill { at, purpose: Purpose::Live, planned: cost, cost: Some(cost) }
    }

    #[test]
    fn bills_are_sorted_by_day_and_purpose() {
        let now = at("2026-11-21T20:00:00Z");
        let mut ledger = Ledger::new(now);
        ledger.enter(&bill(now, 3), quota(997, 3));
        ledger.enter(&Bill { purpose: Purpose::Closes, ..bill(now, 3) }, quota(994, 6));
        // No answer told the price: it may have been billed.
        ledger.enter(&Bill { cost: None, ..bill(now, 3) }, Quota::default());
        let (month, day) = (Month::of(now), Day::of(now));
        assert_eq!(ledger.spent(month, day, Purpose::Live), Spent { credits: 6, calls: 2 });
        assert_eq!(ledger.spent(month, day, Purpose::Closes), Spent { credits: 3, calls: 1 });
        assert_eq!((ledger.spent_on(month, day), ledger.spent_on(month, Day(day.0 + 1))), (9, 0));
        assert_eq!(ledger.remaining(), Some(991));
        assert_eq!(ledger.account().limit, Some(1000));
        // The next answer sets it right.
        ledger.enter(&bill(now, 3), quota(991, 9));
        assert_eq!((ledger.remaining(), ledger.account().elsewhere), (Some(991), 0));
    }

    #[test]
    fn an_answer_that_was_overtaken_changes_nothing() {
        let now = at("2026-11-21T20:00:00Z");
        let mut ledger = Ledger::new(now);
        ledger.enter(&bill(now, 3), quota(994, 6));
        assert_eq!(ledger.enter(&bill(now, 3), quota(997, 3)), None);
        assert_eq!(ledger.remaining(), Some(994));
        let only_left = Quota { remaining: Some(999), used: None, last: None };
        assert_eq!(ledger.enter(&bill(now, 3), only_left), None);
        assert_eq!(ledger.remaining(), Some(994));
    }

    #[test]
    fn credits_come_back_with_the_month() {
        let mut ledger = Ledger::new(at("2026-11-30T23:00:00Z"));
        ledger.enter(&bill(at("2026-11-30T23:00:00Z"), 3), quota(20, 19_980));
        let turn = ledger.enter(&bill(at("2026-12-01T00:00:05Z"), 3), quota(19_997, 3));
        assert_eq!(turn, Some(Turn::MonthReset));
        assert_eq!((ledger.remaining(), ledger.month().name()), (Some(19_997), "2026-12".to_owned()));
        // Nobody asked for a while: the calendar alone turns the page.
        let mut idle = Ledger::new(at("2026-11-30T23:00:00Z"));
        idle.enter(&bill(at("2026-11-30T23:00:00Z"), 3), quota(20, 19_980));
        assert_eq!(idle.at(at("2026-12-01T00:00:00Z")), Some(Turn::MonthReset));
        assert_eq!(idle.remaining(), Some(20_000));
    }

    #[test]
    fn clocks_may_disagree_about_the_turn_of_the_month() {
        // Theirs is ahead.
        let mut ledger = Ledger::new(at("2026-11-30T23:59:00Z"));
        ledger.enter(&bill(at("2026-11-30T23:59:00Z"), 3), quota(20, 19_980));
        let turn = ledger.enter(&bill(at("2026-11-30T23:59:58Z"), 3), quota(19_997, 3));
        assert_eq!(turn, Some(Turn::MonthReset));
        assert_eq!(ledger.remaining(), Some(19_997));
        assert_eq!(ledger.at(at("2026-12-01T00:00:01Z")), None, "it has turned already");
        // Theirs is behind: an answer of the old month after the turn.
        let mut ledger = Ledger::new(at("2026-11-30T23:59:00Z"));
        ledger.enter(&bill(at("2026-11-30T23:59:00Z"), 3), quota(20, 19_980));
        assert_eq!(ledger.enter(&bill(at("2026-12-01T00:00:02Z"), 3), quota(17, 19_983)), Some(Turn::MonthReset));
        assert_eq!(ledger.remaining(), Some(20_000));
        assert_eq!(ledger.enter(&bill(at("2026-12-01T00:01:02Z"), 3), quota(19_997, 3)), None);
        assert_eq!(ledger.remaining(), Some(19_997));
    }

    #[test]
    fn a_larger_account_and_somebody_elses_calls_are_noticed() {
        let now = at("2026-11-21T20:00:00Z");
        let mut ledger = Ledger::new(now);
        ledger.enter(&bill(now, 3), quota(497, 3));
        assert_eq!(ledger.enter(&bill(now, 3), quota(19_994, 6)), Some(Turn::LimitChanged { from: 500, to: 20_000 }));
        assert_eq!(ledger.remaining(), Some(19_994));
        ledger.enter(&bill(now, 3), quota(19_900, 100));
        assert_eq!(ledger.account().elsewhere, 91);
    }

    #[test]
    fn a_kept_ledger_goes_on_where_it_was() {
        let now = at("2026-11-21T20:00:00Z");
        let mut ledger = Ledger::new(now);
        ledger.enter(&bill(now, 3), quota(497, 3));
        let again = Ledger::restored(ledger.month(), *ledger.account(), ledger.entries());
        assert_eq!((again.remaining(), again.spent_on(Month::of(now), Day::of(now))), (Some(497), 3));
    }

    #[test]
    fn what_the_desk_has_spent_is_neither_counted_twice_nor_called_a_strangers() {
        let now = at("2026-11-21T20:00:00Z");
        let (month, day) = (Month::of(now), Day::of(now));
        let (mut a, mut b) = (Ledger::new(now), Ledger::new(now));
        // A asks alone, B takes over and has never asked.
        a.enter(&bill(now, 30), quota(970, 30));
        a.enter(&Bill { purpose: Purpose::Closes, ..bill(now, 6) }, quota(964, 36));
        b.hear(a.entries());
        assert_eq!(b.remaining(), None);
        b.hear_account(month, now, quota(964, 36));
        assert_eq!((b.remaining(), b.spent_on(month, day), b.desk_spent_on(month, day)), (Some(964), 36, 36));
        assert_eq!((b.strangers_spent(), b.entries().count()), (0, 0));
        b.enter(&bill(now, 3), quota(961, 39));
        assert_eq!((b.remaining(), b.spent_on(month, day), b.strangers_spent()), (Some(961), 39, 0));
        // The headers come before the sums: for a while nobody knows whose it was.
        a.enter(&bill(now, 1), quota(960, 40));
        assert_eq!(a.strangers_spent(), 3);
        a.hear(b.entries());
        assert_eq!((a.strangers_spent(), a.spent_on(month, day), a.remaining()), (0, 40, Some(960)));
        // The sums come before the headers; hearing them again changes nothing.
        b.enter(&bill(now, 5), quota(955, 45));
        a.hear(b.entries());
        a.hear(b.entries());
        assert_eq!((a.strangers_spent(), a.spent_on(month, day), a.remaining()), (0, 45, Some(960)));
        a.hear_account(month, now, quota(955, 45));
        assert_eq!((a.strangers_spent(), a.remaining()), (0, Some(955)));
        // Somebody else is told apart; what was overtaken, or is of another month, is no news.
        a.enter(&bill(now, 1), quota(900, 100));
        assert_eq!(a.strangers_spent(), 54);
        assert_eq!(a.hear_account(month, now.plus(300_000), quota(955, 45)), None);
        assert_eq!(a.hear_account(Month(month.0 - 1), now, quota(1, 999)), None);
        assert_eq!(a.remaining(), Some(900));
        let all = Ledger::together([&a, &b], now);
        assert_eq!(all.spent_on(month, day), a.spent_on(month, day) + b.spent_on(month, day));
        // With the month everything begins anew, whoever hears of it first.
        assert_eq!(a.hear_account(Month(month.0 + 1), now, quota(997, 3)), Some(Turn::MonthReset));
        assert_eq!((a.remaining(), a.desk_spent(), a.strangers_spent()), (Some(997), 0, 0));
    }

    proptest! {
        /// In whatever order the answers arrive, at the end of the month's calls the account is as low as it really is.
        #[test]
        fn the_order_of_answers_never_matters(
            costs in proptest::collection::vec(0_u64..20, 1..40),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let now = at("2026-11-15T12:00:00Z");
            let mut answers = Vec::new();
            let (mut used, limit) = (100, 20_000);
            for cost in &costs {
                used += cost;
                answers.push((*cost, quota(limit - used, used)));
            }
            let mut ledger = Ledger::new(now);
            for i in order.iter().take(costs.len()) {
                let (cost, told) = answers.swap_remove(i.index(answers.len()));
                prop_assert_eq!(ledger.enter(&bill(now, cost), told), None);
            }
            prop_assert_eq!(ledger.remaining(), Some(limit - used));
            prop_assert_eq!(ledger.spent_on(Month::of(now), Day::of(now)), costs.iter().sum::<u64>());
        }

        /// Two devices and a stranger spend on one key, and the devices hear of each other now and then: once they have,
        /// all sums are right.
        #[test]
        fn the_desk_agrees_on_what_is_left(
            steps in proptest::collection::vec((0..4_usize, 0..20_u64), 0..60),
        ) {
            let now = at("2026-11-15T12:00:00Z");
            let (month, day, limit) = (Month::of(now), Day::of(now), 20_000);
            let mut desk = [Ledger::new(now), Ledger::new(now)];
            let (mut used, mut strangers) = (0, 0);
            // What the hub keeps of the account: within a month only more use is news.
            let mut kept: Option<u64> = None;
            let last = [(0, 1), (2, 0), (3, 0), (1, 1), (2, 0), (3, 0), (0, 1), (1, 1), (2, 0), (3, 0)];
            for (what, cost) in [(2, 0), (3, 0), (0, 1), (2, 0), (3, 0)].into_iter().chain(steps).chain(last) {
                match what {
                    0 | 1 => {
                        used += cost;
                        desk[what].enter(&bill(now, cost), quota(limit - used, used));
                    }
                    // A stranger on odd turns.
                    2 | 3 if cost % 2 == 1 => {
                        used += cost;
                        strangers += cost;
                    }
                    _ => {
                        let (me, other) = (what - 2, 3 - what);
                        kept = kept.max(desk[me].account().used);
                        let theirs: Vec<Entry> = desk[other].entries().collect();
                        desk[me].hear(theirs);
                        kept = kept.max(desk[other].account().used);
                        if let Some(used) = kept {
                            desk[me].hear_account(month, now, quota(limit - used, used));
                        }
                    }
                }
            }
            let total = desk[0].entries().chain(desk[1].entries()).map(|e| e.spent.credits).sum::<u64>();
            for ledger in &desk {
                prop_assert_eq!(ledger.remaining(), Some(limit - used));
                prop_assert_eq!(ledger.spent_on(month, day), total);
                prop_assert_eq!(ledger.strangers_spent(), strangers);
            }
        }
    }
}
