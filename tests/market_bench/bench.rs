//! A recording goes through the real pipeline: imported into a store, read back, and run again from what was stored.

use std::path::{Path, PathBuf};

use stratum::config::{Sources, load};
use stratum::engine::EngineSettings;
use stratum::engine::detect::signal::{Signal, SignalType};
use stratum::engine::grade::close::Close;
use stratum::engine::grade::clv::ClvRow;
use stratum::market::time::Timestamp;
use stratum::runtime::again::{self, Again};
use stratum::runtime::import::{ImportReport, import};
use stratum::runtime::{settings, warm};
use stratum::store::analysis::{AnalysisFilter, TallySum};
use stratum::store::{Reader, Store};

use super::tape::Tape;

/// What is decided when the user has decided nothing.
pub fn defaults() -> EngineSettings {
    settings::engine_settings(&load(&Sources::default()).expect("defaults").settings)
}

/// A store and what may be asked of it.
pub struct Bench {
    folder: tempfile::TempDir,
    settings: EngineSettings,
    /// Of the newest import.
    pub report: ImportReport,
}

impl Bench {
    pub fn new(settings: EngineSettings) -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), settings, report: ImportReport::default() }
    }

    /// A whole tape, with what is decided by default.
    pub fn of(tape: &Tape) -> Self {
        Self::with(tape, defaults())
    }

    /// A whole tape, with these settings. What was stored is run again and must be the same.
    pub fn with(tape: &Tape, settings: EngineSettings) -> Self {
        let mut bench = Self::new(settings);
        bench.import(&tape.lines);
        bench.assert_live_is_replay();
        bench
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("stratum.db")
    }

    /// Imports lines as a program that has just been started.
    pub fn import(&mut self, lines: &[String]) {
        let file = self.folder.path().join("tape.jsonl");
        std::fs::write(&file, lines.join("\n")).expect("write");
        let mut store = Store::open(&self.store()).expect("store");
        let mut engine = warm::engine(&store, self.settings.clone()).expect("engine");
        self.report = import(&mut engine, &mut store, &[&file], |_| true).expect("import");
        assert_eq!(self.report.unreadable, 0, "{:?}", self.report.complaints);
        assert_eq!(self.report.taken.looks as usize, lines.len());
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.store()).expect("reader")
    }

    /// The stored looks, run again: the whole, and from the middle as after a start of the program.
    pub fn assert_live_is_replay(&self) {
        let always = Timestamp::from_millis(i64::MIN);
        let events = self.reader().events(None).expect("events");
        let first = events.iter().map(|e| e.first_seen).min().expect("an event");
        let compared = self.run_again(&self.folder.path().join("again.db"), always);
        assert!(compared > 0, "nothing was compared");
        self.run_again(&self.folder.path().join("later.db"), first.plus(15 * 60_000));
    }

    /// Answers how many rows were compared.
    fn run_again(&self, file: &Path, after: Timestamp) -> u64 {
        let _ = std::fs::remove_file(file);
        let until = Timestamp::from_millis(i64::MAX);
        let again = Again { sport: None, after, until, points_ms: None, show: 5 };
        let reader = self.reader();
        let (_, comparison) =
            again::run(&reader, &self.store(), &self.settings, &again, Some(file), |_| true).expect("runs again");
        let comparison = comparison.expect("compared");
        assert!(comparison.different.iter().all(|n| *n == 0), "after {after}: {:#?}", comparison.shown);
        comparison.rows.iter().sum()
    }

    /// Newest versions, in the order of their detection.
    pub fn signals(&self) -> Vec<Signal> {
        self.reader().signals(&AnalysisFilter::default()).expect("signals")
    }

    pub fn of_type(&self, kind: SignalType) -> Vec<Signal> {
        self.signals().into_iter().filter(|s| s.kind == kind).collect()
    }

    /// The only signal of a type.
    pub fn only(&self, kind: SignalType) -> Signal {
        let mut found = self.of_type(kind);
        assert_eq!(found.len(), 1, "{} in {}", kind.name(), self.told());
        found.remove(0)
    }

    /// What was told, for a person: type, market, side, from, to, the book, minutes since the beginning.
    pub fn told(&self) -> String {
        let told = |s: &Signal| {
            let minute = s.detected_at.since(Tape::zero()) / 60_000;
            let book = s.detail.book.as_deref().unwrap_or("-");
            let label = s.detail.label.as_deref().unwrap_or("-");
            format!(
                "\n  {} v{} {} {:?} {} -> {} {book} {label} at minute {minute}",
                s.kind.name(),
                s.version,
                s.market,
                s.side,
                s.from_value,
                s.to_value
            )
        };
        self.signals().iter().map(told).collect()
    }

    /// Types and sides in the order of types.
    #[track_caller]
    pub fn assert_told(&self, expected: &[(SignalType, Option<&str>)]) {
        let signals = self.signals();
        let mut found: Vec<_> = signals.iter().map(|s| (s.kind, s.side.as_deref())).collect();
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(found, expected, "{}", self.told());
    }

    /// None of these.
    #[track_caller]
    pub fn assert_none_of(&self, kinds: &[SignalType]) {
        assert!(self.signals().iter().all(|s| !kinds.contains(&s.kind)), "{}", self.told());
    }

    pub fn closes(&self) -> Vec<Close> {
        self.reader().closes(&AnalysisFilter::default()).expect("closes")
    }

    pub fn clv(&self) -> Vec<ClvRow> {
        self.reader().clv_rows(&AnalysisFilter::default()).expect("clv rows")
    }

    pub fn tally(&self, kind: SignalType) -> Option<TallySum> {
        let all = self.reader().tallies(Timestamp::from_millis(i64::MIN)).expect("tallies");
        all.into_iter().find(|t| t.detector == kind)
    }

    /// Everything that was found, one row a line: every version of every signal, closes, closing line values, tallies.
    pub fn everything(&self) -> Vec<String> {
        let reader = self.reader();
        let mut rows = Vec::new();
        for signal in self.signals() {
            let versions = reader.signal_versions(&signal.id).expect("versions");
            rows.extend(versions.iter().map(|s| serde_json::to_string(s).expect("JSON")));
        }
        rows.extend(self.closes().iter().map(|c| serde_json::to_string(c).expect("JSON")));
        rows.extend(self.clv().iter().map(|c| serde_json::to_string(c).expect("JSON")));
        for kind in SignalType::ALL {
            rows.extend(self.tally(kind).map(|t| format!("{t:?}")));
        }
        rows
    }
}
