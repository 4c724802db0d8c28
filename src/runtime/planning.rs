//! A plan without a session: from the settings and what the store holds, for looking at and for "what if".

use std::path::Path;

use super::follow::FollowConfig;
use super::pace::{Known, Pacing, games_about, prices};
use super::status::PlanNote;
use super::watched;
use crate::market::time::Timestamp;
use crate::poller::calendar::Month;
use crate::poller::ledger::{Account, Ledger};
use crate::poller::plan::{Plan, PlanInput, plan};
use crate::store::{Reader, StoreError};

/// An account to be supposed instead of the one that is known. Credits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Supposed {
    /// Left in this month.
    pub remaining: Option<u64>,
    /// Held in a month; where only this is said, a month's even share of it is left.
    pub monthly: Option<u64>,
}

/// A plan as it would be made now.
#[derive(Clone, PartialEq, Debug)]
pub struct Made {
    /// In words.
    pub note: PlanNote,
    /// The calls.
    pub plan: Plan,
    /// Sports whose games are not known: nothing can be planned for them until their list has been read.
    pub unknown: Vec<String>,
}

/// Makes a plan at `now`. Without a store nothing is known of games and credits.
///
/// # Errors
/// [`StoreError`] when there is a store that cannot be read.
pub fn make(
    store: &Path,
    desk: &Path,
    follow: &FollowConfig,
    supposed: Supposed,
    now: Timestamp,
) -> Result<Made, StoreError> {
    let Pacing::Planned(rules) = follow.pacing else {
        // A steady beat has no plan; its rules are those of the settings all the same.
        let follow = FollowConfig { pacing: Pacing::Planned(Default::default()), ..follow.clone() };
        return make(store, desk, &follow, supposed, now);
    };
    let reader = if store.exists() { Some(Reader::open(store)?) } else { None };
    let known = match &reader {
        Some(reader) => Known::read(reader, &follow.sports, now)?,
        None => Known::default(),
    };
    let (ledger, mut sports) = known.into_parts(&follow.sports, now);
    if let Some(reader) = &reader {
        // Without lists nothing is watched; a desk that cannot be read is told elsewhere.
        let lists = watched::lists(desk).unwrap_or_default();
        for slate in &mut sports {
            let games = reader.games(&slate.sport, games_about(now), now)?;
            let watched = watched::of_sport(&lists, &slate.sport, &follow.ask.markets, &games, now);
            for game in &mut slate.games {
                game.watched = watched.contains_key(&game.event);
            }
        }
    }
    let ledger = suppose(ledger, supposed, now);
    let input = PlanInput { now, sports: &sports, ledger: &ledger, prices: prices(&follow.ask), rules: &rules };
    let plan = plan(&input);
    let verdicts = plan.verdicts(&input, &follow.needs);
    let note = PlanNote::new(&plan, &verdicts, &ledger, str::to_owned);
    let never_asked = |s: &&crate::poller::slate::SportSlate| s.listed_at.is_none() && s.odds_at.is_none();
    let unknown = sports.iter().filter(never_asked).map(|s| s.sport.to_string()).collect();
    Ok(Made { note, plan, unknown })
}

fn suppose(ledger: Ledger, supposed: Supposed, now: Timestamp) -> Ledger {
    if supposed == Supposed::default() {
        return ledger;
    }
    let month = Month::of(now);
    let account = *ledger.account();
    let limit = supposed.monthly.or(account.limit).or(supposed.remaining);
    let even = |limit: u64| {
        let (gone, whole) = (month.end().since(now) as f64, month.end().since(month.start()) as f64);
        (limit as f64 * (gone / whole).clamp(0.0, 1.0)) as u64
    };
    let remaining = supposed.remaining.or_else(|| supposed.monthly.map(even));
    let used = limit.zip(remaining).map(|(limit, left)| limit.saturating_sub(left));
    let account = Account { remaining, used, limit, told_at: Some(now), elsewhere: 0 };
    Ledger::restored(month, account, ledger.entries()).with_desk(ledger.desk_entries())
}
