//! Named filters for the record and for the list of signals.
//!
//! Owns the four presets of section 9 of the domain contract and the rule which of their limits has a meaning for which
//! type of signal.

use serde::{Deserialize, Serialize};

use crate::engine::detect::signal::SignalType;

/// A named filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Strong signals of a board that agrees.
    HighConfidence,
    /// More of them, of a board that agrees more closely.
    LowNoise,
    /// Moves that few books have made yet.
    EarlyMove,
    /// Many books at once.
    SteamOnly,
}

/// The limits of a preset. `None`: no limit.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Limits {
    /// Only this type.
    #[serde(rename = "type")]
    pub kind: Option<SignalType>,
    /// Least strength, 1 to 100.
    pub min_strength: u8,
    /// Least number of graded events behind an aggregate; single signals are not held to it.
    pub min_samples: u32,
    /// Least number of independent books that moved.
    pub min_books: u16,
    /// Largest dispersion of the board: points, or probability for a moneyline.
    pub max_dispersion: Option<f64>,
    /// Longest window of the detector. Minutes.
    pub max_window_minutes: Option<f64>,
}

impl Preset {
    /// Every preset, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::HighConfidence, Self::LowNoise, Self::EarlyMove, Self::SteamOnly];

    /// The key in settings, addresses and JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::HighConfidence => "high_confidence",
            Self::LowNoise => "low_noise",
            Self::EarlyMove => "early_move",
            Self::SteamOnly => "steam_only",
        }
    }

    /// The name on a screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HighConfidence => "High Confidence",
            Self::LowNoise => "Low Noise",
            Self::EarlyMove => "Early Move",
            Self::SteamOnly => "Steam Only",
        }
    }

    /// The preset of a key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.key() == key)
    }

    /// Its limits.
    pub const fn limits(self) -> Limits {
        match self {
            Self::HighConfidence => Limits {
                kind: None,
                min_strength: 75,
                min_samples: 25,
                min_books: 3,
                max_dispersion: Some(0.7),
                max_window_minutes: Some(20.0),
            },
            Self::LowNoise => Limits {
                kind: None,
                min_strength: 65,
                min_samples: 20,
                min_books: 3,
                max_dispersion: Some(0.5),
                max_window_minutes: Some(15.0),
            },
            Self::EarlyMove => Limits {
                kind: Some(SignalType::Move),
                min_strength: 60,
                min_samples: 15,
                min_books: 2,
                max_dispersion: None,
                max_window_minutes: Some(10.0),
            },
            Self::SteamOnly => Limits {
                kind: Some(SignalType::Steam),
                min_strength: 65,
                min_samples: 10,
                min_books: 4,
                max_dispersion: None,
                max_window_minutes: Some(5.0),
            },
        }
    }

    /// A signal of this type, strength, books, dispersion and window (minutes) passes.
    ///
    /// Books and window say nothing about the types that [compare prices of one instant](is_comparison), and do not
    /// judge them. Dispersion judges whatever carries one.
    pub fn keeps(
        self,
        kind: SignalType,
        strength: u8,
        books: u16,
        dispersion: Option<f64>,
        window_minutes: f64,
    ) -> bool {
        let limits = self.limits();
        let moved = !is_comparison(kind);
        limits.kind.is_none_or(|k| k == kind)
            && strength >= limits.min_strength
            && (!moved || books >= limits.min_books)
            && (!moved || limits.max_window_minutes.is_none_or(|w| window_minutes <= w))
            && limits.max_dispersion.zip(dispersion).is_none_or(|(most, d)| d <= most)
    }
}

/// The type compares prices of one instant (one quote, or one exchange, against the others): one book by definition, and
/// no movement over a window.
pub const fn is_comparison(kind: SignalType) -> bool {
    matches!(kind, SignalType::Dislocation | SignalType::ExchangeDivergence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use SignalType::{Dislocation, ExchangeDivergence, KeyCross, Move, MultibookSync, Steam};

    #[test]
    fn keys_lead_back() {
        for preset in Preset::ALL {
            assert_eq!(Preset::from_key(preset.key()), Some(preset));
            assert_eq!(serde_json::to_value(preset).unwrap(), preset.key());
        }
        assert_eq!(Preset::from_key("High Confidence"), None);
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let p = Preset::HighConfidence;
        assert!(p.keeps(Move, 75, 3, Some(0.7), 20.0));
        assert!(!p.keeps(Move, 74, 3, Some(0.7), 20.0));
        assert!(!p.keeps(Move, 75, 2, Some(0.7), 20.0));
        assert!(!p.keeps(Move, 75, 3, Some(0.71), 20.0));
        assert!(!p.keeps(Move, 75, 3, Some(0.7), 20.5));
        assert!(p.keeps(KeyCross, 75, 3, None, 10.0), "no dispersion known, none judged");
        assert!(!p.keeps(KeyCross, 75, 1, None, 10.0), "books mean something for a crossing");
        let p = Preset::LowNoise;
        assert!(p.keeps(MultibookSync, 65, 3, Some(0.5), 15.0));
        assert!(!p.keeps(MultibookSync, 65, 3, Some(0.6), 15.0));
    }

    #[test]
    fn a_comparison_is_not_judged_by_books_or_window() {
        for kind in [Dislocation, ExchangeDivergence] {
            assert!(Preset::HighConfidence.keeps(kind, 80, 1, Some(0.3), 60.0));
            assert!(!Preset::HighConfidence.keeps(kind, 80, 1, Some(0.8), 0.0));
            assert!(!Preset::HighConfidence.keeps(kind, 70, 1, None, 0.0));
        }
    }

    #[test]
    fn some_presets_are_about_one_type() {
        assert!(Preset::EarlyMove.keeps(Move, 60, 2, Some(9.0), 10.0));
        assert!(!Preset::EarlyMove.keeps(Move, 60, 2, None, 15.0));
        assert!(!Preset::EarlyMove.keeps(Steam, 90, 9, None, 3.0));
        assert!(Preset::SteamOnly.keeps(Steam, 65, 4, None, 3.0));
        assert!(!Preset::SteamOnly.keeps(Steam, 65, 3, None, 3.0));
        assert!(!Preset::SteamOnly.keeps(Dislocation, 90, 9, None, 3.0));
    }
}
