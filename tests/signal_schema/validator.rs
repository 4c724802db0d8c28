//! As much of JSON Schema (draft 2020-12) as our schemas use, and not a keyword more.
//!
//! A keyword that is not known here is a panic, wherever it stands: nothing that a schema says is skipped in silence.

use serde_json::{Map, Value};
use stratum::market::time::Timestamp;

/// A schema whose every keyword is known.
pub struct Schema {
    root: Value,
}

/// What to make of fields that the schema does not name.
#[derive(Clone, Copy, PartialEq)]
pub enum Unknown {
    /// What `additionalProperties` says.
    AsWritten,
    /// An error: nothing is told that is not described.
    Refused,
}

impl Schema {
    /// # Panics
    /// On anything that is not a schema, and on any keyword that [`Schema::problems`] does not judge.
    pub fn new(text: &str) -> Self {
        let schema = Self { root: serde_json::from_str(text).expect("JSON") };
        schema.look_over(&schema.root, "#");
        schema
    }

    /// The schema itself.
    pub const fn root(&self) -> &Value {
        &self.root
    }

    /// Every way in which a value is not what the schema says, each with its place.
    pub fn problems(&self, value: &Value, unknown: Unknown) -> Vec<String> {
        let mut problems = Vec::new();
        self.judge(&self.root, value, "$", unknown, &mut problems);
        problems
    }

    fn look_over(&self, schema: &Value, place: &str) {
        let keywords = object(schema, place);
        for (keyword, said) in keywords {
            let place = format!("{place}/{keyword}");
            match keyword.as_str() {
                "$schema" => assert_eq!(said, "https://json-schema.org/draft/2020-12/schema", "{place}"),
                "$id" | "title" | "description" => assert!(said.is_string(), "{place}"),
                "format" => assert_eq!(said, "date-time", "{place}"),
                "minimum" | "maximum" => assert!(said.is_number(), "{place}"),
                "minItems" | "maxItems" => assert!(said.is_u64(), "{place}"),
                "enum" => assert!(!list(said, &place).is_empty(), "{place}"),
                "type" => assert!(types(said).iter().all(|t| TYPES.contains(t)), "{place}: {said}"),
                "required" => assert!(list(said, &place).iter().all(Value::is_string), "{place}"),
                "additionalProperties" => assert!(said.is_boolean(), "{place}: only true or false"),
                "$ref" => self.look_over_once(said, &place),
                "items" | "if" | "then" => self.look_over(said, &place),
                "allOf" => list(said, &place).iter().for_each(|s| self.look_over(s, &place)),
                "properties" | "$defs" => {
                    object(said, &place).iter().for_each(|(name, s)| self.look_over(s, &format!("{place}/{name}")));
                }
                _ => panic!("{place}: a keyword that is not known here"),
            }
        }
        assert!(!keywords.contains_key("then") || keywords.contains_key("if"), "{place}: then without if");
    }

    /// A reference leads somewhere; what stands there is looked over where it stands.
    fn look_over_once(&self, reference: &Value, place: &str) {
        assert!(self.target(reference).is_object(), "{place}: {reference} leads nowhere");
    }

    fn target(&self, reference: &Value) -> &Value {
        let name = reference.as_str().and_then(|r| r.strip_prefix("#/$defs/"));
        let name = name.unwrap_or_else(|| panic!("{reference}: only #/$defs/NAME"));
        &self.root["$defs"][name]
    }

    fn judge(&self, schema: &Value, value: &Value, place: &str, unknown: Unknown, problems: &mut Vec<String>) {
        let keywords = object(schema, place);
        for (keyword, said) in keywords {
            let mut fail = |text: String| problems.push(format!("{place}: {text}"));
            match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "then" => {}
                "type" => {
                    if !types(said).iter().any(|t| is_a(value, t)) {
                        fail(format!("{value} is not of type {said}"));
                    }
                }
                "enum" => {
                    if !list(said, place).contains(value) {
                        fail(format!("{value} is none of {said}"));
                    }
                }
                "format" => {
                    if value.as_str().is_some_and(|t| Timestamp::parse(t).is_none() || !t.ends_with('Z')) {
                        fail(format!("{value} is no time in UTC"));
                    }
                }
                "minimum" => {
                    if value.as_f64().zip(said.as_f64()).is_some_and(|(v, least)| v < least) {
                        fail(format!("{value} is below {said}"));
                    }
                }
                "maximum" => {
                    if value.as_f64().zip(said.as_f64()).is_some_and(|(v, most)| v > most) {
                        fail(format!("{value} is above {said}"));
                    }
                }
                "minItems" | "maxItems" => {
                    let (items, limit) = (value.as_array().map(Vec::len), said.as_u64().expect("number") as usize);
                    if items.is_some_and(|n| if keyword == "minItems" { n < limit } else { n > limit }) {
                        fail(format!("not {keyword} {limit}"));
                    }
                }
                "required" => {
                    for name in list(said, place).iter().filter_map(Value::as_str) {
                        if value.as_object().is_some_and(|o| !o.contains_key(name)) {
                            fail(format!("`{name}` is missing"));
                        }
                    }
                }
                "properties" => {
                    for (name, inner) in object(said, place) {
                        if let Some(value) = value.get(name) {
                            self.judge(inner, value, &format!("{place}.{name}"), unknown, problems);
                        }
                    }
                }
                "additionalProperties" => {
                    let named = |name: &String| schema.get("properties").is_some_and(|p| p.get(name).is_some());
                    if *said == Value::Bool(false) || unknown == Unknown::Refused {
                        let fields = value.as_object().into_iter().flat_map(Map::keys);
                        fields.filter(|n| !named(n)).for_each(|n| fail(format!("`{n}` is not described")));
                    }
                }
                "items" => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(said, item, &format!("{place}[{i}]"), unknown, problems);
                    }
                }
                "allOf" => list(said, place).iter().for_each(|s| self.judge(s, value, place, unknown, problems)),
                "if" => {
                    let mut against = Vec::new();
                    self.judge(said, value, place, Unknown::AsWritten, &mut against);
                    if let Some(then) = keywords.get("then").filter(|_| against.is_empty()) {
                        self.judge(then, value, place, unknown, problems);
                    }
                }
                "$ref" => self.judge(self.target(said), value, place, unknown, problems),
                _ => panic!("{place}: {keyword} is not known here"),
            }
        }
    }
}

const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        // 1.0 is a whole number too.
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0),
        "string" => value.is_string(),
        _ => panic!("{kind} is no type"),
    }
}

fn types(said: &Value) -> Vec<&str> {
    match said {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|t| t.as_str().expect("a type")).collect(),
        _ => panic!("{said} is no type"),
    }
}

fn object<'v>(value: &'v Value, place: &str) -> &'v Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{place}: not an object: {value}"))
}

fn list<'v>(value: &'v Value, place: &str) -> &'v Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{place}: not a list: {value}"))
}
