//! What the user has decided about spending credits.

const MINUTE_MS: i64 = 60_000;

/// How often to look at a sport, by how near the next start is. Milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bands {
    /// More than `middle_from_ms` before the start.
    pub far_ms: i64,
    /// Between the two bounds.
    pub middle_ms: i64,
    /// From `near_from_ms` before the start on, and until `stop_after_ms` after it.
    pub near_ms: i64,
    /// The middle band begins so long before the start.
    pub middle_from_ms: i64,
    /// The near band begins so long before the start.
    pub near_from_ms: i64,
    /// Games are no longer looked at so long after their scheduled start: most begin late.
    pub stop_after_ms: i64,
    /// Games farther away than this are no reason to look.
    pub horizon_ms: i64,
}

impl Default for Bands {
    fn default() -> Self {
        Self {
            far_ms: 15 * MINUTE_MS,
            middle_ms: 5 * MINUTE_MS,
            near_ms: MINUTE_MS,
            middle_from_ms: 180 * MINUTE_MS,
            near_from_ms: 60 * MINUTE_MS,
            stop_after_ms: 15 * MINUTE_MS,
            horizon_ms: 7 * 24 * 60 * MINUTE_MS,
        }
    }
}

/// When the last pregame prices are taken. Milliseconds before the scheduled start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseWindow {
    /// Not later than this: an answer takes its time.
    pub latest_ms: i64,
    /// An `A` close was seen not earlier than this.
    pub best_ms: i64,
    /// A `B` close was seen not earlier than this: good enough when credits are short.
    pub good_ms: i64,
}

impl Default for CloseWindow {
    fn default() -> Self {
        // The provider's own reports are up to a minute old; a `B` needs at most 15 minutes in all.
        Self { latest_ms: MINUTE_MS, best_ms: 4 * MINUTE_MS, good_ms: 13 * MINUTE_MS }
    }
}

/// Everything that a plan obeys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanRules {
    /// Cadence.
    pub bands: Bands,
    /// Closing looks.
    pub closes: CloseWindow,
    /// Never more often than this, in play aside. Milliseconds.
    pub active_ms: i64,
    /// How often the free listing is read while nothing is due. Milliseconds.
    pub idle_ms: i64,
    /// How often the free listing is read at other times. Milliseconds.
    pub listing_ms: i64,
    /// With `low_credits` or fewer left, a sport is looked at no more often than this, closes aside. Milliseconds.
    pub low_credit_ms: i64,
    /// So many credits left are few.
    pub low_credits: u64,
    /// A day spends no more than this, whatever the account holds; 0: whatever the month allows.
    pub daily_target: u64,
    /// Credits a day for games under way that the user watches; 0: games under way are not watched.
    pub in_play_daily: u64,
    /// How often those are looked at. Milliseconds.
    pub in_play_ms: i64,
    /// Credits a day that are left for history; not spent by the planner.
    pub backfill_daily: u64,
    /// Credits a day that are left for linking exchanges; not spent by the planner.
    pub exchange_daily: u64,
    /// How often scores of a sport with games under way are asked for; 0: never. Milliseconds.
    pub scores_ms: i64,
}

impl Default for PlanRules {
    fn default() -> Self {
        Self {
            bands: Bands::default(),
            closes: CloseWindow::default(),
            active_ms: MINUTE_MS,
            idle_ms: 5 * MINUTE_MS,
            listing_ms: 30 * MINUTE_MS,
            low_credit_ms: 15 * MINUTE_MS,
            low_credits: 200,
            daily_target: 1_200,
            in_play_daily: 0,
            in_play_ms: MINUTE_MS,
            backfill_daily: 0,
            exchange_daily: 0,
            scores_ms: 15 * MINUTE_MS,
        }
    }
}

/// What calls cost. Credits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prices {
    /// A look at all markets asked for.
    pub full: u32,
    /// A look at fewer markets, for when starts are far and credits short; `full` where there is no cheaper one.
    pub lean: u32,
    /// Scores of a sport.
    pub scores: u32,
}

impl Prices {
    /// Of `markets` markets in `regions` regions; a lean look asks for one market.
    pub fn of(markets: u32, regions: u32) -> Self {
        let regions = regions.max(1);
        Self { full: markets.max(1).saturating_mul(regions), lean: regions, scores: 1 }
    }
}
