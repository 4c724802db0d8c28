//! One signal per market move: which of several findings speaks, what is a repeat, and how many an event may have.

use super::fired::Fired;
use super::signal::SignalType;
use crate::market::time::Timestamp;

/// A stronger repeat has moved on by this share of the threshold.
const STRONGER: f64 = 0.5;

/// What may be done with a finding.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Verdict {
    /// A repeat, or the event has had its share.
    Hold,
    /// A new signal; it takes the place of a weaker one of the same move, if any.
    New {
        /// Id of the weaker signal.
        supersedes: Option<String>,
    },
    /// The same signal, stronger: place in the list of fired signals.
    Update(usize),
}

/// Signals that tell of the same kind of thing: a move, a crossing, one quote.
const fn group(kind: SignalType) -> u8 {
    match kind {
        SignalType::Move | SignalType::MultibookSync | SignalType::Steam | SignalType::LiveShock => 0,
        SignalType::KeyCross => 1,
        SignalType::Dislocation => 2,
        SignalType::ExchangeDivergence => 3,
    }
}

/// Of several findings of one move the strongest speaks.
pub(crate) const fn rank(kind: SignalType) -> u8 {
    match kind {
        SignalType::LiveShock => 4,
        SignalType::Steam => 3,
        SignalType::MultibookSync => 2,
        _ => 1,
    }
}

/// A finding as the gate sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'c> {
    pub(crate) kind: SignalType,
    pub(crate) key: crate::engine::price::unit::UnitKey,
    /// The side to take, by name.
    pub(crate) selection: &'c str,
    /// The dislocated book.
    pub(crate) book: Option<&'c str>,
    pub(crate) from_value: f64,
    pub(crate) to_value: f64,
    /// The threshold, in the units of the values.
    pub(crate) threshold: f64,
    /// The finding's window: what was told within it may have been this very move.
    pub(crate) window_ms: i64,
    pub(crate) at: Timestamp,
}

/// Decides. `cooldown_ms` and `cap` are those of a type in the market's class.
///
/// A cooldown lasts at least as long as the window that is judged: until then the window still shows the move that was
/// told.
pub(crate) fn decide(
    fired: &[Fired],
    c: &Candidate<'_>,
    cooldown_ms: impl Fn(SignalType) -> i64,
    cap: impl Fn(SignalType) -> u16,
) -> Verdict {
    let related = |f: &Fired| {
        f.key == c.key && group(f.kind) == group(c.kind) && f.selection == c.selection && f.book.as_deref() == c.book
    };
    let recent = fired
        .iter()
        .enumerate()
        .filter(|(_, f)| related(f) && f.updated_at > c.at.plus(-cooldown_ms(f.kind).max(c.window_ms)))
        .max_by(|(i, a), (j, b)| rank(a.kind).cmp(&rank(b.kind)).then(a.updated_at.cmp(&b.updated_at)).then(i.cmp(j)));
    let mut supersedes = None;
    if let Some((at, last)) = recent {
        if rank(c.kind) <= rank(last.kind) {
            // A weaker detector has nothing to add to a stronger one's signal.
            if rank(c.kind) < rank(last.kind) {
                return Verdict::Hold;
            }
            let sign = (c.to_value - c.from_value).signum();
            let further = (c.to_value - last.to_value) * sign;
            return if further >= STRONGER * c.threshold - 1e-9 { Verdict::Update(at) } else { Verdict::Hold };
        }
        supersedes = Some(last.id.clone());
    }
    // A repeat that is held back costs nothing; only what would be told counts against the event's share.
    let told = fired.iter().filter(|f| f.kind == c.kind).count();
    if told >= usize::from(cap(c.kind)) { Verdict::Hold } else { Verdict::New { supersedes } }
}

#[cfg(test)]
mod tests {
    use super::super::signal::{Direction, Tier};
    use super::*;
    use crate::engine::price::unit::UnitKey;
    use crate::market::bucket::TimeBucket;

    const MINUTE: i64 = 60_000;

