//! Filters that several commands share, checked and turned into what the store and the engine understand.
//!
//! A word that nothing fits is refused with the words that would: an empty answer to a misspelt question would be taken
//! for an answer. What the store cannot ask for is applied to the rows that it gave.

use super::args_analysis::{GrainArg, KindArg, PresetArg, SignalFilter, TierArg};
use super::when::AsOf;
use super::{Failure, look};
use crate::engine::detect::signal::{Signal, SignalType, Tier};
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::ClvRow;
use crate::engine::grade::record::preset::Preset;
use crate::engine::grade::record::recap::Grain;
use crate::engine::names::Names;
use crate::engine::opportunity::OpportunityKind;
use crate::market::bucket::TimeBucket;
use crate::market::ids::{MarketId, SportId};
use crate::market::time::Timestamp;
use crate::store::Reader;
use crate::store::analysis::AnalysisFilter;
use crate::store::query::END_OF_TIME;

/// Which signals are meant: part of it is asked of the store, the rest of each row.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wanted {
    /// What the store is asked for.
    pub query: AnalysisFilter,
    types: Vec<SignalType>,
    buckets: Vec<TimeBucket>,
    tier: Option<Tier>,
    /// Only moves slower than this. Minutes.
    velocity_gt: Option<f64>,
    /// A named set of filters.
    pub preset: Option<Preset>,
}

impl Wanted {
    /// What the flags mean in this store.
    ///
    /// # Errors
    /// [`Failure::Usage`] for words that mean nothing anywhere, [`Failure::NotFound`] for those that mean nothing here.
    pub fn new(reader: &Reader, names: &Names, filter: &SignalFilter) -> Result<Self, Failure> {
        let types = words(&filter.types, "type", &SignalType::ALL.map(SignalType::name), SignalType::from_name)?;
        let buckets = words(&filter.time_bucket, "time bucket", &TimeBucket::ALL.map(bucket_name), |word| {
            TimeBucket::ALL.into_iter().find(|b| bucket_name(*b).eq_ignore_ascii_case(word))
        })?;
        if filter.velocity_gt.is_some_and(|v| !v.is_finite()) {
            return Err(Failure::Usage("--velocity-gt takes a number of minutes".into()));
        }
        let tier = filter.tier.map(|t| match t {
            TierArg::High => Tier::High,
            TierArg::Medium => Tier::Medium,
            TierArg::Low => Tier::Low,
        });
        let event = match &filter.event {
            None => None,
            Some(text) => Some(look::event(reader, names, text, END_OF_TIME)?.id),
        };
        let query = AnalysisFilter {
            sport: sport(names, filter.sport.as_deref())?,
            kind: if let [one] = types[..] { Some(one) } else { None },
            market: market(names, filter.market.as_deref())?,
            since: filter.since.map(instant),
            // The flag says before, the store says not after.
            until: filter.until.map(|t| instant(t).plus(-1)),
            event,
            min_strength: filter.min_strength,
            min_score: filter.min_score,
            tier,
            limit: None,
        };
        Ok(Self { query, types, buckets, tier, velocity_gt: filter.velocity_gt, preset: filter.preset.map(preset) })
    }

    /// The types asked for contain this one.
    pub fn has_type(&self, kind: SignalType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    fn has(&self, kind: SignalType, bucket: TimeBucket, tier: Tier) -> bool {
        self.has_type(kind)
            && (self.buckets.is_empty() || self.buckets.contains(&bucket))
            && self.tier.is_none_or(|t| t == tier)
    }

    /// This signal is meant.
    pub fn keeps(&self, s: &Signal) -> bool {
        self.has(s.kind, s.time_bucket, s.tier)
            && self.velocity_gt.is_none_or(|v| s.velocity_minutes > v)
            && self
                .preset
                .is_none_or(|p| p.keeps(s.kind, s.strength, s.books_affected, s.detail.dispersion, s.window_minutes))
    }

    /// The grading of this signal is meant. Leaves out the preset, which a record applies itself, and the velocity,
    /// which a grading does not carry.
    fn keeps_clv(&self, row: &ClvRow) -> bool {
        self.has(row.kind, row.time_bucket, row.tier)
    }

    /// The signals that are meant, in the order of their detection; of many the newest `limit`.
    pub fn signals(&self, reader: &Reader, limit: Option<usize>) -> Result<Vec<Signal>, Failure> {
        let mut signals = reader.signals(&self.query)?;
        signals.retain(|s| self.keeps(s));
        let many = limit.map_or(0, |n| signals.len().saturating_sub(n));
        signals.drain(..many);
        Ok(signals)
    }

    /// The gradings that are meant (but for the preset), in the order of detection.
    pub fn gradings(&self, reader: &Reader) -> Result<Vec<ClvRow>, Failure> {
        let mut rows = reader.clv_rows(&self.query)?;
        rows.retain(|row| self.keeps_clv(row));
        if let Some(v) = self.velocity_gt {
            let mut slow: Vec<String> =
                reader.signals(&self.query)?.into_iter().filter(|s| s.velocity_minutes > v).map(|s| s.id).collect();
            slow.sort_unstable();
            rows.retain(|row| slow.binary_search(&row.signal_id).is_ok());
        }
        Ok(rows)
    }
}

/// Grades of closes that were asked for, and whether "no close" was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WantedGrades {
    /// The grades.
    pub grades: Vec<Grade>,
    /// Those without a close too.
    pub none: bool,
}

