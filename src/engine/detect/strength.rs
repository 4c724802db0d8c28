//! Strength: how much a signal is, from 1 to 100, and what it is made of.
//!
//! The formulas are those of the reference (sections 4.4 to 4.9 of its description, vectors in section 17), fed with
//! corrected inputs: movement within a book, points of expected margin instead of raw lines, independent books. The
//! strength of a shock in play is our own. Plain numbers in, plain numbers out.

use super::signal::Components;

/// Points that weigh as much as so much probability: where a spread's threshold is 0.5 points, a probability's is 0.02.
const POINTS_PER_PROBABILITY: f64 = 0.5 / 0.02;

/// A change of probability as points, for the formula of moves.
///
/// The formula counts points of a spread. The thresholds of both scales are taken for equal: 2 points of probability
/// are half a point of a spread.
pub fn points_of_probability(change: f64) -> f64 {
    change * POINTS_PER_PROBABILITY
}

/// A move as MOVE, KEY_CROSS and MULTIBOOK_SYNC see it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moved {
    /// Size in points (see [`points_of_probability`]); the sign does not matter.
    pub magnitude: f64,
    /// Minutes from the first mover to the last.
    pub velocity_minutes: f64,
    /// The detector's window. Minutes.
    pub window_minutes: f64,
    /// Independent books that moved.
    pub books: u16,
    /// Minutes to the start; negative after it; `None`: not known.
    pub minutes_to_tip: Option<f64>,
}

/// Strength of MOVE, KEY_CROSS and MULTIBOOK_SYNC.
pub fn moved(m: &Moved) -> (u8, Components) {
    let window = m.window_minutes.max(0.01);
    let velocity = if m.velocity_minutes.is_nan() { window } else { m.velocity_minutes.max(0.01).min(window) };
    let quickness = (window - velocity) / window;
    let (size, books) = (m.magnitude.abs(), f64::from(m.books.max(1)));
    let parts = match m.minutes_to_tip.filter(|t| !t.is_nan()) {
        None => Components {
            magnitude: Some((20.0 * size).min(50.0)),
            speed: Some((30.0 * quickness).min(30.0)),
            books: Some((4.0 * books).min(20.0)),
            ..Components::default()
        },
        Some(minutes) => Components {
            magnitude: Some((16.0 * size).min(40.0)),
            speed: Some((25.0 * quickness).min(25.0)),
            books: Some((3.0 * books).min(15.0)),
            timing: Some(timing(minutes)),
            ..Components::default()
        },
    };
    summed(parts)
}

/// -8 to 20 by minutes to the start: early moves are worth more.
pub fn timing(minutes_to_tip: f64) -> f64 {
    if minutes_to_tip >= 0.0 {
        4.0 + 16.0 * minutes_to_tip.min(240.0) / 240.0
    } else {
        (4.0 - minutes_to_tip.abs().min(180.0) / 15.0).max(-8.0)
    }
}

/// Strength of DISLOCATION: a quote at `delta` from the fair value, both in the units of `threshold`. `dispersion`: of the
/// board, in points or probability. `books`: on which the fair value stands.
pub fn dislocation(delta: f64, threshold: f64, dispersion: Option<f64>, books: u16) -> (u8, Components) {
    let agreement = match dispersion.filter(|d| !d.is_nan()) {
        None => 5.0,
        Some(d) => (20.0 / 2.5_f64.mul_add(d.abs(), 1.0)).clamp(0.0, 20.0),
    };
    summed(Components {
        base: Some(8.0),
        magnitude: Some((20.0 * delta.abs() / threshold.max(0.0001)).min(55.0)),
        dispersion: Some(agreement),
        books: Some((2.0 * (f64::from(books) - 4.0)).clamp(0.0, 15.0)),
        ..Components::default()
    })
}

/// A move as STEAM sees it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Steamed {
    /// Size, in the units of `threshold`; the sign does not matter.
    pub total_move: f64,
    /// Size a minute.
    pub speed: f64,
    /// Independent books that moved.
    pub books: u16,
    /// Smallest size.
    pub threshold: f64,
    /// Minutes.
    pub window_minutes: f64,
    /// Independent books at least.
    pub min_books: u16,
}

/// Strength of STEAM.
pub fn steam(s: &Steamed) -> (u8, Components) {
    let threshold = s.threshold.max(0.0001);
    let pace = threshold / s.window_minutes.max(0.01);
    let beyond = f64::from(s.books) - f64::from(s.min_books) + 1.0;
    summed(Components {
        base: Some(8.0),
        magnitude: Some((16.0 * s.total_move.abs() / threshold).min(40.0)),
        books: Some((5.5 * beyond).clamp(0.0, 22.0)),
        speed: Some((6.0 * s.speed.abs() / pace).min(18.0)),
        ..Components::default()
    })
}

