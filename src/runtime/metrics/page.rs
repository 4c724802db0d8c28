//! What stands on the page of metrics.

use super::text::{Kind, Text};
use super::{CYCLE_BOUNDS, Counts, FETCH_BOUNDS, by_type};
use crate::market::time::Timestamp;
use crate::runtime::status::{BreakerState, KeyState, LiveStatus, StoreState};

/// What the page tells besides status and counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Around {
    /// Bytes of the store with its log; `None`: cannot be told.
    pub(super) store_bytes: Option<u64>,
    /// See [`crate::runtime::health::is_ready`].
    pub(super) ready: bool,
    /// Every part gives signs of life.
    pub(super) alive: bool,
    /// Memory of the process, where the system tells. Bytes.
    pub(super) memory: Option<u64>,
}

/// The page at `now`.
pub(super) fn page(status: &LiveStatus, counts: &Counts, around: &Around, now: Timestamp) -> String {
    let mut text = Text::default();
    let flag = |yes: bool| f64::from(u8::from(yes));
    let origin = status.origin.as_deref().unwrap_or_default();
    text.family("stratum_build_info", Kind::Gauge, "The program; origin is DEMO for a simulated market.")
        .sample(&[("version", &status.version), ("origin", origin)], 1.0);
    let since = status.since.millis() as f64 / 1e3;
    text.family("stratum_start_time_seconds", Kind::Gauge, "Since when it runs, in Unix time.").sample(&[], since);
    text.family("stratum_alive", Kind::Gauge, "1 when every part gives signs of life.").sample(&[], flag(around.alive));
    text.family("stratum_ready", Kind::Gauge, "1 when looks come in as planned and can be stored.")
        .sample(&[], flag(around.ready));
    calls(&mut text, counts);
    questions(&mut text, status, now);
    credits(&mut text, status, counts);
    text.family("stratum_signals_total", Kind::Counter, "New signals by type.");
    for (name, n) in by_type(&counts.signals) {
        text.sample(&[("type", name)], f64::from(n));
    }
    text.family("stratum_alerts_total", Kind::Counter, "Alerts by what came of them.");
    for (state, n) in ["queued", "sent", "failed"].iter().zip(counts.alerts) {
        text.sample(&[("state", state)], n as f64);
    }
    let c = &counts.cycle;
    text.family("stratum_cycle_seconds", Kind::Histogram, "From the bytes of an answer to its announcement.")
        .histogram(&CYCLE_BOUNDS, &c.buckets, c.count, c.sum_us);
    let f = &counts.fetch;
    text.family("stratum_fetch_seconds", Kind::Histogram, "Calls with all their attempts and pauses.").histogram(
        &FETCH_BOUNDS,
        &f.buckets,
        f.count,
        f.sum_us,
    );
    store(&mut text, status, counts, around);
    text.family("stratum_part_stuck", Kind::Gauge, "1 for each part that is silent for longer than it may.");
    for stuck in &status.stuck {
        text.sample(&[("part", &stuck.part)], 1.0);
    }
    text.family("stratum_parts_stuck_total", Kind::Counter, "How often a part was found silent.");
    for (part, n) in &counts.stuck {
        text.sample(&[("part", part)], *n as f64);
    }
    text.family("stratum_panics_total", Kind::Counter, "Answers over which judging ended unexpectedly.")
        .sample(&[], counts.panics as f64);
    if let Some(bytes) = around.memory {
        text.family("process_resident_memory_bytes", Kind::Gauge, "Memory of the process.").sample(&[], bytes as f64);
    }
    text.end()
}

