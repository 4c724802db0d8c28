//! Which rows an aggregate is asked about, and when it says too little to be shown.

use serde::{Deserialize, Serialize};

use super::preset::Preset;
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::ClvRow;

/// A set of grades. [`Grade::F`] (prices from after the start) is never in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<Grade>", into = "Vec<Grade>")]
pub struct Grades(u8);

impl Grades {
    /// No grade.
    pub const NONE: Self = Self(0);
    /// A and B.
    pub const DEFAULT: Self = Self::NONE.with(Grade::A).with(Grade::B);
    /// A to D.
    pub const ALL: Self = Self::DEFAULT.with(Grade::C).with(Grade::D);

    /// With this grade too.
    #[must_use]
    pub const fn with(self, grade: Grade) -> Self {
        match grade {
            Grade::F => self,
            _ => Self(self.0 | 1 << grade as u8),
        }
    }

    /// Contains this grade.
    pub const fn has(self, grade: Grade) -> bool {
        self.0 & 1 << grade as u8 != 0
    }

    /// Its grades, best first.
    pub fn iter(self) -> impl Iterator<Item = Grade> {
        Grade::ALL.into_iter().filter(move |g| self.has(*g))
    }
}

impl Default for Grades {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FromIterator<Grade> for Grades {
    fn from_iter<I: IntoIterator<Item = Grade>>(grades: I) -> Self {
        grades.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Grade>> for Grades {
    fn from(grades: Vec<Grade>) -> Self {
        grades.into_iter().collect()
    }
}

impl From<Grades> for Vec<Grade> {
    fn from(grades: Grades) -> Self {
        grades.iter().collect()
    }
}

/// What an aggregate is asked about. The default: every signal, closes of grade A and B, groups of every size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Grades of close that count. Signals with another close are counted as left out.
    pub grades: Grades,
    /// Signals outside the preset are not looked at, nor counted.
    pub preset: Option<Preset>,
    /// Groups of fewer graded events are not answered. `None`: as the preset says, or 0.
    pub min_samples: Option<u32>,
}

impl Filter {
    /// The aggregate looks at this row.
    pub fn keeps(&self, row: &ClvRow) -> bool {
        self.preset
            .is_none_or(|p| p.keeps(row.kind, row.strength, row.books_affected, row.dispersion, row.window_minutes))
    }

    /// A group of so many graded events is answered.
    pub fn enough(&self, events: u32) -> bool {
        events >= self.min_samples.or(self.preset.map(|p| p.limits().min_samples)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_is_never_asked_for() {
        assert_eq!(Grades::default(), [Grade::B, Grade::A].into_iter().collect());
        assert!(!Grades::ALL.with(Grade::F).has(Grade::F));
        assert_eq!(Vec::from(Grades::ALL), [Grade::A, Grade::B, Grade::C, Grade::D]);
        assert_eq!(serde_json::to_string(&Grades::DEFAULT).unwrap(), r#"["A","B"]"#);
        assert_eq!(serde_json::from_str::<Grades>(r#"["C","F"]"#).unwrap(), Grades::NONE.with(Grade::C));
    }

    #[test]
    fn samples_come_from_the_caller_before_the_preset() {
        let preset = Some(Preset::SteamOnly);
        assert!(Filter::default().enough(0));
        assert!(!Filter { preset, ..Filter::default() }.enough(9));
        assert!(Filter { preset, ..Filter::default() }.enough(10));
        assert!(Filter { preset, min_samples: Some(3), ..Filter::default() }.enough(3));
    }
}