/// Strength of LIVE_SHOCK, ours: 75 at the threshold and 25 more for every further threshold, at most 100. The
/// reference gives every shock 100, which tells a goal from nothing but the absence of one.
pub fn live_shock(size: f64, threshold: f64) -> (u8, Components) {
    let further = size.abs() / threshold.max(0.0001) - 1.0;
    summed(Components {
        base: Some(75.0),
        magnitude: Some((25.0 * further).clamp(-75.0, 25.0)),
        ..Components::default()
    })
}

/// Who moved first where an exchange and the books disagree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Divergence {
    /// Both moved the same way, at once or not at all.
    Aligned,
    /// The exchange moved first.
    ExchangeLeads,
    /// The books moved first.
    SportsbookLeads,
    /// They moved in opposite ways.
    Opposed,
}

impl Divergence {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Aligned, Self::ExchangeLeads, Self::SportsbookLeads, Self::Opposed];

    /// As in the JSON forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aligned => "aligned",
            Self::ExchangeLeads => "exchange_leads",
            Self::SportsbookLeads => "sportsbook_leads",
            Self::Opposed => "opposed",
        }
    }

    /// The kind of a name; an unknown one is [`Divergence::Aligned`].
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|d| d.name() == name).unwrap_or(Self::Aligned)
    }
}

/// Strength of EXCHANGE_DIVERGENCE. `lag_seconds`: from the first to move to the second; `probability`: of the exchange.
pub fn exchange_divergence(kind: Divergence, lag_seconds: Option<f64>, probability: Option<f64>) -> (u8, Components) {
    let base = match kind {
        Divergence::Opposed => 40.0,
        Divergence::ExchangeLeads => 28.0,
        Divergence::SportsbookLeads => 22.0,
        Divergence::Aligned => 15.0,
    };
    let speed = match lag_seconds {
        None => 15.0,
        Some(lag) if lag <= 30.0 => 30.0,
        Some(lag) if lag <= 120.0 => 22.0,
        Some(lag) if lag <= 300.0 => 14.0,
        Some(_) => 6.0,
    };
    let magnitude = probability.filter(|q| !q.is_nan()).map_or(10.0, |q| (60.0 * (q - 0.5).abs()).min(30.0));
    summed(Components { base: Some(base), speed: Some(speed), magnitude: Some(magnitude), ..Components::default() })
}

/// The sum of the parts of strength, rounded, 1 to 100.
fn summed(parts: Components) -> (u8, Components) {
    let Components { magnitude, speed, books, timing, dispersion, base, .. } = parts;
    let sum: f64 = [magnitude, speed, books, timing, dispersion, base].into_iter().flatten().sum();
    (score(sum), parts)
}