fn calls(text: &mut Text, counts: &Counts) {
    text.family("stratum_calls_total", Kind::Counter, "Calls to the source by what came of them.");
    for ([sport, endpoint, purpose, outcome], n) in &counts.calls {
        let labels = [("sport", sport.as_str()), ("endpoint", endpoint), ("purpose", purpose), ("outcome", outcome)];
        text.sample(&labels, *n as f64);
    }
    text.family("stratum_requests_total", Kind::Counter, "Attempts sent.").sample(&[], counts.requests as f64);
    text.family("stratum_degraded_cycles_total", Kind::Counter, "Cycles that were not as they should be, by reason.");
    for (reason, n) in &counts.degraded {
        text.sample(&[("reason", reason)], *n as f64);
    }
    let families = [
        ("stratum_quotes_received_total", "Quotes received."),
        ("stratum_changes_stored_total", "Rows of the change log."),
        ("stratum_points_published_total", "Published fair prices and consensus points."),
    ];
    for (i, (name, help)) in families.into_iter().enumerate() {
        text.family(name, Kind::Counter, help);
        for (sport, brought) in &counts.brought {
            text.sample(&[("sport", sport)], brought.get(i).copied().unwrap_or_default() as f64);
        }
    }
}

fn questions(text: &mut Text, status: &LiveStatus, now: Timestamp) {
    let seconds = |ms: i64| ms as f64 / 1e3;
    text.family("stratum_answer_age_seconds", Kind::Gauge, "Since the last usable answer to each question.");
    for q in &status.questions {
        if let Some(answer) = &q.answer {
            let age = seconds(now.since(answer.at).max(0));
            text.sample(&[("sport", &q.sport), ("endpoint", q.endpoint.name())], age);
        }
    }
    text.family("stratum_question_failing", Kind::Gauge, "1 when the last call got no usable answer.");
    for q in &status.questions {
        let failing = f64::from(u8::from(q.is_failing()));
        text.sample(&[("sport", &q.sport), ("endpoint", q.endpoint.name())], failing);
    }
    text.family("stratum_breaker_open", Kind::Gauge, "1 when no call of a purpose passes.");
    for b in &status.breakers {
        let open = f64::from(u8::from(b.state == BreakerState::Open));
        text.sample(&[("purpose", &b.purpose)], open);
    }
}

fn credits(text: &mut Text, status: &LiveStatus, counts: &Counts) {
    let accepted = f64::from(u8::from(status.key == KeyState::Accepted));
    text.family("stratum_key_accepted", Kind::Gauge, "1 when the source takes the key.").sample(&[], accepted);
    text.family("stratum_credits_spent_total", Kind::Counter, "Credits billed, by purpose.");
    for (purpose, n) in &counts.credits {
        text.sample(&[("purpose", purpose)], *n as f64);
    }
    if let Some(left) = status.credits.remaining {
        text.family("stratum_credits_remaining", Kind::Gauge, "Credits left, as last told.").sample(&[], left as f64);
    }
}

fn store(text: &mut Text, status: &LiveStatus, counts: &Counts, around: &Around) {
    let (writable, waiting) = match &status.store {
        StoreState::Writable => (1.0, 0),
        StoreState::Failing { waiting, .. } => (0.0, *waiting),
    };
    text.family("stratum_store_writable", Kind::Gauge, "1 when the store can be written.").sample(&[], writable);
    text.family("stratum_answers_waiting", Kind::Gauge, "Answers in memory that could not be stored yet.")
        .sample(&[], f64::from(waiting));
    text.family("stratum_store_failures_total", Kind::Counter, "How often the store could not be written any more.");
    for (kind, n) in &counts.store_failures {
        text.sample(&[("kind", kind)], *n as f64);
    }
    if let Some(bytes) = around.store_bytes {
        text.family("stratum_store_bytes", Kind::Gauge, "The store with its write-ahead log.")
            .sample(&[], bytes as f64);
    }
    let look = status.look.0 as f64;
    text.family("stratum_newest_look", Kind::Gauge, "Number of the newest committed look.").sample(&[], look);
}

#[cfg(test)]
mod tests {
    use super::super::Meters;
    use super::super::text::check;
    use super::*;
    use crate::market::batch::Endpoint;
    use crate::market::ids::LookId;
    use crate::runtime::status::AnswerNote;
    use crate::store::cycle::{CycleRecord, Stages};
    use crate::store::{FetchRecord, Trouble};

