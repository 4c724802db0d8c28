//! What the user chose, as it is kept: read leniently, so that one broken or unknown part costs no other.

use serde_json::{Map, Value};

use crate::board::app::Prefs;
use crate::board::pages::board::columns::ColumnChoice;

/// The choices that a kept text means. What cannot be read is as by default; of a list the readable entries stay.
pub fn read(json: &str) -> Prefs {
    let Ok(Value::Object(kept)) = serde_json::from_str::<Value>(json) else { return Prefs::default() };
    let mut fit = Map::new();
    for (name, value) in kept {
        if is_fit(&name, &value) {
            fit.insert(name, value);
        } else if let Value::Array(entries) = value {
            let entries = entries.into_iter().filter(|e| is_fit(&name, &Value::Array(vec![e.clone()]))).collect();
            fit.insert(name, Value::Array(entries));
        }
    }
    let mut prefs: Prefs = serde_json::from_value(Value::Object(fit)).unwrap_or_default();
    prefs.columns = ColumnChoice::complete(&prefs.columns);
    prefs
}

fn is_fit(name: &str, value: &Value) -> bool {
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    serde_json::from_value::<Prefs>(Value::Object(alone)).is_ok()
}

/// The text under which choices are kept.
pub fn write(prefs: &Prefs) -> String {
    // Plain values always have a form; the empty one would be read as the defaults.
    serde_json::to_string(prefs).unwrap_or_default()
}

/// `kept`, but for what was changed before it had been read: that stays as it is in `now`.
pub fn under(kept: Prefs, now: &Prefs) -> Prefs {
    let value = |prefs: &Prefs| serde_json::to_value(prefs).unwrap_or_default();
    let (Value::Object(mut all), Value::Object(now), Value::Object(default)) =
        (value(&kept), value(now), value(&Prefs::default()))
    else {
        return kept;
    };
    for (name, chosen) in now {
        if default.get(&name) != Some(&chosen) {
            all.insert(name, chosen);
        }
    }
    serde_json::from_value(Value::Object(all)).unwrap_or(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::board::app::prefs::Sort;
    use crate::board::format::Odds;

    #[test]
    fn one_broken_part_costs_no_other() {
        let text = r#"{"odds":"decimal","sort":"by moonlight","pinned":["a",7,"b"],"new in 2030":{},"lights":false,
            "columns":[{"column":"fair","on":false},{"column":"moon","on":true}],"list":"Tonight"}"#;
        let read = read(text);
        assert_eq!((read.odds, read.sort, read.lights), (Odds::Decimal, Sort::Start, false));
        assert_eq!((read.pinned, read.list.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("Tonight")));
        assert_eq!(read.columns.len(), ColumnChoice::default_set().len());
        assert!(
            read.columns
                .first()
                .is_some_and(|c| !c.on && c.column == crate::board::pages::board::columns::Column::Fair)
        );
    }

    #[test]
    fn nonsense_is_the_defaults_and_what_is_written_is_read() {
        for text in ["", "[]", "7", "{", "null"] {
            assert_eq!(read(text), Prefs::default(), "{text}");
        }
        let prefs = Prefs { odds: Odds::Implied, filter: "ev>2".into(), sport: Some("x".into()), ..Prefs::default() };
        assert_eq!(read(&write(&prefs)), prefs);
    }

    #[test]
    fn a_choice_made_while_the_file_was_read_stays() {
        let kept = Prefs { odds: Odds::Decimal, market: "totals".into(), ..Prefs::default() };
        let now = Prefs { market: "h2h".into(), ..Prefs::default() };
        let both = under(kept, &now);
        assert_eq!((both.odds, both.market.as_str()), (Odds::Decimal, "h2h"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_broken(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
