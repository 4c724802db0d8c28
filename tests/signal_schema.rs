//! The JSON forms of signals and of their closing line values are what `assets/schema` says, and stay what version 1 said.
#![allow(clippy::expect_used)] // helpers of tests fail by panicking

#[path = "signal_schema/board.rs"]
mod board;
#[path = "signal_schema/validator.rs"]
mod validator;

use std::collections::{BTreeMap, BTreeSet};

use board::Board;
use serde_json::{Value, json};
use stratum::engine::detect::signal::{SCHEMA, Signal, SignalType};
use stratum::engine::grade::clv::ClvRow;
use validator::{Schema, Unknown};

fn signal_schema() -> Schema {
    Schema::new(include_str!("../assets/schema/signal.v1.json"))
}

fn clv_schema() -> Schema {
    Schema::new(include_str!("../assets/schema/clv.v1.json"))
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

/// Games that between them make every type of signal, each followed past its start.
fn games() -> Vec<Board> {
    let mut games = Vec::new();
    // All at once across 3, and then farther: STEAM with a second version, KEY_CROSS.
    let mut steam = Board::new(-2.0);
    steam.line("abcdefgh", -3.5).wait(1).line("abcdefgh", -5.0).wait(1).total("abcdefgh", 47.0);
    steam.moneyline("abcdefgh", -220, 180).play(1);
    games.push(steam);
    // Three of eight: MULTIBOOK_SYNC.
    let mut sync = Board::new(-5.0);
    sync.line("abc", -6.0).wait(5).play(1);
    games.push(sync);
    // One after the other, too slowly for more than a MOVE; the market is gone at the close.
    let mut slow = Board::new(-4.5).books(5);
    slow.wait(15);
    for book in ["a", "b", "c", "d", "e"] {
        slow.line(book, -5.5).wait(2);
    }
    slow.play(0).close_shop();
    games.push(slow);
    // One alone: DISLOCATION.
    let mut outlier = Board::new(-4.5);
    outlier.line("d", -2.5).wait(10).line("d", -4.5).play(1);
    games.push(outlier);
    // In play: LIVE_SHOCK.
    let mut shock = Board::new(-4.5);
    shock.play(10).line("abcdefgh", -12.0).wait(2).line("abcdefgh", -20.0).wait(2);
    games.push(shock);
    // Everything taken down before the start: no close.
    let mut gone = Board::new(-4.5);
    gone.line("abcdefgh", -6.5).close_shop().play(1);
    games.push(gone);
    games
}

#[test]
fn every_signal_is_what_its_schema_says() {
    let schema = signal_schema();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut units = BTreeSet::new();
    let mut entries_now = 0;
    for signal in games().iter().flat_map(|g| &g.signals) {
        let value = json_of(signal);
        let problems = schema.problems(&value, Unknown::Refused);
        assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
        let back: Signal = serde_json::from_value(value.clone()).expect("reads back");
        assert_eq!(json_of(&back), value);
        let version = seen.entry(signal.kind.name()).or_default();
        *version = signal.version.max(*version);
        units.insert(signal.unit.clone());
        entries_now += u32::from(signal.entry_now.is_some());
    }
    for kind in SignalType::ALL.iter().filter(|k| **k != SignalType::ExchangeDivergence) {
        assert!(seen.contains_key(kind.name()), "no {}: {seen:?}", kind.name());
    }
    assert!(seen["STEAM"] >= 2 && entries_now > 0, "no update: {seen:?}");
    assert_eq!(units.into_iter().collect::<Vec<_>>(), ["line", "probability"]);
}

#[test]
fn every_closing_line_value_is_what_its_schema_says() {
    let schema = clv_schema();
    let mut reasons = BTreeSet::new();
    for row in games().iter().flat_map(|g| &g.clv) {
        let value = json_of(row);
        let problems = schema.problems(&value, Unknown::Refused);
        assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
        let back: ClvRow = serde_json::from_value(value.clone()).expect("reads back");
        assert_eq!(json_of(&back), value);
        reasons.insert(row.left_out.map(|r| r.name()));
    }
    assert!(reasons.contains(&None) && reasons.contains(&Some("no_close")), "{reasons:?}");
}

/// Every field name of version 1 of a signal, by part. Frozen: lines may be added here, none may go or change.
const SIGNAL_V1: [(&str, &str); 8] = [
    (
        "",
        "id version schema type event_id provider_event_id sport home_team away_team commence_time market \
         selection side direction window_minutes unit from_value to_value entry entry_now? books_affected panel \
         opposers evidence sampling velocity_minutes minutes_to_tip time_bucket strength components composite \
         tier score_source sharp supersedes? detail detected_at updated_at",
    ),
    ("entry", "book line price price_american age_seconds ev fair_probability"),
    ("stand", "line prices probability value"),
    ("evidence", "book family before after change moved_at moved_after order"),
    ("sampling", "looks longest_gap_seconds limit_seconds from_look"),
    (
        "components",
        "magnitude? speed? books? timing? dispersion? base? composite_strength? composite_velocity? \
         composite_movers? composite_sharp? composite_timing? composite_record? composite_stale_entry?",
    ),
    ("key", "number weight"),
    (
        "detail",
        "book? label? ev? fair_value? standard_error? delta? lag_seconds? exchange_probability? dispersion? keys? mass? \
         leader? labels?",
    ),
];

/// The same of closing line values.
const CLV_V1: [(&str, &str); 3] = [
    (
        "",
        "signal_id version type event_id sport market selection side entry close clv_ev clv_points clv_price \
         fair_to_fair left_out detected_at start time_bucket strength composite tier books_affected dispersion \
         window_minutes graded_at",
    ),
    ("entry", "book line price price_american age_seconds ev fair_probability"),
    ("close", "line price fair_probability grade reason"),
];

/// A field with `?` may be absent; all others are always there.
fn holds_what_was_frozen(schema: &Schema, frozen: &[(&str, &str)]) {
    for (part, fields) in frozen {
        let part = if part.is_empty() { schema.root() } else { &schema.root()["$defs"][part] };
        let required: Vec<&str> =
            part["required"].as_array().expect("required").iter().filter_map(Value::as_str).collect();
        for field in fields.split_whitespace() {
            let name = field.trim_end_matches('?');
            assert!(
                part["properties"][name]["description"].is_string(),
                "`{name}` of version 1 is gone or undescribed"
            );
            assert_eq!(required.contains(&name), !field.ends_with('?'), "`{name}` of version 1");
        }
        // What is added has to be put on the list.
        let listed = |name: &String| fields.split_whitespace().any(|f| f.trim_end_matches('?') == name);
        let added: Vec<_> = part["properties"].as_object().expect("properties").keys().filter(|n| !listed(n)).collect();
        assert!(added.is_empty(), "new in the schema, not on the list of frozen names: {added:?}");
    }
    let parts = schema.root()["$defs"].as_object().expect("parts").len();
    assert_eq!(parts + 1, frozen.len(), "a part is not on the list of frozen names");
}

#[test]
fn the_field_names_of_version_1_are_frozen() {
    assert_eq!(SCHEMA, 1);
    holds_what_was_frozen(&signal_schema(), &SIGNAL_V1);
    holds_what_was_frozen(&clv_schema(), &CLV_V1);
    // Every frozen field goes through the types and comes out under its name.
    for (example, again) in [
        (full_signal(), json_of(&serde_json::from_value::<Signal>(full_signal()).expect("a signal"))),
        (full_clv(), json_of(&serde_json::from_value::<ClvRow>(full_clv()).expect("a row"))),
    ] {
        assert_eq!(example, again);
    }
    let names = |value: &Value| value.as_object().expect("object").keys().cloned().collect::<BTreeSet<_>>();
    let frozen = |list: &[(&str, &str)], part: &str| {
        let fields = list.iter().find(|(name, _)| *name == part).expect("listed").1;
        fields.split_whitespace().map(|f| f.trim_end_matches('?').to_owned()).collect::<BTreeSet<_>>()
    };
    let signal = full_signal();
    for (part, value) in [
        ("", &signal),
        ("entry", &signal["entry_now"]),
        ("stand", &signal["evidence"][0]["before"]),
        ("evidence", &signal["evidence"][0]),
        ("sampling", &signal["sampling"]),
        ("components", &signal["components"]),
        ("key", &signal["detail"]["keys"][0]),
        ("detail", &signal["detail"]),
    ] {
        assert_eq!(names(value), frozen(&SIGNAL_V1, part), "the example of {part} is not full");
    }
    let row = full_clv();
    assert_eq!(names(&row), frozen(&CLV_V1, ""));
    assert_eq!(names(&row["close"]), frozen(&CLV_V1, "close"));
}

#[test]
fn both_forms_have_one_entry_and_one_policy() {
    let (signal, clv) = (signal_schema(), clv_schema());
    assert_eq!(signal.root()["$defs"]["entry"], clv.root()["$defs"]["entry"]);
    for field in ["type", "side"] {
        assert_eq!(signal.root()["properties"][field]["enum"], clv.root()["properties"][field]["enum"], "{field}");
    }
    let types: Vec<Value> = SignalType::ALL.iter().map(|t| t.name().into()).collect();
    assert_eq!(signal.root()["properties"]["type"]["enum"], Value::Array(types));
    for schema in [signal, clv] {
        assert!(schema.root()["description"].as_str().expect("text").contains("Additive only"));
    }
}

/// A signal with every field that there is.
fn full_signal() -> Value {
    serde_json::from_str(include_str!("signal_schema/full_signal.json")).expect("JSON")
}

/// A graded row with every field that there is.
fn full_clv() -> Value {
    serde_json::from_str(include_str!("signal_schema/full_clv.json")).expect("JSON")
}

/// An example with another value in one place.
fn with(mut example: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a place");
    let parent = example.pointer_mut(parent).expect("there");
    parent.as_object_mut().expect("object").insert(name.to_owned(), value);
    example
}

/// An example without one field.
fn without(mut example: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a place");
    let fields = example.pointer_mut(parent).and_then(Value::as_object_mut).expect("object");
    assert!(fields.remove(name).is_some(), "{pointer}");
    example
}

#[test]
fn good_examples_pass_and_bad_ones_are_named() {
    let schema = signal_schema();
    let problems = |value: &Value| schema.problems(value, Unknown::AsWritten).join("; ");
    let full = full_signal;
    for good in [
        full(),
        without(full(), "/supersedes"),
        with(full(), "/entry", Value::Null),
        with(full(), "/a_field_of_later", json!(1)),
        with(with(full(), "/type", json!("STEAM")), "/detail", json!({})),
        with(with(with(full(), "/type", json!("LIVE_SHOCK")), "/side", Value::Null), "/entry", Value::Null),
    ] {
        assert_eq!(problems(&good), "");
    }
    assert!(!schema.problems(&with(full(), "/a_field_of_later", json!(1)), Unknown::Refused).is_empty());
    for (bad, part) in [
        (without(full(), "/id"), "`id` is missing"),
        (without(full(), "/side"), "`side` is missing"),
        (with(full(), "/strength", json!(0)), "$.strength: 0 is below 1"),
        (with(full(), "/strength", json!(101)), "above 100"),
        (with(full(), "/strength", json!(50.5)), "not of type \"integer\""),
        (with(full(), "/tier", json!("high")), "none of"),
        (with(full(), "/side", json!("left")), "none of"),
        (with(full(), "/entry/price", json!("1.91")), "$.entry.price"),
        (with(full(), "/entry/price", json!(0.5)), "below 1"),
        (with(full(), "/entry/ev", json!(-1.5)), "below -1"),
        (without(full(), "/entry/line"), "`line` is missing"),
        (with(full(), "/entry", json!([])), "$.entry"),
        (with(full(), "/detected_at", json!("yesterday")), "no time"),
        (with(full(), "/detected_at", json!("2026-11-22T14:21:00+01:00")), "no time in UTC"),
        (with(full(), "/schema", json!(2)), "$.schema"),
        (with(full(), "/evidence/0/before/probability", json!(1.1)), "$.evidence[0].before.probability"),
        (with(full(), "/evidence/0/after/prices", json!([1.9])), "not minItems 3"),
        (with(full(), "/detail/labels", json!([])), "not minItems 1"),
        (with(full(), "/detail/keys/0/number", Value::Null), "$.detail.keys[0].number"),
        (without(full(), "/detail/book"), "$.detail: `book` is missing"),
        (with(full(), "/books_affected", json!(3)), "$.books_affected"),
        (without(with(full(), "/type", json!("KEY_CROSS")), "/detail/keys"), "`keys` is missing"),
        (with(full(), "/type", json!("LIVE_SHOCK")), "$.side"),
    ] {
        assert!(problems(&bad).contains(part), "{part}\n{}", problems(&bad));
    }
    let schema = clv_schema();
    let problems = |value: &Value| schema.problems(value, Unknown::AsWritten).join("; ");
    let missing = with(with(full_clv(), "/clv_ev", Value::Null), "/left_out", json!("no_close"));
    assert_eq!(problems(&full_clv()) + &problems(&missing), "");
    for (bad, part) in [
        (with(full_clv(), "/clv_ev", Value::Null), "$.clv_ev"),
        (with(full_clv(), "/left_out", json!("no_entry")), "$.clv_ev"),
        (with(full_clv(), "/left_out", json!("rain")), "$.left_out"),
        (with(full_clv(), "/close/grade", json!("E")), "$.close.grade"),
        (without(full_clv(), "/close/reason"), "`reason` is missing"),
    ] {
        assert!(problems(&bad).contains(part), "{part}\n{}", problems(&bad));
    }
}

#[test]
fn a_keyword_that_is_not_judged_is_never_skipped() {
    for schema in [
        json!({"pattern": "^a"}),
        json!({"properties": {"a": {"exclusiveMinimum": 0}}}),
        json!({"$defs": {"never_used": {"oneOf": []}}}),
        json!({"allOf": [{"if": {"const": 1}, "then": {}}]}),
        json!({"then": {}}),
        json!({"$ref": "#/$defs/nowhere"}),
        json!({"$ref": "https://example.com/other.json"}),
        json!({"type": "text"}),
        json!({"format": "email"}),
        json!({"additionalProperties": {"type": "string"}}),
        json!({"required": "id"}),
        json!(true),
    ] {
        let text = schema.to_string();
        assert!(std::panic::catch_unwind(|| Schema::new(&text)).is_err(), "{text}");
    }
    let closed = Schema::new(r#"{"properties": {"a": {"maxItems": 1}}, "additionalProperties": false}"#);
    assert_eq!(closed.problems(&json!({"a": [1]}), Unknown::AsWritten), Vec::<String>::new());
    assert_eq!(closed.problems(&json!({"a": [1, 2], "b": 1}), Unknown::AsWritten).len(), 2);
}