impl WantedGrades {
    /// What the words mean: `A` to `F`, or `none`.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the grades that there are.
    pub fn new(asked: &[String]) -> Result<Self, Failure> {
        let mut names: Vec<&str> = Grade::ALL.map(Grade::name).to_vec();
        names.push("none");
        let found = words(asked, "grade", &names, |word| {
            if word.eq_ignore_ascii_case("none") {
                return Some(None);
            }
            Grade::from_name(&word.to_ascii_uppercase()).map(Some)
        })?;
        Ok(Self { grades: found.iter().flatten().copied().collect(), none: found.contains(&None) })
    }

    /// Nothing was asked for, which is everything.
    pub const fn is_empty(&self) -> bool {
        self.grades.is_empty() && !self.none
    }

    /// A close of this grade is meant.
    pub fn keeps(&self, grade: Option<Grade>) -> bool {
        self.is_empty() || grade.map_or(self.none, |g| self.grades.contains(&g))
    }
}

/// The instant of a flag.
pub fn instant(time: AsOf) -> Timestamp {
    time.at(look::now())
}

/// The sport of a key, if one was given.
pub fn sport(names: &Names, key: Option<&str>) -> Result<Option<SportId>, Failure> {
    key.map(|key| look::sport(names, key)).transpose()
}

/// The market of a key, if one was given.
pub fn market(names: &Names, key: Option<&str>) -> Result<Option<MarketId>, Failure> {
    let Some(key) = key else { return Ok(None) };
    let number = names.markets.number(key).and_then(|n| u16::try_from(n).ok());
    number.map(|n| Some(MarketId(n))).ok_or_else(|| look::unknown("market", key, names.markets.iter()))
}

/// Fails unless the store knows this book.
pub fn known_book(names: &Names, key: &str) -> Result<(), Failure> {
    names.books.number(key).map(|_| ()).ok_or_else(|| look::unknown("book", key, names.books.iter()))
}

/// The kind of an argument.
pub const fn kind(arg: KindArg) -> OpportunityKind {
    match arg {
        KindArg::PositiveEv => OpportunityKind::PositiveEv,
        KindArg::Arbitrage => OpportunityKind::Arbitrage,
        KindArg::Middle => OpportunityKind::Middle,
        KindArg::LowHold => OpportunityKind::LowHold,
    }
}

/// The span of an argument.
pub const fn grain(arg: GrainArg) -> Grain {
    match arg {
        GrainArg::Day => Grain::Day,
        GrainArg::Week => Grain::Week,
    }
}

const fn preset(arg: PresetArg) -> Preset {
    match arg {
        PresetArg::HighConfidence => Preset::HighConfidence,
        PresetArg::LowNoise => Preset::LowNoise,
        PresetArg::EarlyMove => Preset::EarlyMove,
        PresetArg::SteamOnly => Preset::SteamOnly,
    }
}

/// As in the JSON form.
pub const fn bucket_name(bucket: TimeBucket) -> &'static str {
    match bucket {
        TimeBucket::Unknown => "UNKNOWN",
        TimeBucket::Open => "OPEN",
        TimeBucket::Mid => "MID",
        TimeBucket::Late => "LATE",
        TimeBucket::PreTip => "PRETIP",
        TimeBucket::InPlay => "INPLAY",
    }
}

/// Words of a fixed list, each taken once.
fn words<T: PartialEq>(
    asked: &[String],
    what: &str,
    known: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    for word in asked.iter().map(|w| w.trim()) {
        let value = parse(word)
            .ok_or_else(|| Failure::Usage(format!("there is no {what} '{word}'; there are {}", known.join(", "))))?;
        if !found.contains(&value) {
            found.push(value);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn grades_are_a_set_and_none_is_one_of_them() {
        let some = WantedGrades::new(&texts(&["a", " B", "A"])).expect("grades");
        assert_eq!(some.grades, [Grade::A, Grade::B]);
        assert!(some.keeps(Some(Grade::B)) && !some.keeps(Some(Grade::C)) && !some.keeps(None));
        let none = WantedGrades::new(&texts(&["none"])).expect("grades");
        assert!(none.keeps(None) && !none.keeps(Some(Grade::A)));
        let all = WantedGrades::new(&[]).expect("grades");
        assert!(all.is_empty() && all.keeps(None) && all.keeps(Some(Grade::D)));
        let wrong = WantedGrades::new(&texts(&["E"])).expect_err("no such grade");
        assert!(wrong.to_string().contains("A, B, C, D, F, none"), "{wrong}");
    }

    #[test]
    fn buckets_are_named_as_in_json() {
        for bucket in TimeBucket::ALL {
            assert_eq!(serde_json::json!(bucket), bucket_name(bucket));
        }
    }

    #[test]
    fn an_unknown_type_is_told_all_types() {
        let wrong = words(&texts(&["STEAM", "STORM"]), "type", &SignalType::ALL.map(SignalType::name), |w| {
            SignalType::from_name(w)
        });
        let text = wrong.expect_err("no such type").to_string();
        assert!(
            text.contains("'STORM'") && text.contains("KEY_CROSS") && text.contains("EXCHANGE_DIVERGENCE"),
            "{text}"
        );
    }
}