    fn fired(kind: SignalType, at: i64, to: f64) -> Fired {
        Fired {
            id: format!("{kind:?}{at}"),
            version: 1,
            kind,
            key: UnitKey::default(),
            direction: Direction::Down,
            book: None,
            detected_at: Timestamp::from_millis(at),
            updated_at: Timestamp::from_millis(at),
            from_value: -3.0,
            to_value: to,
            selection: "Home".into(),
            side: Some("home".into()),
            entry: None,
            time_bucket: TimeBucket::Open,
            strength: 50,
            composite: 50,
            tier: Tier::Low,
            books_affected: 3,
            dispersion: None,
            window_minutes: 10.0,
            clv_version: 0,
            clv: None,
        }
    }

    fn ask(fired: &[Fired], kind: SignalType, selection: &str, to: f64, at: i64) -> Verdict {
        let candidate = Candidate {
            kind,
            key: UnitKey::default(),
            selection,
            book: None,
            from_value: -3.0,
            to_value: to,
            threshold: 0.5,
            window_ms: if kind == SignalType::Steam { 3 * MINUTE } else { 10 * MINUTE },
            at: Timestamp::from_millis(at),
        };
        let cooldown = |k| match k {
            SignalType::Steam => 15 * MINUTE,
            SignalType::MultibookSync => 5 * MINUTE,
            _ => 10 * MINUTE,
        };
        decide(fired, &candidate, cooldown, |k| if k == SignalType::Steam { 4 } else { u16::MAX })
    }

    #[test]
    fn a_repeat_is_held_and_a_stronger_one_updates() {
        let told = [fired(SignalType::Move, 0, -3.6)];
        assert_eq!(ask(&told, SignalType::Move, "Home", -3.7, MINUTE), Verdict::Hold);
        assert_eq!(ask(&told, SignalType::Move, "Home", -3.9, MINUTE), Verdict::Update(0));
        // Further in the wrong direction is no further.
        assert_eq!(ask(&told, SignalType::Move, "Home", -3.2, MINUTE), Verdict::Hold);
        assert_eq!(ask(&told, SignalType::Move, "Home", -3.6, 10 * MINUTE), Verdict::New { supersedes: None });
        assert_eq!(ask(&told, SignalType::Move, "Away", -2.4, MINUTE), Verdict::New { supersedes: None });
    }

    #[test]
    fn a_stronger_type_takes_over_and_a_weaker_one_is_silent() {
        let weaker = [fired(SignalType::Move, 0, -3.6)];
        let verdict = ask(&weaker, SignalType::Steam, "Home", -3.6, MINUTE);
        assert_eq!(verdict, Verdict::New { supersedes: Some("Move0".into()) });
        let stronger = [fired(SignalType::Steam, 0, -4.0)];
        assert_eq!(ask(&stronger, SignalType::Move, "Home", -4.1, 12 * MINUTE), Verdict::Hold);
        // Its cooldown is over, but the weaker one's window still shows the same move.
        let sync = [fired(SignalType::MultibookSync, 0, -4.0)];
        assert_eq!(ask(&sync, SignalType::Move, "Home", -4.0, 6 * MINUTE), Verdict::Hold);
        assert_eq!(ask(&sync, SignalType::Move, "Home", -4.0, 10 * MINUTE), Verdict::New { supersedes: None });
        assert_eq!(ask(&stronger, SignalType::KeyCross, "Home", -4.0, MINUTE), Verdict::New { supersedes: None });
    }

    #[test]
    fn an_event_has_its_share_and_repeats_do_not_count_against_it() {
        let told: Vec<_> = (0..4).map(|i| fired(SignalType::Steam, i * 20 * MINUTE, -4.0)).collect();
        assert_eq!(ask(&told, SignalType::Steam, "Home", -4.0, 100 * MINUTE), Verdict::Hold);
        assert_eq!(ask(&told[..3], SignalType::Steam, "Home", -4.0, 100 * MINUTE), Verdict::New { supersedes: None });
    }
}
