//! The text form of Prometheus, version 0.0.4: families with their help and type, samples with escaped labels.

use std::fmt::Write;

/// What a family is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A page under construction.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    /// The family that samples belong to.
    name: &'static str,
}

impl Text {
    /// Begins a family; every sample until the next one belongs to it.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.name = name;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing into a string cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self
    }

    /// A sample of the family.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.line("", labels, value)
    }

    /// A histogram: counts of each bucket (not added up), all of them, and the sum. Bounds and sum in microseconds; the
    /// page tells seconds, as is the custom.
    pub(super) fn histogram(&mut self, bounds: &[u64], buckets: &[u64], count: u64, sum_us: u64) -> &mut Self {
        let mut below = 0;
        for (bound, n) in bounds.iter().zip(buckets) {
            below += n;
            let le = (*bound as f64 / 1e6).to_string();
            self.line("_bucket", &[("le", &le)], below as f64);
        }
        self.line("_bucket", &[("le", "+Inf")], count as f64);
        self.line("_sum", &[], sum_us as f64 / 1e6);
        self.line("_count", &[], count as f64)
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (i, (name, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{}{name}=\"{value}\"", if i == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
        self
    }

    /// The page.
    pub(super) fn end(self) -> String {
        self.text
    }
}

/// Reads a page back by its rules; for tests. Answers every sample with its labels as written.
///
/// # Panics
/// When the page breaks a rule.
#[cfg(test)]
pub(crate) fn check(page: &str) -> std::collections::BTreeMap<String, f64> {
    let mut families = std::collections::BTreeMap::new();
    let mut samples = std::collections::BTreeMap::new();
    let mut current = String::new();
    assert!(page.ends_with('\n'), "the last line has an end");
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().expect("a name").to_owned();
            assert!(!families.contains_key(&current), "{current} comes twice");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("name and type");
            assert_eq!(name, current, "the type follows the help");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kind != "counter" || name.ends_with("_total"), "{name}");
            families.insert(current.clone(), kind.to_owned());
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("series and value");
        let name = series.split('{').next().expect("name");
        let histogram = families.get(&current).is_some_and(|k| k == "histogram");
        let fits = name == current
            || histogram && ["_bucket", "_sum", "_count"].iter().any(|s| name == format!("{current}{s}"));
        assert!(fits, "{line} stands below {current}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        let value: f64 = value.parse().expect("a number");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} comes twice");
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_help_are_escaped() {
        let mut text = Text::default();
        text.family("x_total", Kind::Counter, "two\nlines \\ and a slash").sample(&[("a", "q\"\\\n"), ("b", "ä")], 3.0);
        assert_eq!(
            text.end(),
            "# HELP x_total two\\nlines \\\\ and a slash\n# TYPE x_total counter\nx_total{a=\"q\\\"\\\\\\n\",b=\"ä\"} 3\n"
        );
    }

    #[test]
    fn buckets_are_added_up_and_in_seconds() {
        let mut text = Text::default();
        text.family("t_seconds", Kind::Histogram, "t").histogram(&[2_000, 5_000_000], &[3, 4], 9, 1_500_000);
        let samples = check(&text.end());
        let of = |series: &str| samples.get(series).copied();
        assert_eq!(of("t_seconds_bucket{le=\"0.002\"}"), Some(3.0));
        assert_eq!(of("t_seconds_bucket{le=\"5\"}"), Some(7.0));
        assert_eq!(of("t_seconds_bucket{le=\"+Inf\"}"), Some(9.0));
        assert_eq!((of("t_seconds_count"), of("t_seconds_sum")), (Some(9.0), Some(1.5)));
    }
}
