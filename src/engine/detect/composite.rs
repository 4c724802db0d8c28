//! The composite score, version 1: which signal to look at first.
//!
//! Deterministic and additive, so that every part can be shown. A priority, not a probability of winning. The formula is
//! that of section 7 of the domain contract; a signal that lacks an input is ranked by its strength and says so.

use super::signal::{Components, ScoreSource, Sharp, Tier};
use super::strength::score;
use crate::market::bucket::TimeBucket;

/// Version of the formula.
pub const VERSION: u32 = 1;

/// Graded events from which the record of a type counts.
pub const RECORD_EVENTS: u32 = 30;

/// How the signals of a type have done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    /// Events with a graded signal.
    pub events: u32,
    /// Lower bound of the share with positive closing-line value, 0 to 1.
    pub lower: f64,
}

/// What the score is made from. `None`: not known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Inputs {
    /// Strength, 1 to 100.
    pub strength: u8,
    /// Minutes from the first mover to the last.
    pub velocity_minutes: Option<f64>,
    /// The detector's window. Minutes.
    pub window_minutes: f64,
    /// Independent books that moved this way.
    pub movers: Option<u16>,
    /// Independent books in the panel.
    pub panel: Option<u16>,
    /// Which way the sharp books went.
    pub sharp: Option<Sharp>,
    /// Distance to the start.
    pub bucket: TimeBucket,
    /// The type's record; `None`: nothing graded yet.
    pub record: Option<Record>,
    /// The entry quote is older than its freshness bound. A signal without an entry has none that is.
    pub stale_entry: bool,
}

/// The score of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Composite {
    /// 1 to 100.
    pub score: u8,
    /// Of the score.
    pub tier: Tier,
    /// Where the score comes from.
    pub source: ScoreSource,
}

impl Composite {
    const fn of(score: u8, source: ScoreSource) -> Self {
        Self { score, tier: Tier::of(score), source }
    }
}

/// Scores a signal and writes the parts into `components`. Where an input is missing, the strength stands in and no part
/// is written.
pub fn composite(inputs: &Inputs, components: &mut Components) -> Composite {
    let Some(parts) = parts(inputs) else {
        return Composite::of(inputs.strength.clamp(1, 100), ScoreSource::StrengthFallback);
    };
    let [strength, velocity, movers, sharp, timing, record, stale_entry] = parts;
    components.composite_strength = Some(strength);
    components.composite_velocity = Some(velocity);
    components.composite_movers = Some(movers);
    components.composite_sharp = Some(sharp);
    components.composite_timing = Some(timing);
    components.composite_record = Some(record);
    components.composite_stale_entry = Some(stale_entry);
    Composite::of(score(parts.iter().sum()), ScoreSource::Composite)
}

