//! Tables as files: rows to text, as CSV or JSON. Pure; knows no files and nothing of the market.

use std::fmt::Write;

use crate::market::time::Timestamp;

/// The form of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Comma-separated values, quoted as in RFC 4180.
    Csv,
    /// An array of objects.
    Json,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The end of the file's name, and its name in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// One cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// There is nothing.
    None,
    /// Words.
    Text(String),
    /// A number; one that is not finite is written as nothing.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// An instant, in UTC.
    Time(Timestamp),
}

impl From<Option<f64>> for Value {
    fn from(x: Option<f64>) -> Self {
        x.map_or(Self::None, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::None } else { Self::Text(text.to_owned()) }
    }
}

/// What is seen on a page.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    /// For the name of the file: lower case and dashes.
    pub name: String,
    /// Names of the columns, each once.
    pub columns: Vec<String>,
    /// Rows, each as long as the columns.
    pub rows: Vec<Vec<Value>>,
}

/// The text of a file. Two columns are put in front: `origin`, which is `DEMO` for a simulated market, and `as_of`, the
/// instant that is shown.
pub fn write(table: &Table, form: Form, demo: bool, as_of: Timestamp) -> String {
    let lead = [if demo { Value::from("DEMO") } else { Value::None }, Value::Time(as_of)];
    let columns: Vec<&str> = ["origin", "as_of"].into_iter().chain(table.columns.iter().map(String::as_str)).collect();
    let cells = |row: &[Value]| -> Vec<Value> {
        lead.iter().chain(row).cloned().chain(std::iter::repeat(Value::None)).take(columns.len()).collect()
    };
    match form {
        Form::Csv => csv(&columns, table.rows.iter().map(|r| cells(r))),
        Form::Json => json(&columns, table.rows.iter().map(|r| cells(r))),
    }
}

fn csv(columns: &[&str], rows: impl Iterator<Item = Vec<Value>>) -> String {
    let mut out = String::new();
    let heads = columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(",");
    let _ = write!(out, "{heads}\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|v| quoted(&plain(v))).collect();
        let _ = write!(out, "{}\r\n", cells.join(","));
    }
    out
}

/// A cell as text in a file.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => defused(text),
        other => other.told(),
    }
}

impl Value {
    /// As text, for people.
    pub fn told(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(x) if x.is_finite() => number(*x),
            Self::Number(_) => String::new(),
            Self::Integer(n) => n.to_string(),
            Self::Time(at) => at.to_wire(),
        }
    }
}

/// At most six places; nobody wants sixteen digits.
fn number(x: f64) -> String {
    let x = (x * 1e6).round() / 1e6;
    format!("{}", if x == 0.0 { 0.0 } else { x })
}

/// Names come from a feed: what a spreadsheet would run as a formula gets an apostrophe, numbers do not need one.
fn defused(text: &str) -> String {
    let risky = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    if risky && !is_number { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn json(columns: &[&str], rows: impl Iterator<Item = Vec<Value>>) -> String {
    let mut out = String::from("[");
    for (n, row) in rows.enumerate() {
        out.push_str(if n > 0 { ",\n{" } else { "\n{" });
        for (at, (name, value)) in columns.iter().zip(&row).enumerate() {
            let value = match value {
                Value::None => serde_json::Value::Null,
                Value::Text(text) => text.as_str().into(),
                Value::Number(x) => ((x * 1e6).round() / 1e6).into(),
                Value::Integer(n) => (*n).into(),
                Value::Time(at) => at.to_wire().into(),
            };
            let _ = write!(out, "{}{}:{value}", if at > 0 { "," } else { "" }, serde_json::Value::from(*name));
        }
        out.push('}');
    }
    out.push_str("\n]\n");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> Timestamp {
        Timestamp::parse("2026-11-21T00:00:00Z").expect("time")
    }

    fn one(cell: Value) -> Table {
        Table { name: "x".into(), columns: vec!["a".into()], rows: vec![vec![cell]] }
    }

    fn cell(value: Value) -> String {
        let text = write(&one(value), Form::Csv, true, at());
        text.lines().nth(1).and_then(|l| l.splitn(3, ',').nth(2)).expect("a cell").to_owned()
    }

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        for (text, written) in [
            ("Boston Celtics", "Boston Celtics"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|calc", "'+cmd|calc"),
            ("  =1", "'  =1"),
            ("-3.5", "-3.5"),
            ("+150", "+150"),
            ("-inf", "'-inf"),
            ("-", "'-"),
        ] {
            assert_eq!(cell(Value::Text(text.into())), written, "{text}");
        }
        assert_eq!(cell(Value::Number(-0.0)), "0");
        assert_eq!(cell(Value::Number(f64::NAN)), "");
        assert_eq!(cell(Value::Number(1.0 / 3.0)), "0.333333");
    }

    #[test]
    fn origin_and_moment_stand_in_every_row() {
        let csv = write(&one(Value::Integer(7)), Form::Csv, true, at());
        let moment = at().to_wire();
        assert_eq!(csv, format!("origin,as_of,a\r\nDEMO,{moment},7\r\n"));
        let real = write(&one(Value::Integer(7)), Form::Csv, false, at());
        assert_eq!(real, format!("origin,as_of,a\r\n,{moment},7\r\n"));
        let json: serde_json::Value =
            serde_json::from_str(&write(&one("=x".into()), Form::Json, true, at())).expect("JSON");
        assert_eq!(json[0]["origin"], "DEMO");
        assert_eq!(json[0]["a"], "=x", "a formula means nothing in JSON");
        let short = Table { rows: vec![vec![]], ..one(Value::None) };
        assert_eq!(write(&short, Form::Csv, false, at()).lines().nth(1), Some(format!(",{moment},").as_str()));
    }

    proptest! {
        #[test]
        fn any_text_can_be_written(text in any::<String>()) {
            let json = write(&one(Value::Text(text.clone())), Form::Json, false, at());
            let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            prop_assert_eq!(read[0]["a"].as_str(), Some(text.as_str()));
            let told = cell_of(&write(&one(Value::Text(text.clone())), Form::Csv, false, at()));
            prop_assert!(told == text || told == format!("'{text}"), "{:?}", told);
            let formula = told.trim_start().starts_with(['=', '@']);
            prop_assert!(!formula);
        }
    }

    /// Reads the third cell of the second record back, as a spreadsheet would.
    fn cell_of(csv: &str) -> String {
        let record = csv.split_once("\r\n").map(|x| x.1).expect("a record");
        let cell = record.splitn(3, ',').nth(2).and_then(|c| c.strip_suffix("\r\n")).expect("a cell");
        match cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => cell.to_owned(),
        }
    }
}