/// A sum of points as a score: rounded (halves to the even number, as the reference does), 1 to 100. Not a number is 1.
pub(super) fn score(sum: f64) -> u8 {
    if sum.is_nan() { 1 } else { sum.round_ties_even().clamp(1.0, 100.0) as u8 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(got: Option<f64>, want: f64) {
        assert!(got.is_some_and(|g| (g - want).abs() < 0.005), "{got:?}, wanted {want}");
    }

    /// Magnitude, velocity, window, books, minutes to tip, score, components.
    type Vector<'a> = (f64, f64, f64, u16, Option<f64>, u8, &'a [f64]);

    #[test]
    fn reference_moves() {
        let vectors: [Vector<'_>; 9] = [
            (0.5, 2.0, 10.0, 3, None, 46, &[10.0, 24.0, 12.0]),
            (0.5, 2.0, 10.0, 3, Some(60.0), 45, &[8.0, 20.0, 9.0, 8.0]),
            (1.0, 5.0, 10.0, 8, Some(240.0), 64, &[16.0, 12.5, 15.0, 20.0]),
            (1.2, 2.0, 10.0, 4, Some(180.0), 67, &[19.2, 20.0, 12.0, 16.0]),
            (1.2, 2.0, 10.0, 4, Some(10.0), 56, &[19.2, 20.0, 12.0, 4.67]),
            (2.5, 0.1, 10.0, 5, Some(240.0), 100, &[40.0, 24.75, 15.0, 20.0]),
            (10.0, 0.1, 5.0, 3, Some(-60.0), 74, &[40.0, 24.5, 9.0, 0.0]),
            (0.01, 10.0, 10.0, 1, None, 4, &[0.2, 0.0, 4.0]),
            (10.0, 0.5, 10.0, 8, None, 98, &[50.0, 28.5, 20.0]),
        ];
        for (magnitude, velocity_minutes, window_minutes, books, minutes_to_tip, want, parts) in vectors {
            let m = Moved { magnitude, velocity_minutes, window_minutes, books, minutes_to_tip };
            let (got, c) = moved(&m);
            assert_eq!(got, want, "{m:?}");
            assert_eq!(moved(&Moved { magnitude: -magnitude, ..m }), (got, c), "the sign does not matter");
            near(c.magnitude, parts[0]);
            near(c.speed, parts[1]);
            near(c.books, parts[2]);
            assert_eq!(c.timing.is_some(), minutes_to_tip.is_some());
            if let Some(want) = parts.get(3) {
                near(c.timing, *want);
            }
        }
    }

    #[test]
    fn reference_timing() {
        for (minutes, want) in [
            (600.0, 20.0),
            (240.0, 20.0),
            (120.0, 12.0),
            (60.0, 8.0),
            (30.0, 6.0),
            (0.0, 4.0),
            (-15.0, 3.0),
            (-60.0, 0.0),
            (-180.0, -8.0),
            (-600.0, -8.0),
        ] {
            near(Some(timing(minutes)), want);
        }
    }

    #[test]
    fn reference_dislocations() {
        let (spreads, totals, h2h) = (1.0, 2.0, 0.03);
        for (delta, dispersion, books, threshold, want) in [
            (1.0, Some(0.3), 6, spreads, 43),
            (1.3, Some(0.3), 6, spreads, 49),
            (2.5, Some(0.5), 6, totals, 46),
            (0.03, Some(0.01), 6, h2h, 52),
            (0.05, None, 5, h2h, 48),
            (0.05, Some(8.0), 5, h2h, 44),
            (3.0, Some(0.5), 12, spreads, 87),
        ] {
            assert_eq!(dislocation(delta, threshold, dispersion, books).0, want, "{delta} {dispersion:?} {books}");
            assert_eq!(dislocation(-delta, threshold, dispersion, books).0, want);
        }
    }

    #[test]
    fn reference_steam() {
        for (total_move, speed, books, threshold, want) in
            [(0.5, 0.1667, 4, 0.5, 36), (0.7, 0.2333, 4, 0.5, 44), (1.2, 0.4, 4, 1.0, 40), (1.5, 0.5, 8, 0.5, 88)]
        {
            let s = Steamed { total_move, speed, books, threshold, window_minutes: 3.0, min_books: 4 };
            assert_eq!(steam(&s).0, want, "{s:?}");
        }
    }

    #[test]
    fn reference_divergences() {
        use Divergence::{Aligned, ExchangeLeads, Opposed, SportsbookLeads};
        for (kind, lag, q, want) in [
            (Opposed, None, None, 65),
            (Opposed, Some(30.0), Some(0.9), 94),
            (Opposed, Some(120.0), Some(0.6), 68),
            (Opposed, Some(301.0), Some(0.5), 46),
            (ExchangeLeads, None, None, 53),
            (SportsbookLeads, Some(301.0), Some(0.5), 28),
            (Aligned, Some(300.0), Some(0.0), 59),
        ] {
            assert_eq!(exchange_divergence(kind, lag, q).0, want, "{kind:?} {lag:?} {q:?}");
        }
    }

    #[test]
    fn shocks_grow_from_their_threshold() {
        for (size, threshold, want) in
            [(4.5, 4.5, 75), (6.75, 4.5, 88), (9.0, 4.5, 100), (-13.0, 6.5, 100), (0.15, 0.15, 75), (40.0, 4.5, 100)]
        {
            assert_eq!(live_shock(size, threshold).0, want, "{size}");
        }
    }

    #[test]
    fn probability_and_points_meet_at_the_threshold() {
        assert!((points_of_probability(0.02) - 0.5).abs() < 1e-12);
        assert!((points_of_probability(-0.04) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn nonsense_is_weak_not_loud() {
        let m = Moved {
            magnitude: f64::NAN,
            velocity_minutes: f64::NAN,
            window_minutes: f64::NAN,
            books: 0,
            minutes_to_tip: Some(f64::NAN),
        };
        assert!(moved(&m).0 <= 54, "a size that is no number has none");
        assert_eq!(score(f64::NAN), 1);
        assert_eq!(score(f64::INFINITY), 100);
        assert_eq!(score(f64::NEG_INFINITY), 1);
    }

    proptest! {
        #[test]
        fn more_is_never_weaker(
            size in 0.0..5.0_f64, more in 0.0..5.0_f64, velocity in 0.1..10.0_f64, later in 0.0..5.0_f64,
            books in 1_u16..12, also in 0_u16..5, tip in prop::option::of(-300.0..900.0_f64),
        ) {
            let m = Moved { magnitude: size, velocity_minutes: velocity, window_minutes: 10.0, books, minutes_to_tip: tip };
            let base = moved(&m).0;
            prop_assert!((1..=100).contains(&base));
            let bigger = Moved { magnitude: size + more, ..m };
            let slower = Moved { velocity_minutes: velocity + later, ..m };
            let broader = Moved { books: books + also, ..m };
            prop_assert!(moved(&bigger).0 >= base);
            prop_assert!(moved(&slower).0 <= base);
            prop_assert!(moved(&broader).0 >= base);
            prop_assert!(dislocation(size + more, 1.0, None, books).0 >= dislocation(size, 1.0, None, books).0);
            prop_assert!(live_shock(4.5 + size + more, 4.5).0 >= live_shock(4.5 + size, 4.5).0);
        }
    }
}