/// The seven parts, in the order of the formula.
fn parts(inputs: &Inputs) -> Option<[f64; 7]> {
    let window = inputs.window_minutes;
    let velocity = inputs.velocity_minutes.filter(|v| !v.is_nan() && window > 0.0 && window.is_finite())?;
    let (movers, panel) = (f64::from(inputs.movers?), f64::from(inputs.panel.filter(|p| *p > 0)?));
    let timing = match inputs.bucket {
        TimeBucket::PreTip => 10.0,
        TimeBucket::Late => 8.0,
        TimeBucket::Mid => 6.0,
        TimeBucket::Open => 3.0,
        TimeBucket::InPlay => 0.0,
        TimeBucket::Unknown => return None,
    };
    let sharp = match inputs.sharp? {
        Sharp::Agree => 15.0,
        Sharp::None => 0.0,
        Sharp::Oppose => -10.0,
    };
    let record = match inputs.record.filter(|r| r.events >= RECORD_EVENTS && !r.lower.is_nan()) {
        Some(record) => (20.0 * (record.lower - 0.5)).clamp(-5.0, 5.0),
        None => 0.0,
    };
    Some([
        0.40 * f64::from(inputs.strength),
        15.0 * (1.0 - velocity.clamp(0.0, window) / window),
        15.0 * (movers / panel).min(1.0),
        sharp,
        timing,
        record,
        if inputs.stale_entry { -20.0 } else { 0.0 },
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEST: Inputs = Inputs {
        strength: 100,
        velocity_minutes: Some(0.0),
        window_minutes: 10.0,
        movers: Some(8),
        panel: Some(8),
        sharp: Some(Sharp::Agree),
        bucket: TimeBucket::PreTip,
        record: Some(Record { events: 500, lower: 0.9 }),
        stale_entry: false,
    };

    fn of(inputs: &Inputs) -> Composite {
        composite(inputs, &mut Components::default())
    }

    #[test]
    fn the_formula_reaches_from_1_to_100() {
        assert_eq!(of(&BEST), Composite { score: 100, tier: Tier::High, source: ScoreSource::Composite });
        let worst = Inputs {
            strength: 1,
            velocity_minutes: Some(99.0),
            movers: Some(0),
            sharp: Some(Sharp::Oppose),
            bucket: TimeBucket::InPlay,
            record: Some(Record { events: 30, lower: 0.0 }),
            stale_entry: true,
            ..BEST
        };
        assert_eq!(of(&worst), Composite { score: 1, tier: Tier::Low, source: ScoreSource::Composite });
    }

    #[test]
    fn every_part_is_shown() {
        let inputs = Inputs {
            strength: 60,
            velocity_minutes: Some(2.5),
            movers: Some(4),
            panel: Some(6),
            bucket: TimeBucket::Late,
            record: Some(Record { events: 30, lower: 0.55 }),
            stale_entry: true,
            ..BEST
        };
        let mut c = Components { base: Some(8.0), ..Components::default() };
        let got = composite(&inputs, &mut c);
        let want = [24.0, 11.25, 10.0, 15.0, 8.0, 1.0, -20.0];
        let parts = [
            c.composite_strength,
            c.composite_velocity,
            c.composite_movers,
            c.composite_sharp,
            c.composite_timing,
            c.composite_record,
            c.composite_stale_entry,
        ];
        for (got, want) in parts.into_iter().zip(want) {
            assert!(got.is_some_and(|g| (g - want).abs() < 1e-12), "{got:?}, wanted {want}");
        }
        assert_eq!(c.base, Some(8.0), "the parts of strength stay");
        assert_eq!((got.score, got.tier), (49, Tier::Low));
    }

    #[test]
    fn tiers_have_sharp_edges() {
        // 7.5 for the velocity, 7.5 for the movers, 15 for the sharp books.
        let at = |strength, bucket| {
            let half = Inputs { velocity_minutes: Some(5.0), movers: Some(4), panel: Some(8), record: None, ..BEST };
            of(&Inputs { strength, bucket, ..half })
        };
        for (strength, bucket, score, tier) in [
            (88, TimeBucket::PreTip, 75, Tier::High),
            (85, TimeBucket::PreTip, 74, Tier::Medium),
            (48, TimeBucket::Mid, 55, Tier::Medium),
            (52, TimeBucket::Open, 54, Tier::Low),
        ] {
            let got = at(strength, bucket);
            assert_eq!((got.score, got.tier), (score, tier), "{strength}");
        }
    }

    #[test]
    fn a_missing_input_leaves_the_strength() {
        for missing in [
            Inputs { velocity_minutes: None, ..BEST },
            Inputs { velocity_minutes: Some(f64::NAN), ..BEST },
            Inputs { window_minutes: 0.0, ..BEST },
            Inputs { movers: None, ..BEST },
            Inputs { panel: None, ..BEST },
            Inputs { panel: Some(0), ..BEST },
            Inputs { sharp: None, ..BEST },
            Inputs { bucket: TimeBucket::Unknown, ..BEST },
        ] {
            let missing = Inputs { strength: 63, ..missing };
            let mut c = Components::default();
            let got = composite(&missing, &mut c);
            assert_eq!(got, Composite { score: 63, tier: Tier::Medium, source: ScoreSource::StrengthFallback });
            assert_eq!(c, Components::default());
        }
    }

    #[test]
    fn a_short_record_says_nothing() {
        let with = |events, lower| of(&Inputs { strength: 50, record: Some(Record { events, lower }), ..BEST }).score;
        let none = of(&Inputs { strength: 50, record: None, ..BEST }).score;
        assert_eq!(with(29, 0.0), none);
        assert_eq!(with(30, 0.0), none - 5);
        assert_eq!(with(30, 0.6), none + 2);
        assert_eq!(with(30, 0.95), none + 5);
        assert_eq!(with(30, f64::NAN), none);
    }

    fn any_inputs() -> impl Strategy<Value = Inputs> {
        let sharp = prop::sample::select(vec![Sharp::Agree, Sharp::None, Sharp::Oppose]);
        let bucket = prop::sample::select(TimeBucket::ALL.to_vec());
        let record = prop::option::of((0_u32..200, 0.0..1.0_f64).prop_map(|(events, lower)| Record { events, lower }));
        (1_u8..=100, -1.0..20.0_f64, 1.0..20.0_f64, 0_u16..20, 1_u16..20, sharp, bucket, record, any::<bool>())
            .prop_map(|(strength, velocity, window_minutes, movers, panel, sharp, bucket, record, stale_entry)| {
                Inputs {
                    strength,
                    velocity_minutes: Some(velocity),
                    window_minutes,
                    movers: Some(movers),
                    panel: Some(panel),
                    sharp: Some(sharp),
                    bucket,
                    record,
                    stale_entry,
                }
            })
    }

    proptest! {
        #[test]
        fn the_score_stays_in_its_bounds(inputs in any_inputs()) {
            let mut c = Components::default();
            let got = composite(&inputs, &mut c);
            prop_assert!((1..=100).contains(&got.score));
            prop_assert_eq!(got.tier, Tier::of(got.score));
            prop_assert_eq!(got.source == ScoreSource::Composite, inputs.bucket != TimeBucket::Unknown);
            prop_assert_eq!(c.composite_strength.is_some(), got.source == ScoreSource::Composite);
        }

        #[test]
        fn better_inputs_never_lower_it(inputs in any_inputs(), more in 0_u8..50, quicker in 0.0..5.0_f64) {
            prop_assume!(inputs.bucket != TimeBucket::Unknown);
            let base = of(&inputs).score;
            let stronger = Inputs { strength: inputs.strength.saturating_add(more).min(100), ..inputs };
            let faster = Inputs { velocity_minutes: inputs.velocity_minutes.map(|v| v - quicker), ..inputs };
            let broader = Inputs { movers: inputs.movers.map(|m| m + 1), ..inputs };
            let backed = Inputs { sharp: Some(Sharp::Agree), ..inputs };
            let fresh = Inputs { stale_entry: false, ..inputs };
            for better in [stronger, faster, broader, backed, fresh] {
                prop_assert!(of(&better).score >= base);
            }
        }
    }
}