    #[test]
    fn the_page_keeps_the_rules_and_tells_what_was_counted() {
        let meters = Meters::default();
        let at = Timestamp::from_secs(1_800_000_000);
        let fetch = FetchRecord {
            sport: "odd\"sport\\\n".into(),
            endpoint: "odds".into(),
            purpose: "live".into(),
            outcome: "data".into(),
            cost: Some(3),
            ..FetchRecord::default()
        };
        let stages = Stages { fetch_us: 80_000, read_us: 1_000, apply_us: 2_500, ..Stages::default() };
        let cycle = CycleRecord { look: Some(LookId(1)), requests: 1, quotes: 9, stages, ..CycleRecord::default() };
        meters.cycle(&fetch, &cycle);
        let failed =
            FetchRecord { outcome: "unavailable".into(), reason: Some("rate_limited".into()), ..fetch.clone() };
        meters.cycle(&failed, &CycleRecord { degraded: Some("rate_limited"), requests: 3, ..CycleRecord::default() });
        meters.alerts([3, 1, 0]);
        meters.alerts([0, 1, 1]);
        assert_eq!((meters.take_alerts(), meters.take_alerts()), ([3, 2, 1], [0; 3]));
        let mut status = LiveStatus { version: "1.2.3".into(), key: KeyState::Accepted, ..LiveStatus::default() };
        let question = status.question_mut("the_odds_api", "nba", Endpoint::Odds);
        let (outcome, quotes) = ("data".to_owned(), 9);
        question.answer = Some(AnswerNote { at, outcome, credits: None, quotes, changes: 0 });
        let around = Around { store_bytes: Some(4096), ready: true, alive: true, memory: Some(1 << 20) };
        let samples = check(&page(&status, &meters.counts(), &around, at.plus(1500)));
        let of = |series: &str| *samples.get(series).unwrap_or_else(|| panic!("no {series} in {samples:#?}"));
        let labels = r#"sport="odd\"sport\\\n",endpoint="odds",purpose="live""#;
        assert_eq!(of(&format!("stratum_calls_total{{{labels},outcome=\"data\"}}")), 1.0);
        assert_eq!(of(&format!("stratum_calls_total{{{labels},outcome=\"rate_limited\"}}")), 1.0);
        assert_eq!(of("stratum_credits_spent_total{purpose=\"live\"}"), 6.0);
        assert_eq!(of("stratum_alerts_total{state=\"sent\"}"), 2.0);
        assert_eq!(of("stratum_requests_total"), 4.0);
        assert_eq!(of("stratum_degraded_cycles_total{reason=\"rate_limited\"}"), 1.0);
        assert_eq!(of("stratum_cycle_seconds_count"), 1.0);
        assert_eq!(of("stratum_cycle_seconds_bucket{le=\"0.002\"}"), 0.0);
        assert_eq!(of("stratum_cycle_seconds_bucket{le=\"0.005\"}"), 1.0);
        assert_eq!(of("stratum_fetch_seconds_count"), 2.0);
        assert_eq!(of("stratum_answer_age_seconds{sport=\"nba\",endpoint=\"odds\"}"), 1.5);
        assert_eq!((of("stratum_ready"), of("stratum_store_writable"), of("stratum_key_accepted")), (1.0, 1.0, 1.0));

        let message = String::new();
        let (since, trouble, tries, next_try, waiting) = (at, Trouble::Full, 1, at, 2);
        status.store = StoreState::Failing { since, trouble, message, tries, next_try, waiting };
        meters.store_failed("full");
        let samples = check(&page(&status, &meters.counts(), &Around::default(), at));
        assert_eq!(samples["stratum_store_writable"], 0.0);
        assert_eq!((samples["stratum_answers_waiting"], samples["stratum_ready"]), (2.0, 0.0));
        assert_eq!(samples["stratum_store_failures_total{kind=\"full\"}"], 1.0);
    }
}
